//! The primitives of [MS-NLMP] 6 "Appendix A" with plain arrays at the edges.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit as _};
use hmac::{Hmac, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use rc4::{Rc4, StreamCipher as _};

pub(crate) type HmacMd5 = Hmac<Md5>;

pub(crate) fn md4(data: &[u8]) -> [u8; 16] {
    Md4::digest(data).into()
}

pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC-MD5 with its two key blocks already hashed: a clone per message saves
/// half of the compressions of a short message.
pub(crate) fn hmac_md5_state(key: &[u8; 16]) -> HmacMd5 {
    HmacMd5::new_from_slice(key).expect("HMAC takes keys of any length")
}

pub(crate) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = hmac_md5_state(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A fresh RC4 stream. Keys here are 8 or 16 bytes long.
pub(crate) fn rc4(key: &[u8]) -> Rc4 {
    Rc4::new_from_slice(key).expect("RC4 takes keys of 1 to 256 bytes")
}

/// `RC4K(K, D)`: encryption (and decryption) under a fresh key.
pub(crate) fn rc4k(key: &[u8; 16], data: &mut [u8]) {
    rc4(key).apply_keystream(data);
}

/// Spreads 7 bytes over 8, seven bits in the high end of each.
fn des_key(key: [u8; 7]) -> [u8; 8] {
    let bits = key.iter().fold(0u64, |acc, &b| (acc << 8) | u64::from(b));
    std::array::from_fn(|i| ((bits >> (49 - 7 * i)) as u8) << 1)
}

/// `DES(K, D)` with a 7-byte key.
pub(crate) fn des(key: [u8; 7], data: [u8; 8]) -> [u8; 8] {
    let mut block = data.into();
    Des::new(&des_key(key).into()).encrypt_block(&mut block);
    block.into()
}

/// `DESL(K, D)`, [MS-NLMP] 6: the 16-byte key in three pieces, the last of
/// them padded with zeros.
pub(crate) fn desl(key: &[u8; 16], data: [u8; 8]) -> [u8; 24] {
    let [
        k0,
        k1,
        k2,
        k3,
        k4,
        k5,
        k6,
        k7,
        k8,
        k9,
        ka,
        kb,
        kc,
        kd,
        ke,
        kf,
    ] = *key;
    let mut out = [0; 24];
    out[..8].copy_from_slice(&des([k0, k1, k2, k3, k4, k5, k6], data));
    out[8..16].copy_from_slice(&des([k7, k8, k9, ka, kb, kc, kd], data));
    out[16..].copy_from_slice(&des([ke, kf, 0, 0, 0, 0, 0], data));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        assert_eq!(
            hex::encode(md4(b"message digest")),
            "d9130a8164549fe818874806e1c7014b"
        );
        assert_eq!(
            hex::encode(hmac_md5(&[0x0b; 16], &[b"Hi ", b"There"])),
            "9294727a3638bb1c13f48ef8158bfc9d"
        );
        // The first half of the LM hash of an empty password.
        assert_eq!(hex::encode(des([0; 7], *b"KGS!@#$%")), "aad3b435b51404ee");
    }

    #[test]
    fn des_key_keeps_all_56_bits() {
        assert_eq!(des_key([0xff; 7]), [0xfe; 8]);
        assert_eq!(des_key([0x80, 0, 0, 0, 0, 0, 0x01])[0], 0x80);
        assert_eq!(des_key([0x80, 0, 0, 0, 0, 0, 0x01])[7], 0x02);
    }
}
