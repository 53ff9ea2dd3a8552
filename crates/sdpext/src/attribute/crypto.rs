//! `crypto`, `cryptoscale` and `encryption` (\[MS-SDPEXT\] 3.1.5.1, 3.1.5.2).

use ocs_srtp::KeyParams;

use crate::Error;
use crate::line::Hidden;
use crate::text::{Fields, number, put, words};

/// The one suite of the system.
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

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
        let mut fields = Fields::new("crypto", value);
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
            let tag = number("crypto", "tag", text).ok()?;
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
            let key = KeyParams::parse(params).map_err(|error| match error {
                ocs_srtp::Error::KeyParams { field } => fields.invalid(field),
                _ => fields.invalid("key"),
            })?;
            Keying::AesCm128HmacSha1_80(key)
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
                key.write_to(out);
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

    /// Fields that are there and malformed are `Ok`, those that are missing `Err`.
    #[test]
    fn lines_that_are_refused() {
        const CRYPTO: &str = "crypto";
        const SCALE: &str = "cryptoscale";
        for (of, line, field) in [
            (CRYPTO, "", Err("tag")),
            (CRYPTO, "x S K", Ok("tag")),
            (CRYPTO, "+1 S K", Ok("tag")),
            (CRYPTO, "1234567890 S K", Ok("tag")),
            (CRYPTO, "1", Err("suite")),
            (CRYPTO, "1 S", Err("key")),
            (CRYPTO, "1 S uri:K", Ok("method")),
            (CRYPTO, "1 S K;K", Ok("key")),
            (CRYPTO, "1 S KA", Ok("key")),
            (CRYPTO, "1 S K|2^49", Ok("lifetime")),
            (CRYPTO, "1 S K|1:1|2^31", Ok("mki")),
            (SCALE, "", Err("tag")),
            (SCALE, "1 S K|1:1", Ok("role")),
            (SCALE, "1 both S K|1:1", Ok("role")),
            (SCALE, "1 client S", Err("key")),
            (SCALE, "1 client S K|1:0", Ok("mki")),
        ] {
            let line = line.replace('S', SUITE);
            let line = line.replace('K', &format!("inline:{KEY}"));
            let read = if of == CRYPTO {
                Crypto::parse(&line)
            } else {
                Crypto::parse_scale(&line)
            };
            let error = match field {
                Ok(field) => Error::InvalidField { of, field },
                Err(field) => Error::MissingField { of, field },
            };
            assert_eq!(read, Err(error), "{line}");
        }
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
    }
}
