//! Elements whose content nobody here needs to know.

use smol_str::SmolStr;

use crate::names::XSI;
use crate::reader::Token;
use crate::text::{push_text, push_value};
use crate::{Child, Element, Error, Limits, Reader, Tag, Writer};

/// A whole element, kept as markup that stands on its own: what a server passes on without reading it, and what a newer peer sends that
/// this crate does not know.
///
/// It is written anew when it is read: prefixes and their declarations, attributes, text and order stay; comments, instructions, the
/// kind of quotes and CDATA sections do not. So whatever a peer sent, what goes on to others is well-formed, and binds every
/// prefix that it uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Raw {
    text: SmolStr,
    /// Octets of the prefix with its colon.
    prefix: u32,
    /// Octets of the whole name.
    name: u32,
    /// Something in it is in no namespace and does not say so: inside a document that has a default one it must.
    bare: bool,
}

impl Raw {
    /// Reads a document that is one element.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.any_root()?;
        let raw = reader.raw()?;
        reader.finish()?;
        Ok(raw)
    }

    /// What an element would be written as.
    #[must_use]
    pub fn of<T: Element>(element: &T) -> Self {
        let text = crate::to_string(element);
        let name = text[1..].find([' ', '/', '>']).unwrap_or_default();
        let prefix = text[1..=name].find(':').map_or(0, |at| at + 1);
        Self {
            prefix: prefix as u32,
            name: name as u32,
            bare: T::NAMESPACE.is_empty(),
            text: text.into(),
        }
    }

    /// The name of the element without prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[1 + self.prefix as usize..=self.name as usize]
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads it as an element of a schema. What is here was read within bounds already, so only its own length counts.
    pub fn decode<T: Element>(&self) -> Result<T, Error> {
        crate::from_slice(self.text.as_bytes(), &self.limits())
    }

    /// A reader over it, before its root.
    pub fn reader(&self) -> Result<Reader<'_>, Error> {
        Reader::new(self.text.as_bytes(), &self.limits())
    }

    fn limits(&self) -> Limits {
        Limits {
            size: self.text.len(),
            depth: usize::MAX,
            attributes: usize::MAX,
        }
    }

    /// Writes it into a document. A default namespace that is in force there is not declared again.
    pub fn write(&self, writer: &mut Writer) {
        let (name, rest) = self.text.split_at(1 + self.name as usize);
        writer.markup(name);
        if let Some((namespace, rest)) = default_namespace(rest)
            && writer.default_namespace() == namespace
        {
            writer.markup(rest);
            return;
        }
        if self.bare && !writer.default_namespace().is_empty() {
            writer.markup(" xmlns=\"\"");
        }
        writer.markup(rest);
    }
}

/// The default namespace that is declared first in a start tag, and what follows.
fn default_namespace(attributes: &str) -> Option<(&str, &str)> {
    attributes.strip_prefix(" xmlns=\"")?.split_once('"')
}

/// Any element at all: the `any` of a schema. It takes every child, so it is declared behind the others.
impl Child for Raw {
    const NAME: &'static str = "any element";

    fn is(_: &Tag<'_>) -> bool {
        true
    }

    fn read(_: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.raw()
    }

    fn write(&self, writer: &mut Writer) {
        Self::write(self, writer);
    }
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Writes the elements below a root, and notes what they take from outside of it.
struct Copy<'a> {
    out: String,
    open: Vec<std::ops::Range<usize>>,
    in_tag: bool,
    /// Depth of the root.
    root: usize,
    /// Prefixes used inside and declared outside.
    outer: Vec<(&'a str, &'a str)>,
    /// An element without prefix is in no namespace, and nothing inside says so.
    bare: bool,
}

impl<'a> Copy<'a> {
    /// Notes a use of a prefix.
    fn uses(&mut self, reader: &Reader<'a>, prefix: &'a str) {
        match reader.binding(prefix) {
            Some(binding) if binding.depth >= self.root => {}
            Some(binding) if !binding.namespace.is_empty() => {
                if !self.outer.iter().any(|(known, _)| *known == prefix) {
                    self.outer.push((prefix, binding.namespace));
                }
            }
            // `xml` needs no declaration.
            _ => self.bare |= prefix.is_empty(),
        }
    }

    fn name(&mut self, prefix: &str, name: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(name);
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        push_value(&mut self.out, value);
        self.out.push('"');
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.out.push('>');
            self.in_tag = false;
        }
    }

    /// The start tag of the element that the reader has just entered.
    fn start(&mut self, reader: &Reader<'a>, prefix: &'a str, name: &str) -> Result<(), Error> {
        self.end_tag();
        self.out.push('<');
        let from = self.out.len();
        self.name(prefix, name);
        self.open.push(from..self.out.len());
        self.in_tag = true;
        self.uses(reader, prefix);
        let depth = reader.depth();
        let declared = reader
            .bindings()
            .iter()
            .rev()
            .take_while(|binding| binding.depth == depth)
            .count();
        let all = reader.bindings();
        for binding in &all[all.len() - declared..] {
            if depth == self.root && binding.prefix.is_empty() && binding.namespace.is_empty() {
                // Said again where the element is written, if that is needed there.
                self.bare = true;
            } else {
                self.declare(binding.prefix, binding.namespace);
            }
        }
        for attribute in reader.attributes() {
            self.uses_of_attribute(reader, attribute.prefix);
            self.out.push(' ');
            self.name(attribute.prefix, attribute.name);
            let value = attribute.value()?;
            self.value(&value);
            if attribute.namespace == XSI
                && attribute.name == "type"
                && let std::borrow::Cow::Borrowed(value) = value
                && let Some((prefix, _)) = value.trim_ascii().split_once(':')
            {
                self.uses(reader, prefix);
            }
        }
        Ok(())
    }

    fn uses_of_attribute(&mut self, reader: &Reader<'a>, prefix: &'a str) {
        // Without prefix an attribute is in no namespace.
        if !prefix.is_empty() {
            self.uses(reader, prefix);
        }
    }

    fn declare(&mut self, prefix: &str, namespace: &str) {
        self.out.push_str(" xmlns");
        if !prefix.is_empty() {
            self.out.push(':');
            self.out.push_str(prefix);
        }
        self.value(namespace);
    }

    fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            if self.in_tag {
                self.out.push_str("/>");
                self.in_tag = false;
            } else {
                self.out.push_str("</");
                self.out.extend_from_within(name);
                self.out.push('>');
            }
        }
    }
}

impl Reader<'_> {
    /// The element that was just entered, whole, as [`Raw`]; it is left. Call it before anything else is read of the element.
    pub fn raw(&mut self) -> Result<Raw, Error> {
        let tag = self.entered();
        let mut copy = Copy {
            out: String::new(),
            open: Vec::new(),
            in_tag: false,
            root: self.depth(),
            outer: Vec::new(),
            bare: false,
        };
        copy.start(self, tag.prefix, tag.name)?;
        let name = copy.out.len().min(1 + qualified_len(tag.prefix, tag.name));
        let mut open = 1usize;
        while open > 0 {
            match self.token()? {
                Token::Start(tag) => {
                    copy.start(self, tag.prefix, tag.name)?;
                    open += 1;
                }
                Token::Text(text) => {
                    if !text.is_empty() {
                        copy.end_tag();
                        push_text(&mut copy.out, &text);
                    }
                }
                Token::End => {
                    copy.close();
                    open -= 1;
                }
            }
        }
        if !copy.outer.is_empty() {
            let tail = copy.out.split_off(name);
            for (prefix, namespace) in std::mem::take(&mut copy.outer) {
                copy.declare(prefix, namespace);
            }
            copy.out.push_str(&tail);
        }
        Ok(Raw {
            prefix: if tag.prefix.is_empty() {
                0
            } else {
                tag.prefix.len() as u32 + 1
            },
            name: name as u32 - 1,
            bare: copy.bare,
            text: copy.out.into(),
        })
    }
}

fn qualified_len(prefix: &str, name: &str) -> usize {
    if prefix.is_empty() {
        name.len()
    } else {
        prefix.len() + 1 + name.len()
    }
}
