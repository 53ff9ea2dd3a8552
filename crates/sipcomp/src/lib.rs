#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod decoder;
mod encoder;
mod error;
mod header;
mod history;
mod negotiate;
mod tokens;

pub use decoder::{Anomaly, Decoder, Limits};
pub use encoder::Encoder;
pub use error::Error;
pub use header::{Flags, Header};
pub use negotiate::*;

/// The size of the history of LZ77-8K in bytes; also the most that one compressed packet yields.
pub const HISTORY_SIZE: usize = 8192;

/// The most bytes that an [`Encoder`] puts into one packet. A receiver takes 8192, but
/// [MS-RDPBCGR] 3.1.8.1 wants a block to be smaller than the history, and other senders leave the
/// last bytes of the history alone.
pub const MAX_BLOCK_SIZE: usize = 8188;

/// The largest copy offset that the encoding table knows.
const MAX_OFFSET: usize = HISTORY_SIZE - 1;
