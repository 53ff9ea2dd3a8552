//! Subscriptions of clients to what the server keeps for its users.
//!
//! The table knows dialogs, timers and connections; what a subscription is about is its [`Topic`], which the services read.

mod output;
mod package;
mod subscribe;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use ocs_sip_core::subscription::Notifier;
use ocs_sip_core::transaction::ClientId;
use ocs_sip_core::{Aor, ConnectionId, Message};
use ocs_sipre::Epid;
use rustc_hash::FxHashMap;

use crate::schedule::Schedule;

pub(super) use ocs_pres::server::SubscriptionId;
pub(super) use package::{Package, Policies, Topic};
pub(super) use subscribe::{Opened, addressee, epid_of};

/// One subscription of an endpoint.
#[derive(Debug)]
pub(in crate::front_end) struct Subscription {
    notifier: Notifier,
    pub(in crate::front_end) connection: ConnectionId,
    /// Who subscribed.
    pub(in crate::front_end) watcher: Aor,
    epid: Option<Epid>,
    /// What it is about.
    pub(in crate::front_end) topic: Topic,
    scheduled: Option<Instant>,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(in crate::front_end) struct Subscriptions {
    last: u64,
    table: FxHashMap<SubscriptionId, Box<Subscription>>,
    /// By the tag that the server gave the dialog.
    by_tag: FxHashMap<Box<str>, SubscriptionId>,
    /// NOTIFYs that are not answered.
    by_client: FxHashMap<ClientId, SubscriptionId>,
    /// Those with something to send or to tell, and the documents that some have to be given before.
    ready: VecDeque<(SubscriptionId, Option<Bytes>)>,
    timers: Schedule<SubscriptionId>,
}

impl Subscriptions {
    pub(in crate::front_end) fn len(&self) -> usize {
        self.table.len()
    }

    pub(in crate::front_end) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(in crate::front_end) fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.table.get(&id).map(|subscription| &**subscription)
    }

    /// The subscription of whose dialog a request is a part.
    fn find(&self, request: &Message) -> Option<SubscriptionId> {
        let to = request.to_header().ok()?;
        let id = *self.by_tag.get(to.tag()?)?;
        let subscription = self.table.get(&id)?;
        subscription.notifier.matches(request).then_some(id)
    }

    pub(in crate::front_end) const fn next_id(&mut self) -> SubscriptionId {
        self.last += 1;
        SubscriptionId(self.last)
    }

    fn insert(&mut self, id: SubscriptionId, tag: &str, subscription: Subscription) {
        self.by_tag.insert(tag.into(), id);
        self.table.insert(id, Box::new(subscription));
        self.ready.push_back((id, None));
    }

    /// Gives the machine of a subscription something to do; what comes of it goes out with the next settling.
    pub(in crate::front_end) fn with<R>(
        &mut self,
        id: SubscriptionId,
        act: impl FnOnce(&mut Notifier) -> R,
    ) -> Option<R> {
        let subscription = self.table.get_mut(&id)?;
        self.ready.push_back((id, None));
        Some(act(&mut subscription.notifier))
    }

    /// Takes the document of one user for somebody who watches. It is handed over when its turn comes.
    pub(in crate::front_end) fn deliver(&mut self, id: SubscriptionId, body: &Bytes) {
        self.ready.push_back((id, Some(body.clone())));
    }

    fn hand_over(&mut self, now: Instant, id: SubscriptionId, body: &Bytes) {
        let Some(subscription) = self.table.get_mut(&id) else {
            return;
        };
        if let Topic::Presence(watch) = &subscription.topic {
            let content = watch.change(body);
            subscription.notifier.notify_delta(now, content);
        }
    }

    /// Takes the topic out, to be changed; [`put_topic`](Self::put_topic) puts it back.
    pub(in crate::front_end) fn take_topic(&mut self, id: SubscriptionId) -> Option<Topic> {
        let subscription = self.table.get_mut(&id)?;
        Some(std::mem::replace(&mut subscription.topic, Topic::Once))
    }

    pub(in crate::front_end) fn put_topic(&mut self, id: SubscriptionId, topic: Topic) {
        if let Some(subscription) = self.table.get_mut(&id) {
            subscription.topic = topic;
        }
    }
}
