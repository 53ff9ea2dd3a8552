//! The server's side.

use ocs_sip_core::{Aor, HeaderName, Message, Method};

use super::{CONTENT_TYPE, ReportError};
use crate::{DiagnosticsWriter, Error, ErrorId, Limits};

/// Why a report was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// The number that explains it.
    pub error_id: ErrorId,
}

impl Refused {
    const fn new(status: u16, error_id: ErrorId) -> Self {
        Self { status, error_id }
    }

    /// The response that says so, of the server `fqdn`.
    #[must_use]
    pub fn response(self, request: &Message, to_tag: &str, fqdn: &str) -> Message {
        let response = Message::response_to(request, self.status, Some(to_tag));
        let response = if self.status == 415 {
            response.with(HeaderName::Accept, CONTENT_TYPE)
        } else {
            response
        };
        DiagnosticsWriter::of_server(self.error_id, fqdn).on(response)
    }
}

/// Whether a request is a report: a SERVICE with a body of this type.
#[must_use]
pub fn is_report(request: &Message) -> bool {
    request.method() == Some(&Method::Service) && has_report(request)
}

/// Reads the report of the authenticated `user`. What is accepted is answered with 200 and no body (inferred).
///
/// A user reports his own failures, to his own address. Texts in a report are anybody's: the peer's, for example.
pub fn receive(request: &Message, user: &Aor, limits: &Limits) -> Result<ReportError, Refused> {
    if !has_report(request) {
        return Err(Refused::new(415, ErrorId::CONTENT_TYPE_MISMATCH));
    }
    let foreign = Refused::new(403, ErrorId::NOT_AUTHORIZED_AS_FROM);
    let to = request.to_header().ok();
    let to = to.and_then(|to| to.uri().ok()?.as_sip()?.aor());
    if to.as_ref() != Some(user) {
        return Err(foreign);
    }
    let report = ReportError::parse(request.body(), limits).map_err(|error| match error {
        Error::TooLong { .. } | Error::Xml(ocs_xml::Error::TooLong { .. }) => {
            Refused::new(413, ErrorId::INPUT_TOO_LARGE)
        }
        _ => Refused::new(400, ErrorId::XML_PARSE_FAILURE),
    })?;
    let senders = report
        .errors
        .iter()
        .filter_map(|error| error.from_uri.as_deref());
    for sender in senders {
        if Aor::parse(sender).ok().as_ref() != Some(user) {
            return Err(foreign);
        }
    }
    Ok(report)
}

/// The answer of a server that takes no reports for some seconds: 503 with 2019 (which status goes with it is inferred).
#[must_use]
pub fn not_now(request: &Message, to_tag: &str, fqdn: &str, retry_after: u32) -> Message {
    Refused::new(503, ErrorId::REPORTS_NOT_ACCEPTED)
        .response(request, to_tag, fqdn)
        .with(HeaderName::RetryAfter, &retry_after.to_string())
}

fn has_report(request: &Message) -> bool {
    let content_type = request.content_type().ok().flatten();
    content_type.is_some_and(|content_type| content_type.is(CONTENT_TYPE))
}
