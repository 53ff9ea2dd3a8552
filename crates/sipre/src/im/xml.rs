//! A matcher for the two or three tiny documents of IM sessions: elements, attributes, text; neither DTD nor
//! processing instructions nor namespaces. Bounded in size and depth.

use std::borrow::Cow;

use crate::Error;

const MAX_DEPTH: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An element opens. For an empty one [`Token::End`] follows.
    Start(Element<'a>),
    /// An element closes.
    End(&'a str),
    /// Text that is more than white space.
    Text(Cow<'a, str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The name without prefix.
    pub(super) name: &'a str,
    attributes: &'a str,
}

impl<'a> Element<'a> {
    /// The value of an attribute that has no prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        Attributes(self.attributes)
            .find(|(found, _)| *found == name)
            .and_then(|(_, value)| unescape(value))
    }
}

struct Attributes<'a>(&'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_once('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = rest[1..].split_once(quote)?;
        self.0 = rest;
        Some((name.trim(), value))
    }
}

#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: [&'a str; MAX_DEPTH],
    depth: usize,
    /// An empty element that still has to be closed.
    empty: bool,
    done: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8], limit: usize) -> Result<Self, Error> {
        if body.len() > limit {
            return Err(Error::TooLong {
                what: "XML document",
                limit,
            });
        }
        let text = core::str::from_utf8(body).map_err(|error| Error::Xml {
            offset: error.valid_up_to(),
            what: "not UTF-8",
        })?;
        let mut reader = Self {
            text,
            at: 0,
            open: [""; MAX_DEPTH],
            depth: 0,
            empty: false,
            done: false,
        };
        if let Some(rest) = text.strip_prefix('\u{FEFF}') {
            reader.at = text.len() - rest.len();
        }
        if reader.rest().starts_with("<?xml") {
            let end = reader.find("?>", "unclosed declaration")?;
            reader.at += end + 2;
        }
        Ok(reader)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn error(&self, what: &'static str) -> Error {
        Error::Xml {
            offset: self.at,
            what,
        }
    }

    fn find(&self, needle: &str, what: &'static str) -> Result<usize, Error> {
        memchr::memmem::find(self.rest().as_bytes(), needle.as_bytes())
            .ok_or_else(|| self.error(what))
    }

    /// The next token; `None` after the root was closed.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        if self.empty {
            self.empty = false;
            return self.close().map(Some);
        }
        loop {
            let rest = self.rest();
            let text_len = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            if text_len > 0 {
                let text = &rest[..text_len];
                if text.trim().is_empty() {
                    self.at += text_len;
                    continue;
                }
                if self.depth == 0 {
                    return Err(self.error("text outside the root element"));
                }
                let text = unescape(text).ok_or_else(|| self.error("bad entity"))?;
                self.at += text_len;
                return Ok(Some(Token::Text(text)));
            }
            if rest.is_empty() {
                return if self.done {
                    Ok(None)
                } else {
                    Err(self.error("document ends early"))
                };
            }
            if rest.starts_with("<!--") {
                self.at += self.find("-->", "unclosed comment")? + 3;
                continue;
            }
            if self.done {
                return Err(self.error("second root element"));
            }
            if rest.starts_with("<!") || rest.starts_with("<?") {
                return Err(self.error("declaration or instruction"));
            }
            return self.tag().map(Some);
        }
    }

    fn tag(&mut self) -> Result<Token<'a>, Error> {
        let rest = &self.rest()[1..];
        let end = tag_end(rest).ok_or_else(|| self.error("unclosed tag"))?;
        let inner = &rest[..end];
        if let Some(name) = inner.strip_prefix('/') {
            if self.depth == 0 || self.open[self.depth - 1] != name.trim_end() {
                return Err(self.error("end tag does not match"));
            }
            self.at += end + 2;
            return self.close();
        }
        let (inner, empty) = match inner.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let split = inner
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(split);
        let valid = |c: char| c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(valid) || attributes.contains('<') {
            return Err(self.error("malformed tag"));
        }
        let slot = self.open.get_mut(self.depth);
        let Some(slot) = slot else {
            return Err(self.error("nested too deeply"));
        };
        *slot = name;
        self.depth += 1;
        self.empty = empty;
        self.at += end + 2;
        Ok(Token::Start(Element {
            name: local(name),
            attributes,
        }))
    }

    fn close(&mut self) -> Result<Token<'a>, Error> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| self.error("end tag without start"))?;
        self.done = self.depth == 0;
        Ok(Token::End(local(self.open[self.depth])))
    }

    /// The start of the root, which must have this name.
    pub(super) fn root(&mut self, name: &str) -> Result<Element<'a>, Error> {
        match self.next()? {
            Some(Token::Start(element)) if element.name == name => Ok(element),
            _ => Err(self.error("unexpected root element")),
        }
    }

    /// The text up to the end of the element that was just opened; what is nested in it is left out.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let depth = self.depth;
        let mut out = String::new();
        while self.depth >= depth {
            match self.next()? {
                Some(Token::Text(text)) if self.depth == depth => out.push_str(text.trim()),
                Some(_) => {}
                None => break,
            }
        }
        Ok(out)
    }

    /// Skips to the end of the element that was just opened.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        self.text().map(drop)
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Index of the `>` that ends a tag; one inside quotes does not.
fn tag_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        if bytes[at] == b'>' {
            return Some(at);
        }
        at += 1 + memchr::memchr(bytes[at], &bytes[at + 1..])? + 1;
    }
}

/// Replaces the predefined entities and character references; `None` for others.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('&') {
        return Some(text.into());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out.into())
}

/// Writes text with the five characters of XML escaped.
pub(super) fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<usize, Error> {
        let mut reader = Reader::new(text.as_bytes(), 1000)?;
        let mut count = 0;
        while reader.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn reads_small_documents() {
        let text =
            "\u{FEFF}<?xml version='1.0'?> <!-- c --><p:a x='>' y=\"&lt;1\"><b/> t&#x41; </p:a >\n";
        let mut reader = Reader::new(text.as_bytes(), 1000).unwrap();
        let root = reader.root("a").unwrap();
        assert_eq!(root.attribute("y").unwrap(), "<1");
        assert_eq!(root.attribute("z"), None);
        assert_eq!(reader.text().unwrap(), "tA");
        assert_eq!(reader.next().unwrap(), None);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in [
            "",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<!DOCTYPE a><a/>",
            "<a>&x;</a>",
            "<a>&#xD800;</a>",
            "<a><?p?></a>",
            "<a b='",
            "< a/>",
            "<a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a>",
        ] {
            assert!(read_all(text).is_err(), "{text}");
        }
        assert!(Reader::new(&[b' '; 1001], 1000).is_err());
        assert!(Reader::new(&[0xFF], 1000).is_err());
    }
}
