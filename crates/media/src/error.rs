//! What can be wrong with what a stream is given.

use ocs_ice::ForkId;

/// The error of every operation of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What ICE says.
    #[error(transparent)]
    Ice(#[from] ocs_ice::Error),
    /// What RTP says.
    #[error(transparent)]
    Rtp(#[from] ocs_rtp::Error),
    /// What SRTP says.
    #[error(transparent)]
    Srtp(#[from] ocs_srtp::Error),
    /// The peer does no ICE, and [`Config::allow_without_ice`](crate::Config::allow_without_ice) is not set.
    #[error("peer does no ICE")]
    WithoutIce,
    /// The keys are those of \[MS-SSRTP\], whose packets are not public.
    #[error("keys of MS-SSRTP")]
    Scale,
    /// Keys were agreed on, and the new description has none: what was secret stays so.
    #[error("keys are gone")]
    KeysGone,
    /// There is no such fork.
    #[error("{0} is not known")]
    NoFork(ForkId),
    /// No path is there yet.
    #[error("no path to the peer")]
    NoPath,
    /// The stream is on hold, or receives only.
    #[error("the stream does not send")]
    NotSending,
    /// A call that the state of the stream does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The call.
        operation: &'static str,
    },
}
