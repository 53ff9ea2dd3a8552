//! What can be wrong with what this crate is given.

use crate::AttributeType;

/// The error of every operation of this crate. All of them speak of octets that a peer sent, except
/// [`TooLong`](Error::TooLong), which is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer octets than a header has.
    #[error("{len} octets are no message")]
    Truncated {
        /// Octets that there are.
        len: usize,
    },
    /// One of the two most significant bits is set: this is no STUN message but, most likely, media.
    #[error("top bits are set")]
    TopBits,
    /// The Message Length is not the number of octets behind the header.
    #[error("message length says {length}, but {actual} octets follow the header")]
    Length {
        /// What the header says.
        length: usize,
        /// Octets behind the header.
        actual: usize,
    },
    /// The cookie of the dialect is not in its place.
    #[error("magic cookie is missing")]
    Cookie,
    /// The message ends inside an attribute's type and length, or in the padding of the last attribute.
    #[error("attribute at octet {offset} is cut")]
    AttributeCut {
        /// Offset of the attribute in the message.
        offset: usize,
    },
    /// The value of an attribute reaches past the end of the message.
    #[error("{attribute} at octet {offset} reaches past the end of the message")]
    AttributeOverrun {
        /// Its type.
        attribute: AttributeType,
        /// Offset of the attribute in the message.
        offset: usize,
    },
    /// Something follows an attribute that has to be the last one.
    #[error("{attribute} is not the last attribute")]
    NotLast {
        /// MESSAGE-INTEGRITY or FINGERPRINT.
        attribute: AttributeType,
    },
    /// An attribute whose value has another length than its type allows.
    #[error("{attribute} has a value of {len} octets")]
    ValueLength {
        /// Its type.
        attribute: AttributeType,
        /// Octets of the value.
        len: usize,
    },
    /// An attribute whose value is none that its type allows.
    #[error("{attribute} has a value that is not allowed")]
    Value {
        /// Its type.
        attribute: AttributeType,
    },
    /// An address of a family that is neither IPv4 nor IPv6. [`Message::get`](crate::Message::get) takes such an attribute
    /// as absent.
    #[error("{attribute} is of an unknown address family")]
    AddressFamily {
        /// Its type.
        attribute: AttributeType,
    },
    /// The message carries no MESSAGE-INTEGRITY.
    #[error("message integrity is missing")]
    NoIntegrity,
    /// MESSAGE-INTEGRITY is of another algorithm than the key.
    #[error("message integrity is of another algorithm")]
    IntegrityAlgorithm,
    /// MESSAGE-INTEGRITY does not match the key.
    #[error("message integrity does not match")]
    IntegrityMismatch,
    /// A message that was built does not fit its length field.
    #[error("message is longer than 65535 octets")]
    TooLong,
}
