//! Answers and notifications of a category subscription: one document, or a list with one for each user.

use bytes::{Bytes, BytesMut};
use ocs_sip_core::HeaderName;
use ocs_sip_core::header::ContentType;
use ocs_sip_core::mime::{MimeError, MimeLimits, Multipart, MultipartBuilder, Part, PartBuilder};
use ocs_xml::{from_slice, to_string};

use super::{Categories, List, content_type};
use crate::Error;

/// Bounds of what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Of each document.
    pub xml: ocs_xml::Limits,
    /// Of the multipart body.
    pub mime: MimeLimits,
}

/// The presence of some users, as a 200, NOTIFY or BENOTIFY of a subscription to `presence` brings it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListNotification {
    /// The subscriptions whose state changed.
    pub list: Option<List>,
    /// The documents in their order. Servers do not list all of them, so the URI inside counts and not the Content-ID.
    pub documents: Vec<Document>,
}

/// What one user's presence came as.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// Categories.
    Categories(Categories),
    /// Another format: presence of 2005 ([`content_type::MSRTC_PIDF`]), of another system ([`content_type::PIDF`]).
    Other {
        /// The type, in lower case and without parameters.
        content_type: String,
        /// The body.
        body: Bytes,
    },
    /// What could not be read. The other documents can be used.
    Malformed {
        /// Its Content-ID, which in this system is the address of the user.
        content_id: Option<String>,
        /// What is wrong with it.
        error: Error,
    },
}

impl ListNotification {
    /// Reads a body of any of the three forms: `multipart/related`, a lone list, or a lone document.
    pub fn parse(kind: &ContentType<'_>, body: &Bytes, limits: &Limits) -> Result<Self, Error> {
        if kind.is(content_type::CATEGORIES) {
            return Ok(Self {
                list: None,
                documents: vec![Document::Categories(from_slice(body, &limits.xml)?)],
            });
        }
        if kind.is(content_type::RLMI) {
            return Ok(Self {
                list: Some(from_slice(body, &limits.xml)?),
                documents: Vec::new(),
            });
        }
        if !kind.main_type().eq_ignore_ascii_case("multipart") {
            return Ok(Self {
                list: None,
                documents: vec![Document::other(kind, body)],
            });
        }
        let mut notification = Self::default();
        for part in Multipart::parse(kind, body, &limits.mime)?.parts() {
            notification.part(part, limits).unwrap_or_else(|error| {
                notification.documents.push(Document::Malformed {
                    content_id: part.content_id().map(str::to_owned),
                    error,
                });
            });
        }
        Ok(notification)
    }

    fn part(&mut self, part: &Part, limits: &Limits) -> Result<(), Error> {
        let kind = part.content_type().map_err(|_| Error::PartType)?;
        if kind.is(content_type::RLMI) {
            self.list = Some(from_slice(part.body(), &limits.xml)?);
        } else if kind.is(content_type::CATEGORIES) {
            let categories = from_slice(part.body(), &limits.xml)?;
            self.documents.push(Document::Categories(categories));
        } else {
            self.documents.push(Document::other(&kind, part.body()));
        }
        Ok(())
    }
}

impl Document {
    fn other(kind: &ContentType<'_>, body: &Bytes) -> Self {
        Self::Other {
            content_type: kind.essence.to_ascii_lowercase(),
            body: body.clone(),
        }
    }
}

/// Builds the `multipart/related` body of a list, as servers of this system do.
///
/// ```
/// use ocs_pres::doc::{Categories, Category, List, ListBody, ListResource, content_type};
/// use ocs_xml::to_string;
///
/// let list = List::new(
///     "sip:bob@contoso.com",
///     vec![ListResource::active("sip:alice@contoso.com", "alice@contoso.com")],
/// );
/// let note = Categories::new("sip:alice@contoso.com", vec![Category::none("note")]);
/// let (kind, body) = ListBody::new(&list, "b1")?
///     .part("alice@contoso.com", content_type::CATEGORIES, to_string(&note).as_bytes())
///     .finish()?;
/// assert_eq!(kind, r#"multipart/related; type="application/rlmi+xml";start=resourceList; boundary=b1"#);
/// assert!(body.ends_with(b"<category name=\"note\"/></categories>\r\n\r\n--b1--\r\n"));
/// # Ok::<(), ocs_pres::Error>(())
/// ```
#[derive(Debug)]
pub struct ListBody {
    builder: MultipartBuilder,
    boundary: String,
}

impl ListBody {
    const LIST_ID: &str = "resourceList";

    /// A body with its list. The boundary is the caller's, who has the randomness: a token (RFC 3261) of at most 70 characters.
    pub fn new(list: &List, boundary: &str) -> Result<Self, Error> {
        // It is written without quotes, because clients of this system look for the value as it stands.
        let token = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'+');
        if !boundary.bytes().all(token) {
            return Err(MimeError::Boundary.into());
        }
        let body = Self {
            builder: MultipartBuilder::new("related", boundary)?,
            boundary: boundary.to_owned(),
        };
        Ok(body.part(
            Self::LIST_ID,
            content_type::RLMI,
            to_string(list).as_bytes(),
        ))
    }

    /// Adds the document of a user; the Content-ID is what `cid` of the list says.
    ///
    /// It is followed by an empty line: the MIME reader under SIPE 1.25 cuts two octets of a part that is not.
    #[must_use]
    pub fn part(mut self, content_id: &str, content_type: &str, document: &[u8]) -> Self {
        let mut body = BytesMut::with_capacity(document.len() + 2);
        body.extend_from_slice(document);
        body.extend_from_slice(b"\r\n");
        let part = PartBuilder::new(content_type, body)
            .header(HeaderName::ContentTransferEncoding, "binary")
            // Without brackets, as the list names it.
            .header(HeaderName::ContentId, content_id);
        self.builder = self.builder.part(part);
        self
    }

    /// The Content-Type and the body.
    pub fn finish(self) -> Result<(String, Bytes), Error> {
        let (_, body) = self.builder.finish()?;
        // In the order and spacing that real servers have and that clients have been seen to compare.
        let kind = format!(
            "{}; type=\"{}\";start={}; boundary={}",
            content_type::MULTIPART,
            content_type::RLMI,
            Self::LIST_ID,
            self.boundary
        );
        Ok((kind, body))
    }
}
