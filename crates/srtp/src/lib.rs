#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod error;
mod header;
mod key;
mod receiver;
mod sender;
mod session;
mod window;

pub use error::Error;
pub use key::{KeyParams, Lifetime, MasterKey, Mki};
pub use receiver::{KeyId, Receiver, ReceiverConfig, Unprotected};
pub use sender::{Sender, SenderConfig};

/// Octets of the authentication tag of SRTP and of SRTCP (AES_CM_128_HMAC_SHA1_80).
pub const TAG_LEN: usize = 10;

/// Octets of the E flag and the SRTCP index.
pub const SRTCP_INDEX_LEN: usize = 4;

/// Octets of the longest packet, protected or not: what fits into a datagram. The 2^16 blocks of a packet's keystream are never used up by it.
pub const MAX_PACKET_LEN: usize = 65_535;
