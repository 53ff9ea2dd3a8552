//! Key computation, [MS-NLMP] 3.4.5.

use crate::crypto::{des, hmac_md5, md5, rc4k};
use crate::{Error, ExportedSessionKey, KeyExchangeKey, LmHash, NegotiateFlags, NtlmVersion};
use crate::{Role, SessionBaseKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What the key exchange key is made of, [MS-NLMP] 3.4.5.1.
#[derive(Clone, Copy, Debug)]
pub struct KeyExchange<'a> {
    /// The flags both sides agreed to.
    pub flags: NegotiateFlags,
    /// Of which family the responses are.
    pub version: NtlmVersion,
    /// `LmChallengeResponse` as sent; counts with NTLMv1 only.
    pub lm_response: &'a [u8],
    /// `ServerChallenge`.
    pub server_challenge: [u8; 8],
    /// The LM hash; counts only with NTLMv1 and LM_KEY or
    /// REQUEST_NON_NT_SESSION_KEY.
    pub lm_hash: Option<&'a LmHash>,
}

impl KeyExchange<'_> {
    /// `KXKEY`. Fails with [`Error::LmHashUnknown`] where the flags ask for a
    /// key of the LM hash and there is none, with [`Error::Length`] where the
    /// LM response is too short for the key.
    pub fn key(&self, base: &SessionBaseKey) -> Result<KeyExchangeKey, Error> {
        let flags = self.flags;
        if self.version == NtlmVersion::V2 {
            return Ok(KeyExchangeKey::from_bytes(*base.as_bytes()));
        }
        let key = if flags.ess() {
            hmac_md5(
                base.as_bytes(),
                &[&self.server_challenge, &self.lm_start()?],
            )
        } else if flags.contains(NegotiateFlags::LM_KEY) {
            let hash = self.lm_hash.ok_or(Error::LmHashUnknown)?.as_bytes();
            let [k0, k1, k2, k3, k4, k5, k6, k7, ..] = *hash;
            let data = self.lm_start()?;
            let mut key = [0; 16];
            key[..8].copy_from_slice(&des([k0, k1, k2, k3, k4, k5, k6], data));
            let second = [k7, 0xBD, 0xBD, 0xBD, 0xBD, 0xBD, 0xBD];
            key[8..].copy_from_slice(&des(second, data));
            key
        } else if flags.contains(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY) {
            let hash = self.lm_hash.ok_or(Error::LmHashUnknown)?.as_bytes();
            let mut key = [0; 16];
            key[..8].copy_from_slice(&hash[..8]);
            key
        } else {
            *base.as_bytes()
        };
        Ok(KeyExchangeKey::from_bytes(key))
    }

    fn lm_start(&self) -> Result<[u8; 8], Error> {
        self.lm_response
            .first_chunk()
            .copied()
            .ok_or(Error::Length {
                field: crate::Field::LmChallengeResponse,
                len: self.lm_response.len(),
            })
    }
}

impl KeyExchangeKey {
    /// `RC4K(KeyExchangeKey, ExportedSessionKey)`: what the client sends as
    /// `EncryptedRandomSessionKey`.
    pub fn encrypt(&self, key: &ExportedSessionKey) -> [u8; 16] {
        let mut out = *key.as_bytes();
        rc4k(self.as_bytes(), &mut out);
        out
    }

    /// The reverse of [`encrypt`](Self::encrypt).
    pub fn decrypt(&self, encrypted_random_session_key: &[u8; 16]) -> ExportedSessionKey {
        let mut key = *encrypted_random_session_key;
        rc4k(self.as_bytes(), &mut key);
        ExportedSessionKey::from_bytes(key)
    }

    /// The exported key where no key is exchanged: this key itself.
    pub fn exported(&self) -> ExportedSessionKey {
        ExportedSessionKey::from_bytes(*self.as_bytes())
    }
}

/// Which sealing key a connectionless session without extended session
/// security uses.
///
/// [MS-NLMP] 3.4.5.3 weakens the key in connectionless mode when
/// `NTLMRevisionCurrent` is 0x0F or more; captured OCS 2007 traffic of just
/// that kind uses the whole key. With extended session security, or in
/// connection mode, both are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DatagramSealKey {
    /// All 16 bytes, as OCS 2007 does.
    #[default]
    Whole,
    /// 5 or 7 bytes, as the specification says.
    Weakened,
}

/// A sealing key, [MS-NLMP] 3.4.5.3: 8 or 16 bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey {
    bytes: [u8; 16],
    len: usize,
}

impl SealKey {
    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn weak(start: &[u8], end: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes[..start.len()].copy_from_slice(start);
        bytes[start.len()..8].copy_from_slice(end);
        Self { bytes, len: 8 }
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl ExportedSessionKey {
    /// `SIGNKEY`, [MS-NLMP] 3.4.5.2, for what `sender` sends. Counts only with
    /// extended session security.
    pub fn sign_key(&self, sender: Role) -> [u8; 16] {
        let magic: &[u8] = match sender {
            Role::Client => b"session key to client-to-server signing key magic constant\0",
            Role::Server => b"session key to server-to-client signing key magic constant\0",
        };
        md5(&[self.as_bytes(), magic])
    }

    /// `SEALKEY`, [MS-NLMP] 3.4.5.3, for what `sender` sends.
    pub fn seal_key(
        &self,
        sender: Role,
        flags: NegotiateFlags,
        datagram: DatagramSealKey,
    ) -> SealKey {
        let key = self.as_bytes();
        let has_56 = flags.contains(NegotiateFlags::NEGOTIATE_56);
        if flags.ess() {
            let base = if flags.contains(NegotiateFlags::NEGOTIATE_128) {
                &key[..]
            } else if has_56 {
                &key[..7]
            } else {
                &key[..5]
            };
            let magic: &[u8] = match sender {
                Role::Client => b"session key to client-to-server sealing key magic constant\0",
                Role::Server => b"session key to server-to-client sealing key magic constant\0",
            };
            let bytes = md5(&[base, magic]);
            return SealKey { bytes, len: 16 };
        }
        let weak_datagram =
            datagram == DatagramSealKey::Weakened && flags.contains(NegotiateFlags::DATAGRAM);
        if !weak_datagram && !flags.contains(NegotiateFlags::LM_KEY) {
            SealKey {
                bytes: *key,
                len: 16,
            }
        } else if has_56 {
            SealKey::weak(&key[..7], &[0xA0])
        } else {
            SealKey::weak(&key[..5], &[0xE5, 0x38, 0xB0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NegotiateFlags as F;

    #[test]
    fn sign_key_takes_the_nul_into_the_hash() {
        let key =
            ExportedSessionKey::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0]);
        assert_eq!(
            hex::encode(key.sign_key(Role::Client)),
            "f7f97a82ec390f9c903dac4f6aceb132"
        );
    }

    #[test]
    fn seal_key_without_ess() {
        let key = ExportedSessionKey::from_bytes([7; 16]);
        let seal = |flags, datagram| {
            let key = key.seal_key(Role::Client, flags, datagram);
            hex::encode(key.as_bytes())
        };
        let whole = "07".repeat(16);
        assert_eq!(seal(F::NONE, DatagramSealKey::Weakened), whole);
        assert_eq!(seal(F::DATAGRAM, DatagramSealKey::Whole), whole);
        assert_eq!(
            seal(F::DATAGRAM, DatagramSealKey::Weakened),
            "0707070707e538b0"
        );
        assert_eq!(seal(F::LM_KEY, DatagramSealKey::Whole), "0707070707e538b0");
        assert_eq!(
            seal(F::LM_KEY | F::NEGOTIATE_56, DatagramSealKey::Whole),
            "07070707070707a0"
        );
    }

    #[test]
    fn seal_key_with_ess_uses_as_much_of_the_key_as_negotiated() {
        let seal = |key: [u8; 16], flags| {
            let key = ExportedSessionKey::from_bytes(key);
            key.seal_key(
                Role::Server,
                F::EXTENDED_SESSIONSECURITY | flags,
                DatagramSealKey::Whole,
            )
            .as_bytes()
            .to_vec()
        };
        for (flags, used) in [
            (F::NEGOTIATE_128 | F::NEGOTIATE_56, 16),
            (F::NEGOTIATE_56, 7),
            (F::NONE, 5),
        ] {
            for changed in 0..16 {
                let mut key = [7; 16];
                key[changed] = 8;
                assert_eq!(seal(key, flags) != seal([7; 16], flags), changed < used);
            }
        }
    }
}
