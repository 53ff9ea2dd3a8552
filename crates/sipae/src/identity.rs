//! Asserted identity (RFC 3325, RFC 5876) and Referred-By (RFC 3892) as this system uses them (\[MS-SIPAE\] 2.2.5, 3.2.4.4).
//!
//! A client is never trusted to assert anything. Use these functions before a message is signed: the identities are
//! covered by the signature.

use std::fmt::Write as _;

use ocs_sip_core::header::{NameAddr, ReferredBy};
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

/// Who calls, for a client: the sip URI of P-Asserted-Identity, else its tel URI, else From. The message's signature must have been
/// verified.
#[must_use]
pub fn caller(message: &Message) -> Option<NameAddr<'_>> {
    let asserted = |is_wanted: fn(&Uri<'_>) -> bool| {
        message
            .parse_all::<NameAddr<'_>>(HeaderName::PAssertedIdentity)
            .flatten()
            .find(|value| value.uri().is_ok_and(|uri| is_wanted(&uri)))
    };
    asserted(|uri| matches!(uri, Uri::Sip(_)))
        .or_else(|| asserted(|uri| matches!(uri, Uri::Tel(_))))
        .or_else(|| message.from_header().ok())
}

/// What a server does with a request of an authenticated client: takes away what the client asserted and puts in its
/// place what the server knows. A P-Preferred-Identity that names identities of the user chooses among them; it is removed in
/// either case.
///
/// Without any identity of the user nothing is asserted.
pub fn assert_client(message: &mut Message, user: &UserIdentities<'_>) {
    let preferred = message.identities_in(HeaderName::PPreferredIdentity);
    let sip = choose(user.sip, preferred.sip.or(preferred.sips));
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
fn choose<'a>(all: &[&'a str], wanted: Option<&str>) -> Option<&'a str> {
    let wanted = wanted.and_then(|wanted| Uri::parse(wanted).ok());
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
    let named = message
        .parse_first::<ReferredBy<'_>>(HeaderName::ReferredBy)
        .ok()
        .filter(|_| message.lines(HeaderName::ReferredBy).count() == 1)
        .and_then(|header| header.address.uri().ok()?.as_sip()?.aor());
    if named.as_ref() == Some(referrer) {
        Ok(())
    } else {
        Err(ForeignReferrer)
    }
}
