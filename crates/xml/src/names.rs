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
#[inline]
pub(crate) fn split(qualified: &str) -> Option<(&str, &str)> {
    let bytes = qualified.as_bytes();
    let length = run(bytes)?;
    match bytes.get(length) {
        None => Some(("", qualified)),
        Some(b':') => {
            let name = &qualified[length + 1..];
            (run(name.as_bytes())? == name.len()).then_some((&qualified[..length], name))
        }
        Some(_) => None,
    }
}

/// How far a name without colon goes.
#[inline]
fn run(bytes: &[u8]) -> Option<usize> {
    let (first, others) = bytes.split_first()?;
    let is_inside = |byte: &u8| matches!(CLASSES[usize::from(*byte)], START | INNER);
    let others = others.iter().take_while(|byte| is_inside(byte)).count();
    (CLASSES[usize::from(*first)] == START).then_some(1 + others)
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
