//! Typed elements: what a schema says, and what it does not say but a peer sent.

use smol_str::SmolStr;

use crate::names::COMMON_TYPES;
use crate::{Attribute, Error, Limits, Raw, Reader, Tag, Writer};

/// An element of a schema. [`element!`](crate::element) makes a type and its implementation.
pub trait Element: Sized {
    /// The namespace; empty for an element without.
    const NAMESPACE: &'static str;
    /// The name.
    const NAME: &'static str;

    /// Reads the element that the reader has just entered, and leaves it.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error>;

    /// Writes it.
    fn write(&self, writer: &mut Writer);
}

/// What may stand as a child: one element, or one of several. [`choice!`](crate::choice) makes the latter.
pub trait Child: Sized {
    /// Its name, or what it is called when it is missed.
    const NAME: &'static str;

    /// Whether an element is this child.
    fn is(tag: &Tag<'_>) -> bool;

    /// Reads the child that the reader has just entered, and leaves it.
    fn read(tag: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error>;

    /// Writes it.
    fn write(&self, writer: &mut Writer);
}

impl<T: Element> Child for T {
    const NAME: &'static str = <T as Element>::NAME;

    fn is(tag: &Tag<'_>) -> bool {
        tag.is(T::NAMESPACE, <T as Element>::NAME)
    }

    fn read(_: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        <T as Element>::read(reader)
    }

    fn write(&self, writer: &mut Writer) {
        <T as Element>::write(self, writer);
    }
}

/// A type of a schema that has no name of its own: attributes and children, or text, of an element whose name the
/// field gives that holds it. [`content!`](crate::content) makes a type and its implementation.
pub trait Content: Sized {
    /// Reads the inside of the element that the reader has just entered, and leaves it.
    fn read_content(reader: &mut Reader<'_>) -> Result<Self, Error>;

    /// Writes attributes and children into the element that was just opened, and leaves it open.
    fn write_content(&self, writer: &mut Writer);
}

/// Writes an element with the name that a field gives.
#[doc(hidden)]
pub fn write_part<T: Content>(writer: &mut Writer, namespace: &str, name: &str, content: &T) {
    writer.open(namespace, name);
    content.write_content(writer);
    writer.close();
}

/// What an element has beside what its schema names: unknown attributes and elements, in their order. They are written again, the elements
/// behind the known ones.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Extra(Option<Box<Unknown>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Unknown {
    attributes: Vec<ExtraAttribute>,
    /// With the number of delimiters before each.
    elements: Vec<(u8, Raw)>,
}

/// An attribute that the schema does not name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtraAttribute {
    /// The namespace; empty for a name without prefix.
    pub namespace: SmolStr,
    /// The prefix.
    pub prefix: SmolStr,
    /// The name without prefix.
    pub name: SmolStr,
    /// The value.
    pub value: SmolStr,
}

impl std::fmt::Debug for Extra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extra")
            .field("attributes", &self.attributes())
            .field("elements", &self.elements().collect::<Vec<_>>())
            .finish()
    }
}

impl Extra {
    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &[ExtraAttribute] {
        self.0.as_ref().map_or(&[], |unknown| &unknown.attributes)
    }

    /// The elements.
    pub fn elements(&self) -> impl Iterator<Item = &Raw> {
        self.0
            .iter()
            .flat_map(|unknown| unknown.elements.iter().map(|(_, raw)| raw))
    }

    /// Adds an attribute.
    pub fn push_attribute(&mut self, attribute: ExtraAttribute) {
        self.0.get_or_insert_default().attributes.push(attribute);
    }

    /// Adds an element.
    pub fn push_element(&mut self, raw: Raw) {
        self.push_element_after(0, raw);
    }

    /// Adds an element that follows the n-th delimiter.
    #[doc(hidden)]
    pub fn push_element_after(&mut self, delimiters: u8, raw: Raw) {
        self.0
            .get_or_insert_default()
            .elements
            .push((delimiters, raw));
    }

    #[doc(hidden)]
    pub fn read_attribute(&mut self, attribute: &Attribute<'_>) -> Result<(), Error> {
        self.push_attribute(ExtraAttribute {
            namespace: attribute.namespace.into(),
            prefix: attribute.prefix.into(),
            name: attribute.name.into(),
            value: attribute.value()?.into(),
        });
        Ok(())
    }

    #[doc(hidden)]
    pub fn write_attributes(&self, writer: &mut Writer) {
        for attribute in self.attributes() {
            if attribute.prefix.is_empty() {
                writer.attr(&attribute.name, &attribute.value);
            } else {
                writer.attr_prefixed(
                    &attribute.prefix,
                    &attribute.namespace,
                    &attribute.name,
                    &attribute.value,
                );
            }
        }
    }

    /// Writes delimiters up to the wanted number. Unknown elements of the versions before stand before them.
    #[doc(hidden)]
    pub fn delimit(&self, writer: &mut Writer, written: &mut Written, wanted: u8) {
        while written.delimiters < wanted {
            self.write_level(writer, written);
            writer.open_prefixed("ct", COMMON_TYPES, "delimiter");
            writer.close();
            written.delimiters += 1;
        }
    }

    /// Writes the unknown elements of the versions so far.
    fn write_level(&self, writer: &mut Writer, written: &mut Written) {
        let unknown = self.0.iter().flat_map(|unknown| &unknown.elements);
        for (delimiters, raw) in unknown.skip(written.unknown) {
            if *delimiters > written.delimiters {
                break;
            }
            raw.write(writer);
            written.unknown += 1;
        }
    }

    /// Writes the unknown elements that are left.
    #[doc(hidden)]
    pub fn write_elements(&self, writer: &mut Writer, written: &mut Written) {
        let last = self.0.iter().flat_map(|unknown| &unknown.elements);
        let last = last.map(|(delimiters, _)| *delimiters).max();
        self.delimit(writer, written, last.unwrap_or_default());
        self.write_level(writer, written);
    }
}

/// How much of an element stands already.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Written {
    delimiters: u8,
    unknown: usize,
}

/// Whether an element parts the versions of a schema.
#[doc(hidden)]
#[must_use]
pub fn is_delimiter(tag: &Tag<'_>) -> bool {
    tag.name == "delimiter" && tag.namespace == COMMON_TYPES
}

/// Reads a document.
pub fn from_slice<T: Element>(document: &[u8], limits: &Limits) -> Result<T, Error> {
    Reader::new(document, limits)?.document()
}

/// Writes a document.
#[must_use]
pub fn to_string<T: Element>(element: &T) -> String {
    let mut writer = Writer::new();
    element.write(&mut writer);
    writer.finish()
}
