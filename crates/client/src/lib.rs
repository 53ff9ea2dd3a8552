#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agent;
mod config;
mod event;
mod link;
#[cfg(feature = "phone")]
pub mod phone;

pub use agent::{CallId, CallOptions, Error, UserAgent};
pub use config::{Bootstrap, Calls, Config};
pub use event::{Event, Failure, Output, ServiceId, Step, TextId};
