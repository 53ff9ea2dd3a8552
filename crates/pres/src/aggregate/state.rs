//! One state out of many.

use std::cmp::Reverse;

use crate::Time;
use crate::aggregate::{Availabilities, Options, combine};
use crate::category::{Activity, Availability, AvailabilityClass, State, StateType};
use crate::instance;

/// A state that a client published, with what the server knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateInstance<'a> {
    /// The instance id.
    pub instance: u32,
    /// The endpoint that published it.
    pub endpoint_id: Option<&'a str>,
    /// When it was published.
    pub publish_time: Time,
    /// The state.
    pub state: &'a State,
}

/// What aggregation makes of the states of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The most available machine. `None` when no endpoint is signed in.
    pub machine: Option<State>,
    /// All together.
    pub state: State,
}

/// Aggregates the states of one container of raw states. `before` is the aggregated state that holds until now.
///
/// Outline by \[MS-PRES\]; the combination of availabilities is [`combine`]'s. States of other types, and states without what
/// makes them count, are passed over.
#[must_use]
pub fn states(
    instances: &[StateInstance<'_>],
    before: Option<&State>,
    now: Time,
    options: Options,
) -> Aggregate {
    let of = |kind: StateType| {
        instances
            .iter()
            .filter(move |instance| instance.state.kind.as_ref() == Some(&kind))
    };
    let least = |kind| {
        of(kind)
            .filter_map(|instance| instance.state.availability)
            .max()
    };
    let newest = |kind| of(kind).max_by_key(|instance| instance.publish_time);

    let machine = of(StateType::MachineState)
        .filter_map(|instance| Some((instance, instance.state.availability?)))
        .min_by_key(|(instance, availability)| {
            (rank(*availability), Reverse(instance.publish_time))
        });
    // A choice that holds for a time is the later one.
    let user = of(StateType::UserState)
        .max_by_key(|one| (one.instance == instance::STATE_USER_TIMED, one.publish_time));
    let phone = newest(StateType::PhoneState);
    let availability = combine(
        &Availabilities {
            user: user.and_then(|user| user.state.availability),
            machine: machine.map(|(_, availability)| availability),
            phone: least(StateType::PhoneState),
            calendar: least(StateType::CalendarState),
            on_phone: phone.is_some(),
        },
        options,
    );

    let machine = machine.map(|(machine, _)| machine);
    let activity = user
        .into_iter()
        .chain(phone)
        .chain(of(StateType::CalendarState))
        .chain(machine)
        .find_map(|instance| instance.state.activity_at(availability))
        .cloned();
    let mut state = State {
        availability: Some(availability),
        activity: activity.into_iter().collect::<Vec<Activity>>(),
        last_active: last_active(availability, before, now),
        ..State::new(StateType::AggregateState)
    };
    if availability.class() != AvailabilityClass::Offline
        && let Some(meeting) =
            of(StateType::CalendarState).find(|one| one.state.availability.is_some())
    {
        state
            .meeting_subject
            .clone_from(&meeting.state.meeting_subject);
        state
            .meeting_location
            .clone_from(&meeting.state.meeting_location);
    }
    if let Some(machine) = machine
        && availability < Availability(12_000)
    {
        copy_place(&mut state, machine.state);
    }
    Aggregate {
        machine: machine.map(|machine| State {
            kind: Some(StateType::AggregateMachineState),
            endpoint_id: machine.endpoint_id.map(Into::into),
            ..machine.state.clone()
        }),
        state,
    }
}

/// The lower, the more available: active, idle, unknown, away, off.
const fn rank(availability: Availability) -> u32 {
    match availability.class() {
        AvailabilityClass::Unknown => 6000,
        _ => availability.0,
    }
}

/// When the user was last at hand: the moment at which that ended, kept until it ends again.
fn last_active(availability: Availability, before: Option<&State>, now: Time) -> Option<Time> {
    let before = before?;
    let was_active = before.availability.is_some_and(Availability::is_active);
    if was_active && !availability.is_active() {
        Some(now.to_millis())
    } else {
        before.last_active
    }
}

/// Where the user is, and at what.
fn copy_place(state: &mut State, machine: &State) {
    state
        .endpoint_location
        .clone_from(&machine.endpoint_location);
    state.time_zone_bias = machine.time_zone_bias;
    state.time_zone_name.clone_from(&machine.time_zone_name);
    state
        .time_zone_abbreviation
        .clone_from(&machine.time_zone_abbreviation);
    state.device.clone_from(&machine.device);
}
