//! What of the results is seen by whom.

use ocs_xml::{Element, Raw};

use crate::aggregate::{Aggregate, public_services};
use crate::category::{Availability, CategoryName, LegacyInterop, Services, State, StateType};
use crate::doc::{ContainerId, ExpireType};
use crate::instance;

/// The results of aggregation. What was not aggregated anew is absent, and nothing is placed of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// Of the states of container 2.
    pub first: Option<Aggregate>,
    /// Of the states of container 3.
    pub second: Option<Aggregate>,
    /// Of the devices.
    pub services: Option<Services>,
}

/// An instance that the server publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The category.
    pub category: CategoryName,
    /// The instance id.
    pub instance: u32,
    /// Where it is placed.
    pub container: ContainerId,
    /// How long it lives.
    pub expire_type: ExpireType,
    /// The value. `None`: the instance is removed.
    pub value: Option<Raw>,
}

/// What is published of the results, and where: external contacts see how available somebody is but not what they do, colleagues, friends and
/// the owner see what the first aggregation made, workgroup what the second did, and blocked contacts that the user is offline.
#[must_use]
pub fn place(results: &Results) -> Vec<Placed> {
    let mut all = Vec::new();
    if let Some(first) = &results.first {
        place_machine(&mut all, ContainerId::FIRST_AGGREGATION, first);
        place_state(&mut all, ContainerId::FIRST_AGGREGATION, &first.state);
        place_state(&mut all, ContainerId::PUBLIC, &for_public(&first.state));
        for container in [ContainerId::COMPANY, ContainerId::PERSONAL] {
            place_state(&mut all, container, &first.state);
        }
        for container in [
            ContainerId::PUBLIC,
            ContainerId::COMPANY,
            ContainerId::PERSONAL,
        ] {
            place_legacy(&mut all, container, &legacy_interop(&first.state));
        }
        place_blocked(&mut all);
    }
    if let Some(second) = &results.second {
        place_machine(&mut all, ContainerId::SECOND_AGGREGATION, second);
        place_state(&mut all, ContainerId::TEAM, &second.state);
        place_legacy(&mut all, ContainerId::TEAM, &legacy_interop(&second.state));
    }
    if let Some(services) = &results.services {
        place_services(&mut all, services);
    }
    all
}

/// An availability, and the token of what is being done, for readers of 2005.
fn legacy_interop(state: &State) -> LegacyInterop {
    LegacyInterop::new(
        state.availability.unwrap_or(Availability::OFFLINE),
        state
            .activity
            .first()
            .and_then(|activity| activity.token.clone()),
    )
}

/// How available, and nothing more.
fn for_public(state: &State) -> State {
    State {
        availability: state.availability,
        last_active: state.last_active,
        ..State::new(StateType::AggregateState)
    }
}

fn push<T: Element>(
    all: &mut Vec<Placed>,
    category: CategoryName,
    instance: u32,
    container: ContainerId,
    expire_type: ExpireType,
    value: Option<&T>,
) {
    all.push(Placed {
        category,
        instance,
        container,
        expire_type,
        value: value.map(Raw::of),
    });
}

fn place_machine(all: &mut Vec<Placed>, container: ContainerId, aggregate: &Aggregate) {
    push(
        all,
        CategoryName::State,
        instance::STATE_AGGREGATE_MACHINE,
        container,
        ExpireType::User,
        aggregate.machine.as_ref(),
    );
}

fn place_state(all: &mut Vec<Placed>, container: ContainerId, state: &State) {
    push(
        all,
        CategoryName::State,
        instance::STATE_AGGREGATE,
        container,
        ExpireType::User,
        Some(state),
    );
}

fn place_legacy(all: &mut Vec<Placed>, container: ContainerId, legacy: &LegacyInterop) {
    push(
        all,
        CategoryName::LegacyInterop,
        instance::LEGACY_INTEROP,
        container,
        ExpireType::Static,
        Some(legacy),
    );
}

fn place_blocked(all: &mut Vec<Placed>) {
    let offline = State {
        availability: Some(Availability::OFFLINE),
        ..State::new(StateType::AggregateState)
    };
    push(
        all,
        CategoryName::State,
        instance::STATE_BLOCKED,
        ContainerId::BLOCKED,
        ExpireType::Static,
        Some(&offline),
    );
    place_legacy(all, ContainerId::BLOCKED, &legacy_interop(&offline));
}

fn place_services(all: &mut Vec<Placed>, services: &Services) {
    let public = public_services(services);
    let hidden = Services::default();
    let inner = [
        ContainerId::PUBLIC,
        ContainerId::COMPANY,
        ContainerId::TEAM,
        ContainerId::PERSONAL,
    ];
    let places = [(ContainerId::FIRST_AGGREGATION, services)]
        .into_iter()
        .chain(inner.map(|container| (container, &public)))
        .chain([(ContainerId::BLOCKED, &hidden)]);
    for (container, services) in places {
        push(
            all,
            CategoryName::Services,
            instance::SINGLE,
            container,
            ExpireType::User,
            Some(services),
        );
    }
}
