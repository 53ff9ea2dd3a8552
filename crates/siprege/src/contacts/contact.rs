//! One contact, kept small: servers hold some 150 for each of very many users.

use std::borrow::Cow;

use ocs_xml::{Error, Extra, Raw, Reader, Value, Writer, Written};

use super::group::GroupSet;
use super::uri;

/// A contact of the roaming list.
///
/// It takes 40 octets and one allocation for its texts; extensions and what the schema does not name cost only where they occur.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Address, name and external URI, one behind the other.
    text: Box<str>,
    groups: GroupSet,
    rest: Option<Box<Rest>>,
    name_len: u32,
    uri_len: u16,
    subscribed: bool,
    /// The external URI is there, possibly empty.
    has_external_uri: bool,
}

/// What few contacts have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Rest {
    extension: Option<ContactExtension>,
    extra: Extra,
}

/// `contactExtension`: elements of any kind that clients keep with a contact, at most 1024 octets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ContactExtension(Extra);

impl Contact {
    /// A contact. The address may have `sip:` before it, an empty name stands for the one that the contact publishes.
    ///
    /// Addresses end at 65,535 octets; a server takes 454.
    #[must_use]
    pub fn new(uri: &str, name: &str, groups: GroupSet) -> Self {
        let uri = uri::bare(uri);
        let end = uri.floor_char_boundary(usize::from(u16::MAX));
        Self::assemble(&uri[..end], name, Some(""), groups)
    }

    fn assemble(uri: &str, name: &str, external_uri: Option<&str>, groups: GroupSet) -> Self {
        let mut text =
            String::with_capacity(uri.len() + name.len() + external_uri.map_or(0, str::len));
        text.push_str(uri);
        text.push_str(name);
        text.push_str(external_uri.unwrap_or_default());
        Self {
            text: text.into_boxed_str(),
            groups,
            rest: None,
            name_len: name.len() as u32,
            uri_len: uri.len() as u16,
            subscribed: true,
            has_external_uri: external_uri.is_some(),
        }
    }

    /// With another name.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        let assembled = Self::assemble(self.uri(), name, self.external_uri(), self.groups);
        self.with_texts_of(assembled)
    }

    /// With an external URI, or without.
    #[must_use]
    pub fn with_external_uri(self, external_uri: Option<&str>) -> Self {
        let assembled = Self::assemble(self.uri(), self.name(), external_uri, self.groups);
        self.with_texts_of(assembled)
    }

    fn with_texts_of(self, texts: Self) -> Self {
        Self {
            rest: self.rest,
            subscribed: self.subscribed,
            ..texts
        }
    }

    /// In other groups.
    #[must_use]
    pub const fn with_groups(mut self, groups: GroupSet) -> Self {
        self.groups = groups;
        self
    }

    pub(super) const fn set_groups(&mut self, groups: GroupSet) {
        self.groups = groups;
    }

    /// With or without a subscription to the presence of the contact.
    #[must_use]
    pub const fn with_subscribed(mut self, subscribed: bool) -> Self {
        self.subscribed = subscribed;
        self
    }

    /// With an extension, or without.
    #[must_use]
    pub fn with_extension(mut self, extension: Option<ContactExtension>) -> Self {
        let extra = self.rest.take().map(|rest| rest.extra).unwrap_or_default();
        self.set_rest(extension, extra);
        self
    }

    fn set_rest(&mut self, extension: Option<ContactExtension>, extra: Extra) {
        if extension.is_some() || !extra.is_empty() {
            self.rest = Some(Box::new(Rest { extension, extra }));
        }
    }

    /// What this contact has and a new version of it does not speak of.
    pub(super) fn keep_unspoken(&self, new: &mut Self) {
        if let Some(rest) = &self.rest {
            let extension = new.extension().or(rest.extension.as_ref()).cloned();
            new.set_rest(extension, rest.extra.clone());
        }
    }

    /// The address without `sip:`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.text[..usize::from(self.uri_len)]
    }

    /// The name that the owner of the list gave it; empty for the one that the contact publishes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[usize::from(self.uri_len)..self.name_end()]
    }

    fn name_end(&self) -> usize {
        usize::from(self.uri_len) + self.name_len as usize
    }

    /// A URI that belongs to it; mostly empty.
    #[must_use]
    pub fn external_uri(&self) -> Option<&str> {
        self.has_external_uri.then(|| &self.text[self.name_end()..])
    }

    /// The groups as written. [`ContactList::groups_of`](super::ContactList::groups_of) says in which it is shown.
    #[must_use]
    pub const fn groups(&self) -> GroupSet {
        self.groups
    }

    /// Whether the presence of the contact is subscribed to.
    #[must_use]
    pub const fn subscribed(&self) -> bool {
        self.subscribed
    }

    /// Its extension.
    #[must_use]
    pub fn extension(&self) -> Option<&ContactExtension> {
        self.rest.as_ref()?.extension.as_ref()
    }

    /// What the schema does not name.
    #[must_use]
    pub fn extra(&self) -> Option<&Extra> {
        self.rest.as_ref().map(|rest| &rest.extra)
    }

    pub(super) fn read_any(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (mut uri, mut name, mut external_uri) = (None, Cow::Borrowed(""), None);
        let (mut groups, mut subscribed) = (GroupSet::NONE, true);
        let mut extra = Extra::default();
        for attribute in reader.attributes() {
            match attribute.name {
                _ if !attribute.prefix.is_empty() => extra.read_attribute(attribute)?,
                "uri" => uri = Some(attribute.value()?),
                "name" => name = attribute.value()?,
                "groups" => groups = value(&attribute.value()?, "groups")?,
                "subscribed" => subscribed = value(&attribute.value()?, "subscribed")?,
                "externalURI" => external_uri = Some(attribute.value()?),
                _ => extra.read_attribute(attribute)?,
            }
        }
        let mut extension = None;
        while let Some(tag) = reader.child()? {
            if tag.is("", "contactExtension") {
                if extension
                    .replace(ContactExtension::read_any(reader)?)
                    .is_some()
                {
                    return Err(Error::RepeatedElement {
                        element: "contact",
                        child: "contactExtension",
                    });
                }
            } else {
                extra.push_element(reader.raw()?);
            }
        }
        let uri = read_uri(uri.as_deref())?;
        let mut contact = Self::assemble(uri, &name, external_uri.as_deref(), groups);
        contact.subscribed = subscribed;
        contact.set_rest(extension, extra);
        Ok(contact)
    }

    /// Writes it under a name, the address as the document wants it.
    pub(super) fn write_as(&self, writer: &mut Writer, name: &str, uri: &str) {
        writer.open("", name);
        writer.attr("uri", uri);
        writer.attr("name", self.name());
        writer.attr_value("groups", &self.groups);
        writer.attr_value("subscribed", &self.subscribed);
        if let Some(uri) = self.external_uri() {
            writer.attr("externalURI", uri);
        }
        if let Some(rest) = &self.rest {
            rest.extra.write_attributes(writer);
            if let Some(extension) = &rest.extension {
                writer.open("", "contactExtension");
                extension.write_content(writer);
                writer.close();
            }
            rest.extra.write_elements(writer, &mut Written::default());
        }
        writer.close();
    }
}

fn value<T: Value>(text: &str, name: &'static str) -> Result<T, Error> {
    T::parse(text).ok_or(Error::Value {
        element: "contact",
        name,
    })
}

/// The address of a contact as it stands in a document, without `sip:`.
pub(super) fn read_uri(uri: Option<&str>) -> Result<&str, Error> {
    let uri = uri.map(uri::bare).ok_or(Error::MissingAttribute {
        element: "contact",
        attribute: "uri",
    })?;
    if uri.is_empty() || uri.len() > usize::from(u16::MAX) {
        return Err(Error::Value {
            element: "contact",
            name: "uri",
        });
    }
    Ok(uri)
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact")
            .field("uri", &self.uri())
            .field("name", &self.name())
            .field("groups", &self.groups)
            .field("subscribed", &self.subscribed)
            .field("external_uri", &self.external_uri())
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}

impl ocs_xml::Element for Contact {
    const NAMESPACE: &'static str = "";
    const NAME: &'static str = "contact";

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Self::read_any(reader)
    }

    fn write(&self, writer: &mut Writer) {
        self.write_as(writer, "contact", self.uri());
    }
}

impl ContactExtension {
    /// An extension without content.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an element.
    pub fn push(&mut self, element: Raw) {
        self.0.push_element(element);
    }

    /// Its elements.
    pub fn elements(&self) -> impl Iterator<Item = &Raw> {
        self.0.elements()
    }

    /// Octets of its content as the list has it.
    #[must_use]
    pub fn size(&self) -> usize {
        let mut writer = Writer::new();
        writer.open("", "contactExtension");
        self.write_content(&mut writer);
        let tags = "<contactExtension></contactExtension>".len();
        // Without content there is one tag only.
        writer.finish().len().saturating_sub(tags)
    }

    pub(super) fn read_any(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut content = Extra::default();
        for attribute in reader.attributes() {
            content.read_attribute(attribute)?;
        }
        while reader.child()?.is_some() {
            content.push_element(reader.raw()?);
        }
        Ok(Self(content))
    }

    pub(super) fn write_content(&self, writer: &mut Writer) {
        self.0.write_attributes(writer);
        self.0.write_elements(writer, &mut Written::default());
    }
}

#[cfg(test)]
mod tests {
    use ocs_xml::{Limits, from_slice, to_string};

    use super::*;

    fn read(text: &str) -> Result<Contact, Error> {
        from_slice(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn it_is_small() {
        assert_eq!(size_of::<Contact>(), 40);
    }

    #[test]
    fn everything_comes_back() {
        let text = r#"<contact uri="a@b.c" name="A" groups="1 2" subscribed="false" externalURI="x" later="1"><contactExtension><s xmlns="urn:s" v="1">t</s></contactExtension><more/></contact>"#;
        let contact = read(text).unwrap();
        assert_eq!(to_string(&contact), text);
        assert_eq!((contact.uri(), contact.name()), ("a@b.c", "A"));
        assert_eq!(contact.external_uri(), Some("x"));
        assert!(!contact.subscribed());
        assert_eq!(contact.extension().unwrap().elements().count(), 1);
        let renamed = contact.clone().with_name("Anna").with_external_uri(None);
        assert_eq!((renamed.uri(), renamed.name()), ("a@b.c", "Anna"));
        assert_eq!(renamed.external_uri(), None);
        assert_eq!(renamed.extension(), contact.extension());
        assert!(!renamed.subscribed());
    }

    #[test]
    fn defaults() {
        let contact = read(r#"<contact uri="sip:a@b.c"/>"#).unwrap();
        assert_eq!(contact.uri(), "a@b.c");
        assert!(contact.subscribed() && contact.groups().is_empty());
        for bad in [
            "<contact/>",
            r#"<contact uri=""/>"#,
            r#"<contact uri="a@b.c" groups="99"/>"#,
            r#"<contact uri="a@b.c" subscribed="maybe"/>"#,
            r#"<contact uri="a@b.c"><contactExtension/><contactExtension/></contact>"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
