//! Instant message sessions of two parties: INVITE with a message SDP, MESSAGE, INFO for typing, delivery notices.
//!
//! \[MS-SIPRE\] and \[MS-CONFIM\]; what neither says is taken from the behaviour of clients in use.

mod imdn;
mod info;
mod msgr;
mod outgoing;
mod sdp;
mod session;
mod text;

use ocs_xml::Reader;

use crate::Error;

pub use imdn::{IMDN_NAMESPACE, IMDN_TYPE, Imdn, Recipient};
pub use info::{
    CONVERSATION_INFO_TYPE, IS_COMPOSING_TYPE, KEYBOARD_TYPE, Typing, read_conversation_info,
    read_is_composing, read_keyboard_activity, write_keyboard_activity,
};
pub use msgr::{Effects, Format};
pub use outgoing::{Reply, RequestId, SessionRequest};
pub use sdp::{DEFAULT_ACCEPT_TYPES, ImMedia, ImSdp, SDP_TYPE};
pub use session::{Action, Config, Ended, Event, ImSession, Meaning, State, TextId, TransactionId};
pub use text::{Text, TextKind};

/// Bounds on what a peer's IM bodies can make us hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one text, decoded. Default 65,536. Longer ones are answered 413.
    pub text: usize,
    /// Octets of an XML body. Default 16,384.
    pub xml: usize,
    /// Parts of a multipart body. Default 8.
    pub parts: usize,
    /// Accept types that are read from an SDP. Default 64.
    pub accept_types: usize,
    /// Texts that wait for the session, for their answer, or for a delivery notice. Default 256 of each.
    pub pending: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text: 64 * 1024,
            xml: 16 * 1024,
            parts: 8,
            accept_types: 64,
            pending: 256,
        }
    }
}

/// A reader inside the root of a body. Clients write these roots in several namespaces and in none: the name alone counts.
fn document<'a>(body: &'a [u8], limit: usize, name: &'static str) -> Result<Reader<'a>, Error> {
    let limits = ocs_xml::Limits {
        size: limit,
        depth: 8,
        ..ocs_xml::Limits::default()
    };
    let mut reader = Reader::new(body, &limits)?;
    let root = reader.any_root()?;
    if root.name == name {
        Ok(reader)
    } else {
        Err(ocs_xml::Error::Root {
            expected: name,
            found: root.name.into(),
        }
        .into())
    }
}

const fn missing(element: &'static str, child: &'static str) -> Error {
    Error::Xml(ocs_xml::Error::MissingElement { element, child })
}
