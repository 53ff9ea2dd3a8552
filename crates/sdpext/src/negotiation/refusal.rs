//! Why something is not negotiated.

/// A rule that a description breaks, of the peer or of ours.
///
/// The numbers and, in parentheses, the names are those of the negotiator of Microsoft's servers (`SdpDiagnosticsCode` of
/// UCMA 5), which refuses the same; their meaning is inferred from the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// (MissingOrInvalidConnectionAddress)
    #[error("no usable connection address")]
    ConnectionAddress = 5,
    /// (UnrecognizedTransportProfile)
    #[error("transport profile is not of rtp")]
    TransportProfile = 6,
    /// (SdpCannotSupportEncryption): encryption is offered or required, and we have none.
    #[error("encryption is not supported")]
    CannotSupportEncryption = 7,
    /// (SrtpEncryptionRequired): no encryption is offered or answered, and we require it.
    #[error("encryption is required")]
    EncryptionRequired = 8,
    /// (InvalidIceCandidates): candidates of \[MS-ICE\] on one side, of \[MS-ICE2\] on the other.
    #[error("candidates are of another version of ice")]
    IceCandidates = 9,
    /// (CannotChangeSrtpEncryption)
    #[error("encryption cannot change in a later offer")]
    CannotChangeEncryption = 10,
    /// (InvalidNumberOfMedia)
    #[error("number of media differs")]
    NumberOfMedia = 12,
    /// (MismatchedOrOutOfOrderMedia)
    #[error("media differ or are out of order")]
    OrderOfMedia = 13,
    /// (OnlyOneSrtpCryptoKeyExpected)
    #[error("answer does not have exactly one key")]
    OneKeyExpected = 14,
    /// (CannotSupportAnyMedia): no common format.
    #[error("no common format")]
    NoCommonFormat = 15,
    /// (ClientDeclinedAllMedia)
    #[error("stream is declined")]
    Declined = 16,
    /// (SrtpNegotiationFailed): no line of a key that can be taken.
    #[error("no usable key")]
    SrtpNegotiation = 17,
    /// (MultiplexingMediaSsrcRangeMissing)
    #[error("multiplexed stream has no ssrc range")]
    SsrcRangeMissing = 20,
    /// (MultiplexingRequiredForMediaWithSameLabel)
    #[error("streams of one label are not multiplexed")]
    MultiplexingRequired = 25,
    /// (OverlappingOrDuplicateSsrcRange)
    #[error("ssrc ranges overlap")]
    OverlappingSsrcRange = 27,
    /// (RtcpMultiplexingNotOffered)
    #[error("rtcp-mux was not offered")]
    RtcpMuxNotOffered = 32,
    /// Both want to share, or both want to look. Without number.
    #[error("roles of application sharing do not match")]
    SharingRole = 0x100,
    /// Streams share a transport and have keys of their own (3.1.5.34). Without number.
    #[error("multiplexed streams have different keys")]
    MultiplexedKeys = 0x101,
}

impl Violation {
    /// The number in Microsoft's programming interface; not on the wire.
    #[must_use]
    pub const fn code(self) -> Option<u8> {
        let code = self as u16;
        if code < 0x100 { Some(code as u8) } else { None }
    }

    pub(super) const fn at(self, stream: usize) -> crate::Error {
        let violation = self;
        crate::Error::Violation { stream, violation }
    }
}

/// What is in the way of a stream: a rule that is broken, or a line that cannot be read.
pub(super) enum Obstacle {
    Violation(Violation),
    Error(crate::Error),
}

impl From<Violation> for Obstacle {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<crate::Error> for Obstacle {
    fn from(error: crate::Error) -> Self {
        Self::Error(error)
    }
}

impl Obstacle {
    /// As an error of an answer.
    pub(super) fn at(self, stream: usize) -> crate::Error {
        match self {
            Self::Violation(violation) => violation.at(stream),
            Self::Error(error) => error,
        }
    }
}

/// How an offer is refused: the final response to the request that it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The value of `ms-client-diagnostics`: number and reason.
    pub diagnostics: Option<(u32, &'static str)>,
    /// The value of `Warning`, as SIPE writes it.
    pub warning: Option<&'static str>,
}

impl Refusal {
    /// The description cannot be read, or contradicts itself.
    pub const UNSUPPORTED_DESCRIPTION: Self = Self {
        status: 488,
        diagnostics: Some((52063, "Unsupported session description")),
        warning: None,
    };
    /// One side requires encryption and the other has none.
    pub const ENCRYPTION: Self = Self {
        status: 488,
        diagnostics: Some((52017, "Encryption levels dont match")),
        warning: Some("308 lcs.microsoft.com \"Encryption Levels not compatible\""),
    };
    /// No stream can be accepted.
    pub const NO_COMMON_MEDIA: Self = Self {
        status: 488,
        diagnostics: None,
        warning: None,
    };
    /// The body is no description at all. `Accept: application/sdp` goes with it.
    pub const UNSUPPORTED_BODY: Self = Self {
        status: 415,
        diagnostics: None,
        warning: None,
    };
    /// An offer of ours is on its way, or its call is not answered yet (RFC 3261 14.2).
    pub const GLARE: Self = Self {
        status: 491,
        diagnostics: None,
        warning: None,
    };
    /// An offer of the peer is not answered yet (RFC 3261 14.2); `Retry-After` goes with it.
    pub const OFFER_PENDING: Self = Self {
        status: 500,
        diagnostics: None,
        warning: None,
    };

    /// How a body is refused that gave this error.
    #[must_use]
    pub const fn of(error: &crate::Error) -> Self {
        match error {
            crate::Error::Mime(_) | crate::Error::NoDescription => Self::UNSUPPORTED_BODY,
            _ => Self::UNSUPPORTED_DESCRIPTION,
        }
    }

    /// The refusal for the last obstacle that was found.
    pub(super) const fn for_violation(violation: Violation) -> Self {
        match violation {
            Violation::CannotSupportEncryption
            | Violation::EncryptionRequired
            | Violation::CannotChangeEncryption
            | Violation::SrtpNegotiation => Self::ENCRYPTION,
            _ => Self::NO_COMMON_MEDIA,
        }
    }
}
