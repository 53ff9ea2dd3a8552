#![doc = include_str!("../README.md")]

pub mod client;
pub mod doc;
mod error;
mod time;

pub use error::Error;
pub use time::Time;
