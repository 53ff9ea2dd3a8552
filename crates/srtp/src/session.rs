//! The transform: session keys, the keystream of AES in counter mode, the tag (RFC 3711 4.1.1, 4.2.1, 4.3).

use core::mem::ManuallyDrop;

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit as _, StreamCipherCore};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use hmac::block_api::HmacCore;
use hmac::digest::Output;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{MasterKey, TAG_LEN};

/// Octets of the authentication key.
const AUTH_KEY_LEN: usize = 20;

/// The part of a session key set that a label is for. SRTCP's labels are the same plus 3.
#[derive(Clone, Copy)]
enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// Which of the two protocols a session key set is for: the first of its labels.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Srtp = 0,
    Srtcp = 3,
}

/// Adds the keystream that begins at `iv` to the octets. The lowest 16 bits of `iv`, zero, count the blocks.
#[inline]
fn apply_keystream(cipher: &Aes128Enc, iv: u128, octets: &mut [u8]) {
    CtrCore::<_, Ctr32BE>::inner_iv_init(cipher, &iv.to_be_bytes().into())
        .apply_keystream_partial(octets.into());
}

/// One output of the key derivation, with a key derivation rate of 0.
fn derive<const N: usize>(cipher: &Aes128Enc, master_salt: u128, label: u8) -> Zeroizing<[u8; N]> {
    let mut octets = Zeroizing::new([0; N]);
    let iv = Zeroizing::new((master_salt ^ u128::from(label) << 48) << 16);
    apply_keystream(cipher, *iv, &mut *octets);
    octets
}

/// The keys of SRTP or of SRTCP under one master key, ready for use: round keys, HMAC's two pads hashed. Wiped on drop.
pub(crate) struct Session {
    cipher: Aes128Enc,
    salt: Salt,
    mac: HmacCore<Sha1>,
}

/// The session salt, 16 bits up, where it stands in the counter.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Salt(u128);

impl Session {
    pub(crate) fn new(master: &MasterKey, protocol: Protocol) -> Self {
        let deriving = Aes128Enc::new(master.key().into());
        let master_salt = Zeroizing::new(master.salt());
        let label = |label| protocol as u8 + label as u8;
        let key = derive::<16>(&deriving, *master_salt, label(Label::Encryption));
        let auth = derive::<AUTH_KEY_LEN>(&deriving, *master_salt, label(Label::Authentication));
        let mut salt = derive::<16>(&deriving, *master_salt, label(Label::Salt));
        salt[14..].fill(0);
        Self {
            cipher: Aes128Enc::new((&*key).into()),
            salt: Salt(u128::from_be_bytes(*salt)),
            mac: HmacCore::new_from_slice(&*auth).expect("HMAC takes keys of any length"),
        }
    }

    /// Whether two sessions come from one master key: their salts do, and tell it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.salt.0.ct_eq(&other.salt.0).into()
    }

    /// Encrypts or decrypts what packet `index` of a source carries.
    #[inline]
    pub(crate) fn crypt(&self, ssrc: u32, index: u64, octets: &mut [u8]) {
        let iv = self.salt.0 ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16;
        apply_keystream(&self.cipher, iv, octets);
    }

    /// Begins a tag over octets of a packet.
    #[inline]
    pub(crate) fn tag(&self, octets: &[u8]) -> Tag {
        let mut tag = Tag {
            core: self.mac.clone(),
            buffer: ManuallyDrop::default(),
        };
        tag.update(octets);
        tag
    }
}

/// A tag over a packet, to which the rollover counter may come.
#[derive(Clone)]
pub(crate) struct Tag {
    core: HmacCore<Sha1>,
    /// What goes through it is the packet and a hash of it, no secret: it is not wiped.
    buffer: ManuallyDrop<Buffer<HmacCore<Sha1>>>,
}

impl Tag {
    #[inline]
    fn update(&mut self, octets: &[u8]) {
        let Self { core, buffer } = self;
        buffer.digest_blocks(octets, |blocks| core.update_blocks(blocks));
    }

    /// Appends the rollover counter, as SRTP has it at the end of what it authenticates.
    #[inline]
    pub(crate) fn with_roc(mut self, index: u64) -> Self {
        self.update(&((index >> 16) as u32).to_be_bytes());
        self
    }

    #[inline]
    pub(crate) fn finish(mut self) -> [u8; TAG_LEN] {
        let mut value = Output::<HmacCore<Sha1>>::default();
        self.core.finalize_fixed_core(&mut self.buffer, &mut value);
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&value[..TAG_LEN]);
        tag
    }

    /// Compares in constant time, all octets at once.
    #[inline]
    pub(crate) fn is(self, received: &[u8]) -> bool {
        let number = |tag: &[u8]| {
            let mut octets = [0; 16];
            octets[..TAG_LEN].copy_from_slice(tag);
            u128::from_ne_bytes(octets)
        };
        number(&self.finish()).ct_eq(&number(received)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets of a string of hex digits.
    fn hex<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 3711 B.2.
    #[test]
    fn keystream() {
        let cipher = Aes128Enc::new(&hex("2b7e151628aed2a6abf7158809cf4f3c").into());
        let counter = u128::from_be_bytes(hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"));
        let mut stream = vec![0; 16 * 0xff02];
        apply_keystream(&cipher, counter, &mut stream);
        assert_eq!(
            stream[..48],
            hex::<48>(concat!(
                "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab",
                "41e95b3bb0a2e8dd477901e4fca894c0"
            ))
        );
        assert_eq!(
            stream[16 * 0xfeff..],
            hex::<48>(concat!(
                "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae",
                "6a2cc3787889374fbeb4c81b17ba6c44"
            ))
        );
    }

    /// RFC 3711 B.3, and the labels of SRTCP.
    #[test]
    fn derivation() {
        let master = MasterKey::from(hex(concat!(
            "e1f97a0d3e018be0d64fa32c06de4139",
            "0ec675ad498afeebb6960b3aabe6"
        )));
        let cipher = Aes128Enc::new(master.key().into());
        let long = derive::<94>(&cipher, master.salt(), 1);
        assert_eq!(
            *long,
            hex(concat!(
                "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce",
                "e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25",
                "6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
            ))
        );
        for (label, output) in [
            (0, "c61e7a93744f39ee10734afe3ff7a087"),
            (1, "cebe321f6ff7716b6fd4ab49af256a15"),
            (2, "30cbbc08863d8c85d49db34a9ae1"),
            (3, "4c1aa45a81f73d61c800bbb00fbb1eaa"),
            (4, "8d54534feb49ae8e7993a6bd0b844fc3"),
            (5, "9581c7ad87b3e530bf3e4454a8b3"),
        ] {
            let derived = derive::<16>(&cipher, master.salt(), label);
            assert!(hex::encode(*derived).starts_with(output), "{label}");
        }
        let srtcp = Session::new(&master, Protocol::Srtcp);
        assert_eq!(srtcp.salt.0 >> 16, 0x9581_c7ad_87b3_e530_bf3e_4454_a8b3);
        let mut stream = [0; 16];
        srtcp.crypt(0, 0, &mut stream);
        let cipher = Aes128Enc::new(&hex("4c1aa45a81f73d61c800bbb00fbb1eaa").into());
        apply_keystream(&cipher, srtcp.salt.0, &mut stream);
        assert_eq!(stream, [0; 16]);
    }
}
