//! The category `calendarData`: when somebody is free (\[MS-PRES\], calendar data schema).

use ocs_xml::{SmolStr, Value, element};

use crate::Time;
use crate::category::free_busy::{BitOrder, Packed, Slot};
use crate::category::working_hours::WorkingHours;

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/calendarData";

/// How long one slot of a free/busy string is, in whole minutes, at least one. On the wire a duration such as `PT15M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Granularity(u32);

impl Granularity {
    /// What clients write.
    pub const QUARTER_HOUR: Self = Self(15);

    /// A number of minutes; `None` for zero.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Option<Self> {
        if minutes == 0 {
            None
        } else {
            Some(Self(minutes))
        }
    }

    /// The minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }
}

impl Value for Granularity {
    fn parse(text: &str) -> Option<Self> {
        let duration: jiff::SignedDuration = text.trim_ascii().parse().ok()?;
        let minutes = u32::try_from(duration.as_secs()).ok()? / 60;
        Self::from_minutes(minutes)
    }

    fn format(&self, out: &mut String) {
        out.push_str("PT");
        self.0.format(out);
        out.push('M');
    }
}

element! {
    /// When somebody is free, in slots from a beginning.
    pub struct FreeBusy(NAMESPACE, "freeBusy") {
        /// When the first slot begins.
        attr start_time: Time = "startTime",
        /// How long a slot is; a quarter of an hour when absent.
        attr_opt granularity: Granularity,
        /// How the slots are packed: 1 is the one known way.
        attr_opt encoding_version: u32 = "encodingVersion",
        /// The slots.
        text slots: Packed,
    }
}

impl FreeBusy {
    /// Packs slots of a quarter of an hour.
    #[must_use]
    pub fn new(start_time: Time, slots: impl IntoIterator<Item = Slot>) -> Self {
        Self {
            start_time,
            granularity: Some(Granularity::QUARTER_HOUR),
            encoding_version: Some(1),
            slots: Packed::pack(slots, BitOrder::default()),
            extra: ocs_xml::Extra::default(),
        }
    }

    fn slot_seconds(&self) -> i64 {
        let granularity = self.granularity.unwrap_or(Granularity::QUARTER_HOUR);
        i64::from(granularity.minutes()) * 60
    }

    /// The slot of a time. `None` before the first and behind the last.
    #[must_use]
    pub fn at(&self, time: Time, order: BitOrder) -> Option<Slot> {
        let after = time.seconds_since(self.start_time);
        let index = usize::try_from(after.div_euclid(self.slot_seconds())).ok()?;
        self.slots.get(index, order)
    }

    /// The first time after a time at which another kind of slot begins, and that slot: "free until", "busy until". `None` when
    /// nothing is known of the time, or nothing changes within the slots.
    #[must_use]
    pub fn next_change(&self, time: Time, order: BitOrder) -> Option<(Time, Slot)> {
        let now = self.at(time, order)?;
        let length = self.slot_seconds();
        let index = time.seconds_since(self.start_time).div_euclid(length);
        let from = usize::try_from(index).ok()?;
        (from..self.slots.len())
            .filter_map(|index| Some((index, self.slots.get(index, order)?)))
            .find(|(_, slot)| *slot != now)
            .and_then(|(index, slot)| {
                let after = i64::try_from(index).ok()?.checked_mul(length)?;
                Some((self.start_time.plus_seconds(after), slot))
            })
    }
}

element! {
    /// What a calendar says: working hours, or free and busy times, in instances of their own. Without either it hides.
    #[derive(Default)]
    pub struct CalendarData(NAMESPACE, "calendarData") {
        /// SMTP address of the mailbox.
        attr_opt mailbox_id: SmolStr = "mailboxID",
        /// The working hours.
        child_opt working_hours: WorkingHours,
        /// The free and busy times.
        child_opt free_busy: FreeBusy,
    }
}
