//! Arbitrary octets as a report: every request is answered, and what is read is written so that it reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_qoe::document::{CallQualityFeedbackReport, SchemaVersion, VqReportEvent};
use ocs_qoe::server::answer;
use ocs_qoe::{FEEDBACK_TYPE, REPORT_TYPE};
use ocs_sip_core::{HeaderName, Message, Method};

fuzz_target!(|data: &[u8]| {
    for content_type in [REPORT_TYPE, FEEDBACK_TYPE] {
        let request = Message::request(Method::Service, "sip:pool@contoso.com")
            .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1")
            .with_body(content_type, data.to_vec());
        let (response, report) = answer(&request, "tag");
        assert_eq!(report.is_ok(), response.status() == Some(202));
    }
    if let Ok(mut event) = VqReportEvent::parse(data) {
        let again = VqReportEvent::parse(event.to_xml().as_bytes());
        assert_eq!(again.as_ref().ok(), Some(&event));
        for version in [
            SchemaVersion::V4,
            SchemaVersion::V3,
            SchemaVersion::V2,
            SchemaVersion::V1,
        ] {
            event.cut(version);
            let _ = event.to_xml();
        }
    }
    if let Ok(feedback) = CallQualityFeedbackReport::parse(data) {
        let again = CallQualityFeedbackReport::parse(feedback.to_xml().as_bytes());
        assert_eq!(again.as_ref().ok(), Some(&feedback));
    }
});
