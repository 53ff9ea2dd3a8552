//! `;name=value` lists of headers and URIs.

use std::borrow::Cow;

use crate::syntax::{is_token_char, quoted_len, token_len, trim, unquote, value_len};

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
        let mut rest = text;
        while !rest.is_empty() {
            (_, rest) = next_param(rest)?;
        }
        Some(Self { text })
    }

    /// Takes text that was checked by a stricter grammar.
    pub(crate) const fn checked(text: &'a str) -> Self {
        Self { text }
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
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (param, after) = next_param(rest)?;
            rest = after;
            Some(param)
        })
    }

    /// The value of the first parameter of this name, quotes and all. A flag has the empty value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
            .map(|param| param.value.unwrap_or(""))
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

/// Reads `; name [= value]` from the start of `text`, which may have white space around every part.
fn next_param(text: &str) -> Option<(Param<'_>, &str)> {
    let rest = trim_start(text.strip_prefix(';')?);
    let len = token_len(rest);
    if len == 0 {
        return None;
    }
    let (name, rest) = rest.split_at(len);
    let rest = trim_start(rest);
    let Some(after) = rest.strip_prefix('=') else {
        return ends_param(rest).then_some((Param { name, value: None }, rest));
    };
    let after = trim_start(after);
    let len = if after.starts_with('"') {
        quoted_len(after)?
    } else {
        value_len(after)
    };
    let (value, rest) = after.split_at(len);
    let rest = trim_start(rest);
    ends_param(rest).then_some((
        Param {
            name,
            value: Some(value),
        },
        rest,
    ))
}

fn ends_param(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(';')
}

#[inline]
fn trim_start(text: &str) -> &str {
    // Most parameters have no space: look before calling the general routine.
    match text.as_bytes().first() {
        Some(&c) if c == b'=' || c == b';' || is_token_char(c) => text,
        _ => text.trim_start_matches([' ', '\t', '\r', '\n']),
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
