//! Time.

use std::time::Instant;

use ocs_sip_core::dialog::SessionEvent;
use rand_core::CryptoRng;

use super::Call;
use super::incoming::Called;
use crate::{Action, Cause, Ended, State};

impl<R: CryptoRng> Call<R> {
    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if let Some(calling) = &mut self.calling {
            if due(calling.give_up.take_if(|at| *at <= now)) {
                self.actions.push_back(Action::Cancel(calling.request));
                self.finish(now, Ended::of(Cause::NoAnswer));
            } else if due(calling.late_until) {
                self.calling = None;
            }
        }
        self.called_timeout(now);
        self.repeat_answer(now);
        if self.state == State::Established {
            self.timer.handle_timeout(now);
            match self.timer.poll_event() {
                Some(SessionEvent::Refresh) => self.refresh = true,
                Some(SessionEvent::Expired) => self.end_with_bye(now, Cause::SessionExpired, None),
                None => {}
            }
        }
        self.change_timeout(now);
        self.transfer_timeout(now);
        self.advance();
        self.settle();
        if due(self.ending_by) {
            self.end();
        }
    }

    fn repeat_answer(&mut self, now: Instant) {
        let Some(awaited) = &mut self.unacknowledged else {
            return;
        };
        awaited.repeater.handle_timeout(now);
        let (id, failed) = (awaited.id, awaited.repeater.has_failed());
        if let Some(message) = awaited.repeater.poll_transmit() {
            self.respond(id, message);
        }
        if failed {
            self.unacknowledged = None;
            self.send_waiting_bye();
            self.end_with_bye(now, Cause::Unacknowledged, None);
        }
    }
}

impl<R> Call<R> {
    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.state == State::Ended {
            return None;
        }
        let calling = self.calling.as_ref();
        [
            calling.and_then(|calling| calling.give_up),
            calling.and_then(|calling| calling.late_until),
            self.called.as_ref().and_then(Called::poll_timeout),
            self.unacknowledged
                .as_ref()
                .and_then(|awaited| awaited.repeater.poll_timeout()),
            self.timer.poll_timeout(),
            self.change.poll_timeout(),
            self.transfers.poll_timeout(),
            self.ending_by,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
