//! What can be wrong with what this crate is given.

/// The error of every operation of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A candidate line ends before this field.
    #[error("candidate line has no {field}")]
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// A field of an attribute is not of the grammar, or out of its range.
    #[error("{field} is malformed")]
    InvalidField {
        /// The field.
        field: &'static str,
    },
    /// A line is longer than [`Limits::line`](crate::Limits::line).
    #[error("attribute line is longer than {limit} octets")]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// The description mixes lines of \[MS-ICE\] and of \[MS-ICE2\].
    #[error("candidate lines of both dialects")]
    MixedDialects,
    /// \[MS-ICE2\] candidates without `ice-ufrag` or `ice-pwd`.
    #[error("description has no {attribute}")]
    MissingCredentials {
        /// The attribute.
        attribute: &'static str,
    },
    /// The description has no candidate: the peer does no ICE, media goes to the default address.
    #[error("description has no candidate")]
    NoCandidate,
    /// The description is of the other dialect than the agent speaks.
    #[error("description is of the other dialect")]
    WrongDialect,
    /// The final offer or answer names a pair that was never valid.
    #[error("final description names no valid pair")]
    UnknownPair,
    /// A packet does not fit into a frame of RFC 4571.
    #[error("packet of {length} octets is too long for its frame")]
    PacketTooLong {
        /// Octets of the packet.
        length: usize,
    },
    /// There is no valid pair for the component yet, or no more.
    #[error("component has no valid pair")]
    NoPath,
    /// A call that the state of the agent does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The call.
        operation: &'static str,
    },
    /// Forks beyond [`Limits::forks`](crate::Limits::forks): the answer is ignored.
    #[error("more than {limit} forks")]
    TooManyForks {
        /// The limit.
        limit: usize,
    },
    /// A local candidate beyond [`Limits`](crate::Limits), or one that is there already.
    #[error("local candidate cannot be added: {reason}")]
    LocalCandidate {
        /// Why.
        reason: &'static str,
    },
}
