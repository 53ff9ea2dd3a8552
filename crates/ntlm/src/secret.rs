//! Hashes and keys: opaque to `Debug`, wiped when dropped, compared in
//! constant time.

use crate::crypto::{des, hmac_md5, md4};
use crate::text::{upper_utf16le, utf16le, utf16le_secret};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes the value as 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The value as bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}
    )*};
}

secret! {
    /// `NTOWFv1`: the NT hash of a password, MD4 of it in UTF-16LE
    /// ([MS-NLMP] 3.3.1). As good as the password itself.
    NtHash;
    /// `LMOWFv1`: the LM hash of a password ([MS-NLMP] 3.3.1).
    LmHash;
    /// `NTOWFv2` and `LMOWFv2`: NT hash, user and domain together
    /// ([MS-NLMP] 3.3.2).
    NtlmV2Hash;
    /// `SessionBaseKey`: what user authentication leaves behind, and what a
    /// domain controller returns ([MS-NLMP] 3.3).
    SessionBaseKey;
    /// `KeyExchangeKey` ([MS-NLMP] 3.4.5.1).
    KeyExchangeKey;
    /// `ExportedSessionKey`: the key of which all signing and sealing keys are
    /// made ([MS-NLMP] 3.1.1.1).
    ExportedSessionKey;
}

impl NtHash {
    /// `NTOWFv1(password)`.
    ///
    /// ```
    /// use ocs_ntlm::NtHash;
    /// let hash = NtHash::from_password("Password");
    /// assert_eq!(hash.as_bytes()[..4], [0xa4, 0xf4, 0x9c, 0x40]);
    /// ```
    pub fn from_password(password: &str) -> Self {
        Self(md4(&utf16le_secret(password)))
    }

    /// `NTOWFv2`, which is `LMOWFv2` too. `user` is upper-cased here, `domain`
    /// counts as it is.
    pub fn v2(&self, user: &str, domain: &str) -> NtlmV2Hash {
        NtlmV2Hash(hmac_md5(&self.0, &[&upper_utf16le(user), &utf16le(domain)]))
    }
}

impl LmHash {
    /// `LMOWFv1(password)`, [MS-NLMP] 3.3.1.
    ///
    /// `None` where there is none: for passwords of more than 14 characters
    /// and, since the OEM code page is not known here, for those with
    /// characters beyond ASCII.
    pub fn from_password(password: &str) -> Option<Self> {
        if password.len() > 14 || !password.is_ascii() {
            return None;
        }
        let mut key = Zeroizing::new([0u8; 14]);
        key[..password.len()].copy_from_slice(password.as_bytes());
        key.make_ascii_uppercase();
        let mut hash = [0; 16];
        for (half, out) in key
            .as_chunks::<7>()
            .0
            .iter()
            .zip(hash.as_chunks_mut::<8>().0)
        {
            *out = des(*half, *b"KGS!@#$%");
        }
        Some(Self(hash))
    }
}

/// What a user proves to have: the NT hash of the password and, only where
/// NTLMv1 with LM is to work, the LM hash.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The NT hash.
    pub nt: NtHash,
    /// The LM hash. Used only with NTLMv1 and only where the configuration
    /// allows LM.
    pub lm: Option<LmHash>,
}

impl Credential {
    /// Both hashes of `password`.
    pub fn from_password(password: &str) -> Self {
        Self {
            nt: NtHash::from_password(password),
            lm: LmHash::from_password(password),
        }
    }
}

impl From<NtHash> for Credential {
    fn from(nt: NtHash) -> Self {
        Self { nt, lm: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lm_hash_exists_only_for_short_ascii_passwords() {
        assert!(LmHash::from_password("fourteen chars").is_some());
        assert!(LmHash::from_password("fifteen chars!!").is_none());
        assert!(LmHash::from_password("pässword").is_none());
        assert_eq!(
            LmHash::from_password("password"),
            LmHash::from_password("PASSWORD")
        );
    }

    #[test]
    fn debug_tells_nothing() {
        let credential = Credential::from_password("Password");
        assert_eq!(
            format!("{credential:?}"),
            "Credential { nt: NtHash(..), lm: Some(LmHash(..)) }"
        );
    }
}
