//! Who signs in, and how.

use std::time::Duration;

use ocs_conmgmt::{ConnectorConfig, DiscoveryConfig};
use ocs_ntlm::Credential;
use ocs_sip_core::{Aor, Limits, WallClock};
use ocs_sipcomp::InitiatorConfig;
use ocs_sipre::Epid;

/// Configuration of a [`UserAgent`](crate::UserAgent).
#[derive(Debug, Clone)]
pub struct Config {
    /// The user.
    pub aor: Aor,
    /// The account's domain, NetBIOS or DNS; empty when `user` is a user principal name.
    pub domain: String,
    /// The account's name.
    pub user: String,
    /// The account's password or its hash.
    pub credential: Credential,
    /// The name of this machine, told to the server in the NTLM handshake.
    pub workstation: String,
    /// The endpoint identifier: stable over restarts on one device (\[MS-SIPRE\] 2.2.7).
    pub epid: Epid,
    /// How the server is found and reconnected to.
    pub connector: ConnectorConfig,
    /// Whether compression is asked for; off by default.
    pub compression: InitiatorConfig,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Whether to ask for a GRUU. Default true.
    pub gruu: bool,
    /// Whether incoming conversations are accepted at once. Otherwise
    /// [`accept`](crate::UserAgent::accept) and [`decline`](crate::UserAgent::decline) decide. Default true.
    pub auto_accept: bool,
    /// How long an incoming conversation waits before it is accepted by itself, so that
    /// a more active endpoint of the user can take it (\[MS-OCSPROT\] 2.5.11). Default zero.
    pub accept_delay: Duration,
    /// Conversations at a time; a further incoming one is refused with 486. Default 1000.
    pub conversations: usize,
    /// Bounds on what is taken in.
    pub limits: Limits,
    /// Wall-clock time, for NTLM time stamps.
    pub clock: WallClock,
}

impl Config {
    /// The defaults for a user whose account is called like the user part of his address, in the domain's first label.
    #[must_use]
    pub fn new(aor: Aor, credential: Credential, epid: Epid, clock: WallClock) -> Self {
        let domain = aor.domain();
        Self {
            domain: domain.split('.').next().unwrap_or(domain).to_uppercase(),
            user: aor.user().to_owned(),
            credential,
            workstation: "OCSPROTO".into(),
            epid,
            connector: ConnectorConfig::new(DiscoveryConfig::new(domain)),
            compression: InitiatorConfig::default(),
            user_agent: concat!("ocsproto/", env!("CARGO_PKG_VERSION")).into(),
            gruu: true,
            auto_accept: true,
            accept_delay: Duration::ZERO,
            conversations: 1000,
            limits: Limits::default(),
            clock,
            aor,
        }
    }
}
