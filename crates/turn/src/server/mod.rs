//! The server ([MS-TURN] 3.3): any number of allocations for any number of clients.

mod allocate;
mod allocation;
mod auth;
mod config;
mod credentials;
mod nonce;
mod peer;
mod relay;
mod stream;
mod throttle;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ocs_stun::attribute::{AddressFamily, MultiplexedTurnSessionId};
use ocs_stun::{Class, Dialect, Message, MessageType};
use rand_core::CryptoRng;
use rustc_hash::FxSeededState;
use slotmap::{Key, SlotMap, new_key_type};

pub use config::{Config, Limits, PermissionRule};
pub use credentials::{CredentialStore, Lookup};

use self::allocation::{Allocation, Relayed};
use self::nonce::Nonces;
use self::peer::PeerConnection;
use self::stream::Connection;
use self::throttle::{Throttle, source};
use crate::Error;
use crate::bandwidth::{BandwidthPolicy, NoPolicy};
use crate::frame::MultiplexedFrame;
use crate::outbox::Outbox;

new_key_type! {
    /// Names an allocation.
    pub struct AllocationId;

    /// Names a TCP connection with a peer.
    pub struct PeerConnectionId;
}

/// Names a client's TCP connection; the caller chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Whom an allocation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientId {
    /// Datagrams from this address.
    Udp(SocketAddr),
    /// This connection.
    Tcp(ConnectionId),
}

impl ClientId {
    const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    const fn socket(self) -> Socket {
        match self {
            Self::Udp(to) => Socket::Udp { to },
            Self::Tcp(connection) => Socket::Connection(connection),
        }
    }
}

/// Names a relayed address: one of the ports that the caller binds for allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelayId {
    /// The allocation.
    pub allocation: AllocationId,
    /// Which of its two possible addresses.
    pub family: AddressFamily,
}

/// Through what octets go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The UDP socket that clients send to. If there is one for each address family, `to` tells which.
    Udp {
        /// The client.
        to: SocketAddr,
    },
    /// A client's connection.
    Connection(ConnectionId),
    /// A relayed UDP port.
    Relay {
        /// Which.
        relay: RelayId,
        /// The peer.
        to: SocketAddr,
    },
    /// A connection with a peer.
    Peer(PeerConnectionId),
}

/// Octets to send: a datagram, or a piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Through what.
    pub socket: Socket,
    /// What.
    pub octets: &'a [u8],
}

/// Something else for the caller to do. What is to be sent comes first: it may have to go out before a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bind a port, and say which with [`Server::handle_bound`]. TCP ports listen.
    Bind {
        /// Its name from now on.
        relay: RelayId,
        /// Whether it is a TCP port.
        stream: bool,
    },
    /// Close the port.
    Unbind(RelayId),
    /// Connect to a peer over TCP, if possible from the relayed port. Say how it went with [`Server::handle_peer_connected`] or
    /// [`Server::handle_peer_closed`].
    Connect {
        /// Its name from now on.
        connection: PeerConnectionId,
        /// For which relayed address.
        relay: RelayId,
        /// The peer.
        peer: SocketAddr,
    },
    /// Close a connection with a peer.
    ClosePeer(PeerConnectionId),
    /// Close a client's connection.
    Close(ConnectionId),
}

/// Why an allocation is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client gave it back.
    Released,
    /// Its time ran out.
    Expired,
    /// The client's connection is gone.
    Disconnected,
    /// No port could be bound.
    NoPort,
    /// The client gave its bandwidth back and relays nothing ([MS-TURNBWM] 3.3.5.3).
    BandwidthCancelled,
}

/// What the operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There is a new allocation.
    Allocated {
        /// Its name.
        allocation: AllocationId,
        /// Whose it is.
        client: ClientId,
        /// The IPv4 address that is relayed.
        ipv4: Option<SocketAddr>,
        /// The IPv6 address that is relayed.
        ipv6: Option<SocketAddr>,
    },
    /// An allocation is gone.
    Released {
        /// Its name.
        allocation: AllocationId,
        /// Why.
        reason: Reason,
    },
    /// A request was refused.
    Refused {
        /// Whose it is.
        client: ClientId,
        /// The code that it was answered with.
        code: u16,
    },
}

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
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
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
            timers: BinaryHeap::new(),
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
        while let Some(&Reverse((at, timer))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            match timer {
                Timer::Allocation(id) => {
                    let Some(allocation) = self.allocations.get_mut(id) else {
                        continue;
                    };
                    if allocation.timer != at {
                        continue;
                    }
                    // Traffic only writes down the time; that is seen here.
                    if allocation.expires > now {
                        allocation.timer = allocation.expires;
                        let next = (allocation.expires, timer);
                        self.timers.push(Reverse(next));
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
        if let Some(session) = allocation.session {
            self.sessions.remove(&session);
        }
        count_down(&mut self.accounts, self.store.account(&allocation.username));
        count_down(&mut self.sources, &source(allocation.reflexive.ip()));
        self.policy.release(id.data().as_ffi());
        for connection in allocation.peers {
            self.peers.remove(connection);
            self.actions.push_back(Action::ClosePeer(connection));
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
        let own = self.timers.peek().map(|Reverse((at, _))| *at);
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
