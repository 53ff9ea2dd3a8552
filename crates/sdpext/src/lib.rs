#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod attribute;
pub mod body;
mod builder;
pub mod codec;
mod description;
mod error;
mod limits;
pub mod line;
mod name;
pub mod negotiation;
mod text;
pub mod um;

pub use attribute::Attribute;
pub use builder::SdpBuilder;
pub use description::{IceVersion, Media, RawLine, RtpMaps, Sdp};
pub use error::Error;
pub use limits::Limits;
pub use name::Name;
