//! Names, and the namespaces that XML itself has.

/// The namespace of `xml:lang` and its like.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of `delimiter`, `end` and `extension`, which part the versions of a schema (\[MS-PRES\], common types).
pub const COMMON_TYPES: &str = "http://schemas.microsoft.com/2006/09/sip/commontypes";

/// Prefix and local name; `None` when either is no name.
pub(crate) fn split(qualified: &str) -> Option<(&str, &str)> {
    let (prefix, name) = match memchr::memchr(b':', qualified.as_bytes()) {
        Some(at) => (&qualified[..at], &qualified[at + 1..]),
        None => ("", qualified),
    };
    (is_name(name)
        && (prefix.is_empty() == (prefix.len() == qualified.len() - name.len()))
        && (prefix.is_empty() || is_name(prefix)))
    .then_some((prefix, name))
}

/// Whether this is a name without colon. Characters above ASCII all pass: which of them a name may have differs between the editions of
/// XML.
pub(crate) fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80;
    bytes.first().is_some_and(|byte| start(*byte))
        && bytes
            .iter()
            .all(|byte| start(*byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
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
