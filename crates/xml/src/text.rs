//! Characters and entities.

use std::borrow::Cow;

use quick_xml::escape::EscapeError;

use crate::Error;

/// A control character that XML does not have: its offset.
pub(crate) fn has_controls(text: &str) -> Option<usize> {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Without early exit the loop runs on many octets at once.
    let any = text
        .as_bytes()
        .iter()
        .fold(false, |found, byte| found | control(byte));
    any.then(|| text.as_bytes().iter().position(control))
        .flatten()
}

/// Whether a character may stand in a document.
pub(crate) const fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Replaces the five entities of XML and references to characters.
#[inline]
pub(crate) fn unescape(text: &str, offset: usize) -> Result<Cow<'_, str>, Error> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Ok(text.into());
    }
    let text = quick_xml::escape::unescape(text).map_err(|error| match error {
        EscapeError::InvalidCharRef(_) => Error::Character { offset },
        _ => Error::Entity { offset },
    })?;
    if text.chars().all(is_allowed) {
        Ok(text)
    } else {
        Err(Error::Character { offset })
    }
}

/// Appends text between tags.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push_str(&quick_xml::escape::partial_escape(allowed(text)));
}

/// Appends the value of an attribute. Line ends and tabulators are written so that they survive.
pub(crate) fn push_value(out: &mut String, text: &str) {
    let text = quick_xml::escape::escape(allowed(text));
    if memchr::memchr2(b'\n', b'\t', text.as_bytes()).is_none() {
        out.push_str(&text);
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}

/// Puts U+FFFD in the place of what XML cannot carry.
fn allowed(text: &str) -> Cow<'_, str> {
    // U+FFFE and U+FFFF begin with 0xEF.
    let suspicious =
        has_controls(text).is_some() || memchr::memchr(0xEF, text.as_bytes()).is_some();
    if suspicious && !text.chars().all(is_allowed) {
        text.chars()
            .map(|c| {
                if is_allowed(c) {
                    c
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            })
            .collect()
    } else {
        text.into()
    }
}
