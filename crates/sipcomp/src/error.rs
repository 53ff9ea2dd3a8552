//! The errors of the crate.

use thiserror::Error;

/// What went wrong on the wire, or in the use of a state machine.
///
/// Every error of a [`Decoder`](crate::Decoder) is final: the protocol has no resynchronisation
/// message, so the TCP connection has to be torn down. The wire offset of the packet at fault is
/// [`Decoder::packet_offset`](crate::Decoder::packet_offset).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// `PACKET_FLUSHED` and `PACKET_COMPRESSED` are set in one header: inconsistent.
    #[error("flags: PACKET_FLUSHED together with PACKET_COMPRESSED")]
    FlushedAndCompressed,
    /// `PACKET_AT_FRONT` is set without `PACKET_COMPRESSED`.
    #[error("flags: PACKET_AT_FRONT without PACKET_COMPRESSED")]
    AtFrontWithoutCompressed,
    /// The field Reserved is not zero: the peer speaks something else, or the ends of packets are
    /// no longer where both sides believe them to be.
    #[error("reserved: {0:#08x} is not zero")]
    Reserved(u32),
    /// UncompressedSize of a compressed packet runs past the end of the history.
    #[error(
        "uncompressed size: {uncompressed_size} bytes at history offset {history_offset} exceed the history"
    )]
    BlockTooLarge {
        /// Where the block would begin, 0 to 8192.
        history_offset: u16,
        /// The field UncompressedSize.
        uncompressed_size: u16,
    },
    /// A copy offset of 0, or above 8191.
    #[error("copy offset: {0} is not in 1 to 8191")]
    Offset(u16),
    /// A length code begins with twelve or more one bits.
    #[error("copy length: more than eleven one bits")]
    LengthPrefix,
    /// A copy would produce more than UncompressedSize bytes.
    #[error("copy length: {length} bytes where {left} are left of the packet")]
    CopyOvershoots {
        /// The length that the token asks for.
        length: u16,
        /// The bytes that the packet may still produce.
        left: u16,
    },
    /// A response was given to a client that waits for none.
    #[error("response status {0}: no NEGOTIATE is outstanding")]
    UnexpectedResponse(u16),
    /// A status that is no status code of SIP (100 to 699).
    #[error("response status {0} is not in 100 to 699")]
    Status(u16),
    /// NEGOTIATE was to be sent twice, after other requests, or while it is switched off.
    #[error("negotiate: not possible in the state {0:?}")]
    State(crate::NegotiationState),
}
