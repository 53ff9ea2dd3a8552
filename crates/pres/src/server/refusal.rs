//! How a request is refused.

use crate::doc::{Fault, Operation};

/// The answer that refuses a request, which then has changed nothing. It is a decision, not a fault of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status. Those other than 409 are (inferred), as \[MS-PRES\] names ids only.
    pub status: u16,
    /// Why, for `ms-diagnostics` and for logs. Not the reason phrase.
    pub reason: &'static str,
    /// The id for `ms-diagnostics` (\[MS-OCER\] 8.3), where one is known.
    pub diagnostics: Option<u32>,
    /// The body, of a version conflict: [`content_type::FAULT`](crate::doc::content_type::FAULT).
    pub fault: Option<Fault>,
}

impl Refusal {
    /// A subscriber to acknowledge that does not exist.
    pub const NO_SUBSCRIBER: u32 = 2000;
    /// A category that clients may not publish.
    pub const READ_ONLY: u32 = 2003;
    /// Too many members of a container.
    pub const MEMBER_LIMIT: u32 = 2006;
    /// A value that is too long.
    pub const CATEGORY_SIZE: u32 = 2010;
    /// Too many users watched by one.
    pub const SUBSCRIBER_LIMIT: u32 = 2011;
    /// Too many watchers of one.
    pub const SUBSCRIPTION_LIMIT: u32 = 2012;
    /// A body that cannot be read.
    pub const MALFORMED: u32 = 4001;
    /// A list of delegates that is not the current one.
    pub const DELEGATES_OUT_OF_DATE: u32 = 2141;

    pub(super) const fn new(status: u16, reason: &'static str) -> Self {
        Self {
            status,
            reason,
            diagnostics: None,
            fault: None,
        }
    }

    pub(super) const fn with_id(status: u16, id: u32, reason: &'static str) -> Self {
        Self {
            status,
            reason,
            diagnostics: Some(id),
            fault: None,
        }
    }

    /// 409 that lists all versions that do not fit.
    pub(super) fn conflict(operations: Vec<Operation>) -> Self {
        Self {
            status: 409,
            reason: "version out of date",
            diagnostics: None,
            fault: Some(Fault::wrong_delta(operations)),
        }
    }

    /// 400 for a body that cannot be read.
    pub(super) fn malformed(_: ocs_xml::Error) -> Self {
        Self::with_id(400, Self::MALFORMED, "malformed body")
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.status, self.reason)
    }
}
