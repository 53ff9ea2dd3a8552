//! Calls begin.

use std::time::Instant;

use ocs_call::{Cause, Ended};
use ocs_ice::{Dialect, Role};
use ocs_sdpext::IceVersion;
use ocs_sdpext::negotiation::OfferedStream;

use super::line::{Line, Placing, Wish};
use super::{Error, Event, LineId, Phone, Plan};
use crate::agent::by_user;
use crate::{CallId, CallOptions};

/// How a call ends whose INVITE was not sent yet.
const NEVER_CALLED: Ended = Ended {
    cause: Cause::Local,
    status: None,
    reason: None,
    diagnostics: None,
    elsewhere: false,
    was_established: false,
};

impl Phone {
    /// Calls a SIP URI with these streams, as [`UserAgent::place_call`](crate::UserAgent::place_call) does, once the candidates are there.
    ///
    /// # Errors
    /// [`Error::NoPlan`] without streams; [`Error::Media`] for sockets that cannot be used. What fails later is told by
    /// [`Event::CouldNotCall`].
    pub fn call(
        &mut self,
        now: Instant,
        to: &str,
        plans: &[Plan],
        options: CallOptions,
    ) -> Result<LineId, Error> {
        let placing = Placing {
            to: to.to_owned(),
            options,
            referrer: None,
        };
        self.place(now, plans, placing)
    }

    /// Calls whom the peer of a call has named in [`Event::Referred`], with these streams. The peer hears how it goes.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`Error::NoLine`].
    pub fn follow_transfer(
        &mut self,
        now: Instant,
        line: LineId,
        plans: &[Plan],
    ) -> Result<LineId, Error> {
        let referrer = self.call_of(line).ok_or(Error::NoLine)?;
        let placing = Placing {
            to: String::new(),
            options: CallOptions::default(),
            referrer: Some(referrer),
        };
        self.place(now, plans, placing)
    }

    fn place(&mut self, now: Instant, plans: &[Plan], placing: Placing) -> Result<LineId, Error> {
        if plans.is_empty() {
            return Err(Error::NoPlan);
        }
        let id = self.new_line(Line::new(None, self.config.dialect));
        for plan in plans {
            match self.new_slot(now, id, plan, Role::Controlling) {
                Ok(slot) => self.line_mut(id)?.slots.push(slot),
                Err(error) => {
                    self.close_line(now, id);
                    self.settle(now);
                    return Err(error);
                }
            }
        }
        self.line_mut(id)?.placing = Some(placing);
        self.collect_line(now, id);
        Ok(id)
    }

    /// Sends the INVITE of a call whose candidates are there.
    pub(super) fn place_gathered(&mut self, now: Instant, id: LineId, placing: Placing) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let mut streams = Vec::with_capacity(line.slots.len());
        for (index, slot) in line.slots.iter_mut().enumerate() {
            slot.index = Some(index);
            streams.extend(slot.stream());
        }
        let Placing {
            to,
            options,
            referrer,
        } = placing;
        let agent = &mut self.agent;
        let placed = match referrer {
            Some(call) => agent.follow_transfer(now, call, streams, options),
            None => agent.place_call(now, &to, streams, options),
        };
        match placed {
            Ok(call) => {
                if let Some(line) = self.lines.get_mut(&id) {
                    line.call = Some(call);
                }
            }
            Err(error) => {
                let error = error.into();
                self.events
                    .push_back(Event::CouldNotCall { line: id, error });
                self.close_line(now, id);
            }
        }
    }

    /// A call came.
    pub(super) fn invited(
        &mut self,
        call: CallId,
        from: String,
        display_name: Option<String>,
        streams: Vec<OfferedStream>,
        replaces: Option<CallId>,
    ) {
        let told = streams.iter().find_map(|stream| dialect_of(stream.ice));
        let dialect = told.unwrap_or(self.config.dialect);
        let mut line = Line::new(Some(call), dialect);
        line.offered.clone_from(&streams);
        let replaces = replaces.and_then(|call| self.line_of(call));
        let line = self.new_line(line);
        self.events.push_back(Event::Incoming {
            line,
            from,
            display_name,
            streams,
            replaces,
        });
    }

    /// It rings here: tells the caller so.
    ///
    /// # Errors
    /// [`Error::NoLine`]
    pub fn ring(&mut self, now: Instant, line: LineId) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        self.agent.command_call(now, call, |call| {
            call.ring(now);
            Ok(())
        })?;
        self.settle(now);
        Ok(())
    }

    /// Makes media ready before somebody answers: gathers candidates for these streams, each the plan of the first offered one of
    /// its kind that has none, and tells the caller the answer where that is allowed. [`answer`](Self::answer) follows.
    ///
    /// # Errors
    /// [`Error::NoLine`]; [`Error::NoPlan`] if no plan fits; [`Error::WrongState`] if there are plans already; [`Error::Media`].
    pub fn prepare(&mut self, now: Instant, line: LineId, plans: &[Plan]) -> Result<(), Error> {
        let ringing = self.line_mut(line)?;
        if !ringing.slots.is_empty() {
            return Err(Error::WrongState {
                operation: "preparing an answer",
            });
        }
        let chosen = choose(&ringing.offered, plans);
        self.fill(now, line, &chosen)?;
        self.line_mut(line)?.wish = Wish::Prepare;
        self.collect_line(now, line);
        Ok(())
    }

    /// Answers a call, with these streams unless it was [prepared](Self::prepare).
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn answer(&mut self, now: Instant, line: LineId, plans: &[Plan]) -> Result<(), Error> {
        if self.line_mut(line)?.slots.is_empty() {
            self.prepare(now, line, plans)?;
        }
        self.line_mut(line)?.wish = Wish::Answer;
        self.settle(now);
        Ok(())
    }

    /// Makes slots for offered streams.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        line: LineId,
        chosen: &[(usize, Plan)],
    ) -> Result<(), Error> {
        if chosen.is_empty() {
            return Err(Error::NoPlan);
        }
        for (index, plan) in chosen {
            let mut slot = self.new_slot(now, line, plan, Role::Controlled)?;
            slot.index = Some(*index);
            self.line_mut(line)?.slots.push(slot);
        }
        Ok(())
    }

    /// Does what the user wants with a call that came.
    pub(super) fn answer_gathered(&mut self, now: Instant, id: LineId) -> bool {
        let Some(line) = self.lines.get_mut(&id) else {
            return false;
        };
        let (Some(call), wish, done) = (line.call, line.wish, line.done) else {
            return false;
        };
        if wish <= done || !line.is_gathered() {
            return false;
        }
        line.done = wish;
        let streams: Vec<_> = line
            .slots
            .iter()
            .filter_map(|slot| Some((slot.index?, slot.stream()?)))
            .collect();
        let answered = self.agent.command_call(now, call, |call| {
            if done == Wish::Nothing {
                for (index, stream) in streams {
                    call.accept_stream(index, stream)?;
                }
            }
            if wish == Wish::Answer {
                call.accept(now)?;
                return Ok(true);
            }
            call.answer_early(now)
        });
        match answered {
            Ok(true) => self.agree(now, id, None),
            Ok(false) => {}
            Err(_) => {
                // Plans that do not fit the offer, or a call that is over: its end is told.
                let _ = self.agent.command_call(now, call, |call| {
                    call.decline(now, 488, None);
                    Ok(())
                });
            }
        }
        true
    }

    /// Refuses a call that came: with 486 that this endpoint is busy, with 603 that the user does not want it on any endpoint.
    ///
    /// # Errors
    /// [`Error::NoLine`]
    pub fn decline(&mut self, now: Instant, line: LineId, status: u16) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        self.agent.command_call(now, call, |call| {
            call.decline(now, status, None);
            Ok(())
        })?;
        self.settle(now);
        Ok(())
    }

    /// Ends a call, in whatever state it is.
    ///
    /// # Errors
    /// [`Error::NoLine`]
    pub fn hang_up(&mut self, now: Instant, line: LineId) -> Result<(), Error> {
        match self.lines.get(&line).ok_or(Error::NoLine)?.call {
            Some(call) => self.agent.command_call(now, call, |call| {
                call.hang_up(now, Some(&by_user()));
                Ok(())
            })?,
            None => self.ended(now, line, NEVER_CALLED),
        }
        self.settle(now);
        Ok(())
    }

    /// Asks the peer of a call to call somebody else.
    ///
    /// # Errors
    /// As [`UserAgent::transfer_call`](crate::UserAgent::transfer_call).
    pub fn transfer(&mut self, now: Instant, line: LineId, to: &str) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        self.agent.transfer_call(now, call, to)?;
        self.settle(now);
        Ok(())
    }

    /// Asks the peer of a call to take our place in another one.
    ///
    /// # Errors
    /// As [`UserAgent::transfer_call_to`](crate::UserAgent::transfer_call_to).
    pub fn transfer_to(&mut self, now: Instant, line: LineId, other: LineId) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        let other = self.call_of(other).ok_or(Error::NoLine)?;
        self.agent.transfer_call_to(now, call, other)?;
        self.settle(now);
        Ok(())
    }

    /// Does not call whom the peer has named: it gets 603.
    ///
    /// # Errors
    /// [`Error::NoLine`]; [`Error::Agent`] if the peer has named nobody.
    pub fn decline_transfer(&mut self, now: Instant, line: LineId) -> Result<(), Error> {
        let call = self.call_of(line).ok_or(Error::NoLine)?;
        self.agent.decline_transfer(now, call, 603)?;
        self.settle(now);
        Ok(())
    }
}

/// The dialect of candidates; none where there are none.
const fn dialect_of(ice: IceVersion) -> Option<Dialect> {
    match ice {
        IceVersion::None => None,
        IceVersion::V6 => Some(Dialect::Ice),
        IceVersion::V19 => Some(Dialect::Ice2),
    }
}

/// Which plan is for which offered stream.
pub(super) fn choose(offered: &[OfferedStream], plans: &[Plan]) -> Vec<(usize, Plan)> {
    let mut free: Vec<&Plan> = plans.iter().collect();
    let wanted = offered.iter().filter(|stream| is_new(stream));
    wanted
        .filter_map(|stream| {
            let fits = |plan: &&Plan| Some(plan.kind) == stream.kind;
            let at = free.iter().position(fits)?;
            Some((stream.index, free.remove(at).clone()))
        })
        .collect()
}

/// Whether somebody has to say if a stream is wanted.
pub(super) fn is_new(stream: &OfferedStream) -> bool {
    stream.kind.is_some()
        && !stream.rejected
        && !stream.planned
        && stream.obstacle.is_none()
        && stream.multiplexed_with.is_none()
}
