//! Escapes of URIs (RFC 3261 19.1.2, 25.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::UriError;

/// What a header in a URI holds unescaped besides letters and digits: `mark`. What else may stand there has a meaning to some readers.
const HEADER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What a user part holds unescaped besides letters and digits: `mark` and `user-unreserved`.
const USER: &AsciiSet = &HEADER
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b';')
    .remove(b'?')
    .remove(b'/');

/// Escapes a user name for the user part of a SIP URI.
#[must_use]
pub fn escape_user(user: &str) -> Cow<'_, str> {
    utf8_percent_encode(user, USER).into()
}

/// Escapes the value of a header for the header part of a SIP URI, as that of Replaces in Refer-To (RFC 3891 4).
#[must_use]
pub fn escape_header(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, HEADER).into()
}

/// Takes the escapes out of a part of a URI. `None` when the octets are not UTF-8 afterwards.
#[must_use]
pub fn unescape(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Refuses a `%` that is not followed by two hexadecimal digits.
pub(super) fn check_escapes(text: &str) -> Result<(), UriError> {
    let bytes = text.as_bytes();
    let valid = memchr::memchr_iter(b'%', bytes).all(|at| {
        bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if valid { Ok(()) } else { Err(UriError::Escape) }
}
