//! Who signs in, and how.

use std::time::Duration;

use ocs_conmgmt::{ConnectorConfig, DiscoveryConfig};
use ocs_ntlm::Credential;
use ocs_pres::category::Service;
use ocs_sip_core::{Aor, Limits, WallClock};
use ocs_sipcomp::InitiatorConfig;
use ocs_sipre::Epid;
use ocs_siprege::provisioning::{GroupName, View};
use ocs_xml::SmolStr;

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
    /// How calls are made and taken.
    pub calls: Calls,
    /// What is asked for and published after signing in.
    pub bootstrap: Bootstrap,
    /// Bounds on what is taken in.
    pub limits: Limits,
    /// Wall-clock time, for NTLM time stamps.
    pub clock: WallClock,
}

/// How a client makes and takes calls.
#[derive(Debug, Clone)]
pub struct Calls {
    /// Whether the application takes calls: it is told of them by [`Event::CallInvited`](crate::Event::CallInvited). Otherwise they are
    /// refused with 488, as by an endpoint without media. Default false.
    pub accept: bool,
    /// Calls at a time; a further incoming one is refused with 486. Default 100.
    pub limit: usize,
    /// Whether the server's configuration says if media is encrypted, in place of `call`. Default true.
    pub encryption_of_server: bool,
    /// The rest; Contact and User-Agent are the user agent's.
    pub call: ocs_call::Config,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            accept: false,
            limit: 100,
            encryption_of_server: true,
            call: ocs_call::Config::new(""),
        }
    }
}

/// What a client does once it is registered (\[MS-OCSPROT\] 2.5.3). Each part is left out too when the server does not offer it.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// Ask for the server's configuration. Default true.
    pub provisioning: bool,
    /// Which groups of it. Default all that [`View`](ocs_siprege::provisioning::View) looks at.
    pub provisioning_groups: Vec<GroupName>,
    /// Subscribe to the contact list. Default true.
    pub contacts: bool,
    /// Subscribe to the user's own presence, publish the endpoint's, and watch that of the contacts. Default true; without it the
    /// registration does not announce presence either.
    pub presence: bool,
    /// Which categories of others are watched. Default those of Microsoft's clients.
    pub categories: Vec<SmolStr>,
    /// Ask for the user's location profile, which is the dial plan. Default true.
    pub location_profile: bool,
    /// Ask the focus factory for its conferencing servers. Default true.
    pub conferencing: bool,
    /// Ask for credentials of the media relay (\[MS-AVEDGEA\]), and renew them before they end. Default true.
    pub media_relay: bool,
    /// Put colleagues and federated users into their containers when the user has signed in for the first time. Default true.
    pub first_members: bool,
    /// Acknowledge everybody who adds the user to his contacts, as programs without a user do. Default false: see
    /// [`Event::SubscriberPending`](crate::Event::SubscriberPending).
    pub acknowledge: bool,
    /// What the endpoint can do, as it publishes it. Default instant messages.
    pub services: Vec<Service>,
    /// The offset of local time in the published device, as `00:00:00+01:00`. Default UTC.
    pub timezone: SmolStr,
}

impl Default for Bootstrap {
    fn default() -> Self {
        let categories = ["calendarData", "contactCard", "note", "services", "state"];
        Self {
            provisioning: true,
            provisioning_groups: View::GROUPS.to_vec(),
            contacts: true,
            presence: true,
            categories: categories.into_iter().map(SmolStr::new_static).collect(),
            location_profile: true,
            conferencing: true,
            media_relay: true,
            first_members: true,
            acknowledge: false,
            services: vec![Service::Text],
            timezone: SmolStr::new_static("00:00:00+00:00"),
        }
    }
}

impl Bootstrap {
    /// Nothing: the endpoint is registered, and that is all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            provisioning: false,
            contacts: false,
            presence: false,
            location_profile: false,
            conferencing: false,
            media_relay: false,
            ..Self::default()
        }
    }
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
            calls: Calls::default(),
            bootstrap: Bootstrap::default(),
            limits: Limits::default(),
            clock,
            aor,
        }
    }
}
