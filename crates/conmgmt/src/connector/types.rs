//! What goes into a [`Connector`](super::Connector) and comes out of it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ocs_sip_core::Transport;

use crate::discovery::{DiscoveryConfig, Failure, Query, Source};
use crate::{BackoffConfig, CertificateNames, Error, Server, redirect};

/// One attempt to connect and the connection that came of it. Reports about older attempts are ignored, so
/// the owner need not care about results that cross with a [`Output::Close`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

/// How a [`Connector`](super::Connector) behaves.
#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    /// How servers are found.
    pub discovery: DiscoveryConfig,
    /// Delays between rounds.
    pub backoff: BackoffConfig,
    /// Redirects in a row, 0 to 5; 3 (inferred).
    pub redirects: u8,
    /// TCP and TLS to one address must be up after this; 10 s (a choice of this crate).
    pub connect_timeout: Duration,
    /// Rounds through all servers before the first registration gives up; 1: the user waits.
    pub first_rounds: u32,
    /// Rounds before giving up once registered; `None`, never.
    pub reconnect_rounds: Option<u32>,
}

impl ConnectorConfig {
    /// The defaults with this discovery.
    pub fn new(discovery: DiscoveryConfig) -> Self {
        Self {
            discovery,
            backoff: BackoffConfig::default(),
            redirects: redirect::DEFAULT_LIMIT,
            connect_timeout: Duration::from_secs(10),
            first_rounds: 1,
            reconnect_rounds: None,
        }
    }
}

/// What the owner must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Look up, then [`handle_answer`](super::Connector::handle_answer).
    Resolve(Query),
    /// Connect, with TLS if so, then [`handle_connected`](super::Connector::handle_connected) or one of the failures.
    Connect {
        /// To be given back with every report.
        attempt: AttemptId,
        /// TLS or TCP.
        transport: Transport,
        /// For SNI and the check of the certificate; the text of an address when there is no name.
        host: String,
        /// Where to.
        address: IpAddr,
        /// TCP port.
        port: u16,
    },
    /// Close, or stop connecting.
    Close {
        /// Which.
        attempt: AttemptId,
    },
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Connected: negotiate compression and register.
    Ready(Connection),
    /// Send the REGISTER again that got a 504.
    RetryRequest {
        /// On which connection.
        attempt: AttemptId,
    },
    /// A redirect was not followed; the next server is tried.
    RedirectRefused(Error),
    /// Nothing to do until then.
    Waiting {
        /// When the next round begins.
        until: Instant,
    },
    /// All servers were tried often enough. [`start`](super::Connector::start) begins anew.
    GaveUp {
        /// What was tried in the last round, in order. Empty: nothing was found at all.
        failures: Vec<Failure>,
    },
}

/// A connection that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its attempt.
    pub attempt: AttemptId,
    /// Transport, name and port.
    pub server: Server,
    /// The address in use.
    pub address: IpAddr,
    /// Where the server came from.
    pub source: Source,
    /// As [`Candidate::in_domain`](crate::Candidate::in_domain).
    pub in_domain: bool,
}

/// Whom the connection leads to.
#[derive(Debug, Clone, Copy)]
pub enum Peer<'a> {
    /// Plain TCP, nobody was checked.
    Plain,
    /// The TLS stack has checked chain and name.
    Verified,
    /// The TLS stack has checked the chain; these are the names to check.
    Names(&'a CertificateNames),
}
