//! Handshakes: from the first token to the association (\[MS-SIPAE\] 3.3.5.2).

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocs_ntlm::Verifier;
use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::{ConnectionId, HeaderName, Message};

use super::authenticate::{format_opaque, parse_opaque};
use super::endpoint::Endpoint;
use super::tables::{HalfOpen, New, Stage};
use super::{Discard, End, Event, Forbidden, Identity, Outcome, Server};
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

/// A handshake taken out of its table.
struct Known {
    opaque: u32,
    version: Version,
    deadline: Instant,
    state: Box<dyn ServerHandshake>,
}

impl Server {
    #[allow(clippy::too_many_arguments, reason = "everything about one request")]
    pub(super) fn handshake(
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
        // That servers say so with the 401 is recalled.
        let diagnostics =
            DiagnosticsWriter::of_server(ErrorId::FINAL_HANDSHAKE_FAILED, &self.config.targetname);
        let response = self.challenge(step.now, step.request);
        Outcome::Challenge(diagnostics.on(response))
    }

    /// The signed request that follows a last token of the server.
    pub(super) fn confirm(
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
}
