//! Who sends a request ([MS-TURN] 3.3.5.1), and refusals.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_stun::attribute::{AlternateServer, AttributeType, Nonce, Realm, Username, code};
use ocs_stun::{
    Algorithm, Dialect, Error as StunError, IntegrityKey, KeyDerivation, Message, MessageBuilder,
    trimmed, unquoted,
};
use rand_core::CryptoRng;

use super::{ClientId, CredentialStore, Event, Lookup, Server};
use crate::Error;
use crate::bandwidth::BandwidthPolicy;
use crate::client::framed;

/// How much larger than its request an answer may be to somebody who has not proved who he is.
const AMPLIFICATION: usize = 5;

/// Why a request is refused, and how the answer looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) code: u16,
    /// The key, once the sender has shown that he knows it. Clients take only signed errors seriously.
    pub(super) key: Option<&'a IntegrityKey>,
}

impl Refusal<'_> {
    pub(super) const fn unsigned(code: u16) -> Self {
        Self { code, key: None }
    }

    /// Whether Realm and a Nonce go along: the request can be repeated with right ones.
    const fn is_challenge(self) -> bool {
        self.key.is_none()
            && matches!(
                self.code,
                code::UNAUTHORIZED
                    | code::STALE_CREDENTIALS
                    | code::INTEGRITY_CHECK_FAILURE
                    | code::MISSING_USERNAME
                    | code::MISSING_REALM
                    | code::MISSING_NONCE
                    | code::UNKNOWN_USER
                    | code::STALE_NONCE
            )
    }
}

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// Finds out who sends an Allocate request: its username and the key that it is signed with. Otherwise the code to refuse it with.
    pub(super) fn authenticate<'a>(
        &self,
        now: Instant,
        from: SocketAddr,
        message: &Message<'a>,
    ) -> Result<(&'a [u8], IntegrityKey), u16> {
        let malformed = |_: StunError| code::BAD_REQUEST;
        let algorithm = message.integrity().ok_or(code::UNAUTHORIZED)?;
        let Realm(realm) = message
            .get()
            .map_err(malformed)?
            .ok_or(code::MISSING_REALM)?;
        let Nonce(nonce) = message
            .get()
            .map_err(malformed)?
            .ok_or(code::MISSING_NONCE)?;
        if !self.nonces.is_fresh(now, from.ip(), nonce) {
            return Err(code::STALE_NONCE);
        }
        let Username(username) = message
            .get()
            .map_err(malformed)?
            .ok_or(code::MISSING_USERNAME)?;
        let password = match self.store.lookup(now, username) {
            Lookup::Password(password) => password,
            Lookup::Unknown => return Err(code::UNKNOWN_USER),
            Lookup::Expired => return Err(code::STALE_CREDENTIALS),
        };
        if unquoted(realm) != unquoted(&self.config.realm) {
            return Err(code::MISSING_REALM);
        }
        keys(algorithm, username, realm, password.as_bytes())
            .find(|key| message.verify(key).is_ok())
            .map(|key| (username, key))
            .ok_or(code::INTEGRITY_CHECK_FAILURE)
    }

    /// Answers with an error response. Over UDP, somebody who has not proved who he is gets only so much of them.
    pub(super) fn refuse(
        &mut self,
        now: Instant,
        client: ClientId,
        from: SocketAddr,
        request: &Message<'_>,
        refusal: Refusal<'_>,
    ) -> Result<(), Error> {
        let nonce = self.nonces.make(now, from.ip());
        let config = &self.config;
        let alternate = match client {
            ClientId::Udp(_) => config.alternate_udp,
            ClientId::Tcp(_) => config.alternate_tcp,
        };
        let throttle = &mut self.throttle;
        let written = self.outbox.push(client.socket(), |out| {
            let start = out.len();
            framed(client.is_stream(), out, |out| {
                let mut builder = MessageBuilder::new(
                    Dialect::MsTurn,
                    request.message_type().error(),
                    request.transaction_id(),
                    out,
                );
                builder.push_error(refusal.code);
                if refusal.is_challenge() {
                    builder
                        .push(&Nonce(&nonce))
                        .push(&Realm(&config.realm))
                        .push_some(alternate.map(AlternateServer).as_ref());
                }
                if refusal.code == code::UNKNOWN_ATTRIBUTE {
                    builder.push_unknown(request.unknown_attributes());
                }
                builder.push(&config.version);
                match refusal.key {
                    Some(key) => builder.sign(key),
                    None => builder.finish(),
                }
            })?;
            let len = out.len() - start;
            let free = client.is_stream() || refusal.key.is_some();
            if !free
                && (len > AMPLIFICATION * request.as_bytes().len()
                    || !throttle.admit(now, from.ip(), len as u32))
            {
                return Err(Error::Unexpected {
                    what: "so many unauthenticated requests",
                });
            }
            Ok(())
        });
        if written.is_ok() {
            self.tell(Event::Refused {
                client,
                code: refusal.code,
            });
        }
        written
    }
}

/// The keys that a request may be signed with, the likeliest first.
///
/// Microsoft's server may hash the realm with its quotes (not known); libnice trims all three values, which touches about one pair of
/// credentials in 50. How HMAC-SHA256 is keyed was not read (inferred).
fn keys<'a>(
    algorithm: Algorithm,
    username: &'a [u8],
    realm: &'a [u8],
    password: &'a [u8],
) -> impl Iterator<Item = IntegrityKey> + use<'a> {
    let derivations: &[KeyDerivation] = match algorithm {
        Algorithm::Sha1 => &[KeyDerivation::Sha1],
        Algorithm::Sha256 => &[KeyDerivation::Sha256, KeyDerivation::Sha256OfMd5],
    };
    let bare = unquoted(realm);
    let exact = [username, bare, password];
    let libnice = [trimmed(username), trimmed(bare), trimmed(password)];
    let quoted = [username, realm, password];
    let variants = [
        Some(exact),
        (libnice != exact).then_some(libnice),
        (quoted != exact).then_some(quoted),
    ];
    derivations.iter().flat_map(move |&derivation| {
        variants
            .into_iter()
            .flatten()
            .map(move |[username, realm, password]| {
                IntegrityKey::long_term_exact(derivation, username, realm, password)
            })
    })
}

/// The username of a request that needs no more than to match its allocation.
pub(super) fn username<'a>(message: &Message<'a>) -> Result<&'a [u8], Error> {
    message.raw(AttributeType::USERNAME).ok_or(Error::Missing {
        attribute: AttributeType::USERNAME,
    })
}
