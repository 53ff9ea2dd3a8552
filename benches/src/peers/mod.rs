//! Other implementations in Rust.

pub mod ezk;
pub mod rsip;
