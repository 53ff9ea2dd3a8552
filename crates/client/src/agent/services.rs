//! SERVICE requests: one question, one answer, no dialog.

use std::time::Instant;

use bytes::Bytes;
use ocs_ocer::diagnostics_of;
use ocs_sip_core::{HeaderName, Message, Method};

use super::sending::Purpose;
use super::{Error, UserAgent};
use crate::{Event, ServiceId};

/// What an answer to a SERVICE is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// A request of the application's own.
    Application(ServiceId),
}

/// A SERVICE to send.
#[derive(Debug)]
pub(super) struct Service {
    /// Request-URI and To.
    pub(super) target: String,
    pub(super) content: Option<(&'static str, Bytes)>,
}

impl UserAgent {
    /// Sends a SERVICE of the application's own, to the user's server or to a service behind it. The answer comes as
    /// [`Event::ServiceAnswered`].
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub fn send_service(
        &mut self,
        now: Instant,
        target: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<ServiceId, Error> {
        if !self.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        let id = ServiceId(self.next_service);
        self.next_service += 1;
        let content = Some((content_type, body.into()));
        self.service(now, target, content, Job::Application(id));
        self.settle(now);
        Ok(id)
    }

    /// Sends a SERVICE. Its answer, or that there is none, comes to [`service_answered`](Self::service_answered).
    pub(super) fn service(
        &mut self,
        now: Instant,
        target: &str,
        content: Option<(&str, Bytes)>,
        job: Job,
    ) {
        let contact = self.contact();
        let mut request = self.new_request(Method::Service, target);
        request.push(HeaderName::UserAgent, &self.config.user_agent);
        request.push(HeaderName::Contact, &contact);
        if let Some((content_type, body)) = content {
            request.set_body(content_type, body);
        }
        let sent = self.send_request(now, request, Purpose::Service(job.clone()));
        if sent.is_none() {
            self.service_answered(now, job, None);
        }
    }

    pub(super) fn service_answered(&mut self, now: Instant, job: Job, answer: Option<&Message>) {
        match job {
            Job::Application(id) => self.events.push_back(Event::ServiceAnswered {
                id,
                status: status_of(answer),
                content_type: answer
                    .and_then(|answer| answer.header(HeaderName::ContentType))
                    .map(str::to_owned),
                body: answer.map(|answer| answer.body().clone()).unwrap_or_default(),
            }),
        }
    }
}

/// The status of an answer; no answer counts as 408 (RFC 3261 8.1.3.1).
pub(super) fn status_of(answer: Option<&Message>) -> u16 {
    answer.and_then(Message::status).unwrap_or(408)
}

/// Why a request was refused: the server's diagnostics, else the phrase.
pub(super) fn explanation(response: &Message) -> String {
    diagnostics_of(response)
        .find_map(|(_, diagnostics)| Some(diagnostics.reason()?.into_owned()))
        .or_else(|| response.reason().map(str::to_owned))
        .unwrap_or_default()
}
