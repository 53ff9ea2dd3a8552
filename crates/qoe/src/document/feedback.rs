//! `CallQualityFeedbackReport` (\[MS-QoE\] 2.2.2): the stars that a user gave.

use ocs_xml::{Element as _, SmolStr, element, to_string};

use super::Time;
use super::event::reader;
use crate::Error;

/// The namespace of the document (inferred from the name of its schema).
pub const FEEDBACK_NAMESPACE: &str = "ms-cqf";

element! {
    /// What a user thinks of a call. `Feedback` and `Tokens`, whose inside is not known, are kept in `extra`.
    pub struct CallQualityFeedbackReport(FEEDBACK_NAMESPACE, "CallQualityFeedbackReport") {
        /// Call-ID, as in the call's [`DialogInfo`](super::DialogInfo).
        attr call_id: SmolStr = "CallId",
        /// Tag of From.
        attr from_tag: SmolStr = "FromTag",
        /// Tag of To.
        attr to_tag: SmolStr = "ToTag",
        /// When the call began.
        attr_opt start: Time = "Start",
        /// When it ended.
        attr_opt end: Time = "End",
        /// Who gives the stars.
        leaf reporting_user_uri: SmolStr = "ReportingUserURI",
        /// 1 to 5 stars.
        leaf rating: u8 = "Rating",
    }
}

impl CallQualityFeedbackReport {
    /// Reads a document.
    pub fn parse(document: &[u8]) -> Result<Self, Error> {
        let mut reader = reader(document)?;
        reader.root(FEEDBACK_NAMESPACE, Self::NAME)?;
        let report = Self::read(&mut reader)?;
        reader.finish()?;
        if (1..=5).contains(&report.rating) {
            Ok(report)
        } else {
            Err(Error::Xml(ocs_xml::Error::Value {
                element: "CallQualityFeedbackReport",
                name: "Rating",
            }))
        }
    }

    /// Writes the document.
    #[must_use]
    pub fn to_xml(&self) -> String {
        to_string(self)
    }
}
