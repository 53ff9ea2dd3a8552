//! Connections: handshakes, streams, back-pressure and their ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::{ConnectionId, Transport};

use crate::clock::Ticket;
use crate::dissect::{Dissector, Frame};
use crate::host::{Closed, ConnectFailure, HostId, Input};
use crate::record::{Event, Fate, Flow};
use crate::testbed::{Pending, Testbed};

/// How long a connection attempt waits for an answer, as TCP of the operating systems that the system runs on.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(21);

/// The bit that tells numbers given by the testbed from those chosen by hosts.
const ACCEPTED: u64 = 1 << 63;

/// The end of a connection that asked for it; the other one is `1 - CLIENT`.
const CLIENT: usize = 0;
const SERVER: usize = 1;

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
            source: from.address,
            destination: to.address,
            transport: self.transport,
        }
    }

    fn hosts_to(&self, side: usize) -> (HostId, HostId) {
        (self.ends[1 - side].host, self.ends[side].host)
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

/// The application's side of connections.
impl Testbed {
    /// The connections that a host knows, in the order of their numbers.
    #[must_use]
    pub fn connections(&self, host: HostId) -> Vec<ConnectionId> {
        let own = (host, ConnectionId(0))..=(host, ConnectionId(u64::MAX));
        self.streams
            .ends
            .range(own)
            .map(|((_, id), _)| *id)
            .collect()
    }

    /// The other end of a connection: its host and the number that it has there.
    #[must_use]
    pub fn peer_of(
        &self,
        host: HostId,
        connection: ConnectionId,
    ) -> Option<(HostId, ConnectionId)> {
        let (key, side) = self.streams.ends.get(&(host, connection))?;
        let peer = &self.streams.connections.get(key)?.ends[1 - side];
        Some((peer.host, peer.id))
    }

    /// How many bytes have been sent to a host on a connection that it has not read: those on the way and
    /// those that wait for a slow reader. `None` if the host has no such connection.
    #[must_use]
    pub fn queued(&self, host: HostId, connection: ConnectionId) -> Option<usize> {
        self.streams
            .end(host, connection)
            .map(|end| end.inbox.bytes)
    }

    /// A host stops to read a connection; what comes in waits. Nothing happens if it has no such connection.
    pub fn pause_reading(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        if let Some(end) = self.streams.end_mut(host, connection) {
            end.paused = true;
        }
    }

    /// A host reads a connection again.
    pub fn resume_reading(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        if let Some(end) = self.streams.end_mut(host, connection) {
            end.paused = false;
            self.arm_end(host, connection);
        }
    }

    /// A host stops to read all connections that it has or will have.
    pub fn pause_reading_all(&mut self, host: HostId) {
        self.settle();
        self.nodes[host.0].paused = true;
    }

    /// Ends [`pause_reading_all`](Self::pause_reading_all).
    pub fn resume_reading_all(&mut self, host: HostId) {
        self.settle();
        self.nodes[host.0].paused = false;
        for connection in self.connections(host) {
            self.arm_end(host, connection);
        }
    }

    /// The network breaks a connection: both ends learn at once of a reset, what is on the way is lost.
    /// Nothing happens if the host has no such connection.
    pub fn reset_connection(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        let Some(&(key, side)) = self.streams.ends.get(&(host, connection)) else {
            return;
        };
        let (peer, _) = self.streams.connections[&key].hosts_to(side);
        self.discard(key, CLIENT);
        self.discard(key, SERVER);
        self.remark(host, format!("connection with {} broken", self.name(peer)));
        self.break_end(key, side);
        self.break_end(key, 1 - side);
        // The other end may never have known.
        self.streams.forget(key);
    }
}

/// The hosts' side of connections.
impl Testbed {
    fn ephemeral_port(&mut self, host: HostId) -> u16 {
        let next = &mut self.nodes[host.0].next_port;
        let port = *next;
        *next = port.checked_add(1).unwrap_or(49152);
        port
    }

    pub(crate) fn connect(
        &mut self,
        host: HostId,
        id: ConnectionId,
        peer: SocketAddr,
        transport: Transport,
        server_name: Option<String>,
    ) {
        let known = (host, id);
        assert!(
            transport.is_reliable(),
            "a datagram transport has no connections"
        );
        assert!(id.0 & ACCEPTED == 0, "the highest bit of {id} is set");
        assert!(
            !self.streams.ends.contains_key(&known) && !self.streams.doomed.contains(&known),
            "{id} names two connections"
        );
        let local = self.local_address(host, peer.is_ipv4());
        let source = SocketAddr::new(local.unwrap_or(peer.ip()), self.ephemeral_port(host));
        let to = self.owner(peer.ip());
        let flow = Flow {
            from: host,
            to,
            source,
            destination: peer,
            transport,
        };
        let (Some(_), Some(to)) = (local, to) else {
            // Whoever has no address of the family knows at once, the others after a way and back.
            let wait = local.map_or(Duration::ZERO, |_| 2 * self.links.default.latency);
            self.streams.doomed.insert(known);
            let pending = Pending::Unreachable {
                host,
                connection: id,
                flow,
            };
            self.queue.push(self.now + wait, pending);
            return;
        };
        let back = Flow {
            from: to,
            to: Some(host),
            source: peer,
            destination: source,
            transport,
        };
        let key = self.streams.next;
        self.streams.next += 1;
        let client = End::new(host, id, source, self.recorder.dissector(&back));
        let server = End::new(
            to,
            ConnectionId(ACCEPTED | key),
            peer,
            self.recorder.dissector(&flow),
        );
        let reason = ConnectFailure::TimedOut;
        let deadline = self
            .queue
            .push(self.now + CONNECT_TIMEOUT, Pending::Fail { key, reason });
        let connection = Connection {
            transport,
            server_name,
            certificate_names: Vec::new(),
            ends: [client, server],
            deadline: Some(deadline),
            stalled: None,
        };
        self.streams.connections.insert(key, connection);
        self.streams.ends.insert(known, (key, CLIENT));
        self.continue_handshake(key, 1);
    }

    /// Sends a packet of a handshake on its way.
    fn continue_handshake(&mut self, key: Key, trip: u8) {
        let side = usize::from(trip % 2);
        let hosts = self.streams.connections[&key].hosts_to(side);
        let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
        self.queue.push(arrival, Pending::Handshake { key, trip });
    }

    pub(crate) fn on_handshake(&mut self, key: Key, trip: u8) {
        // Packets with odd numbers go to the accepting host, whose side is 1.
        let side = usize::from(trip % 2);
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let (from, to) = connection.hosts_to(side);
        if self.links.is_cut(from, to) {
            connection.stalled = Some(trip);
            return;
        }
        let transport = connection.transport;
        if trip == 1 {
            let address = connection.ends[SERVER].address;
            let failure = match self.streams.listener(to, address) {
                None => Some(ConnectFailure::Refused),
                Some(found) if found.transport != transport => Some(ConnectFailure::Handshake),
                Some(found) => {
                    let names = found.certificate_names.clone();
                    if let Some(connection) = self.streams.connections.get_mut(&key) {
                        connection.certificate_names = names;
                    }
                    None
                }
            };
            if let Some(reason) = failure {
                let arrival = self.links.stream(&mut self.rng, self.now, (to, from), 0);
                self.queue.push(arrival, Pending::Fail { key, reason });
                return;
            }
        }
        let (accepted, connected) = handshake_lengths(transport);
        if trip < accepted.max(connected) {
            self.continue_handshake(key, trip + 1);
        }
        if trip == accepted {
            self.open(key, SERVER);
        } else if trip == connected {
            self.open(key, CLIENT);
        }
    }

    /// Tells a host that a connection is there.
    fn open(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let end = &mut connection.ends[side];
        if end.state != State::Waiting {
            return;
        }
        end.state = State::Open;
        let (host, id, local) = (end.host, end.id, end.address);
        let peer = connection.ends[1 - side].address;
        let input = if side == CLIENT {
            if let Some(deadline) = connection.deadline.take() {
                self.queue.cancel(deadline);
            }
            let flow = connection.flow_to(SERVER);
            self.recorder.event(at, Event::Opened { flow });
            let certificate_names = connection.certificate_names.clone();
            Input::Connected {
                connection: id,
                local,
                peer,
                certificate_names,
            }
        } else {
            let transport = connection.transport;
            self.streams.ends.insert((host, id), (key, side));
            let server_name = connection.server_name.take();
            Input::Accepted {
                connection: id,
                local,
                peer,
                transport,
                server_name,
            }
        };
        // Before the host acts: data that came early is read next, but not before this.
        self.arm(key, side, self.now);
        self.input(host, input);
    }

    pub(crate) fn on_fail(&mut self, key: Key, reason: ConnectFailure) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get(&key) else {
            return;
        };
        // An accepting host that was told already has a connection whose other end is gone.
        let told = connection.ends[SERVER].state == State::Open;
        let flow = connection.flow_to(SERVER);
        let (host, id) = (connection.ends[CLIENT].host, connection.ends[CLIENT].id);
        if told {
            self.abort(host, id);
        } else if let Some(Connection {
            deadline: Some(deadline),
            ..
        }) = self.streams.forget(key)
        {
            self.queue.cancel(deadline);
        }
        self.recorder
            .event(at, Event::ConnectFailed { flow, reason });
        self.input(
            host,
            Input::ConnectFailed {
                connection: id,
                reason,
            },
        );
    }

    pub(crate) fn on_unreachable(&mut self, host: HostId, connection: ConnectionId, flow: Flow) {
        if self.streams.doomed.remove(&(host, connection)) {
            let at = self.elapsed();
            let reason = ConnectFailure::Unreachable;
            self.recorder
                .event(at, Event::ConnectFailed { flow, reason });
            self.input(host, Input::ConnectFailed { connection, reason });
        }
    }

    pub(crate) fn send(&mut self, host: HostId, id: ConnectionId, data: Bytes) {
        let writable = self
            .streams
            .end(host, id)
            .is_some_and(|end| end.state == State::Open && !end.closed);
        let found = self.streams.ends.get(&(host, id)).copied();
        let (true, Some((key, side))) = (writable, found) else {
            let length = data.len();
            self.remark(
                host,
                format!("sends {length} bytes on connection {id}, which is not open"),
            );
            return;
        };
        if data.is_empty() {
            return;
        }
        let sent = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let hosts = connection.hosts_to(1 - side);
        let inbox = &mut connection.ends[1 - side].inbox;
        self.links
            .pieces(&mut self.rng, self.now, hosts, data, |arrival, piece| {
                inbox.push(arrival, sent, Some(piece));
            });
        self.arm(key, 1 - side, self.now);
    }

    pub(crate) fn close(&mut self, host: HostId, id: ConnectionId) {
        self.streams.doomed.remove(&(host, id));
        let Some(&(key, side)) = self.streams.ends.get(&(host, id)) else {
            return;
        };
        let sent = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        if connection.ends[side].state == State::Waiting {
            self.abort(host, id);
        } else if !connection.ends[side].closed {
            connection.ends[side].closed = true;
            let hosts = connection.hosts_to(1 - side);
            let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
            connection.ends[1 - side].inbox.push(arrival, sent, None);
            self.arm(key, 1 - side, self.now);
        }
    }

    /// A host aborts a connection or an attempt to make one.
    pub(crate) fn abort(&mut self, host: HostId, id: ConnectionId) {
        self.streams.doomed.remove(&(host, id));
        let Some((key, side)) = self.streams.ends.remove(&(host, id)) else {
            return;
        };
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        connection.ends[side].state = State::Gone;
        if let Some(deadline) = connection.deadline.take() {
            self.queue.cancel(deadline);
        }
        let other = connection.ends[1 - side].state;
        self.discard(key, side);
        if other == State::Open {
            self.send_reset(key, 1 - side);
        } else {
            // Nobody else knows the connection; what it still has under way goes with it.
            self.discard(key, 1 - side);
            self.streams.forget(key);
        }
    }
}

/// The network's side of connections.
impl Testbed {
    /// Puts the first piece for an end into the queue, unless it is there.
    fn arm(&mut self, key: Key, side: usize, earliest: Instant) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let inbox = &mut connection.ends[side].inbox;
        if inbox.armed {
            return;
        }
        if let Some(piece) = inbox.pieces.front() {
            inbox.armed = true;
            let at = piece.arrival.max(earliest);
            self.queue.push(at, Pending::Readable { key, side });
        }
    }

    fn arm_end(&mut self, host: HostId, id: ConnectionId) {
        if let Some(&(key, side)) = self.streams.ends.get(&(host, id)) {
            self.arm(key, side, self.now);
        }
    }

    /// Lets everything move again that stood still between two hosts.
    pub(crate) fn revive(&mut self, a: HostId, b: HostId) {
        let between = |connection: &Connection| {
            let (from, to) = connection.hosts_to(SERVER);
            (from, to) == (a, b) || (from, to) == (b, a)
        };
        let all = self.streams.connections.iter();
        let keys: Vec<Key> = all
            .filter(|(_, c)| between(c))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            for side in [CLIENT, SERVER] {
                let (from, to) = self.streams.connections[&key].hosts_to(side);
                let earliest = self.now + self.links.get(from, to).latency;
                self.arm(key, side, earliest);
            }
            let connection = self.streams.connections.get_mut(&key);
            if let Some(trip) = connection.and_then(|connection| connection.stalled.take()) {
                self.continue_handshake(key, trip);
            }
        }
    }

    pub(crate) fn on_readable(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let flow = connection.flow_to(side);
        let (from, to) = connection.hosts_to(side);
        let end = &mut connection.ends[side];
        end.inbox.armed = false;
        let state = end.state;
        if self.links.is_cut(from, to) || state == State::Waiting {
            return;
        }
        if state == State::Gone {
            // The other end does not know yet, or its link was cut when it should have learned.
            self.discard(key, side);
            self.send_reset(key, 1 - side);
            return;
        }
        if end.paused || self.nodes[to.0].paused {
            return;
        }
        let Some(piece) = end.inbox.pieces.pop_front() else {
            return;
        };
        let id = end.id;
        let input = if let Some(data) = piece.data {
            end.inbox.bytes -= data.len();
            let frames = end.inbox.dissector.feed(&data);
            self.recorder
                .messages(at, flow, piece.sent, Fate::Delivered, frames);
            Input::Data {
                connection: id,
                data,
            }
        } else {
            end.finished = true;
            let rest = end.inbox.finish();
            self.recorder
                .messages(at, flow, piece.sent, Fate::Delivered, rest);
            let (how, fate) = (Closed::Fin, Fate::Delivered);
            self.recorder.event(at, Event::Closed { flow, how, fate });
            if connection.ends[1 - side].finished {
                self.streams.forget(key);
            }
            Input::Closed {
                connection: id,
                how,
            }
        };
        self.arm(key, side, self.now);
        self.input(to, input);
    }

    /// Throws away what is on the way to an end.
    fn discard(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let flow = connection.flow_to(side);
        let inbox = &mut connection.ends[side].inbox;
        inbox.bytes = 0;
        let mut last = at;
        for piece in inbox.pieces.drain(..) {
            last = piece.sent;
            if let Some(data) = piece.data {
                let frames = inbox.dissector.feed(&data);
                self.recorder
                    .messages(at, flow, piece.sent, Fate::Reset, frames);
            }
        }
        let rest = inbox.finish();
        self.recorder.messages(at, flow, last, Fate::Reset, rest);
    }

    /// Sends a reset to an end, behind what is on the way to it.
    fn send_reset(&mut self, key: Key, side: usize) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let hosts = connection.hosts_to(side);
        let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
        let arrival = connection.ends[side].inbox.in_order(arrival);
        self.queue.push(arrival, Pending::Reset { key, side });
    }

    pub(crate) fn on_reset(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get(&key) else {
            return;
        };
        if connection.ends[side].state == State::Gone {
            return;
        }
        let flow = connection.flow_to(side);
        let lost = self.links.is_cut(flow.from, connection.ends[side].host);
        let fate = if lost { Fate::Lost } else { Fate::Delivered };
        if !lost {
            self.discard(key, side);
        }
        let how = Closed::Reset;
        self.recorder.event(at, Event::Closed { flow, how, fate });
        if !lost {
            self.break_end(key, side);
        }
    }

    /// An end learns that its connection no longer exists.
    fn break_end(&mut self, key: Key, side: usize) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        if let Some(deadline) = connection.deadline.take() {
            self.queue.cancel(deadline);
        }
        let end = &mut connection.ends[side];
        let before = core::mem::replace(&mut end.state, State::Gone);
        let (host, id) = (end.host, end.id);
        let alone = connection.ends[1 - side].state == State::Gone;
        self.streams.hide(key, host, id);
        if alone {
            self.streams.forget(key);
        }
        match (before, side) {
            (State::Open, _) => {
                let how = Closed::Reset;
                self.input(
                    host,
                    Input::Closed {
                        connection: id,
                        how,
                    },
                );
            }
            (State::Waiting, CLIENT) => {
                let reason = ConnectFailure::Reset;
                self.input(
                    host,
                    Input::ConnectFailed {
                        connection: id,
                        reason,
                    },
                );
            }
            _ => {}
        }
    }
}
