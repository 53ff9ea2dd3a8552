//! Queries, answers, candidates and the configuration of discovery.

use std::net::IpAddr;
use std::time::Duration;

use ocs_sip_core::Transport;

use super::{NameSet, SrvRecord};
use crate::{NamingPolicy, Server};

/// What the owner of a [`Discovery`](super::Discovery) has to look up. Names are in lower case without final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Query {
    /// GET this URL and follow \[MS-OCDISCWS\] to the SIP access points. The user's `sipuri` parameter is the owner's
    /// to add.
    Autodiscover(String),
    /// SRV records of this name.
    Srv(String),
    /// A and AAAA records of this name, aliases followed.
    Address(String),
}

/// What the owner found. An error, or no such name, is the empty answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Query::Autodiscover`].
    Autodiscover(AutodiscoverAnswer),
    /// To [`Query::Srv`].
    Srv(Vec<SrvRecord>),
    /// To [`Query::Address`].
    Address(Vec<IpAddr>),
}

impl Answer {
    /// The empty answer to this query.
    pub fn none(query: &Query) -> Self {
        match query {
            Query::Autodiscover(_) => Self::Autodiscover(AutodiscoverAnswer::default()),
            Query::Srv(_) => Self::Srv(Vec::new()),
            Query::Address(_) => Self::Address(Vec::new()),
        }
    }
}

/// `AccessLocation` of an autodiscover response: where the server saw the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Inside the organisation's network.
    Internal,
    /// Outside it.
    External,
}

/// The SIP access points of an autodiscover response (\[MS-OCDISCWS\]), host and port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AutodiscoverAnswer {
    /// `AccessLocation`. Absent: internal from `lyncdiscoverinternal`, external from `lyncdiscover` (inferred).
    pub access_location: Option<Access>,
    /// `SipClientInternalAccess`.
    pub internal: Option<(String, u16)>,
    /// `SipClientExternalAccess`.
    pub external: Option<(String, u16)>,
    /// Whether the response came over HTTPS from a host that proved to be the one that was asked. Otherwise the
    /// names are subject to the [`NamingPolicy`] as those from DNS.
    pub authenticated: bool,
}

/// A server from DHCP option 120 (RFC 3361): a name (encoding 0) or an address (encoding 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DhcpServer {
    /// Encoding 0.
    Name(String),
    /// Encoding 1. Strict naming refuses it: an address is in no domain.
    Address(IpAddr),
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Configured by hand.
    Manual,
    /// The server that worked before the connection was lost.
    LastGood,
    /// A 301.
    Redirect,
    /// Autodiscover, with which access point.
    Autodiscover(Access),
    /// DHCP option 120.
    Dhcp,
    /// An SRV record of this name.
    Srv(String),
    /// A well-known host name that has an address.
    HostName,
}

/// A server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// How to connect.
    pub transport: Transport,
    /// The name that the certificate must carry, or the text of an address.
    pub host: String,
    /// Where to connect to, in the order of the resolver; never empty.
    pub addresses: Vec<IpAddr>,
    /// TCP port.
    pub port: u16,
    /// Why it is a candidate.
    pub source: Source,
    /// Whether the name is in the SIP domain. `false` for what was configured elsewhere or let through by
    /// [`NamingPolicy::Suffix`] and [`NamingPolicy::Any`]: an application may ask its user.
    pub in_domain: bool,
}

impl Candidate {
    /// Transport, host and port.
    pub fn server(&self) -> Server {
        Server {
            transport: self.transport,
            host: self.host.clone(),
            port: self.port,
        }
    }
}

/// A server that did not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub server: Server,
    /// Where it came from.
    pub source: Source,
    /// What happened.
    pub reason: FailureReason,
}

/// Why a server was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The name has no address.
    Unresolved,
    /// The [`NamingPolicy`] refuses the name.
    NameRefused,
    /// TCP or TLS did not come up.
    ConnectFailed,
    /// Nothing happened in time.
    TimedOut,
    /// The certificate is for another name.
    CertificateMismatch,
    /// The connection ended before the registration succeeded.
    ConnectionLost,
    /// A redirect that could not be followed.
    BadRedirect,
    /// The server answered with this status.
    Unavailable(u16),
}

/// Bounds of what discovery keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// SRV records used of one answer; 32. Selection is quadratic in it.
    pub srv_records: usize,
    /// Addresses used of one answer; 16.
    pub addresses: usize,
    /// Servers tried (and failures remembered) in one run; 64.
    pub servers: usize,
    /// DHCP servers used; 8.
    pub dhcp_servers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            srv_records: 32,
            addresses: 16,
            servers: 64,
            dhcp_servers: 8,
        }
    }
}

/// How to discover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryConfig {
    /// The user's SIP domain: what follows the `@`.
    pub domain: String,
    /// A configured server overrides everything else; plain TCP needs no `allow_tcp` here.
    pub manual: Option<Server>,
    /// What DHCP option 120 gave, if the owner asked. Considered after SRV and before host names; the place is
    /// (inferred), the specification's text on it is not known.
    pub dhcp: Vec<DhcpServer>,
    /// Ask `lyncdiscoverinternal` and `lyncdiscover` first, as clients from Lync 2010 CU4 do. Default false.
    pub autodiscover: bool,
    /// Plain TCP may be used. Default false: credentials would be readable.
    pub allow_tcp: bool,
    /// Which names are tried.
    pub names: NameSet,
    /// Which names are accepted.
    pub naming: NamingPolicy,
    /// A DNS query without answer for this long has none; 5 s (a choice of this crate).
    pub query_timeout: Duration,
    /// Likewise for an autodiscover query; 10 s (a choice of this crate).
    pub autodiscover_timeout: Duration,
    /// Bounds.
    pub limits: Limits,
}

impl DiscoveryConfig {
    /// The product's way for this domain.
    pub fn new(domain: impl Into<String>) -> Self {
        Self {
            domain: domain.into(),
            manual: None,
            dhcp: Vec::new(),
            autodiscover: false,
            allow_tcp: false,
            names: NameSet::default(),
            naming: NamingPolicy::default(),
            query_timeout: Duration::from_secs(5),
            autodiscover_timeout: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}
