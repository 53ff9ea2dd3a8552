//! Clients' TCP connections: bare or behind pseudo-TLS, told apart by their first octets.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_stun::{Dialect, Message};
use rand_core::CryptoRng;

use super::throttle::source;
use super::{
    Action, ClientId, ConnectionId, CredentialStore, Reason, Server, Socket, Timer, count_down,
    count_up,
};
use crate::Error;
use crate::bandwidth::BandwidthPolicy;
use crate::frame::{Frame, FrameReader, FrameType, MultiplexedFrame};
use crate::pseudo_tls::{self, CLIENT_HELLO_LEN, Hello, RECORD_START};

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    from: SocketAddr,
    phase: Phase,
    /// Until when there has to be an allocation.
    deadline: Instant,
}

#[derive(Debug)]
enum Phase {
    /// Nothing yet. The first octet of a frame is 2 or 3, that of a hello 0x16.
    Opening,
    Hello(Box<Hello<CLIENT_HELLO_LEN>>),
    Frames(FrameReader),
}

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// A client has connected. `false`: there are too many connections, close it.
    #[must_use]
    pub fn handle_connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        from: SocketAddr,
    ) -> bool {
        let limits = &self.config.limits;
        let known = self.connections.contains_key(&connection);
        let full = self.connections.len() >= limits.connections;
        let from_ip = source(from.ip());
        if known
            || full
            || !count_up(
                &mut self.connection_sources,
                from_ip,
                limits.connections_per_source,
            )
        {
            return false;
        }
        let deadline = now + limits.opening;
        let state = Connection {
            from,
            phase: Phase::Opening,
            deadline,
        };
        self.connections.insert(connection, state);
        let timer = Timer::Connection(connection);
        self.timers.insert((deadline, timer));
        true
    }

    /// A client's connection is gone, and its allocation with it.
    pub fn handle_closed(&mut self, connection: ConnectionId) {
        if let Some(state) = self.connections.remove(&connection) {
            count_down(&mut self.connection_sources, &source(state.from.ip()));
            let timer = Timer::Connection(connection);
            self.timers.remove(&(state.deadline, timer));
        }
        if let Some(&allocation) = self.clients.get(&ClientId::Tcp(connection)) {
            self.release(allocation, Reason::Disconnected);
        }
    }

    /// Takes octets of a client's connection, cut anywhere.
    ///
    /// An error says what was ignored. If the connection is of no more use, there is an [`Action::Close`] too.
    pub fn handle_data(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        octets: &[u8],
    ) -> Result<(), Error> {
        let mut input = octets;
        let mut result = Ok(());
        let state = self.connections.get_mut(&connection);
        let state = state.ok_or(Error::Unknown { what: "connection" })?;
        let from = state.from;
        // It is put back when its frames are handled, unless one of them ends the connection.
        let mut phase = std::mem::replace(&mut state.phase, Phase::Opening);
        let allocated = self.clients.contains_key(&ClientId::Tcp(connection));
        let frame_limit = (!allocated).then_some(self.config.limits.opening_frame);
        loop {
            let step = match &mut phase {
                Phase::Opening => match input.first() {
                    None => Ok(None),
                    Some(&first) => {
                        phase = Phase::of(first);
                        continue;
                    }
                },
                Phase::Hello(hello) => match hello.next(&mut input) {
                    None => Ok(None),
                    Some(hello) if pseudo_tls::is_client_hello(hello) => {
                        let answer = pseudo_tls::server_hello(&mut self.rng);
                        self.outbox
                            .push_octets(Socket::Connection(connection), &answer);
                        phase = Phase::Frames(FrameReader::default());
                        continue;
                    }
                    Some(_) => Err(Error::Hello),
                },
                Phase::Frames(frames) => {
                    frames.set_limit(frame_limit);
                    frames.next(&mut input)
                }
            };
            let handled = match step {
                Ok(None) => break,
                Ok(Some(frame)) => self.handle_frame(now, connection, from, frame),
                Err(error) => Err(error),
            };
            match handled {
                // A request has ended the connection.
                Ok(_) if !self.connections.contains_key(&connection) => break,
                Ok(ignored) => result = result.and(ignored),
                Err(error) => {
                    self.close(connection);
                    return Err(error);
                }
            }
        }
        if let Some(state) = self.connections.get_mut(&connection) {
            state.phase = phase;
        }
        result
    }

    /// The outer error ends the connection: what should be a message is none (3.1.10). The inner one says what was ignored.
    fn handle_frame(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        from: SocketAddr,
        frame: Frame<'_>,
    ) -> Result<Result<(), Error>, Error> {
        let client = ClientId::Tcp(connection);
        if frame.frame_type == FrameType::Control {
            let message = Message::parse(Dialect::MsTurn, frame.content)?;
            return Ok(self.handle_message(now, client, from, &message));
        }
        let Ok(allocation) = self.find(client) else {
            return Ok(Err(Error::Unknown { what: "allocation" }));
        };
        Ok(match MultiplexedFrame::parse(frame.content) {
            Some(frame) if self.sessions.get(&frame.session) == Some(&allocation) => {
                self.relay_multiplexed(now, client, allocation, frame.data)
            }
            _ => self.relay_raw(now, allocation, frame.content),
        })
    }

    /// A connection that has no allocation in time is closed.
    pub(super) fn connection_timeout(&mut self, connection: ConnectionId) {
        let idle = !self.clients.contains_key(&ClientId::Tcp(connection));
        if idle && self.connections.contains_key(&connection) {
            self.close(connection);
        }
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.handle_closed(connection);
        self.actions.push_back(Action::Close(connection));
    }
}

impl Phase {
    /// How a connection goes on that begins with this octet. Anything but a frame is found out by the reader.
    fn of(first: u8) -> Self {
        if first == RECORD_START[0] {
            Self::Hello(Box::new(Hello::new()))
        } else {
            Self::Frames(FrameReader::default())
        }
    }
}
