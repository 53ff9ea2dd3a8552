//! Transports of SIP and the identity of a connection.

use core::fmt;
use core::str::FromStr;

/// How SIP messages travel between two hops (RFC 3261 18, 20.42).
///
/// The system itself runs over [`Tls`](Transport::Tls) and [`Tcp`](Transport::Tcp) only;
/// UDP is here for gateways and for the transaction timers that depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams, unreliable, default port 5060.
    Udp,
    /// A plain stream, default port 5060.
    Tcp,
    /// A stream inside TLS, default port 5061.
    Tls,
}

impl Transport {
    /// Whether the transport delivers in order and without loss (RFC 3261 17.1.1.1).
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port of a URI or Via that names none (RFC 3261 18.1.1, 26.2.1).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// The token of the `transport` URI parameter, in lower case.
    #[must_use]
    pub const fn as_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The token of the Via `sent-protocol`, in upper case.
    #[must_use]
    pub const fn as_via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_via())
    }
}

/// The text names no transport of this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown transport")]
pub struct UnknownTransport;

impl FromStr for Transport {
    type Err = UnknownTransport;

    /// Reads the token without regard to case: real clients write `SIP/2.0/tls`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|transport| text.eq_ignore_ascii_case(transport.as_via()))
            .ok_or(UnknownTransport)
    }
}

/// Names one connection for as long as its owner keeps it.
///
/// The owner of the sockets hands the numbers out and never uses one twice. On the wire it is the
/// hexadecimal `ms-received-cid` (\[MS-SIPRE\] 2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}", self.0)
    }
}
