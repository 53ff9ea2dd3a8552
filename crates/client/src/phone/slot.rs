//! One stream of a call.

use std::time::Instant;

use ocs_ice::Role;
use ocs_media::{ForkId, MediaStream};
use ocs_sdpext::negotiation::Stream;
use rand_chacha::ChaCha20Rng;

use super::{Plan, StreamId, Summary};

/// A stream from its first socket on.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: StreamId,
    pub(super) media: MediaStream<ChaCha20Rng>,
    pub(super) plan: Plan,
    /// Which `m=` line it is, once it is in a description.
    pub(super) index: Option<usize>,
    pub(super) role: Role,
    /// The candidates are there.
    pub(super) gathered: bool,
    /// The fork whose pairs are agreed on.
    pub(super) connected: Option<ForkId>,
    /// There is no way to the peer of this fork.
    pub(super) failed: Option<ForkId>,
    /// Both sides have agreed on it at least once.
    pub(super) agreed: bool,
    /// The selected candidates were offered and answered.
    pub(super) settled: bool,
}

impl Slot {
    /// The stream as it is offered or answered: with all candidates, or with the selected ones once there are any.
    pub(super) fn stream(&self) -> Option<Stream> {
        let transport = match self.media.final_transport() {
            Some(transport) => transport,
            None => self.media.transport()?,
        };
        Some(self.plan.stream(transport, self.media.ssrc_range()))
    }

    /// Whether it waits for the peer's part of ICE.
    pub(super) const fn is_connecting(&self) -> bool {
        self.index.is_some() && self.connected.is_none() && self.failed.is_none() && !self.settled
    }

    pub(super) fn summary(&self) -> Summary {
        let sources = self
            .media
            .rtp()
            .into_iter()
            .flat_map(ocs_rtp::Session::sources);
        let lost = sources.filter_map(|(_, source)| source.reception());
        Summary {
            stream: self.id,
            kind: self.plan.kind,
            statistics: *self.media.statistics(),
            lost: lost.map(ocs_rtp::session::Reception::lost).sum(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.media.poll_timeout()
    }
}
