//! What the server does for its users besides routing: SERVICE, and the documents of their subscriptions.

mod contacts;
mod refused;
mod topics;

use std::borrow::Cow;
use std::time::Instant;

use ocs_ocer::report;
use ocs_pres::doc::content_type;
use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{Aor, Message};
use ocs_sipre::gruu::{Gruu, Opaque};
use ocs_siprege::location::{self, LocationProfileDescription, Profiles};

use super::FrontEnd;
use super::input::Caller;
use super::relay::is_of_relays;
use super::subscriptions::addressee;
use crate::{Event, Store};

pub(super) use refused::Refused;

/// A request that was served.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Type and text of the body.
    body: Option<(&'static str, String)>,
}

impl Served {
    pub(super) fn document(content_type: &'static str, text: String) -> Self {
        Self {
            body: Some((content_type, text)),
        }
    }
}

/// The dial plans of this server's users.
struct Pool<'a, S> {
    store: &'a S,
    profiles: &'a [LocationProfileDescription],
}

impl<S: Store> Profiles for Pool<'_, S> {
    fn knows(&self, aor: &Aor) -> bool {
        self.store.user(aor).is_some()
    }

    fn assigned(&self, _aor: &Aor) -> Option<Cow<'_, LocationProfileDescription>> {
        self.profiles.first().map(Cow::Borrowed)
    }

    fn named(&self, name: &str) -> Option<Cow<'_, LocationProfileDescription>> {
        let named = |profile: &&LocationProfileDescription| profile.name == name;
        self.profiles.iter().find(named).map(Cow::Borrowed)
    }
}

impl<S: Store> FrontEnd<S> {
    /// A SERVICE that this server answers.
    pub(super) fn service(
        &mut self,
        now: Instant,
        caller: &Caller,
        id: ServerId,
        request: &Message,
    ) {
        let tag = self.new_tag();
        if let Some(response) = self.application_service(caller, request, &tag) {
            self.respond(now, id, response);
            return;
        }
        match self.user_service(now, caller, request) {
            Ok(served) => {
                let mut response = Message::response_to(request, 200, Some(&tag));
                if let Some((content_type, text)) = served.body {
                    response.set_body(content_type, text);
                }
                self.respond(now, id, response);
            }
            Err(refused) => self.respond_refused(now, id, request, refused),
        }
    }

    /// Requests to the services of the system that have an address of their own.
    fn application_service(
        &mut self,
        caller: &Caller,
        request: &Message,
        tag: &str,
    ) -> Option<Message> {
        if report::is_report(request) {
            return Some(self.take_report(caller, request, tag));
        }
        let gruu = Gruu::parse(request.request_uri()?).ok()?;
        if is_of_relays(&gruu) {
            // That of this pool has had its turn.
            return Some(Message::response_to(request, 404, Some(tag)));
        }
        match gruu.opaque {
            Opaque::LocationProfile(_) => {
                let pool = Pool {
                    store: &self.store,
                    profiles: &self.config.location_profiles,
                };
                location::handle_service(&pool, request, tag)
            }
            Opaque::FocusFactory => {
                self.focus_factory
                    .handle_service(&caller.identity.aor, request, tag)
            }
            _ => None,
        }
    }

    /// Requests about the data of the sender, or of somebody for whom he publishes.
    fn user_service(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
    ) -> Result<Served, Refused> {
        let kind = request.content_type().ok().flatten();
        let essence = kind.map(|kind| kind.essence.to_ascii_lowercase());
        let user = &caller.identity.aor;
        let body = request.body();
        let addressee = addressee(request);
        match (essence.as_deref(), &addressee) {
            (Some("application/soap+xml"), _) => self.soap(now, caller, request),
            (Some(content_type::PUBLISH), Some(user)) if self.store.user(user).is_some() => {
                self.publish(now, caller, user, request)
            }
            (Some(_), addressee) if addressee.as_ref() != Some(user) => Err(Refused::status(403)),
            (Some(content_type::SET_CONTAINER_MEMBERS), _) => {
                self.set_container_members(now, user, body)
            }
            (Some(content_type::SET_SUBSCRIBERS), _) => self.set_subscribers(now, user, body),
            (Some(content_type::SET_DELEGATES), _) => self.set_delegates(now, user, body),
            _ => Err(Refused::content_type()),
        }
    }

    /// A user tells of a failure ([MS-OCER] 2.2.2).
    fn take_report(&mut self, caller: &Caller, request: &Message, tag: &str) -> Message {
        let user = &caller.identity.aor;
        match report::receive(request, user, &ocs_ocer::Limits::default()) {
            Ok(report) => {
                self.events.push_back(Event::ErrorReport {
                    aor: user.clone(),
                    report: Box::new(report),
                });
                Message::response_to(request, 200, Some(tag))
            }
            Err(refused) => refused.response(request, tag, &self.config.fqdn),
        }
    }
}
