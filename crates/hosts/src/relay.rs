//! A relay on a host of the virtual network.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_sip_core::{ConnectionId, Transport};
use ocs_stun::Password;
use ocs_testbed::{Host, HostId, Input, Listener, Output, Testbed};
use ocs_turn::bandwidth::{BandwidthPolicy, NoPolicy};
use ocs_turn::client::Credentials;
use ocs_turn::server::{
    self, Action, Config, CredentialStore, PeerConnectionId, RelayId, Server, Socket,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const USERNAME: &[u8] = b"contoso token of 32 octets here.";
const PASSWORD: &[u8] = b"contoso password";

/// Ports for allocations.
const PORTS: core::ops::Range<u16> = 50_000..50_032;

/// The one account of a relay that is installed without a store.
#[must_use]
pub fn credentials() -> Credentials {
    Credentials {
        username: USERNAME.into(),
        password: PASSWORD.into(),
    }
}

type OneAccount = HashMap<Vec<u8>, Password>;

fn one_account() -> OneAccount {
    HashMap::from([(USERNAME.to_vec(), PASSWORD.into())])
}

/// Translates between a [`Server`] of \[MS-TURN\] and the network.
#[derive(Debug)]
pub struct RelayHost<S = OneAccount, P = NoPolicy> {
    address: SocketAddr,
    server: Server<S, ChaCha12Rng, P>,
    outputs: VecDeque<Output>,
    bound: HashMap<RelayId, u16>,
    /// Connections with peers.
    peers: HashMap<ConnectionId, PeerConnectionId>,
    next_connection: u64,
}

impl RelayHost {
    /// Adds a relay to a network, with its listeners, for who has the [`credentials`].
    pub fn install(testbed: &mut Testbed, address: SocketAddr, seed: u64) -> HostId {
        RelayHost::install_for(one_account(), testbed, address, seed)
    }
}

impl<S: CredentialStore + 'static> RelayHost<S> {
    /// The same, for the accounts of a store.
    pub fn install_for(store: S, testbed: &mut Testbed, address: SocketAddr, seed: u64) -> HostId {
        RelayHost::add(store, NoPolicy, testbed, address, seed)
    }
}

impl<P: BandwidthPolicy + 'static> RelayHost<OneAccount, P> {
    /// The same as [`install`](RelayHost::install), with a policy for bandwidth.
    pub fn install_with_policy(
        policy: P,
        testbed: &mut Testbed,
        address: SocketAddr,
        seed: u64,
    ) -> HostId {
        RelayHost::add(one_account(), policy, testbed, address, seed)
    }
}

impl<S: CredentialStore + 'static, P: BandwidthPolicy + 'static> RelayHost<S, P> {
    fn add(store: S, policy: P, testbed: &mut Testbed, address: SocketAddr, seed: u64) -> HostId {
        let mut config = Config::new(b"\"rtcmedia\"");
        config.listeners = vec![address];
        // Hosts of this network have private addresses, and the relay is asked to reach them.
        config.peers.allow_private = true;
        let rng = ChaCha12Rng::seed_from_u64(seed);
        let host = testbed.add_host(
            "relay",
            [address.ip()],
            Self {
                address,
                server: Server::with_policy(testbed.now(), config, store, rng, policy),
                outputs: VecDeque::new(),
                bound: HashMap::new(),
                peers: HashMap::new(),
                next_connection: 1,
            },
        );
        for port in PORTS.chain([address.port()]) {
            testbed.listen(host, Listener::tcp(SocketAddr::new(address.ip(), port)));
        }
        host
    }

    /// The machine.
    #[must_use]
    pub const fn server(&self) -> &Server<S, ChaCha12Rng, P> {
        &self.server
    }

    /// The policy for bandwidth.
    pub fn policy_mut(&mut self) -> &mut P {
        self.server.policy_mut()
    }

    fn relay_at(&self, port: u16) -> Option<RelayId> {
        let mut bound = self.bound.iter();
        bound.find(|(_, of)| **of == port).map(|(relay, _)| *relay)
    }

    fn wire(&self, connection: PeerConnectionId) -> Option<ConnectionId> {
        let mut peers = self.peers.iter();
        peers
            .find(|(_, of)| **of == connection)
            .map(|(wire, _)| *wire)
    }

    fn pump(&mut self, now: Instant) {
        loop {
            if let Some(transmit) = self.server.poll_transmit() {
                let data = Bytes::copy_from_slice(transmit.octets);
                let socket = transmit.socket;
                self.transmit(socket, data);
            } else if let Some(action) = self.server.poll_action() {
                self.act(now, action);
            } else {
                break;
            }
        }
        while self.server.poll_event().is_some() {}
    }

    fn transmit(&mut self, socket: Socket, data: Bytes) {
        let output = match socket {
            Socket::Udp { to } => Output::Datagram {
                local: self.address,
                peer: to,
                data,
            },
            Socket::Relay { relay, to } => Output::Datagram {
                local: SocketAddr::new(self.address.ip(), self.bound[&relay]),
                peer: to,
                data,
            },
            Socket::Connection(connection) => Output::Send {
                connection: ConnectionId(connection.0),
                data,
            },
            Socket::Peer(peer) => match self.wire(peer) {
                Some(connection) => Output::Send { connection, data },
                None => return,
            },
        };
        self.outputs.push_back(output);
    }

    fn act(&mut self, now: Instant, action: Action) {
        match action {
            Action::Bind { relay, .. } => {
                let port = PORTS
                    .into_iter()
                    .find(|port| self.relay_at(*port).is_none());
                self.bound.extend(port.map(|port| (relay, port)));
                let address = port.map(|port| SocketAddr::new(self.address.ip(), port));
                let _ = self.server.handle_bound(now, relay, address);
            }
            Action::Unbind(relay) => {
                self.bound.remove(&relay);
            }
            Action::Connect {
                connection, peer, ..
            } => {
                let wire = ConnectionId(self.next_connection);
                self.next_connection += 1;
                self.peers.insert(wire, connection);
                self.outputs.push_back(Output::Connect {
                    connection: wire,
                    peer,
                    transport: Transport::Tcp,
                    server_name: None,
                });
            }
            Action::ClosePeer(peer) => {
                if let Some(connection) = self.wire(peer) {
                    self.peers.remove(&connection);
                    self.outputs.push_back(Output::Reset { connection });
                }
            }
            Action::Close(connection) => self.outputs.push_back(Output::Close {
                connection: ConnectionId(connection.0),
            }),
        }
    }

    fn accepted(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        local: SocketAddr,
        peer: SocketAddr,
    ) {
        let taken = if local == self.address {
            let id = server::ConnectionId(connection.0);
            self.server.handle_connected(now, id, peer)
        } else {
            let relay = self.relay_at(local.port());
            let peer = relay.and_then(|relay| self.server.handle_peer_accepted(now, relay, peer));
            self.peers.extend(peer.map(|peer| (connection, peer)));
            peer.is_some()
        };
        if !taken {
            self.outputs.push_back(Output::Reset { connection });
        }
    }
}

impl<S: CredentialStore + 'static, P: BandwidthPolicy + 'static> Host for RelayHost<S, P> {
    /// What the server ignores is ignored.
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Datagram { local, peer, data } if local == self.address => {
                let _ = self.server.handle_datagram(now, peer, &data);
            }
            Input::Datagram { local, peer, data } => {
                if let Some(relay) = self.relay_at(local.port()) {
                    let _ = self.server.handle_peer_datagram(now, relay, peer, &data);
                }
            }
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => self.accepted(now, connection, local, peer),
            Input::Connected { connection, .. } => {
                if let Some(peer) = self.peers.get(&connection) {
                    let _ = self.server.handle_peer_connected(*peer);
                }
            }
            Input::Data { connection, data } => {
                let id = server::ConnectionId(connection.0);
                let _ = match self.peers.get(&connection) {
                    Some(peer) => self.server.handle_peer_data(now, *peer, &data),
                    None => self.server.handle_data(now, id, &data),
                };
            }
            Input::ConnectFailed { connection, .. } | Input::Closed { connection, .. } => {
                match self.peers.remove(&connection) {
                    Some(peer) => self.server.handle_peer_closed(peer),
                    None => self
                        .server
                        .handle_closed(server::ConnectionId(connection.0)),
                }
            }
            Input::Resolved { .. } => {}
        }
        self.pump(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
        self.pump(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }
}
