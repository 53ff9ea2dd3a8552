//! A change of the list.

use ocs_xml::{Child, Content, Error, Reader, SmolStr, Tag, Writer, element};

use super::contact::{Contact, read_uri};
use super::group::{Group, GroupId, read_id};
use super::uri;

element! {
    /// `contactDelta`: what changed in the list (\[MS-SIP\] 2.2.4.1, 9.1).
    ///
    /// The schema has one change in it; several are accepted, as a client of the field does, and written where they belong
    /// together.
    pub struct ContactDelta("", "contactDelta") {
        /// The number of the list after it.
        attr delta_num: u32 = "deltaNum",
        /// The number of the list that it changes.
        attr prev_delta_num: u32 = "prevDeltaNum",
        /// The changes.
        children changes: Change,
    }
}

/// One change of the list. Addresses have `sip:` on the wire here, unlike in the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// `addedGroup`
    AddedGroup(Group),
    /// `modifiedGroup`
    ModifiedGroup(Group),
    /// `deletedGroup`
    DeletedGroup(GroupId),
    /// `addedContact`
    AddedContact(Contact),
    /// `modifiedContact`
    ModifiedContact(Contact),
    /// `deletedContact`: its address without `sip:`.
    DeletedContact(SmolStr),
}

impl Change {
    /// The new state of the contact that was added or modified.
    #[must_use]
    pub const fn contact(&self) -> Option<&Contact> {
        match self {
            Self::AddedContact(contact) | Self::ModifiedContact(contact) => Some(contact),
            _ => None,
        }
    }

    pub(super) const fn is_added_contact(&self) -> bool {
        matches!(self, Self::AddedContact(_))
    }

    pub(super) const fn is_modified_contact(&self) -> bool {
        matches!(self, Self::ModifiedContact(_))
    }
}

impl Child for Change {
    const NAME: &'static str = "change";

    fn is(tag: &Tag<'_>) -> bool {
        matches!(
            tag.name,
            "addedGroup"
                | "modifiedGroup"
                | "deletedGroup"
                | "addedContact"
                | "modifiedContact"
                | "deletedContact"
        )
    }

    fn read(tag: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(match tag.name {
            "addedGroup" => Self::AddedGroup(Group::read_content(reader)?),
            "modifiedGroup" => Self::ModifiedGroup(Group::read_content(reader)?),
            "addedContact" => Self::AddedContact(Contact::read_any(reader)?),
            "modifiedContact" => Self::ModifiedContact(Contact::read_any(reader)?),
            "deletedGroup" => {
                let id = reader.attribute("id")?.ok_or(Error::MissingAttribute {
                    element: "deletedGroup",
                    attribute: "id",
                })?;
                let id = read_id(&id)?;
                reader.skip()?;
                Self::DeletedGroup(id)
            }
            "deletedContact" => {
                let uri = reader.attribute("uri")?;
                let uri = read_uri(uri.as_deref())?.into();
                reader.skip()?;
                Self::DeletedContact(uri)
            }
            name => {
                return Err(Error::Root {
                    expected: Self::NAME,
                    found: name.into(),
                });
            }
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::AddedGroup(group) => write_group(writer, "addedGroup", group),
            Self::ModifiedGroup(group) => write_group(writer, "modifiedGroup", group),
            Self::DeletedGroup(id) => {
                writer.open("", "deletedGroup");
                writer.attr_value("id", id);
                writer.close();
            }
            Self::AddedContact(contact) => {
                contact.write_as(writer, "addedContact", &uri::full(contact.uri()));
            }
            Self::ModifiedContact(contact) => {
                contact.write_as(writer, "modifiedContact", &uri::full(contact.uri()));
            }
            Self::DeletedContact(uri) => {
                writer.open("", "deletedContact");
                writer.attr("uri", &uri::full(uri));
                writer.close();
            }
        }
    }
}

fn write_group(writer: &mut Writer, name: &str, group: &Group) {
    writer.open("", name);
    group.write_content(writer);
    writer.close();
}
