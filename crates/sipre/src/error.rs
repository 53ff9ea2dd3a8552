//! What can be wrong with a text, and how a message is refused.

use ocs_sip_core::uri::UriError;

/// Why a text is not what its grammar says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An epid is 1 to 16 token characters (\[MS-SIPRE\] 2.2.7).
    #[error("epid is not 1 to 16 token characters")]
    Epid,
    /// `+sip.instance` is not `urn:uuid:` and a UUID (\[MS-SIPRE\] 2.2.5).
    #[error("+sip.instance is not a UUID URN")]
    Instance,
    /// A URI that should be a GRUU has no `gruu` flag, no `opaque`, or no user part (\[MS-SIPRE\] 2.2.3).
    #[error("not a GRUU")]
    Gruu,
    /// The id of an opaque value is not base64url of a UUID and two zero octets.
    #[error("opaque id is not a UUID in base64url")]
    OpaqueId,
    /// A URI that does not follow its grammar.
    #[error("malformed URI: {0}")]
    Uri(#[from] UriError),
    /// The session description has no usable line of this kind.
    #[error("session description: {0}")]
    Sdp(&'static str),
    /// The `msgr` parameter is not base64 of `X-MMS-IM-Format: ...`.
    #[error("malformed msgr value")]
    Msgr,
    /// The `ms-text-format` header lacks a part or holds one that cannot be decoded.
    #[error("ms-text-format: {0}")]
    TextFormat(&'static str),
    /// A document is not well-formed, or not the one that was expected.
    #[error("XML document: {0}")]
    Xml(#[from] ocs_xml::Error),
    /// A body or header is longer than the limit for it.
    #[error("{what} exceeds {limit} octets")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The IM session is over; nothing can be sent in it.
    #[error("the session has ended")]
    Ended,
    /// [`im::Limits::pending`](crate::im::Limits::pending) texts wait already.
    #[error("more than {limit} texts wait")]
    TooManyTexts {
        /// The bound.
        limit: usize,
    },
}

/// The answer that refuses a request. It is a decision, not a fault of this program: the caller sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status, 400 to 699.
    pub status: u16,
    /// Why, for `ms-diagnostics` and for logs. Not the reason phrase.
    pub reason: &'static str,
}

impl Refusal {
    /// A refusal with `status` because of `reason`.
    #[must_use]
    pub const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({})", self.status, self.reason)
    }
}
