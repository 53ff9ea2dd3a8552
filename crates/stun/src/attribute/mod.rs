//! Attributes: their types, and a view of each.

mod address;
mod binding;
mod common;
mod turn;
mod types;

pub use address::{
    AddressFamily, AlternateServer, DestinationAddress, MappedAddress, MsAlternateMappedAddress,
    MsXorMappedAddress, RemoteAddress, XorMappedAddress, decode_address, decode_xor_address,
    encode_address, encode_xor_address,
};
pub use binding::{
    CandidateIdentifier, IceControlled, IceControlling, IceUsername, ImplementationVersion,
    Priority, UseCandidate,
};
pub use common::{ErrorCode, UnknownAttributes, Username, code};
pub use turn::{
    AppId, Bandwidth, Data, Lifetime, MagicCookie, MsAlternateHostName, MsSequenceNumber,
    MsServiceQuality, MsVersion, MultiplexedTurnSessionId, Nonce, Realm, RequestedAddressFamily,
    SecureTag, ServiceQuality, StreamType,
};
pub use types::AttributeType;

use crate::{Error, TransactionId};

/// An attribute with a meaning: how its value is read and written.
///
/// Other crates define their own the same way; [`Message::get`](crate::Message::get) and
/// [`MessageBuilder::push`](crate::MessageBuilder::push) take any.
pub trait Attribute<'a>: Sized {
    /// The type that stands before the value.
    const TYPE: AttributeType;

    /// Reads a value. `id` is the Transaction ID of the message, with which some addresses are combined.
    fn decode(value: &'a [u8], id: TransactionId) -> Result<Self, Error>;

    /// Appends the value.
    fn encode(&self, id: TransactionId, out: &mut Vec<u8>);
}

/// The value as `N` octets, or an error that names the attribute.
pub fn fixed<const N: usize>(attribute: AttributeType, value: &[u8]) -> Result<[u8; N], Error> {
    value.try_into().map_err(|_| Error::ValueLength {
        attribute,
        len: value.len(),
    })
}

/// The value, if it is not longer than `limit`.
pub fn at_most(limit: usize, attribute: AttributeType, value: &[u8]) -> Result<&[u8], Error> {
    if value.len() > limit {
        return Err(Error::ValueLength {
            attribute,
            len: value.len(),
        });
    }
    Ok(value)
}

/// Fills up with NULs to a multiple of 4 octets since `start`. The fill counts in the attribute's length.
fn nul_fill(start: usize, out: &mut Vec<u8>) {
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
}

/// A value without the NULs at its end.
#[must_use]
pub fn without_nul_fill(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|&octet| octet != 0)
        .map_or(0, |last| last + 1);
    &value[..end]
}

macro_rules! integer_attributes {
    ($($(#[$doc:meta])* $name:ident($int:ty) = $type:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $int);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$type;

            fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
                crate::attribute::fixed(Self::TYPE, value).map(|value| Self(<$int>::from_be_bytes(value)))
            }

            fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0.to_be_bytes());
            }
        }
    )*};
}

macro_rules! opaque_attributes {
    ($($(#[$doc:meta])* $name:ident($limit:expr) = $type:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(pub &'a [u8]);

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$type;

            fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, Error> {
                crate::attribute::at_most($limit, Self::TYPE, value).map(Self)
            }

            fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0);
            }
        }
    )*};
}

pub(crate) use {integer_attributes, opaque_attributes};
