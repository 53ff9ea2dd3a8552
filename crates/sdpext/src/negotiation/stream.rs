//! What we say about one stream.

use core::fmt;
use std::net::SocketAddr;

use uuid::Uuid;

use super::Order;
use crate::attribute::{
    ContentFlow, Direction, FeedbackSet, Label, SharingRole, SsrcRange, VideoCap,
};
use crate::codec::{Codec, Format};
use crate::line::{Kind, MediaType};
use crate::{Error, IceVersion, Limits, Name, Sdp};

/// The kinds of streams that are negotiated here. IM sessions (`m=message`) are `ocs_sipre`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// `m=audio`
    Audio,
    /// `m=video`
    Video,
    /// `m=applicationsharing`
    ApplicationSharing,
    /// `m=data`
    Data,
}

impl StreamKind {
    /// The kind of an `m=` line, if it is one of these.
    #[must_use]
    pub const fn of(media: MediaType<'_>) -> Option<Self> {
        Some(match media {
            MediaType::Audio => Self::Audio,
            MediaType::Video => Self::Video,
            MediaType::ApplicationSharing => Self::ApplicationSharing,
            MediaType::Data => Self::Data,
            _ => return None,
        })
    }

    /// The first word of the `m=` line.
    #[must_use]
    pub const fn media_type(self) -> MediaType<'static> {
        match self {
            Self::Audio => MediaType::Audio,
            Self::Video => MediaType::Video,
            Self::ApplicationSharing => MediaType::ApplicationSharing,
            Self::Data => MediaType::Data,
        }
    }

    /// Whether hold makes it inactive (3.1.5.23.1).
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Audio | Self::Video)
    }
}

/// Where a stream is received.
#[derive(Clone, PartialEq, Eq)]
pub struct Transport {
    /// The address of the default candidate for RTP.
    pub rtp: SocketAddr,
    /// The port of the default candidate for RTCP.
    pub rtcp_port: u16,
    /// Whether the default candidate is one of TCP.
    pub tcp: bool,
    /// Attribute lines of ICE, each with its end, as `ocs_ice::Description` writes them; empty without ICE.
    ice: String,
}

/// The lines of ICE have a password.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("rtp", &self.rtp)
            .field("rtcp_port", &self.rtcp_port)
            .field("tcp", &self.tcp)
            .field("ice", &self.ice_version())
            .finish()
    }
}

impl Transport {
    /// Without ICE: RTCP on the port after the one of RTP.
    #[must_use]
    pub const fn new(rtp: SocketAddr) -> Self {
        Self {
            rtp,
            rtcp_port: rtp.port().saturating_add(1),
            tcp: false,
            ice: String::new(),
        }
    }

    /// With the lines of ICE: `ice-ufrag`, `ice-pwd`, `candidate`, `x-candidate-ipv6`, `x-candidate-info`, `remote-candidate`,
    /// `remote-candidates`. A `candidate` of \[MS-ICE2\] with an address of IPv6 is written as `x-candidate-ipv6`.
    ///
    /// # Errors
    /// As [`Sdp::parse`]; [`Error::InvalidField`] if there is another line.
    pub fn with_ice(mut self, lines: &str) -> Result<Self, Error> {
        let limits = Limits {
            media: 0,
            ..Limits::default()
        };
        let read = Sdp::parse(bytes::Bytes::copy_from_slice(lines.as_bytes()), &limits)?;
        let of_ice = |kind| {
            matches!(
                kind,
                Kind::Attribute(
                    Name::IceUfrag
                        | Name::IcePwd
                        | Name::Candidate
                        | Name::CandidateIpv6
                        | Name::CandidateInfo
                        | Name::RemoteCandidate
                        | Name::RemoteCandidates
                )
            )
        };
        if !read.lines().all(|line| of_ice(line.kind())) {
            return Err(Error::InvalidField {
                of: "ice",
                field: "line",
            });
        }
        lines.clone_into(&mut self.ice);
        Ok(self)
    }

    /// The lines of ICE, without their ends.
    pub fn ice(&self) -> impl Iterator<Item = &str> {
        self.ice.lines().filter(|line| !line.is_empty())
    }

    /// The version of the candidates.
    #[must_use]
    pub fn ice_version(&self) -> IceVersion {
        let candidate = |line: &'_ str| {
            let value = line
                .strip_prefix("a=candidate:")
                .or_else(|| line.strip_prefix("a=x-candidate-ipv6:"))?;
            Some(IceVersion::of_candidate(value))
        };
        self.ice().find_map(candidate).unwrap_or(IceVersion::None)
    }
}

/// Application sharing of one RDP session (3.1.5.18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// 1 in practice; an answer repeats it.
    pub session_id: u32,
    /// Our role.
    pub role: SharingRole,
    /// Where content goes; both ways without it.
    pub flow: Option<ContentFlow>,
}

/// The plan of one stream: what an offer or answer of ours says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// What it is.
    pub kind: StreamKind,
    /// Which it is; none for application sharing.
    pub label: Option<Label<'static>>,
    /// Where it is received.
    pub transport: Transport,
    /// What we want. The peer and hold may allow less.
    pub direction: Direction,
    /// The formats in our order.
    pub formats: Vec<Format>,
    /// Whose order an answer of ours follows.
    pub order: Order,
    /// Our SSRCs. Constant over re-offers, and in no other range of the description.
    pub ssrc_range: Option<SsrcRange>,
    /// The Media Source ID that a conferencing server gives (3.1.5.32). Never of a client.
    pub source_stream_id: Option<u32>,
    /// Feedback that we send.
    pub feedback_send: FeedbackSet,
    /// Feedback that we take.
    pub feedback_recv: FeedbackSet,
    /// Pictures that we can show of RTVideo.
    pub video_caps: Vec<VideoCap>,
    /// ms of media in a packet.
    pub ptime: Option<u32>,
    /// ms of media in a packet, at most.
    pub max_ptime: Option<u32>,
    /// The site for media bypass, of a call to the telephone network.
    pub bypass_id: Option<Uuid>,
    /// Of application sharing.
    pub sharing: Option<Sharing>,
    /// `mid`, of application sharing and data. An answer repeats the one of the offer.
    pub mid: Option<u32>,
}

impl Stream {
    /// A stream with these formats under their usual numbers, both ways, and nothing else.
    #[must_use]
    pub fn new(kind: StreamKind, transport: Transport, codecs: &[Codec]) -> Self {
        Self {
            kind,
            label: None,
            transport,
            direction: Direction::SendRecv,
            formats: codecs.iter().map(|codec| codec.format()).collect(),
            order: Order::Offerer,
            ssrc_range: None,
            source_stream_id: None,
            feedback_send: FeedbackSet::EMPTY,
            feedback_recv: FeedbackSet::EMPTY,
            video_caps: Vec::new(),
            ptime: None,
            max_ptime: None,
            bypass_id: None,
            sharing: None,
            mid: None,
        }
    }

    /// Main audio as a client of 2016 has it. The program removes the formats that it cannot do.
    #[must_use]
    pub fn audio(transport: Transport, ssrc_range: SsrcRange) -> Self {
        Self {
            label: Some(Label::MainAudio),
            ssrc_range: Some(ssrc_range),
            feedback_send: FeedbackSet::AUDIO,
            feedback_recv: FeedbackSet::AUDIO,
            ptime: Some(20),
            max_ptime: Some(200),
            ..Self::new(StreamKind::Audio, transport, &Codec::CLIENT_AUDIO)
        }
    }

    /// Main video as a client of 2016 has it.
    #[must_use]
    pub fn video(transport: Transport, ssrc_range: SsrcRange) -> Self {
        Self {
            label: Some(Label::MainVideo),
            ssrc_range: Some(ssrc_range),
            feedback_send: FeedbackSet::VIDEO,
            feedback_recv: FeedbackSet::VIDEO,
            video_caps: VideoCap::CLIENT.to_vec(),
            ..Self::new(StreamKind::Video, transport, &Codec::CLIENT_VIDEO)
        }
    }

    /// Application sharing in this role.
    #[must_use]
    pub fn application_sharing(transport: Transport, role: SharingRole) -> Self {
        Self {
            sharing: Some(Sharing {
                session_id: 1,
                role,
                flow: None,
            }),
            mid: Some(1),
            ..Self::new(StreamKind::ApplicationSharing, transport, &[Codec::RtData])
        }
    }

    /// File transfer: the sender offers `sendonly` (recalled).
    #[must_use]
    pub fn data(transport: Transport, direction: Direction) -> Self {
        Self {
            direction,
            mid: Some(1),
            ..Self::new(StreamKind::Data, transport, &[Codec::RtData])
        }
    }

    /// With these formats under their usual numbers.
    #[must_use]
    pub fn with_codecs(mut self, codecs: &[Codec]) -> Self {
        self.formats = codecs.iter().map(|codec| codec.format()).collect();
        self
    }
}
