//! Which user goes into which subscription.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ocs_sip_core::Aor;

use super::list::{List, body};
use super::{Contact, LONGEST_RETRY, ListId, Order, SINGLES_A_SECOND, Status, Target, Watch};

impl Watch {
    /// Takes a user off his list.
    pub(super) fn leave(&mut self, user: &Aor) {
        let list = self
            .contacts
            .get_mut(user)
            .and_then(|contact| contact.list.take());
        if let Some(list) = list.and_then(|list| self.lists.get_mut(&list)) {
            list.leave(user);
        }
    }

    /// Those who are subscribed to at home already are named once more, because only that prompts them.
    pub(super) fn prompt_again(&mut self, users: &[Aor]) {
        for user in users {
            let list = self.contacts.get(user).and_then(|contact| contact.list);
            if let Some(list) = list.and_then(|list| self.lists.get_mut(&list))
                && list.target == Target::Home
                && list.members.contains(user)
            {
                list.to_add.insert(user.clone());
            }
        }
    }

    /// A user is tried again later, or not at all.
    pub(super) fn put_off(&mut self, now: Instant, user: &Aor, after: Option<Duration>) {
        let retry = self.config.retry;
        let Some(contact) = self.contacts.get_mut(user) else {
            return;
        };
        contact.list = None;
        contact.redirect = None;
        let wait = retry
            .saturating_mul(1 << contact.failures.min(16))
            .min(LONGEST_RETRY);
        contact.failures = contact.failures.saturating_add(1);
        contact.at = after.map(|after| now + after.max(wait));
        let status = if after.is_some() {
            Status::Waiting
        } else {
            Status::Terminated
        };
        contact.become_status(user, status, &mut self.events);
    }

    /// Gives everybody a place, and lists what is to be sent for it.
    pub(super) fn place(&mut self, now: Instant) {
        if !self.online {
            return;
        }
        let mut together: BTreeMap<Target, BTreeSet<Aor>> = BTreeMap::new();
        let mut alone = Vec::new();
        let mut polled = BTreeSet::new();
        for (user, contact) in &mut self.contacts {
            if contact.list.is_some() {
                continue;
            }
            let due = contact.at.is_some_and(|at| at <= now);
            match contact.status {
                Status::Polling if due => {
                    contact.at = None;
                    polled.insert(user.clone());
                }
                Status::Waiting if due => {
                    contact.at = None;
                    contact.become_status(user, Status::Idle, &mut self.events);
                }
                _ => {}
            }
            if contact.status == Status::Idle {
                let target = contact.redirect.clone().unwrap_or(Target::Home);
                if matches!(target, Target::User(_))
                    || (target == Target::Home && !self.config.batched)
                {
                    alone.push((target, user.clone()));
                } else {
                    together.entry(target).or_default().insert(user.clone());
                }
            }
        }
        for (target, users) in together {
            self.place_together(target, users);
        }
        if !polled.is_empty() {
            self.subscribe(Target::Home, polled, true);
        }
        self.place_alone(now, alone);
        self.amend_all();
    }

    fn place_together(&mut self, target: Target, mut users: BTreeSet<Aor>) {
        let found = self
            .lists
            .iter()
            .find(|(_, list)| list.target == target && !list.fetch)
            .map(|(id, _)| *id);
        let id = if let Some(id) = found {
            id
        } else {
            // One who may be the cause of a refusal does not begin a list with others.
            let suspect = |user: &Aor| self.contacts.get(user).is_some_and(|one| one.suspect);
            let mut first: BTreeSet<Aor> = users
                .iter()
                .filter(|user| !suspect(user))
                .cloned()
                .collect();
            if first.is_empty() {
                first.extend(users.first().cloned());
            }
            users.retain(|user| !first.contains(user));
            self.subscribe(target, first, false)
        };
        for user in &users {
            if let Some(contact) = self.contacts.get_mut(user) {
                contact.list = Some(id);
                contact.become_status(user, Status::Subscribing, &mut self.events);
            }
        }
        if let Some(list) = self.lists.get_mut(&id) {
            for user in &users {
                list.to_remove.remove(user);
            }
            list.to_add.append(&mut users);
        }
    }

    /// Subscriptions for one user each; at a server that takes no others, not all at once.
    fn place_alone(&mut self, now: Instant, users: Vec<(Target, Aor)>) {
        for (target, user) in users {
            if target == Target::Home {
                if self.next_single.is_some_and(|at| at > now) {
                    continue;
                }
                self.next_single = Some(now + Duration::from_secs(1) / SINGLES_A_SECOND);
            }
            self.subscribe(target, BTreeSet::from([user]), false);
        }
    }

    /// When the next subscription for one user may go out, if one waits.
    pub(super) fn next_single(&self) -> Option<Instant> {
        let waits = |contact: &Contact| contact.status == Status::Idle && contact.list.is_none();
        self.next_single
            .filter(|_| self.contacts.values().any(waits))
    }

    fn subscribe(&mut self, target: Target, users: BTreeSet<Aor>, fetch: bool) -> ListId {
        let id = ListId(self.next_list);
        self.next_list += 1;
        let mut resources = Vec::with_capacity(users.len());
        for user in &users {
            let mut added = false;
            if let Some(contact) = self.contacts.get_mut(user) {
                contact.list = Some(id);
                // A list that is asked for instead of another prompts nobody.
                added = std::mem::take(&mut contact.added) && target == Target::Home;
                if !fetch {
                    contact.become_status(user, Status::Subscribing, &mut self.events);
                }
            }
            resources.push((user, added));
        }
        let own = &self.config.own;
        let categories = &self.config.categories;
        let repeat = body(own, categories, users.iter().map(|user| (user, false)), []);
        let body = body(own, categories, resources, []);
        self.orders.push_back(Order::Subscribe {
            list: id,
            target: target.clone(),
            body,
            repeat,
            fetch,
        });
        self.lists.insert(id, List::new(target, users, fetch));
        id
    }

    /// Tells the server who came to a list and who left it.
    fn amend_all(&mut self) {
        let own = &self.config.own;
        let categories = &self.config.categories;
        let mut ended = Vec::new();
        for (id, list) in &mut self.lists {
            if list.busy {
                continue;
            }
            if list.is_empty() {
                ended.push(*id);
                self.orders.push_back(Order::End { list: *id });
                continue;
            }
            let suspect = |user: &&Aor| self.contacts.get(*user).is_some_and(|one| one.suspect);
            let mut add: Vec<Aor> = list
                .to_add
                .iter()
                .filter(|user| !suspect(user))
                .cloned()
                .collect();
            if add.is_empty() {
                add.extend(list.to_add.first().cloned());
            }
            let remove = std::mem::take(&mut list.to_remove);
            if add.is_empty() && remove.is_empty() {
                continue;
            }
            let mut resources = Vec::with_capacity(add.len());
            for user in &add {
                list.to_add.remove(user);
                list.members.insert(user.clone());
                let contact = self.contacts.get_mut(user);
                let added = contact.is_some_and(|contact| std::mem::take(&mut contact.added));
                resources.push((user, added));
            }
            let members = list.members.iter().map(|user| (user, false));
            let repeat = body(own, categories, members, []);
            let body = body(own, categories, resources, &remove);
            list.on_the_way = add;
            list.busy = true;
            self.orders.push_back(Order::Amend {
                list: *id,
                body,
                repeat,
            });
        }
        for id in ended {
            self.lists.remove(&id);
        }
    }
}
