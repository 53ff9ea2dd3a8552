//! Tokens: usernames that a relay can check without having seen them before.
//!
//! Whoever grants credentials and the relays share two keys. A username holds who it is for and when it ends, under a MAC of the first key; the
//! password is a MAC of the username under the second one. So a relay keeps no table of users. The layout is that of
//! OfficeSIP, all numbers big-endian; clients take it for opaque, and Microsoft's own is not known.
//!
//! ```text
//!  0  1  major version, 1 or 2        12  20  who: HMAC-SHA1(own key, identity)
//!  1  1  minor version, 0             32   4  flags, in version 2 only
//!  2  2  octets before the MAC: 32, 36
//!  4  4  expiry, low half             then 20  HMAC-SHA1(first key, all before)
//!  8  4  expiry, high half
//! ```

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::document::{Location, Minutes, Version};
use crate::{Error, Password, Username};

/// Octets of HMAC-SHA1.
const MAC_LEN: usize = 20;
/// Octets before the MAC, with flags.
const MAX_BLOB_LEN: usize = 36;
/// Octets before the MAC, without flags.
const BLOB_LEN: usize = 32;
/// Where the client's identifier begins.
const CLIENT_ID: usize = 12;
/// 100 ns units in a minute.
const FILETIME_MINUTE: u64 = 600_000_000;

/// A key of HMAC-SHA1. It does not show in `Debug` and is wiped on drop.
#[derive(Clone)]
pub struct Key(Hmac<Sha1>);

impl Key {
    /// The least octets of a key.
    pub const MIN_LEN: usize = 16;

    /// A key of at least [`MIN_LEN`](Self::MIN_LEN) random octets; 20 are as good as any.
    pub fn new(octets: &[u8]) -> Result<Self, Error> {
        let short = Error::ShortKey { len: octets.len() };
        if octets.len() < Self::MIN_LEN {
            return Err(short);
        }
        Hmac::new_from_slice(octets).map(Self).map_err(|_| short)
    }

    fn start(&self, octets: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.0.clone();
        mac.update(octets);
        mac
    }

    fn mac(&self, octets: &[u8]) -> [u8; MAC_LEN] {
        self.start(octets).finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What stands in a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// When it ends, FILETIME: 100 ns since 1601 (inferred). 0 is never: OfficeSIP makes such, nobody should.
    pub expires: u64,
    /// Who it is for, so that a relay can tell allocations of one user from those of another without knowing him.
    pub client_id: [u8; MAC_LEN],
    /// Absent in version 1. What they mean in Microsoft's tokens is not known; here they say for which relays a token is, see
    /// [`is_for`](Self::is_for).
    pub flags: Option<u32>,
}

impl Token {
    /// The flag of [`Location::Intranet`] (chosen here).
    pub const INTRANET: u32 = 1;
    /// The flag of [`Location::Internet`] (chosen here).
    pub const INTERNET: u32 = 2;

    /// The flags of a token that was asked for with this location.
    #[must_use]
    pub const fn flags_of(location: Option<Location>) -> u32 {
        match location {
            Some(Location::Intranet) => Self::INTRANET,
            Some(Location::Internet) => Self::INTERNET,
            None => 0,
        }
    }

    /// Whether it is good at relays that are reached from there. One that names no location is good everywhere.
    #[must_use]
    pub const fn is_for(&self, location: Location) -> bool {
        match self.flags {
            None => true,
            Some(flags) => {
                let named = flags & (Self::INTRANET | Self::INTERNET);
                named == 0 || named & Self::flags_of(Some(location)) != 0
            }
        }
    }

    /// The [`client_id`](Self::client_id) in a username, unchecked; `None` if the username is no token. Quotas of one user count by it.
    #[must_use]
    pub fn client_id_in(username: &[u8]) -> Option<&[u8]> {
        let (blob, _) = username.split_last_chunk::<MAC_LEN>()?;
        Self::read(blob)?;
        blob.get(CLIENT_ID..CLIENT_ID + MAC_LEN)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (major, len) = match self.flags {
            None => (1, BLOB_LEN as u8),
            Some(_) => (2, MAX_BLOB_LEN as u8),
        };
        out.extend([major, 0, 0, len]);
        out.extend((self.expires as u32).to_be_bytes());
        out.extend(((self.expires >> 32) as u32).to_be_bytes());
        out.extend(self.client_id);
        if let Some(flags) = self.flags {
            out.extend(flags.to_be_bytes());
        }
    }

    /// Reads what stands before the MAC.
    fn read(blob: &[u8]) -> Option<Self> {
        let (head, rest) = blob.split_first_chunk::<4>()?;
        let (low, rest) = rest.split_first_chunk()?;
        let (high, rest) = rest.split_first_chunk()?;
        let (client_id, rest) = rest.split_first_chunk()?;
        let flags = match (head, rest) {
            ([1, 0, 0, 32], []) => None,
            ([2, 0, 0, 36], &[a, b, c, d]) => Some(u32::from_be_bytes([a, b, c, d])),
            _ => return None,
        };
        Some(Self {
            expires: u64::from(u32::from_be_bytes(*high)) << 32
                | u64::from(u32::from_be_bytes(*low)),
            client_id: *client_id,
            flags,
        })
    }
}

/// The two keys that a server and its relays share.
#[derive(Debug, Clone)]
pub struct SharedKeys {
    username: Key,
    password: Key,
}

impl SharedKeys {
    /// The key of usernames and that of passwords.
    #[must_use]
    pub const fn new(username: Key, password: Key) -> Self {
        Self { username, password }
    }

    /// The username that a token is.
    #[must_use]
    pub fn username(&self, token: &Token) -> Username {
        let mut username = Vec::with_capacity(MAX_BLOB_LEN + MAC_LEN);
        token.write(&mut username);
        let mac = self.username.mac(&username);
        username.extend(mac);
        username.into()
    }

    /// The password of a username, whoever made that.
    #[must_use]
    pub fn password(&self, username: &[u8]) -> Password {
        self.password.mac(username).into()
    }

    /// Whether this MAC is that of this key; in constant time.
    fn verifies(&self, blob: &[u8], mac: &[u8]) -> bool {
        self.username.start(blob).verify_slice(mac).is_ok()
    }
}

/// Makes tokens: the server's half.
#[derive(Debug, Clone)]
pub struct Issuer {
    identity: Key,
    shared: SharedKeys,
}

impl Issuer {
    /// `identity` is the server's own key, under which users become [`Token::client_id`]s; relays need it not.
    #[must_use]
    pub const fn new(identity: Key, shared: SharedKeys) -> Self {
        Self { identity, shared }
    }

    /// Takes other shared keys from now on. Relays must know them already, and the former ones as long as the longest grant lasts.
    pub fn set_keys(&mut self, shared: SharedKeys) {
        self.shared = shared;
    }

    /// Who an identity is in a token.
    #[must_use]
    pub fn client_id(&self, identity: &str) -> [u8; MAC_LEN] {
        self.identity.mac(identity.as_bytes())
    }

    /// Credentials for `identity`, from `filetime` (100 ns since 1601) on. Requests of version 1 get tokens of version 1, later ones of
    /// version 2 (for version 3 inferred).
    #[must_use]
    pub fn issue(
        &self,
        filetime: u64,
        version: Version,
        identity: &str,
        location: Option<Location>,
        duration: Minutes,
    ) -> (Username, Password) {
        let life = u64::from(duration.get()) * FILETIME_MINUTE;
        let token = Token {
            expires: filetime.saturating_add(life),
            client_id: self.client_id(identity),
            flags: (version.major > 1).then(|| Token::flags_of(location)),
        };
        let username = self.shared.username(&token);
        let password = self.shared.password(username.as_bytes());
        (username, password)
    }
}

/// Why a username is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is no token.
    #[error("username is not a token")]
    NotAToken,
    /// It was made under other keys, or changed.
    #[error("token of unknown origin")]
    Forged,
    /// Its time is over.
    #[error("token has expired")]
    Expired,
    /// It is for the relays of another [`Location`].
    #[error("token is for another location")]
    Location,
}

/// Checks tokens: the relay's half.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<SharedKeys>,
    location: Option<Location>,
    endless: bool,
}

impl Verifier {
    /// A verifier of tokens made under `keys`, wherever they are for.
    #[must_use]
    pub fn new(keys: SharedKeys) -> Self {
        Self {
            keys: vec![keys],
            location: None,
            endless: false,
        }
    }

    /// Refuses tokens that are not for relays reached from there.
    #[must_use]
    pub const fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Accepts tokens without end too, which OfficeSIP makes.
    #[must_use]
    pub const fn accept_endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// Knows these keys too. The newest stand first, because most tokens are of them.
    pub fn add_keys(&mut self, keys: SharedKeys) {
        self.keys.insert(0, keys);
    }

    /// Forgets all but the newest keys, once no token of the others can be valid.
    pub fn forget_old_keys(&mut self) {
        self.keys.truncate(1);
    }

    /// Checks a username at `filetime` (100 ns since 1601), and gives what stands in it and its password.
    pub fn verify(&self, filetime: u64, username: &[u8]) -> Result<(Token, Password), Refused> {
        let (blob, mac) = username
            .split_last_chunk::<MAC_LEN>()
            .ok_or(Refused::NotAToken)?;
        let token = Token::read(blob).ok_or(Refused::NotAToken)?;
        let keys = self.keys.iter().find(|keys| keys.verifies(blob, mac));
        let keys = keys.ok_or(Refused::Forged)?;
        let endless = self.endless && token.expires == 0;
        if token.expires <= filetime && !endless {
            return Err(Refused::Expired);
        }
        if self
            .location
            .is_some_and(|location| !token.is_for(location))
        {
            return Err(Refused::Location);
        }
        Ok((token, keys.password(username)))
    }
}
