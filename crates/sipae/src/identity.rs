//! Asserted identity (RFC 3325, RFC 5876) and Referred-By (RFC 3892) as this system uses them (\[MS-SIPAE\] 2.2.5, 3.2.4.4).
//!
//! A client is never trusted to assert anything. Use these functions before a message is signed: the identities are
//! covered by the signature.

use std::fmt::Write as _;

use ocs_sip_core::header::NameAddr;
use ocs_sip_core::syntax::quote_into;
use ocs_sip_core::uri::Uri;
use ocs_sip_core::{Aor, HeaderName, Message};

/// Where a message came from, or where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A server of the domain of trust: mutual TLS, configured.
    TrustedServer,
    /// Anything else that is not an authenticated client.
    Untrusted,
}

/// The identities of an authenticated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserIdentities<'a> {
    /// The name to be displayed.
    pub display_name: Option<&'a str>,
    /// The sip URIs, the usual one first, such as `sip:alice@contoso.com`.
    pub sip: &'a [&'a str],
    /// The tel URIs, the usual one first, such as `tel:+14255550100`.
    pub tel: &'a [&'a str],
}

/// The identities that a message carries, at most one of each scheme (RFC 5876 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identities<'a> {
    /// The first value with a `sip:` or `sips:` URI.
    pub sip: Option<NameAddr<'a>>,
    /// The first value with a `tel:` URI.
    pub tel: Option<NameAddr<'a>>,
}

impl<'a> Identities<'a> {
    /// Reads P-Asserted-Identity or P-Preferred-Identity. Further URIs of a scheme, other schemes and malformed values are ignored.
    #[must_use]
    pub fn read(message: &'a Message, name: HeaderName) -> Self {
        let mut all = Self::default();
        for value in message.parse_all::<NameAddr<'a>>(name).flatten() {
            match value.uri() {
                Ok(Uri::Sip(_)) => _ = all.sip.get_or_insert(value),
                Ok(Uri::Tel(_)) => _ = all.tel.get_or_insert(value),
                _ => {}
            }
        }
        all
    }
}

/// Who calls, for a client: P-Asserted-Identity if it is there, else From. The message's signature must have been verified.
#[must_use]
pub fn caller(message: &Message) -> Option<NameAddr<'_>> {
    let asserted = Identities::read(message, HeaderName::PAssertedIdentity);
    asserted
        .sip
        .or(asserted.tel)
        .or_else(|| message.from_header().ok())
}

/// What a server does with a request of an authenticated client: takes away what the client asserted and puts in its
/// place what the server knows. A P-Preferred-Identity that names identities of the user chooses among them; it is removed in
/// either case.
///
/// Without any identity of the user nothing is asserted.
pub fn assert_client(message: &mut Message, user: &UserIdentities<'_>) {
    let preferred = Identities::read(message, HeaderName::PPreferredIdentity);
    let sip = choose(user.sip, preferred.sip);
    let tel = choose(user.tel, preferred.tel);
    message.remove_all(&[
        HeaderName::PAssertedIdentity,
        HeaderName::PPreferredIdentity,
    ]);
    let mut value = String::with_capacity(128);
    for uri in [sip, tel].into_iter().flatten() {
        if value.is_empty() {
            if let Some(name) = user.display_name {
                quote_into(name, &mut value);
            }
        } else {
            value.push(',');
        }
        value.push('<');
        value.push_str(uri);
        value.push('>');
    }
    if !value.is_empty() {
        message.push(HeaderName::PAssertedIdentity, &value);
    }
}

/// The one that is wanted, else the usual one.
fn choose<'a>(all: &[&'a str], wanted: Option<NameAddr<'_>>) -> Option<&'a str> {
    let wanted = wanted.and_then(|wanted| wanted.uri().ok());
    wanted
        .and_then(|wanted| {
            all.iter().find(|own| match (Uri::parse(own), wanted) {
                // Users have no case, and parameters do not make another user.
                (Ok(Uri::Sip(own)), Uri::Sip(wanted)) => own.aor() == wanted.aor(),
                (Ok(own), wanted) => own.equivalent(&wanted),
                _ => false,
            })
        })
        .or(all.first())
        .copied()
}

/// What a server does with a message of another server: an untrusted one asserts nothing, and prefers nothing.
pub fn receive(message: &mut Message, from: Peer) {
    if from == Peer::Untrusted {
        message.remove(HeaderName::PAssertedIdentity);
        message.remove(HeaderName::PPreferredIdentity);
    }
}

/// What a server does before it hands a message on: `Privacy: id` keeps the identity inside the domain of trust (RFC 3325 7).
/// P-Preferred-Identity is a client's word to its server and never goes further.
pub fn forward(message: &mut Message, to: Peer) {
    message.remove(HeaderName::PPreferredIdentity);
    if to == Peer::Untrusted && wants_privacy(message) {
        message.remove(HeaderName::PAssertedIdentity);
    }
}

/// Whether `Privacy` lists `id` (RFC 3325 9.3).
#[must_use]
pub fn wants_privacy(message: &Message) -> bool {
    message
        .lines(HeaderName::Privacy)
        .flat_map(|line| line.split([';', ',']))
        .any(|value| value.trim().eq_ignore_ascii_case("id"))
}

/// Referred-By (RFC 3892 2.1) with the parameters of \[MS-SIPAE\] 2.2.5.
///
/// The `ms-identity` parameters are a server's affair; clients hand them on as they are, with [`value`](Self::value).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferredBy<'a> {
    /// The whole value, to be copied into the INVITE that a REFER leads to.
    pub value: &'a str,
    /// The referrer.
    pub referrer: NameAddr<'a>,
}

impl<'a> ReferredBy<'a> {
    /// Reads the header of `message`; `None` if it is absent or malformed.
    #[must_use]
    pub fn read(message: &'a Message) -> Option<Self> {
        let value = message.header(HeaderName::ReferredBy)?;
        Some(Self {
            value,
            referrer: NameAddr::parse(value).ok()?,
        })
    }

    fn param(&self, name: &str) -> Option<&'a str> {
        self.referrer
            .params()
            .get(name)
            .map(|value| value.trim_matches('"'))
    }

    /// `ms-identity`: verifies the referrer to the server of the referred call. Its form is not known; it is passed through.
    #[must_use]
    pub fn ms_identity(&self) -> Option<&'a str> {
        self.param("ms-identity")
    }

    /// `ms-identity-alg`: the algorithm of [`ms_identity`](Self::ms_identity).
    #[must_use]
    pub fn ms_identity_alg(&self) -> Option<&'a str> {
        self.param("ms-identity-alg")
    }

    /// `ms-identity-info`: where the key of the signer is found.
    #[must_use]
    pub fn ms_identity_info(&self) -> Option<&'a str> {
        self.param("ms-identity-info")
    }

    /// `ms-identity-cookie`: data of the server.
    #[must_use]
    pub fn ms_identity_cookie(&self) -> Option<&'a str> {
        self.param("ms-identity-cookie")
    }

    /// `ms-referee-uri`: the actual peer of a call that had been forwarded, in a REFER from client to server (3.2.4.4).
    #[must_use]
    pub fn ms_referee_uri(&self) -> Option<&'a str> {
        self.param("ms-referee-uri")
    }
}

/// The value of a client's Referred-By: the own address and, in a call that had been forwarded, the address of the actual peer.
#[must_use]
pub fn referred_by_value(referrer: &Aor, referee: Option<&Aor>) -> String {
    let mut value = format!("<{}>", referrer.to_uri());
    if let Some(referee) = referee {
        let _ = write!(value, ";ms-referee-uri=\"{}\"", referee.to_uri());
    }
    value
}

/// Referred-By of a client names somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Referred-By is not the authenticated user")]
pub struct ForeignReferrer;

impl ForeignReferrer {
    /// The refusal: 403. That servers answer so is inferred.
    #[must_use]
    pub fn response(self, request: &Message, to_tag: &str) -> Message {
        Message::response_to(request, 403, Some(to_tag))
    }
}

/// Checks Referred-By in a REFER of the authenticated user `referrer`, and puts one in where there is none.
pub fn check_referred_by(message: &mut Message, referrer: &Aor) -> Result<(), ForeignReferrer> {
    if message.header(HeaderName::ReferredBy).is_none() {
        message.push(HeaderName::ReferredBy, &referred_by_value(referrer, None));
        return Ok(());
    }
    let named = ReferredBy::read(message)
        .filter(|_| message.lines(HeaderName::ReferredBy).count() == 1)
        .and_then(|header| header.referrer.uri().ok()?.as_sip()?.aor());
    if named.as_ref() == Some(referrer) {
        Ok(())
    } else {
        Err(ForeignReferrer)
    }
}
