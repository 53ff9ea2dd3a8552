//! What can still be read of a head that the parser refused: where the message ends and where a refusal belongs.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hasher};

use crate::syntax::{is_token_char, is_white};
use crate::{Error, HeaderName, Message, Method, status};

/// The octets of a head, good or not, complete or not.
pub(crate) struct RawHead<'a> {
    octets: &'a [u8],
}

impl<'a> RawHead<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The lines up to the empty one, each with its continuation lines.
    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let octets = self.octets;
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            loop {
                // A line without its end, where the octets were cut, tells nothing.
                let line_end = at + memchr::memmem::find(&octets[at..], b"\r\n")?;
                if line_end == start {
                    return None;
                }
                at = line_end + 2;
                if !matches!(octets.get(at), Some(b' ' | b'\t')) {
                    return Some(&octets[start..line_end]);
                }
            }
        })
    }

    /// Known headers: name and trimmed value, which may hold folds and any octets.
    fn headers(&self) -> impl Iterator<Item = (HeaderName, &'a [u8])> + use<'a> {
        self.lines().skip(1).filter_map(|line| {
            let name_len = line.iter().position(|&c| !is_token_char(c))?;
            let colon = name_len + line[name_len..].iter().position(|&c| !is_white(c))?;
            if line[colon] != b':' {
                return None;
            }
            let name = HeaderName::from_text(std::str::from_utf8(&line[..name_len]).ok()?);
            Some((name, trim_octets(&line[colon + 1..])))
        })
    }

    /// Content-Length, as [`Message::content_length`] gives it.
    pub(crate) fn content_length(&self) -> Result<Option<u64>, Error> {
        let name = HeaderName::ContentLength;
        let mut found = None;
        for (_, value) in self.headers().filter(|(other, _)| *other == name) {
            let length: u64 = std::str::from_utf8(value)
                .ok()
                .filter(|text| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()))
                .and_then(|text| text.parse().ok())
                .ok_or(Error::Malformed(name))?;
            if found.is_some_and(|other| other != length) {
                return Err(Error::Repeated(name));
            }
            found = Some(length);
        }
        Ok(found)
    }

    /// The refusal of the request that this head belongs to, with what can be copied of Via, From, To, Call-ID and CSeq
    /// (RFC 3261 8.2.6.2).
    ///
    /// `None` for a response, for ACK and BENOTIFY, and when there is no Via to send it along or no CSeq to match it.
    pub(crate) fn answer(&self, code: u16, fault: &dyn Display) -> Option<Message> {
        let first = self.lines().next()?;
        if first
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
        {
            return None;
        }
        let method_len = first
            .iter()
            .position(|&c| !is_token_char(c))
            .unwrap_or(first.len());
        let method = std::str::from_utf8(&first[..method_len]).ok()?;
        if method.is_empty() || !Method::from_token(method).is_answered() {
            return None;
        }
        let reason = format!("{} ({fault})", status::reason_phrase(code));
        let mut answer = Message::response_with_reason(code, &reason);
        let mut tag = DefaultHasher::new();
        for (name, value) in self.headers() {
            if matches!(
                name,
                HeaderName::Via
                    | HeaderName::From
                    | HeaderName::To
                    | HeaderName::CallId
                    | HeaderName::CSeq
            ) {
                // A value that is not UTF-8 cannot be matched by anyone anyway.
                answer.push(name, &String::from_utf8_lossy(value));
                tag.write(value);
            }
        }
        if answer.header(HeaderName::Via).is_none() || answer.header(HeaderName::CSeq).is_none() {
            return None;
        }
        // A tag made from the request: one that is sent again gets the same (8.2.7).
        let to = answer
            .to_header()
            .ok()
            .filter(|to| to.tag().is_none())
            .and(answer.header(HeaderName::To));
        if let Some(to) = to {
            let to = format!("{to};tag={:016x}", tag.finish());
            answer.set(HeaderName::To, &to);
        }
        answer.push(HeaderName::ContentLength, "0");
        Some(answer)
    }
}

fn trim_octets(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_white(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_white(*last)
    {
        value = rest;
    }
    value
}
