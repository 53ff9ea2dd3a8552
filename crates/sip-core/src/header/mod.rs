//! Typed views of header values. All borrow from the message; none allocates.

mod auth;
mod common;
mod identity;
mod microsoft;
mod name_addr;
mod reason;
mod refer;
mod via;

pub use auth::{AuthHeader, AuthParam, AuthWriter, Scheme};
pub use common::{
    CSeq, ContentType, Event, HttpDate, Replaces, SessionExpires, SubscriptionState, Substate,
    Warning,
};
pub use identity::Identities;
pub use microsoft::{EdgeProxyMessageTrust, Sensitivity, TextFormat};
pub use name_addr::NameAddr;
pub use reason::{RAck, Reason, RetryAfter};
pub use refer::{ReferTo, ReferredBy};
pub use via::{MAGIC_COOKIE, Via};

/// A header value with a grammar.
pub trait HeaderValue<'a>: Sized {
    /// Reads one value, without white space around it. `None` when it does not follow the grammar.
    fn parse_value(value: &'a str) -> Option<Self>;
}
