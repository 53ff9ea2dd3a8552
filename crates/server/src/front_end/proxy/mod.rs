//! Requests from one user to another: targets, branches, and the answers on their way back.

mod branches;
mod routing;

use std::collections::HashMap;
use std::time::Instant;

use ocs_sip_core::transaction::{ClientId, Flow, ServerId};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipre::Epid;
use ocs_sipre::fork::{Action, BranchId, CancelReason, Config as ForkConfig, Fork};
use ocs_sipre::via;
use rustc_hash::FxHashMap;

use super::FrontEnd;
use super::input::Caller;
use crate::Store;
use crate::schedule::Schedule;

pub(super) use routing::assert_identity;

/// Requests under way.
#[derive(Debug, Default)]
pub(super) struct Forks {
    last: u64,
    table: FxHashMap<u64, Relay>,
    by_client: FxHashMap<ClientId, (u64, BranchId)>,
    by_server: FxHashMap<ServerId, u64>,
    timers: Schedule<u64>,
    /// Reason headers for CANCELs that the transaction layer is about to send, by branch.
    cancels: HashMap<String, String>,
}

impl Forks {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
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
}
