//! TCP candidates: connections, and the packets in them (RFC 4571).

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use rand_core::Rng;

use super::{Agent, Path, Via};
use crate::framing::Deframer;
use crate::io::{ConnectionId, Output};
use crate::{Error, PairState, Transport};

/// Octets that a connection may have in an incomplete packet before it has shown a check: more than any check has.
const UNPROVEN: usize = 2048;

/// A connection, made or being made.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) local: usize,
    pub(super) remote: SocketAddr,
    pub(super) stream: Deframer,
    /// Until a check has passed on it, it must do so by then.
    pub(super) deadline: Option<Instant>,
}

impl<R: Rng> Agent<R> {
    pub(super) fn new_connection(
        &mut self,
        local: usize,
        remote: SocketAddr,
        now: Instant,
    ) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let deadline = Some(now + self.config.timers.tcp_check);
        let connection = Connection {
            local,
            remote,
            stream: Deframer::new(),
            deadline,
        };
        self.connections.insert(id, connection);
        id
    }

    /// A connection that the agent asked for is there.
    pub fn handle_connected(&mut self, now: Instant, connection: ConnectionId) {
        if self.connections.contains_key(&connection) {
            self.connection_made(now, connection);
            self.proceed(now);
        }
    }

    /// Somebody connected to the socket of a passive candidate, whose address `base` is.
    ///
    /// # Errors
    /// [`Error::NoPath`] if there is no such candidate, or there are too many connections: close it.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        base: SocketAddr,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Error> {
        let own = |local: &super::Local| {
            local.via == Via::Socket
                && local.transport == Transport::TcpPassive
                && local.is_base()
                && local.base == base
        };
        let local = self.locals.iter().position(own).ok_or(Error::NoPath)?;
        if self.connections.len() >= self.config.limits.connections {
            return Err(Error::NoPath);
        }
        Ok(self.new_connection(local, remote, now))
    }

    /// Octets of a connection.
    pub fn handle_stream(&mut self, now: Instant, connection: ConnectionId, data: Bytes) {
        self.handle_octets(now, Path::Stream { connection }, data);
    }

    /// Closes a connection that holds too much of a packet before it has shown a check.
    pub(super) fn close_if_greedy(&mut self, now: Instant, path: Path) {
        let Path::Stream { connection } = path else {
            return;
        };
        let greedy =
            |entry: &Connection| entry.deadline.is_some() && entry.stream.buffered() > UNPROVEN;
        if self.connections.get(&connection).is_some_and(greedy) {
            self.close_connection(connection);
            self.connection_lost(now, connection);
        }
    }

    /// A connection is closed, or could not be made.
    pub fn handle_closed(&mut self, now: Instant, connection: ConnectionId) {
        if self.connections.remove(&connection).is_some() {
            self.connection_lost(now, connection);
            self.proceed(now);
        }
    }

    fn connection_lost(&mut self, now: Instant, connection: ConnectionId) {
        for media in &mut self.media {
            if media.previous == Some(Path::Stream { connection }) {
                media.previous = None;
            }
        }
        self.lose(now, |_, pair| pair.connection == Some(connection));
        for pair in &mut self.pairs {
            if pair.connection == Some(connection) {
                pair.connection = None;
            }
        }
    }

    /// A check has passed on a connection: it may stay.
    pub(super) fn prove(&mut self, connection: ConnectionId) {
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.deadline = None;
        }
    }

    pub(super) fn close_connection(&mut self, connection: ConnectionId) {
        if self.connections.remove(&connection).is_some() {
            self.outputs.push_back(Output::Close { connection });
        }
    }

    /// Closes connections on which no check has passed in time.
    pub(super) fn expire_connections(&mut self, now: Instant) {
        let late = |(id, entry): (&ConnectionId, &Connection)| {
            entry.deadline.is_some_and(|end| end <= now).then_some(*id)
        };
        let mut late: Vec<_> = self.connections.iter().filter_map(late).collect();
        late.sort_unstable();
        for connection in late {
            self.close_connection(connection);
            self.connection_lost(now, connection);
        }
    }

    /// Closes connections and gives allocations back.
    pub(super) fn release(
        &mut self,
        connections: impl Fn(ConnectionId) -> bool,
        relays: impl Fn(crate::io::RelayId) -> bool,
    ) {
        let mut all: Vec<_> = self.connections.keys().copied().collect();
        all.sort_unstable();
        for connection in all {
            if connections(connection) {
                self.close_connection(connection);
            }
        }
        for (index, relay) in self.relays.iter_mut().enumerate() {
            let id = crate::io::RelayId(index);
            if relay.state != super::RelayState::Gone && relays(id) {
                relay.state = super::RelayState::Gone;
                self.outputs.push_back(Output::Release { relay: id });
            }
        }
        for pair in &mut self.pairs {
            let closed = pair
                .connection
                .is_some_and(|id| !self.connections.contains_key(&id));
            if closed {
                pair.connection = None;
                pair.state = PairState::Failed;
            }
        }
    }
}
