//! Our INVITE, and what it becomes.

use std::time::Instant;

use ocs_ocer::DiagnosticsWriter;
use ocs_sdpext::negotiation::{Answered, Session, Stage, Stream, Transport};
use ocs_sip_core::dialog::{
    Dialog, DialogId, DialogSet, ForkOutcome, ProvisionalReceiver, SessionTimer,
};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::CryptoRng;

use super::{Call, Leg, Purpose};
use crate::headers::{diagnostics, phrase};
use crate::{
    Action, Cause, Config, Direction, Ended, Error, Event, ForkId, RequestId, State, body,
};

/// Our INVITE.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) request: RequestId,
    /// All dialogs that it made, but the one that became the call.
    set: DialogSet,
    offered: Session,
    forks: Vec<Fork>,
    next_fork: u32,
    /// Whether the offer has two forms.
    multipart: bool,
    /// Whether it waits for its final response.
    pub(super) waits: bool,
    /// When it is given up.
    pub(super) give_up: Option<Instant>,
    /// Until when other endpoints can answer too.
    pub(super) late_until: Option<Instant>,
}

/// An endpoint that has been heard of.
#[derive(Debug)]
struct Fork {
    id: ForkId,
    dialog: DialogId,
    session: Session,
    receiver: ProvisionalReceiver,
}

impl Calling {
    pub(super) fn forks(&self) -> impl Iterator<Item = ForkId> {
        self.forks.iter().map(|fork| fork.id)
    }

    fn fork(&self, id: ForkId) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.id == id)
    }

    pub(super) fn session(&self, id: ForkId) -> Option<&Session> {
        self.fork(id).map(|fork| &fork.session)
    }

    pub(super) fn dialog(&self, id: ForkId) -> Option<&Dialog> {
        let of = &self.fork(id)?.dialog;
        self.dialogs().find(|dialog| dialog.id() == of)
    }

    pub(super) fn dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.set.dialogs().iter()
    }

    /// The dialog that a request came in.
    pub(super) fn dialog_of_request(&mut self, request: &Message) -> Option<&mut Dialog> {
        let id = DialogId::of_request(request)?;
        self.set.get_mut(&id)
    }

    /// Forgets a fork; its id if it was one that could be the call.
    pub(super) fn drop_fork(&mut self, request: &Message) -> Option<ForkId> {
        let id = DialogId::of_request(request)?;
        let at = self.forks.iter().position(|fork| fork.dialog == id)?;
        Some(self.forks.remove(at).id)
    }

    pub(super) fn drop_forks(&mut self) {
        self.forks.clear();
    }

    /// The place of a fork; a dialog that is heard of for the first time becomes one.
    fn place(&mut self, dialog: &DialogId) -> usize {
        if let Some(at) = self.forks.iter().position(|fork| fork.dialog == *dialog) {
            return at;
        }
        self.forks.push(Fork {
            id: ForkId(self.next_fork),
            dialog: dialog.clone(),
            session: self.offered.clone(),
            receiver: ProvisionalReceiver::default(),
        });
        self.next_fork += 1;
        self.forks.len() - 1
    }

    /// Whether a response that makes a dialog answers this INVITE.
    fn is_answered_by(&self, response: &Message) -> bool {
        let invite = self.set.invite();
        let same = |name| response.header(name) == invite.header(name);
        let tag = |message: &Message| {
            let from = message.from_header().ok();
            from.and_then(|from| from.tag().map(str::to_owned))
        };
        let numbers = (response.cseq(), invite.cseq());
        same(HeaderName::CallId)
            && tag(response) == tag(invite)
            && matches!(numbers, (Ok(one), Ok(other)) if one.number == other.number
                && one.method() == Method::Invite)
    }
}

impl<R: CryptoRng> Call<R> {
    /// Calls.
    ///
    /// `invite` has Request-URI, From with tag, To, Call-ID, CSeq, Max-Forwards, and what the application adds, such as Ms-Conversation-ID,
    /// Replaces, Referred-By. The call adds Contact, User-Agent, Supported, Allow, ms-keep-alive, Session-Expires and the offer of `streams`.
    ///
    /// `fallback` are transports of \[MS-ICE\] for the streams from the first one on: with them the offer has two forms, of which
    /// the first is for Office Communications Server 2007 (\[MS-SIPRE\] 3.15.4.1). A peer that refuses it with 415 is called again with
    /// the other form alone. Empty: one form.
    pub fn outgoing(
        now: Instant,
        config: Config,
        mut invite: Message,
        streams: Vec<Stream>,
        fallback: &[Transport],
        mut rng: R,
    ) -> Result<Self, Error> {
        let initial = invite.method() == Some(&Method::Invite)
            && invite.from_header()?.tag().is_some()
            && invite.to_header()?.tag().is_none();
        if !initial {
            return Err(Error::NotInitial);
        }
        invite.call_id()?;
        invite.cseq()?;
        let mut offered = Session::new(config.negotiation.clone());
        for stream in streams {
            offered.add(stream)?;
        }
        config.put_capabilities(&mut invite, false);
        invite.set(HeaderName::MsKeepAlive, "UAC;hop-hop=yes");
        SessionTimer::new(config.session_timer).prepare_request(&mut invite);
        body::put_offer(&mut invite, &mut offered, fallback, &mut rng)?;

        let mut call = Self::new(config, rng, Direction::Outgoing);
        let give_up = call.config.answer_timeout.map(|timeout| now + timeout);
        let request = call.new_request_id();
        let limit = call.config.limits.forks;
        call.calling = Some(Calling {
            request,
            set: DialogSet::new(invite.clone()).with_max_forks(limit),
            offered,
            forks: Vec::new(),
            next_fork: 0,
            multipart: !fallback.is_empty(),
            waits: true,
            give_up,
            late_until: None,
        });
        call.actions.push_back(Action::Request {
            id: request,
            message: invite,
        });
        Ok(call)
    }

    /// A response to our INVITE.
    pub(super) fn invite_answered(&mut self, now: Instant, status: u16, response: &Message) {
        match status {
            ..=100 => {}
            101..=199 => self.provisional(now, status, response),
            200..=299 => self.success(now, response),
            _ => self.failure(now, status, response),
        }
    }

    fn provisional(&mut self, now: Instant, status: u16, response: &Message) {
        let over = self.is_over();
        let Some(calling) = self
            .calling
            .as_mut()
            .filter(|calling| calling.waits && !over)
        else {
            return;
        };
        let outcome = if calling.is_answered_by(response) {
            calling.set.handle_response(now, response)
        } else {
            return;
        };
        let dialog = match outcome {
            Ok(ForkOutcome::Early(dialog)) => dialog,
            Ok(ForkOutcome::Progress) => return self.progress(status, None, response),
            _ => return,
        };
        let at = calling.place(&dialog);
        let fork = &mut calling.forks[at];
        let id = fork.id;
        let rack = fork.receiver.handle_response(response);
        if rack.is_none() && response.lists(HeaderName::Require, "100rel") {
            // It came before, or too early and comes again (RFC 3262 4).
            return;
        }
        // An answer that cannot be used is no reason to end a fork that may still be answered otherwise.
        let answer = body::answer(response, &self.config).unwrap_or(None);
        let new = answer.is_some_and(|answer| {
            fork.session.handle_answer(&answer, Stage::Provisional) == Ok(Answered::New)
        });
        if let Some(rack) = rack
            && let Some(dialog) = calling.set.get_mut(&dialog)
        {
            // Without description, whatever came (\[MS-SDPEXT\] 3.1.5.13).
            let mut prack = dialog.request(Method::Prack);
            prack.push(HeaderName::RAck, &rack);
            self.config.put_user_agent(&mut prack);
            self.send(prack, Purpose::Acknowledge);
        }
        if status == 180 || !new {
            self.progress(status, Some(id), response);
        }
        if new {
            self.state = State::Early;
            self.event(Event::EarlyMedia { fork: id });
        }
    }

    fn progress(&mut self, status: u16, fork: Option<ForkId>, response: &Message) {
        if status == 180 {
            if self.state == State::Calling {
                self.state = State::Ringing;
            }
            self.event(Event::Ringing { fork });
        } else {
            let reason = phrase(response);
            self.event(Event::Progress { status, reason });
        }
    }

    fn success(&mut self, now: Instant, response: &Message) {
        if self.acknowledge_again(response) {
            return;
        }
        let over = self.is_over();
        let late = now + self.config.answer_timers.total;
        let Some(calling) = &mut self.calling else {
            return;
        };
        if !calling.is_answered_by(response) {
            return;
        }
        let id = match calling.set.handle_response(now, response) {
            Ok(ForkOutcome::Confirmed { id, .. }) => id,
            Ok(ForkOutcome::Repeated(id)) => {
                self.actions.extend(calling.set.ack(&id).map(Action::Ack));
                return;
            }
            Ok(ForkOutcome::TooMany) => return self.too_many(response),
            Ok(ForkOutcome::Progress | ForkOutcome::Early(_) | ForkOutcome::Failed) | Err(_) => {
                return;
            }
        };
        self.actions.extend(calling.set.ack(&id).map(Action::Ack));
        let answered = calling.waits && !over;
        if std::mem::replace(&mut calling.waits, false) {
            calling.give_up = None;
            calling.late_until = Some(late);
        }
        if answered {
            self.answered(now, &id, response);
        } else if let Some(dialog) = calling.set.get_mut(&id) {
            // Another endpoint was faster, or we gave up.
            let bye = dialog.request(Method::Bye);
            dialog.terminate();
            self.send_bye(bye);
        }
    }

    /// A 2xx of an endpoint that there was no room for: the call goes on ringing where it is known.
    fn too_many(&mut self, response: &Message) {
        let calling = self.calling.as_ref();
        let dialog = calling.map(|calling| Dialog::uac(calling.set.invite(), response));
        if let (Some(Ok(mut dialog)), Ok(cseq)) = (dialog, response.cseq()) {
            let ack = dialog.ack_for_2xx(cseq.number);
            self.actions.push_back(Action::Ack(ack));
            let bye = dialog.request(Method::Bye);
            self.send_bye(bye);
        }
    }

    /// The first 2xx: this dialog is the call.
    fn answered(&mut self, now: Instant, dialog: &DialogId, response: &Message) {
        let Some(calling) = &mut self.calling else {
            return;
        };
        let at = calling.place(dialog);
        let fork = calling.forks.swap_remove(at);
        let others: Vec<ForkId> = calling.forks.drain(..).map(|fork| fork.id).collect();
        let Some(dialog) = calling.set.take(dialog) else {
            return;
        };
        for other in others {
            self.event(Event::ForkEnded { fork: other });
        }
        let mut session = fork.session;
        let usable = match body::answer(response, &self.config) {
            Ok(Some(answer)) => match session.handle_answer(&answer, Stage::Final) {
                Ok(_) => true,
                // The first answer stands.
                Err(ocs_sdpext::Error::AnswerChanged) => {
                    session.confirm();
                    true
                }
                Err(_) => false,
            },
            Ok(None) if session.remote().is_some() => {
                session.confirm();
                true
            }
            Ok(None) | Err(_) => false,
        };
        let streams = (0..session.len()).any(|index| session.negotiated(index).is_some());
        self.leg = Some(Leg {
            fork: fork.id,
            dialog,
            session,
        });
        self.peer.learn(response);
        if !usable || !streams {
            self.bye(Some(&DiagnosticsWriter::new(
                ocs_ocer::Kind::Client,
                ocs_ocer::ErrorId::UNSUPPORTED_SESSION_DESCRIPTION,
                "Unsupported session description",
            )));
            return self.finish(now, Ended::of(Cause::NotAcceptable));
        }
        self.state = State::Established;
        self.timer.handle_success(now, response);
        self.event(Event::Answered { fork: fork.id });
        self.look_at_hold(false);
    }

    fn failure(&mut self, now: Instant, status: u16, response: &Message) {
        let over = self.is_over();
        let Some(calling) = self.calling.as_mut().filter(|calling| calling.waits) else {
            return;
        };
        let plain = status == 415 && calling.multipart;
        let again = !over && (plain || (status == 422 && self.timer.handle_422(response)));
        if again && self.call_again(plain).is_ok() {
            return;
        }
        if let Some(calling) = &mut self.calling {
            calling.waits = false;
            calling.give_up = None;
        }
        let cause = match status {
            408 => Cause::NoAnswer,
            _ => Cause::Refused,
        };
        self.finish(
            now,
            Ended {
                status: Some(status),
                reason: Some(phrase(response)).filter(|phrase| !phrase.is_empty()),
                diagnostics: diagnostics(response),
                ..Ended::of(cause)
            },
        );
    }

    /// Sends the INVITE once more, with what its refusal asked for; `plain`: with one form of the offer.
    fn call_again(&mut self, plain: bool) -> Result<(), Error> {
        let request = self.new_request_id();
        let Some(calling) = &mut self.calling else {
            return Err(Error::state("calling again"));
        };
        let mut invite = calling.set.invite().clone();
        let number = invite.cseq()?.number.saturating_add(1);
        invite.set(HeaderName::CSeq, &format!("{number} INVITE"));
        self.timer.prepare_request(&mut invite);
        if plain {
            calling.offered.abandon();
            body::put_offer(&mut invite, &mut calling.offered, &[], &mut self.rng)?;
            calling.multipart = false;
        }
        let limit = self.config.limits.forks;
        calling.set = DialogSet::new(invite.clone()).with_max_forks(limit);
        calling.request = request;
        let gone: Vec<ForkId> = calling.forks.drain(..).map(|fork| fork.id).collect();
        for fork in gone {
            self.event(Event::ForkEnded { fork });
        }
        self.state = State::Calling;
        self.actions.push_back(Action::Request {
            id: request,
            message: invite,
        });
        Ok(())
    }
}
