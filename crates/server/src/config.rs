//! How a front end behaves.

use std::time::Duration;

use ocs_conmgmt::ServerKeepAliveConfig;
use ocs_sip_core::transaction::Timers;
use ocs_sip_core::{Limits, Transport, WallClock};
use ocs_sipae::Version;
use ocs_sipcomp::AcceptorConfig;
use ocs_sipre::route::RouterConfig;
use ocs_siprege::registrar;

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
            registrar: registrar::Config {
                // Packages and features are announced when they are served.
                allow_events: String::new(),
                supported: Vec::new(),
                ..registrar::Config::new(fqdn)
            },
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

    /// `host:port` of this server's Via.
    pub(crate) fn sent_by(&self) -> String {
        format!("{}:{}", self.router.host, self.router.port)
    }
}
