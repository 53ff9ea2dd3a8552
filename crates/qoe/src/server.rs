//! The server's side: the QoE Monitoring Agent (\[MS-QoE\] 3.2).

use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_xml::{Limits, Reader};

use crate::document::{CallQualityFeedbackReport, DialogInfo, SessionReport, VqReportEvent};
use crate::{Error, FEEDBACK_TYPE, FOCUS_URI, MAX_BODY_LEN, REPORT_TYPE, has_type};

/// The host of identities without name.
const ANONYMOUS_HOST: &str = "anonymous.invalid";

/// What was reported.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// Metrics. Each endpoint's report stands alone: that of the other side may never come.
    Event(Box<VqReportEvent>),
    /// Stars.
    Feedback(CallQualityFeedbackReport),
}

/// Why a report was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No SERVICE: 405 (inferred).
    Method,
    /// Neither of the two types: 415.
    ContentType,
    /// Too long: 413.
    TooLong,
    /// Neither of the two documents: 606.
    Root,
    /// Against the schema: 400.
    Document(Error),
    /// Somebody else's report: 401, without challenge.
    Identity,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::ContentType => 415,
            Self::TooLong => 413,
            Self::Root => 606,
            Self::Document(_) => 400,
            Self::Identity => 401,
        }
    }
}

/// Whether a SERVICE is for the agent of a pool: addressed to the agent's GRUU, to the pool, or to the user whose home the pool is (To and
/// Request-URI are the same then). Others are routed on.
#[must_use]
pub fn is_for_agent(request: &Message, agent: &str, pool: &str) -> bool {
    let Some(uri) = request.request_uri() else {
        return false;
    };
    uri == agent || uri == pool || request.to_header().is_ok_and(|to| to.uri_text() == uri)
}

/// Answers a request, and gives what it reports or why it was refused. 202 says that the report was taken, not that it was stored.
///
/// From is what authentication made of it. What is in doubt on the callee's side is accepted: his own URI may be in FromURI or in ToURI
/// (inferred).
pub fn answer(request: &Message, to_tag: &str) -> (Message, Result<Report, Refusal>) {
    let report = read(request);
    let status = match &report {
        Ok(_) => 202,
        Err(refusal) => refusal.status(),
    };
    let mut response = Message::response_to(request, status, Some(to_tag));
    match &report {
        Err(Refusal::Method) => response.push(HeaderName::Allow, Method::Service.as_str()),
        Err(Refusal::ContentType) => {
            response.push_parts(HeaderName::Accept, &[REPORT_TYPE, ", ", FEEDBACK_TYPE]);
        }
        _ => {}
    }
    (response, report)
}

fn read(request: &Message) -> Result<Report, Refusal> {
    if request.method() != Some(&Method::Service) {
        return Err(Refusal::Method);
    }
    if !has_type(request, REPORT_TYPE) && !has_type(request, FEEDBACK_TYPE) {
        return Err(Refusal::ContentType);
    }
    let body = request.body();
    if body.len() > MAX_BODY_LEN {
        return Err(Refusal::TooLong);
    }
    let document = |error| Refusal::Document(error);
    match root(body).map_err(document)? {
        Root::Event => {
            let event = VqReportEvent::parse(body).map_err(document)?;
            let sender = sender(request).ok_or(Refusal::Identity)?;
            let own = |report: &SessionReport| may_report(request, &sender, &report.dialog);
            if !event.all_reports().all(own) {
                return Err(Refusal::Identity);
            }
            Ok(Report::Event(Box::new(event)))
        }
        Root::Feedback => {
            let feedback = CallQualityFeedbackReport::parse(body).map_err(document)?;
            let sender = sender(request).ok_or(Refusal::Identity)?;
            if !is(&sender, &feedback.reporting_user_uri) {
                return Err(Refusal::Identity);
            }
            Ok(Report::Feedback(feedback))
        }
        Root::Other => Err(Refusal::Root),
    }
}

enum Root {
    Event,
    Feedback,
    Other,
}

fn root(body: &[u8]) -> Result<Root, Error> {
    let mut reader = Reader::new(body, &Limits::default())?;
    Ok(match reader.any_root()?.name {
        "VQReportEvent" => Root::Event,
        "CallQualityFeedbackReport" => Root::Feedback,
        _ => Root::Other,
    })
}

/// Who sends, as authentication found him.
fn sender(request: &Message) -> Option<Aor> {
    let from = request.from_header().ok()?;
    Aor::parse(from.uri_text()).ok()
}

/// Whether who sends may report on this dialog.
fn may_report(request: &Message, sender: &Aor, dialog: &DialogInfo) -> bool {
    if sender.domain().eq_ignore_ascii_case(ANONYMOUS_HOST) {
        let focus = request.header_named(FOCUS_URI).map(str::trim);
        return focus.is_some() && focus == dialog.conf_uri.as_deref().map(str::trim);
    }
    match &dialog.local_pai {
        Some(local) => is(sender, local),
        None if dialog.caller => is(sender, &dialog.from_uri),
        None => is(sender, &dialog.to_uri) || is(sender, &dialog.from_uri),
    }
}

/// Whether a URI of a report is that of a user. Reports leave the scheme out sometimes.
fn is(user: &Aor, uri: &str) -> bool {
    Aor::parse(uri.trim_ascii()).is_ok_and(|named| named == *user)
}
