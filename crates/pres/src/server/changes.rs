//! What a request, time or an endpoint changed.

use std::collections::BTreeSet;

use ocs_xml::SmolStr;

use crate::doc::ContainerId;

/// What changed, and who is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// For own endpoints.
    own: OwnChange,
    /// For those who are in the container.
    visible: BTreeSet<(ContainerId, SmolStr)>,
    /// What is aggregated has changed.
    pub(super) aggregate: bool,
    /// What a store keeps has changed.
    durable: bool,
}

/// What the user's own endpoints are to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnChange {
    /// Categories.
    pub categories: BTreeSet<SmolStr>,
    /// Containers.
    pub containers: BTreeSet<ContainerId>,
    /// Watchers, by address without scheme.
    pub subscribers: BTreeSet<SmolStr>,
    /// The delegates.
    pub delegates: bool,
}

impl OwnChange {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty()
            && self.containers.is_empty()
            && self.subscribers.is_empty()
            && !self.delegates
    }
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.visible.is_empty()
    }

    /// Whether [`Presentity::export`](super::Presentity::export) gives something else than before.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.durable
    }

    /// What the user's own endpoints are to be told.
    #[must_use]
    pub const fn own(&self) -> &OwnChange {
        &self.own
    }

    /// What others can see: containers that are not the owner's alone, with the category that changed there.
    pub fn visible(&self) -> impl Iterator<Item = (ContainerId, &SmolStr)> {
        self.visible
            .iter()
            .map(|(container, name)| (*container, name))
    }

    /// Whether others can see a change of a category in a container.
    pub(super) fn is_visible(&self, container: ContainerId, name: &SmolStr) -> bool {
        self.visible.contains(&(container, name.clone()))
    }

    /// Whether watchers may be in other containers now.
    #[must_use]
    pub fn moves_watchers(&self) -> bool {
        !self.own.containers.is_empty()
    }

    /// Adds what happened after it.
    pub fn merge(&mut self, later: Self) {
        self.own.categories.extend(later.own.categories);
        self.own.containers.extend(later.own.containers);
        self.own.subscribers.extend(later.own.subscribers);
        self.own.delegates |= later.own.delegates;
        self.visible.extend(later.visible);
        self.aggregate |= later.aggregate;
        self.durable |= later.durable;
    }

    /// Notes a category instance.
    pub(super) fn category(
        &mut self,
        name: &SmolStr,
        container: ContainerId,
        visible: bool,
        durable: bool,
    ) {
        self.durable |= durable;
        if visible {
            self.visible.insert((container, name.clone()));
        }
        if !self.own.categories.contains(name) {
            self.own.categories.insert(name.clone());
        }
    }

    pub(super) fn container(&mut self, container: ContainerId) {
        self.durable = true;
        self.own.containers.insert(container);
    }

    pub(super) fn subscriber(&mut self, user: SmolStr) {
        self.durable = true;
        self.own.subscribers.insert(user);
    }

    pub(super) fn delegates(&mut self) {
        self.durable = true;
        self.own.delegates = true;
    }
}
