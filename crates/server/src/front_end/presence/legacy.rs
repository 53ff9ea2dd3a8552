//! Clients of LCS and OCS 2005: presence as two numbers ([MS-PRES], legacy presence).

use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_pres::category::{Availability, LegacyInterop};
use ocs_pres::doc::{
    Action, ActionName, BatchSub, Categories, ContainerId, ExpireType, Publication, Resource,
    content_type,
};
use ocs_pres::instance::Source;
use ocs_pres::legacy::{GetPresence, Pair, SetPresence, Watcher, Watchers, pidf};
use ocs_pres::server::{Changes, Parts, Presentity};
use ocs_pres::{legacy, publications};
use ocs_sip_core::subscription::Content;
use ocs_sip_core::{Aor, Message};
use ocs_sipre::binding::Binding;
use ocs_siprege::adhoc::{AdhocList, Step};
use ocs_xml::{SmolStr, from_slice, to_string};

use super::access::place_others;
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

/// The document of 2005, or of everybody else, for what a watcher sees. The latter has the user's name in it, if he has one.
pub(super) fn document(form: Form, name: Option<&str>, categories: &Categories) -> String {
    let state = categories
        .categories
        .iter()
        .filter(|category| category.name == CATEGORIES[0])
        .find_map(|category| category.value()?.decode::<LegacyInterop>().ok());
    let uri = categories.uri.as_str();
    if form == Form::Pidf {
        let offline = LegacyInterop::new(Availability::OFFLINE, None);
        let presence = pidf::Presence::of(uri, &state.unwrap_or(offline));
        return to_string(&match name {
            Some(name) => presence.named(name),
            None => presence,
        });
    }
    let bare = uri.strip_prefix("sip:").unwrap_or(uri);
    to_string(&match state {
        Some(state) => legacy::Presentity::of(bare, &state),
        None => legacy::Presentity::new(bare, Pair::OFFLINE),
    })
}

/// The same from a document that is written already.
pub(super) fn of_body(form: Form, name: Option<&str>, body: &Bytes) -> Bytes {
    let limits = ocs_xml::Limits {
        size: body.len(),
        ..ocs_xml::Limits::default()
    };
    match from_slice::<Categories>(body, &limits) {
        Ok(categories) => document(form, name, &categories).into(),
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
        let mut seen = legacy::Presentity::new(user.as_str(), set.pair);
        seen.user_info = set.user_info;
        let mut publications = machine_of(&endpoint, seen.enhanced());
        if let Some(note) = note {
            publications.extend(publications::personal_note(&note));
        }
        let (changes, ()) = self.change_presentity(now, user, |presentity| {
            let mut changes = presentity.install(now, Some(&endpoint), publications);
            changes.merge(place_others(presentity)?);
            Ok((changes, ()))
        })?;
        self.tell(now, user, &changes, None);
        Ok(Served::default())
    }

    /// `getPresence`: what somebody sees of another at this moment. The document stands in the answer as it would in a notification
    /// ([MS-SIP] 3.2.5.1), so its type is the same (inferred).
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
        let presentity = &self.load(now, &wanted)?.presentity;
        let container = presentity.container_of(&watcher);
        let seen = (container != ContainerId::BLOCKED)
            .then(|| presentity.watcher_document(container, &CATEGORIES));
        self.users.release(&wanted);
        let seen = seen.ok_or(Refused::status(403))?;
        let text = document(Form::Msrtc, None, &seen);
        Ok(Served::document(media_type(Form::Msrtc), text))
    }

    /// Those who wait for an answer of the user.
    pub(in crate::front_end) fn open_pending(
        &mut self,
        now: Instant,
        user: &Aor,
    ) -> Result<Opened, Refused> {
        let content = pending_content(&self.load(now, user)?.presentity);
        Ok(Opened {
            id: self.subscriptions.next_id(),
            topic: Topic::Pending,
            content,
        })
    }
}

/// Those who wait for an answer of a user.
pub(in crate::front_end) fn pending_content(presentity: &Presentity) -> Content {
    let parts = Parts {
        subscribers: true,
        ..Parts::NONE
    };
    let document = presentity.full_document(parts);
    let waiting = document.subscribers.into_iter();
    let watchers = waiting
        .flat_map(|subscribers| subscribers.subscribers)
        .filter(|subscriber| !subscriber.acknowledged)
        .map(|subscriber| Watcher {
            // With its scheme, as readers look for it among their contacts and put it into `setACE` (SIPE).
            uri: Aor::parse(&subscriber.user).map_or(subscriber.user, |user| user.to_uri().into()),
            display_name: subscriber.display_name,
            extra: ocs_xml::Extra::default(),
        });
    let document = Watchers {
        watcher: watchers.collect(),
        ..Watchers::default()
    };
    Content::new(PENDING_TYPE, to_string(&document))
}

/// An endpoint has registered. One that knows no categories of presence cannot say that its user is there: it is said in its place, for as
/// long as the endpoint is registered, or until it should have said so itself.
pub(super) fn endpoint_registered(
    presentity: &mut Presentity,
    now: Instant,
    binding: &Binding,
    silence: Duration,
) -> Changes {
    let endpoint = binding.instance.to_string();
    let is_new = presentity
        .endpoints()
        .iter()
        .all(|known| *known != endpoint);
    let mut changes = presentity.endpoint_registered(now, &endpoint);
    let announces = |option: &str| {
        let mut supported = binding.supported.iter();
        supported.any(|known| known.eq_ignore_ascii_case(option))
    };
    if is_new && !announces("msrtc-event-categories") {
        let mut publications = machine_of(&endpoint, Availability::AVAILABLE);
        if announces("com.microsoft.msrtc.presence") {
            for publication in &mut publications {
                publication.expire_type = ExpireType::Time;
                publication.expires = i64::try_from(silence.as_secs()).ok();
            }
        }
        changes.merge(presentity.install(now, Some(&endpoint), publications));
        // Refused only where there are more containers than may be: then others are placed already.
        changes.merge(place_others(presentity).unwrap_or_default());
    }
    changes
}

/// An endpoint is no longer registered, and nothing is left of what was said in its place.
pub(super) fn endpoint_gone(presentity: &mut Presentity, now: Instant, endpoint: &str) -> Changes {
    let mut changes = presentity.endpoint_gone(now, endpoint);
    let mut publications = machine_of(endpoint, Availability::OFFLINE);
    for publication in &mut publications {
        publication.expires = Some(0);
        publication.value = None;
    }
    changes.merge(presentity.install(now, None, publications));
    changes
}

/// The state of a machine of 2005, under an id that its client does not know.
fn machine_of(endpoint: &str, availability: Availability) -> Vec<Publication> {
    publications::machine_state(Source::from_name(endpoint), availability)
}
