//! The whole list.

use std::collections::{HashMap, HashSet};

use ocs_xml::{Element, element, words};

use super::contact::Contact;
use super::delta::{Change, ContactDelta};
use super::group::{Group, GroupId, GroupSet};
use super::uri::{self, Key};

words! {
    /// Where the contacts of a user live, from Lync 2013 on (\[MS-PRES\]). Absent: an older server.
    pub enum UcsMode: open {
        /// In Exchange (unified contact store): the list here is no longer the user's.
        Migrated = "migrated",
    }
}

element! {
    /// `contactList`: all groups and contacts of a user (\[MS-SIP\] 2.2.4.1, 9.1).
    pub struct ContactList("", "contactList") {
        /// The number of this state of the list, never 0.
        attr delta_num: u32 = "deltaNum",
        /// Whether the list is kept elsewhere.
        attr_opt ucs_mode: UcsMode = "ucsmode",
        /// The groups, at most 64.
        parts groups: Group = "group",
        /// The contacts.
        children contacts: Contact,
    }
}

impl ContactList {
    /// The list that a user has who never had one: the default group alone, number 1.
    #[must_use]
    pub fn new() -> Self {
        Self {
            groups: vec![Group::default_group()],
            ..Self::empty(1)
        }
    }

    pub(super) fn empty(delta_num: u32) -> Self {
        Self {
            delta_num,
            ucs_mode: None,
            groups: Vec::new(),
            contacts: Vec::new(),
            extra: ocs_xml::Extra::default(),
        }
    }

    /// Whether the contacts are in Exchange.
    #[must_use]
    pub fn is_migrated(&self) -> bool {
        self.ucs_mode == Some(UcsMode::Migrated)
    }

    /// The contact with this address, with or without `sip:`.
    #[must_use]
    pub fn contact(&self, uri: &str) -> Option<&Contact> {
        let uri = uri::bare(uri);
        self.contacts
            .iter()
            .find(|contact| contact.uri().eq_ignore_ascii_case(uri))
    }

    /// The group with this number.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The numbers of all groups.
    #[must_use]
    pub fn group_ids(&self) -> GroupSet {
        self.groups.iter().map(|group| group.id).collect()
    }

    /// The groups in which a contact is shown: those of its groups that exist, otherwise the first group.
    #[must_use]
    pub fn groups_of(&self, contact: &Contact) -> GroupSet {
        let known = contact.groups().intersection(self.group_ids());
        if known.is_empty() {
            self.groups
                .first()
                .map_or(GroupId::DEFAULT, |group| group.id)
                .into()
        } else {
            known
        }
    }

    /// The list as a document.
    #[must_use]
    pub fn to_document(&self) -> String {
        ocs_xml::to_string(self)
    }

    /// Drops what is there twice. The first stays.
    pub(super) fn remove_duplicates(&mut self) {
        let mut ids = HashSet::new();
        self.groups.retain(|group| ids.insert(group.id));
        let mut uris = HashSet::with_capacity(self.contacts.len());
        let first: Vec<bool> = self
            .contacts
            .iter()
            .map(|contact| uris.insert(Key(contact.uri())))
            .collect();
        if first.contains(&false) {
            let mut first = first.into_iter();
            self.contacts.retain(|_| first.next() == Some(true));
        }
        self.contacts.shrink_to_fit();
        self.groups.shrink_to_fit();
    }

    /// Takes over what a delta says, in the order of \[MS-PRES\]: groups that are there, contacts, groups that go. What is
    /// changed and not there is added, what goes and is not there is passed over.
    pub(super) fn apply(&mut self, delta: &ContactDelta) {
        self.delta_num = delta.delta_num;
        for change in &delta.changes {
            if let Change::AddedGroup(group) | Change::ModifiedGroup(group) = change {
                match self.groups.iter_mut().find(|known| known.id == group.id) {
                    Some(known) => known.clone_from(group),
                    None => self.groups.push(group.clone()),
                }
            }
        }
        self.apply_to_contacts(delta);
        for change in &delta.changes {
            if let Change::DeletedGroup(id) = change {
                self.groups.retain(|group| group.id != *id);
            }
        }
    }

    fn apply_to_contacts(&mut self, delta: &ContactDelta) {
        // One pass over the list however many changes there are. `None`: deleted.
        let mut last: HashMap<Key<'_>, Option<&Contact>> = HashMap::new();
        for wanted in [Change::is_added_contact, Change::is_modified_contact] {
            for change in delta.changes.iter().filter(|change| wanted(change)) {
                if let Some(contact) = change.contact() {
                    last.insert(Key(contact.uri()), Some(contact));
                }
            }
        }
        for change in &delta.changes {
            if let Change::DeletedContact(uri) = change {
                last.insert(Key(uri), None);
            }
        }
        if last.is_empty() {
            return;
        }
        let touched: Vec<(usize, Option<&Contact>)> = self
            .contacts
            .iter()
            .enumerate()
            .filter_map(|(index, known)| Some((index, last.remove(&Key(known.uri()))?)))
            .collect();
        let added: Vec<Contact> = delta
            .changes
            .iter()
            .filter_map(Change::contact)
            .filter_map(|contact| last.remove(&Key(contact.uri())).flatten().cloned())
            .collect();
        let mut touched = touched.into_iter().peekable();
        let mut index = 0;
        self.contacts.retain_mut(|known| {
            let here = touched.next_if(|(touched, _)| *touched == index);
            index += 1;
            match here {
                Some((_, Some(new))) => known.clone_from(new),
                Some((_, None)) => return false,
                None => {}
            }
            true
        });
        self.contacts.extend(added);
    }

    /// What leads from an older state to this one.
    pub(super) fn changes_since(&self, old: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for group in &self.groups {
            match old.group(group.id) {
                None => changes.push(Change::AddedGroup(group.clone())),
                Some(known) if known != group => {
                    changes.push(Change::ModifiedGroup(group.clone()));
                }
                Some(_) => {}
            }
        }
        let mut gone: HashMap<Key<'_>, &Contact> = old
            .contacts
            .iter()
            .map(|contact| (Key(contact.uri()), contact))
            .collect();
        for contact in &self.contacts {
            match gone.remove(&Key(contact.uri())) {
                None => changes.push(Change::AddedContact(contact.clone())),
                Some(known) if known != contact => {
                    changes.push(Change::ModifiedContact(contact.clone()));
                }
                Some(_) => {}
            }
        }
        let gone = |contact: &&Contact| gone.contains_key(&Key(contact.uri()));
        changes.extend(
            old.contacts
                .iter()
                .filter(gone)
                .map(|contact| Change::DeletedContact(contact.uri().into())),
        );
        changes.extend(
            old.groups
                .iter()
                .filter(|group| self.group(group.id).is_none())
                .map(|group| Change::DeletedGroup(group.id)),
        );
        changes
    }
}

impl Default for ContactList {
    fn default() -> Self {
        Self::new()
    }
}

/// Both documents of the event package.
pub(super) enum Document {
    List(ContactList),
    Delta(ContactDelta),
}

impl Document {
    /// Reads whichever it is.
    pub(super) fn read(document: &[u8], limits: &ocs_xml::Limits) -> Result<Self, ocs_xml::Error> {
        let mut reader = ocs_xml::Reader::new(document, limits)?;
        let root = reader.any_root()?;
        let document = if root.is("", "contactDelta") {
            Self::Delta(ContactDelta::read(&mut reader)?)
        } else if root.is("", "contactList") {
            Self::List(ContactList::read(&mut reader)?)
        } else {
            return Err(ocs_xml::Error::Root {
                expected: "contactList or contactDelta",
                found: root.name.into(),
            });
        };
        reader.finish()?;
        Ok(document)
    }
}
