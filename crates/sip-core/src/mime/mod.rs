//! MIME multipart bodies: `multipart/mixed`, `/related`, `/alternative` and any other subtype (RFC 2046 5.1, RFC 2387,
//! RFC 4662 for resource lists).

mod build;
mod parse;

use bytes::Bytes;
use bytestring::ByteString;

use crate::header::{ContentType, HeaderValue};
use crate::{Error, HeaderName};

pub use build::{MultipartBuilder, PartBuilder};

/// Why a body is not a multipart body, or cannot be made one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MimeError {
    /// The Content-Type is not `multipart/*`.
    #[error("content type is not multipart")]
    NotMultipart,
    /// No `boundary` parameter, or one outside 1 to 70 characters of RFC 2046 5.1.1, or one that ends in a space.
    #[error("no usable boundary")]
    Boundary,
    /// The body has no boundary line at all.
    #[error("no part")]
    NoPart,
    /// The closing boundary `--boundary--` is missing: the body may have been cut.
    #[error("no closing boundary")]
    Unterminated,
    /// More parts than [`MimeLimits::parts`].
    #[error("more than {limit} parts")]
    TooManyParts {
        /// The bound.
        limit: usize,
    },
    /// Multiparts inside multiparts beyond [`MimeLimits::depth`].
    #[error("multiparts nested too deeply")]
    TooDeep,
    /// The headers of a part are longer than [`MimeLimits::part_head`].
    #[error("headers of part {part} exceed {limit} octets")]
    PartHeadTooLong {
        /// Index of the part, from 0.
        part: usize,
        /// The bound.
        limit: usize,
    },
    /// The headers of a part do not end, or are not `name: value` lines of UTF-8.
    #[error("malformed headers of part {part}")]
    PartHead {
        /// Index of the part, from 0.
        part: usize,
    },
    /// The boundary occurs inside a part that is to be written: choose another.
    #[error("boundary occurs in part {part}")]
    BoundaryInPart {
        /// Index of the part, from 0.
        part: usize,
    },
}

/// Bounds on a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MimeLimits {
    /// Parts of one multipart. Default 1,024: a batch subscription answers with a part per contact.
    pub parts: usize,
    /// How deep multiparts may be nested; 1 is a multipart without another in it. Default 4.
    pub depth: usize,
    /// Octets of the headers of one part. Default 8,192.
    pub part_head: usize,
}

impl Default for MimeLimits {
    fn default() -> Self {
        Self {
            parts: 1024,
            depth: 4,
            part_head: 8 * 1024,
        }
    }
}

/// A parsed multipart body. Bodies of parts are views of the octets they came in.
///
/// ```
/// use bytes::Bytes;
/// use ocs_sip_core::{header::{ContentType, HeaderValue}, mime::{MimeLimits, Multipart}};
///
/// let kind = ContentType::parse_value("multipart/related;start=list;boundary=b").unwrap();
/// let body = Bytes::from("--b\r\nContent-ID: list\r\nContent-Type: application/rlmi+xml\r\n\r\n<list/>\r\n--b--\r\n");
/// let multipart = Multipart::parse(&kind, &body, &MimeLimits::default())?;
/// let root = multipart.root().unwrap();
/// assert_eq!(root.content_type()?.essence, "application/rlmi+xml");
/// assert_eq!(root.body(), "<list/>");
/// # Ok::<(), ocs_sip_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    parts: Vec<Part>,
    start: Option<String>,
}

impl Multipart {
    /// Parses `body` by the boundary of its Content-Type. What stands before the first and after the last boundary is dropped.
    pub fn parse(
        content_type: &ContentType<'_>,
        body: &Bytes,
        limits: &MimeLimits,
    ) -> Result<Self, MimeError> {
        parse::multipart(content_type, body, limits)
    }

    /// The parts in order; at least one.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part with this Content-ID; brackets around either do not count, case does (RFC 2392).
    #[must_use]
    pub fn by_content_id(&self, id: &str) -> Option<&Part> {
        let id = bare_id(id);
        self.parts.iter().find(|part| part.content_id() == Some(id))
    }

    /// The root of a `multipart/related` (RFC 2387 3.2): the part that `start` names, or the first where there is no `start`.
    /// `None` when `start` names no part.
    #[must_use]
    pub fn root(&self) -> Option<&Part> {
        match &self.start {
            Some(start) => self.by_content_id(start),
            None => self.parts.first(),
        }
    }

    /// The last part of this type: the best form of a `multipart/alternative` that a reader of the type can show (RFC 2046
    /// 5.1.4).
    #[must_use]
    pub fn last_of(&self, essence: &str) -> Option<&Part> {
        let of_type = |part: &&Part| part.content_type().is_ok_and(|kind| kind.is(essence));
        self.parts.iter().rev().find(of_type)
    }
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Lines `name: value`, unfolded.
    head: ByteString,
    body: Bytes,
    /// Bounds that are left for multiparts inside.
    limits: MimeLimits,
}

impl Part {
    /// The headers in order: name as written, value trimmed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim_end(), value.trim()))
        })
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name.as_str()))
            .map(|(_, value)| value)
    }

    /// Content-Type; without one a part is `text/plain` (RFC 2045 5.2).
    pub fn content_type(&self) -> Result<ContentType<'_>, Error> {
        let name = HeaderName::ContentType;
        let value = self.header(name).unwrap_or("text/plain");
        ContentType::parse_value(value).ok_or(Error::Malformed(name))
    }

    /// Content-ID without brackets; some servers of this system write none.
    #[must_use]
    pub fn content_id(&self) -> Option<&str> {
        self.header(HeaderName::ContentId).map(bare_id)
    }

    /// The body as it stands. Content-Transfer-Encoding is `binary` everywhere in SIP (RFC 3261 7.4.1) and is not undone.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The multipart inside, when the part is one.
    pub fn multipart(&self) -> Result<Option<Multipart>, Error> {
        let kind = self.content_type()?;
        if !kind.main_type().eq_ignore_ascii_case("multipart") {
            return Ok(None);
        }
        Ok(Some(Multipart::parse(&kind, &self.body, &self.limits)?))
    }
}

fn bare_id(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
}

/// `1*70 bchars`, not ending in a space (RFC 2046 5.1.1).
fn is_boundary(text: &str) -> bool {
    (1..=70).contains(&text.len())
        && !text.ends_with(' ')
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&c))
}
