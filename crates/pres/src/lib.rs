#![doc = include_str!("../README.md")]

pub mod doc;
mod error;

pub use error::Error;
