//! What can be wrong with a message.

use crate::HeaderName;

/// Why octets are not a SIP message, or a header is not what its grammar says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The head has no empty line that ends it.
    #[error("message ends inside its headers")]
    Truncated,
    /// Start line and headers are longer than [`Limits::head`](crate::Limits::head).
    #[error("start line and headers exceed {limit} octets")]
    HeadTooLong {
        /// The bound.
        limit: usize,
    },
    /// A header is longer than [`Limits::header_line`](crate::Limits::header_line).
    #[error("header at offset {offset} exceeds {limit} octets")]
    HeaderTooLong {
        /// Where the header starts.
        offset: usize,
        /// The bound.
        limit: usize,
    },
    /// There are more headers than [`Limits::headers`](crate::Limits::headers).
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// The bound.
        limit: usize,
    },
    /// The body is longer than [`Limits::body`](crate::Limits::body).
    #[error("body of {length} octets exceeds {limit}")]
    BodyTooLong {
        /// What Content-Length says.
        length: u64,
        /// The bound.
        limit: usize,
    },
    /// The head is not UTF-8 (RFC 3261 7).
    #[error("head is not UTF-8 at offset {offset}")]
    NotUtf8 {
        /// The first octet that is wrong.
        offset: usize,
    },
    /// A bare NUL, a lone CR or a lone LF in the head.
    #[error("control character at offset {offset}")]
    ControlCharacter {
        /// Where it stands.
        offset: usize,
    },
    /// The first line is neither a Request-Line nor a Status-Line (RFC 3261 7.1, 7.2).
    #[error("malformed start line")]
    StartLine,
    /// The Request-URI is not one: brackets, spaces or headers in it.
    #[error("malformed Request-URI")]
    RequestUri,
    /// A SIP-Version other than `SIP/2.0`. Answer 505.
    #[error("unsupported SIP version")]
    Version,
    /// A status code outside 100 to 699.
    #[error("malformed status code")]
    StatusCode,
    /// A line that has no `name:` before its value.
    #[error("malformed header line at offset {offset}")]
    HeaderLine {
        /// Where the line starts.
        offset: usize,
    },
    /// A required header is absent.
    #[error("{0} is missing")]
    Missing(HeaderName),
    /// A header that may stand once stands more often.
    #[error("{0} stands more than once")]
    Repeated(HeaderName),
    /// The value does not follow the grammar of the header.
    #[error("malformed {0}")]
    Malformed(HeaderName),
    /// Content-Length is larger than what came (datagrams only).
    #[error("body has {got} octets of {expected}")]
    ShortBody {
        /// What Content-Length says.
        expected: u64,
        /// What there is.
        got: usize,
    },
    /// The method of CSeq is not that of the request.
    #[error("method of CSeq differs from the method of the request")]
    CseqMethod,
    /// A URI that does not follow its grammar.
    #[error("malformed URI: {0}")]
    Uri(#[from] crate::uri::UriError),
    /// A MIME body that does not follow RFC 2046.
    #[error("malformed MIME body: {0}")]
    Mime(#[from] crate::mime::MimeError),
}

impl Error {
    /// The status that refuses a request with this fault (RFC 3261 16.3, 21.4, 21.5).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Version => 505,
            Self::BodyTooLong { .. }
            | Self::HeadTooLong { .. }
            | Self::HeaderTooLong { .. }
            | Self::TooManyHeaders { .. } => 513,
            _ => 400,
        }
    }
}
