//! Names, and the namespaces that XML itself has.

/// The namespace of `xml:lang` and its like.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of `delimiter`, `end` and `extension`, which part the versions of a schema (\[MS-PRES\], common types).
pub const COMMON_TYPES: &str = "http://schemas.microsoft.com/2006/09/sip/commontypes";

/// Prefix and local name; `None` when either is no name. Characters above ASCII all pass: which of them a name may have differs between
/// the editions of XML.
pub(crate) fn split(qualified: &str) -> Option<(&str, &str)> {
    let mut colon = None;
    let mut at_start = true;
    for (at, byte) in qualified.bytes().enumerate() {
        at_start = match (CLASSES[byte as usize], at_start) {
            (Class::Start, _) | (Class::Inner, false) => false,
            (Class::Colon, false) if colon.is_none() => {
                colon = Some(at);
                true
            }
            _ => return None,
        };
    }
    match colon {
        _ if at_start => None,
        Some(at) => Some((&qualified[..at], &qualified[at + 1..])),
        None => Some(("", qualified)),
    }
}

/// What an octet can be in a name.
#[derive(Clone, Copy)]
enum Class {
    /// Nothing.
    Other,
    /// The first one, or any.
    Start,
    /// Any but the first one.
    Inner,
    /// What parts prefix and name.
    Colon,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => Class::Start,
            b'0'..=b'9' | b'-' | b'.' => Class::Inner,
            b':' => Class::Colon,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        assert_eq!(split("a"), Some(("", "a")));
        assert_eq!(split("p:a-1.b"), Some(("p", "a-1.b")));
        for bad in ["", ":a", "a:", "a:b:c", "1a", "-a", "a b", "a\"", "p:1"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
