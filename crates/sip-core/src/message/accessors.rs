//! Reading a [`Message`]: raw values and typed views, made on demand.

use bytes::Bytes;

use super::{Entry, Header, Message, Span, Start};
use crate::header::{
    AuthHeader, CSeq, ContentType, Event, HeaderValue, NameAddr, SubscriptionState, Via,
};
use crate::syntax::{ListItems, parse_u32, split_list};
use crate::uri::Uri;
use crate::{Error, HeaderName, Method};

impl Message {
    #[inline]
    pub(super) fn text(&self, span: Span) -> &str {
        let start = span.start as usize;
        let end = start + span.len as usize;
        let split = self.source.len();
        if end <= split {
            &self.source[start..end]
        } else {
            &self.added[start - split..end - split]
        }
    }

    #[inline]
    pub(super) fn view(&self, entry: &Entry) -> Header<'_> {
        Header {
            name: entry.name,
            text: &self.text(entry.line)[..entry.name_len as usize],
            value: self.text(entry.value),
        }
    }

    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request. For a response see [`cseq`](Self::cseq).
    #[must_use]
    pub const fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The text of the Request-URI of a request.
    #[must_use]
    pub fn request_uri(&self) -> Option<&str> {
        match &self.start {
            Start::Request { uri, .. } => Some(self.text(*uri)),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The reason phrase of a response.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(self.text(*reason)),
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// All headers in order.
    pub fn headers_iter(&self) -> impl Iterator<Item = Header<'_>> {
        self.entries.iter().map(|entry| self.view(entry))
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.lines(name).next()
    }

    /// The value of the first header of this name, known or not, compared without case.
    #[must_use]
    pub fn header_named(&self, name: &str) -> Option<&str> {
        match HeaderName::from_text(name) {
            HeaderName::Unknown => self
                .headers_iter()
                .find(|header| {
                    header.name == HeaderName::Unknown && header.text.eq_ignore_ascii_case(name)
                })
                .map(|header| header.value),
            known => self.header(known),
        }
    }

    /// The values of all lines of this name, not split at commas.
    pub fn lines(&self, name: HeaderName) -> impl Iterator<Item = &str> + Clone {
        self.entries
            .iter()
            .filter(move |entry| entry.name == name)
            .map(|entry| self.text(entry.value))
    }

    /// The values of a list header over all its lines, split at commas.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = &str> + Clone {
        self.lines(name)
            .flat_map(split_list as fn(&str) -> ListItems<'_>)
    }

    /// Whether a comma list of tokens (Supported, Require, Allow, ...) holds `token`, without case.
    #[must_use]
    pub fn lists(&self, name: HeaderName, token: &str) -> bool {
        self.values(name)
            .any(|value| value.eq_ignore_ascii_case(token))
    }

    /// The first value of this header as `T`; a header that is not there is [`Error::Missing`].
    pub fn parse_first<'a, T: HeaderValue<'a>>(&'a self, name: HeaderName) -> Result<T, Error> {
        let mut line = self.header(name).ok_or(Error::Missing(name))?;
        if name.is_list() {
            line = split_list(line).next().ok_or(Error::Malformed(name))?;
        }
        T::parse_value(line).ok_or(Error::Malformed(name))
    }

    /// Every value of this header as `T`.
    pub fn parse_all<'a, T: HeaderValue<'a> + 'a>(
        &'a self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<T, Error>> + 'a {
        let split = name.is_list();
        self.lines(name)
            .flat_map(move |line| {
                let (whole, parts) = if split {
                    (None, Some(split_list(line)))
                } else {
                    (Some(line), None)
                };
                whole.into_iter().chain(parts.into_iter().flatten())
            })
            .map(move |value| T::parse_value(value).ok_or(Error::Malformed(name)))
    }

    /// From (RFC 3261 20.20).
    pub fn from_header(&self) -> Result<NameAddr<'_>, Error> {
        self.parse_first(HeaderName::From)
    }

    /// To (RFC 3261 20.39).
    pub fn to_header(&self) -> Result<NameAddr<'_>, Error> {
        self.parse_first(HeaderName::To)
    }

    /// Call-ID (RFC 3261 20.8), compared octet by octet.
    pub fn call_id(&self) -> Result<&str, Error> {
        self.header(HeaderName::CallId)
            .ok_or(Error::Missing(HeaderName::CallId))
    }

    /// CSeq (RFC 3261 20.16).
    pub fn cseq(&self) -> Result<CSeq<'_>, Error> {
        self.parse_first(HeaderName::CSeq)
    }

    /// The topmost Via (RFC 3261 20.42).
    pub fn top_via(&self) -> Result<Via<'_>, Error> {
        self.parse_first(HeaderName::Via)
    }

    /// The first Contact (RFC 3261 20.10).
    pub fn contact(&self) -> Result<NameAddr<'_>, Error> {
        self.parse_first(HeaderName::Contact)
    }

    /// The Request-URI, parsed.
    #[inline]
    pub fn parsed_request_uri(&self) -> Result<Uri<'_>, Error> {
        Ok(Uri::parse(self.request_uri().ok_or(Error::RequestUri)?)?)
    }

    /// A header that is one unsigned number of 32 bits, such as Expires or Max-Forwards. Absent is `None`.
    pub fn number(&self, name: HeaderName) -> Result<Option<u32>, Error> {
        self.header(name)
            .map(|value| parse_u32(value).ok_or(Error::Malformed(name)))
            .transpose()
    }

    /// Content-Length (RFC 3261 20.14). Several that agree count as one; several that differ are refused, because two readers would
    /// see two messages.
    pub fn content_length(&self) -> Result<Option<u64>, Error> {
        let name = HeaderName::ContentLength;
        let mut found = None;
        for value in self.lines(name) {
            let digits = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
            let length: u64 = digits
                .then(|| value.parse().ok())
                .flatten()
                .ok_or(Error::Malformed(name))?;
            if found.is_some_and(|other| other != length) {
                return Err(Error::Repeated(name));
            }
            found = Some(length);
        }
        Ok(found)
    }

    /// Content-Type (RFC 3261 20.15), if there is one.
    pub fn content_type(&self) -> Result<Option<ContentType<'_>>, Error> {
        self.optional(HeaderName::ContentType)
    }

    /// Event (RFC 3265 7.2.1), if there is one.
    pub fn event(&self) -> Result<Option<Event<'_>>, Error> {
        self.optional(HeaderName::Event)
    }

    /// Subscription-State (RFC 3265 7.2.3), if there is one.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState<'_>>, Error> {
        self.optional(HeaderName::SubscriptionState)
    }

    /// Like [`parse_first`](Self::parse_first), but an absent header is `None`.
    pub fn optional<'a, T: HeaderValue<'a>>(
        &'a self,
        name: HeaderName,
    ) -> Result<Option<T>, Error> {
        match self.parse_first(name) {
            Ok(value) => Ok(Some(value)),
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The challenges, credentials or authentication infos in the lines of `name`.
    pub fn auth(&self, name: HeaderName) -> impl Iterator<Item = Result<AuthHeader<'_>, Error>> {
        self.parse_all(name)
    }
}
