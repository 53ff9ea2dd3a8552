//! The presence of others: subscriptions as [`Watch`](ocs_pres::client::Watch) wants them.

use std::time::Instant;

use ocs_pres::client::{ListId, Order, Presence, Status, Target, WatchEvent};
use ocs_pres::doc::{content_type, event};
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{Aor, HeaderName, Message};

use super::UserAgent;
use super::subscriptions::{Subscribe, Topic};
use crate::Event;

/// The documents that are understood.
const ACCEPT: &str =
    "application/msrtc-event-categories+xml, application/rlmi+xml, multipart/related";

impl UserAgent {
    /// Watches somebody's presence, who need not be a contact. It lasts until [`unwatch`](Self::unwatch), over connections too.
    pub fn watch(&mut self, now: Instant, user: &Aor) {
        self.watched.insert(user.clone());
        self.watch.watch(now, [user.clone()], false);
        self.settle(now);
    }

    /// Asks for somebody's presence every five minutes instead of subscribing to it.
    pub fn poll_presence(&mut self, now: Instant, user: &Aor) {
        self.watched.insert(user.clone());
        self.watch.poll(now, user);
        self.settle(now);
    }

    /// Watches somebody's presence no longer. Contacts are watched nevertheless.
    pub fn unwatch(&mut self, now: Instant, user: &Aor) {
        self.watched.remove(user);
        let contact = self.contacts.list().contact(user.as_str());
        if !contact.is_some_and(ocs_siprege::contacts::Contact::subscribed) {
            self.watch.unwatch(now, user);
        }
        self.settle(now);
    }

    /// What is known of the presence of somebody who is watched.
    #[must_use]
    pub fn presence(&self, of: &Aor) -> Option<&Presence> {
        self.watch.presence(of)
    }

    /// How the subscription to somebody's presence stands.
    #[must_use]
    pub fn watch_status(&self, of: &Aor) -> Option<Status> {
        self.watch.status(of)
    }

    /// A contact is not watched as such any more.
    pub(super) fn unfollow(&mut self, now: Instant, user: &Aor) {
        if !self.watched.contains(user) {
            self.watch.unwatch(now, user);
        }
    }

    pub(super) fn watches_anybody(&self) -> bool {
        self.watch.users().next().is_some()
    }

    pub(super) fn presence_notified(&mut self, now: Instant, list: ListId, message: &Message) {
        if let Ok(Some(kind)) = message.content_type()
            && self
                .watch
                .handle_document(now, list, &kind, message.body())
                .is_err()
        {
            self.dropped += 1;
        }
    }

    pub(super) fn drive_watch(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(order) = self.watch.poll_order() {
            busy = true;
            match order {
                Order::Subscribe {
                    list,
                    target,
                    body,
                    repeat,
                    fetch,
                } => self.subscribe_to_list(now, list, &target, body, repeat, fetch),
                Order::Amend { list, body, repeat } => {
                    if let Some(subscriber) = self.subscriber_mut(&Topic::Presence(list)) {
                        subscriber.send_once(content_type::BATCH_SUB, body);
                        subscriber.set_body(content_type::BATCH_SUB, repeat);
                    }
                }
                Order::End { list } => self.unsubscribe(&Topic::Presence(list)),
            }
        }
        while let Some(event) = self.watch.poll_event() {
            busy = true;
            match event {
                WatchEvent::Changed { of, categories } => {
                    let presence = self.watch.presence(&of);
                    let state = presence.and_then(Presence::state).map(Box::new);
                    let note = presence.and_then(Presence::note);
                    let note = note.and_then(|note| note.body.into_iter().next());
                    self.events.push_back(Event::PresenceChanged {
                        of,
                        categories,
                        state,
                        note: note.map(|body| body.text),
                    });
                }
                WatchEvent::Status { of, status } => {
                    self.events.push_back(Event::WatchChanged { of, status });
                }
                _ => {}
            }
        }
        busy
    }

    fn subscribe_to_list(
        &mut self,
        now: Instant,
        list: ListId,
        target: &Target,
        body: String,
        repeat: String,
        fetch: bool,
    ) {
        let uri = match target {
            Target::Home => self.config.aor.to_uri(),
            Target::Pool(uri) => uri.to_string(),
            Target::User(user) => user.to_uri(),
        };
        // What a server names may be anything.
        if SipUri::parse(&uri).is_err() {
            self.watch.handle_ended(now, list, false, Some(404));
            return;
        }
        let headers: &'static [_] = match target {
            Target::User(_) => &[],
            Target::Home | Target::Pool(_) => &[
                (HeaderName::Require, "adhoclist, categoryList"),
                (HeaderName::Supported, "eventlist"),
            ],
        };
        let mut request = self.new_subscribe(Subscribe {
            target: uri,
            event: event::PRESENCE,
            accept: ACCEPT,
            headers,
            content: Some((content_type::BATCH_SUB, body.into())),
        });
        if fetch {
            request.push(HeaderName::Expires, "0");
        }
        let topic = Topic::Presence(list);
        self.subscribe(now, topic.clone(), request);
        if let Some(subscriber) = self.subscriber_mut(&topic) {
            subscriber.set_body(content_type::BATCH_SUB, repeat);
        }
    }
}
