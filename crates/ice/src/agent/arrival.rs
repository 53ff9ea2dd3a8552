//! What comes in: checks, answers, media.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_stun::{Class, Message};
use rand_core::Rng;

use super::{Agent, Path, Via};
use crate::binding::Wire;
use crate::framing::frame;
use crate::io::{Event, Output, RelayId};
use crate::{Component, Dialect, PairState, Transport};

/// Where a packet came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// The base that it came to.
    pub(super) local: usize,
    /// Where it came from.
    pub(super) remote: SocketAddr,
    pub(super) path: Path,
}

impl<R: Rng> Agent<R> {
    /// A datagram came to a socket.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        base: SocketAddr,
        remote: SocketAddr,
        data: Bytes,
    ) {
        let own = |local: &super::Local| {
            local.via == Via::Socket
                && local.is_base()
                && local.transport == Transport::Udp
                && local.base == base
        };
        if let Some(local) = self.locals.iter().position(own) {
            let path = Path::Datagram { base, remote };
            self.handle_packet(
                now,
                Arrival {
                    local,
                    remote,
                    path,
                },
                data,
            );
            self.proceed(now);
        }
    }

    /// Data of a peer came through a relay: a datagram, or a piece of the stream from this peer.
    pub fn handle_relayed(
        &mut self,
        now: Instant,
        relay: RelayId,
        remote: SocketAddr,
        data: Bytes,
    ) {
        let Some(entry) = self.relays.get(relay.0) else {
            return;
        };
        if entry.carrier.is_tcp() {
            self.handle_relay_stream(now, relay, remote, data);
        } else if let Some(local) = self.relayed_base(relay, remote, &[Transport::Udp]) {
            let path = Path::Relay { relay, remote };
            self.handle_packet(
                now,
                Arrival {
                    local,
                    remote,
                    path,
                },
                data,
            );
        }
        self.proceed(now);
    }

    /// The relayed candidate that a peer sends to: of the peer's address family, and of the first of these transports that is
    /// paired with it, or else of the last.
    fn relayed_base(
        &self,
        relay: RelayId,
        remote: SocketAddr,
        transports: &[Transport],
    ) -> Option<usize> {
        let find = |transport| {
            self.locals.iter().position(|local| {
                local.via == Via::Relay(relay)
                    && local.transport == transport
                    && local.base.is_ipv4() == remote.is_ipv4()
            })
        };
        let paired = |local: &usize| {
            let to = |pair: &super::list::Pair| {
                pair.local == *local && self.remotes[pair.remote].address == remote
            };
            self.pairs.iter().any(to)
        };
        let mut all = transports.iter().filter_map(|transport| find(*transport));
        all.clone().find(paired).or_else(|| all.next_back())
    }

    fn handle_relay_stream(
        &mut self,
        now: Instant,
        relay: RelayId,
        remote: SocketAddr,
        data: Bytes,
    ) {
        const DIRECTIONS: [Transport; 2] = [Transport::TcpActive, Transport::TcpPassive];
        let Some(local) = self.relayed_base(relay, remote, &DIRECTIONS) else {
            return;
        };
        let key = (relay, remote);
        let limit = self.config.limits.connections;
        if !self.relay_streams.contains_key(&key) && self.relay_streams.len() >= limit {
            return;
        }
        let mut stream = self.relay_streams.remove(&key).unwrap_or_default();
        let path = Path::RelayStream { relay, remote };
        let arrival = Arrival {
            local,
            remote,
            path,
        };
        stream.push(data);
        while let Some(packet) = stream.next() {
            self.handle_packet(now, arrival, packet);
        }
        self.relay_streams.insert(key, stream);
    }

    /// One packet: a datagram, or what was in a frame.
    pub(super) fn handle_packet(&mut self, now: Instant, arrival: Arrival, data: Bytes) {
        let dialect = self.writer().dialect;
        let claims = match self.config.dialect {
            // Whatever has the cookie is not media, even if it is not right otherwise.
            Dialect::Ice2 => {
                data.len() >= 8 && data[0] & 0xC0 == 0 && data[4..8] == ocs_stun::RFC_COOKIE
            }
            Dialect::Ice => dialect.recognises(&data),
        };
        if !claims {
            self.handle_media(arrival, data);
            return;
        }
        let Ok(message) = Message::parse(dialect, &data) else {
            return;
        };
        match message.class() {
            Class::Request => self.handle_request(now, arrival, &message),
            Class::Success | Class::Error => self.handle_response(now, arrival, &message),
            Class::Indication => {}
        }
    }

    /// Media is taken from where a check came from or went to with success, from nowhere else.
    fn handle_media(&mut self, arrival: Arrival, data: Bytes) {
        let known = |pair: &super::list::Pair| {
            pair.local == arrival.local
                && self.remotes[pair.remote].address == arrival.remote
                && (pair.received || pair.state == PairState::Succeeded)
        };
        let component = self.locals[arrival.local].component;
        if self.pairs.iter().any(known) || self.is_previous(component, arrival.path) {
            self.emit(Event::Data { component, data });
        }
    }

    /// Sends a message, and its copy.
    pub(super) fn transmit(&mut self, path: Path, wire: Wire) {
        self.transmit_packet(path, wire.message);
        if let Some(copy) = wire.copy {
            self.transmit_packet(path, copy);
        }
    }

    pub(super) fn transmit_packet(&mut self, path: Path, data: Bytes) {
        let output = match path {
            Path::Datagram { base, remote } => Output::Datagram { base, remote, data },
            Path::Relay { relay, remote } => Output::Relay {
                relay,
                remote,
                data,
            },
            Path::RelayStream { relay, remote } => match frame(&data) {
                Ok(data) => Output::Relay {
                    relay,
                    remote,
                    data,
                },
                Err(_) => return,
            },
            Path::Stream { connection } => match frame(&data) {
                Ok(data) => Output::Stream { connection, data },
                Err(_) => return,
            },
        };
        self.outputs.push_back(output);
    }

    /// The component of a local candidate.
    pub(super) fn component_of(&self, arrival: Arrival) -> Component {
        self.locals[arrival.local].component
    }
}
