//! SIP of the Skype for Business system: messages, headers, URIs, stream framing, transactions, dialogs, subscriptions.
#![forbid(unsafe_code)]

pub mod clock;
pub mod transport;

pub use clock::WallClock;
pub use transport::{ConnectionId, Transport};
