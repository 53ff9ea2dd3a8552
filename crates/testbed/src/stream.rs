//! Connections: handshakes, streams, back-pressure and their ends.

mod commands;
mod control;
mod delivery;
mod handshake;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::{ConnectionId, Transport};

use crate::clock::Ticket;
use crate::dissect::{Dissector, Frame};
use crate::host::HostId;
use crate::record::Flow;

/// How long a connection attempt waits for an answer, as TCP of the operating systems that the system runs on.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(21);

/// The bit that tells numbers given by the testbed from those chosen by hosts.
const ACCEPTED: u64 = 1 << 63;

/// The end of a connection that asked for it.
pub(crate) const CLIENT: usize = 0;

/// The end of a connection that accepted it.
pub(crate) const SERVER: usize = 1;

/// Where and how a host accepts connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address; an unspecified IP address stands for all of the host.
    pub local: SocketAddr,
    /// [`Transport::Tcp`] or [`Transport::Tls`].
    pub transport: Transport,
    /// The names in the certificate that a [`Transport::Tls`] listener shows.
    pub certificate_names: Vec<String>,
}

impl Listener {
    /// A listener without TLS.
    #[must_use]
    pub const fn tcp(local: SocketAddr) -> Self {
        Self {
            local,
            transport: Transport::Tcp,
            certificate_names: Vec::new(),
        }
    }

    /// A listener with TLS that shows a certificate with these names.
    #[must_use]
    pub fn tls<N: Into<String>>(local: SocketAddr, names: impl IntoIterator<Item = N>) -> Self {
        Self {
            local,
            transport: Transport::Tls,
            certificate_names: names.into_iter().map(Into::into).collect(),
        }
    }
}

/// Names a connection inside the testbed; hosts have their own numbers for its two ends.
pub(crate) type Key = u64;

/// All connections.
#[derive(Debug)]
pub(crate) struct Streams {
    listeners: Vec<(HostId, Listener)>,
    connections: BTreeMap<Key, Connection>,
    /// Finds an end by the number that its host has for it. An end that its host no longer knows is not here.
    ends: BTreeMap<(HostId, ConnectionId), (Key, usize)>,
    /// Attempts that go nowhere and whose host has not been told yet.
    doomed: BTreeSet<(HostId, ConnectionId)>,
    next: Key,
}

impl Streams {
    pub(crate) const fn new() -> Self {
        Self {
            listeners: Vec::new(),
            connections: BTreeMap::new(),
            ends: BTreeMap::new(),
            doomed: BTreeSet::new(),
            next: 1,
        }
    }

    pub(crate) fn listen(&mut self, host: HostId, listener: Listener) {
        self.listeners.push((host, listener));
    }

    pub(crate) fn stop_listening(&mut self, host: HostId, port: u16) {
        self.listeners
            .retain(|(owner, listener)| *owner != host || listener.local.port() != port);
    }

    fn listener(&self, host: HostId, address: SocketAddr) -> Option<&Listener> {
        let mut own = self.listeners.iter().filter(|(owner, _)| *owner == host);
        own.find(|(_, listener)| {
            let local = listener.local;
            local == address || (local.ip().is_unspecified() && local.port() == address.port())
        })
        .map(|(_, listener)| listener)
    }

    /// An end as its host sees it, unless its host does not know it (any more).
    fn end(&self, host: HostId, connection: ConnectionId) -> Option<&End> {
        let (key, side) = self.ends.get(&(host, connection))?;
        Some(&self.connections.get(key)?.ends[*side])
    }

    fn end_mut(&mut self, host: HostId, connection: ConnectionId) -> Option<&mut End> {
        let (key, side) = self.ends.get(&(host, connection))?;
        Some(&mut self.connections.get_mut(key)?.ends[*side])
    }

    /// A host no longer wants to hear of its attempts that go nowhere.
    pub(crate) fn give_up(&mut self, host: HostId) {
        self.doomed.retain(|(of, _)| *of != host);
    }

    /// Removes a connection that neither host needs any more.
    fn forget(&mut self, key: Key) -> Option<Connection> {
        let connection = self.connections.remove(&key)?;
        for end in &connection.ends {
            self.hide(key, end.host, end.id);
        }
        Some(connection)
    }

    /// A host no longer knows a connection; its number may already name another one.
    fn hide(&mut self, key: Key, host: HostId, id: ConnectionId) {
        if self
            .ends
            .get(&(host, id))
            .is_some_and(|(other, _)| *other == key)
        {
            self.ends.remove(&(host, id));
        }
    }
}

#[derive(Debug)]
struct Connection {
    transport: Transport,
    server_name: Option<String>,
    certificate_names: Vec<String>,
    ends: [End; 2],
    /// When the attempt is given up.
    deadline: Option<Ticket>,
    /// The packet of the handshake that a cut link holds up.
    stalled: Option<u8>,
}

impl Connection {
    /// The flow towards one end.
    fn flow_to(&self, side: usize) -> Flow {
        let (from, to) = (&self.ends[1 - side], &self.ends[side]);
        Flow {
            from: from.host,
            to: Some(to.host),
            source: from.seen,
            destination: to.seen,
            transport: self.transport,
        }
    }

    fn hosts_to(&self, side: usize) -> (HostId, HostId) {
        (self.ends[1 - side].host, self.ends[side].host)
    }

    /// The link towards one end: between hosts, or the translators before them.
    fn link_to(&self, side: usize) -> (HostId, HostId) {
        (self.ends[1 - side].node, self.ends[side].node)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The host does not know yet that the connection is there.
    Waiting,
    /// The host can use it.
    Open,
    /// The host was told, or decided, that it exists no longer.
    Gone,
}

#[derive(Debug)]
struct End {
    host: HostId,
    id: ConnectionId,
    address: SocketAddr,
    /// The node whose links its packets take: the host, or the outermost translator before it.
    node: HostId,
    /// The address that the other end sees.
    seen: SocketAddr,
    state: State,
    /// This host has ended its direction.
    closed: bool,
    /// This host has read the end of the other direction.
    finished: bool,
    paused: bool,
    inbox: Inbox,
}

impl End {
    fn new(
        host: HostId,
        id: ConnectionId,
        address: SocketAddr,
        dissector: Box<dyn Dissector>,
    ) -> Self {
        Self {
            host,
            id,
            address,
            node: host,
            seen: address,
            state: State::Waiting,
            closed: false,
            finished: false,
            paused: false,
            inbox: Inbox {
                pieces: VecDeque::new(),
                bytes: 0,
                armed: false,
                ended: false,
                last_arrival: None,
                dissector,
            },
        }
    }
}

/// What is on the way to one end, or waits there to be read.
struct Inbox {
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// Whether there is an event in the queue for the first piece.
    armed: bool,
    /// Whether nothing can come any more and the dissector was told.
    ended: bool,
    last_arrival: Option<Instant>,
    dissector: Box<dyn Dissector>,
}

impl core::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inbox")
            .field("pieces", &self.pieces.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Inbox {
    /// Streams keep their order: nothing arrives before what was sent before it.
    fn in_order(&mut self, arrival: Instant) -> Instant {
        let arrival = self.last_arrival.map_or(arrival, |last| last.max(arrival));
        self.last_arrival = Some(arrival);
        arrival
    }

    /// Nothing more will come: what the dissector still has.
    fn finish(&mut self) -> Option<Frame> {
        if core::mem::replace(&mut self.ended, true) {
            return None;
        }
        self.dissector.finish()
    }

    fn push(&mut self, arrival: Instant, sent: Duration, data: Option<Bytes>) {
        let arrival = self.in_order(arrival);
        self.bytes += data.as_ref().map_or(0, Bytes::len);
        self.pieces.push_back(Piece {
            arrival,
            sent,
            data,
        });
    }
}

#[derive(Debug)]
struct Piece {
    arrival: Instant,
    sent: Duration,
    /// Absent at the end of the direction.
    data: Option<Bytes>,
}

/// The number of packets of a handshake after which the accepting and the connecting host are told.
const fn handshake_lengths(transport: Transport) -> (u8, u8) {
    match transport {
        // SYN, SYN-ACK, ACK with ClientHello, ServerHello, client Finished, server Finished.
        Transport::Tls => (5, 6),
        Transport::Tcp | Transport::Udp => (3, 2),
    }
}
