//! The roaming list of contacts and groups (\[MS-SIP\] 2.2.4, 3.7, 9.1; \[MS-PRES\]).
//!
//! A user's list lives on the server. Each of the user's endpoints subscribes to it, gets it whole as [`ContactList`] and every change
//! after that as [`ContactDelta`]; it writes with SOAP over SERVICE, a [`Request`] that must carry the number of the list as the server
//! has it.
//!
//! [`Roster`] is the list on the server, [`Mirror`] the copy of one endpoint.

mod contact;
mod delta;
mod group;
mod list;
mod mirror;
mod request;
mod roster;
pub(crate) mod uri;

pub use contact::{Contact, ContactExtension};
pub use delta::{Change, ContactDelta};
pub use group::{Group, GroupId, GroupSet};
pub use list::{ContactList, UcsMode};
pub use mirror::{Action, CommandId, Event, Failure, Mirror, MirrorConfig};
pub use request::{Operation, Request, read_group_answer};
pub use roster::{Applied, Limits, Roster};

/// The event package.
pub const EVENT: &str = "vnd-microsoft-roaming-contacts";
/// The type of both documents.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-contacts+xml";
/// The option tag of a client that can read its contacts from Exchange.
pub const UCS_OPTION: &str = "ms-ucs";

/// The number of the state after this one. It is never 0.
pub(crate) const fn next_number(number: u32) -> u32 {
    match number.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}
