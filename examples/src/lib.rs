//! What the examples share: client and server as hosts of the virtual network, and a small deployment.
#![forbid(unsafe_code)]

pub mod chat;
mod client_host;
mod deployment;
mod edge_host;
pub mod net;
mod server_host;
mod sqlite;

pub use client_host::ClientHost;
pub use deployment::{Deployment, finish, user};
pub use edge_host::EdgeHost;
pub use server_host::ServerHost;
pub use sqlite::SqliteStore;
