//! `crypto`, `cryptoscale` and `encryption` (\[MS-SDPEXT\] 3.1.5.1, 3.1.5.2).

use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;
use crate::line::Hidden;
use crate::text::{Fields, number, push, put, words};

const OF: &str = "crypto";

/// The one suite of the system.
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

/// Octets of a master key with its salt: 16 and 14.
const LENGTH: usize = 30;

/// The same in base64.
const ENCODED: usize = 40;

words! {
    /// `encryption`, an attribute of version 1 that clients still write when they require or refuse encryption.
    Encryption {
        /// Nothing without.
        Required = "required",
        /// With and without; the same as no attribute.
        Optional = "optional",
        /// Nothing with.
        Rejected = "rejected",
    }
}

words! {
    /// Which side of \[MS-SSRTP\] the writer of a `cryptoscale` line is. A line of the one is taken by the other only.
    ScaleRole {
        /// Receives what is sent to many.
        Client = "client",
        /// Sends to many: a conference.
        Server = "server",
    }
}

impl ScaleRole {
    /// The role of the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A master key and its salt. Does not show in `Debug`, compares in constant time, is wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; LENGTH]);

impl MasterKey {
    /// A new one.
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut octets = Zeroizing::new([0; LENGTH]);
        rng.fill_bytes(&mut *octets);
        Self(*octets)
    }

    /// The master key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.0[..16]
    }

    /// The master salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.0[16..]
    }

    /// Key and salt, one behind the other.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    fn decode(text: &str) -> Option<Self> {
        // The decoder wants room for what could come of the padding.
        let mut octets = Zeroizing::new([0; LENGTH + 2]);
        if text.len() != ENCODED {
            return None;
        }
        let length = STANDARD.decode_slice(text, &mut *octets).ok()?;
        (length == LENGTH).then(|| octets.first_chunk().copied().map(Self))?
    }

    fn put(&self, out: &mut String) {
        let mut text = Zeroizing::new([0; ENCODED]);
        // The buffer has the size that 30 octets take, and base64 is text.
        if STANDARD.encode_slice(self.0, &mut *text).is_ok()
            && let Ok(text) = core::str::from_utf8(&*text)
        {
            out.push_str(text);
        }
    }
}

impl From<[u8; LENGTH]> for MasterKey {
    fn from(octets: [u8; LENGTH]) -> Self {
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

/// How many packets a key is for: a power of two, or a number (RFC 4568 6.1). Clients write `2^31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// `2^n`, n below 64.
    PowerOfTwo(u8),
    /// A number.
    Packets(u64),
}

impl Lifetime {
    /// What clients write.
    pub const CLIENT: Self = Self::PowerOfTwo(31);

    /// In packets.
    #[must_use]
    pub const fn packets(self) -> u64 {
        match self {
            Self::PowerOfTwo(exponent) => match 1_u64.checked_shl(exponent as u32) {
                Some(packets) => packets,
                None => u64::MAX,
            },
            Self::Packets(packets) => packets,
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        const FIELD: &str = "lifetime";
        let lifetime = match text.strip_prefix("2^") {
            Some(exponent) => Self::PowerOfTwo(number(OF, FIELD, exponent)?),
            None => Self::Packets(number(OF, FIELD, text)?),
        };
        match lifetime {
            Self::PowerOfTwo(64..) | Self::Packets(0) => Err(Error::InvalidField {
                of: OF,
                field: FIELD,
            }),
            _ => Ok(lifetime),
        }
    }

    fn put(self, out: &mut String) {
        match self {
            Self::PowerOfTwo(exponent) => put!(out, "2^", exponent),
            Self::Packets(packets) => push(out, packets),
        }
    }
}

/// The master key identifier in every packet. Clients write 1 in one octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mki {
    /// The identifier.
    pub value: u64,
    /// Octets in the packet: 1 to 128.
    pub length: u8,
}

impl Mki {
    /// What clients write.
    pub const CLIENT: Self = Self {
        value: 1,
        length: 1,
    };

    fn parse(value: &str, length: &str) -> Result<Self, Error> {
        let mki = Self {
            value: number(OF, "mki", value)?,
            length: number(OF, "mki length", length)?,
        };
        let fits = mki.length >= 8 || mki.value >> (8 * u32::from(mki.length)) == 0;
        if (1..=128).contains(&mki.length) && fits {
            Ok(mki)
        } else {
            Err(Error::InvalidField {
                of: OF,
                field: "mki length",
            })
        }
    }
}

/// `inline:` and what follows: the key with which the writer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyParams {
    /// Key and salt.
    pub key: MasterKey,
    /// For how many packets.
    pub lifetime: Option<Lifetime>,
    /// The identifier in packets; none, and packets have none.
    pub mki: Option<Mki>,
}

impl KeyParams {
    /// `inline:<key>[|<lifetime>][|<mki>:<length>]`. A field with a colon is the identifier wherever it stands; readers that go by
    /// position take it for a lifetime.
    fn parse(text: &str) -> Result<Self, Error> {
        const KEY: Error = Error::InvalidField {
            of: OF,
            field: "key",
        };
        let text = text.strip_prefix("inline:").ok_or(KEY)?;
        let mut fields = text.split('|');
        let key = fields.next().and_then(MasterKey::decode).ok_or(KEY)?;
        let (mut lifetime, mut mki) = (None, None);
        for field in fields {
            match field.split_once(':') {
                Some((value, length)) if mki.is_none() => mki = Some(Mki::parse(value, length)?),
                None if lifetime.is_none() && mki.is_none() => {
                    lifetime = Some(Lifetime::parse(field)?);
                }
                _ => {
                    let field = "lifetime or mki";
                    return Err(Error::InvalidField { of: OF, field });
                }
            }
        }
        Ok(Self { key, lifetime, mki })
    }

    fn put(&self, out: &mut String) {
        out.push_str("inline:");
        self.key.put(out);
        if let Some(lifetime) = self.lifetime {
            out.push('|');
            lifetime.put(out);
        }
        if let Some(mki) = self.mki {
            put!(out, '|', mki.value, ':', mki.length);
        }
    }
}

/// Suite and key of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keying<'a> {
    /// `AES_CM_128_HMAC_SHA1_80`, the only suite of the system.
    AesCm128HmacSha1_80(KeyParams),
    /// Another suite, of later products.
    Other {
        /// Its name.
        suite: &'a str,
        /// `inline:` and what follows.
        params: Hidden<'a>,
    },
}

/// A line of `crypto` or `cryptoscale` (RFC 4568 with exactly one space between fields).
///
/// ```text
/// a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 inline:<40 characters>|2^31|1:1
/// a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:<40 characters>|2^31|1:1
/// a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:<40 characters>|2^31
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// One of its own for each line in the section: `crypto` and `cryptoscale` share the numbers. Up to nine digits.
    pub tag: u32,
    /// The role of the writer, for `cryptoscale`; none for `crypto`.
    pub scale: Option<ScaleRole>,
    /// Suite and key.
    pub keying: Keying<'a>,
    /// Session parameters; clients send none. A line with one that does not start with a dash is not taken (RFC 4568 6.3.7).
    pub session: &'a str,
}

impl<'a> Crypto<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new(OF, value);
        let tag = Self::tag(&mut fields)?;
        Self::behind_tag(tag, None, fields)
    }

    pub(crate) fn parse_scale(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("cryptoscale", value);
        let tag = Self::tag(&mut fields)?;
        let role = fields.parse("role", ScaleRole::from_text)?;
        Self::behind_tag(tag, Some(role), fields)
    }

    fn tag(fields: &mut Fields<'a>) -> Result<u32, Error> {
        fields.parse("tag", |text| {
            let tag = number(OF, "tag", text).ok()?;
            (text.len() <= 9).then_some(tag)
        })
    }

    fn behind_tag(
        tag: u32,
        scale: Option<ScaleRole>,
        mut fields: Fields<'a>,
    ) -> Result<Self, Error> {
        let suite = fields.next("suite")?;
        let params = fields.next("key")?;
        let keying = if suite.eq_ignore_ascii_case(SUITE) {
            Keying::AesCm128HmacSha1_80(KeyParams::parse(params)?)
        } else {
            let params = Hidden(params);
            Keying::Other { suite, params }
        };
        Ok(Self {
            tag,
            scale,
            keying,
            session: fields.rest(),
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.tag, ' ');
        if let Some(role) = self.scale {
            put!(out, role.as_str(), ' ');
        }
        match &self.keying {
            Keying::AesCm128HmacSha1_80(key) => {
                put!(out, SUITE, ' ');
                key.put(out);
            }
            Keying::Other { suite, params } => put!(out, *suite, ' ', params.0),
        }
        if !self.session.is_empty() {
            put!(out, ' ', self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY";

    fn key(tail: &str) -> Result<KeyParams, Error> {
        KeyParams::parse(&format!("inline:{KEY}{tail}"))
    }

    #[test]
    fn lifetime_and_identifier_are_told_apart_by_the_colon() {
        let both = key("|2^31|1:1").unwrap();
        assert_eq!(both.lifetime.unwrap().packets(), 2_147_483_648);
        assert_eq!(both.mki, Some(Mki::CLIENT));
        let alone = key("|1:4").unwrap();
        assert_eq!(alone.lifetime, None);
        assert_eq!(alone.mki.unwrap().length, 4);
        assert_eq!(
            key("|1048576").unwrap().lifetime,
            Some(Lifetime::Packets(1 << 20))
        );
        assert_eq!(key("").unwrap().key.key().len(), 16);
        assert_eq!(key("").unwrap().key.salt().len(), 14);
    }

    #[test]
    fn wrong_keys_are_named() {
        for tail in [
            "|2^64",
            "|0",
            "|",
            "|2^",
            "|1:0",
            "|256:1",
            "|1:129",
            "|1:1|2^31",
            "|2^31|2^31",
            "|+1",
            ";inline:x",
            "A",
        ] {
            assert!(
                matches!(key(tail), Err(Error::InvalidField { .. })),
                "{tail}"
            );
        }
        assert!(KeyParams::parse(&format!("inline:{}", &KEY[..39])).is_err());
        assert!(KeyParams::parse(KEY).is_err());
    }

    #[test]
    fn keys_do_not_show() {
        let line = format!("3 {SUITE} inline:{KEY}|2^31");
        let shown = format!("{:?}", Crypto::parse(&line).unwrap());
        assert!(!shown.contains(&KEY[..8]), "{shown}");
        let line = format!("4 AES_256_CM_HMAC_SHA1_80 inline:{KEY}");
        let other = Crypto::parse(&line).unwrap();
        assert!(!format!("{other:?}").contains(&KEY[..8]));
        let mut out = String::new();
        other.put(&mut out);
        assert_eq!(out, line);
    }

    #[test]
    fn scale_lines_have_a_role() {
        let line = format!("1 client {SUITE} inline:{KEY}|2^31|1:1");
        let read = Crypto::parse_scale(&line).unwrap();
        assert_eq!((read.tag, read.scale), (1, Some(ScaleRole::Client)));
        let mut out = String::new();
        read.put(&mut out);
        assert_eq!(out, line);
        let field = "role";
        assert_eq!(
            Crypto::parse_scale("1 both x inline:y"),
            Err(Error::InvalidField {
                of: "cryptoscale",
                field
            })
        );
        assert!(Crypto::parse("1234567890 x inline:y").is_err());
    }
}
