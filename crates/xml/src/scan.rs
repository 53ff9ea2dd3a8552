//! The inside of a tag.

use crate::names::Name;

/// Goes over the attributes of a start tag, up to its end. They may come twice.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    text: &'a str,
    /// How far it has come.
    pub(crate) at: usize,
}

/// What stands in a tag behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Attribute {
        name: Name<'a>,
        /// As written.
        value: &'a str,
        /// There is a `&` in it.
        has_references: bool,
    },
    End {
        /// Of the element, too: `/>`.
        empty: bool,
    },
}

/// What is wrong in a tag, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Octets before it.
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl Malformed {
    const fn new(at: usize, what: &'static str) -> Self {
        Self { at, what }
    }

    const fn attribute(at: usize) -> Self {
        Self::new(at, "malformed attribute")
    }

    const fn unclosed(at: usize) -> Self {
        Self::new(at, "tag without end")
    }
}

/// White space: the other octets below are refused before anything is read.
pub(crate) const fn is_space(byte: u8) -> bool {
    byte <= b' '
}

impl<'a> Scan<'a> {
    /// `at` is where the name of the element ends.
    pub(crate) const fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Part<'a>, Malformed> {
        let bytes = self.text.as_bytes();
        let start = self.past_space(self.at);
        let empty = match bytes.get(start) {
            Some(b'>') => false,
            Some(b'/') if bytes.get(start + 1) == Some(&b'>') => true,
            Some(_) if start == self.at => {
                return Err(Malformed::new(
                    start,
                    "attributes without white space between them",
                ));
            }
            Some(_) => return self.attribute(start),
            None => return Err(Malformed::unclosed(start)),
        };
        self.at = start + 1 + usize::from(empty);
        Ok(Part::End { empty })
    }

    fn attribute(&mut self, start: usize) -> Result<Part<'a>, Malformed> {
        let bytes = self.text.as_bytes();
        let name = Name::read(self.text, start)
            .ok_or(Malformed::new(start, "bad name of an attribute"))?;
        let equals = self.past_space(name.end);
        if bytes.get(equals) != Some(&b'=') {
            return Err(Malformed::attribute(equals));
        }
        let open = self.past_space(equals + 1);
        let quote = match bytes.get(open) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(Malformed::attribute(open)),
        };
        let mut close = open + 1;
        let mut has_references = false;
        loop {
            let rest = &bytes[close..];
            let found = if has_references {
                memchr::memchr2(quote, b'<', rest)
            } else {
                memchr::memchr3(quote, b'<', b'&', rest)
            };
            close += found.ok_or(Malformed::unclosed(open))?;
            match bytes[close] {
                b'&' => has_references = true,
                b'<' => return Err(Malformed::new(close, "< in a tag")),
                _ => break,
            }
        }
        self.at = close + 1;
        Ok(Part::Attribute {
            name,
            value: &self.text[open + 1..close],
            has_references,
        })
    }

    /// Where the white space at `at` ends.
    fn past_space(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        while bytes.get(at).is_some_and(|byte| is_space(*byte)) {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a tag ends and whether its element is empty, or where something is wrong.
    type End = Result<(usize, bool), usize>;

    /// The attributes, and how it ends.
    fn scan(tag: &str) -> (Vec<(&str, &str)>, End) {
        let mut all = Vec::new();
        let mut scan = Scan::new(tag, 2);
        loop {
            match scan.next() {
                Ok(Part::Attribute { name, value, .. }) => all.push((name.local, value)),
                Ok(Part::End { empty }) => return (all, Ok((scan.at, empty))),
                Err(bad) => return (all, Err(bad.at)),
            }
        }
    }

    #[test]
    fn attributes_are_found() {
        assert_eq!(scan("<e>"), (vec![], Ok((3, false))));
        assert_eq!(scan("<e/>x"), (vec![], Ok((4, true))));
        assert_eq!(scan("<e \t\r\n/>"), (vec![], Ok((8, true))));
        let two = vec![("a", "1'>/"), ("b", "\"")];
        assert_eq!(
            scan("<e a=\"1'>/\" p:b='\"'>"),
            (two.clone(), Ok((20, false)))
        );
        assert_eq!(
            scan("<e\na\t= \r\n\"1'>/\"\np:b ='\"' >x"),
            (two, Ok((26, false)))
        );
        assert_eq!(scan("<e a=''/>"), (vec![("a", "")], Ok((9, true))));
    }

    #[test]
    fn references_are_seen() {
        for (tag, want) in [("<e a='b'>", false), ("<e a='b&c&d\"'>", true)] {
            let part = Scan::new(tag, 2).next();
            assert!(
                matches!(part, Ok(Part::Attribute { has_references, .. }) if has_references == want),
                "{tag}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_is() {
        let a = || vec![("a", "1")];
        assert_eq!(scan("<e"), (vec![], Err(2)));
        assert_eq!(scan("<e /"), (vec![], Err(3)));
        assert_eq!(scan("<e / >"), (vec![], Err(3)));
        assert_eq!(scan("<e a>"), (vec![], Err(4)));
        assert_eq!(scan("<e a b='1'>"), (vec![], Err(5)));
        assert_eq!(scan("<e a=>"), (vec![], Err(5)));
        assert_eq!(scan("<e a=1>"), (vec![], Err(5)));
        assert_eq!(scan("<e a='1>"), (vec![], Err(5)));
        assert_eq!(scan("<e a='&<'>"), (vec![], Err(7)));
        assert_eq!(scan("<e a='1'b='2'>"), (a(), Err(8)));
        assert_eq!(scan("<e a='1' =''>"), (a(), Err(9)));
        assert_eq!(scan("<e a='1' :b=''>"), (a(), Err(9)));
    }
}
