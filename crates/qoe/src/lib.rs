#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod client;
pub mod document;
mod error;
pub mod in_call;
pub mod server;

use ocs_sip_core::{Message, Method};

pub use error::Error;

/// The type of a [`VqReportEvent`](document::VqReportEvent) (\[MS-QoE\] 2.2.1).
pub const REPORT_TYPE: &str = "application/vq-rtcpxr+xml";

/// The type of a [`CallQualityFeedbackReport`](document::CallQualityFeedbackReport) (2.2.2).
pub const FEEDBACK_TYPE: &str = "application/ms-cqf+xml";

/// Octets of the longest body: 300 KB, taken as 300 times 1,024 (inferred).
pub const MAX_BODY_LEN: usize = 300 * 1024;

/// The header with which an anonymous participant of a conference says whose conference it is (3.2).
pub const FOCUS_URI: &str = "focus-uri";

/// Whether a request is one of this protocol: a SERVICE with a body of one of the two types.
#[must_use]
pub fn is_report(request: &Message) -> bool {
    request.method() == Some(&Method::Service)
        && (has_type(request, REPORT_TYPE) || has_type(request, FEEDBACK_TYPE))
}

fn has_type(message: &Message, wanted: &str) -> bool {
    let content_type = message.content_type().ok().flatten();
    content_type.is_some_and(|content_type| content_type.is(wanted))
}
