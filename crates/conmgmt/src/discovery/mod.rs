//! Server discovery as a plan without I/O ([MS-CONMGMT] 3.1, RFC 2782, RFC 3361).
//!
//! [`Discovery`] asks [`Query`]s, takes [`Answer`]s in any order, and gives [`Candidate`]s one after the other in an
//! order that depends on the answers and the random numbers only, never on when the answers came.

mod plan;
mod srv;
mod table;
mod types;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use rand_core::Rng;

pub use srv::SrvRecord;
pub use table::NameSet;
pub use types::{
    Access, Answer, AutodiscoverAnswer, Candidate, DhcpServer, DiscoveryConfig, Failure,
    FailureReason, Limits, Query, Source,
};

use crate::name::{canonical_dns, is_in_domain, parse_ip};
use crate::{Error, Server};
use plan::Step;

/// A server of the step in hand.
#[derive(Debug)]
struct Target {
    server: Server,
    source: Source,
}

#[derive(Debug)]
enum Lookup {
    Waiting(Instant),
    Settled(Answer),
}

/// The plan. Feed answers and time, drain [`poll_query`](Self::poll_query) and
/// [`poll_candidate`](Self::poll_candidate), report what became of each candidate.
#[derive(Debug)]
pub struct Discovery<R> {
    config: DiscoveryConfig,
    rng: R,
    steps: VecDeque<Step>,
    targets: VecDeque<Target>,
    lookups: Vec<(Query, Lookup)>,
    queries: VecDeque<Query>,
    ready: Option<Candidate>,
    current: Option<Candidate>,
    tried: Vec<Server>,
    failures: Vec<Failure>,
    last_good: Option<Server>,
    started: bool,
}

impl<R: Rng> Discovery<R> {
    /// Checks the configuration. Nothing is asked before [`start`](Self::start).
    ///
    /// # Errors
    /// [`Error::InvalidHost`] with field `domain` or `manual`, [`Error::InvalidPort`], [`Error::InvalidTransport`].
    pub fn new(mut config: DiscoveryConfig, rng: R) -> Result<Self, Error> {
        config.domain = canonical_dns(&config.domain, "domain")?;
        if let Some(manual) = &mut config.manual {
            *manual = Server::of(manual.transport, &manual.host, Some(manual.port), "manual")?;
        }
        Ok(Self {
            config,
            rng,
            steps: VecDeque::new(),
            targets: VecDeque::new(),
            lookups: Vec::new(),
            queries: VecDeque::new(),
            ready: None,
            current: None,
            tried: Vec::new(),
            failures: Vec::new(),
            last_good: None,
            started: false,
        })
    }

    /// Begins, or begins again with nothing remembered but the last good server, which then comes first.
    pub fn start(&mut self, now: Instant) {
        self.stop();
        self.failures.clear();
        self.tried.clear();
        self.started = true;
        if let Some(server) = self.last_good.clone() {
            self.steps.push_back(Step::Server(server, Source::LastGood));
        }
        if let Some(server) = self.config.manual.clone() {
            self.steps.push_back(Step::Server(server, Source::Manual));
        } else {
            self.plan(now);
        }
        self.advance(now);
    }

    /// Forgets queries and candidates; late answers are then [`Error::UnexpectedAnswer`].
    pub fn stop(&mut self) {
        self.steps.clear();
        self.targets.clear();
        self.lookups.clear();
        self.queries.clear();
        self.ready = None;
        self.current = None;
        self.started = false;
    }

    /// An answer came. One to a query that was given up already is ignored, as is a second one.
    ///
    /// # Errors
    /// [`Error::UnexpectedAnswer`], [`Error::MismatchedAnswer`].
    pub fn handle_answer(
        &mut self,
        now: Instant,
        query: &Query,
        answer: Answer,
    ) -> Result<(), Error> {
        let limits = self.config.limits;
        let Some((_, lookup)) = self.lookups.iter_mut().find(|(asked, _)| asked == query) else {
            return Err(Error::UnexpectedAnswer);
        };
        let answer = match (query, answer) {
            (Query::Autodiscover(_), answer @ Answer::Autodiscover(_)) => answer,
            (Query::Srv(_), Answer::Srv(records)) => {
                Answer::Srv(srv::clean(records, limits.srv_records))
            }
            (Query::Address(_), Answer::Address(addresses)) => {
                let usable = addresses.into_iter().filter(is_usable);
                Answer::Address(usable.take(limits.addresses).collect())
            }
            _ => return Err(Error::MismatchedAnswer),
        };
        if matches!(lookup, Lookup::Waiting(_)) {
            *lookup = Lookup::Settled(answer);
            self.advance(now);
        }
        Ok(())
    }

    /// Time passed: queries that waited too long have no answer.
    pub fn handle_timeout(&mut self, now: Instant) {
        for (query, lookup) in &mut self.lookups {
            if matches!(lookup, Lookup::Waiting(due) if now >= *due) {
                *lookup = Lookup::Settled(Answer::none(query));
            }
        }
        self.advance(now);
    }

    /// What to look up. All queries given may be in flight at once.
    pub fn poll_query(&mut self) -> Option<Query> {
        self.queries.pop_front()
    }

    /// The next server to try. None while one is being tried.
    pub fn poll_candidate(&mut self) -> Option<Candidate> {
        let candidate = self.ready.take()?;
        self.current = Some(candidate.clone());
        Some(candidate)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lookups
            .iter()
            .filter_map(|(_, lookup)| match lookup {
                Lookup::Waiting(due) => Some(*due),
                Lookup::Settled(_) => None,
            })
            .min()
    }

    /// The candidate works: it comes first after the next [`start`](Self::start). A later failure of it may still
    /// be reported.
    pub fn connected(&mut self) {
        if let Some(candidate) = &self.current {
            self.last_good = Some(candidate.server());
        }
    }

    /// The candidate cannot be reached: on to the next.
    pub fn connect_failed(&mut self, now: Instant) {
        self.fail(now, FailureReason::ConnectFailed);
    }

    /// The candidate's certificate is for another name: on to the next.
    pub fn certificate_mismatch(&mut self, now: Instant) {
        self.fail(now, FailureReason::CertificateMismatch);
    }

    /// The candidate did not serve for this reason: on to the next.
    pub fn fail(&mut self, now: Instant, reason: FailureReason) {
        if let Some(candidate) = self.current.take() {
            let server = candidate.server();
            self.note(server, candidate.source, reason);
            self.advance(now);
        }
    }

    /// The candidate sent the client to another server: that is tried next, before what remains.
    pub fn redirect(&mut self, now: Instant, to: Server) {
        self.current = None;
        self.ready = None;
        // It may have been tried and have redirected; loops are the guard's to find.
        self.tried.retain(|server| *server != to);
        self.targets.push_front(Target {
            server: to,
            source: Source::Redirect,
        });
        self.advance(now);
    }

    /// Whether all servers were tried and none is in hand.
    pub fn is_exhausted(&self) -> bool {
        self.started
            && self.ready.is_none()
            && self.current.is_none()
            && self.targets.is_empty()
            && self.steps.is_empty()
    }

    /// What failed since the start, in order.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The server that worked last.
    pub fn last_good(&self) -> Option<&Server> {
        self.last_good.as_ref()
    }

    /// The configuration, names canonical.
    pub fn config(&self) -> &DiscoveryConfig {
        &self.config
    }

    pub(crate) fn rng(&mut self) -> &mut R {
        &mut self.rng
    }

    fn ask(&mut self, now: Instant, query: Query) {
        if self.lookups.iter().any(|(asked, _)| *asked == query) {
            return;
        }
        let timeout = match query {
            Query::Autodiscover(_) => self.config.autodiscover_timeout,
            Query::Srv(_) | Query::Address(_) => self.config.query_timeout,
        };
        self.queries.push_back(query.clone());
        self.lookups.push((query, Lookup::Waiting(now + timeout)));
    }

    fn settled(&self, query: &Query) -> Option<&Answer> {
        self.lookups
            .iter()
            .find_map(|(asked, lookup)| match lookup {
                Lookup::Settled(answer) if asked == query => Some(answer),
                _ => None,
            })
    }

    fn note(&mut self, server: Server, source: Source, reason: FailureReason) {
        if self.failures.len() < self.config.limits.servers {
            self.failures.push(Failure {
                server,
                source,
                reason,
            });
        }
    }

    /// Goes on until a candidate is ready, an answer is missing or nothing is left.
    fn advance(&mut self, now: Instant) {
        while self.ready.is_none() && self.current.is_none() {
            let progress = if self.targets.is_empty() {
                self.next_step(now)
            } else {
                self.next_target(now)
            };
            if !progress {
                return;
            }
        }
    }

    /// Makes the first target a candidate or drops it; false when its addresses are not known yet.
    fn next_target(&mut self, now: Instant) -> bool {
        let Some(Target { server, source }) = self.targets.pop_front() else {
            return false;
        };
        if self.tried.contains(&server) {
            return true;
        }
        if self.tried.len() >= self.config.limits.servers {
            self.targets.clear();
            self.steps.clear();
            return false;
        }
        let addresses: Vec<IpAddr> = if let Some(address) = parse_ip(&server.host) {
            vec![address]
        } else {
            let query = Query::Address(server.host.clone());
            match self.settled(&query) {
                Some(Answer::Address(addresses)) => addresses.clone(),
                Some(_) => Vec::new(),
                None => {
                    self.ask(now, query);
                    self.targets.push_front(Target { server, source });
                    return false;
                }
            }
        };
        self.tried.push(server.clone());
        if addresses.is_empty() {
            self.note(server, source, FailureReason::Unresolved);
            return true;
        }
        self.ready = Some(Candidate {
            in_domain: is_in_domain(&server.host, &self.config.domain),
            transport: server.transport,
            host: server.host,
            addresses,
            port: server.port,
            source,
        });
        true
    }
}

/// An address that a server can have.
fn is_usable(address: &IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast()
}
