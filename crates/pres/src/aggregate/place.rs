//! What of the results is seen by whom.

use ocs_xml::{Element, Raw};

use super::{Aggregate, public_services};
use crate::category::{Availability, CategoryName, LegacyInterop, Services, State, StateType};
use crate::doc::{ContainerId, ExpireType};
use crate::instance;
use crate::server::Aggregated;

/// The results of aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Of the states of container 2.
    pub first: Aggregate,
    /// Of the states of container 3.
    pub second: Aggregate,
    /// Of the devices.
    pub services: Services,
}

/// What is published of the results, and where: external contacts see how available somebody is but not what they do, colleagues, friends and
/// the owner see what the first aggregation made, workgroup what the second did, and blocked contacts that the user is offline.
///
/// Of a user without machine there is a static state in the place of the aggregate: it stays when the last endpoint is gone, and says since
/// when the user has been away. External contacts are not told since when.
#[must_use]
pub fn place(results: &Results) -> Vec<Aggregated> {
    let mut all = Vec::new();
    let first = &results.first;
    place_machine(&mut all, ContainerId::FIRST_AGGREGATION, first);
    push(
        &mut all,
        &CategoryName::State,
        instance::STATE_AGGREGATE,
        ContainerId::FIRST_AGGREGATION,
        ExpireType::User,
        &first.state,
    );
    place_state(
        &mut all,
        ContainerId::PUBLIC,
        first,
        &for_public(&first.state),
    );
    for container in [ContainerId::COMPANY, ContainerId::PERSONAL] {
        place_state(&mut all, container, first, &first.state);
    }
    for container in [
        ContainerId::PUBLIC,
        ContainerId::COMPANY,
        ContainerId::PERSONAL,
    ] {
        place_legacy(&mut all, container, &legacy_interop(&first.state));
    }
    let second = &results.second;
    place_machine(&mut all, ContainerId::SECOND_AGGREGATION, second);
    place_state(&mut all, ContainerId::TEAM, second, &second.state);
    place_legacy(&mut all, ContainerId::TEAM, &legacy_interop(&second.state));
    place_blocked(&mut all);
    place_services(&mut all, &results.services);
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
        ..State::new(StateType::AggregateState)
    }
}

fn push<T: Element>(
    all: &mut Vec<Aggregated>,
    category: &CategoryName,
    instance: u32,
    container: ContainerId,
    expire_type: ExpireType,
    value: &T,
) {
    all.push(Aggregated {
        name: category.as_str().into(),
        instance,
        container,
        expire_type,
        value: Some(Raw::of(value)),
    });
}

fn place_machine(all: &mut Vec<Aggregated>, container: ContainerId, aggregate: &Aggregate) {
    if let Some(machine) = &aggregate.machine {
        push(
            all,
            &CategoryName::State,
            instance::STATE_AGGREGATE_MACHINE,
            container,
            ExpireType::User,
            machine,
        );
    }
}

/// `state` is what others see of an aggregate.
fn place_state(
    all: &mut Vec<Aggregated>,
    container: ContainerId,
    aggregate: &Aggregate,
    state: &State,
) {
    let (instance, expire_type) = if aggregate.machine.is_some() {
        (instance::STATE_AGGREGATE, ExpireType::User)
    } else {
        (instance::STATE_OFFLINE, ExpireType::Static)
    };
    push(
        all,
        &CategoryName::State,
        instance,
        container,
        expire_type,
        state,
    );
}

fn place_legacy(all: &mut Vec<Aggregated>, container: ContainerId, legacy: &LegacyInterop) {
    push(
        all,
        &CategoryName::LegacyInterop,
        instance::LEGACY_INTEROP,
        container,
        ExpireType::Static,
        legacy,
    );
}

fn place_blocked(all: &mut Vec<Aggregated>) {
    let offline = State {
        availability: Some(Availability::OFFLINE),
        ..State::new(StateType::AggregateState)
    };
    push(
        all,
        &CategoryName::State,
        instance::STATE_BLOCKED,
        ContainerId::BLOCKED,
        ExpireType::Static,
        &offline,
    );
    place_legacy(all, ContainerId::BLOCKED, &legacy_interop(&offline));
}

fn place_services(all: &mut Vec<Aggregated>, services: &Services) {
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
            &CategoryName::Services,
            instance::SINGLE,
            container,
            ExpireType::User,
            services,
        );
    }
}
