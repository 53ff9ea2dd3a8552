//! Reports of the quality of calls ([MS-QoE]): to the agent that the server's configuration names.

use std::time::Instant;

use ocs_qoe::client::{Config, Publisher};
use ocs_qoe::document::{CallQualityFeedbackReport, VqReportEvent};
use ocs_sip_core::Message;

use super::services::Job;
use super::{Error, UserAgent};
use crate::Event;

/// The agent that this registration was told of.
#[derive(Debug)]
pub(super) struct Quality {
    agent: String,
    publisher: Publisher,
}

impl Quality {
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.publisher.handle_timeout(now);
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.publisher.poll_timeout()
    }
}

impl UserAgent {
    /// Reports the quality of a call. What became of it comes as [`Event::QualityReported`]. Reports go one after the other, also when
    /// several are given at once.
    ///
    /// # Errors
    /// [`Error::NotOffered`] where the server's configuration names no agent; [`Error::Quality`] for a report that lacks something.
    pub fn report_quality(&mut self, now: Instant, report: VqReportEvent) -> Result<(), Error> {
        self.publisher().ok_or(Error::NotOffered)?.report(report)?;
        self.settle(now);
        Ok(())
    }

    /// Reports what the user thinks of a call, as [`report_quality`](Self::report_quality).
    ///
    /// # Errors
    /// As there.
    pub fn report_feedback(
        &mut self,
        now: Instant,
        feedback: &CallQualityFeedbackReport,
    ) -> Result<(), Error> {
        self.publisher()
            .ok_or(Error::NotOffered)?
            .feedback(feedback)?;
        self.settle(now);
        Ok(())
    }

    fn publisher(&mut self) -> Option<&mut Publisher> {
        if !self.is_signed_in() {
            return None;
        }
        let agent = self.settings()?.qos_uri()?;
        let known = self.quality.as_ref();
        if known.is_none_or(|quality| quality.agent != agent) {
            // The user has come to another pool: what waited for the former agent is lost.
            self.quality = Some(Quality {
                publisher: Publisher::new(Config::new(agent)),
                agent: agent.to_owned(),
            });
        }
        Some(&mut self.quality.as_mut()?.publisher)
    }

    pub(super) fn drive_quality(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(service) = self
            .quality
            .as_mut()
            .and_then(|q| q.publisher.poll_transmit())
        {
            busy = true;
            match self.new_service(&service.uri) {
                Some(request) => {
                    let request = request.with_body(service.content_type, service.body);
                    self.service(now, request, Job::Quality);
                }
                None => self.service_answered(now, Job::Quality, None),
            }
        }
        while let Some(told) = self.quality.as_mut().and_then(|q| q.publisher.poll_event()) {
            busy = true;
            self.events.push_back(Event::QualityReported(told));
        }
        busy
    }

    pub(super) fn quality_answered(&mut self, now: Instant, answer: Option<&Message>) {
        if let Some(quality) = &mut self.quality {
            quality.publisher.handle_response(now, answer);
        }
    }
}
