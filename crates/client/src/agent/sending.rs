//! Requests and responses on their way out: Via, signature, transaction.

use std::time::Instant;

use ocs_sip_core::transaction::{Event as Transaction, Flow, ServerId};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipae::client::Next;
use ocs_sipre::im::RequestId;
use ocs_sipre::via;

use super::UserAgent;
use super::signing_in::Credentials;

/// Whose request a transaction carries.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Register,
    Session {
        with: Aor,
        /// Which one with this user.
        conversation: u64,
        request: RequestId,
        /// For sending it again with a new signature.
        message: Box<Message>,
    },
    /// An ending that nobody waits for.
    Parting,
}

impl UserAgent {
    fn push_via(&mut self, message: &mut Message) {
        let branch = via::new_branch(&mut self.rng);
        if let Some(link) = &self.link {
            let value = format!(
                "SIP/2.0/{} {};branch={branch}",
                link.transport,
                link.sent_by()
            );
            message.push_front(HeaderName::Via, &value);
        }
    }

    pub(super) fn send_register(&mut self, now: Instant, mut request: Message) {
        self.push_via(&mut request);
        let credentials = std::mem::replace(&mut self.credentials, Credentials::Signature);
        // Without an association yet, or any more, the REGISTER goes bare and is challenged.
        let _ = match credentials {
            Credentials::None => Ok(()),
            Credentials::Handshake => self.authentication.authorize(&mut request),
            Credentials::Signature => self.authentication.sign(&mut request),
        };
        self.start(now, request, Purpose::Register);
    }

    /// Sends a request of a conversation, signed. Gives its transaction.
    pub(super) fn send_request(
        &mut self,
        now: Instant,
        mut message: Message,
        purpose: Purpose,
    ) -> Option<ocs_sip_core::transaction::ClientId> {
        self.push_via(&mut message);
        let _ = self.authentication.sign(&mut message);
        self.start(now, message, purpose)
    }

    fn start(
        &mut self,
        now: Instant,
        message: Message,
        purpose: Purpose,
    ) -> Option<ocs_sip_core::transaction::ClientId> {
        let flow = Flow::Stream(self.link.as_ref()?.id);
        let id = self.layer.request(now, flow, message).ok()?;
        self.purposes.insert(id, purpose);
        Some(id)
    }

    /// Sends an ACK of a 2xx: outside all transactions.
    pub(super) fn send_ack(&mut self, mut ack: Message) {
        self.push_via(&mut ack);
        if let Some(link) = &self.link {
            self.layer.send(Flow::Stream(link.id), ack);
        }
    }

    pub(super) fn respond(&mut self, now: Instant, id: ServerId, response: Message) {
        // The transaction is gone when its connection is: there is nobody to answer.
        let _ = self.layer.respond(now, id, response);
    }

    /// For answers to what is no message.
    pub(super) fn send_unsigned(&mut self, now: Instant, message: &Message) {
        if let Some(link) = &mut self.link {
            link.send(now, message);
        }
    }

    pub(super) fn drive_transactions(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(event) = self.layer.poll_event() {
            busy = true;
            self.handle_transaction(now, event);
        }
        while let Some(transmit) = self.layer.poll_transmit() {
            busy = true;
            let mut message = transmit.message;
            // REGISTER has its credentials, or is meant to have none; everything else is signed, also what
            // the transactions make themselves (ACK, CANCEL).
            let register = message.method() == Some(&Method::Register);
            if !register && message.header(HeaderName::Authorization).is_none() {
                let _ = self.authentication.sign(&mut message);
            }
            if let Some(link) = &mut self.link {
                link.send(now, &message);
            }
        }
        busy
    }

    fn handle_transaction(&mut self, now: Instant, event: Transaction) {
        match event {
            Transaction::Response { id, message } => {
                let purpose = if message.status().is_some_and(|status| status >= 200) {
                    self.purposes.remove(&id)
                } else {
                    self.purposes.get(&id).cloned()
                };
                self.handle_response(now, purpose, &message);
            }
            Transaction::Timeout { id } | Transaction::FlowFailed { id } => {
                match self.purposes.remove(&id) {
                    Some(Purpose::Session {
                        with,
                        conversation,
                        request,
                        ..
                    }) => {
                        self.session_no_response(now, &with, conversation, request);
                    }
                    Some(Purpose::Register) if self.link.is_some() => self.close_broken(now),
                    _ => {}
                }
            }
            Transaction::Request { id, message, .. } => self.handle_request(now, id, &message),
            Transaction::Ack { message, .. } => self.handle_ack(now, &message),
            Transaction::Cancel { target, message } => self.handle_cancel(target, &message),
            // BENOTIFY belongs to subscriptions, of which there are none yet.
            _ => {}
        }
    }

    fn handle_response(&mut self, now: Instant, purpose: Option<Purpose>, response: &Message) {
        match purpose {
            Some(Purpose::Register) => {
                if let Some(registration) = &mut self.registration {
                    registration.handle_response(now, response);
                }
            }
            Some(Purpose::Session {
                with,
                conversation,
                request,
                message: sent,
            }) => {
                if !self.resigned(now, &with, conversation, request, &sent, response) {
                    self.session_response(now, &with, conversation, request, response);
                }
            }
            // Further 2xx of a forked INVITE come under the same transaction.
            None if response.status() == Some(200) => self.late_answer(now, response),
            Some(Purpose::Parting) | None => {}
        }
    }

    /// A challenge to a signed request: sends it once more with a new signature and the same CSeq (\[MS-SIPAE\] 3.2.5). A server that
    /// does not take that either has forgotten the association: it is made anew.
    fn resigned(
        &mut self,
        now: Instant,
        with: &Aor,
        conversation: u64,
        request: RequestId,
        sent: &Message,
        response: &Message,
    ) -> bool {
        if !matches!(response.status(), Some(401 | 407)) {
            return false;
        }
        match self.authentication.on_challenge(now, response) {
            Next::Resign => {}
            Next::Resend | Next::Failed(_) => {
                self.authenticate_anew(now);
                return false;
            }
        }
        let purpose = Purpose::Session {
            with: with.clone(),
            conversation,
            request,
            message: Box::new(sent.clone()),
        };
        let id = self.send_request(now, sent.clone(), purpose);
        if let (Some(id), Some(conversation)) = (id, self.conversations.get_mut(with)) {
            conversation.moved(request, id);
        }
        id.is_some()
    }
}
