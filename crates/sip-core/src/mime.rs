//! MIME multipart bodies (RFC 2045, 2046, 2387).

/// Why a body is not a multipart body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MimeError {
    /// No `boundary` parameter, or one outside 1 to 70 characters.
    #[error("no usable boundary")]
    Boundary,
}
