//! The loop that moves the clock.

use std::time::{Duration, Instant};

use super::{Pending, Testbed};
use crate::host::{HostId, Input, Output};

/// How many things may happen in one run to idleness.
const EVENT_LIMIT: usize = 200_000;

/// How many things may happen without the clock moving on; more is a machine that turns in a circle.
const INSTANT_LIMIT: usize = 1_000_000;

/// A run did not reach its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The network was still busy after this many events.
    #[error("still busy after {events} events")]
    Busy {
        /// Deliveries and timers.
        events: usize,
    },
    /// The condition still held when the time was over.
    #[error("nothing changed within {limit:?}")]
    TimeLimit {
        /// The virtual time allowed.
        limit: Duration,
    },
    /// The condition still held when nothing was left that could change it.
    #[error("nothing is left to happen")]
    Idle,
}

/// Time.
impl Testbed {
    /// When the next thing happens, if anything will.
    pub fn next_at(&mut self) -> Option<Instant> {
        self.settle();
        let arrival = self.queue.next_at();
        let timer = self.timers.first().map(|(at, _)| *at);
        let next = [arrival, timer].into_iter().flatten().min();
        next.map(|at| at.max(self.now))
    }

    /// Moves the clock to the next thing and lets it happen. False if there is none.
    ///
    /// # Panics
    ///
    /// If a machine turns in a circle: too much happens at one moment.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next_at() else {
            return false;
        };
        self.advance(at);
        if self.queue.next_at().is_some_and(|arrival| arrival <= at) {
            if let Some((_, pending)) = self.queue.pop() {
                self.happen(pending);
            }
        } else if let Some((_, host)) = self.timers.pop_first() {
            self.nodes[host.0].timer = None;
            self.count(host);
            if let Some(machine) = &mut self.nodes[host.0].machine {
                machine.handle_timeout(at);
            }
            self.drain(host);
        }
        true
    }

    /// Runs until the clock shows the given moment and everything up to it has happened.
    pub fn run_until(&mut self, moment: Instant) {
        while self.next_at().is_some_and(|at| at <= moment) {
            self.step();
        }
        self.advance(moment.max(self.now));
    }

    /// Runs for the given virtual time.
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    /// Runs until nothing is left to happen: nothing under way, no timer set. Gives the number of events.
    ///
    /// A host with a periodic timer never lets this end; see [`run_until_quiet`](Self::run_until_quiet).
    pub fn run_until_idle(&mut self) -> Result<usize, Error> {
        self.run_bounded(|testbed| testbed.next_at().is_none())
    }

    /// Runs until nothing is under way on the network, without waiting for timers. Gives the number of events.
    pub fn run_until_quiet(&mut self) -> Result<usize, Error> {
        self.run_bounded(|testbed| {
            testbed.settle();
            testbed.queue.next_at().is_none()
        })
    }

    fn run_bounded(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> Result<usize, Error> {
        let mut events = 0;
        while !done(self) {
            if events == EVENT_LIMIT {
                return Err(Error::Busy { events });
            }
            self.step();
            events += 1;
        }
        Ok(events)
    }

    /// Runs as long as the condition holds, for `limit` of virtual time at most.
    pub fn run_while(
        &mut self,
        mut condition: impl FnMut(&Self) -> bool,
        limit: Duration,
    ) -> Result<(), Error> {
        let end = self.now + limit;
        while condition(self) {
            match self.next_at() {
                None => return Err(Error::Idle),
                Some(at) if at > end => {
                    self.advance(end);
                    return Err(Error::TimeLimit { limit });
                }
                Some(_) => self.step(),
            };
        }
        Ok(())
    }

    fn advance(&mut self, to: Instant) {
        if to > self.now {
            self.now = to;
            self.happened_now = 0;
        }
    }

    fn count(&mut self, host: HostId) {
        self.happened_now += 1;
        assert!(
            self.happened_now < INSTANT_LIMIT,
            "host `{}` turns in a circle: time does not move on",
            self.nodes[host.0].name
        );
    }

    fn happen(&mut self, pending: Pending) {
        match pending {
            Pending::Datagram(datagram) => self.on_datagram(datagram),
            Pending::Question(question) => self.on_question(&question),
            Pending::Reply(reply) => self.on_reply(reply),
            Pending::AskAgain(question) => self.on_ask_again(question),
            Pending::Handshake { key, trip } => self.on_handshake(key, trip),
            Pending::Fail { key, reason } => self.on_fail(key, reason),
            Pending::Unreachable {
                host,
                connection,
                flow,
            } => {
                self.on_unreachable(host, connection, flow);
            }
            Pending::Readable { key, side } => self.on_readable(key, side),
            Pending::Reset { key, side } => self.on_reset(key, side),
        }
    }

    /// Hands an input to a host and does what it wants then.
    pub(crate) fn input(&mut self, host: HostId, input: Input) {
        self.count(host);
        let now = self.now;
        if let Some(machine) = &mut self.nodes[host.0].machine {
            machine.handle_input(now, input);
        }
        self.drain(host);
    }

    /// Takes the outputs of all hosts that the application may have changed.
    pub(crate) fn settle(&mut self) {
        for host in core::mem::take(&mut self.touched) {
            self.drain(host);
        }
    }

    fn drain(&mut self, host: HostId) {
        while let Some(output) = self.nodes[host.0]
            .machine
            .as_mut()
            .and_then(|machine| machine.poll_output())
        {
            self.count(host);
            self.perform(host, output);
        }
        let node = &mut self.nodes[host.0];
        let timer = node
            .machine
            .as_ref()
            .and_then(|machine| machine.poll_timeout());
        if timer != node.timer {
            if let Some(old) = node.timer {
                self.timers.remove(&(old, host));
            }
            if let Some(new) = timer {
                self.timers.insert((new, host));
            }
            node.timer = timer;
        }
    }

    fn perform(&mut self, host: HostId, output: Output) {
        match output {
            Output::Datagram { local, peer, data } => self.send_datagram(host, local, peer, data),
            Output::Connect {
                connection,
                peer,
                transport,
                server_name,
            } => {
                self.connect(host, connection, peer, transport, server_name);
            }
            Output::Send { connection, data } => self.send(host, connection, data),
            Output::Close { connection } => self.close(host, connection),
            Output::Reset { connection } => self.abort(host, connection),
            Output::Resolve { id, query } => self.resolve(host, id, query),
        }
    }
}
