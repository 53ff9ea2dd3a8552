//! The client's side of registration ([MS-SIPREGE] 3.1.1).

mod config;
mod response;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::Rng;

use crate::notify::{Reaction, RegistrationEvent};
use crate::presence_state::PresenceState;

pub use config::Config;

/// How long a REGISTER may stay unanswered (SIPE).
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long before the end of the binding it is refreshed (SIPE). Bindings of less than twice this are refreshed at a quarter
/// of their life, as SIPE does with 40 s.
pub const REFRESH_MARGIN: Duration = Duration::from_secs(30);

/// What the application must know of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The server wants credentials: see [`Registration::authenticate`], or give up.
    Challenged(Message),
    /// The endpoint is registered, or its binding was extended.
    Registered(Registered),
    /// The server sends the client elsewhere: connect there and start over.
    Redirected {
        /// The Contact of the 301.
        contact: String,
    },
    /// The server refused; see [`Refusal`].
    Refused(Refusal),
    /// The binding had been lost on the server: all dialogs are dead, and a new registration is on its way (3.1.1.5.1).
    Lost,
    /// The server ended or changed the registration by a NOTIFY.
    Notified {
        /// What it said.
        event: RegistrationEvent,
        /// What to do about it.
        reaction: Reaction,
        /// `P-Preferred-Registrar`, where the server names one.
        preferred_registrar: Option<String>,
        /// The `reason` of its diagnostics.
        reason: Option<String>,
    },
    /// The binding was removed at our wish.
    Unregistered,
    /// No answer came in [`RESPONSE_TIMEOUT`].
    TimedOut,
}

/// A binding as the server confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Whether this is the answer to a refresh.
    pub refresh: bool,
    /// The GRUU of this endpoint: its Contact from now on. Absent when the server gives none.
    pub gruu: Option<String>,
    /// Life of the binding, seconds.
    pub expires: u32,
    /// `presence-state`.
    pub presence_state: Option<PresenceState>,
    /// The event packages that the server offers, as in Allow-Events.
    pub allow_events: Vec<String>,
    /// The option tags of the server.
    pub supported: Vec<String>,
    /// `ms-keep-alive` as it came.
    pub keep_alive: Option<String>,
    /// `ms-user-logon-data: RemoteUser`: connected from outside through an Edge server.
    pub remote_user: bool,
    /// The text of `Warning: 310`: a newer version of the client is recommended.
    pub version_warning: Option<String>,
}

/// A final answer that ends the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The best explanation in the answer: ms-diagnostics, Warning, or the phrase.
    pub reason: String,
    /// Whether it may work later: 408, 503 and 504.
    pub is_temporary: bool,
    /// `Retry-After` as it came, in seconds or as a date.
    pub retry_after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A REGISTER is out.
    Registering {
        refresh: bool,
    },
    /// A 401 or 407 is with the application.
    Challenged {
        refresh: bool,
    },
    Registered,
    Unregistering,
}

/// Registers one endpoint and keeps it registered.
///
/// After each call drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event). The requests lack Via and
/// credentials: whoever owns the connection adds the first, \[MS-SIPAE\] the second.
#[derive(Debug)]
pub struct Registration {
    config: Config,
    state: State,
    call_id: String,
    cseq: u32,
    tag: String,
    gruu: Option<String>,
    deadline: Option<Instant>,
    transmits: VecDeque<Message>,
    events: VecDeque<Event>,
}

impl Registration {
    /// A registration that has not started. `rng` chooses Call-ID and tag.
    pub fn new(config: Config, rng: &mut dyn Rng) -> Self {
        let mut random = [0_u8; 24];
        rng.fill_bytes(&mut random);
        Self {
            config,
            state: State::Idle,
            call_id: hex::encode(&random[..16]),
            cseq: 0,
            tag: hex::encode(&random[16..21]),
            gruu: None,
            deadline: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What it registers.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The GRUU of the live binding.
    #[must_use]
    pub fn gruu(&self) -> Option<&str> {
        self.gruu.as_deref()
    }

    /// Whether a binding is live.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        matches!(
            self.state,
            State::Registered
                | State::Registering { refresh: true }
                | State::Challenged { refresh: true }
        )
    }

    /// Whether a REGISTER is on its way or waits for credentials.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(
            self.state,
            State::Registering { .. } | State::Challenged { .. } | State::Unregistering
        )
    }

    /// Sends a REGISTER without credentials, to start or to authenticate anew.
    pub fn register(&mut self, now: Instant) {
        let refresh = self.is_registered();
        self.send(now, State::Registering { refresh });
    }

    /// Sends the REGISTER again after [`Event::Challenged`]: same Call-ID, next CSeq. The caller puts the credentials on it.
    pub fn authenticate(&mut self, now: Instant) {
        if let State::Challenged { refresh } = self.state {
            self.send(now, State::Registering { refresh });
        }
    }

    /// Removes the binding.
    pub fn unregister(&mut self, now: Instant) {
        if self.state != State::Idle {
            self.send(now, State::Unregistering);
        }
    }

    /// The connection is gone, and with it the binding: back to the start, same Call-ID.
    pub fn reset(&mut self) {
        self.state = State::Idle;
        self.gruu = None;
        self.deadline = None;
        self.transmits.clear();
    }

    fn send(&mut self, now: Instant, state: State) {
        self.cseq += 1;
        self.state = state;
        self.deadline = Some(now + RESPONSE_TIMEOUT);
        let aor = self.config.aor.to_uri();
        let mut request = Message::request(
            Method::Register,
            &format!("sip:{}", self.config.aor.domain()),
        )
        .with(
            HeaderName::From,
            &format!("<{aor}>;tag={};epid={}", self.tag, self.config.epid),
        )
        .with(HeaderName::To, &format!("<{aor}>"))
        .with(HeaderName::CallId, &self.call_id)
        .with(HeaderName::CSeq, &format!("{} REGISTER", self.cseq))
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::Contact, &self.config.contact_header())
        .with(HeaderName::UserAgent, &self.config.user_agent)
        .with(HeaderName::Event, "registration")
        .with(HeaderName::MsKeepAlive, "UAC;hop-hop=yes");
        let supported = self.config.supported();
        if !supported.is_empty() {
            request.push(HeaderName::Supported, &supported);
        }
        if self.config.presence {
            request.push(HeaderName::AllowEvents, "presence");
        }
        if state == State::Unregistering {
            request.push(HeaderName::Expires, "0");
        }
        self.transmits.push_back(request);
    }

    /// Takes a response to a REGISTER of this registration.
    pub fn handle_response(&mut self, now: Instant, response: &Message) {
        let current = response
            .cseq()
            .is_ok_and(|cseq| cseq.number == self.cseq && cseq.method_text == "REGISTER");
        let Some(status) = response.status().filter(|&status| current && status >= 200) else {
            return;
        };
        let refresh = match self.state {
            State::Registering { refresh } => refresh,
            State::Unregistering => {
                // A refusal changes nothing: the connection is closed next, and the binding ends with it.
                self.reset();
                self.events.push_back(Event::Unregistered);
                return;
            }
            _ => return,
        };
        self.deadline = None;
        match status {
            200..=299 => self.registered(now, response, refresh),
            401 | 407 => {
                self.state = State::Challenged { refresh };
                self.events.push_back(Event::Challenged(response.clone()));
            }
            301 | 302 | 305 => self.redirected(response),
            _ => {
                self.reset();
                let refusal = response::refusal(response, status);
                self.events.push_back(Event::Refused(refusal));
            }
        }
    }

    fn registered(&mut self, now: Instant, response: &Message, refresh: bool) {
        let registered = response::registered(response, &self.config, refresh);
        let lost = refresh
            && registered.presence_state.is_some_and(|state| {
                state.register_action != crate::presence_state::RegisterAction::Refreshed
            });
        if lost {
            self.reset();
            self.events.push_back(Event::Lost);
            self.register(now);
            return;
        }
        self.gruu.clone_from(&registered.gruu);
        self.state = State::Registered;
        let life = Duration::from_secs(u64::from(registered.expires));
        self.deadline = Some(now + refresh_after(life));
        self.events.push_back(Event::Registered(registered));
    }

    fn redirected(&mut self, response: &Message) {
        self.reset();
        let contact = response
            .contact()
            .map(|contact| contact.uri_text().to_owned());
        self.events.push_back(match contact {
            Ok(contact) => Event::Redirected { contact },
            Err(_) => Event::Refused(response::refusal(response, 301)),
        });
    }

    /// Takes a NOTIFY; gives the answer if it is one about this registration ([MS-SIPREGE] 3.1.1, 2.2.1.13). Anything else is `None`.
    pub fn handle_notify(&mut self, notify: &Message) -> Option<Message> {
        let event = RegistrationEvent::from_notify(notify)?;
        let ours = notify.call_id().is_ok_and(|id| id == self.call_id)
            && notify
                .to_header()
                .is_ok_and(|to| to.tag().is_none_or(|tag| tag == self.tag));
        if !ours {
            return None;
        }
        if event.ends_registration() {
            self.reset();
        }
        self.events.push_back(Event::Notified {
            event,
            reaction: event.reaction(),
            preferred_registrar: notify
                .header_named("p-preferred-registrar")
                .map(|value| value.trim_matches(['<', '>']).to_owned()),
            reason: response::diagnostic_reason(notify),
        });
        Some(Message::response_to(notify, 200, None))
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Message> {
        self.transmits.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Refreshes the binding when it is time, or gives an unanswered request up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.deadline = None;
        match self.state {
            State::Registered => self.register(now),
            State::Registering { .. } => {
                self.reset();
                self.events.push_back(Event::TimedOut);
            }
            State::Unregistering => {
                self.reset();
                self.events.push_back(Event::Unregistered);
            }
            State::Idle | State::Challenged { .. } => {}
        }
    }
}

/// When to refresh a binding of this life. However short a server makes it, it cannot make the client flood it.
fn refresh_after(life: Duration) -> Duration {
    if life >= REFRESH_MARGIN * 2 {
        life.saturating_sub(REFRESH_MARGIN)
    } else {
        (life / 4).max(Duration::from_secs(5))
    }
}
