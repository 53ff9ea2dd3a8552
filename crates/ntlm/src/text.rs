//! Strings of the messages: UTF-16LE, or OEM where Unicode is not negotiated.

use crate::{Error, Field};
use zeroize::Zeroizing;

/// Decodes `bytes`; `None` where they are not such text.
///
/// The OEM code page of the peer is not known to anybody but the peer, so only
/// its common part, ASCII, is understood.
pub(crate) fn decode(bytes: &[u8], unicode: bool) -> Option<String> {
    if unicode {
        decode_utf16le(bytes)
    } else if bytes.is_ascii() {
        Some(bytes.iter().copied().map(char::from).collect())
    } else {
        None
    }
}

/// Decodes UTF-16LE; `None` for an odd length or unpaired surrogates.
pub(crate) fn decode_utf16le(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    char::decode_utf16(units.iter().map(|&unit| u16::from_le_bytes(unit)))
        .collect::<Result<_, _>>()
        .ok()
}

/// Encodes `text`, see [`decode`] for what OEM means here.
pub(crate) fn encode(text: &str, unicode: bool, field: Field) -> Result<Vec<u8>, Error> {
    if unicode {
        Ok(utf16le(text))
    } else if text.is_ascii() {
        Ok(text.as_bytes().to_vec())
    } else {
        Err(Error::Text { field })
    }
}

/// `UNICODE(string)`, [MS-NLMP] 6.
pub(crate) fn utf16le(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    out
}

/// [`utf16le`] for passwords: wiped after use, never reallocated.
pub(crate) fn utf16le_secret(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(utf16le(text))
}

/// `UpperCase(string)`, [MS-NLMP] 6, as UTF-16LE.
///
/// The upper-case table of Windows (recalled) maps single UTF-16 units to
/// single units and no letter beyond ASCII into ASCII: `ß` and letters outside
/// the basic plane stay, and so do `ı` and `ſ`.
pub(crate) fn upper_utf16le(text: &str) -> Vec<u8> {
    fn upper(c: char) -> char {
        if c.is_ascii() {
            return c.to_ascii_uppercase();
        }
        let mut mapped = c.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(u), None) if !u.is_ascii() && c.len_utf16() == 1 && u.len_utf16() == 1 => u,
            _ => c,
        }
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    for c in text.chars() {
        let mut units = [0; 2];
        for unit in upper(c).encode_utf16(&mut units) {
            out.extend_from_slice(&unit.to_le_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_is_simple_and_invariant() {
        for (text, upper) in [
            ("User", "USER"),
            ("jürgen", "JÜRGEN"),
            ("straße", "STRAßE"),
            ("дмитрий", "ДМИТРИЙ"),
            ("ıſ", "ıſ"),
            ("𐐨", "𐐨"),
        ] {
            assert_eq!(upper_utf16le(text), utf16le(upper), "{text}");
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        assert_eq!(decode(&[0x41], true), None);
        assert_eq!(decode(&[0x00, 0xd8], true), None);
        assert_eq!(decode(&[0xe9], false), None);
        assert_eq!(decode(b"PC", false).as_deref(), Some("PC"));
        assert_eq!(
            decode(&[0x3d, 0xd8, 0x00, 0xde], true).as_deref(),
            Some("😀")
        );
    }
}
