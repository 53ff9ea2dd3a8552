//! One `m=` line over the life of a session.

use rand_core::Rng;

use crate::attribute::{Direction, MasterKey};
use crate::line::MediaLine;
use crate::negotiation::multiplex::Member;
use crate::negotiation::write::offers_mux;
use crate::negotiation::{
    Config, EncryptionPolicy, Negotiated, Srtp, Stream, StreamKind, Transport, Violation,
};
use crate::{Error, SdpBuilder};

#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// None if it cannot be negotiated here.
    pub(super) kind: Option<StreamKind>,
    /// None if it is removed.
    pub(super) plan: Option<Stream>,
    pub(super) agreed: Option<Negotiated>,
    /// Our key, from the first offer or answer that has one.
    pub(super) key: Option<MasterKey>,
    /// The value of the last `m=` line, by which it is refused.
    pub(super) line: String,
    /// Whether our last description had another direction than both ways.
    pub(super) was_limited: bool,
    pub(super) obstacle: Option<Violation>,
}

impl Slot {
    pub(super) const fn new(kind: Option<StreamKind>, line: String) -> Self {
        Self {
            kind,
            plan: None,
            agreed: None,
            key: None,
            line,
            was_limited: false,
            obstacle: None,
        }
    }

    pub(super) fn planned(stream: Stream) -> Self {
        let mut slot = Self::new(Some(stream.kind), String::new());
        slot.plan = Some(stream);
        slot
    }

    /// Used again for another stream.
    pub(super) fn restart(&mut self, stream: Stream) {
        let line = core::mem::take(&mut self.line);
        *self = Self {
            line,
            ..Self::planned(stream)
        };
    }

    /// Whether it is planned and nothing is agreed.
    pub(super) const fn is_pending(&self) -> bool {
        self.plan.is_some() && self.agreed.is_none()
    }

    pub(super) fn clear(&mut self) {
        self.plan = None;
        self.agreed = None;
        self.key = None;
    }

    /// What we want now.
    pub(super) fn wanted(plan: &Stream, held: bool) -> Direction {
        if held && plan.kind.is_held() {
            Direction::Inactive
        } else {
            plan.direction
        }
    }

    /// The direction as it is written, if it is.
    pub(super) fn written(&self, direction: Direction, config: &Config) -> Option<Direction> {
        let say = direction != Direction::SendRecv || self.was_limited || config.explicit_sendrecv;
        say.then_some(direction)
    }

    /// Whether an offer of ours has `rtcp-mux`: what was agreed before stays so.
    pub(super) fn offers_mux(&self, config: &Config, transport: &Transport) -> bool {
        match &self.agreed {
            Some(agreed) => agreed.rtcp_mux,
            None => offers_mux(config, transport),
        }
    }

    /// `mid` of an offer of ours: the one that the peer named before, or our own.
    pub(super) fn mid(&self, plan: &Stream) -> Option<String> {
        let agreed = self
            .agreed
            .as_ref()
            .and_then(|agreed| agreed.remote.mid.clone());
        agreed.or_else(|| plan.mid.map(|mid| mid.to_string()))
    }

    /// Our key, made when it is needed first.
    fn key(&mut self, config: &Config, rng: &mut impl Rng) -> Option<&MasterKey> {
        if config.encryption == EncryptionPolicy::DoNotSupport {
            return None;
        }
        Some(self.key.get_or_insert_with(|| MasterKey::random(rng)))
    }

    /// The keys that were agreed before.
    pub(super) fn srtp(&self) -> Option<&Srtp> {
        self.agreed.as_ref()?.srtp.as_ref()
    }

    /// Whether both are streams of one label, which share a transport and so a key (3.1.5.34).
    pub(super) fn shares(&self, other: &Self) -> bool {
        let named = |slot: &Self| {
            let plan = slot.plan.as_ref()?;
            Some((plan.kind, plan.label?))
        };
        named(self).is_some_and(|name| named(other) == Some(name))
    }

    pub(super) fn write_rejected(&self, out: &mut SdpBuilder) -> Result<(), Error> {
        let line = if self.line.is_empty() {
            // Never described before: planned and removed again.
            let media = self.kind.map_or("audio", |kind| kind.media_type().as_str());
            &format!("{media} 0 RTP/AVP")
        } else {
            &self.line
        };
        out.rejected(&MediaLine::parse(line)?);
        Ok(())
    }
}

/// The stream whose key this one has: itself, or, of those that share its transport, the first that is agreed on, or else the first.
pub(super) fn key_holder(slots: &[Slot], index: usize) -> usize {
    let group = || (0..slots.len()).filter(|&other| slots[other].shares(&slots[index]));
    let agreed = group().find(|&other| slots[other].agreed.is_some());
    agreed.or_else(|| group().next()).unwrap_or(index)
}

/// Gives a key to every planned stream that has none.
pub(super) fn make_keys(slots: &mut [Slot], config: &Config, rng: &mut impl Rng) {
    for index in 0..slots.len() {
        if slots[index].plan.is_some() {
            let holder = key_holder(slots, index);
            slots[index].key = slots[holder].key(config, rng).cloned();
        }
    }
}

/// What multiplexing of our own streams is judged by.
pub(super) fn member(plan: &Stream) -> Member<'_> {
    Member {
        kind: plan.kind,
        label: plan.label,
        ssrc_range: plan.ssrc_range,
        address: Some(plan.transport.rtp),
        ice: plan
            .transport
            .ice()
            .find(|line| line.starts_with("a=ice-ufrag:")),
        media: None,
    }
}
