//! The contact list: the copy of this endpoint and the commands that change it.

use std::time::Instant;

use ocs_sip_core::subscription::AUTOEXTEND;
use ocs_sip_core::{Aor, HeaderName};
use ocs_siprege::contacts::{
    self, Action, Change, CommandId, Contact, ContactList, Event as Mirrored, Group, GroupId,
    GroupSet, UCS_OPTION,
};
use ocs_siprege::soap;

use super::services::Job;
use super::subscriptions::{Subscribe, Topic};
use super::{Error, UserAgent};
use crate::{Event, Step};

impl UserAgent {
    /// The contacts and groups as they are known.
    #[must_use]
    pub const fn contacts(&self) -> &ContactList {
        self.contacts.list()
    }

    /// Adds a contact, and watches its presence; its user is told. Groups that are empty stand for the default group, an empty name for
    /// the one that the contact publishes. What becomes of it comes as [`Event::ContactsWritten`] or [`Event::ContactsRefused`].
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn add_contact(
        &mut self,
        now: Instant,
        user: &Aor,
        name: &str,
        groups: GroupSet,
    ) -> Result<CommandId, Error> {
        let groups = if groups.is_empty() {
            GroupId::DEFAULT.into()
        } else {
            groups
        };
        self.check_contacts()?;
        self.bootstrap.adding.insert(user.clone());
        self.set_contact(now, Contact::new(user.as_str(), name, groups))
    }

    /// Adds a contact or changes its name, groups, or what else belongs to it.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn set_contact(&mut self, now: Instant, contact: Contact) -> Result<CommandId, Error> {
        self.change_contacts(now, |contacts| contacts.set_contact(contact))
    }

    /// Deletes a contact, and watches its presence no longer.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn remove_contact(&mut self, now: Instant, user: &Aor) -> Result<CommandId, Error> {
        self.change_contacts(now, |contacts| contacts.delete_contact(user.as_str()))
    }

    /// Adds a group. Its number comes with [`Event::ContactsWritten`].
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn add_group(&mut self, now: Instant, name: &str) -> Result<CommandId, Error> {
        self.change_contacts(now, |contacts| contacts.add_group(name))
    }

    /// Renames a group.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn rename_group(
        &mut self,
        now: Instant,
        id: GroupId,
        name: &str,
    ) -> Result<CommandId, Error> {
        self.change_contacts(now, |contacts| contacts.modify_group(Group::new(id, name)))
    }

    /// Deletes a group, which servers want to be empty.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn remove_group(&mut self, now: Instant, id: GroupId) -> Result<CommandId, Error> {
        self.change_contacts(now, |contacts| contacts.delete_group(id))
    }

    fn check_contacts(&self) -> Result<(), Error> {
        if !self.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        if !self.has_subscription(&Topic::Contacts) {
            return Err(Error::NotOffered);
        }
        Ok(())
    }

    fn change_contacts(
        &mut self,
        now: Instant,
        change: impl FnOnce(&mut contacts::Mirror) -> CommandId,
    ) -> Result<CommandId, Error> {
        self.check_contacts()?;
        let id = change(&mut self.contacts);
        self.settle(now);
        Ok(id)
    }

    pub(super) fn drive_contacts(&mut self, now: Instant) -> bool {
        let mut busy = false;
        // What is ordered while there is no server waits for one.
        while self.is_signed_in()
            && let Some(action) = self.contacts.poll_action()
        {
            busy = true;
            match action {
                Action::Subscribe => self.subscribe_to_contacts(now),
                Action::Service(body) => {
                    self.service_to_self(now, soap::CONTENT_TYPE, body, Job::Contacts);
                }
            }
        }
        // Whoever is there from the beginning goes into one subscription.
        let mut new = Vec::new();
        while let Some(event) = self.contacts.poll_event() {
            busy = true;
            match event {
                Mirrored::Changed(change) => {
                    self.follow_contact(now, &change, &mut new);
                    self.events.push_back(Event::ContactsChanged(change));
                }
                Mirrored::Synchronized => {
                    self.watch_new(now, &mut new);
                    if !self.watches_anybody() {
                        self.leave_out(Step::ContactsPresence);
                    }
                    self.finish_step(Step::Contacts);
                }
                Mirrored::Done { id, group } => {
                    self.events.push_back(Event::ContactsWritten { id, group });
                }
                Mirrored::Failed { id, failure } => {
                    self.events
                        .push_back(Event::ContactsRefused { id, failure });
                }
                Mirrored::Migrated | Mirrored::StoreChanged => {
                    self.events.push_back(Event::ContactsElsewhere);
                }
                Mirrored::Lost { status } => {
                    let status = status.unwrap_or(400);
                    self.refuse_step(Step::Contacts, status, String::new());
                }
                _ => {}
            }
        }
        self.watch_new(now, &mut new);
        busy
    }

    fn subscribe_to_contacts(&mut self, now: Instant) {
        let request = self.new_subscribe(Subscribe {
            target: self.config.aor.to_uri(),
            event: contacts::EVENT,
            accept: contacts::CONTENT_TYPE,
            headers: &[
                (HeaderName::Supported, AUTOEXTEND),
                (HeaderName::Supported, UCS_OPTION),
            ],
            content: None,
        });
        self.subscribe(now, Topic::Contacts, request);
    }

    /// The contacts are watched.
    fn follow_contact(&mut self, now: Instant, change: &Change, new: &mut Vec<Aor>) {
        match change {
            Change::AddedContact(contact) | Change::ModifiedContact(contact) => {
                let Ok(user) = Aor::parse(contact.uri()) else {
                    return;
                };
                if !contact.subscribed() {
                    self.unfollow(now, &user);
                } else if self.bootstrap.adding.remove(&user) {
                    self.watch.watch(now, [user], true);
                } else if self.watch.status(&user).is_none() {
                    new.push(user);
                }
            }
            Change::DeletedContact(uri) => {
                if let Ok(user) = Aor::parse(uri) {
                    self.unfollow(now, &user);
                }
            }
            _ => {}
        }
    }

    fn watch_new(&mut self, now: Instant, new: &mut Vec<Aor>) {
        if !new.is_empty() {
            self.watch.watch(now, new.drain(..), false);
        }
    }
}
