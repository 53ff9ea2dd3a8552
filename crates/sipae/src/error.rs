//! What can go wrong.

use ocs_sip_core::header::Scheme;

/// An error of this crate.
///
/// What a peer may answer by protocol (a challenge, a refusal) is never an error but a result of its own:
/// [`Next`](crate::client::Next), [`Outcome`](crate::server::Outcome).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A header that the signature covers is absent or malformed.
    #[error(transparent)]
    Message(#[from] ocs_sip_core::Error),
    /// The scheme of an authentication header is none of this system.
    #[error("unknown authentication scheme")]
    UnknownScheme,
    /// A parameter that this header must have is absent.
    #[error("parameter {0} is missing")]
    MissingParameter(&'static str),
    /// A parameter does not follow its grammar.
    #[error("parameter {0} is malformed")]
    MalformedParameter(&'static str),
    /// `qop` is something else than `auth`.
    #[error("qop is not auth")]
    Qop,
    /// The NTLM layer refused a token or could not make one.
    #[error("NTLM: {0}")]
    Ntlm(#[from] ocs_ntlm::Error),
    /// A token came where the handshake of this scheme expects none, or none where it expects one.
    #[error("unexpected token in the {0} handshake")]
    UnexpectedToken(Scheme),
    /// There is no security association to sign with.
    #[error("no security association")]
    NoAssociation,
    /// No handshake waits for a request to carry its token.
    #[error("no handshake in progress")]
    NoHandshake,
    /// All 2^32 - 1 sequence numbers of the association are used.
    #[error("sequence numbers of the security association are used up")]
    SequenceExhausted,
}
