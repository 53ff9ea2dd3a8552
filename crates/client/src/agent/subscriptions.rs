//! Subscriptions: many [`Subscriber`]s over the one connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_pres::client::ListId;
use ocs_sip_core::subscription::{
    Action, EndCause, MS_BENOTIFY, MS_PIGGYBACK_FIRST_NOTIFY, Subscriber, SubscriberEvent,
    SubscriberTimers,
};
use ocs_sip_core::{HeaderName, Message, Method};

use super::UserAgent;
use super::sending::Purpose;
use super::services::explanation;

/// Wait before a subscription that failed is tried again; doubled with each failure ([MS-PRES]: UCMA waits 10 s).
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest such wait ([MS-PRES]: what failed is tried again after about 15 minutes).
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// What is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The server's configuration.
    Provisioning,
    /// The contact list.
    Contacts,
    /// The user's own presence.
    Own,
    /// That of others.
    Presence(ListId),
}

/// A subscription to begin.
#[derive(Debug)]
pub(super) struct Subscribe {
    /// Request-URI and To.
    pub(super) target: String,
    pub(super) event: &'static str,
    pub(super) accept: &'static str,
    /// Further headers.
    pub(super) headers: &'static [(HeaderName, &'static str)],
    pub(super) content: Option<(&'static str, Bytes)>,
}

#[derive(Debug)]
struct Subscription {
    subscriber: Subscriber,
    serial: u64,
    /// Whether it begins anew after an end that was not wished for.
    keep: bool,
    /// Since when it is accepted.
    accepted_at: Option<Instant>,
    /// Ends that came at once or soon, one after the other.
    failures: u32,
    again_at: Option<Instant>,
    /// Why the last SUBSCRIBE was refused, in the words of the server.
    reason: String,
}

impl Subscription {
    fn poll_timeout(&self) -> Option<Instant> {
        self.subscriber
            .poll_timeout()
            .into_iter()
            .chain(self.again_at)
            .min()
    }

    /// When to subscribe anew, if at all.
    fn retry(&mut self, now: Instant, action: Action) -> Option<Instant> {
        if !self.keep {
            return None;
        }
        let lived = self.accepted_at.take();
        if lived.is_some_and(|since| now - since >= FIRST_WAIT) {
            self.failures = 0;
        }
        let wait = FIRST_WAIT
            .saturating_mul(1 << self.failures.saturating_sub(1).min(16))
            .min(LONGEST_WAIT);
        let at = match action {
            Action::Never => return None,
            // At once, but not again and again.
            Action::ResubscribeNow if self.failures == 0 => now,
            Action::ResubscribeNow | Action::MayResubscribe => now + wait,
            Action::ResubscribeAfter(after) => now + after.max(wait),
        };
        self.failures = self.failures.saturating_add(1);
        Some(at)
    }
}

/// All subscriptions of a user agent.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: BTreeMap<Topic, Subscription>,
    /// Those that may have something to send or to tell.
    touched: VecDeque<Topic>,
    next_serial: u64,
}

impl Subscriptions {
    fn touch(&mut self, topic: &Topic) -> Option<&mut Subscription> {
        let found = self.all.get_mut(topic)?;
        if !self.touched.contains(topic) {
            self.touched.push_back(topic.clone());
        }
        Some(found)
    }

    fn next_serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let is_due =
            |subscription: &Subscription| subscription.poll_timeout().is_some_and(|at| at <= now);
        let due = self
            .all
            .iter()
            .filter(|(_, subscription)| is_due(subscription));
        let due: Vec<Topic> = due.map(|(topic, _)| topic.clone()).collect();
        for topic in due {
            self.touch(&topic);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.all
            .values()
            .filter_map(Subscription::poll_timeout)
            .min()
    }

    /// The dialogs are gone with the connection or the registration.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.touched.clear();
    }
}

impl UserAgent {
    /// A SUBSCRIBE that offers all that this system knows.
    pub(super) fn new_subscribe(&mut self, subscribe: Subscribe) -> Message {
        let mut request = self.new_bare_subscribe(&subscribe.target);
        request.push(HeaderName::Event, subscribe.event);
        request.push(HeaderName::Accept, subscribe.accept);
        for (name, value) in [
            (HeaderName::Supported, MS_BENOTIFY),
            (HeaderName::ProxyRequire, MS_BENOTIFY),
            (HeaderName::Supported, MS_PIGGYBACK_FIRST_NOTIFY),
        ]
        .iter()
        .chain(subscribe.headers)
        {
            request.push(*name, value);
        }
        if let Some((content_type, body)) = subscribe.content {
            request.set_body(content_type, body);
        }
        request
    }

    /// A SUBSCRIBE without event.
    pub(super) fn new_bare_subscribe(&mut self, target: &str) -> Message {
        let contact = self.contact();
        let mut request = self.new_request(Method::Subscribe, target);
        request.push(HeaderName::UserAgent, &self.config.user_agent);
        request.push(HeaderName::Contact, &contact);
        request
    }

    /// Subscribes with a request that is a SUBSCRIBE; with Expires 0 the state is wanted once only. What was subscribed to under
    /// this topic before ends.
    pub(super) fn subscribe(&mut self, now: Instant, topic: Topic, request: Message) {
        if let Some(mut old) = self.subscriptions.all.remove(&topic) {
            old.subscriber.unsubscribe();
            while let Some(end) = old.subscriber.poll_transmit() {
                self.send_request(now, end, Purpose::Parting);
            }
        }
        let keep = request.header(HeaderName::Expires) != Some("0");
        // A request that is made here has all that a subscription needs.
        let Ok(subscriber) = Subscriber::new(request, SubscriberTimers::default()) else {
            return;
        };
        let subscription = Subscription {
            subscriber,
            serial: self.subscriptions.next_serial(),
            keep,
            accepted_at: None,
            failures: 0,
            again_at: None,
            reason: String::new(),
        };
        self.subscriptions.all.insert(topic.clone(), subscription);
        self.subscriptions.touch(&topic);
    }

    /// Whether there is a subscription, or one that is made anew.
    pub(super) fn has_subscription(&self, topic: &Topic) -> bool {
        self.subscriptions.all.contains_key(topic)
    }

    /// The machine of a subscription, to change what it sends.
    pub(super) fn subscriber_mut(&mut self, topic: &Topic) -> Option<&mut Subscriber> {
        Some(&mut self.subscriptions.touch(topic)?.subscriber)
    }

    /// Ends a subscription that is not wanted any more.
    pub(super) fn unsubscribe(&mut self, topic: &Topic) {
        if let Some(subscription) = self.subscriptions.touch(topic) {
            subscription.keep = false;
            subscription.subscriber.unsubscribe();
            if subscription.again_at.is_some() {
                self.subscriptions.all.remove(topic);
            }
        }
    }

    /// Ends all of them: the user signs out.
    pub(super) fn unsubscribe_all(&mut self, now: Instant) {
        let topics: Vec<Topic> = self.subscriptions.all.keys().cloned().collect();
        for topic in topics {
            self.unsubscribe(&topic);
        }
        self.drive_subscriptions(now);
    }

    pub(super) fn subscription_response(
        &mut self,
        now: Instant,
        topic: &Topic,
        serial: u64,
        response: Message,
    ) {
        if let Some(subscription) = self.subscriptions.touch(topic)
            && subscription.serial == serial
        {
            if response.status().is_some_and(|status| status >= 300) {
                subscription.reason = explanation(&response);
            }
            subscription.subscriber.handle_response(now, response);
        }
    }

    pub(super) fn subscription_no_response(&mut self, topic: &Topic, serial: u64) {
        if let Some(subscription) = self.subscriptions.touch(topic)
            && subscription.serial == serial
        {
            subscription.reason.clear();
            subscription.subscriber.handle_no_response();
        }
    }

    /// The subscription that a NOTIFY or BENOTIFY belongs to.
    pub(super) fn subscription_of(&self, message: &Message) -> Option<Topic> {
        let mut all = self.subscriptions.all.iter();
        let (topic, _) = all.find(|(_, subscription)| subscription.subscriber.matches(message))?;
        Some(topic.clone())
    }

    /// Takes a NOTIFY or BENOTIFY of a subscription and gives the answer to a NOTIFY.
    pub(super) fn handle_notification(
        &mut self,
        now: Instant,
        topic: &Topic,
        message: Message,
    ) -> Option<Message> {
        let subscription = self.subscriptions.touch(topic)?;
        subscription.subscriber.handle_notify(now, message)
    }

    pub(super) fn drive_subscriptions(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(topic) = self.subscriptions.touched.pop_front() {
            busy = true;
            self.drive_subscription(now, &topic);
        }
        busy
    }

    fn drive_subscription(&mut self, now: Instant, topic: &Topic) {
        self.resubscribe_if_due(now, topic);
        while let Some(subscription) = self.subscriptions.all.get_mut(topic) {
            if let Some(event) = subscription.subscriber.poll_event() {
                self.subscription_event(now, topic, event);
            } else if let Some(request) = subscription.subscriber.poll_transmit() {
                let purpose = Purpose::Subscription {
                    topic: topic.clone(),
                    serial: subscription.serial,
                };
                if self.send_request(now, request, purpose).is_none() {
                    // There is no connection; what hangs on it is forgotten with it.
                    return;
                }
            } else {
                return;
            }
        }
    }

    fn resubscribe_if_due(&mut self, now: Instant, topic: &Topic) {
        let (call_id, tag) = (self.hex(16), self.hex(5));
        let serial = self.subscriptions.next_serial();
        if let Some(subscription) = self.subscriptions.all.get_mut(topic) {
            subscription.subscriber.handle_timeout(now);
            if subscription.again_at.take_if(|at| *at <= now).is_some() {
                subscription.serial = serial;
                let _ = subscription.subscriber.restart(&call_id, &tag);
            }
        }
    }

    fn subscription_event(&mut self, now: Instant, topic: &Topic, event: SubscriberEvent) {
        match event {
            SubscriberEvent::Active { .. } => {
                if let Some(subscription) = self.subscriptions.all.get_mut(topic) {
                    subscription.accepted_at.get_or_insert(now);
                }
                self.subscription_accepted(now, topic);
            }
            SubscriberEvent::Notification { message, .. } => {
                self.subscription_notified(now, topic, &message);
            }
            SubscriberEvent::RefreshFailed { code } => {
                self.subscription_not_refreshed(now, topic, code);
            }
            SubscriberEvent::Ended { cause, action } => {
                self.subscription_over(now, topic, cause, action);
            }
        }
    }

    fn subscription_over(&mut self, now: Instant, topic: &Topic, cause: EndCause, action: Action) {
        let Some(subscription) = self.subscriptions.all.get_mut(topic) else {
            return;
        };
        let again = subscription.retry(now, action);
        let reason = std::mem::take(&mut subscription.reason);
        match again {
            Some(at) => {
                subscription.again_at = Some(at);
                // What is due now is done in this round.
                self.subscriptions.touch(topic);
            }
            None => {
                self.subscriptions.all.remove(topic);
            }
        }
        self.subscription_ended(now, topic, cause, again.is_some(), reason);
    }
}
