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
    let bytes = qualified.as_bytes();
    // Most names have no prefix: one look at each octet, without branches.
    let all = bytes
        .iter()
        .fold(0, |all, byte| all | CLASSES[*byte as usize]);
    if all & (COLON | OTHER) == 0 {
        return is_start(bytes.first()).then_some(("", qualified));
    }
    let at = memchr::memchr(b':', bytes)?;
    let (prefix, name) = (&qualified[..at], &qualified[at + 1..]);
    let is_name = all & OTHER == 0
        && is_start(bytes.first())
        && is_start(bytes.get(at + 1))
        && memchr::memchr(b':', name.as_bytes()).is_none();
    is_name.then_some((prefix, name))
}

fn is_start(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| CLASSES[*byte as usize] == START)
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
    fn names_are_split() {
        assert_eq!(split("a"), Some(("", "a")));
        assert_eq!(split("p:a-1.b"), Some(("p", "a-1.b")));
        for bad in ["", ":a", "a:", "a:b:c", "1a", "-a", "a b", "a\"", "p:1"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
