//! The parameters of a value, read as generously as real peers make necessary.
//!
//! What the grammar allows is read as the grammar says. Beyond it: empty parameters (clients end a value with a semicolon), unquoted
//! values with any character but the semicolon, quotes inside quotes that are not escaped, a last quote that is missing.

use std::borrow::Cow;

use memchr::{memchr2, memchr3};
use ocs_sip_core::syntax::{is_token, parse_u32, trim, unquote};

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; compared without case.
    pub name: &'a str,
    /// The value as written, with its quotes; `None` for a flag.
    pub raw: Option<&'a str>,
}

impl<'a> Param<'a> {
    /// The value without quotes and escapes, a fold as one space. A flag has the empty value.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        let Some(raw) = self.raw else {
            return Cow::Borrowed("");
        };
        let text = if raw.len() > 1 && raw.ends_with('"') {
            unquote(raw)
        } else {
            // The last quote may be missing.
            Cow::Borrowed(raw.strip_prefix('"').unwrap_or(raw))
        };
        if memchr2(b'\r', b'\n', text.as_bytes()).is_none() {
            return text;
        }
        let lines = text.split(['\r', '\n']).map(trim);
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        Cow::Owned(lines.join(" "))
    }
}

/// Iterator over the parameters of one value, in order. Those whose name is not a token are passed over.
#[derive(Debug, Clone)]
pub struct Params<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Params<'a> {
    /// `text` begins after the number; `at` is the number's end.
    pub(crate) const fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// What follows the comma after this value, if one does.
    pub(crate) fn after_value(mut self) -> Option<&'a str> {
        while self.next_raw().is_some() {}
        self.text.get(self.at + 1..).filter(|rest| !rest.is_empty())
    }

    /// The next parameter, whatever its name.
    fn next_raw(&mut self) -> Option<Param<'a>> {
        let text = self.text;
        let bytes = text.as_bytes();
        // Nothing but semicolons and white space stands between parameters. Whatever else does is the name of one.
        while let Some(b';' | b' ' | b'\t' | b'\r' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        let start = self.at;
        if start == bytes.len() || starts_value(text, start) {
            return None;
        }
        let name_end = find_end(text, start, true);
        let name = trim(&text[start..name_end]);
        self.at = name_end;
        if bytes.get(name_end) != Some(&b'=') {
            return Some(Param { name, raw: None });
        }
        let mut value = name_end + 1;
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(value) {
            value += 1;
        }
        self.at = if bytes.get(value) == Some(&b'"') {
            closing_quote(text, value)
        } else {
            find_end(text, value, false)
        };
        let raw = Some(trim(&text[value..self.at]));
        Some(Param { name, raw })
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        loop {
            let param = self.next_raw()?;
            if is_token(param.name) {
                return Some(param);
            }
        }
    }
}

/// Where the text without quotes ends that begins at `at`: a semicolon, the equals sign of a name, a comma before another value.
fn find_end(text: &str, mut at: usize, name: bool) -> usize {
    let bytes = text.as_bytes();
    let equals = if name { b'=' } else { b';' };
    while let Some(found) = memchr3(b';', equals, b',', &bytes[at..]) {
        at += found;
        if bytes[at] != b',' || starts_value(text, at) {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Where the quoted value that opens at `at` ends. A quote closes it only if the parameter ends there, because peers write texts
/// of others with the quotes that were in them.
fn closing_quote(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'\\' {
            at += 2;
            continue;
        }
        at += 1;
        let after = at + white_len(&bytes[at..]);
        if matches!(bytes.get(after), None | Some(b';')) || starts_value(text, after) {
            return at;
        }
    }
    bytes.len()
}

/// Whether the comma of a list stands at `at`: one that a number and the end of a parameter follow. The grammar knows no list; a proxy that
/// joins lines makes one.
fn starts_value(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b',') {
        return false;
    }
    let start = at + 1 + white_len(&bytes[at + 1..]);
    let digits = bytes[start..]
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == b'.');
    let end = start + digits.count();
    let after = end + white_len(&bytes[end..]);
    matches!(bytes.get(after), None | Some(b';' | b',')) && read_id(&text[start..end]).is_some()
}

/// The number with which a value begins, and the sub-codes after its first dot.
pub(crate) fn read_id(text: &str) -> Option<(u32, &str)> {
    let text = trim(text);
    let (id, sub_codes) = text.split_once('.').unwrap_or((text, ""));
    Some((parse_u32(id)?, sub_codes))
}

fn white_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n'))
        .count()
}
