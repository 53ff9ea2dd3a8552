//! One's own presence, as the server has it.

use std::collections::{BTreeMap, VecDeque};

use ocs_xml::{Raw, SmolStr};

use super::membership;
use super::writes::{Outstanding, WriteId, Writes};
use crate::doc::{
    Categories, Category, Container, ContainerId, Delegates, Publication, RoamingData,
    SourceNetwork, Subscriber,
};

/// Which category instance of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceKey {
    /// The category.
    pub category: SmolStr,
    /// Where it is placed.
    pub container: ContainerId,
    /// Which source.
    pub instance: u32,
}

/// What is known of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instance {
    version: u32,
    /// None: only the version is known, from a conflict.
    category: Option<Category>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnEvent {
    /// The first document of a subscription is here: from now on there can be publications.
    Loaded,
    /// Instances of these categories changed.
    Changed {
        /// Names of the categories.
        categories: Vec<SmolStr>,
    },
    /// Members of containers changed.
    MembersChanged,
    /// A watcher waits for [`SelfPresence::acknowledge`].
    SubscriberPending(Subscriber),
    /// The delegates changed.
    DelegatesChanged,
    /// A write is done.
    Written(WriteId),
    /// A write was refused, or its versions did not fit after three more tries.
    Refused {
        /// Which.
        id: WriteId,
        /// The status; 408 when there was no answer.
        status: u16,
    },
}

/// One's own presence: publications, containers, watchers and delegates of the self subscription, and what is to be written.
///
/// Drain [`poll_request`](Self::poll_request) and [`poll_event`](Self::poll_event) after each call. One request is out at a time.
#[derive(Debug)]
pub struct SelfPresence {
    /// The user, as a SIP URI.
    uri: SmolStr,
    loaded: bool,
    instances: BTreeMap<InstanceKey, Instance>,
    /// None until a document had the part.
    containers: Option<BTreeMap<ContainerId, Container>>,
    subscribers: BTreeMap<SmolStr, Subscriber>,
    delegates: Option<Delegates>,
    pub(super) writes: Writes,
    pub(super) events: VecDeque<OwnEvent>,
}

impl InstanceKey {
    /// A category instance.
    #[must_use]
    pub fn new(category: impl Into<SmolStr>, container: ContainerId, instance: u32) -> Self {
        Self {
            category: category.into(),
            container,
            instance,
        }
    }

    /// The instance that a publication is for.
    #[must_use]
    pub fn of(publication: &Publication) -> Self {
        Self::new(
            publication.category_name.clone(),
            publication.container,
            publication.instance,
        )
    }
}

impl SelfPresence {
    /// Of a user, who is named by SIP URI. Nothing is known yet.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>) -> Self {
        Self {
            uri: uri.into(),
            loaded: false,
            instances: BTreeMap::new(),
            containers: None,
            subscribers: BTreeMap::new(),
            delegates: None,
            writes: Writes::default(),
            events: VecDeque::new(),
        }
    }

    /// The user, as a SIP URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the first document of the subscription has come.
    #[must_use]
    pub const fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// The subscription is gone. What is to be written waits for the next one; what was out is written again.
    pub fn reset(&mut self) {
        self.loaded = false;
        self.writes.reset();
    }

    /// Takes a document of the subscription: the 200, a NOTIFY or a BENOTIFY.
    pub fn handle_document(&mut self, data: &RoamingData) {
        let first = !self.loaded;
        if first {
            self.loaded = true;
            self.instances.clear();
            self.containers = None;
            self.subscribers.clear();
        }
        self.apply(data);
        if first {
            self.events.push_back(OwnEvent::Loaded);
        }
    }

    /// Takes what a document or the answer to a publish says.
    pub(super) fn apply(&mut self, data: &RoamingData) {
        if let Some(categories) = &data.categories {
            self.apply_categories(categories);
        }
        if let Some(containers) = &data.containers {
            let known = self.containers.get_or_insert_default();
            for container in &containers.containers {
                known.insert(container.id, container.clone());
            }
            self.events.push_back(OwnEvent::MembersChanged);
        }
        for subscriber in data.subscribers.iter().flat_map(|all| &all.subscribers) {
            let old = self
                .subscribers
                .insert(subscriber.user.clone(), subscriber.clone());
            let is_new = old.is_none_or(|old| old.acknowledged);
            if is_new && !subscriber.acknowledged {
                let pending = OwnEvent::SubscriberPending(subscriber.clone());
                self.events.push_back(pending);
            }
        }
        if let Some(delegates) = &data.delegates
            && self.delegates.as_ref() != Some(delegates)
            && self
                .delegates
                .as_ref()
                .is_none_or(|old| old.version <= delegates.version)
        {
            self.delegates = Some(delegates.clone());
            self.events.push_back(OwnEvent::DelegatesChanged);
        }
    }

    /// A document is complete for each name that it mentions: what it does not repeat is gone. Answers and notifications overtake
    /// each other, so of two versions of an instance the higher one counts.
    fn apply_categories(&mut self, categories: &Categories) {
        let mut mentioned: BTreeMap<&str, Vec<&Category>> = BTreeMap::new();
        for category in &categories.categories {
            mentioned.entry(&category.name).or_default().push(category);
        }
        let mut changed = Vec::new();
        for (name, said) in mentioned {
            let mut old = self.take(name);
            let mut new = BTreeMap::new();
            if said
                .iter()
                .all(|said| said.instance.is_none() && said.container.is_some())
            {
                // Only that some containers are empty.
                new.clone_from(&old);
                new.retain(|key, _| {
                    said.iter()
                        .all(|said| said.container != Some(key.container))
                });
            }
            for said in said {
                let (Some(container), Some(instance)) = (said.container, said.instance) else {
                    continue;
                };
                let key = InstanceKey::new(name, container, instance);
                let version = said.version.unwrap_or_default();
                let newer = old
                    .get(&key)
                    .filter(|old| old.category.is_some() && old.version > version);
                let instance = newer.cloned().unwrap_or_else(|| Instance {
                    version,
                    category: Some(said.clone()),
                });
                new.insert(key, instance);
            }
            old.retain(|_, instance| instance.category.is_some());
            if old != new {
                changed.push(SmolStr::from(name));
            }
            self.instances.append(&mut new);
        }
        if !changed.is_empty() {
            self.events.push_back(OwnEvent::Changed {
                categories: changed,
            });
        }
    }

    /// Takes the instances of a category out.
    fn take(&mut self, name: &str) -> BTreeMap<InstanceKey, Instance> {
        let mut taken = self
            .instances
            .split_off(&InstanceKey::new(name, ContainerId::DEFAULT, 0));
        let after = taken
            .iter()
            .find(|(key, _)| key.category != name)
            .map(|(key, _)| key.clone());
        if let Some(after) = after {
            let mut rest = taken.split_off(&after);
            self.instances.append(&mut rest);
        }
        taken
    }

    /// The instances of a category, by container and instance.
    pub fn instances(&self, category: &str) -> impl Iterator<Item = (&InstanceKey, &Category)> {
        self.instances
            .range(InstanceKey::new(category, ContainerId::DEFAULT, 0)..)
            .take_while(move |(key, _)| key.category == category)
            .filter_map(|(key, instance)| Some((key, instance.category.as_ref()?)))
    }

    /// One instance.
    #[must_use]
    pub fn instance(&self, key: &InstanceKey) -> Option<&Category> {
        self.instances.get(key)?.category.as_ref()
    }

    /// The value of one instance.
    #[must_use]
    pub fn value(&self, key: &InstanceKey) -> Option<&Raw> {
        self.instance(key)?.value()
    }

    /// The version to write over; 0 for an instance that is not there.
    #[must_use]
    pub fn version(&self, key: &InstanceKey) -> u32 {
        self.instances
            .get(key)
            .map_or(0, |instance| instance.version)
    }

    /// The server told the version of an instance. If it is not ours, what we know of its value is out of date.
    pub(super) fn set_version(&mut self, key: &InstanceKey, version: u32) {
        if self.version(key) != version {
            let instance = Instance {
                version,
                category: None,
            };
            self.instances.insert(key.clone(), instance);
        }
    }

    /// The containers with their members; empty until a document had them.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().flat_map(BTreeMap::values)
    }

    /// Whether a document had the containers. A server that leaves them out does not want the first-login members.
    pub(super) const fn has_containers(&self) -> bool {
        self.containers.is_some()
    }

    pub(super) fn container_mut(&mut self, id: ContainerId) -> &mut Container {
        self.containers
            .get_or_insert_default()
            .entry(id)
            .or_insert_with(|| Container {
                id,
                version: 0,
                members: Vec::new(),
            })
    }

    /// The container whose data a watcher sees: its address without scheme, and from where it comes.
    #[must_use]
    pub fn level_of(&self, watcher: &str, network: &SourceNetwork) -> ContainerId {
        membership::level(self.containers(), watcher, network, None)
    }

    /// The watchers that the user was or is to be prompted for.
    pub fn subscribers(&self) -> impl Iterator<Item = &Subscriber> {
        self.subscribers.values()
    }

    pub(super) fn set_acknowledged(&mut self, user: &str) {
        if let Some(subscriber) = self.subscribers.get_mut(user) {
            subscriber.acknowledged = true;
        }
    }

    /// The delegates, once a document had them.
    #[must_use]
    pub const fn delegates(&self) -> Option<&Delegates> {
        self.delegates.as_ref()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<OwnEvent> {
        self.events.pop_front()
    }

    pub(super) const fn outstanding(&mut self) -> &mut Option<Outstanding> {
        &mut self.writes.out
    }
}
