//! The end of a call.

use std::time::Instant;

use ocs_ocer::DiagnosticsWriter;
use ocs_sip_core::dialog::SessionTimer;
use ocs_sip_core::status::reason_phrase;
use ocs_sip_core::{Message, Method};
use rand_core::CryptoRng;

use super::change::Change;
use super::{Call, Purpose};
use crate::headers::{diagnostics, reason};
use crate::{Action, Cause, Ended, Event, State};

impl Ended {
    pub(super) const fn of(cause: Cause) -> Self {
        Self {
            cause,
            status: None,
            reason: None,
            diagnostics: None,
            elsewhere: false,
            was_established: false,
        }
    }
}

impl<R: CryptoRng> Call<R> {
    /// Ends the call: CANCEL before the answer, BYE after it, 603 to a peer that calls. `diagnostics` go into the BYE or the 603, as
    /// ms-client-diagnostics 51004 when a user hangs up.
    ///
    /// A BYE waits for the ACK of our 200. Endpoints whose 200 crosses the CANCEL get ACK and BYE.
    pub fn hang_up(&mut self, now: Instant, diagnostics: Option<&DiagnosticsWriter>) {
        if self.is_over() {
            return;
        }
        if self.called.is_some() {
            return self.decline(now, 603, diagnostics);
        }
        match &self.calling {
            Some(calling) if calling.waits => {
                self.actions.push_back(Action::Cancel(calling.request));
            }
            _ => self.bye(diagnostics),
        }
        self.finish(now, Ended::of(Cause::Local));
    }

    /// Sends BYE in the dialog of the call, after the ACK of our 2xx.
    pub(super) fn bye(&mut self, diagnostics: Option<&DiagnosticsWriter>) {
        let Some(leg) = &mut self.leg else {
            return;
        };
        let mut bye = leg.dialog.request(Method::Bye);
        leg.dialog.terminate();
        if let Some(diagnostics) = diagnostics {
            diagnostics.put(&mut bye);
        }
        self.bye = Some(bye);
        if self.unacknowledged.is_none() {
            self.send_waiting_bye();
        }
    }

    pub(super) fn send_waiting_bye(&mut self) {
        if let Some(bye) = self.bye.take() {
            self.send_bye(bye);
        }
    }

    pub(super) fn send_bye(&mut self, mut bye: Message) {
        self.config.put_user_agent(&mut bye);
        self.send(bye, Purpose::End);
    }

    /// Ends a call that cannot go on.
    pub(super) fn end_with_bye(&mut self, now: Instant, cause: Cause, status: Option<u16>) {
        if self.is_over() {
            return;
        }
        self.bye(None);
        self.finish(
            now,
            Ended {
                status,
                reason: status.map(|status| reason_phrase(status).to_owned()),
                ..Ended::of(cause)
            },
        );
    }

    /// The peer's BYE.
    pub(super) fn handle_bye(&mut self, now: Instant, bye: &Message) {
        self.unacknowledged = None;
        self.bye = None;
        let (status, text) = reason(bye);
        self.finish(
            now,
            Ended {
                status,
                reason: text,
                diagnostics: diagnostics(bye),
                ..Ended::of(Cause::Remote)
            },
        );
    }

    /// Tells that the call is over; once.
    pub(super) fn finish(&mut self, now: Instant, ended: Ended) {
        if self.is_over() {
            return;
        }
        self.drop_offer(487);
        self.drop_transfers();
        let was_established = self.state == State::Established;
        self.state = State::Ending;
        self.ending_by = Some(now + self.config.answer_timers.total);
        self.change = Change::default();
        self.timer = SessionTimer::new(self.config.session_timer);
        self.refresh = false;
        if let Some(calling) = &mut self.calling {
            calling.give_up = None;
            calling.drop_forks();
        }
        self.event(Event::Ended(Ended {
            was_established,
            ..ended
        }));
        self.settle();
    }

    /// Whether a call that is over waits for nothing more.
    pub(super) fn settle(&mut self) {
        let answers = self
            .pending
            .iter()
            .any(|(_, purpose)| *purpose == Purpose::End);
        let late = self
            .calling
            .as_ref()
            .is_some_and(|calling| calling.waits || calling.late_until.is_some());
        let waits = answers || late || self.unacknowledged.is_some() || self.bye.is_some();
        if self.state == State::Ending && !waits {
            self.end();
        }
    }

    pub(super) fn end(&mut self) {
        self.state = State::Ended;
        self.ending_by = None;
        self.unacknowledged = None;
        self.bye = None;
        self.pending.clear();
    }
}
