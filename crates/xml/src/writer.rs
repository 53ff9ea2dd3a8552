//! The writer: elements into a string.

use std::ops::Range;

use crate::Value;
use crate::names::{XML, XSI};
use crate::text::{push_text, push_value};

/// Writes a document. Namespaces are declared where they are first needed.
///
/// ```
/// use ocs_xml::Writer;
///
/// let mut writer = Writer::new();
/// writer.open("urn:example:list", "list");
/// writer.attr("uri", "sip:alice@contoso.com");
/// writer.leaf("urn:example:list", "item", &7u32);
/// writer.close();
/// assert_eq!(
///     writer.finish(),
///     r#"<list xmlns="urn:example:list" uri="sip:alice@contoso.com"><item>7</item></list>"#
/// );
/// ```
///
/// Characters that XML cannot carry become U+FFFD, so what is written is always well-formed.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    open: Vec<Open>,
    /// Prefix and namespace of what is declared, innermost last.
    bindings: Vec<(Box<str>, Box<str>)>,
    /// The last start tag is not closed yet: attributes may follow.
    in_tag: bool,
    /// For values on their way out.
    scratch: String,
}

#[derive(Debug)]
struct Open {
    /// The name, as a piece of what is written.
    name: Range<usize>,
    /// How many bindings there were outside.
    bindings: usize,
}

impl Writer {
    /// A writer without XML declaration: the documents of the system come without.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an XML declaration (`<?xml version="1.0" encoding="utf-8"?>`). Call it first.
    pub fn declaration(&mut self) {
        self.out
            .push_str(r#"<?xml version="1.0" encoding="utf-8"?>"#);
    }

    /// Opens an element of a namespace that is, or becomes, the default one.
    pub fn open(&mut self, namespace: &str, name: &str) {
        self.start("", name);
        self.bind("", namespace);
    }

    /// Opens an element with a prefix.
    pub fn open_prefixed(&mut self, prefix: &str, namespace: &str, name: &str) {
        self.start(prefix, name);
        self.bind(prefix, namespace);
    }

    fn start(&mut self, prefix: &str, name: &str) {
        self.end_tag();
        self.out.push('<');
        let from = self.out.len();
        self.push_name(prefix, name);
        self.open.push(Open {
            name: from..self.out.len(),
            bindings: self.bindings.len(),
        });
        self.in_tag = true;
    }

    fn push_name(&mut self, prefix: &str, name: &str) {
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

    /// The namespace that a prefix stands for at this place; of the default one, an empty string when there is none.
    fn bound(&self, prefix: &str) -> Option<&str> {
        self.bindings
            .iter()
            .rev()
            .find(|(bound, _)| **bound == *prefix)
            .map(|(_, namespace)| &**namespace)
            .or(if prefix.is_empty() { Some("") } else { None })
    }

    /// Declares a namespace on the element that was just opened, unless it is declared already. [`open`](Self::open) does it by
    /// itself; a document whose root declares what its children need calls it.
    pub fn bind(&mut self, prefix: &str, namespace: &str) {
        if self.bound(prefix) == Some(namespace) || (prefix == "xml" && namespace == XML) {
            return;
        }
        self.out.push_str(" xmlns");
        if !prefix.is_empty() {
            self.out.push(':');
            self.out.push_str(prefix);
        }
        self.out.push_str("=\"");
        push_value(&mut self.out, namespace);
        self.out.push('"');
        self.bindings.push((prefix.into(), namespace.into()));
    }

    /// Adds an attribute to the element that was just opened.
    pub fn attr(&mut self, name: &str, value: &str) {
        debug_assert!(self.in_tag, "attribute after content");
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_value(&mut self.out, value);
        self.out.push('"');
    }

    /// Adds an attribute with a typed value.
    pub fn attr_value<T: Value>(&mut self, name: &str, value: &T) {
        let text = self.format(value);
        self.attr(name, &text);
        self.scratch = text;
    }

    /// Adds an attribute with a prefix, and declares the namespace where that is needed.
    pub fn attr_prefixed(&mut self, prefix: &str, namespace: &str, name: &str, value: &str) {
        self.bind(prefix, namespace);
        self.out.push(' ');
        self.push_name(prefix, name);
        self.out.push_str("=\"");
        push_value(&mut self.out, value);
        self.out.push('"');
    }

    /// Adds `xsi:type`.
    pub fn xsi_type(&mut self, value: &str) {
        self.attr_prefixed("xsi", XSI, "type", value);
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.end_tag();
            push_text(&mut self.out, text);
        }
    }

    /// Adds text with a typed value.
    pub fn text_value<T: Value>(&mut self, value: &T) {
        let text = self.format(value);
        self.text(&text);
        self.scratch = text;
    }

    /// Adds an element that holds a value only.
    pub fn leaf<T: Value>(&mut self, namespace: &str, name: &str, value: &T) {
        self.open(namespace, name);
        self.text_value(value);
        self.close();
    }

    /// Adds what is markup already and stands on its own.
    pub(crate) fn markup(&mut self, markup: &str) {
        self.end_tag();
        self.out.push_str(markup);
    }

    /// The namespace that an element without prefix falls into here; empty when there is none.
    pub(crate) fn default_namespace(&self) -> &str {
        self.bound("").unwrap_or_default()
    }

    /// Closes the innermost open element.
    pub fn close(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        self.bindings.truncate(open.bindings);
        if self.in_tag {
            self.out.push_str("/>");
            self.in_tag = false;
        } else {
            self.out.push_str("</");
            self.out.extend_from_within(open.name);
            self.out.push('>');
        }
    }

    /// The document. Elements that are still open are closed.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    /// Puts a value into the buffer for values and gives it away; whoever takes it puts it back.
    fn format<T: Value>(&mut self, value: &T) -> String {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        value.format(&mut text);
        text
    }
}
