//! From plans to text, in the order of lines of Microsoft's clients.

use std::net::IpAddr;

use super::{Config, Sharing, Stream, Transport};
use crate::attribute::{
    Attribute, Crypto, Direction, Encryption, Fmtp, Label, MediaBandwidth, Rtcp, RtcpFeedback,
    Setup, SharingMedia, TcpConnection,
};
use crate::codec::{Codec, Format};
use crate::line::{Bandwidth, Line, Origin, Protocol, Timing};
use crate::{IceVersion, SdpBuilder};

/// For whom a description is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// Everything.
    Full,
    /// The fallback of a multipart: nothing that came with Lync 2013.
    Legacy,
}

/// The lines in front of the first `m=`.
pub(super) struct Head<'h> {
    pub(super) config: &'h Config,
    pub(super) edition: Edition,
    pub(super) version: u64,
    pub(super) address: IpAddr,
    /// Of the active streams.
    pub(super) labels: &'h [Label<'static>],
}

impl Head<'_> {
    pub(super) fn write(&self, out: &mut SdpBuilder) {
        let address = self.address.into();
        let bandwidth = Bandwidth {
            kind: "CT",
            value: self.config.bandwidth,
        };
        out.line(&Line::Version(0))
            .line(&Line::Origin(Origin {
                username: "-",
                session_id: "0",
                version: self.version,
                address,
            }))
            .line(&Line::SessionName("session"))
            .line(&Line::Connection(address))
            .line(&Line::Bandwidth(bandwidth))
            .line(&Line::Timing(Timing::default()));
        if self.edition == Edition::Legacy {
            return;
        }
        for bound in &self.config.media_bandwidth {
            if self.labels.contains(&bound.label) {
                let (label, send, recv) = (bound.label, bound.send, bound.recv);
                let bandwidth = MediaBandwidth { label, send, recv };
                out.attribute(&Attribute::MediaBandwidth(bandwidth));
            }
        }
        if let Some(caps) = self.config.device_caps {
            out.attribute(&Attribute::DeviceCaps(caps));
        }
    }
}

/// A stream, active.
pub(super) struct Section<'s> {
    pub(super) plan: &'s Stream,
    pub(super) transport: &'s Transport,
    pub(super) edition: Edition,
    /// The address of the session.
    pub(super) session: IpAddr,
    pub(super) formats: &'s [Format],
    pub(super) secure: bool,
    pub(super) keys: &'s [Crypto<'static>],
    pub(super) encryption: Option<Encryption>,
    pub(super) rtcp_mux: bool,
    /// Whether feedback is spoken of.
    pub(super) feedback: bool,
    /// Written if it is there.
    pub(super) direction: Option<Direction>,
    pub(super) sharing: Option<Sharing>,
    pub(super) setup: Option<Setup>,
    pub(super) connection: Option<TcpConnection>,
    pub(super) mid: Option<&'s str>,
}

impl Section<'_> {
    pub(super) fn write(&self, out: &mut SdpBuilder) {
        let (plan, transport) = (self.plan, self.transport);
        let numbers = self.formats.iter().map(|format| format.payload_type);
        let protocol = Protocol::new(transport.tcp, self.secure);
        let media = plan.kind.media_type();
        out.media(media.as_str(), transport.rtp.port(), protocol, numbers);
        if transport.rtp.ip() != self.session {
            out.line(&Line::Connection(transport.rtp.ip().into()));
        }
        if self.edition == Edition::Full {
            self.write_identity(out);
        }
        self.write_transport(out);
        for key in self.keys {
            out.attribute(&Attribute::Crypto(key.clone()));
        }
        let rtcp = Rtcp {
            port: transport.rtcp_port,
            address: None,
        };
        let attributes = [
            plan.max_ptime.map(Attribute::MaxPtime),
            Some(Attribute::Rtcp(rtcp)),
            self.setup.map(Attribute::Setup),
            self.connection.map(Attribute::Connection),
            self.mid.map(Attribute::Mid),
        ];
        for attribute in attributes.iter().flatten() {
            out.attribute(attribute);
        }
        for format in self.formats {
            out.attribute(&Attribute::RtpMap(format.rtp_map()));
            if let Some(parameters) = format.codec.parameters() {
                out.attribute(&Attribute::Fmtp(Fmtp {
                    payload_type: format.payload_type,
                    parameters,
                }));
            }
        }
        let mux = self.rtcp_mux && self.edition == Edition::Full;
        let attributes = [
            self.encryption.map(Attribute::Encryption),
            mux.then_some(Attribute::RtcpMux),
            plan.bypass_id.map(Attribute::BypassId),
            plan.ptime.map(Attribute::Ptime),
            self.direction.map(Attribute::Direction),
        ];
        for attribute in attributes.iter().flatten() {
            out.attribute(attribute);
        }
        if let Some(sharing) = self.sharing {
            out.attribute(&Attribute::SharingSessionId(sharing.session_id))
                .attribute(&Attribute::SharingRole(sharing.role))
                .attribute(&Attribute::SharingMedia(SharingMedia::Rdp));
            if let Some(flow) = sharing.flow {
                out.attribute(&Attribute::ContentFlow(flow));
            }
        }
    }

    /// What came with Lync 2013.
    fn write_identity(&self, out: &mut SdpBuilder) {
        let plan = self.plan;
        if let Some(range) = plan.ssrc_range {
            out.attribute(&Attribute::SsrcRange(range));
        }
        if let Some(id) = plan.source_stream_id {
            out.attribute(&Attribute::SourceStreamId(id));
        }
        let (send, recv) = (plan.feedback_send, plan.feedback_recv);
        if self.feedback && !(send.is_empty() && recv.is_empty()) {
            let payload_type = None;
            out.attribute(&Attribute::RtcpFeedback(RtcpFeedback::Message {
                payload_type,
                send,
                recv,
            }))
            .attribute(&Attribute::RtcpReducedSize);
        }
        if let Some(label) = plan.label {
            out.attribute(&Attribute::Label(label))
                .attribute(&Attribute::Source(label));
        }
    }

    /// Candidates, with the pictures between the credentials and them.
    fn write_transport(&self, out: &mut SdpBuilder) {
        let credentials = |line: &&str| line.starts_with("a=ice-");
        for line in self.transport.ice().filter(credentials) {
            out.text(line);
        }
        let rt_video = |format: &&Format| format.codec == Codec::RtVideo;
        if let Some(format) = self.formats.iter().find(rt_video)
            && !self.plan.video_caps.is_empty()
        {
            out.video_caps(format.payload_type, &self.plan.video_caps);
        }
        for line in self.transport.ice().filter(|line| !credentials(line)) {
            match ipv6_candidate(line) {
                Some(value) => out.attribute(&Attribute::CandidateIpv6(value)),
                None => out.text(line),
            };
        }
    }
}

/// The value of a candidate of \[MS-ICE2\] whose address is of IPv6: old peers would stumble over it in `candidate` (3.1.5.21.2).
fn ipv6_candidate(line: &str) -> Option<&str> {
    let value = line.strip_prefix("a=candidate:")?;
    let address = value.split_ascii_whitespace().nth(4)?;
    let moved = address.contains(':') && IceVersion::of_candidate(value) == IceVersion::V19;
    moved.then_some(value)
}

/// Whether `rtcp-mux` is offered over this transport.
pub(super) fn offers_mux(config: &Config, transport: &Transport) -> bool {
    config.rtcp_mux && transport.ice_version() == IceVersion::V19
}
