//! What can go wrong.

use crate::{AvId, MessageType, NegotiateFlags};

/// A field of one of the three messages, named as [MS-NLMP] 2.2.1 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `MessageType` and the signature before it.
    Header,
    /// `NegotiateFlags`.
    NegotiateFlags,
    /// `DomainName` (NEGOTIATE, AUTHENTICATE).
    DomainName,
    /// `Workstation` (NEGOTIATE, AUTHENTICATE).
    Workstation,
    /// `TargetName` (CHALLENGE).
    TargetName,
    /// `ServerChallenge` (CHALLENGE).
    ServerChallenge,
    /// `TargetInfo` (CHALLENGE).
    TargetInfo,
    /// `LmChallengeResponse` (AUTHENTICATE).
    LmChallengeResponse,
    /// `NtChallengeResponse` (AUTHENTICATE).
    NtChallengeResponse,
    /// `UserName` (AUTHENTICATE).
    UserName,
    /// `EncryptedRandomSessionKey` (AUTHENTICATE).
    EncryptedRandomSessionKey,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// A weakness that is refused unless the configuration allows it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Weakness {
    /// EXTENDED_SESSIONSECURITY is not negotiated.
    NoExtendedSessionSecurity,
    /// 128-bit keys are not negotiated though signing or sealing is.
    No128BitKeys,
    /// The response is NTLMv1.
    NtlmV1,
    /// The only response is an LM or LMv2 response.
    Lm,
    /// The client asks to be ANONYMOUS.
    Anonymous,
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoExtendedSessionSecurity => "no extended session security",
            Self::No128BitKeys => "no 128-bit keys",
            Self::NtlmV1 => "an NTLMv1 response",
            Self::Lm => "an LM response only",
            Self::Anonymous => "an anonymous client",
        })
    }
}

/// An error of this crate.
///
/// The status codes of the specification are given with the variants that
/// stand for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message ends before the fixed part of `field` is complete
    /// (`SEC_E_INVALID_TOKEN`).
    #[error("message of {len} bytes ends before {field}")]
    Truncated {
        /// The field that is cut.
        field: Field,
        /// Length of the whole message in bytes.
        len: usize,
    },
    /// The message does not begin with `NTLMSSP\0` (`SEC_E_INVALID_TOKEN`).
    #[error("message does not begin with the NTLMSSP signature")]
    Signature,
    /// The message is of another type than expected (`SEC_E_INVALID_TOKEN`).
    #[error("message type is {found} instead of {}", *expected as u32)]
    MessageType {
        /// The type that belongs here.
        expected: MessageType,
        /// The type field as received.
        found: u32,
    },
    /// The offset and length of `field` do not lie in the payload
    /// (`SEC_E_INVALID_TOKEN`).
    #[error("{field} ({len} bytes at {offset}) lies outside the payload")]
    Bounds {
        /// The field whose triple is wrong.
        field: Field,
        /// `BufferOffset` in bytes from the start of the message.
        offset: u32,
        /// `Len` in bytes.
        len: u16,
    },
    /// The length of `field` is none that it can have (`SEC_E_INVALID_TOKEN`).
    #[error("{field} cannot be {len} bytes long")]
    Length {
        /// The field.
        field: Field,
        /// Its length in bytes.
        len: usize,
    },
    /// `field` is not text in the negotiated character set.
    #[error("{field} is not text in the negotiated character set")]
    Text {
        /// The field.
        field: Field,
    },
    /// The message is longer than [`Limits::max_message_len`](crate::Limits).
    #[error("message of {len} bytes is longer than the limit of {max}")]
    TooLong {
        /// Length of the message in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The list of AV pairs is cut, has no MsvAvEOL, or a pair of a fixed
    /// size has another size.
    #[error("AV pair {} at byte {offset} is malformed", id.0)]
    AvPair {
        /// The pair's id; [`AvId::EOL`] where the list ends without one.
        id: AvId,
        /// Position in the list in bytes.
        offset: usize,
    },
    /// A value to be written is longer than its 16-bit length can say.
    #[error("AV pair value of {len} bytes is longer than 65535")]
    AvPairTooLong {
        /// Length of the value in bytes.
        len: usize,
    },
    /// The NTLMv2 response is not of version 1
    /// ([MS-NLMP] 2.2.2.7, `RespType` and `HiRespType`).
    #[error("NTLMv2 response is of an unknown version")]
    ResponseVersion,
    /// The peer did not agree to flags that are required here
    /// (`SEC_E_UNSUPPORTED_FUNCTION`, or `SEC_E_INVALID_TOKEN` where no
    /// character set is left).
    #[error("required flags {0:?} are not negotiated")]
    MissingFlags(NegotiateFlags),
    /// The peer wants something weak that is not allowed here
    /// (`SEC_E_UNSUPPORTED_FUNCTION`).
    #[error("refused: {0}")]
    Weak(Weakness),
    /// The peer's CHALLENGE does not name server and domain though the session
    /// is to be signed (`STATUS_LOGON_FAILURE`).
    #[error("challenge lacks MsvAvNbComputerName or MsvAvNbDomainName")]
    TargetInfoIncomplete,
    /// KEY_EXCH is negotiated and `EncryptedRandomSessionKey` is not 16 bytes
    /// long (`SEC_E_INVALID_TOKEN`).
    #[error("encrypted random session key is missing")]
    SessionKeyMissing,
    /// The flags ask for a key made of the LM hash, which is not known.
    #[error("the LM hash that the negotiated key needs is not known")]
    LmHashUnknown,
    /// User unknown or password wrong; which of the two is not said
    /// (`STATUS_LOGON_FAILURE`).
    #[error("logon failure")]
    LogonFailure,
    /// The message integrity code is wrong or absent though announced or
    /// required.
    #[error("message integrity code is wrong")]
    Mic,
    /// The response was made longer ago (or further ahead) than allowed.
    #[error("response is outside its lifetime")]
    Expired,
    /// The channel bindings are absent or differ (`GSS_S_BAD_BINDINGS`).
    #[error("channel bindings differ")]
    BadBindings,
    /// The function belongs to the other mode (connection or connectionless).
    #[error("not possible in this mode")]
    Mode,
    /// The signature of a message is wrong (`SEC_E_MESSAGE_ALTERED`).
    #[error("message signature is wrong")]
    BadSignature,
    /// The sequence number is not the next one (`SEC_E_OUT_OF_SEQUENCE`).
    #[error("sequence number {found} where {expected} was due")]
    OutOfSequence {
        /// The number that was due.
        expected: u32,
        /// The number in the signature.
        found: u32,
    },
}
