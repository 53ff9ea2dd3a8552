//! Addresses of record as keys.

use std::fmt;
use std::sync::Arc;

use super::{Host, SipUri, UriError, escape_user, unescape};

/// An address of record, `user@host`, in the one form in which this system keys its users.
///
/// Users of this system are directory accounts, whose names have no case: user and host are lower-cased (the
/// user part in Unicode, as the directory does), escapes are taken out where they are not needed.
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aor(Arc<str>);

impl Aor {
    /// Reads `user@host` or `sip:user@host`; parameters and port are ignored.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let has_scheme = text
            .get(..4)
            .is_some_and(|s| s.eq_ignore_ascii_case("sip:"))
            || text
                .get(..5)
                .is_some_and(|s| s.eq_ignore_ascii_case("sips:"));
        if has_scheme {
            return SipUri::parse(text)?.aor().ok_or(UriError::User);
        }
        SipUri::parse(&format!("sip:{text}"))?
            .aor()
            .ok_or(UriError::User)
    }

    pub(super) fn from_parts(user: &str, host: Host<'_>) -> Self {
        if let Host::Name(name) = host
            && let Some(plain) = plain_aor(user, name)
        {
            return plain;
        }
        let plain = unescape(user).map(|user| user.to_lowercase());
        let user = match &plain {
            Some(plain) => escape_user(plain),
            None => user.into(),
        };
        let host = host.to_string().to_ascii_lowercase();
        Self(format!("{user}@{host}").into())
    }

    /// `user@host`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sip:user@host`.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("sip:{}", self.0)
    }

    /// The part before `@`.
    #[must_use]
    pub fn user(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(user, _)| user)
    }

    /// The part after `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The usual case: letters, digits and a few marks, which need no escapes and no look at Unicode.
fn plain_aor(user: &str, host: &str) -> Option<Aor> {
    let mut octets = [0; 96];
    let len = user.len() + 1 + host.len();
    let text = octets.get_mut(..len)?;
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
    if user.is_empty() || !user.bytes().chain(host.bytes()).all(is_plain) {
        return None;
    }
    let (user_part, rest) = text.split_at_mut(user.len());
    user_part.copy_from_slice(user.as_bytes());
    rest[0] = b'@';
    rest[1..].copy_from_slice(host.as_bytes());
    text.make_ascii_lowercase();
    let text = std::str::from_utf8(text).ok()?;
    Some(Aor(text.into()))
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Aor {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}
