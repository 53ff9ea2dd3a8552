//! What comes from sockets and clocks, and what ICE makes of it.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_ice::endpoint::{Action, Link};
use ocs_ice::{Component, Event as IceEvent, ForkId};
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::fork::Fork;
use crate::keys::Opener;
use crate::{Error, Event};

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// A datagram came to the socket with the address `base`.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
        data: Bytes,
    ) {
        self.endpoint.handle_datagram(now, base, from, data);
        self.settle(now);
    }

    /// A connection that was asked for is there.
    pub fn handle_connected(&mut self, now: Instant, link: Link) {
        self.endpoint.handle_connected(now, link);
        self.settle(now);
    }

    /// Somebody connected to the socket of a passive candidate.
    ///
    /// # Errors
    /// [`Error::Ice`]: close it.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
    ) -> Result<Link, Error> {
        Ok(self.endpoint.handle_accepted(now, base, from)?)
    }

    /// Octets of a connection.
    pub fn handle_stream(&mut self, now: Instant, link: Link, data: Bytes) {
        self.endpoint.handle_stream(now, link, data);
        self.settle(now);
    }

    /// A connection is closed, or could not be made.
    pub fn handle_closed(&mut self, now: Instant, link: Link) {
        self.endpoint.handle_closed(now, link);
        self.settle(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        for fork in &mut self.forks {
            if let Some(opener) = &mut fork.opener {
                opener.handle_timeout(now);
            }
        }
        if let Some(rtp) = &mut self.rtp {
            rtp.handle_timeout(now);
        }
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let openers = self.forks.iter().filter_map(|fork| fork.opener.as_ref());
        let openers = openers.filter_map(Opener::poll_timeout);
        let rtp = self.rtp.as_ref().filter(|_| !self.closed);
        let timers = [
            self.endpoint.poll_timeout(),
            rtp.and_then(ocs_rtp::Session::poll_timeout),
        ];
        timers.into_iter().flatten().chain(openers).min()
    }

    /// The next thing to do on the network.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.endpoint.poll_action()
    }

    /// Takes what ICE tells, and sends what RTCP has to say.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            if let Some((fork, event)) = self.endpoint.poll_fork_event() {
                self.handle_ice(now, fork, event);
            } else if let Some(event) = self.endpoint.poll_event() {
                match (self.chosen, event) {
                    (_, IceEvent::Gathered) => self.events.push_back(Event::Gathered),
                    (Some(fork), event) => self.handle_ice(now, fork, event),
                    (None, _) => {}
                }
            } else if let Some((relay, failure)) = self.endpoint.poll_failure() {
                let mut relays = self.relays.iter();
                if let Some((_, carrier)) = relays.find(|(known, _)| *known == relay) {
                    self.relay_failures.push((*carrier, failure));
                }
                self.events.push_back(Event::RelayFailed { relay, failure });
            } else {
                break;
            }
        }
        if self.rtp.is_some() {
            self.send_control(now);
        }
    }

    fn handle_ice(&mut self, now: Instant, id: ForkId, event: IceEvent) {
        if let IceEvent::Data { component, data } = event {
            self.receive(now, id, component, &data);
            return;
        }
        let chosen = self.chosen == Some(id);
        let Some(fork) = self.fork_mut(id) else {
            return;
        };
        match event {
            IceEvent::Selected { component, pair } => fork.set_pair(component, pair),
            IceEvent::Usable(component) => self.component_usable(now, id, component),
            IceEvent::Completed => {
                fork.connected = true;
                self.events.push_back(Event::Connected { fork: id });
            }
            IceEvent::Failed(failure) => {
                fork.failure = Some(failure);
                if !chosen {
                    fork.lose_way();
                }
                self.events.push_back(Event::Failed { fork: id, failure });
                if !chosen {
                    self.hear_another(now, id);
                }
            }
            _ => {}
        }
        self.try_final(now, id);
    }

    fn component_usable(&mut self, now: Instant, id: ForkId, component: Component) {
        let Some(fork) = self.fork_mut(id) else {
            return;
        };
        fork.set_usable(component);
        if fork.becomes_usable() {
            self.events.push_back(Event::Usable { fork: id });
            if self.heard.is_none() && self.wanted.is_none_or(|wanted| wanted == id) {
                self.hear(now, id);
            }
        }
    }

    /// A final description that came before our own checks had found its pairs.
    pub(super) fn try_final(&mut self, now: Instant, id: ForkId) {
        let Some(description) = self.fork_mut(id).and_then(|fork| fork.pending.take()) else {
            return;
        };
        let named = self.command_agent(now, id, |agent| agent.handle_final(now, &description));
        if named == Some(Ok(())) {
            // What is not used is given back, once all components have their pair.
            let _ = self.command_agent(now, id, ocs_ice::Agent::finish);
        } else if let Some(fork) = self.fork_mut(id).filter(|fork| waits(fork)) {
            fork.pending = Some(description);
        }
    }
}

/// Whether a pair may still be found.
fn waits(fork: &Fork) -> bool {
    !fork.connected && fork.failure.is_none()
}
