//! Subscriptions to the presence of others, and to one's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ocs_ocer::ErrorId;
use ocs_pres::doc::{
    Action, ActionName, BatchSub, Resource, RoamingList, SourceNetwork, content_type,
};
use ocs_pres::server::{NameSet, Parts, Refusal, SubscriptionId, Watcher};
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_siprege::adhoc::{self, AdhocList};
use ocs_xml::{SmolStr, from_slice, to_string};

use super::legacy;
use super::watch::{Form, Seen, Watch};
use crate::Store;
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
use crate::front_end::services::Refused;
use crate::front_end::subscriptions::{Opened, Topic, addressee};

impl<S: Store> FrontEnd<S> {
    /// A subscription to one's own presence.
    pub(in crate::front_end) fn open_own(
        &mut self,
        now: Instant,
        user: &Aor,
        request: &Message,
    ) -> Result<Opened, Refused> {
        let kind = request.content_type().ok().flatten();
        if !kind.is_some_and(|kind| kind.is(content_type::ROAMING_SELF)) {
            return Err(Refused::content_type());
        }
        let list: RoamingList = from_slice(request.body(), &self.config.documents)?;
        let parts = Parts::from(&list);
        let document = self.load(now, user)?.presentity.full_document(parts);
        Ok(Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::Own(parts),
            content: Content::new(content_type::ROAMING_SELF, to_string(&document)),
        })
    }

    /// A subscription to the presence of others.
    pub(in crate::front_end) fn open_presence(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
    ) -> Result<Opened, Refused> {
        let user = &caller.identity.aor;
        let (form, batch) = self.asked(user, request)?;
        let is_list = matches!(form, Form::List | Form::MsrtcList);
        let mut watch = Watch {
            form,
            watcher: Arc::new(self.watcher(user)),
            list: user.to_uri().into(),
            name: self.name_for(form, request),
            users: BTreeMap::new(),
            refused: BTreeMap::new(),
            eventlist: is_list && request.lists(HeaderName::Supported, "eventlist"),
        };
        let id = self.subscriptions.next_id();
        let seen = self.change_watch(now, id, &mut watch, &batch)?;
        let content = self.watch_content(&watch, seen)?;
        Ok(Opened {
            id,
            topic: Topic::Presence(Box::new(watch)),
            content,
        })
    }

    /// What a SUBSCRIBE asks for, and in which form. The form is the first of the server's preferences that the client takes.
    fn asked(&self, user: &Aor, request: &Message) -> Result<(Form, BatchSub), Refused> {
        let limits = &self.config.documents;
        let kind = request.content_type().ok().flatten();
        let is = |media: &str| kind.is_some_and(|kind| kind.is(media));
        if is(content_type::BATCH_SUB) {
            let is_list = request.lists(HeaderName::Require, adhoc::OPTION);
            let form = if is_list { Form::List } else { Form::Single };
            return Ok((form, from_slice(request.body(), limits)?));
        }
        if is(adhoc::CONTENT_TYPE) {
            let list = AdhocList::parse(request.body(), limits)?;
            return Ok((Form::MsrtcList, legacy::batch(&list, user)));
        }
        let takes = |media: &str| {
            let mut ranges = request.values(HeaderName::Accept);
            ranges.any(|range| {
                let essence = range.split(';').next().unwrap_or_default();
                essence.trim_ascii().eq_ignore_ascii_case(media)
            })
        };
        let form = if takes(content_type::MSRTC_PIDF) {
            Form::Msrtc
        } else if takes(content_type::PIDF) {
            Form::Pidf
        } else {
            return Err(Refused::status(406));
        };
        let wanted = addressee(request).ok_or(Refused::status(400))?;
        Ok((form, legacy::single(&wanted)))
    }

    /// The name of the user whom a subscription of everybody's form is for.
    fn name_for(&self, form: Form, request: &Message) -> Option<SmolStr> {
        let wanted = addressee(request).filter(|_| form == Form::Pidf)?;
        let user = self.store.user(&wanted)?;
        user.display_name.as_deref().map(Into::into)
    }

    /// A user of this server as those whom he watches see him.
    pub(super) fn watcher(&self, user: &Aor) -> Watcher {
        let network = if self.is_own_domain(user) {
            SourceNetwork::SameEnterprise
        } else {
            SourceNetwork::Federated
        };
        Watcher {
            user: user.clone(),
            network,
        }
    }

    fn is_own_domain(&self, user: &Aor) -> bool {
        let mut domains = self.config.router.domains.iter();
        domains.any(|own| own.eq_ignore_ascii_case(user.domain()))
    }

    /// Does what a batch asks for, or nothing; gives what is new by it.
    pub(in crate::front_end) fn change_watch(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        watch: &mut Watch,
        batch: &BatchSub,
    ) -> Result<Seen, Refused> {
        self.users.policy().admit(batch)?;
        let mut actions = Vec::with_capacity(batch.actions.len());
        for action in &batch.actions {
            actions.push((action, resources(action)?));
        }
        let mut seen = Seen::default();
        for (action, resources) in actions {
            let names = NameSet::new(self.users.policy(), action.categories());
            for (user, resource) in resources {
                if action.name == ActionName::Unsubscribe {
                    watch.users.remove(&user);
                    watch.served(&resource.uri);
                    self.unwatch(id, &user);
                } else {
                    match self.watch_user(now, id, watch, (user, resource), &names) {
                        Ok(document) => {
                            watch.served(&resource.uri);
                            seen.documents.push(document);
                        }
                        Err(refused) => {
                            let limit = self.users.policy().limits.resources;
                            if watch.refuse(&resource.uri, refused.status, limit) {
                                seen.unserved.push((resource.uri.clone(), refused));
                            }
                        }
                    }
                }
            }
        }
        Ok(seen)
    }

    /// Adds a user to those whom a subscription watches; gives what it sees of him.
    fn watch_user(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        watch: &mut Watch,
        (user, resource): (Aor, &Resource),
        names: &NameSet,
    ) -> Result<(Aor, String), Refused> {
        if watch.users.len() >= self.users.policy().limits.resources {
            return Err(Refused::diagnosed(403, ErrorId(Refusal::SUBSCRIBER_LIMIT)));
        }
        if self.store.user(&user).is_none() {
            return Err(if self.is_own_domain(&user) {
                Refused::diagnosed(404, ErrorId::USER_DOES_NOT_EXIST)
            } else {
                Refused::diagnosed(504, ErrorId::CANNOT_ROUTE_TO_DOMAIN)
            });
        }
        let watcher = Arc::clone(&watch.watcher);
        let data = self.load(now, &user)?;
        // One text of the address for all who watch.
        let user = data.presentity.user().clone();
        let subscribed = data
            .watchers
            .subscribe(&data.presentity, id, &watcher, names);
        let document = match subscribed {
            Ok(categories) => watch.document(&categories),
            Err(refusal) => {
                self.users.release(&user);
                return Err(refusal.into());
            }
        };
        if let Some(context) = &resource.context {
            self.added(now, &user, &watcher, &ocs_xml::Raw::of(context));
        }
        let names = match watch.users.get(&user) {
            Some(before) => NameSet::new(self.users.policy(), before.iter().chain(names.iter())),
            None => names.clone(),
        };
        watch.users.insert(user.clone(), names);
        Ok((user, document))
    }

    /// Somebody has added a user to his contacts: the user may be asked about it.
    fn added(&mut self, now: Instant, user: &Aor, watcher: &Watcher, context: &ocs_xml::Raw) {
        let entry = self.store.user(&watcher.user);
        let name = entry.as_ref().and_then(|user| user.display_name.as_deref());
        let name = name.unwrap_or_default();
        if let Some(data) = self.users.get_mut(user) {
            let changes = data.presentity.watcher_added(watcher, name, Some(context));
            self.happened(now, user, &changes);
        }
    }

    pub(in crate::front_end) fn unwatch(&mut self, id: SubscriptionId, user: &Aor) {
        if let Some(data) = self.users.get_mut(user) {
            data.watchers.unsubscribe(id);
            self.users.release(user);
        }
    }

    /// The whole state of what a subscription watches. Who is watched is in memory.
    pub(in crate::front_end) fn watched(&self, watch: &Watch) -> Seen {
        let mut seen = Seen::default();
        for (user, names) in &watch.users {
            if let Some(data) = self.users.get(user) {
                let container = data.presentity.container_of(&watch.watcher);
                let document = data.presentity.watcher_document(container, names.iter());
                seen.documents
                    .push((user.clone(), watch.document(&document)));
            }
        }
        let ended = watch.ended();
        seen.unserved
            .extend(ended.map(|(uri, status)| (uri.clone(), Refused::status(status))));
        seen
    }

    /// What a client gets. One who asked for one user and cannot have him is refused.
    pub(in crate::front_end) fn watch_content(
        &mut self,
        watch: &Watch,
        mut seen: Seen,
    ) -> Result<Content, Refused> {
        match watch.form {
            Form::List | Form::MsrtcList => {
                let boundary = self.new_tag();
                Ok(watch.list_content(seen, &boundary))
            }
            Form::Single | Form::Msrtc | Form::Pidf => {
                if seen.documents.is_empty() {
                    let refused = seen.unserved.pop();
                    return refused.map_or(Ok(Content::default()), |(_, refused)| Err(refused));
                }
                let (_, document) = seen.documents.swap_remove(0);
                Ok(watch.content(document.into()))
            }
        }
    }

    /// A SUBSCRIBE in the dialog, with a body: gives what is new.
    pub(in crate::front_end) fn change_presence(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        watch: &mut Watch,
        request: &Message,
    ) -> Result<Option<Content>, Refused> {
        let user = watch.watcher.user.clone();
        let (_, batch) = self.asked(&user, request)?;
        let seen = self.change_watch(now, id, watch, &batch)?;
        self.watch_content(watch, seen).map(Some)
    }
}

/// The users that an action names. One address that is none refuses the whole request, as real servers do.
fn resources(action: &Action) -> Result<Vec<(Aor, &Resource)>, Refused> {
    action
        .resources()
        .iter()
        .map(|resource| {
            let user = Aor::parse(&resource.uri).map_err(|_| Refused::status(400))?;
            Ok((user, resource))
        })
        .collect()
}
