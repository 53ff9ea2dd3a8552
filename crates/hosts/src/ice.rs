//! One end of a media stream on a host of the virtual network.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use ocs_ice::endpoint::{Action, Link};
use ocs_ice::{Agent, Config, Endpoint, Event, ForkId};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Host, Input, Output};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::credentials;

/// Translates between an [`Endpoint`] and the network.
#[derive(Debug)]
pub struct IceHost {
    endpoint: Endpoint<ChaCha12Rng>,
    /// Everything that it told, in order, with the time.
    pub events: Vec<(Instant, Event)>,
    /// What its forks told, in order.
    pub fork_events: Vec<(ForkId, Event)>,
    next_connection: u64,
    connections: HashMap<Link, ConnectionId>,
    outputs: VecDeque<Output>,
}

impl IceHost {
    /// A host for an endpoint of this configuration, with an account at the relay.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        let rng = ChaCha12Rng::seed_from_u64(seed);
        Self {
            endpoint: Endpoint::new(config, credentials(), rng),
            events: Vec::new(),
            fork_events: Vec::new(),
            next_connection: 0,
            connections: HashMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &Agent<ChaCha12Rng> {
        self.endpoint.agent()
    }

    /// Gives the agent a command.
    pub fn command<T>(
        &mut self,
        now: Instant,
        command: impl FnOnce(&mut Agent<ChaCha12Rng>) -> T,
    ) -> T {
        let result = self.endpoint.command(now, command);
        self.note(now);
        result
    }

    /// Gives the endpoint a command, of what is above the agent.
    pub fn command_endpoint<T>(
        &mut self,
        now: Instant,
        act: impl FnOnce(&mut Endpoint<ChaCha12Rng>) -> T,
    ) -> T {
        let result = act(&mut self.endpoint);
        self.note(now);
        result
    }

    /// Keeps what the endpoint tells, with the time.
    fn note(&mut self, now: Instant) {
        while let Some(told) = self.endpoint.poll_fork_event() {
            self.fork_events.push(told);
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.events.push((now, event));
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Datagram { base, to, data } => self.outputs.push_back(Output::Datagram {
                local: base,
                peer: to,
                data,
            }),
            Action::Connect { link, to, .. } => {
                self.close(link);
                let connection = ConnectionId(self.next_connection);
                self.next_connection += 1;
                self.connections.insert(link, connection);
                self.outputs.push_back(Output::Connect {
                    connection,
                    peer: to,
                    transport: Transport::Tcp,
                    server_name: None,
                });
            }
            Action::Stream { link, data } => {
                if let Some(&connection) = self.connections.get(&link) {
                    self.outputs.push_back(Output::Send { connection, data });
                }
            }
            Action::Close { link } => self.close(link),
        }
    }

    fn close(&mut self, link: Link) {
        if let Some(connection) = self.connections.remove(&link) {
            self.outputs.push_back(Output::Close { connection });
        }
    }

    fn link(&self, connection: ConnectionId) -> Option<Link> {
        let mut all = self.connections.iter();
        all.find(|(_, other)| **other == connection)
            .map(|(link, _)| *link)
    }
}

impl Host for IceHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        let endpoint = &mut self.endpoint;
        match input {
            Input::Datagram { local, peer, data } => {
                endpoint.handle_datagram(now, local, peer, data);
            }
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => {
                if let Ok(link) = endpoint.handle_accepted(now, local, peer) {
                    self.connections.insert(link, connection);
                } else {
                    self.outputs.push_back(Output::Reset { connection });
                }
            }
            Input::Connected { connection, .. } => {
                if let Some(link) = self.link(connection) {
                    self.endpoint.handle_connected(now, link);
                }
            }
            Input::Data { connection, data } => {
                if let Some(link) = self.link(connection) {
                    self.endpoint.handle_stream(now, link, data);
                }
            }
            Input::Closed { connection, .. } | Input::ConnectFailed { connection, .. } => {
                if let Some(link) = self.link(connection) {
                    self.connections.remove(&link);
                    self.endpoint.handle_closed(now, link);
                }
            }
            Input::Resolved { .. } => {}
        }
        self.note(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.note(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        while self.outputs.is_empty() {
            let action = self.endpoint.poll_action()?;
            self.act(action);
        }
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }
}
