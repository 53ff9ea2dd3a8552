//! What can be wrong with a document.

use ocs_sip_core::mime::MimeError;

/// Why a body is not the document that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not well-formed, out of bounds, or not what its schema says.
    #[error("document: {0}")]
    Xml(#[from] ocs_xml::Error),
    /// A multipart body that cannot be taken apart or built.
    #[error("multipart body: {0}")]
    Mime(#[from] MimeError),
    /// A part of a multipart body whose Content-Type cannot be read.
    #[error("part without usable content type")]
    PartType,
}
