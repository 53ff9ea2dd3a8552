//! Username and password: binary, in documents as base64.

use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use ocs_xml::Value;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Characters of `max64kCharStringType` (\[MS-AVEDGEA\] 2.2.4.9, bound by its name).
pub(crate) const MAX_64K: usize = 65_536;

/// Padding is written, and not asked for.
const CONFIG: GeneralPurposeConfig = PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);

/// The username of a relay: binary, opaque to whoever uses it, and no secret: it goes in clear over the wire of \[MS-TURN\].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(Box<[u8]>);

impl Username {
    /// The octets, as \[MS-TURN\] carries them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets, for an owner.
    #[must_use]
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0
    }
}

impl<T: Into<Box<[u8]>>> From<T> for Username {
    fn from(octets: T) -> Self {
        Self(octets.into())
    }
}

/// Base64, as in documents.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({})", BASE64.encode(&self.0))
    }
}

impl Value for Username {
    fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self::from)
    }

    fn format(&self, out: &mut String) {
        BASE64.encode_string(&self.0, out);
    }
}

/// The password that goes with a [`Username`]: binary. It does not show in `Debug`, is wiped on drop and compared in constant time.
///
/// In a document it is in clear: what protects it on the way is the connection.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(Box<[u8]>);

impl Password {
    /// The octets, from which \[MS-TURN\] makes its key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Box<[u8]>>> From<T> for Password {
    fn from(octets: T) -> Self {
        Self(octets.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Password {}

impl Hash for Password {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Value for Password {
    fn parse(text: &str) -> Option<Self> {
        // A Vec that becomes a Box may move, and would leave its octets behind.
        let octets = Zeroizing::new(decode(text)?);
        Some(Self::from(octets.as_slice()))
    }

    fn format(&self, out: &mut String) {
        BASE64.encode_string(&self.0, out);
    }
}

/// Reads base64 with white space anywhere.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    if text.is_empty() || text.len() > MAX_64K {
        return None;
    }
    if text.bytes().any(|c| c.is_ascii_whitespace()) {
        let mut packed = Zeroizing::new(String::with_capacity(text.len()));
        packed.extend(text.split_ascii_whitespace());
        return BASE64.decode(packed.as_bytes()).ok();
    }
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_peers_write_it() {
        for text in ["AQID", " AQ\r\n ID\t", "AQ ID"] {
            assert_eq!(Username::parse(text).unwrap().as_bytes(), [1, 2, 3]);
        }
        for text in ["AQI=", "AQI"] {
            assert_eq!(Password::parse(text).unwrap().as_bytes(), [1, 2]);
        }
        for text in ["", "  ", "AQ-_", "A", "AQI==", "\u{e9}AQI"] {
            assert_eq!(Username::parse(text), None, "{text:?}");
        }
        assert!(Username::parse(&"AAAA".repeat(MAX_64K / 4)).is_some());
        assert!(Username::parse(&"AAAA".repeat(MAX_64K / 4 + 1)).is_none());
    }

    #[test]
    fn a_password_does_not_show() {
        let password = Password::from([1, 2, 3]);
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert_eq!(password, Password::from(vec![1, 2, 3]));
        assert_ne!(password, Password::from(vec![1, 2, 4]));
        assert_ne!(password, Password::from(vec![1, 2]));
        assert_eq!(format!("{:?}", Username::from([1, 2, 3])), "Username(AQID)");
    }
}
