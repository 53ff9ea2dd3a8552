//! What can be wrong.

/// Why a document, a key or a configuration is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not XML, or not this document.
    #[error("document: {0}")]
    Xml(#[from] ocs_xml::Error),
    /// A text is empty or too long.
    #[error("{what} is not of 1 to {limit} characters")]
    Length {
        /// Which one.
        what: &'static str,
        /// Characters that it may have.
        limit: usize,
    },
    /// An address is no SIP URI.
    #[error("{what} is not a sip uri")]
    NotSipUri {
        /// Which one.
        what: &'static str,
    },
    /// A key of less than [`Key::MIN_LEN`](crate::token::Key::MIN_LEN) octets.
    #[error("key of {len} octets is too short")]
    ShortKey {
        /// Its octets.
        len: usize,
    },
}
