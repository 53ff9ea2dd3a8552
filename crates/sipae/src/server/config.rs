//! What a server is configured with.

use std::fmt;
use std::time::Duration;

use ocs_sip_core::Aor;
use ocs_sip_core::uri::unescape;

use crate::Version;
use crate::context::{Account, ServerScheme};

/// How a server authenticates.
#[derive(Debug)]
pub struct ServerConfig {
    /// The schemes, in the order in which they are offered.
    pub schemes: Vec<Box<dyn ServerScheme>>,
    /// The protection space. Default `SIP Communications Service`.
    pub realm: String,
    /// The FQDN of the server.
    pub targetname: String,
    /// The highest version offered; lower ones are spoken with clients that want them. Default 4.
    pub version: Version,
    /// How long an association lasts. Default 8 hours.
    pub lifetime: Duration,
    /// How long an association lasts without a verified message. Default 15 minutes; a signed 2xx to REGISTER gives it the registration's
    /// time and 30 seconds.
    pub idle: Duration,
    /// How long a handshake may take. Default 60 seconds.
    pub half_open: Duration,
    /// Who may use which address.
    pub policy: Box<dyn Policy>,
    /// Bounds on what clients can make the server hold.
    pub limits: Limits,
}

impl ServerConfig {
    /// The defaults for a server of this name.
    #[must_use]
    pub fn new(targetname: &str, schemes: Vec<Box<dyn ServerScheme>>) -> Self {
        Self {
            schemes,
            realm: "SIP Communications Service".to_owned(),
            targetname: targetname.to_owned(),
            version: Version::V4,
            lifetime: Duration::from_hours(8),
            idle: Duration::from_mins(15),
            half_open: Duration::from_mins(1),
            policy: Box::new(SameName),
            limits: Limits::default(),
        }
    }
}

/// Bounds on what clients can make the server hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Handshakes under way on one connection; one more ends the oldest. Default 8. A connection of a proxy needs more.
    pub half_open_per_connection: usize,
    /// Handshakes under way in all; one more is answered with 503. Default 10,000.
    pub half_open: usize,
    /// Associations on one connection; one more is answered with 503. Default 256.
    pub associations_per_connection: usize,
    /// After how many refused signatures in a row on a connection 403 takes the place of the challenge: clients exist that would sign the
    /// same request again for ever. Default 8. REGISTER is always challenged.
    pub refusals: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            half_open_per_connection: 8,
            half_open: 10_000,
            associations_per_connection: 256,
            refusals: 8,
        }
    }
}

/// Who may use which address.
pub trait Policy: fmt::Debug + Send + Sync {
    /// Whether the address belongs to the account that authenticated. What real servers look up in the directory.
    fn owns(&self, account: &Account, aor: &Aor) -> bool;

    /// Whether a user may send requests From another address than its own.
    fn may_send_as(&self, account: &Account, own: &Aor, from: &Aor) -> bool {
        let _ = account;
        own == from
    }
}

/// The default [`Policy`]: the name of the account is the user part of the address, without case. A user principal
/// name must be the whole address. The domain of the account does not count.
#[derive(Debug, Clone, Copy, Default)]
pub struct SameName;

impl Policy for SameName {
    fn owns(&self, account: &Account, aor: &Aor) -> bool {
        let user = account.user.to_lowercase();
        if user.contains('@') {
            return Aor::parse(&user).is_ok_and(|name| name == *aor);
        }
        unescape(aor.user()).is_some_and(|name| *name == *user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_name_is_the_user_part() {
        let owns = |user: &str, aor: &str| {
            let account = Account {
                user: user.to_owned(),
                domain: "CONTOSO".to_owned(),
            };
            SameName.owns(&account, &Aor::parse(aor).unwrap())
        };
        assert!(owns("Alice", "alice@contoso.com"));
        assert!(owns("ALICE@Contoso.com", "sip:alice@contoso.com"));
        assert!(!owns("alice@fabrikam.com", "alice@contoso.com"));
        assert!(!owns("bob", "alice@contoso.com"));
        assert!(!owns("", "alice@contoso.com"));
    }
}
