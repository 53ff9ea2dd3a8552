//! What holds for all streams.

use crate::Limits;
use crate::attribute::{DeviceCaps, Flow, Label, Lifetime, ScaleRole};
use crate::line::Bandwidth;

/// Whether media is encrypted: `SupportEncryption`, `RequireEncryption`, `DoNotSupportEncryption` of the provisioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EncryptionPolicy {
    /// `RTP/SAVP` with keys in an offer; nothing else is accepted.
    Require,
    /// `RTP/AVP` with keys in an offer; encrypted if the peer wants it.
    #[default]
    Support,
    /// `RTP/AVP` without keys in an offer; nothing encrypted is accepted.
    DoNotSupport,
}

/// A bound on all streams of one label together, in kbit/s; see
/// [`MediaBandwidth`](crate::attribute::MediaBandwidth).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelBandwidth {
    /// Of which streams.
    pub label: Label<'static>,
    /// What we send at most.
    pub send: u32,
    /// What we take at most.
    pub recv: u32,
}

/// How a session negotiates.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether media is encrypted.
    pub encryption: EncryptionPolicy,
    /// Whether `encryption:required` or `encryption:rejected` is written. Default no.
    pub encryption_attribute: bool,
    /// Our side of \[MS-SSRTP\], if the program has it: `cryptoscale` lines are offered and taken. Default none.
    pub scale: Option<ScaleRole>,
    /// Whether keys with an identifier (MKI) are offered and taken. Default yes.
    pub mki: bool,
    /// The lifetime behind our keys. Default `2^31`: SIPE takes no key without one.
    pub lifetime: Option<Lifetime>,
    /// Whether RTCP may share the address of RTP. Default yes; never without ICE of \[MS-ICE2\].
    pub rtcp_mux: bool,
    /// The devices of the program; none in a conferencing server. Default a microphone, a loudspeaker, a camera and a screen.
    pub device_caps: Option<DeviceCaps>,
    /// `b=CT`, in kbit/s. Default 99980, which is no bound.
    pub bandwidth: u64,
    /// `x-mediabw`. Those of labels that the description does not have are left out.
    pub media_bandwidth: Vec<LabelBandwidth>,
    /// Whether `sendrecv` is written always, and not only after another direction. Default no.
    pub explicit_sendrecv: bool,
    /// Bounds of the descriptions that are made here.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        let both = Some(Flow {
            send: true,
            recv: true,
        });
        Self {
            encryption: EncryptionPolicy::Support,
            encryption_attribute: false,
            scale: None,
            mki: true,
            lifetime: Some(Lifetime::PRODUCTS),
            rtcp_mux: true,
            device_caps: Some(DeviceCaps {
                audio: both,
                video: both,
            }),
            bandwidth: Bandwidth::UNBOUNDED,
            media_bandwidth: Vec::new(),
            explicit_sendrecv: false,
            limits: Limits::default(),
        }
    }
}
