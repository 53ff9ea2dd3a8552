#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod association;
pub mod buffer;
pub mod client;
pub mod context;
mod error;
pub mod headers;
pub mod identity;
pub mod ntlm;
pub mod replay;
pub mod server;
mod version;

pub use association::Refusal;
pub use context::{Account, SecurityContext, Signature};
pub use error::Error;
pub use ocs_sip_core::header::Scheme;
pub use version::Version;
