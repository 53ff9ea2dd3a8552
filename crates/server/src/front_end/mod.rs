//! The front end: connections in, messages routed, everything signed.

mod address;
mod diagnostics;
mod input;
mod local;
mod output;
mod presence;
mod proxy;
mod quality;
mod relay;
mod services;
mod subscriptions;
mod users;

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use ocs_ntlm::HashVerifier;
use ocs_sip_core::admit::{Capabilities, Role};
use ocs_sip_core::transaction::{Flow, Layer};
use ocs_sip_core::{Aor, ConnectionId};
use ocs_sipae::Account;
use ocs_sipae::ntlm::NtlmServer;
use ocs_sipae::server::{self as sipae, Policy};
use ocs_sipre::route::{RouteKey, Router};
use ocs_siprege::mcu::{FocusFactory, McuList};
use ocs_siprege::notify::RegistrationEvent;
use ocs_siprege::provisioning::Provisioning;
use ocs_siprege::registrar::Registrar;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use rustc_hash::FxHashMap;

use address::ServiceAddress;

use crate::connection::Connection;
use crate::schedule::Schedule;
use crate::{CloseCause, Config, Event, Output, Peer, Store};

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No SIP domain is served.
    #[error("no domain")]
    NoDomain,
    /// The NTLM part.
    #[error("authentication: {0}")]
    Authentication(#[from] ocs_sipae::Error),
    /// The name of the media relay authentication service cannot stand in a SIP URI.
    #[error("media relay: {name} is no name of a server")]
    MediaRelay {
        /// The name.
        name: String,
    },
    /// The name of the QoE Monitoring Agent cannot stand in a SIP URI.
    #[error("quality of experience: {name} is no name of a server")]
    QualityAgent {
        /// The name.
        name: String,
    },
}

/// What a [`FrontEnd`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections.
    pub connections: usize,
    /// Registered endpoints.
    pub registrations: usize,
    /// Security associations.
    pub associations: usize,
    /// Handshakes under way.
    pub handshakes: usize,
    /// Transactions of both kinds.
    pub transactions: usize,
    /// Requests under way to their targets.
    pub requests: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Users whose data are in memory.
    pub users: usize,
    /// Octets of messages that are not complete.
    pub received: usize,
}

/// A front end as one state machine: registrar, proxy and authentication of one server.
///
/// The caller owns the listeners and sockets. It hands in what happens ([`handle_accepted`](Self::handle_accepted),
/// [`handle_data`](Self::handle_data), [`handle_closed`](Self::handle_closed), [`handle_timeout`](Self::handle_timeout)), and after
/// each call drains [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event) and arms one timer for
/// [`poll_timeout`](Self::poll_timeout).
///
/// Nothing that one client does touches another: each connection has its bounds, and what breaks them ends that connection only.
#[derive(Debug)]
pub struct FrontEnd<S> {
    config: Config,
    store: S,
    rng: ChaCha20Rng,
    sent_by: String,
    capabilities: Capabilities,
    connections: FxHashMap<ConnectionId, Connection>,
    /// Connections with octets to fetch, each once.
    writable: VecDeque<ConnectionId>,
    timers: Schedule<ConnectionId>,
    layer: Layer,
    authentication: sipae::Server,
    registrar: Registrar,
    router: Router,
    forks: proxy::Forks,
    provisioning: Provisioning,
    focus_factory: FocusFactory<McuList>,
    /// Where clients ask for credentials for the relays.
    relay_address: Option<ServiceAddress>,
    /// Where clients report the quality of their calls.
    quality_address: Option<ServiceAddress>,
    users: users::Users,
    subscriptions: subscriptions::Subscriptions,
    policies: subscriptions::Policies,
    /// The Contact of this server in dialogs of subscriptions.
    contact: String,
    /// Last octets of closed connections, and the closes themselves.
    parting: VecDeque<Output>,
    events: VecDeque<Event>,
    draining: bool,
}

impl<S: Store> FrontEnd<S> {
    /// A front end without connections. `seed` is 32 octets from a source of randomness; two front ends with the same seed and
    /// the same inputs do the same.
    pub fn new(config: Config, store: S, seed: [u8; 32]) -> Result<Self, Error> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let domain = config.router.domains.first().ok_or(Error::NoDomain)?;
        let ntlm = ocs_ntlm::ServerConfig::sip(
            config.fqdn.split('.').next().unwrap_or(&config.fqdn),
            &config.netbios_domain,
        )
        .with_dns_names(&config.fqdn, domain, domain);
        let scheme = NtlmServer::new(ntlm)?;
        let mut authentication = sipae::ServerConfig::new(&config.fqdn, vec![Box::new(scheme)]);
        authentication.realm.clone_from(&config.realm);
        authentication.version = config.version;
        authentication.limits = config.authentication;
        authentication.policy = Box::new(StoreDecides);
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        let service = config.media_relay.as_ref();
        let relay_address = service
            .map(|service| relay::address(service, domain))
            .transpose()?;
        let agent = config.quality_agent.as_ref();
        let quality_address = agent
            .map(|name| quality::address(name, domain))
            .transpose()?;
        let mut provisioning = config.provisioning.clone();
        address::tell(
            &mut provisioning.groups,
            relay_address.as_ref(),
            quality_address.as_ref(),
        );
        Ok(Self {
            authentication: sipae::Server::new(
                authentication,
                config.clock,
                ChaCha20Rng::from_rng(&mut rng),
            ),
            sent_by: config.sent_by(),
            capabilities: Capabilities {
                role: Role::Proxy,
                extensions: vec!["ms-benotify".to_owned()],
                ..Capabilities::default()
            },
            layer: Layer::new(config.timers),
            registrar: Registrar::new(config.registrar.clone()),
            router: Router::new(config.router.clone(), RouteKey::new(key)),
            connections: FxHashMap::default(),
            writable: VecDeque::new(),
            timers: Schedule::default(),
            forks: proxy::Forks::default(),
            provisioning: Provisioning::new(provisioning),
            relay_address,
            quality_address,
            focus_factory: FocusFactory::new(config.fqdn.as_str(), config.mcus.clone()),
            users: users::Users::new(config.presence.clone(), config.clock),
            subscriptions: subscriptions::Subscriptions::default(),
            policies: subscriptions::Policies::new(&config.subscription),
            contact: config.contact(),
            parting: VecDeque::new(),
            events: VecDeque::new(),
            draining: false,
            config,
            store,
            rng,
        })
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The store, to change users.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// What is held at the moment: to watch a server, and to show that its memory is bounded. Costs a walk over the connections.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let waiting = |connection: &Connection| connection.channel.buffered();
        Counters {
            connections: self.connections.len(),
            registrations: self.registrar.bindings().len(),
            associations: self.authentication.associations(),
            handshakes: self.authentication.half_open(),
            transactions: self.layer.len(),
            requests: self.forks.len(),
            subscriptions: self.subscriptions.len(),
            users: self.users.len(),
            received: self.connections.values().map(waiting).sum(),
        }
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// How many endpoints are registered.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.registrar.bindings().len()
    }

    /// A listener accepted a connection, and its TLS handshake is done if it has one.
    pub fn handle_accepted(&mut self, now: Instant, id: ConnectionId, peer: Peer) {
        let refused = if self.draining {
            Some(CloseCause::Draining)
        } else if self.connections.len() >= self.config.connections {
            Some(CloseCause::TooMany)
        } else {
            None
        };
        let mut connection = Connection::new(now, peer, &self.config);
        if let Some(cause) = refused {
            self.parting.push_back(Output::Close { connection: id });
            self.events.push_back(Event::Closed {
                connection: id,
                remote: peer.remote,
                cause,
            });
            return;
        }
        let deadline = connection.keep_alive.poll_timeout();
        self.timers.arm(id, &mut connection.scheduled, deadline);
        self.connections.insert(id, connection);
    }

    /// The peer closed a connection, or it broke.
    pub fn handle_closed(&mut self, now: Instant, id: ConnectionId) {
        if self.forget(id).is_some() {
            self.settle(now);
        }
    }

    /// Tells how many octets of earlier outputs still wait to be written. A client that does not read is cut off above
    /// [`Config::backlog`].
    pub fn handle_backlog(&mut self, now: Instant, id: ConnectionId, octets: usize) {
        if octets > self.config.backlog {
            self.close(id, CloseCause::Backlog { octets });
            self.settle(now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.timers.pop(now) {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            connection.scheduled = None;
            connection.keep_alive.handle_timeout(now);
            if let Some(ocs_conmgmt::keep_alive::ServerEvent::CloseConnection { reason }) =
                connection.keep_alive.poll_event()
            {
                self.close(id, CloseCause::Timer(reason));
                continue;
            }
            let deadline = connection.keep_alive.poll_timeout();
            self.timers.arm(id, &mut connection.scheduled, deadline);
        }
        self.layer.handle_timeout(now);
        self.authentication.handle_timeout(now);
        self.registrar.handle_timeout(now);
        self.handle_fork_timeouts(now);
        self.handle_subscription_timeouts(now);
        self.handle_presence_timeouts(now);
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.timers.next(),
            self.layer.poll_timeout(),
            self.authentication.poll_timeout(),
            self.registrar.poll_timeout(),
            self.forks.poll_timeout(),
            self.subscriptions.poll_timeout(),
            self.users.timers.next(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Ends every registration of a user and tells its endpoints; says how many there were.
    pub fn deregister(&mut self, now: Instant, aor: &Aor, event: RegistrationEvent) -> usize {
        let count = self.registrar.deregister_user(aor, event);
        self.settle(now);
        count
    }

    /// Shuts down: takes no more connections, tells every endpoint to come back later, and closes all connections.
    pub fn drain(&mut self, now: Instant) {
        self.draining = true;
        // In order, so that two runs do the same.
        let users: BTreeSet<Aor> = self
            .registrar
            .bindings()
            .iter()
            .map(|binding| binding.aor.clone())
            .collect();
        for aor in users {
            self.registrar
                .deregister_user(&aor, RegistrationEvent::Deactivated);
        }
        self.settle(now);
        let ids: BTreeSet<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.close(id, CloseCause::Draining);
        }
        self.settle(now);
    }

    /// The next thing to do with a connection.
    pub fn poll_output(&mut self) -> Option<Output> {
        while let Some(connection) = self.writable.pop_front() {
            let data = self.take_octets(connection);
            if !data.is_empty() {
                return Some(Output::Send { connection, data });
            }
        }
        self.parting.pop_front()
    }

    /// Takes the buffer with them: what stayed of it would keep the room of the largest message of each connection.
    fn take_octets(&mut self, id: ConnectionId) -> Bytes {
        self.connections
            .get_mut(&id)
            .map_or_else(Bytes::new, |connection| {
                std::mem::take(&mut connection.out).freeze()
            })
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Closes from this side, after what is queued.
    fn close(&mut self, id: ConnectionId, cause: CloseCause) {
        let Some(mut connection) = self.forget(id) else {
            return;
        };
        let data = std::mem::take(&mut connection.out).freeze();
        if !data.is_empty() {
            self.parting.push_back(Output::Send {
                connection: id,
                data,
            });
        }
        self.parting.push_back(Output::Close { connection: id });
        self.events.push_back(Event::Closed {
            connection: id,
            remote: connection.peer.remote,
            cause,
        });
    }

    /// Ends everything that hangs on a connection.
    fn forget(&mut self, id: ConnectionId) -> Option<Connection> {
        let mut connection = self.connections.remove(&id)?;
        self.timers.disarm(id, &mut connection.scheduled);
        self.layer.handle_flow_closed(Flow::Stream(id));
        self.authentication.connection_closed(id);
        self.registrar.handle_closed(id);
        let subscriptions = std::mem::take(&mut connection.subscriptions);
        self.end_subscriptions_of(subscriptions);
        Some(connection)
    }
}

/// The store says which account owns which address, once the handshake is done.
#[derive(Debug)]
struct StoreDecides;

impl Policy for StoreDecides {
    fn owns(&self, _account: &Account, _aor: &Aor) -> bool {
        true
    }
}

/// The verifier of NTLM over the store.
fn verifier<S: Store>(
    store: &S,
) -> HashVerifier<impl Fn(&str, &str) -> Option<ocs_ntlm::NtHash> + '_> {
    HashVerifier::new(move |user: &str, domain: &str| store.nt_hash(domain, user))
}
