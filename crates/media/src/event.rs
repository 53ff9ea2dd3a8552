//! What a stream tells.

use ocs_ice::{Failure, ForkId, RelayId};

/// Something that the owner of the call should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The candidates are there: [`transport`](crate::MediaStream::transport) is complete. It comes again after a restart.
    Gathered,
    /// Media can flow both ways on this fork, though no pair is agreed on yet: early media.
    Usable {
        /// The fork.
        fork: ForkId,
    },
    /// The pairs of this fork are agreed on. Once it is chosen, the final offer is due: see
    /// [`final_transport`](crate::MediaStream::final_transport).
    Connected {
        /// The fork.
        fork: ForkId,
    },
    /// There is no way to this peer, or no longer.
    Failed {
        /// The fork.
        fork: ForkId,
        /// Why.
        failure: Failure,
    },
    /// An allocation failed. Others, and ways without a relay, may do.
    RelayFailed {
        /// The allocation.
        relay: RelayId,
        /// Why.
        failure: ocs_turn::client::Failure,
    },
    /// What RTP and RTCP have to say.
    Rtp(ocs_rtp::session::Event),
}
