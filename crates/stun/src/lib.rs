#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod attribute;
mod builder;
mod dialect;
mod error;
pub mod fingerprint;
mod integrity;
mod message;
mod password;
pub mod transaction;
mod types;

pub use attribute::{Attribute, AttributeType};
pub use builder::MessageBuilder;
pub use dialect::Dialect;
pub use error::Error;
pub use fingerprint::Fingerprint;
pub use integrity::{Algorithm, IntegrityForm, IntegrityKey, KeyDerivation, trimmed, unquoted};
pub use message::{Attributes, Message, RawAttribute};
pub use password::Password;
pub use types::{Class, MessageType, TransactionId};

/// Octets of the header of every message ([MS-TURN] 2.2.1, RFC 5389 6).
pub const HEADER_LEN: usize = 20;

/// The cookie of RFC 5389: the first four octets of every transaction identifier of [`Dialect::MsIce2`] and
/// [`Dialect::Rfc5389`].
pub const RFC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];

/// The value of the Magic Cookie attribute, which begins every message of [`Dialect::MsTurn`] (\[MS-TURN\] 2.2.2.8).
pub const MS_COOKIE: [u8; 4] = [0x72, 0xC6, 0x4B, 0xC6];
