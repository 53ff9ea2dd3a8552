//! Contacts, groups and access lists of the users ([MS-SIP] 2.2.3, 2.2.4, 3.7), and the search in the directory.

use std::time::Instant;

use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_siprege::soap::{self, Call, SearchAnswer};
use ocs_siprege::{acl, contacts};

use super::{Refused, Served};
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
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
        let data = self.load(now, user);
        let applied = data.roster.apply(call, &limits)?;
        let stored = data.roster.export();
        let subscribers = data.contacts.clone();
        self.store
            .put_document(user, DocumentKind::Contacts, &stored);
        let content = Content::new(contacts::CONTENT_TYPE, applied.delta);
        for id in subscribers {
            self.subscriptions.with(id, |notifier| {
                notifier.notify_delta(now, content.clone());
            });
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
        let data = self.load(now, user);
        data.access.apply(call, &limits)?;
        let text = data.access.export();
        let subscribers = data.access_lists.clone();
        self.store
            .put_document(user, DocumentKind::AccessList, &text);
        let content = Content::new(acl::CONTENT_TYPE, text);
        for id in subscribers {
            self.subscriptions
                .with(id, |notifier| notifier.notify(now, content.clone()));
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
        let data = self.load(now, user);
        let text = data.roster.subscribe(ucs)?;
        Ok(Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::Contacts,
            content: Content::new(contacts::CONTENT_TYPE, text),
        })
    }

    pub(in crate::front_end) fn open_access_list(&mut self, now: Instant, user: &Aor) -> Opened {
        let text = self.load(now, user).access.export();
        Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::AccessList,
            content: Content::new(acl::CONTENT_TYPE, text),
        }
    }
}
