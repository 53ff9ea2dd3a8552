//! Requests of the peer in the dialogs of the call.

use std::time::Instant;

use ocs_sip_core::dialog::Incoming;
use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::CryptoRng;

use super::Call;
use crate::headers::ALLOW;
use crate::{Event, Refusal, State, TransactionId};

impl<R: CryptoRng> Call<R> {
    /// A request of the peer in one of the dialogs, ACK and BENOTIFY included; see [`matches`](Self::matches). Every other request gets a
    /// final response, an INVITE or UPDATE with an offer after [`answer`](Self::answer), a REFER after the application has decided.
    /// A CANCEL goes to [`handle_cancel`](Self::handle_cancel).
    pub fn handle_request(&mut self, now: Instant, id: TransactionId, request: &Message) {
        let Some(method) = request.method() else {
            return;
        };
        match (method, &self.leg) {
            (Method::Cancel, _) => {}
            (Method::Ack, _) => self.handle_ack(request),
            (_, Some(leg)) if leg.dialog.matches(request) => self.in_call(now, id, request),
            _ => self.in_fork(id, request),
        }
        self.advance();
        self.settle();
    }

    /// A request in the dialog of the call.
    fn in_call(&mut self, now: Instant, id: TransactionId, request: &Message) {
        let over = self.is_over();
        let (Some(method), Some(leg)) = (request.method(), &mut self.leg) else {
            return;
        };
        if over {
            let status = match (method, self.state) {
                (Method::Bye, State::Ending) => 200,
                _ => 481,
            };
            return self.reply(id, request, status);
        }
        match leg.dialog.handle_request(request) {
            Ok(Incoming::Accepted) => {}
            Ok(Incoming::OutOfOrder) => return self.reply(id, request, 500),
            Err(_) => return self.reply(id, request, 400),
        }
        if *method == Method::Invite
            && let Some(awaited) = self.unacknowledged.take()
        {
            // Whoever sends the next one has our 2xx: its ACK was lost or overtaken.
            self.acknowledged(&awaited);
        }
        match method {
            Method::Bye => {
                self.reply(id, request, 200);
                self.refuse_invite(&Refusal::new(487));
                self.handle_bye(now, request);
            }
            Method::Invite | Method::Update => self.handle_offer(now, id, request),
            Method::Prack => {
                let status = match &mut self.called {
                    Some(called) => called.sender.handle_prack(now, request),
                    None => 481,
                };
                self.reply(id, request, status);
                self.accept_if_acknowledged(now);
            }
            Method::Info if request.body().is_empty() => self.reply(id, request, 200),
            Method::Info => self.refuse(id, request, &Refusal::new(415)),
            Method::Options => self.options(id, request),
            Method::Refer => self.referred(id, request),
            Method::Notify | Method::Benotify => {
                let status = self.notified(request);
                self.reply(id, request, status);
            }
            _ => {
                let refusal = Refusal::new(405).with(HeaderName::Allow, ALLOW);
                self.refuse(id, request, &refusal);
            }
        }
    }

    /// A request in a dialog that is not, or not yet, the call.
    fn in_fork(&mut self, id: TransactionId, request: &Message) {
        let over = self.is_over();
        let Some(dialog) = self
            .calling
            .as_mut()
            .and_then(|calling| calling.dialog_of_request(request))
        else {
            return self.reply(id, request, 481);
        };
        let status = match (dialog.handle_request(request), request.method()) {
            (Err(_), _) => 400,
            (Ok(Incoming::OutOfOrder), _) => 500,
            (_, Some(Method::Bye)) => {
                let gone = self
                    .calling
                    .as_mut()
                    .and_then(|calling| calling.drop_fork(request));
                if let Some(fork) = gone.filter(|_| !over) {
                    self.event(Event::ForkEnded { fork });
                }
                200
            }
            (_, Some(Method::Options)) => return self.options(id, request),
            // A second offer before the call is answered is none (\[MS-SDPEXT\] 3.1.5.13).
            (_, Some(Method::Update)) if !request.body().is_empty() => 491,
            (_, Some(Method::Update | Method::Info)) => 200,
            _ => 481,
        };
        self.reply(id, request, status);
    }

    fn options(&mut self, id: TransactionId, request: &Message) {
        let mut response = Message::response_to(request, 200, None);
        self.config.put_capabilities(&mut response, false);
        self.respond(id, response);
    }
}

impl<R> Call<R> {
    fn reply(&mut self, id: TransactionId, request: &Message, status: u16) {
        self.refuse(id, request, &Refusal::new(status));
    }

    /// The response to a request of a dialog, which has its tags.
    pub(super) fn refuse(&mut self, id: TransactionId, request: &Message, refusal: &Refusal) {
        if !request.method().is_some_and(Method::is_answered) {
            return;
        }
        let mut response = Message::response_to(request, refusal.status, None);
        refusal.apply(&mut response);
        self.config.put_user_agent(&mut response);
        self.respond(id, response);
    }
}
