//! Refer-To (RFC 3515 2.1) and Referred-By (RFC 3892 3, \[MS-SIPAE\] 2.2.5).

use std::borrow::Cow;

use super::{HeaderValue, NameAddr, Replaces};
use crate::uri::{Uri, unescape};
use crate::{Error, HeaderName, Method};

/// Refer-To: whom to contact, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferTo<'a> {
    /// The address as it stands.
    pub address: NameAddr<'a>,
}

impl<'a> ReferTo<'a> {
    /// The method to use: the `method` parameter of the URI, INVITE without one.
    pub fn method(&self) -> Result<Method, Error> {
        let Uri::Sip(uri) = self.address.uri()? else {
            return Ok(Method::Invite);
        };
        Ok(uri
            .param("method")
            .map_or(Method::Invite, |method| Method::from_token(&method)))
    }

    /// A header that the URI asks for, unescaped, such as `Replaces` of an attended transfer (RFC 3891 4).
    pub fn embedded(&self, name: HeaderName) -> Result<Option<Cow<'a, str>>, Error> {
        let Uri::Sip(uri) = self.address.uri()? else {
            return Ok(None);
        };
        let found = uri.header_pairs().find(|(other, _)| {
            unescape(other).is_some_and(|other| HeaderName::from_text(&other) == name)
        });
        match found {
            None => Ok(None),
            Some((_, value)) => unescape(value)
                .map(Some)
                .ok_or(Error::Malformed(HeaderName::ReferTo)),
        }
    }

    /// The Replaces text of the URI, checked. Parse the returned text with [`Replaces`].
    pub fn replaces(&self) -> Result<Option<Cow<'a, str>>, Error> {
        let text = self.embedded(HeaderName::Replaces)?;
        if text
            .as_deref()
            .is_some_and(|text| Replaces::parse_value(text).is_none())
        {
            return Err(Error::Malformed(HeaderName::Replaces));
        }
        Ok(text)
    }
}

impl<'a> HeaderValue<'a> for ReferTo<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let address = NameAddr::parse_value(value)?;
        Some(Self { address })
    }
}

/// Referred-By: who asked. The `ms-identity*` parameters are made and checked by servers; clients carry them unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferredBy<'a> {
    /// The referrer.
    pub address: NameAddr<'a>,
}

impl<'a> ReferredBy<'a> {
    fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.address.params().get_unquoted(name)
    }

    /// `cid`: the Content-ID of a signed token in the body.
    #[must_use]
    pub fn cid(&self) -> Option<Cow<'a, str>> {
        self.param("cid")
    }

    /// `ms-identity`: the signature over the referrer's identity, opaque.
    #[must_use]
    pub fn ms_identity(&self) -> Option<Cow<'a, str>> {
        self.param("ms-identity")
    }

    /// `ms-identity-alg`: the algorithm of that signature.
    #[must_use]
    pub fn ms_identity_alg(&self) -> Option<&'a str> {
        self.address.params().get("ms-identity-alg")
    }

    /// `ms-identity-info`: where the certificate of the signer is.
    #[must_use]
    pub fn ms_identity_info(&self) -> Option<Cow<'a, str>> {
        self.param("ms-identity-info")
    }

    /// `ms-identity-cookie`: private to the server that wrote it.
    #[must_use]
    pub fn ms_identity_cookie(&self) -> Option<Cow<'a, str>> {
        self.param("ms-identity-cookie")
    }

    /// `ms-referee-uri`: the peer that is asked, where To still names another one (\[MS-SIPAE\] 3.2.4.4).
    #[must_use]
    pub fn ms_referee_uri(&self) -> Option<Cow<'a, str>> {
        self.param("ms-referee-uri")
    }
}

impl<'a> HeaderValue<'a> for ReferredBy<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let address = NameAddr::parse_value(value)?;
        Some(Self { address })
    }
}
