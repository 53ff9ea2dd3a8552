//! What becomes of the branches of a request.

use std::time::Instant;

use ocs_sip_core::transaction::{ClientId, ServerId};
use ocs_sip_core::{HeaderName, Message};
use ocs_sipre::contact::{self, ProxyReplace};
use ocs_sipre::via;

use crate::Store;
use crate::front_end::FrontEnd;

impl<S: Store> FrontEnd<S> {
    /// A response of a branch, verified.
    pub(in crate::front_end) fn handle_branch_response(
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
        // The way back is the caller's to say: whatever the callee made of the other Via values, they are those of the request.
        if !response
            .values(HeaderName::Via)
            .eq(relay.request.values(HeaderName::Via))
        {
            response.remove(HeaderName::Via);
            let vias: Vec<_> = relay.request.values(HeaderName::Via).collect();
            for via in vias.into_iter().rev() {
                response.push_front(HeaderName::Via, via);
            }
        }
        let callee = relay.targets[branch.0].connection;
        let Some(connection) = self.connections.get(&callee) else {
            return;
        };
        let flow = connection.flow(callee);
        if contact::replace_proxy(&mut response, &flow) == ProxyReplace::Discard {
            return;
        }
        if let Some(relay) = self.forks.table.get_mut(&key) {
            relay.fork.handle_response(now, branch, response);
        }
        self.advance(now, key);
    }

    /// A branch got no answer, or its connection is gone.
    pub(in crate::front_end) fn end_branch(
        &mut self,
        now: Instant,
        client: ClientId,
        unreachable: bool,
    ) {
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
    pub(in crate::front_end) fn cancel_fork(&mut self, now: Instant, server: ServerId) {
        if let Some(&key) = self.forks.by_server.get(&server) {
            if let Some(relay) = self.forks.table.get_mut(&key) {
                relay.fork.cancel(now);
            }
            self.advance(now, key);
        }
    }

    pub(in crate::front_end) fn handle_fork_timeouts(&mut self, now: Instant) {
        while let Some(key) = self.forks.timers.pop(now) {
            if let Some(relay) = self.forks.table.get_mut(&key) {
                relay.scheduled = None;
                relay.fork.handle_timeout(now);
            }
            self.advance(now, key);
        }
    }
}
