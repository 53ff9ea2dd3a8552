//! SUBSCRIBE: new subscriptions, their refreshes and their end.

use std::sync::Arc;
use std::time::Instant;

use ocs_sip_core::subscription::{Content, Notifier};
use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_sipre::Epid;
use ocs_siprege::provisioning::legacy::{self, Document, Line};
use ocs_siprege::provisioning::{self, Answer, Deployment};
use ocs_xml::Extra;

use super::{Package, Subscription, SubscriptionId, Topic};
use crate::Store;
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
use crate::front_end::services::Refused;

/// A subscription that may begin: what it is about, and its first document.
#[derive(Debug)]
pub(in crate::front_end) struct Opened {
    pub(in crate::front_end) id: SubscriptionId,
    pub(in crate::front_end) topic: Topic,
    pub(in crate::front_end) content: Content,
}

impl<S: Store> FrontEnd<S> {
    /// A SUBSCRIBE that this server answers.
    pub(in crate::front_end) fn subscribe(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: ServerId,
        request: &Message,
    ) {
        if request.to_header().is_ok_and(|to| to.tag().is_some()) {
            self.resubscribe(now, caller, id, request);
            return;
        }
        let Some(package) = Package::of(request) else {
            let policy = Arc::clone(&self.policies.0);
            let tag = self.new_tag();
            let response = Message::response_to(request, 489, Some(&tag));
            let response = response.with(HeaderName::AllowEvents, &policy.packages.join(","));
            self.respond(now, id, response);
            return;
        };
        if matches!(package, Package::Provisioning | Package::LegacyProvisioning) {
            self.provision(now, caller, id, request);
            return;
        }
        match self.open(now, caller, package, request) {
            Ok(opened) => self.accept_subscription(now, caller, id, request, opened),
            Err(refused) => self.respond_refused(now, id, request, refused),
        }
    }

    fn open(
        &mut self,
        now: Instant,
        caller: &Caller,
        package: Package,
        request: &Message,
    ) -> Result<Opened, Refused> {
        let user = &caller.identity.aor;
        if package.is_own() && addressee(request).as_ref() != Some(user) {
            return Err(Refused::status(403));
        }
        let per_connection = self.config.subscriptions;
        let connection = self.connections.get(&caller.connection);
        if connection.is_none_or(|connection| connection.subscriptions.len() >= per_connection) {
            return Err(Refused::status(503));
        }
        match package {
            Package::Contacts => self.open_contacts(now, user, request),
            Package::AccessList => self.open_access_list(now, user),
            Package::Own => self.open_own(now, user, request),
            Package::Presence => self.open_presence(now, caller, request),
            Package::Pending => self.open_pending(now, user),
            Package::Provisioning | Package::LegacyProvisioning => Err(Refused::status(489)),
        }
    }

    fn accept_subscription(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: ServerId,
        request: &Message,
        opened: Opened,
    ) {
        let tag = self.new_tag();
        let policy = Arc::clone(&self.policies.0);
        match Notifier::accept(now, request, &tag, &policy, opened.content) {
            Err(response) => {
                self.detach_topic(opened.id, &caller.identity.aor, &opened.topic);
                self.respond(now, id, *response);
            }
            Ok((notifier, mut response)) => {
                response.push(HeaderName::Contact, &self.contact);
                self.respond(now, id, response);
                let key = opened.id;
                // A fetch is over with its answer: all that is left is to forget it.
                let fetch = notifier.is_ended();
                let subscription = Subscription {
                    notifier,
                    connection: caller.connection,
                    watcher: caller.identity.aor.clone(),
                    epid: epid_of(request),
                    topic: opened.topic,
                    scheduled: None,
                };
                if let Some(connection) = self.connections.get_mut(&caller.connection) {
                    connection.subscriptions.push(key);
                }
                self.subscriptions.insert(key, &tag, subscription);
                if !fetch {
                    self.attach(key);
                }
            }
        }
    }

    /// A SUBSCRIBE inside a dialog.
    fn resubscribe(&mut self, now: Instant, caller: &Caller, id: ServerId, request: &Message) {
        // What is older than the state in the answer goes out before it.
        self.drive_subscriptions(now);
        let own = |subscription: &&Subscription| {
            subscription.watcher == caller.identity.aor
                && subscription.connection == caller.connection
        };
        let found = self.subscriptions.find(request);
        let Some(key) = found.filter(|key| self.subscriptions.get(*key).as_ref().is_some_and(own))
        else {
            self.respond_refused(now, id, request, Refused::no_subscription());
            return;
        };
        let content = match self.refreshed(now, key, request) {
            Ok(content) => content,
            Err(refused) => {
                self.respond_refused(now, id, request, refused);
                return;
            }
        };
        let response = self.subscriptions.with(key, |notifier| {
            notifier.handle_subscribe(now, request, content)
        });
        if let Some(mut response) = response {
            if response.status() == Some(200) {
                response.push(HeaderName::Contact, &self.contact);
            }
            self.respond(now, id, response);
        }
    }

    /// The full state for a refresh, which may ask for something else than before.
    fn refreshed(
        &mut self,
        now: Instant,
        key: SubscriptionId,
        request: &Message,
    ) -> Result<Content, Refused> {
        let ends = request.number(HeaderName::Expires) == Ok(Some(0));
        if !ends
            && !request.body().is_empty()
            && let Some(content) = self.change_topic(now, key, request)?
        {
            return Ok(content);
        }
        Ok(self.full_state(key))
    }

    /// Puts the whole state in the place of changes that a client did not take in time.
    pub(super) fn send_full_state(&mut self, now: Instant, key: SubscriptionId) {
        let content = self.full_state(key);
        self.subscriptions
            .with(key, |notifier| notifier.notify(now, content));
    }

    /// In-band provisioning: answered once, without a dialog.
    fn provision(&mut self, now: Instant, caller: &Caller, id: ServerId, request: &Message) {
        let tag = self.new_tag();
        let context = provisioning::Context {
            sender: Some(&caller.identity.aor),
            tag: &tag,
            remote: false,
        };
        let Answer {
            mut response,
            notify,
        } = self
            .provisioning
            .handle_subscribe(context, request, &Directory(&self.store));
        if response.status() == Some(200) {
            response.push(HeaderName::Contact, &self.contact);
        }
        self.respond(now, id, response);
        if let Some(mut notify) = notify {
            self.push_via(caller.connection, &mut notify);
            let flow = ocs_sip_core::transaction::Flow::Stream(caller.connection);
            if notify.method() == Some(&ocs_sip_core::Method::Benotify) {
                self.layer.send(flow, notify);
            } else {
                // Nobody waits for the answer: there is no subscription.
                let _ = self.layer.request(now, flow, notify);
            }
        }
    }
}

/// What provisioning says of one user: in the form of 2005, his line.
struct Directory<'a, S>(&'a S);

impl<S: Store> Deployment for Directory<'_, S> {
    fn legacy(&self, aor: &Aor) -> Option<Document> {
        let user = self.0.user(aor)?;
        let line = user.line_uri.as_ref().map(|line| Line {
            uri: Some(line.into()),
            server: None,
            extra: Extra::default(),
        });
        Some(Document {
            users: vec![legacy::User {
                uri: Some(aor.to_uri().into()),
                lines: line.into_iter().collect(),
                extra: Extra::default(),
            }],
            extra: Extra::default(),
        })
    }
}

/// The user that a request is addressed to.
pub(in crate::front_end) fn addressee(request: &Message) -> Option<Aor> {
    let to = request.to_header().ok()?;
    let uri = to.uri().ok()?;
    uri.as_sip().and_then(SipUri::aor)
}

pub(in crate::front_end) fn epid_of(request: &Message) -> Option<Epid> {
    let from = request.from_header().ok()?;
    Epid::parse(from.epid()?).ok()
}
