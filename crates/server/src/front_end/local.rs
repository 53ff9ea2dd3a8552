//! What the server answers itself: REGISTER, and requests to the server.

use std::time::Instant;

use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipre::contact::{self, ProxyReplace};
use ocs_sipre::via::{self, OwnVia};
use ocs_siprege::registrar::{Context, Notify};

use super::FrontEnd;
use super::diagnostics::{self, NOT_ENABLED};
use super::input::Caller;
use crate::Store;

impl<S: Store> FrontEnd<S> {
    pub(super) fn register(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: ServerId,
        mut request: Message,
    ) {
        let tag = self.new_tag();
        let Some(connection) = self.connections.get_mut(&caller.connection) else {
            return;
        };
        let flow = connection.flow(caller.connection);
        if let ProxyReplace::Refuse(refusal) = contact::replace_proxy(&mut request, &flow) {
            self.refuse(now, id, &request, refusal);
            return;
        }
        let keep_alive = connection
            .keep_alive
            .handle_request(request.header(HeaderName::MsKeepAlive))
            .ok()
            .flatten();
        // Who was disabled may still sign out in order.
        let parts = request.number(HeaderName::Expires) == Ok(Some(0));
        let enabled = parts || self.may_sign_in(&caller.identity.aor);
        let mut response = if enabled {
            let context = Context {
                aor: &caller.identity.aor,
                connection: caller.connection,
                tag: &tag,
            };
            self.registrar.handle_register(now, context, &request)
        } else {
            refused(&request, NOT_ENABLED, &tag, &self.config.fqdn)
        };
        if let Some(keep_alive) = keep_alive.filter(|_| response.status() == Some(200)) {
            response.push(HeaderName::MsKeepAlive, &keep_alive.to_string());
        }
        self.respond(now, id, response);
    }

    /// A request to the server itself, or to what it keeps for its users.
    pub(super) fn serve(&mut self, now: Instant, caller: &Caller, id: ServerId, request: &Message) {
        let tag = self.new_tag();
        if let Some(response) = self.relay_service(now, caller, request, &tag) {
            self.respond(now, id, response);
            return;
        }
        if self.is_for_quality_agent(request) {
            self.take_quality_report(now, caller, id, request);
            return;
        }
        let answer = |code| Message::response_to(request, code, Some(&tag));
        let response = match request.method() {
            Some(Method::Options) => {
                let methods = self.capabilities.methods.iter().map(Method::as_str);
                let allow = methods.collect::<Vec<_>>().join(", ");
                answer(200).with(HeaderName::Allow, &allow)
            }
            Some(Method::Subscribe) => {
                self.subscribe(now, caller, id, request);
                return;
            }
            Some(Method::Service) => {
                self.service(now, caller, id, request);
                return;
            }
            Some(Method::Publish) => answer(405),
            _ if request.to_header().is_ok_and(|to| to.tag().is_some()) => answer(481),
            _ => answer(404),
        };
        self.respond(now, id, response);
    }

    /// A NOTIFY of the registrar: Via and Max-Forwards are this server's.
    pub(super) fn notify(&mut self, now: Instant, notify: Notify) {
        let mut message = notify.message;
        self.push_via(notify.connection, &mut message);
        let flow = ocs_sip_core::transaction::Flow::Stream(notify.connection);
        // Nobody waits for the answer: the binding is gone already.
        let _ = self.layer.request(now, flow, message);
    }

    /// Via and Max-Forwards of a request that this server makes itself.
    pub(super) fn push_via(&mut self, connection: ConnectionId, message: &mut Message) {
        let branch = via::new_branch(&mut self.rng);
        if let Some(connection) = self.connections.get(&connection) {
            OwnVia {
                transport: connection.peer.transport,
                sent_by: &self.sent_by,
                branch: &branch,
                branched: false,
                internal_info: None,
            }
            .push(message);
            message.set(HeaderName::MaxForwards, "70");
        }
    }

    pub(super) fn refuse(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Message,
        refusal: ocs_sipre::Refusal,
    ) {
        let tag = self.new_tag();
        let response = refused(request, refusal, &tag, &self.config.fqdn);
        self.respond(now, id, response);
    }

    pub(super) fn respond(&mut self, now: Instant, id: ServerId, response: Message) {
        // The transaction is gone when its connection is: there is nobody to answer.
        let _ = self.layer.respond(now, id, response);
    }
}

/// The response that refuses a request, with its diagnostics.
fn refused(request: &Message, refusal: ocs_sipre::Refusal, tag: &str, fqdn: &str) -> Message {
    let response = Message::response_to(request, refusal.status, Some(tag));
    match diagnostics::of_refusal(&refusal, fqdn) {
        Some(diagnostics) => diagnostics.on(response),
        None => response,
    }
}
