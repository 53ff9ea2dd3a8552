//! Elements whose content nobody here needs to know.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::names::XSI;
use crate::reader::{Binding, Token};
use crate::text::{is_allowed, push_text, push_value};
use crate::{Child, Element, Error, Limits, Reader, Tag, Writer};

/// A whole element, kept as markup that stands on its own: what a server passes on without reading it, and what a newer peer sends that
/// this crate does not know.
///
/// It is kept as it was sent, with the declarations that it took from outside. One with comments, instructions, CDATA sections or
/// characters that XML does not have is written anew without them. So whatever a peer sent, what goes on to others is well-formed, and
/// binds every prefix that it uses.
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

/// What an element takes from outside of it.
struct Uses<'a> {
    /// Depth of the element.
    root: usize,
    /// Prefixes used inside and declared outside.
    outer: Vec<(&'a str, &'a str)>,
    /// An element without prefix is in no namespace, and nothing inside says so.
    bare: bool,
}

impl<'a> Uses<'a> {
    const fn new(root: usize) -> Self {
        Self {
            root,
            outer: Vec::new(),
            bare: false,
        }
    }

    /// Notes a use of a prefix.
    fn prefix(&mut self, reader: &Reader<'a>, prefix: &'a str) {
        // `xml` has no binding, and needs none.
        if let Some(binding) = reader.binding(prefix)
            && binding.depth < self.root
        {
            self.outer(binding);
        }
    }

    /// Notes an element without prefix.
    fn default(&mut self, reader: &Reader<'a>) {
        let binding = reader.default_binding();
        if binding.depth < self.root {
            if binding.namespace.is_empty() {
                self.bare = true;
            } else {
                self.outer(&binding);
            }
        }
    }

    fn outer(&mut self, binding: &Binding<'a>) {
        if !self.outer.iter().any(|(known, _)| *known == binding.prefix) {
            self.outer.push((binding.prefix, binding.namespace));
        }
    }

    /// Notes what the start tag of the element that the reader has just entered uses, and looks at the values of its attributes.
    fn tag(&mut self, reader: &Reader<'a>, prefix: &'a str) -> Result<(), Error> {
        if prefix.is_empty() {
            self.default(reader);
        } else {
            self.prefix(reader, prefix);
        }
        for attribute in reader.attributes() {
            let value = attribute.value()?;
            // Without prefix an attribute is in no namespace.
            if attribute.prefix.is_empty() {
                continue;
            }
            self.prefix(reader, attribute.prefix);
            if attribute.namespace == XSI
                && attribute.name == "type"
                && let Cow::Borrowed(value) = value
                && let Some((prefix, _)) = value.trim_ascii().split_once(':')
            {
                self.prefix(reader, prefix);
            }
        }
        Ok(())
    }

    /// An element as markup that stands on its own. `name` is the length of its name.
    fn complete(&self, element: &str, name: usize) -> Raw {
        let prefix = element[1..=name].find(':').map_or(0, |at| at + 1);
        let text = if self.outer.is_empty() {
            element.into()
        } else {
            let (head, tail) = element.split_at(1 + name);
            let mut text = String::with_capacity(element.len() + 64 * self.outer.len());
            text.push_str(head);
            for (prefix, namespace) in &self.outer {
                declare(&mut text, prefix, namespace);
            }
            text.push_str(tail);
            text.into()
        };
        Raw {
            prefix: prefix as u32,
            name: name as u32,
            bare: self.bare,
            text,
        }
    }
}

fn declare(out: &mut String, prefix: &str, namespace: &str) {
    out.push_str(" xmlns");
    if !prefix.is_empty() {
        out.push(':');
        out.push_str(prefix);
    }
    push_attribute_value(out, namespace);
}

fn push_attribute_value(out: &mut String, value: &str) {
    out.push_str("=\"");
    push_value(out, value);
    out.push('"');
}

/// Whether an element, which a reader has read, can be kept as it is.
///
/// `<` begins markup wherever it stands, as the reader refuses it in attributes. Nothing that is three octets long and begins with 0xEF needs
/// to be left out but U+FFFE and U+FFFF.
fn is_plain(element: &str) -> bool {
    let bytes = element.as_bytes();
    memchr::memchr2_iter(b'!', b'?', bytes).all(|at| at == 0 || bytes[at - 1] != b'<')
        && (memchr::memchr(0xEF, bytes).is_none() || element.chars().all(is_allowed))
}

/// Writes an element anew.
struct Copy {
    out: String,
    open: Vec<std::ops::Range<usize>>,
    in_tag: bool,
}

impl Copy {
    /// Writes the element of which the reader has just entered the root. A declaration that it is in no namespace is left out: it is made again
    /// where the element is written, if that is needed there.
    fn element(mut self, reader: &mut Reader<'_>) -> Result<String, Error> {
        let root = reader.entered();
        self.start(reader, root)?;
        while !self.open.is_empty() {
            match reader.token()? {
                Token::Start => self.start(reader, reader.entered())?,
                Token::Text => {
                    let text = reader.take_text();
                    if !text.is_empty() {
                        self.end_tag();
                        push_text(&mut self.out, &text);
                    }
                }
                Token::End => self.close(),
            }
        }
        Ok(self.out)
    }

    fn start(&mut self, reader: &Reader<'_>, tag: Tag<'_>) -> Result<(), Error> {
        self.end_tag();
        self.out.push('<');
        let from = self.out.len();
        self.name(tag.prefix, tag.name);
        self.open.push(from..self.out.len());
        self.in_tag = true;
        let depth = reader.depth();
        let bindings = reader.bindings();
        let own = bindings.partition_point(|binding| binding.depth < depth);
        for binding in &bindings[own..] {
            let takes_back = binding.prefix.is_empty() && binding.namespace.is_empty();
            if !(takes_back && self.open.len() == 1) {
                declare(&mut self.out, binding.prefix, binding.namespace);
            }
        }
        for attribute in reader.attributes() {
            self.out.push(' ');
            self.name(attribute.prefix, attribute.name);
            push_attribute_value(&mut self.out, &attribute.value()?);
        }
        Ok(())
    }

    fn name(&mut self, prefix: &str, name: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(name);
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.out.push('>');
            self.in_tag = false;
        }
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
        let root = self.depth();
        let mut uses = Uses::new(root);
        uses.tag(self, tag.prefix)?;
        let default = self.default_binding();
        let takes_back = default.depth == root && default.namespace.is_empty();
        let mut open = 1usize;
        while open > 0 {
            match self.token()? {
                Token::Start => {
                    uses.tag(self, self.entered().prefix)?;
                    open += 1;
                }
                Token::Text => {}
                Token::End => open -= 1,
            }
        }
        let name = match tag.prefix.len() {
            0 => tag.name.len(),
            prefix => prefix + 1 + tag.name.len(),
        };
        let element = self.since(tag.offset);
        let raw = uses.complete(element, name);
        if takes_back {
            return raw.bare();
        }
        if is_plain(element) {
            return Ok(raw);
        }
        raw.written_anew()
    }
}

impl Raw {
    /// Without the declaration of the root that it is in no namespace: that is made again where the element is written, if it is needed
    /// there.
    fn bare(mut self) -> Result<Self, Error> {
        self.bare = true;
        let (name, rest) = self.text.split_at(1 + self.name as usize);
        match rest.strip_prefix(" xmlns=\"\"") {
            Some(rest) if is_plain(rest) => {
                self.text = [name, rest].concat().into();
                Ok(self)
            }
            _ => self.written_anew(),
        }
    }

    /// Without what [`is_plain`] finds.
    fn written_anew(&self) -> Result<Self, Error> {
        let mut reader = self.reader()?;
        reader.any_root()?;
        let copy = Copy {
            out: String::with_capacity(self.text.len()),
            open: Vec::new(),
            in_tag: false,
        };
        Ok(Self {
            text: copy.element(&mut reader)?.into(),
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The child of a document, as it stands alone, and as it is written below the same root.
    fn child(document: &str) -> (Raw, String) {
        let mut reader = Reader::new(document.as_bytes(), &Limits::default()).unwrap();
        reader.any_root().unwrap();
        reader.child().unwrap();
        let raw = reader.raw().unwrap();
        assert_eq!(reader.child().unwrap(), None);
        let mut writer = Writer::new();
        writer.open("urn:root", "root");
        raw.write(&mut writer);
        (raw, writer.finish())
    }

    #[test]
    fn an_element_is_kept_as_it_was_sent() {
        for element in [
            "<a/>",
            "<a></a>",
            "<a b='1'  c=\"x&#10;&lt;\"><b>&amp; \u{e4}</b>\r\n</a >",
            "<a b=\"1\" xmlns:x=\"urn:x\" x:c=\"2\"/>",
            "<a xml:lang=\"en\"/>",
        ] {
            let (raw, written) = child(&format!("<root>{element}</root>"));
            assert_eq!(raw.as_str(), element);
            assert_eq!(raw.name(), "a");
            let (again, _) = child(&written);
            assert_eq!(again, raw, "{written}");
        }
    }

    #[test]
    fn declarations_from_outside_come_along() {
        let (raw, written) = child(
            r#"<root xmlns="urn:root" xmlns:p="urn:p" xmlns:q="urn:q"><a><p:b t="p"/></a></root>"#,
        );
        assert_eq!(
            raw.as_str(),
            r#"<a xmlns="urn:root" xmlns:p="urn:p"><p:b t="p"/></a>"#
        );
        assert_eq!(
            written,
            r#"<root xmlns="urn:root"><a xmlns:p="urn:p"><p:b t="p"/></a></root>"#
        );
        let (raw, _) = child(r#"<root xmlns:p="urn:p"><p:a/></root>"#);
        assert_eq!(
            (raw.as_str(), raw.name()),
            (r#"<p:a xmlns:p="urn:p"/>"#, "a")
        );
        let (raw, _) = child(&format!(
            r#"<root xmlns:p="urn:p" xmlns:x="{XSI}"><a x:type="p:t"/></root>"#
        ));
        assert_eq!(
            raw.as_str(),
            format!(r#"<a xmlns:x="{XSI}" xmlns:p="urn:p" x:type="p:t"/>"#)
        );
    }

    #[test]
    fn no_namespace_stays_none() {
        let (raw, written) = child(r#"<root xmlns="urn:root"><a xmlns=""><b/></a></root>"#);
        assert_eq!(raw.as_str(), "<a><b/></a>");
        assert_eq!(
            written,
            r#"<root xmlns="urn:root"><a xmlns=""><b/></a></root>"#
        );
        assert_eq!(child(&written).0, raw);
    }

    #[test]
    fn what_others_may_not_take_is_left_out() {
        for (sent, kept) in [
            ("<a><!-- c -->x<?p i?></a>", "<a>x</a>"),
            ("<a><![CDATA[<&]]></a>", "<a>&lt;&amp;</a>"),
            (
                "<a b='\u{FFFE}'>\u{FFFF}\u{FEFF}</a>",
                "<a b=\"\u{FFFD}\">\u{FFFD}\u{FEFF}</a>",
            ),
        ] {
            assert_eq!(child(&format!("<root>{sent}</root>")).0.as_str(), kept);
        }
        for bad in [
            "<a b=\"1\"c=\"2\"/>",
            "<a b=\"&x;\"/>",
            "<a>&#xFFFE;</a>",
            "<p:a/>",
            "<a xmlns:p=\"urn:\n\"/>",
            "<a xmlns:p='urn:\"'/>",
            "<a xmlns='urn:>'/>",
            "<a p:b=\"\"/>",
        ] {
            let document = format!("<root>{bad}</root>");
            let mut reader = Reader::new(document.as_bytes(), &Limits::default()).unwrap();
            reader.any_root().unwrap();
            let read = reader.child().and_then(|_| reader.raw());
            assert!(read.is_err(), "{bad}");
        }
    }
}
