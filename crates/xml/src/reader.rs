//! The reader: elements, one inside the other, as the caller asks for them.

use std::borrow::Cow;

use quick_xml::events::Event;
use smol_str::SmolStr;

use crate::names::{XML, XMLNS, split};
use crate::scan::Scan;
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
    /// There is a reference in it, or in another attribute of the element.
    has_entities: bool,
    offset: usize,
}

impl<'a> Attribute<'a> {
    /// The value.
    #[inline]
    pub fn value(&self) -> Result<Cow<'a, str>, Error> {
        if self.has_entities {
            unescape(self.raw, self.offset)
        } else {
            Ok(self.raw.into())
        }
    }
}

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
    inner: quick_xml::Reader<&'a [u8]>,
    limits: Limits,
    depth: usize,
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
            inner: quick_xml::Reader::from_str(text),
            limits: *limits,
            depth: 0,
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
        self.depth
    }

    /// What was read from an offset on.
    pub(crate) fn since(&self, offset: usize) -> &'a str {
        &self.text[offset..self.offset()]
    }

    pub(crate) fn bindings(&self) -> &[Binding<'a>] {
        &self.bindings
    }

    fn syntax(&self, what: &str) -> Error {
        Error::Syntax {
            offset: self.offset(),
            what: what.into(),
        }
    }

    fn offset(&self) -> usize {
        usize::try_from(self.inner.buffer_position()).unwrap_or(usize::MAX)
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
            let offset = self.offset();
            // Matched where it is: moving the event costs as much as reading it.
            match self.inner.read_event() {
                Ok(Event::Start(start)) => {
                    let length = start.name().0.len();
                    let inside = &self.text[offset + 1..self.offset() - 1];
                    self.enter(inside, length, offset)?;
                    return Ok(Token::Start);
                }
                Ok(Event::Empty(start)) => {
                    let length = start.name().0.len();
                    let inside = &self.text[offset + 1..self.offset() - 2];
                    self.enter(inside, length, offset)?;
                    self.empty = true;
                    return Ok(Token::Start);
                }
                Ok(Event::End(_)) => {
                    self.leave();
                    return Ok(Token::End);
                }
                Ok(Event::Text(_)) => {
                    let text = &self.text[offset..self.offset()];
                    if self.depth == 0 && !text.trim_ascii().is_empty() {
                        return Err(Error::Syntax {
                            offset,
                            what: "text outside the root element".into(),
                        });
                    }
                    if memchr::memchr(b'>', text.as_bytes()).is_some() && text.contains("]]>") {
                        return Err(Error::Syntax {
                            offset,
                            what: "]]> in text".into(),
                        });
                    }
                    // References are events of their own.
                    self.content = text.into();
                    return Ok(Token::Text);
                }
                Ok(Event::GeneralRef(_)) if self.depth > 0 => {
                    let text = &self.text[offset..self.offset()];
                    self.content = unescape(text, offset)?;
                    return Ok(Token::Text);
                }
                Ok(Event::CData(_)) if self.depth > 0 => {
                    let text = &self.text[offset + "<![CDATA[".len()..self.offset() - "]]>".len()];
                    self.content = text.into();
                    return Ok(Token::Text);
                }
                Ok(Event::GeneralRef(_) | Event::CData(_)) => {
                    return Err(Error::Syntax {
                        offset,
                        what: "text outside the root element".into(),
                    });
                }
                Ok(Event::DocType(_)) => return Err(Error::Doctype { offset }),
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
                Err(error) => {
                    return Err(Error::Syntax {
                        offset: usize::try_from(self.inner.error_position()).unwrap_or(usize::MAX),
                        what: SmolStr::from(error.to_string()),
                    });
                }
                Ok(Event::Eof) if self.depth == 0 => return Ok(Token::End),
                Ok(Event::Eof) => return Err(self.syntax("document ends early")),
            }
        }
    }

    /// `inside` is what stands between the angle brackets.
    fn enter(&mut self, inside: &'a str, length: usize, offset: usize) -> Result<(), Error> {
        if self.depth == self.limits.depth {
            return Err(Error::TooDeep {
                limit: self.limits.depth,
                offset,
            });
        }
        self.depth += 1;
        self.attributes.clear();
        let qualified = &inside[..length];
        let (prefix, name) = split(qualified).ok_or_else(|| Error::Syntax {
            offset,
            what: "bad name".into(),
        })?;
        if length < inside.len() {
            self.read_attributes(inside, length, offset)?;
        }
        let namespace = self.resolve(prefix, offset)?;
        self.entered = Tag {
            namespace,
            prefix,
            name,
            offset,
        };
        Ok(())
    }

    fn read_attributes(
        &mut self,
        inside: &'a str,
        length: usize,
        offset: usize,
    ) -> Result<(), Error> {
        let has_entities = memchr::memchr2(b'<', b'&', inside.as_bytes()).is_some();
        if has_entities && inside.contains('<') {
            return Err(Error::Syntax {
                offset,
                what: "< in a tag".into(),
            });
        }
        let mut declared = self.bindings.len();
        let first = declared;
        for attribute in Scan::new(inside, length) {
            let (qualified, raw) = attribute.map_err(|bad| Error::Syntax {
                offset: offset + 1 + bad.at,
                what: bad.what.into(),
            })?;
            let limit = self.limits.attributes;
            if self.attributes.len() + (declared - first) == limit {
                return Err(Error::TooManyAttributes { limit, offset });
            }
            let (prefix, name) = split(qualified).ok_or_else(|| Error::Syntax {
                offset,
                what: "bad name of an attribute".into(),
            })?;
            let declares = match (prefix, name) {
                ("", "xmlns") => Some(""),
                ("xmlns", name) => Some(name),
                _ => None,
            };
            if let Some(prefix) = declares {
                self.declare(prefix, raw, first, offset)?;
                declared = self.bindings.len();
            } else {
                self.attributes.push(Attribute {
                    namespace: "",
                    prefix,
                    name,
                    raw,
                    has_entities,
                    offset,
                });
            }
        }
        self.resolve_attributes(offset)
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
                depth: self.depth,
            };
        }
        self.bindings.push(Binding {
            prefix,
            namespace,
            depth: self.depth,
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
        while self
            .bindings
            .last()
            .is_some_and(|binding| binding.depth == self.depth)
        {
            self.bindings.pop();
        }
        if self.depth > 0 && self.default.depth == self.depth {
            let outer = self.binding("");
            self.default = outer.copied().unwrap_or(Binding::NONE);
        }
        self.depth = self.depth.saturating_sub(1);
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
