//! `name-addr / addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Refer-To, Referred-By,
//! Reply-To, P-Asserted-Identity, P-Preferred-Identity and others.

use std::borrow::Cow;

use super::HeaderValue;
use crate::Error;
use crate::params::Params;
use crate::syntax::{is_plain_uri, is_token_char, is_white, parse_u32, quoted_len, trim, unquote};
use crate::uri::{Uri, UriError};

/// A URI with an optional display name and header parameters (RFC 3261 25.1).
///
/// ```
/// use ocs_sip_core::header::NameAddr;
///
/// let to = NameAddr::parse("\"recipient\"<sip:bob@contoso.com>;tag=7aee;epid=3102EB8BD1").unwrap();
/// assert_eq!(to.display_name().unwrap(), "recipient");
/// assert_eq!(to.uri_text(), "sip:bob@contoso.com");
/// assert_eq!(to.tag(), Some("7aee"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: Option<&'a str>,
    uri: &'a str,
    bracketed: bool,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Parses one value; [`HeaderValue::parse_value`] under another name.
    pub fn parse(value: &'a str) -> Result<Self, UriError> {
        Self::parse_value(trim(value)).ok_or(UriError::Character)
    }

    /// The display name without quotes and escapes.
    #[must_use]
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        self.display.map(unquote)
    }

    /// The text of the URI, exactly as it stands between the brackets.
    #[must_use]
    pub const fn uri_text(&self) -> &'a str {
        self.uri
    }

    /// Whether the URI stands in angle brackets.
    #[must_use]
    pub const fn is_bracketed(&self) -> bool {
        self.bracketed
    }

    /// The URI, parsed.
    #[inline]
    pub fn uri(&self) -> Result<Uri<'a>, Error> {
        Ok(Uri::parse(self.uri)?)
    }

    /// The header parameters: those outside the brackets.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The `tag` parameter of From and To.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag")
    }

    /// The `epid` parameter of From and To (\[MS-SIPRE\] 2.2.7).
    #[must_use]
    pub fn epid(&self) -> Option<&'a str> {
        self.params.get("epid").map(|epid| epid.trim_matches('"'))
    }

    /// The `+sip.instance` parameter of Contact, a URN without quotes and brackets (\[MS-SIPRE\] 2.2.5).
    #[must_use]
    pub fn instance(&self) -> Option<&'a str> {
        let value = self.params.get("+sip.instance")?.trim_matches('"');
        Some(
            value
                .strip_prefix('<')
                .and_then(|value| value.strip_suffix('>'))
                .unwrap_or(value),
        )
    }

    /// The `expires` parameter of Contact, in seconds.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        parse_u32(self.params.get("expires")?.trim_matches('"'))
    }

    /// The `gruu` parameter of a Contact in a 200 to REGISTER, a URI without quotes.
    #[must_use]
    pub fn gruu(&self) -> Option<Cow<'a, str>> {
        self.params
            .get_unquoted("gruu")
            .filter(|gruu| !gruu.is_empty())
    }

    /// The `q` parameter in thousandths, 0 to 1000 (RFC 3261 25.1 `qvalue`).
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        let text = self.params.get("q")?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !fraction.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
        match whole {
            "0" => Some(thousandths),
            "1" if thousandths == 0 => Some(1000),
            _ => None,
        }
    }
}

impl<'a> HeaderValue<'a> for NameAddr<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let bytes = value.as_bytes();
        if bytes.first() == Some(&b'"') {
            let len = quoted_len(value)?;
            let rest = trim(&value[len..]);
            let (uri, params) = bracketed(rest)?;
            return Some(Self {
                display: Some(&value[..len]),
                uri,
                bracketed: true,
                params,
            });
        }
        if let Some(open) = memchr::memchr(b'<', bytes) {
            let display = trim(&value[..open]);
            // *(token LWS); dots, commas and quotes in it need quoting. Letters beyond ASCII do occur unquoted.
            let valid = |c: u8| is_token_char(c) || is_white(c) || c >= 0x80;
            // A `;` before the bracket belongs to an addr-spec whose parameters hold a bracket: refused below as well.
            if !display.bytes().all(valid) {
                return None;
            }
            let (uri, params) = bracketed(&value[open..])?;
            return Some(Self {
                display: (!display.is_empty()).then_some(display),
                uri,
                bracketed: true,
                params,
            });
        }
        // addr-spec: what follows `;` are header parameters (RFC 3261 20.10); `?` and `,` would be ambiguous.
        let end = memchr::memchr(b';', bytes).unwrap_or(bytes.len());
        let uri = trim(&value[..end]);
        let forbidden = |c: u8| is_white(c) || matches!(c, b'?' | b',' | b'"' | b'>');
        if uri.is_empty() || uri.bytes().any(forbidden) {
            return None;
        }
        Some(Self {
            display: None,
            uri,
            bracketed: false,
            params: Params::parse(&value[end..])?,
        })
    }
}

/// `<uri> *(;param)`.
fn bracketed(text: &str) -> Option<(&str, Params<'_>)> {
    let inner = text.strip_prefix('<')?;
    let close = memchr::memchr(b'>', inner.as_bytes())?;
    let uri = &inner[..close];
    // Some servers of this family write a space before a URI parameter; a space at an end is an error (RFC 4475 3.1.2.14).
    let forbidden = |c: u8| matches!(c, b'<' | b'"' | b'\r' | b'\n');
    let refused = || uri.bytes().any(forbidden) || uri.starts_with(' ') || uri.ends_with(' ');
    if uri.is_empty() || (!is_plain_uri(uri) && refused()) {
        return None;
    }
    Some((uri, Params::parse(&inner[close + 1..])?))
}
