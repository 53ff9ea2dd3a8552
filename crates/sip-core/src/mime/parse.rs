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
            let before = &self.body[..found];
            let start = if found == 0 {
                0
            } else if let Some(line) = before.strip_suffix(b"\n") {
                line.strip_suffix(b"\r").unwrap_or(line).len()
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
            let end = match line_break(tail) {
                Some(length) => line_end + length,
                None if tail.is_empty() && closes => line_end,
                None => continue, // another boundary that starts with this one, or text
            };
            // The line break that ends this line may begin the next delimiter: search from there.
            self.at = line_end;
            return Some(Delimiter { start, end, closes });
        }
    }
}

/// Octets of the line break that text starts with.
///
/// Only in bodies of several parts a lone LF counts as one: some servers write their parts so (\[MS-PRES\], implementation notes).
fn line_break(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"\r\n") {
        Some(2)
    } else {
        text.starts_with(b"\n").then_some(1)
    }
}

/// The first empty line: where it begins and where it ends, with the line break before it.
fn empty_line(octets: &[u8]) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'\n', octets).find_map(|at| {
        let next = at + 1;
        let end = next + line_break(&octets[next..])?;
        let start = octets[..at].strip_suffix(b"\r").map_or(at, <[u8]>::len);
        Some((start, end))
    })
}

/// Splits a part at its first empty line. A part that starts with one has no headers.
fn part(octets: Bytes, index: usize, limits: MimeLimits) -> Result<Part, MimeError> {
    let malformed = || MimeError::PartHead { part: index };
    let (head_len, body_at) = match line_break(&octets) {
        Some(length) => (0, length),
        // Headers without a body may end with the part itself.
        None => empty_line(&octets).unwrap_or((octets.len(), octets.len())),
    };
    if head_len > limits.part_head {
        return Err(MimeError::PartHeadTooLong {
            part: index,
            limit: limits.part_head,
        });
    }
    let head = ByteString::try_from(octets.slice(..head_len)).map_err(|_| malformed())?;
    let head = if head.contains("\n ") || head.contains("\n\t") {
        unfold(&head).into()
    } else {
        head
    };
    let good = |line: &str| {
        line.split_once(':')
            .is_some_and(|(name, value)| is_token(name.trim_end()) && !value.contains(['\r', '\0']))
    };
    if !head.is_empty() && !head.lines().all(good) {
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
    for line in head.lines() {
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
