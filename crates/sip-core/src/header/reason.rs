//! RAck (RFC 3262 7.2), Retry-After (RFC 3261 20.33), Reason (RFC 3326).

use std::borrow::Cow;

use super::HeaderValue;
use crate::params::Params;
use crate::syntax::{is_token, is_white, parse_u32, token_len, trim};

/// RAck: which provisional response a PRACK acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RAck<'a> {
    /// RSeq of the response.
    pub rseq: u32,
    /// CSeq number of the response.
    pub cseq: u32,
    /// CSeq method of the response.
    pub method_text: &'a str,
}

impl<'a> HeaderValue<'a> for RAck<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let mut words = value
            .split(|c: char| c.is_ascii() && is_white(c as u8))
            .filter(|word| !word.is_empty());
        let rack = Self {
            rseq: parse_u32(words.next()?)?,
            cseq: parse_u32(words.next()?)?,
            method_text: words.next()?,
        };
        (words.next().is_none() && is_token(rack.method_text)).then_some(rack)
    }
}

/// Retry-After.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// Seconds to wait.
    pub seconds: u32,
    /// The comment without its outer parentheses.
    pub comment: Option<&'a str>,
    /// The parameters.
    pub params: Params<'a>,
}

impl RetryAfter<'_> {
    /// `duration`: for how many seconds it can be reached from then on.
    #[must_use]
    pub fn duration(&self) -> Option<u32> {
        parse_u32(self.params.get("duration")?)
    }
}

impl<'a> HeaderValue<'a> for RetryAfter<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let digits = value
            .bytes()
            .position(|c| !c.is_ascii_digit())
            .unwrap_or(value.len());
        let (seconds, rest) = value.split_at(digits);
        let rest = trim(rest);
        let (comment, params) = if rest.starts_with('(') {
            let end = comment_len(rest)?;
            (Some(&rest[1..end - 1]), &rest[end..])
        } else {
            (None, rest)
        };
        Some(Self {
            seconds: parse_u32(seconds)?,
            comment,
            params: Params::parse(params)?,
        })
    }
}

/// The length of the comment that opens at `text[0]`; comments nest and may escape.
fn comment_len(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.bytes().enumerate() {
        match c {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// One Reason value: why a BYE or CANCEL was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850`, `preemption` or another token.
    pub protocol: &'a str,
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// `cause`: a status code of SIP, a cause value of Q.850.
    #[must_use]
    pub fn cause(&self) -> Option<u32> {
        parse_u32(self.params.get("cause")?)
    }

    /// `text`, for people.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.params.get_unquoted("text")
    }
}

impl<'a> HeaderValue<'a> for Reason<'a> {
    fn parse_value(value: &'a str) -> Option<Self> {
        let (protocol, rest) = value.split_at(token_len(value));
        (!protocol.is_empty()).then_some(Self {
            protocol,
            params: Params::parse(rest)?,
        })
    }
}
