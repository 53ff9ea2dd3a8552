//! What can be wrong with what this crate is given.

/// The error of every operation of this crate. A refusal by the other side is no error but an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A TCP stream has something else where a frame should begin. The connection is of no more use.
    #[error("frame of type {number} with reserved octet {reserved}")]
    Frame {
        /// The first octet.
        number: u8,
        /// The second octet.
        reserved: u8,
    },
    /// A frame that is longer than a client may send before it has an allocation. The connection is of no more use.
    #[error("frame of {len} octets is too long")]
    FrameTooLong {
        /// Octets of its content.
        len: usize,
    },
    /// The other side's half of the pseudo-TLS exchange is wrong. The connection is of no more use.
    #[error("pseudo-tls hello is not the one of the specification")]
    Hello,
    /// A message is malformed.
    #[error(transparent)]
    Message(#[from] ocs_stun::Error),
    /// A message, or an attribute of it, that does not belong here; it was ignored.
    #[error("{what} is not expected")]
    Unexpected {
        /// What came.
        what: &'static str,
    },
    /// An attribute without which a message means nothing.
    #[error("{attribute} is missing")]
    Missing {
        /// Its type.
        attribute: ocs_stun::AttributeType,
    },
    /// A call that the state of the machine does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The call.
        operation: &'static str,
    },
    /// The other end of a TCP or pseudo-TLS connection, a relay or a peer's connection is not known, or no longer.
    #[error("{what} is not known")]
    Unknown {
        /// What was named.
        what: &'static str,
    },
}
