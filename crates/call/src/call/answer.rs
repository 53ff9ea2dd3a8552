//! Answers of ours, and their ACK.

use std::time::Instant;

use ocs_sdpext::Sdp;
use ocs_sdpext::negotiation::{Answer, Refusal};
use ocs_sip_core::dialog::AnswerRepeater;
use ocs_sip_core::{Message, Method};
use rand_core::CryptoRng;

use super::{Call, Unacknowledged};
use crate::{Error, Event, TransactionId, body};

impl<R: CryptoRng> Call<R> {
    /// Answers the offer that waits in the session.
    pub(super) fn make_answer(&mut self) -> Result<Result<Sdp, Refusal>, Error> {
        let leg = self.leg.as_mut().ok_or(Error::state("an answer"))?;
        self.change.draft.apply_to_answer(&mut leg.session);
        Ok(match leg.session.answer(&mut self.rng)? {
            Answer::Accept(sdp) => Ok(sdp),
            Answer::Refuse(refusal) => Err(refusal),
        })
    }

    /// Sends a 200 with a description; that to an INVITE again and again until its ACK.
    pub(super) fn respond_with(
        &mut self,
        now: Instant,
        id: TransactionId,
        request: &Message,
        sdp: &Sdp,
        initial: bool,
    ) {
        let Some(leg) = &mut self.leg else {
            return;
        };
        let mut response = leg.dialog.respond(request, 200);
        self.config.put_capabilities(&mut response, false);
        self.timer.answer(now, request, &mut response);
        self.refresh = false;
        body::put(&mut response, sdp);
        if request.method() == Some(&Method::Invite) {
            let timers = &self.config.answer_timers;
            let repeater = AnswerRepeater::new(now, response.clone(), timers);
            self.unacknowledged = repeater.map(|repeater| Unacknowledged {
                id,
                repeater,
                initial,
            });
        }
        self.respond(id, response);
    }

    /// The ACK of our 2xx.
    pub(super) fn handle_ack(&mut self, ack: &Message) {
        let mine = self.leg.as_ref().is_some_and(|leg| leg.dialog.matches(ack));
        let acknowledged = |awaited: &mut Unacknowledged| awaited.repeater.handle_ack(ack);
        if mine && let Some(awaited) = self.unacknowledged.take_if(acknowledged) {
            self.acknowledged(&awaited);
        }
    }

    pub(super) fn acknowledged(&mut self, awaited: &Unacknowledged) {
        if awaited.initial && !self.is_over() {
            self.event(Event::Established);
        }
        self.send_waiting_bye();
    }
}
