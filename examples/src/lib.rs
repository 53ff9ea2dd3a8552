//! What the examples share: client and server as hosts of the virtual network, a small deployment, and the sound and pictures of calls.
#![forbid(unsafe_code)]

pub mod audio;
mod agent_wire;
mod call_dissector;
pub mod chat;
mod client_host;
mod deployment;
mod ice_host;
pub mod net;
mod phone_host;
mod relay_host;
mod server_host;
mod sqlite;
mod stun_dissector;
pub mod talk;
pub mod video;

pub use call_dissector::call_dissectors;
pub use client_host::ClientHost;
pub use deployment::{Deployment, finish, user};
pub use ice_host::IceHost;
pub use phone_host::{Manner, PhoneHost, print_streams};
pub use relay_host::{RelayHost, credentials};
pub use server_host::ServerHost;
pub use sqlite::SqliteStore;
pub use stun_dissector::stun_dissectors;
