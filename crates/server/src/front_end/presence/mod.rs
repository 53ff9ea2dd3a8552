//! Presence: publications of the users' endpoints, and those who watch ([MS-PRES]).

mod changes;
mod directory;
mod legacy;
mod subscribe;
mod watch;

use std::time::Instant;

use ocs_pres::doc::content_type;
use ocs_pres::server::{Changes, Parts, Refusal, Sender};
use ocs_sip_core::{Aor, Message};
use ocs_xml::to_string;

use super::FrontEnd;
use super::input::Caller;
use super::services::{Refused, Served};
use super::subscriptions::epid_of;
use crate::Store;

pub(super) use changes::Informed;
pub(super) use watch::Watch;

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            error_id: refusal.diagnostics.map(ocs_ocer::ErrorId),
            body: refusal
                .fault
                .map(|fault| (content_type::FAULT, to_string(&fault))),
        }
    }
}

impl<S: Store> FrontEnd<S> {
    /// The publish transaction.
    pub(super) fn publish(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
    ) -> Result<Served, Refused> {
        let user = &caller.identity.aor;
        let endpoint = self.endpoint_of(caller, request);
        let data = self.load(now, user);
        let sender = Sender {
            user,
            endpoint: endpoint.as_deref(),
            trusted: false,
        };
        let published = data.presentity.publish(now, &sender, request.body())?;
        let answer = to_string(&data.presentity.answer(&published));
        let informed = Informed {
            connection: caller.connection,
            of_the_rest: published.for_sender(),
        };
        self.tell(now, user, &published.changes, Some(&informed));
        Ok(Served::document(content_type::ROAMING_SELF, answer))
    }

    pub(super) fn set_container_members(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        self.change_own(now, user, |presentity, sender| {
            presentity.set_container_members(sender, body)
        })
    }

    pub(super) fn set_subscribers(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        self.change_own(now, user, |presentity, sender| {
            presentity.set_subscribers(sender, body)
        })
    }

    /// The answer carries the delegates as they are now.
    pub(super) fn set_delegates(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        self.change_own(now, user, |presentity, sender| {
            presentity.set_delegates(sender, body)
        })?;
        let parts = Parts {
            delegates: true,
            ..Parts::NONE
        };
        let document = self.load(now, user).presentity.full_document(parts);
        let text = to_string(&document);
        Ok(Served::document(content_type::ROAMING_SELF, text))
    }

    fn change_own(
        &mut self,
        now: Instant,
        user: &Aor,
        change: impl FnOnce(&mut ocs_pres::server::Presentity, &Sender<'_>) -> Result<Changes, Refusal>,
    ) -> Result<Served, Refused> {
        let sender = Sender {
            user,
            endpoint: None,
            trusted: false,
        };
        let changes = change(&mut self.load(now, user).presentity, &sender)?;
        self.tell(now, user, &changes, None);
        Ok(Served::default())
    }

    /// The registered endpoint from which a request came, as presence names it.
    pub(super) fn endpoint_of(&self, caller: &Caller, request: &Message) -> Option<String> {
        let epid = epid_of(request);
        self.registrar
            .bindings()
            .of_user(&caller.identity.aor)
            .map(|(_, binding)| binding)
            .find(|binding| binding.connection == Some(caller.connection) && binding.epid == epid)
            .map(|binding| binding.instance.to_string())
    }

    /// Puts what the directory says of a user into his presence.
    pub(super) fn install_directory(&mut self, now: Instant, user: &Aor) {
        let Some(entry) = self.store.user(user) else {
            return;
        };
        if let Some(data) = self.users.get_mut(user) {
            let publications = directory::publications(&entry);
            // Who watches is told with the first document: nobody does before the user is in memory.
            let _ = data.presentity.install(now, None, publications);
            data.presentity.set_enabled(entry.enabled);
        }
    }

    /// An endpoint registered.
    pub(super) fn endpoint_registered(&mut self, now: Instant, user: &Aor, endpoint: &str) {
        let data = self.load(now, user);
        let changes = data.presentity.endpoint_registered(now, endpoint);
        self.tell(now, user, &changes, None);
    }

    /// An endpoint is no longer registered.
    pub(super) fn endpoint_gone(&mut self, now: Instant, user: &Aor, endpoint: &str) {
        if let Some(data) = self.users.get_mut(user) {
            let changes = data.presentity.endpoint_gone(now, endpoint);
            self.tell(now, user, &changes, None);
            self.users.release(user);
        }
    }

    /// Ends publications whose time is over.
    pub(super) fn handle_presence_timeouts(&mut self, now: Instant) {
        while let Some(user) = self.users.timers.pop(now) {
            if let Some(data) = self.users.get_mut(&user) {
                data.scheduled = None;
                let changes = data.presentity.handle_timeout(now);
                self.tell(now, &user, &changes, None);
            }
        }
    }
}
