//! What comes in: checks, answers, media.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_stun::{Class, Message};
use rand_core::Rng;

use super::{Agent, Path, Via};
use crate::binding::Wire;
use crate::framing::{Deframer, frame};
use crate::io::{Event, Output, RelayId};
use crate::{Component, Dialect, PairState, Transport};

/// What a packet is.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Check(Message<'a>),
    Answer(Message<'a>),
    Media,
    /// A keep-alive, or what is not right.
    Nothing,
}

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
        self.handle_octets(now, Path::Datagram { base, remote }, data);
    }

    /// Data of a peer came through a relay: a datagram, or a piece of the stream from this peer.
    pub fn handle_relayed(
        &mut self,
        now: Instant,
        relay: RelayId,
        remote: SocketAddr,
        data: Bytes,
    ) {
        if let Some(path) = self.relayed_path(relay, remote) {
            self.handle_octets(now, path, data);
        }
    }

    /// The way from a peer through a relay.
    pub(crate) fn relayed_path(&self, relay: RelayId, remote: SocketAddr) -> Option<Path> {
        let entry = self.relays.get(relay.0)?;
        Some(if entry.carrier.is_tcp() {
            Path::RelayStream { relay, remote }
        } else {
            Path::Relay { relay, remote }
        })
    }

    /// A packet, or a piece of a stream.
    pub(crate) fn handle_octets(&mut self, now: Instant, path: Path, data: Bytes) {
        if path.is_stream() {
            self.handle_piece(now, path, data, |_| None::<()>);
        } else if let Some(arrival) = self.arrival(path) {
            if matches!(self.read(&data), Content::Media) {
                // Nothing follows from it, and there is a lot of it.
                self.handle_media(arrival, data);
                return;
            }
            self.handle_packet(now, arrival, data);
        }
        self.proceed(now);
    }

    /// Where packets of a path come in.
    pub(super) fn arrival(&self, path: Path) -> Option<Arrival> {
        const DIRECTIONS: [Transport; 2] = [Transport::TcpActive, Transport::TcpPassive];
        let (local, remote) = match path {
            Path::Datagram { base, remote } => {
                let own = |local: &super::Local| {
                    local.via == Via::Socket
                        && local.is_base()
                        && local.transport == Transport::Udp
                        && local.base == base
                };
                (self.locals.iter().position(own)?, remote)
            }
            Path::Relay { relay, remote } => {
                let local = self.relayed_base(relay, remote, &[Transport::Udp])?;
                (local, remote)
            }
            Path::RelayStream { relay, remote } => {
                (self.relayed_base(relay, remote, &DIRECTIONS)?, remote)
            }
            Path::Stream { connection } => {
                let entry = self.connections.get(&connection)?;
                (entry.local, entry.remote)
            }
        };
        Some(Arrival {
            local,
            remote,
            path,
        })
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

    /// A piece of a stream: the packets that are complete with it, up to one that is somebody else's, which is given back with whose it is.
    pub(crate) fn handle_piece<T>(
        &mut self,
        now: Instant,
        path: Path,
        data: Bytes,
        mut whose: impl FnMut(&[u8]) -> Option<T>,
    ) -> Option<(T, Bytes)> {
        let arrival = self.arrival(path)?;
        self.stream(path)?.push(data);
        while let Some(packet) = self.stream(path).and_then(Deframer::next) {
            if let Some(other) = whose(&packet) {
                return Some((other, packet));
            }
            self.handle_packet(now, arrival, packet);
        }
        self.close_if_greedy(now, path);
        None
    }

    /// What is held of a stream. Those from peers behind relays begin with their first octet.
    fn stream(&mut self, path: Path) -> Option<&mut Deframer> {
        match path {
            Path::Stream { connection } => {
                let entry = self.connections.get_mut(&connection)?;
                Some(&mut entry.stream)
            }
            Path::RelayStream { relay, remote } => {
                let key = (relay, remote);
                let full = self.relay_streams.len() >= self.config.limits.connections;
                if full && !self.relay_streams.contains_key(&key) {
                    return None;
                }
                Some(self.relay_streams.entry(key).or_default())
            }
            Path::Datagram { .. } | Path::Relay { .. } => None,
        }
    }

    /// Tells what a packet is.
    pub(crate) fn read<'a>(&self, data: &'a [u8]) -> Content<'a> {
        let dialect = self.writer().dialect;
        let claims = match self.config.dialect {
            // Whatever has the cookie is not media, even if it is not right otherwise.
            Dialect::Ice2 => {
                data.len() >= 8 && data[0] & 0xC0 == 0 && data[4..8] == ocs_stun::RFC_COOKIE
            }
            Dialect::Ice => dialect.recognises(data),
        };
        if !claims {
            return Content::Media;
        }
        match Message::parse(dialect, data) {
            Ok(message) => match message.class() {
                Class::Request => Content::Check(message),
                Class::Success | Class::Error => Content::Answer(message),
                Class::Indication => Content::Nothing,
            },
            Err(_) => Content::Nothing,
        }
    }

    /// One packet: a datagram, or what was in a frame.
    pub(super) fn handle_packet(&mut self, now: Instant, arrival: Arrival, data: Bytes) {
        match self.read(&data) {
            Content::Check(message) => self.handle_request(now, arrival, &message),
            Content::Answer(message) => self.handle_response(now, arrival, &message),
            Content::Media => self.handle_media(arrival, data),
            Content::Nothing => {}
        }
    }

    fn handle_media(&mut self, arrival: Arrival, data: Bytes) {
        if self.is_media_of(arrival) {
            let component = self.component_of(arrival);
            self.emit(Event::Data { component, data });
        }
    }

    /// Media is taken from where a check came from or went to with success, from nowhere else.
    pub(super) fn is_media_of(&self, arrival: Arrival) -> bool {
        let known = |pair: &super::list::Pair| {
            pair.local == arrival.local
                && self.remotes[pair.remote].address == arrival.remote
                && (pair.received || pair.state == PairState::Succeeded)
        };
        self.pairs.iter().any(known) || self.is_previous(self.component_of(arrival), arrival.path)
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
