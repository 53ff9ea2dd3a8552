//! From octets to a [`Message`].

use std::sync::LazyLock;

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use memchr::{memchr, memchr_iter, memmem};

use super::{Entry, Message, Span, Start};
use crate::syntax::{control_at, short_find, token_len, trim_end, white_len};
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
        // The index finds the end of the head on its way.
        let index =
            Index::new(&bytes, limits).map_err(|error| first_fault(&bytes, limits, error))?;
        let mut rest = bytes;
        let head = rest.split_to(index.len);
        let mut message = Self::from_index(head, limits, index)?;
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
        check_head_length(&head, limits)?;
        let index =
            Index::new(&head, limits).map_err(|error| first_fault_of_head(&head, limits, error))?;
        check_nul(&head[index.len..], index.len)?;
        Self::from_index(head, limits, index)
    }

    fn from_index(head: Bytes, limits: &Limits, index: Index) -> Result<Self, Error> {
        check_head_length(&head, limits)?;
        let source = ByteString::try_from(head).map_err(|error| not_utf8(&error))?;
        let mut message = Self {
            added: String::new(),
            start: start_line(&source[..index.start_line])?,
            start_line: span(0, index.start_line),
            entries: index.entries,
            body: Bytes::new(),
            source,
        };
        if index.folded {
            message.unfold();
        }
        Ok(message)
    }

    /// Makes unfolded copies of the values that are folded.
    #[cold]
    fn unfold(&mut self) {
        let source = &*self.source;
        for entry in &mut self.entries {
            let start = entry.value.start as usize;
            let value = &source[start..start + entry.value.len as usize];
            if memchr(b'\r', value.as_bytes()).is_some() {
                entry.value = unfold(value, source.len(), &mut self.added);
            }
        }
    }
}

/// Where the parts of a head lie.
struct Index {
    /// Of the start line, the length without its line break.
    start_line: usize,
    /// Values as they stand in the source, folds and all.
    entries: Vec<Entry>,
    /// Whether any header is folded.
    folded: bool,
    /// Octets of the head with its empty line.
    len: usize,
}

impl Index {
    /// Looks once at each octet up to the empty line. Finds what is wrong with the lines, but not always what is wrong first: that
    /// is [`first_fault`]'s to tell.
    fn new(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut index = Self {
            start_line: 0,
            // One allocation serves nearly every message of this system (20 to 30 headers).
            entries: Vec::with_capacity(32),
            folded: false,
            len: 0,
        };
        let mut at = 0;
        loop {
            let line = logical_line(bytes, at)?;
            if at == 0 {
                index.start_line = line.end;
                at = line.next;
                continue;
            }
            if line.end == at {
                index.len = line.next;
                return Ok(index);
            }
            if line.end - at > limits.header_line {
                return Err(Error::HeaderTooLong {
                    offset: at,
                    limit: limits.header_line,
                });
            }
            if index.entries.len() == limits.headers {
                return Err(Error::TooManyHeaders {
                    limit: limits.headers,
                });
            }
            index.folded |= line.folded;
            let entry = header_line(bytes, at, line.end).ok_or(Error::HeaderLine { offset: at })?;
            index.entries.push(entry);
            at = line.next;
        }
    }
}

#[inline]
fn header_line(source: &[u8], start: usize, end: usize) -> Option<Entry> {
    let line = &source[start..end];
    let colon = short_find(line, b':')?;
    // HCOLON allows white space, also a fold, before the colon.
    let text = trim_end(&line[..colon]);
    let name = HeaderName::from_octets(text);
    // A known name is a token.
    if name == HeaderName::Unknown && (text.is_empty() || token_len(text) != text.len()) {
        return None;
    }
    let value = &line[colon + 1..];
    let space = white_len(value);
    Some(Entry {
        name,
        line: span(start, line.len()),
        name_len: text.len() as u32,
        value: span(start + colon + 1 + space, trim_end(&value[space..]).len()),
    })
}

/// What a reader from the front would have stumbled over first in a message whose head has some fault.
#[cold]
fn first_fault(bytes: &[u8], limits: &Limits, later: Error) -> Error {
    match HeadLength::find(bytes, 0) {
        HeadLength::Complete(length) => first_fault_of_head(&bytes[..length], limits, later),
        HeadLength::Partial { .. } if bytes.len() > limits.head => {
            Error::HeadTooLong { limit: limits.head }
        }
        HeadLength::Partial { .. } => Error::Truncated,
    }
}

/// The same for a head alone.
#[cold]
fn first_fault_of_head(head: &[u8], limits: &Limits, later: Error) -> Error {
    let check = || {
        check_head_length(head, limits)?;
        check_nul(head, 0)?;
        let text = std::str::from_utf8(head).map_err(|error| not_utf8(&error))?;
        let first = logical_line(head, 0)?;
        start_line(&text[..first.end]).map(|_| ())
    };
    check().err().unwrap_or(later)
}

fn check_head_length(head: &[u8], limits: &Limits) -> Result<(), Error> {
    if head.len() > limits.head || u32::try_from(head.len()).is_err() {
        return Err(Error::HeadTooLong { limit: limits.head });
    }
    Ok(())
}

/// A NUL can stand as the second octet of a quoted-pair only (RFC 3261 25.1, RFC 4475 3.1.1.2).
fn check_nul(bytes: &[u8], offset: usize) -> Result<(), Error> {
    let bare = |&at: &usize| at == 0 || bytes[at - 1] != b'\\';
    match memchr_iter(0, bytes).find(bare) {
        Some(at) => Err(Error::ControlCharacter {
            offset: offset + at,
        }),
        None => Ok(()),
    }
}

fn not_utf8(error: &std::str::Utf8Error) -> Error {
    Error::NotUtf8 {
        offset: error.valid_up_to(),
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
#[inline]
fn logical_line(bytes: &[u8], start: usize) -> Result<Line, Error> {
    if let Some(length) = control_at(&bytes[start..])
        && let Some(&[b'\r', b'\n', after]) = bytes[start + length..].first_chunk()
        // An empty line is never continued: what follows is the body.
        && (length == 0 || !matches!(after, b' ' | b'\t'))
    {
        let end = start + length;
        return Ok(Line {
            end,
            next: end + 2,
            folded: false,
        });
    }
    unusual_line(bytes, start)
}

/// A line that is folded, the last of the input, or not well-formed.
#[cold]
fn unusual_line(bytes: &[u8], start: usize) -> Result<Line, Error> {
    let mut at = start;
    let mut folded = false;
    loop {
        let end = at + control_at(&bytes[at..]).ok_or(Error::Truncated)?;
        if bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n') {
            let next = end + 2;
            if end == start || !matches!(bytes.get(next), Some(b' ' | b'\t')) {
                return Ok(Line { end, next, folded });
            }
            folded = true;
            at = next;
        } else if may_stand(bytes, end) {
            at = end + 1;
        } else {
            return Err(Error::ControlCharacter { offset: end });
        }
    }
}

/// Whether the control character at `at` is one that a line may hold: no CR or LF, and no NUL outside a quoted-pair.
fn may_stand(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'\r' | b'\n' => false,
        0 => at > 0 && bytes[at - 1] == b'\\',
        _ => true,
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
    let method_len = token_len(line);
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
