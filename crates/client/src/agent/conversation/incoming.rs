//! The other side's requests.

use std::time::Instant;

use ocs_sip_core::dialog::{Dialog, Incoming};
use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_sipae::identity;
use ocs_sipre::im::{self, ImSession, Text, TransactionId};

use super::Conversation;
use crate::agent::UserAgent;
use crate::{Event, TextId};

/// The user whom the server asserts as sender of a request.
fn sender(request: &Message) -> Option<Aor> {
    identity::caller(request)?.uri().ok()?.as_sip()?.aor()
}

impl UserAgent {
    /// The conversation of a request in a dialog: nearly always that of the user who sent it.
    fn conversation_of(&mut self, request: &Message) -> Option<&mut Conversation> {
        let with = sender(request)
            .filter(|with| {
                let known = self.conversations.get(with);
                known.is_some_and(|conversation| conversation.matches(request))
            })
            .or_else(|| {
                let mut all = self.conversations.iter();
                let (with, _) = all.find(|(_, conversation)| conversation.matches(request))?;
                Some(with.clone())
            })?;
        self.conversations.get_mut(&with)
    }

    fn next_transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        TransactionId(self.next_transaction)
    }

    /// An INVITE outside all dialogs.
    pub(in crate::agent) fn handle_invite(&mut self, now: Instant, id: ServerId, invite: &Message) {
        if self.invites_to_call(invite) {
            self.handle_call(now, id, invite);
            return;
        }
        let caller = identity::caller(invite);
        let from = sender(invite);
        let display_name = caller
            .as_ref()
            .and_then(ocs_sip_core::header::NameAddr::display_name)
            .map(std::borrow::Cow::into_owned);
        let Some(from) = from else {
            self.refuse(now, id, invite, 400);
            return;
        };
        if let Some(status) = self.call_conflict(&from, invite) {
            self.refuse(now, id, invite, status);
            return;
        }
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
        let mut conversation = Conversation::new(self.next_serial(), session);
        conversation.dialog = Some(dialog);
        conversation.offered = Some(id);
        conversation
            .servers
            .insert(transaction, (id, invite.clone()));
        let unsent = self.supersede(now, &from);
        let preview = invite
            .header(HeaderName::MsTextFormat)
            .and_then(|value| Text::from_first_message(value, &im::Limits::default()).ok());
        self.events.push_back(Event::Invited {
            from: from.clone(),
            display_name,
            preview: preview.map(|text| text.text),
        });
        for (name, text) in unsent {
            if let Ok(id) = conversation.session.send(now, text.clone()) {
                conversation.remember(id, name, text);
            }
        }
        if !self.config.auto_accept || !self.config.accept_delay.is_zero() {
            conversation.session.ring();
        }
        conversation.session.handle_timeout(now);
        self.conversations.insert(from, conversation);
    }

    /// Why an INVITE cannot be taken beside what there is.
    fn call_conflict(&self, from: &Aor, invite: &Message) -> Option<u16> {
        match self.conversations.get(from) {
            None => (self.conversations.len() >= self.config.conversations).then_some(486),
            // Our own call came back, because the user called himself: this endpoint is not whom he means.
            Some(calling) if calling.is_calling() && calling.called_with(invite) => Some(480),
            // Both called at the same time. One of the two calls must go, the same on both sides.
            Some(calling) if calling.is_calling() && self.config.aor < *from => Some(491),
            Some(_) => None,
        }
    }

    /// Ends the conversation in whose place a new one comes: the other side has forgotten it, or calls at the same time. Gives the
    /// texts that are to be sent again.
    fn supersede(&mut self, now: Instant, from: &Aor) -> Vec<(TextId, Text)> {
        let Some(old) = self.conversations.get_mut(from) else {
            return Vec::new();
        };
        old.superseded = old.is_calling();
        let unsent = std::mem::take(&mut old.texts).into_values().collect();
        old.session.end();
        self.drive_conversations(now);
        unsent
    }

    pub(in crate::agent) fn handle_in_dialog(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Message,
    ) {
        if self.handle_in_call(now, Some(id), request) {
            return;
        }
        let transaction = self.next_transaction();
        let found = self.conversation_of(request);
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

    pub(in crate::agent) fn handle_ack(&mut self, now: Instant, ack: &Message) {
        if self.handle_in_call(now, None, ack) {
            return;
        }
        let transaction = self.next_transaction();
        if let Some(conversation) = self.conversation_of(ack) {
            conversation.session.handle_request(now, transaction, ack);
        }
    }

    pub(in crate::agent) fn handle_cancel(
        &mut self,
        now: Instant,
        target: ServerId,
        cancel: &Message,
    ) {
        if self.cancel_call(now, target, cancel) {
            return;
        }
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
