//! How available somebody is: one number, in classes.

use std::fmt;

use ocs_xml::Value;

/// A number that says how available somebody is: the higher, the less.
///
/// Publishers write the canonical number of a class, one of the constants here; readers go by the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Availability(pub u32);

/// The classes of [`Availability`] (\[MS-PRES\], state schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AvailabilityClass {
    /// 0 to 2999: nobody knows. One reference page counts these as available; here they are not.
    Unknown,
    /// 3000 to 4499.
    Available,
    /// 4500 to 5999: available, but has not touched the machine for a while.
    AvailableIdle,
    /// 6000 to 7499.
    Busy,
    /// 7500 to 8999: busy, but has not touched the machine for a while.
    BusyIdle,
    /// 9000 to 11999.
    DoNotDisturb,
    /// 12000 to 14999.
    BeRightBack,
    /// 15000 to 17999.
    Away,
    /// 18000 and above.
    Offline,
}

impl Availability {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(0);
    /// Available.
    pub const AVAILABLE: Self = Self(3500);
    /// Available, the machine idle.
    pub const IDLE: Self = Self(5000);
    /// Busy.
    pub const BUSY: Self = Self(6500);
    /// Busy; only what is urgent may interrupt.
    pub const URGENT_INTERRUPTIONS_ONLY: Self = Self(6900);
    /// In a call of several.
    pub const IN_A_CONFERENCE: Self = Self(7000);
    /// Busy, the machine idle (recalled).
    pub const BUSY_IDLE: Self = Self(8000);
    /// Presents something.
    pub const PRESENTING: Self = Self(9000);
    /// Must not be disturbed.
    pub const DO_NOT_DISTURB: Self = Self(9500);
    /// Will be right back.
    pub const BE_RIGHT_BACK: Self = Self(12500);
    /// Away.
    pub const AWAY: Self = Self(15500);
    /// Offline, or appears so.
    pub const OFFLINE: Self = Self(18500);

    /// The class.
    #[must_use]
    pub const fn class(self) -> AvailabilityClass {
        match self.0 {
            0..=2999 => AvailabilityClass::Unknown,
            3000..=4499 => AvailabilityClass::Available,
            4500..=5999 => AvailabilityClass::AvailableIdle,
            6000..=7499 => AvailabilityClass::Busy,
            7500..=8999 => AvailabilityClass::BusyIdle,
            9000..=11999 => AvailabilityClass::DoNotDisturb,
            12000..=14999 => AvailabilityClass::BeRightBack,
            15000..=17999 => AvailabilityClass::Away,
            18000.. => AvailabilityClass::Offline,
        }
    }

    /// Whether the user is at hand: available or busy, the machine not idle.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(
            self.class(),
            AvailabilityClass::Available
                | AvailabilityClass::Busy
                | AvailabilityClass::DoNotDisturb
        )
    }
}

impl AvailabilityClass {
    /// What a reader is shown where no activity says more.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "Presence unknown",
            Self::Available => "Available",
            Self::AvailableIdle => "Inactive",
            Self::Busy | Self::BusyIdle => "Busy",
            Self::DoNotDisturb => "Do not disturb",
            Self::BeRightBack => "Be right back",
            Self::Away => "Away",
            Self::Offline => "Offline",
        }
    }

    /// The number that publishers write for the class.
    #[must_use]
    pub const fn canonical(self) -> Availability {
        match self {
            Self::Unknown => Availability::UNKNOWN,
            Self::Available => Availability::AVAILABLE,
            Self::AvailableIdle => Availability::IDLE,
            Self::Busy => Availability::BUSY,
            Self::BusyIdle => Availability::BUSY_IDLE,
            Self::DoNotDisturb => Availability::DO_NOT_DISTURB,
            Self::BeRightBack => Availability::BE_RIGHT_BACK,
            Self::Away => Availability::AWAY,
            Self::Offline => Availability::OFFLINE,
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for Availability {
    fn parse(text: &str) -> Option<Self> {
        u32::parse(text).map(Self)
    }

    fn format(&self, out: &mut String) {
        self.0.format(out);
    }
}
