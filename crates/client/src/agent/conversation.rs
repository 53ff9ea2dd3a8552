//! Conversations: an IM session over a dialog with each user.

use std::collections::HashMap;
use std::time::Instant;

use ocs_sip_core::dialog::{Dialog, DialogId, DialogSet, ForkOutcome, Incoming};
use ocs_sip_core::transaction::{ClientId, ServerId};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_sipae::identity;
use ocs_sipre::headers::new_conversation_id;
use ocs_sipre::im::{
    self, Action, Config as ImConfig, Ended, Event as Im, ImSdp, ImSession, Meaning, Reply,
    RequestId, SessionRequest, Text, TransactionId, Typing,
};

use super::sending::Purpose;
use super::{Error, UserAgent};
use crate::{Event, TextId};

/// A session and the dialog under it.
#[derive(Debug)]
pub(super) struct Conversation {
    session: ImSession,
    /// Our INVITE and the dialogs that its branches make, until one is chosen.
    set: Option<DialogSet>,
    dialog: Option<Dialog>,
    /// Our INVITE's request id, to tell its answers from others.
    invite: Option<RequestId>,
    clients: HashMap<RequestId, ClientId>,
    /// Requests of the peer that wait for an answer.
    servers: HashMap<TransactionId, (ServerId, Message)>,
    /// The peer's INVITE while it waits.
    offered: Option<ServerId>,
    elsewhere: bool,
}

impl Conversation {
    fn new(session: ImSession) -> Self {
        Self {
            session,
            set: None,
            dialog: None,
            invite: None,
            clients: HashMap::new(),
            servers: HashMap::new(),
            offered: None,
            elsewhere: false,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        if let Some(set) = &mut self.set {
            set.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let set = self.set.as_ref().and_then(DialogSet::poll_timeout);
        self.session.poll_timeout().into_iter().chain(set).min()
    }

    /// A request went out again under another transaction.
    pub(super) fn moved(&mut self, request: RequestId, client: ClientId) {
        self.clients.insert(request, client);
    }

    fn matches(&self, request: &Message) -> bool {
        self.dialog
            .as_ref()
            .is_some_and(|dialog| dialog.matches(request))
    }
}

impl UserAgent {
    /// Sends a text to a user; starts a conversation if there is none. What becomes of it is told with the id.
    pub fn send_text(&mut self, now: Instant, to: &Aor, text: &str) -> Result<TextId, Error> {
        if !self.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        let text = Text::plain(text);
        let id = if let Some(conversation) = self.conversations.get_mut(to) {
            conversation.session.send(now, text)?
        } else {
            let mut config = self.im_config();
            config.conversation_id = Some(new_conversation_id(&mut self.rng));
            let (session, id) = ImSession::outgoing(config, Some(text));
            self.conversations
                .insert(to.clone(), Conversation::new(session));
            id.ok_or(Error::NotSignedIn)?
        };
        let name = TextId(self.next_text);
        self.next_text += 1;
        self.texts.insert((to.clone(), id), name);
        self.settle(now);
        Ok(name)
    }

    /// Tells the other side whether the user types.
    pub fn set_typing(&mut self, now: Instant, to: &Aor, active: bool) -> Result<(), Error> {
        let conversation = self
            .conversations
            .get_mut(to)
            .ok_or_else(|| Error::NoConversation(to.clone()))?;
        if active {
            conversation.session.typing(now);
        } else {
            conversation.session.stop_typing();
        }
        self.settle(now);
        Ok(())
    }

    /// Accepts a conversation that waits (see [`Config::auto_accept`](crate::Config::auto_accept)).
    pub fn accept(&mut self, now: Instant, from: &Aor) {
        if let Some(conversation) = self.conversations.get_mut(from) {
            conversation.session.accept();
            self.settle(now);
        }
    }

    /// Refuses a conversation that waits, on all endpoints of the user if `everywhere`.
    pub fn decline(&mut self, now: Instant, from: &Aor, everywhere: bool) {
        if let Some(conversation) = self.conversations.get_mut(from) {
            let status = if everywhere { 603 } else { 480 };
            conversation.session.decline(status);
            self.settle(now);
        }
    }

    /// Ends a conversation.
    pub fn end_conversation(&mut self, now: Instant, with: &Aor) {
        if let Some(conversation) = self.conversations.get_mut(with) {
            conversation.session.end();
            self.settle(now);
        }
    }

    /// With whom there are conversations.
    pub fn conversations(&self) -> impl Iterator<Item = &Aor> {
        self.conversations.keys()
    }

    pub(super) fn end_all_conversations(&mut self, now: Instant) {
        for conversation in self.conversations.values_mut() {
            conversation.session.end();
        }
        self.drive_conversations(now);
    }

    /// The connection, or everything behind it, is gone.
    pub(super) fn drop_all_conversations(&mut self, now: Instant) {
        for conversation in self.conversations.values_mut() {
            conversation.session.end();
            conversation.dialog = None;
            conversation.set = None;
        }
        self.drive_conversations(now);
    }

    fn im_config(&self) -> ImConfig {
        let (address, port) = self.link.as_ref().map_or_else(
            || (std::net::Ipv4Addr::UNSPECIFIED.into(), 5060),
            |link| (link.local.ip(), link.local.port()),
        );
        let mut config = ImConfig::new(ImSdp::new(address, port), self.config.aor.to_uri());
        config.auto_accept = self.config.auto_accept.then_some(self.config.accept_delay);
        config
    }

    /// The Contact of dialogs: the GRUU, else the connection with `proxy=replace` (\[MS-SIPREGE\]).
    fn contact(&self) -> String {
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

    pub(super) fn drive_conversations(&mut self, now: Instant) -> bool {
        let mut busy = false;
        let users: Vec<Aor> = self.conversations.keys().cloned().collect();
        for with in users {
            while let Some(action) = self
                .conversations
                .get_mut(&with)
                .and_then(|conversation| conversation.session.poll_action())
            {
                busy = true;
                match action {
                    Action::Request(request) => self.session_request(now, &with, &request),
                    Action::Respond(reply) => self.session_reply(now, &with, &reply),
                    Action::Cancel(request) => {
                        let client = self
                            .conversations
                            .get(&with)
                            .and_then(|conversation| conversation.clients.get(&request));
                        if let Some(&client) = client {
                            self.layer.cancel(now, client);
                        }
                    }
                }
            }
            while let Some(event) = self
                .conversations
                .get_mut(&with)
                .and_then(|conversation| conversation.session.poll_event())
            {
                busy = true;
                self.session_event(&with, event);
            }
        }
        busy
    }

    fn session_request(&mut self, now: Instant, with: &Aor, request: &SessionRequest) {
        let invite = request.method == Method::Invite;
        let contact = self.contact();
        let message = if invite {
            let (tag, call_id) = (self.hex(5), self.hex(16));
            let aor = self.config.aor.to_uri();
            Some(
                Message::request(Method::Invite, &with.to_uri())
                    .with(
                        HeaderName::From,
                        &format!("<{aor}>;tag={tag};epid={}", self.config.epid),
                    )
                    .with(HeaderName::To, &format!("<{}>", with.to_uri()))
                    .with(HeaderName::CallId, &call_id)
                    .with(HeaderName::CSeq, "1 INVITE")
                    .with(HeaderName::MaxForwards, "70"),
            )
        } else {
            self.conversations
                .get_mut(with)
                .and_then(|conversation| conversation.dialog.as_mut())
                .map(|dialog| dialog.request(request.method.clone()))
        };
        let Some(mut message) = message else {
            return;
        };
        message.push(HeaderName::UserAgent, &self.config.user_agent);
        message.push(HeaderName::Contact, &contact);
        request.apply(&mut message);
        if invite && let Some(conversation) = self.conversations.get_mut(with) {
            conversation.set = Some(DialogSet::new(message.clone()));
            conversation.invite = Some(request.id);
        }
        let purpose = if request.method == Method::Bye {
            Purpose::Parting
        } else {
            Purpose::Session {
                with: with.clone(),
                request: request.id,
                message: Box::new(message.clone()),
            }
        };
        let client = self.send_request(now, message, purpose);
        if let (Some(client), Some(conversation)) = (client, self.conversations.get_mut(with)) {
            conversation.clients.insert(request.id, client);
        }
    }

    fn session_reply(&mut self, now: Instant, with: &Aor, reply: &Reply) {
        let contact = self.contact();
        let Some(conversation) = self.conversations.get_mut(with) else {
            return;
        };
        let provisional = reply.status < 200;
        let found = if provisional {
            conversation.servers.get(&reply.transaction).cloned()
        } else {
            conversation.servers.remove(&reply.transaction)
        };
        let Some((server, request)) = found else {
            return;
        };
        let mut response = match &mut conversation.dialog {
            Some(dialog) => dialog.respond(&request, reply.status),
            None => Message::response_to(&request, reply.status, None),
        };
        if request.method() == Some(&Method::Invite) {
            response.push(HeaderName::Contact, &contact);
            if !provisional {
                conversation.offered = None;
            }
        }
        response.push(HeaderName::UserAgent, &self.config.user_agent);
        reply.apply(&mut response);
        self.respond(now, server, response);
    }

    fn session_event(&mut self, with: &Aor, event: Im) {
        let event = match event {
            Im::Invited { .. } | Im::Progress(_) | Im::Accepted(_) => return,
            Im::Established => Event::ConversationStarted { with: with.clone() },
            Im::Text { text, .. } => Event::Text {
                from: with.clone(),
                content_type: text.kind.as_str().to_owned(),
                text: text.text,
            },
            Im::Typing(state) => Event::Typing {
                from: with.clone(),
                active: state == Typing::Type,
            },
            Im::Delivered(text) => match self.texts.remove(&(with.clone(), text)) {
                Some(id) => Event::Delivered {
                    to: with.clone(),
                    id,
                },
                None => return,
            },
            Im::Failed {
                text,
                status,
                meaning,
            } => match self.texts.remove(&(with.clone(), text)) {
                Some(id) => Event::NotDelivered {
                    to: with.clone(),
                    id,
                    status: status.unwrap_or(408),
                    reason: explain(meaning).to_owned(),
                },
                None => return,
            },
            Im::Notice { text, recipients } => {
                let failed = recipients.iter().find(|one| !one.is_delivered());
                let id = text.and_then(|text| self.texts.remove(&(with.clone(), text)));
                match (failed, id) {
                    (Some(_), Some(id)) => Event::NotDelivered {
                        to: with.clone(),
                        id,
                        status: 480,
                        reason: "a server could not deliver it".to_owned(),
                    },
                    (None, Some(id)) => Event::Delivered {
                        to: with.clone(),
                        id,
                    },
                    _ => return,
                }
            }
            Im::Ended(why) => {
                let elsewhere = self
                    .conversations
                    .remove(with)
                    .is_some_and(|ended| why == Ended::Cancelled && ended.elsewhere);
                self.texts.retain(|(user, _), _| user != with);
                Event::ConversationEnded {
                    with: with.clone(),
                    elsewhere,
                }
            }
            _ => return,
        };
        self.events.push_back(event);
    }

    pub(super) fn session_response(
        &mut self,
        now: Instant,
        with: &Aor,
        request: RequestId,
        response: &Message,
    ) {
        let Some(conversation) = self.conversations.get_mut(with) else {
            self.end_stray_dialog(now, response);
            return;
        };
        if conversation.invite != Some(request) {
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

    /// A 2xx for a conversation that is over: acknowledge it and say goodbye.
    fn end_stray_dialog(&mut self, now: Instant, response: &Message) {
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

    pub(super) fn session_no_response(&mut self, now: Instant, with: &Aor, request: RequestId) {
        if let Some(conversation) = self.conversations.get_mut(with) {
            conversation.session.handle_no_response(now, request);
        }
    }

    fn next_transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        TransactionId(self.next_transaction)
    }

    /// An INVITE outside all dialogs.
    pub(super) fn handle_invite(&mut self, now: Instant, id: ServerId, invite: &Message) {
        let caller = identity::caller(invite);
        let from = caller
            .as_ref()
            .and_then(|caller| caller.uri().ok()?.as_sip()?.aor());
        let display_name = caller
            .as_ref()
            .and_then(ocs_sip_core::header::NameAddr::display_name)
            .map(std::borrow::Cow::into_owned);
        let Some(from) = from else {
            self.refuse(now, id, invite, 400);
            return;
        };
        let transaction = self.next_transaction();
        let session = match ImSession::incoming(now, self.im_config(), transaction, invite) {
            Ok(session) => session,
            Err(refusal) => {
                self.refuse(now, id, invite, refusal.status);
                return;
            }
        };
        let tag = self.hex(5);
        let Ok(mut dialog) = Dialog::uas(invite, &tag) else {
            self.refuse(now, id, invite, 400);
            return;
        };
        dialog.set_local_epid(self.config.epid.as_str());
        let mut conversation = Conversation::new(session);
        conversation.dialog = Some(dialog);
        conversation.offered = Some(id);
        conversation
            .servers
            .insert(transaction, (id, invite.clone()));
        // A new INVITE of the same user: the old dialog dangles.
        if let Some(old) = self.conversations.get_mut(&from) {
            old.session.end();
            self.drive_conversations(now);
        }
        let preview = invite
            .header(HeaderName::MsTextFormat)
            .and_then(|value| Text::from_first_message(value, &im::Limits::default()).ok());
        self.events.push_back(Event::Invited {
            from: from.clone(),
            display_name,
            preview: preview.map(|text| text.text),
        });
        if !self.config.auto_accept || !self.config.accept_delay.is_zero() {
            conversation.session.ring();
        }
        conversation.session.handle_timeout(now);
        self.conversations.insert(from, conversation);
    }

    pub(super) fn handle_in_dialog(&mut self, now: Instant, id: ServerId, request: &Message) {
        let transaction = self.next_transaction();
        let found = self
            .conversations
            .values_mut()
            .find(|conversation| conversation.matches(request));
        let Some(conversation) = found else {
            self.refuse(now, id, request, 481);
            return;
        };
        let Some(dialog) = &mut conversation.dialog else {
            return;
        };
        if !matches!(dialog.handle_request(request), Ok(Incoming::Accepted)) {
            let response = dialog.respond(request, 500);
            self.respond(now, id, response);
            return;
        }
        conversation
            .servers
            .insert(transaction, (id, request.clone()));
        conversation
            .session
            .handle_request(now, transaction, request);
    }

    pub(super) fn handle_ack(&mut self, now: Instant, ack: &Message) {
        let transaction = self.next_transaction();
        if let Some(conversation) = self
            .conversations
            .values_mut()
            .find(|conversation| conversation.matches(ack))
        {
            conversation.session.handle_request(now, transaction, ack);
        }
    }

    pub(super) fn handle_cancel(&mut self, target: ServerId, cancel: &Message) {
        let found = self
            .conversations
            .values_mut()
            .find(|conversation| conversation.offered == Some(target));
        if let Some(conversation) = found {
            conversation.elsewhere = cancel
                .header(HeaderName::Reason)
                .is_some_and(|reason| reason.replace(' ', "").contains("cause=200"));
            conversation.session.handle_cancel();
        }
    }
}

/// What a failure means, for a log.
const fn explain(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Blocked => "blocked by a policy",
        Meaning::DoNotDisturb => "does not want to be disturbed",
        Meaning::UnsupportedType => "cannot show this kind of text",
        Meaning::ServiceUnavailable => "the service is not available",
        Meaning::DialogGone => "has left the conversation",
        Meaning::NoAnswer => "no answer",
        Meaning::SessionEnded => "the conversation is over",
        Meaning::Offline => "is not online",
    }
}
