//! Calls change and end.

use std::time::Instant;

use ocs_call::Ended;
use ocs_ice::Role;
use ocs_ocer::{DiagnosticsWriter, ErrorId, Kind};

use super::calling::choose;
use super::slot::Slot;
use super::{Error, Event, LineId, Phone, Plan, StreamId};

/// What a BYE says when ICE has failed (\[MS-OCER\]).
const NO_WAY: ErrorId = ErrorId(52031);
const NO_WAY_TEXT: &str = "Call terminated on media connectivity failure";

/// Streams of a call that ended before it, of which its report tells.
const PAST: usize = 20;

impl Phone {
    /// Puts a call on hold.
    ///
    /// # Errors
    /// [`Error::NoLine`]
    pub fn hold(&mut self, now: Instant, line: LineId) -> Result<(), Error> {
        self.set_hold(now, line, true)
    }

    /// Takes a call from hold.
    ///
    /// # Errors
    /// [`Error::NoLine`]
    pub fn resume(&mut self, now: Instant, line: LineId) -> Result<(), Error> {
        self.set_hold(now, line, false)
    }

    fn set_hold(&mut self, now: Instant, line: LineId, hold: bool) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        self.agent.command_call(now, call, |call| {
            if hold {
                call.hold();
            } else {
                call.resume();
            }
            Ok(())
        })?;
        self.line_mut(line)?.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Adds a stream to a call, once its candidates are there. [`Event::Changed`] or [`Event::ChangeRefused`] tells what became of it; a
    /// stream that the peer does not want is closed.
    ///
    /// # Errors
    /// [`Error::NoLine`]; [`Error::WrongState`] before the call is answered; [`Error::Media`].
    pub fn add_stream(
        &mut self,
        now: Instant,
        line: LineId,
        plan: &Plan,
    ) -> Result<StreamId, Error> {
        if !self.line_mut(line)?.is_answered() {
            return Err(Error::WrongState {
                operation: "adding a stream",
            });
        }
        let slot = self.new_slot(now, line, plan, Role::Controlling)?;
        let id = slot.id;
        let line = self.line_mut(line)?;
        line.slots.push(slot);
        line.changed = true;
        self.collect(now, id);
        Ok(id)
    }

    /// Takes a stream out of a call.
    ///
    /// # Errors
    /// [`Error::NoStream`]; [`Error::WrongState`] before the call is answered.
    pub fn remove_stream(&mut self, now: Instant, stream: StreamId) -> Result<(), Error> {
        let id = *self.places.get(&stream).ok_or(Error::NoStream)?;
        if !self.line_mut(id)?.is_answered() {
            return Err(Error::WrongState {
                operation: "removing a stream",
            });
        }
        let index = self.slot_mut(stream).and_then(|slot| slot.index);
        let (Some(index), Some(call)) = (index, self.call_of(id)) else {
            self.close_slots(now, id, |slot| slot == stream);
            self.settle(now);
            return Ok(());
        };
        self.agent.command_call(now, call, |call| {
            call.remove_stream(index);
            Ok(())
        })?;
        self.line_mut(id)?.changed = true;
        self.settle(now);
        Ok(())
    }

    /// Says which of the streams of [`Event::Offered`] are wanted: each plan is for the first one of its kind; without plans for
    /// none.
    ///
    /// # Errors
    /// [`Error::NoLine`]; [`Error::WrongState`] without an offer that waits; [`Error::Media`].
    pub fn accept_streams(
        &mut self,
        now: Instant,
        id: LineId,
        plans: &[Plan],
    ) -> Result<(), Error> {
        let line = self.line_mut(id)?;
        let offer = line.peer_offer.as_mut().filter(|offer| offer.undecided);
        let offer = offer.ok_or(Error::WrongState {
            operation: "accepting streams",
        })?;
        offer.undecided = false;
        let chosen = choose(&line.offered, plans);
        if !chosen.is_empty() {
            self.fill(now, id, &chosen)?;
        }
        self.collect_line(now, id);
        self.settle(now);
        Ok(())
    }

    /// Does the next thing that is due in a call. False if there is none.
    pub(super) fn advance(&mut self, now: Instant, id: LineId) -> bool {
        let Some(line) = self.lines.get_mut(&id) else {
            return false;
        };
        if line.is_gathered()
            && let Some(placing) = line.placing.take()
        {
            self.place_gathered(now, id, placing);
            return true;
        }
        if !line.is_answered() {
            return self.answer_gathered(now, id);
        }
        if self.leave_failed(now, id) {
            return true;
        }
        let Some(line) = self.lines.get_mut(&id) else {
            return false;
        };
        if !line.up && !line.is_connecting() {
            line.up = true;
            self.events.push_back(Event::MediaUp { line: id });
            return true;
        }
        self.answer_offer(now, id) || self.offer_changes(now, id)
    }

    /// A stream for which there is no way, or no longer, is taken out of the call; with the last one the call ends.
    fn leave_failed(&mut self, now: Instant, id: LineId) -> bool {
        let Some(line) = self.lines.get(&id) else {
            return false;
        };
        let Some(call) = line.call else {
            return false;
        };
        let (failed, others): (Vec<&Slot>, Vec<&Slot>) =
            line.slots.iter().partition(|slot| slot.has_failed());
        let Some(first) = failed.first() else {
            return false;
        };
        let (stream, index, is_last) = (first.id, first.index, others.is_empty());
        let told = self.agent.command_call(now, call, |call| {
            match index {
                Some(index) if !is_last => call.remove_stream(index),
                _ => call.hang_up(
                    now,
                    Some(&DiagnosticsWriter::new(Kind::Client, NO_WAY, NO_WAY_TEXT)),
                ),
            }
            Ok(())
        });
        if is_last || told.is_err() {
            return told.is_ok();
        }
        if let Some(line) = self.lines.get_mut(&id) {
            line.changed = true;
        }
        self.close_slots(now, id, |slot| slot == stream);
        true
    }

    /// Answers an offer of the peer, once everything is there for it.
    fn answer_offer(&mut self, now: Instant, id: LineId) -> bool {
        let Some(line) = self.lines.get_mut(&id) else {
            return false;
        };
        let Some(call) = line.call else {
            return false;
        };
        let old_is_connecting = line
            .slots
            .iter()
            .any(|slot| slot.is_connecting() && slot.agreed);
        let waits = line.peer_offer.as_ref().is_none_or(|offer| offer.undecided);
        if waits || old_is_connecting || !line.is_gathered() {
            return false;
        }
        line.peer_offer = None;
        // What only we want yet stays out of it.
        let slots = line.slots.iter_mut();
        let streams: Vec<_> = slots
            .filter(|slot| slot.agreed || slot.role == Role::Controlled)
            .filter_map(|slot| Some((slot.index?, slot.describe()?, slot.agreed)))
            .collect();
        let answered = self.agent.command_call(now, call, |call| {
            for (index, stream, is_old) in streams {
                if !is_old {
                    call.accept_stream(index, stream)?;
                } else if let Some(plan) = call.stream_mut(index) {
                    plan.transport = stream.transport;
                }
            }
            call.answer(now)
        });
        if answered.is_err() {
            // The plans do not fit the offer: the call goes on without it.
            let _ = self.agent.command_call(now, call, |call| {
                call.refuse_offer(488);
                Ok(())
            });
        }
        true
    }

    /// Offers what has changed, once everything is there for it.
    fn offer_changes(&mut self, now: Instant, id: LineId) -> bool {
        let Some(line) = self.lines.get_mut(&id) else {
            return false;
        };
        let Some(call) = line.call else {
            return false;
        };
        let due = line.changed || line.owes_final_offer();
        if !due || line.offering || line.peer_offer.is_some() || !line.is_gathered() {
            return false;
        }
        let current = self.agent.call(call).and_then(|call| call.current());
        if !current.is_some_and(|(_, session)| session.is_stable()) {
            // A round of the call's own, such as a refresh: its end comes back here.
            return false;
        }
        line.changed = false;
        line.offering = true;
        let mut added = Vec::new();
        let slots = &mut line.slots;
        let offered = self.agent.command_call(now, call, |call| {
            for slot in slots {
                let Some(stream) = slot.describe() else {
                    continue;
                };
                let Some(index) = slot.index else {
                    slot.index = Some(call.add_stream(stream)?);
                    added.push(slot.id);
                    continue;
                };
                if let Some(plan) = call.stream_mut(index) {
                    plan.transport = stream.transport;
                }
            }
            call.offer()
        });
        if let Err(error) = offered {
            line.offering = false;
            self.events.push_back(Event::ChangeRefused {
                line: id,
                status: 488,
                reason: error.to_string(),
            });
            self.close_slots(now, id, |slot| added.contains(&slot));
        }
        true
    }

    /// The peer adds streams while we do: its offer goes first, and ours is refused.
    pub(super) fn withdraw_added(&mut self, now: Instant, id: LineId) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let ours = |slot: &&Slot| !slot.agreed && slot.role == Role::Controlling;
        let withdrawn: Vec<(StreamId, Option<usize>)> = line
            .slots
            .iter()
            .filter(ours)
            .map(|slot| (slot.id, slot.index))
            .collect();
        let Some(call) = line.call.filter(|_| !withdrawn.is_empty()) else {
            return;
        };
        line.offering = false;
        let _ = self.agent.command_call(now, call, |call| {
            for index in withdrawn.iter().filter_map(|(_, index)| *index) {
                call.remove_stream(index);
            }
            Ok(())
        });
        self.events.push_back(Event::ChangeRefused {
            line: id,
            status: 491,
            reason: "Request Pending".to_owned(),
        });
        self.close_slots(now, id, |slot| {
            withdrawn.iter().any(|(stream, _)| *stream == slot)
        });
    }

    /// A round of offer and answer is over.
    pub(super) fn changed(&mut self, now: Instant, id: LineId) {
        self.agree(now, id, None);
        if let Some(fork) = self.current_fork(id) {
            // A stream that was added has its peer only now.
            self.choose(now, id, fork);
        }
        let Some(call) = self.call_of(id).and_then(|call| self.agent.call(call)) else {
            return;
        };
        let Some((_, session)) = call.current() else {
            return;
        };
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        line.offering = false;
        let mut refused = Vec::new();
        for slot in &mut line.slots {
            slot.settled |= slot.told;
            if slot
                .index
                .is_some_and(|index| session.negotiated(index).is_none())
            {
                refused.push(slot.id);
            }
        }
        line.up &= !line.is_connecting();
        self.close_slots(now, id, |slot| refused.contains(&slot));
    }

    /// A change of ours was refused: what was to be added is not.
    pub(super) fn change_refused(&mut self, now: Instant, id: LineId) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let ours = std::mem::take(&mut line.offering);
        line.peer_offer = None;
        let refused: Vec<StreamId> = line
            .slots
            .iter_mut()
            .filter_map(|slot| {
                // What was selected was told once; a peer that does not take it is not asked again.
                slot.settled |= ours && slot.told;
                let in_round = (slot.role == Role::Controlling) == ours && slot.index.is_some();
                (in_round && !slot.agreed).then_some(slot.id)
            })
            .collect();
        self.close_slots(now, id, |slot| refused.contains(&slot));
    }

    /// A call is over.
    pub(super) fn ended(&mut self, now: Instant, id: LineId, ended: Ended) {
        if ended.was_established {
            self.report(now, id);
        }
        let Some(line) = self.lines.get(&id) else {
            return;
        };
        let streams = line.slots.iter().map(Slot::summary).collect();
        self.events.push_back(Event::Ended {
            line: id,
            ended,
            streams,
        });
        self.close_line(now, id);
    }

    pub(super) fn close_line(&mut self, now: Instant, id: LineId) {
        self.close_slots(now, id, |_| true);
        self.lines.remove(&id);
    }

    /// Closes streams. Whoever calls this lets everything [settle](Self::settle).
    fn close_slots(&mut self, now: Instant, id: LineId, which: impl Fn(StreamId) -> bool) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let closed: Vec<_> = line.slots.extract_if(.., |slot| which(slot.id)).collect();
        // The report at the end is of all streams that there were.
        let agreed = closed.iter().filter(|slot| slot.agreed);
        let room = PAST.saturating_sub(line.past.len());
        let past = agreed.filter_map(Slot::quality);
        line.past.extend(past.take(room));
        for mut slot in closed {
            let stream = slot.id;
            self.places.remove(&stream);
            slot.media.close(now);
            self.closing.push(slot);
            self.drain(stream);
        }
    }
}
