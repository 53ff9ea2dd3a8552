//! What the server has in memory of users who are here, or are watched by somebody who is.

use std::sync::Arc;
use std::time::Instant;

use ocs_pres::server::{Policy, Presentity, SubscriptionId, Watchers};
use ocs_sip_core::{Aor, WallClock};
use ocs_siprege::acl::AccessList;
use ocs_siprege::contacts::Roster;
use rustc_hash::FxHashMap;

use super::FrontEnd;
use super::services::Refused;
use crate::schedule::Schedule;
use crate::{DocumentKind, Event, Store};

/// The data of one user, and who has subscribed to them.
#[derive(Debug)]
pub(super) struct UserData {
    pub(super) roster: Roster,
    pub(super) access: AccessList,
    pub(super) presentity: Presentity,
    /// Those who watch him.
    pub(super) watchers: Watchers,
    /// Subscriptions of his own endpoints, by package.
    pub(super) contacts: Vec<SubscriptionId>,
    pub(super) access_lists: Vec<SubscriptionId>,
    pub(super) own: Vec<SubscriptionId>,
    pub(super) pending: Vec<SubscriptionId>,
    pub(super) scheduled: Option<Instant>,
}

impl UserData {
    /// Whether nobody needs it in memory.
    fn is_idle(&self) -> bool {
        self.presentity.endpoints().is_empty()
            && self.watchers.is_empty()
            && [&self.contacts, &self.access_lists, &self.own, &self.pending]
                .into_iter()
                .all(Vec::is_empty)
    }
}

/// The users in memory.
#[derive(Debug)]
pub(super) struct Users {
    table: FxHashMap<Aor, Box<UserData>>,
    pub(super) timers: Schedule<Aor>,
    policy: Arc<Policy>,
    clock: WallClock,
}

impl Users {
    pub(super) fn new(policy: Policy, clock: WallClock) -> Self {
        Self {
            table: FxHashMap::default(),
            timers: Schedule::default(),
            policy: Arc::new(policy),
            clock,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    pub(super) fn get_mut(&mut self, user: &Aor) -> Option<&mut UserData> {
        self.table.get_mut(user).map(|data| &mut **data)
    }

    pub(super) fn get(&self, user: &Aor) -> Option<&UserData> {
        self.table.get(user).map(|data| &**data)
    }

    /// Lets go of a user whom nobody needs in memory. The store has all that is to last.
    pub(super) fn release(&mut self, user: &Aor) {
        if let Some(data) = self.table.get_mut(user)
            && data.is_idle()
        {
            self.timers.disarm(user.clone(), &mut data.scheduled);
            self.table.remove(user);
        }
    }
}

impl<S: Store> FrontEnd<S> {
    /// The data of a user, read from the store when they are not in memory.
    pub(super) fn load(&mut self, now: Instant, user: &Aor) -> Result<&mut UserData, Refused> {
        if !self.users.table.contains_key(user) {
            let data = self.read_user(now, user)?;
            self.users.table.insert(user.clone(), Box::new(data));
            self.begin_presence(now, user);
        }
        Ok(self
            .users
            .get_mut(user)
            .expect("it was there or was just put there"))
    }

    /// Keeps documents of a user, all or none.
    pub(super) fn put(
        &mut self,
        user: &Aor,
        documents: &[(DocumentKind, &str)],
    ) -> Result<(), Refused> {
        let kept = self.store.put_documents(user, documents);
        kept.map_err(|error| {
            let kind = documents
                .first()
                .map_or(DocumentKind::Presence, |one| one.0);
            self.store_failed(user, kind, &error)
        })
    }

    fn store_failed(&mut self, user: &Aor, kind: DocumentKind, error: &S::Error) -> Refused {
        self.events.push_back(Event::StoreFailed {
            aor: user.clone(),
            kind,
            reason: error.to_string(),
        });
        Refused::store_failed()
    }

    fn read_document(&mut self, user: &Aor, kind: DocumentKind) -> Result<Option<String>, Refused> {
        let document = self.store.document(user, kind);
        document.map_err(|error| self.store_failed(user, kind, &error))
    }

    /// Nothing is read in part: what is missing would be gone with the next change.
    fn read_user(&mut self, now: Instant, user: &Aor) -> Result<UserData, Refused> {
        let limits = ocs_xml::Limits {
            size: usize::MAX,
            ..self.config.documents
        };
        let mut damaged = Vec::new();
        let contacts = self.read_document(user, DocumentKind::Contacts)?;
        let roster = contacts.map(|text| Roster::import(text.as_bytes(), &limits));
        let access = self.read_document(user, DocumentKind::AccessList)?;
        let access = access.map(|text| AccessList::import(text.as_bytes(), &limits));
        let presence = self.read_document(user, DocumentKind::Presence)?;
        let (policy, clock) = (&self.users.policy, self.users.clock);
        let presence =
            presence.map(|text| Presentity::import(Arc::clone(policy), clock, now, &text));
        let mut sound = |kind, error: Option<&ocs_xml::Error>| {
            if let Some(error) = error {
                damaged.push((kind, error.to_string()));
            }
        };
        sound(
            DocumentKind::Contacts,
            roster.as_ref().and_then(|r| r.as_ref().err()),
        );
        sound(
            DocumentKind::AccessList,
            access.as_ref().and_then(|r| r.as_ref().err()),
        );
        sound(
            DocumentKind::Presence,
            presence.as_ref().and_then(|r| r.as_ref().err()),
        );
        let data = UserData {
            roster: roster.and_then(Result::ok).unwrap_or_default(),
            access: access.and_then(Result::ok).unwrap_or_default(),
            presentity: presence
                .and_then(Result::ok)
                .unwrap_or_else(|| Presentity::new(Arc::clone(policy), user.clone(), clock)),
            watchers: Watchers::new(),
            contacts: Vec::new(),
            access_lists: Vec::new(),
            own: Vec::new(),
            pending: Vec::new(),
            scheduled: None,
        };
        for (kind, reason) in damaged {
            self.events.push_back(Event::DamagedDocument {
                aor: user.clone(),
                kind,
                reason,
            });
        }
        Ok(data)
    }
}
