//! Answers to our requests.

use std::time::Instant;

use ocs_sip_core::dialog::{Dialog, DialogId, ForkOutcome};
use ocs_sip_core::transaction::ClientId;
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipre::im::RequestId;

use crate::agent::UserAgent;
use crate::agent::sending::Purpose;

impl UserAgent {
    pub(in crate::agent) fn session_response(
        &mut self,
        now: Instant,
        with: &Aor,
        serial: u64,
        request: RequestId,
        response: &Message,
    ) {
        let found = self.conversations.get_mut(with);
        let Some(conversation) = found.filter(|conversation| conversation.serial == serial) else {
            self.end_stray_dialog(now, response);
            return;
        };
        if conversation.invite.is_none_or(|(id, _)| id != request) {
            if let Some(dialog) = &mut conversation.dialog {
                // A response of another dialog has nothing to say about this one.
                let _ = dialog.handle_response(response);
            }
            conversation.session.handle_response(now, request, response);
            return;
        }
        let Some(set) = &mut conversation.set else {
            return;
        };
        match set.handle_response(now, response) {
            Ok(ForkOutcome::Confirmed { id, first: true }) => {
                let ack = set.ack(&id);
                conversation.dialog = set.take(&id);
                if let Some(ack) = ack {
                    self.send_ack(ack);
                }
                if let Some(conversation) = self.conversations.get_mut(with) {
                    conversation.session.handle_response(now, request, response);
                }
            }
            Ok(ForkOutcome::Confirmed { id, .. }) => {
                let ack = set.ack(&id);
                let extra = set.take(&id);
                self.end_dialog(now, ack, extra);
            }
            Ok(ForkOutcome::Repeated(_) | ForkOutcome::TooMany) | Err(_) => {
                self.end_stray_dialog(now, response);
            }
            Ok(_) => conversation.session.handle_response(now, request, response),
        }
    }

    /// One more 2xx to an INVITE that has its answer: of another fork, or of a call that was given up.
    pub(in crate::agent) fn late_answer(&mut self, now: Instant, id: ClientId, response: &Message) {
        if self.late_answer_of_call(now, id, response) {
            return;
        }
        let found = self
            .conversations
            .iter()
            .find(|(_, conversation)| conversation.called_with(response))
            .and_then(|(with, conversation)| {
                Some((with.clone(), conversation.serial, conversation.invite?.0))
            });
        match found {
            Some((with, serial, request)) => {
                self.session_response(now, &with, serial, request, response);
            }
            None => self.end_stray_dialog(now, response),
        }
    }

    /// A 2xx for a conversation that is over: acknowledge it and say goodbye.
    pub(in crate::agent) fn end_stray_dialog(&mut self, now: Instant, response: &Message) {
        let answered = response
            .status()
            .is_some_and(|status| (200..300).contains(&status));
        let Some(id) = DialogId::of_response(response).filter(|_| answered) else {
            return;
        };
        // The INVITE itself is gone; From and To of the answer are all that an ACK needs of it.
        let Ok(cseq) = response.cseq() else {
            return;
        };
        if cseq.method_text != "INVITE" {
            return;
        }
        let mut invite = Message::request(Method::Invite, "sip:invalid.invalid");
        for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
            invite.push(name, response.header(name).unwrap_or_default());
        }
        let number = cseq.number;
        if let Ok(dialog) = Dialog::uac(&invite, response)
            && *dialog.id() == id
        {
            let ack = dialog.ack_for_2xx(number);
            self.end_dialog(now, Some(ack), Some(dialog));
        }
    }

    fn end_dialog(&mut self, now: Instant, ack: Option<Message>, dialog: Option<Dialog>) {
        if let Some(ack) = ack {
            self.send_ack(ack);
        }
        if let Some(mut dialog) = dialog {
            let bye = dialog.request(Method::Bye);
            self.send_request(now, bye, Purpose::Parting);
        }
    }

    pub(in crate::agent) fn session_no_response(
        &mut self,
        now: Instant,
        with: &Aor,
        serial: u64,
        request: RequestId,
    ) {
        if let Some(conversation) = self.conversations.get_mut(with)
            && conversation.serial == serial
        {
            conversation.session.handle_no_response(now, request);
        }
    }
}
