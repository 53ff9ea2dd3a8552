//! The client's side.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ocs_sip_core::header::{NameAddr, RetryAfter};
use ocs_sip_core::{Aor, HeaderName, Message, Method};

use super::{
    CONTENT_TYPE, CONTENT_TYPE_LENGTH, ProgressReport, ProgressReports, REQUEST_TYPE, ReportError,
    ReportedError, is_report,
};
use crate::progress::Progress;
use crate::{Kind, Limits};

/// A request that failed.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The request.
    pub request: &'a Message,
    /// The final response.
    pub response: &'a Message,
    /// What came before it.
    pub progress: &'a Progress,
}

/// What a client reports, and what it does not, from one sign-in to the next.
///
/// Reported is a failure of which a server says why, once for each call. Not reported are challenges, what the user cancelled himself, and
/// failures of reports (all inferred).
#[derive(Debug)]
pub struct Reporter {
    aor: Aor,
    limits: Limits,
    silence: Silence,
    /// Call-IDs of what was reported, the oldest first.
    reported: VecDeque<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    None,
    Until(Instant),
    ForGood,
}

impl Reporter {
    /// A reporter of the user `aor`, who has just signed in.
    #[must_use]
    pub const fn new(aor: Aor, limits: Limits) -> Self {
        Self {
            aor,
            limits,
            silence: Silence::None,
            reported: VecDeque::new(),
        }
    }

    /// The report of a failure, if one is due. [`service`] makes the request.
    pub fn report(&mut self, now: Instant, failure: Failure<'_>) -> Option<ReportError> {
        match self.silence {
            Silence::ForGood => return None,
            Silence::Until(end) if now < end => return None,
            Silence::Until(_) | Silence::None => self.silence = Silence::None,
        }
        let error = self.describe(failure)?;
        if self.reported.contains(&error.call_id) {
            return None;
        }
        if self.reported.len() >= self.limits.reported_calls {
            self.reported.pop_front();
        }
        self.reported.push_back(error.call_id.clone());
        Some(ReportError {
            errors: vec![error],
            extra: ocs_xml::Extra::default(),
        })
    }

    /// The final answer to a report. A refusal ends reporting until Retry-After has passed, or for good (inferred).
    pub fn handle_response(&mut self, now: Instant, response: &Message) {
        let refuses = response.status().is_some_and(|status| status >= 400);
        if !refuses || is_challenge(response) {
            return;
        }
        let wait = response.parse_first::<RetryAfter<'_>>(HeaderName::RetryAfter);
        self.silence = match wait {
            Ok(wait) => now
                .checked_add(Duration::from_secs(wait.seconds.into()))
                .map_or(Silence::ForGood, Silence::Until),
            Err(_) => Silence::ForGood,
        };
    }

    fn describe(&self, failure: Failure<'_>) -> Option<ReportedError> {
        let Failure {
            request,
            response,
            progress,
        } = failure;
        let status = response.status().filter(|status| *status >= 400)?;
        if is_challenge(response) || status == 487 || is_report(request) {
            return None;
        }
        // Without a server's diagnostics it was the peer who refused.
        let names = [Kind::Private.name(), Kind::Public.name()];
        let diagnostics = names.into_iter().find_map(|name| response.header(name))?;
        let from = request.from_header().ok()?;
        let to = response.to_header().or_else(|_| request.to_header()).ok()?;
        let method = request.method()?.as_str();
        let content_type = request.header(HeaderName::ContentType);
        let is_own = sip_aor(&from).as_ref() == Some(&self.aor);
        let fits = |text: &&str, limit| text.chars().count() <= limit;
        Some(ReportedError {
            from_uri: (!is_own).then(|| from.uri_text().to_owned()),
            to_uri: Some(to.uri_text().to_owned()),
            call_id: request.call_id().ok()?.to_owned(),
            from_tag: from.tag().map(str::to_owned),
            to_tag: to.tag().map(str::to_owned),
            content_type: content_type
                .filter(|text| fits(text, CONTENT_TYPE_LENGTH))
                .map(str::to_owned),
            response_code: status.into(),
            request_type: Some(method)
                .filter(|text| fits(text, REQUEST_TYPE))?
                .to_owned(),
            diag_header: Some(diagnostics)
                .filter(|text| text.len() <= self.limits.diagnostics)
                .map(str::to_owned),
            progress_reports: Some(reports(progress)),
            extra: ocs_xml::Extra::default(),
        })
    }
}

fn reports(progress: &Progress) -> ProgressReports {
    let report = |value: &String| ProgressReport {
        diag_header: Some(value.clone()),
        extra: ocs_xml::Extra::default(),
    };
    ProgressReports {
        reports: progress.values().iter().map(report).collect(),
        extra: ocs_xml::Extra::default(),
    }
}

/// The SERVICE that carries a report: to the own address, outside any dialog. `from` is the value of From with its tag and epid; Via, Max-Forwards, Call-ID,
/// CSeq and Contact are the user agent's.
#[must_use]
pub fn service(aor: &Aor, from: &str, report: &ReportError) -> Message {
    let uri = aor.to_uri();
    Message::request(Method::Service, &uri)
        .with(HeaderName::From, from)
        .with(HeaderName::To, &format!("<{uri}>"))
        .with_body(CONTENT_TYPE, report.to_string())
}

fn is_challenge(response: &Message) -> bool {
    matches!(response.status(), Some(401 | 407))
}

fn sip_aor(address: &NameAddr<'_>) -> Option<Aor> {
    address.uri().ok()?.as_sip()?.aor()
}
