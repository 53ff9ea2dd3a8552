//! What both sides have agreed on.

use std::net::SocketAddr;

use super::refusal::Obstacle;
use super::{
    BandwidthLimits, NegotiatedFormat, Order, Sharing, Srtp, Stream, StreamKind, Violation, formats,
};
use crate::attribute::{
    ContentFlow, Direction, FeedbackSet, Label, RtcpFeedback, Setup, SharingRole, SsrcRange,
    TcpConnection, VideoCap, VideoCaps,
};
use crate::codec::{Codec, Purpose};
use crate::text::number;
use crate::{IceVersion, Media, Name, Sdp};

/// A stream that both sides have agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// What it is.
    pub kind: StreamKind,
    /// Which it is.
    pub label: Option<Label<'static>>,
    /// What we may do.
    pub direction: Direction,
    /// The formats; the first that carries media is the one that is used.
    pub formats: Vec<NegotiatedFormat>,
    /// The keys, if the stream is encrypted.
    pub srtp: Option<Srtp>,
    /// Whether RTCP goes over the path of RTP.
    pub rtcp_mux: bool,
    /// Feedback that we may send, in RTCP of reduced size.
    pub feedback_send: FeedbackSet,
    /// Feedback that we may get.
    pub feedback_recv: FeedbackSet,
    /// How much may be sent.
    pub bandwidth: BandwidthLimits,
    /// Of application sharing, with our role.
    pub sharing: Option<Sharing>,
    /// Whether the peer named the same bypass id as we.
    pub bypass: bool,
    /// The stream whose transport this one shares (3.1.5.34).
    pub multiplexed_with: Option<usize>,
    /// What the peer said of itself.
    pub remote: Remote,
}

/// What the peer said of its side of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The default address of RTP. Candidates are read from [`Media::ice_lines`] of the description.
    pub rtp: Option<SocketAddr>,
    /// The default address of RTCP.
    pub rtcp: Option<SocketAddr>,
    /// Which ICE it does.
    pub ice: IceVersion,
    /// Whether the default address is one of TCP.
    pub tcp: bool,
    /// Whether it does not want to receive: `inactive`, `sendonly`, or the address 0.0.0.0 of gateways.
    pub on_hold: bool,
    /// Its SSRCs.
    pub ssrc_range: Option<SsrcRange>,
    /// The Media Source ID that a conferencing server gave to the stream (3.1.5.32).
    pub source_stream_id: Option<u32>,
    /// Pictures that it can show of RTVideo; [`VideoCap::DEFAULT`] if it said nothing, none if RTVideo is not among the formats.
    pub video_caps: Vec<VideoCap>,
    /// ms of media that it wants in a packet.
    pub ptime: Option<u32>,
    /// ms of media in a packet, at most.
    pub max_ptime: Option<u32>,
    /// `setup`
    pub setup: Option<Setup>,
    /// `connection`
    pub connection: Option<TcpConnection>,
    /// `mid`
    pub mid: Option<String>,
}

/// Who reads a description, and why.
pub(super) struct Reader<'r> {
    pub(super) plan: &'r Stream,
    /// What we want now, with hold.
    pub(super) wanted: Direction,
    /// Whether we can, or did offer, `rtcp-mux`.
    pub(super) rtcp_mux: bool,
    pub(super) sdp: &'r Sdp,
    pub(super) media: Media<'r>,
    /// The description is an offer.
    pub(super) answering: bool,
}

impl Reader<'_> {
    /// Reads everything but the keys.
    pub(super) fn read(
        &self,
        srtp: Option<Srtp>,
        multiplexed_with: Option<usize>,
    ) -> Result<Negotiated, Obstacle> {
        let (plan, media) = (self.plan, &self.media);
        let order = if self.answering {
            plan.order
        } else {
            Order::Offerer
        };
        let peer = formats::of_media(media)?;
        let formats = formats::common(&plan.formats, &peer, order, self.answering)?;
        let label = media
            .single(Name::Label)?
            .and_then(Label::known)
            .or(plan.label);
        let remote = self.remote(&formats)?;
        // The pictures are those of RTVideo: they bound no other format.
        let mut used = formats.iter().map(|format| format.codec);
        let used = used.find(|codec| codec.purpose() == Purpose::Media);
        let caps: &[VideoCap] = match used {
            Some(Codec::RtVideo) => &remote.video_caps,
            _ => &[],
        };
        let (sent, taken) = feedback(media);
        let given = media.direction()?.reversed();
        let held = remote.rtp.is_some_and(|rtp| rtp.ip().is_unspecified());
        let given = Direction::new(given.sends() && !held, given.receives());
        let bypass = media.single(Name::BypassId)?.and_then(|id| id.parse().ok());
        Ok(Negotiated {
            kind: plan.kind,
            label,
            direction: self.wanted.and(given),
            srtp,
            rtcp_mux: self.rtcp_mux(&remote)?,
            feedback_send: plan.feedback_send.and(taken),
            feedback_recv: plan.feedback_recv.and(sent),
            bandwidth: BandwidthLimits::of(self.sdp, media, label, caps)?,
            sharing: self.sharing()?,
            bypass: bypass.is_some() && bypass == plan.bypass_id,
            multiplexed_with,
            formats,
            remote,
        })
    }

    fn remote(&self, formats: &[NegotiatedFormat]) -> Result<Remote, Obstacle> {
        let media = &self.media;
        let profile = media.line()?.profile().ok_or(Violation::TransportProfile)?;
        let rtp = media.rtp_address()?;
        let ice = media.ice_version();
        if rtp.is_none() && ice == IceVersion::None {
            return Err(Violation::ConnectionAddress.into());
        }
        let milliseconds =
            |name: Name| media.typed(name, |text| number(name.as_str(), "time", text));
        Ok(Remote {
            rtp,
            rtcp: media.rtcp_address()?,
            ice,
            tcp: profile.is_tcp(),
            on_hold: !media.direction()?.receives()
                || rtp.is_some_and(|rtp| rtp.ip().is_unspecified()),
            ssrc_range: media.typed(Name::SsrcRange, SsrcRange::parse)?,
            source_stream_id: media.typed(Name::SourceStreamId, |id| {
                number(Name::SourceStreamId.as_str(), "id", id)
            })?,
            video_caps: video_caps(media, formats),
            ptime: milliseconds(Name::Ptime)?,
            max_ptime: milliseconds(Name::MaxPtime)?,
            setup: media.single(Name::Setup)?.and_then(Setup::from_text),
            connection: media
                .single(Name::Connection)?
                .and_then(TcpConnection::from_text),
            mid: media.single(Name::Mid)?.map(str::to_owned),
        })
    }

    /// Whether both can and want (3.1.5.38): only with ICE of \[MS-ICE2\].
    fn rtcp_mux(&self, remote: &Remote) -> Result<bool, Obstacle> {
        let peer = self.media.has(Name::RtcpMux);
        if peer && !self.rtcp_mux && !self.answering {
            return Err(Violation::RtcpMuxNotOffered.into());
        }
        Ok(self.rtcp_mux && peer && remote.ice == IceVersion::V19)
    }

    fn sharing(&self) -> Result<Option<Sharing>, Obstacle> {
        let Some(plan) = self.plan.sharing else {
            return Ok(None);
        };
        let media = &self.media;
        let session_id = media.typed(Name::SharingSessionId, |id| {
            number(Name::SharingSessionId.as_str(), "id", id)
        })?;
        let role = media
            .single(Name::SharingRole)?
            .and_then(SharingRole::from_text);
        if role == Some(plan.role) {
            return Err(Violation::SharingRole.into());
        }
        let flow = match media.single(Name::SharingContentFlow)? {
            Some(flow) => Some(flow),
            None => media.single(Name::ApplicationContentFlow)?,
        };
        let flow = flow.and_then(ContentFlow::from_text);
        Ok(Some(Sharing {
            session_id: session_id
                .filter(|_| self.answering)
                .unwrap_or(plan.session_id),
            role: plan.role,
            flow: match flow {
                Some(flow) => Some(flow.answer(plan.flow)),
                None => plan.flow,
            },
        }))
    }
}

/// What the peer sends and takes: from the first line of this system's form. Nothing without `rtcp-rsize`.
fn feedback(media: &Media<'_>) -> (FeedbackSet, FeedbackSet) {
    if !media.has(Name::RtcpRsize) {
        return Default::default();
    }
    let sets = |value| match RtcpFeedback::parse(value) {
        RtcpFeedback::Message { send, recv, .. } => Some((send, recv)),
        RtcpFeedback::Other(_) => None,
    };
    media
        .values(Name::RtcpFb)
        .find_map(sets)
        .unwrap_or_default()
}

/// The capabilities of the payload type of RTVideo.
fn video_caps(media: &Media<'_>, formats: &[NegotiatedFormat]) -> Vec<VideoCap> {
    let rt_video = |format: &&NegotiatedFormat| format.codec == Codec::RtVideo;
    let Some(format) = formats.iter().find(rt_video) else {
        return Vec::new();
    };
    let lines = media.values(Name::Caps).flat_map(VideoCaps::parse);
    let mut lines = lines.filter(|caps| caps.payload_type == format.send);
    let caps = lines.next().into_iter().flat_map(|caps| caps.iter());
    let caps: Vec<VideoCap> = caps.flatten().collect();
    if caps.is_empty() {
        VideoCap::DEFAULT.to_vec()
    } else {
        caps
    }
}
