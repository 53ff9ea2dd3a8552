#![doc = include_str!("../README.md")]

pub mod aggregate;
pub mod category;
pub mod client;
pub mod doc;
mod error;
pub mod grammar;
pub mod instance;
pub mod legacy;
pub mod publications;
pub mod server;
mod time;

pub use error::Error;
pub use time::Time;
