//! A server, its clients and its peers on a network that loses nothing and takes no time.
#![allow(dead_code, unreachable_pub)] // Not every test uses all of it.

pub mod by_hand;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::Password;
use ocs_turn::bandwidth::{BandwidthPolicy, NoPolicy};
use ocs_turn::client::{self, Client, Config as ClientConfig, Credentials, Output, Transport};
use ocs_turn::server::{
    Action, ClientId, Config, ConnectionId, Event, PeerConnectionId, RelayId, Server, Socket,
};
use rand_chacha::ChaCha12Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

pub const SERVER: &str = "192.0.2.20:3478";
pub const PEER: &str = "198.51.100.9:51661";

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn seconds(value: u64) -> Duration {
    Duration::from_secs(value)
}

pub type Store = HashMap<Vec<u8>, Password>;

pub fn store() -> Store {
    [(&b"alice"[..], &b"secret"[..]), (b"bob", b"other")]
        .into_iter()
        .map(|(name, password)| (name.to_vec(), password.into()))
        .collect()
}

pub fn credentials(name: &str, password: &str) -> Credentials {
    Credentials {
        username: name.as_bytes().into(),
        password: password.as_bytes().into(),
    }
}

/// An event of a client that keeps its data.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    Data(SocketAddr, Vec<u8>),
    Other(client::Event<'static>),
}

pub struct Node {
    pub client: Client<ChaCha12Rng>,
    pub address: SocketAddr,
    pub id: ClientId,
    pub news: VecDeque<News>,
    pub closed: bool,
}

impl Node {
    pub fn next(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    pub fn event(&mut self) -> client::Event<'static> {
        match self.news.pop_front() {
            Some(News::Other(event)) => event,
            other => panic!("{other:?}"),
        }
    }

    pub fn allocated(&mut self) -> client::Allocation {
        match self.event() {
            client::Event::Allocated(allocation) => allocation,
            other => panic!("{other:?}"),
        }
    }
}

/// What went to peers.
#[derive(Debug, PartialEq, Eq)]
pub enum ToPeer {
    Datagram(RelayId, SocketAddr, Vec<u8>),
    Connect(PeerConnectionId, SocketAddr),
    Octets(PeerConnectionId, Vec<u8>),
    Close(PeerConnectionId),
}

pub struct World<P = NoPolicy> {
    pub now: Instant,
    pub server: Server<Store, ChaCha12Rng, P>,
    pub nodes: Vec<Node>,
    pub relays: HashMap<RelayId, SocketAddr>,
    pub to_peers: VecDeque<ToPeer>,
    pub events: VecDeque<Event>,
    /// TCP is cut into pieces of this size.
    pub piece: usize,
    /// Whether binding works.
    pub ports: bool,
    pub closed: Vec<ConnectionId>,
    next_port: u16,
}

pub fn config() -> Config {
    let mut config = Config::new(b"\"rtcmedia\"");
    config.listeners = vec![address(SERVER)];
    config
}

impl World {
    pub fn new(config: Config) -> Self {
        World::with_policy(config, NoPolicy)
    }
}

impl<P: BandwidthPolicy> World<P> {
    pub fn with_policy(config: Config, policy: P) -> Self {
        let now = Instant::now();
        let rng = ChaCha12Rng::seed_from_u64(1);
        Self {
            now,
            server: Server::with_policy(now, config, store(), rng, policy),
            nodes: Vec::new(),
            relays: HashMap::new(),
            to_peers: VecDeque::new(),
            events: VecDeque::new(),
            piece: usize::MAX,
            ports: true,
            closed: Vec::new(),
            next_port: 50_000,
        }
    }

    pub fn client(&mut self, transport: Transport) -> usize {
        self.client_with(
            ClientConfig::new(address(SERVER), transport),
            "alice",
            "secret",
        )
    }

    pub fn client_with(&mut self, config: ClientConfig, name: &str, password: &str) -> usize {
        let number = self.nodes.len();
        let stream = config.transport.is_stream();
        let own = SocketAddr::from(([203, 0, 113, 7], 40_000 + number as u16));
        let rng = ChaCha12Rng::seed_from_u64(100 + number as u64);
        let client = Client::new(self.now, config, credentials(name, password), rng);
        self.nodes.push(Node {
            client,
            address: own,
            id: if stream {
                ClientId::Tcp(ConnectionId(number as u64))
            } else {
                ClientId::Udp(own)
            },
            news: VecDeque::new(),
            closed: false,
        });
        self.pump();
        number
    }

    /// Carries everything until nothing moves any more.
    pub fn pump(&mut self) {
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.nodes.len() {
            while let Some(output) = self.nodes[index].client.poll_output() {
                moved = true;
                let (octets, connect) = match output {
                    Output::Send { octets, .. } => (octets.to_vec(), None),
                    Output::Connect(_) => (Vec::new(), Some(true)),
                    Output::Close => (Vec::new(), Some(false)),
                };
                match (connect, self.nodes[index].id) {
                    (Some(true), ClientId::Tcp(id)) => {
                        let from = self.nodes[index].address;
                        assert!(self.server.handle_connected(self.now, id, from));
                        self.nodes[index].client.handle_connected(self.now);
                    }
                    (Some(_), ClientId::Tcp(id)) => {
                        self.nodes[index].closed = true;
                        self.server.handle_closed(id);
                    }
                    (Some(_), ClientId::Udp(_)) => unreachable!(),
                    (None, ClientId::Udp(from)) => {
                        let _ = self.server.handle_datagram(self.now, from, &octets);
                    }
                    (None, ClientId::Tcp(id)) => {
                        for piece in octets.chunks(self.piece) {
                            let _ = self.server.handle_data(self.now, id, piece);
                        }
                    }
                }
            }
            let node = &mut self.nodes[index];
            while let Some(event) = node.client.poll_event() {
                moved = true;
                node.news.push_back(match event {
                    client::Event::Data { peer, octets } => News::Data(peer, octets.to_vec()),
                    client::Event::Allocated(allocation) => {
                        News::Other(client::Event::Allocated(allocation))
                    }
                    client::Event::Refreshed { lifetime } => {
                        News::Other(client::Event::Refreshed { lifetime })
                    }
                    client::Event::ActiveDestination { peer } => {
                        News::Other(client::Event::ActiveDestination { peer })
                    }
                    client::Event::ActiveDestinationRefused { peer, code } => {
                        News::Other(client::Event::ActiveDestinationRefused { peer, code })
                    }
                    client::Event::Bandwidth(response) => {
                        News::Other(client::Event::Bandwidth(response))
                    }
                    client::Event::Redirected { server } => {
                        News::Other(client::Event::Redirected { server })
                    }
                    client::Event::Released => News::Other(client::Event::Released),
                    client::Event::Failed(failure) => News::Other(client::Event::Failed(failure)),
                    other => panic!("{other:?}"),
                });
            }
        }
        while let Some(transmit) = self.server.poll_transmit() {
            moved = true;
            let octets = transmit.octets;
            let to = match transmit.socket {
                Socket::Udp { to } => ClientId::Udp(to),
                Socket::Connection(id) => ClientId::Tcp(id),
                Socket::Relay { relay, to } => {
                    self.to_peers
                        .push_back(ToPeer::Datagram(relay, to, octets.to_vec()));
                    continue;
                }
                Socket::Peer(id) => {
                    self.to_peers.push_back(ToPeer::Octets(id, octets.to_vec()));
                    continue;
                }
            };
            if let Some(node) = self.nodes.iter_mut().find(|node| node.id == to) {
                for piece in octets.chunks(self.piece) {
                    if to == ClientId::Udp(node.address) {
                        let _ = node.client.handle_data(self.now, octets);
                        break;
                    }
                    let _ = node.client.handle_data(self.now, piece);
                }
            }
        }
        while let Some(action) = self.server.poll_action() {
            moved = true;
            match action {
                Action::Bind { relay, .. } => {
                    self.next_port += 1;
                    let port = self.next_port;
                    let ip = match relay.family {
                        ocs_stun::attribute::AddressFamily::Ipv4 => "192.0.2.20".parse().unwrap(),
                        ocs_stun::attribute::AddressFamily::Ipv6 => "2001:db8::20".parse().unwrap(),
                    };
                    let bound = self.ports.then_some(SocketAddr::new(ip, port));
                    if let Some(bound) = bound {
                        self.relays.insert(relay, bound);
                    }
                    self.server.handle_bound(self.now, relay, bound).unwrap();
                }
                Action::Unbind(relay) => {
                    self.relays.remove(&relay);
                }
                Action::Connect {
                    connection, peer, ..
                } => {
                    self.to_peers.push_back(ToPeer::Connect(connection, peer));
                }
                Action::ClosePeer(id) => self.to_peers.push_back(ToPeer::Close(id)),
                Action::Close(id) => {
                    self.closed.push(id);
                    if let Some(node) = self
                        .nodes
                        .iter_mut()
                        .find(|node| node.id == ClientId::Tcp(id))
                    {
                        node.client.handle_closed();
                    }
                }
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.events.push_back(event);
        }
        moved
    }

    /// Lets time pass, timer by timer.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let timers = self
                .nodes
                .iter()
                .filter_map(|node| node.client.poll_timeout());
            let next = timers.chain(self.server.poll_timeout()).min();
            let Some(next) = next.filter(|&next| next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.server.handle_timeout(self.now);
            for node in &mut self.nodes {
                node.client.handle_timeout(self.now);
            }
            self.pump();
        }
        self.now = end;
    }

    /// The relay with this address.
    pub fn relay(&self, relayed: SocketAddr) -> RelayId {
        let found = self.relays.iter().find(|(_, address)| **address == relayed);
        *found.expect("a relay").0
    }

    /// A peer's datagram to a relayed address.
    pub fn peer_sends(
        &mut self,
        relayed: SocketAddr,
        from: &str,
        octets: &[u8],
    ) -> Result<(), ocs_turn::Error> {
        let relay = self.relay(relayed);
        let result = self
            .server
            .handle_peer_datagram(self.now, relay, address(from), octets);
        self.pump();
        result
    }

    pub fn datagram(&mut self) -> (SocketAddr, Vec<u8>) {
        match self.to_peers.pop_front() {
            Some(ToPeer::Datagram(_, to, octets)) => (to, octets),
            other => panic!("{other:?}"),
        }
    }
}

/// "Random" octets that are known.
pub struct Script(VecDeque<u8>);

impl Script {
    /// The transaction identifiers of these messages.
    pub fn ids(messages: &[&[u8]]) -> Self {
        Self(
            messages
                .iter()
                .flat_map(|message| message[4..20].to_vec())
                .collect(),
        )
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only octets are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only octets are drawn")
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Infallible> {
        octets.fill_with(|| self.0.pop_front().expect("an octet of the script"));
        Ok(())
    }
}

impl TryCryptoRng for Script {}
