//! The machines as hosts of the virtual network: a user agent, a telephone, a front end, a relay, one end of a media stream. Each is behind the feature of its
//! name, and keeps what its machine tells.
//!
//! They stand between a machine and `ocs_testbed` as a program's sockets, timers and resolver do, and decide nothing.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
mod agent_wire;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "ice")]
mod ice;
#[cfg(feature = "phone")]
mod phone;
#[cfg(feature = "relay")]
mod relay;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::ClientHost;
#[cfg(feature = "ice")]
pub use ice::IceHost;
#[cfg(feature = "phone")]
pub use phone::{Person, PhoneHost};
#[cfg(feature = "relay")]
pub use relay::{RelayHost, credentials};
#[cfg(feature = "server")]
pub use server::ServerHost;
