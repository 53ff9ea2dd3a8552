//! The client's side of \[MS-PRES\]: what it knows of its own presence and of others', and what it has to send for that.
//!
//! - [`SelfPresence`] mirrors the self subscription and writes: publications with the right versions, members of containers,
//!   acknowledgements.
//! - [`Watch`] decides who is subscribed to where, and keeps what came.
//!
//! Neither knows SIP: they hand out bodies, and take answers and documents.

mod membership;
mod own;
mod presence;
mod watch;
mod writes;

pub use own::{InstanceKey, OwnEvent, SelfPresence};
pub use presence::Presence;
pub use watch::{ListId, Order, Status, Target, Watch, WatchConfig, WatchEvent};
pub use writes::{WriteId, WriteRequest};
