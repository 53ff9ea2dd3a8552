//! The parts of a `multipart/alternative` body, as far as texts need them.

use memchr::memmem;
use ocs_sip_core::HeaderName;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Its Content-Type; `text/plain` when it has none (RFC 2046 5.1).
    pub(super) content_type: &'a str,
    /// Its body. Content-Transfer-Encoding is not undone: SIP bodies are 8 bit.
    pub(super) body: &'a [u8],
}

/// Iterates over the parts of a body. Parts without an end, and what is not a part, are left out.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = Part<'a>> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very start.
    let mut rest = if body.starts_with(&delimiter.as_bytes()[2..]) {
        Some(&body[delimiter.len() - 2..])
    } else {
        memmem::find(body, delimiter.as_bytes()).map(|at| &body[at + delimiter.len()..])
    };
    std::iter::from_fn(move || {
        let after = rest?;
        if after.starts_with(b"--") {
            return None;
        }
        // Padding after the delimiter up to the end of its line.
        let line = memmem::find(after, b"\r\n")?;
        let part = &after[line..];
        let end = memmem::find(part, delimiter.as_bytes())?;
        rest = Some(&part[end + delimiter.len()..]);
        Some(read_part(&part[..end]))
    })
}

/// `part` begins with the line end of its delimiter.
fn read_part(part: &[u8]) -> Part<'_> {
    let (head, body) = match memmem::find(part, b"\r\n\r\n") {
        Some(at) => (&part[..at], &part[at + 4..]),
        None => (part, &[][..]),
    };
    let content_type = core::str::from_utf8(head)
        .unwrap_or("")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| HeaderName::from_text(name.trim()) == HeaderName::ContentType)
        .map_or("text/plain", |(_, value)| value.trim());
    Part { content_type, body }
}
