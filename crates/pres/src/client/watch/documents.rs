//! What servers say of a subscription and in it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::Aor;
use ocs_sip_core::header::ContentType;
use ocs_sip_core::subscription::Reason;

use super::{ListId, Status, Target, Watch, WatchEvent};
use crate::doc::{Categories, Document, Instance, InstanceState, List, ListNotification};

impl Watch {
    /// The request that was on its way is accepted, or the subscription was extended.
    pub fn handle_accepted(&mut self, now: Instant, list: ListId) {
        let Some(found) = self.lists.get_mut(&list) else {
            return;
        };
        found.busy = false;
        found.on_the_way.clear();
        for user in &found.members {
            if let Some(contact) = self.contacts.get_mut(user)
                && contact.list == Some(list)
                && contact.status == Status::Subscribing
            {
                contact.suspect = false;
                contact.become_status(user, Status::Subscribed, &mut self.events);
            }
        }
        self.place(now);
    }

    /// A change of a subscription was refused; the subscription itself goes on.
    pub fn handle_amend_refused(&mut self, now: Instant, list: ListId, status: u16) {
        let Some(found) = self.lists.get_mut(&list) else {
            return;
        };
        found.busy = false;
        let users = std::mem::take(&mut found.on_the_way);
        for user in &users {
            found.members.remove(user);
        }
        self.refuse(now, users, status);
        self.place(now);
    }

    /// A subscription ended. `again`: whoever runs it subscribes anew by itself, with the body that was to be repeated; `status` is
    /// that of a refusal.
    pub fn handle_ended(&mut self, now: Instant, list: ListId, again: bool, status: Option<u16>) {
        let Some(mut found) = self.lists.remove(&list) else {
            return;
        };
        if again {
            found.busy = true;
            for user in &found.members {
                if let Some(contact) = self.contacts.get_mut(user) {
                    contact.become_status(user, Status::Subscribing, &mut self.events);
                }
            }
            self.lists.insert(list, found);
            return;
        }
        let users: Vec<Aor> = found.members.into_iter().chain(found.to_add).collect();
        if found.fetch {
            let at = now + self.config.poll_interval;
            for user in &users {
                if let Some(contact) = self.contacts.get_mut(user) {
                    contact.list = None;
                    contact.at = Some(at);
                }
            }
        } else {
            self.refuse(now, users, status.unwrap_or(481));
        }
        self.place(now);
    }

    /// What becomes of users whose subscription was refused.
    fn refuse(&mut self, now: Instant, users: Vec<Aor>, status: u16) {
        let several = users.len() > 1;
        for user in users {
            match status {
                // One of them cannot be read by the server. Which one is found by asking for each alone.
                400 if several => {
                    if let Some(contact) = self.contacts.get_mut(&user) {
                        contact.list = None;
                        contact.suspect = true;
                        contact.become_status(&user, Status::Idle, &mut self.events);
                    }
                }
                408 | 480 | 481 | 500..=599 => self.put_off(now, &user, Some(Duration::ZERO)),
                _ => self.put_off(now, &user, None),
            }
        }
    }

    /// Takes the body of a 200, NOTIFY or BENOTIFY of a subscription.
    ///
    /// # Errors
    /// When nothing of it can be read.
    pub fn handle_document(
        &mut self,
        now: Instant,
        list: ListId,
        kind: &ContentType<'_>,
        body: &Bytes,
    ) -> Result<(), crate::Error> {
        let notification = ListNotification::parse(kind, body, &self.config.limits)?;
        let Some(found) = self.lists.get_mut(&list) else {
            return Ok(());
        };
        if let Some(said) = &notification.list {
            // BENOTIFYs may overtake each other. This system's own lists all have version 0.
            if said.version < found.version {
                return Ok(());
            }
            found.version = said.version;
        }
        for document in notification.documents {
            match document {
                Document::Categories(categories) => self.categories(list, categories),
                Document::Other { content_type, body } => {
                    self.events.push_back(WatchEvent::Foreign {
                        list,
                        content_type,
                        body,
                    });
                }
                // The others can be used.
                Document::Malformed { .. } => {}
            }
        }
        if let Some(said) = notification.list {
            self.states(now, list, &said);
            self.place(now);
        }
        Ok(())
    }

    /// Only who is in a list can be spoken of in it: a foreign pool knows nothing of others.
    fn categories(&mut self, list: ListId, categories: Categories) {
        let Ok(of) = Aor::parse(&categories.uri) else {
            return;
        };
        let Some(contact) = self.contacts.get_mut(&of) else {
            return;
        };
        if contact.list != Some(list) {
            return;
        }
        contact.failures = 0;
        let changed = contact.presence.merge(categories);
        if !changed.is_empty() {
            self.events.push_back(WatchEvent::Changed {
                of,
                categories: changed,
            });
        }
    }

    fn states(&mut self, now: Instant, list: ListId, said: &List) {
        for resource in &said.resources {
            let (Ok(user), Some(instance)) =
                (Aor::parse(&resource.uri), resource.instances.first())
            else {
                continue;
            };
            if self.contacts.get(&user).and_then(|contact| contact.list) == Some(list) {
                self.state(now, list, &user, instance);
            }
        }
    }

    fn state(&mut self, now: Instant, list: ListId, user: &Aor, instance: &Instance) {
        match &instance.state {
            InstanceState::Active | InstanceState::Pending => {
                if let Some(contact) = self.contacts.get_mut(user)
                    && !contact.polled
                {
                    contact.become_status(user, Status::Subscribed, &mut self.events);
                }
            }
            InstanceState::Terminated => {
                self.forget(list, user);
                let reason = instance.reason.as_deref().and_then(Reason::from_token);
                let again = !matches!(
                    reason,
                    Some(Reason::Rejected | Reason::Noresource | Reason::Invariant)
                );
                self.end_of(now, user, again);
            }
            InstanceState::Resubscribe => {
                let target = self.forget(list, user);
                if target != Some(Target::Home) {
                    // It was sent on already: only once, else it would go round for ever.
                    self.end_of(now, user, true);
                    return;
                }
                if let Some(contact) = self.contacts.get_mut(user)
                    && !contact.polled
                {
                    contact.redirect = Some(match &instance.pool {
                        Some(pool) => Target::Pool(pool.clone()),
                        None => Target::User(user.clone()),
                    });
                    contact.become_status(user, Status::Idle, &mut self.events);
                }
            }
            InstanceState::Other(_) => {}
        }
    }

    /// A user whose subscription ended is tried again later. One who is asked from time to time is asked the next time.
    fn end_of(&mut self, now: Instant, user: &Aor, again: bool) {
        let interval = self.config.poll_interval;
        match self.contacts.get_mut(user) {
            Some(contact) if contact.polled => contact.at = Some(now + interval),
            _ => self.put_off(now, user, again.then_some(Duration::ZERO)),
        }
    }

    /// The server has dropped a user from a list itself. Gives where the list is.
    fn forget(&mut self, list: ListId, user: &Aor) -> Option<Target> {
        if let Some(contact) = self.contacts.get_mut(user) {
            contact.list = None;
        }
        let list = self.lists.get_mut(&list)?;
        list.members.remove(user);
        list.on_the_way.retain(|one| one != user);
        Some(list.target.clone())
    }
}
