//! Conversations: an IM session over a dialog with each user.

mod answers;
mod incoming;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use ocs_sip_core::dialog::{Dialog, DialogSet};
use ocs_sip_core::transaction::{ClientId, ServerId};
use ocs_sip_core::{Aor, Message};
use ocs_sipre::headers::new_conversation_id;
use ocs_sipre::im::{
    self, Config as ImConfig, ImSdp, ImSession, RequestId, State, Text, TransactionId,
};

use super::{Error, UserAgent};
use crate::TextId;

/// Texts without a final report that a conversation remembers; the oldest is forgotten first.
const TEXTS: usize = 1024;

/// A session and the dialog under it.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Never used twice: an answer may come when there is another conversation with the same user.
    pub(super) serial: u64,
    session: ImSession,
    /// Our INVITE and the dialogs that its branches make, until one is chosen.
    set: Option<DialogSet>,
    dialog: Option<Dialog>,
    /// Our INVITE: its request id, to tell its answers from others, and its transaction.
    invite: Option<(RequestId, Option<ClientId>)>,
    /// Requests of the peer that wait for an answer.
    servers: HashMap<TransactionId, (ServerId, Message)>,
    /// The peer's INVITE while it waits.
    offered: Option<ServerId>,
    elsewhere: bool,
    /// The other side called while we did, and its session takes over: the user need not know.
    superseded: bool,
    /// Texts whose fate is open.
    texts: BTreeMap<im::TextId, (TextId, Text)>,
}

impl Conversation {
    fn new(serial: u64, session: ImSession) -> Self {
        Self {
            serial,
            session,
            set: None,
            dialog: None,
            invite: None,
            servers: HashMap::new(),
            offered: None,
            elsewhere: false,
            superseded: false,
            texts: BTreeMap::new(),
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
        if let Some((invite, transaction)) = &mut self.invite
            && *invite == request
        {
            *transaction = Some(client);
        }
    }

    fn remember(&mut self, id: im::TextId, name: TextId, text: Text) {
        if self.texts.len() >= TEXTS {
            self.texts.pop_first();
        }
        self.texts.insert(id, (name, text));
    }

    /// Whether this is an answer to our INVITE.
    fn called_with(&self, response: &Message) -> bool {
        self.set.as_ref().is_some_and(|set| {
            let tag = |message: &Message| {
                let from = message.from_header().ok()?;
                Some(from.tag()?.to_owned())
            };
            set.invite().call_id() == response.call_id() && tag(set.invite()) == tag(response)
        })
    }

    /// Whether our own call has no answer yet.
    fn is_calling(&self) -> bool {
        self.session.state() == State::Inviting
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
        let name = TextId(self.next_text);
        if let Some(conversation) = self.conversations.get_mut(to) {
            let id = conversation.session.send(now, text.clone())?;
            conversation.remember(id, name, text);
        } else {
            self.check_room()?;
            let mut config = self.im_config();
            config.conversation_id = Some(new_conversation_id(&mut self.rng));
            let (session, id) = ImSession::outgoing(config, Some(text.clone()));
            let mut conversation = Conversation::new(self.next_serial(), session);
            if let Some(id) = id {
                conversation.remember(id, name, text);
            }
            self.conversations.insert(to.clone(), conversation);
        }
        self.next_text += 1;
        self.settle(now);
        Ok(name)
    }

    fn check_room(&self) -> Result<(), Error> {
        let limit = self.config.conversations;
        if self.conversations.len() >= limit {
            return Err(Error::TooManyConversations { limit });
        }
        Ok(())
    }

    fn next_serial(&mut self) -> u64 {
        self.next_conversation += 1;
        self.next_conversation
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
            conversation.session.accept(now);
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
}
