//! SERVICE requests: one question, one answer, no dialog.

use std::time::Instant;

use bytes::Bytes;
use ocs_ocer::diagnostics_of;
use ocs_pres::client::WriteId;
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{HeaderName, Message, Method};

use super::sending::Purpose;
use super::{Error, UserAgent};
use crate::{Event, ServiceId, Step};

/// What an answer to a SERVICE is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// A step of the bootstrap that is a question of its own.
    Step(Step),
    /// A write to the user's own presence.
    Own(WriteId),
    /// A write to the contact list.
    Contacts,
    /// Credentials for the media relay, of the service with this number.
    Relay(u64),
    /// A report of the quality of a call.
    Quality,
    /// A request of the application's own.
    Application(ServiceId),
}

impl UserAgent {
    /// Sends a SERVICE of the application's own, to the user's server or to a service behind it. The answer comes as
    /// [`Event::ServiceAnswered`].
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::Target`] for what is no SIP URI.
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
        let mut request = self.new_service(target).ok_or(Error::Target)?;
        request.set_body(content_type, body);
        let id = ServiceId(self.next_service);
        self.next_service += 1;
        self.service(now, request, Job::Application(id));
        self.settle(now);
        Ok(id)
    }

    /// A SERVICE without body; none where the target is no SIP URI.
    pub(super) fn new_service(&mut self, target: &str) -> Option<Message> {
        SipUri::parse(target).ok()?;
        let contact = self.contact();
        let mut request = self.new_request(Method::Service, target);
        request.push(HeaderName::UserAgent, &self.config.user_agent);
        request.push(HeaderName::Contact, &contact);
        Some(request)
    }

    /// A SERVICE to the user himself: his server.
    pub(super) fn service_to_self(
        &mut self,
        now: Instant,
        content_type: &str,
        body: String,
        job: Job,
    ) {
        let target = self.config.aor.to_uri();
        match self.new_service(&target) {
            Some(request) => self.service(now, request.with_body(content_type, body), job),
            None => self.service_answered(now, job, None),
        }
    }

    /// Sends a SERVICE. Its answer, or that there is none, comes to [`service_answered`](Self::service_answered).
    pub(super) fn service(&mut self, now: Instant, request: Message, job: Job) {
        let purpose = Purpose::Service(job.clone());
        if self.send_request(now, request, purpose).is_none() {
            self.service_answered(now, job, None);
        }
    }

    pub(super) fn service_answered(&mut self, now: Instant, job: Job, answer: Option<&Message>) {
        match job {
            Job::Step(step) => self.step_answered(step, answer),
            Job::Own(id) => {
                let body = answer.map(Message::body);
                self.own.handle_answer(
                    id,
                    answer.and_then(Message::status),
                    body.map_or(&[], |body| &body[..]),
                );
            }
            Job::Contacts => {
                let error_id = answer.and_then(|answer| {
                    let (_, diagnostics) = diagnostics_of(answer).next()?;
                    Some(diagnostics.error_id)
                });
                let body = answer.map(Message::body);
                self.contacts.handle_answer(
                    status_of(answer),
                    error_id,
                    body.map_or(&[], |body| &body[..]),
                );
            }
            Job::Relay(serial) => self.relay_answered(now, serial, answer),
            Job::Quality => self.quality_answered(now, answer),
            Job::Application(id) => self.events.push_back(Event::ServiceAnswered {
                id,
                status: status_of(answer),
                content_type: answer
                    .and_then(|answer| answer.header(HeaderName::ContentType))
                    .map(str::to_owned),
                body: answer
                    .map(|answer| answer.body().clone())
                    .unwrap_or_default(),
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
