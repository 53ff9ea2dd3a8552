//! Requests from one user to another: targets, branches, and the answers on their way back.

use std::collections::HashMap;
use std::time::Instant;

use ocs_sip_core::transaction::{ClientId, Flow, ServerId};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipae::identity::{self, UserIdentities};
use ocs_sipre::contact::{self, ProxyReplace};
use ocs_sipre::fork::{Action, BranchId, CancelReason, Config as ForkConfig, Fork};
use ocs_sipre::headers;
use ocs_sipre::route::{self, RouteState, Target};
use ocs_sipre::via::{self, OwnVia};
use ocs_sipre::{BindingId, Epid, Refusal};

use super::FrontEnd;
use super::input::Caller;
use crate::Store;
use crate::schedule::Schedule;

/// Requests under way.
#[derive(Debug, Default)]
pub(super) struct Forks {
    last: u64,
    table: HashMap<u64, Relay>,
    by_client: HashMap<ClientId, (u64, BranchId)>,
    by_server: HashMap<ServerId, u64>,
    timers: Schedule<u64>,
    /// Reason headers for CANCELs that the transaction layer is about to send, by branch.
    cancels: HashMap<String, String>,
}

impl Forks {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }
}

/// A request under way to its targets.
#[derive(Debug)]
struct Relay {
    fork: Fork,
    server: ServerId,
    caller: ConnectionId,
    /// The request as every branch starts from it.
    request: Message,
    targets: Vec<Destination>,
    clients: Vec<Option<(ClientId, String)>>,
    scheduled: Option<Instant>,
}

/// Where one branch goes.
#[derive(Debug, Clone)]
struct Destination {
    connection: ConnectionId,
    /// The Request-URI, if it changes.
    uri: Option<String>,
    epid: Option<Epid>,
    q: u16,
}

impl<S: Store> FrontEnd<S> {
    /// Sends a request of a verified caller on. `id` is absent for what is never answered: ACK and BENOTIFY.
    pub(super) fn relay(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: Option<ServerId>,
        mut request: Message,
    ) {
        match self.route(caller, &mut request) {
            Ok(Some(targets)) => self.dispatch(now, caller, id, request, targets),
            Ok(None) => {
                if let Some(id) = id {
                    self.serve(now, id, &request);
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
        headers::strip_server_headers(request, false);
        identity::assert_client(request, &self.identities(&caller.identity.aor));
        request.retain(|header| {
            !matches!(
                header.name,
                HeaderName::Authorization | HeaderName::ProxyAuthorization
            )
        });
        headers::sensitivity(request)?;
        route::count_hop(request)?;
        let state = self.router.process_route(request)?;
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
            // Subscriptions and services of a user are the server's, not his endpoints'.
            Target::Endpoint(_)
            | Target::Endpoints(_)
            | Target::Refuse(Refusal { status: 480, .. })
                if is_service(request) && !is_gruu(request) =>
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
            Target::Application(_) => Err(Refusal::new(404, "no such application here")),
            Target::Route(_) | Target::Foreign(_) => {
                Err(Refusal::new(404, "no route to other domains"))
            }
            _ => Err(Refusal::new(500, "no rule for this target")),
        }
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

    fn identities(&self, aor: &ocs_sip_core::Aor) -> UserIdentities {
        let user = self.store.user(aor);
        let (display_name, line) =
            user.map_or((None, None), |user| (user.display_name, user.line_uri));
        UserIdentities {
            display_name,
            sip: vec![aor.to_uri()],
            tel: line.into_iter().collect(),
        }
    }

    fn dispatch(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: Option<ServerId>,
        request: Message,
        targets: Vec<Destination>,
    ) {
        let Some(server) = id else {
            // ACK and BENOTIFY have no transaction: each copy just goes.
            for target in targets {
                let branch = via::new_branch(&mut self.rng);
                let message =
                    self.branch_request(&request, caller.connection, &target, &branch, false);
                self.send(now, target.connection, message);
            }
            return;
        };
        let method = request.method().cloned().unwrap_or(Method::Invite);
        if method == Method::Invite {
            let trying = Message::response_to(&request, 100, None);
            self.respond(now, server, trying);
        }
        let preferences: Vec<_> = targets.iter().map(|target| target.q).collect();
        let config = ForkConfig {
            timer_c: self.config.ring,
            ..ForkConfig::default()
        };
        self.forks.last += 1;
        let key = self.forks.last;
        self.forks.by_server.insert(server, key);
        self.forks.table.insert(
            key,
            Relay {
                fork: Fork::new(now, &method, &preferences, config),
                server,
                caller: caller.connection,
                request,
                clients: vec![None; targets.len()],
                targets,
                scheduled: None,
            },
        );
        self.advance(now, key);
    }

    /// One copy of the request, ready for its connection.
    fn branch_request(
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

    /// Does what a fork asks for, until it asks for nothing.
    fn advance(&mut self, now: Instant, key: u64) {
        while let Some(relay) = self.forks.table.get_mut(&key) {
            let Some(action) = relay.fork.poll_action() else {
                break;
            };
            match action {
                Action::Start(branch) => self.start_branch(now, key, branch),
                Action::Forward(response) => {
                    let server = relay.server;
                    self.respond(now, server, *response);
                }
                Action::Respond(status) => {
                    let server = relay.server;
                    let request = relay.request.clone();
                    let tag = self.new_tag();
                    let response = Message::response_to(&request, status, Some(&tag));
                    self.respond(now, server, response);
                }
                Action::Cancel(branch, reason) => self.cancel_branch(now, key, branch, reason),
            }
        }
        let Some(relay) = self.forks.table.get_mut(&key) else {
            return;
        };
        if relay.fork.is_finished() {
            self.finish(key);
        } else {
            let deadline = relay.fork.poll_timeout();
            self.forks.timers.arm(key, &mut relay.scheduled, deadline);
        }
    }

    fn finish(&mut self, key: u64) {
        if let Some(mut relay) = self.forks.table.remove(&key) {
            self.forks.timers.disarm(key, &mut relay.scheduled);
            self.forks.by_server.remove(&relay.server);
            for (client, _) in relay.clients.into_iter().flatten() {
                self.forks.by_client.remove(&client);
            }
        }
    }

    fn start_branch(&mut self, now: Instant, key: u64, id: BranchId) {
        let branch = via::new_branch(&mut self.rng);
        let Some(relay) = self.forks.table.get(&key) else {
            return;
        };
        let target = &relay.targets[id.0];
        let message = self.branch_request(
            &relay.request,
            relay.caller,
            target,
            &branch,
            relay.fork.is_branched(),
        );
        let connection = target.connection;
        let alive = self.connections.contains_key(&connection);
        let started = if alive {
            self.layer
                .request(now, Flow::Stream(connection), message)
                .ok()
        } else {
            None
        };
        let Some(relay) = self.forks.table.get_mut(&key) else {
            return;
        };
        match started {
            Some(client) => {
                relay.clients[id.0] = Some((client, branch));
                self.forks.by_client.insert(client, (key, id));
            }
            None => relay.fork.handle_unreachable(now, id),
        }
    }

    fn cancel_branch(&mut self, now: Instant, key: u64, id: BranchId, reason: CancelReason) {
        let Some(relay) = self.forks.table.get(&key) else {
            return;
        };
        if let Some((client, branch)) = &relay.clients[id.0]
            && self.layer.cancel(now, *client).is_some()
            && let Some(reason) = reason.header()
        {
            self.forks.cancels.insert(branch.clone(), reason);
        }
    }

    /// Adds the reason to a CANCEL that leaves now.
    pub(super) fn finish_cancel(&mut self, mut message: Message) -> Message {
        if message.method() == Some(&Method::Cancel) && !self.forks.cancels.is_empty() {
            let branch = message
                .top_via()
                .ok()
                .and_then(|via| via.branch().map(str::to_owned));
            let reason = branch.and_then(|branch| self.forks.cancels.remove(&branch));
            if let Some(reason) = reason {
                message.push(HeaderName::Reason, &reason);
            }
        }
        message
    }

    /// A response of a branch, verified.
    pub(super) fn handle_branch_response(
        &mut self,
        now: Instant,
        client: ClientId,
        mut response: Message,
    ) {
        let Some(&(key, branch)) = self.forks.by_client.get(&client) else {
            // The answer to a NOTIFY or a CANCEL of this server.
            return;
        };
        if via::pop_own(&mut response, &self.sent_by).is_none() {
            return;
        }
        let Some(relay) = self.forks.table.get(&key) else {
            return;
        };
        let callee = relay.targets[branch.0].connection;
        let Some(connection) = self.connections.get(&callee) else {
            return;
        };
        let flow = connection.flow(callee);
        let aor = connection.endpoints.first().map(|end| end.aor.clone());
        headers::strip_server_headers(&mut response, false);
        if let Some(aor) = aor {
            identity::assert_client(&mut response, &self.identities(&aor));
        }
        response.retain(|header| {
            !matches!(
                header.name,
                HeaderName::Authorization | HeaderName::ProxyAuthorization
            )
        });
        if contact::replace_proxy(&mut response, &flow) == ProxyReplace::Discard {
            return;
        }
        if let Some(relay) = self.forks.table.get_mut(&key) {
            relay.fork.handle_response(now, branch, response);
        }
        self.advance(now, key);
    }

    /// A branch got no answer, or its connection is gone.
    pub(super) fn end_branch(&mut self, now: Instant, client: ClientId, unreachable: bool) {
        let Some((key, branch)) = self.forks.by_client.remove(&client) else {
            return;
        };
        if let Some(relay) = self.forks.table.get_mut(&key) {
            if unreachable {
                relay.fork.handle_unreachable(now, branch);
            } else {
                relay.fork.handle_branch_timeout(now, branch);
            }
        }
        self.advance(now, key);
    }

    /// The caller gave up, or is gone.
    pub(super) fn cancel_fork(&mut self, now: Instant, server: ServerId) {
        if let Some(&key) = self.forks.by_server.get(&server) {
            if let Some(relay) = self.forks.table.get_mut(&key) {
                relay.fork.cancel(now);
            }
            self.advance(now, key);
        }
    }

    pub(super) fn handle_fork_timeouts(&mut self, now: Instant) {
        while let Some(key) = self.forks.timers.pop(now) {
            if let Some(relay) = self.forks.table.get_mut(&key) {
                relay.scheduled = None;
                relay.fork.handle_timeout(now);
            }
            self.advance(now, key);
        }
    }
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
