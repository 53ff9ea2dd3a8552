//! Where a stream goes, and how much of it.

use super::Label;
use crate::line::Connection;
use crate::text::{Fields, number, put};
use crate::{Error, Name};

/// `sendrecv`, `sendonly`, `recvonly`, `inactive`: from the point of view of who wrote it (RFC 3264 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways; the same as no attribute.
    #[default]
    SendRecv,
    /// The writer sends.
    SendOnly,
    /// The writer receives.
    RecvOnly,
    /// Nothing: on hold (3.1.5.23.1).
    Inactive,
}

impl Direction {
    /// The direction that sends, receives, does both or nothing.
    #[must_use]
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same, seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::new(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }

    /// The attribute.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::SendRecv => Name::SendRecv,
            Self::SendOnly => Name::SendOnly,
            Self::RecvOnly => Name::RecvOnly,
            Self::Inactive => Name::Inactive,
        }
    }

    /// The direction of an attribute, if it is one.
    #[must_use]
    pub const fn from_name(name: Name) -> Option<Self> {
        Some(match name {
            Name::SendRecv => Self::SendRecv,
            Name::SendOnly => Self::SendOnly,
            Name::RecvOnly => Self::RecvOnly,
            Name::Inactive => Self::Inactive,
            _ => return None,
        })
    }
}

/// `x-mediabw` (\[MS-SDPEXT\] 3.1.5.28): bounds for all streams of one label together, in kbit/s, from the writer's point of view. 0 is
/// no bandwidth.
///
/// ```text
/// a=x-mediabw:main-video send=12000;recv=12000
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaBandwidth<'a> {
    /// Of which streams.
    pub label: Label<'a>,
    /// What the writer sends at most.
    pub send: u32,
    /// What may be sent to the writer at most.
    pub recv: u32,
}

impl<'a> MediaBandwidth<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        const OF: &str = "x-mediabw";
        let mut fields = Fields::new(OF, value);
        let label = Label::from_text(fields.next("label")?);
        let bounds = fields.rest();
        let bound = |prefix: &'static str| {
            let mut bounds = bounds.split(';').map(str::trim_ascii);
            let text = bounds
                .find_map(|bound| bound.strip_prefix(prefix)?.strip_prefix('='))
                .ok_or(Error::MissingField {
                    of: OF,
                    field: prefix,
                })?;
            number(OF, prefix, text)
        };
        Ok(Self {
            label,
            send: bound("send")?,
            recv: bound("recv")?,
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(
            out,
            self.label.as_str(),
            " send=",
            self.send,
            ";recv=",
            self.recv
        );
    }
}

/// Whether a kind of device is there, in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// A microphone, a camera.
    pub send: bool,
    /// A loudspeaker, a screen.
    pub recv: bool,
}

/// `x-devicecaps` (\[MS-SDPEXT\] 3.1.5.29): which devices the writer has. A hint for the user interface; a conference neither sends nor
/// reads it.
///
/// ```text
/// a=x-devicecaps:audio:send,recv;video:recv
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceCaps {
    /// `audio:`
    pub audio: Option<Flow>,
    /// `video:`
    pub video: Option<Flow>,
}

impl DeviceCaps {
    pub(crate) fn parse(value: &str) -> Result<Self, Error> {
        let mut caps = Self::default();
        for cap in value.split(';').filter(|cap| !cap.is_empty()) {
            let (kind, directions) = cap.split_once(':').ok_or(Error::MissingField {
                of: "x-devicecaps",
                field: "direction",
            })?;
            let mut flow = Flow::default();
            for direction in directions.split(',') {
                match direction.trim_ascii() {
                    "send" => flow.send = true,
                    "recv" => flow.recv = true,
                    _ => {}
                }
            }
            match kind.trim_ascii() {
                "audio" => caps.audio = Some(flow),
                "video" => caps.video = Some(flow),
                _ => {}
            }
        }
        Ok(caps)
    }

    pub(crate) fn put(self, out: &mut String) {
        let kinds = [("audio:", self.audio), ("video:", self.video)];
        let mut separator = "";
        for (kind, flow) in kinds {
            if let Some(flow) = flow {
                put!(out, separator, kind);
                out.push_str(match flow {
                    Flow {
                        send: true,
                        recv: true,
                    } => "send,recv",
                    Flow {
                        send: true,
                        recv: false,
                    } => "send",
                    Flow {
                        send: false,
                        recv: true,
                    } => "recv",
                    Flow {
                        send: false,
                        recv: false,
                    } => "",
                });
                separator = ";";
            }
        }
    }
}

/// `rtcp` (RFC 3605): where RTCP goes by default. Clients always write it, with the port alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rtcp<'a> {
    /// The port.
    pub port: u16,
    /// The address, if it is not the one of RTP. Microsoft's negotiator refuses another.
    pub address: Option<Connection<'a>>,
}

impl<'a> Rtcp<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("rtcp", value);
        let port = fields.number("port")?;
        let address = if fields.rest().is_empty() {
            None
        } else {
            Some(Connection::fields(&mut fields)?)
        };
        Ok(Self { port, address })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.port);
        if let Some(address) = &self.address {
            out.push(' ');
            address.put(out);
        }
    }
}

/// `x-candidate-info` (\[MS-SDPEXT\] 3.1.5.36): over which kind of network a candidate is. For reports only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateInfo<'a> {
    /// The foundation of the candidate.
    pub foundation: &'a str,
    /// `WLAN`, `WWAN`; in lower case from some.
    pub network_type: &'a str,
}

impl<'a> CandidateInfo<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("x-candidate-info", value);
        Ok(Self {
            foundation: fields.next("foundation")?,
            network_type: fields
                .parse("network-type", |text| text.strip_prefix("network-type="))?,
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.foundation, " network-type=", self.network_type);
    }
}

/// `extmap` (RFC 5285): a header extension of RTP. Clients of 2016 and 2019 send two that nobody needs to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtMap<'a> {
    /// The identifier in packets.
    pub id: u16,
    /// The direction, if it is not both.
    pub direction: Option<Direction>,
    /// The name, on this wire with backslashes, and what follows it.
    pub name: &'a str,
}

impl<'a> ExtMap<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        const OF: &str = "extmap";
        let mut fields = Fields::new(OF, value);
        let id = fields.next("id")?;
        let (id, direction) = match id.split_once('/') {
            Some((id, direction)) => (id, Direction::from_name(Name::from_text(direction))),
            None => (id, None),
        };
        let name = fields.rest();
        if name.is_empty() {
            return Err(Error::MissingField {
                of: OF,
                field: "name",
            });
        }
        Ok(Self {
            id: number(OF, "id", id)?,
            direction,
            name,
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.id);
        if let Some(direction) = self.direction {
            put!(out, '/', direction.name().as_str());
        }
        put!(out, ' ', self.name);
    }
}
