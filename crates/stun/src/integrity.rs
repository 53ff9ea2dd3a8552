//! MESSAGE-INTEGRITY: keys, and the two computations ([MS-TURN] 2.2.2.3, [MS-ICE2], RFC 5389 15.4).

use core::fmt;
use core::mem::ManuallyDrop;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Block, Buffer, FixedOutputCore, UpdateCore};
use hmac::digest::{Output, OutputSizeUser};
use hmac::{EagerHash, KeyInit};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::HEADER_LEN;

/// Octets of a block of SHA-1 and of SHA-256.
const BLOCK_LEN: usize = 64;

/// The hash below HMAC; the length of the attribute's value tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC-SHA1, 20 octets.
    Sha1,
    /// HMAC-SHA256, 32 octets; between peers whose MS-Version is 3 or more.
    Sha256,
}

impl Algorithm {
    /// Octets of the attribute's value.
    #[must_use]
    pub const fn value_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(crate) const fn of_value_len(len: usize) -> Option<Self> {
        match len {
            20 => Some(Self::Sha1),
            32 => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// What text HMAC is computed over: always the message up to the attribute, but with a difference in the header and at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntegrityForm {
    /// The header as it is on the wire, whatever follows the attribute, and zero octets up to a multiple of 64.
    Draft,
    /// A Message Length that ends behind the attribute, and no zero octets (RFC 5389 15.4).
    Rfc5389,
}

/// How the key comes from a username, a realm and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyDerivation {
    /// HMAC-SHA1 under `MD5(username ":" realm ":" password)` (\[MS-TURN\] 3.1.11).
    Sha1,
    /// HMAC-SHA256 under `SHA-256(username ":" realm ":" password)` (inferred: the derivation for SHA-256 was not read).
    Sha256,
    /// HMAC-SHA256 under the MD5 key of [`Sha1`](Self::Sha1) (inferred: the other possible reading).
    Sha256OfMd5,
}

#[derive(Clone)]
enum State {
    Sha1(HmacCore<Sha1>),
    Sha256(HmacCore<Sha256>),
}

/// A key whose two first blocks of HMAC, the inner and the outer pad, are hashed already: 88 octets, no buffer.
///
/// Signing and checking hash the message only and allocate nothing. The state is wiped on drop and does not show in `Debug`.
#[derive(Clone)]
pub struct IntegrityKey(State);

impl IntegrityKey {
    /// The key itself, of any length: the decoded password in \[MS-ICE\], the text of `ice-pwd` in \[MS-ICE2\] (with
    /// [`Algorithm::Sha1`] both).
    #[must_use]
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Self {
        const ANY: &str = "HMAC takes keys of any length";
        Self(match algorithm {
            Algorithm::Sha1 => State::Sha1(HmacCore::new_from_slice(key).expect(ANY)),
            Algorithm::Sha256 => State::Sha256(HmacCore::new_from_slice(key).expect(ANY)),
        })
    }

    /// The key of \[MS-TURN\]. The realm is hashed without the double quotes around it, if it has them. `username` and `password`
    /// are the binary values.
    #[must_use]
    pub fn long_term(
        derivation: KeyDerivation,
        username: &[u8],
        realm: &[u8],
        password: &[u8],
    ) -> Self {
        Self::long_term_exact(derivation, username, unquoted(realm), password)
    }

    /// As [`long_term`](Self::long_term), with the realm as it is.
    #[must_use]
    pub fn long_term_exact(
        derivation: KeyDerivation,
        username: &[u8],
        realm: &[u8],
        password: &[u8],
    ) -> Self {
        let parts = [username, b":", realm, b":", password];
        match derivation {
            KeyDerivation::Sha1 => Self::new(Algorithm::Sha1, &*digest::<Md5, 16>(&parts)),
            KeyDerivation::Sha256 => Self::new(Algorithm::Sha256, &*digest::<Sha256, 32>(&parts)),
            KeyDerivation::Sha256OfMd5 => Self::new(Algorithm::Sha256, &*digest::<Md5, 16>(&parts)),
        }
    }

    /// The algorithm of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha1(_) => Algorithm::Sha1,
            State::Sha256(_) => Algorithm::Sha256,
        }
    }

    /// Appends the value over `text`, which is a message up to the attribute.
    pub(crate) fn sign(&self, form: IntegrityForm, text: &[u8], out: &mut [u8]) {
        match &self.0 {
            State::Sha1(core) => out.copy_from_slice(&mac(core, form, text)),
            State::Sha256(core) => out.copy_from_slice(&mac(core, form, text)),
        }
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, form: IntegrityForm, text: &[u8], value: &[u8]) -> bool {
        match &self.0 {
            State::Sha1(core) => equal(&mac(core, form, text), value),
            State::Sha256(core) => equal(&mac(core, form, text), value),
        }
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrityKey({:?}, ..)", self.algorithm())
    }
}

fn digest<D: Digest, const N: usize>(parts: &[&[u8]]) -> Zeroizing<[u8; N]>
where
    [u8; N]: From<Output<D>>,
{
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// HMAC over the message up to the attribute in one of the two forms. It works on whole blocks in place: only the first or the last one is
/// copied.
fn mac<D: EagerHash>(core: &HmacCore<D>, form: IntegrityForm, text: &[u8]) -> Output<HmacCore<D>> {
    let mut core = core.clone();
    // What goes through the buffer is the message and a hash of it, no secret: it is not wiped.
    let mut buffer = ManuallyDrop::new(Buffer::<HmacCore<D>>::default());
    match form {
        IntegrityForm::Draft => {
            let (blocks, rest) = Block::<HmacCore<D>>::slice_as_chunks(text);
            core.update_blocks(blocks);
            if !rest.is_empty() {
                let mut filled = Block::<HmacCore<D>>::default();
                filled[..rest.len()].copy_from_slice(rest);
                core.update_blocks(&[filled]);
            }
        }
        IntegrityForm::Rfc5389 => {
            let (first, rest) = text.split_at(text.len().min(BLOCK_LEN));
            let mut start = Block::<HmacCore<D>>::default();
            start[..first.len()].copy_from_slice(first);
            let attribute_len = 4 + HmacCore::<D>::output_size();
            let length = (text.len() - HEADER_LEN + attribute_len) as u16;
            start[2..4].copy_from_slice(&length.to_be_bytes());
            if first.len() == BLOCK_LEN {
                core.update_blocks(&[start]);
                buffer.digest_blocks(rest, |blocks| core.update_blocks(blocks));
            } else {
                buffer.digest_blocks(&start[..first.len()], |blocks| core.update_blocks(blocks));
            }
        }
    }
    let mut value = Output::<HmacCore<D>>::default();
    core.finalize_fixed_core(&mut buffer, &mut value);
    value
}

/// Compares two values of equal length in constant time, four octets at once.
fn equal(own: &[u8], received: &[u8]) -> bool {
    let (own, received) = (own.as_chunks().0, received.as_chunks().0);
    own.iter()
        .zip(received)
        .fold(Choice::from(1), |equal, (&own, &received)| {
            equal & u32::from_ne_bytes(own).ct_eq(&u32::from_ne_bytes(received))
        })
        .into()
}

/// A realm without the double quotes around it, as it goes into the key.
#[must_use]
pub fn unquoted(realm: &[u8]) -> &[u8] {
    realm
        .strip_prefix(b"\"")
        .and_then(|realm| realm.strip_suffix(b"\""))
        .unwrap_or(realm)
}

/// What libnice makes of each of username, realm and password before it derives the key: leading double quotes and trailing double quotes
/// and NULs are gone. About one pair of credentials in 50 is touched by that.
#[must_use]
pub fn trimmed(value: &[u8]) -> &[u8] {
    let start = value
        .iter()
        .position(|&octet| octet != b'"')
        .unwrap_or(value.len());
    let value = &value[start..];
    let end = value
        .iter()
        .rposition(|&octet| octet != b'"' && octet != 0)
        .map_or(0, |last| last + 1);
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_as_libnice_does() {
        assert_eq!(trimmed(b"\"\"a\"b\0\"\0"), b"a\"b");
        assert_eq!(trimmed(b"\0a"), b"\0a");
        assert_eq!(trimmed(b"\"\0"), b"");
        assert_eq!(unquoted(b"\"rtcmedia\""), b"rtcmedia");
        assert_eq!(unquoted(b"\""), b"\"");
    }

    #[test]
    fn a_key_is_small_and_says_nothing() {
        assert!(size_of::<IntegrityKey>() <= 88);
        let key = IntegrityKey::new(Algorithm::Sha1, b"secret");
        assert_eq!(format!("{key:?}"), "IntegrityKey(Sha1, ..)");
    }
}
