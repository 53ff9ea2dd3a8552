//! The client's side: keeps credentials for the media relay at hand (\[MS-AVEDGEA\] 3.2).

mod types;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ocs_ocer::diagnostics_of;
use ocs_sip_core::header::RetryAfter;
use ocs_sip_core::{HeaderName, Message};
use ocs_xml::{Extra, SmolStr, to_string};
use rand_core::Rng;

pub use types::{Access, Config, Event, Failure, Relay, RelayHost, Service};

use crate::document::{CredentialsRequest, ReasonPhrase, Request, Response, Route, Version};
use crate::{Error, Limits, has_document};

/// The first wait before a request is repeated (inferred). It doubles up to [`LAST_WAIT`].
pub const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait before a request is repeated (inferred).
pub const LAST_WAIT: Duration = Duration::from_mins(15);
/// The longest Retry-After that is obeyed (inferred).
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Asks for credentials, renews them before they end, and comes back when the server is busy.
///
/// After each call drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event), then arm one timer for
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct RelayClient {
    config: Config,
    limits: Limits,
    /// What requests are of: lower than the configured version where the server wants it.
    version: Version,
    next_id: u32,
    /// By how much of 256 waits are shorter, so that the clients of a server that failed do not come back at once.
    spread: u8,
    wait: Duration,
    pending: Option<Pending>,
    access: Option<Access>,
    next_request: Option<Instant>,
    transmit: Option<Service>,
    events: VecDeque<Event>,
}

/// A request without answer.
#[derive(Debug)]
struct Pending {
    id: SmolStr,
    since: Instant,
}

/// Why a request gave no credentials.
struct Refusal {
    status: Option<u16>,
    reason: Option<ReasonPhrase>,
    explanation: String,
    is_temporary: bool,
}

impl RelayClient {
    /// A client that has not asked yet. `rng` chooses the first request's identifier and how waits are spread.
    pub fn new(config: Config, limits: Limits, rng: &mut dyn Rng) -> Result<Self, Error> {
        config.check()?;
        let random = rng.next_u64();
        Ok(Self {
            version: config.version,
            config,
            limits,
            // Seven digits, as clients of this system write it.
            next_id: (random >> 32) as u32 % 10_000_000,
            spread: random as u8 / 2,
            wait: FIRST_WAIT,
            pending: None,
            access: None,
            next_request: None,
            transmit: None,
            events: VecDeque::new(),
        })
    }

    /// What it asks for.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The credentials, while they are valid. Calls that are up keep those with which they began.
    #[must_use]
    pub const fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// Asks for credentials: after the registration, and when a relay refuses those that there are (430, 436, 441 of \[MS-TURN\]). Does
    /// nothing while a request is on its way.
    pub fn request(&mut self, now: Instant) {
        if self.pending.is_none() {
            self.send(now);
        }
    }

    /// Forgets credentials and requests, as at the end of a registration.
    pub fn reset(&mut self) {
        self.version = self.config.version;
        self.wait = FIRST_WAIT;
        self.pending = None;
        self.access = None;
        self.next_request = None;
        self.transmit = None;
        self.events.clear();
    }

    fn send(&mut self, now: Instant) {
        let id: SmolStr = self.next_id.to_string().into();
        self.next_id = (self.next_id + 1) % 10_000_000;
        let to = self.config.mras_uri.trim_ascii();
        let request = Request {
            request_id: id.clone(),
            version: self.version,
            to: to.into(),
            from: self.config.identity.as_str().into(),
            route: Some(self.config.route).filter(|route| *route != Route::LoadBalanced),
            credentials: vec![CredentialsRequest {
                id: id.clone(),
                identity: self.config.identity.clone(),
                location: self.config.location,
                duration: Some(self.config.duration),
                extra: Extra::default(),
            }],
            extra: Extra::default(),
        };
        self.transmit = Some(Service {
            uri: to.to_owned(),
            body: to_string(&request),
        });
        self.pending = Some(Pending { id, since: now });
        self.next_request = None;
    }

    /// The final answer to the request that is out; `None` when none came.
    pub fn handle_response(&mut self, now: Instant, response: Option<&Message>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        match self.read(&pending, response) {
            Ok(access) => self.granted(access),
            Err(Outcome::Lower(version)) => {
                self.version = version;
                self.send(now);
            }
            Err(Outcome::Refused(refusal)) => self.refused(now, response, refusal),
        }
    }

    fn granted(&mut self, access: Access) {
        self.wait = FIRST_WAIT;
        self.next_request = access.renew_at;
        self.access = Some(access);
        self.events.push_back(Event::Granted);
    }

    fn refused(&mut self, now: Instant, response: Option<&Message>, refusal: Refusal) {
        let retry_at = refusal
            .is_temporary
            .then(|| now.checked_add(self.next_wait(response)))
            .flatten();
        self.next_request = retry_at;
        self.events.push_back(Event::Failed(Failure {
            status: refusal.status,
            reason: refusal.reason,
            explanation: refusal.explanation,
            retry_at,
        }));
    }

    fn next_wait(&mut self, response: Option<&Message>) -> Duration {
        let asked = response.and_then(|response| {
            let after = response.parse_first::<RetryAfter<'_>>(HeaderName::RetryAfter);
            Some(Duration::from_secs(after.ok()?.seconds.into()))
        });
        let wait = self.wait;
        self.wait = (2 * wait).min(LAST_WAIT);
        let spread = wait / 256 * (256 - u32::from(self.spread));
        asked.map_or(spread, |asked| asked.min(MAX_RETRY_AFTER))
    }

    fn read(&self, pending: &Pending, response: Option<&Message>) -> Result<Access, Outcome> {
        let response = response.ok_or_else(Refusal::silence)?;
        if !has_document(response) {
            return Err(Refusal::of_status(response).into());
        }
        let wrong = |explanation: &str| Refusal::of_document(response, None, explanation);
        let document = match Response::parse(response.body(), &self.limits) {
            Ok(document) => document,
            Err(error) => return Err(wrong(&error.to_string()).into()),
        };
        let foreign = |id: &SmolStr| *id != pending.id;
        if document.request_id.as_ref().is_some_and(foreign) {
            return Err(wrong("answer to another request").into());
        }
        if document.reason_phrase == ReasonPhrase::VersionMismatch
            && let Some(version) = document.server_version
            && version < self.version
            && version >= Version::V1
        {
            return Err(Outcome::Lower(version));
        }
        // Only both together are a success: servers send 200 with refusals too.
        if response.status() != Some(200) || document.reason_phrase != ReasonPhrase::Ok {
            let reason = document.reason_phrase;
            let explanation = reason.as_str().to_owned();
            return Err(Refusal::of_document(response, Some(reason), &explanation).into());
        }
        let mut granted = document.credentials.into_iter();
        let own = granted.find(|credentials| !foreign(&credentials.id));
        let own = own.ok_or_else(|| wrong("answer without credentials"))?;
        Access::new(own, pending.since, &self.limits)
            .ok_or_else(|| wrong("answer without relays").into())
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Service> {
        self.transmit.take()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let end = self.access.as_ref().and_then(|access| access.expires_at);
        self.next_request.into_iter().chain(end).min()
    }

    /// Renews credentials, repeats a request, and lets credentials go that have ended. Who waits for an answer is
    /// told by the SIP transaction that none comes.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next_request.is_some_and(|due| due <= now) {
            self.send(now);
        }
        let end = self.access.as_ref().and_then(|access| access.expires_at);
        if end.is_some_and(|end| end <= now) {
            self.access = None;
            self.events.push_back(Event::Expired);
        }
    }
}

/// What an answer without credentials leads to.
enum Outcome {
    /// Another request, of this version.
    Lower(Version),
    /// A failure.
    Refused(Refusal),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Refusal {
    fn silence() -> Self {
        Self {
            status: None,
            reason: None,
            explanation: "no answer".to_owned(),
            is_temporary: true,
        }
    }

    /// By an answer without document: of a server on the way, or of one that does not know the protocol.
    fn of_status(response: &Message) -> Self {
        let reason = diagnostics_of(response)
            .find_map(|(_, diagnostics)| Some(diagnostics.reason()?.into_owned()));
        let phrase = || response.reason().unwrap_or_default().to_owned();
        Self {
            status: response.status(),
            reason: None,
            explanation: reason.unwrap_or_else(phrase),
            is_temporary: matches!(response.status(), Some(408 | 503 | 504)),
        }
    }

    fn of_document(response: &Message, reason: Option<ReasonPhrase>, explanation: &str) -> Self {
        Self {
            status: response.status(),
            is_temporary: reason.as_ref().is_some_and(ReasonPhrase::is_temporary),
            reason,
            explanation: explanation.to_owned(),
        }
    }
}
