//! What keys are made of: master key and salt, lifetime, MKI (\[MS-SDPEXT\] 3.1.5.1, RFC 4568 6.1).

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;

/// Octets of the master key.
const KEY_LEN: usize = 16;
/// Characters of master key and salt in base64.
const BASE64_LEN: usize = 40;

/// The master key of 128 bits and the master salt of 112, as one: `key || salt`.
///
/// It does not show in `Debug`, is wiped on drop and compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; MasterKey::LEN]);

impl MasterKey {
    /// Octets of key and salt.
    pub const LEN: usize = 30;

    /// A new key: one for each call and direction. Products use it on all media lines of an offer.
    #[must_use]
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut octets = Zeroizing::new([0; Self::LEN]);
        rng.fill_bytes(&mut *octets);
        Self(*octets)
    }

    /// The octets, as they stand in base64 behind `inline:`.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn key(&self) -> &[u8; KEY_LEN] {
        self.0.first_chunk().expect("30 octets begin with 16")
    }

    /// The salt, a number of 112 bits.
    pub(crate) fn salt(&self) -> u128 {
        self.0[KEY_LEN..]
            .iter()
            .fold(0, |salt, &octet| salt << 8 | u128::from(octet))
    }

    /// Reads the 40 characters of base64.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const ERROR: Error = Error::KeyParams { field: "key" };
        if text.len() != BASE64_LEN {
            return Err(ERROR);
        }
        let mut octets = Zeroizing::new([0; Self::LEN]);
        match STANDARD.decode_slice(text, &mut *octets) {
            Ok(Self::LEN) => Ok(Self(*octets)),
            _ => Err(ERROR),
        }
    }

    /// Appends the 40 characters of base64.
    pub fn write_to(&self, out: &mut String) {
        STANDARD.encode_string(self.0, out);
    }
}

impl From<[u8; Self::LEN]> for MasterKey {
    fn from(octets: [u8; Self::LEN]) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for MasterKey {}

/// The master key identifier of every packet under a key: a number in a fixed count of octets, big-endian.
///
/// It is not authenticated, and good for nothing but finding the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mki {
    value: u64,
    len: u8,
}

impl Mki {
    /// Octets of the longest one (RFC 4568 6.1).
    pub const MAX_LEN: usize = 128;

    /// The one that products signal: `1:1`.
    pub const PRODUCTS: Self = Self { value: 1, len: 1 };

    /// A value in 1 to 128 octets. Longer ones have zeros in front: values of more than 64 bits are not taken.
    pub fn new(value: u64, len: usize) -> Result<Self, Error> {
        let fits = len >= 8 || value < 1 << (8 * len);
        if fits && (1..=Self::MAX_LEN).contains(&len) {
            let len = len as u8;
            Ok(Self { value, len })
        } else {
            Err(Error::KeyParams { field: "mki" })
        }
    }

    /// The value.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.value
    }

    /// Octets of a packet that it takes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // It never is.
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Octets in front of the value that are 0 always.
    const fn zeros(self) -> usize {
        self.len().saturating_sub(8)
    }

    /// Fills as many octets as it is long.
    pub(crate) fn write(self, out: &mut [u8]) {
        let (zeros, value) = out.split_at_mut(self.zeros());
        zeros.fill(0);
        let octets = self.value.to_be_bytes();
        value.copy_from_slice(&octets[octets.len() - value.len()..]);
    }

    /// Whether octets of its length are this one.
    pub(crate) fn is(self, octets: &[u8]) -> bool {
        let (zeros, value) = octets.split_at(self.zeros());
        let number = value
            .iter()
            .fold(0, |number, &octet| number << 8 | u64::from(octet));
        number == self.value && zeros.iter().all(|&octet| octet == 0)
    }

    /// Reads `value:length`.
    fn parse(text: &str) -> Result<Self, Error> {
        const ERROR: Error = Error::KeyParams { field: "mki" };
        let (value, len) = text.split_once(':').ok_or(ERROR)?;
        if len.len() > 3 {
            return Err(ERROR);
        }
        let len = digits(len).ok_or(ERROR)?;
        Self::new(digits(value).ok_or(ERROR)?, len as usize)
    }
}

/// `value:length`, as in the attribute.
impl fmt::Display for Mki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.value, self.len)
    }
}

/// How many packets a key may protect (RFC 4568 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// Two to this power, at most 48; products write `2^31`.
    PowerOfTwo(u8),
    /// A plain number, at most 2^48.
    Packets(u64),
}

impl Lifetime {
    /// What every product writes.
    pub const PRODUCTS: Self = Self::PowerOfTwo(31);

    /// The power of the longest lifetime of SRTP.
    const MAX_POWER: u8 = 48;

    /// The number of packets.
    #[must_use]
    pub const fn packets(self) -> u64 {
        match self {
            Self::PowerOfTwo(power) if power < Self::MAX_POWER => 1 << power,
            Self::PowerOfTwo(_) => 1 << Self::MAX_POWER,
            Self::Packets(packets) => packets,
        }
    }

    /// Reads `2^n` or a number.
    fn parse(text: &str) -> Result<Self, Error> {
        let lifetime = match text.strip_prefix("2^") {
            Some(power) => digits(power)
                .filter(|&power| power <= u64::from(Self::MAX_POWER))
                .map(|power| Self::PowerOfTwo(power as u8)),
            None => digits(text)
                .filter(|packets| (1..=1 << Self::MAX_POWER).contains(packets))
                .map(Self::Packets),
        };
        lifetime.ok_or(Error::KeyParams { field: "lifetime" })
    }
}

/// As in the attribute.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOfTwo(power) => write!(f, "2^{power}"),
            Self::Packets(packets) => write!(f, "{packets}"),
        }
    }
}

/// A number of digits only.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|c| c.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// The key parameters of one line: what a direction is protected with (\[MS-SDPEXT\] 3.1.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyParams {
    /// Master key and salt.
    pub master: MasterKey,
    /// How many packets the sender may protect with it; without one, as many as there are packet indices. Receivers do not count.
    pub lifetime: Option<Lifetime>,
    /// What every packet carries to name the key.
    pub mki: Option<Mki>,
}

impl KeyParams {
    /// A key without lifetime and MKI.
    #[must_use]
    pub const fn new(master: MasterKey) -> Self {
        Self {
            master,
            lifetime: None,
            mki: None,
        }
    }

    /// Reads `inline:<key||salt>["|" lifetime]["|" mki ":" length]`. A field with a colon is the MKI, also where there is no lifetime; a reader
    /// that goes by position would take it for one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text
            .strip_prefix("inline:")
            .ok_or(Error::KeyParams { field: "method" })?;
        let mut fields = text.split('|');
        let mut params = Self::new(MasterKey::parse(fields.next().unwrap_or_default())?);
        let mut field = fields.next();
        if let Some(lifetime) = field.filter(|field| !field.contains(':')) {
            params.lifetime = Some(Lifetime::parse(lifetime)?);
            field = fields.next();
        }
        if let Some(mki) = field {
            params.mki = Some(Mki::parse(mki)?);
            field = fields.next();
        }
        if field.is_some() {
            return Err(Error::KeyParams { field: "mki" });
        }
        Ok(params)
    }

    /// Appends what [`parse`](Self::parse) reads. The text holds the key: wipe it.
    pub fn write_to(&self, out: &mut String) {
        use fmt::Write as _;

        out.push_str("inline:");
        self.master.write_to(out);
        if let Some(lifetime) = self.lifetime {
            let _ = write!(out, "|{lifetime}"); // a String takes everything
        }
        if let Some(mki) = self.mki {
            let _ = write!(out, "|{mki}");
        }
    }
}

impl From<MasterKey> for KeyParams {
    fn from(master: MasterKey) -> Self {
        Self::new(master)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "3t+Jui/n92LdFt7lBWOYUC1wUg52ub4HAW4PzdDl";

    fn written(params: &KeyParams) -> String {
        let mut out = String::new();
        params.write_to(&mut out);
        out
    }

    #[test]
    fn params_as_peers_write_them() {
        for (rest, lifetime, mki) in [
            ("", None, None),
            ("|2^31", Some(Lifetime::PRODUCTS), None),
            ("|2^31|1:1", Some(Lifetime::PRODUCTS), Some(Mki::PRODUCTS)),
            ("|1:4", None, Some(Mki { value: 1, len: 4 })),
            (
                "|1048576|7:2",
                Some(Lifetime::Packets(1 << 20)),
                Some(Mki { value: 7, len: 2 }),
            ),
        ] {
            let text = format!("inline:{KEY}{rest}");
            let params = KeyParams::parse(&text).unwrap();
            assert_eq!((params.lifetime, params.mki), (lifetime, mki), "{rest}");
            assert_eq!(written(&params), text);
        }
    }

    /// What a client of Skype for Business 2016 writes.
    #[test]
    fn params_of_a_product() {
        let text = "inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY|2^31|1:1";
        let params = KeyParams::parse(text).unwrap();
        assert_eq!(
            params.master.as_bytes()[..],
            hex::decode("210f90e1870df22ae56c4a2f313905f0b2ffb8c5742481855ab031aeba58").unwrap()
        );
        assert_eq!(written(&params), text);
    }

    #[test]
    fn params_that_are_refused() {
        let short = &KEY[..39];
        for (text, field) in [
            ("", "method"),
            ("uri:x", "method"),
            ("inline:", "key"),
            (&format!("inline:{short}"), "key"),
            (&format!("inline:{short}="), "key"),
            (&format!("inline:{short}_"), "key"),
            (&format!("inline:{KEY}="), "key"),
            (&format!("inline:{KEY}|"), "lifetime"),
            (&format!("inline:{KEY}|2^"), "lifetime"),
            (&format!("inline:{KEY}|2^49"), "lifetime"),
            (&format!("inline:{KEY}|0"), "lifetime"),
            (&format!("inline:{KEY}|+5"), "lifetime"),
            (&format!("inline:{KEY}|281474976710657"), "lifetime"),
            (&format!("inline:{KEY}|2^31|1"), "mki"),
            (&format!("inline:{KEY}|2^31|1:0"), "mki"),
            (&format!("inline:{KEY}|2^31|256:1"), "mki"),
            (&format!("inline:{KEY}|2^31|1:129"), "mki"),
            (&format!("inline:{KEY}|2^31|1:0001"), "mki"),
            (&format!("inline:{KEY}|2^31|:1"), "mki"),
            (&format!("inline:{KEY}|2^31|18446744073709551616:9"), "mki"),
            (&format!("inline:{KEY}|2^31|1:1|1:1"), "mki"),
            (&format!("inline:{KEY}|1:1|2^31"), "mki"),
            (&format!("inline:{KEY}|2^31|2^31"), "mki"),
            (&format!("inline:{KEY};inline:{KEY}"), "key"),
            (&format!("inline:{KEY}|2^31 UNENCRYPTED_SRTP"), "lifetime"),
            (KEY, "method"),
        ] {
            assert_eq!(
                KeyParams::parse(text),
                Err(Error::KeyParams { field }),
                "{text}"
            );
        }
    }

    #[test]
    fn an_mki_on_the_wire() {
        for (mki, octets) in [
            (Mki::PRODUCTS, &[1][..]),
            (Mki::new(1, 4).unwrap(), &[0, 0, 0, 1]),
            (Mki::new(u64::MAX, 8).unwrap(), &[255; 8]),
            (Mki::new(2, 10).unwrap(), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        ] {
            let mut out = vec![0xaa; mki.len()];
            mki.write(&mut out);
            assert_eq!(out, octets);
            assert!(mki.is(octets));
            for at in 0..octets.len() {
                let mut other = octets.to_vec();
                other[at] ^= 0x40;
                assert!(!mki.is(&other), "{at}");
            }
        }
    }

    #[test]
    fn lifetimes_count_packets() {
        assert_eq!(Lifetime::PRODUCTS.packets(), 2_147_483_648);
        assert_eq!(Lifetime::PowerOfTwo(200).packets(), 1 << 48);
        assert_eq!(Lifetime::Packets(5).packets(), 5);
    }

    #[test]
    fn a_key_does_not_show() {
        let key = MasterKey::parse(KEY).unwrap();
        let params = KeyParams::new(key.clone());
        assert_eq!(
            format!("{params:?}"),
            "KeyParams { master: MasterKey(..), lifetime: None, mki: None }"
        );
        assert_eq!(key, MasterKey::from(*key.as_bytes()));
        assert_ne!(key, MasterKey::from([0; 30]));
    }
}
