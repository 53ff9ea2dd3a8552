//! Contacts, groups and access lists of the users ([MS-SIP] 2.2.3, 2.2.4, 3.7), and the search in the directory.

use std::time::Instant;

use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_siprege::soap::{self, Call, SearchAnswer};
use ocs_siprege::{acl, contacts};

use super::{Refused, Served};
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
use crate::front_end::presence::judge;
use crate::front_end::subscriptions::{Opened, Topic, addressee};
use crate::{DocumentKind, Store};

impl<S: Store> FrontEnd<S> {
    /// A call in a SOAP envelope.
    pub(super) fn soap(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
    ) -> Result<Served, Refused> {
        let user = &caller.identity.aor;
        let call = Call::read(request.body(), &self.config.documents)?;
        if let Call::Search(search) = call {
            let hits = self.store.search(&search, self.config.search_results);
            let answer = SearchAnswer::of(&search, hits, self.config.search_results);
            return Ok(Served::document(soap::CONTENT_TYPE, answer.to_body()));
        }
        let method = match &call {
            Call::Other(method) => method.as_str(),
            _ => "",
        };
        if method == "getPresence" {
            return self.get_presence(now, user, request);
        }
        if addressee(request).as_ref() != Some(user) {
            return Err(Refused::status(403));
        }
        match call {
            Call::Other(method) if method == "setPresence" => {
                self.set_presence(now, caller, request)
            }
            Call::Contacts(call) => self.change_contacts(now, user, &call),
            Call::SetAce(call) => self.change_access_list(now, user, &call),
            _ => Err(Refused::status(501)),
        }
    }

    fn change_contacts(
        &mut self,
        now: Instant,
        user: &Aor,
        call: &contacts::Request,
    ) -> Result<Served, Refused> {
        let limits = self.config.contacts;
        let mut roster = self.load(now, user)?.roster.clone();
        let applied = roster.apply(call, &limits)?;
        self.put(user, &[(DocumentKind::Contacts, &roster.export())])?;
        let content = Content::new(contacts::CONTENT_TYPE, applied.delta);
        if let Some(data) = self.users.get_mut(user) {
            data.roster = roster;
            for id in &data.contacts {
                self.subscriptions.with(*id, |notifier| {
                    notifier.notify_delta(now, content.clone());
                });
            }
        }
        // A client that gets the answer before the change may write again with the old number.
        self.drive_subscriptions(now);
        Ok(applied.answer.map_or_else(Served::default, |text| {
            Served::document(soap::CONTENT_TYPE, text)
        }))
    }

    fn change_access_list(
        &mut self,
        now: Instant,
        user: &Aor,
        call: &acl::SetAce,
    ) -> Result<Served, Refused> {
        let limits = self.config.access_lists;
        let data = self.load(now, user)?;
        let mut access = data.access.clone();
        access.apply(call, &limits)?;
        let before = data.presentity.clone();
        let changes = judge(&mut data.presentity, &access, &call.ace).map_err(Refused::from)?;
        let text = access.export();
        let presence = data.presentity.export();
        let documents = [
            (DocumentKind::AccessList, &*text),
            (DocumentKind::Presence, &*presence),
        ];
        self.put_presence(user, before, &documents)?;
        self.tell(now, user, &changes, None);
        let content = Content::new(acl::CONTENT_TYPE, text);
        if let Some(data) = self.users.get_mut(user) {
            data.access = access;
            for id in &data.access_lists {
                self.subscriptions
                    .with(*id, |notifier| notifier.notify(now, content.clone()));
            }
        }
        // As with contacts.
        self.drive_subscriptions(now);
        Ok(Served::default())
    }

    pub(in crate::front_end) fn open_contacts(
        &mut self,
        now: Instant,
        user: &Aor,
        request: &Message,
    ) -> Result<Opened, Refused> {
        let ucs = request.lists(HeaderName::Supported, contacts::UCS_OPTION);
        let data = self.load(now, user)?;
        let text = data.roster.subscribe(ucs)?;
        Ok(Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::Contacts,
            content: Content::new(contacts::CONTENT_TYPE, text),
        })
    }

    pub(in crate::front_end) fn open_access_list(
        &mut self,
        now: Instant,
        user: &Aor,
    ) -> Result<Opened, Refused> {
        let text = self.load(now, user)?.access.export();
        Ok(Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::AccessList,
            content: Content::new(acl::CONTENT_TYPE, text),
        })
    }
}
