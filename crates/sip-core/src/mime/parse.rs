//! From a body to its parts.

use bytes::Bytes;
use bytestring::ByteString;
use memchr::memmem;

use super::{MimeError, MimeLimits, Multipart, Part, is_boundary};
use crate::header::ContentType;
use crate::syntax::is_token;

pub(super) fn multipart(
    kind: &ContentType<'_>,
    body: &Bytes,
    limits: &MimeLimits,
) -> Result<Multipart, MimeError> {
    if !kind.main_type().eq_ignore_ascii_case("multipart") {
        return Err(MimeError::NotMultipart);
    }
    let inner = MimeLimits {
        depth: limits.depth.checked_sub(1).ok_or(MimeError::TooDeep)?,
        ..*limits
    };
    let boundary = kind
        .params
        .get_unquoted("boundary")
        .filter(|boundary| is_boundary(boundary))
        .ok_or(MimeError::Boundary)?;
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    for delimiter in Delimiters::new(body, &boundary) {
        if let Some(start) = start {
            if parts.len() == limits.parts {
                return Err(MimeError::TooManyParts {
                    limit: limits.parts,
                });
            }
            // A delimiter directly after another one: nothing lies between, not even an empty line.
            let end = delimiter.start.max(start);
            parts.push(part(body.slice(start..end), parts.len(), inner)?);
        }
        if delimiter.closes {
            let start = kind.params.get_unquoted("start");
            return if parts.is_empty() {
                Err(MimeError::NoPart)
            } else {
                Ok(Multipart {
                    parts,
                    start: start.map(std::borrow::Cow::into_owned),
                })
            };
        }
        start = Some(delimiter.end);
    }
    Err(if start.is_some() {
        MimeError::Unterminated
    } else {
        MimeError::NoPart
    })
}

/// A boundary line.
struct Delimiter {
    /// Where the part before it ends: the line break before the line belongs to the line.
    start: usize,
    /// Where the part after it starts.
    end: usize,
    closes: bool,
}

struct Delimiters<'a> {
    body: &'a [u8],
    dashed: Vec<u8>,
    at: usize,
}

impl<'a> Delimiters<'a> {
    fn new(body: &'a [u8], boundary: &str) -> Self {
        Self {
            body,
            dashed: [b"--", boundary.as_bytes()].concat(),
            at: 0,
        }
    }
}

impl Iterator for Delimiters<'_> {
    type Item = Delimiter;

    fn next(&mut self) -> Option<Delimiter> {
        let finder = memmem::Finder::new(&self.dashed);
        loop {
            let found = self.at + finder.find(&self.body[self.at..])?;
            let after = found + self.dashed.len();
            self.at = after;
            // At the start of a line only.
            let start = if found == 0 {
                0
            } else if self.body[..found].ends_with(b"\r\n") {
                found - 2
            } else {
                continue;
            };
            let rest = &self.body[after..];
            let closes = rest.starts_with(b"--");
            let padding = if closes { 2 } else { 0 };
            let white = rest[padding..]
                .iter()
                .take_while(|&&c| c == b' ' || c == b'\t')
                .count();
            let line_end = after + padding + white;
            let tail = &self.body[line_end..];
            let end = if tail.starts_with(b"\r\n") {
                line_end + 2
            } else if tail.is_empty() && closes {
                line_end
            } else {
                continue; // another boundary that starts with this one, or text
            };
            // The line break that ends this line may begin the next delimiter: search from there.
            self.at = line_end;
            return Some(Delimiter { start, end, closes });
        }
    }
}

/// Splits a part at its first empty line. A part that starts with one has no headers.
fn part(octets: Bytes, index: usize, limits: MimeLimits) -> Result<Part, MimeError> {
    let malformed = || MimeError::PartHead { part: index };
    let (head_len, body_at) = if octets.starts_with(b"\r\n") {
        (0, 2)
    } else {
        // Headers without a body may end with the part itself.
        match memmem::find(&octets, b"\r\n\r\n") {
            Some(end) => (end, end + 4),
            None => (octets.len(), octets.len()),
        }
    };
    if head_len > limits.part_head {
        return Err(MimeError::PartHeadTooLong {
            part: index,
            limit: limits.part_head,
        });
    }
    let head = ByteString::try_from(octets.slice(..head_len)).map_err(|_| malformed())?;
    let head = if head.contains("\r\n ") || head.contains("\r\n\t") {
        unfold(&head).into()
    } else {
        head
    };
    let good = |line: &str| {
        line.split_once(':').is_some_and(|(name, value)| {
            is_token(name.trim_end()) && !value.contains(['\r', '\n', '\0'])
        })
    };
    if !head.is_empty() && !head.split("\r\n").all(good) {
        return Err(malformed());
    }
    Ok(Part {
        head,
        body: octets.slice(body_at..),
        limits,
    })
}

/// Joins continuation lines by one space (RFC 2822 2.2.3).
fn unfold(head: &str) -> String {
    let mut out = String::with_capacity(head.len());
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            out.push(' ');
            out.push_str(line.trim());
        } else {
            if !out.is_empty() {
                out.push_str("\r\n");
            }
            out.push_str(line);
        }
    }
    out
}
