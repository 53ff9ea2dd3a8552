//! Requests and responses on their way out: Via, signature, transaction.

use std::time::Instant;

use ocs_call::RequestId as CallRequest;
use ocs_sip_core::transaction::{ClientId, Event as Transaction, Flow, ServerId};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipae::client::Next;
use ocs_sipre::im::RequestId;
use ocs_sipre::via;

use super::services::Job;
use super::signing_in::Credentials;
use super::subscriptions::Topic;
use super::{CallId, UserAgent};

/// Whose request a transaction carries.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Register,
    Session {
        with: Aor,
        /// Which one with this user.
        conversation: u64,
        request: RequestId,
    },
    Call {
        call: CallId,
        request: CallRequest,
    },
    Subscription {
        topic: Topic,
        /// Which one of this topic.
        serial: u64,
    },
    Service(Job),
    /// An ending that nobody waits for.
    Parting,
}

/// A request that is out.
#[derive(Debug)]
pub(super) struct Pending {
    purpose: Purpose,
    /// The request as it was before Via and signature, for signing it again. REGISTER has its own ways, and an ending is not worth it.
    message: Option<Message>,
}

impl UserAgent {
    /// A request outside all dialogs, to be sent by [`send_request`](Self::send_request).
    pub(super) fn new_request(&mut self, method: Method, target: &str) -> Message {
        let (tag, call_id) = (self.hex(5), self.hex(16));
        let aor = self.config.aor.to_uri();
        let cseq = format!("1 {method}");
        Message::request(method, target)
            .with(
                HeaderName::From,
                &format!("<{aor}>;tag={tag};epid={}", self.config.epid),
            )
            .with(HeaderName::To, &format!("<{target}>"))
            .with(HeaderName::CallId, &call_id)
            .with(HeaderName::CSeq, &cseq)
            .with(HeaderName::MaxForwards, "70")
    }

    /// The Contact of dialogs: the GRUU, else the connection with `proxy=replace` (\[MS-SIPREGE\]).
    pub(super) fn contact(&self) -> String {
        match (&self.gruu, &self.link) {
            (Some(gruu), _) => format!("<{gruu}>"),
            (None, Some(link)) => format!(
                "<sip:{}:{};maddr={};transport={}>;proxy=replace",
                self.config.aor,
                link.local.port(),
                link.local.ip(),
                link.transport.as_param()
            ),
            (None, None) => format!("<{}>", self.config.aor.to_uri()),
        }
    }

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
        self.start(now, request, Purpose::Register, None);
    }

    /// Sends a request, signed. Gives its transaction.
    pub(super) fn send_request(
        &mut self,
        now: Instant,
        mut message: Message,
        purpose: Purpose,
    ) -> Option<ClientId> {
        let kept = (!matches!(purpose, Purpose::Parting)).then(|| message.clone());
        self.push_via(&mut message);
        let _ = self.authentication.sign(&mut message);
        self.start(now, message, purpose, kept)
    }

    fn start(
        &mut self,
        now: Instant,
        message: Message,
        purpose: Purpose,
        kept: Option<Message>,
    ) -> Option<ClientId> {
        let flow = Flow::Stream(self.link.as_ref()?.id);
        let id = self.layer.request(now, flow, message).ok()?;
        let pending = Pending {
            purpose,
            message: kept,
        };
        self.pending.insert(id, pending);
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
            Transaction::Response { id, message } => self.handle_response(now, id, message),
            Transaction::Timeout { id } => {
                if let Some(pending) = self.pending.remove(&id) {
                    self.handle_no_response(now, pending.purpose);
                }
            }
            Transaction::FlowFailed { id } => match self.pending.remove(&id) {
                Some(Pending {
                    purpose: Purpose::Call { call, request },
                    ..
                }) => self.call_lost(now, call, request),
                Some(pending) => self.handle_no_response(now, pending.purpose),
                None => {}
            },
            Transaction::Request { id, message, .. } => self.handle_request(now, id, message),
            Transaction::Ack { message, .. } => self.handle_ack(now, &message),
            Transaction::Cancel { target, message } => self.handle_cancel(now, target, &message),
            Transaction::Benotify { message, .. } => match self.subscription_of(&message) {
                Some(topic) => {
                    self.handle_notification(now, &topic, message);
                }
                // What belongs to no subscription has no effect and no answer.
                None => self.dropped += 1,
            },
            _ => {}
        }
    }

    fn handle_no_response(&mut self, now: Instant, purpose: Purpose) {
        match purpose {
            Purpose::Session {
                with,
                conversation,
                request,
            } => self.session_no_response(now, &with, conversation, request),
            Purpose::Call { call, request } => self.call_no_response(now, call, request),
            Purpose::Subscription { topic, serial } => {
                self.subscription_no_response(&topic, serial);
            }
            Purpose::Service(job) => self.service_answered(now, job, None),
            Purpose::Register if self.link.is_some() => self.close_broken(now),
            Purpose::Register | Purpose::Parting => {}
        }
    }

    fn handle_response(&mut self, now: Instant, id: ClientId, response: Message) {
        let is_final = response.status().is_some_and(|status| status >= 200);
        let Some(pending) = self.pending.get_mut(&id) else {
            // Further 2xx of a forked INVITE come under the same transaction.
            if response.status() == Some(200) {
                self.late_answer(now, id, &response);
            }
            return;
        };
        let purpose = pending.purpose.clone();
        if is_final {
            let kept = pending.message.take();
            self.pending.remove(&id);
            if let Some(message) = kept
                && self.resigned(now, &purpose, message, &response)
            {
                return;
            }
        }
        match purpose {
            Purpose::Register => {
                if let Some(registration) = &mut self.registration {
                    registration.handle_response(now, &response);
                }
            }
            Purpose::Session {
                with,
                conversation,
                request,
            } => self.session_response(now, &with, conversation, request, &response),
            Purpose::Call { call, request } => self.call_response(now, call, request, &response),
            Purpose::Subscription { topic, serial } => {
                self.subscription_response(now, &topic, serial, response);
            }
            Purpose::Service(job) if is_final => {
                self.service_answered(now, job, Some(&response));
            }
            Purpose::Service(_) | Purpose::Parting => {}
        }
    }

    /// A challenge to a signed request: sends it once more with a new signature and the same CSeq (\[MS-SIPAE\] 3.2.5). A server that
    /// does not take that either has forgotten the association: it is made anew.
    fn resigned(
        &mut self,
        now: Instant,
        purpose: &Purpose,
        message: Message,
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
        let id = self.send_request(now, message, purpose.clone());
        let Some(id) = id else {
            return false;
        };
        match purpose {
            Purpose::Session { with, request, .. } => {
                if let Some(conversation) = self.conversations.get_mut(with) {
                    conversation.moved(*request, id);
                }
            }
            Purpose::Call { call, request } => self.calls.moved(*call, *request, id),
            _ => {}
        }
        true
    }
}
