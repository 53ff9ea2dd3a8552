//! The list on the server.

use ocs_ocer::ErrorId;
use ocs_xml::SmolStr;

use super::contact::Contact;
use super::delta::{Change, ContactDelta};
use super::group::{Group, GroupId};
use super::list::ContactList;
use super::request::{Operation, Request, group_answer};
use super::{next_number, uri};
use crate::soap::Refusal;

/// Bounds of a user's list. They hold for what is added; a stored list that is over them stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Contacts. 1000: the most that a policy of Lync allows (recalled).
    pub contacts: usize,
    /// Groups, the default one among them. 64 by the schema; in fact 63, because the numbers that a server gives end there.
    pub groups: usize,
    /// Octets of a name. 256.
    pub name: usize,
    /// Octets of an external URI. 1024.
    pub external_uri: usize,
    /// Octets of an extension. 1024.
    pub extension: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            contacts: 1000,
            groups: 64,
            name: 256,
            external_uri: 1024,
            extension: 1024,
        }
    }
}

/// The list of contacts of one user on the server, without SIP around it.
///
/// ```
/// use ocs_siprege::contacts::{Contact, GroupId, Limits, Operation, Request, Roster};
///
/// let mut roster = Roster::new();
/// let contact = Contact::new("sip:bob@contoso.com", "Bob", GroupId::DEFAULT.into());
/// let request = Request { operation: Operation::SetContact(contact), delta_num: Some(1) };
/// let applied = roster.apply(&request, &Limits::default()).unwrap();
/// assert_eq!(applied.delta_num, 2);
/// assert_eq!(
///     applied.delta,
///     r#"<contactDelta deltaNum="2" prevDeltaNum="1"><addedContact uri="sip:bob@contoso.com" name="Bob" groups="1" subscribed="true" externalURI=""/></contactDelta>"#
/// );
///
/// // The same again is meant for a list that is no more.
/// assert_eq!(roster.apply(&request, &Limits::default()).unwrap_err().status, 409);
///
/// let stored = roster.export();
/// assert_eq!(Roster::import(stored.as_bytes(), &Default::default())?, roster);
/// # Ok::<(), ocs_xml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster(ContactList);

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The `contactDelta` for all endpoints of the user, the sender's among them.
    ///
    /// Send it before the answer to the request: a client that gets the answer first may write again before it knows the new
    /// number, and its write is lost (observed with SIPE).
    pub delta: String,
    /// The body of the 200, of type [`soap::CONTENT_TYPE`](crate::soap::CONTENT_TYPE); none for most requests.
    pub answer: Option<String>,
    /// The new number.
    pub delta_num: u32,
}

impl Roster {
    /// The list that a user has who never had one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`export`](Self::export) wrote. What comes twice is dropped, contacts without group that exists go into the default
    /// one.
    pub fn import(document: &[u8], limits: &ocs_xml::Limits) -> Result<Self, ocs_xml::Error> {
        let mut list: ContactList = ocs_xml::from_slice(document, limits)?;
        list.delta_num = list.delta_num.max(1);
        list.remove_duplicates();
        if list.group(GroupId::DEFAULT).is_none() {
            list.groups.insert(0, Group::default_group());
        }
        let known = list.group_ids();
        for contact in &mut list.contacts {
            let groups = contact.groups().intersection(known);
            contact.set_groups(groups.or_default());
        }
        Ok(Self(list))
    }

    /// The list as a document: what a subscription begins with, and what is stored.
    #[must_use]
    pub fn export(&self) -> String {
        self.0.to_document()
    }

    /// The list.
    #[must_use]
    pub const fn list(&self) -> &ContactList {
        &self.0
    }

    /// The document that a new subscription begins with. Who announces [`UCS_OPTION`](super::UCS_OPTION) and whose contacts were moved to Exchange is
    /// refused: 488 with 2165 (\[MS-PRES\], example of a migrated user).
    pub fn subscribe(&self, ucs: bool) -> Result<String, Refusal> {
        if ucs && self.0.is_migrated() {
            return Err(Refusal::diagnosed(488, ErrorId::CONTACTS_MOVED));
        }
        Ok(self.export())
    }

    /// Marks the list as moved to Exchange, or as back again.
    pub fn set_migrated(&mut self, migrated: bool) {
        self.0.ucs_mode = migrated.then_some(super::UcsMode::Migrated);
    }

    /// Carries out a request, or changes nothing.
    ///
    /// Refused are, with ids of \[MS-OCER\]:
    ///
    /// | status | id | why |
    /// |---|---|---|
    /// | 409 | | the request carries another number than the list has |
    /// | 404 | 2001, 2002 | no such contact, no such group |
    /// | 403 | 2007, 2008 | too many contacts, too many groups |
    /// | 403 | 2009 | extension too long |
    /// | 485 | 2015 | another group has that name |
    /// | 403 | | the default group is to be renamed or deleted, or the list was moved to Exchange |
    /// | 400 | | no address, a name or URI that is too long |
    ///
    /// Of the status only 485 was read at a source, the others are (inferred).
    pub fn apply(&mut self, request: &Request, limits: &Limits) -> Result<Applied, Refusal> {
        if self.0.is_migrated() {
            return Err(Refusal::plain(403));
        }
        let prev_delta_num = self.0.delta_num;
        if request
            .delta_num
            .is_some_and(|number| number != prev_delta_num)
        {
            return Err(Refusal::wrong_delta());
        }
        let mut answer = None;
        let changes = match &request.operation {
            Operation::SetContact(contact) => vec![self.set_contact(contact, limits)?],
            Operation::DeleteContact(uri) => vec![self.delete_contact(uri)?],
            Operation::AddGroup { name, external_uri } => {
                let group = self.add_group(name, external_uri.as_ref(), limits)?;
                answer = Some(group_answer(group.id));
                vec![Change::AddedGroup(group)]
            }
            Operation::ModifyGroup(group) => vec![self.modify_group(group, limits)?],
            Operation::DeleteGroup(id) => self.delete_group(*id)?,
        };
        let delta = ContactDelta {
            delta_num: next_number(prev_delta_num),
            prev_delta_num,
            changes,
            extra: ocs_xml::Extra::default(),
        };
        self.0.apply(&delta);
        Ok(Applied {
            delta: ocs_xml::to_string(&delta),
            answer,
            delta_num: delta.delta_num,
        })
    }

    fn set_contact(&self, contact: &Contact, limits: &Limits) -> Result<Change, Refusal> {
        if !uri::is_valid(contact.uri()) || contact.name().len() > limits.name {
            return Err(Refusal::plain(400));
        }
        check_external_uri(contact.external_uri(), limits)?;
        if contact
            .extension()
            .is_some_and(|extension| extension.size() > limits.extension)
        {
            return Err(Refusal::diagnosed(
                403,
                ErrorId::CONTACT_EXTENSION_TOO_LARGE,
            ));
        }
        let groups = contact.groups();
        if groups.intersection(self.0.group_ids()) != groups {
            return Err(no_group());
        }
        let mut new = contact.clone();
        new.set_groups(groups.or_default());
        match self.0.contact(contact.uri()) {
            Some(known) => {
                // What a client does not know of it does not take away (inferred).
                known.keep_unspoken(&mut new);
                Ok(Change::ModifiedContact(new))
            }
            None if self.0.contacts.len() >= limits.contacts => {
                Err(Refusal::diagnosed(403, ErrorId::CONTACT_LIMIT_EXCEEDED))
            }
            None => Ok(Change::AddedContact(new)),
        }
    }

    fn delete_contact(&self, uri: &str) -> Result<Change, Refusal> {
        match self.0.contact(uri) {
            Some(contact) => Ok(Change::DeletedContact(contact.uri().into())),
            None => Err(Refusal::diagnosed(404, ErrorId::CONTACT_DOES_NOT_EXIST)),
        }
    }

    fn add_group(
        &self,
        name: &SmolStr,
        external_uri: Option<&SmolStr>,
        limits: &Limits,
    ) -> Result<Group, Refusal> {
        self.check_group(None, name, external_uri, limits)?;
        let full = self.0.groups.len() >= limits.groups;
        let id = self.0.group_ids().lowest_free_for_users();
        let Some(id) = id.filter(|_| !full) else {
            return Err(Refusal::diagnosed(403, ErrorId::GROUP_LIMIT_EXCEEDED));
        };
        let mut group = Group::new(id, name);
        group.external_uri = external_uri.cloned().or(group.external_uri);
        Ok(group)
    }

    fn modify_group(&self, group: &Group, limits: &Limits) -> Result<Change, Refusal> {
        let known = self.user_group(group.id)?;
        self.check_group(
            Some(group.id),
            &group.name,
            group.external_uri.as_ref(),
            limits,
        )?;
        let external_uri = group.external_uri.as_ref().or(known.external_uri.as_ref());
        Ok(Change::ModifiedGroup(Group {
            name: group.name.clone(),
            external_uri: external_uri.cloned(),
            ..known.clone()
        }))
    }

    /// The contacts leave the group first; those that are in no other go into the default one.
    fn delete_group(&self, id: GroupId) -> Result<Vec<Change>, Refusal> {
        self.user_group(id)?;
        let members = |contact: &&Contact| contact.groups().contains(id);
        let mut changes: Vec<Change> = self
            .0
            .contacts
            .iter()
            .filter(members)
            .map(|contact| {
                let mut groups = contact.groups();
                groups.remove(id);
                Change::ModifiedContact(contact.clone().with_groups(groups.or_default()))
            })
            .collect();
        changes.push(Change::DeletedGroup(id));
        Ok(changes)
    }

    /// A group that its user may change.
    fn user_group(&self, id: GroupId) -> Result<&Group, Refusal> {
        let group = self.0.group(id).ok_or_else(no_group)?;
        if id == GroupId::DEFAULT {
            return Err(Refusal::plain(403));
        }
        Ok(group)
    }

    fn check_group(
        &self,
        id: Option<GroupId>,
        name: &str,
        external_uri: Option<&SmolStr>,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        if name.trim().is_empty() || name.len() > limits.name {
            return Err(Refusal::plain(400));
        }
        check_external_uri(external_uri.map(SmolStr::as_str), limits)?;
        // Compared with case (inferred).
        let taken = |group: &Group| Some(group.id) != id && group.name == name;
        if self.0.groups.iter().any(taken) {
            return Err(Refusal::diagnosed(485, ErrorId::DUPLICATE_GROUP_NAME));
        }
        Ok(())
    }
}

fn check_external_uri(uri: Option<&str>, limits: &Limits) -> Result<(), Refusal> {
    if uri.is_some_and(|uri| uri.len() > limits.external_uri) {
        return Err(Refusal::plain(400));
    }
    Ok(())
}

const fn no_group() -> Refusal {
    Refusal::diagnosed(404, ErrorId::GROUP_DOES_NOT_EXIST)
}
