//! Lines other than attributes (RFC 4566 5).

mod media;

use core::fmt;
use std::net::{IpAddr, SocketAddr};

pub use media::{MediaLine, MediaType, Protocol};
use subtle::ConstantTimeEq;

use crate::text::{Fields, number, put};
use crate::{Attribute, Error, Name};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `a=`, by its name.
    Attribute(Name),
    /// Any other line, by its letter.
    Letter(u8),
}

impl Kind {
    /// `m=`
    pub const MEDIA: Self = Self::Letter(b'm');
}

/// A line, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line<'a> {
    /// `v=`
    Version(u32),
    /// `o=`
    Origin(Origin<'a>),
    /// `s=`; `session` from every client.
    SessionName(&'a str),
    /// `c=`
    Connection(Connection<'a>),
    /// `b=`
    Bandwidth(Bandwidth<'a>),
    /// `t=`
    Timing(Timing),
    /// `k=`, which carried the key of version 1 of the protocol. It means nothing in version 2 (recalled).
    Key(Hidden<'a>),
    /// `m=`
    Media(MediaLine<'a>),
    /// `a=`
    Attribute(Attribute<'a>),
    /// `i=`, `u=`, `e=`, `p=`, `r=`, `z=` and letters that nobody knows.
    Other {
        /// The letter.
        letter: char,
        /// What stands behind `=`.
        value: &'a str,
    },
}

impl<'a> Line<'a> {
    /// Reads the value of a line.
    pub(crate) fn read(kind: Kind, value: &'a str, text: &'a str) -> Result<Self, Error> {
        let letter = match kind {
            Kind::Attribute(name) => {
                return Attribute::read(name, value, text).map(Self::Attribute);
            }
            Kind::Letter(letter) => letter,
        };
        Ok(match letter {
            b'v' => Self::Version(number("v=", "version", value.trim_ascii())?),
            b'o' => Self::Origin(Origin::parse(value)?),
            b's' => Self::SessionName(value),
            b'c' => Self::Connection(Connection::parse(value)?),
            b'b' => Self::Bandwidth(Bandwidth::parse(value)?),
            b't' => Self::Timing(Timing::parse(value)?),
            b'k' => Self::Key(Hidden(value)),
            b'm' => Self::Media(MediaLine::parse(value)?),
            _ => Self::Other {
                letter: char::from(letter),
                value,
            },
        })
    }

    /// Appends the line without its end.
    pub(crate) fn put(&self, out: &mut String) {
        match self {
            Self::Version(version) => put!(out, "v=", *version),
            Self::Origin(origin) => origin.put(out),
            Self::SessionName(name) => put!(out, "s=", *name),
            Self::Connection(connection) => {
                out.push_str("c=");
                connection.put(out);
            }
            Self::Bandwidth(bandwidth) => put!(out, "b=", bandwidth.kind, ':', bandwidth.value),
            Self::Timing(timing) => put!(out, "t=", timing.start, ' ', timing.stop),
            Self::Key(key) => put!(out, "k=", key.0),
            Self::Media(media) => {
                out.push_str("m=");
                media.put(out);
            }
            Self::Attribute(attribute) => attribute.put(out),
            Self::Other { letter, value } => put!(out, *letter, '=', *value),
        }
    }
}

/// The line without its end.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.put(&mut out);
        f.write_str(&out)
    }
}

/// Text that may hold a key: it is written, compared in constant time, and does not show in `Debug`.
#[derive(Clone, Copy, Eq)]
pub struct Hidden<'a>(
    /// The text.
    pub &'a str,
);

impl PartialEq for Hidden<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// `o=`: who made the description.
///
/// Clients write `- 0 0`, and `- 0 1` into the second description of a multipart. Peers accept a version that does not change;
/// SIPE takes the default address from this line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// `-` from every client.
    pub username: &'a str,
    /// Digits.
    pub session_id: &'a str,
    /// Digits.
    pub version: u64,
    /// The address.
    pub address: Connection<'a>,
}

impl<'a> Origin<'a> {
    fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("o=", value);
        Ok(Self {
            username: fields.next("username")?,
            session_id: fields.next("session id")?,
            version: fields.number("version")?,
            address: Connection::fields(&mut fields)?,
        })
    }

    fn put(&self, out: &mut String) {
        put!(
            out,
            "o=",
            self.username,
            ' ',
            self.session_id,
            ' ',
            self.version,
            ' '
        );
        self.address.put(out);
    }
}

/// An address with its types: the value of `c=`, the end of `o=` and of `a=rtcp`.
///
/// \[MS-SDPEXT\] 3.1.5.16 knows `IN IP4` and `IN IP6` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `IN`
    pub network: &'a str,
    /// `IP4` or `IP6`
    pub family: &'a str,
    /// The address, which some gateways write as a name.
    pub address: Address<'a>,
}

/// An address, or what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// An address.
    Ip(IpAddr),
    /// A host name, or a multicast address with its range.
    Other(&'a str),
}

impl From<IpAddr> for Connection<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            network: "IN",
            family: if address.is_ipv4() { "IP4" } else { "IP6" },
            address: Address::Ip(address),
        }
    }
}

impl<'a> Connection<'a> {
    fn parse(value: &'a str) -> Result<Self, Error> {
        Self::fields(&mut Fields::new("c=", value))
    }

    pub(crate) fn fields(fields: &mut Fields<'a>) -> Result<Self, Error> {
        Ok(Self {
            network: fields.next("network type")?,
            family: fields.next("address type")?,
            address: {
                let text = fields.next("address")?;
                text.parse().map_or(Address::Other(text), Address::Ip)
            },
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.network, ' ', self.family, ' ');
        match self.address {
            Address::Ip(ip) => put_ip(ip, out),
            Address::Other(text) => out.push_str(text),
        }
    }

    /// The address, if it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self.address {
            Address::Ip(ip) => Some(ip),
            Address::Other(_) => None,
        }
    }

    /// The address with a port, if it is one.
    #[must_use]
    pub fn at(&self, port: u16) -> Option<SocketAddr> {
        self.ip().map(|ip| (ip, port).into())
    }
}

pub(crate) fn put_ip(ip: IpAddr, out: &mut String) {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            put!(out, a, '.', b, '.', c, '.', d);
        }
        IpAddr::V6(ip) => {
            use fmt::Write as _;
            // Writing into a string does not fail.
            let _ = write!(out, "{ip}");
        }
    }
}

/// `b=`: a bound on the bandwidth.
///
/// `CT`, for all streams together, is the one that counts (recalled); clients write 99980 for no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth<'a> {
    /// `CT`, `AS`, `TIAS`, `RR`, `RS` or another.
    pub kind: &'a str,
    /// In kbit/s for `CT` and `AS`, in bit/s for the others.
    pub value: u64,
}

impl<'a> Bandwidth<'a> {
    /// What clients write for no bound.
    pub const UNBOUNDED: u64 = 99_980;

    fn parse(value: &'a str) -> Result<Self, Error> {
        let (kind, bandwidth) = value.split_once(':').ok_or(Error::MissingField {
            of: "b=",
            field: "bandwidth",
        })?;
        Ok(Self {
            kind,
            value: number("b=", "bandwidth", bandwidth.trim_ascii())?,
        })
    }
}

/// `t=`: 0 and 0 from every client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Seconds of NTP.
    pub start: u64,
    /// Seconds of NTP.
    pub stop: u64,
}

impl Timing {
    fn parse(value: &str) -> Result<Self, Error> {
        let mut fields = Fields::new("t=", value);
        Ok(Self {
            start: fields.number("start time")?,
            stop: fields.number("stop time")?,
        })
    }
}
