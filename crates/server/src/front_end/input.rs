//! From octets to requests of known users and responses to what was sent.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ocs_conmgmt::ChannelError;
use ocs_ocer::boundary::strip_from_client;
use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::admit::admit;
use ocs_sip_core::framing::Frame;
use ocs_sip_core::transaction::{Event as Transaction, Flow, ServerId};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipae::server::{Identity, Outcome};
use ocs_sipre::{headers, via};
use rand_core::Rng;

use super::proxy::assert_identity;
use super::{FrontEnd, verifier};
use crate::connection::Endpoint;
use crate::{CloseCause, Event, Store};

/// The verified sender of a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) connection: ConnectionId,
    pub(super) identity: Arc<Identity>,
}

impl<S: Store> FrontEnd<S> {
    /// Octets arrived on a connection.
    pub fn handle_data(&mut self, now: Instant, id: ConnectionId, data: Bytes) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.keep_alive.handle_received(now);
        connection.channel.push(data);
        // A message may close its own connection.
        while let Some(connection) = self.connections.get_mut(&id) {
            match connection.channel.poll_frame() {
                None => break,
                Some(Ok(Frame::Message(message))) => self.handle_message(now, id, message),
                Some(Ok(Frame::KeepAlive)) => {}
                Some(Ok(Frame::Malformed { error, answer })) => {
                    if let Some(answer) = answer {
                        self.send(now, id, *answer);
                    }
                    self.events.push_back(Event::Malformed {
                        connection: id,
                        reason: error.to_string(),
                    });
                }
                Some(Err(error)) => {
                    let reason = error.to_string();
                    if let ChannelError::Framing(error) = error
                        && let Some(answer) = error.answer
                    {
                        self.send(now, id, *answer);
                    }
                    self.close(id, CloseCause::Stream(reason));
                    break;
                }
            }
        }
        self.settle(now);
    }

    fn handle_message(&mut self, now: Instant, id: ConnectionId, mut message: Message) {
        if !message.is_request() {
            self.handle_client_response(now, id, message);
            return;
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if let Err(refusal) = via::stamp_received(&mut message, &connection.flow(id)) {
            self.drop_message(id, refusal.to_string());
            return;
        }
        if self.negotiate(now, id, &message) {
            return;
        }
        if let Err(refusal) = admit(&message, &self.capabilities) {
            let tag = self.new_tag();
            match refusal.response(&message, Some(&tag)) {
                Some(response) => self.send(now, id, response),
                None => self.drop_message(id, refusal.to_string()),
            }
            return;
        }
        if let Some(caller) = self.authenticate(now, id, &message) {
            self.accept(now, caller, message);
        }
    }

    /// NEGOTIATE of \[MS-SIPCOMP\]; says whether the request was one.
    fn negotiate(&mut self, now: Instant, id: ConnectionId, request: &Message) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        let method = request.method().map_or("", Method::as_str);
        let compression = request.header(HeaderName::Compression);
        if !connection.acceptor.handle_request(method, compression) {
            return false;
        }
        if let Some(answer) = connection.acceptor.poll_transmit() {
            let tag = self.new_tag();
            let mut response = Message::response_to(request, answer.status, Some(&tag));
            response.set_status(answer.status, answer.reason);
            if let Some((_, value)) = answer.header() {
                response.push(HeaderName::Compression, value);
            }
            self.send(now, id, response);
        }
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.acceptor.poll_event().is_some()
        {
            connection.channel.start_compression();
        }
        true
    }

    /// Finds out who sent a request; answers it where that fails.
    fn authenticate(
        &mut self,
        now: Instant,
        id: ConnectionId,
        request: &Message,
    ) -> Option<Caller> {
        let outcome = {
            let verifier = verifier(&self.store);
            self.authentication
                .authenticate(now, id, request, &verifier)
        };
        match outcome {
            Outcome::Accepted {
                identity,
                association,
                established,
            } => {
                if established && !self.store.owns(&identity.account, &identity.aor) {
                    self.authentication.remove(association);
                    let response = self.not_owner(request);
                    self.send(now, id, response);
                    return None;
                }
                let authentication = &self.authentication;
                let connection = self.connections.get_mut(&id)?;
                connection.keep_alive.authenticated();
                if established {
                    connection
                        .endpoints
                        .retain(|old| authentication.identity(old.association).is_some());
                    let epid = request.from_header().ok().and_then(|from| from.epid());
                    connection.associate(Endpoint {
                        association,
                        aor: identity.aor.clone(),
                        epid: epid.map(Into::into),
                    });
                }
                Some(Caller {
                    connection: id,
                    identity,
                })
            }
            Outcome::Challenge(response)
            | Outcome::Overloaded(response)
            | Outcome::Forbidden { response, .. } => {
                self.send(now, id, response);
                None
            }
            Outcome::Discard(reason) => {
                self.drop_message(id, reason.to_string());
                None
            }
        }
    }

    /// Takes a verified request into its transaction and serves what comes of it.
    fn accept(&mut self, now: Instant, caller: Caller, message: Message) {
        let flow = Flow::Stream(caller.connection);
        if let Err(error) = self.layer.handle_message(now, flow, message) {
            self.drop_message(caller.connection, error.to_string());
            return;
        }
        while let Some(event) = self.layer.poll_event() {
            self.handle_transaction(now, Some(&caller), event);
        }
    }

    fn handle_client_response(&mut self, now: Instant, id: ConnectionId, mut response: Message) {
        if let Err(error) = response.check() {
            self.drop_message(id, error.to_string());
            return;
        }
        let association = match self.authentication.verify_response(now, id, &response) {
            Ok(association) => association,
            Err(discard) => {
                self.drop_message(id, discard.to_string());
                return;
            }
        };
        Self::clean(&mut response);
        if let Some(identity) = self.authentication.identity(association) {
            let user = self.store.user(&identity.aor);
            assert_identity(&mut response, &identity.aor, user.as_deref());
        }
        let flow = Flow::Stream(id);
        if let Err(error) = self.layer.handle_message(now, flow, response) {
            self.drop_message(id, error.to_string());
        }
    }

    /// Takes off a client's message what only servers may say, and what was only for this server.
    pub(super) fn clean(message: &mut Message) {
        headers::strip_server_headers(message, false);
        strip_from_client(message);
        message.remove_all(&[HeaderName::Authorization, HeaderName::ProxyAuthorization]);
    }

    /// The account exists, but the address in From is not its own ([MS-OCER] 4004).
    fn not_owner(&mut self, request: &Message) -> Message {
        let tag = self.new_tag();
        let response = Message::response_to(request, 403, Some(&tag));
        DiagnosticsWriter::of_server(ErrorId::NOT_AUTHORIZED_AS_FROM, &self.config.fqdn)
            .on(response)
    }

    /// Serves an event of the transactions. `caller` is there when it is about the request just taken in.
    pub(super) fn handle_transaction(
        &mut self,
        now: Instant,
        caller: Option<&Caller>,
        event: Transaction,
    ) {
        if self.handle_notified(now, &event) {
            return;
        }
        match (event, caller) {
            (Transaction::Request { id, message, .. }, Some(caller)) => {
                self.handle_request(now, caller, id, message);
            }
            (
                Transaction::Ack { message, .. } | Transaction::Benotify { message, .. },
                Some(caller),
            ) => self.relay(now, caller, None, message),
            (Transaction::Cancel { target, .. }, _) => self.cancel_fork(now, target),
            (Transaction::Response { id, message }, _) => {
                self.handle_branch_response(now, id, message);
            }
            (Transaction::Timeout { id }, _) => self.end_branch(now, id, false),
            (Transaction::FlowFailed { id }, _) => self.end_branch(now, id, true),
            (Transaction::Ended { id, .. }, _) => self.cancel_fork(now, id),
            (
                Transaction::Stray {
                    flow: Flow::Stream(id),
                    ..
                },
                _,
            ) => self.drop_message(id, "response to no request of this server".into()),
            // Requests come with their caller.
            _ => {}
        }
    }

    fn handle_request(&mut self, now: Instant, caller: &Caller, id: ServerId, message: Message) {
        if message.method() == Some(&Method::Register) {
            self.register(now, caller, id, message);
        } else {
            self.relay(now, caller, Some(id), message);
        }
    }

    pub(super) fn drop_message(&mut self, connection: ConnectionId, reason: String) {
        self.events.push_back(Event::Dropped { connection, reason });
    }

    /// A tag of a server: 32 hexadecimal digits.
    pub(super) fn new_tag(&mut self) -> String {
        format!("{:016X}{:016X}", self.rng.next_u64(), self.rng.next_u64())
    }
}
