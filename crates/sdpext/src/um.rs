//! The profile of voice mail: \[MS-EUMSDP\].
//!
//! One stream of audio and no other, RTAudio or G.711, telephone events, no `cryptoscale`. The text of the specification was not
//! available: everything here is recalled, and follows from \[MS-SDPEXT\].

use crate::codec::Codec;
use crate::negotiation::{
    Config, EncryptionPolicy, OfferedStream, Order, Stream, StreamKind, Transport,
};

/// How the dial plan of a voice mail server is secured (recalled).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityMode {
    /// SIP over TCP, RTP.
    Unsecured,
    /// SIP over TLS, RTP.
    SipSecured,
    /// SIP over TLS, SRTP; nothing else is accepted.
    Secured,
}

impl SecurityMode {
    /// What it means for media.
    #[must_use]
    pub const fn encryption(self) -> EncryptionPolicy {
        match self {
            Self::Unsecured | Self::SipSecured => EncryptionPolicy::DoNotSupport,
            Self::Secured => EncryptionPolicy::Require,
        }
    }
}

/// Who calls the voice mail server (recalled).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A client or a Mediation Server: RTAudio first.
    Client,
    /// A gateway: G.711 first.
    Gateway,
}

/// How a voice mail server negotiates.
#[must_use]
pub fn config(mode: SecurityMode) -> Config {
    Config {
        encryption: mode.encryption(),
        scale: None,
        rtcp_mux: false,
        device_caps: None,
        ..Config::default()
    }
}

/// The one stream of a voice mail server, with its own order of formats.
#[must_use]
pub fn audio(transport: Transport, caller: Caller) -> Stream {
    let formats: &[Codec] = match caller {
        Caller::Client => &[
            Codec::RtAudioWide,
            Codec::RtAudioNarrow,
            Codec::Siren,
            Codec::G723,
            Codec::Pcmu,
            Codec::Pcma,
            Codec::Red,
            Codec::ComfortNoise,
            Codec::TelephoneEvent,
        ],
        Caller::Gateway => &[
            Codec::Pcmu,
            Codec::Pcma,
            Codec::G723,
            Codec::ComfortNoise,
            Codec::TelephoneEvent,
        ],
    };
    Stream {
        order: Order::Own,
        ptime: Some(20),
        ..Stream::new(StreamKind::Audio, transport, formats)
    }
}

/// The stream that a voice mail server accepts: the first of audio. All others are answered with port 0.
#[must_use]
pub fn accepted(offered: &[OfferedStream]) -> Option<usize> {
    let audio = |stream: &&OfferedStream| {
        stream.kind == Some(StreamKind::Audio) && !stream.rejected && stream.obstacle.is_none()
    };
    offered.iter().find(audio).map(|stream| stream.index)
}
