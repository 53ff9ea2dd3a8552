//! What follows the registration: eight questions, each answered or refused on its own ([MS-OCSPROT] 2.5.3).

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use ocs_pres::client::{Watch, WatchConfig, WriteId};
use ocs_pres::doc::{RoamingList, RoamingPart, content_type, event};
use ocs_sip_core::subscription::AUTOEXTEND;
use ocs_sip_core::{Aor, HeaderName, Message};
use ocs_siprege::contacts::{self, Mirror, MirrorConfig};
use ocs_siprege::location::{self, LocationProfileDescription};
use ocs_siprege::mcu::{Command, McuList, Question, Reply};
use ocs_siprege::provisioning::{self, ProvisionGroupList, ProvisioningGroupList, View};
use ocs_siprege::registration::Registered;
use ocs_xml::{Limits, to_string};

use super::UserAgent;
use super::services::{Job, explanation, status_of};
use super::subscriptions::{Subscribe, Topic};
use crate::{Config, Event, Step};

/// The status of an answer that cannot be understood, in [`Event::StepRefused`].
pub(super) const UNREADABLE: u16 = 400;

/// The steps that are under way, and what came of them.
#[derive(Debug, Default)]
pub(super) struct Bootstrap {
    waiting: BTreeSet<Step>,
    /// Through an Edge server.
    remote: bool,
    /// Whether the server takes one subscription for many users.
    pub(super) batched: bool,
    /// The first publication of this endpoint.
    pub(super) publication: Option<WriteId>,
    /// Writes that nobody ordered.
    pub(super) quiet: HashSet<WriteId>,
    /// Contacts that this endpoint is adding: they are prompted for the user.
    pub(super) adding: HashSet<Aor>,
    provisioning: Option<ProvisionGroupList>,
    location_profile: Option<LocationProfileDescription>,
    conferencing: Option<McuList>,
}

/// Registered while the services for contacts and presence are away (\[MS-SIPREGE\] 3.1.1.5.1).
fn is_without_presence(registered: &Registered) -> bool {
    let state = registered.presence_state.as_ref();
    state.is_some_and(|state| state.user_services_unavailable)
}

pub(super) fn new_watch(config: &Config) -> Watch {
    let mut watch = WatchConfig::new(config.aor.clone());
    watch.categories.clone_from(&config.bootstrap.categories);
    Watch::new(watch)
}

pub(super) fn new_mirror() -> Mirror {
    let mut mirror = Mirror::new(MirrorConfig::default());
    // It wants to subscribe at once; here that begins with a registration.
    while mirror.poll_action().is_some() {}
    mirror
}

impl UserAgent {
    /// The server's configuration, once it came.
    #[must_use]
    pub const fn provisioning(&self) -> Option<&ProvisionGroupList> {
        self.bootstrap.provisioning.as_ref()
    }

    /// What the server's configuration means for this client, once it came.
    #[must_use]
    pub fn settings(&self) -> Option<View<'_>> {
        let list = self.bootstrap.provisioning.as_ref()?;
        Some(View::new(list, self.bootstrap.remote))
    }

    /// The user's location profile, once it came.
    #[must_use]
    pub const fn location_profile(&self) -> Option<&LocationProfileDescription> {
        self.bootstrap.location_profile.as_ref()
    }

    /// The conferencing servers, once they came.
    #[must_use]
    pub const fn conferencing(&self) -> Option<&McuList> {
        self.bootstrap.conferencing.as_ref()
    }

    /// Whether this step is still to be answered.
    pub(super) fn waits_for(&self, step: Step) -> bool {
        self.bootstrap.waiting.contains(&step)
    }

    /// Starts over with a new registration. A server that offers no event package of ours has nothing to be asked for.
    pub(super) fn begin_bootstrap(&mut self, now: Instant, registered: &Registered) {
        self.end_bootstrap();
        let lists = |all: &[String], wanted: &str| {
            let mut all = all.iter();
            all.any(|one| one.eq_ignore_ascii_case(wanted))
        };
        self.bootstrap.remote = registered.remote_user;
        self.bootstrap.batched = lists(&registered.supported, "adhoclist");
        self.bootstrap.waiting = self.steps(registered);
        let presence = self.config.bootstrap.presence && !is_without_presence(registered);
        if presence && lists(&registered.allow_events, event::PRESENCE) {
            self.watch.start(now, self.bootstrap.batched);
        }
        if self.waits_for(Step::Contacts) {
            self.contacts.resubscribe();
        }
        if self.waits_for(Step::Provisioning) {
            self.ask_provisioning(now);
        }
        if self.waits_for(Step::OwnPresence) {
            self.subscribe_to_self(now);
        }
        if self.waits_for(Step::LocationProfile) {
            self.ask_location_profile(now);
        }
    }

    /// What is wanted and offered.
    fn steps(&self, registered: &Registered) -> BTreeSet<Step> {
        let config = &self.config.bootstrap;
        let users = !is_without_presence(registered);
        let offers = |package: &str| {
            let mut all = registered.allow_events.iter();
            all.any(|offered| offered.eq_ignore_ascii_case(package))
        };
        let provisioning = config.provisioning && offers(provisioning::EVENT);
        let contacts = config.contacts && users && offers(contacts::EVENT);
        let own = config.presence && users && offers(event::ROAMING_SELF);
        let watches = contacts && config.presence && offers(event::PRESENCE);
        let any = [provisioning::EVENT, contacts::EVENT, event::ROAMING_SELF]
            .into_iter()
            .any(offers);
        [
            (Step::Provisioning, provisioning),
            (Step::Contacts, contacts),
            (Step::OwnPresence, own),
            (Step::LocationProfile, config.location_profile && any),
            (Step::Conferencing, config.conferencing && provisioning),
            (Step::MediaRelay, config.media_relay && provisioning),
            (Step::Publication, own),
            (Step::ContactsPresence, watches),
        ]
        .into_iter()
        .filter_map(|(step, wanted)| wanted.then_some(step))
        .collect()
    }

    /// The registration is gone, and what hangs on it.
    pub(super) fn end_bootstrap(&mut self) {
        self.subscriptions.clear();
        self.bootstrap.waiting.clear();
        // It may be written once more, but is no step any more.
        let publication = self.bootstrap.publication.take();
        self.bootstrap.quiet.extend(publication);
        self.own.reset();
        self.watch.stop();
        self.relay = None;
    }

    fn ask_provisioning(&mut self, now: Instant) {
        let target = self.config.aor.to_uri();
        let groups = self.config.bootstrap.provisioning_groups.clone();
        let mut request = self.new_bare_subscribe(&target);
        provisioning::ask(&mut request, &ProvisioningGroupList::new(groups));
        self.subscribe(now, Topic::Provisioning, request);
    }

    fn subscribe_to_self(&mut self, now: Instant) {
        let parts = [
            RoamingPart::Categories,
            RoamingPart::Containers,
            RoamingPart::Subscribers,
            RoamingPart::Delegates,
        ];
        let request = self.new_subscribe(Subscribe {
            target: self.config.aor.to_uri(),
            event: event::ROAMING_SELF,
            accept: content_type::ROAMING_SELF,
            headers: &[(HeaderName::Supported, AUTOEXTEND)],
            content: Some((
                content_type::ROAMING_SELF,
                to_string(&RoamingList::new(parts)).into(),
            )),
        });
        self.subscribe(now, Topic::Own, request);
    }

    fn ask_location_profile(&mut self, now: Instant) {
        let target = location::request_uri(&self.config.aor, None);
        self.ask(now, Step::LocationProfile, &target, |_| {});
    }

    /// Asks what only the configuration says where to ask.
    fn ask_by_configuration(&mut self, now: Instant) {
        let settings = self.settings();
        let uri = |uri: Option<&str>| uri.map(str::to_owned);
        let focus_factory = uri(settings.and_then(|settings| settings.focus_factory_uri()));
        let mras = uri(settings.and_then(|settings| settings.mras_uri()));
        match focus_factory.filter(|_| self.waits_for(Step::Conferencing)) {
            Some(target) => {
                let question = Question {
                    request_id: 0,
                    from: self.config.aor.to_uri().into(),
                    to: target.as_str().into(),
                    command: Command::GetConferencingCapabilities,
                };
                self.ask(now, Step::Conferencing, &target, |request| {
                    question.ask(request);
                });
            }
            None => self.leave_out(Step::Conferencing),
        }
        match mras.filter(|_| self.waits_for(Step::MediaRelay)) {
            Some(mras_uri) => self.ask_relay(now, &mras_uri, self.bootstrap.remote),
            None => self.leave_out(Step::MediaRelay),
        }
    }

    /// Asks the question of a step.
    fn ask(&mut self, now: Instant, step: Step, target: &str, fill: impl FnOnce(&mut Message)) {
        let Some(mut request) = self.new_service(target) else {
            self.refuse_step(step, UNREADABLE, format!("not a SIP URI: {target}"));
            return;
        };
        fill(&mut request);
        self.service(now, request, Job::Step(step));
    }

    /// The answer to a step that is a SERVICE.
    pub(super) fn step_answered(&mut self, step: Step, answer: Option<&Message>) {
        let status = status_of(answer);
        let Some(answer) = answer.filter(|_| (200..300).contains(&status)) else {
            let reason = answer.map(explanation).unwrap_or_default();
            self.refuse_step(step, status, reason);
            return;
        };
        let limits = Limits::default();
        let read = match step {
            Step::LocationProfile => match location::answer_of(answer, &limits) {
                Some(Ok(profile)) => {
                    self.bootstrap.location_profile = Some(profile);
                    Ok(())
                }
                Some(Err(error)) => Err(error.to_string()),
                None => Err("no location profile".to_owned()),
            },
            Step::Conferencing => match Reply::of(answer, &limits) {
                Some(Ok(Reply {
                    result: Ok(list), ..
                })) => {
                    self.bootstrap.conferencing = Some(list);
                    Ok(())
                }
                Some(Ok(Reply {
                    result: Err(reason),
                    ..
                })) => Err(reason.to_string()),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("no C3P response".to_owned()),
            },
            _ => Ok(()),
        };
        match read {
            Ok(()) => self.finish_step(step),
            Err(reason) => self.refuse_step(step, UNREADABLE, reason),
        }
    }

    /// A step was answered. Later answers, such as those of a subscription that was made anew, are no steps.
    pub(super) fn finish_step(&mut self, step: Step) {
        if self.bootstrap.waiting.remove(&step) {
            self.events.push_back(Event::StepAnswered { step });
            self.look_for_end();
        }
    }

    /// A step was refused. The steps that need its answer are left out.
    pub(super) fn refuse_step(&mut self, step: Step, status: u16, reason: String) {
        if !self.bootstrap.waiting.remove(&step) {
            return;
        }
        self.events.push_back(Event::StepRefused {
            step,
            status,
            reason,
        });
        match step {
            Step::Provisioning => {
                self.bootstrap.waiting.remove(&Step::Conferencing);
                self.bootstrap.waiting.remove(&Step::MediaRelay);
            }
            Step::Contacts => {
                self.bootstrap.waiting.remove(&Step::ContactsPresence);
            }
            Step::OwnPresence => {
                self.bootstrap.waiting.remove(&Step::Publication);
            }
            _ => {}
        }
        self.look_for_end();
    }

    /// There is nothing to ask for.
    pub(super) fn leave_out(&mut self, step: Step) {
        if self.bootstrap.waiting.remove(&step) {
            self.look_for_end();
        }
    }

    fn look_for_end(&mut self) {
        if self.bootstrap.waiting.is_empty() {
            self.events.push_back(Event::Bootstrapped);
        }
    }

    pub(super) fn provisioned(&mut self, now: Instant, message: &Message) {
        match provisioning::answer_of(message, &Limits::default()) {
            Some(Ok(list)) => {
                self.bootstrap.provisioning = Some(list);
                // What it leads to is asked for first, so that the end is not told too early.
                self.ask_by_configuration(now);
                self.finish_step(Step::Provisioning);
            }
            Some(Err(error)) => self.refuse_step(Step::Provisioning, UNREADABLE, error.to_string()),
            None => {}
        }
    }
}
