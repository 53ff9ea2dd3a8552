//! Who is told of a change, and what the store keeps of it.

use std::time::Instant;

use ocs_pres::doc::content_type;
use ocs_pres::server::{Changes, OwnChange};
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, ConnectionId};
use ocs_xml::to_string;

use crate::front_end::FrontEnd;
use crate::front_end::subscriptions::Topic;
use crate::front_end::users::UserData;
use crate::{DocumentKind, Store};

/// An endpoint that knows most of a change already, because the answer to its own request says it.
#[derive(Debug)]
pub(in crate::front_end) struct Informed {
    pub(in crate::front_end) connection: ConnectionId,
    /// What it does not know yet.
    pub(in crate::front_end) of_the_rest: OwnChange,
}

impl<S: Store> FrontEnd<S> {
    /// Hands a change of a user's presence to his endpoints and to those who watch him, and keeps what is to last.
    pub(in crate::front_end) fn tell(
        &mut self,
        now: Instant,
        user: &Aor,
        changes: &Changes,
        informed: Option<&Informed>,
    ) {
        let Some(data) = self.users.get_mut(user) else {
            return;
        };
        let deadline = data.presentity.poll_timeout();
        let mut slot = data.scheduled;
        self.users.timers.arm(user.clone(), &mut slot, deadline);
        if let Some(data) = self.users.get_mut(user) {
            data.scheduled = slot;
        }
        if changes.is_empty() {
            return;
        }
        if changes.is_durable() {
            self.keep(user);
        }
        self.tell_own(now, user, changes, informed);
        self.tell_pending(now, user, changes);
        self.tell_watchers(user, changes);
    }

    fn keep(&mut self, user: &Aor) {
        if let Some(data) = self.users.get_mut(user) {
            let document = data.presentity.export();
            self.store
                .put_document(user, DocumentKind::Presence, &document);
        }
    }

    fn tell_own(
        &mut self,
        now: Instant,
        user: &Aor,
        changes: &Changes,
        informed: Option<&Informed>,
    ) {
        let Some(data) = self.users.get(user) else {
            return;
        };
        for id in &data.own {
            let Some(subscription) = self.subscriptions.get(*id) else {
                continue;
            };
            let Topic::Own(parts) = subscription.topic else {
                continue;
            };
            let change = match informed {
                Some(informed) if informed.connection == subscription.connection => {
                    &informed.of_the_rest
                }
                _ => changes.own(),
            };
            if let Some(document) = data.presentity.own_document(change, parts) {
                let content = Content::new(content_type::ROAMING_SELF, to_string(&document));
                self.subscriptions
                    .with(*id, |notifier| notifier.notify_delta(now, content));
            }
        }
    }

    /// Clients of 2005 are told of those who wait for an answer.
    fn tell_pending(&mut self, now: Instant, user: &Aor, changes: &Changes) {
        let waits =
            |data: &UserData| !data.pending.is_empty() && !changes.own().subscribers.is_empty();
        if !self.users.get(user).is_some_and(waits) {
            return;
        }
        let content = self.pending_content(now, user);
        for id in self.users.get(user).map_or(&[][..], |data| &data.pending) {
            self.subscriptions
                .with(*id, |notifier| notifier.notify(now, content.clone()));
        }
    }

    /// Each document is written once for all who get the same.
    fn tell_watchers(&mut self, user: &Aor, changes: &Changes) {
        let Some(data) = self.users.get_mut(user) else {
            return;
        };
        let subscriptions = &mut self.subscriptions;
        let presentity = &data.presentity;
        data.watchers.fan_out(presentity, changes, |id, body| {
            subscriptions.deliver(id, body);
        });
    }
}
