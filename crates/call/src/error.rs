//! What a caller of this crate can do wrong.

/// The error of every command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message is no INVITE outside a dialog: another method, no tag in From, or one in To.
    #[error("not an initial INVITE")]
    NotInitial,
    /// A header that the call needs is missing or malformed.
    #[error(transparent)]
    Message(#[from] ocs_sip_core::Error),
    /// The streams cannot be described or negotiated like this. Nothing has changed.
    #[error(transparent)]
    Negotiation(#[from] ocs_sdpext::Error),
    /// A command that the state of the call does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The command.
        operation: &'static str,
    },
}

impl Error {
    pub(crate) const fn state(operation: &'static str) -> Self {
        Self::WrongState { operation }
    }
}
