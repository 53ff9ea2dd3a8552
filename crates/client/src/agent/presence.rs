//! The user's own presence and who may see it.

use std::time::Instant;

use ocs_pres::category::device::DeviceCapabilities;
use ocs_pres::category::{Activity, Availability, Capability, Device};
use ocs_pres::client::{OwnEvent, SelfPresence, WriteId};
use ocs_pres::doc::{ContainerId, Publication, RoamingData, SourceNetwork, content_type};
use ocs_pres::instance::{self, Source};
use ocs_pres::publications;
use ocs_sip_core::{Aor, Message};
use ocs_xml::{Limits, from_slice};

use super::services::Job;
use super::signing_in::uuid_text;
use super::subscriptions::Topic;
use super::{Error, UserAgent};
use crate::{Event, Step};

/// What the endpoint and its user are at, over sign-ins.
#[derive(Debug)]
pub(super) struct Chosen {
    /// What the machine sees of its user.
    machine: Availability,
    /// What the user has chosen here.
    user: Option<(Availability, Option<Activity>)>,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            machine: Availability::AVAILABLE,
            user: None,
        }
    }
}

impl UserAgent {
    /// The user's own presence, containers, watchers and delegates, as the server has them.
    #[must_use]
    pub const fn own_presence(&self) -> &SelfPresence {
        &self.own
    }

    /// The user chooses a state, with an activity or without. Busy and do-not-disturb hold for a day, others until they are changed.
    /// What becomes of it comes as [`Event::PresenceWritten`] or [`Event::PresenceRefused`].
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn set_presence(
        &mut self,
        now: Instant,
        availability: Availability,
        activity: Option<Activity>,
    ) -> Result<WriteId, Error> {
        self.check_presence()?;
        self.chosen.user = Some((availability, activity.clone()));
        self.publish(now, user_state(availability, activity))
    }

    /// The user takes his choice back: machines, calendar and telephone decide.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn reset_presence(&mut self, now: Instant) -> Result<WriteId, Error> {
        self.check_presence()?;
        self.chosen.user = None;
        self.publish(now, publications::reset_user_state())
    }

    /// What the machine sees of its user: [`Availability::AVAILABLE`], [`IDLE`](Availability::IDLE) or, also for a locked screen,
    /// [`AWAY`](Availability::AWAY). The times until then are the application's.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn set_machine_state(
        &mut self,
        now: Instant,
        availability: Availability,
    ) -> Result<WriteId, Error> {
        self.check_presence()?;
        self.chosen.machine = availability;
        let publications = publications::machine_state(self.source(), availability);
        self.publish(now, publications)
    }

    /// The user writes a note for colleagues, workgroup and friends; an empty one takes it away.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn set_note(&mut self, now: Instant, text: &str) -> Result<WriteId, Error> {
        let publications = if text.is_empty() {
            publications::personal_note_end()
        } else {
            publications::personal_note(text)
        };
        self.publish(now, publications)
    }

    /// Publishes anything. Versions are put in; what the server has already is left out.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn publish(
        &mut self,
        now: Instant,
        publications: Vec<Publication>,
    ) -> Result<WriteId, Error> {
        self.write_own(now, |own| own.publish(publications))
    }

    /// Puts somebody into a container, whose data he sees from then on; with none he gets back to where he belongs without an
    /// entry of his own.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn move_to_container(
        &mut self,
        now: Instant,
        user: &Aor,
        container: Option<ContainerId>,
    ) -> Result<WriteId, Error> {
        let network = self.network_of(user);
        self.write_own(now, |own| own.move_to(user.as_str(), network, container))
    }

    /// Blocks somebody: he sees the user offline.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn block(&mut self, now: Instant, user: &Aor) -> Result<WriteId, Error> {
        self.move_to_container(now, user, Some(ContainerId::BLOCKED))
    }

    /// Takes back a block, and any other entry of somebody's own.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn allow(&mut self, now: Instant, user: &Aor) -> Result<WriteId, Error> {
        self.move_to_container(now, user, None)
    }

    /// Acknowledges somebody who added the user to his contacts: [`Event::SubscriberPending`] does not come again for him.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::NotOffered`].
    pub fn acknowledge(&mut self, now: Instant, user: &Aor) -> Result<WriteId, Error> {
        self.write_own(now, |own| own.acknowledge(user.as_str()))
    }

    /// From where somebody comes, as the server said; else by his domain.
    fn network_of(&self, user: &Aor) -> SourceNetwork {
        let mut known = self.own.subscribers();
        known
            .find(|subscriber| subscriber.user.eq_ignore_ascii_case(user.as_str()))
            .and_then(|subscriber| subscriber.network.clone())
            .unwrap_or_else(|| {
                if user.domain() == self.config.aor.domain() {
                    SourceNetwork::SameEnterprise
                } else {
                    SourceNetwork::Federated
                }
            })
    }

    fn check_presence(&self) -> Result<(), Error> {
        if !self.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        if !self.has_subscription(&Topic::Own) {
            return Err(Error::NotOffered);
        }
        Ok(())
    }

    fn write_own(
        &mut self,
        now: Instant,
        write: impl FnOnce(&mut SelfPresence) -> WriteId,
    ) -> Result<WriteId, Error> {
        self.check_presence()?;
        let id = write(&mut self.own);
        self.settle(now);
        Ok(id)
    }

    pub(super) fn own_presence_notified(&mut self, message: &Message) {
        let fits = message
            .content_type()
            .is_ok_and(|kind| kind.is_some_and(|kind| kind.is(content_type::ROAMING_SELF)));
        if !fits {
            return;
        }
        match from_slice::<RoamingData>(message.body(), &Limits::default()) {
            Ok(data) => self.own.handle_document(&data),
            Err(error) => {
                self.dropped += 1;
                self.refuse_step(Step::OwnPresence, 400, error.to_string());
            }
        }
    }

    pub(super) fn drive_own_presence(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(event) = self.own.poll_event() {
            busy = true;
            self.own_event(event);
        }
        while let Some(request) = self.own.poll_request() {
            busy = true;
            let job = Job::Own(request.id);
            self.service_to_self(now, request.content_type, request.body, job);
        }
        busy
    }

    fn own_event(&mut self, event: OwnEvent) {
        match event {
            OwnEvent::Loaded => {
                self.publish_endpoint();
                self.finish_step(Step::OwnPresence);
            }
            OwnEvent::Changed { categories } => {
                self.events
                    .push_back(Event::OwnPresenceChanged { categories });
            }
            OwnEvent::SubscriberPending(subscriber) => {
                let Ok(user) = Aor::parse(&subscriber.user) else {
                    return;
                };
                if self.config.bootstrap.acknowledge {
                    let id = self.own.acknowledge(subscriber.user.clone());
                    self.bootstrap.quiet.insert(id);
                }
                let display_name = subscriber.display_name.filter(|name| !name.is_empty());
                self.events.push_back(Event::SubscriberPending {
                    user,
                    display_name,
                    network: subscriber.network,
                });
            }
            OwnEvent::Written(id) => self.own_written(id, None),
            OwnEvent::Refused { id, status } => self.own_written(id, Some(status)),
            _ => {}
        }
    }

    /// A write is done, or was refused with a status.
    fn own_written(&mut self, id: WriteId, refusal: Option<u16>) {
        if self
            .bootstrap
            .publication
            .take_if(|publication| *publication == id)
            .is_some()
        {
            match refusal {
                None => self.finish_step(Step::Publication),
                Some(status) => self.refuse_step(Step::Publication, status, String::new()),
            }
        } else if !self.bootstrap.quiet.remove(&id) {
            self.events.push_back(match refusal {
                None => Event::PresenceWritten { id },
                Some(status) => Event::PresenceRefused { id, status },
            });
        }
    }

    /// What a new endpoint publishes: itself, what it sees of its user, and the state that he chose here, if he has none any more.
    fn publish_endpoint(&mut self) {
        if self.config.bootstrap.first_members {
            let id = self.own.add_first_members();
            self.bootstrap.quiet.insert(id);
        }
        let source = self.source();
        let mut publications = vec![publications::device(source, &self.device())];
        publications.extend(publications::machine_state(source, self.chosen.machine));
        let has_choice = self.own.instances("state").any(|(key, _)| {
            matches!(
                key.instance,
                instance::STATE_USER | instance::STATE_USER_TIMED
            )
        });
        if let Some((availability, activity)) = self.chosen.user.clone().filter(|_| !has_choice) {
            publications.extend(user_state(availability, activity));
        }
        self.bootstrap.publication = Some(self.own.publish(publications));
    }

    /// What the instance ids of this endpoint are made from.
    fn source(&self) -> Source {
        let epid = self.config.epid.as_str();
        Source::from_epid(epid).unwrap_or_else(|| Source::from_name(epid))
    }

    fn device(&self) -> Device {
        let mut capabilities = DeviceCapabilities::new(self.config.aor.to_uri());
        for service in &self.config.bootstrap.services {
            *capabilities.get_mut(*service) = Some(Capability::new(true, true));
        }
        Device {
            endpoint_id: uuid_text(&self.config.epid.instance()).into(),
            gruu: self.gruu.as_deref().map(Into::into),
            capabilities: vec![capabilities],
            timezone: self.config.bootstrap.timezone.clone(),
            machine_name: self.config.workstation.as_str().into(),
            extra: ocs_xml::Extra::default(),
        }
    }
}

/// The user's choice in the place of an earlier one.
fn user_state(availability: Availability, activity: Option<Activity>) -> Vec<Publication> {
    let mut all = publications::user_state_with(availability, activity);
    let instance = all.first().map(|publication| publication.instance);
    // What is not there is not removed.
    all.extend(
        publications::reset_user_state()
            .into_iter()
            .filter(|removal| Some(removal.instance) != instance),
    );
    all
}
