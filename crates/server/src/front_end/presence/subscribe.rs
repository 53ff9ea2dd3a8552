//! Subscriptions to the presence of others, and to one's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ocs_pres::doc::{
    Action, ActionName, BatchSub, Resource, RoamingList, SourceNetwork, content_type,
};
use ocs_pres::server::{NameSet, Parts, SubscriptionId, Watcher};
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_siprege::adhoc::{self, AdhocList};
use ocs_xml::{from_slice, to_string};

use super::legacy;
use super::watch::{Form, Watch};
use crate::Store;
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
use crate::front_end::services::Refused;
use crate::front_end::subscriptions::{Opened, Topic, addressee};

/// The documents of users, as strings.
type Documents = Vec<(Aor, String)>;

impl<S: Store> FrontEnd<S> {
    /// A subscription to one's own presence.
    pub(in crate::front_end) fn open_own(
        &mut self,
        now: Instant,
        user: &Aor,
        request: &Message,
    ) -> Result<Opened, Refused> {
        let list: RoamingList = from_slice(request.body(), &self.config.documents)?;
        let parts = Parts::from(&list);
        let document = self.load(now, user).presentity.full_document(parts);
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
            users: BTreeMap::new(),
            refused: Vec::new(),
            eventlist: is_list && request.lists(HeaderName::Supported, "eventlist"),
        };
        let id = self.subscriptions.next_id();
        let documents = self.change_watch(now, id, &mut watch, &batch)?;
        let content = self.watch_content(&watch, documents);
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

    /// A user of this server as those whom he watches see him.
    pub(super) fn watcher(&self, user: &Aor) -> Watcher {
        let is_own = |own: &String| own.eq_ignore_ascii_case(user.domain());
        let network = if self.config.router.domains.iter().any(is_own) {
            SourceNetwork::SameEnterprise
        } else {
            SourceNetwork::Federated
        };
        Watcher {
            user: user.clone(),
            network,
        }
    }

    /// Does what a batch asks for, or nothing; gives the documents of the users that it adds.
    pub(in crate::front_end) fn change_watch(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        watch: &mut Watch,
        batch: &BatchSub,
    ) -> Result<Documents, Refused> {
        self.users.policy().admit(batch)?;
        let mut actions = Vec::with_capacity(batch.actions.len());
        for action in &batch.actions {
            actions.push((action, resources(action)?));
        }
        let mut documents = Vec::new();
        for (action, resources) in actions {
            let names = NameSet::new(self.users.policy(), action.categories());
            for (user, resource) in resources {
                if action.name == ActionName::Unsubscribe {
                    watch.users.remove(&user);
                    watch.refused.retain(|(uri, _)| *uri != resource.uri);
                    self.unwatch(id, &user);
                } else {
                    watch.refused.retain(|(uri, _)| *uri != resource.uri);
                    match self.watch_user(now, id, watch, (user, resource), &names) {
                        Ok(document) => documents.push(document),
                        Err(status) => watch.refused.push((resource.uri.clone(), status)),
                    }
                }
            }
        }
        Ok(documents)
    }

    /// Adds a user to those whom a subscription watches; gives what it sees of him.
    fn watch_user(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        watch: &mut Watch,
        (user, resource): (Aor, &Resource),
        names: &NameSet,
    ) -> Result<(Aor, String), u16> {
        if watch.users.len() >= self.users.policy().limits.resources {
            return Err(403);
        }
        if self.store.user(&user).is_none() {
            return Err(404);
        }
        let watcher = Arc::clone(&watch.watcher);
        let data = self.load(now, &user);
        // One text of the address for all who watch.
        let user = data.presentity.user().clone();
        let subscribed = data
            .watchers
            .subscribe(&data.presentity, id, &watcher, names);
        let document = match subscribed {
            Ok(categories) => watch.document(&categories),
            Err(refusal) => {
                self.users.release(&user);
                return Err(refusal.status);
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
        let data = self.load(now, user);
        let changes = data.presentity.watcher_added(watcher, name, Some(context));
        self.tell(now, user, &changes, None);
    }

    pub(in crate::front_end) fn unwatch(&mut self, id: SubscriptionId, user: &Aor) {
        if let Some(data) = self.users.get_mut(user) {
            data.watchers.unsubscribe(id);
            self.users.release(user);
        }
    }

    /// The whole state of what a subscription watches.
    pub(in crate::front_end) fn watch_documents(
        &mut self,
        now: Instant,
        watch: &Watch,
    ) -> Documents {
        let mut documents = Vec::with_capacity(watch.users.len());
        for (user, names) in &watch.users {
            let presentity = &self.load(now, user).presentity;
            let container = presentity.container_of(&watch.watcher);
            let document = presentity.watcher_document(container, names.iter());
            documents.push((user.clone(), watch.document(&document)));
        }
        documents
    }

    pub(in crate::front_end) fn watch_content(
        &mut self,
        watch: &Watch,
        documents: Documents,
    ) -> Content {
        match (watch.form, documents.into_iter()) {
            (Form::Single | Form::Msrtc | Form::Pidf, mut documents) => match documents.next() {
                Some((_, document)) => watch.content(document.into()),
                None => Content::default(),
            },
            (Form::List | Form::MsrtcList, documents) => {
                let boundary = self.new_tag();
                watch.list_content(documents, &boundary)
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
        let documents = self.change_watch(now, id, watch, &batch)?;
        Ok(Some(self.watch_content(watch, documents)))
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
