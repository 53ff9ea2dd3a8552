//! The `ms-keep-alive` header ([MS-CONMGMT] 2.2.1).

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The name of the header.
pub const HEADER_NAME: &str = "ms-keep-alive";

/// Bounds of what [`MsKeepAlive::parse`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderLimits {
    /// Octets of the value; 1024. What is allocated is at most four times the value.
    pub value_len: usize,
    /// Parameters after the role; 16.
    pub parameters: usize,
}

impl Default for HeaderLimits {
    fn default() -> Self {
        Self {
            value_len: 1024,
            parameters: 16,
        }
    }
}

/// `ms-keep-alive-role`: who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `UAC`: the sender begins the negotiation.
    Uac,
    /// `UAS`: the sender answers.
    Uas,
}

/// `ms-keep-alive-mechanism`. The meanings are (recalled).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// `hop-hop`: line ends between neighbours; the only one in use.
    HopHop,
    /// `end-end`: keep-alive through to the home server.
    EndEnd,
    /// `tcp`: keep-alive of TCP itself.
    Tcp,
}

/// The value of an `ms-keep-alive` header.
///
/// Displayed as products write it: an offer without spaces (`UAC;hop-hop=yes`), an answer with them
/// (`UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300`), parameters in this order, unknown ones last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MsKeepAlive {
    /// Who speaks.
    pub role: Role,
    /// The `tcp` capability; `None` is absent, which counts as no (inferred).
    pub tcp: Option<bool>,
    /// The `hop-hop` capability.
    pub hop_hop: Option<bool>,
    /// The `end-end` capability.
    pub end_end: Option<bool>,
    /// `timeout` in seconds, from a UAS. More digits than fit are `u32::MAX`.
    pub timeout: Option<u32>,
    /// Other capabilities and parameters, name and value (a quoted one with its quotes), as they came.
    pub other: Vec<(String, Option<String>)>,
}

impl MsKeepAlive {
    /// A value of this role without parameters.
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            tcp: None,
            hop_hop: None,
            end_end: None,
            timeout: None,
            other: Vec::new(),
        }
    }

    /// What clients send: `UAC;hop-hop=yes`.
    pub const fn offer() -> Self {
        let mut offer = Self::new(Role::Uac);
        offer.hop_hop = Some(true);
        offer
    }

    /// Whether the mechanism is offered or accepted.
    pub fn has(&self, mechanism: Mechanism) -> bool {
        let capability = match mechanism {
            Mechanism::HopHop => self.hop_hop,
            Mechanism::EndEnd => self.end_end,
            Mechanism::Tcp => self.tcp,
        };
        capability == Some(true)
    }

    /// Reads a value with limits of the caller.
    ///
    /// Tolerant as servers must be: any case, blanks around `;` and `=`, empty parameters, any order. Of a
    /// parameter that comes twice the first counts.
    ///
    /// # Errors
    /// [`Error::KeepAliveTooLong`], [`Error::KeepAliveTooManyParameters`], [`Error::KeepAliveRole`],
    /// [`Error::KeepAliveParameter`].
    pub fn parse(value: &str, limits: &HeaderLimits) -> Result<Self, Error> {
        if value.len() > limits.value_len {
            return Err(Error::KeepAliveTooLong);
        }
        let mut pieces = Pieces { value, at: Some(0) };
        let role = match pieces.next() {
            Some((_, text)) if text.eq_ignore_ascii_case("UAC") => Role::Uac,
            Some((_, text)) if text.eq_ignore_ascii_case("UAS") => Role::Uas,
            _ => return Err(Error::KeepAliveRole),
        };
        let mut header = Self::new(role);
        let mut count = 0;
        for (position, piece) in pieces.filter(|(_, piece)| !piece.is_empty()) {
            count += 1;
            if count > limits.parameters {
                return Err(Error::KeepAliveTooManyParameters);
            }
            header
                .parameter(piece)
                .ok_or(Error::KeepAliveParameter { position })?;
        }
        Ok(header)
    }

    fn parameter(&mut self, piece: &str) -> Option<()> {
        let (name, value) = match piece.split_once('=') {
            Some((name, value)) => (name.trim_ascii_end(), Some(value.trim_ascii_start())),
            None => (piece, None),
        };
        if !is_token(name) {
            return None;
        }
        let slot = if name.eq_ignore_ascii_case("hop-hop") {
            &mut self.hop_hop
        } else if name.eq_ignore_ascii_case("tcp") {
            &mut self.tcp
        } else if name.eq_ignore_ascii_case("end-end") {
            &mut self.end_end
        } else if name.eq_ignore_ascii_case("timeout") {
            let digits = value.filter(|text| {
                !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
            })?;
            self.timeout
                .get_or_insert(digits.parse().unwrap_or(u32::MAX));
            return Some(());
        } else {
            if !value.is_none_or(is_value) {
                return None;
            }
            if !self
                .other
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
            {
                self.other.push((name.to_owned(), value.map(str::to_owned)));
            }
            return Some(());
        };
        let value = value?;
        let value = if value.eq_ignore_ascii_case("yes") {
            true
        } else if value.eq_ignore_ascii_case("no") {
            false
        } else {
            return None;
        };
        slot.get_or_insert(value);
        Some(())
    }
}

impl FromStr for MsKeepAlive {
    type Err = Error;

    /// [`MsKeepAlive::parse`] with the default limits.
    fn from_str(value: &str) -> Result<Self, Error> {
        Self::parse(value, &HeaderLimits::default())
    }
}

impl fmt::Display for MsKeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, separator) = match self.role {
            Role::Uac => ("UAC", ";"),
            Role::Uas => ("UAS", "; "),
        };
        f.write_str(role)?;
        for (name, value) in [
            ("tcp", self.tcp),
            ("hop-hop", self.hop_hop),
            ("end-end", self.end_end),
        ] {
            if let Some(value) = value {
                write!(f, "{separator}{name}={}", if value { "yes" } else { "no" })?;
            }
        }
        if let Some(timeout) = self.timeout {
            write!(f, "{separator}timeout={timeout}")?;
        }
        for (name, value) in &self.other {
            write!(f, "{separator}{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// The parts between semicolons, trimmed, with their offsets; semicolons in quoted strings do not part.
struct Pieces<'a> {
    value: &'a str,
    at: Option<usize>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at?;
        let rest = &self.value[start..];
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.bytes().position(|octet| {
            if escaped {
                escaped = false;
            } else if quoted && octet == b'\\' {
                escaped = true;
            } else if octet == b'"' {
                quoted = !quoted;
            }
            octet == b';' && !quoted
        });
        self.at = end.map(|end| start + end + 1);
        let piece = &rest[..end.unwrap_or(rest.len())];
        let trimmed = piece.trim_ascii_start();
        Some((
            start + piece.len() - trimmed.len(),
            trimmed.trim_ascii_end(),
        ))
    }
}

/// `token` of RFC 3261 25.1.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet))
}

/// `gen-value` of RFC 3261 25.1: token, host (colons and brackets of IPv6) or quoted string.
fn is_value(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"') else {
        return !text.is_empty()
            && text
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~[]:".contains(&octet));
    };
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1 == inner.len(),
            '\t' => {}
            _ if character.is_ascii_control() => return false,
            _ => {}
        }
    }
    false
}
