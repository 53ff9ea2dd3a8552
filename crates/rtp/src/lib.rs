#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod codec;
mod demux;
mod error;
pub mod packet;
pub mod payload;
mod reorder;
pub mod rtcp;
pub mod seq;
pub mod session;
mod wire;

pub use codec::Codec;
pub use demux::Kind;
pub use error::Error;
pub use packet::{Packet, PacketBuilder};
pub use reorder::{Ordered, Pushed, Reorder};
pub use session::Session;
