//! The categories `note` and `noteHistory` (\[MS-PRES\], note schema).

use ocs_xml::{Extra, SmolStr, element, words};

use crate::Time;

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/note";

words! {
    /// Which note.
    pub enum NoteType: open {
        /// What the user wrote for others.
        Personal = "personal",
        /// The automatic reply of the mailbox.
        Oof = "OOF",
    }
}

element! {
    /// The text of a note.
    pub struct Body(NAMESPACE, "body") {
        /// Which note.
        attr kind: NoteType = "type",
        /// Of an automatic reply the mailbox, of a personal note empty.
        attr_opt uri: SmolStr,
        /// The language.
        attr_opt lcid: u32 = "LCID",
        /// Since when.
        attr_opt start_time: Time = "startTime",
        /// Until when.
        attr_opt end_time: Time = "endTime",
        /// Plain text.
        text text: SmolStr,
    }
}

element! {
    /// A note. Without a body it hides the note from those who see its container.
    #[derive(Default)]
    pub struct Note(NAMESPACE, "note") {
        /// The text.
        children body: Body,
    }
}

element! {
    /// The last personal notes, newest first (inferred).
    #[derive(Default)]
    pub struct NoteHistory(NAMESPACE, "noteHistory") {
        /// The notes.
        children body: Body,
    }
}

impl Body {
    /// A personal note.
    #[must_use]
    pub fn personal(text: impl Into<SmolStr>) -> Self {
        Self {
            kind: NoteType::Personal,
            uri: Some(SmolStr::default()),
            lcid: None,
            start_time: None,
            end_time: None,
            text: text.into(),
            extra: Extra::default(),
        }
    }

    /// The automatic reply of a mailbox.
    #[must_use]
    pub fn oof(mailbox: impl Into<SmolStr>, text: impl Into<SmolStr>) -> Self {
        Self {
            kind: NoteType::Oof,
            uri: Some(mailbox.into()),
            ..Self::personal(text)
        }
    }
}

impl From<Body> for Note {
    fn from(body: Body) -> Self {
        Self {
            body: vec![body],
            extra: Extra::default(),
        }
    }
}

/// Seconds within which a note takes the place of the one before in the history.
pub const REPLACE_WITHIN: i64 = 30;

impl NoteHistory {
    /// Adds a note, of which `depth` are kept at most (policy `PersonalNoteHistoryDepth`). One that follows another within
    /// [`REPLACE_WITHIN`] takes its place.
    pub fn push(&mut self, mut note: Body, now: Time, depth: usize) {
        let replaces = self
            .body
            .first()
            .and_then(|newest| newest.start_time)
            .is_some_and(|before| now.seconds_since(before) < REPLACE_WITHIN);
        if replaces {
            self.body.remove(0);
        }
        note.start_time = Some(now);
        self.body.insert(0, note);
        self.body.truncate(depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_the_last_and_replaces_within_half_a_minute() {
        let now = Time::from(std::time::SystemTime::UNIX_EPOCH);
        let mut history = NoteHistory::default();
        for (after, text) in [(0, "a"), (29, "b"), (60, "c"), (120, "d"), (180, "e")] {
            history.push(Body::personal(text), now.plus_seconds(after), 3);
        }
        let texts: Vec<&str> = history.body.iter().map(|body| &*body.text).collect();
        assert_eq!(texts, ["e", "d", "c"]);
        let mut history = NoteHistory::default();
        history.push(Body::personal("a"), now, 3);
        history.push(Body::personal("b"), now.plus_seconds(29), 3);
        assert_eq!(history.body.len(), 1);
        assert_eq!(history.body[0].text, "b");
    }
}
