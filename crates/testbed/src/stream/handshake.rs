//! How connections come about, or do not.

use std::net::SocketAddr;
use std::time::Duration;

use ocs_sip_core::{ConnectionId, Transport};

use super::{
    ACCEPTED, CLIENT, CONNECT_TIMEOUT, Connection, End, Key, SERVER, State, handshake_lengths,
};
use crate::capture::Segment;
use crate::host::{ConnectFailure, HostId, Input};
use crate::record::{Event, Flow};
use crate::testbed::{Pending, Testbed};

impl Testbed {
    pub(super) fn ephemeral_port(&mut self, host: HostId) -> u16 {
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
        let route = local.and_then(|_| self.outside(host, source, peer.ip()));
        let (to, seen) = route.map_or((None, source), |(to, _, seen)| (Some(to), seen));
        let flow = Flow {
            from: host,
            to,
            source: seen,
            destination: peer,
            transport,
        };
        let Some((to, node, _)) = route else {
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
            destination: seen,
            transport,
        };
        let key = self.streams.next;
        self.streams.next += 1;
        let client = End {
            node,
            seen,
            ..End::new(host, id, source, self.recorder.dissector(&back))
        };
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
    pub(super) fn continue_handshake(&mut self, key: Key, trip: u8) {
        let side = usize::from(trip % 2);
        let hosts = self.streams.connections[&key].link_to(side);
        let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
        self.queue.push(arrival, Pending::Handshake { key, trip });
    }

    pub(crate) fn on_handshake(&mut self, key: Key, trip: u8) {
        let at = self.elapsed();
        // Packets with odd numbers go to the accepting host, whose side is 1.
        let side = usize::from(trip % 2);
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let (from, to) = connection.link_to(side);
        if self.links.is_cut(from, to) {
            connection.stalled = Some(trip);
            return;
        }
        let flow = connection.flow_to(side);
        let transport = connection.transport;
        let segment = match trip {
            1 => Some(Segment::Syn),
            2 => Some(Segment::SynAck),
            3 => Some(Segment::Ack),
            // The messages of TLS, which have no bytes here.
            _ => None,
        };
        if let Some(segment) = segment {
            let capture = &mut self.recorder.capture;
            capture.segment(at, flow, (key, side), segment);
        }
        if trip == 1 {
            let address = connection.ends[SERVER].address;
            if self.nodes[to.0].translator.is_some() {
                // What nobody asked for is dropped without an answer; the attempt times out.
                return;
            }
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
    pub(super) fn open(&mut self, key: Key, side: usize) {
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
        let peer = connection.ends[1 - side].seen;
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
        if matches!(reason, ConnectFailure::Refused | ConnectFailure::Handshake) {
            let back = connection.flow_to(CLIENT);
            let capture = &mut self.recorder.capture;
            capture.segment(at, back, (key, CLIENT), Segment::Reset);
        }
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
}
