#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod body;
mod call;
mod config;
mod error;
mod event;
mod headers;
mod refusal;

pub use call::Call;
pub use config::{CLIENT_TAGS, Config, Limits};
pub use error::Error;
pub use event::{
    Action, Cause, Diagnostics, Direction, Ended, Event, ForkId, RequestId, State, TransactionId,
    Transfer,
};
pub use refusal::Refusal;
