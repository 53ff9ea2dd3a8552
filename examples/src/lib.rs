//! What the examples share: a small deployment on the virtual network, programs over real sockets, and the sound and pictures of calls.
#![forbid(unsafe_code)]

pub mod audio;
mod call_dissector;
mod caller;
pub mod chat;
mod deployment;
pub mod net;
mod sqlite;
mod stun_dissector;
pub mod talk;
pub mod video;

pub use call_dissector::call_dissectors;
pub use caller::{Caller, Manner, PhoneHost, Ports, print_streams};
pub use deployment::{Deployment, finish, user};
pub use sqlite::SqliteStore;
pub use stun_dissector::stun_dissectors;
