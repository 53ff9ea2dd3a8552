//! Wall-clock time for machines that hold no clock.

use std::time::{Duration, Instant, SystemTime};

/// Ties the monotonic time that every machine is handed to the wall clock.
///
/// Machines take `now: Instant`; a `Date` header, an NTLM time stamp or the end of a certificate needs
/// civil time. The caller makes one of these when it makes the machine, from one reading of both clocks, and again when
/// the system's clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    instant: Instant,
    system: SystemTime,
}

impl WallClock {
    /// `instant` and `system` are one moment.
    #[must_use]
    pub const fn new(instant: Instant, system: SystemTime) -> Self {
        Self { instant, system }
    }

    /// The wall-clock time of `now`.
    ///
    /// Saturates at the reference moment if the sum is not representable.
    #[must_use]
    pub fn at(&self, now: Instant) -> SystemTime {
        let result = match now.checked_duration_since(self.instant) {
            Some(after) => self.system.checked_add(after),
            None => self.system.checked_sub(self.instant.duration_since(now)),
        };
        result.unwrap_or(self.system)
    }

    /// The time of `now` as a FILETIME: 100 ns units since 1601-01-01 UTC ([MS-DTYP] 2.3.3).
    #[must_use]
    pub fn filetime(&self, now: Instant) -> u64 {
        /// Seconds from 1601-01-01 to 1970-01-01.
        const EPOCHS_APART: u64 = 11_644_473_600;
        let since = self
            .at(now)
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        (since.as_secs() + EPOCHS_APART) * 10_000_000 + u64::from(since.subsec_nanos() / 100)
    }
}
