//! A user agent on a host of the virtual network.

use std::time::Instant;

use ocs_client::{Event, UserAgent};
use ocs_testbed::{Host, Input, Output};

use crate::agent_wire::AgentWire;

/// Carries a [`UserAgent`].
#[derive(Debug)]
pub struct ClientHost {
    /// The machine.
    pub agent: UserAgent,
    /// Everything that it told, in order.
    pub events: Vec<Event>,
    wire: AgentWire,
}

impl ClientHost {
    /// A host for this user agent.
    #[must_use]
    pub fn new(agent: UserAgent) -> Self {
        Self {
            agent,
            events: Vec::new(),
            wire: AgentWire::default(),
        }
    }

    /// Whether it has told something like this.
    pub fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }
}

impl Host for ClientHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        self.wire.handle_input(&mut self.agent, now, input);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        Some(self.wire.output(self.agent.poll_output()?))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout()
    }
}
