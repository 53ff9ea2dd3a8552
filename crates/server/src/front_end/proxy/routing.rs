//! Where a request goes, and how each copy of it looks.

use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message, Method};
use ocs_sipae::identity::{self, UserIdentities};
use ocs_sipre::contact::{self, ProxyReplace};
use ocs_sipre::headers;
use ocs_sipre::route::{self, RouteState, Target};
use ocs_sipre::via::OwnVia;
use ocs_sipre::{BindingId, Refusal};
use std::time::Instant;

use super::Destination;
use crate::front_end::FrontEnd;
use crate::front_end::diagnostics::{FOREIGN_REFERRER, NO_ROUTE, NOT_ENABLED, STALE_ROUTE};
use crate::front_end::input::Caller;
use crate::front_end::subscriptions::addressee;
use crate::{Store, User};

impl<S: Store> FrontEnd<S> {
    /// Sends a request of a verified caller on. `id` is absent for what is never answered: ACK and BENOTIFY.
    pub(in crate::front_end) fn relay(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: Option<ServerId>,
        mut request: Message,
    ) {
        let is_routed = request.header(HeaderName::Route).is_some();
        match self.route(caller, &mut request) {
            // An ACK outside the dialogs that go through this server belongs to a refusal: it has done its duty.
            Ok(_) if id.is_none() && !is_routed => {}
            Ok(Some(targets)) => {
                headers::begin_history(&mut request);
                self.dispatch(now, caller, id, request, targets);
            }
            Ok(None) => {
                if let Some(id) = id {
                    self.serve(now, caller, id, &request);
                }
            }
            Err(refusal) => match id {
                Some(id) => self.refuse(now, id, &request, refusal),
                None => self.drop_message(caller.connection, refusal.to_string()),
            },
        }
    }

    /// Cleans a client's request and finds its targets. `None`: the server serves it itself.
    fn route(
        &self,
        caller: &Caller,
        request: &mut Message,
    ) -> Result<Option<Vec<Destination>>, Refusal> {
        let Some(connection) = self.connections.get(&caller.connection) else {
            return Err(Refusal::new(480, "the connection is gone"));
        };
        let flow = connection.flow(caller.connection);
        Self::clean(request);
        let user = self.store.user(&caller.identity.aor);
        assert_identity(request, &caller.identity.aor, user.as_deref());
        headers::sensitivity(request)?;
        route::count_hop(request)?;
        let state = self
            .router
            .process_route(request)
            .map_err(|refusal| match refusal.status {
                403 => STALE_ROUTE,
                _ => refusal,
            })?;
        may_speak(request, &caller.identity.aor)?;
        // Who is disabled begins nothing new; what he has he may end.
        if state.is_none() && !user.is_some_and(|user| user.enabled) {
            return Err(NOT_ENABLED);
        }
        match contact::replace_proxy(request, &flow) {
            ProxyReplace::Refuse(refusal) => return Err(refusal),
            ProxyReplace::Discard => return Err(Refusal::new(400, "malformed Contact")),
            ProxyReplace::Absent | ProxyReplace::Replaced => {}
        }
        let target = self.router.resolve(
            request,
            self.registrar.bindings(),
            state.as_ref(),
            &flow,
            |aor| self.store.user(aor).is_some(),
        );
        match target {
            // Subscriptions and services of a user are the server's, not his endpoints'. In a dialog that goes through here they are the peer's.
            Target::Endpoint(_)
            | Target::Endpoints(_)
            | Target::Refuse(Refusal { status: 480, .. })
                if state.is_none() && is_service(request) && !is_gruu(request) =>
            {
                Ok(None)
            }
            Target::Endpoint(id) => Ok(Some(self.destination(id).into_iter().collect())),
            Target::Endpoints(ids) => Ok(Some(
                ids.into_iter()
                    .filter_map(|id| self.destination(id))
                    .collect(),
            )),
            Target::Connection(connection) => Ok(Some(vec![Destination {
                connection,
                uri: None,
                epid: None,
                q: 1000,
            }])),
            Target::Own => Ok(None),
            Target::Refuse(refusal) => Err(refusal),
            Target::Application(_) if request.method() == Some(&Method::Service) => Ok(None),
            // These refuse all else themselves.
            Target::Application(gruu)
                if self.is_relay_service(&gruu) || self.is_quality_agent(&gruu) =>
            {
                Ok(None)
            }
            Target::Application(_) => Err(Refusal::new(404, "no such application here")),
            Target::Route(_) | Target::Foreign(_) => Err(NO_ROUTE),
            _ => Err(Refusal::new(500, "no rule for this target")),
        }
    }

    pub(in crate::front_end) fn may_sign_in(&self, aor: &Aor) -> bool {
        self.store.user(aor).is_some_and(|user| user.enabled)
    }

    fn destination(&self, id: BindingId) -> Option<Destination> {
        let binding = self.registrar.bindings().get(id)?;
        Some(Destination {
            connection: binding.connection?,
            uri: Some(binding.contact.clone()),
            epid: binding.epid.clone(),
            q: binding.q,
        })
    }

    /// One copy of the request, ready for its connection.
    pub(super) fn branch_request(
        &self,
        request: &Message,
        caller: ConnectionId,
        target: &Destination,
        branch: &str,
        branched: bool,
    ) -> Message {
        let mut message = request.clone();
        if let Some(uri) = &target.uri {
            message.set_request_uri(uri);
        }
        if let Some(epid) = &target.epid {
            route::set_to_epid(&mut message, epid);
        }
        self.router.add_record_route(
            &mut message,
            &RouteState {
                from_home: true,
                to_home: true,
                caller: Some(caller),
                callee: Some(target.connection),
            },
        );
        let transport = self
            .connections
            .get(&target.connection)
            .map_or(self.config.router.transport, |connection| {
                connection.peer.transport
            });
        OwnVia {
            transport,
            sent_by: &self.sent_by,
            branch,
            branched,
            internal_info: None,
        }
        .push(&mut message);
        message
    }
}

/// Puts in what the directory knows of the sender of a message, in place of what he says himself.
pub(in crate::front_end) fn assert_identity(message: &mut Message, aor: &Aor, user: Option<&User>) {
    let uri = aor.to_uri();
    let line = user.and_then(|user| user.line_uri.as_deref());
    let identities = UserIdentities {
        display_name: user.and_then(|user| user.display_name.as_deref()),
        sip: &[&uri],
        tel: line.as_slice(),
    };
    identity::assert_client(message, &identities);
}

/// Requests that a server of this system answers for its users.
fn is_service(request: &Message) -> bool {
    matches!(
        request.method(),
        Some(Method::Subscribe | Method::Service | Method::Publish)
    )
}

fn is_gruu(request: &Message) -> bool {
    request
        .parsed_request_uri()
        .is_ok_and(|uri| uri.as_sip().is_some_and(ocs_sip_core::uri::SipUri::is_gruu))
}

/// For whom a client may speak besides himself: in a SERVICE for whom it is addressed to, and whether he may is the service's to say; else
/// for nobody, until there are delegates in calls and response groups.
///
/// A REFER without Referred-By gets the sender's (RFC 3892, \[MS-SIPAE\] 3.2.4.4).
fn may_speak(request: &mut Message, sender: &Aor) -> Result<(), Refusal> {
    let is_service = request.method() == Some(&Method::Service);
    let addressee = is_service.then(|| addressee(request)).flatten();
    let in_place_of = [
        (headers::session_on_behalf_of(request)?, addressee),
        (headers::agent_on_behalf_of(request)?, None),
    ];
    let speaks_for_others = in_place_of.into_iter().any(|(named, allowed)| {
        named.is_some_and(|named| {
            let aor = named.uri().ok().and_then(|uri| uri.as_sip()?.aor());
            aor.as_ref() != Some(sender) && (aor.is_none() || aor != allowed)
        })
    });
    if speaks_for_others {
        return Err(FOREIGN_REFERRER);
    }
    // In an INVITE the header names who referred its sender: it came from another server of ours and is no claim.
    if request.method() == Some(&Method::Refer) {
        identity::check_referred_by(request, sender).map_err(|_| FOREIGN_REFERRER)?;
    }
    Ok(())
}
