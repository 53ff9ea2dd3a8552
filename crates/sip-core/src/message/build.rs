//! New requests and responses.

use bytes::Bytes;
use bytestring::ByteString;

use super::{Message, Span, Start};
use crate::{HeaderName, Method, status};

impl Message {
    /// A request without headers. Headers are added with [`push`](Self::push) in the order in which they shall stand.
    #[must_use]
    pub fn request(method: Method, uri: &str) -> Self {
        let mut message = Self::empty(
            Start::Request {
                method,
                uri: Span::EMPTY,
            },
            // With the signature, which is most of it, the usual request fits.
            1024,
        );
        message.set_request_uri(uri);
        message
    }

    /// A response without headers, with the usual phrase.
    #[must_use]
    pub fn response(code: u16) -> Self {
        Self::response_with_reason(code, status::reason_phrase(code))
    }

    /// A response without headers.
    #[must_use]
    pub fn response_with_reason(code: u16, reason: &str) -> Self {
        let mut message = Self::empty(
            Start::Response {
                status: code,
                reason: Span::EMPTY,
            },
            512,
        );
        message.set_reason(reason);
        message
    }

    /// The response to `request` (RFC 3261 8.2.6): Via, From, To, Call-ID, CSeq are copied; `to_tag` is added to To
    /// where it has none and the status is above 100. Timestamp is copied into a 100. Record-Route is copied where the response can make a
    /// dialog (12.1.1).
    #[must_use]
    pub fn response_to(request: &Self, code: u16, to_tag: Option<&str>) -> Self {
        let mut response = Self::empty(
            Start::Response {
                status: code,
                reason: Span::EMPTY,
            },
            // Much of what routing put in goes back.
            (request.source.len() + request.added.len()).clamp(512, 2048),
        );
        response.set_reason(status::reason_phrase(code));
        let dialog =
            (101..300).contains(&code) && request.method().is_some_and(Method::creates_dialog);
        for header in request.headers_iter() {
            match header.name {
                HeaderName::Via | HeaderName::From | HeaderName::CallId | HeaderName::CSeq => {
                    response.push(header.name, header.value);
                }
                HeaderName::To => {
                    let tag = to_tag.filter(|_| code > 100).filter(|_| {
                        crate::header::NameAddr::parse(header.value)
                            .is_ok_and(|to| to.tag().is_none())
                    });
                    if let Some(tag) = tag {
                        response.push_parts(header.name, &[header.value, ";tag=", tag]);
                    } else {
                        response.push(header.name, header.value);
                    }
                }
                HeaderName::RecordRoute if dialog => response.push(header.name, header.value),
                HeaderName::Timestamp if code == 100 => response.push(header.name, header.value),
                _ => {}
            }
        }
        response
    }

    fn empty(start: Start, capacity: usize) -> Self {
        Self {
            source: ByteString::new(),
            added: String::with_capacity(capacity),
            start,
            start_line: Span::EMPTY,
            entries: Vec::with_capacity(24),
            body: Bytes::new(),
        }
    }

    /// [`push`](Self::push) for chains.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// [`set_body`](Self::set_body) for chains.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.set_body(content_type, body);
        self
    }
}
