//! Changes of an established call: rounds of offer and answer by INVITE or UPDATE.

use std::time::{Duration, Instant};

use ocs_sdpext::negotiation::{self, Stage, Verdict};
use ocs_sip_core::header::RetryAfter;
use ocs_sip_core::status::reason_phrase;
use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::CryptoRng;

use super::draft::Draft;
use super::{Call, Purpose};
use crate::headers::phrase;
use crate::{
    Action, Cause, Direction, Error, Event, Refusal, RequestId, State, TransactionId, body,
};

/// The changes that are wanted and under way.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) draft: Draft,
    /// An offer is wanted as soon as one can be made.
    queued: bool,
    ours: Option<Ours>,
    pub(super) theirs: Option<Theirs>,
    /// When an offer that met one of the peer's is made again, and whether it is a refresh of the session.
    retry: Option<(Instant, bool)>,
    tries: u32,
}

/// Our offer that waits for its answer.
#[derive(Debug)]
struct Ours {
    id: RequestId,
    cseq: u32,
    /// What it changes; nothing if it is a refresh of the session.
    draft: Draft,
    refreshes: bool,
}

/// The peer's offer that waits for our answer.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) id: TransactionId,
    pub(super) request: Message,
}

impl Change {
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        match self.retry {
            Some((at, _)) => Some(at),
            None => None,
        }
    }

    fn is_idle(&self) -> bool {
        self.ours.is_none() && self.theirs.is_none() && self.retry.is_none()
    }
}

impl<R: CryptoRng> Call<R> {
    /// Offers what was changed since the last round: streams, hold. While another round runs, the offer waits for its end; an
    /// offer that meets one of the peer's (491) is made again after 2.1 to 4 s by who called, 0 to 2 s by who was called (RFC 3261 14.1).
    ///
    /// It ends with [`Event::Changed`] or [`Event::ChangeRefused`].
    ///
    /// # Errors
    /// [`Error::WrongState`] if the call is not established; [`Error::Negotiation`] if the plans cannot be offered: then they are
    /// dropped.
    pub fn offer(&mut self) -> Result<(), Error> {
        if self.state != State::Established {
            return Err(Error::state("an offer"));
        }
        self.change.tries = 0;
        if self.is_free() {
            let draft = std::mem::take(&mut self.change.draft);
            return self.start_offer(draft, false);
        }
        self.change.queued = true;
        Ok(())
    }

    fn is_free(&self) -> bool {
        let stable = self.leg.as_ref().is_some_and(|leg| leg.session.is_stable());
        stable && self.unacknowledged.is_none() && self.change.is_idle()
    }

    /// Does what waited for the end of a round.
    pub(super) fn advance(&mut self) {
        if self.state != State::Established || !self.is_free() {
            return;
        }
        if std::mem::take(&mut self.change.queued) {
            let draft = std::mem::take(&mut self.change.draft);
            if self.start_offer(draft, false).is_err() {
                // What was agreed meanwhile leaves no place for it.
                self.change_refused(491, reason_phrase(491));
            }
        } else if std::mem::take(&mut self.refresh) {
            self.refresh_session();
        }
    }

    fn change_refused(&mut self, status: u16, reason: &str) {
        let reason = reason.to_owned();
        self.event(Event::ChangeRefused { status, reason });
    }

    fn start_offer(&mut self, draft: Draft, refreshes: bool) -> Result<(), Error> {
        let leg = self.leg.as_mut().ok_or(Error::state("an offer"))?;
        let before = leg.session.clone();
        let made = draft
            .apply(&mut leg.session)
            .and_then(|()| leg.session.offer(&mut self.rng));
        let sdp = match made {
            Ok(sdp) => sdp,
            Err(error) => {
                leg.session = before;
                return Err(error.into());
            }
        };
        let mut invite = leg.dialog.request(Method::Invite);
        let cseq = leg.dialog.local_cseq();
        self.config
            .put_capabilities(&mut invite, leg.session.is_held());
        self.timer.prepare_request(&mut invite);
        body::put(&mut invite, &sdp);
        let id = self.send(invite, Purpose::Offer);
        self.change.ours = Some(Ours {
            id,
            cseq,
            draft,
            refreshes,
        });
        Ok(())
    }

    /// The final response to our offer.
    pub(super) fn offer_answered(
        &mut self,
        now: Instant,
        id: RequestId,
        status: u16,
        response: &Message,
    ) {
        let Some(ours) = self.change.ours.take_if(|ours| ours.id == id) else {
            return;
        };
        let Some(leg) = &mut self.leg else {
            return;
        };
        if (200..300).contains(&status) {
            let ack = leg.dialog.ack_for_2xx(ours.cseq);
            let answer = body::answer(response, &self.config);
            let answer = answer.and_then(|answer| answer.ok_or(ocs_sdpext::Error::NoDescription));
            let taken = answer.and_then(|answer| leg.session.handle_answer(&answer, Stage::Final));
            self.actions.push_back(Action::Ack(ack));
            self.timer.handle_success(now, response);
            self.refresh = false;
            self.change.tries = 0;
            if taken.is_ok() {
                self.event(Event::Changed);
                self.look_at_hold(false);
            } else {
                self.abandon_offer(488, reason_phrase(488), ours.refreshes);
            }
            return;
        }
        let again = match status {
            408 | 481 => return self.dialog_gone(now, status),
            422 => self.timer.handle_422(response).then_some(now),
            491 => Some(now + self.glare_wait()),
            500 => response
                .parse_first::<RetryAfter<'_>>(HeaderName::RetryAfter)
                .ok()
                .map(|after| now + Duration::from_secs(u64::from(after.seconds.min(10)))),
            _ => None,
        };
        self.change.tries += 1;
        match again {
            Some(at) if self.change.tries <= self.config.limits.retries => {
                self.abandon();
                self.change.draft.restore(ours.draft);
                self.change.retry = Some((at, ours.refreshes));
            }
            _ => self.abandon_offer(status, &phrase(response), ours.refreshes),
        }
    }

    fn abandon(&mut self) {
        if let Some(leg) = &mut self.leg {
            leg.session.abandon();
        }
    }

    fn abandon_offer(&mut self, status: u16, reason: &str, refreshes: bool) {
        self.abandon();
        if !refreshes {
            self.change_refused(status, reason);
        }
    }

    /// Makes an offer that was refused by 491 wanted again when it is time.
    pub(super) fn change_timeout(&mut self, now: Instant) {
        if let Some((_, refreshes)) = self.change.retry.take_if(|(at, _)| *at <= now) {
            self.change.queued |= !refreshes;
            self.refresh |= refreshes;
        }
    }

    /// How long to wait after a 491 (RFC 3261 14.1), in steps of 10 ms: whoever made the Call-ID waits longer.
    fn glare_wait(&mut self) -> Duration {
        let steps = u64::from(self.rng.next_u32());
        Duration::from_millis(match self.direction {
            Direction::Outgoing => 2100 + 10 * (steps % 191),
            Direction::Incoming => 10 * (steps % 201),
        })
    }

    /// An INVITE or UPDATE in the dialog that may have an offer.
    pub(super) fn handle_offer(&mut self, now: Instant, id: TransactionId, request: &Message) {
        if let Err(refusal) = self.look_at_offer(now, id, request) {
            self.refuse(id, request, &refusal);
        }
    }

    fn look_at_offer(
        &mut self,
        now: Instant,
        id: TransactionId,
        request: &Message,
    ) -> Result<(), Refusal> {
        self.config.check_require(request)?;
        self.check_session_interval(request)?;
        let is_invite = request.method() == Some(&Method::Invite);
        let offer = body::offer(request, &self.config)?;
        let Some(leg) = &mut self.leg else {
            return Err(Refusal::new(481));
        };
        let Some(offer) = offer else {
            if is_invite {
                return Err(negotiation::Refusal::NO_COMMON_MEDIA.into());
            }
            // A refresh of the session: nothing to decide.
            let mut response = leg.dialog.respond(request, 200);
            self.config.put_capabilities(&mut response, false);
            if self.state == State::Established {
                self.timer.answer(now, request, &mut response);
                self.refresh = false;
            }
            self.respond(id, response);
            return Ok(());
        };
        // One round before the call is answered is enough (\[MS-SDPEXT\] 3.1.5.13).
        if self.change.theirs.is_some() || self.state != State::Established {
            return Err(self.offer_pending());
        }
        match leg.session.handle_offer(offer) {
            Verdict::Open(streams) => {
                let request = request.clone();
                self.change.theirs = Some(Theirs { id, request });
                self.event(Event::Offered { streams });
                Ok(())
            }
            Verdict::Refused(refusal) if refusal == negotiation::Refusal::OFFER_PENDING => {
                Err(self.offer_pending())
            }
            Verdict::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// 500 with a Retry-After of 0 to 10 s (RFC 3261 14.2).
    fn offer_pending(&mut self) -> Refusal {
        let seconds = self.rng.next_u32() % 11;
        let refusal = Refusal::from(negotiation::Refusal::OFFER_PENDING);
        refusal.with(HeaderName::RetryAfter, seconds.to_string())
    }

    /// Answers the offer of [`Event::Offered`] in an established call. An answer of ours that has to wait for ICE is given late: an INVITE
    /// waits, an UPDATE no longer than 32 s.
    ///
    /// # Errors
    /// [`Error::WrongState`] without such an offer; [`Error::Negotiation`] if the plans do not fit each other.
    pub fn answer(&mut self, now: Instant) -> Result<(), Error> {
        if self.change.theirs.is_none() {
            return Err(Error::state("an answer"));
        }
        let made = self.make_answer()?;
        let Some(theirs) = self.change.theirs.take() else {
            return Ok(());
        };
        match made {
            Ok(sdp) => {
                self.respond_with(now, theirs.id, &theirs.request, &sdp, false);
                self.event(Event::Changed);
                self.look_at_hold(true);
            }
            Err(refusal) => {
                let refusal = Refusal::from(refusal);
                self.refuse(theirs.id, &theirs.request, &refusal);
                self.change_refused(refusal.status, reason_phrase(refusal.status));
            }
        }
        self.advance();
        Ok(())
    }

    /// Refuses the offer of [`Event::Offered`] in an established call; everything stays as it is. A status outside 300 to 699 becomes 488.
    /// Nothing happens without such an offer.
    pub fn refuse_offer(&mut self, status: u16) {
        let status = if (300..700).contains(&status) {
            status
        } else {
            488
        };
        self.drop_offer(status);
        self.advance();
    }

    /// Refuses the peer's offer that waits, if there is one.
    pub(super) fn drop_offer(&mut self, status: u16) {
        if let Some(theirs) = self.change.theirs.take() {
            self.abandon();
            self.refuse(theirs.id, &theirs.request, &Refusal::new(status));
        }
    }

    /// The peer's CANCEL of a change.
    pub(super) fn cancel_change(&mut self, cancel: &Message) {
        let same = |theirs: &Theirs| {
            let numbers = (theirs.request.cseq(), cancel.cseq());
            matches!(numbers, (Ok(one), Ok(other)) if one.number == other.number)
        };
        if self.change.theirs.as_ref().is_some_and(same) {
            self.drop_offer(487);
            self.change_refused(487, reason_phrase(487));
            self.advance();
        }
    }

    /// Sends what refreshes the session: UPDATE, or INVITE to a peer that does not take UPDATE (RFC 4028 7.4).
    pub(super) fn refresh_session(&mut self) {
        if !self.peer.takes_update {
            // What was agreed can be offered again.
            let _ = self.start_offer(Draft::default(), true);
            return;
        }
        let Some(leg) = &mut self.leg else {
            return;
        };
        let mut update = leg.dialog.request(Method::Update);
        self.config
            .put_capabilities(&mut update, leg.session.is_held());
        self.timer.prepare_request(&mut update);
        self.send(update, Purpose::Refresh);
    }

    /// The final response to our UPDATE.
    pub(super) fn refreshed(&mut self, now: Instant, status: u16, response: &Message) {
        if self.is_over() {
            return;
        }
        match status {
            200..=299 => self.timer.handle_success(now, response),
            408 | 481 => self.dialog_gone(now, status),
            422 => self.refresh = self.timer.handle_422(response),
            // Perhaps it is UPDATE that the peer cannot do.
            _ => {
                self.peer.takes_update = false;
                self.refresh = true;
            }
        }
    }

    /// Tells whether the peer holds the call: by an offer of its own, and by an answer to one that is no hold itself.
    pub(super) fn look_at_hold(&mut self, their_offer: bool) {
        let Some(leg) = &self.leg else {
            return;
        };
        let session = &leg.session;
        if !their_offer && session.is_held() {
            return;
        }
        let mut streams = (0..session.len())
            .filter_map(|index| session.negotiated(index))
            .filter(|stream| stream.kind.is_held())
            .peekable();
        let holds = streams.peek().is_some() && streams.all(|stream| stream.remote.on_hold);
        if std::mem::replace(&mut self.peer.holds, holds) != holds {
            self.event(Event::PeerHolds(holds));
        }
    }

    /// The peer does not know the dialog any more, or cannot be reached (RFC 5057). BYE clears what servers on the way still hold.
    pub(super) fn dialog_gone(&mut self, now: Instant, status: u16) {
        self.end_with_bye(now, Cause::DialogGone, Some(status));
    }
}
