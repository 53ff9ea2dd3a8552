#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod bandwidth;
pub mod client;
mod error;
pub mod frame;
mod net;
mod outbox;
pub mod pseudo_tls;
pub mod server;

pub use client::Client;
pub use error::Error;
pub use net::{PeerPolicy, Prefix};
pub use server::Server;
