//! The agent: from the addresses of two sides to a pair for each component.

mod arrival;
mod check;
mod direct;
mod fork;
mod gather;
mod ice;
mod ice2;
mod list;
mod media;
mod nominate;
mod policy;
mod request;
mod response;
mod restart;
mod session;
mod stream;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use ocs_stun::attribute::ImplementationVersion;
use ocs_stun::{Algorithm, IntegrityKey};
use rand_core::Rng;
use rustc_hash::FxHashMap;

use crate::binding::Writer;
use crate::framing::Deframer;
use crate::io::{Carrier, ConnectionId, Event, Output, RelayId};
use crate::sdp::ice::CandidateId;
use crate::{
    CandidateType, Component, Config, Credentials, Dialect, Foundation, Password, Role, Transport,
};
use check::Transaction;
use list::Pair;
use media::Media;
use request::EarlyCheck;
use stream::Connection;

pub(crate) use arrival::Content;
pub use list::PairView;

/// Where an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Local candidates are being collected.
    Gathering,
    /// The peer's description is not known yet.
    WaitingForPeer,
    /// Checks are going on.
    Checking,
    /// The checks are over; the pairs are being agreed on.
    Nominating,
    /// Every component has its pair.
    Completed,
    /// It did not work out.
    Failed,
    /// The application has closed it.
    Closed,
}

impl Phase {
    /// Whether nothing more will come of it.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Failed | Self::Closed)
    }
}

/// Where packets of a local candidate leave from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Via {
    /// A socket with the base address.
    Socket,
    /// An allocation.
    Relay(RelayId),
}

/// A local candidate.
#[derive(Debug, Clone)]
struct Local {
    component: Component,
    transport: Transport,
    kind: CandidateType,
    address: SocketAddr,
    base: SocketAddr,
    related: Option<SocketAddr>,
    via: Via,
    /// The relay that told it.
    told_by: Option<RelayId>,
    priority: u32,
    /// For the PRIORITY of checks.
    preference: u16,
    group: usize,
}

impl Local {
    /// Whether checks are sent from it, not only by way of its base.
    fn is_base(&self) -> bool {
        matches!(self.kind, CandidateType::Host | CandidateType::Relayed)
    }
}

/// Local candidates of one type, base address, transport and server: what they share.
#[derive(Debug, Clone)]
struct Group {
    key: GroupKey,
    foundation: Foundation,
    legacy: Option<Legacy>,
}

impl Group {
    fn has_id(&self, id: &CandidateId) -> bool {
        matches!(&self.legacy, Some(legacy) if legacy.id == *id)
    }
}

/// What candidates have in \[MS-ICE\] only.
#[derive(Debug, Clone)]
struct Legacy {
    id: CandidateId,
    password: Password,
    /// Of checks to the candidate.
    key: IntegrityKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GroupKey {
    kind: CandidateType,
    transport: Transport,
    base: std::net::IpAddr,
    server: Option<SocketAddr>,
}

/// A remote candidate.
#[derive(Debug)]
struct Remote {
    component: Component,
    transport: Transport,
    kind: CandidateType,
    address: SocketAddr,
    priority: u32,
    foundation: Foundation,
    /// In \[MS-ICE\]: identifier, and the key of checks to it.
    legacy: Option<(CandidateId, IntegrityKey)>,
}

/// An allocation, asked for or there.
#[derive(Debug, Clone)]
struct Relay {
    component: Component,
    carrier: Carrier,
    base: SocketAddr,
    server: SocketAddr,
    state: RelayState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelayState {
    Pending,
    Open,
    Gone,
}

/// The way that a packet takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    Datagram {
        base: SocketAddr,
        remote: SocketAddr,
    },
    Relay {
        relay: RelayId,
        remote: SocketAddr,
    },
    RelayStream {
        relay: RelayId,
        remote: SocketAddr,
    },
    Stream {
        connection: ConnectionId,
    },
}

impl Path {
    /// Whether packets are in frames on it.
    pub(crate) const fn is_stream(self) -> bool {
        matches!(self, Self::Stream { .. } | Self::RelayStream { .. })
    }
}

/// The peer's credentials in \[MS-ICE2\].
#[derive(Debug)]
struct Peer {
    credentials: Credentials,
    key: IntegrityKey,
}

/// One side of one media stream: both components of it.
///
/// It has no socket, clock or randomness of its own. After every call of a `handle_` method or a command, drain
/// [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event), and arm a timer for
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Agent<R> {
    config: Config,
    rng: R,
    role: Role,
    tie_breaker: u64,
    phase: Phase,

    credentials: Credentials,
    own_key: IntegrityKey,
    locals: Vec<Local>,
    groups: Vec<Group>,
    relays: Vec<Relay>,
    /// The addresses that interface numbers stand for.
    interfaces: Vec<std::net::IpAddr>,

    /// Whether the peer's description is known.
    remote_known: bool,
    peer: Option<Peer>,
    remotes: Vec<Remote>,
    pairs: Vec<Pair>,
    triggered: VecDeque<usize>,
    transactions: Vec<Transaction>,
    early: Vec<EarlyCheck>,
    policy: policy::State,
    media: [Media; 2],

    connections: FxHashMap<ConnectionId, Connection>,
    next_connection: u64,
    relay_streams: FxHashMap<(RelayId, SocketAddr), Deframer>,

    request_seen: bool,
    response_seen: bool,
    /// Whether the checks timer was reset because both were seen.
    reduced: bool,
    version_seen: bool,
    /// When gathering, checking or nominating ends.
    deadline: Option<Instant>,
    next_check: Option<Instant>,

    outputs: VecDeque<Output>,
    events: VecDeque<Event>,
}

impl<R: Rng> Agent<R> {
    /// An agent without candidates: add them, then [`gather`](Self::gather).
    pub fn new(config: Config, mut rng: R) -> Self {
        let mut tie_breaker = [0; 8];
        rng.fill_bytes(&mut tie_breaker);
        let credentials = Credentials::random(&mut rng);
        Self::with_credentials(config, rng, credentials, u64::from_be_bytes(tie_breaker))
    }

    /// An agent whose credentials and tie breaker come from elsewhere: for tests that compare octets.
    pub fn with_credentials(
        config: Config,
        rng: R,
        credentials: Credentials,
        tie_breaker: u64,
    ) -> Self {
        Self {
            role: config.role,
            config,
            rng,
            tie_breaker,
            phase: Phase::Gathering,
            own_key: key(credentials.password()),
            credentials,
            locals: Vec::new(),
            groups: Vec::new(),
            relays: Vec::new(),
            interfaces: Vec::new(),
            remote_known: false,
            peer: None,
            remotes: Vec::new(),
            pairs: Vec::new(),
            triggered: VecDeque::new(),
            transactions: Vec::new(),
            early: Vec::new(),
            policy: policy::State::None,
            media: Default::default(),
            connections: FxHashMap::default(),
            next_connection: 0,
            relay_streams: FxHashMap::default(),
            request_seen: false,
            response_seen: false,
            reduced: false,
            version_seen: false,
            deadline: None,
            next_check: None,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Where it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Its bounds.
    pub fn limits(&self) -> &crate::Limits {
        &self.config.limits
    }

    /// The role, which a conflict may have changed.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The next thing to do on the network.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let transactions = self.transactions.iter().map(|transaction| transaction.next);
        let connections = self.connections.values();
        let connections = connections.filter_map(|connection| connection.deadline);
        let media = self
            .media
            .iter()
            .filter_map(|media| self.media_timeout(media));
        [self.deadline, self.check_timeout()]
            .into_iter()
            .flatten()
            .chain(transactions)
            .chain(connections)
            .chain(media)
            .min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_transactions(now);
        self.expire_connections(now);
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            match self.phase {
                Phase::Gathering => self.gathered(now),
                Phase::Checking => self.checks_over(now),
                Phase::Nominating => self.fail(crate::io::Failure::NotNominated),
                Phase::WaitingForPeer | Phase::Completed | Phase::Failed | Phase::Closed => {}
            }
        }
        self.keep_alive(now);
        self.proceed(now);
    }

    /// What may have become possible after something happened: to end, or to send the next check.
    fn proceed(&mut self, now: Instant) {
        self.conclude(now);
        self.send_checks(now);
    }

    /// The writer of messages, as much as is known of the peer by now.
    fn writer(&self) -> Writer {
        match self.config.dialect {
            Dialect::Ice => Writer {
                dialect: ocs_stun::Dialect::MsIce,
                version: None,
                copies: false,
            },
            Dialect::Ice2 => Writer {
                dialect: ocs_stun::Dialect::MsIce2,
                version: self
                    .config
                    .implementation_version
                    .map(ImplementationVersion),
                copies: self.config.legacy_copies && !self.version_seen,
            },
        }
    }

    fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Components that have local candidates.
    fn components(&self) -> impl Iterator<Item = Component> + use<'_, R> {
        let has = |component| self.locals.iter().any(|local| local.component == component);
        Component::ALL
            .into_iter()
            .filter(move |component| has(*component))
    }
}

/// The key of MESSAGE-INTEGRITY of a password.
fn key(password: &Password) -> IntegrityKey {
    IntegrityKey::new(Algorithm::Sha1, password.as_bytes())
}
