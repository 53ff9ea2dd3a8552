//! The reader: elements, one inside the other, as the caller asks for them.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::names::{Name, XML, XMLNS};
use crate::scan::{Part, Scan, is_space};
use crate::text::{has_controls, unescape};
use crate::{Element, Error, Limits};

/// The start of an element: its name and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The namespace; empty when the element has none.
    pub namespace: &'a str,
    /// The prefix as written; empty when there is none.
    pub prefix: &'a str,
    /// The name without prefix.
    pub name: &'a str,
    /// Octets before it in the document.
    pub offset: usize,
}

impl Tag<'_> {
    /// Whether the element has this name, in this namespace or in none.
    ///
    /// Real servers and clients leave namespaces out (\[MS-PRES\]; OfficeSIP, SIPE), so an element without one is taken for the
    /// one that is looked for. An element of another namespace never is, unless what is looked for has no namespace itself:
    /// peers write the documents of 2005 with different ones and without.
    #[must_use]
    #[inline]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name
            && (namespace.is_empty() || self.namespace.is_empty() || self.namespace == namespace)
    }
}

/// An attribute of the element that was entered last. Namespace declarations are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The namespace; empty for a name without prefix.
    pub namespace: &'a str,
    /// The prefix as written.
    pub prefix: &'a str,
    /// The name without prefix.
    pub name: &'a str,
    /// The value as written.
    raw: &'a str,
    /// There is a reference in it.
    has_references: bool,
    offset: usize,
}

impl<'a> Attribute<'a> {
    /// The value.
    #[inline]
    pub fn value(&self) -> Result<Cow<'a, str>, Error> {
        if self.has_references {
            unescape(self.raw, self.offset)
        } else {
            Ok(self.raw.into())
        }
    }
}

/// What begins text in which nothing is markup.
const CDATA: &str = "<![CDATA[";
/// What begins a document type definition.
const DOCTYPE: &str = "<!DOCTYPE";

/// A namespace declaration in scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// Empty for the default namespace.
    pub(crate) prefix: &'a str,
    /// Empty where a default namespace is taken back.
    pub(crate) namespace: &'a str,
    /// The depth of the element that declares it.
    pub(crate) depth: usize,
}

impl Binding<'_> {
    /// The default namespace where nothing declares one: none.
    const NONE: Self = Self {
        prefix: "",
        namespace: "",
        depth: 0,
    };
}

/// What comes next inside the innermost open element. What it carries stays in the reader, so that it is not moved from hand to hand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token {
    /// [`Reader::entered`].
    Start,
    /// [`Reader::take_text`].
    Text,
    End,
}

/// Reads a document from its root inwards.
///
/// [`root`](Self::root) enters the root, [`child`](Self::child) the next child of the element that is open; when there is none it
/// leaves that element and says `None`. Whoever has entered an element leaves it: by asking for children until `None`, by
/// [`text`](Self::text), [`skip`](Self::skip) or [`raw`](Self::raw).
///
/// ```
/// use ocs_xml::{Limits, Reader};
///
/// let text = br#"<list uri="sip:alice@contoso.com"><item>a</item><other/><item>b</item></list>"#;
/// let mut reader = Reader::new(text, &Limits::default())?;
/// reader.root("", "list")?;
/// assert_eq!(reader.attribute("uri")?.as_deref(), Some("sip:alice@contoso.com"));
/// let mut items = Vec::new();
/// while let Some(tag) = reader.child()? {
///     match tag.name {
///         "item" => items.push(reader.text()?.into_owned()),
///         _ => reader.skip()?,
///     }
/// }
/// reader.finish()?;
/// assert_eq!(items, ["a", "b"]);
/// # Ok::<(), ocs_xml::Error>(())
/// ```
///
/// Document type definitions are refused and entities but the five of XML unknown, so no document grows while it is read.
/// Processing instructions and comments are passed over. An XML declaration may name any encoding: the octets are
/// read as UTF-8, as they are in this system whatever the declaration says (\[MS-PRES\], legacy documents).
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    /// How far it is read.
    at: usize,
    limits: Limits,
    /// The names of the open elements, with their prefixes.
    open: Vec<&'a str>,
    /// The open element was written as `<a/>`: its end is next.
    empty: bool,
    /// The element that was entered last.
    entered: Tag<'a>,
    /// The text that was read last.
    content: Cow<'a, str>,
    attributes: Vec<Attribute<'a>>,
    bindings: Vec<Binding<'a>>,
    /// The default namespace where the reader stands: what most elements ask for.
    default: Binding<'a>,
    /// A namespace, and the one that it stands for.
    alias: Option<(&'static str, &'static str)>,
}

impl<'a> Reader<'a> {
    /// A reader before the root of a document.
    pub fn new(document: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        if document.len() > limits.size {
            return Err(Error::TooLong { limit: limits.size });
        }
        let text = core::str::from_utf8(document).map_err(|error| Error::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        if let Some(offset) = has_controls(text) {
            return Err(Error::Character { offset });
        }
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        Ok(Self {
            text,
            at: 0,
            limits: *limits,
            open: Vec::new(),
            empty: false,
            entered: Tag {
                namespace: "",
                prefix: "",
                name: "",
                offset: 0,
            },
            content: Cow::Borrowed(""),
            attributes: Vec::new(),
            bindings: Vec::new(),
            default: Binding::NONE,
            alias: None,
        })
    }

    /// Takes one namespace for another: for a schema that peers name in two ways. Call it before the root is read.
    pub fn alias(&mut self, namespace: &'static str, canonical: &'static str) {
        self.alias = Some((namespace, canonical));
    }

    /// Enters the root, which must have this name ([`Tag::is`]).
    pub fn root(&mut self, namespace: &str, name: &'static str) -> Result<Tag<'a>, Error> {
        let tag = self.any_root()?;
        if tag.is(namespace, name) {
            Ok(tag)
        } else {
            Err(Error::Root {
                expected: name,
                found: tag.name.into(),
            })
        }
    }

    /// Enters the root, whatever it is.
    pub fn any_root(&mut self) -> Result<Tag<'a>, Error> {
        loop {
            match self.token()? {
                Token::Start => return Ok(self.entered),
                // White space around the root.
                Token::Text => {}
                Token::End => return Err(self.syntax("no root element")),
            }
        }
    }

    /// Checks that nothing follows the root.
    pub fn finish(&mut self) -> Result<(), Error> {
        loop {
            match self.token()? {
                Token::Start => {
                    return Err(Error::Syntax {
                        offset: self.entered.offset,
                        what: "second root element".into(),
                    });
                }
                Token::Text => {}
                Token::End => return Ok(()),
            }
        }
    }

    /// Enters the next child of the open element, or leaves that element. Text between children is passed over.
    pub fn child(&mut self) -> Result<Option<Tag<'a>>, Error> {
        loop {
            match self.token()? {
                Token::Start => return Ok(Some(self.entered)),
                Token::Text => {}
                Token::End => return Ok(None),
            }
        }
    }

    /// The text of the open element, which is left. What is nested in it is passed over.
    pub fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.token()? {
                Token::Start => self.skip()?,
                Token::Text if text.is_empty() => text = self.take_text(),
                Token::Text => text.to_mut().push_str(&self.content),
                Token::End => return Ok(text),
            }
        }
    }

    /// Leaves the open element with all that is in it.
    pub fn skip(&mut self) -> Result<(), Error> {
        let mut open = 1usize;
        while open > 0 {
            match self.token()? {
                Token::Start => open += 1,
                Token::Text => {}
                Token::End => open -= 1,
            }
        }
        Ok(())
    }

    /// The attributes of the element that was entered last, until the next call that reads on.
    #[must_use]
    #[inline]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// The value of the attribute without prefix and with this name.
    pub fn attribute(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        self.attributes
            .iter()
            .find(|attribute| attribute.prefix.is_empty() && attribute.name == name)
            .map(Attribute::value)
            .transpose()
    }

    /// The namespace that a prefix is bound to, where the reader stands. `None` when it is not.
    #[must_use]
    pub fn namespace(&self, prefix: &str) -> Option<&'a str> {
        self.binding(prefix)
            .map(|binding| binding.namespace)
            .or(match prefix {
                "xml" => Some(XML),
                "" => Some(""),
                _ => None,
            })
    }

    pub(crate) fn binding(&self, prefix: &str) -> Option<&Binding<'a>> {
        self.bindings
            .iter()
            .rev()
            .find(|binding| binding.prefix == prefix)
    }

    /// The default namespace in force.
    pub(crate) const fn default_binding(&self) -> Binding<'a> {
        self.default
    }

    pub(crate) const fn entered(&self) -> Tag<'a> {
        self.entered
    }

    /// How many elements are open.
    pub(crate) const fn depth(&self) -> usize {
        self.open.len()
    }

    /// What was read from an offset on.
    pub(crate) fn since(&self, offset: usize) -> &'a str {
        &self.text[offset..self.at]
    }

    pub(crate) fn bindings(&self) -> &[Binding<'a>] {
        &self.bindings
    }

    fn syntax(&self, what: &str) -> Error {
        Error::Syntax {
            offset: self.at,
            what: what.into(),
        }
    }

    /// The text of the last [`Token::Text`].
    pub(crate) fn take_text(&mut self) -> Cow<'a, str> {
        std::mem::take(&mut self.content)
    }

    pub(crate) fn token(&mut self) -> Result<Token, Error> {
        if self.empty {
            self.empty = false;
            self.leave();
            return Ok(Token::End);
        }
        loop {
            match &self.text.as_bytes()[self.at..] {
                [b'<', b'/', ..] => {
                    self.end_tag()?;
                    return Ok(Token::End);
                }
                [b'<', b'!', ..] => {
                    if self.declaration()? {
                        return Ok(Token::Text);
                    }
                }
                [b'<', b'?', ..] => self.at = self.past(self.at + "<?".len(), "?>")?,
                [b'<', ..] => {
                    self.start_tag()?;
                    return Ok(Token::Start);
                }
                [] if self.open.is_empty() => return Ok(Token::End),
                [] => return Err(self.syntax("document ends early")),
                _ => {
                    self.characters()?;
                    return Ok(Token::Text);
                }
            }
        }
    }

    /// Where the first such mark ends from an offset on.
    fn past(&self, from: usize, mark: &str) -> Result<usize, Error> {
        let rest = &self.text.as_bytes()[from..];
        let found = memchr::memmem::find(rest, mark.as_bytes());
        let found = found.ok_or_else(|| self.syntax("markup without end"))?;
        Ok(from + found + mark.len())
    }

    /// Text up to the next tag.
    fn characters(&mut self) -> Result<(), Error> {
        let offset = self.at;
        let rest = &self.text[offset..];
        let bytes = rest.as_bytes();
        // Nearly always the first of these that comes is the end.
        let mut end = memchr::memchr3(b'<', b'&', b'>', bytes).unwrap_or(bytes.len());
        let is_plain = bytes.get(end).is_none_or(|byte| *byte == b'<');
        if !is_plain {
            end += memchr::memchr(b'<', &bytes[end..]).unwrap_or(bytes.len() - end);
        }
        let text = &rest[..end];
        if self.open.is_empty() && !text.trim_ascii().is_empty() {
            return Err(self.syntax("text outside the root element"));
        }
        self.at += end;
        self.content = if is_plain {
            text.into()
        } else if text.contains("]]>") {
            return Err(Error::Syntax {
                offset,
                what: "]]> in text".into(),
            });
        } else {
            unescape(text, offset)?
        };
        Ok(())
    }

    /// What begins with `<!`; whether it is text.
    fn declaration(&mut self) -> Result<bool, Error> {
        let offset = self.at;
        let rest = &self.text.as_bytes()[offset..];
        if rest.starts_with(b"<!--") {
            self.at = self.past(offset + "<!--".len(), "-->")?;
            return Ok(false);
        }
        let start = offset + CDATA.len();
        if rest.starts_with(CDATA.as_bytes()) {
            if self.open.is_empty() {
                return Err(self.syntax("text outside the root element"));
            }
            self.at = self.past(start, "]]>")?;
            self.content = self.text[start..self.at - "]]>".len()].into();
            return Ok(true);
        }
        let is_doctype = rest.get(..DOCTYPE.len());
        if is_doctype.is_some_and(|begins| begins.eq_ignore_ascii_case(DOCTYPE.as_bytes())) {
            return Err(Error::Doctype { offset });
        }
        Err(self.syntax("unknown markup"))
    }

    fn end_tag(&mut self) -> Result<(), Error> {
        let start = self.at + "</".len();
        let rest = &self.text.as_bytes()[start..];
        let Some(name) = self.open.last() else {
            return Err(self.syntax("end tag without start tag"));
        };
        let Some(after) = rest.strip_prefix(name.as_bytes()) else {
            return Err(self.syntax("end tag of another element"));
        };
        let space = after.iter().take_while(|byte| is_space(**byte)).count();
        if after.get(space) != Some(&b'>') {
            return Err(self.syntax("end tag of another element"));
        }
        self.at = start + name.len() + space + 1;
        self.leave();
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Error> {
        let offset = self.at;
        if self.open.len() == self.limits.depth {
            return Err(Error::TooDeep {
                limit: self.limits.depth,
                offset,
            });
        }
        let name = Name::read(self.text, offset + 1).ok_or_else(|| self.syntax("bad name"))?;
        self.open.push(&self.text[offset + 1..name.end]);
        self.attributes.clear();
        self.read_attributes(name.end, offset)?;
        let namespace = self.resolve(name.prefix, offset)?;
        self.entered = Tag {
            namespace,
            prefix: name.prefix,
            name: name.local,
            offset,
        };
        Ok(())
    }

    /// Reads the start tag behind the name, which ends at `at`.
    fn read_attributes(&mut self, at: usize, offset: usize) -> Result<(), Error> {
        let first = self.bindings.len();
        let mut scan = Scan::new(self.text, at);
        loop {
            let part = scan.next().map_err(|bad| Error::Syntax {
                offset: bad.at,
                what: bad.what.into(),
            })?;
            let (name, raw, has_references) = match part {
                Part::Attribute {
                    name,
                    value,
                    has_references,
                } => (name, value, has_references),
                Part::End { empty } => {
                    self.empty = empty;
                    self.at = scan.at;
                    return self.resolve_attributes(offset);
                }
            };
            let limit = self.limits.attributes;
            if self.attributes.len() + (self.bindings.len() - first) == limit {
                return Err(Error::TooManyAttributes { limit, offset });
            }
            match (name.prefix, name.local) {
                ("", "xmlns") => self.declare("", raw, first, offset)?,
                ("xmlns", prefix) => self.declare(prefix, raw, first, offset)?,
                (prefix, name) => self.attributes.push(Attribute {
                    namespace: "",
                    prefix,
                    name,
                    raw,
                    has_references,
                    offset,
                }),
            }
        }
    }

    fn declare(
        &mut self,
        prefix: &'a str,
        namespace: &'a str,
        first: usize,
        offset: usize,
    ) -> Result<(), Error> {
        let bad = |what: &str| Error::Syntax {
            offset,
            what: what.into(),
        };
        if self.bindings[first..]
            .iter()
            .any(|binding| binding.prefix == prefix)
        {
            return Err(Error::DuplicateAttribute {
                name: SmolStr::from(format!("xmlns:{prefix}")),
                offset,
            });
        }
        // Written again, these would become references, which a name of a namespace cannot have here.
        // Counted without an early exit, many octets are looked at at once.
        let marks = namespace
            .bytes()
            .filter(|byte| *byte <= b' ' || matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\''))
            .count();
        if marks > 0 || (!namespace.is_ascii() && namespace.contains(char::is_whitespace)) {
            return Err(bad("character in the name of a namespace"));
        }
        let reserved = prefix == "xmlns"
            || (prefix == "xml") != (namespace == XML)
            || namespace == XMLNS
            || (namespace.is_empty() && !prefix.is_empty());
        if reserved {
            return Err(bad("declaration that is not allowed"));
        }
        let namespace = match self.alias {
            Some((alias, canonical)) if alias == namespace => canonical,
            _ => namespace,
        };
        if prefix.is_empty() {
            self.default = Binding {
                prefix,
                namespace,
                depth: self.open.len(),
            };
        }
        self.bindings.push(Binding {
            prefix,
            namespace,
            depth: self.open.len(),
        });
        Ok(())
    }

    /// Gives the attributes their namespaces and refuses one that is there twice.
    fn resolve_attributes(&mut self, offset: usize) -> Result<(), Error> {
        for index in 0..self.attributes.len() {
            let Attribute { prefix, name, .. } = self.attributes[index];
            if !prefix.is_empty() {
                self.attributes[index].namespace = self.resolve(prefix, offset)?;
            }
            let namespace = self.attributes[index].namespace;
            // Bounded by `Limits::attributes`.
            let twice = |other: &Attribute<'_>| other.name == name && other.namespace == namespace;
            if self.attributes[..index].iter().any(twice) {
                return Err(Error::DuplicateAttribute {
                    name: name.into(),
                    offset,
                });
            }
        }
        Ok(())
    }

    fn resolve(&self, prefix: &str, offset: usize) -> Result<&'a str, Error> {
        if prefix.is_empty() {
            return Ok(self.default.namespace);
        }
        self.namespace(prefix).ok_or_else(|| Error::UnboundPrefix {
            prefix: prefix.into(),
            offset,
        })
    }

    fn leave(&mut self) {
        let depth = self.open.len();
        while self
            .bindings
            .last()
            .is_some_and(|binding| binding.depth == depth)
        {
            self.bindings.pop();
        }
        if self.default.depth == depth && depth > 0 {
            let outer = self.binding("");
            self.default = outer.copied().unwrap_or(Binding::NONE);
        }
        self.open.pop();
        self.attributes.clear();
    }

    /// Reads the whole document as one element.
    pub fn document<T: Element>(mut self) -> Result<T, Error> {
        self.root(T::NAMESPACE, T::NAME)?;
        let element = T::read(&mut self)?;
        self.finish()?;
        Ok(element)
    }
}
