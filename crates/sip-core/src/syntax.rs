//! The lexical rules of RFC 3261 25.1 that every header shares.

const TOKEN: u8 = 1;
const WHITE: u8 = 2;
/// What ends an unquoted parameter value.
const VALUE_END: u8 = 4;
/// What cannot stand in a URI between brackets.
const NOT_URI: u8 = 8;
const HOST: u8 = 16;

/// Classes of ASCII octets.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 128 {
        let c = i as u8;
        if c.is_ascii_alphanumeric()
            || matches!(
                c,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            )
        {
            table[i] |= TOKEN;
        }
        if matches!(c, b' ' | b'\t' | b'\r' | b'\n') {
            table[i] |= WHITE;
        }
        if matches!(c, b';' | b',' | b'"' | b'<' | b'>' | b' ' | b'\t') {
            table[i] |= VALUE_END;
        }
        if c <= b' ' || matches!(c, b'<' | b'>' | b'"' | 0x7F) {
            table[i] |= NOT_URI;
        }
        // Names are letters, digits, dots and hyphens; underscores occur in real host names.
        if c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_') {
            table[i] |= HOST;
        }
        i += 1;
    }
    table
};

/// Whether the octet may stand in a `token`.
#[must_use]
#[inline]
pub fn is_token_char(c: u8) -> bool {
    CLASS[usize::from(c)] & TOKEN != 0
}

/// Whether the text is a non-empty `token`.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_char)
}

#[inline]
pub(crate) fn is_white(c: u8) -> bool {
    CLASS[usize::from(c)] & WHITE != 0
}

/// Length of the unquoted parameter value at the start of `text`.
#[inline]
pub(crate) fn value_len(text: &str) -> usize {
    text.bytes()
        .position(|c| CLASS[usize::from(c)] & VALUE_END != 0)
        .unwrap_or(text.len())
}

/// Whether white space, a control character, a bracket or a quote stands in `text`.
#[inline]
pub(crate) fn has_uri_delimiter(text: &str) -> bool {
    // Without an early end: nearly every text has none, and a branch for each octet costs more.
    let found = text
        .bytes()
        .fold(0, |found, c| found | CLASS[usize::from(c)]);
    found & NOT_URI != 0
}

/// Whether the text is a non-empty host name or IPv4 address.
#[inline]
pub(crate) fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| CLASS[usize::from(c)] & HOST != 0)
}

/// Takes LWS off both ends. A header value holds CR and LF only where a line was folded.
#[must_use]
#[inline]
pub fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let (mut start, mut end) = (0, bytes.len());
    while start < end && is_white(bytes[start]) {
        start += 1;
    }
    while start < end && is_white(bytes[end - 1]) {
        end -= 1;
    }
    &text[start..end]
}

/// Length of the token at the start of `text`.
#[inline]
pub(crate) fn token_len(text: &str) -> usize {
    text.bytes()
        .position(|c| !is_token_char(c))
        .unwrap_or(text.len())
}

/// The index after the closing quote of the `quoted-string` that opens at `text[0]`, or `None` if it never closes.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    debug_assert_eq!(bytes.first(), Some(&b'"'));
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2; // the escaped octet; a multi-byte character is stepped over by the next search
    }
}

/// Finds the first of `wanted` that stands outside quotes and angle brackets.
pub(crate) fn find_unquoted(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr3(wanted, b'"', b'<', &bytes[at..])?;
        match bytes[at] {
            b'"' => at += quoted_len(&text[at..])?,
            b'<' => at += memchr::memchr(b'>', &bytes[at..])? + 1,
            _ => return Some(at),
        }
    }
}

/// Splits a comma list; commas inside quotes and angle brackets do not count. Empty elements are left out.
///
/// What follows an unbalanced quote or bracket stays in one piece, for the typed parser to refuse.
#[must_use]
pub fn split_list(value: &str) -> ListItems<'_> {
    ListItems { rest: Some(value) }
}

/// Iterator over the elements of a comma list; see [`split_list`].
#[derive(Debug, Clone)]
pub struct ListItems<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for ListItems<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest?;
            let item = if let Some(at) = find_unquoted(rest, b',') {
                self.rest = Some(&rest[at + 1..]);
                &rest[..at]
            } else {
                self.rest = None;
                rest
            };
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
    }
}

/// Takes the quotes and the backslashes off a `quoted-string`; other text is returned as it is.
#[must_use]
pub fn unquote(text: &str) -> std::borrow::Cow<'_, str> {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return text.into();
    };
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or('\\')
        } else {
            c
        });
    }
    out.into()
}

/// Writes `text` as a `quoted-string`, escaping quotes and backslashes; line breaks become spaces.
pub fn quote_into(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\r' | '\n' | '\0' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Reads `1*DIGIT` that fits 32 bits.
#[must_use]
pub fn parse_u32(text: &str) -> Option<u32> {
    // The parser of the standard library takes a sign as well.
    if !text.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_outside_quotes_and_brackets() {
        let items: Vec<_> = split_list(r#" "a,b" <sip:x,y@z>;q=1 ,, b , "c\",d" "#).collect();
        assert_eq!(items, [r#""a,b" <sip:x,y@z>;q=1"#, "b", r#""c\",d""#]);
        assert_eq!(split_list("a \"b, c").collect::<Vec<_>>(), ["a \"b, c"]);
        assert_eq!(split_list("").count(), 0);
    }

    #[test]
    fn quoting_round_trips() {
        let mut out = String::new();
        quote_into("a\"b\\c é", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\c é\"");
        assert_eq!(unquote(&out), "a\"b\\c é");
        assert_eq!(quoted_len("\"ab\\\" c\"d"), Some(8));
        assert_eq!(quoted_len("\"ab\\"), None);
        assert_eq!(quoted_len("\"\\é\""), Some(5));
    }
}
