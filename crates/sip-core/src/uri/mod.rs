//! SIP, SIPS and TEL URIs (RFC 3261 19.1, RFC 3966) with the extensions of \[MS-SIPRE\] 2.2.3.

mod aor;
mod compare;
mod escape;
mod sip;
mod tel;

pub use aor::Aor;
pub use escape::{escape_header, escape_user, unescape};
pub use sip::{Host, SipUri};
pub use tel::TelUri;

/// Why a text is not a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// No `scheme:` at the start.
    #[error("no scheme")]
    Scheme,
    /// White space, brackets, quotes or control characters in it.
    #[error("forbidden character")]
    Character,
    /// A `%` without two hexadecimal digits.
    #[error("bad escape")]
    Escape,
    /// An empty user part before `@`.
    #[error("empty user")]
    User,
    /// The host is empty or not a host name or address.
    #[error("bad host")]
    Host,
    /// The port is not a number of 16 bits.
    #[error("bad port")]
    Port,
    /// The parameters do not follow the grammar.
    #[error("bad parameters")]
    Params,
    /// The headers after `?` do not follow the grammar.
    #[error("bad headers")]
    Headers,
    /// A telephone number with other characters than digits and separators.
    #[error("bad telephone number")]
    Number,
}

/// A URI of any scheme, borrowed from the text it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` or `sips:`.
    Sip(SipUri<'a>),
    /// `tel:`.
    Tel(TelUri<'a>),
    /// Any other scheme, whole.
    Other(&'a str),
}

impl<'a> Uri<'a> {
    /// Parses a URI without brackets.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        // Nearly all.
        if let Some((scheme, rest)) = text.split_at_checked(4)
            && scheme.eq_ignore_ascii_case("sip:")
        {
            return SipUri::parse_rest(text, rest, false).map(Self::Sip);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        if scheme.eq_ignore_ascii_case("sips") {
            return SipUri::parse_rest(text, rest, true).map(Self::Sip);
        }
        let valid = scheme
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.'))
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !valid {
            return Err(UriError::Scheme);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return TelUri::parse_rest(text, rest).map(Self::Tel);
        }
        if crate::syntax::has_uri_delimiter(text) {
            return Err(UriError::Character);
        }
        Ok(Self::Other(text))
    }

    /// The text as written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Sip(uri) => uri.as_str(),
            Self::Tel(uri) => uri.as_str(),
            Self::Other(text) => text,
        }
    }

    /// The scheme as written.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        self.as_str()
            .split_once(':')
            .map_or("", |(scheme, _)| scheme)
    }

    /// The SIP URI, if it is one.
    #[must_use]
    pub const fn as_sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// Whether both name the same resource by the rules of their scheme (RFC 3261 19.1.4, RFC 3966 4). Other schemes are compared
    /// octet by octet.
    #[must_use]
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        match (self, other) {
            (Self::Sip(a), Uri::Sip(b)) => compare::sip(a, b),
            (Self::Tel(a), Uri::Tel(b)) => compare::tel(a, b),
            (Self::Other(a), Uri::Other(b)) => a == b,
            _ => false,
        }
    }
}

impl std::fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
