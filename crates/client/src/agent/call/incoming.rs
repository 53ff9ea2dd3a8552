//! The other side's requests.

use std::time::Instant;

use ocs_call::{Call, Event as Told, TransactionId};
use ocs_sdpext::body::Body;
use ocs_sip_core::dialog::Replacing;
use ocs_sip_core::header::{NameAddr, Replaces};
use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{HeaderName, Message};
use ocs_sipae::identity;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{CallId, Line};
use crate::Event;
use crate::agent::UserAgent;

impl UserAgent {
    /// Whether an INVITE asks for media that a call can have, rather than for texts.
    pub(in crate::agent) fn invites_to_call(&self, invite: &Message) -> bool {
        let limits = &self.config.calls.call.negotiation.limits;
        invite
            .header(HeaderName::ContentType)
            .and_then(|content_type| Body::parse(content_type, invite.body(), limits).ok())
            .is_some_and(|body| body.best(has_call_media).is_some())
    }

    fn next_call_transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        TransactionId(self.next_transaction)
    }

    /// An INVITE to a call, outside all dialogs.
    pub(in crate::agent) fn handle_call(
        &mut self,
        now: Instant,
        server: ServerId,
        invite: &Message,
    ) {
        if !self.config.calls.accept {
            self.refuse(now, server, invite, 488);
            return;
        }
        if self.calls.lines.len() >= self.config.calls.limit {
            self.refuse(now, server, invite, 486);
            return;
        }
        let replaces = match self.replaced_call(invite) {
            Ok(replaces) => replaces,
            Err(status) => {
                self.refuse(now, server, invite, status);
                return;
            }
        };
        let caller = identity::caller(invite);
        let display_name = caller
            .as_ref()
            .and_then(NameAddr::display_name)
            .map(std::borrow::Cow::into_owned);
        let Some(from) = caller.as_ref().map(|caller| caller.uri_text().to_owned()) else {
            self.refuse(now, server, invite, 400);
            return;
        };
        let (transaction, tag) = (self.next_call_transaction(), self.hex(5));
        let rng = ChaCha20Rng::from_rng(&mut self.rng);
        let config = self.call_config();
        let mut call = match Call::incoming(now, config, transaction, invite, &tag, rng) {
            Ok(call) => call,
            Err(refusal) => {
                let mut response = Message::response_to(invite, refusal.status, Some(&tag));
                refusal.apply(&mut response);
                self.respond(now, server, response);
                return;
            }
        };
        // The first thing that it tells.
        let streams = match call.poll_event() {
            Some(Told::Offered { streams }) => streams,
            _ => Vec::new(),
        };
        let mut line = Line::new(call);
        line.servers.insert(transaction, server);
        line.replaces = replaces;
        let id = self.calls.insert(line);
        self.events.push_back(Event::CallInvited {
            id,
            from,
            display_name,
            streams,
            replaces,
        });
    }

    /// The call that an INVITE is to replace; `Err` is the status with which the INVITE is refused.
    fn replaced_call(&self, invite: &Message) -> Result<Option<CallId>, u16> {
        if invite.header(HeaderName::Replaces).is_none() {
            return Ok(None);
        }
        let replaces = invite
            .parse_first::<Replaces<'_>>(HeaderName::Replaces)
            .map_err(|_| 400_u16)?;
        for (id, line) in &self.calls.lines {
            match line.call.matches_replaces(&replaces) {
                Replacing::Other => {}
                Replacing::Replace => return Ok(Some(*id)),
                Replacing::Refuse(status) => return Err(status),
            }
        }
        Err(481)
    }

    /// A request in a dialog. False if it is of no call.
    pub(in crate::agent) fn handle_in_call(
        &mut self,
        now: Instant,
        server: Option<ServerId>,
        request: &Message,
    ) -> bool {
        let Some(id) = self.calls.of_request(request) else {
            return false;
        };
        let transaction = self.next_call_transaction();
        if let Some(line) = self.calls.lines.get_mut(&id) {
            if let Some(server) = server {
                line.servers.insert(transaction, server);
            }
            line.call.handle_request(now, transaction, request);
        }
        true
    }

    /// A CANCEL of the INVITE with this transaction. False if it is of no call.
    pub(in crate::agent) fn cancel_call(
        &mut self,
        now: Instant,
        target: ServerId,
        cancel: &Message,
    ) -> bool {
        let mut all = self.calls.lines.values_mut();
        let line = all.find(|line| line.servers.values().any(|server| *server == target));
        match line {
            Some(line) => {
                line.call.handle_cancel(now, cancel);
                true
            }
            None => false,
        }
    }
}

/// Texts have a session of their own.
fn has_call_media(sdp: &ocs_sdpext::Sdp) -> bool {
    sdp.all_media().any(|media| {
        media.line().is_ok_and(|line| {
            !line.is_rejected() && ocs_sdpext::negotiation::StreamKind::of(line.media).is_some()
        })
    })
}
