//! A front end on a host of the virtual network.

use std::time::Instant;

use ocs_server::{Event, FrontEnd, MemoryStore, Output, Peer, Store};
use ocs_testbed::{Host, Input, Output as Wire};

/// Translates between a [`FrontEnd`] and the network.
#[derive(Debug)]
pub struct ServerHost<S = MemoryStore> {
    /// The machine.
    pub front_end: FrontEnd<S>,
    /// Everything that it told, in order.
    pub events: Vec<Event>,
}

impl<S> ServerHost<S> {
    /// A host for this front end.
    #[must_use]
    pub const fn new(front_end: FrontEnd<S>) -> Self {
        Self {
            front_end,
            events: Vec::new(),
        }
    }
}

impl<S: Store + 'static> Host for ServerHost<S> {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Accepted {
                connection,
                local,
                peer,
                transport,
                ..
            } => {
                let peer = Peer {
                    transport,
                    local,
                    remote: peer,
                };
                self.front_end.handle_accepted(now, connection, peer);
            }
            Input::Data { connection, data } => self.front_end.handle_data(now, connection, data),
            Input::Closed { connection, .. } => self.front_end.handle_closed(now, connection),
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.front_end.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Option<Wire> {
        while let Some(event) = self.front_end.poll_event() {
            self.events.push(event);
        }
        Some(match self.front_end.poll_output()? {
            Output::Send { connection, data } => Wire::Send { connection, data },
            Output::Close { connection } => Wire::Close { connection },
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.front_end.poll_timeout()
    }
}
