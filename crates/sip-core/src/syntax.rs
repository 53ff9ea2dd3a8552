//! The lexical rules of RFC 3261 25.1 that every header shares.

/// What cannot stand in a `token`.
pub(crate) const NOT_TOKEN: u8 = 1;
const WHITE: u8 = 2;
/// What ends an unquoted parameter value.
const VALUE_END: u8 = 4;
/// What cannot stand in a URI between brackets.
const NOT_URI: u8 = 8;
/// What cannot stand in a host name or IPv4 address.
pub(crate) const NOT_HOST: u8 = 16;

/// Classes of octets.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let c = i as u8;
        if !c.is_ascii_alphanumeric()
            && !matches!(
                c,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            )
        {
            table[i] |= NOT_TOKEN;
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
        if !c.is_ascii_alphanumeric() && !matches!(c, b'.' | b'-' | b'_') {
            table[i] |= NOT_HOST;
        }
        i += 1;
    }
    table
};

/// The index of the first octet of the classes `stop` from `at` on, or the length.
#[inline]
pub(crate) fn until(bytes: &[u8], mut at: usize, stop: u8) -> usize {
    let class = |c: u8| CLASS[usize::from(c)];
    // One branch for four octets.
    while let Some(&[a, b, c, d]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if (class(a) | class(b) | class(c) | class(d)) & stop != 0 {
            break;
        }
        at += 4;
    }
    while at < bytes.len() && class(bytes[at]) & stop == 0 {
        at += 1;
    }
    at
}

/// Where the unquoted parameter value at `at` ends. Signatures and identifiers are long: sixteen octets at a time.
#[inline]
pub(crate) fn value_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        // More than what ends a value; the table says it exactly.
        let ends = chunk.iter().fold(0, |ends, &c| {
            ends | u8::from(c <= b',') | u8::from(c.wrapping_sub(b';') < 4)
        });
        if ends != 0 {
            break;
        }
        at += 16;
    }
    until(bytes, at, VALUE_END)
}

/// Whether the octet may stand in a `token`.
#[must_use]
#[inline]
pub fn is_token_char(c: u8) -> bool {
    CLASS[usize::from(c)] & NOT_TOKEN == 0
}

/// Whether the text is a non-empty `token`.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && token_len(text) == text.len()
}

#[inline]
pub(crate) fn is_white(c: u8) -> bool {
    CLASS[usize::from(c)] & WHITE != 0
}

/// Whether white space, a control character, a bracket or a quote stands in `text`.
#[inline]
pub(crate) fn has_uri_delimiter(text: &str) -> bool {
    until(text.as_bytes(), 0, NOT_URI) < text.len()
}

/// Whether `text` surely holds nothing that [`has_uri_delimiter`] finds, and no `%`. Some texts that hold neither are not recognized: those
/// with `!`, `#` and `$`.
#[inline]
pub(crate) fn is_plain_uri(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk::<16>() else {
        return odd_octets(bytes) == 0;
    };
    // Sixteen at a time, the last of them overlapping what was seen.
    let (chunks, _) = bytes.as_chunks::<16>();
    chunks.iter().all(|chunk| odd_octets(chunk) == 0) && odd_octets(last) == 0
}

/// Not zero when there is any that is not plain.
#[inline]
fn odd_octets(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |odd, &c| {
        // `<` and `>` differ in bit 1.
        odd | u8::from(c <= b'%') | u8::from(c | 2 == b'>') | u8::from(c == 0x7F)
    })
}

/// Takes LWS off both ends. A header value holds CR and LF only where a line was folded.
#[must_use]
#[inline]
pub fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let start = white_len(bytes);
    &text[start..start + trim_end(&bytes[start..]).len()]
}

/// Length of the LWS at the start.
#[inline]
pub(crate) fn white_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    while len < bytes.len() && is_white(bytes[len]) {
        len += 1;
    }
    len
}

/// Takes LWS off the end.
#[inline]
pub(crate) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_white(*last)
    {
        bytes = rest;
    }
    bytes
}

/// The index of the first octet below a space. Inlined: lines are too short for a call to pay.
#[inline]
pub(crate) fn control_at(bytes: &[u8]) -> Option<usize> {
    const SPACES: u64 = 0x2020_2020_2020_2020;
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<16>() {
        // A number, because the compiler makes branches of truth values.
        if chunk.iter().fold(0, |found, &c| found | u8::from(c < b' ')) != 0 {
            let (low, high) = halves(*chunk);
            // The lowest bit that is set tells the truth; those above it may be set by a borrow.
            let below = |octets: u64| octets.wrapping_sub(SPACES) & !octets & TOPS;
            return Some(at + first_top(below(low), below(high)));
        }
        at += 16;
    }
    let tail = bytes[at..].iter().position(|&c| c < b' ')?;
    Some(at + tail)
}

/// The top bit of each octet.
const TOPS: u64 = 0x8080_8080_8080_8080;

#[inline]
fn halves(chunk: [u8; 16]) -> (u64, u64) {
    let chunk = u128::from_le_bytes(chunk);
    (chunk as u64, (chunk >> 64) as u64)
}

/// Index of the first of sixteen octets whose top bit is set.
#[inline]
fn first_top(low: u64, high: u64) -> usize {
    let bit = if low == 0 {
        64 + high.trailing_zeros()
    } else {
        low.trailing_zeros()
    };
    bit as usize / 8
}

/// The index of the first `wanted`, for what is expected near the start.
#[inline]
pub(crate) fn short_find(bytes: &[u8], wanted: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let all = ONES * u64::from(wanted);
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk() {
        let octets = u64::from_le_bytes(*chunk) ^ all;
        let zero = octets.wrapping_sub(ONES) & !octets & TOPS;
        if zero != 0 {
            return Some(at + zero.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let tail = bytes[at..].iter().position(|&c| c == wanted)?;
    Some(at + tail)
}

/// Length of the token at the start.
#[inline]
pub(crate) fn token_len(text: impl AsRef<[u8]>) -> usize {
    until(text.as_ref(), 0, NOT_TOKEN)
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
