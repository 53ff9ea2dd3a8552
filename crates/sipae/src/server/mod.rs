//! The server's side: challenges clients, verifies what they send, signs what is sent to them (\[MS-SIPAE\] 3.3).
//!
//! Give every request to [`authenticate`](Server::authenticate) and every response of a client to
//! [`verify_response`](Server::verify_response); [`sign`](Server::sign) everything that goes to a client with an association; tell
//! when a connection is gone.

mod authenticate;
mod config;
mod endpoint;
mod handshake;
mod tables;
mod types;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocs_sip_core::header::HttpDate;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method, WallClock};
use rand_core::CryptoRng;

use crate::association::Scratch;
use crate::headers::{Challenge, Info};
use crate::{Error, Version};

pub use config::{Limits, Policy, SameName, ServerConfig};
pub use endpoint::{EndpointId, EndpointKey};
use tables::{Established, Tables};
pub use types::{AssociationId, Discard, End, Event, Forbidden, Identity, Outcome};

/// All security associations of a server.
pub struct Server {
    config: ServerConfig,
    /// Target names of the schemes, in their order.
    targets: Vec<Arc<str>>,
    realm: Arc<str>,
    wall_clock: WallClock,
    rng: Box<dyn CryptoRng + Send>,
    tables: Tables,
    scratch: Scratch,
    events: VecDeque<Event>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("config", &self.config)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// A server without associations.
    #[must_use]
    pub fn new(
        config: ServerConfig,
        wall_clock: WallClock,
        rng: impl CryptoRng + Send + 'static,
    ) -> Self {
        let targets = config
            .schemes
            .iter()
            .map(|scheme| scheme.targetname(&config.targetname).into())
            .collect();
        Self {
            targets,
            realm: config.realm.as_str().into(),
            config,
            wall_clock,
            rng: Box::new(rng),
            tables: Tables::default(),
            scratch: Scratch::default(),
            events: VecDeque::new(),
        }
    }

    /// Tells that the system's clock was set.
    pub fn set_wall_clock(&mut self, wall_clock: WallClock) {
        self.wall_clock = wall_clock;
    }

    /// The association of an endpoint, for a message to it.
    #[must_use]
    pub fn find(&self, key: &EndpointKey) -> Option<AssociationId> {
        self.tables.find(key)
    }

    /// Who stands behind an association; `None` once it has ended.
    #[must_use]
    pub fn identity(&self, association: AssociationId) -> Option<&Arc<Identity>> {
        Some(&self.tables.get(association)?.identity)
    }

    /// The connection of an association.
    #[must_use]
    pub fn connection(&self, association: AssociationId) -> Option<ConnectionId> {
        Some(self.tables.get(association)?.connection)
    }

    /// The protocol version of an association.
    #[must_use]
    pub fn version(&self, association: AssociationId) -> Option<Version> {
        Some(self.tables.get(association)?.association.version)
    }

    /// How many associations there are.
    #[must_use]
    pub fn associations(&self) -> usize {
        self.tables.len()
    }

    /// How many handshakes are under way.
    #[must_use]
    pub fn half_open(&self) -> usize {
        self.tables.half_open_len()
    }

    /// Lets an association be found under another identifier of its endpoint: the GRUU that the registrar gave it. Says whether that was
    /// possible: the association must stand and be of the same user.
    pub fn bind(&mut self, association: AssociationId, key: EndpointKey) -> bool {
        self.tables.alias(association, key)
    }

    /// Ends an association, as when its registration is taken away.
    pub fn remove(&mut self, association: AssociationId) {
        if self.tables.get(association).is_some() {
            let ended = self.tables.remove(association.opaque());
            self.announce(ended, End::Removed);
        }
    }

    /// Ends everything that hangs on a connection.
    pub fn connection_closed(&mut self, connection: ConnectionId) {
        let ended = self.tables.remove_connection(connection);
        self.announce(ended, End::ConnectionClosed);
    }

    fn announce(&mut self, ended: impl IntoIterator<Item = Established>, reason: End) {
        self.events
            .extend(ended.into_iter().map(|ended| Event::Ended {
                association: ended.id,
                identity: ended.identity,
                reason,
            }));
    }

    /// Signs a request or response to the client of `association`, whose other headers must be final: adds Authentication-Info in the
    /// place of what was there. Says whether it did; 100, 401 and 407 are not signed.
    ///
    /// A signed 2xx to REGISTER with Expires prolongs the association until the registration ends, and 30 seconds. Fails
    /// with [`Error::NoAssociation`] once the association has ended: then the message goes out unsigned.
    pub fn sign(
        &mut self,
        now: Instant,
        association: AssociationId,
        message: &mut Message,
    ) -> Result<bool, Error> {
        message.remove_all(&[
            HeaderName::AuthenticationInfo,
            HeaderName::ProxyAuthenticationInfo,
        ]);
        if matches!(message.status(), Some(100 | 401 | 407)) {
            return Ok(false);
        }
        let established = self
            .tables
            .get_mut(association)
            .ok_or(Error::NoAssociation)?;
        let association = &mut established.association;
        let signed = association.sign(message, &mut self.scratch.buffer, &mut *self.rng)?;
        let hex = signed.hex();
        self.scratch.header.clear();
        Info {
            scheme: association.scheme,
            scheme_text: association.scheme.as_str(),
            realm: &association.realm,
            targetname: &association.targetname,
            opaque: Some(&association.opaque),
            version: association.version.number(),
            signature: signed.params(&hex),
        }
        .write(&mut self.scratch.header);
        message.push(HeaderName::AuthenticationInfo, &self.scratch.header);
        if let Some(expires) = registration(message) {
            established.idle_at = established.idle_at.max(now + expires + REGISTRATION_SLACK);
        }
        Ok(true)
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. Verified messages push deadlines on without a
    /// change here, so that there may be less to do than it seems.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tables.next_timeout()
    }

    /// Ends what has expired. Costs by what has, not by what there is.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(ended) = self.tables.expire(now) {
            let lifetime = ended.expires_at <= now;
            let reason = if lifetime { End::Lifetime } else { End::Idle };
            self.announce([ended], reason);
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// 32 hexadecimal digits, as servers of this system write To tags.
    fn new_tag(&mut self) -> String {
        let mut octets = [0; 16];
        self.rng.fill_bytes(&mut octets);
        hex::encode_upper(octets)
    }

    /// A 401 with one challenge for each scheme.
    fn challenge(&mut self, now: Instant, request: &Message) -> Message {
        let mut response = self.unauthorized(now, request);
        for (scheme, target) in self.config.schemes.iter().zip(&self.targets) {
            self.scratch.header.clear();
            Challenge {
                scheme: scheme.scheme(),
                realm: &self.realm,
                targetname: target,
                version: self.config.version.number(),
                opaque: None,
                gssapi_data: None,
                sts_uri: scheme.sts_uri(),
            }
            .write(&mut self.scratch.header);
            response.push(HeaderName::WwwAuthenticate, &self.scratch.header);
        }
        response
    }

    /// A 401 with a date and without challenges.
    fn unauthorized(&mut self, now: Instant, request: &Message) -> Message {
        let tag = self.new_tag();
        let date = HttpDate(self.wall_clock.at(now)).to_string();
        Message::response_to(request, 401, Some(&tag)).with(HeaderName::Date, &date)
    }
}

/// How much longer than the registration its association lasts.
const REGISTRATION_SLACK: Duration = Duration::from_secs(30);

/// The Expires of a 2xx to REGISTER.
fn registration(message: &Message) -> Option<Duration> {
    let registered = matches!(message.status(), Some(200..=299))
        && message.cseq().ok()?.method() == Method::Register;
    let seconds = message
        .number(HeaderName::Expires)
        .ok()?
        .filter(|_| registered)?;
    // A year is more than any lifetime; the sum with an Instant stays representable.
    Some(Duration::from_secs(u64::from(seconds.min(365 * 86_400))))
}
