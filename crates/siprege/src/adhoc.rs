//! Batched subscription in the form of LCS 2005 (\[MS-SIP\] 3.3.4.1): one SUBSCRIBE to oneself with a list of those whose presence is wanted.
//!
//! The body of the first SUBSCRIBE has `create`; later ones in the same dialog have `add` and `delete` (recalled).

use ocs_xml::{Child, Element, Error, Extra, Limits, Reader, SmolStr, Tag, Writer, element};

/// The type of the document.
pub const CONTENT_TYPE: &str = "application/adrl+xml";
/// The option tag, which the SUBSCRIBE requires and a server announces in the 200 to REGISTER.
pub const OPTION: &str = "adhoclist";
/// The namespace of the root. What is inside is in none.
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:adrl";

element! {
    /// Somebody whose presence is wanted.
    pub struct Resource("", "resource") {
        /// The address with `sip:`.
        attr uri: SmolStr,
    }
}

/// A change of the list of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The list is these.
    Create(Vec<Resource>),
    /// The list has these too.
    Add(Vec<Resource>),
    /// The list no longer has these.
    Delete(Vec<Resource>),
}

impl Step {
    const fn parts(&self) -> (&'static str, &Vec<Resource>) {
        match self {
            Self::Create(resources) => ("create", resources),
            Self::Add(resources) => ("add", resources),
            Self::Delete(resources) => ("delete", resources),
        }
    }

    /// The resources that it names.
    #[must_use]
    pub const fn resources(&self) -> &Vec<Resource> {
        self.parts().1
    }
}

element! {
    /// `adhoclist`: the body of the SUBSCRIBE.
    pub struct AdhocList(NAMESPACE, "adhoclist") {
        /// The subscriber's own address with `sip:`.
        attr uri: SmolStr,
        /// The same again.
        attr_opt name: SmolStr,
        /// What to do with the list.
        children steps: Step,
    }
}

impl AdhocList {
    /// The body that begins a subscription of `own` to `resources`, all with `sip:`.
    pub fn create<'a>(own: &str, resources: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(own, Step::Create(list(resources)))
    }

    /// The body that adds resources.
    pub fn add<'a>(own: &str, resources: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(own, Step::Add(list(resources)))
    }

    /// The body that takes resources out.
    pub fn delete<'a>(own: &str, resources: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(own, Step::Delete(list(resources)))
    }

    fn of(own: &str, step: Step) -> Self {
        Self {
            uri: own.into(),
            name: Some(own.into()),
            steps: vec![step],
            extra: Extra::default(),
        }
    }

    /// Reads a body.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        ocs_xml::from_slice(document, limits)
    }

    /// The body.
    #[must_use]
    pub fn to_body(&self) -> String {
        ocs_xml::to_string(self)
    }

    /// Resources that are named, all steps together; what to hold against a bound.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.iter().map(|step| step.resources().len()).sum()
    }

    /// Whether no resource is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn list<'a>(uris: impl IntoIterator<Item = &'a str>) -> Vec<Resource> {
    uris.into_iter()
        .map(|uri| Resource {
            uri: uri.into(),
            extra: Extra::default(),
        })
        .collect()
}

impl Child for Step {
    const NAME: &'static str = "create, add or delete";

    fn is(tag: &Tag<'_>) -> bool {
        ["create", "add", "delete"]
            .iter()
            .any(|name| tag.is(NAMESPACE, name))
    }

    fn read(tag: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut resources = Vec::new();
        while let Some(child) = reader.child()? {
            if child.is(NAMESPACE, "resource") {
                resources.push(<Resource as Element>::read(reader)?);
            } else {
                reader.skip()?;
            }
        }
        Ok(match tag.name {
            "create" => Self::Create(resources),
            "add" => Self::Add(resources),
            _ => Self::Delete(resources),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let (name, resources) = self.parts();
        writer.open("", name);
        for resource in resources {
            Element::write(resource, writer);
        }
        writer.close();
    }
}
