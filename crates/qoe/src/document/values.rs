//! Simple types.

use core::fmt;
use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use ocs_xml::{SmolStr, Value, words};

/// A text of at most so many characters: a server refuses documents with longer ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<const MAX: usize>(SmolStr);

impl<const MAX: usize> Text<MAX> {
    /// The text, without what is beyond the bound.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        let end = text
            .char_indices()
            .nth(MAX)
            .map_or(text.len(), |(at, _)| at);
        Self(text[..end].into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Value for Text<MAX> {
    fn parse(text: &str) -> Option<Self> {
        // A text of few octets has few characters, and most have few.
        let fits = text.len() <= MAX || text.chars().count() <= MAX;
        fits.then(|| Self(text.into()))
    }

    fn format(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value as it is read from a report: numbers that should be whole may have a fraction.
pub(crate) trait Metric: Value {
    /// Reads the text of an element or attribute.
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    /// Whether the type has this value, and it says nothing: the metric is left out.
    fn is_nothing(_text: &str) -> bool {
        false
    }
}

macro_rules! whole {
    ($($type:ty),*) => {
        $(impl Metric for $type {
            /// Rounds a fraction. What is out of range is refused.
            fn read(text: &str) -> Option<Self> {
                let rounded = || Self::try_from(Float::parse(text)?.0.round() as i64).ok();
                Self::parse(text).or_else(rounded)
            }
        })*
    };
}

whole!(u8, u16, u32, i32);

impl Metric for bool {}
impl Metric for Float {
    fn is_nothing(text: &str) -> bool {
        matches!(text.trim_ascii(), "NaN" | "INF" | "-INF")
    }
}
impl Metric for SmolStr {}
impl Metric for Time {}
impl<const MAX: usize> Metric for Text<MAX> {}
impl Metric for ApplicationShared {}
impl Metric for Ice {}
impl Metric for Label {}
impl Metric for NetworkConnection {}
impl Metric for Transport {}

/// A number with a fraction, in any form of `xs:float`; finite. A metric that is read as `NaN` or `INF` is left out.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Float(pub f64);

impl From<f64> for Float {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl Value for Float {
    fn parse(text: &str) -> Option<Self> {
        let number: f64 = text.trim_ascii().parse().ok()?;
        number.is_finite().then_some(Self(number))
    }

    /// What is not finite has no place in a report: it is written as 0, as for "no media".
    fn format(&self, out: &mut String) {
        let number = if self.0.is_finite() { self.0 } else { 0.0 };
        out.push_str(&number.to_string());
    }
}

/// A moment, in UTC.
///
/// Read with `T` or a space between date and time, with any fraction, and without zone as UTC; written with `T` and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// Of seconds since 1970; the nearest moment there is, if they are out of range.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Self(Timestamp::from_second(seconds.clamp(first, last)).unwrap_or_default())
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }
}

impl From<SystemTime> for Time {
    /// The nearest moment there is, if it is out of range.
    fn from(time: SystemTime) -> Self {
        let beyond = if time < SystemTime::UNIX_EPOCH {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self(Timestamp::try_from(time).unwrap_or(beyond))
    }
}

impl Value for Time {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if let Ok(stamp) = text.parse() {
            return Some(Self(stamp));
        }
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok().map(Self)
    }

    fn format(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

words! {
    /// How the media went (2.2.1.7).
    pub enum Ice {
        /// Not at all.
        Failed = "FAILED",
        /// From one end to the other.
        Direct = "DIRECT",
        /// Through a relay.
        Relay = "RELAY",
        /// Through an HTTP proxy.
        HttpProxy = "HTTP-PROXY",
    }
}

words! {
    /// What carried the media (2.2.1.6).
    pub enum Transport {
        /// UDP.
        Udp = "UDP",
        /// TCP.
        Tcp = "TCP",
    }
}

words! {
    /// The kind of network (2.2.1.8).
    pub enum NetworkConnection: open {
        /// With a wire.
        Wired = "wired",
        /// Without.
        Wifi = "wifi",
    }
}

words! {
    /// What is shared (2.2.1.28.1).
    pub enum ApplicationShared: open {
        /// The desktop, by the reporter.
        Desktop = "Desktop",
        /// An application, by the reporter.
        Application = "Application",
        /// The reporter looks on.
        Viewer = "Viewer",
    }
}

words! {
    /// Which line of the session description (2.2.1.5).
    pub enum Label: open {
        /// Sound.
        MainAudio = "main-audio",
        /// Video.
        MainVideo = "main-video",
        /// The panorama of a meeting room.
        PanoramicVideo = "panoramic-video",
        /// Sharing as video (recalled).
        ApplicationSharingVideo = "applicationsharing-video",
        /// Sharing over RDP (inferred: its line has no label in the session description).
        ApplicationSharing = "applicationsharing",
    }
}

/// What was in the way of ICE (2.2.1.7): the sum of these.
pub mod ice_warning {
    macro_rules! flags {
        ($($(#[$meta:meta])* $name:ident = $value:literal;)*) => {
            $($(#[$meta])* pub const $name: u32 = $value;)*
        };
    }

    flags! {
        /// The relay cannot be reached.
        TURN_SERVER_UNREACHABLE = 0x1;
        /// No allocation over UDP.
        UDP_ALLOCATION_FAILED = 0x2;
        /// Sending to the relay over UDP failed.
        UDP_SEND_FAILED = 0x4;
        /// No allocation over TCP.
        TCP_ALLOCATION_FAILED = 0x8;
        /// Sending to the relay over TCP failed.
        TCP_SEND_FAILED = 0x10;
        /// No way between the hosts.
        LOCAL_CONNECTIVITY_FAILED = 0x20;
        /// No way between the translators over UDP.
        UDP_NAT_FAILED = 0x40;
        /// No way through the relay over UDP.
        UDP_TURN_FAILED = 0x80;
        /// No way between the translators over TCP.
        TCP_NAT_FAILED = 0x100;
        /// No way through the relay over TCP.
        TCP_TURN_FAILED = 0x200;
        /// A check whose integrity was wrong.
        MESSAGE_INTEGRITY_FAILED = 0x400;
        /// A policy server is configured.
        POLICY_SERVER_CONFIGURED = 0x1000;
        /// A check failed for another reason.
        CONNECTIVITY_CHECK_FAILED = 0x2000;
        /// The relay knows the credentials no longer.
        TURN_CREDENTIALS_REFUSED = 0x4000;
        /// Bandwidth policy took candidates away.
        CANDIDATES_REMOVED_BY_POLICY = 0x8000;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(value: &impl Value) -> String {
        let mut out = String::new();
        value.format(&mut out);
        out
    }

    #[test]
    fn floats_as_peers_write_them() {
        for (text, number) in [
            ("1e+009", 1e9),
            ("0.000000", 0.0),
            (" 4.01\n", 4.01),
            ("-3", -3.0),
        ] {
            assert_eq!(Float::parse(text), Some(Float(number)), "{text}");
        }
        for text in ["NaN", "INF", " -INF\n"] {
            assert!(Float::is_nothing(text), "{text}");
        }
        assert!(!Float::is_nothing("0"));
        for text in ["", "NaN", "INF", "1,5", "1e999"] {
            assert_eq!(Float::parse(text), None, "{text}");
        }
        assert_eq!(formatted(&Float(0.015)), "0.015");
        assert_eq!(formatted(&Float(1e9)), "1000000000");
        assert_eq!(formatted(&Float(f64::NAN)), "0");
    }

    #[test]
    fn whole_numbers_with_a_fraction() {
        for (text, number) in [
            ("7", 7),
            ("6.5", 7),
            ("1e+002", 100),
            ("-3.4", -3),
            ("2147483647.2", i32::MAX),
        ] {
            assert_eq!(<i32 as Metric>::read(text), Some(number), "{text}");
        }
        for text in ["", "NaN", "INF", "2147483648", "seven"] {
            assert_eq!(<i32 as Metric>::read(text), None, "{text}");
        }
        assert_eq!(<u8 as Metric>::read("-1"), None);
        assert_eq!(<u8 as Metric>::read("99.9"), Some(100));
    }

    #[test]
    fn moments_as_peers_write_them() {
        let expected = Time::from_unix_seconds(1_514_764_800);
        for text in [
            "2018-01-01T00:00:00Z",
            "2018-01-01T00:00:00.0000Z",
            "2018-01-01 00:00:00.000",
            "2018-01-01T01:00:00+01:00",
        ] {
            assert_eq!(Time::parse(text), Some(expected), "{text}");
        }
        assert_eq!(formatted(&expected), "2018-01-01T00:00:00Z");
        for text in ["", "now", "2018-13-01T00:00:00Z"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
        assert!(Time::from_unix_seconds(i64::MAX).unix_seconds() > 0);
    }

    #[test]
    fn texts_are_bounded_in_characters() {
        assert!(Text::<3>::parse("äöü").is_some());
        assert_eq!(Text::<3>::parse("äöüß"), None);
        assert_eq!(Text::<3>::cut("äöüß").as_str(), "äöü");
        assert_eq!(Text::<3>::cut("ab").to_string(), "ab");
    }
}
