//! The documents of subscriptions: where they are registered, and what their full state is.

use std::time::Instant;

use ocs_pres::doc::{RoamingList, content_type};
use ocs_pres::server::Parts;
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, Message};
use ocs_siprege::{acl, contacts};
use ocs_xml::{from_slice, to_string};

use super::Refused;
use crate::Store;
use crate::front_end::FrontEnd;
use crate::front_end::presence::pending_content;
use crate::front_end::subscriptions::{Subscription, SubscriptionId, Topic};
use crate::front_end::users::UserData;

/// The list of a user's own subscriptions that a topic belongs into.
fn own_list<'a>(data: &'a mut UserData, topic: &Topic) -> Option<&'a mut Vec<SubscriptionId>> {
    match topic {
        Topic::Contacts => Some(&mut data.contacts),
        Topic::AccessList => Some(&mut data.access_lists),
        Topic::Own(_) => Some(&mut data.own),
        Topic::Pending => Some(&mut data.pending),
        Topic::Once | Topic::Presence(_) => None,
    }
}

impl<S: Store> FrontEnd<S> {
    /// Registers a subscription with the data that it is about, which its first document brought into memory. Those of others are
    /// registered already.
    pub(in crate::front_end) fn attach(&mut self, id: SubscriptionId) {
        if let Some(subscription) = self.subscriptions.get(id)
            && let Some(data) = self.users.get_mut(&subscription.watcher)
            && let Some(list) = own_list(data, &subscription.topic)
        {
            list.push(id);
        }
    }

    /// Takes back what a subscription registered.
    pub(in crate::front_end) fn detach(&mut self, id: SubscriptionId, subscription: &Subscription) {
        self.detach_topic(id, &subscription.watcher, &subscription.topic);
    }

    pub(in crate::front_end) fn detach_topic(
        &mut self,
        id: SubscriptionId,
        user: &Aor,
        topic: &Topic,
    ) {
        if let Topic::Presence(watch) = topic {
            for watched in watch.users() {
                self.unwatch(id, watched);
            }
        }
        if let Some(data) = self.users.get_mut(user) {
            if let Some(list) = own_list(data, topic) {
                list.retain(|other| *other != id);
            }
            self.users.release(user);
        }
    }

    /// A refresh that asks for something else than before; gives what is new.
    pub(in crate::front_end) fn change_topic(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        request: &Message,
    ) -> Result<Option<Content>, Refused> {
        let limits = self.config.documents;
        let Some(mut topic) = self.subscriptions.take_topic(id) else {
            return Ok(None);
        };
        let changed = match &mut topic {
            Topic::Own(parts) => match from_slice::<RoamingList>(request.body(), &limits) {
                Ok(list) => {
                    *parts = Parts::from(&list);
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            },
            Topic::Presence(watch) => self.change_presence(now, id, watch, request),
            _ => Ok(None),
        };
        self.subscriptions.put_topic(id, topic);
        changed
    }

    /// The whole state of what a subscription is about. The subscription keeps that in memory.
    pub(in crate::front_end) fn full_state(&mut self, id: SubscriptionId) -> Content {
        let Some(subscription) = self.subscriptions.get(id) else {
            return Content::default();
        };
        let user = subscription.watcher.clone();
        let Some(topic) = self.subscriptions.take_topic(id) else {
            return Content::default();
        };
        let content = match (&topic, self.users.get(&user)) {
            (Topic::Presence(watch), _) => {
                let seen = self.watched(watch);
                self.watch_content(watch, seen).unwrap_or_default()
            }
            (Topic::Contacts, Some(data)) => {
                Content::new(contacts::CONTENT_TYPE, data.roster.export())
            }
            (Topic::AccessList, Some(data)) => {
                Content::new(acl::CONTENT_TYPE, data.access.export())
            }
            (Topic::Own(parts), Some(data)) => {
                let document = data.presentity.full_document(*parts);
                Content::new(content_type::ROAMING_SELF, to_string(&document))
            }
            (Topic::Pending, Some(data)) => pending_content(&data.presentity),
            (Topic::Once, _) | (_, None) => Content::default(),
        };
        self.subscriptions.put_topic(id, topic);
        content
    }
}
