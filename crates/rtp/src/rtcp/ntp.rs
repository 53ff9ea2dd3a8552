//! Wall-clock time of RTCP.

use std::time::{Duration, SystemTime};

/// Seconds from 1900 to 1970.
const EPOCH: u64 = 2_208_988_800;

/// A timestamp of NTP: seconds since 1900 as a number of 32 bits before and 32 behind the point, modulo 2^32 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The middle 32 bits, as in LSR.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// The time so much later.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.wrapping_add(fixed(duration)))
    }
}

impl From<SystemTime> for NtpTime {
    /// Times before 1970 become 1970.
    fn from(time: SystemTime) -> Self {
        let unix = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(EPOCH << 32).after(unix)
    }
}

/// A duration as a number of 32 bits before and 32 behind the point.
fn fixed(duration: Duration) -> u64 {
    let fraction = (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
    (duration.as_secs() << 32) | fraction
}

/// A duration in units of 1/65536 s, as in DLSR; what is longer than 18 hours becomes the longest.
pub(crate) fn compact(duration: Duration) -> u32 {
    u32::try_from(fixed(duration.min(Duration::from_secs(0xFFFF))) >> 16).unwrap_or(u32::MAX)
}

/// The duration of so many units of 1/65536 s.
pub(crate) fn from_compact(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}
