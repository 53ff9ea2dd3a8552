//! `;name=value` lists of headers and URIs.

use std::borrow::Cow;

use crate::syntax::{NOT_TOKEN, quoted_len, trim, unquote, until, value_end, white_len};

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; compared without case.
    pub name: &'a str,
    /// The value as written, with its quotes; `None` for a flag.
    pub value: Option<&'a str>,
}

/// The parameters of a header value: `*( SEMI generic-param )` (RFC 3261 25.1).
///
/// The text was checked when it was made; reading it needs no memory and cannot fail. Values may hold more than the RFC's
/// `token / host / quoted-string`, because real ones do (route signatures with `/` and `=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Params<'a> {
    text: &'a str,
}

impl<'a> Params<'a> {
    /// Checks `text`: empty, or parameters that each start with a semicolon.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = trim(text);
        let mut at = 0;
        while at < text.len() {
            at = Place::read(text, at)?.next;
        }
        Some(Self { text })
    }

    /// The text as written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let text = self.text;
        let mut at = 0;
        std::iter::from_fn(move || {
            let place = Place::read(text, at)?;
            at = place.next;
            Some(place.param(text))
        })
    }

    /// The value of the first parameter of this name, quotes and all. A flag has the empty value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let mut at = 0;
        loop {
            let place = Place::read(self.text, at)?;
            // The length alone tells most apart.
            if place.name_end - place.name == name.len() {
                let param = place.param(self.text);
                if param.name.eq_ignore_ascii_case(name) {
                    return Some(param.value.unwrap_or(""));
                }
            }
            at = place.next;
        }
    }

    /// The value without quotes and escapes.
    #[must_use]
    pub fn get_unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unquote)
    }

    /// Whether a parameter of this name is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Where the parts of one parameter stand.
struct Place {
    name: usize,
    name_end: usize,
    /// `None` for a flag.
    value: Option<(usize, usize)>,
    /// Where the next parameter starts, or the text ends.
    next: usize,
}

impl Place {
    /// Reads `; name [= value]` at `start`, which may have white space around every part.
    #[inline]
    fn read(text: &str, start: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.get(start) != Some(&b';') {
            return None;
        }
        let name = skip_white(bytes, start + 1);
        let name_end = until(bytes, name, NOT_TOKEN);
        if name == name_end {
            return None;
        }
        let mut next = skip_white(bytes, name_end);
        let mut value = None;
        if bytes.get(next) == Some(&b'=') {
            let start = skip_white(bytes, next + 1);
            let end = if bytes.get(start) == Some(&b'"') {
                start + quoted_len(&text[start..])?
            } else {
                value_end(bytes, start)
            };
            value = Some((start, end));
            next = skip_white(bytes, end);
        }
        matches!(bytes.get(next), None | Some(b';')).then_some(Self {
            name,
            name_end,
            value,
            next,
        })
    }

    #[inline]
    fn param<'a>(&self, text: &'a str) -> Param<'a> {
        Param {
            name: &text[self.name..self.name_end],
            value: self.value.map(|(start, end)| &text[start..end]),
        }
    }
}

#[inline]
fn skip_white(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        // Most parameters have no space.
        Some(&c) if c <= b' ' => at + white_len(&bytes[at..]),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_flags_values_and_quotes() {
        let text = r#";lr; Tag = abc;+sip.instance="<urn:uuid:1;2>" ;x=a/b="#;
        let params = Params::parse(text).unwrap();
        let all: Vec<_> = params.iter().map(|p| (p.name, p.value)).collect();
        assert_eq!(
            all,
            [
                ("lr", None),
                ("Tag", Some("abc")),
                ("+sip.instance", Some("\"<urn:uuid:1;2>\"")),
                ("x", Some("a/b=")),
            ]
        );
        assert_eq!(params.get("TAG"), Some("abc"));
        assert_eq!(
            params.get_unquoted("+SIP.instance").unwrap(),
            "<urn:uuid:1;2>"
        );
        assert!(params.has("lr") && !params.has("maddr"));
    }

    #[test]
    fn refuses_what_is_not_a_parameter_list() {
        for text in [
            ";",
            ";;",
            "a",
            ";a b",
            ";a=\"b",
            ";a=\"b\"c",
            ";a,b",
            ";=x",
            ";a=<b>",
        ] {
            assert_eq!(Params::parse(text), None, "{text}");
        }
    }
}
