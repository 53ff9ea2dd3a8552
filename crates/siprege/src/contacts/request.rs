//! Writes to the list: SOAP over SERVICE (\[MS-SIP\] 2.2.4.2).

use std::borrow::Cow;

use ocs_xml::{Error, Limits, Reader, SmolStr, Value, Writer};

use super::contact::{Contact, ContactExtension};
use super::group::{Group, GroupId, GroupSet};
use super::uri;
use crate::soap::{self, METHODS};

/// A write to the list of contacts and the number of the list that it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub operation: Operation,
    /// The number of the list as the sender knows it. The schema of `deleteContact` has none; a server takes a request without
    /// number as it comes (inferred).
    pub delta_num: Option<u32>,
}

/// What to do with the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `setContact`: add the contact or change it.
    SetContact(Contact),
    /// `deleteContact`: the address without `sip:`.
    DeleteContact(SmolStr),
    /// `addGroup`: the server gives the number.
    AddGroup {
        /// The name.
        name: SmolStr,
        /// A URI that belongs to it.
        external_uri: Option<SmolStr>,
    },
    /// `modifyGroup`
    ModifyGroup(Group),
    /// `deleteGroup`
    DeleteGroup(GroupId),
}

impl Operation {
    /// The body of the request.
    #[must_use]
    pub fn to_body(&self, delta_num: Option<u32>) -> String {
        soap::envelope(|writer| self.write(writer, delta_num))
    }

    const fn method(&self) -> &'static str {
        match self {
            Self::SetContact(_) => "setContact",
            Self::DeleteContact(_) => "deleteContact",
            Self::AddGroup { .. } => "addGroup",
            Self::ModifyGroup(_) => "modifyGroup",
            Self::DeleteGroup(_) => "deleteGroup",
        }
    }

    fn write(&self, writer: &mut Writer, delta_num: Option<u32>) {
        soap::open(writer, self.method());
        match self {
            Self::SetContact(contact) => {
                soap::field(writer, "displayName", contact.name());
                soap::value_field(writer, "groups", &contact.groups());
                soap::value_field(writer, "subscribed", &contact.subscribed());
                soap::field(writer, "URI", &uri::full(contact.uri()));
                write_external_uri(writer, contact.external_uri());
            }
            Self::DeleteContact(contact) => soap::field(writer, "URI", &uri::full(contact)),
            Self::AddGroup { name, external_uri } => {
                soap::field(writer, "name", name);
                write_external_uri(writer, external_uri.as_deref());
            }
            Self::ModifyGroup(group) => {
                soap::value_field(writer, "groupID", &group.id);
                soap::field(writer, "name", &group.name);
                write_external_uri(writer, group.external_uri.as_deref());
            }
            Self::DeleteGroup(id) => soap::value_field(writer, "groupID", id),
        }
        if let Some(delta_num) = delta_num {
            soap::value_field(writer, "deltaNum", &delta_num);
        }
        if let Self::SetContact(contact) = self
            && let Some(extension) = contact.extension()
        {
            soap::open(writer, "contactExtension");
            extension.write_content(writer);
            writer.close();
        }
        writer.close();
    }
}

fn write_external_uri(writer: &mut Writer, uri: Option<&str>) {
    if let Some(uri) = uri {
        soap::field(writer, "externalURI", uri);
    }
}

impl Request {
    /// The body of the request.
    #[must_use]
    pub fn to_body(&self) -> String {
        self.operation.to_body(self.delta_num)
    }

    /// Reads the element of a method that has been entered, and leaves it; `None`, and the reader stays, where it is another method.
    pub(crate) fn read_method(name: &str, reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        let build: fn(Fields<'_>) -> Result<Operation, Error> = match name {
            "setContact" => |fields| fields.set_contact(),
            "deleteContact" => |fields| Ok(Operation::DeleteContact(fields.uri()?.into())),
            "addGroup" => |fields| fields.add_group(),
            "modifyGroup" => |fields| fields.modify_group(),
            "deleteGroup" => |fields| Ok(Operation::DeleteGroup(fields.group()?)),
            _ => return Ok(None),
        };
        let fields = Fields::read(reader)?;
        Ok(Some(Self {
            delta_num: fields.delta_num,
            operation: build(fields)?,
        }))
    }
}

/// The fields of all methods: each has a part of them.
#[derive(Default)]
struct Fields<'a> {
    name: Option<Cow<'a, str>>,
    uri: Option<Cow<'a, str>>,
    external_uri: Option<Cow<'a, str>>,
    groups: Option<GroupSet>,
    subscribed: Option<bool>,
    group: Option<GroupId>,
    extension: Option<ContactExtension>,
    delta_num: Option<u32>,
}

const REQUEST: &str = "request";

impl<'a> Fields<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = Self::default();
        while let Some(tag) = reader.child()? {
            let name = if tag.is(METHODS, tag.name) {
                tag.name
            } else {
                ""
            };
            match name {
                "displayName" | "name" => {
                    soap::set(&mut fields.name, reader.text()?, REQUEST, "name")?;
                }
                "URI" => soap::set(&mut fields.uri, reader.text()?, REQUEST, "URI")?,
                "externalURI" => {
                    soap::set(
                        &mut fields.external_uri,
                        reader.text()?,
                        REQUEST,
                        "externalURI",
                    )?;
                }
                "groups" => value(&mut fields.groups, reader, "groups")?,
                "subscribed" => value(&mut fields.subscribed, reader, "subscribed")?,
                "groupID" => value(&mut fields.group, reader, "groupID")?,
                "deltaNum" => value(&mut fields.delta_num, reader, "deltaNum")?,
                "contactExtension" => {
                    let extension = ContactExtension::read_any(reader)?;
                    soap::set(
                        &mut fields.extension,
                        extension,
                        REQUEST,
                        "contactExtension",
                    )?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(fields)
    }

    fn uri(&self) -> Result<&str, Error> {
        let uri = self.uri.as_deref().ok_or(missing("URI"))?;
        super::contact::read_uri(Some(uri))
    }

    fn group(&self) -> Result<GroupId, Error> {
        self.group.ok_or(missing("groupID"))
    }

    fn name(&self) -> Result<&str, Error> {
        self.name.as_deref().ok_or(missing("name"))
    }

    fn set_contact(self) -> Result<Operation, Error> {
        let name = self.name.as_deref().unwrap_or_default();
        let contact = Contact::new(self.uri()?, name, self.groups.unwrap_or_default())
            .with_subscribed(self.subscribed.unwrap_or(true));
        let contact = match self.external_uri.as_deref() {
            // What `new` makes.
            Some("") => contact,
            uri => contact.with_external_uri(uri),
        };
        Ok(Operation::SetContact(
            contact.with_extension(self.extension),
        ))
    }

    fn add_group(self) -> Result<Operation, Error> {
        Ok(Operation::AddGroup {
            name: self.name()?.into(),
            external_uri: self.external_uri.map(SmolStr::from),
        })
    }

    fn modify_group(self) -> Result<Operation, Error> {
        let mut group = Group::new(self.group()?, self.name()?);
        group.external_uri = self.external_uri.map(SmolStr::from);
        Ok(Operation::ModifyGroup(group))
    }
}

fn value<T: Value>(
    slot: &mut Option<T>,
    reader: &mut Reader<'_>,
    name: &'static str,
) -> Result<(), Error> {
    let value = soap::parse(reader, REQUEST, name)?;
    soap::set(slot, value, REQUEST, name)
}

const fn missing(child: &'static str) -> Error {
    Error::MissingElement {
        element: REQUEST,
        child,
    }
}

/// The body of the answer to `addGroup`.
pub(super) fn group_answer(id: GroupId) -> String {
    soap::envelope(|writer| {
        soap::open(writer, "addGroup");
        soap::value_field(writer, "groupID", &id);
        writer.close();
    })
}

/// Reads the body of the answer to `addGroup`: the number of the new group.
pub fn read_group_answer(document: &[u8], limits: &Limits) -> Result<GroupId, Error> {
    let mut id = None;
    soap::read(document, limits, |tag, reader| {
        if tag.is(METHODS, "addGroup") {
            let group = Fields::read(reader)?.group()?;
            soap::set(&mut id, group, "Body", "addGroup")
        } else {
            reader.skip()
        }
    })?;
    id.ok_or(Error::MissingElement {
        element: "Body",
        child: "addGroup",
    })
}
