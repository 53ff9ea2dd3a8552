//! The section of one `m=` line.

use core::fmt;
use core::ops::Range;
use std::net::SocketAddr;

use super::{RawLine, Sdp, connection};
use crate::attribute::{Crypto, Direction, Rtcp, RtpMap};
use crate::line::{Connection, Kind, MediaLine};
use crate::text::put;
use crate::{Attribute, Error, Name};

/// An `m=` line and what belongs to it.
#[derive(Clone, Copy)]
pub struct Media<'a> {
    sdp: &'a Sdp,
    first: usize,
    end: usize,
}

impl fmt::Debug for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Media").field(&self.line()).finish()
    }
}

/// Which kind of ICE a section is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IceVersion {
    /// No candidates: media goes to the default address.
    None,
    /// Candidates of draft 6: \[MS-ICE\], Office Communications Server 2007.
    V6,
    /// Candidates of draft 19: \[MS-ICE2\], everything later.
    V19,
}

impl IceVersion {
    /// Tells the version by the seventh field of a candidate: the word `typ`, or a port.
    #[must_use]
    pub fn of_candidate(value: &str) -> Self {
        match value.split_ascii_whitespace().nth(6) {
            Some(word) if word.eq_ignore_ascii_case("typ") => Self::V19,
            _ => Self::V6,
        }
    }
}

impl<'a> Media<'a> {
    pub(super) const fn new(sdp: &'a Sdp, range: Range<usize>) -> Self {
        Self {
            sdp,
            first: range.start,
            end: range.end,
        }
    }

    /// The `m=` line.
    pub fn line(&self) -> Result<MediaLine<'a>, Error> {
        let line = RawLine {
            text: &self.sdp.text,
            entry: self.sdp.lines[self.first],
        };
        MediaLine::parse(line.value())
    }

    /// The lines of the section, with the `m=` line.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = RawLine<'a>> + Clone + use<'a> {
        self.sdp.range(self.first..self.end)
    }

    /// The section as text, with the `m=` line. For ICE see [`ice_lines`](Self::ice_lines).
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        let start = |index: usize| self.sdp.lines.get(index).map(|line| line.start as usize);
        let text: &'a str = &self.sdp.text;
        let end = start(self.end).unwrap_or(text.len());
        &text[start(self.first).unwrap_or(end)..end]
    }

    /// The attributes, typed.
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'a>, Error>> + use<'a> {
        self.lines().filter_map(RawLine::attribute)
    }

    /// The value of the first attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: Name) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The values of all attributes of this name.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &'a str> + use<'a> {
        self.lines()
            .filter(move |line| line.kind() == Kind::Attribute(name))
            .map(RawLine::value)
    }

    /// Whether there is an attribute of this name.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.attribute(name).is_some()
    }

    /// The value of an attribute that stands for one thing: of the section or, failing that, of the session.
    ///
    /// # Errors
    /// [`Error::Contradiction`] if it is in the section twice, with two values.
    pub fn single(&self, name: Name) -> Result<Option<&'a str>, Error> {
        let mut values = self.values(name);
        let Some(value) = values.next() else {
            return Ok(self.sdp.attribute(name));
        };
        if values.all(|other| other == value) {
            Ok(Some(value))
        } else {
            Err(Error::Contradiction { of: name.as_str() })
        }
    }

    /// [`single`](Self::single), typed by `read`.
    pub(crate) fn typed<T>(
        &self,
        name: Name,
        read: impl FnOnce(&'a str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.single(name)?.map(read).transpose()
    }

    /// The `c=` line of the section, or the one of the session.
    pub fn connection(&self) -> Result<Option<Connection<'a>>, Error> {
        match connection(self.lines())? {
            Some(connection) => Ok(Some(connection)),
            None => self.sdp.connection(),
        }
    }

    /// The default address of RTP; none if it is a name, or missing.
    pub fn rtp_address(&self) -> Result<Option<SocketAddr>, Error> {
        let port = self.line()?.port;
        let connection = self.connection()?;
        Ok(connection.and_then(|connection| connection.at(port)))
    }

    /// The default address of RTCP: the one of `a=rtcp`, or the port after the one of RTP (RFC 3605).
    pub fn rtcp_address(&self) -> Result<Option<SocketAddr>, Error> {
        let Some(rtp) = self.rtp_address()? else {
            return Ok(None);
        };
        Ok(match self.typed(Name::Rtcp, Rtcp::parse)? {
            Some(rtcp) => {
                let ip = rtcp.address.and_then(|connection| connection.ip());
                Some((ip.unwrap_or(rtp.ip()), rtcp.port).into())
            }
            None => rtp
                .port()
                .checked_add(1)
                .map(|port| (rtp.ip(), port).into()),
        })
    }

    /// The direction of the section, or of the session; both ways without one.
    ///
    /// # Errors
    /// [`Error::Contradiction`] if there are two.
    pub fn direction(&self) -> Result<Direction, Error> {
        match direction(self.lines())? {
            Some(direction) => Ok(direction),
            None => Ok(direction(self.sdp.session_lines())?.unwrap_or(Direction::SendRecv)),
        }
    }

    /// The names that payload types stand for.
    ///
    /// # Errors
    /// [`Error::Contradiction`] if a number has two names.
    pub fn rtp_maps(&self) -> Result<RtpMaps<'a>, Error> {
        let mut maps = RtpMaps([None; 128]);
        // A line that nobody understands is one of a format that nobody takes.
        for map in self.values(Name::RtpMap).flat_map(RtpMap::parse) {
            let known = &mut maps.0[usize::from(map.payload_type & 0x7f)];
            if known.is_some_and(|known| known != map) {
                return Err(Error::Contradiction { of: "rtpmap" });
            }
            *known = Some(map);
        }
        Ok(maps)
    }

    /// The lines of `crypto` and `cryptoscale` that can be read. Others are passed over, as lines of suites to come.
    ///
    /// # Errors
    /// [`Error::Contradiction`] if two have one tag (\[MS-SDPEXT\] 3.1.5.1).
    pub fn crypto(&self) -> Result<Vec<Crypto<'a>>, Error> {
        let of_keys = |line: &RawLine<'_>| {
            matches!(
                line.kind(),
                Kind::Attribute(Name::Crypto | Name::CryptoScale)
            )
        };
        let attributes = self.lines().filter(of_keys).filter_map(RawLine::attribute);
        let lines: Vec<Crypto<'a>> = attributes
            .filter_map(|attribute| match attribute {
                Ok(Attribute::Crypto(line)) => Some(line),
                _ => None,
            })
            .collect();
        let mut tags: Vec<u32> = lines.iter().map(|line| line.tag).collect();
        tags.sort_unstable();
        if tags.is_sorted_by(|a, b| a < b) {
            Ok(lines)
        } else {
            Err(Error::Contradiction { of: "crypto tag" })
        }
    }

    /// Which kind of ICE the candidates are of.
    #[must_use]
    pub fn ice_version(&self) -> IceVersion {
        let mut candidates = self
            .values(Name::Candidate)
            .chain(self.values(Name::CandidateIpv6));
        candidates
            .next()
            .map_or(IceVersion::None, IceVersion::of_candidate)
    }

    /// The lines of ICE alone, as `ocs_ice::Description::parse` takes them: `x-candidate-ipv6` as `candidate` if `ipv6` is wanted, else
    /// left out; `ice-ufrag` and `ice-pwd` of the session where the section has none.
    #[must_use]
    pub fn ice_lines(&self, ipv6: bool) -> String {
        let mut out = String::new();
        let mut line = |name: Name, value: &str| {
            put!(&mut out, "a=", name.as_str(), ':', value, "\r\n");
        };
        for name in [Name::IceUfrag, Name::IcePwd] {
            if !self.has(name)
                && let Some(value) = self.sdp.attribute(name)
            {
                line(name, value);
            }
        }
        for raw in self.lines() {
            match raw.kind() {
                Kind::Attribute(Name::CandidateIpv6) if ipv6 => line(Name::Candidate, raw.value()),
                Kind::Attribute(
                    name @ (Name::IceUfrag
                    | Name::IcePwd
                    | Name::Candidate
                    | Name::RemoteCandidate
                    | Name::RemoteCandidates),
                ) => line(name, raw.value()),
                _ => {}
            }
        }
        out
    }
}

/// The names of payload types of a section, by number.
#[derive(Debug, Clone)]
pub struct RtpMaps<'a>([Option<RtpMap<'a>>; 128]);

impl<'a> RtpMaps<'a> {
    /// The name of a payload type: of its `a=rtpmap`, or the static one of RFC 3551.
    #[must_use]
    pub fn get(&self, payload_type: u8) -> Option<RtpMap<'a>> {
        let dynamic = *self.0.get(usize::from(payload_type))?;
        dynamic.or_else(|| RtpMap::of_static(payload_type))
    }
}

/// The direction that these lines give.
fn direction<'a>(lines: impl Iterator<Item = RawLine<'a>>) -> Result<Option<Direction>, Error> {
    let mut found = None;
    for line in lines {
        let Kind::Attribute(name) = line.kind() else {
            continue;
        };
        let Some(direction) = Direction::from_name(name) else {
            continue;
        };
        if found.is_some_and(|found| found != direction) {
            return Err(Error::Contradiction { of: "direction" });
        }
        found = Some(direction);
    }
    Ok(found)
}
