//! The peer's requests.

use std::time::Instant;

use bytes::Bytes;
use ocs_sip_core::header::{ContentType, NameAddr};
use ocs_sip_core::{HeaderName, Message, Method};

use super::{Action, Config, Ended, Event, ImSession, State, TEXT_FORMAT_TAG, TransactionId};
use crate::im::{
    CONVERSATION_INFO_TYPE, IMDN_TYPE, IS_COMPOSING_TYPE, ImSdp, Imdn, KEYBOARD_TYPE, Reply,
    SDP_TYPE, Text, TextKind, Typing, read_conversation_info, read_is_composing,
    read_keyboard_activity,
};
use crate::{Refusal, headers};

/// What a session takes, for OPTIONS and 501.
const ALLOW: &str = "INVITE, MESSAGE, INFO, OPTIONS, BYE, CANCEL, NOTIFY, ACK, BENOTIFY, UPDATE";

impl ImSession {
    /// A peer's INVITE with an IM description starts a session. [`Event::Invited`] is the first event.
    ///
    /// Refused are a body that is not a description (415) and one without IM media (488).
    pub fn incoming(
        now: Instant,
        config: Config,
        transaction: TransactionId,
        invite: &Message,
    ) -> Result<Self, Refusal> {
        let content_type = invite
            .content_type()
            .map_err(|_| Refusal::new(400, "malformed Content-Type"))?;
        if content_type.is_some_and(|content_type| !content_type.is(SDP_TYPE)) {
            return Err(Refusal::new(415, "INVITE without session description"));
        }
        let offer = ImSdp::parse(invite.body(), &config.limits)
            .ok()
            .filter(|offer| offer.port != 0)
            .ok_or(Refusal::new(488, "no IM media in the offer"))?;
        let mut session = Self::new(config, State::Offered);
        session.offered = Some(transaction);
        session.auto_accept_at = session.config.auto_accept.map(|after| now + after);
        session.peer = Some(offer);
        // A first text that cannot be read is no reason to refuse: it comes again as MESSAGE.
        session.preview = invite
            .header(HeaderName::MsTextFormat)
            .and_then(|value| Text::from_first_message(value, &session.config.limits).ok());
        session.events.push_back(Event::Invited {
            preview: session.preview.clone(),
            subject: invite.header(HeaderName::Subject).map(String::from),
            conversation_id: headers::conversation_id(invite).map(String::from),
        });
        Ok(session)
    }

    /// Tells the caller that the user is asked: 180. Nothing happens when the session does not wait for an answer.
    pub fn ring(&mut self) {
        if let Some(transaction) = self.offered {
            self.reply(transaction, 180);
        }
    }

    /// Accepts the session that the peer offers: 200. Texts go out after the ACK.
    pub fn accept(&mut self, now: Instant) {
        let Some(transaction) = self.offered.take() else {
            return;
        };
        self.auto_accept_at = None;
        self.state = State::Accepted;
        self.ack_until = Some(now + self.config.ack_timeout);
        let consumed = self.preview.take().filter(|_| self.config.consume_first);
        let mut headers = Vec::new();
        if consumed.is_some() {
            headers.push((HeaderName::Supported, TEXT_FORMAT_TAG.to_owned()));
        }
        self.respond_with_sdp(transaction, headers);
        self.events.push_back(Event::Established);
        if let Some(text) = consumed {
            self.events.push_back(Event::Text {
                text,
                alternatives: Vec::new(),
                sender: None,
            });
        }
    }

    /// Refuses the session that the peer offers: 480 or 486 for this endpoint, 603 for all.
    pub fn decline(&mut self, status: u16) {
        if let Some(transaction) = self.offered.take() {
            self.reply(transaction, status);
            self.finish(Ended::Local);
        }
    }

    /// The peer's CANCEL of the INVITE that was not answered yet: 487. The caller answers the CANCEL itself with 200.
    pub fn handle_cancel(&mut self) {
        if let Some(transaction) = self.offered.take() {
            self.reply(transaction, 487);
            self.finish(Ended::Cancelled);
        }
    }

    pub(super) fn accept_if_offered(&mut self, now: Instant) {
        if self.state == State::Offered {
            self.accept(now);
        }
    }

    fn respond_with_sdp(&mut self, transaction: TransactionId, headers: Vec<(HeaderName, String)>) {
        let answer = self.config.sdp.clone().with_target(&self.config.local_uri);
        self.actions.push_back(Action::Respond(Reply {
            transaction,
            status: 200,
            headers,
            content: Some((SDP_TYPE.to_owned(), Bytes::from(answer.to_string()))),
        }));
    }

    /// A request of the peer in the dialog, ACK and BENOTIFY included. Every other request gets exactly one [`Action::Respond`].
    pub fn handle_request(&mut self, now: Instant, transaction: TransactionId, request: &Message) {
        let Some(method) = request.method() else {
            return;
        };
        if self.state == State::Ended {
            if method.is_answered() {
                self.reply(transaction, 481);
            }
            return;
        }
        if self.state == State::Accepted && *method != Method::Bye {
            // The ACK, or a request that overtook it.
            self.state = State::Active;
            self.ack_until = None;
            self.flush(now);
        }
        match method {
            Method::Ack => {}
            Method::Message => self.message(now, transaction, request),
            Method::Info => {
                let status = self.info(now, request);
                self.reply(transaction, status);
            }
            Method::Bye => {
                self.reply(transaction, 200);
                self.finish(Ended::Remote);
            }
            Method::Invite => self.respond_with_sdp(transaction, Vec::new()),
            Method::Notify | Method::Benotify => {
                let status = self.notice(request);
                if *method == Method::Notify {
                    self.reply(transaction, status);
                }
            }
            Method::Update | Method::Prack => self.reply(transaction, 200),
            _ => {
                let status = if *method == Method::Options { 200 } else { 501 };
                self.actions.push_back(Action::Respond(Reply {
                    transaction,
                    status,
                    headers: vec![(HeaderName::Allow, ALLOW.to_owned())],
                    content: None,
                }));
            }
        }
    }

    fn message(&mut self, now: Instant, transaction: TransactionId, request: &Message) {
        let status = self.message_status(now, request);
        let mut headers = Vec::new();
        if status == 415 {
            headers.push((HeaderName::Accept, self.config.sdp.accept_types.join(", ")));
        }
        if let Some(id) = request.header(HeaderName::MessageId) {
            // A conferencing server may look for its id in the answer.
            headers.push((HeaderName::MessageId, id.to_owned()));
        }
        self.actions.push_back(Action::Respond(Reply {
            transaction,
            status,
            headers,
            content: None,
        }));
    }

    fn message_status(&mut self, now: Instant, request: &Message) -> u16 {
        let limits = self.config.limits;
        let Ok(content_type) = request.content_type() else {
            return 400;
        };
        // MESSAGE without Content-Type holds nothing, or a plain text (RFC 2045 5.2).
        let plain = ContentType {
            essence: TextKind::Plain.as_str(),
            params: ocs_sip_core::params::Params::default(),
        };
        let content_type = content_type.unwrap_or(plain);
        if content_type.is(IS_COMPOSING_TYPE) {
            return self.typing_status(now, read_is_composing(request.body(), limits.xml));
        }
        if content_type.is(IMDN_TYPE) {
            return self.notice(request);
        }
        if request.body().len() > limits.text {
            return 413;
        }
        let mut texts = Text::from_body(&content_type, request.body(), &limits);
        // Plain before HTML before RTF; `kind` is declared in that order of simplicity.
        let simplest = (0..texts.len()).min_by_key(|&at| match texts[at].kind {
            TextKind::Plain => 0,
            TextKind::Html => 1,
            TextKind::Rtf => 2,
        });
        let Some(simplest) = simplest else {
            return 415;
        };
        let text = texts.remove(simplest);
        let sender = request
            .header(HeaderName::MsSender)
            .and_then(|value| NameAddr::parse(value).ok())
            .map(|sender| sender.uri_text().to_owned());
        self.peer_idle();
        self.events.push_back(Event::Text {
            text,
            alternatives: texts,
            sender,
        });
        200
    }

    fn info(&mut self, now: Instant, request: &Message) -> u16 {
        let limit = self.config.limits.xml;
        match request.content_type() {
            Ok(Some(content_type)) if content_type.is(KEYBOARD_TYPE) => {
                self.typing_status(now, read_keyboard_activity(request.body(), limit))
            }
            Ok(Some(content_type)) if content_type.is(IS_COMPOSING_TYPE) => {
                self.typing_status(now, read_is_composing(request.body(), limit))
            }
            Ok(Some(content_type)) if content_type.is(CONVERSATION_INFO_TYPE) => {
                match read_conversation_info(request.body(), limit) {
                    Ok(subject) => {
                        self.events.push_back(Event::Topic(subject));
                        200
                    }
                    Err(_) => 400,
                }
            }
            // An INFO without body is a probe of the dialog.
            Ok(None) if request.body().is_empty() => 200,
            Ok(_) => 415,
            Err(_) => 400,
        }
    }

    fn typing_status(&mut self, now: Instant, typing: Result<Typing, crate::Error>) -> u16 {
        match typing {
            Ok(Typing::Type) => {
                if self.peer_typing_until.is_none() {
                    self.events.push_back(Event::Typing(Typing::Type));
                }
                self.peer_typing_until = Some(now + self.config.peer_typing_timeout);
                200
            }
            Ok(Typing::Idle) => {
                self.peer_idle();
                200
            }
            Err(_) => 400,
        }
    }

    pub(super) fn peer_idle(&mut self) {
        if self.peer_typing_until.take().is_some() {
            self.events.push_back(Event::Typing(Typing::Idle));
        }
    }

    fn notice(&mut self, request: &Message) -> u16 {
        match request.content_type() {
            Ok(Some(content_type)) if content_type.is(IMDN_TYPE) => {}
            Ok(_) => return 415,
            Err(_) => return 400,
        }
        let Ok(imdn) = Imdn::parse(request.body(), &self.config.limits) else {
            return 400;
        };
        let id = imdn
            .message_id
            .as_deref()
            .or(request.header(HeaderName::MessageId));
        let at = self
            .accepted
            .iter()
            .position(|(message_id, _)| Some(&**message_id) == id);
        let text = at
            .and_then(|at| self.accepted.remove(at))
            .map(|(_, text)| text);
        self.events.push_back(Event::Notice {
            text,
            recipients: imdn.recipients,
        });
        200
    }
}
