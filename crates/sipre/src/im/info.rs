//! The bodies of INFO: KeyboardActivity ("the other one is typing") with the RFC 3994 form that other clients send, and
//! the topic.

use super::{document, missing};
use crate::Error;

/// Content-Type of KeyboardActivity.
pub const KEYBOARD_TYPE: &str = "application/xml";

/// Content-Type of the RFC 3994 document.
pub const IS_COMPOSING_TYPE: &str = "application/im-iscomposing+xml";

/// Content-Type of the topic of a conversation.
pub const CONVERSATION_INFO_TYPE: &str = "application/xml+conversationinfo";

/// Whether the user is typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Typing {
    /// `type`, in RFC 3994 `active`.
    Type,
    /// `idle`
    Idle,
}

/// The body of an INFO. With `spaced` there is a blank between the elements, as SIPE 1.25 writes it.
#[must_use]
pub const fn write_keyboard_activity(state: Typing, spaced: bool) -> &'static str {
    match (state, spaced) {
        (Typing::Type, false) => {
            r#"<?xml version="1.0"?><KeyboardActivity><status status="type" /></KeyboardActivity>"#
        }
        (Typing::Idle, false) => {
            r#"<?xml version="1.0"?><KeyboardActivity><status status="idle" /></KeyboardActivity>"#
        }
        (Typing::Type, true) => {
            r#"<?xml version="1.0"?><KeyboardActivity> <status status="type" /></KeyboardActivity>"#
        }
        (Typing::Idle, true) => {
            r#"<?xml version="1.0"?><KeyboardActivity> <status status="idle" /></KeyboardActivity>"#
        }
    }
}

/// Reads KeyboardActivity. A status other than `type` is idle.
pub fn read_keyboard_activity(body: &[u8], limit: usize) -> Result<Typing, Error> {
    let mut reader = document(body, limit, "KeyboardActivity")?;
    let mut state = None;
    while let Some(tag) = reader.child()? {
        if tag.name == "status" {
            let status = reader.attribute("status")?;
            state = status.map(|status| of(status.eq_ignore_ascii_case("type")));
        }
        reader.skip()?;
    }
    reader.finish()?;
    state.ok_or(missing("KeyboardActivity", "status"))
}

/// Reads the `isComposing` document of RFC 3994. A state other than `active` is idle.
pub fn read_is_composing(body: &[u8], limit: usize) -> Result<Typing, Error> {
    let mut reader = document(body, limit, "isComposing")?;
    let mut state = None;
    while let Some(tag) = reader.child()? {
        let text = reader.text()?;
        if tag.name == "state" {
            state = Some(of(text.trim_ascii().eq_ignore_ascii_case("active")));
        }
    }
    reader.finish()?;
    state.ok_or(missing("isComposing", "state"))
}

/// Reads the Subject of a `ConversationInfo` document.
pub fn read_conversation_info(body: &[u8], limit: usize) -> Result<String, Error> {
    let mut reader = document(body, limit, "ConversationInfo")?;
    let mut subject = None;
    while let Some(tag) = reader.child()? {
        let text = reader.text()?;
        if tag.name == "Subject" {
            subject = Some(text.trim_ascii().to_owned());
        }
    }
    reader.finish()?;
    subject.ok_or(missing("ConversationInfo", "Subject"))
}

const fn of(typing: bool) -> Typing {
    if typing { Typing::Type } else { Typing::Idle }
}
