//! Who watches a user, and how a change reaches them.

use std::sync::Arc;

use bytes::Bytes;
use ocs_xml::{SmolStr, to_string};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::policy::is_private;
use super::{Changes, Policy, Presentity, Refusal, Watcher};
use crate::doc::{Categories, ContainerId};

/// A subscription, by a number of the caller's. A batch that watches many users has one number with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

/// Names of categories that a watcher wants, sorted. Cloning is cheap: one set serves all users of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameSet(Arc<[SmolStr]>);

impl NameSet {
    /// A set. Names that no server instance can have, and those that watchers never get, are left out.
    pub fn new<'a>(policy: &Policy, names: impl IntoIterator<Item = &'a SmolStr>) -> Self {
        let names = names.into_iter();
        let mut names: Vec<_> = names
            .filter(|name| policy.is_registered(name) && !is_private(name))
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &SmolStr> {
        self.0.iter()
    }

    fn contains(&self, name: &SmolStr) -> bool {
        self.0.binary_search(name).is_ok()
    }

    fn union(&self, other: &Self) -> Self {
        if other.iter().all(|name| self.contains(name)) {
            return self.clone();
        }
        let mut names: Vec<_> = self.iter().chain(other.iter()).cloned().collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }
}

/// Those who watch one user.
///
/// An edge, that is one subscription to one user, takes 24 octets: its number, its watcher, its group. A group is all who are in one
/// container and want the same categories: they get the same documents.
#[derive(Debug, Default)]
pub struct Watchers {
    /// Sorted by subscription.
    edges: Vec<Edge>,
    groups: Vec<Group>,
    by_key: FxHashMap<(ContainerId, NameSet), u32>,
    /// Groups without edges.
    free: Vec<u32>,
    /// Watchers times categories.
    categories: usize,
}

#[derive(Debug)]
struct Edge {
    subscription: SubscriptionId,
    watcher: Arc<Watcher>,
    group: u32,
}

#[derive(Debug)]
struct Group {
    container: ContainerId,
    names: NameSet,
    edges: u32,
}

impl Watchers {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many watch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether nobody watches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// Adds a watcher, or categories to what its subscription has already, and gives what it sees of them.
    ///
    /// To poll without subscribing, ask [`Presentity::watcher_document`] with [`Presentity::container_of`].
    pub fn subscribe(
        &mut self,
        presentity: &Presentity,
        subscription: SubscriptionId,
        watcher: &Arc<Watcher>,
        names: &NameSet,
    ) -> Result<Categories, Refusal> {
        let container = presentity.container_of(watcher);
        let at = self.find(subscription);
        let (before, all) = match at {
            Ok(at) => {
                let old = &self.groups[self.edges[at].group as usize].names;
                (old.0.len(), old.union(names))
            }
            Err(_) => (0, names.clone()),
        };
        let categories = self.categories - before + all.0.len();
        if categories > presentity.policy.category_subscriptions && categories > self.categories {
            return Err(Refusal::with_id(
                403,
                Refusal::SUBSCRIPTION_LIMIT,
                "category subscription limit exceeded",
            ));
        }
        self.categories = categories;
        let group = self.join(container, all);
        match at {
            Ok(at) => {
                let old = std::mem::replace(&mut self.edges[at].group, group);
                self.leave(old);
            }
            Err(at) => self.edges.insert(
                at,
                Edge {
                    subscription,
                    watcher: watcher.clone(),
                    group,
                },
            ),
        }
        Ok(presentity.watcher_document(container, names.iter()))
    }

    /// Takes a watcher away; false when there was none.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId) -> bool {
        let Ok(at) = self.find(subscription) else {
            return false;
        };
        let edge = self.edges.remove(at);
        self.categories -= self.groups[edge.group as usize].names.0.len();
        self.leave(edge.group);
        true
    }

    /// Hands what changed to those who can see it, in the order of their subscriptions.
    ///
    /// Whoever is in another container now gets all its categories anew. The others get the categories that changed, whole; each document is
    /// written once for all who get the same.
    pub fn fan_out(
        &mut self,
        presentity: &Presentity,
        changes: &Changes,
        mut deliver: impl FnMut(SubscriptionId, &Bytes),
    ) {
        let moved = if changes.moves_watchers() {
            self.rematch(presentity, &mut deliver)
        } else {
            Vec::new()
        };
        let bodies = self.bodies(presentity, changes);
        if bodies.is_empty() {
            return;
        }
        for edge in &self.edges {
            if let Some(body) = &bodies[edge.group as usize]
                && moved.binary_search(&edge.subscription).is_err()
            {
                deliver(edge.subscription, body);
            }
        }
    }

    /// The document of each group; none at all when no group can see a change.
    fn bodies(&self, presentity: &Presentity, changes: &Changes) -> Vec<Option<Bytes>> {
        let mut changed: Vec<_> = changes.visible().map(|(_, name)| name).collect();
        changed.sort_unstable();
        changed.dedup();
        let mut written = FxHashMap::<(ContainerId, SmallVec<[u16; 8]>), Bytes>::default();
        let mut bodies = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            if group.edges == 0 {
                continue;
            }
            let seen: SmallVec<[u16; 8]> = (0u16..)
                .zip(&changed)
                .filter(|(_, name)| group.sees(presentity, changes, name))
                .map(|(index, _)| index)
                .collect();
            if seen.is_empty() {
                continue;
            }
            bodies.resize(self.groups.len(), None);
            let names = seen.clone();
            let body = written.entry((group.container, seen)).or_insert_with(|| {
                let names = names.iter().map(|index| changed[usize::from(*index)]);
                body(presentity, group.container, names)
            });
            bodies[index] = Some(body.clone());
        }
        bodies
    }

    /// Finds the container of each watcher again; gives those that are in another one, in order.
    fn rematch(
        &mut self,
        presentity: &Presentity,
        deliver: &mut impl FnMut(SubscriptionId, &Bytes),
    ) -> Vec<SubscriptionId> {
        let mut moved = Vec::new();
        let mut written = FxHashMap::<u32, Bytes>::default();
        for at in 0..self.edges.len() {
            let edge = &self.edges[at];
            let subscription = edge.subscription;
            let container = presentity.container_of(&edge.watcher);
            let group = &self.groups[edge.group as usize];
            if group.container == container {
                continue;
            }
            let joined = self.join(container, group.names.clone());
            let left = std::mem::replace(&mut self.edges[at].group, joined);
            self.leave(left);
            let body = written.entry(joined).or_insert_with(|| {
                let names = self.groups[joined as usize].names.iter();
                body(presentity, container, names)
            });
            deliver(subscription, body);
            moved.push(subscription);
        }
        moved
    }

    fn find(&self, subscription: SubscriptionId) -> Result<usize, usize> {
        self.edges
            .binary_search_by_key(&subscription, |edge| edge.subscription)
    }

    /// Adds one to a group, which is made when there is none.
    fn join(&mut self, container: ContainerId, names: NameSet) -> u32 {
        let key = (container, names);
        if let Some(group) = self.by_key.get(&key) {
            self.groups[*group as usize].edges += 1;
            return *group;
        }
        let group = Group {
            container,
            names: key.1.clone(),
            edges: 1,
        };
        let index = if let Some(index) = self.free.pop() {
            self.groups[index as usize] = group;
            index
        } else {
            self.groups.push(group);
            self.groups.len() as u32 - 1
        };
        self.by_key.insert(key, index);
        index
    }

    /// Takes one from a group.
    fn leave(&mut self, index: u32) {
        let group = &mut self.groups[index as usize];
        group.edges -= 1;
        if group.edges == 0 {
            self.by_key.remove(&(group.container, group.names.clone()));
            self.free.push(index);
        }
    }
}

impl Group {
    /// Whether a change of a category concerns it.
    fn sees(&self, presentity: &Presentity, changes: &Changes, name: &SmolStr) -> bool {
        self.names.contains(name)
            && (changes.is_visible(self.container, name)
                || changes.is_visible(presentity.source(self.container, name), name))
    }
}

fn body<'a>(
    presentity: &Presentity,
    container: ContainerId,
    names: impl IntoIterator<Item = &'a SmolStr>,
) -> Bytes {
    to_string(&presentity.watcher_document(container, names)).into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_edge_takes_24_octets() {
        assert_eq!(size_of::<super::Edge>(), 24);
    }
}
