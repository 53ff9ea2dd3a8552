//! Lines of `a=crypto` and `a=cryptoscale`, and which one two sides agree on (\[MS-SDPEXT\] 3.1.5.1, 3.1.5.2; \[MS-SSRTP\]).
//!
//! How packets under a line of `a=cryptoscale` look is not public, so such lines are read and written, and never chosen: peers then take one
//! of `a=crypto`, which all products have in the same offer.

use core::fmt::{self, Write as _};

use crate::key::digits;
use crate::{Error, KeyParams, Lifetime, MasterKey, Mki};

/// What protects packets (RFC 4568 6.2). Products know one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CryptoSuite {
    /// AES in counter mode with 128 bits, HMAC-SHA1 with a tag of 80.
    AesCm128HmacSha1_80,
}

impl CryptoSuite {
    /// The name in the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        }
    }

    fn parse(name: &str) -> Result<Self, Error> {
        let own = Self::AesCm128HmacSha1_80;
        if name == own.name() {
            Ok(own)
        } else {
            Err(Error::UnknownSuite)
        }
    }
}

/// The side of \[MS-SSRTP\] that the writer of an `a=cryptoscale` line can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Receives what a server sends to many.
    Client,
    /// Sends the same to many clients, under one key.
    Server,
}

impl Role {
    /// The word in the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The role of the other side (inferred).
    #[must_use]
    pub const fn complement(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Which attribute a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `a=crypto`: \[MS-SRTP\].
    Crypto,
    /// `a=cryptoscale`: \[MS-SSRTP\].
    CryptoScale(Role),
}

/// One line: key of the side that writes it, for what that side sends.
///
/// An offer has several, with tags that differ over both kinds; lines keep their keys apart even where products write one key into all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoAttribute {
    /// 0 to 999,999,999; names the line in the answer.
    pub tag: u32,
    /// Which attribute.
    pub kind: Kind,
    /// Cipher and tag.
    pub suite: CryptoSuite,
    /// Key, lifetime, MKI.
    pub key: KeyParams,
}

impl CryptoAttribute {
    /// Reads the value of `a=crypto`, what stands behind its colon: three words with one space between them, one set of key parameters,
    /// no session parameters.
    pub fn parse_crypto(value: &str) -> Result<Self, Error> {
        let (tag, rest) = tag(value)?;
        Self::parse_suite(tag, Kind::Crypto, rest)
    }

    /// Reads the value of `a=cryptoscale`: as `a=crypto`, with a role behind the tag, and with an MKI always.
    pub fn parse_cryptoscale(value: &str) -> Result<Self, Error> {
        let (tag, rest) = tag(value)?;
        let (role, rest) = rest
            .split_once(' ')
            .ok_or(Error::Attribute { field: "role" })?;
        let role = match role {
            "client" => Role::Client,
            "server" => Role::Server,
            _ => return Err(Error::Attribute { field: "role" }),
        };
        let line = Self::parse_suite(tag, Kind::CryptoScale(role), rest)?;
        match line.key.mki {
            Some(_) => Ok(line),
            None => Err(Error::Attribute { field: "mki" }),
        }
    }

    fn parse_suite(tag: u32, kind: Kind, rest: &str) -> Result<Self, Error> {
        let (suite, key) = rest
            .split_once(' ')
            .ok_or(Error::Attribute { field: "suite" })?;
        Ok(Self {
            tag,
            kind,
            suite: CryptoSuite::parse(suite)?,
            key: KeyParams::parse(key)?,
        })
    }

    /// The name of the attribute.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Crypto => "crypto",
            Kind::CryptoScale(_) => "cryptoscale",
        }
    }

    /// Appends the value of the attribute. The text holds the key: wipe it.
    pub fn write_value(&self, out: &mut String) {
        let _ = write!(out, "{} ", self.tag); // a String takes everything
        if let Kind::CryptoScale(role) = self.kind {
            out.push_str(role.name());
            out.push(' ');
        }
        out.push_str(self.suite.name());
        out.push(' ');
        self.key.write_to(out);
    }
}

fn tag(value: &str) -> Result<(u32, &str), Error> {
    const ERROR: Error = Error::Attribute { field: "tag" };
    let (tag, rest) = value.split_once(' ').ok_or(ERROR)?;
    if tag.len() > 9 {
        return Err(ERROR);
    }
    Ok((digits(tag).ok_or(ERROR)? as u32, rest))
}

/// Which lines of `a=crypto` a side writes into its offers, and prefers in those of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Preference {
    /// A line with MKI first, then the one without: as products do.
    #[default]
    Mki,
    /// The one without MKI first.
    NoMki,
    /// Only the one without MKI: as peers that know no MKI.
    OnlyNoMki,
}

/// The lines of an offer: one key in all of them, tags from 1 on, `2^31` and `1:1` as products write them.
#[must_use]
pub fn offer(key: &MasterKey, preference: Preference) -> Vec<CryptoAttribute> {
    let mkis: &[_] = match preference {
        Preference::Mki => &[Some(Mki::PRODUCTS), None],
        Preference::NoMki => &[None, Some(Mki::PRODUCTS)],
        Preference::OnlyNoMki => &[None],
    };
    let line = |(tag, &mki): (u32, _)| CryptoAttribute {
        tag,
        kind: Kind::Crypto,
        suite: CryptoSuite::AesCm128HmacSha1_80,
        key: KeyParams {
            master: key.clone(),
            lifetime: Some(Lifetime::PRODUCTS),
            mki,
        },
    };
    (1..).zip(mkis).map(line).collect()
}

/// The line of an offer to take: its key is for what the other side sends. Lines of `a=cryptoscale` are passed over. `None` if no line is left.
#[must_use]
pub fn choose(offer: &[CryptoAttribute], preference: Preference) -> Option<&CryptoAttribute> {
    let lines = || offer.iter().filter(|line| line.kind == Kind::Crypto);
    let with = || lines().find(|line| line.key.mki.is_some());
    let without = || lines().find(|line| line.key.mki.is_none());
    match preference {
        Preference::Mki => with().or_else(without),
        Preference::NoMki => without().or_else(with),
        Preference::OnlyNoMki => without(),
    }
}

/// The line that answers the chosen one: its tag, with a key of one's own, and an MKI if the chosen line has one.
#[must_use]
pub fn answer(chosen: &CryptoAttribute, key: &MasterKey) -> CryptoAttribute {
    CryptoAttribute {
        tag: chosen.tag,
        kind: Kind::Crypto,
        suite: chosen.suite,
        key: KeyParams {
            master: key.clone(),
            lifetime: Some(Lifetime::PRODUCTS),
            mki: chosen.key.mki.map(|_| Mki::PRODUCTS),
        },
    }
}

/// The line of one's own offer that an answer took: its key is for what this side sends, that of the answer for what it receives.
///
/// An answer whose tag is not that of an offered line of its kind is [`Error::NotOffered`], one of `a=cryptoscale` always.
pub fn answered<'a>(
    offer: &'a [CryptoAttribute],
    answer: &CryptoAttribute,
) -> Result<&'a CryptoAttribute, Error> {
    offer
        .iter()
        .find(|line| line.tag == answer.tag)
        .filter(|line| line.kind == Kind::Crypto && answer.kind == Kind::Crypto)
        .ok_or(Error::NotOffered)
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a client of Skype for Business 2016.
    const CLIENT: &str =
        "1 client AES_CM_128_HMAC_SHA1_80 inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY|2^31|1:1";
    const MKI: &str =
        "2 AES_CM_128_HMAC_SHA1_80 inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY|2^31|1:1";
    const PLAIN: &str =
        "3 AES_CM_128_HMAC_SHA1_80 inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY|2^31";

    fn captured() -> [CryptoAttribute; 3] {
        [
            CryptoAttribute::parse_cryptoscale(CLIENT).unwrap(),
            CryptoAttribute::parse_crypto(MKI).unwrap(),
            CryptoAttribute::parse_crypto(PLAIN).unwrap(),
        ]
    }

    fn value(line: &CryptoAttribute) -> String {
        let mut out = String::new();
        line.write_value(&mut out);
        out
    }

    #[test]
    fn lines_of_a_product() {
        let lines = captured();
        assert_eq!(lines[0].kind, Kind::CryptoScale(Role::Client));
        assert_eq!(lines.each_ref().map(|line| line.tag), [1, 2, 3]);
        assert_eq!(lines[0].key, lines[1].key);
        assert_eq!(lines[1].key.master, lines[2].key.master);
        assert_eq!(
            lines[0].key.master.as_bytes()[..],
            hex::decode("210f90e1870df22ae56c4a2f313905f0b2ffb8c5742481855ab031aeba58").unwrap()
        );
        assert_eq!(lines.each_ref().map(value), [CLIENT, MKI, PLAIN]);
        assert_eq!(
            lines.each_ref().map(CryptoAttribute::name),
            ["cryptoscale", "crypto", "crypto"]
        );
        assert!(!format!("{lines:?}").contains("IQ+Q"));
    }

    #[test]
    fn lines_that_are_refused() {
        let key = "inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY";
        let bad = |field| Error::Attribute { field };
        for (text, error) in [
            (String::new(), bad("tag")),
            ("x AES_CM_128_HMAC_SHA1_80 k".to_owned(), bad("tag")),
            (
                format!("1234567890 AES_CM_128_HMAC_SHA1_80 {key}"),
                bad("tag"),
            ),
            (format!(" 1 AES_CM_128_HMAC_SHA1_80 {key}"), bad("tag")),
            ("1 AES_CM_128_HMAC_SHA1_80".to_owned(), bad("suite")),
            (
                format!("1 AES_CM_128_HMAC_SHA1_32 {key}"),
                Error::UnknownSuite,
            ),
            (format!("1 F8_128_HMAC_SHA1_80 {key}"), Error::UnknownSuite),
            (
                format!("1  AES_CM_128_HMAC_SHA1_80 {key}"),
                Error::UnknownSuite,
            ),
            (format!("1 AES_CM_128_HMAC_SHA1_80  {key}"), bad("method")),
            (format!("1 AES_CM_128_HMAC_SHA1_80 {key};{key}"), bad("key")),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 {key}|2^31 UNENCRYPTED_SRTP"),
                bad("lifetime"),
            ),
        ] {
            assert_eq!(CryptoAttribute::parse_crypto(&text), Err(error), "{text}");
        }
        for (text, field) in [
            (format!("1 AES_CM_128_HMAC_SHA1_80 {key}|2^31|1:1"), "role"),
            (
                format!("1 both AES_CM_128_HMAC_SHA1_80 {key}|2^31|1:1"),
                "role",
            ),
            (
                format!("1 server AES_CM_128_HMAC_SHA1_80 {key}|2^31"),
                "mki",
            ),
        ] {
            assert_eq!(
                CryptoAttribute::parse_cryptoscale(&text),
                Err(bad(field)),
                "{text}"
            );
        }
    }

    #[test]
    fn scale_is_never_chosen() {
        let lines = captured();
        for (preference, tag) in [
            (Preference::Mki, Some(2)),
            (Preference::NoMki, Some(3)),
            (Preference::OnlyNoMki, Some(3)),
        ] {
            assert_eq!(choose(&lines, preference).map(|line| line.tag), tag);
            let scale_only = choose(&lines[..1], preference);
            assert_eq!(scale_only, None);
        }
        assert_eq!(choose(&lines[..2], Preference::OnlyNoMki), None);
        assert_eq!(
            choose(&lines[..2], Preference::NoMki).map(|line| line.tag),
            Some(2)
        );
        assert_eq!(answered(&lines, &lines[0]), Err(Error::NotOffered));
        assert_eq!(Role::Client.complement(), Role::Server);
        assert_eq!(Role::Server.complement().to_string(), "client");
    }

    #[test]
    fn two_sides_agree() {
        let (alice, bob) = (MasterKey::from([1; 30]), MasterKey::from([2; 30]));
        for (offering, answering, mki) in [
            (Preference::Mki, Preference::Mki, true),
            (Preference::Mki, Preference::OnlyNoMki, false),
            (Preference::NoMki, Preference::Mki, true),
            (Preference::OnlyNoMki, Preference::Mki, false),
        ] {
            let lines = offer(&alice, offering);
            let chosen = choose(&lines, answering).unwrap();
            let reply = answer(chosen, &bob);
            assert_eq!(answered(&lines, &reply), Ok(chosen));
            assert_eq!(reply.key.mki.is_some(), mki);
            assert_eq!((&chosen.key.master, &reply.key.master), (&alice, &bob));
        }
        let mut reply = answer(&offer(&alice, Preference::Mki)[0], &bob);
        reply.tag = 9;
        assert_eq!(
            answered(&offer(&alice, Preference::Mki), &reply),
            Err(Error::NotOffered)
        );
    }
}
