//! Handshakes under way.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocs_sip_core::header::Scheme;
use ocs_sip_core::{HeaderName, Message};
use rand_core::CryptoRng;

use super::{Client, Failure, Next, credentials_header, put_credentials};
use crate::association::{Association, Refusal, Scratch};
use crate::context::{ClientHandshake, ClientStep, Surroundings};
use crate::headers::{Challenge, Credentials, Info, same_target};
use crate::{Error, Version};

/// Everything tried with one server since the last success.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) realm: Arc<str>,
    pub(super) targetname: Arc<str>,
    /// Schemes that failed.
    failed: Vec<Scheme>,
    /// Why the last one did.
    failure: Option<Failure>,
    pub(super) handshake: Option<Handshake>,
}

/// One handshake of one scheme.
pub(super) struct Handshake {
    scheme: Scheme,
    realm: Arc<str>,
    targetname: Arc<str>,
    version: Version,
    opaque: Box<str>,
    proxy: bool,
    state: Box<dyn ClientHandshake>,
    /// For the next request, base64.
    token: Option<String>,
    /// Call-ID and CSeq of the request that took `token` along.
    sent: Option<(Box<str>, u32)>,
    /// The association and its end, once the keys are there.
    ready: Option<(Association, Instant)>,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("scheme", &self.scheme)
            .field("version", &self.version)
            .field("opaque", &self.opaque)
            .field("is_sent", &self.sent.is_some())
            .field("is_ready", &self.ready.is_some())
            .finish_non_exhaustive()
    }
}

impl Attempt {
    /// A new challenge without continuation. If it answers the request that took the token along, the handshake has failed; if it
    /// answers another request, as after a time-out, the handshake is begun anew.
    pub(super) fn give_up(&mut self, response: &Message) {
        // Two requests may be challenged before the first was sent again: then the handshake goes on.
        let Some(handshake) = self.handshake.take_if(|handshake| handshake.sent.is_some()) else {
            return;
        };
        if handshake.sent != request_id(response) {
            return;
        }
        let scheme = handshake.scheme;
        let diagnostics = response
            .header(HeaderName::MsDiagnostics)
            .or_else(|| response.header(HeaderName::MsDiagnosticsPublic))
            .map(str::to_owned);
        let failure = if handshake.ready.is_some() {
            Failure::CredentialsRefused {
                scheme,
                diagnostics,
            }
        } else {
            Failure::HandshakeRefused {
                scheme,
                diagnostics,
            }
        };
        self.fail(scheme, failure);
    }

    fn fail(&mut self, scheme: Scheme, failure: Failure) {
        self.failed.push(scheme);
        self.failure = Some(failure);
    }
}

impl Handshake {
    /// Puts the token on `request`, with a signature where the version or the scheme wants one.
    pub(super) fn authorize(
        &mut self,
        request: &mut Message,
        scratch: &mut Scratch,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), Error> {
        self.sent = Some((request.call_id()?.into(), request.cseq()?.number));
        let token = self.token.as_deref();
        if let Some((association, _)) = &mut self.ready
            && (self.version.signs_handshake() || token.is_none())
        {
            let (proxy, version) = (self.proxy, self.version);
            return put_credentials(association, proxy, token, version, request, scratch, rng);
        }
        scratch.header.clear();
        Credentials {
            scheme: self.scheme,
            scheme_text: self.scheme.as_str(),
            realm: &self.realm,
            targetname: &self.targetname,
            opaque: (!self.opaque.is_empty()).then_some(&*self.opaque),
            version: self.version.number(),
            gssapi_data: token,
            signature: None,
        }
        .write(&mut scratch.header);
        request.push(credentials_header(self.proxy), &scratch.header);
        Ok(())
    }

    /// The association, once the keys are there.
    pub(super) fn ready(&self) -> Option<&Association> {
        self.ready.as_ref().map(|(association, _)| association)
    }

    /// The association, once the server can know the keys too.
    pub(super) fn usable(&mut self) -> Option<(&mut Association, bool)> {
        let proxy = self.proxy;
        let (association, _) = self.ready.as_mut().filter(|_| self.sent.is_some())?;
        Some((association, proxy))
    }

    pub(super) fn verify(
        &mut self,
        message: &Message,
        info: &Info<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let (association, _) = self.ready.as_mut().ok_or(Refusal::BadSignature)?;
        association.verify(message, info.salt(), &info.signature, buffer)
    }

    /// The association, the kind of header, and the end of its life.
    pub(super) fn finish(self) -> Option<(Association, bool, Instant)> {
        let (association, expires_at) = self.ready?;
        Some((association, self.proxy, expires_at))
    }
}

impl Client {
    /// The attempt whose handshake this challenge continues.
    pub(super) fn continues(&self, challenge: &Challenge<'_>) -> Option<usize> {
        challenge.gssapi_data.filter(|token| !token.is_empty())?;
        self.attempts.iter().position(|attempt| {
            attempt.handshake.as_ref().is_some_and(|handshake| {
                handshake.sent.is_some()
                    && handshake.ready.is_none()
                    && handshake.scheme == challenge.scheme
                    && *handshake.realm == *challenge.realm
                    && same_target(&handshake.targetname, challenge.targetname)
                    && (handshake.opaque.is_empty()
                        || challenge.opaque.is_none_or(|o| *o == *handshake.opaque))
            })
        })
    }

    /// The attempt with this server, a new one if there is none.
    pub(super) fn attempt(&mut self, realm: &str, targetname: &str) -> usize {
        let known = self.attempts.iter().position(|attempt| {
            *attempt.realm == *realm && same_target(&attempt.targetname, targetname)
        });
        known.unwrap_or_else(|| {
            if self.attempts.len() >= self.config.max_handshakes.max(1) {
                self.attempts.remove(0);
            }
            self.attempts.push(Attempt {
                realm: realm.into(),
                targetname: targetname.into(),
                failed: Vec::new(),
                failure: None,
                handshake: None,
            });
            self.attempts.len() - 1
        })
    }

    /// Feeds the token of `challenge` to the handshake of attempt `at`; if that fails, tries the next scheme.
    pub(super) fn advance(
        &mut self,
        now: Instant,
        at: usize,
        challenge: &Challenge<'_>,
        challenges: &[(Challenge<'_>, bool)],
    ) -> Next {
        let Some(mut handshake) = self.attempts[at].handshake.take() else {
            return self.start(now, at, challenges);
        };
        if let Some(opaque) = challenge.opaque {
            handshake.opaque = opaque.into();
        }
        match self.step(now, &mut handshake, challenge.gssapi_data) {
            Ok(()) => {
                self.attempts[at].handshake = Some(handshake);
                Next::Resend
            }
            Err(error) => {
                let scheme = handshake.scheme;
                self.attempts[at].fail(scheme, Failure::Handshake { scheme, error });
                self.start(now, at, challenges)
            }
        }
    }

    /// Starts a handshake of the first scheme that is offered and has not failed.
    pub(super) fn start(
        &mut self,
        now: Instant,
        at: usize,
        challenges: &[(Challenge<'_>, bool)],
    ) -> Next {
        if self.attempts[at].handshake.is_some() {
            return Next::Resend;
        }
        for index in 0..self.config.schemes.len() {
            let scheme = self.config.schemes[index].scheme();
            let attempt = &self.attempts[at];
            let offered = challenges.iter().find(|(challenge, _)| {
                challenge.scheme == scheme
                    && *challenge.realm == *attempt.realm
                    && same_target(challenge.targetname, &attempt.targetname)
            });
            let Some((challenge, proxy)) = offered.filter(|_| !attempt.failed.contains(&scheme))
            else {
                continue;
            };
            let Some(version) = self.config.max_version.answer(challenge.version) else {
                continue;
            };
            match self.begin(now, index, challenge, *proxy, version) {
                Ok(handshake) => {
                    self.attempts[at].handshake = Some(handshake);
                    return Next::Resend;
                }
                Err(error) => self.attempts[at].fail(scheme, Failure::Handshake { scheme, error }),
            }
        }
        let attempt = self.attempts.remove(at);
        Next::Failed(attempt.failure.unwrap_or(Failure::NoCommonScheme))
    }

    fn begin(
        &mut self,
        now: Instant,
        index: usize,
        challenge: &Challenge<'_>,
        proxy: bool,
        version: Version,
    ) -> Result<Handshake, Error> {
        let state = self.config.schemes[index].start(challenge)?;
        let mut handshake = Handshake {
            scheme: challenge.scheme,
            realm: challenge.realm.into(),
            targetname: challenge.targetname.into(),
            version,
            opaque: "".into(),
            proxy,
            state,
            token: None,
            sent: None,
            ready: None,
        };
        self.step(now, &mut handshake, None)?;
        Ok(handshake)
    }

    fn step(
        &mut self,
        now: Instant,
        handshake: &mut Handshake,
        token: Option<&str>,
    ) -> Result<(), Error> {
        let token = token
            .map(|token| BASE64_STANDARD.decode(token))
            .transpose()
            .map_err(|_| Error::MalformedParameter("gssapi-data"))?;
        let around = Surroundings {
            time: self.wall_clock.at(now),
            filetime: self.wall_clock.filetime(now),
            rng: &mut *self.rng,
        };
        handshake.sent = None;
        let token = match handshake.state.step(token.as_deref(), around)? {
            ClientStep::Continue(token) => Some(token),
            ClientStep::Done {
                token,
                context,
                not_after,
            } => {
                let association = Association::new(
                    handshake.scheme,
                    handshake.realm.clone(),
                    handshake.targetname.clone(),
                    handshake.opaque.clone(),
                    handshake.version,
                    context,
                );
                let end = self.end_of_life(now, not_after);
                handshake.ready = Some((association, end));
                token
            }
        };
        handshake.token = token.map(|token| BASE64_STANDARD.encode(token));
        Ok(())
    }

    /// The lifetime of the configuration, or until the ticket or certificate ends.
    fn end_of_life(&self, now: Instant, not_after: Option<SystemTime>) -> Instant {
        let left = not_after.map(|end| {
            end.duration_since(self.wall_clock.at(now))
                .unwrap_or_default()
        });
        now + left.map_or(self.config.lifetime, |left| left.min(self.config.lifetime))
    }
}

/// What a response shares with its request.
fn request_id(message: &Message) -> Option<(Box<str>, u32)> {
    Some((message.call_id().ok()?.into(), message.cseq().ok()?.number))
}
