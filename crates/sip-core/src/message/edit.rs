//! Changes to a [`Message`]. The text of removed headers stays in the buffers until the message is dropped.

use bytes::Bytes;

use super::{EDIT_ROOM, Entry, Message, Span, Start};
use crate::HeaderName;

impl Message {
    pub(super) fn append_text(&mut self, text: &str) -> Span {
        if self.added.capacity() == 0 {
            self.added.reserve(EDIT_ROOM.max(2 * text.len()));
        }
        let start = self.source.len() + self.added.len();
        self.added.push_str(text);
        // Limits keep both buffers far below 4 GiB; a caller that adds more than that gets a cut header, never a panic.
        Span {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(text.len()).unwrap_or(0),
        }
    }

    /// Appends `name: value` to the second buffer, with the parts of the value one behind the other. Line breaks and bare NULs in it become
    /// spaces, so that no value can smuggle a header in.
    fn make_entry(&mut self, name: HeaderName, name_text: &str, value: &[&str]) -> Entry {
        let line = self.append_text(name_text);
        self.added.push_str(": ");
        let value_start = self.added.len();
        for part in value {
            self.added.push_str(part);
        }
        let written = &self.added.as_bytes()[value_start..];
        if memchr::memchr3(b'\r', b'\n', 0, written).is_some() {
            let written = self.added.split_off(value_start);
            // The second octet of a quoted-pair may be a NUL, never a line break.
            let mut last = ' ';
            self.added.extend(written.chars().map(|c| {
                let bad = matches!(c, '\r' | '\n') || (c == '\0' && last != '\\');
                last = c;
                if bad { ' ' } else { c }
            }));
        }
        let value_len = (self.added.len() - value_start) as u32;
        let value = Span {
            start: line.start + line.len + 2,
            len: value_len,
        };
        Entry {
            name,
            name_len: line.len,
            line: Span {
                start: line.start,
                len: line.len + 2 + value_len,
            },
            value,
        }
    }

    /// Adds a header after all others.
    pub fn push(&mut self, name: HeaderName, value: &str) {
        self.push_parts(name, &[value]);
    }

    /// [`push`](Self::push) for a value in parts, which are written one behind the other.
    pub fn push_parts(&mut self, name: HeaderName, value: &[&str]) {
        let entry = self.make_entry(name, name.as_str(), value);
        self.entries.push(entry);
    }

    /// Adds a header under any name after all others. A name that is not a token is refused by doing nothing.
    pub fn push_named(&mut self, name: &str, value: &str) {
        if crate::syntax::is_token(name) {
            let entry = self.make_entry(HeaderName::from_text(name), name, &[value]);
            self.entries.push(entry);
        }
    }

    /// Adds a header before the first of the same name, or before all headers if there is none: where a Via, Record-Route or
    /// Route of this hop belongs.
    pub fn push_front(&mut self, name: HeaderName, value: &str) {
        self.push_parts_front(name, &[value]);
    }

    /// [`push_front`](Self::push_front) for a value in parts, which are written one behind the other.
    pub fn push_parts_front(&mut self, name: HeaderName, value: &[&str]) {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.name == name)
            .unwrap_or(0);
        let entry = self.make_entry(name, name.as_str(), value);
        self.entries.insert(at, entry);
    }

    /// Puts `value` in the place of the first header of this name and removes the others; adds one if there was none.
    pub fn set(&mut self, name: HeaderName, value: &str) {
        let entry = self.make_entry(name, name.as_str(), &[value]);
        if let Some(at) = self.entries.iter().position(|entry| entry.name == name) {
            self.entries[at] = entry;
            let mut index = 0;
            self.entries.retain(|entry| {
                index += 1;
                index - 1 <= at || entry.name != name
            });
        } else {
            self.entries.push(entry);
        }
    }

    /// Removes every header of this name; says how many lines there were.
    pub fn remove(&mut self, name: HeaderName) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        before - self.entries.len()
    }

    /// Removes every header of these names; says how many lines there were.
    pub fn remove_all(&mut self, names: &[HeaderName]) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| !names.contains(&entry.name));
        before - self.entries.len()
    }

    /// Removes the headers for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(super::Header<'_>) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| keep(self.view(entry)));
        self.entries = entries;
    }

    /// Removes the first value of a list header: one element of a comma list, or the whole line when it holds one. Gives
    /// the removed text.
    pub fn remove_first_value(&mut self, name: HeaderName) -> Option<String> {
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        let value = self.text(self.entries[at].value);
        let mut items = crate::syntax::split_list(value);
        let first = items.next().unwrap_or("").to_owned();
        let rest = items.fold(String::new(), |mut rest, item| {
            if !rest.is_empty() {
                rest.push_str(", ");
            }
            rest.push_str(item);
            rest
        });
        if rest.is_empty() {
            self.entries.remove(at);
        } else {
            self.entries[at] = self.make_entry(name, name.as_str(), &[&rest]);
        }
        Some(first)
    }

    /// Puts `value` in the place of the first value of a list header.
    pub fn replace_first_value(&mut self, name: HeaderName, value: &str) {
        let only = self
            .entries
            .iter()
            .position(|entry| entry.name == name)
            .filter(|&at| {
                let line = self.text(self.entries[at].value);
                crate::syntax::split_list(line).nth(1).is_none()
            });
        if let Some(at) = only {
            self.entries[at] = self.make_entry(name, name.as_str(), &[value]);
        } else {
            self.remove_first_value(name);
            self.push_front(name, value);
        }
    }

    /// Changes the Request-URI; does nothing to a response.
    pub fn set_request_uri(&mut self, uri: &str) {
        if matches!(self.start, Start::Request { .. }) {
            let span = self.append_text(uri);
            if let Start::Request { uri, .. } = &mut self.start {
                *uri = span;
            }
            self.start_line = Span::EMPTY;
        }
    }

    /// Changes the reason phrase; does nothing to a request. Line breaks become spaces.
    pub fn set_reason(&mut self, phrase: &str) {
        if matches!(self.start, Start::Response { .. }) {
            let span = if memchr::memchr3(b'\r', b'\n', 0, phrase.as_bytes()).is_some() {
                self.append_text(&phrase.replace(['\r', '\n', '\0'], " "))
            } else {
                self.append_text(phrase)
            };
            if let Start::Response { reason, .. } = &mut self.start {
                *reason = span;
            }
            self.start_line = Span::EMPTY;
        }
    }

    /// Changes status and phrase; does nothing to a request.
    pub fn set_status(&mut self, code: u16, reason: &str) {
        if matches!(self.start, Start::Response { .. }) {
            let reason = self.append_text(reason);
            self.start = Start::Response {
                status: code,
                reason,
            };
            self.start_line = Span::EMPTY;
        }
    }

    /// Puts a body in, with its Content-Type and Content-Length.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Bytes>) {
        self.body = body.into();
        self.set(HeaderName::ContentType, content_type);
        let mut length = itoa::Buffer::new();
        self.set(HeaderName::ContentLength, length.format(self.body.len()));
    }

    /// Takes the body out, with the headers that describe it.
    pub fn remove_body(&mut self) {
        self.body = Bytes::new();
        self.retain(|header| {
            !matches!(
                header.name,
                HeaderName::ContentType
                    | HeaderName::ContentDisposition
                    | HeaderName::ContentEncoding
                    | HeaderName::ContentLanguage
                    | HeaderName::ContentLength
            )
        });
    }

    /// Octets of the received head.
    pub(crate) fn head_len(&self) -> usize {
        self.source.len()
    }

    /// Attaches the octets that follow a head on a stream. Content-Length is left as it is: it told how many there are.
    pub(crate) fn attach_body(&mut self, body: Bytes) {
        self.body = body;
    }
}
