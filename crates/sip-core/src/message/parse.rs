//! From octets to a [`Message`].

use std::sync::LazyLock;

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::{Entry, Message, Span, Start};
use crate::syntax::{is_token, is_white, trim};
use crate::{Error, HeaderName, Limits, Method};

/// Made once: making a searcher costs as much as searching a head.
static HEAD_END: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b"\r\n\r\n"));

/// What is known of the end of a head in a buffer that is still being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadLength {
    /// The head with its empty line takes so many octets.
    Complete(usize),
    /// No end yet; search on from this offset when there is more.
    Partial {
        /// Everything before was searched.
        searched: usize,
    },
}

impl HeadLength {
    /// Looks for the empty line that ends a head, from `searched` on, so that a head that
    /// arrives octet by octet is searched once.
    #[must_use]
    pub fn find(buffer: &[u8], searched: usize) -> Self {
        let from = searched.min(buffer.len());
        match HEAD_END.find(&buffer[from..]) {
            Some(at) => Self::Complete(from + at + 4),
            None => Self::Partial {
                searched: buffer.len().saturating_sub(3).max(from),
            },
        }
    }
}

impl Message {
    /// Parses a whole message, such as a datagram or a recorded message.
    ///
    /// The body is what Content-Length says; octets after it are dropped, as RFC 3261 18.3 wants it for datagrams. Without
    /// Content-Length the body is all that follows.
    ///
    /// Line breaks before the start line are passed over (7.5).
    ///
    /// Checks the form of the message only; whether it is a message that can be served is
    /// [`Message::check`]'s and [`crate::admit`]'s to say.
    pub fn parse(mut bytes: Bytes, limits: &Limits) -> Result<Self, Error> {
        while bytes.starts_with(b"\r\n") {
            bytes.advance(2);
        }
        let HeadLength::Complete(length) = HeadLength::find(&bytes, 0) else {
            return Err(if bytes.len() > limits.head {
                Error::HeadTooLong { limit: limits.head }
            } else {
                Error::Truncated
            });
        };
        let mut rest = bytes;
        let head = rest.split_to(length);
        let mut message = Self::parse_head(head, limits)?;
        if let Some(expected) = message.content_length()? {
            if expected > limits.body as u64 {
                return Err(Error::BodyTooLong {
                    length: expected,
                    limit: limits.body,
                });
            }
            if expected > rest.len() as u64 {
                return Err(Error::ShortBody {
                    expected,
                    got: rest.len(),
                });
            }
            rest.truncate(expected as usize);
        } else if rest.len() > limits.body {
            return Err(Error::BodyTooLong {
                length: rest.len() as u64,
                limit: limits.body,
            });
        }
        message.body = rest;
        Ok(message)
    }

    /// Parses start line and headers up to and with the empty line; the body stays empty.
    pub fn parse_head(head: Bytes, limits: &Limits) -> Result<Self, Error> {
        if head.len() > limits.head || u32::try_from(head.len()).is_err() {
            return Err(Error::HeadTooLong { limit: limits.head });
        }
        // A NUL can stand as the second octet of a quoted-pair only (RFC 3261 25.1, RFC 4475 3.1.1.2).
        let bare = |&at: &usize| at == 0 || head[at - 1] != b'\\';
        if let Some(offset) = memchr_iter(0, &head).find(bare) {
            return Err(Error::ControlCharacter { offset });
        }
        let source = ByteString::try_from(head).map_err(|error| Error::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        let mut message = Self {
            added: String::new(),
            start: Start::Response {
                status: 0,
                reason: Span::EMPTY,
            },
            start_line: Span::EMPTY,
            // One allocation serves nearly every message of this system (20 to 30 headers).
            entries: Vec::with_capacity(32),
            body: Bytes::new(),
            source: ByteString::new(),
        };
        message.index(&source, limits)?;
        message.source = source;
        Ok(message)
    }

    fn index(&mut self, source: &str, limits: &Limits) -> Result<(), Error> {
        let first = logical_line(source, 0)?;
        self.start = start_line(&source[..first.end])?;
        self.start_line = span(0, first.end);
        let mut at = first.next;
        loop {
            let Line { end, next, folded } = logical_line(source, at)?;
            if end == at {
                return Ok(());
            }
            if end - at > limits.header_line {
                return Err(Error::HeaderTooLong {
                    offset: at,
                    limit: limits.header_line,
                });
            }
            if self.entries.len() == limits.headers {
                return Err(Error::TooManyHeaders {
                    limit: limits.headers,
                });
            }
            let entry = self.header_line(source, at, end, folded)?;
            self.entries.push(entry);
            at = next;
        }
    }

    fn header_line(
        &mut self,
        source: &str,
        start: usize,
        end: usize,
        folded: bool,
    ) -> Result<Entry, Error> {
        let line = &source[start..end];
        let bytes = line.as_bytes();
        let malformed = || Error::HeaderLine { offset: start };
        let colon = memchr(b':', bytes).ok_or_else(malformed)?;
        // HCOLON allows white space, also a fold, before the colon.
        let mut name_len = colon;
        while name_len > 0 && is_white(bytes[name_len - 1]) {
            name_len -= 1;
        }
        let name_text = &line[..name_len];
        let name = HeaderName::from_text(name_text);
        // A known name is a token.
        if name == HeaderName::Unknown && !is_token(name_text) {
            return Err(malformed());
        }
        let value = trim(&line[colon + 1..]);
        let value = if folded && memchr(b'\r', value.as_bytes()).is_some() {
            unfold(value, source.len(), &mut self.added)
        } else {
            // Where the trimmed text lies in the source.
            let mut at = colon + 1;
            while at < bytes.len() - value.len() && is_white(bytes[at]) {
                at += 1;
            }
            span(start + at, value.len())
        };
        Ok(Entry {
            name,
            line: span(start, end - start),
            name_len: name_len as u32,
            value,
        })
    }
}

/// Offsets stay below 2^32: the head's length was checked.
fn span(start: usize, len: usize) -> Span {
    Span {
        start: start as u32,
        len: len as u32,
    }
}

/// Replaces each fold (LWS with a line break) by one space (RFC 3261 7.3.1), in the message's second buffer.
fn unfold(text: &str, source_len: usize, added: &mut String) -> Span {
    let start = added.len();
    let mut pieces = text.split("\r\n");
    if let Some(first) = pieces.next() {
        added.push_str(first.trim_end_matches([' ', '\t']));
    }
    for piece in pieces {
        added.push(' ');
        added.push_str(piece.trim_matches([' ', '\t']));
    }
    span(source_len + start, added.len() - start)
}

/// A line with its continuation lines.
struct Line {
    /// Where its text ends.
    end: usize,
    /// Where the next one starts.
    next: usize,
    /// Whether it has continuation lines.
    folded: bool,
}

/// The line that starts at `start`.
///
/// The head always ends in CRLF CRLF, so a line break is always found.
#[inline]
fn logical_line(source: &str, start: usize) -> Result<Line, Error> {
    let bytes = source.as_bytes();
    let mut at = start;
    loop {
        let end = at + memchr2(b'\r', b'\n', &bytes[at..]).ok_or(Error::Truncated)?;
        if bytes[end] != b'\r' || bytes.get(end + 1) != Some(&b'\n') {
            return Err(Error::ControlCharacter { offset: end });
        }
        let next = end + 2;
        // An empty line is never continued: what follows is the body.
        if end == start || !matches!(bytes.get(next), Some(b' ' | b'\t')) {
            let folded = at > start;
            return Ok(Line { end, next, folded });
        }
        at = next;
    }
}

fn start_line(line: &str) -> Result<Start, Error> {
    if line
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
    {
        status_line(line)
    } else {
        request_line(line)
    }
}

/// `Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF`; an absent phrase with its space is accepted.
fn status_line(line: &str) -> Result<Start, Error> {
    let (version, rest) = line.split_once(' ').ok_or(Error::StartLine)?;
    check_version(version)?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = match code.as_bytes() {
        [a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => return Err(Error::StatusCode),
    };
    Ok(Start::Response {
        status,
        reason: span(line.len() - reason.len(), reason.len()),
    })
}

/// `Request-Line = Method SP Request-URI SP SIP-Version CRLF`.
fn request_line(line: &str) -> Result<Start, Error> {
    let method_len = crate::syntax::token_len(line);
    if method_len == 0 || line.as_bytes().get(method_len) != Some(&b' ') {
        return Err(Error::StartLine);
    }
    let (uri, version) = line[method_len + 1..]
        .rsplit_once(' ')
        .ok_or(Error::StartLine)?;
    if version.is_empty() || uri.is_empty() {
        return Err(Error::StartLine);
    }
    check_version(version)?;
    let forbidden = |c: u8| c.is_ascii_whitespace() || matches!(c, b'<' | b'>' | b'"');
    if uri.bytes().any(forbidden) {
        return Err(Error::RequestUri);
    }
    Ok(Start::Request {
        method: Method::from_token(&line[..method_len]),
        uri: span(method_len + 1, uri.len()),
    })
}

fn check_version(version: &str) -> Result<(), Error> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let number = version
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("SIP/"))
        .map(|_| &version[4..]);
    let is_version = number
        .and_then(|number| number.split_once('.'))
        .is_some_and(|(major, minor)| {
            [major, minor]
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()))
        });
    Err(if is_version {
        Error::Version
    } else {
        Error::StartLine
    })
}
