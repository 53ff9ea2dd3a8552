//! An Edge Server on a host of the virtual network: it gives credentials, and relays for who has them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_avedgea::server::{RelayAuthentication, Requester};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{Aor, ConnectionId, Limits, WallClock};
use ocs_testbed::{Host, Input, Output};
use ocs_turn::server::{Action, Config, Event, RelayId, Server, Socket};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use crate::net::Accounts;

/// The first relayed port.
const FIRST_PORT: u16 = 50_000;

/// [MS-AVEDGEA] over connections, [MS-TURN] over UDP.
#[derive(Debug)]
pub struct EdgeHost {
    /// Everything that the relay told, in order.
    pub events: Vec<Event>,
    authentication: RelayAuthentication,
    /// Who asks: what the front end finds out.
    user: Aor,
    clock: WallClock,
    framers: HashMap<ConnectionId, Framer>,
    relay: Server<Accounts, ChaCha12Rng>,
    address: SocketAddr,
    ports: HashMap<u16, RelayId>,
    next_port: u16,
    outputs: VecDeque<Output>,
}

impl EdgeHost {
    /// A host that relays at `address` for who is in `accounts`, and gives credentials to `user`.
    #[must_use]
    pub fn new(
        now: Instant,
        clock: WallClock,
        (authentication, user): (RelayAuthentication, Aor),
        (address, accounts): (SocketAddr, Accounts),
        seed: u64,
    ) -> Self {
        let mut config = Config::new(b"\"rtcmedia\"");
        config.listeners = vec![address];
        let rng = ChaCha12Rng::seed_from_u64(seed);
        Self {
            events: Vec::new(),
            authentication,
            user,
            clock,
            framers: HashMap::new(),
            relay: Server::new(now, config, accounts, rng),
            address,
            ports: HashMap::new(),
            next_port: FIRST_PORT,
            outputs: VecDeque::new(),
        }
    }

    fn answer(&mut self, now: Instant, connection: ConnectionId, data: Bytes) {
        let Some(framer) = self.framers.get_mut(&connection) else {
            return;
        };
        framer.push_bytes(data);
        while let Some(Ok(frame)) = framer.poll_frame() {
            if let Frame::Message(request) = frame {
                let requester = Requester::User(&self.user);
                let filetime = self.clock.filetime(now);
                let answer = self
                    .authentication
                    .answer(&request, requester, filetime, "edge");
                self.outputs.push_back(Output::Send {
                    connection,
                    data: answer.to_bytes(),
                });
            }
        }
    }

    fn pump(&mut self, now: Instant) {
        loop {
            while let Some(transmit) = self.relay.poll_transmit() {
                let data = Bytes::copy_from_slice(transmit.octets);
                let (local, peer) = match transmit.socket {
                    Socket::Udp { to } => (self.address, to),
                    Socket::Relay { relay, to } => {
                        let mut ports = self.ports.iter();
                        let Some((port, _)) = ports.find(|(_, id)| **id == relay) else {
                            continue;
                        };
                        (SocketAddr::new(self.address.ip(), *port), to)
                    }
                    // There are none without TCP.
                    Socket::Connection(_) | Socket::Peer(_) => continue,
                };
                self.outputs
                    .push_back(Output::Datagram { local, peer, data });
            }
            match self.relay.poll_action() {
                Some(Action::Bind { relay, .. }) => {
                    let at = SocketAddr::new(self.address.ip(), self.next_port);
                    if self.relay.handle_bound(now, relay, Some(at)).is_ok() {
                        self.ports.insert(self.next_port, relay);
                        self.next_port += 1;
                    }
                }
                Some(Action::Unbind(relay)) => self.ports.retain(|_, id| *id != relay),
                Some(_) => {}
                None => break,
            }
        }
        while let Some(event) = self.relay.poll_event() {
            self.events.push(event);
        }
    }
}

impl Host for EdgeHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Accepted { connection, .. } => {
                let framer = Framer::new(Limits::default());
                self.framers.insert(connection, framer);
            }
            Input::Data { connection, data } => self.answer(now, connection, data),
            Input::Closed { connection, .. } => {
                self.framers.remove(&connection);
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Datagram { local, peer, data } => {
                // What the relay ignores is ignored.
                let _ = match self.ports.get(&local.port()) {
                    Some(relay) => self.relay.handle_peer_datagram(now, *relay, peer, &data),
                    None => self.relay.handle_datagram(now, peer, &data),
                };
            }
            Input::Connected { .. } | Input::ConnectFailed { .. } | Input::Resolved { .. } => {}
        }
        self.pump(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.relay.handle_timeout(now);
        self.pump(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.relay.poll_timeout()
    }
}
