//! The replacement of a rule.

use regex::bytes::Captures;

use super::PatternError;

/// A piece of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What a group matched, by its number in the compiled expression.
    Group(usize),
}

/// A replacement whose references are all resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translation(Vec<Piece>);

/// The groups of a pattern under the numbers and names that .NET gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Groups {
    /// At the index that .NET counts: the index in the compiled expression. The whole match is 0 in both.
    numbers: Vec<usize>,
    names: Vec<(String, usize)>,
}

impl Groups {
    /// The groups of an expression, with `hidden` ones before them that never match anything. .NET numbers groups with names behind those
    /// without.
    pub(super) fn new<'a>(hidden: usize, names: impl Iterator<Item = Option<&'a str>>) -> Self {
        let (named, plain): (Vec<_>, Vec<_>) =
            names.enumerate().partition(|(_, name)| name.is_some());
        let whole = std::iter::once(0);
        let hidden = std::iter::repeat_n(usize::MAX, hidden);
        let others = plain.iter().skip(1).chain(&named).map(|(at, _)| *at);
        let numbers = whole.chain(hidden).chain(others).collect();
        let names = named
            .iter()
            .filter_map(|(at, name)| Some(((*name)?.to_owned(), *at)))
            .collect();
        Self { numbers, names }
    }

    fn find(&self, reference: &str) -> Option<usize> {
        match reference.parse::<usize>() {
            Ok(number) => self.numbers.get(number).copied(),
            Err(_) => self
                .names
                .iter()
                .find_map(|(name, at)| (name == reference).then_some(*at)),
        }
    }
}

impl Translation {
    pub(super) fn parse(text: &str, groups: &Groups) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            push(&mut pieces, before);
            let bad = || PatternError::Reference(format!("${after}").chars().take(16).collect());
            let (reference, length) = match after.bytes().next() {
                Some(b'$') => {
                    push(&mut pieces, "$");
                    rest = &after[1..];
                    continue;
                }
                Some(b'&') => ("0", 1),
                Some(b'{') => {
                    let end = after.find('}').ok_or_else(bad)?;
                    (&after[1..end], end + 1)
                }
                Some(b'0'..=b'9') => {
                    // All digits belong to the number: `$10` is never group 1 and a nought.
                    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                    (&after[..digits], digits)
                }
                _ => return Err(bad()),
            };
            pieces.push(Piece::Group(groups.find(reference).ok_or_else(bad)?));
            rest = &after[length..];
        }
        push(&mut pieces, rest);
        Ok(Self(pieces))
    }

    /// Appends the replacement of one match. A group that took no part is empty.
    pub(super) fn expand(&self, captures: &Captures<'_>, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(at) => {
                    let octets = captures.get(*at).map_or(&b""[..], |found| found.as_bytes());
                    // Dialled strings are ASCII.
                    out.extend(octets.iter().map(|octet| char::from(*octet)));
                }
            }
        }
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(text);
    } else {
        pieces.push(Piece::Text(text.to_owned()));
    }
}
