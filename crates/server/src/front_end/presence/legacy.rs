//! Clients of LCS and OCS 2005: presence as two numbers ([MS-PRES], legacy presence).

use std::time::Instant;

use bytes::Bytes;
use ocs_pres::category::LegacyInterop;
use ocs_pres::doc::{
    Action, ActionName, BatchSub, Categories, Change, ContainerChange, ContainerId, Member,
    MemberChange, MemberType, Resource, SetContainerMembers, content_type,
};
use ocs_pres::instance::Source;
use ocs_pres::legacy::{GetPresence, Pair, Presentity, SetPresence, Watcher, Watchers, pidf};
use ocs_pres::publications;
use ocs_pres::server::Parts;
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, Message};
use ocs_siprege::adhoc::{AdhocList, Step};
use ocs_siprege::soap;
use ocs_xml::{SmolStr, from_slice, to_string};

use super::watch::Form;
use crate::Store;
use crate::front_end::FrontEnd;
use crate::front_end::input::Caller;
use crate::front_end::services::{Refused, Served};
use crate::front_end::subscriptions::{Opened, Topic};

/// What readers of 2005 are told, as a category of 2007.
pub(super) const CATEGORIES: [SmolStr; 1] = [SmolStr::new_static("legacyInterop")];

/// The type of the document of those who wait for an answer.
const PENDING_TYPE: &str = "text/xml+msrtc.wpending";

/// A list of 2005 as a category subscription of 2007.
pub(super) fn batch(list: &AdhocList, own: &Aor) -> BatchSub {
    let actions = list.steps.iter().map(|step| {
        let name = match step {
            Step::Create(_) | Step::Add(_) => ActionName::Subscribe,
            Step::Delete(_) => ActionName::Unsubscribe,
        };
        let resources = step.resources().iter();
        let resources = resources.map(|resource| Resource::new(resource.uri.clone()));
        Action::new(name, "1", resources.collect(), CATEGORIES)
    });
    BatchSub::new(own.to_uri(), actions.collect())
}

/// A subscription to one user, as a category subscription of 2007.
pub(super) fn single(user: &Aor) -> BatchSub {
    let resource = Resource::new(user.to_uri());
    let action = Action::new(ActionName::Subscribe, "1", vec![resource], CATEGORIES);
    BatchSub::new(user.to_uri(), vec![action])
}

/// The document of 2005, or of everybody else, for what a watcher sees.
pub(super) fn document(form: Form, categories: &Categories) -> String {
    let state = categories
        .categories
        .iter()
        .filter(|category| category.name == CATEGORIES[0])
        .find_map(|category| category.value()?.decode::<LegacyInterop>().ok());
    let uri = categories.uri.as_str();
    if form == Form::Pidf {
        let offline = LegacyInterop::new(ocs_pres::category::Availability::OFFLINE, None);
        return to_string(&pidf::Presence::of(uri, &state.unwrap_or(offline)));
    }
    let bare = uri.strip_prefix("sip:").unwrap_or(uri);
    to_string(&match state {
        Some(state) => Presentity::of(bare, &state),
        None => Presentity::new(bare, Pair::OFFLINE),
    })
}

/// The same from a document that is written already.
pub(super) fn of_body(form: Form, body: &Bytes) -> Bytes {
    let limits = ocs_xml::Limits {
        size: body.len(),
        ..ocs_xml::Limits::default()
    };
    match from_slice::<Categories>(body, &limits) {
        Ok(categories) => document(form, &categories).into(),
        // It was written here, and is well-formed.
        Err(_) => Bytes::new(),
    }
}

/// The media type of a form.
pub(super) const fn media_type(form: Form) -> &'static str {
    match form {
        Form::Single | Form::List => content_type::CATEGORIES,
        Form::Msrtc | Form::MsrtcList => content_type::MSRTC_PIDF,
        Form::Pidf => content_type::PIDF,
    }
}

impl<S: Store> FrontEnd<S> {
    /// `setPresence`: what a client of 2005 says of its user becomes what one of 2007 would publish.
    pub(in crate::front_end) fn set_presence(
        &mut self,
        now: Instant,
        caller: &Caller,
        request: &Message,
    ) -> Result<Served, Refused> {
        let user = &caller.identity.aor;
        let set = SetPresence::read(request.body(), &self.config.documents)?;
        if Aor::parse(&set.uri).as_ref() != Ok(user) {
            return Err(Refused::status(403));
        }
        let Some(endpoint) = self.endpoint_of(caller, request) else {
            return Err(Refused::status(403));
        };
        let note = set.user_info.as_ref().and_then(|info| info.data().ok());
        let note = note.and_then(|data| data.note);
        let mut seen = Presentity::new(user.as_str(), set.pair);
        seen.user_info = set.user_info;
        let source = Source::from_name(&endpoint);
        let mut publications = publications::machine_state(source, seen.enhanced());
        if let Some(note) = note {
            publications.extend(publications::personal_note(&note));
        }
        let data = self.load(now, user);
        let changes = data.presentity.install(now, Some(&endpoint), publications);
        self.tell(now, user, &changes, None);
        self.place_others(now, user)
    }

    /// A client of 2005 knows no containers, without which nobody sees anything: what one of 2007 puts into them at its first sign-in is put
    /// there in its place (inferred).
    fn place_others(&mut self, now: Instant, user: &Aor) -> Result<Served, Refused> {
        let parts = Parts {
            containers: true,
            ..Parts::NONE
        };
        let known = self.load(now, user).presentity.full_document(parts);
        if known
            .containers
            .is_some_and(|known| !known.containers.is_empty())
        {
            return Ok(Served::default());
        }
        let add = |container, network| {
            let member = MemberChange::new(Change::Add, Member::network(network));
            ContainerChange::new(container, 0, vec![member])
        };
        let body = to_string(&SetContainerMembers::new(vec![
            add(ContainerId::COMPANY, MemberType::SameEnterprise),
            add(ContainerId::PUBLIC, MemberType::Federated),
        ]));
        self.set_container_members(now, user, body.as_bytes())
    }

    /// `getPresence`: what somebody sees of another at this moment.
    pub(in crate::front_end) fn get_presence(
        &mut self,
        now: Instant,
        user: &Aor,
        request: &Message,
    ) -> Result<Served, Refused> {
        let get = GetPresence::read(request.body(), &self.config.documents)?;
        let wanted = Aor::parse(&get.uri).map_err(|_| Refused::status(400))?;
        if self.store.user(&wanted).is_none() {
            return Err(Refused::status(404));
        }
        let watcher = self.watcher(user);
        let presentity = &self.load(now, &wanted).presentity;
        let container = presentity.container_of(&watcher);
        if container == ContainerId::BLOCKED {
            return Err(Refused::status(403));
        }
        let categories = presentity.watcher_document(container, &CATEGORIES);
        let text = document(Form::Msrtc, &categories);
        self.users.release(&wanted);
        Ok(Served::document(soap::CONTENT_TYPE, text))
    }

    /// Those who wait for an answer of the user.
    pub(in crate::front_end) fn open_pending(&mut self, now: Instant, user: &Aor) -> Opened {
        let content = self.pending_content(now, user);
        Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::Pending,
            content,
        }
    }

    pub(in crate::front_end) fn pending_content(&mut self, now: Instant, user: &Aor) -> Content {
        let parts = Parts {
            subscribers: true,
            ..Parts::NONE
        };
        let document = self.load(now, user).presentity.full_document(parts);
        let waiting = document.subscribers.into_iter();
        let watchers = waiting
            .flat_map(|subscribers| subscribers.subscribers)
            .filter(|subscriber| !subscriber.acknowledged)
            .map(|subscriber| Watcher {
                uri: subscriber.user,
                display_name: subscriber.display_name,
                extra: ocs_xml::Extra::default(),
            });
        let document = Watchers {
            watcher: watchers.collect(),
            ..Watchers::default()
        };
        Content::new(PENDING_TYPE, to_string(&document))
    }
}
