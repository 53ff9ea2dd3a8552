//! SIP of the Skype for Business system: messages, headers, URIs, stream framing, transactions, dialogs, subscriptions.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod admit;
pub mod clock;
pub mod dialog;
pub mod error;
pub mod framing;
pub mod header;
pub mod limits;
pub mod message;
pub mod method;
pub mod mime;
pub mod name;
pub mod params;
mod rescue;
pub mod status;
pub mod subscription;
pub mod syntax;
pub mod transaction;
pub mod transport;
pub mod uri;

pub use clock::WallClock;
pub use error::Error;
pub use limits::Limits;
pub use message::{Header, Message};
pub use method::Method;
pub use name::HeaderName;
pub use transport::{ConnectionId, Transport};
pub use uri::{Aor, Uri};
