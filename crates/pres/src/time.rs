//! Moments, as presence documents write them.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::{Timestamp, tz::TimeZone};
use ocs_xml::Value;

/// A moment: `publishTime`, `lastActive`, `startTime` and their like.
///
/// Read with or without fraction and with or without zone; without one it is UTC, as servers of this system write it (\[MS-PRES\],
/// implementation notes). Cut to milliseconds, and written in UTC with milliseconds and `Z`.
///
/// ```
/// use ocs_pres::Time;
/// use ocs_xml::Value;
///
/// let time = Time::parse("2010-02-04T03:43:49.37").unwrap();
/// let mut text = String::new();
/// time.format(&mut text);
/// assert_eq!(text, "2010-02-04T03:43:49.370Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub SystemTime);

impl Time {
    /// Cut to the milliseconds that are written.
    #[must_use]
    pub fn to_millis(self) -> Self {
        let millis = Timestamp::from_millisecond(self.timestamp().as_millisecond());
        millis
            .ok()
            .and_then(|stamp| SystemTime::try_from(stamp).ok())
            .map_or(self, Self)
    }

    /// The moment a number of seconds later, or earlier.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 {
            self.0.checked_sub(by)
        } else {
            self.0.checked_add(by)
        };
        Self(time.unwrap_or(self.0))
    }

    /// Seconds from another moment to this one, rounded down; negative when this one is earlier.
    #[must_use]
    pub fn seconds_since(self, other: Self) -> i64 {
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        match self.0.duration_since(other.0) {
            Ok(after) => seconds(after.as_secs()),
            Err(before) => {
                let before = before.duration();
                -seconds(before.as_secs() + u64::from(before.subsec_nanos() > 0))
            }
        }
    }

    /// Date and time of day, UTC.
    pub(crate) fn civil(self) -> DateTime {
        TimeZone::UTC.to_datetime(self.timestamp())
    }

    /// Years that have more or less than four digits have no lexical form here: the nearest moment that has.
    fn timestamp(self) -> Timestamp {
        let nearest = if self.0 > SystemTime::UNIX_EPOCH {
            Timestamp::MAX
        } else {
            // 0001-01-01T00:00:00Z, which .NET writes for "never".
            Timestamp::constant(-62_135_596_800, 0)
        };
        Timestamp::try_from(self.0)
            .unwrap_or(nearest)
            .max(Timestamp::constant(-62_135_596_800, 0))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl Value for Time {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let stamp = match text.parse::<Timestamp>() {
            Ok(stamp) => stamp,
            Err(_) => TimeZone::UTC
                .to_timestamp(text.parse::<DateTime>().ok()?)
                .ok()?,
        };
        // What is read is what would be written.
        SystemTime::try_from(stamp)
            .ok()
            .map(|time| Self(time).to_millis())
    }

    fn format(&self, out: &mut String) {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        // Writing to a String cannot fail.
        let _ = PRINTER.print_timestamp(&self.timestamp(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(time: Time) -> String {
        let mut out = String::new();
        time.format(&mut out);
        out
    }

    #[test]
    fn forms_of_servers() {
        let expected = "2010-02-04T03:43:49.370Z";
        for text in [
            "2010-02-04T03:43:49.370",
            "2010-02-04T03:43:49.37Z",
            " 2010-02-04T03:43:49.3700000Z ",
            "2010-02-04T03:43:49.3706",
            "2010-02-04T04:43:49.370+01:00",
        ] {
            let time = Time::parse(text).unwrap();
            assert_eq!(formatted(time), expected, "{text}");
            assert_eq!(Time::parse(expected), Some(time), "{text}");
        }
        assert_eq!(
            formatted(Time::parse("2010-02-04T03:43:49").unwrap()),
            "2010-02-04T03:43:49.000Z"
        );
        assert_eq!(
            formatted(Time::parse("0001-01-01T00:00:00").unwrap()),
            "0001-01-01T00:00:00.000Z"
        );
        for bad in [
            "",
            "yesterday",
            "2010-02-30T00:00:00Z",
            "99999-01-01T00:00:00Z",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn far_moments_are_written_as_the_nearest_that_can_be() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert!(formatted(Time(far)).starts_with("9999-12-30"));
        let past = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
        assert_eq!(formatted(Time(past)), "0001-01-01T00:00:00.000Z");
    }

    #[test]
    fn milliseconds_are_what_is_written() {
        let time = Time(SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890));
        assert_eq!(Time::parse(&formatted(time)), Some(time.to_millis()));
    }

    #[test]
    fn seconds_between_moments() {
        let time = Time::parse("2010-02-04T03:43:49.370Z").unwrap();
        assert_eq!(time.plus_seconds(90).seconds_since(time), 90);
        assert_eq!(time.seconds_since(time.plus_seconds(90)), -90);
        assert_eq!(
            formatted(time.plus_seconds(-86_400)),
            "2010-02-03T03:43:49.370Z"
        );
        assert_eq!(time.plus_seconds(i64::MAX), time);
    }
}
