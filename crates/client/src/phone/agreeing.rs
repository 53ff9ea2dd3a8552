//! What calls and streams tell each other.

use std::time::Instant;

use ocs_call::{Event as Told, ForkId};
use ocs_media::Event as MediaEvent;
use ocs_sdpext::IceVersion;

use super::line::PeerOffer;
use super::slot::Slot;
use super::{Event, LineId, Phone};
use crate::phone::calling::is_new;

/// Names a fork of a call for its streams.
pub(super) const fn media_fork(fork: ForkId) -> ocs_media::ForkId {
    ocs_media::ForkId(fork.number())
}

impl Slot {
    /// Notes what the stream tells.
    pub(super) fn note(&mut self, event: &MediaEvent) {
        match event {
            MediaEvent::Gathered => self.gathered = true,
            MediaEvent::Connected { fork } => _ = self.ways.insert(*fork, true),
            MediaEvent::Failed { fork, .. } => _ = self.ways.insert(*fork, false),
            _ => {}
        }
    }
}

impl Phone {
    /// A call of the user agent tells something.
    pub(super) fn call_told(&mut self, now: Instant, id: LineId, told: Told) {
        let line = id;
        let event = match told {
            Told::Ringing { .. } => Event::Ringing { line },
            Told::Progress { status, reason } => Event::Progress {
                line,
                status,
                reason,
            },
            Told::EarlyMedia { fork } => {
                self.agree(now, id, Some(fork));
                Event::EarlyMedia { line }
            }
            Told::ForkEnded { fork } => {
                self.each_slot(now, id, |slot, now| {
                    slot.media.drop_fork(now, media_fork(fork));
                    slot.ways.remove(&media_fork(fork));
                });
                return;
            }
            Told::Answered { fork } => {
                self.answered(now, id, fork);
                Event::Answered { line }
            }
            Told::Established => {
                if let Some(fork) = self.current_fork(id) {
                    self.answered(now, id, fork);
                }
                Event::Answered { line }
            }
            Told::Offered { streams } => {
                let Some(line) = self.lines.get_mut(&id) else {
                    return;
                };
                let new: Vec<_> = streams.iter().filter(|s| is_new(s)).cloned().collect();
                line.offered = streams;
                line.peer_offer = Some(PeerOffer {
                    undecided: !new.is_empty(),
                });
                self.show_offer(now, id);
                if new.is_empty() {
                    return;
                }
                self.withdraw_added(now, id);
                Event::Offered {
                    line: id,
                    streams: new,
                }
            }
            Told::Changed => {
                self.changed(now, id);
                Event::Changed { line }
            }
            Told::ChangeRefused { status, reason } => {
                self.change_refused(now, id);
                Event::ChangeRefused {
                    line,
                    status,
                    reason,
                }
            }
            Told::PeerHolds(holds) => Event::PeerHolds { line, holds },
            Told::Referred { transfer, .. } => Event::Referred { line, transfer },
            Told::TransferProgress { status, reason } => Event::TransferProgress {
                line,
                status,
                reason,
            },
            Told::TransferEnded { status, reason } => Event::TransferEnded {
                line,
                status,
                reason,
            },
            Told::Ended(ended) => {
                self.ended(now, id, ended);
                return;
            }
            _ => return,
        };
        self.events.push_back(event);
    }

    /// The fork that is the call.
    pub(super) fn current_fork(&self, id: LineId) -> Option<ForkId> {
        let call = self.agent.call(self.call_of(id)?)?;
        Some(call.current()?.0)
    }

    /// The call is answered, and is this fork.
    fn answered(&mut self, now: Instant, id: LineId, fork: ForkId) {
        self.agree(now, id, Some(fork));
        let wall = self.agent.config().clock.at(now);
        if let Some(line) = self.lines.get_mut(&id) {
            line.answered.get_or_insert(wall);
        }
        self.choose(now, id, fork);
    }

    /// Tells the streams which fork is the call.
    pub(super) fn choose(&mut self, now: Instant, id: LineId, fork: ForkId) {
        self.each_slot(now, id, |slot, now| {
            slot.fork = Some(media_fork(fork));
            // A stream that the peer has refused has no fork.
            let _ = slot.media.choose(now, media_fork(fork));
        });
    }

    /// Tells the streams what was agreed on in a fork; without one, in the one that there is.
    pub(super) fn agree(&mut self, now: Instant, id: LineId, fork: Option<ForkId>) {
        let Some(call) = self.call_of(id).and_then(|call| self.agent.call(call)) else {
            return;
        };
        let fork = fork.or_else(|| Some(call.current()?.0));
        let Some((fork, session)) = fork.and_then(|fork| Some((fork, call.session(fork)?))) else {
            return;
        };
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        for slot in &mut line.slots {
            let Some((index, negotiated)) = slot
                .index
                .and_then(|index| Some((index, session.negotiated(index)?)))
            else {
                continue;
            };
            slot.agreed = true;
            if negotiated.remote.ice == IceVersion::None {
                slot.settled = true;
            }
            let media = session.remote().and_then(|remote| remote.media(index));
            let lines = media.map(|media| media.ice_lines(true)).unwrap_or_default();
            let fork = media_fork(fork);
            let agreed = slot.media.handle_negotiated(now, fork, negotiated, &lines);
            if agreed.is_err() {
                // A peer without ICE, or keys that are gone: there is no way for media.
                slot.ways.insert(fork, false);
            }
        }
        self.collect_line(now, id);
    }

    /// Takes all that the streams of a call want and tell.
    pub(super) fn collect_line(&mut self, now: Instant, id: LineId) {
        let streams: Vec<_> = self.streams(id).collect();
        for stream in streams {
            self.collect(now, stream);
        }
    }

    fn each_slot(&mut self, now: Instant, id: LineId, act: impl Fn(&mut Slot, Instant)) {
        if let Some(line) = self.lines.get_mut(&id) {
            for slot in &mut line.slots {
                act(slot, now);
            }
            self.collect_line(now, id);
        }
    }

    /// Lets the streams see an offer before it is answered: it may tell the selected pairs, or restart ICE.
    fn show_offer(&mut self, now: Instant, id: LineId) {
        let Some(call) = self.call_of(id).and_then(|call| self.agent.call(call)) else {
            return;
        };
        let Some(offer) = call.current().and_then(|(_, session)| session.offered()) else {
            return;
        };
        let Some(line) = self.lines.get_mut(&id).filter(|line| line.is_answered()) else {
            return;
        };
        for slot in &mut line.slots {
            if let Some(media) = slot.index.and_then(|index| offer.media(index)) {
                let lines = media.ice_lines(true);
                if slot.media.handle_offer(now, &lines) == Ok(true) {
                    slot.restart();
                }
            }
        }
        self.collect_line(now, id);
    }
}
