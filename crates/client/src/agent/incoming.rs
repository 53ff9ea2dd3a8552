//! Messages of the server: verified, matched, answered.

use std::time::Instant;

use ocs_sip_core::admit::{Capabilities, admit};
use ocs_sip_core::transaction::{Flow, ServerId};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipae::client::Verdict;

use super::UserAgent;
use crate::Config;

/// What a user agent takes, for Allow.
const ALLOW: &str =
    "INVITE, MESSAGE, INFO, OPTIONS, BYE, CANCEL, NOTIFY, ACK, BENOTIFY, UPDATE, PRACK, REFER";

/// What a user agent understands. Notifications about several users demand `eventlist`; what calls demand is theirs.
pub(super) fn capabilities(config: &Config) -> Capabilities {
    let tags = config.calls.call.option_tags();
    Capabilities {
        extensions: core::iter::once("eventlist")
            .chain(tags)
            .map(str::to_owned)
            .collect(),
        ..Capabilities::default()
    }
}

impl UserAgent {
    pub(super) fn handle_message(&mut self, now: Instant, message: Message) {
        if let Verdict::Discard(_) = self.authentication.verify(now, &message) {
            self.dropped += 1;
            return;
        }
        let negotiates = !message.is_request()
            && message
                .cseq()
                .is_ok_and(|cseq| cseq.method_text == ocs_sipcomp::METHOD);
        if negotiates {
            if let (Some(link), Some(status)) = (&mut self.link, message.status()) {
                let compression = message.header(HeaderName::Compression);
                let _ = link.initiator.handle_response(status, compression);
            }
            return;
        }
        if let Err(refusal) = admit(&message, &self.capabilities) {
            match refusal.response(&message, None) {
                Some(mut response) => {
                    let _ = self.authentication.sign(&mut response);
                    self.send_unsigned(now, &response);
                }
                None => self.dropped += 1,
            }
            return;
        }
        let Some(link) = &self.link else {
            return;
        };
        let flow = Flow::Stream(link.id);
        if self.layer.handle_message(now, flow, message).is_err() {
            self.dropped += 1;
        }
        self.drive_transactions(now);
    }

    pub(super) fn handle_request(&mut self, now: Instant, id: ServerId, request: Message) {
        if request.method() == Some(&Method::Notify)
            && let Some(topic) = self.subscription_of(&request)
        {
            if let Some(answer) = self.handle_notification(now, &topic, request) {
                self.respond(now, id, answer);
            }
            return;
        }
        let request = &request;
        if let Some(answer) = self
            .registration
            .as_mut()
            .and_then(|registration| registration.handle_notify(request))
        {
            self.respond(now, id, answer);
            return;
        }
        let in_dialog = request.to_header().is_ok_and(|to| to.tag().is_some());
        if in_dialog {
            self.handle_in_dialog(now, id, request);
            return;
        }
        match request.method() {
            Some(Method::Invite) => self.handle_invite(now, id, request),
            Some(Method::Options) => {
                let tag = self.hex(5);
                let response =
                    Message::response_to(request, 200, Some(&tag)).with(HeaderName::Allow, ALLOW);
                self.respond(now, id, response);
            }
            Some(Method::Message | Method::Info | Method::Notify | Method::Bye) => {
                self.refuse(now, id, request, 481);
            }
            _ => {
                let tag = self.hex(5);
                let response =
                    Message::response_to(request, 405, Some(&tag)).with(HeaderName::Allow, ALLOW);
                self.respond(now, id, response);
            }
        }
    }

    pub(super) fn refuse(&mut self, now: Instant, id: ServerId, request: &Message, status: u16) {
        let tag = self.hex(5);
        let response = Message::response_to(request, status, Some(&tag));
        self.respond(now, id, response);
    }
}
