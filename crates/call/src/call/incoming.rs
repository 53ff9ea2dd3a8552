//! The peer's INVITE, until it is answered.

use std::time::{Duration, Instant};

use ocs_ocer::DiagnosticsWriter;
use ocs_sdpext::negotiation::{self, Session, Stream, Verdict};
use ocs_sdpext::{IceVersion, Sdp};
use ocs_sip_core::dialog::{Dialog, ProvisionalEvent, ProvisionalSender};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::CryptoRng;

use super::{Call, Leg};
use crate::headers::{diagnostics, is_elsewhere, reason};
use crate::{
    Cause, Config, Direction, Ended, Error, Event, ForkId, Refusal, State, TransactionId, body,
};

/// The peer's INVITE.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) id: TransactionId,
    pub(super) invite: Message,
    pub(super) sender: ProvisionalSender,
    /// The answer, once it was made; the same goes into 183 and 200.
    answer: Option<Sdp>,
    /// The 200 waits until the 183 is acknowledged (RFC 3262 3).
    accepted: bool,
    /// When the INVITE is no longer worth an answer: Expires (RFC 3261 13.3.1).
    expires: Option<Instant>,
    /// When the 180 goes out again, so that no proxy takes the call for dead (RFC 3261 13.3.1.1).
    remind: Option<Instant>,
    /// That it rings was told.
    rang: bool,
}

/// How often it is told that it still rings.
const REMINDER: Duration = Duration::from_secs(60);

impl Called {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.sender.poll_timeout(), self.expires, self.remind]
            .into_iter()
            .flatten()
            .min()
    }
}

impl<R: CryptoRng> Call<R> {
    /// A peer calls: an INVITE outside a dialog came. The first event is [`Event::Offered`]. The answers to the streams are given with
    /// [`accept_stream`](Self::accept_stream); then [`accept`](Self::accept), or [`answer_early`](Self::answer_early) before it.
    ///
    /// `local_tag` is a fresh random token, which the responses have in To.
    ///
    /// # Errors
    /// How the INVITE is refused: 400, 420, 422, 481 if it is of a dialog, 488, or 415 with what is accepted. An INVITE without offer is refused with 488.
    pub fn incoming(
        now: Instant,
        config: Config,
        id: TransactionId,
        invite: &Message,
        local_tag: &str,
        mut rng: R,
    ) -> Result<Self, Refusal> {
        if invite.method() != Some(&Method::Invite) {
            return Err(Refusal::new(400));
        }
        if invite.to_header().is_ok_and(|to| to.tag().is_some()) {
            return Err(Refusal::new(481));
        }
        let dialog = Dialog::uas(invite, local_tag).map_err(|_| Refusal::new(400))?;
        config.check_require(invite)?;
        let timers = config.answer_timers;
        let sender = ProvisionalSender::new(&mut rng, timers);
        let mut call = Self::new(config, rng, Direction::Incoming);
        call.check_session_interval(invite)?;
        let offer = body::offer(invite, &call.config)?;
        let offer = offer.ok_or(negotiation::Refusal::NO_COMMON_MEDIA)?;
        let mut session = Session::new(call.config.negotiation.clone());
        let streams = match session.handle_offer(offer) {
            Verdict::Open(streams) => streams,
            Verdict::Refused(refusal) => return Err(refusal.into()),
        };
        let expires = invite.number(HeaderName::Expires).unwrap_or(None);
        call.peer.learn(invite);
        call.leg = Some(Leg {
            fork: ForkId(0),
            dialog,
            session,
        });
        call.called = Some(Called {
            id,
            invite: invite.clone(),
            sender,
            answer: None,
            accepted: false,
            expires: expires.map(|seconds| now + Duration::from_secs(u64::from(seconds))),
            rang: false,
            remind: None,
        });
        call.event(Event::Offered { streams });
        Ok(call)
    }

    /// Accepts a stream that the peer offers, of the first or a later offer, with this plan.
    ///
    /// # Errors
    /// [`Error::Negotiation`] without an offer that waits, without such a stream, or if the plan is of another kind.
    pub fn accept_stream(&mut self, index: usize, stream: Stream) -> Result<(), Error> {
        let leg = self.leg.as_mut();
        let leg = leg.ok_or(Error::state("accepting a stream"))?;
        Ok(leg.session.accept(index, stream)?)
    }

    /// Tells the peer that it rings: 180, also after an early answer. Nothing happens when the call does not wait for that, or it was told.
    pub fn ring(&mut self, now: Instant) {
        let untold = matches!(&self.called, Some(called) if !called.rang);
        if untold && matches!(self.state, State::Calling | State::Early) {
            if self.state == State::Calling {
                self.state = State::Ringing;
            }
            self.tell_that_it_rings(now);
        }
    }

    fn tell_that_it_rings(&mut self, now: Instant) {
        if let Some(called) = &mut self.called {
            called.rang = true;
            called.remind = Some(now + REMINDER);
        }
        if let Some((id, response)) = self.provisional_response(180) {
            self.respond(id, response);
        }
    }

    /// Does what is due before the call is answered.
    pub(super) fn called_timeout(&mut self, now: Instant) {
        let Some(called) = &mut self.called else {
            return;
        };
        called.sender.handle_timeout(now);
        let mut failed = false;
        while let Some(event) = called.sender.poll_event() {
            failed |= event == ProvisionalEvent::Failed;
        }
        let expired = called.expires.is_some_and(|at| at <= now);
        let remind = called.remind.take_if(|at| *at <= now).is_some();
        self.flush_provisional();
        if failed {
            // The RFC asks for a 5xx.
            self.give_up_called(now, Cause::Unacknowledged, 504);
        } else if expired {
            self.give_up_called(now, Cause::NoAnswer, 487);
        } else if remind {
            self.tell_that_it_rings(now);
        }
    }

    fn give_up_called(&mut self, now: Instant, cause: Cause, status: u16) {
        self.refuse_invite(&Refusal::new(status));
        let status = Some(status);
        self.finish(
            now,
            Ended {
                status,
                ..Ended::of(cause)
            },
        );
    }

    fn provisional_response(&mut self, status: u16) -> Option<(TransactionId, Message)> {
        let (called, leg) = (self.called.as_ref()?, self.leg.as_mut()?);
        let mut response = leg.dialog.respond(&called.invite, status);
        self.config.put_capabilities(&mut response, false);
        Some((called.id, response))
    }

    /// Answers the offer before the call: a 183, reliable where the peer can do that; the same answer goes into the 200. Says whether it went
    /// out.
    ///
    /// It does not, and nothing happens, where \[MS-SDPEXT\] 3.1.5.12.1 forbids it: without ICE, or without reliable
    /// responses to an INVITE that was forked; and if [`Config::early_media`] says no. If no stream can be agreed on, the call is
    /// refused and ends.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the call is answered or over; [`Error::Negotiation`] if the plans do not fit each other.
    pub fn answer_early(&mut self, now: Instant) -> Result<bool, Error> {
        let (Some(called), Some(leg)) = (&self.called, &self.leg) else {
            return Err(Error::state("an early answer"));
        };
        if called.answer.is_some() {
            return Ok(true);
        }
        let reliable = self.config.reliable_provisional && knows_100rel(&called.invite);
        let offered = leg.session.offered();
        let ice = offered.is_some_and(|offer| offer.ice_version() != IceVersion::None);
        if !self.config.early_media || !ice || (!reliable && is_forked(&called.invite)) {
            return Ok(false);
        }
        let Some(sdp) = self.answer_invite(now)? else {
            return Ok(false);
        };
        let Some((id, mut response)) = self.provisional_response(183) else {
            return Ok(false);
        };
        body::put(&mut response, &sdp);
        self.state = State::Early;
        if let Some(called) = &mut self.called {
            called.remind = Some(now + REMINDER);
            if reliable {
                called.sender.send(now, response);
                self.flush_provisional();
            } else {
                self.respond(id, response);
            }
        }
        Ok(true)
    }

    /// Sends what the sender of reliable responses has.
    pub(super) fn flush_provisional(&mut self) {
        if let Some(called) = &mut self.called {
            let id = called.id;
            while let Some(message) = called.sender.poll_transmit() {
                self.actions
                    .push_back(crate::Action::Respond { id, message });
            }
        }
    }

    /// Makes the answer to the INVITE, once; none if the call was refused.
    fn answer_invite(&mut self, now: Instant) -> Result<Option<Sdp>, Error> {
        if let Some(answer) = self
            .called
            .as_ref()
            .and_then(|called| called.answer.clone())
        {
            return Ok(Some(answer));
        }
        match self.make_answer()? {
            Ok(sdp) => {
                if let Some(called) = &mut self.called {
                    called.answer = Some(sdp.clone());
                }
                Ok(Some(sdp))
            }
            Err(refusal) => {
                let status = refusal.status;
                self.refuse_invite(&refusal.into());
                self.finish(
                    now,
                    Ended {
                        status: Some(status),
                        ..Ended::of(Cause::NotAcceptable)
                    },
                );
                Ok(None)
            }
        }
    }

    /// Accepts the call: 200, as soon as a 183 with the answer is acknowledged. If no stream can be agreed on, the call is refused and
    /// ends.
    ///
    /// # Errors
    /// As [`answer_early`](Self::answer_early).
    pub fn accept(&mut self, now: Instant) -> Result<(), Error> {
        if self.called.is_none() {
            return Err(Error::state("accepting the call"));
        }
        if self.answer_invite(now)?.is_some() {
            if let Some(called) = &mut self.called {
                called.accepted = true;
            }
            self.accept_if_acknowledged(now);
        }
        Ok(())
    }

    /// Sends the 200 if it has to wait for nothing.
    pub(super) fn accept_if_acknowledged(&mut self, now: Instant) {
        let ready = |called: &mut Called| called.accepted && called.sender.is_idle();
        let Some(called) = self.called.take_if(ready) else {
            return;
        };
        let Some(sdp) = called.answer else {
            return;
        };
        self.state = State::Established;
        self.respond_with(now, called.id, &called.invite, &sdp, true);
        self.look_at_hold(true);
    }

    /// Declines the call: 480 or 486 at this endpoint, 603 at all of the user's. A status outside 300 to 699 becomes 603. Nothing
    /// happens if the call is answered, or is ours.
    pub fn decline(&mut self, now: Instant, status: u16, diagnostics: Option<&DiagnosticsWriter>) {
        let status = if (300..700).contains(&status) {
            status
        } else {
            603
        };
        if self.called.is_none() {
            return;
        }
        let mut refusal = Refusal::new(status);
        if let Some(diagnostics) = diagnostics {
            refusal = refusal.with(diagnostics.kind().name(), diagnostics.value());
        }
        self.refuse_invite(&refusal);
        self.finish(
            now,
            Ended {
                status: Some(status),
                ..Ended::of(Cause::Local)
            },
        );
    }

    /// The final response to the INVITE of a call that is not answered.
    pub(super) fn refuse_invite(&mut self, refusal: &Refusal) {
        if let (Some(called), Some(leg)) = (self.called.take(), &mut self.leg) {
            let mut response = leg.dialog.respond(&called.invite, refusal.status);
            refusal.apply(&mut response);
            self.config.put_user_agent(&mut response);
            self.respond(called.id, response);
        }
    }

    /// The peer's CANCEL of an INVITE that was not answered: of the call, or of a change of it. The INVITE gets 487; the CANCEL
    /// itself is the transaction layer's to answer.
    pub fn handle_cancel(&mut self, now: Instant, cancel: &Message) {
        if self.called.is_some() {
            self.refuse_invite(&Refusal::new(487));
            let (status, text) = reason(cancel);
            self.finish(
                now,
                Ended {
                    status,
                    reason: text,
                    diagnostics: diagnostics(cancel),
                    elsewhere: is_elsewhere(cancel),
                    ..Ended::of(Cause::Remote)
                },
            );
        } else {
            self.cancel_change(cancel);
        }
        self.settle();
    }
}

impl<R> Call<R> {
    /// 422 for a session interval that is too small.
    pub(super) fn check_session_interval(&self, request: &Message) -> Result<(), Refusal> {
        self.timer
            .check_request(request)
            .map_err(|min_se| Refusal::new(422).with(HeaderName::MinSe, min_se.to_string()))
    }
}

fn knows_100rel(invite: &Message) -> bool {
    invite.lists(HeaderName::Supported, "100rel") || invite.lists(HeaderName::Require, "100rel")
}

/// Whether a proxy on the way has sent the INVITE to several endpoints (\[MS-SIPRE\] 2.2.6).
fn is_forked(invite: &Message) -> bool {
    invite
        .parse_all::<ocs_sip_core::header::Via<'_>>(HeaderName::Via)
        .flatten()
        .any(|via| {
            via.params()
                .get("branched")
                .is_some_and(|value| value.eq_ignore_ascii_case("TRUE"))
        })
}
