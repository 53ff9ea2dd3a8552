//! Changes of a user's presence: what the store keeps of them, and who is told.

use std::time::Instant;

use ocs_pres::doc::content_type;
use ocs_pres::server::{Changes, OwnChange, Presentity, Refusal};
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, ConnectionId};
use ocs_xml::to_string;

use super::legacy::pending_content;
use crate::front_end::FrontEnd;
use crate::front_end::services::Refused;
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
    /// Does what somebody asks for with a user's presence, and keeps it: both, or nothing. [`tell`](Self::tell) is the caller's.
    pub(in crate::front_end) fn change_presentity<T>(
        &mut self,
        now: Instant,
        user: &Aor,
        change: impl FnOnce(&mut Presentity) -> Result<(Changes, T), Refusal>,
    ) -> Result<(Changes, T), Refused> {
        let data = self.load(now, user)?;
        let before = data.presentity.clone();
        let (changes, rest) = change(&mut data.presentity)?;
        if changes.is_durable() {
            let document = data.presentity.export();
            self.put_presence(user, before, &[(DocumentKind::Presence, &document)])?;
        }
        Ok((changes, rest))
    }

    /// Keeps documents of a user, or takes back the change of his presence that is in them.
    pub(in crate::front_end) fn put_presence(
        &mut self,
        user: &Aor,
        before: Presentity,
        documents: &[(DocumentKind, &str)],
    ) -> Result<(), Refused> {
        self.put(user, documents).inspect_err(|_| {
            if let Some(data) = self.users.get_mut(user) {
                data.presentity = before;
            }
        })
    }

    /// A change that nobody asked for: it has happened, whether or not the store can keep it.
    pub(in crate::front_end) fn happened(&mut self, now: Instant, user: &Aor, changes: &Changes) {
        if changes.is_durable()
            && let Some(data) = self.users.get(user)
        {
            let document = data.presentity.export();
            // The application knows of the failure; the next change keeps it.
            let _ = self.put(user, &[(DocumentKind::Presence, &document)]);
        }
        self.tell(now, user, changes, None);
    }

    /// Hands a change of a user's presence to his endpoints and to those who watch him.
    pub(in crate::front_end) fn tell(
        &mut self,
        now: Instant,
        user: &Aor,
        changes: &Changes,
        informed: Option<&Informed>,
    ) {
        self.arm_presence(user);
        if changes.is_empty() {
            return;
        }
        self.tell_own(now, user, changes, informed);
        self.tell_pending(now, user, changes);
        self.tell_watchers(user, changes);
    }

    /// Wakes up when the next publication of a user ends.
    pub(super) fn arm_presence(&mut self, user: &Aor) {
        let Some(data) = self.users.get(user) else {
            return;
        };
        let deadline = data.presentity.poll_timeout();
        let mut slot = data.scheduled;
        self.users.timers.arm(user.clone(), &mut slot, deadline);
        if let Some(data) = self.users.get_mut(user) {
            data.scheduled = slot;
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
            |data: &&UserData| !data.pending.is_empty() && !changes.own().subscribers.is_empty();
        let Some(data) = self.users.get(user).filter(waits) else {
            return;
        };
        let content = pending_content(&data.presentity);
        for id in &data.pending {
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
