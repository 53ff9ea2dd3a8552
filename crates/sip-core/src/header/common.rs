//! CSeq, Content-Type, Event, Subscription-State, Replaces, Session-Expires, Warning, Date.

use std::time::SystemTime;

use super::HeaderValue;
use crate::Method;
use crate::params::Params;
use crate::syntax::{is_token, is_white, parse_u32, quoted_len, token_len, trim};

/// CSeq (RFC 3261 20.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number, below 2^31 in what is sent (8.1.1.5).
    pub number: u32,
    /// The number as written: signatures cover the text.
    pub number_text: &'a str,
    /// The method as written.
    pub method_text: &'a str,
}

impl CSeq<'_> {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        Method::from_token(self.method_text)
    }
}

impl<'a> HeaderValue<'a> for CSeq<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let end = value.bytes().position(is_white)?;
        let (number_text, method) = value.split_at(end);
        let method_text = trim(method);
        let number = parse_u32(number_text)?;
        // RFC 3261 8.1.1.5: less than 2**31.
        (number < 1 << 31 && is_token(method_text)).then_some(Self {
            number,
            number_text,
            method_text,
        })
    }
}

/// Content-Type (RFC 3261 20.15): a media type with parameters. Also Accept elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// The type and subtype as written, such as `text/plain`.
    pub essence: &'a str,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> ContentType<'a> {
    /// Whether it is `essence`, without case.
    #[must_use]
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// The part before the slash.
    #[must_use]
    pub fn main_type(&self) -> &'a str {
        self.essence.split_once('/').map_or("", |(main, _)| main)
    }

    /// The part after the slash.
    #[must_use]
    pub fn sub_type(&self) -> &'a str {
        self.essence.split_once('/').map_or("", |(_, sub)| sub)
    }
}

impl<'a> HeaderValue<'a> for ContentType<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let end = memchr::memchr(b';', value.as_bytes()).unwrap_or(value.len());
        let essence = trim(&value[..end]);
        let (main, sub) = essence.split_once('/')?;
        (is_token(main) && is_token(sub)).then_some(())?;
        Some(Self {
            essence,
            params: Params::parse(&value[end..])?,
        })
    }
}

/// Event (RFC 3265 7.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event package; compared without case in this system.
    pub package: &'a str,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> Event<'a> {
    /// Whether it is this package.
    #[must_use]
    pub fn is(&self, package: &str) -> bool {
        self.package.eq_ignore_ascii_case(package)
    }

    /// The `id` parameter, which is part of the subscription's identity.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.params.get("id")
    }
}

impl<'a> HeaderValue<'a> for Event<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let (package, rest) = value.split_at(token_len(value));
        if package.is_empty() {
            return None;
        }
        Some(Self {
            package,
            params: Params::parse(rest)?,
        })
    }
}

/// The state of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substate<'a> {
    /// Accepted.
    Active,
    /// Not yet decided.
    Pending,
    /// Ended.
    Terminated,
    /// Any other token.
    Other(&'a str),
}

/// Subscription-State (RFC 3265 7.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// The state.
    pub state: Substate<'a>,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> SubscriptionState<'a> {
    /// `expires`, in seconds.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        parse_u32(self.params.get("expires")?)
    }

    /// `retry-after`, in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        parse_u32(self.params.get("retry-after")?)
    }

    /// `reason`.
    #[must_use]
    pub fn reason(&self) -> Option<&'a str> {
        self.params.get("reason")
    }
}

impl<'a> HeaderValue<'a> for SubscriptionState<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let (state, rest) = value.split_at(token_len(value));
        let state = match state.to_ascii_lowercase().as_str() {
            "" => return None,
            "active" => Substate::Active,
            "pending" => Substate::Pending,
            "terminated" => Substate::Terminated,
            _ => Substate::Other(state),
        };
        Some(Self {
            state,
            params: Params::parse(rest)?,
        })
    }
}

/// Replaces (RFC 3891 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Call-ID of the dialog to replace.
    pub call_id: &'a str,
    /// Its tag on the side that receives the INVITE.
    pub to_tag: &'a str,
    /// Its tag on the other side.
    pub from_tag: &'a str,
    /// Replace only while it is early.
    pub early_only: bool,
}

impl<'a> HeaderValue<'a> for Replaces<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let end = memchr::memchr(b';', value.as_bytes())?;
        let params = Params::parse(&value[end..])?;
        Some(Self {
            call_id: Some(trim(&value[..end])).filter(|id| !id.is_empty())?,
            to_tag: params.get("to-tag")?,
            from_tag: params.get("from-tag")?,
            early_only: params.has("early-only"),
        })
    }
}

/// Session-Expires and Min-SE (RFC 4028 4, 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires<'a> {
    /// The session interval in seconds.
    pub seconds: u32,
    /// Who refreshes: `uac` or `uas`.
    pub refresher: Option<&'a str>,
}

impl<'a> HeaderValue<'a> for SessionExpires<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let end = memchr::memchr(b';', value.as_bytes()).unwrap_or(value.len());
        let params = Params::parse(&value[end..])?;
        Some(Self {
            seconds: parse_u32(trim(&value[..end]))?,
            refresher: params.get("refresher"),
        })
    }
}

/// One Warning value (RFC 3261 20.43).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning<'a> {
    /// Three digits.
    pub code: u16,
    /// Host or pseudonym of the server.
    pub agent: &'a str,
    /// The text with its quotes.
    pub text: &'a str,
}

impl<'a> HeaderValue<'a> for Warning<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let (code, rest) = value.split_once(' ')?;
        let (agent, text) = trim(rest).split_once(' ')?;
        let text = trim(text);
        if code.len() != 3 || !text.starts_with('"') || quoted_len(text) != Some(text.len()) {
            return None;
        }
        Some(Self {
            code: u16::try_from(parse_u32(code)?).ok()?,
            agent,
            text,
        })
    }
}

/// Date (RFC 3261 20.17): an RFC 1123 date in GMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpDate(pub SystemTime);

impl HeaderValue<'_> for HttpDate {
    fn parse_value(value: &str) -> Option<Self> {
        httpdate::parse_http_date(value).ok().map(Self)
    }
}

impl std::fmt::Display for HttpDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&httpdate::fmt_http_date(self.0))
    }
}
