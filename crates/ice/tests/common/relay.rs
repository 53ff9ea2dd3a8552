//! A relay with a protocol of its own, as short as can be: what an agent needs of a relay, without one.
//!
//! Client to relay: `1`, or `3 <peer> <data>`, or `5 <peer>`. Relay to client: `2 <relayed> <reflexive>`, or `4 <peer> <data>`. An address is four octets
//! and a port; `0.0.0.0:0` is none. Over TCP two octets of length are before each message.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_ice::Allocation;
use ocs_ice::framing::{Deframer, frame};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Host, Input, Listener, Output, Testbed};

const PORTS: core::ops::Range<u16> = 50_000..50_032;

fn write(address: SocketAddr) -> [u8; 6] {
    let IpAddr::V4(ip) = address.ip() else {
        panic!("IPv4 only")
    };
    let ([a, b, c, d], [e, f]) = (ip.octets(), address.port().to_be_bytes());
    [a, b, c, d, e, f]
}

fn read(octets: &[u8]) -> SocketAddr {
    let ip = Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]);
    (ip, u16::from_be_bytes([octets[4], octets[5]])).into()
}

fn message(kind: u8, parts: &[&[u8]]) -> Bytes {
    let mut message = vec![kind];
    for part in parts {
        message.extend_from_slice(part);
    }
    message.into()
}

/// What comes out of an allocation.
pub enum Event {
    Allocated(Allocation),
    Failed,
    Data(SocketAddr, Bytes),
}

/// The client's side of one allocation.
pub struct RelayClient {
    base: SocketAddr,
    server: SocketAddr,
    connection: Option<ConnectionId>,
    stream: Deframer,
    outputs: VecDeque<Output>,
    wait: Duration,
    /// When to ask again, or to give up.
    pub timeout: Option<Instant>,
    sends: u8,
}

impl RelayClient {
    pub fn new(
        now: Instant,
        base: SocketAddr,
        server: SocketAddr,
        connection: Option<ConnectionId>,
    ) -> Self {
        let mut client = Self {
            base,
            server,
            connection,
            stream: Deframer::new(),
            outputs: VecDeque::new(),
            wait: Duration::from_millis(100),
            timeout: Some(now),
            sends: 0,
        };
        if let Some(connection) = connection {
            client.timeout = None;
            client.outputs.push_back(Output::Connect {
                connection,
                peer: server,
                transport: Transport::Tcp,
                server_name: None,
            });
        }
        client
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// True if nobody answered: 9 times, the last wait 1.6 s, as [MS-TURN] clients do.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.timeout.is_none_or(|timeout| timeout > now) {
            return false;
        }
        if self.sends == 9 {
            self.timeout = None;
            return true;
        }
        self.sends += 1;
        self.timeout = Some(now + self.wait);
        self.wait = (self.wait * 2).min(Duration::from_millis(1600));
        self.transmit(message(1, &[]));
        false
    }

    fn transmit(&mut self, data: Bytes) {
        self.outputs.push_back(match self.connection {
            Some(connection) => Output::Send {
                connection,
                data: frame(&data).unwrap(),
            },
            None => Output::Datagram {
                local: self.base,
                peer: self.server,
                data,
            },
        });
    }

    pub fn send(&mut self, peer: SocketAddr, data: &[u8]) {
        if peer.is_ipv4() {
            self.transmit(message(3, &[&write(peer), data]));
        }
    }

    pub fn permit(&mut self, peer: SocketAddr) {
        self.transmit(message(5, &[&write(peer)]));
    }

    /// What an input means, if it is for this allocation.
    pub fn handle_input(&mut self, input: &Input) -> Option<Vec<Event>> {
        match input {
            Input::Datagram { local, peer, data } => {
                let ours = self.connection.is_none() && *local == self.base && *peer == self.server;
                ours.then(|| self.handle_message(data))
            }
            Input::Connected { connection, .. } if Some(*connection) == self.connection => {
                self.transmit(message(1, &[]));
                Some(Vec::new())
            }
            Input::Data { connection, data } if Some(*connection) == self.connection => {
                self.stream.push(data.clone());
                let mut events = Vec::new();
                while let Some(packet) = self.stream.next() {
                    events.extend(self.handle_message(&packet));
                }
                Some(events)
            }
            Input::Closed { connection, .. } | Input::ConnectFailed { connection, .. }
                if Some(*connection) == self.connection =>
            {
                Some(vec![Event::Failed])
            }
            _ => None,
        }
    }

    fn handle_message(&mut self, data: &[u8]) -> Vec<Event> {
        match data[0] {
            2 => {
                if self.timeout.take().is_none() && self.connection.is_none() {
                    return Vec::new();
                }
                let given = |address: SocketAddr| (address.port() != 0).then_some(address);
                vec![Event::Allocated(Allocation {
                    relayed: given(read(&data[1..])),
                    relayed_alternate: None,
                    reflexive: given(read(&data[7..])),
                })]
            }
            4 => vec![Event::Data(
                read(&data[1..]),
                Bytes::copy_from_slice(&data[7..]),
            )],
            _ => Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Udp(SocketAddr),
    Tcp(ConnectionId),
}

#[derive(Default)]
struct Given {
    permitted: HashSet<IpAddr>,
    peers: HashMap<SocketAddr, ConnectionId>,
    /// From peers that were not permitted yet.
    held: Vec<(SocketAddr, Bytes)>,
}

/// The relay.
pub struct RelayHost {
    address: SocketAddr,
    relays: bool,
    outputs: VecDeque<Output>,
    allocations: HashMap<u16, (Client, Given)>,
    streams: HashMap<ConnectionId, Deframer>,
    /// Connections with peers: the allocation's port, and the peer.
    peers: HashMap<ConnectionId, (u16, SocketAddr)>,
    /// What waits for a connection.
    waiting: HashMap<ConnectionId, Vec<Bytes>>,
    next_connection: u64,
}

impl RelayHost {
    pub fn install(testbed: &mut Testbed, address: SocketAddr, relays: bool) {
        let host = testbed.add_host(
            "relay",
            [address.ip()],
            Self {
                address,
                relays,
                outputs: VecDeque::new(),
                allocations: HashMap::new(),
                streams: HashMap::new(),
                peers: HashMap::new(),
                waiting: HashMap::new(),
                next_connection: 1,
            },
        );
        for port in PORTS.chain([address.port()]) {
            testbed.listen(host, Listener::tcp(SocketAddr::new(address.ip(), port)));
        }
    }

    fn to_client(&mut self, client: Client, data: Bytes) {
        self.outputs.push_back(match client {
            Client::Udp(peer) => Output::Datagram {
                local: self.address,
                peer,
                data,
            },
            Client::Tcp(connection) => Output::Send {
                connection,
                data: frame(&data).unwrap(),
            },
        });
    }

    fn handle_message(&mut self, client: Client, source: SocketAddr, data: &[u8]) {
        let own = self
            .allocations
            .iter()
            .find(|(_, (c, _))| *c == client)
            .map(|(port, _)| *port);
        match data[0] {
            1 => {
                let none = SocketAddr::from(([0, 0, 0, 0], 0));
                let port = own.or_else(|| {
                    let free = PORTS
                        .into_iter()
                        .find(|port| !self.allocations.contains_key(port));
                    free.filter(|_| self.relays)
                });
                if let Some(port) = port {
                    self.allocations
                        .entry(port)
                        .or_insert((client, Given::default()));
                }
                let relayed = port.map_or(none, |port| SocketAddr::new(self.address.ip(), port));
                let answer = message(2, &[&write(relayed), &write(source)]);
                self.to_client(client, answer);
            }
            3 => {
                let Some(port) = own else { return };
                self.relay(
                    client,
                    port,
                    read(&data[1..]),
                    Bytes::copy_from_slice(&data[7..]),
                );
            }
            5 => {
                let Some(port) = own else { return };
                self.permit(client, port, read(&data[1..]));
            }
            _ => {}
        }
    }

    fn permit(&mut self, client: Client, port: u16, peer: SocketAddr) {
        let (_, given) = self.allocations.get_mut(&port).unwrap();
        given.permitted.insert(peer.ip());
        let (now, later) = core::mem::take(&mut given.held)
            .into_iter()
            .partition(|(from, _)| given.permitted.contains(&from.ip()));
        given.held = later;
        let now: Vec<(SocketAddr, Bytes)> = now;
        for (peer, data) in now {
            self.to_client(client, message(4, &[&write(peer), &data]));
        }
    }

    fn relay(&mut self, client: Client, port: u16, peer: SocketAddr, data: Bytes) {
        let local = SocketAddr::new(self.address.ip(), port);
        self.permit(client, port, peer);
        let (_, given) = self.allocations.get_mut(&port).unwrap();
        match client {
            Client::Udp(_) => self
                .outputs
                .push_back(Output::Datagram { local, peer, data }),
            Client::Tcp(_) => {
                if let Some(connection) = given.peers.get(&peer).copied() {
                    match self.waiting.get_mut(&connection) {
                        Some(waiting) => waiting.push(data),
                        None => self.outputs.push_back(Output::Send { connection, data }),
                    }
                } else {
                    let connection = ConnectionId(self.next_connection);
                    self.next_connection += 1;
                    given.peers.insert(peer, connection);
                    self.peers.insert(connection, (port, peer));
                    self.waiting.insert(connection, vec![data]);
                    self.outputs.push_back(Output::Connect {
                        connection,
                        peer,
                        transport: Transport::Tcp,
                        server_name: None,
                    });
                }
            }
        }
    }

    fn from_peer(&mut self, port: u16, peer: SocketAddr, data: Bytes) {
        let Some((client, given)) = self.allocations.get_mut(&port) else {
            return;
        };
        let client = *client;
        if given.permitted.contains(&peer.ip()) {
            self.to_client(client, message(4, &[&write(peer), &data]));
        } else if matches!(client, Client::Tcp(_)) {
            given.held.push((peer, data));
        }
    }
}

impl Host for RelayHost {
    fn handle_input(&mut self, _now: Instant, input: Input) {
        match input {
            Input::Datagram { local, peer, data } if local == self.address => {
                self.handle_message(Client::Udp(peer), peer, &data);
            }
            Input::Datagram { local, peer, data } => self.from_peer(local.port(), peer, data),
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => {
                self.peers.insert(connection, (local.port(), peer));
                if local == self.address {
                    self.streams.insert(connection, Deframer::new());
                } else if let Some((_, given)) = self.allocations.get_mut(&local.port()) {
                    given.peers.insert(peer, connection);
                }
            }
            Input::Connected { connection, .. } => {
                for data in self.waiting.remove(&connection).unwrap_or_default() {
                    self.outputs.push_back(Output::Send { connection, data });
                }
            }
            Input::Data { connection, data } => {
                let (port, peer) = self.peers[&connection];
                if let Some(mut stream) = self.streams.remove(&connection) {
                    stream.push(data);
                    while let Some(packet) = stream.next() {
                        self.handle_message(Client::Tcp(connection), peer, &packet);
                    }
                    self.streams.insert(connection, stream);
                } else {
                    self.from_peer(port, peer, data);
                }
            }
            Input::ConnectFailed { connection, .. } | Input::Closed { connection, .. } => {
                if let Some((port, peer)) = self.peers.remove(&connection) {
                    self.streams.remove(&connection);
                    self.waiting.remove(&connection);
                    if let Some((_, given)) = self.allocations.get_mut(&port) {
                        given.peers.remove(&peer);
                    }
                }
            }
            Input::Resolved { .. } => {}
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
