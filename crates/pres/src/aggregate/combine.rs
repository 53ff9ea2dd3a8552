//! One availability out of many.

use crate::category::{Availability, AvailabilityClass};

/// What takes part in the combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Availabilities {
    /// The user's choice.
    pub user: Option<Availability>,
    /// The most available machine; `None` when no endpoint is signed in.
    pub machine: Option<Availability>,
    /// The least available telephone that has an availability.
    pub phone: Option<Availability>,
    /// The least available calendar that has an availability.
    pub calendar: Option<Availability>,
    /// Some telephone is in use, with or without availability.
    pub on_phone: bool,
}

/// Where the combination can be one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A user who is away from every machine during a meeting is away, not busy. True by default (inferred; the names of the classes
    /// in Microsoft's programming interface could mean the other as well).
    pub away_hides_meeting: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            away_hides_meeting: true,
        }
    }
}

/// Combines availabilities of user, machines, telephones and calendars (inferred).
///
/// Without endpoint the user is offline. A choice of do-not-disturb, be-right-back, away or offline is taken at its word; busy becomes idle
/// or away with the machine; available hides telephone and calendar, but not that the machine is idle. Without a choice
/// telephone and calendar make busy.
///
/// Watchers cannot depend on how it is done; a server may replace it.
#[must_use]
pub fn combine(inputs: &Availabilities, options: Options) -> Availability {
    let Some(machine) = inputs.machine else {
        return Availability::OFFLINE;
    };
    let is_away = machine >= AWAY;
    let is_idle = machine.class() == AvailabilityClass::AvailableIdle;
    let user = inputs.user.unwrap_or(Availability::UNKNOWN);
    match user.class() {
        AvailabilityClass::Unknown => without_choice(machine, inputs, options),
        AvailabilityClass::Busy if is_idle => Availability::BUSY_IDLE,
        AvailabilityClass::Busy if is_away => machine,
        AvailabilityClass::Available
        | AvailabilityClass::AvailableIdle
        | AvailabilityClass::BusyIdle
            if machine >= IDLE =>
        {
            machine
        }
        _ => user,
    }
}

/// Where the user has left the machine for longer.
const AWAY: Availability = Availability(12_000);
/// Where the user has not touched the machine for a while.
const IDLE: Availability = Availability(4500);

fn without_choice(
    machine: Availability,
    inputs: &Availabilities,
    options: Options,
) -> Availability {
    let busy = inputs
        .phone
        .max(inputs.calendar)
        .unwrap_or(Availability::UNKNOWN);
    let is_busy = busy.class() == AvailabilityClass::Busy;
    let is_away = machine >= AWAY;
    if is_away && !inputs.on_phone {
        return if is_busy && !options.away_hides_meeting {
            Availability::BUSY_IDLE
        } else {
            machine
        };
    }
    // Who talks is at hand, whatever the machine sees.
    let base = if is_away {
        Availability::AVAILABLE
    } else {
        machine
    };
    if busy <= base {
        base
    } else if machine.class() == AvailabilityClass::AvailableIdle && is_busy && !inputs.on_phone {
        Availability::BUSY_IDLE
    } else {
        busy
    }
}
