//! The credentials of \[MS-ICE2\].

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ocs_stun::Password;
use rand_core::Rng;
use smol_str::SmolStr;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Error;
use crate::candidate::is_ice_char;

/// `ice-ufrag` and `ice-pwd` of one side of a media stream (\[MS-ICE2\]).
#[derive(Debug, Clone)]
pub struct Credentials {
    ufrag: SmolStr,
    password: Password,
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.ufrag == other.ufrag && same_password(&self.password, &other.password)
    }
}

impl Eq for Credentials {}

/// Compares in constant time.
pub(crate) fn same_password(one: &Password, other: &Password) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl Credentials {
    /// Credentials of a description: 4 to 256 characters, and 22 to 256, all of `ALPHA / DIGIT / "+" / "/"`.
    ///
    /// # Errors
    /// [`Error::InvalidField`]
    pub fn new(ufrag: &str, password: &str) -> Result<Self, Error> {
        let check = |field, text: &str, shortest| {
            if (shortest..=256).contains(&text.len()) && text.bytes().all(is_ice_char) {
                Ok(())
            } else {
                Err(Error::InvalidField { field })
            }
        };
        check("ice-ufrag", ufrag, 4)?;
        check("ice-pwd", password, 22)?;
        Ok(Self {
            ufrag: SmolStr::new(ufrag),
            password: password.as_bytes().into(),
        })
    }

    /// New ones: 24 bits and 144 bits of randomness.
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut octets = Zeroizing::new([0; 21]);
        rng.fill_bytes(&mut *octets);
        let password = Zeroizing::new(STANDARD_NO_PAD.encode(&octets[3..]));
        Self {
            ufrag: SmolStr::new(STANDARD_NO_PAD.encode(&octets[..3])),
            password: password.as_bytes().into(),
        }
    }

    /// The user name fragment in a USERNAME, if it is of the grammar.
    pub(crate) fn read_ufrag(octets: &[u8]) -> Option<SmolStr> {
        let good = (4..=256).contains(&octets.len()) && octets.iter().all(|&c| is_ice_char(c));
        let text = core::str::from_utf8(octets).ok()?;
        good.then(|| SmolStr::new(text))
    }

    /// The user name fragment.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password.
    pub fn password(&self) -> &Password {
        &self.password
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    #[test]
    fn lengths_and_characters() {
        let pwd = "aB3dE5fG7hJ9kL1mN2pQ4rS6";
        assert!(Credentials::new("q7Fz", pwd).is_ok());
        assert!(Credentials::new("q7F", pwd).is_err());
        assert!(Credentials::new("q7F-", pwd).is_err());
        assert!(Credentials::new("q7Fz", &pwd[..21]).is_err());
        assert!(Credentials::new(&"u".repeat(257), pwd).is_err());
    }

    #[test]
    fn random_ones_are_of_the_grammar_and_do_not_show() {
        let made = Credentials::random(&mut ChaCha12Rng::seed_from_u64(1));
        let password = core::str::from_utf8(made.password().as_bytes()).unwrap();
        assert_eq!((made.ufrag().len(), password.len()), (4, 24));
        assert_eq!(Credentials::new(made.ufrag(), password).as_ref(), Ok(&made));
        assert!(!format!("{made:?}").contains(password));
    }
}
