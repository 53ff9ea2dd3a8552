//! One machine from the SIP domain to a connection, and back to one when it is lost.
//!
//! [`Connector`] owns discovery, redirects, back-off and the rule for 503 and 504. It has no sockets and knows no SIP
//! messages: its owner resolves, connects, and reports what became of it.

mod types;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ocs_sip_core::Transport;
use rand_core::Rng;

pub use types::{AttemptId, Connection, ConnectorConfig, Event, Output, Peer};

use crate::backoff::Retry;
use crate::discovery::{Answer, Candidate, Discovery, Failure, FailureReason, Query, Source};
use crate::{Backoff, Error, RedirectGuard, RetryRule, Server};

#[derive(Debug)]
enum State {
    Idle,
    Discovering,
    Connecting {
        attempt: AttemptId,
        candidate: Candidate,
        /// Index of the address in use.
        at: usize,
        due: Instant,
    },
    Connected {
        attempt: AttemptId,
        server: Server,
        registered: bool,
        retry_at: Option<Instant>,
    },
    Waiting(Instant),
}

/// Finds a server, keeps finding one. See the [module](self).
///
/// After every call drain [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event), then arm the timer
/// from [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Connector<R> {
    discovery: Discovery<R>,
    backoff: Backoff,
    redirects: RedirectGuard,
    retry: RetryRule,
    connect_timeout: Duration,
    first_rounds: u32,
    reconnect_rounds: Option<u32>,
    rounds: u32,
    ever_registered: bool,
    attempts: u64,
    state: State,
    outputs: VecDeque<Output>,
    events: VecDeque<Event>,
}

impl<R: Rng> Connector<R> {
    /// Checks the configuration; begins nothing.
    ///
    /// # Errors
    /// Those of [`Discovery::new`].
    pub fn new(config: ConnectorConfig, rng: R) -> Result<Self, Error> {
        Ok(Self {
            redirects: RedirectGuard::new(config.redirects, config.discovery.allow_tcp),
            discovery: Discovery::new(config.discovery, rng)?,
            backoff: Backoff::new(config.backoff),
            retry: RetryRule::default(),
            connect_timeout: config.connect_timeout,
            first_rounds: config.first_rounds,
            reconnect_rounds: config.reconnect_rounds,
            rounds: 0,
            ever_registered: false,
            attempts: 0,
            state: State::Idle,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// Begins now: the first time, after giving up, or at once instead of after the back-off (the network changed).
    pub fn start(&mut self, now: Instant) {
        self.close();
        self.rounds = 0;
        self.backoff.reset();
        self.retry.reset();
        self.begin_round(now);
    }

    /// Stops: closes the connection or the attempt, forgets queries and timers.
    pub fn close(&mut self) {
        self.leave();
        self.discovery.stop();
        self.state = State::Idle;
    }

    /// An answer to [`Output::Resolve`]. One that comes too late is ignored.
    ///
    /// # Errors
    /// [`Error::MismatchedAnswer`].
    pub fn handle_answer(
        &mut self,
        now: Instant,
        query: &Query,
        answer: Answer,
    ) -> Result<(), Error> {
        match self.discovery.handle_answer(now, query, answer) {
            Ok(()) | Err(Error::UnexpectedAnswer) => {}
            Err(error) => return Err(error),
        }
        self.drive(now);
        Ok(())
    }

    /// TCP, and TLS if it is to be, are up. A certificate for another name closes the connection and goes on with
    /// the next server.
    ///
    /// # Errors
    /// [`Error::WrongState`] for [`Peer::Plain`] where TLS was asked for; nothing changes.
    pub fn handle_connected(
        &mut self,
        now: Instant,
        attempt: AttemptId,
        peer: Peer<'_>,
    ) -> Result<(), Error> {
        let State::Connecting {
            attempt: current,
            candidate,
            at,
            ..
        } = &self.state
        else {
            return Ok(());
        };
        if attempt != *current {
            return Ok(());
        }
        match (candidate.transport, peer) {
            (Transport::Tls, Peer::Plain) => {
                return Err(Error::WrongState {
                    operation: "a plain connection to a tls server",
                });
            }
            (Transport::Tls, Peer::Names(names)) if names.check(&candidate.host).is_err() => {
                self.next_server(now, FailureReason::CertificateMismatch);
                return Ok(());
            }
            _ => {}
        }
        let server = candidate.server();
        self.events.push_back(Event::Ready(Connection {
            attempt,
            server: server.clone(),
            address: candidate.addresses[*at],
            source: candidate.source.clone(),
            in_domain: candidate.in_domain,
        }));
        self.state = State::Connected {
            attempt,
            server,
            registered: false,
            retry_at: None,
        };
        Ok(())
    }

    /// TCP or TLS did not come up: the next address, then the next server. The socket is closed already.
    pub fn handle_connect_failed(&mut self, now: Instant, attempt: AttemptId) {
        if self.attempt() == Some(attempt) {
            self.next_address(now, FailureReason::ConnectFailed);
        }
    }

    /// The TLS stack refused the certificate: the next server.
    pub fn handle_certificate_refused(&mut self, now: Instant, attempt: AttemptId) {
        if self.attempt() == Some(attempt) {
            self.next_server(now, FailureReason::CertificateMismatch);
        }
    }

    /// A REGISTER was answered 200 on this connection: it is the one to come back to, and all counts begin again.
    pub fn handle_registered(&mut self, attempt: AttemptId) {
        if self.attempt() != Some(attempt) {
            return;
        }
        if let State::Connected {
            registered,
            retry_at,
            ..
        } = &mut self.state
        {
            *registered = true;
            *retry_at = None;
            self.ever_registered = true;
            self.rounds = 0;
            self.discovery.connected();
            self.redirects.reset();
            self.backoff.reset();
            self.retry.reset();
        }
    }

    /// A REGISTER was answered 301 with this Contact URI, see [`RedirectGuard::follow`]. Closes the connection; an
    /// unusable redirect is told by [`Event::RedirectRefused`] and the next server is tried.
    pub fn handle_redirect(
        &mut self,
        now: Instant,
        attempt: AttemptId,
        host: &str,
        port: Option<u16>,
        transport: Option<&str>,
    ) {
        let State::Connected {
            attempt: current,
            server,
            ..
        } = &self.state
        else {
            return;
        };
        if attempt != *current {
            return;
        }
        match self.redirects.follow(server, host, port, transport) {
            Ok(to) => {
                self.leave();
                self.state = State::Discovering;
                self.discovery.redirect(now, to);
                self.drive(now);
            }
            Err(error) => {
                self.events.push_back(Event::RedirectRefused(error));
                self.next_server(now, FailureReason::BadRedirect);
            }
        }
    }

    /// A REGISTER was answered 503 or 504, with the value of `Retry-After`. See [`RetryRule::next`].
    ///
    /// A reconnection after `Retry-After` is delayed by a random time more, so that clients do not return at once.
    pub fn handle_unavailable(
        &mut self,
        now: Instant,
        attempt: AttemptId,
        status: u16,
        retry_after: Option<&str>,
    ) {
        let State::Connected {
            attempt: current,
            retry_at,
            ..
        } = &mut self.state
        else {
            return;
        };
        if attempt != *current {
            return;
        }
        match self.retry.next(status, retry_after) {
            Retry::SameConnection(after) => *retry_at = Some(now + after),
            Retry::Reconnect(after) => {
                self.leave();
                self.wait(now, after);
            }
            Retry::NextServer => self.next_server(now, FailureReason::Unavailable(status)),
        }
    }

    /// The connection ended. After a registration: back-off, then everything again with the same server first.
    /// Before: the next server.
    pub fn handle_connection_lost(&mut self, now: Instant, attempt: AttemptId) {
        if self.attempt() != Some(attempt) {
            return;
        }
        match self.state {
            State::Connected {
                registered: true, ..
            } => self.wait(now, Duration::ZERO),
            State::Connected { .. } => self.gone(now, FailureReason::ConnectionLost),
            _ => self.next_address(now, FailureReason::ConnectFailed),
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Connecting { due, attempt, .. } if now >= *due => {
                let attempt = *attempt;
                self.outputs.push_back(Output::Close { attempt });
                self.next_address(now, FailureReason::TimedOut);
            }
            State::Connected {
                attempt, retry_at, ..
            } if retry_at.is_some_and(|at| now >= at) => {
                *retry_at = None;
                self.events
                    .push_back(Event::RetryRequest { attempt: *attempt });
            }
            State::Waiting(until) if now >= *until => self.begin_round(now),
            _ => {}
        }
        self.discovery.handle_timeout(now);
        self.drive(now);
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let own = match &self.state {
            State::Connecting { due, .. } => Some(*due),
            State::Connected { retry_at, .. } => *retry_at,
            State::Waiting(until) => Some(*until),
            State::Idle | State::Discovering => None,
        };
        [own, self.discovery.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What failed in this round so far.
    pub fn failures(&self) -> &[Failure] {
        self.discovery.failures()
    }

    /// The attempt in hand: connecting or connected.
    pub fn attempt(&self) -> Option<AttemptId> {
        match &self.state {
            State::Connecting { attempt, .. } | State::Connected { attempt, .. } => Some(*attempt),
            State::Idle | State::Discovering | State::Waiting(_) => None,
        }
    }

    fn begin_round(&mut self, now: Instant) {
        self.redirects.reset();
        self.state = State::Discovering;
        self.discovery.start(now);
        self.drive(now);
    }

    /// Closes what is in hand.
    fn leave(&mut self) {
        if let Some(attempt) = self.attempt() {
            self.outputs.push_back(Output::Close { attempt });
        }
    }

    /// Closes, and goes on with the next server.
    fn next_server(&mut self, now: Instant, reason: FailureReason) {
        self.leave();
        self.gone(now, reason);
    }

    /// Goes on with the next server; the socket is closed.
    fn gone(&mut self, now: Instant, reason: FailureReason) {
        self.state = State::Discovering;
        self.discovery.fail(now, reason);
        self.drive(now);
    }

    /// Goes on with the next address of the candidate, or the next server; the socket is closed.
    fn next_address(&mut self, now: Instant, reason: FailureReason) {
        match std::mem::replace(&mut self.state, State::Discovering) {
            State::Connecting { candidate, at, .. } if at + 1 < candidate.addresses.len() => {
                self.connect(now, candidate, at + 1);
            }
            _ => self.gone(now, reason),
        }
    }

    fn connect(&mut self, now: Instant, candidate: Candidate, at: usize) {
        self.attempts += 1;
        let attempt = AttemptId(self.attempts);
        self.outputs.push_back(Output::Connect {
            attempt,
            transport: candidate.transport,
            host: candidate.host.clone(),
            address: candidate.addresses[at],
            port: candidate.port,
        });
        self.state = State::Connecting {
            attempt,
            candidate,
            at,
            due: now + self.connect_timeout,
        };
    }

    /// Waits for `least` and the back-off, then begins a round.
    fn wait(&mut self, now: Instant, least: Duration) {
        self.discovery.stop();
        let until = now + least + self.backoff.next_delay(self.discovery.rng());
        self.state = State::Waiting(until);
        self.events.push_back(Event::Waiting { until });
    }

    /// Passes queries on, takes the next candidate, ends the round.
    fn drive(&mut self, now: Instant) {
        while let Some(query) = self.discovery.poll_query() {
            self.outputs.push_back(Output::Resolve(query));
        }
        if !matches!(self.state, State::Discovering) {
            return;
        }
        if let Some(candidate) = self.discovery.poll_candidate() {
            if candidate.source != Source::Redirect {
                self.redirects.reset();
            }
            self.connect(now, candidate, 0);
        } else if self.discovery.is_exhausted() {
            self.rounds += 1;
            let limit = if self.ever_registered {
                self.reconnect_rounds
            } else {
                Some(self.first_rounds)
            };
            if limit.is_some_and(|limit| self.rounds >= limit) {
                let failures = self.discovery.failures().to_vec();
                self.discovery.stop();
                self.state = State::Idle;
                self.events.push_back(Event::GaveUp { failures });
            } else {
                self.wait(now, Duration::ZERO);
            }
        }
    }
}
