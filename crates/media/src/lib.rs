#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod buffer;
mod config;
mod error;
mod event;
mod fork;
mod keys;
mod meter;
mod packet;
mod quality;
mod statistics;
mod stream;

pub use config::{Config, Limits};
pub use error::Error;
pub use event::Event;
pub use ocs_ice::endpoint::{Action, Link};
pub use ocs_ice::{ForkId, SelectedPair};
pub use packet::MediaPacket;
pub use statistics::{Flow, Statistics};
pub use stream::MediaStream;
