//! The server ([MS-TURN] 3.3): any number of allocations for any number of clients.

mod allocate;
mod allocation;
mod auth;
mod config;
mod credentials;
mod nonce;
mod peer;
mod relay;
mod respond;
mod stream;
mod throttle;
mod types;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ocs_stun::attribute::{AddressFamily, MultiplexedTurnSessionId};
use ocs_stun::{Class, Dialect, Message, MessageType};
use rand_core::CryptoRng;
use rustc_hash::FxSeededState;
use slotmap::{Key, SlotMap};

pub use config::{Config, Limits, PermissionRule};
pub use credentials::{CredentialStore, Lookup};
pub use types::{
    Action, AllocationId, ClientId, ConnectionId, Event, PeerConnectionId, Reason, RelayId, Socket,
    Transmit,
};

use self::allocation::{Allocation, Relayed};
use self::nonce::Nonces;
use self::peer::PeerConnection;
use self::stream::Connection;
use self::throttle::{Throttle, source};
use crate::Error;
use crate::bandwidth::{BandwidthPolicy, NoPolicy};
use crate::frame::MultiplexedFrame;
use crate::outbox::Outbox;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Allocation(AllocationId),
    Connection(ConnectionId),
    Peer(PeerConnectionId),
}

/// The machine of a server. `C` knows passwords, `P` decides about bandwidth.
///
/// After each call: [`poll_transmit`](Self::poll_transmit), [`poll_action`](Self::poll_action) and [`poll_event`](Self::poll_event) until
/// `None`, then a timer from [`poll_timeout`](Self::poll_timeout). Relaying a packet allocates no memory.
pub struct Server<C, R, P = NoPolicy> {
    config: Config,
    store: C,
    policy: P,
    rng: R,
    nonces: Nonces,
    throttle: Throttle,
    allocations: SlotMap<AllocationId, Allocation>,
    clients: HashMap<ClientId, AllocationId, FxSeededState>,
    sessions: HashMap<MultiplexedTurnSessionId, AllocationId, FxSeededState>,
    accounts: HashMap<Box<[u8]>, usize, FxSeededState>,
    sources: HashMap<IpAddr, usize, FxSeededState>,
    connections: HashMap<ConnectionId, Connection, FxSeededState>,
    connection_sources: HashMap<IpAddr, usize, FxSeededState>,
    peers: SlotMap<PeerConnectionId, PeerConnection>,
    timers: BTreeSet<(Instant, Timer)>,
    outbox: Outbox<Socket>,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

/// Events that nobody fetches are dropped from here on, the oldest first.
const EVENTS: usize = 65_536;

impl<C: CredentialStore, R: CryptoRng> Server<C, R> {
    /// A server without bandwidth policy.
    pub fn new(now: Instant, config: Config, store: C, rng: R) -> Self {
        Self::with_policy(now, config, store, rng, NoPolicy)
    }
}

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// A server that decides about bandwidth, too (\[MS-TURNBWM\]).
    pub fn with_policy(now: Instant, config: Config, store: C, mut rng: R, policy: P) -> Self {
        // Addresses are of the clients' choice; the tables are not to be.
        let seed = FxSeededState::with_seed(rng.next_u64() as usize);
        let limits = &config.limits;
        Self {
            nonces: Nonces::new(now, config.nonce_life, config.bind_nonces, &mut rng),
            throttle: Throttle::new(
                now,
                limits.unauthenticated_octets,
                limits.unauthenticated_sources,
                seed.clone(),
            ),
            config,
            store,
            policy,
            rng,
            allocations: SlotMap::with_key(),
            clients: HashMap::with_hasher(seed.clone()),
            sessions: HashMap::with_hasher(seed.clone()),
            accounts: HashMap::with_hasher(seed.clone()),
            sources: HashMap::with_hasher(seed.clone()),
            connections: HashMap::with_hasher(seed.clone()),
            connection_sources: HashMap::with_hasher(seed),
            peers: SlotMap::with_key(),
            timers: BTreeSet::new(),
            outbox: Outbox::new(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// How many allocations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.allocations.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allocations.is_empty()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The bandwidth policy, for instance to fetch its reports.
    pub fn policy_mut(&mut self) -> &mut P {
        &mut self.policy
    }

    /// Where passwords come from.
    pub fn store_mut(&mut self) -> &mut C {
        &mut self.store
    }

    /// Takes a datagram that came to the UDP socket for clients. An IPv4 address has to be given as one, not mapped into IPv6.
    ///
    /// An error says why it was ignored; that is nothing to worry about.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        octets: &[u8],
    ) -> Result<(), Error> {
        let client = ClientId::Udp(from);
        if Dialect::MsTurn.recognises(octets) {
            let message = Message::parse(Dialect::MsTurn, octets)?;
            return self.handle_message(now, client, from, &message);
        }
        if let Some(frame) = MultiplexedFrame::parse(octets)
            && let Some(&allocation) = self.sessions.get(&frame.session)
        {
            return self.relay_multiplexed(now, client, allocation, frame.data);
        }
        let allocation = self.find(client)?;
        self.relay_raw(now, allocation, octets)
    }

    fn find(&self, client: ClientId) -> Result<AllocationId, Error> {
        let allocation = self.clients.get(&client).copied();
        allocation.ok_or(Error::Unknown { what: "allocation" })
    }

    fn handle_message(
        &mut self,
        now: Instant,
        client: ClientId,
        from: SocketAddr,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        match (message.message_type(), message.class()) {
            (MessageType::SEND_REQUEST, _) => self.handle_send(now, client, message),
            (MessageType::ALLOCATE_REQUEST, _) => self.handle_allocate(now, client, from, message),
            (MessageType::SET_ACTIVE_DESTINATION_REQUEST, _) => {
                self.handle_set_active_destination(now, client, from, message)
            }
            (_, Class::Success | Class::Error) => Err(Error::Unexpected { what: "response" }),
            _ => Err(Error::Unexpected { what: "message" }),
        }
    }

    /// Ends what has run out of time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.policy.handle_timeout(now);
        while let Some(&(at, timer)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Allocation(id) => {
                    let Some(allocation) = self.allocations.get_mut(id) else {
                        continue;
                    };
                    // Traffic only writes down the time; that is seen here.
                    if allocation.expires > now {
                        allocation.timer = allocation.expires;
                        self.timers.insert((allocation.expires, timer));
                    } else {
                        self.release(id, Reason::Expired);
                    }
                }
                Timer::Connection(connection) => self.connection_timeout(connection),
                Timer::Peer(connection) => self.peer_timeout(connection),
            }
        }
    }

    /// Ends an allocation, and tells everybody that has something to do with it. Over TCP the client's connection has served its purpose.
    fn release(&mut self, id: AllocationId, reason: Reason) {
        let Some(allocation) = self.allocations.remove(id) else {
            return;
        };
        self.clients.remove(&allocation.client);
        self.timers
            .remove(&(allocation.timer, Timer::Allocation(id)));
        if let Some(session) = allocation.session {
            self.sessions.remove(&session);
        }
        count_down(&mut self.accounts, self.store.account(&allocation.username));
        count_down(&mut self.sources, &source(allocation.reflexive.ip()));
        self.policy.release(id.data().as_ffi());
        for connection in allocation.peers {
            self.close_peer(connection);
        }
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            let relayed = match family {
                AddressFamily::Ipv4 => allocation.ipv4,
                AddressFamily::Ipv6 => allocation.ipv6,
            };
            if relayed != Relayed::None {
                let relay = RelayId {
                    allocation: id,
                    family,
                };
                self.actions.push_back(Action::Unbind(relay));
            }
        }
        self.tell(Event::Released {
            allocation: id,
            reason,
        });
        if let ClientId::Tcp(connection) = allocation.client
            && reason != Reason::Disconnected
        {
            self.close(connection);
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// The next octets to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        let (socket, octets) = self.outbox.pop()?;
        Some(Transmit { socket, octets })
    }

    /// The next thing to do besides sending.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next news.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let own = self.timers.first().map(|&(at, _)| at);
        own.into_iter().chain(self.policy.poll_timeout()).min()
    }
}

impl<C, R, P> fmt::Debug for Server<C, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("allocations", &self.allocations.len())
            .field("connections", &self.connections.len())
            .finish_non_exhaustive()
    }
}

/// One more of a kind, if there are not too many.
fn count_up<K: std::hash::Hash + Eq>(
    counts: &mut HashMap<K, usize, FxSeededState>,
    key: K,
    limit: usize,
) -> bool {
    let count = counts.entry(key).or_default();
    let admitted = *count < limit;
    if admitted {
        *count += 1;
    }
    admitted
}

/// One less of a kind.
fn count_down<K, Q>(counts: &mut HashMap<K, usize, FxSeededState>, key: &Q)
where
    K: std::hash::Hash + Eq + std::borrow::Borrow<Q>,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
