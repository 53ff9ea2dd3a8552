//! Containers and their members.

use ocs_xml::{Child, Error, Extra, Reader, SmolStr, Tag, Value, Writer, element, words};

use super::ContainerId;
use super::namespace::{CONTAINER_MANAGEMENT, CONTAINERS};

words! {
    /// Who a member of a container is.
    #[derive(PartialOrd, Ord)]
    pub enum MemberType: open {
        /// One user, by address without scheme.
        User = "user",
        /// Everybody of a domain.
        Domain = "domain",
        /// Everybody of the owner's enterprise.
        SameEnterprise = "sameEnterprise",
        /// Everybody of a federated enterprise.
        Federated = "federated",
        /// Everybody of a public provider.
        PublicCloud = "publicCloud",
        /// Everybody.
        Everyone = "everyone",
    }
}

/// The containers of a user.
///
/// Their namespace is (recalled), so they are known by their names alone, whatever namespace they have. Attributes and elements that are
/// not named here are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Containers {
    /// The containers; each takes the place of what was known of it.
    pub containers: Vec<Container>,
}

/// A container with its members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    /// Which one.
    pub id: ContainerId,
    /// Its version, for the next change.
    pub version: u32,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// A member of a container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// Of which kind.
    pub kind: MemberType,
    /// The address without scheme of a user, the name of a domain.
    pub value: Option<SmolStr>,
}

impl Member {
    /// A user, by address without scheme.
    #[must_use]
    pub fn user(address: impl Into<SmolStr>) -> Self {
        Self {
            kind: MemberType::User,
            value: Some(address.into()),
        }
    }

    /// A domain.
    #[must_use]
    pub fn domain(name: impl Into<SmolStr>) -> Self {
        Self {
            kind: MemberType::Domain,
            value: Some(name.into()),
        }
    }

    /// A kind that needs no value.
    #[must_use]
    pub const fn network(kind: MemberType) -> Self {
        Self { kind, value: None }
    }
}

/// A required attribute of the element that was entered last.
fn attribute<T: Value>(
    reader: &Reader<'_>,
    element: &'static str,
    attribute: &'static str,
) -> Result<T, Error> {
    let text = reader
        .attribute(attribute)?
        .ok_or(Error::MissingAttribute { element, attribute })?;
    T::parse(&text).ok_or(Error::Value {
        element,
        name: attribute,
    })
}

impl Child for Containers {
    const NAME: &'static str = "containers";

    fn is(tag: &Tag<'_>) -> bool {
        tag.name == Self::NAME
    }

    fn read(_: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut containers = Vec::new();
        while let Some(tag) = reader.child()? {
            if tag.name == "container" {
                containers.push(Container::read(reader)?);
            } else {
                reader.skip()?;
            }
        }
        Ok(Self { containers })
    }

    fn write(&self, writer: &mut Writer) {
        writer.open(CONTAINERS, Self::NAME);
        for container in &self.containers {
            container.write(writer);
        }
        writer.close();
    }
}

impl Container {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut container = Self {
            id: attribute(reader, "container", "id")?,
            version: attribute(reader, "container", "version")?,
            members: Vec::new(),
        };
        while let Some(tag) = reader.child()? {
            if tag.name == "member" {
                container.members.push(Member {
                    kind: attribute(reader, "member", "type")?,
                    value: reader.attribute("value")?.map(Into::into),
                });
            }
            reader.skip()?;
        }
        Ok(container)
    }

    fn write(&self, writer: &mut Writer) {
        writer.open(CONTAINERS, "container");
        writer.attr_value("id", &self.id);
        writer.attr_value("version", &self.version);
        for member in &self.members {
            writer.open(CONTAINERS, "member");
            writer.attr("type", member.kind.as_str());
            if let Some(value) = &member.value {
                writer.attr("value", value);
            }
            writer.close();
        }
        writer.close();
    }
}

words! {
    /// What is to be done with a member.
    pub enum Change {
        /// It is put into the container.
        Add = "add",
        /// It is taken out.
        Remove = "remove",
    }
}

element! {
    /// A change of members, of all the named containers or of none.
    pub struct SetContainerMembers(CONTAINER_MANAGEMENT, "setContainerMembers") {
        /// The containers.
        children containers: ContainerChange,
    }
}

element! {
    /// A change of one container.
    pub struct ContainerChange(CONTAINER_MANAGEMENT, "container") {
        /// Which one; not 0.
        attr id: ContainerId,
        /// The version that the client knows, 0 when the container is not there yet.
        attr version: u32,
        /// The changes.
        children members: MemberChange,
    }
}

element! {
    /// A member that is added or removed.
    pub struct MemberChange(CONTAINER_MANAGEMENT, "member") {
        /// What is to be done.
        attr action: Change,
        /// Of which kind it is.
        attr kind: MemberType = "type",
        /// The address without scheme of a user, the name of a domain.
        attr_opt value: SmolStr,
    }
}

impl SetContainerMembers {
    /// A change of these containers.
    #[must_use]
    pub fn new(containers: Vec<ContainerChange>) -> Self {
        Self {
            containers,
            extra: Extra::default(),
        }
    }
}

impl ContainerChange {
    /// A change of one container.
    #[must_use]
    pub fn new(id: ContainerId, version: u32, members: Vec<MemberChange>) -> Self {
        Self {
            id,
            version,
            members,
            extra: Extra::default(),
        }
    }
}

impl MemberChange {
    /// A change of one member.
    #[must_use]
    pub fn new(action: Change, member: Member) -> Self {
        Self {
            action,
            kind: member.kind,
            value: member.value,
            extra: Extra::default(),
        }
    }
}
