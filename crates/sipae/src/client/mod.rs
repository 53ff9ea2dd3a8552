//! The client's side: answers challenges, signs what is sent, verifies what is received (\[MS-SIPAE\] 3.2).
//!
//! The owner sends requests; this machine says what to put on them.
//!
//! 1. Send REGISTER without credentials, with `epid` in From.
//! 2. Give each 401 or 407 to [`on_challenge`](Client::on_challenge). While it says [`Next::Resend`], send the request again with
//!    the next CSeq and [`authorize`](Client::authorize) it.
//! 3. [`verify`](Client::verify) everything that comes in. The first verified answer establishes the association.
//! 4. From then on [`sign`](Client::sign) everything that goes out, responses, ACK and CANCEL too.
//! 5. On [`Event::Renew`] start over with 1; the old association serves until the new one stands.

mod handshake;
mod types;
mod verify;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use ocs_sip_core::header::{AuthHeader, HeaderValue, HttpDate, Scheme};
use ocs_sip_core::{HeaderName, Message, Method, WallClock};
use rand_core::CryptoRng;

use crate::association::{Association, Scratch};
use crate::headers::{Challenge, Credentials, same_target};
use crate::{Error, Version};
use handshake::Attempt;
pub use types::{ClientConfig, Discard, Event, Failure, Next, Verdict};

#[derive(Debug)]
struct Established {
    association: Association,
    /// Proxy-Authorization instead of Authorization.
    proxy: bool,
    /// Until [`Event::Renew`] was given.
    renew_at: Option<Instant>,
    expires_at: Instant,
}

/// All security associations of one endpoint.
pub struct Client {
    config: ClientConfig,
    wall_clock: WallClock,
    rng: Box<dyn CryptoRng + Send>,
    attempts: Vec<Attempt>,
    established: Vec<Established>,
    /// Requests that were signed again: Call-ID and CSeq.
    resigned: VecDeque<(Box<str>, u32)>,
    scratch: Scratch,
    events: VecDeque<Event>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("config", &self.config)
            .field("attempts", &self.attempts)
            .field("established", &self.established)
            .finish_non_exhaustive()
    }
}

/// How many re-signed requests are remembered.
const RESIGNED: usize = 32;

impl Client {
    /// A client without associations.
    #[must_use]
    pub fn new(
        config: ClientConfig,
        wall_clock: WallClock,
        rng: impl CryptoRng + Send + 'static,
    ) -> Self {
        Self {
            config,
            wall_clock,
            rng: Box::new(rng),
            attempts: Vec::new(),
            established: Vec::new(),
            resigned: VecDeque::new(),
            scratch: Scratch::default(),
            events: VecDeque::new(),
        }
    }

    /// Tells that the system's clock was set.
    pub fn set_wall_clock(&mut self, wall_clock: WallClock) {
        self.wall_clock = wall_clock;
    }

    /// Forgets all associations and handshakes: the connection is lost.
    pub fn reset(&mut self) {
        self.attempts.clear();
        self.established.clear();
        self.resigned.clear();
    }

    /// Whether there is an association.
    #[must_use]
    pub fn is_established(&self) -> bool {
        !self.established.is_empty()
    }

    /// The scheme and version of the association with the server that was authenticated to last.
    #[must_use]
    pub fn scheme(&self) -> Option<(Scheme, Version)> {
        let last = &self.established.last()?.association;
        Some((last.scheme, last.version))
    }

    /// Takes a 401 or 407 and says how to go on.
    pub fn on_challenge(&mut self, now: Instant, response: &Message) -> Next {
        let headers: Vec<(AuthHeader<'_>, bool)> = [
            (HeaderName::WwwAuthenticate, false),
            (HeaderName::ProxyAuthenticate, true),
        ]
        .into_iter()
        .flat_map(|(name, proxy)| response.auth(name).flatten().map(move |h| (h, proxy)))
        .collect();
        let challenges: Vec<(Challenge<'_>, bool)> = headers
            .iter()
            .filter_map(|(header, proxy)| Some((Challenge::read(header).ok()?, *proxy)))
            .collect();
        self.note_skew(now, response, &challenges);
        let Some((first, _)) = challenges.first() else {
            return Next::Failed(Failure::NoChallenge);
        };
        for (challenge, _) in &challenges {
            if let Some(at) = self.continues(challenge) {
                return self.advance(now, at, challenge, &challenges);
            }
        }
        if let Some(next) = self.resign(response, first) {
            return next;
        }
        let at = self.attempt(first.realm, first.targetname);
        self.attempts[at].give_up(response);
        self.start(now, at, &challenges)
    }

    /// A request of an established association was refused.
    fn resign(&mut self, response: &Message, challenge: &Challenge<'_>) -> Option<Next> {
        let cseq = response.cseq().ok()?;
        let same = |realm: &str, target: &str| {
            realm == challenge.realm && same_target(target, challenge.targetname)
        };
        let under_way = self
            .attempts
            .iter()
            .any(|attempt| same(&attempt.realm, &attempt.targetname));
        let established = self.established.iter().any(|established| {
            let association = &established.association;
            same(&association.realm, &association.targetname)
        });
        if cseq.method() == Method::Register || under_way || !established {
            return None;
        }
        let call_id = response.call_id().ok()?;
        let known = |(id, number): &(Box<str>, u32)| **id == *call_id && *number == cseq.number;
        if let Some(at) = self.resigned.iter().position(known) {
            self.resigned.remove(at);
            return Some(Next::Failed(Failure::SignatureRefused));
        }
        if self.resigned.len() == RESIGNED {
            self.resigned.pop_front();
        }
        self.resigned.push_back((call_id.into(), cseq.number));
        Some(Next::Resign)
    }

    fn note_skew(
        &mut self,
        now: Instant,
        response: &Message,
        challenges: &[(Challenge<'_>, bool)],
    ) {
        let Ok(HttpDate(theirs)) = response.parse_first::<HttpDate>(HeaderName::Date) else {
            return;
        };
        let ours = self.wall_clock.at(now);
        let (by, server_ahead) = match theirs.duration_since(ours) {
            Ok(by) => (by, true),
            Err(error) => (error.duration(), false),
        };
        let uses = |scheme| {
            let configured = self.config.schemes.iter().any(|s| s.scheme() == scheme);
            configured && challenges.iter().any(|(c, _)| c.scheme == scheme)
        };
        let minutes = if uses(Scheme::Kerberos) { 5 } else { 15 };
        if by > Duration::from_mins(minutes) {
            self.events.push_back(Event::ClockSkew { by, server_ahead });
        }
    }

    /// Puts the credentials of the handshake under way on `request`, which is the challenged request made anew. All its
    /// other headers must be final. Credentials that stand on it are removed.
    ///
    /// Fails with [`Error::NoHandshake`] if no handshake waits for a request.
    pub fn authorize(&mut self, request: &mut Message) -> Result<(), Error> {
        if !self.attempts.iter().any(|a| a.handshake.is_some()) {
            return Err(Error::NoHandshake);
        }
        strip(request);
        for attempt in &mut self.attempts {
            if let Some(handshake) = &mut attempt.handshake {
                handshake.authorize(request, &mut self.scratch, &mut *self.rng)?;
            }
        }
        let attempts = &self.attempts;
        for established in &mut self.established {
            let renewed = attempts.iter().any(|attempt| {
                let association = &established.association;
                attempt.realm == association.realm
                    && same_target(&attempt.targetname, &association.targetname)
            });
            if !renewed {
                let proxy = established.proxy;
                let association = &mut established.association;
                put_signature(
                    association,
                    proxy,
                    request,
                    &mut self.scratch,
                    &mut *self.rng,
                )?;
            }
        }
        Ok(())
    }

    /// Signs a request or response, whose other headers must be final: one header for each association, Authorization or
    /// Proxy-Authorization as the association was made. Credentials that stand on it are removed.
    ///
    /// Before the first answer of the server was verified, an association whose last token is sent serves already.
    /// Fails with [`Error::NoAssociation`] if there is none.
    pub fn sign(&mut self, message: &mut Message) -> Result<(), Error> {
        strip(message);
        let Self {
            established,
            attempts,
            scratch,
            rng,
            ..
        } = self;
        for Established {
            association, proxy, ..
        } in established.iter_mut()
        {
            put_signature(association, *proxy, message, scratch, &mut **rng)?;
        }
        if !established.is_empty() {
            return Ok(());
        }
        let mut signed = false;
        for handshake in attempts.iter_mut().filter_map(|a| a.handshake.as_mut()) {
            if let Some((association, proxy)) = handshake.usable() {
                put_signature(association, proxy, message, scratch, &mut **rng)?;
                signed = true;
            }
        }
        if signed {
            Ok(())
        } else {
            Err(Error::NoAssociation)
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.established
            .iter()
            .map(|established| established.renew_at.unwrap_or(established.expires_at))
            .min()
    }

    /// Announces renewals and drops what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        let events = &mut self.events;
        self.established.retain_mut(|established| {
            let realm = established.association.realm.clone();
            let targetname = established.association.targetname.clone();
            if established.expires_at <= now {
                events.push_back(Event::Expired { realm, targetname });
                return false;
            }
            if established.renew_at.is_some_and(|at| at <= now) {
                established.renew_at = None;
                events.push_back(Event::Renew { realm, targetname });
            }
            true
        });
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

/// Removes credentials of the schemes of this system.
fn strip(message: &mut Message) {
    message.retain(|header| {
        let credentials = matches!(
            header.name,
            HeaderName::Authorization | HeaderName::ProxyAuthorization
        );
        !credentials
            || !matches!(
                AuthHeader::parse_value(header.value).and_then(|header| header.scheme()),
                Some(Scheme::Ntlm | Scheme::Kerberos | Scheme::TlsDsk)
            )
    });
}

/// Signs `message` and puts the header of an established association on it.
fn put_signature(
    association: &mut Association,
    proxy: bool,
    message: &mut Message,
    scratch: &mut Scratch,
    rng: &mut dyn CryptoRng,
) -> Result<(), Error> {
    put_credentials(association, proxy, None, Version::V2, message, scratch, rng)
}

/// Signs `message` and puts a header on it, with a token and the version while the handshake lasts.
fn put_credentials(
    association: &mut Association,
    proxy: bool,
    token: Option<&str>,
    version: Version,
    message: &mut Message,
    scratch: &mut Scratch,
    rng: &mut dyn CryptoRng,
) -> Result<(), Error> {
    let signed = association.sign(message, &mut scratch.buffer, rng)?;
    let hex = signed.hex();
    let opaque = &*association.opaque;
    scratch.header.clear();
    Credentials {
        scheme: association.scheme,
        scheme_text: association.scheme.as_str(),
        realm: &association.realm,
        targetname: &association.targetname,
        opaque: (!opaque.is_empty()).then_some(opaque),
        version: version.number(),
        gssapi_data: token,
        signature: Some(signed.params(&hex)),
    }
    .write(&mut scratch.header);
    message.push(credentials_header(proxy), &scratch.header);
    Ok(())
}

fn credentials_header(proxy: bool) -> HeaderName {
    if proxy {
        HeaderName::ProxyAuthorization
    } else {
        HeaderName::Authorization
    }
}
