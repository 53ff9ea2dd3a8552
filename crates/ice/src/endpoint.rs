//! An agent together with its allocations at relays of \[MS-TURN\].

mod relays;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_turn::Client;
use ocs_turn::client::{Credentials, Failure};
use rand_core::{CryptoRng, SeedableRng};

use crate::io::{ConnectionId, Event, Output, RelayId};
use crate::{Agent, Config, Error};
use relays::{News, Relays};

/// Names a TCP connection of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// With the peer.
    Peer(ConnectionId),
    /// With the relay of an allocation.
    Relay(RelayId),
}

/// What an endpoint wants of the network: to use sockets, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send a datagram.
    Datagram {
        /// The address of the socket to send it from.
        base: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        data: Bytes,
    },
    /// Open a connection, and say how it went with [`Endpoint::handle_connected`] or [`Endpoint::handle_closed`]. A former
    /// one of this name is closed.
    Connect {
        /// Its name.
        link: Link,
        /// From where, if that is possible; else from any port of the interface.
        base: SocketAddr,
        /// Where to.
        to: SocketAddr,
    },
    /// Write to a connection.
    Stream {
        /// The connection.
        link: Link,
        /// Octets.
        data: Bytes,
    },
    /// Close a connection, or stop to make it. Nothing needs to be told afterwards.
    Close {
        /// The connection.
        link: Link,
    },
}

/// An [`Agent`] that gets its relayed candidates with [`ocs_turn::Client`]: what a program with sockets needs.
///
/// After every call: [`poll_action`](Self::poll_action) and [`poll_event`](Self::poll_event) until `None`, then a timer for
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Endpoint<R> {
    agent: Agent<R>,
    relays: Relays<R>,
    actions: VecDeque<Action>,
    failures: VecDeque<(RelayId, Failure)>,
}

impl<R: CryptoRng + SeedableRng> Endpoint<R> {
    /// An endpoint without candidates. `credentials` are those of \[MS-AVEDGEA\], for all its relays.
    pub fn new(config: Config, credentials: Credentials, mut rng: R) -> Self {
        let relays = Relays::new(config.dialect, credentials, R::from_rng(&mut rng));
        Self {
            agent: Agent::new(config, rng),
            relays,
            actions: VecDeque::new(),
            failures: VecDeque::new(),
        }
    }

    /// The agent.
    pub fn agent(&self) -> &Agent<R> {
        &self.agent
    }

    /// Gives the agent a command.
    pub fn command<T>(&mut self, now: Instant, command: impl FnOnce(&mut Agent<R>) -> T) -> T {
        let result = command(&mut self.agent);
        self.settle(now);
        result
    }

    /// A datagram came to a socket.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
        data: Bytes,
    ) {
        match self.relays.over_udp(base, from) {
            Some(place) => self.with_relay(now, place, |client| {
                // What is wrong is ignored; what ends the allocation is an event, too.
                let _ = client.handle_data(now, &data);
            }),
            None => self.command(now, |agent| agent.handle_datagram(now, base, from, data)),
        }
    }

    /// Somebody connected to the socket of a passive candidate.
    ///
    /// # Errors
    /// [`Error::NoPath`]: close it.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
    ) -> Result<Link, Error> {
        self.agent.handle_accepted(now, base, from).map(Link::Peer)
    }

    /// A connection that was asked for is there.
    pub fn handle_connected(&mut self, now: Instant, link: Link) {
        match link {
            Link::Peer(id) => self.command(now, |agent| agent.handle_connected(now, id)),
            Link::Relay(id) => self.with_stream(now, id, |client| client.handle_connected(now)),
        }
    }

    /// Octets of a connection.
    pub fn handle_stream(&mut self, now: Instant, link: Link, data: Bytes) {
        match link {
            Link::Peer(id) => self.command(now, |agent| agent.handle_stream(now, id, data)),
            Link::Relay(id) => self.with_stream(now, id, |client| {
                let _ = client.handle_data(now, &data);
            }),
        }
    }

    /// A connection is closed, or could not be made.
    pub fn handle_closed(&mut self, now: Instant, link: Link) {
        match link {
            Link::Peer(id) => self.command(now, |agent| agent.handle_closed(now, id)),
            Link::Relay(id) => self.with_stream(now, id, Client::handle_closed),
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for place in 0..self.relays.len() {
            self.relays.client(place).handle_timeout(now);
            self.tell(now, place);
        }
        self.command(now, |agent| agent.handle_timeout(now));
    }

    fn with_stream(&mut self, now: Instant, relay: RelayId, act: impl FnOnce(&mut Client<R>)) {
        if let Some(place) = self.relays.over_tcp(relay) {
            self.with_relay(now, place, act);
        }
    }

    fn with_relay(&mut self, now: Instant, place: usize, act: impl FnOnce(&mut Client<R>)) {
        act(self.relays.client(place));
        self.tell(now, place);
        self.settle(now);
    }

    /// Tells the agent what an allocation has to say.
    fn tell(&mut self, now: Instant, place: usize) {
        while let Some((relay, news)) = self.relays.poll_news(place) {
            match news {
                News::Allocated(allocation) => {
                    self.agent.handle_allocated(now, relay, allocation);
                }
                News::Data(peer, data) => self.agent.handle_relayed(now, relay, peer, data),
                News::Failed(failure) => {
                    self.failures.push_back((relay, failure));
                    self.agent.handle_allocation_failed(now, relay);
                }
            }
        }
    }

    /// Does for the agent what it wants of relays, and passes on what it wants of sockets.
    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            let action = match self.relays.handle_output(now, output) {
                Some(Output::Datagram { base, remote, data }) => Action::Datagram {
                    base,
                    to: remote,
                    data,
                },
                Some(Output::Connect {
                    connection,
                    base,
                    remote,
                }) => Action::Connect {
                    link: Link::Peer(connection),
                    base,
                    to: remote,
                },
                Some(Output::Stream { connection, data }) => Action::Stream {
                    link: Link::Peer(connection),
                    data,
                },
                Some(Output::Close { connection }) => Action::Close {
                    link: Link::Peer(connection),
                },
                _ => continue,
            };
            self.actions.push_back(action);
        }
        while let Some(action) = self.relays.poll_action() {
            self.actions.push_back(action);
        }
        self.relays.forget_released();
    }

    /// The next thing to do on the network.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.agent.poll_event()
    }

    /// The next allocation that failed, and why: what a report of quality wants to know.
    pub fn poll_failure(&mut self) -> Option<(RelayId, Failure)> {
        self.failures.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = [self.agent.poll_timeout(), self.relays.poll_timeout()];
        timers.into_iter().flatten().min()
    }
}
