//! The secret half of credentials.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password: binary (the decoded value of \[MS-AVEDGEA\], a candidate's of \[MS-ICE\]) or text (`ice-pwd` of \[MS-ICE2\]).
///
/// It does not show in `Debug` and is wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(Box<[u8]>);

impl Password {
    /// The octets of the password.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
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
