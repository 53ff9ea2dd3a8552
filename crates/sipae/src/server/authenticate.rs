//! From a message of a client to an [`Outcome`].

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocs_ntlm::Verifier;
use ocs_sip_core::header::{AuthHeader, HeaderValue};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};

use super::endpoint::Endpoint;
use super::tables::{HalfOpen, New, Stage};
use super::{AssociationId, Discard, End, Event, Forbidden, Identity, Outcome, Server};
use crate::association::{Association, Refusal};
use crate::context::{Account, SecurityContext, ServerHandshake, ServerStep, Surroundings};
use crate::headers::{Challenge, Credentials};
use crate::{Error, Version};

/// A request whose credentials belong to a handshake.
struct Step<'a> {
    now: Instant,
    connection: ConnectionId,
    request: &'a Message,
    /// Index of the scheme.
    scheme: usize,
    credentials: &'a Credentials<'a>,
    version: Version,
    endpoint: Endpoint,
    opaque: u32,
    deadline: Instant,
}

/// What a completed handshake gave.
struct Proof {
    account: Account,
    context: Box<dyn SecurityContext>,
    not_after: Option<SystemTime>,
}

impl Server {
    /// Judges a request of a client. `verifier` knows the accounts of password schemes; it is asked when a handshake completes.
    pub fn authenticate(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
        verifier: &dyn Verifier,
    ) -> Outcome {
        if !request.is_request() {
            return Outcome::Discard(Discard::Kind);
        }
        let Some((scheme, credentials)) = self.credentials(request) else {
            return self.unauthenticated(now, request);
        };
        if let Some(token) = credentials.gssapi_data {
            if !is_answerable(request) {
                return Outcome::Discard(Discard::Unauthenticated);
            }
            return self.handshake(
                now,
                connection,
                request,
                scheme,
                &credentials,
                token,
                verifier,
            );
        }
        if credentials.signature.is_none() {
            return self.unauthenticated(now, request);
        }
        if let Some(outcome) = self.confirm(now, connection, request, scheme, &credentials) {
            return outcome;
        }
        self.verify_request(now, connection, request, &credentials)
    }

    /// Judges a response of a client: gives the association that it was verified with.
    pub fn verify_response(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        response: &Message,
    ) -> Result<AssociationId, Discard> {
        if response.is_request() {
            return Err(Discard::Kind);
        }
        let (_, credentials) = self.credentials(response).ok_or(Discard::Unauthenticated)?;
        // From and To are those of the request, and To may be an address that was forwarded to this client: neither says whose
        // endpoint it is. The association does.
        match self.check(now, connection, response, &credentials, |_| true) {
            Some(checked) => Ok(checked?),
            None => Err(Discard::Unauthenticated),
        }
    }

    /// The first credentials for this server, with the index of their scheme.
    fn credentials<'a>(&self, message: &'a Message) -> Option<(usize, Credentials<'a>)> {
        [HeaderName::Authorization, HeaderName::ProxyAuthorization]
            .into_iter()
            .flat_map(|name| message.lines(name))
            .filter_map(|line| Credentials::read(&AuthHeader::parse_value(line)?).ok())
            .find_map(|credentials| {
                let index = self
                    .config
                    .schemes
                    .iter()
                    .position(|scheme| scheme.scheme() == credentials.scheme)?;
                let mine = *credentials.realm == *self.realm
                    && credentials
                        .targetname
                        .eq_ignore_ascii_case(&self.targets[index]);
                mine.then_some((index, credentials))
            })
    }

    fn unauthenticated(&mut self, now: Instant, request: &Message) -> Outcome {
        if is_answerable(request) {
            Outcome::Challenge(self.challenge(now, request))
        } else {
            Outcome::Discard(Discard::Unauthenticated)
        }
    }

    fn forbidden(
        &mut self,
        request: &Message,
        reason: Forbidden,
        association: Option<AssociationId>,
    ) -> Outcome {
        let source = &self.config.targetname;
        let (status, name, diagnostics) = match reason {
            Forbidden::NotOwner | Forbidden::ForeignFrom => (
                403,
                HeaderName::MsDiagnosticsPublic,
                "4004;reason=\"Credentials provided are not authorized to act as specified from URI\""
                    .to_owned(),
            ),
            Forbidden::NoEndpoint => (
                400,
                HeaderName::MsDiagnostics,
                format!("4010;reason=\"Missing endpoint identifier\";source=\"{source}\""),
            ),
            Forbidden::TooManyRefusals => {
                (403, HeaderName::MsDiagnostics, final_handshake_failed(source))
            }
        };
        if !is_answerable(request) {
            return Outcome::Discard(Discard::Unauthenticated);
        }
        let tag = self.new_tag();
        Outcome::Forbidden {
            response: Message::response_to(request, status, Some(&tag)).with(name, &diagnostics),
            reason,
            association,
        }
    }

    fn overloaded(&mut self, request: &Message) -> Outcome {
        let tag = self.new_tag();
        let response = Message::response_to(request, 503, Some(&tag));
        Outcome::Overloaded(response.with(HeaderName::RetryAfter, "30"))
    }

    // --- Handshakes -------------------------------------------------------

    #[allow(clippy::too_many_arguments, reason = "everything about one request")]
    fn handshake(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
        scheme: usize,
        credentials: &Credentials<'_>,
        token: &str,
        verifier: &dyn Verifier,
    ) -> Outcome {
        let endpoint = match Endpoint::of_request(request) {
            Ok(endpoint) if endpoint.is_identified() => endpoint,
            Ok(_) => return self.forbidden(request, Forbidden::NoEndpoint, None),
            Err(error) => return Outcome::Discard(Discard::Malformed(error.into())),
        };
        let offered = |version: &Version| *version <= self.config.version;
        let version = Version::from_number(credentials.version).filter(offered);
        let (Some(version), Ok(token)) = (version, BASE64_STANDARD.decode(token)) else {
            return Outcome::Challenge(self.challenge(now, request));
        };
        let mut step = Step {
            now,
            connection,
            request,
            scheme,
            credentials,
            version,
            endpoint,
            opaque: 0,
            deadline: now + self.config.half_open,
        };
        let state = if let Some(opaque) = credentials.opaque {
            let Some(known) = self.take_half_open(&step, opaque) else {
                return Outcome::Challenge(self.challenge(now, request));
            };
            step.opaque = known.opaque;
            step.version = known.version;
            step.deadline = known.deadline;
            known.state
        } else {
            if self.tables.half_open_on(connection) >= self.config.limits.half_open_per_connection {
                self.tables.remove_oldest_half_open(connection);
            }
            if self.tables.half_open_len() >= self.config.limits.half_open {
                return self.overloaded(request);
            }
            step.opaque = self.tables.free_opaque(self.rng.next_u32());
            self.config.schemes[scheme].start()
        };
        self.step(step, state, &token, verifier)
    }

    /// The handshake that waits for a token under this opaque: of this connection, scheme and endpoint.
    fn take_half_open(&mut self, step: &Step<'_>, opaque: &str) -> Option<Known> {
        let opaque = parse_opaque(opaque)?;
        let half_open = self.tables.half_open(opaque)?;
        let mine = self.is_mine(
            half_open,
            step.now,
            step.connection,
            step.scheme,
            &step.endpoint,
        );
        if !mine || !matches!(half_open.state, Stage::Tokens(_)) {
            return None;
        }
        let half_open = self.tables.remove_half_open(opaque)?;
        match half_open.state {
            Stage::Tokens(state) => Some(Known {
                opaque,
                version: half_open.version,
                deadline: half_open.deadline,
                state,
            }),
            Stage::Confirmation { .. } => None,
        }
    }

    fn is_mine(
        &self,
        half_open: &HalfOpen,
        now: Instant,
        connection: ConnectionId,
        scheme: usize,
        endpoint: &Endpoint,
    ) -> bool {
        half_open.connection == connection
            && half_open.deadline > now
            && half_open.scheme == self.config.schemes[scheme].scheme()
            && half_open.endpoint.is_same(endpoint)
    }

    fn step(
        &mut self,
        step: Step<'_>,
        mut state: Box<dyn ServerHandshake>,
        token: &[u8],
        verifier: &dyn Verifier,
    ) -> Outcome {
        let around = Surroundings {
            time: self.wall_clock.at(step.now),
            filetime: self.wall_clock.filetime(step.now),
            rng: &mut *self.rng,
        };
        match state.step(token, verifier, around) {
            Ok(ServerStep::Continue(token)) => self.reply(step, Stage::Tokens(state), &token),
            Ok(ServerStep::Done {
                token,
                account,
                context,
                not_after,
            }) => match token {
                None => {
                    let proof = Proof {
                        account,
                        context,
                        not_after,
                    };
                    self.establish(step, proof)
                }
                Some(token) => {
                    let stage = Stage::Confirmation {
                        account,
                        context,
                        not_after,
                    };
                    self.reply(step, stage, &token)
                }
            },
            Err(error) => self.logon_failure(&step, error),
        }
    }

    /// Keeps the handshake and sends a token.
    fn reply(&mut self, step: Step<'_>, state: Stage, token: &[u8]) -> Outcome {
        let mut response = self.unauthorized(step.now, step.request);
        let scheme = self.config.schemes[step.scheme].scheme();
        self.scratch.header.clear();
        Challenge {
            scheme,
            realm: &self.realm,
            targetname: &self.targets[step.scheme],
            version: step.version.number(),
            opaque: Some(&format_opaque(step.opaque)),
            gssapi_data: Some(&BASE64_STANDARD.encode(token)),
            sts_uri: None,
        }
        .write(&mut self.scratch.header);
        response.push(HeaderName::WwwAuthenticate, &self.scratch.header);
        self.tables.insert_half_open(
            step.opaque,
            HalfOpen {
                scheme,
                version: step.version,
                connection: step.connection,
                endpoint: step.endpoint,
                state,
                deadline: step.deadline,
            },
        );
        Outcome::Challenge(response)
    }

    /// The token or the signature of the last step is wrong. The handshake is gone; the client may begin anew.
    fn logon_failure(&mut self, step: &Step<'_>, error: Error) -> Outcome {
        self.events.push_back(Event::LogonFailure {
            connection: step.connection,
            aor: step.endpoint.aor.clone(),
            error,
        });
        let diagnostics = final_handshake_failed(&self.config.targetname);
        let response = self.challenge(step.now, step.request);
        Outcome::Challenge(response.with(HeaderName::MsDiagnostics, &diagnostics))
    }

    /// The signed request that follows a last token of the server.
    fn confirm(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
        scheme: usize,
        credentials: &Credentials<'_>,
    ) -> Option<Outcome> {
        let opaque = parse_opaque(credentials.opaque?)?;
        let half_open = self.tables.half_open(opaque)?;
        let endpoint = Endpoint::of_request(request).ok()?;
        let mine = self.is_mine(half_open, now, connection, scheme, &endpoint);
        if !mine || !matches!(half_open.state, Stage::Confirmation { .. }) {
            return None;
        }
        let half_open = self.tables.remove_half_open(opaque)?;
        let Stage::Confirmation {
            account,
            context,
            not_after,
        } = half_open.state
        else {
            return None;
        };
        let step = Step {
            now,
            connection,
            request,
            scheme,
            credentials,
            version: half_open.version,
            endpoint,
            opaque,
            deadline: half_open.deadline,
        };
        let proof = Proof {
            account,
            context,
            not_after,
        };
        Some(self.establish(step, proof))
    }

    fn establish(&mut self, step: Step<'_>, proof: Proof) -> Outcome {
        let scheme = self.config.schemes[step.scheme].scheme();
        let mut association = Association::new(
            scheme,
            self.realm.clone(),
            self.targets[step.scheme].clone(),
            format_opaque(step.opaque).into(),
            step.version,
            proof.context,
        );
        let signature = step.credentials.signature;
        let must_be_signed =
            step.version.signs_handshake() || step.credentials.gssapi_data.is_none();
        let checked = match signature {
            Some(params) => {
                let salt = step.credentials.salt();
                association.verify(step.request, salt, &params, &mut self.scratch.buffer)
            }
            None if must_be_signed => Err(Refusal::BadSignature),
            None => Ok(()),
        };
        if checked.is_err() {
            return self.logon_failure(&step, Error::MalformedParameter("response"));
        }
        if !self.config.policy.owns(&proof.account, &step.endpoint.aor) {
            return self.forbidden(step.request, Forbidden::NotOwner, None);
        }
        let limit = self.config.limits.associations_per_connection;
        let replaces = step.endpoint.keys().any(|key| {
            let old = self.tables.find(&key).and_then(|id| self.tables.get(id));
            old.is_some_and(|old| old.connection == step.connection)
        });
        if !replaces && self.tables.associations_on(step.connection) >= limit {
            return self.overloaded(step.request);
        }
        let left = proof.not_after.map(|end| {
            end.duration_since(self.wall_clock.at(step.now))
                .unwrap_or_default()
        });
        let lifetime = left.map_or(self.config.lifetime, |left| left.min(self.config.lifetime));
        let identity = Arc::new(Identity {
            account: proof.account,
            aor: step.endpoint.aor.clone(),
            scheme,
        });
        let from = step.request.from_header();
        let new = New {
            association,
            connection: step.connection,
            endpoint: step.endpoint,
            identity: identity.clone(),
            from_text: from.map_or("", |from| from.uri_text()),
            expires_at: step.now + lifetime,
            idle_at: step.now + self.config.idle,
        };
        let (id, replaced) = self.tables.insert(step.opaque, new);
        self.announce(replaced, End::Replaced);
        self.tables.reset_refusals(step.connection);
        Outcome::Accepted {
            identity,
            association: id,
            established: true,
        }
    }

    // --- Established associations -----------------------------------------

    fn verify_request(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
        credentials: &Credentials<'_>,
    ) -> Outcome {
        let Ok(from) = request.from_header() else {
            let error = ocs_sip_core::Error::Malformed(HeaderName::From);
            return Outcome::Discard(Discard::Malformed(error.into()));
        };
        let (from_text, epid) = (from.uri_text(), from.epid());
        // Whether From is as in an earlier request decides the usual case without reading the address.
        let mut endpoint = None;
        let checked = self.check(now, connection, request, credentials, |known| {
            let same_epid = match (epid, &known.endpoint.epid) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                (None, Some(_)) => known.endpoint.instance.is_some(),
                (_, None) => true,
            };
            if !same_epid {
                return false;
            }
            if *known.from_text == *from_text && epid.is_some() {
                return true;
            }
            match Endpoint::of_request(request) {
                Ok(found) => {
                    let same = match (&found.instance, &known.endpoint.instance) {
                        (Some(a), Some(b)) => a == b,
                        _ => epid.is_some(),
                    };
                    endpoint = Some(found);
                    same
                }
                Err(_) => false,
            }
        });
        let id = match checked {
            Some(Ok(id)) => id,
            Some(Err(Refusal::BadSignature)) => {
                return self.refused(now, connection, request, Refusal::BadSignature);
            }
            Some(Err(refusal)) => return Outcome::Discard(refusal.into()),
            // No association with what the credentials name counts like a wrong signature.
            None => return self.refused(now, connection, request, Refusal::BadSignature),
        };
        self.tables.reset_refusals(connection);
        let Some(established) = self.tables.get_mut(id) else {
            return Outcome::Discard(Discard::Unauthenticated);
        };
        let identity = established.identity.clone();
        if let Some(endpoint) = endpoint {
            let policy = &self.config.policy;
            if endpoint.aor == identity.aor {
                established.from_text = from_text.into();
            } else if !policy.may_send_as(&identity.account, &identity.aor, &endpoint.aor) {
                return self.forbidden(request, Forbidden::ForeignFrom, Some(id));
            }
        }
        Outcome::Accepted {
            identity,
            association: id,
            established: false,
        }
    }

    /// Verifies a message with the association that its credentials name; `None` if there is none that `fits`.
    fn check(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        message: &Message,
        credentials: &Credentials<'_>,
        fits: impl FnOnce(&super::Established) -> bool,
    ) -> Option<Result<AssociationId, Refusal>> {
        let text = credentials.opaque?;
        let params = credentials.signature?;
        let idle = self.config.idle;
        let established = self.tables.by_opaque(parse_opaque(text)?)?;
        let known = established.connection == connection
            && established.expires_at.min(established.idle_at) > now
            && established.association.scheme == credentials.scheme
            && fits(established);
        if !known {
            return None;
        }
        let association = &mut established.association;
        let buffer = &mut self.scratch.buffer;
        let checked = association.verify(message, credentials.salt(), &params, buffer);
        Some(checked.map(|()| {
            established.idle_at = established.idle_at.max(now + idle);
            established.id
        }))
    }

    fn refused(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
        refusal: Refusal,
    ) -> Outcome {
        if !is_answerable(request) {
            return Outcome::Discard(refusal.into());
        }
        if request.method() != Some(&Method::Register) {
            let refusals = &mut self.tables.connection(connection).refusals;
            *refusals = refusals.saturating_add(1);
            if *refusals > self.config.limits.refusals {
                return self.forbidden(request, Forbidden::TooManyRefusals, None);
            }
        }
        Outcome::Challenge(self.challenge(now, request))
    }
}

/// A handshake taken out of its table.
struct Known {
    opaque: u32,
    version: Version,
    deadline: Instant,
    state: Box<dyn ServerHandshake>,
}

/// Whether a request may be challenged: not ACK, CANCEL (RFC 3261 22.1) and what is never answered.
fn is_answerable(request: &Message) -> bool {
    request
        .method()
        .is_some_and(|method| method.is_answered() && *method != Method::Cancel)
}

fn format_opaque(opaque: u32) -> String {
    format!("{opaque:08X}")
}

/// Exactly what [`format_opaque`] writes.
fn parse_opaque(text: &str) -> Option<u32> {
    let digits = |c: u8| matches!(c, b'0'..=b'9' | b'A'..=b'F');
    if text.len() != 8 || !text.bytes().all(digits) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}

/// Diagnostics after wrong credentials ([MS-OCER], 1000). That servers send them with the 401 is recalled.
fn final_handshake_failed(source: &str) -> String {
    format!("1000;reason=\"Final handshake failed\";source=\"{source}\"")
}
