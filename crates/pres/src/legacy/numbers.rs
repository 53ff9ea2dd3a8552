//! The two numbers of 2005 and the one of 2007.

use crate::category::{Availability, AvailabilityClass, LegacyInterop, Token};

/// Availability and activity of 2005.
///
/// Availability: 0 to 99 offline, to 199 perhaps, to 299 a device is connected, to 399 somebody is at it. Activity: 0 to 99 unknown, to
/// 149 away, to 199 out to lunch, to 299 idle, to 399 back soon, to 499 active, to 599 in a session, to 699 busy, to 799 away, to 999 active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// Whether somebody is there.
    pub availability: u32,
    /// What they do.
    pub activity: u32,
}

impl Pair {
    /// Nobody is there.
    pub const OFFLINE: Self = Self {
        availability: 0,
        activity: 0,
    };

    const fn at_device(activity: u32) -> Self {
        Self {
            availability: 300,
            activity,
        }
    }

    /// What a reader of 2007 takes it for.
    #[must_use]
    pub const fn class(self) -> AvailabilityClass {
        match (self.availability, self.activity) {
            (0..=99, _) => AvailabilityClass::Offline,
            (_, 300..=399) => AvailabilityClass::BeRightBack,
            (_, 500..=699) => AvailabilityClass::Busy,
            (_, 400..=499 | 800..) => AvailabilityClass::Available,
            _ => AvailabilityClass::Away,
        }
    }
}

impl From<Pair> for Availability {
    fn from(pair: Pair) -> Self {
        pair.class().canonical()
    }
}

/// What a reader of 2005 is shown of a user of 2007 (inferred: the other direction turned round).
impl From<&LegacyInterop> for Pair {
    fn from(state: &LegacyInterop) -> Self {
        match state.availability.class() {
            AvailabilityClass::Unknown | AvailabilityClass::Offline => Self::OFFLINE,
            AvailabilityClass::Available => Self::at_device(400),
            AvailabilityClass::AvailableIdle => Self::at_device(200),
            AvailabilityClass::Busy => match state.token {
                Some(Token::OnThePhone | Token::InAConference) => Self::at_device(500),
                _ => Self::at_device(600),
            },
            AvailabilityClass::BusyIdle | AvailabilityClass::DoNotDisturb => Self::at_device(600),
            AvailabilityClass::BeRightBack => Self::at_device(300),
            AvailabilityClass::Away => Self::at_device(100),
        }
    }
}
