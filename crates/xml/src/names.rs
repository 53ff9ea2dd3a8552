//! Names, and the namespaces that XML itself has.

/// The namespace of `xml:lang` and its like.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of `delimiter`, `end` and `extension`, which part the versions of a schema (\[MS-PRES\], common types).
pub const COMMON_TYPES: &str = "http://schemas.microsoft.com/2006/09/sip/commontypes";

/// What an octet may be in a name.
const START: u8 = 1;
const INSIDE: u8 = 2;
const COLON: u8 = 4;

/// Characters above ASCII all pass: which of them a name may have differs between the editions of XML.
const KIND: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' || c >= 0x80 {
            kinds[byte] = START | INSIDE;
        } else if c.is_ascii_digit() || c == b'-' || c == b'.' {
            kinds[byte] = INSIDE;
        } else if c == b':' {
            kinds[byte] = COLON;
        }
        byte += 1;
    }
    kinds
};

/// Prefix and local name; `None` when either is no name.
pub(crate) fn split(qualified: &str) -> Option<(&str, &str)> {
    let mut colon = None;
    let mut wanted = START;
    for (at, byte) in qualified.bytes().enumerate() {
        let kind = KIND[usize::from(byte)];
        if kind & wanted != 0 {
            wanted = INSIDE;
        } else if kind == COLON && wanted == INSIDE && colon.is_none() {
            colon = Some(at);
            wanted = START;
        } else {
            return None;
        }
    }
    (wanted == INSIDE).then(|| match colon {
        Some(at) => (&qualified[..at], &qualified[at + 1..]),
        None => ("", qualified),
    })
}

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
