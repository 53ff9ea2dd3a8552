//! Candidates: the addresses at which an endpoint may be reached.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;

use smol_str::SmolStr;

use crate::Error;

/// A component of a media stream. Each candidate has both (\[MS-ICE\] 3.1.4.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// 1: RTP.
    Rtp,
    /// 2: RTCP.
    Rtcp,
}

impl Component {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rtp, Self::Rtcp];

    /// The number on the wire, 1 or 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::Rtp => 1,
            Self::Rtcp => 2,
        }
    }

    /// The component of a number, if it is 1 or 2.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Rtp),
            2 => Some(Self::Rtcp),
            _ => None,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self.number() as usize - 1
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl FromStr for Component {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "1" => Ok(Self::Rtp),
            "2" => Ok(Self::Rtcp),
            _ => Err(Error::InvalidField { field: "component" }),
        }
    }
}

/// The transport of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// TCP; this side connects.
    TcpActive,
    /// TCP; this side accepts.
    TcpPassive,
    /// TCP; both connect at the same time. Read and written, never paired.
    TcpSimultaneousOpen,
}

impl Transport {
    /// Whether it is one of the three forms of TCP.
    pub const fn is_tcp(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether a candidate of this transport can be checked against one of the other.
    pub const fn pairs_with(self, remote: Self) -> bool {
        matches!(
            (self, remote),
            (Self::Udp, Self::Udp)
                | (Self::TcpActive, Self::TcpPassive)
                | (Self::TcpPassive, Self::TcpActive)
        )
    }

    /// The name in \[MS-ICE2\] candidate lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::TcpActive => "TCP-ACT",
            Self::TcpPassive => "TCP-PASS",
            Self::TcpSimultaneousOpen => "TCP-SO",
        }
    }

    /// The transport of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Udp,
            Self::TcpActive,
            Self::TcpPassive,
            Self::TcpSimultaneousOpen,
        ]
        .into_iter()
        .find(|transport| transport.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an endpoint came by a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CandidateType {
    /// An address of the endpoint itself.
    Host,
    /// The address that a relay saw.
    ServerReflexive,
    /// The address that the peer saw in a check.
    PeerReflexive,
    /// An address that a relay gave.
    Relayed,
}

impl CandidateType {
    /// The name in candidate lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// The type of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Host,
            Self::ServerReflexive,
            Self::PeerReflexive,
            Self::Relayed,
        ]
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for CandidateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `ice-char` of the grammar.
pub(crate) const fn is_ice_char(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/')
}

/// Groups candidates that probably share their fate: 1 to 32 characters of `ALPHA / DIGIT / "+" / "/"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Foundation(SmolStr);

impl Foundation {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The foundation that is written as this number.
    pub fn number(number: usize) -> Self {
        Self(smol_str::format_smolstr!("{number}"))
    }

    /// Of a candidate that was learned without one.
    pub(crate) fn learned(number: usize) -> Self {
        Self(smol_str::format_smolstr!("learned{number}"))
    }

    /// From the value of CANDIDATE-IDENTIFIER: the fill is cut off.
    pub(crate) fn from_identifier(value: &[u8]) -> Option<Self> {
        let end = value.iter().rposition(|&c| c != 0)? + 1;
        core::str::from_utf8(&value[..end]).ok()?.parse().ok()
    }
}

impl FromStr for Foundation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if (1..=32).contains(&text.len()) && text.bytes().all(is_ice_char) {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(Error::InvalidField {
                field: "foundation",
            })
        }
    }
}

impl fmt::Display for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One component of a candidate of \[MS-ICE2\].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The same for candidates of one type, base address, server and transport.
    pub foundation: Foundation,
    /// RTP or RTCP.
    pub component: Component,
    /// The transport.
    pub transport: Transport,
    /// 1 to 2^31 - 1 by RFC 5245; any number of 32 bits is taken.
    pub priority: u32,
    /// Where the peer sends to.
    pub address: SocketAddr,
    /// How the endpoint came by it.
    pub kind: CandidateType,
    /// For diagnostics: the base of a reflexive candidate, the mapped address of a relayed one.
    pub related: Option<SocketAddr>,
}
