//! A relay in one process: [MS-TURN] server and clients over UDP, whose packets are handed over as they are.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ocs_stun::Password;
use ocs_turn::client::{Client, Config as ClientConfig, Credentials, Event, Output, Transport};
use ocs_turn::server::{Action, Config, RelayId, Server, Socket};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The server's machine and what its caller keeps.
pub struct Relay {
    /// The server.
    pub server: Server<HashMap<Vec<u8>, Password>, ChaCha8Rng>,
    /// The time.
    pub now: Instant,
    ports: u32,
}

/// A client with its allocation.
pub struct Relayed {
    /// The client's machine.
    pub client: Client<ChaCha8Rng>,
    /// Where its datagrams come from.
    pub address: SocketAddr,
    /// Its relayed port.
    pub relay: RelayId,
}

/// A token and its password, as long as those of \[MS-AVEDGEA\].
const USERNAME: [u8; 52] = [7; 52];
const PASSWORD: [u8; 20] = [9; 20];

/// The server's address.
#[must_use]
pub fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 20], 3478))
}

/// The peer's address.
#[must_use]
pub fn peer() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 51_661))
}

impl Relay {
    /// A server with room for all that is to come.
    #[must_use]
    pub fn new() -> Self {
        let now = Instant::now();
        let mut config = Config::new(b"rtcmedia");
        config.limits.allocations_per_account = usize::MAX;
        config.limits.unauthenticated_octets = u32::MAX;
        config.limits.unauthenticated_sources = usize::MAX;
        let store = HashMap::from([(USERNAME.to_vec(), Password::from(PASSWORD))]);
        Self {
            server: Server::new(now, config, store, ChaCha8Rng::seed_from_u64(1)),
            now,
            ports: 0,
        }
    }

    /// Makes an allocation for client number `number`.
    pub fn allocate(&mut self, number: u32) -> Relayed {
        let address = SocketAddr::new(IpAddr::from((0x0A00_0000 + number).to_be_bytes()), 5000);
        let credentials = Credentials {
            username: USERNAME.into(),
            password: PASSWORD.into(),
        };
        let config = ClientConfig::new(server_address(), Transport::Udp);
        let rng = ChaCha8Rng::seed_from_u64(u64::from(number));
        let mut client = Client::new(self.now, config, credentials, rng);
        let mut relay = None;
        while relay.is_none() || !matches!(client.poll_event(), Some(Event::Allocated(_))) {
            while let Some(Output::Send { octets, .. }) = client.poll_output() {
                let _ = self.server.handle_datagram(self.now, address, octets);
            }
            while let Some(action) = self.server.poll_action() {
                if let Action::Bind { relay: bind, .. } = action {
                    self.ports += 1;
                    let [a, b, c, d] = self.ports.to_be_bytes();
                    let bound = SocketAddr::from(([192, a, b, c], 50_000 + u16::from(d)));
                    relay = Some(bind);
                    self.server
                        .handle_bound(self.now, bind, Some(bound))
                        .expect("a relay");
                }
            }
            while let Some(transmit) = self.server.poll_transmit() {
                client
                    .handle_data(self.now, transmit.octets)
                    .expect("a response");
            }
            while self.server.poll_event().is_some() {}
        }
        Relayed {
            client,
            address,
            relay: relay.expect("bound"),
        }
    }

    /// Makes the peer the client's active destination.
    pub fn activate(&mut self, relayed: &mut Relayed) {
        relayed
            .client
            .set_active_destination(self.now, peer())
            .expect("allocated");
        self.to_server(relayed);
        self.to_client(relayed);
        while relayed.client.poll_event().is_some() {}
    }

    /// Hands what the client sends to the server.
    pub fn to_server(&mut self, relayed: &mut Relayed) {
        while let Some(Output::Send { octets, .. }) = relayed.client.poll_output() {
            self.server
                .handle_datagram(self.now, relayed.address, octets)
                .expect("taken");
        }
    }

    /// Hands what the server sends to the client.
    pub fn to_client(&mut self, relayed: &mut Relayed) {
        while let Some(transmit) = self.server.poll_transmit() {
            relayed
                .client
                .handle_data(self.now, transmit.octets)
                .expect("taken");
        }
    }

    /// Takes what the server sends to a peer; its octets.
    pub fn to_peer(&mut self) -> usize {
        let transmit = self.server.poll_transmit().expect("a datagram");
        assert!(matches!(transmit.socket, Socket::Relay { .. }));
        transmit.octets.len()
    }

    /// Takes what the server sends to a client; its octets.
    pub fn to_socket(&mut self) -> usize {
        let transmit = self.server.poll_transmit().expect("a datagram");
        assert!(matches!(transmit.socket, Socket::Udp { .. }));
        transmit.octets.len()
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

impl std::fmt::Debug for Relayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.relay.fmt(f)
    }
}
