//! From a message of a client to an [`Outcome`].

use std::time::Instant;

use ocs_ntlm::Verifier;
use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::header::{AuthHeader, HeaderValue};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};

use super::endpoint::Endpoint;
use super::{AssociationId, Discard, Forbidden, Outcome, Server};
use crate::association::Refusal;
use crate::headers::Credentials;

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

    pub(super) fn forbidden(
        &mut self,
        request: &Message,
        reason: Forbidden,
        association: Option<AssociationId>,
    ) -> Outcome {
        let (status, id) = match reason {
            Forbidden::NotOwner | Forbidden::ForeignFrom => (403, ErrorId::NOT_AUTHORIZED_AS_FROM),
            Forbidden::NoEndpoint => (400, ErrorId::MISSING_ENDPOINT_IDENTIFIER),
            Forbidden::TooManyRefusals => (403, ErrorId::FINAL_HANDSHAKE_FAILED),
        };
        if !is_answerable(request) {
            return Outcome::Discard(Discard::Unauthenticated);
        }
        let tag = self.new_tag();
        Outcome::Forbidden {
            response: DiagnosticsWriter::of_server(id, &self.config.targetname)
                .on(Message::response_to(request, status, Some(&tag))),
            reason,
            association,
        }
    }

    pub(super) fn overloaded(&mut self, request: &Message) -> Outcome {
        let tag = self.new_tag();
        let response = Message::response_to(request, 503, Some(&tag));
        Outcome::Overloaded(response.with(HeaderName::RetryAfter, "30"))
    }

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
            let refusals = self.tables.refuse(connection);
            if refusals > self.config.limits.refusals {
                return self.forbidden(request, Forbidden::TooManyRefusals, None);
            }
        }
        Outcome::Challenge(self.challenge(now, request))
    }
}

/// Whether a request may be challenged: not ACK, CANCEL (RFC 3261 22.1) and what is never answered.
fn is_answerable(request: &Message) -> bool {
    request
        .method()
        .is_some_and(|method| method.is_answered() && *method != Method::Cancel)
}

pub(super) fn format_opaque(opaque: u32) -> String {
    format!("{opaque:08X}")
}

/// Exactly what [`format_opaque`] writes.
pub(super) fn parse_opaque(text: &str) -> Option<u32> {
    let digits = |c: u8| matches!(c, b'0'..=b'9' | b'A'..=b'F');
    if text.len() != 8 || !text.bytes().all(digits) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}
