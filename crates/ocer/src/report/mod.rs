//! reportError (\[MS-OCER\] 2.2.2): a client tells its server of failures, in a SERVICE request to its own address.

mod receive;
mod send;

use ocs_xml::{element, from_slice, to_string};

pub use receive::{Refused, is_report, not_now, receive};
pub use send::{Failure, Reporter, service};

use crate::{Error, Limits};

/// The namespace of the document.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/error-reporting";
/// The type of the body.
pub const CONTENT_TYPE: &str = "application/msrtc-reporterror+xml";

element! {
    /// The document.
    pub struct ReportError(NAMESPACE, "reportError") {
        /// The failures. One is sent; several are accepted.
        children errors: ReportedError,
    }
}

element! {
    /// One failed request.
    pub struct ReportedError(NAMESPACE, "error") {
        /// From of the request; the From of the SERVICE where it is absent.
        attr_opt from_uri: String = "fromUri",
        /// To of the request.
        attr_opt to_uri: String = "toUri",
        /// Call-ID of the request.
        attr call_id: String = "callId",
        /// Tag of From.
        attr_opt from_tag: String = "fromTag",
        /// Tag of To.
        attr_opt to_tag: String = "toTag",
        /// Content-Type of the request, at most 257 characters: `application/sdp;call-type=audiovideo`.
        attr_opt content_type: String = "contentType",
        /// The status of the response.
        attr response_code: u32 = "responseCode",
        /// The method of the request, at most 33 characters.
        attr request_type: String = "requestType",
        /// The value of ms-diagnostics of the response, at most 65,535 characters.
        leaf_opt diag_header: String = "diagHeader",
        /// What came before the response. The specification requires the element; a document without it is read.
        child_opt progress_reports: ProgressReports,
    }
}

element! {
    /// The 101 responses before a failure.
    pub struct ProgressReports(NAMESPACE, "progressReports") {
        /// In the order in which they came.
        children reports: ProgressReport,
    }
}

element! {
    /// One 101 response.
    pub struct ProgressReport(NAMESPACE, "progressReport") {
        /// The value of its ms-diagnostics.
        leaf_opt diag_header: String = "diagHeader",
    }
}

impl ReportError {
    /// Reads a document within `limits`.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let report: Self = from_slice(document, &limits.report)?;
        at_most("number of errors", report.errors.len(), limits.errors)?;
        for error in &report.errors {
            error.check(limits)?;
        }
        Ok(report)
    }
}

/// The document.
impl core::fmt::Display for ReportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&to_string(self))
    }
}

/// Characters of `requestType` and `contentType` (2.2.2).
const REQUEST_TYPE: usize = 33;
const CONTENT_TYPE_LENGTH: usize = 257;

impl ReportedError {
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let characters = |text: &str| text.chars().count();
        at_most("requestType", characters(&self.request_type), REQUEST_TYPE)?;
        let content_type = self.content_type.as_deref().map_or(0, characters);
        at_most("contentType", content_type, CONTENT_TYPE_LENGTH)?;
        let progress = self.progress();
        at_most(
            "number of progress reports",
            progress.len(),
            limits.progress_reports,
        )?;
        let values = progress
            .iter()
            .filter_map(|report| report.diag_header.as_deref());
        for value in values.chain(self.diag_header.as_deref()) {
            at_most("diagHeader", value.len(), limits.diagnostics)?;
        }
        Ok(())
    }

    /// The progress reports, in the order in which they came.
    #[must_use]
    pub fn progress(&self) -> &[ProgressReport] {
        let reports = self.progress_reports.as_ref();
        reports.map_or(&[], |reports| &reports.reports)
    }
}

fn at_most(what: &'static str, length: usize, limit: usize) -> Result<(), Error> {
    if length > limit {
        return Err(Error::TooLong { what, limit });
    }
    Ok(())
}
