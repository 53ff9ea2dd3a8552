//! An agent together with its allocations at relays of \[MS-TURN\], and its copies for the branches of a call that forks.

mod forks;
mod policy;
mod relays;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_turn::Client;
use ocs_turn::bandwidth::{Amount, Response};
use ocs_turn::client::{Credentials, Failure};
use rand_core::{CryptoRng, SeedableRng};

use crate::agent::Path;
use crate::io::{ConnectionId, Event, Output, RelayId};
use crate::{Agent, Component, Config, Error};
use forks::Forks;
use policy::{Manager, Verdict};
use relays::{News, Relays};

pub use forks::ForkId;
pub use policy::Demand;

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
    forks: Forks<R>,
    relays: Relays<R>,
    manager: Option<Manager>,
    /// Completion is told when the policy server has committed the bandwidth.
    withheld: bool,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
    failures: VecDeque<(RelayId, Failure)>,
    policies: VecDeque<Response>,
}

impl<R: CryptoRng + SeedableRng> Endpoint<R> {
    /// An endpoint without candidates. `credentials` are those of \[MS-AVEDGEA\], for all its relays.
    pub fn new(config: Config, credentials: Credentials, mut rng: R) -> Self {
        let relays = Relays::new(config.dialect, credentials, R::from_rng(&mut rng));
        Self {
            agent: Agent::new(config, rng),
            forks: Forks::default(),
            relays,
            manager: None,
            withheld: false,
            actions: VecDeque::new(),
            events: VecDeque::new(),
            failures: VecDeque::new(),
            policies: VecDeque::new(),
        }
    }

    /// Has the policy server asked, which is the first relay that gives an allocation (\[MS-TURNBWM\]): about the paths before the checks, and
    /// to commit the bandwidth of what was selected. Until it has done that, [`Event::Completed`] is not told, though the agent's phase says so.
    /// A third of the allocation's lifetime apart (inferred) the reservation is updated, at the end it is cancelled; that allocation lives as long.
    /// What the server says comes from [`poll_policy`](Self::poll_policy).
    ///
    /// To be called before gathering, with [`Config::bandwidth_management`]. [`Event::PolicyWanted`] does not come then.
    pub fn manage_bandwidth(&mut self, demand: Demand) {
        self.manager = Some(Manager::new(demand));
    }

    /// Media has changed: another amount is needed. It is also that of a reservation that is yet to be made.
    pub fn change_bandwidth(&mut self, now: Instant, amount: Amount) {
        let request = self
            .manager
            .as_mut()
            .and_then(|manager| manager.change(amount));
        if let Some(request) = request {
            self.relays.manage(now, request);
            self.settle(now);
        }
    }

    /// The agent: of a call that forks, the one whose copies the forks are, and in the end the one that was chosen.
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
        let mut relayed = false;
        // While an allocation is given back it may be asked for anew: each takes the answers that are its own.
        for place in (0..self.relays.len()).rev() {
            if self.relays.is_over_udp(place, base, from) {
                relayed = true;
                // What is wrong is ignored; what ends the allocation is an event, too.
                let _ = self.relays.client(place).handle_data(now, &data);
                self.tell(now, place);
            }
        }
        if !relayed {
            let remote = from;
            self.deliver(now, Path::Datagram { base, remote }, data);
        }
        self.settle(now);
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
            Link::Peer(id) => {
                self.with_connection(now, id, |agent| agent.handle_connected(now, id));
            }
            Link::Relay(id) => self.with_stream(now, id, |client| client.handle_connected(now)),
        }
    }

    /// Octets of a connection.
    pub fn handle_stream(&mut self, now: Instant, link: Link, data: Bytes) {
        match link {
            Link::Peer(connection) => {
                self.deliver(now, Path::Stream { connection }, data);
                self.settle(now);
            }
            Link::Relay(id) => self.with_stream(now, id, |client| {
                let _ = client.handle_data(now, &data);
            }),
        }
    }

    /// A connection is closed, or could not be made.
    pub fn handle_closed(&mut self, now: Instant, link: Link) {
        match link {
            Link::Peer(id) => {
                self.with_connection(now, id, |agent| agent.handle_closed(now, id));
            }
            Link::Relay(id) => self.with_stream(now, id, Client::handle_closed),
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for place in 0..self.relays.len() {
            self.relays.client(place).handle_timeout(now);
            self.tell(now, place);
        }
        let period = self.update_period();
        if let Some(manager) = &mut self.manager
            && let Some(request) = manager.handle_timeout(now, period)
        {
            self.relays.manage(now, request);
        }
        self.each_agent(|agent| agent.handle_timeout(now));
        self.settle(now);
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
                    self.each_agent(|agent| agent.handle_allocated(now, relay, allocation));
                }
                News::Data(peer, data) => {
                    if let Some(path) = self.agent.relayed_path(relay, peer) {
                        self.deliver(now, path, data);
                    }
                }
                News::Failed(failure) => {
                    self.failures.push_back((relay, failure));
                    self.each_agent(|agent| agent.handle_allocation_failed(now, relay));
                    if self.relays.is_managing(relay) {
                        self.policy_answered(now, None);
                    }
                }
                News::Policy(response) => self.policy_answered(now, response),
            }
        }
    }

    fn update_period(&self) -> Duration {
        self.relays.managing_lifetime() / 3
    }

    /// The policy server has answered, or will not.
    fn policy_answered(&mut self, now: Instant, response: Option<Response>) {
        let period = self.update_period();
        let Some(manager) = &mut self.manager else {
            return;
        };
        let verdict = manager.handle_answer(now, period, response.as_ref());
        let over = manager.is_over();
        self.policies.extend(response);
        match verdict {
            Verdict::Policy(policy) => self.agent.handle_policy(now, policy),
            Verdict::Committed => self.tell_completed(),
            Verdict::Denied => {
                if self.agent.handle_commit_denied(now).is_ok() {
                    self.withheld = false;
                } else {
                    self.tell_completed();
                }
            }
            Verdict::Cancelled | Verdict::Nothing => {}
        }
        if over {
            self.relays.stop_managing(now);
        }
    }

    fn tell_completed(&mut self) {
        if core::mem::take(&mut self.withheld) {
            self.events.push_back(Event::Completed);
        }
    }

    /// Passes on what the agent tells, but for what the policy server has a say in.
    fn note(&mut self, now: Instant, event: Event) {
        if self.withheld && event == Event::Completed {
            return;
        }
        let request = match (&mut self.manager, &event) {
            (Some(manager), Event::PolicyWanted(sites)) => Some(manager.check(*sites)),
            (Some(manager), Event::Completed) => {
                let pair = self.agent.selected(Component::Rtp);
                pair.and_then(|pair| manager.commit(&pair))
            }
            _ => None,
        };
        let Some(request) = request else {
            self.events.push_back(event);
            return;
        };
        self.withheld = event == Event::Completed;
        if !self.relays.manage(now, request) {
            self.policy_answered(now, None);
        }
    }

    /// The call is over: bandwidth is given back, and then the allocation that stood for it.
    fn end_management(&mut self, now: Instant) {
        let Some(manager) = &mut self.manager else {
            return;
        };
        let waiting = match manager.end() {
            Some(request) => self.relays.manage(now, request),
            None => manager.is_cancelling(),
        };
        if !waiting {
            self.relays.stop_managing(now);
        }
    }

    /// Does for the agent what it wants of relays, and passes on what it wants of sockets.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(event) = self.agent.poll_event() {
                self.note(now, event);
            } else if let Some(output) = self.agent.poll_output() {
                self.perform(now, output);
            } else if self.settle_fork(now) {
            } else if let Some(place) = self.relays.taken_again() {
                self.tell(now, place);
            } else {
                break;
            }
        }
        if self.agent.phase().is_over() {
            self.end_management(now);
        }
        while let Some(action) = self.relays.poll_action() {
            self.actions.push_back(action);
        }
        self.relays.forget_released();
    }

    fn perform(&mut self, now: Instant, output: Output) {
        // What another branch still wants is not given back.
        if let Output::Release { relay } = output
            && self.is_held(relay)
        {
            return;
        }
        if let Some(output) = self.relays.handle_output(now, output) {
            self.act(output);
        }
    }

    fn act(&mut self, output: Output) {
        let action = match output {
            Output::Datagram { base, remote, data } => Action::Datagram {
                base,
                to: remote,
                data,
            },
            Output::Connect {
                connection,
                base,
                remote,
            } => Action::Connect {
                link: Link::Peer(connection),
                base,
                to: remote,
            },
            Output::Stream { connection, data } => Action::Stream {
                link: Link::Peer(connection),
                data,
            },
            Output::Close { connection } => Action::Close {
                link: Link::Peer(connection),
            },
            _ => return,
        };
        self.actions.push_back(action);
    }

    /// The next thing to do on the network.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next answer of the policy server. Its amounts bound what media may send.
    pub fn poll_policy(&mut self) -> Option<Response> {
        self.policies.pop_front()
    }

    /// The next allocation that failed, and why: what a report of quality wants to know.
    pub fn poll_failure(&mut self) -> Option<(RelayId, Failure)> {
        self.failures.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let manager = self.manager.as_ref();
        let timers = [
            self.agent.poll_timeout(),
            self.forks.poll_timeout(),
            self.relays.poll_timeout(),
            manager.and_then(Manager::poll_timeout),
        ];
        timers.into_iter().flatten().min()
    }
}
