//! WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization, Authentication-Info,
//! Proxy-Authentication-Info (RFC 3261 20, \[MS-SIPAE\] 2.2).
//!
//! All have one form here: a scheme, white space, and a comma list of parameters. The infos of this system start with a
//! scheme too, unlike those of RFC 3261.

use std::borrow::Cow;

use super::HeaderValue;
use crate::syntax::{quoted_len, token_len, trim, unquote};

/// An authentication scheme. Scheme names have no case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `NTLM`
    Ntlm,
    /// `Kerberos`
    Kerberos,
    /// `TLS-DSK`
    TlsDsk,
    /// `Digest`, for anonymous conference joins.
    Digest,
}

impl Scheme {
    const ALL: [Self; 4] = [Self::Ntlm, Self::Kerberos, Self::TlsDsk, Self::Digest];

    /// The token on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Kerberos => "Kerberos",
            Self::TlsDsk => "TLS-DSK",
            Self::Digest => "Digest",
        }
    }

    /// Reads a token without regard to case.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(token))
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One parameter of an authentication header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthParam<'a> {
    /// The name as written; compared without case.
    pub name: &'a str,
    /// The value without its quotes. Values of \[MS-SIPAE\] are never escaped.
    pub value: &'a str,
    /// Whether it was quoted.
    pub quoted: bool,
}

/// A challenge, credentials or an authentication info.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthHeader<'a> {
    scheme: &'a str,
    params: &'a str,
}

impl std::fmt::Debug for AuthHeader<'_> {
    /// Tokens and signatures are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthHeader")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl<'a> AuthHeader<'a> {
    /// The scheme as written.
    #[must_use]
    pub const fn scheme_text(&self) -> &'a str {
        self.scheme
    }

    /// The scheme, if it is one of this system.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        Scheme::from_token(self.scheme)
    }

    /// All parameters in order.
    pub fn params(&self) -> impl Iterator<Item = AuthParam<'a>> + use<'a> {
        let mut rest = self.params;
        std::iter::from_fn(move || {
            let (param, after) = next_param(rest)?;
            rest = after;
            Some(param)
        })
    }

    /// The value of a parameter, without quotes.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.params()
            .find(|param| param.name.eq_ignore_ascii_case(name))
            .map(|param| param.value)
    }

    /// The value with escapes taken out, for Digest parameters.
    #[must_use]
    pub fn get_unescaped(&self, name: &str) -> Option<Cow<'a, str>> {
        let value = self.get(name)?;
        Some(if value.contains('\\') {
            Cow::Owned(unquote(&format!("\"{value}\"")).into_owned())
        } else {
            Cow::Borrowed(value)
        })
    }
}

impl<'a> HeaderValue<'a> for AuthHeader<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let (scheme, rest) = value.split_at(token_len(value));
        if scheme.is_empty() || rest.is_empty() {
            return None;
        }
        let params = trim(rest);
        let mut rest = params;
        while !rest.is_empty() {
            (_, rest) = next_param(rest)?;
        }
        Some(Self { scheme, params })
    }
}

/// Reads `name = value [,]`.
fn next_param(text: &str) -> Option<(AuthParam<'_>, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (name, rest) = text.split_at(token_len(text));
    if name.is_empty() {
        return None;
    }
    let rest = trim(rest).strip_prefix('=')?;
    let rest = rest.trim_start_matches([' ', '\t']);
    let (value, quoted, rest) = if rest.starts_with('"') {
        let len = quoted_len(rest)?;
        (&rest[1..len - 1], true, &rest[len..])
    } else {
        let len = rest.find([',', ' ', '\t', '"']).unwrap_or(rest.len());
        (&rest[..len], false, &rest[len..])
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = match rest.strip_prefix(',') {
        Some(after) => after.trim_start_matches([' ', '\t', ',']),
        None if rest.is_empty() => rest,
        None => return None,
    };
    Some((
        AuthParam {
            name,
            value,
            quoted,
        },
        rest,
    ))
}

/// Writes an authentication header value, parameters in the order of the calls.
#[derive(Debug, Clone)]
pub struct AuthWriter {
    text: String,
    first: bool,
}

impl AuthWriter {
    /// Starts with the scheme.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        let mut text = String::with_capacity(256);
        text.push_str(scheme.as_str());
        Self { text, first: true }
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(if self.first { " " } else { ", " });
        self.first = false;
        self.text.push_str(name);
        self.text.push('=');
    }

    /// Adds `name="value"`. Quotes and backslashes in the value, which \[MS-SIPAE\] has no form for, are left out.
    #[must_use]
    pub fn quoted(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push('"');
        self.text
            .extend(value.chars().filter(|c| !matches!(c, '"' | '\\')));
        self.text.push('"');
        self
    }

    /// Adds `name=value`.
    #[must_use]
    pub fn token(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        use std::fmt::Write;
        self.name(name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// The header value.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}
