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

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocs_sip_core::header::{AuthHeader, HeaderValue, HttpDate, Scheme};
use ocs_sip_core::{HeaderName, Message, Method, WallClock};
use rand_core::CryptoRng;

use crate::association::{Association, Refusal, Scratch};
use crate::context::ClientScheme;
use crate::headers::{Challenge, Credentials, Info, same_target};
use crate::{Error, Version};
use handshake::{Attempt, Handshake};

/// How a client authenticates.
#[derive(Debug)]
pub struct ClientConfig {
    /// The schemes in order of preference. Usual: TLS-DSK, Kerberos, NTLM.
    pub schemes: Vec<Box<dyn ClientScheme>>,
    /// The highest version to be used. Default 4.
    pub max_version: Version,
    /// How long an association lasts from the end of its handshake, unless its ticket or certificate ends before. Default 8 hours.
    pub lifetime: Duration,
    /// How long before its end an association is renewed; the specification wants 5 minutes at least. Default 5 minutes.
    pub renew_before: Duration,
    /// Whether unsigned messages that should be signed are discarded. Default true.
    pub discard_unsigned: bool,
    /// With how many servers (realm and target) a handshake may be under way. Default 4. The oldest one is given up for a new one.
    pub max_handshakes: usize,
}

impl ClientConfig {
    /// The defaults with these schemes.
    #[must_use]
    pub fn new(schemes: Vec<Box<dyn ClientScheme>>) -> Self {
        Self {
            schemes,
            max_version: Version::V4,
            lifetime: Duration::from_hours(8),
            renew_before: Duration::from_mins(5),
            discard_unsigned: true,
            max_handshakes: 4,
        }
    }
}

/// What to do about a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the request again: same Call-ID and epid, CSeq one higher, no To tag, then [`Client::authorize`].
    Resend,
    /// The association stands, yet the signature was refused: send the same request again, with the same CSeq, after
    /// [`Client::sign`]. This is said once for each request.
    Resign,
    /// There is nothing more to try.
    Failed(Failure),
}

/// Why authentication failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The response carries no challenge that can be read.
    #[error("no readable challenge")]
    NoChallenge,
    /// None of the configured schemes is offered, in a version that is known.
    #[error("no common scheme")]
    NoCommonScheme,
    /// The server did not take the last token: wrong password, unknown or disabled user, expired ticket.
    #[error("the server refused the credentials")]
    CredentialsRefused {
        /// The scheme.
        scheme: Scheme,
        /// `ms-diagnostics` of the response, if there is one.
        diagnostics: Option<String>,
    },
    /// The server broke the handshake off before its end.
    #[error("the server broke off the {scheme} handshake")]
    HandshakeRefused {
        /// The scheme.
        scheme: Scheme,
        /// `ms-diagnostics` of the response, if there is one.
        diagnostics: Option<String>,
    },
    /// The handshake failed here.
    #[error("{scheme} handshake: {error}")]
    Handshake {
        /// The scheme.
        scheme: Scheme,
        /// What was wrong.
        error: Error,
    },
    /// A request was signed a second time and refused again. Register anew.
    #[error("the server refused the signature twice")]
    SignatureRefused,
}

/// What to do with a message from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The signature is right: process it.
    Accepted,
    /// It is not signed and need not be: process it.
    Unsigned,
    /// Do as if it had not come.
    Discard(Discard),
}

/// Why a message must be discarded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Discard {
    /// It is signed by a server with which there is no association.
    #[error("no association with the signer")]
    NoAssociation,
    /// Its signature does not count.
    #[error(transparent)]
    Refused(Refusal),
    /// It should have been signed.
    #[error("message is not signed")]
    Unsigned,
}

/// What the owner must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An association stands, or has replaced an older one.
    Established {
        /// The scheme.
        scheme: Scheme,
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// An association nears its end: send an unsigned REGISTER.
    Renew {
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// An association was not renewed in time and is gone.
    Expired {
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// The clocks differ by more than the scheme bears: 5 minutes with Kerberos, 15 with NTLM.
    ClockSkew {
        /// How much.
        by: Duration,
        /// Whether the server's clock is ahead.
        server_ahead: bool,
    },
}

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

    /// Judges a request or response of the server.
    pub fn verify(&mut self, now: Instant, message: &Message) -> Verdict {
        let mut is_signed = false;
        for name in [
            HeaderName::AuthenticationInfo,
            HeaderName::ProxyAuthenticationInfo,
        ] {
            for header in message.lines(name).filter_map(AuthHeader::parse_value) {
                // Infos of other schemes (Digest) are none of ours.
                let Ok(info) = Info::read(&header) else {
                    continue;
                };
                is_signed = true;
                match self.verify_info(now, message, &info) {
                    Verdict::Discard(Discard::NoAssociation) => {}
                    verdict => return verdict,
                }
            }
        }
        if is_signed {
            return Verdict::Discard(Discard::NoAssociation);
        }
        if self.established.is_empty() || !self.config.discard_unsigned || may_be_unsigned(message)
        {
            Verdict::Unsigned
        } else {
            Verdict::Discard(Discard::Unsigned)
        }
    }

    fn verify_info(&mut self, now: Instant, message: &Message, info: &Info<'_>) -> Verdict {
        let matches = |association: &Association| {
            association.scheme == info.scheme
                && *association.realm == *info.realm
                && same_target(&association.targetname, info.targetname)
        };
        // Of an association and the one that is to replace it, opaque tells which one signed.
        let same_opaque = |association: &Association| {
            info.opaque
                .is_none_or(|opaque| *association.opaque == *opaque)
        };
        let old = self
            .established
            .iter()
            .position(|established| matches(&established.association));
        let new = self.attempts.iter().position(|attempt| {
            let ready = attempt.handshake.as_ref().and_then(Handshake::ready);
            ready.is_some_and(matches)
        });
        let exact = old.is_some_and(|at| same_opaque(&self.established[at].association));
        let buffer = &mut self.scratch.buffer;
        if let (Some(at), true) = (old, exact || new.is_none()) {
            let association = &mut self.established[at].association;
            return verdict(association.verify(message, info.salt(), &info.signature, buffer));
        }
        let Some(at) = new else {
            return Verdict::Discard(Discard::NoAssociation);
        };
        let Some(handshake) = &mut self.attempts[at].handshake else {
            return Verdict::Discard(Discard::NoAssociation);
        };
        let checked = handshake.verify(message, info, buffer);
        if checked.is_ok() {
            self.establish(now, at, old, info.opaque);
        }
        verdict(checked)
    }

    /// The handshake of this attempt has led to a verified message.
    fn establish(
        &mut self,
        now: Instant,
        attempt: usize,
        old: Option<usize>,
        opaque: Option<&str>,
    ) {
        let Some(handshake) = self.attempts.remove(attempt).handshake else {
            return;
        };
        let Some((mut association, proxy, expires_at)) = handshake.finish() else {
            return;
        };
        if let Some(opaque) = opaque {
            association.opaque = opaque.into();
        }
        self.events.push_back(Event::Established {
            scheme: association.scheme,
            realm: association.realm.clone(),
            targetname: association.targetname.clone(),
        });
        if let Some(old) = old {
            self.established.remove(old);
        }
        // An association of another scheme with the same server is replaced too.
        self.established.retain(|other| {
            other.association.realm != association.realm
                || !same_target(&other.association.targetname, &association.targetname)
        });
        let renew_at = expires_at
            .checked_sub(self.config.renew_before)
            .unwrap_or(now);
        self.established.push(Established {
            association,
            proxy,
            renew_at: Some(renew_at),
            expires_at,
        });
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

fn verdict(checked: Result<(), Refusal>) -> Verdict {
    match checked {
        Ok(()) => Verdict::Accepted,
        Err(refusal) => Verdict::Discard(Discard::Refused(refusal)),
    }
}

/// What is processed without a signature though there is an association: challenges, provisional responses, responses to REGISTER.
fn may_be_unsigned(message: &Message) -> bool {
    match message.status() {
        None => false,
        Some(100..=199 | 401 | 407) => true,
        Some(_) => message
            .cseq()
            .is_ok_and(|cseq| cseq.method() == Method::Register),
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
