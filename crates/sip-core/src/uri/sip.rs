//! `sip:` and `sips:` URIs.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::{Aor, UriError, escape::check_escapes, unescape};
use crate::Transport;
use crate::params::Params;
use crate::syntax::{NOT_HOST, has_uri_delimiter, is_plain_uri, short_find, until};

/// The host of a URI or a Via.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A domain name as written.
    Name(&'a str),
    /// An IPv4 address, or an IPv6 address in brackets.
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads `hostname / IPv4address / IPv6reference`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address)));
        }
        if text.is_empty() || until(text.as_bytes(), 0, NOT_HOST) < text.len() {
            return None;
        }
        Some(Self::checked(text))
    }

    /// Tells addresses from names in what is made of their characters.
    #[inline]
    fn checked(text: &'a str) -> Self {
        if text.as_bytes().last().is_some_and(u8::is_ascii_digit)
            && let Ok(address) = text.parse()
        {
            return Self::Address(IpAddr::V4(address));
        }
        Self::Name(text)
    }

    /// Reads `host [: port]` up to the end or to a semicolon; tells where that is.
    #[inline]
    pub(crate) fn read(text: &'a str) -> Result<(Self, Option<u16>, usize), UriError> {
        let bytes = text.as_bytes();
        let host = until(bytes, 0, NOT_HOST);
        let (mut port, mut end) = (None, host);
        if bytes.get(host) == Some(&b':') {
            let (mut number, mut digits) = (0, 0);
            while let Some(digit @ b'0'..=b'9') = bytes.get(host + 1 + digits)
                && digits < 5
            {
                number = 10 * number + u32::from(digit - b'0');
                digits += 1;
            }
            if digits > 0 {
                port = u16::try_from(number).ok();
                end = host + 1 + digits;
            }
        }
        let plain = host > 0 && (end == host) == port.is_none();
        if plain && matches!(bytes.get(end), None | Some(b';')) {
            return Ok((Self::checked(&text[..host]), port, end));
        }
        // With IPv6 references, white space, leading zeros, and whatever is wrong.
        let end = memchr::memchr(b';', bytes).unwrap_or(bytes.len());
        let (host, port) = Self::parse_with_port(&text[..end])?;
        Ok((host, port, end))
    }

    /// Splits `host [: port]`.
    fn parse_with_port(text: &'a str) -> Result<(Self, Option<u16>), UriError> {
        let split = if text.starts_with('[') {
            text.find(']').ok_or(UriError::Host)? + 1
        } else {
            memchr::memchr(b':', text.as_bytes()).unwrap_or(text.len())
        };
        let (host, rest) = text.split_at(split);
        let host = Self::parse(crate::syntax::trim(host)).ok_or(UriError::Host)?;
        let rest = crate::syntax::trim(rest);
        if rest.is_empty() {
            return Ok((host, None));
        }
        let port = rest.strip_prefix(':').map(crate::syntax::trim);
        let port = port
            .and_then(crate::syntax::parse_u32)
            .and_then(|port| u16::try_from(port).ok())
            .ok_or(UriError::Port)?;
        Ok((host, Some(port)))
    }

    /// Whether both are the same name (without case) or address.
    #[must_use]
    pub fn equivalent(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::Address(a), Host::Address(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A `sip:` or `sips:` URI (RFC 3261 19.1), borrowed.
///
/// ```
/// use ocs_sip_core::uri::Uri;
///
/// let uri = Uri::parse("sip:alice@contoso.com;gruu;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA")?;
/// let sip = uri.as_sip().unwrap();
/// assert!(sip.is_gruu());
/// assert_eq!(sip.opaque(), Some("user:epid:qIIWS2j5AVeD_HxnQdxmlwAA"));
/// assert_eq!(sip.aor().unwrap().as_str(), "alice@contoso.com");
/// # Ok::<(), ocs_sip_core::uri::UriError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipUri<'a> {
    text: &'a str,
    secure: bool,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
    headers: Option<&'a str>,
}

impl<'a> SipUri<'a> {
    /// Parses a URI with its scheme.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        match super::Uri::parse(text)? {
            super::Uri::Sip(uri) => Ok(uri),
            _ => Err(UriError::Scheme),
        }
    }

    pub(super) fn parse_rest(text: &'a str, rest: &'a str, secure: bool) -> Result<Self, UriError> {
        if !is_plain_uri(rest) {
            if has_uri_delimiter(rest) {
                return Err(UriError::Character);
            }
            check_escapes(rest)?;
        }
        // The user part may hold `;` and `?` (RFC 3261 19.1.2), so the `@` is looked for first. No part
        // after it can hold one unescaped.
        let (user, password, after) = match memchr::memchr(b'@', rest.as_bytes()) {
            None => (None, None, rest),
            Some(0) => return Err(UriError::User),
            Some(at) => {
                let info = &rest[..at];
                let (user, password) = match short_find(info.as_bytes(), b':') {
                    Some(0) => return Err(UriError::User),
                    Some(colon) => (&info[..colon], Some(&info[colon + 1..])),
                    None => (info, None),
                };
                (Some(user), password, &rest[at + 1..])
            }
        };
        let (after, headers) = match memchr::memchr(b'?', after.as_bytes()) {
            Some(at) => (&after[..at], Some(&after[at + 1..])),
            None => (after, None),
        };
        let (host, port, end) = Host::read(after)?;
        // RFC 3261 allows `[ ] / : & + $` in names too; nobody uses them. Without white space and quotes, which are
        // not in a URI, the grammar of header parameters is that of URI parameters.
        let params = Params::parse(&after[end..]).ok_or(UriError::Params)?;
        if headers.is_some_and(|headers| !valid_headers(headers)) {
            return Err(UriError::Headers);
        }
        Ok(Self {
            text,
            secure,
            user,
            password,
            host,
            port,
            params,
            headers,
        })
    }

    /// The text as written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Whether the scheme is `sips`.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The user part as written, with its escapes and with telephone parameters such as `;phone-context=`.
    #[must_use]
    pub const fn user(&self) -> Option<&'a str> {
        self.user
    }

    /// The password of the user part. RFC 3261 19.1.1 advises against it.
    #[must_use]
    pub const fn password(&self) -> Option<&'a str> {
        self.password
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port, if one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The value of a parameter with escapes taken out; its name may be escaped as well (RFC 3261 19.1.2). A flag has the
    /// empty value. `None` also when the value is not UTF-8.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.params
            .iter()
            .find(|param| {
                param.name.eq_ignore_ascii_case(name)
                    || (param.name.contains('%')
                        && unescape(param.name)
                            .is_some_and(|plain| plain.eq_ignore_ascii_case(name)))
            })
            .and_then(|param| unescape(param.value.unwrap_or("")))
    }

    /// What follows `?`.
    #[must_use]
    pub const fn headers(&self) -> Option<&'a str> {
        self.headers
    }

    /// The `name=value` pairs after `?`, still escaped.
    pub fn header_pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.headers
            .unwrap_or("")
            .split('&')
            .filter_map(|pair| pair.split_once('='))
    }

    /// The `transport` parameter, if it is one of ours.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.params.get("transport")?.parse().ok()
    }

    /// Whether the flag `gruu` is set (\[MS-SIPRE\] 2.2.3).
    #[must_use]
    pub fn is_gruu(&self) -> bool {
        self.params.has("gruu")
    }

    /// The `opaque` parameter (\[MS-SIPRE\] 2.2.2).
    #[must_use]
    pub fn opaque(&self) -> Option<&'a str> {
        self.params.get("opaque")
    }

    /// Whether the flag `lr` is set (RFC 3261 19.1.1).
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The address of record: user and host without anything else. `None` when there is no user part.
    #[must_use]
    pub fn aor(&self) -> Option<Aor> {
        Some(Aor::from_parts(self.user?, self.host))
    }
}

impl fmt::Display for SipUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

fn valid_headers(text: &str) -> bool {
    text.split('&').all(|pair| {
        pair.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty())
    })
}
