#![doc = include_str!("../README.md")]

pub mod category;
pub mod client;
pub mod doc;
mod error;
pub mod server;
mod time;

pub use error::Error;
pub use time::Time;
