//! The client's side: sends reports to the agent of its pool (\[MS-QoE\] 3.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ocs_sip_core::header::RetryAfter;
use ocs_sip_core::{HeaderName, Message, Method};

use crate::document::{CallQualityFeedbackReport, SchemaVersion, VqReportEvent};
use crate::{Error, FEEDBACK_TYPE, FOCUS_URI, MAX_BODY_LEN, REPORT_TYPE};

/// The wait before the second try of a report (inferred).
pub const RETRY_WAIT: Duration = Duration::from_secs(30);
/// The longest Retry-After that is obeyed (inferred).
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Where reports go, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The agent: `qosUri` of in-band provisioning (\[MS-SIPREGE\]).
    pub agent: String,
    /// The version of the schema that its server knows. What came later is left out of reports. The names of the versions behind the second are
    /// recalled in part: choose one for a server that is known to read them.
    pub version: SchemaVersion,
    /// Reports that wait at most; 16. More are refused.
    pub queue: usize,
}

impl Config {
    /// Reports for this agent in the version of Lync 2010, which every later server reads.
    #[must_use]
    pub fn new(agent: &str) -> Self {
        Self {
            agent: agent.to_owned(),
            version: SchemaVersion::V2,
            queue: 16,
        }
    }
}

/// A SERVICE to send: outside any dialog, by the way of the user's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The Request-URI, and that of To.
    pub uri: String,
    /// The type of the body.
    pub content_type: &'static str,
    /// The document.
    pub body: String,
    /// The conference of an anonymous participant: goes into `focus-uri`.
    pub focus_uri: Option<String>,
}

impl Service {
    /// The request. `from` is the value of From with its tag and epid; Via, Max-Forwards, Call-ID, CSeq and Contact are the user agent's.
    #[must_use]
    pub fn into_message(self, from: &str) -> Message {
        let mut message = Message::request(Method::Service, &self.uri)
            .with(HeaderName::From, from)
            .with(HeaderName::To, &format!("<{}>", self.uri));
        if let Some(focus_uri) = self.focus_uri {
            message.push_named(FOCUS_URI, &focus_uri);
        }
        message.with_body(self.content_type, self.body)
    }
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The agent took it.
    Accepted,
    /// It is lost: refused with this status, or twice without answer. No user has to know, and no credentials are to be renewed for a 401.
    Dropped {
        /// The status of the last answer.
        status: Option<u16>,
    },
}

/// Sends reports one after the other, each at most twice.
///
/// After each call drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event), then arm one timer for
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Publisher {
    config: Config,
    /// The first is the one that is out or waits for its second try.
    queue: VecDeque<Service>,
    state: State,
    events: VecDeque<Event>,
}

/// How far the first report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be sent.
    Ready { second: bool },
    /// Out.
    Waiting { second: bool },
    /// To be sent again then.
    Later(Instant),
}

impl Publisher {
    /// A publisher with nothing to send.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            queue: VecDeque::new(),
            state: State::Ready { second: false },
            events: VecDeque::new(),
        }
    }

    /// Sends a report on a call, cut to the version of the server.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](Error::Incomplete) as [`VqReportEvent::check`] says; too many reports, or one that is too long.
    pub fn report(&mut self, mut report: VqReportEvent) -> Result<(), Error> {
        report.cut(self.config.version);
        report.check()?;
        self.push(REPORT_TYPE, report.to_xml(), None)
    }

    /// Sends a report of an anonymous participant of a conference. The URI of the focus comes from the report.
    ///
    /// # Errors
    ///
    /// As of [`report`](Self::report).
    pub fn report_anonymously(&mut self, mut report: VqReportEvent) -> Result<(), Error> {
        report.cut(self.config.version);
        report.check()?;
        let focus_uri = report
            .all_reports()
            .find_map(|report| report.dialog.conf_uri.as_ref().map(ToString::to_string));
        self.push(REPORT_TYPE, report.to_xml(), focus_uri)
    }

    /// Sends what the user thinks of a call.
    pub fn feedback(&mut self, feedback: &CallQualityFeedbackReport) -> Result<(), Error> {
        self.push(FEEDBACK_TYPE, feedback.to_xml(), None)
    }

    fn push(
        &mut self,
        content_type: &'static str,
        body: String,
        focus_uri: Option<String>,
    ) -> Result<(), Error> {
        if body.len() > MAX_BODY_LEN {
            return Err(Error::TooLong { len: body.len() });
        }
        let limit = self.config.queue;
        if self.queue.len() >= limit {
            return Err(Error::TooMany { limit });
        }
        self.queue.push_back(Service {
            uri: self.config.agent.clone(),
            content_type,
            body,
            focus_uri,
        });
        Ok(())
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Service> {
        let State::Ready { second } = self.state else {
            return None;
        };
        let service = self.queue.front()?.clone();
        self.state = State::Waiting { second };
        Some(service)
    }

    /// The final answer to the request that is out; `None` when none came.
    pub fn handle_response(&mut self, now: Instant, response: Option<&Message>) {
        let State::Waiting { second } = self.state else {
            return;
        };
        let status = response.and_then(Message::status);
        if status.is_some_and(|status| (200..300).contains(&status)) {
            self.done(Event::Accepted);
        } else if !second && matches!(status, None | Some(408 | 503 | 504)) {
            let asked = response.and_then(|response| {
                let after = response.parse_first::<RetryAfter<'_>>(HeaderName::RetryAfter);
                Some(Duration::from_secs(after.ok()?.seconds.into()).min(MAX_RETRY_AFTER))
            });
            match now.checked_add(asked.unwrap_or(RETRY_WAIT)) {
                Some(later) => self.state = State::Later(later),
                None => self.done(Event::Dropped { status }),
            }
        } else {
            self.done(Event::Dropped { status });
        }
    }

    fn done(&mut self, event: Event) {
        self.queue.pop_front();
        self.state = State::Ready { second: false };
        self.events.push_back(event);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Later(due) => Some(due),
            _ => None,
        }
    }

    /// Sends a report for the second time, when it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.state, State::Later(due) if due <= now) {
            self.state = State::Ready { second: true };
        }
    }
}
