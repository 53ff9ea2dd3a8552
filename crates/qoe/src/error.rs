//! What can be wrong.

/// Why a document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not XML, not this document, or a value that its type does not have.
    #[error("document: {0}")]
    Xml(#[from] ocs_xml::Error),
    /// A document of more than [`MAX_BODY_LEN`](crate::MAX_BODY_LEN) octets.
    #[error("document of {len} octets is too long")]
    TooLong {
        /// Its octets.
        len: usize,
    },
    /// A report that lacks what its schema demands: no server takes it.
    #[error("element {element} lacks {child}")]
    Incomplete {
        /// The element.
        element: &'static str,
        /// What it has to have.
        child: &'static str,
    },
    /// More reports wait than the publisher keeps.
    #[error("more than {limit} reports wait")]
    TooMany {
        /// How many it keeps.
        limit: usize,
    },
}
