//! Attribute lines of \[MS-ICE\].
//!
//! ```text
//! a=candidate:<id> <component> <password> <transport> <qvalue> <address> <port>
//! a=remote-candidate:<id>
//! ```
//!
//! Identifier and password are base64 without fill, of 32 and 16 octets when we make them; any length is read.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};
use bytes::Bytes;
use rand_core::Rng;

use super::{Counter, Fields, attributes};
use crate::credentials::same_password;
use crate::priority::QValue;
use crate::{Component, Error, Limits, Password};

/// With fill or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The identifier of a candidate: octets, compared as such.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CandidateId(Bytes);

impl CandidateId {
    /// Octets of the identifiers that we make.
    pub const LENGTH: usize = 32;

    /// An identifier of these octets.
    pub fn new(octets: impl Into<Bytes>) -> Self {
        Self(octets.into())
    }

    /// A new one of 32 octets.
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut octets = [0; Self::LENGTH];
        rng.fill_bytes(&mut octets);
        Self(Bytes::copy_from_slice(&octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The identifier of a candidate that was learned from a check: the two of the pair, one behind the other.
    pub fn derived(&self, other: &Self) -> Self {
        Self([self.as_bytes(), other.as_bytes()].concat().into())
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CandidateId({self})")
    }
}

impl FromStr for CandidateId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        decode(text, "candidate-id").map(|octets| Self(octets.into()))
    }
}

fn decode(text: &str, field: &'static str) -> Result<Vec<u8>, Error> {
    match LENIENT.decode(text) {
        Ok(octets) if !octets.is_empty() => Ok(octets),
        _ => Err(Error::InvalidField { field }),
    }
}

/// The transport of a candidate line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineTransport {
    /// Datagrams.
    Udp,
    /// TCP; the endpoint connects and accepts.
    Tcp,
}

/// One candidate line: one component of a candidate.
#[derive(Debug, Clone)]
pub struct Line {
    /// The same for the components of one candidate.
    pub id: CandidateId,
    /// RTP or RTCP.
    pub component: Component,
    /// The key of checks to this candidate. The same for the components of one candidate.
    pub password: Password,
    /// The transport.
    pub transport: LineTransport,
    /// Larger is preferred.
    pub priority: QValue,
    /// Where the peer sends to.
    pub address: SocketAddr,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        let public = |line: &Self| (line.component, line.transport, line.priority, line.address);
        public(self) == public(other)
            && self.id == other.id
            && same_password(&self.password, &other.password)
    }
}

impl Eq for Line {}

/// The value of `a=candidate`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            LineTransport::Udp => "UDP",
            LineTransport::Tcp => "TCP",
        };
        write!(
            f,
            "{} {} {} {transport} {} {} {}",
            self.id,
            self.component,
            STANDARD_NO_PAD.encode(self.password.as_bytes()),
            self.priority,
            self.address.ip(),
            self.address.port()
        )
    }
}

/// Reads the value of `a=candidate`.
impl FromStr for Line {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self, Error> {
        read_line(value)?.ok_or(Error::InvalidField { field: "transport" })
    }
}

/// Reads a line; `None` if its transport is not known.
fn read_line(value: &str) -> Result<Option<Line>, Error> {
    let mut fields = Fields::new(value);
    let id = fields.next("candidate-id")?.parse()?;
    let component = fields.next("component")?.parse()?;
    let password = Password::from(decode(fields.next("password")?, "password")?);
    let transport = match fields.next("transport")? {
        name if name.eq_ignore_ascii_case("UDP") => Some(LineTransport::Udp),
        name if name.eq_ignore_ascii_case("TCP") => Some(LineTransport::Tcp),
        _ => None,
    };
    let priority = fields.parse("qvalue")?;
    let ip: std::net::IpAddr = fields.parse("address")?;
    let port = fields.next("port")?;
    if port.eq_ignore_ascii_case("typ") {
        return Err(Error::MixedDialects);
    }
    let port: u16 = port
        .parse()
        .map_err(|_| Error::InvalidField { field: "port" })?;
    Ok(transport.map(|transport| Line {
        id,
        component,
        password,
        transport,
        priority,
        address: (ip, port).into(),
    }))
}

/// What one side says about one media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The lines, one for each component of each candidate.
    pub candidates: Vec<Line>,
    /// `remote-candidate`, in a final offer or answer: the peer's candidate that was chosen.
    pub remote_candidate: Option<CandidateId>,
}

impl Description {
    /// Reads the lines of a media section. Lines of a transport that is not known are left out.
    ///
    /// # Errors
    /// As [`Description::parse`](super::Description::parse).
    pub fn parse(section: &str, limits: &Limits) -> Result<Self, Error> {
        let mut candidates = Vec::new();
        let mut remote_candidate = None;
        let mut counter = Counter::new(limits);
        let mut any = false;
        for attribute in attributes(section, limits) {
            match attribute? {
                ("candidate", _) if counter.is_full() => {}
                ("candidate", value) => {
                    any = true;
                    let line = read_line(value)?;
                    candidates.extend(line.filter(|line| counter.admits(line.component)));
                }
                ("remote-candidate", value) => remote_candidate = Some(value.parse()?),
                _ => {}
            }
        }
        if any {
            Ok(Self {
                candidates,
                remote_candidate,
            })
        } else {
            Err(Error::NoCandidate)
        }
    }

    /// The candidate for the m= and c= lines (component 1) or `a=rtcp` (component 2). It must be UDP: without one there is
    /// none, and the call fails (\[MS-ICE\] 3.1.4.8.1). The one of the lowest priority is the relayed one, which works
    /// most likely (recalled).
    pub fn default_candidate(&self, component: Component) -> Option<&Line> {
        self.candidates
            .iter()
            .filter(|line| line.component == component && line.transport == LineTransport::Udp)
            .min_by_key(|line| line.priority)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for candidate in &self.candidates {
            write!(f, "a=candidate:{candidate}\r\n")?;
        }
        match &self.remote_candidate {
            Some(id) => write!(f, "a=remote-candidate:{id}\r\n"),
            None => Ok(()),
        }
    }
}
