//! What a client asks for, gets and tells.

use std::net::IpAddr;
use std::time::Instant;

use ocs_sip_core::uri::Host;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_xml::SmolStr;

use crate::document::check_sip_uri;
use crate::document::{
    CredentialsResponse, Location, MediaRelay, Minutes, ReasonPhrase, Route, Version,
};
use crate::{CONTENT_TYPE, Error, Limits, Password, Username};

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The user's own SIP URI.
    pub identity: String,
    /// The server: `mrasUri` of in-band provisioning (\[MS-SIPREGE\]), parameters and all.
    pub mras_uri: String,
    /// [`Location::Internet`] for who is registered through an Edge, [`Location::Intranet`] for others; `None` for all relays.
    pub location: Option<Location>,
    /// How long credentials are to be valid; 8 hours.
    pub duration: Minutes,
    /// The highest version to speak; [`Version::V2`], as Lync 2010 does.
    pub version: Version,
    /// How relays are to be named; [`Route::LoadBalanced`].
    pub route: Route,
}

impl Config {
    /// What a client of Lync 2010 asks for.
    #[must_use]
    pub fn new(identity: &str, mras_uri: &str, location: Location) -> Self {
        Self {
            identity: identity.to_owned(),
            mras_uri: mras_uri.to_owned(),
            location: Some(location),
            duration: Minutes::EIGHT_HOURS,
            version: Version::V2,
            route: Route::LoadBalanced,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_sip_uri("identity", &self.identity)?;
        check_sip_uri("mras uri", &self.mras_uri)
    }
}

/// A SERVICE to send: outside any dialog, by the way of the user's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The Request-URI, and that of To.
    pub uri: String,
    /// The body, of [`CONTENT_TYPE`].
    pub body: String,
}

impl Service {
    /// The request. `from` is the value of From with its tag and epid; Via, Max-Forwards, Call-ID, CSeq and Contact are the user agent's.
    #[must_use]
    pub fn into_message(self, from: &str) -> Message {
        Message::request(Method::Service, &self.uri)
            .with(HeaderName::From, from)
            .with(HeaderName::To, &format!("<{}>", self.uri))
            .with_body(CONTENT_TYPE, self.body)
    }
}

/// Credentials and where they are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The username for \[MS-TURN\].
    pub username: Username,
    /// Its password.
    pub password: Password,
    /// The realm, where the server says it. The relays say it too, and are right.
    pub realm: Option<String>,
    /// At least one, in the server's order.
    pub relays: Vec<Relay>,
    /// When new credentials are asked for: after nine tenths of the life (inferred).
    pub renew_at: Option<Instant>,
    /// When the credentials end, counted from the request on. `None` when that is beyond what this machine can tell.
    pub expires_at: Option<Instant>,
}

impl Access {
    pub(super) fn new(
        granted: CredentialsResponse,
        since: Instant,
        limits: &Limits,
    ) -> Option<Self> {
        let credentials = granted.credentials;
        let relays = granted.relays.relays.iter().filter_map(Relay::new);
        let relays: Vec<_> = relays.take(limits.relays).collect();
        if relays.is_empty() {
            return None;
        }
        let life = credentials.duration.duration();
        Some(Self {
            username: credentials.username,
            password: credentials.password,
            realm: credentials.realm,
            relays,
            renew_at: since.checked_add(life / 10 * 9),
            expires_at: since.checked_add(life),
        })
    }
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relay {
    /// From where it is reached.
    pub location: Location,
    /// Where it is.
    pub host: RelayHost,
    /// Its UDP port, if it has UDP.
    pub udp_port: Option<u16>,
    /// Its port of TCP with pseudo-TLS, if it has that.
    pub tcp_port: Option<u16>,
}

/// A name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RelayHost {
    /// To be looked up.
    Name(SmolStr),
    /// To be used.
    Address(IpAddr),
}

impl Relay {
    /// `None` for one that cannot be reached by anything.
    fn new(relay: &MediaRelay) -> Option<Self> {
        let host = match relay.host()? {
            Host::Name(name) => RelayHost::Name(name.into()),
            Host::Address(address) => RelayHost::Address(address),
        };
        let port = |port: Option<u16>| port.filter(|port| *port != 0);
        let (udp_port, tcp_port) = (port(relay.udp_port), port(relay.tcp_port));
        (udp_port.is_some() || tcp_port.is_some()).then_some(Self {
            location: relay.location,
            host,
            udp_port,
            tcp_port,
        })
    }
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There are new credentials: [`RelayClient::access`](super::RelayClient::access).
    Granted,
    /// A request gave none. Those that there are stay valid until they end.
    Failed(Failure),
    /// The credentials have ended, and no new ones came. Calls work without relay.
    Expired,
}

/// Why a request gave no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer; `None` if there was none.
    pub status: Option<u16>,
    /// What the server's document says.
    pub reason: Option<ReasonPhrase>,
    /// The same for people.
    pub explanation: String,
    /// When it is tried again; `None` if that makes no sense.
    pub retry_at: Option<Instant>,
}
