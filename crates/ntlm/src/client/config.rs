//! How a client is configured.

use crate::{Credential, DatagramSealKey, Limits, Mode, NegotiateFlags, Version};

/// What a client sends as LM response beside an NTLMv2 response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LmPolicy {
    /// The LMv2 response, always: what clients of OCS do.
    #[default]
    Computed,
    /// 24 zero bytes if the challenge carries a timestamp, else the LMv2
    /// response: [MS-NLMP] 3.1.5.1.2, connection mode.
    ZeroIfTimestamp,
    /// Nothing if the challenge carries `TargetInfo`, else the LMv2 response:
    /// [MS-NLMP] 3.1.5.2.1, connectionless mode.
    AbsentIfTargetInfo,
}

/// How a client authenticates. Begin with [`sip`](Self::sip) or
/// [`http`](Self::http) and change what differs.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Connectionless (SIP) or connection (HTTP).
    pub mode: Mode,
    /// The user, as the server knows it. A UPN (`user@dns.domain`) goes here
    /// with an empty `domain` (recalled).
    pub user: String,
    /// NetBIOS or DNS domain of the user, as typed: its case counts.
    pub domain: String,
    /// Name of the own machine, usually its host name in upper case.
    pub workstation: String,
    /// The password's hashes; `None` makes the client ANONYMOUS, and then
    /// `user` and `domain` do not count.
    pub credential: Option<Credential>,
    /// What the client is able to do. REQUEST_TARGET is added where it is due.
    pub flags: NegotiateFlags,
    /// What the challenge must offer. EXTENDED_SESSIONSECURITY and 128-bit keys
    /// have fields of their own.
    pub required_flags: NegotiateFlags,
    /// `ClientRequire128bitEncryption`: refuse sessions with signing or
    /// sealing but without 128-bit keys. Default true.
    pub require_128: bool,
    /// Go on where the server does not offer extended session security.
    /// Default false.
    pub allow_no_ess: bool,
    /// Answer with NTLMv1 instead of NTLMv2. Default false.
    pub use_ntlmv1: bool,
    /// The reverse of `NoLMResponseNTLMv1`: with NTLMv1, answer with LM too
    /// if the credential has an LM hash. Default false.
    pub send_lm: bool,
    /// LM response beside NTLMv2.
    pub lm_policy: LmPolicy,
    /// Protect the handshake by a MIC if the challenge carries a timestamp.
    /// SIP clients do not; default true for HTTP.
    pub mic: bool,
    /// Channel bindings of the TLS connection, see
    /// [`channel_bindings_hash`](crate::channel_bindings_hash).
    pub channel_bindings: Option<[u8; 16]>,
    /// SPN of the server (`HTTP/fe01.contoso.com`) for `MsvAvTargetName`.
    pub target_name: Option<String>,
    /// Version to be shown.
    pub version: Version,
    /// Sealing key of connectionless sessions without extended session security.
    pub datagram_seal_key: DatagramSealKey,
    /// Limits of what is read.
    pub limits: Limits,
}

impl ClientConfig {
    /// Connectionless, as [MS-SIPAE] uses it: `TargetInfo` returned unchanged,
    /// a real LMv2 response, no MIC, signing with exchanged 128-bit key.
    pub fn sip(user: &str, domain: &str, credential: Credential) -> Self {
        Self {
            mode: Mode::Connectionless,
            user: user.to_owned(),
            domain: domain.to_owned(),
            workstation: String::new(),
            credential: Some(credential),
            flags: NegotiateFlags::SIP_CLIENT,
            required_flags: NegotiateFlags::UNICODE
                | NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN
                | NegotiateFlags::TARGET_INFO
                | NegotiateFlags::SIGN
                | NegotiateFlags::DATAGRAM
                | NegotiateFlags::KEY_EXCH,
            require_128: true,
            allow_no_ess: false,
            use_ntlmv1: false,
            send_lm: false,
            lm_policy: LmPolicy::Computed,
            mic: false,
            channel_bindings: None,
            target_name: None,
            version: Version::WINDOWS_XP,
            datagram_seal_key: DatagramSealKey::default(),
            limits: Limits::default(),
        }
    }

    /// Connection mode, as the HTTP services use it: authentication only, MIC
    /// and target name where the server is new enough.
    pub fn http(user: &str, domain: &str, credential: Credential) -> Self {
        Self {
            mode: Mode::Connection,
            flags: NegotiateFlags::HTTP_CLIENT,
            required_flags: NegotiateFlags::UNICODE
                | NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN
                | NegotiateFlags::TARGET_INFO,
            lm_policy: LmPolicy::ZeroIfTimestamp,
            mic: true,
            ..Self::sip(user, domain, credential)
        }
    }

    /// Asks for signing (`Integrity`) on a connection.
    pub fn with_sign(mut self) -> Self {
        self.flags |= NegotiateFlags::SIGN | NegotiateFlags::KEY_EXCH;
        self.required_flags |= NegotiateFlags::SIGN;
        self
    }

    /// Asks for encryption (`Confidentiality`) on a connection.
    pub fn with_seal(mut self) -> Self {
        let seal = NegotiateFlags::SIGN | NegotiateFlags::SEAL;
        self.flags |= seal | NegotiateFlags::KEY_EXCH;
        self.required_flags |= seal;
        self
    }
}
