#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod connection;
mod event;
mod front_end;
mod schedule;
mod store;

pub use config::Config;
pub use connection::Peer;
pub use event::{CloseCause, Event, Output};
pub use front_end::{Counters, Error, FrontEnd};
pub use store::{DocumentKind, EndpointRecord, MemoryStore, QualityReport, Store, User};
