//! The attributes inside a tag.

/// Goes over the attributes of a tag: names and values as written. Names are not looked at, and may come twice.
pub(crate) struct Scan<'a> {
    inside: &'a str,
    at: usize,
}

/// White space: the other octets below are refused before anything is read.
const fn is_space(byte: u8) -> bool {
    byte <= b' '
}

/// What is wrong in a tag, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Octets before it.
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl<'a> Scan<'a> {
    /// `inside` is what stands between the angle brackets, `name` the length of the element's name.
    pub(crate) const fn new(inside: &'a str, name: usize) -> Self {
        Self { inside, at: name }
    }

    /// Octets of white space at `at`.
    fn space(&self, at: usize) -> usize {
        let rest = &self.inside.as_bytes()[at..];
        let other = rest.iter().position(|byte| !is_space(*byte));
        other.unwrap_or(rest.len())
    }

    fn read(&mut self, start: usize) -> Result<(&'a str, &'a str), Malformed> {
        let malformed = |at| Malformed {
            at,
            what: "malformed attribute",
        };
        let bytes = self.inside.as_bytes();
        let ends = |byte: &u8| *byte == b'=' || is_space(*byte);
        let length = bytes[start..].iter().position(ends);
        let end = start + length.ok_or(malformed(start))?;
        let equals = end + self.space(end);
        if bytes.get(equals) != Some(&b'=') {
            return Err(malformed(equals));
        }
        let open = equals + 1 + self.space(equals + 1);
        let quote = match bytes.get(open) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(malformed(open)),
        };
        let length = memchr::memchr(quote, &bytes[open + 1..]).ok_or(malformed(open))?;
        let close = open + 1 + length;
        self.at = close + 1;
        Ok((&self.inside[start..end], &self.inside[open + 1..close]))
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Result<(&'a str, &'a str), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let space = self.space(self.at);
        let start = self.at + space;
        if start == self.inside.len() {
            return None;
        }
        if space == 0 {
            return Some(Err(Malformed {
                at: start,
                what: "attributes without white space between them",
            }));
        }
        Some(self.read(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(inside: &str) -> Vec<Result<(&str, &str), usize>> {
        let mut all = Vec::new();
        for attribute in Scan::new(inside, 1) {
            let bad = attribute.is_err();
            all.push(attribute.map_err(|bad| bad.at));
            if bad {
                break;
            }
        }
        all
    }

    #[test]
    fn attributes_are_found() {
        assert_eq!(scan("e"), []);
        assert_eq!(scan("e \t\r\n"), []);
        let two = [Ok(("a", "1'>")), Ok(("p:b", "\""))];
        assert_eq!(scan("e a=\"1'>\" p:b='\"'"), two);
        assert_eq!(scan("e\na\t= \r\n\"1'>\"\np:b ='\"' "), two);
        assert_eq!(scan("e a=''"), [Ok(("a", ""))]);
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_is() {
        assert_eq!(scan("e a"), [Err(2)]);
        assert_eq!(scan("e a "), [Err(4)]);
        assert_eq!(scan("e a b='1'"), [Err(4)]);
        assert_eq!(scan("e a="), [Err(4)]);
        assert_eq!(scan("e a=1"), [Err(4)]);
        assert_eq!(scan("e a='1"), [Err(4)]);
        assert_eq!(scan("e a='1'b='2'"), [Ok(("a", "1")), Err(7)]);
        assert_eq!(scan("e a='1'="), [Ok(("a", "1")), Err(7)]);
    }
}
