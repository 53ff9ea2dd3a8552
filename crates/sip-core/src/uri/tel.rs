//! `tel:` URIs (RFC 3966).

use super::{UriError, escape::check_escapes};
use crate::params::Params;

/// A telephone number as a URI, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelUri<'a> {
    text: &'a str,
    number: &'a str,
    params: Params<'a>,
}

impl<'a> TelUri<'a> {
    pub(super) fn parse_rest(text: &'a str, rest: &'a str) -> Result<Self, UriError> {
        check_escapes(rest)?;
        let end = rest.find(';').unwrap_or(rest.len());
        let (number, params) = rest.split_at(end);
        let digits = number.strip_prefix('+').unwrap_or(number);
        let valid =
            |c: u8| c.is_ascii_hexdigit() || matches!(c, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
        if digits.is_empty() || !digits.bytes().all(valid) {
            return Err(UriError::Number);
        }
        if params.contains([' ', '\t', '"', '<', '>', ',']) {
            return Err(UriError::Character);
        }
        Ok(Self {
            text,
            number,
            params: Params::parse(params).ok_or(UriError::Params)?,
        })
    }

    /// The text as written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The number with its separators.
    #[must_use]
    pub const fn number(&self) -> &'a str {
        self.number
    }

    /// Whether the number is global: starts with `+`.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.number.starts_with('+')
    }

    /// The parameters: `ext`, `phone-context`, `isub` and others.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The characters of the number without visual separators.
    pub fn digits(&self) -> impl Iterator<Item = char> + use<'a> {
        self.number
            .chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')'))
            .map(|c| c.to_ascii_lowercase())
    }
}
