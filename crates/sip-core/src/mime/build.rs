//! From parts to a body.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem;

use super::{MimeError, is_boundary};
use crate::HeaderName;
use crate::syntax::{is_token, quote_into};

/// A part to be written.
#[derive(Debug, Clone, Default)]
pub struct PartBuilder {
    head: String,
    body: Bytes,
}

impl PartBuilder {
    /// A part with its Content-Type.
    #[must_use]
    pub fn new(content_type: &str, body: impl Into<Bytes>) -> Self {
        let part = Self {
            head: String::new(),
            body: body.into(),
        };
        part.header(HeaderName::ContentType, content_type)
    }

    /// Adds a header. Line breaks and NULs in the value become spaces.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.head.push_str(name.as_str());
        self.head.push_str(": ");
        self.head.extend(value.chars().map(|c| {
            if matches!(c, '\r' | '\n' | '\0') {
                ' '
            } else {
                c
            }
        }));
        self.head.push_str("\r\n");
        self
    }

    /// Adds `Content-ID: <id>`.
    #[must_use]
    pub fn content_id(self, id: &str) -> Self {
        let id = format!("<{}>", super::bare_id(id));
        self.header(HeaderName::ContentId, &id)
    }
}

/// Makes a multipart body. The boundary is the caller's, who has the randomness.
///
/// ```
/// use ocs_sip_core::mime::{MultipartBuilder, PartBuilder};
///
/// let (content_type, body) = MultipartBuilder::new("alternative", "b1")?
///     .part(PartBuilder::new("text/plain", "Hi"))
///     .part(PartBuilder::new("text/html", "<b>Hi</b>"))
///     .finish()?;
/// assert_eq!(content_type, "multipart/alternative;boundary=\"b1\"");
/// assert!(body.ends_with(b"<b>Hi</b>\r\n--b1--\r\n"));
/// # Ok::<(), ocs_sip_core::mime::MimeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MultipartBuilder {
    content_type: String,
    boundary: String,
    parts: Vec<PartBuilder>,
}

impl MultipartBuilder {
    /// A `multipart/<subtype>` with this boundary. A subtype that is not a token is [`MimeError::NotMultipart`].
    pub fn new(subtype: &str, boundary: &str) -> Result<Self, MimeError> {
        if !is_token(subtype) {
            return Err(MimeError::NotMultipart);
        }
        if !is_boundary(boundary) {
            return Err(MimeError::Boundary);
        }
        Ok(Self {
            content_type: format!("multipart/{subtype}"),
            boundary: boundary.to_owned(),
            parts: Vec::new(),
        })
    }

    /// Adds a parameter to the Content-Type, such as `type` or `start` of `multipart/related`; its value is quoted. A name that is not
    /// a token is left out.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        if is_token(name) {
            self.content_type.push(';');
            self.content_type.push_str(name);
            self.content_type.push('=');
            quote_into(value, &mut self.content_type);
        }
        self
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: PartBuilder) -> Self {
        self.parts.push(part);
        self
    }

    /// The Content-Type and the body.
    pub fn finish(self) -> Result<(String, Bytes), MimeError> {
        if self.parts.is_empty() {
            return Err(MimeError::NoPart);
        }
        let dashed = format!("--{}", self.boundary);
        let finder = memmem::Finder::new(dashed.as_bytes());
        let mut out = BytesMut::new();
        for (index, part) in self.parts.iter().enumerate() {
            let occurs =
                finder.find(&part.body).is_some() || finder.find(part.head.as_bytes()).is_some();
            if occurs {
                return Err(MimeError::BoundaryInPart { part: index });
            }
            out.reserve(dashed.len() + part.head.len() + part.body.len() + 6);
            out.put_slice(dashed.as_bytes());
            out.put_slice(b"\r\n");
            out.put_slice(part.head.as_bytes());
            out.put_slice(b"\r\n");
            out.put_slice(&part.body);
            out.put_slice(b"\r\n");
        }
        out.put_slice(dashed.as_bytes());
        out.put_slice(b"--\r\n");
        let mut content_type = self.content_type;
        content_type.push_str(";boundary=");
        quote_into(&self.boundary, &mut content_type);
        Ok((content_type, out.freeze()))
    }
}
