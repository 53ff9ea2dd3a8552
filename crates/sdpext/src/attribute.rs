//! Attributes, typed (\[MS-SDPEXT\] 3.1.5; RFC 3264, 3605, 4145, 4566, 4568, 4574, 4585, 5285).

mod crypto;
mod feedback;
mod format;
mod identity;
mod sharing;
mod stream;
mod video;

use core::fmt;

pub use crypto::{Crypto, Encryption, Keying, ScaleRole};
pub use feedback::{Feedback, FeedbackSet, RtcpFeedback};
pub(crate) use format::parameter;
pub use format::{Fmtp, RtpMap};
pub use identity::{Label, SsrcRange};
pub use ocs_srtp::{KeyParams, Lifetime, MasterKey, Mki};
pub use sharing::{ContentFlow, Setup, SharingMedia, SharingRole, TcpConnection};
pub use stream::{CandidateInfo, DeviceCaps, Direction, ExtMap, Flow, MediaBandwidth, Rtcp};
pub use video::{VideoCap, VideoCaps};

use crate::line::Hidden;
use crate::text::{number, put};
use crate::{Error, Name};
use uuid::Uuid;

/// An attribute (\[MS-SDPEXT\] 3.1.5).
///
/// Lists (`x-caps`, formats, feedback) stay text and are read when they are walked, so no attribute allocates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// `x-mediabw` (3.1.5.28), of the session only.
    MediaBandwidth(MediaBandwidth<'a>),
    /// `x-devicecaps` (3.1.5.29), of the session only.
    DeviceCaps(DeviceCaps),
    /// `label` (RFC 4574).
    Label(Label<'a>),
    /// `x-source`: the name of the source, the same as the label in everything seen.
    Source(Label<'a>),
    /// `x-source-streamid` (3.1.5.32): the Media Source ID that a conference gave to the stream.
    SourceStreamId(u32),
    /// `x-ssrc-range` (3.1.5.31).
    SsrcRange(SsrcRange),
    /// `rtcp-fb` (3.1.5.30).
    RtcpFeedback(RtcpFeedback<'a>),
    /// `rtcp-rsize` (3.1.5.30): feedback comes in RTCP of reduced size (RFC 5506).
    RtcpReducedSize,
    /// `x-signaling-fb`: feedback that may come by signalling; opaque.
    SignalingFeedback(&'a str),
    /// `ice-ufrag` (3.1.5.21)
    IceUfrag(&'a str),
    /// `ice-pwd` (3.1.5.21)
    IcePwd(Hidden<'a>),
    /// `candidate`, of \[MS-ICE\] or \[MS-ICE2\]: `ocs_ice` reads it. The one of \[MS-ICE\] holds a password.
    Candidate(Hidden<'a>),
    /// `x-candidate-ipv6` (3.1.5.21.2): a candidate of \[MS-ICE2\] that old peers pass over.
    CandidateIpv6(&'a str),
    /// `x-candidate-info` (3.1.5.36)
    CandidateInfo(CandidateInfo<'a>),
    /// `remote-candidate` of \[MS-ICE\]
    RemoteCandidate(&'a str),
    /// `remote-candidates` of \[MS-ICE2\]
    RemoteCandidates(&'a str),
    /// `crypto` (3.1.5.1) and `cryptoscale` (3.1.5.2), which share their tags.
    Crypto(Crypto<'a>),
    /// `encryption` of version 1, which clients still send.
    Encryption(Encryption),
    /// `maxptime`: ms
    MaxPtime(u32),
    /// `ptime`: ms
    Ptime(u32),
    /// `rtcp` (RFC 3605)
    Rtcp(Rtcp<'a>),
    /// `rtcp-mux` (3.1.5.38)
    RtcpMux,
    /// `rtpmap` (3.1.5.3)
    RtpMap(RtpMap<'a>),
    /// `fmtp` (3.1.5.3)
    Fmtp(Fmtp<'a>),
    /// `x-caps` (3.1.5.24)
    VideoCaps(VideoCaps<'a>),
    /// `x-bypassid`: the site whose gateways are reached without a Mediation Server.
    BypassId(Uuid),
    /// `x-bypass`: an answer that takes the bypass (recalled; syntax unknown, so opaque).
    Bypass(&'a str),
    /// `x-mediasettings`: opaque.
    MediaSettings(&'a str),
    /// `x-bwealgorithm`: opaque.
    BweAlgorithm(&'a str),
    /// `extmap` (RFC 5285)
    ExtMap(ExtMap<'a>),
    /// `x-applicationsharing-session-id` (3.1.5.18.1)
    SharingSessionId(u32),
    /// `x-applicationsharing-role` (3.1.5.18.2)
    SharingRole(SharingRole),
    /// `x-applicationsharing-media-type` (3.1.5.18.3)
    SharingMedia(SharingMedia),
    /// `x-applicationsharing-contentflow` (3.1.5.18.5)
    ContentFlow(ContentFlow),
    /// `mid` (RFC 3388)
    Mid(&'a str),
    /// `setup` (RFC 4145; 3.1.5.10)
    Setup(Setup),
    /// `connection` (RFC 4145; 3.1.5.10.2)
    Connection(TcpConnection),
    /// `sendrecv`, `sendonly`, `recvonly`, `inactive`
    Direction(Direction),
    /// `accept-types` of an IM session: types with spaces between.
    AcceptTypes(&'a str),
    /// An attribute without a type here, and those of later products that nobody of this system answers: `fingerprint`, `group`,
    /// `ice-options`, `ssrc`, ...
    Other {
        /// The name.
        name: &'a str,
        /// What stands behind the colon, if there is one.
        value: Option<&'a str>,
    },
}

impl<'a> Attribute<'a> {
    /// Reads the attribute `name` with this value; `line` is the whole line.
    pub(crate) fn read(name: Name, value: &'a str, line: &'a str) -> Result<Self, Error> {
        let of = name.as_str();
        let milliseconds = || number(of, "time", value);
        let word = Error::InvalidField { of, field: "value" };
        Ok(match name {
            Name::MediaBw => Self::MediaBandwidth(MediaBandwidth::parse(value)?),
            Name::DeviceCaps => Self::DeviceCaps(DeviceCaps::parse(value)?),
            Name::Label => Self::Label(Label::from_text(value)),
            Name::Source => Self::Source(Label::from_text(value)),
            Name::SourceStreamId => Self::SourceStreamId(number(of, "id", value)?),
            Name::SsrcRange => Self::SsrcRange(SsrcRange::parse(value)?),
            Name::RtcpFb => Self::RtcpFeedback(RtcpFeedback::parse(value)),
            Name::RtcpRsize => Self::RtcpReducedSize,
            Name::SignalingFb => Self::SignalingFeedback(value),
            Name::IceUfrag => Self::IceUfrag(value),
            Name::IcePwd => Self::IcePwd(Hidden(value)),
            Name::Candidate => Self::Candidate(Hidden(value)),
            Name::CandidateIpv6 => Self::CandidateIpv6(value),
            Name::CandidateInfo => Self::CandidateInfo(CandidateInfo::parse(value)?),
            Name::RemoteCandidate => Self::RemoteCandidate(value),
            Name::RemoteCandidates => Self::RemoteCandidates(value),
            Name::Crypto => Self::Crypto(Crypto::parse(value)?),
            Name::CryptoScale => Self::Crypto(Crypto::parse_scale(value)?),
            Name::Encryption => Self::Encryption(Encryption::from_text(value).ok_or(word)?),
            Name::MaxPtime => Self::MaxPtime(milliseconds()?),
            Name::Ptime => Self::Ptime(milliseconds()?),
            Name::Rtcp => Self::Rtcp(Rtcp::parse(value)?),
            Name::RtcpMux => Self::RtcpMux,
            Name::RtpMap => Self::RtpMap(RtpMap::parse(value)?),
            Name::Fmtp => Self::Fmtp(Fmtp::parse(value)?),
            Name::Caps => Self::VideoCaps(VideoCaps::parse(value)?),
            Name::BypassId => Self::BypassId(value.parse().map_err(|_| word)?),
            Name::Bypass => Self::Bypass(value),
            Name::MediaSettings => Self::MediaSettings(value),
            Name::BweAlgorithm => Self::BweAlgorithm(value),
            Name::ExtMap => Self::ExtMap(ExtMap::parse(value)?),
            Name::SharingSessionId => Self::SharingSessionId(number(of, "id", value)?),
            Name::SharingRole => Self::SharingRole(SharingRole::from_text(value).ok_or(word)?),
            Name::SharingMediaType => {
                Self::SharingMedia(SharingMedia::from_text(value).ok_or(word)?)
            }
            Name::SharingContentFlow | Name::ApplicationContentFlow => {
                Self::ContentFlow(ContentFlow::from_text(value).ok_or(word)?)
            }
            Name::Mid => Self::Mid(value),
            Name::Setup => Self::Setup(Setup::from_text(value).ok_or(word)?),
            Name::Connection => Self::Connection(TcpConnection::from_text(value).ok_or(word)?),
            Name::SendRecv => Self::Direction(Direction::SendRecv),
            Name::SendOnly => Self::Direction(Direction::SendOnly),
            Name::RecvOnly => Self::Direction(Direction::RecvOnly),
            Name::Inactive => Self::Direction(Direction::Inactive),
            Name::AcceptTypes => Self::AcceptTypes(value),
            _ => {
                let text = line.strip_prefix("a=").unwrap_or(line);
                match text.split_once(':') {
                    Some((name, _)) => Self::Other {
                        name,
                        value: Some(value),
                    },
                    None => Self::Other {
                        name: text.trim_ascii_end(),
                        value: None,
                    },
                }
            }
        })
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Self::MediaBandwidth(_) => Name::MediaBw,
            Self::DeviceCaps(_) => Name::DeviceCaps,
            Self::Label(_) => Name::Label,
            Self::Source(_) => Name::Source,
            Self::SourceStreamId(_) => Name::SourceStreamId,
            Self::SsrcRange(_) => Name::SsrcRange,
            Self::RtcpFeedback(_) => Name::RtcpFb,
            Self::RtcpReducedSize => Name::RtcpRsize,
            Self::SignalingFeedback(_) => Name::SignalingFb,
            Self::IceUfrag(_) => Name::IceUfrag,
            Self::IcePwd(_) => Name::IcePwd,
            Self::Candidate(_) => Name::Candidate,
            Self::CandidateIpv6(_) => Name::CandidateIpv6,
            Self::CandidateInfo(_) => Name::CandidateInfo,
            Self::RemoteCandidate(_) => Name::RemoteCandidate,
            Self::RemoteCandidates(_) => Name::RemoteCandidates,
            Self::Crypto(line) if line.scale.is_some() => Name::CryptoScale,
            Self::Crypto(_) => Name::Crypto,
            Self::Encryption(_) => Name::Encryption,
            Self::MaxPtime(_) => Name::MaxPtime,
            Self::Ptime(_) => Name::Ptime,
            Self::Rtcp(_) => Name::Rtcp,
            Self::RtcpMux => Name::RtcpMux,
            Self::RtpMap(_) => Name::RtpMap,
            Self::Fmtp(_) => Name::Fmtp,
            Self::VideoCaps(_) => Name::Caps,
            Self::BypassId(_) => Name::BypassId,
            Self::Bypass(_) => Name::Bypass,
            Self::MediaSettings(_) => Name::MediaSettings,
            Self::BweAlgorithm(_) => Name::BweAlgorithm,
            Self::ExtMap(_) => Name::ExtMap,
            Self::SharingSessionId(_) => Name::SharingSessionId,
            Self::SharingRole(_) => Name::SharingRole,
            Self::SharingMedia(_) => Name::SharingMediaType,
            Self::ContentFlow(_) => Name::SharingContentFlow,
            Self::Mid(_) => Name::Mid,
            Self::Setup(_) => Name::Setup,
            Self::Connection(_) => Name::Connection,
            Self::Direction(direction) => direction.name(),
            Self::AcceptTypes(_) => Name::AcceptTypes,
            Self::Other { name, .. } => return name,
        }
        .as_str()
    }

    /// Appends the line without its end.
    pub(crate) fn put(&self, out: &mut String) {
        put!(out, "a=", self.name());
        match self {
            Self::RtcpReducedSize
            | Self::RtcpMux
            | Self::Direction(_)
            | Self::Other { value: None, .. }
            | Self::Bypass("") => return,
            _ => out.push(':'),
        }
        match self {
            Self::MediaBandwidth(bandwidth) => bandwidth.put(out),
            Self::DeviceCaps(caps) => caps.put(out),
            Self::Label(label) | Self::Source(label) => out.push_str(label.as_str()),
            Self::SsrcRange(range) => range.put(out),
            Self::RtcpFeedback(feedback) => feedback.put(out),
            Self::CandidateInfo(info) => info.put(out),
            Self::Crypto(crypto) => crypto.put(out),
            Self::Encryption(encryption) => out.push_str(encryption.as_str()),
            Self::Rtcp(rtcp) => rtcp.put(out),
            Self::RtpMap(map) => map.put(out),
            Self::Fmtp(fmtp) => put!(out, fmtp.payload_type, ' ', fmtp.parameters),
            Self::VideoCaps(caps) => put!(out, caps.payload_type, ' ', caps.list),
            Self::BypassId(id) => {
                out.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
            }
            Self::ExtMap(map) => map.put(out),
            Self::SourceStreamId(value)
            | Self::SharingSessionId(value)
            | Self::MaxPtime(value)
            | Self::Ptime(value) => put!(out, *value),
            Self::SharingRole(role) => out.push_str(role.as_str()),
            Self::SharingMedia(media) => out.push_str(media.as_str()),
            Self::ContentFlow(flow) => out.push_str(flow.as_str()),
            Self::Setup(setup) => out.push_str(setup.as_str()),
            Self::Connection(connection) => out.push_str(connection.as_str()),
            Self::IcePwd(Hidden(text))
            | Self::Candidate(Hidden(text))
            | Self::SignalingFeedback(text)
            | Self::IceUfrag(text)
            | Self::CandidateIpv6(text)
            | Self::RemoteCandidate(text)
            | Self::RemoteCandidates(text)
            | Self::Bypass(text)
            | Self::MediaSettings(text)
            | Self::BweAlgorithm(text)
            | Self::Mid(text)
            | Self::AcceptTypes(text) => out.push_str(text),
            Self::Other { value, .. } => out.push_str(value.unwrap_or_default()),
            Self::RtcpReducedSize | Self::RtcpMux | Self::Direction(_) => {}
        }
    }
}

/// The line without its end.
impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.put(&mut out);
        f.write_str(&out)
    }
}
