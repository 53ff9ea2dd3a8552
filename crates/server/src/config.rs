//! How a front end behaves.

use std::sync::Arc;
use std::time::Duration;

use ocs_avedgea::server::RelayAuthentication;
use ocs_conmgmt::ServerKeepAliveConfig;
use ocs_pres::grammar::ContainerManifestList;
use ocs_sip_core::subscription::NotifierPolicy;
use ocs_sip_core::transaction::Timers;
use ocs_sip_core::{Limits, Transport, WallClock};
use ocs_sipae::Version;
use ocs_sipcomp::AcceptorConfig;
use ocs_sipre::route::RouterConfig;
use ocs_siprege::location::LocationProfileDescription;
use ocs_siprege::mcu::McuList;
use ocs_siprege::provisioning::{
    EndpointConfiguration, MeetingPolicy, ProvisionGroup, PublicationGrammar, ServerConfiguration,
    UcPolicy, UserSetting,
};
use ocs_siprege::soap::SearchAnswer;
use ocs_siprege::{acl, contacts, provisioning, registrar};
use ocs_xml::Raw;

/// Configuration of a [`FrontEnd`](crate::FrontEnd).
#[derive(Debug, Clone)]
pub struct Config {
    /// FQDN of the server: `targetname` of \[MS-SIPAE\], `source` of diagnostics.
    pub fqdn: String,
    /// NetBIOS name of the domain, told to clients in NTLM challenges.
    pub netbios_domain: String,
    /// The protection space. Default `SIP Communications Service`.
    pub realm: String,
    /// The highest version of \[MS-SIPAE\] that is offered. Default 4.
    pub version: Version,
    /// Names, domains and port for Record-Route.
    pub router: RouterConfig,
    /// Registrations.
    pub registrar: registrar::Config,
    /// What clients are told of the pool: in-band provisioning.
    pub provisioning: provisioning::Config,
    /// Dial plans. The first is the one of users who have none of their own.
    pub location_profiles: Vec<LocationProfileDescription>,
    /// In what users may have conferences. Nothing by default.
    pub mcus: McuList,
    /// Who gives credentials for the relays (\[MS-AVEDGEA\]): keys, relays, how long. None by default: there is no Edge.
    ///
    /// Clients are told its address, which is made of its name, unless `ServerConfiguration` names another `mrasUri`. It answers over TLS only,
    /// because the password is in clear in the answer.
    pub media_relay: Option<RelayAuthentication>,
    /// Name of the agent to which clients report the quality of their calls (\[MS-QoE\]), usually that of the pool; all servers of a pool name the
    /// same. None by default: nobody is asked to report, because private data stand in reports.
    ///
    /// Clients are told its address, which is made of the name, unless `ServerConfiguration` names another `qosUri`.
    pub quality_agent: Option<String>,
    /// Rules and bounds of presence.
    pub presence: ocs_pres::server::Policy,
    /// How long a client of 2005 that says nothing of its user is taken for a sign that he is there: 3 to 15 minutes in LCS. Default 15.
    pub legacy_silence: Duration,
    /// Lifetimes of subscriptions, and how their notifications go out.
    pub subscription: NotifierPolicy,
    /// Subscriptions of one connection; further ones are refused with 503. Default 64.
    pub subscriptions: usize,
    /// Bounds of a list of contacts.
    pub contacts: contacts::Limits,
    /// Bounds of an access list.
    pub access_lists: acl::Limits,
    /// Entries of an answer to a search in the directory. Default 100.
    pub search_results: u32,
    /// Bounds of XML bodies.
    pub documents: ocs_xml::Limits,
    /// Keep-alive, idle and authentication timers of connections.
    pub keep_alive: ServerKeepAliveConfig,
    /// Bounds on handshakes and security associations.
    pub authentication: ocs_sipae::server::Limits,
    /// Compression; off by default.
    pub compression: AcceptorConfig,
    /// Bounds on messages.
    pub limits: Limits,
    /// Transaction timers.
    pub timers: Timers,
    /// How long an INVITE may ring before it is cancelled and answered 408. Default 3 minutes (RFC 3261 16.6, timer C).
    pub ring: Duration,
    /// Connections that are taken at a time; further ones are closed at once. Default 100,000.
    pub connections: usize,
    /// Octets that may wait for a client that does not read; above it the connection is closed. Default 1 MiB.
    pub backlog: usize,
    /// The `Server` header. Clients choose features by the version in it (`RTC/6.0` is Skype for Business).
    pub server: String,
    /// Wall-clock time.
    pub clock: WallClock,
}

/// What clients are told when a deployment says nothing else: that there is such a group, and the rules of presence.
fn groups() -> Vec<ProvisionGroup> {
    let containers = Raw::of(&ContainerManifestList::standard());
    vec![
        ServerConfiguration::default().into(),
        MeetingPolicy::default().into(),
        UcPolicy::default().into(),
        UserSetting::default().into(),
        EndpointConfiguration::default().into(),
        PublicationGrammar {
            container_manifest_list: Some(containers),
            ..PublicationGrammar::default()
        }
        .into(),
    ]
}

impl Config {
    /// The defaults for a server `fqdn` of the SIP domain `domain` that is reached over `transport` on `port`.
    #[must_use]
    pub fn new(
        fqdn: &str,
        domain: &str,
        transport: Transport,
        port: u16,
        clock: WallClock,
    ) -> Self {
        let first = domain.split('.').next().unwrap_or(domain);
        Self {
            fqdn: fqdn.to_owned(),
            netbios_domain: first.to_uppercase(),
            realm: "SIP Communications Service".to_owned(),
            version: Version::V4,
            router: RouterConfig {
                port,
                transport,
                ..RouterConfig::new(fqdn, domain)
            },
            registrar: registrar::Config::new(fqdn),
            provisioning: provisioning::Config::new(fqdn, groups()),
            location_profiles: Vec::new(),
            mcus: McuList::default(),
            media_relay: None,
            quality_agent: None,
            presence: ocs_pres::server::Policy {
                aggregate: Some(Arc::new(ocs_pres::aggregate::Standard::default())),
                ..ocs_pres::server::Policy::default()
            },
            legacy_silence: Duration::from_secs(15 * 60),
            subscription: NotifierPolicy::new([] as [&str; 0]),
            subscriptions: 64,
            contacts: contacts::Limits::default(),
            access_lists: acl::Limits::default(),
            search_results: SearchAnswer::LIMIT,
            documents: ocs_xml::Limits::default(),
            keep_alive: ServerKeepAliveConfig::default(),
            authentication: ocs_sipae::server::Limits::default(),
            compression: AcceptorConfig::default(),
            limits: Limits::default(),
            timers: Timers::default(),
            ring: Duration::from_secs(180),
            connections: 100_000,
            backlog: 1024 * 1024,
            server: "RTC/6.0".to_owned(),
            clock,
        }
    }

    /// The Contact of this server.
    pub(crate) fn contact(&self) -> String {
        let transport = self.router.transport.to_string().to_ascii_lowercase();
        format!("<sip:{};transport={transport}>", self.sent_by())
    }

    /// `host:port` of this server's Via.
    pub(crate) fn sent_by(&self) -> String {
        format!("{}:{}", self.router.host, self.router.port)
    }
}
