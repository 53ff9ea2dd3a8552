//! Names, and the namespaces that XML itself has.

/// The namespace of `xml:lang` and its like.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of `delimiter`, `end` and `extension`, which part the versions of a schema (\[MS-PRES\], common types).
pub const COMMON_TYPES: &str = "http://schemas.microsoft.com/2006/09/sip/commontypes";

/// A name as it stands in a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// Empty when there is none.
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
    /// Where the name ends.
    pub(crate) end: usize,
}

impl<'a> Name<'a> {
    /// The name at an offset; `None` when none begins there, or when prefix or local name are none. Characters above ASCII all pass: which
    /// of them a name may have differs between the editions of XML.
    #[inline]
    pub(crate) fn read(text: &'a str, start: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let (first, colon) = run(bytes, start)?;
        if !colon {
            return Some(Self {
                prefix: "",
                local: &text[start..first],
                end: first,
            });
        }
        let (end, colon) = run(bytes, first + 1)?;
        (!colon).then(|| Self {
            prefix: &text[start..first],
            local: &text[first + 1..end],
            end,
        })
    }
}

/// The end of what has no colon in it, and whether one follows.
#[inline]
fn run(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let class = |at: usize| bytes.get(at).map(|byte| CLASSES[usize::from(*byte)]);
    if class(start) != Some(START) {
        return None;
    }
    let mut at = start + 1;
    loop {
        match class(at) {
            Some(START | INNER) => at += 1,
            other => return Some((at, other == Some(COLON))),
        }
    }
}

/// May be the first octet of a name, or any.
const START: u8 = 0;
/// May be any octet of a name but the first.
const INNER: u8 = 1;
/// Parts prefix and name.
const COLON: u8 = 2;
/// Stands in no name.
const OTHER: u8 = 4;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => START,
            b'0'..=b'9' | b'-' | b'.' => INNER,
            b':' => COLON,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let read = |text| Name::read(text, 1).map(|name| (name.prefix, name.local, name.end));
        assert_eq!(read("<a"), Some(("", "a", 2)));
        assert_eq!(read("<a b"), Some(("", "a", 2)));
        assert_eq!(read("<a\""), Some(("", "a", 2)));
        assert_eq!(read("<\u{e4}>"), Some(("", "\u{e4}", 3)));
        assert_eq!(read("<p:a-1.b="), Some(("p", "a-1.b", 8)));
        for bad in [
            "<", "<:a", "<a:", "<a:b:c", "<1a", "<-a", "< a", "<\"", "<p:1",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
