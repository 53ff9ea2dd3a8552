//! One stream of a call.

use std::collections::BTreeMap;
use std::time::Instant;

use ocs_ice::Role;
use ocs_media::{ForkId, MediaStream};
use ocs_qoe::document::MediaLine;
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
    /// What is known of the way to each fork: its pairs are agreed on, or there is none.
    pub(super) ways: BTreeMap<ForkId, bool>,
    /// The fork that is the call.
    pub(super) fork: Option<ForkId>,
    /// Both sides have agreed on it at least once.
    pub(super) agreed: bool,
    /// The last description has the selected candidates.
    pub(super) told: bool,
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

    fn way(&self) -> Option<bool> {
        self.ways.get(&self.fork?).copied()
    }

    /// Whether the pairs to the peer are agreed on.
    pub(super) fn is_connected(&self) -> bool {
        self.way() == Some(true)
    }

    /// Whether there is no way to the peer.
    pub(super) fn has_failed(&self) -> bool {
        self.way() == Some(false)
    }

    /// Whether it waits for the peer's part of ICE.
    pub(super) fn is_connecting(&self) -> bool {
        self.index.is_some() && self.way().is_none() && !self.settled
    }

    /// Looks for a way anew.
    pub(super) fn restart(&mut self) {
        self.gathered = false;
        self.ways.clear();
        self.settled = false;
    }

    /// A round of offer and answer begins with what the stream has to say now.
    pub(super) fn describe(&mut self) -> Option<Stream> {
        self.told = self.media.final_transport().is_some();
        self.stream()
    }

    /// What is reported of it.
    pub(super) fn quality(&self) -> Option<MediaLine> {
        self.media.quality(self.role == Role::Controlling)
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
