//! Documents: what the owner sees, and what others see.

use std::collections::BTreeSet;

use ocs_xml::SmolStr;

use super::policy::is_private;
use super::{OwnChange, Presentity};
use crate::doc::{
    Categories, Category, ContainerId, Containers, RoamingData, RoamingList, RoamingPart,
    Subscribers,
};

/// Which parts of its own data an endpoint has subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Category instances.
    pub categories: bool,
    /// Containers and their members.
    pub containers: bool,
    /// Watchers that wait for an answer.
    pub subscribers: bool,
    /// Delegates.
    pub delegates: bool,
}

impl Parts {
    /// Nothing.
    pub const NONE: Self = Self {
        categories: false,
        containers: false,
        subscribers: false,
        delegates: false,
    };

    /// Everything.
    pub const ALL: Self = Self {
        categories: true,
        containers: true,
        subscribers: true,
        delegates: true,
    };
}

impl From<&RoamingList> for Parts {
    fn from(list: &RoamingList) -> Self {
        Self {
            categories: list.wants(&RoamingPart::Categories),
            containers: list.wants(&RoamingPart::Containers),
            subscribers: list.wants(&RoamingPart::Subscribers),
            delegates: list.wants(&RoamingPart::Delegates),
        }
    }
}

impl Presentity {
    /// The first document of a self subscription: the parts that were asked for, also where they are empty, because a client puts the
    /// default members into its containers when it sees that there are none.
    #[must_use]
    pub fn full_document(&self, parts: Parts) -> RoamingData {
        let mut document = RoamingData::new();
        if parts.categories {
            let mut categories = Vec::with_capacity(self.instances.len());
            for (name, places) in self.instances.iter() {
                let instances = places.iter();
                categories
                    .extend(instances.map(|(place, stored)| stored.to_category(name, *place)));
            }
            document.categories = Some(Categories::new(self.uri.clone(), categories));
        }
        if parts.containers {
            document.containers = Some(Containers {
                containers: self.membership.to_containers(),
            });
        }
        if parts.subscribers {
            let pending = self.subscribers.pending().cloned();
            document.subscribers = Some(Subscribers::new(pending.collect()));
        }
        if parts.delegates {
            document.delegates = Some(self.delegates.clone());
        }
        document
    }

    /// What an endpoint is to be told of a change; nothing when it concerns no part that the endpoint has subscribed to.
    #[must_use]
    pub fn own_document(&self, change: &OwnChange, parts: Parts) -> Option<RoamingData> {
        let mut document = RoamingData::new();
        if parts.categories && !change.categories.is_empty() {
            document = self.categories_document(&change.categories);
        }
        if parts.containers && !change.containers.is_empty() {
            let containers = change.containers.iter();
            document.containers = Some(Containers {
                containers: containers
                    .filter_map(|id| self.membership.to_container(*id))
                    .collect(),
            });
        }
        if parts.subscribers && !change.subscribers.is_empty() {
            let subscribers = self.subscribers.iter();
            document.subscribers = Some(Subscribers::new(
                subscribers
                    .filter(|subscriber| change.subscribers.contains(&subscriber.user))
                    .cloned()
                    .collect(),
            ));
        }
        if parts.delegates && change.delegates {
            document.delegates = Some(self.delegates.clone());
        }
        (document != RoamingData::new()).then_some(document)
    }

    /// Categories with all their instances; one without instance is named alone.
    pub(super) fn categories_document(&self, names: &BTreeSet<SmolStr>) -> RoamingData {
        let mut categories = Vec::new();
        for name in names {
            let before = categories.len();
            let instances = self.instances.of_name(name);
            categories.extend(instances.map(|(place, stored)| stored.to_category(name, *place)));
            if categories.len() == before {
                categories.push(Category::none(name.clone()));
            }
        }
        let mut document = RoamingData::new();
        document.categories = Some(Categories::new(self.uri.clone(), categories));
        document
    }

    /// What those in a container see of some categories. Each name is there: with its instances, or alone.
    ///
    /// Of a container that is the owner's alone they see nothing.
    #[must_use]
    pub fn watcher_document<'a>(
        &self,
        container: ContainerId,
        names: impl IntoIterator<Item = &'a SmolStr>,
    ) -> Categories {
        let mut categories = Vec::new();
        for name in names {
            let before = categories.len();
            if !is_private(name) {
                self.push_visible(container, name, &mut categories);
            }
            if categories.len() == before {
                categories.push(Category::none(name.clone()));
            }
        }
        Categories::new(self.uri.clone(), categories)
    }

    fn push_visible(&self, container: ContainerId, name: &SmolStr, out: &mut Vec<Category>) {
        let source = self.source(container, name);
        if !source.is_remote() {
            return;
        }
        for (instance, stored) in self.instances.of_container(name, source) {
            if source != ContainerId::BLOCKED || stored.has_data() {
                out.push(stored.to_visible(name, instance));
            }
        }
    }

    /// From which container those in `container` get a category (inferred): their own; the default one when theirs has no instance of
    /// it, but for the blocked.
    pub(super) fn source(&self, container: ContainerId, name: &str) -> ContainerId {
        let has_own = self
            .instances
            .of_container(name, container)
            .next()
            .is_some();
        if has_own || !container.is_remote() || container == ContainerId::BLOCKED {
            container
        } else {
            ContainerId::DEFAULT
        }
    }
}
