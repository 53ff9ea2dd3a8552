#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod boundary;
mod component;
mod diagnostics;
mod error;
mod error_id;
mod kind;
mod limits;
mod param;
pub mod progress;
pub mod report;
pub mod table;
mod writer;

pub use component::Component;
pub use diagnostics::{Diagnostics, diagnostics_of};
pub use error::Error;
pub use error_id::ErrorId;
pub use kind::Kind;
pub use limits::Limits;
pub use param::{Param, Params};
pub use writer::DiagnosticsWriter;
