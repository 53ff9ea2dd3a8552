//! Headers of \[MS-SIPRE\] 2.2.10, 2.2.15, and ms-text-format.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{ContentType, HeaderValue};
use crate::params::{Param, Params};
use crate::syntax::{trim, unquote};
use crate::{Error, HeaderName, Message};

/// Ms-Sensitivity (\[MS-SIPRE\] 2.2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sensitivity {
    /// `normal`
    #[default]
    Normal,
    /// `private`: no team ringing.
    Private,
    /// `normal-no-diversion`: no voice mail, no forwarding.
    NormalNoDiversion,
    /// `private-no-diversion`: none of these.
    PrivateNoDiversion,
}

impl Sensitivity {
    const ALL: [Self; 4] = [
        Self::Normal,
        Self::Private,
        Self::NormalNoDiversion,
        Self::PrivateNoDiversion,
    ];

    /// The token on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Private => "private",
            Self::NormalNoDiversion => "normal-no-diversion",
            Self::PrivateNoDiversion => "private-no-diversion",
        }
    }

    /// Whether the call may be sent elsewhere: forwarded or to voice mail.
    #[must_use]
    pub const fn allows_diversion(self) -> bool {
        matches!(self, Self::Normal | Self::Private)
    }

    /// Whether others of the team may see it.
    #[must_use]
    pub const fn allows_team(self) -> bool {
        matches!(self, Self::Normal | Self::NormalNoDiversion)
    }
}

impl HeaderValue<'_> for Sensitivity {
    fn parse_value(value: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|sensitivity| sensitivity.as_str().eq_ignore_ascii_case(value))
    }
}

impl Message {
    /// Ms-Sensitivity; `normal` when absent. Another value, or more than one, is an error that is answered with 400.
    pub fn sensitivity(&self) -> Result<Sensitivity, Error> {
        let name = HeaderName::MsSensitivity;
        if self.lines(name).nth(1).is_some() {
            return Err(Error::Repeated(name));
        }
        Ok(self.optional(name)?.unwrap_or_default())
    }
}

/// ms-edge-proxy-message-trust (\[MS-SIPRE\] 2.2.15): what the edge knows of where a message came from. Parameters may be missing and in
/// any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeProxyMessageTrust<'a> {
    first: Param<'a>,
    rest: Params<'a>,
}

impl<'a> EdgeProxyMessageTrust<'a> {
    /// A parameter, without quotes.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        if self.first.name.eq_ignore_ascii_case(name) {
            return self.first.value.map(unquote);
        }
        self.rest.get_unquoted(name)
    }

    /// `ms-source-type`: `AuthorizedServer`, `AutoFederation`, `DirectPartner`, `EdgeProxyGenerated` or `InternetUser`.
    #[must_use]
    pub fn source_type(&self) -> Option<Cow<'a, str>> {
        self.get("ms-source-type")
    }

    /// `ms-ep-fqdn`: name of the edge proxy.
    #[must_use]
    pub fn edge_fqdn(&self) -> Option<Cow<'a, str>> {
        self.get("ms-ep-fqdn")
    }

    /// `ms-source-verified-user`: whether the sender's identity was verified. Anything but `verified` is not.
    #[must_use]
    pub fn is_verified_user(&self) -> bool {
        self.get("ms-source-verified-user")
            .is_some_and(|value| value.eq_ignore_ascii_case("verified"))
    }

    /// `ms-source-network`: `federation` or `publiccloud`.
    #[must_use]
    pub fn source_network(&self) -> Option<Cow<'a, str>> {
        self.get("ms-source-network")
    }

    /// `ms-remote-fqdn`: name of the peer.
    #[must_use]
    pub fn remote_fqdn(&self) -> Option<Cow<'a, str>> {
        self.get("ms-remote-fqdn")
    }
}

impl<'a> HeaderValue<'a> for EdgeProxyMessageTrust<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let end = value.find(';').unwrap_or(value.len());
        let (name, first) = value[..end].split_once('=')?;
        let name = trim(name);
        crate::syntax::is_token(name).then_some(Self {
            first: Param {
                name,
                value: Some(trim(first)),
            },
            rest: Params::parse(&value[end..])?,
        })
    }
}

/// ms-text-format: the first message of an IM session inside its INVITE: a media type, the format of the text, and the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextFormat<'a> {
    /// The media type with its parameters, `charset` among them.
    pub content_type: ContentType<'a>,
}

impl<'a> TextFormat<'a> {
    /// `msgr`: base64 of the UTF-16LE text of `X-MMS-IM-Format`, as it stands.
    #[must_use]
    pub fn msgr(&self) -> Option<&'a str> {
        self.content_type.params.get("msgr")
    }

    /// `ms-body`: base64 of the text in the charset of the media type, as it stands.
    #[must_use]
    pub fn ms_body(&self) -> Option<&'a str> {
        self.content_type.params.get("ms-body")
    }

    /// The octets of `ms-body`. `None` when it is absent or not base64; padding may be missing.
    #[must_use]
    pub fn decoded_body(&self) -> Option<Vec<u8>> {
        const ENGINE: GeneralPurpose = GeneralPurpose::new(
            &STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        ENGINE.decode(self.ms_body()?.trim_matches('"')).ok()
    }
}

impl<'a> HeaderValue<'a> for TextFormat<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let content_type = ContentType::parse_value(value)?;
        Some(Self { content_type })
    }
}
