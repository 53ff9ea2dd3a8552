//! The category instances of a user.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ocs_xml::{Raw, SmolStr};

use super::Changes;
use super::policy::is_private;
use crate::Time;
use crate::category::CategoryName;
use crate::doc::{Category, ContainerId, ExpireType};

/// Instances by category, container and id.
#[derive(Debug, Clone, Default)]
pub(super) struct Instances {
    /// Clones share what neither of them changes.
    by_name: BTreeMap<SmolStr, Arc<BTreeMap<Place, Stored>>>,
    count: usize,
}

/// Container and id.
pub(super) type Place = (ContainerId, u32);

/// A category instance.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) version: u32,
    pub(super) life: Life,
    pub(super) published: Time,
    /// The endpoint that published it.
    pub(super) endpoint: Option<SmolStr>,
    pub(super) origin: Origin,
    pub(super) value: Option<Raw>,
}

/// How long an instance lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Static,
    Endpoint,
    User,
    Until { at: Instant, seconds: u32 },
}

/// Who made an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A publisher, or the server for the user.
    Published,
    /// The aggregation.
    Aggregated,
}

impl Life {
    pub(super) const fn expire_type(self) -> ExpireType {
        match self {
            Self::Static => ExpireType::Static,
            Self::Endpoint => ExpireType::Endpoint,
            Self::User => ExpireType::User,
            Self::Until { .. } => ExpireType::Time,
        }
    }
}

impl Stored {
    /// As the owner sees it.
    pub(super) fn to_category(&self, name: &SmolStr, (container, instance): Place) -> Category {
        let mut category = self.to_visible(name, instance);
        category.container = Some(container);
        category.version = Some(self.version);
        category.expire_type = Some(self.life.expire_type());
        category.endpoint_id.clone_from(&self.endpoint);
        if let Life::Until { seconds, .. } = self.life {
            category.expires = Some(seconds.into());
        }
        category
    }

    /// As others see it.
    pub(super) fn to_visible(&self, name: &SmolStr, instance: u32) -> Category {
        let mut category = Category::none(name.clone());
        category.instance = Some(instance);
        category.publish_time = Some(self.published);
        category.values.extend(self.value.clone());
        category
    }

    /// Whether there is anything in it: an instance without value, or whose value is an empty element, only hides the category.
    pub(super) fn has_data(&self) -> bool {
        self.value.as_ref().is_some_and(|value| !is_empty(value))
    }
}

/// Whether an element has neither attributes nor content.
fn is_empty(value: &Raw) -> bool {
    let look = || -> Result<bool, ocs_xml::Error> {
        let mut reader = value.reader()?;
        reader.any_root()?;
        let has_attributes = !reader.attributes().is_empty();
        let has_children = reader.child()?.is_some();
        if has_attributes || has_children {
            return Ok(false);
        }
        let mut reader = value.reader()?;
        reader.any_root()?;
        Ok(reader.text()?.is_empty())
    };
    look().unwrap_or(false)
}

/// What the blocked see of an instance.
fn shown_to_blocked(stored: Option<&Stored>) -> Option<&Raw> {
    stored
        .filter(|stored| stored.has_data())
        .and_then(|stored| stored.value.as_ref())
}

/// Whether an instance goes into the aggregation.
fn is_aggregated(name: &str, container: ContainerId) -> bool {
    matches!(
        CategoryName::from(name),
        CategoryName::State | CategoryName::Device
    ) && matches!(
        container,
        ContainerId::FIRST_AGGREGATION | ContainerId::SECOND_AGGREGATION
    )
}

impl Instances {
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, name: &str, place: Place) -> Option<&Stored> {
        self.by_name.get(name)?.get(&place)
    }

    /// The version of an instance, 0 where there is none.
    pub(super) fn version(&self, name: &str, place: Place) -> u32 {
        self.get(name, place).map_or(0, |stored| stored.version)
    }

    /// Names of which there is an instance, with their instances.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&SmolStr, &BTreeMap<Place, Stored>)> {
        self.by_name.iter().map(|(name, places)| (name, &**places))
    }

    /// Instances of a category.
    pub(super) fn of_name(&self, name: &str) -> impl Iterator<Item = (&Place, &Stored)> {
        let places = self.by_name.get(name);
        places.into_iter().flat_map(|places| places.iter())
    }

    /// Instances of a category in a container.
    pub(super) fn of_container<'a>(
        &'a self,
        name: &str,
        container: ContainerId,
    ) -> impl Iterator<Item = (u32, &'a Stored)> + use<'a> {
        self.by_name
            .get(name)
            .into_iter()
            .flat_map(move |places| places.range((container, 0)..=(container, u32::MAX)))
            .map(|((_, instance), stored)| (*instance, stored))
    }

    /// Places an instance, and gives it the next version.
    pub(super) fn put(
        &mut self,
        name: &SmolStr,
        place: Place,
        mut stored: Stored,
        changes: &mut Changes,
    ) {
        let container = place.0;
        let places = Arc::make_mut(self.by_name.entry(name.clone()).or_default());
        let old = places.get(&place);
        stored.version = old.map_or(1, |old| old.version.saturating_add(1));
        if let Some(old) = old
            && container == ContainerId::BLOCKED
            && old.value == stored.value
        {
            keep_time(old, &mut stored);
        }
        let visible = is_visible(name, container, old, Some(&stored));
        let durable =
            stored.is_durable(name, place) || old.is_some_and(|old| old.is_durable(name, place));
        note(name, container, stored.origin, visible, durable, changes);
        if places.insert(place, stored).is_none() {
            self.count += 1;
        }
    }

    /// Places an instance that has its version already.
    pub(super) fn restore(
        &mut self,
        name: &SmolStr,
        place: Place,
        stored: Stored,
        changes: &mut Changes,
    ) {
        let version = stored.version;
        self.put(name, place, stored, changes);
        let places = self.by_name.get_mut(name);
        if let Some(stored) = places.and_then(|places| Arc::make_mut(places).get_mut(&place)) {
            stored.version = version;
        }
    }

    /// Takes an instance away.
    pub(super) fn remove(&mut self, name: &SmolStr, place: Place, changes: &mut Changes) {
        let places = self.by_name.get_mut(name);
        let Some(places) = places.filter(|places| places.contains_key(&place)) else {
            return;
        };
        let places = Arc::make_mut(places);
        let Some(old) = places.remove(&place) else {
            return;
        };
        self.count -= 1;
        if places.is_empty() {
            self.by_name.remove(name);
        }
        let visible = is_visible(name, place.0, Some(&old), None);
        note(
            name,
            place.0,
            old.origin,
            visible,
            old.is_durable(name, place),
            changes,
        );
    }

    /// Takes away all instances that a condition names.
    pub(super) fn remove_where(
        &mut self,
        mut condition: impl FnMut(&SmolStr, Place, &Stored) -> bool,
        changes: &mut Changes,
    ) {
        let mut gone = Vec::new();
        for (name, places) in &self.by_name {
            for (place, stored) in places.iter() {
                if condition(name, *place, stored) {
                    gone.push((name.clone(), *place));
                }
            }
        }
        for (name, place) in gone {
            self.remove(&name, place, changes);
        }
    }

    /// When the next instance ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.by_name
            .values()
            .flat_map(|places| places.values())
            .filter_map(|stored| match stored.life {
                Life::Until { at, .. } => Some(at),
                _ => None,
            })
            .min()
    }
}

/// Whether others can see the difference.
fn is_visible(
    name: &str,
    container: ContainerId,
    old: Option<&Stored>,
    new: Option<&Stored>,
) -> bool {
    container.is_remote()
        && !is_private(name)
        && (container != ContainerId::BLOCKED || shown_to_blocked(old) != shown_to_blocked(new))
}

fn note(
    name: &SmolStr,
    container: ContainerId,
    origin: Origin,
    visible: bool,
    durable: bool,
    changes: &mut Changes,
) {
    changes.category(name, container, visible, durable);
    changes.aggregate |= origin == Origin::Published && is_aggregated(name, container);
}

/// The blocked see no new time for an old value: it would tell them that the user is there. A life in seconds is counted from that time.
fn keep_time(old: &Stored, new: &mut Stored) {
    if let Life::Until { seconds, .. } = &mut new.life {
        let since = new.published.0.duration_since(old.published.0);
        let since = since.map_or(0, |since| since.as_secs());
        *seconds = seconds.saturating_add(u32::try_from(since).unwrap_or(u32::MAX));
    }
    new.published = old.published;
}
