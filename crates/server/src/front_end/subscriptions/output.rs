//! Notifications on their way out, and the answers to them.

use std::time::Instant;

use ocs_sip_core::subscription::NotifierEvent;
use ocs_sip_core::transaction::{Event, Flow};
use ocs_sip_core::{Aor, ConnectionId, Message, Method};
use ocs_sipre::binding::Binding;

use super::{Subscription, SubscriptionId};
use crate::Store;
use crate::front_end::FrontEnd;

impl<S: Store> FrontEnd<S> {
    /// Sends what subscriptions have ready; says whether there was something.
    pub(in crate::front_end) fn drive_subscriptions(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some((id, change)) = self.subscriptions.ready.pop_front() {
            busy = true;
            if let Some(body) = change {
                self.subscriptions.hand_over(now, id, &body);
            }
            self.drive_subscription(now, id);
            // One message at a time is made, signed and written, while it is in the caches of the processor.
            self.send_all(now);
        }
        busy
    }

    fn drive_subscription(&mut self, now: Instant, id: SubscriptionId) {
        while let Some(subscription) = self.subscriptions.table.get_mut(&id) {
            if let Some(message) = subscription.notifier.poll_transmit() {
                self.notify_subscriber(now, id, message);
                continue;
            }
            match subscription.notifier.poll_event() {
                Some(NotifierEvent::Overrun) => self.send_full_state(now, id),
                Some(NotifierEvent::Ended(_)) => self.end_subscription(id),
                _ => {
                    let deadline = subscription.notifier.poll_timeout();
                    let slot = &mut subscription.scheduled;
                    self.subscriptions.timers.arm(id, slot, deadline);
                    break;
                }
            }
        }
    }

    fn notify_subscriber(&mut self, now: Instant, id: SubscriptionId, mut message: Message) {
        let Some(subscription) = self.subscriptions.table.get(&id) else {
            return;
        };
        let connection = subscription.connection;
        // The Contact of a SUBSCRIBE is a GRUU, which only this server understands: it is resolved here.
        if let Some(binding) = self.binding_of(subscription) {
            message.set_request_uri(&binding.contact.clone());
        }
        self.push_via(connection, &mut message);
        let flow = Flow::Stream(connection);
        if message.method() == Some(&Method::Benotify) {
            self.layer.send(flow, message);
        } else if let Ok(client) = self.layer.request(now, flow, message) {
            self.subscriptions.by_client.insert(client, id);
        }
    }

    /// The registration of the endpoint that subscribed.
    fn binding_of(&self, subscription: &Subscription) -> Option<&Binding> {
        self.registrar
            .bindings()
            .of_user(&subscription.watcher)
            .map(|(_, binding)| binding)
            .find(|binding| {
                binding.connection == Some(subscription.connection)
                    && binding.epid == subscription.epid
            })
    }

    /// What became of a NOTIFY; says whether the event was about one.
    pub(in crate::front_end) fn handle_notified(&mut self, now: Instant, event: &Event) -> bool {
        let (client, response) = match event {
            Event::Response { id, message } => (id, Some(message)),
            Event::Timeout { id } | Event::FlowFailed { id } => (id, None),
            _ => return false,
        };
        let Some(&id) = self.subscriptions.by_client.get(client) else {
            return false;
        };
        if response.is_some_and(|response| response.status().is_some_and(|status| status < 200)) {
            return true;
        }
        self.subscriptions.by_client.remove(client);
        self.subscriptions.with(id, |notifier| match response {
            Some(response) => notifier.handle_response(now, response),
            None => notifier.handle_no_response(),
        });
        true
    }

    /// Does what is due.
    pub(in crate::front_end) fn handle_subscription_timeouts(&mut self, now: Instant) {
        while let Some(id) = self.subscriptions.timers.pop(now) {
            if let Some(subscription) = self.subscriptions.table.get_mut(&id) {
                subscription.scheduled = None;
            }
            self.subscriptions
                .with(id, |notifier| notifier.handle_timeout(now));
        }
    }

    /// Forgets a subscription, and what the services keep of it.
    pub(super) fn end_subscription(&mut self, id: SubscriptionId) {
        let Some(mut subscription) = self.subscriptions.table.remove(&id) else {
            return;
        };
        let slot = &mut subscription.scheduled;
        self.subscriptions.timers.disarm(id, slot);
        let tag = &subscription.notifier.dialog().id().local_tag;
        self.subscriptions.by_tag.remove(tag.as_str());
        if let Some(connection) = self.connections.get_mut(&subscription.connection) {
            connection.subscriptions.retain(|other| *other != id);
        }
        self.detach(id, &subscription);
    }

    /// Ends all subscriptions of a connection, without a word: nobody is there to hear it.
    pub(in crate::front_end) fn end_subscriptions_of(
        &mut self,
        subscriptions: Vec<SubscriptionId>,
    ) {
        for id in subscriptions {
            self.end_subscription(id);
        }
    }

    /// Ends the subscriptions of an endpoint that is no longer registered.
    pub(in crate::front_end) fn end_subscriptions_of_endpoint(
        &mut self,
        aor: &Aor,
        connection: ConnectionId,
        epid: Option<&ocs_sipre::Epid>,
    ) {
        let Some(entry) = self.connections.get(&connection) else {
            return;
        };
        let theirs: Vec<_> = entry
            .subscriptions
            .iter()
            .copied()
            .filter(|id| {
                self.subscriptions.get(*id).is_some_and(|subscription| {
                    subscription.watcher == *aor && subscription.epid.as_ref() == epid
                })
            })
            .collect();
        self.end_subscriptions_of(theirs);
    }
}
