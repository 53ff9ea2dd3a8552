//! Simple types (\[MS-AVEDGEA\] 2.2.4).

use std::fmt;
use std::num::{IntErrorKind, NonZeroU32};
use std::time::Duration;

use ocs_xml::{Value, words};

words! {
    /// From where a relay is reached (2.2.4.2).
    pub enum Location {
        /// From inside of the enterprise.
        Intranet = "intranet",
        /// From outside.
        Internet = "internet",
    }
}

words! {
    /// How relays are named in the answer (2.2.4.1).
    pub enum Route {
        /// By the name of their pool. The default.
        LoadBalanced = "loadbalanced",
        /// One by one, by their addresses.
        DirectIp = "directip",
    }
}

words! {
    /// What became of a request (2.2.3.1.2).
    pub enum ReasonPhrase: open {
        /// Credentials follow.
        Ok = "OK",
        /// The document cannot be read, or breaks the schema.
        RequestMalformed = "Request Malformed",
        /// More requests for credentials in it than the server takes.
        RequestTooLarge = "Request Too Large",
        /// Nothing here answers to what was asked for.
        NotSupported = "Not Supported",
        /// Later, perhaps.
        ServerBusy = "Server Busy",
        /// Something behind the server did not answer.
        TimeOut = "Time Out",
        /// These credentials are not for the requester.
        Forbidden = "Forbidden",
        /// The server failed.
        InternalServerError = "Internal Server Error",
        /// Something else.
        OtherFailure = "Other Failure",
        /// The server does not speak this version: see [`Response::server_version`](super::Response::server_version).
        VersionMismatch = "Version Mismatch",
    }
}

impl ReasonPhrase {
    /// The SIP status that a server sends with it (recalled for most, inferred for the rest). A client takes any.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::RequestMalformed | Self::VersionMismatch => 400,
            Self::RequestTooLarge => 413,
            Self::NotSupported => 501,
            Self::ServerBusy => 503,
            Self::TimeOut => 504,
            Self::Forbidden => 403,
            Self::InternalServerError | Self::OtherFailure | Self::Other(_) => 500,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::ServerBusy | Self::TimeOut)
    }
}

/// A version of the protocol, `major.minor` (2.2.4.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// 1 to 3.
    pub major: u16,
    /// 0 in all versions that there are.
    pub minor: u16,
}

impl Version {
    /// What SIPE speaks.
    pub const V1: Self = Self { major: 1, minor: 0 };
    /// What Lync 2010 speaks.
    pub const V2: Self = Self { major: 2, minor: 0 };
    /// The highest one.
    pub const V3: Self = Self { major: 3, minor: 0 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Value for Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim_ascii().split_once('.')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|c| c.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        Some(Self {
            major: number(major)?,
            minor: number(minor)?,
        })
    }

    fn format(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

/// A number of minutes, at least one: `xs:positiveInteger`. More than 2^32 - 1 are read as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Minutes(pub NonZeroU32);

impl Minutes {
    /// 8 hours: what clients ask for, and what servers grant at most.
    pub const EIGHT_HOURS: Self = Self(NonZeroU32::MIN.saturating_add(479));

    /// So many minutes; of none, one.
    #[must_use]
    pub const fn new(minutes: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(minutes.saturating_sub(1)))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.get() as u64 * 60)
    }
}

impl Value for Minutes {
    fn parse(text: &str) -> Option<Self> {
        match text.trim_ascii().parse() {
            Ok(minutes) => Some(Self(minutes)),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(Self(NonZeroU32::MAX)),
            Err(_) => None,
        }
    }

    fn format(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(Version::parse("2.0"), Some(Version::V2));
        assert_eq!(Version::parse(" 3.0 ").unwrap().to_string(), "3.0");
        for text in ["", "1", "1.", ".0", "1.0.0", "+1.0", "1.-0", "65536.0"] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
        assert!(Version::V1 < Version::V2);
    }

    #[test]
    fn minutes() {
        assert_eq!(Minutes::EIGHT_HOURS.get(), 480);
        assert_eq!(Minutes::new(0), Minutes::new(1));
        assert_eq!(Minutes::parse(" 480\n"), Some(Minutes::EIGHT_HOURS));
        assert_eq!(
            Minutes::parse("99999999999999999999").unwrap().get(),
            u32::MAX
        );
        for text in ["", "0", "-1", "4.5", "eight"] {
            assert_eq!(Minutes::parse(text), None, "{text:?}");
        }
    }
}
