//! Presence: publications of the users' endpoints, and those who watch ([MS-PRES]).

mod access;
mod changes;
mod directory;
mod legacy;
mod subscribe;
mod watch;

use std::time::Instant;

use ocs_ocer::ErrorId;
use ocs_pres::doc::content_type;
use ocs_pres::server::{Changes, Parts, Presentity, Refusal, Sender};
use ocs_sip_core::{Aor, Message};
use ocs_sipre::BindingId;
use ocs_xml::to_string;

use super::FrontEnd;
use super::input::Caller;
use super::services::{Refused, Served};
use super::subscriptions::epid_of;
use crate::Store;

pub(super) use access::judge;
pub(super) use changes::Informed;
pub(super) use legacy::pending_content;
pub(super) use watch::Watch;

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            error_id: refusal.diagnostics.map(ErrorId),
            body: refusal
                .fault
                .map(|fault| (content_type::FAULT, to_string(&fault))),
        }
    }
}

impl<S: Store> FrontEnd<S> {
    /// The publish transaction, for the sender or for a user whose delegate he is.
    pub(super) fn publish(
        &mut self,
        now: Instant,
        caller: &Caller,
        user: &Aor,
        request: &Message,
    ) -> Result<Served, Refused> {
        let is_own = *user == caller.identity.aor;
        // The endpoints of a delegate are none of the user's: nothing can be bound to them.
        let endpoint = is_own.then(|| self.endpoint_of(caller, request)).flatten();
        let published = self.change_presentity(now, user, |presentity| {
            let sender = Sender {
                user: &caller.identity.aor,
                endpoint: endpoint.as_deref(),
                trusted: false,
            };
            let published = presentity.publish(now, &sender, request.body())?;
            let answer = to_string(&presentity.answer(&published));
            let of_the_rest = published.for_sender();
            Ok((published.changes, (answer, of_the_rest)))
        });
        if let Ok((changes, (_, of_the_rest))) = &published {
            let informed = is_own.then(|| Informed {
                connection: caller.connection,
                of_the_rest: of_the_rest.clone(),
            });
            self.tell(now, user, changes, informed.as_ref());
        }
        // Somebody for whom a delegate speaks need not be here.
        self.users.release(user);
        let (_, (answer, _)) = published.map_err(|refused| match refused.status {
            403 if !is_own => Refused::diagnosed(403, ErrorId::NOT_AUTHORIZED_AS_FROM),
            _ => refused,
        })?;
        Ok(Served::document(content_type::ROAMING_SELF, answer))
    }

    pub(super) fn set_container_members(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        self.change_own(now, user, |presentity, sender| {
            Ok((presentity.set_container_members(sender, body)?, ()))
        })?;
        Ok(Served::default())
    }

    pub(super) fn set_subscribers(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        self.change_own(now, user, |presentity, sender| {
            Ok((presentity.set_subscribers(sender, body)?, ()))
        })?;
        Ok(Served::default())
    }

    /// The answer carries the delegates as they are now.
    pub(super) fn set_delegates(
        &mut self,
        now: Instant,
        user: &Aor,
        body: &[u8],
    ) -> Result<Served, Refused> {
        let parts = Parts {
            delegates: true,
            ..Parts::NONE
        };
        let text = self.change_own(now, user, |presentity, sender| {
            let changes = presentity.set_delegates(sender, body)?;
            Ok((changes, to_string(&presentity.full_document(parts))))
        })?;
        Ok(Served::document(content_type::ROAMING_SELF, text))
    }

    fn change_own<T>(
        &mut self,
        now: Instant,
        user: &Aor,
        change: impl FnOnce(&mut Presentity, &Sender<'_>) -> Result<(Changes, T), Refusal>,
    ) -> Result<T, Refused> {
        let sender = Sender {
            user,
            endpoint: None,
            trusted: false,
        };
        let (changes, rest) =
            self.change_presentity(now, user, |presentity| change(presentity, &sender))?;
        self.tell(now, user, &changes, None);
        Ok(rest)
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

    /// Puts what the directory says of a user who is new in memory, and which endpoints there are, into his presence. Who watches is told with
    /// the first document: nobody does before the user is in memory.
    pub(super) fn begin_presence(&mut self, now: Instant, user: &Aor) {
        let Some(data) = self.users.get_mut(user) else {
            return;
        };
        data.presentity.begin(now);
        if let Some(entry) = self.store.user(user) {
            let _ = data
                .presentity
                .install(now, None, directory::publications(&entry));
            data.presentity.set_enabled(entry.enabled);
        }
        // They are here when the store could not be read as they came.
        for (_, binding) in self.registrar.bindings().of_user(user) {
            let silence = self.config.legacy_silence;
            let _ = legacy::endpoint_registered(&mut data.presentity, now, binding, silence);
        }
        self.arm_presence(user);
    }

    /// An endpoint registered.
    pub(super) fn endpoint_registered(&mut self, now: Instant, id: BindingId) {
        let Some(binding) = self.registrar.bindings().get(id) else {
            return;
        };
        let (user, binding) = (binding.aor.clone(), binding.clone());
        let silence = self.config.legacy_silence;
        // Else with the next load.
        let Ok(data) = self.load(now, &user) else {
            return;
        };
        let changes = legacy::endpoint_registered(&mut data.presentity, now, &binding, silence);
        self.happened(now, &user, &changes);
    }

    /// An endpoint is no longer registered.
    pub(super) fn endpoint_gone(&mut self, now: Instant, user: &Aor, endpoint: &str) {
        if let Some(data) = self.users.get_mut(user) {
            let changes = legacy::endpoint_gone(&mut data.presentity, now, endpoint);
            self.happened(now, user, &changes);
            self.users.release(user);
        }
    }

    /// Ends publications whose time is over.
    pub(super) fn handle_presence_timeouts(&mut self, now: Instant) {
        while let Some(user) = self.users.timers.pop(now) {
            if let Some(data) = self.users.get_mut(&user) {
                data.scheduled = None;
                let changes = data.presentity.handle_timeout(now);
                self.happened(now, &user, &changes);
            }
        }
    }
}
