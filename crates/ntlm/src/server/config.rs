//! How a server is configured.

use crate::{AvId, AvPairsBuilder, DatagramSealKey, Error, Limits, Mode, NegotiateFlags, Version};
use std::time::Duration;

/// What a challenge says as `TargetName`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TargetType {
    /// Nothing.
    #[default]
    None,
    /// The NetBIOS name of the domain.
    Domain,
    /// The NetBIOS name of the server.
    Server,
}

/// How a server authenticates clients. Begin with [`sip`](Self::sip) or
/// [`http`](Self::http) and change what differs.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Connectionless (SIP) or connection (HTTP).
    pub mode: Mode,
    /// `NbMachineName`: NetBIOS name of the server.
    pub nb_computer_name: String,
    /// `NbDomainName`: NetBIOS name of its domain.
    pub nb_domain_name: String,
    /// `DnsMachineName`; left out if empty.
    pub dns_computer_name: String,
    /// `DnsDomainName`; left out if empty.
    pub dns_domain_name: String,
    /// `DnsForestName`; left out if empty.
    pub dns_tree_name: String,
    /// What to say as `TargetName`.
    pub target_type: TargetType,
    /// `CfgFlg`: what to offer (connectionless) or to support (connection).
    pub flags: NegotiateFlags,
    /// What the client must choose. EXTENDED_SESSIONSECURITY and 128-bit keys
    /// have fields of their own. Without SIGN nothing protects what follows.
    pub required_flags: NegotiateFlags,
    /// `ServerRequire128bitEncryption`: refuse sessions with signing or
    /// sealing but without 128-bit keys. Default true.
    pub require_128: bool,
    /// Accept clients without extended session security. Default false.
    pub allow_no_ess: bool,
    /// Accept NTLMv1 responses. Default false.
    pub allow_ntlmv1: bool,
    /// Accept a right LM or LMv2 response where the NT response is wrong or
    /// absent. Default false.
    pub allow_lm: bool,
    /// Accept clients that ask to be ANONYMOUS; their signatures prove nothing.
    /// Default false.
    pub allow_anonymous: bool,
    /// Refuse clients that send no MIC. A MIC that is sent must be right in
    /// any case. Default false.
    pub require_mic: bool,
    /// Send the time in the challenge. OCS 2007 R2 does not; default true for
    /// HTTP.
    pub timestamp: bool,
    /// `MaxLifetime`: how far the time of an NTLMv2 response may be from the
    /// server's. Default 36 hours; `None` does not look at it.
    pub max_lifetime: Option<Duration>,
    /// Channel bindings that the client must have, see
    /// [`channel_bindings_hash`](crate::channel_bindings_hash). Default `None`:
    /// those of the client do not count.
    pub channel_bindings: Option<[u8; 16]>,
    /// Version to be shown.
    pub version: Version,
    /// Sealing key of connectionless sessions without extended session security.
    pub datagram_seal_key: DatagramSealKey,
    /// Limits of what is read.
    pub limits: Limits,
}

impl ServerConfig {
    /// Connectionless, as [MS-SIPAE] uses it: the challenge of OCS 2007 R2,
    /// clients must sign with an exchanged 128-bit key.
    pub fn sip(nb_computer_name: &str, nb_domain_name: &str) -> Self {
        Self {
            mode: Mode::Connectionless,
            nb_computer_name: nb_computer_name.to_owned(),
            nb_domain_name: nb_domain_name.to_owned(),
            dns_computer_name: String::new(),
            dns_domain_name: String::new(),
            dns_tree_name: String::new(),
            target_type: TargetType::None,
            flags: NegotiateFlags::OCS_2007_R2,
            required_flags: NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN
                | NegotiateFlags::SIGN
                | NegotiateFlags::DATAGRAM
                | NegotiateFlags::KEY_EXCH,
            require_128: true,
            allow_no_ess: false,
            allow_ntlmv1: false,
            allow_lm: false,
            allow_anonymous: false,
            require_mic: false,
            timestamp: false,
            max_lifetime: Some(Duration::from_hours(36)),
            channel_bindings: None,
            version: Version::WINDOWS_SERVER_2003,
            datagram_seal_key: DatagramSealKey::default(),
            limits: Limits::default(),
        }
    }

    /// Connection mode, as the HTTP services use it.
    pub fn http(nb_computer_name: &str, nb_domain_name: &str) -> Self {
        Self {
            mode: Mode::Connection,
            target_type: TargetType::Domain,
            flags: NegotiateFlags::CONNECTION_SERVER,
            required_flags: NegotiateFlags::NTLM,
            timestamp: true,
            ..Self::sip(nb_computer_name, nb_domain_name)
        }
    }

    /// Sets the DNS names that the challenge tells.
    pub fn with_dns_names(mut self, computer: &str, domain: &str, tree: &str) -> Self {
        computer.clone_into(&mut self.dns_computer_name);
        domain.clone_into(&mut self.dns_domain_name);
        tree.clone_into(&mut self.dns_tree_name);
        self
    }

    /// The names as AV pairs, in the order in which OCS 2007 R2 sends them.
    pub(super) fn target_info(&self) -> Result<AvPairsBuilder, Error> {
        let mut pairs = AvPairsBuilder::new()
            .text(AvId::NB_DOMAIN_NAME, &self.nb_domain_name)?
            .text(AvId::NB_COMPUTER_NAME, &self.nb_computer_name)?;
        for (id, name) in [
            (AvId::DNS_DOMAIN_NAME, &self.dns_domain_name),
            (AvId::DNS_COMPUTER_NAME, &self.dns_computer_name),
            (AvId::DNS_TREE_NAME, &self.dns_tree_name),
        ] {
            if !name.is_empty() {
                pairs = pairs.text(id, name)?;
            }
        }
        Ok(pairs)
    }
}
