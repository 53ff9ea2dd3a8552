//! Attribute lines of \[MS-ICE2\].
//!
//! ```text
//! a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr <address> rport <port>] *(<name> <value>)
//! a=ice-ufrag:<4 to 256 ice-char>
//! a=ice-pwd:<22 to 256 ice-char>
//! a=remote-candidates:<component> <address> <port> *(<component> <address> <port>)
//! ```

use core::fmt::{self, Display};
use core::str::FromStr;
use std::net::{IpAddr, SocketAddr};

use super::{Counter, Fields, attributes};
use crate::{Candidate, CandidateType, Component, Credentials, Error, Limits, Transport};

/// What one side says about one media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `ice-ufrag` and `ice-pwd`.
    pub credentials: Credentials,
    /// The candidates; in a final offer or answer, one of each component.
    pub candidates: Vec<Candidate>,
    /// `remote-candidates`, in a final offer or answer: the peer's address of each component.
    pub remote_candidates: Vec<(Component, SocketAddr)>,
}

impl Description {
    /// Reads the lines of a media section.
    ///
    /// Lines of a transport or of a type that is not known are left out: the peer may be newer.
    ///
    /// # Errors
    /// As [`Description::parse`](super::Description::parse).
    pub fn parse(section: &str, limits: &Limits) -> Result<Self, Error> {
        let (mut ufrag, mut password) = (None, None);
        let mut candidates = Vec::new();
        let mut remote_candidates = Vec::new();
        let mut counter = Counter::new(limits);
        let mut any = false;
        for attribute in attributes(section, limits) {
            match attribute? {
                ("ice-ufrag", value) => ufrag = ufrag.or(Some(value)),
                ("ice-pwd", value) => password = password.or(Some(value)),
                ("candidate", _) if counter.is_full() => {}
                ("candidate", value) => {
                    any = true;
                    let candidate = read_candidate(value)?;
                    candidates.extend(candidate.filter(|c| counter.admits(c.component)));
                }
                ("remote-candidates", value) => {
                    remote_candidates = read_remote_candidates(value)?;
                }
                _ => {}
            }
        }
        if !any {
            return Err(Error::NoCandidate);
        }
        let missing = |attribute| Error::MissingCredentials { attribute };
        Ok(Self {
            credentials: Credentials::new(
                ufrag.ok_or(missing("ice-ufrag"))?,
                password.ok_or(missing("ice-pwd"))?,
            )?,
            candidates,
            remote_candidates,
        })
    }

    /// The candidate for the m= and c= lines (component 1) or `a=rtcp` (component 2): the one that works most likely:
    /// relayed over UDP, then reflexive, host, and TCP at last (recalled: UDP relay first).
    pub fn default_candidate(&self, component: Component) -> Option<&Candidate> {
        let own = self.candidates.iter().filter(|c| c.component == component);
        own.min_by_key(|c| {
            let kind = match c.kind {
                CandidateType::Relayed => 0,
                CandidateType::ServerReflexive | CandidateType::PeerReflexive => 1,
                CandidateType::Host => 2,
            };
            (c.transport.is_tcp(), kind, u32::MAX - c.priority)
        })
    }
}

impl Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.credentials.password().as_bytes();
        let password = core::str::from_utf8(password).map_err(|_| fmt::Error)?;
        write!(f, "a=ice-ufrag:{}\r\n", self.credentials.ufrag())?;
        write!(f, "a=ice-pwd:{password}\r\n")?;
        for candidate in &self.candidates {
            write!(f, "a=candidate:{candidate}\r\n")?;
        }
        for (index, (component, address)) in self.remote_candidates.iter().enumerate() {
            f.write_str(if index == 0 {
                "a=remote-candidates:"
            } else {
                " "
            })?;
            write!(f, "{component} {} {}", address.ip(), address.port())?;
        }
        if !self.remote_candidates.is_empty() {
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

/// The value of `a=candidate`.
impl Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {} typ {}",
            self.foundation,
            self.component,
            self.transport,
            self.priority,
            self.address.ip(),
            self.address.port(),
            self.kind
        )?;
        match self.related {
            Some(related) => write!(f, " raddr {} rport {}", related.ip(), related.port()),
            None => Ok(()),
        }
    }
}

/// Reads the value of `a=candidate`.
impl FromStr for Candidate {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self, Error> {
        read_candidate(value)?.ok_or(Error::InvalidField {
            field: "transport or type",
        })
    }
}

/// Reads a candidate; `None` if its component, transport or type is not known.
fn read_candidate(value: &str) -> Result<Option<Candidate>, Error> {
    let mut fields = Fields::new(value);
    let foundation = fields.parse("foundation")?;
    let component: u16 = fields.parse("component")?;
    let transport = Transport::from_name(fields.next("transport")?);
    let priority = fields.parse("priority")?;
    let address = fields.address()?;
    if !fields.next("typ")?.eq_ignore_ascii_case("typ") {
        return Err(Error::MixedDialects);
    }
    let kind = CandidateType::from_name(fields.next("type")?);
    let (mut related_ip, mut related_port) = (None::<IpAddr>, None::<u16>);
    while let Ok(name) = fields.next("name") {
        let value = fields.next("value of an extension")?;
        let invalid = |field| Error::InvalidField { field };
        if name.eq_ignore_ascii_case("raddr") {
            related_ip = Some(value.parse().map_err(|_| invalid("raddr"))?);
        } else if name.eq_ignore_ascii_case("rport") {
            related_port = Some(value.parse().map_err(|_| invalid("rport"))?);
        }
    }
    let component = u8::try_from(component)
        .ok()
        .and_then(Component::from_number);
    let (Some(component), Some(transport), Some(kind)) = (component, transport, kind) else {
        return Ok(None);
    };
    let related = related_ip.zip(related_port).map(SocketAddr::from);
    Ok(Some(Candidate {
        foundation,
        component,
        transport,
        priority,
        address,
        kind,
        related,
    }))
}

/// Reads the value of `a=remote-candidates`: one address for each component at most.
fn read_remote_candidates(value: &str) -> Result<Vec<(Component, SocketAddr)>, Error> {
    const REPEATED: Error = Error::InvalidField {
        field: "remote-candidates",
    };
    let mut fields = Fields::new(value);
    let mut found: Vec<(Component, SocketAddr)> = Vec::new();
    while let Ok(component) = fields.next("component") {
        let component = component.parse()?;
        if found.iter().any(|(other, _)| *other == component) {
            return Err(REPEATED);
        }
        found.push((component, fields.address()?));
    }
    if found.is_empty() {
        Err(REPEATED)
    } else {
        Ok(found)
    }
}
