//! What can be wrong.

/// Why a packet or a key is not taken. The wire knows no errors: a packet that is refused is dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A packet that ends before its headers, or before what protects it.
    #[error("packet of {len} octets is too short")]
    TooShort {
        /// Its octets.
        len: usize,
    },
    /// A packet that no datagram carries.
    #[error("packet of {len} octets is too long")]
    TooLong {
        /// Its octets, protected.
        len: usize,
    },
    /// Neither RTP nor RTCP of version 2.
    #[error("version {0} is not 2")]
    Version(u8),
    /// The buffer has no room for what protects the packet.
    #[error("buffer of {len} octets, {needed} are needed")]
    NoRoom {
        /// Octets that the protected packet takes.
        needed: usize,
        /// Octets of the buffer.
        len: usize,
    },
    /// The receiver has no key yet.
    #[error("no key to unprotect with")]
    NoKey,
    /// No key has the MKI of the packet, or the packet has none where all keys have one.
    #[error("mki of no key")]
    UnknownMki,
    /// The tag is not that of the packet under any key that it may belong to.
    #[error("authentication failed")]
    AuthenticationFailed,
    /// An SRTCP packet with E = 0.
    #[error("srtcp packet is not encrypted")]
    NotEncrypted,
    /// The packet index was there before: a receiver has seen it, a sender would use its keystream twice.
    #[error("packet index is used already")]
    Replayed,
    /// The packet index is behind the replay window.
    #[error("packet index is too old")]
    TooOld,
    /// More synchronization sources than the configuration allows.
    #[error("more than {limit} synchronization sources")]
    TooManySsrcs {
        /// How many it allows.
        limit: usize,
    },
    /// More keys than the configuration allows.
    #[error("more than {limit} keys")]
    TooManyKeys {
        /// How many it allows.
        limit: usize,
    },
    /// The receiver has this master key already. With another MKI it would let packets in twice: the tag does not cover the MKI.
    #[error("key is there already")]
    SameKey,
    /// The key has protected as many packets as its lifetime allows.
    #[error("lifetime of the key is over")]
    KeyExpired,
    /// The packet index has no next value: 2^48 for SRTP, 2^31 for SRTCP.
    #[error("packet index is exhausted")]
    IndexExhausted,
    /// The text of key parameters does not follow its grammar, or a value is out of its range.
    #[error("key parameters: bad {field}")]
    KeyParams {
        /// The part that is wrong: `method`, `key`, `lifetime` or `mki`.
        field: &'static str,
    },
}
