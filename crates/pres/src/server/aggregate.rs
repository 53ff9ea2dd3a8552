//! The place of the aggregation script: from what endpoints publish to what others see.

use std::time::SystemTime;

use ocs_xml::{Raw, SmolStr};

use super::instances::{Instances, Origin, Stored};
use crate::doc::{ContainerId, ExpireType};

/// Combines what the endpoints of a user publish into what watchers see.
///
/// It runs when a `state` or `device` changes in container 2 or 3, when the first endpoint comes and when the last has gone. What it
/// gives takes the place of all that it gave before; what is equal to what is there is not touched.
pub trait Aggregate: Send + Sync {
    /// All instances that the server has from aggregation, after a change.
    fn aggregate(&self, inputs: &Inputs<'_>) -> Vec<Aggregated>;
}

impl<F: Fn(&Inputs<'_>) -> Vec<Aggregated> + Send + Sync> Aggregate for F {
    fn aggregate(&self, inputs: &Inputs<'_>) -> Vec<Aggregated> {
        self(inputs)
    }
}

/// What is combined.
#[derive(Debug)]
pub struct Inputs<'a> {
    pub(super) uri: &'a str,
    pub(super) now: SystemTime,
    pub(super) online: bool,
    pub(super) instances: &'a Instances,
}

/// A category instance that goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its instance id.
    pub instance: u32,
    /// How long it lives.
    pub expire_type: ExpireType,
    /// When it was published.
    pub publish_time: SystemTime,
    /// By which endpoint.
    pub endpoint: Option<&'a str>,
    /// The value.
    pub value: Option<&'a Raw>,
}

/// A category instance that comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregated {
    /// The category.
    pub name: SmolStr,
    /// Its instance id.
    pub instance: u32,
    /// Where it is placed.
    pub container: ContainerId,
    /// How long it lives. What lives until the last endpoint goes is left out when there is none; in the container of the blocked
    /// everything stays, so that nothing tells them when the user leaves.
    pub expire_type: ExpireType,
    /// The value.
    pub value: Option<Raw>,
}

impl<'a> Inputs<'a> {
    /// The user, as a SIP URI.
    #[must_use]
    pub const fn uri(&self) -> &'a str {
        self.uri
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> SystemTime {
        self.now
    }

    /// Whether an endpoint is registered.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.online
    }

    /// What was published into a container, in the order of instance ids; what aggregation made is not among it.
    pub fn published(
        &self,
        container: ContainerId,
        name: &str,
    ) -> impl Iterator<Item = Source<'a>> + use<'a> {
        self.of(container, name, false)
    }

    /// What aggregation made before.
    pub fn previous(
        &self,
        container: ContainerId,
        name: &str,
    ) -> impl Iterator<Item = Source<'a>> + use<'a> {
        self.of(container, name, true)
    }

    fn of(
        &self,
        container: ContainerId,
        name: &str,
        aggregated: bool,
    ) -> impl Iterator<Item = Source<'a>> + use<'a> {
        self.instances
            .of_container(name, container)
            .filter(move |(_, stored)| (stored.origin == Origin::Aggregated) == aggregated)
            .map(|(instance, stored)| Source::new(instance, stored))
    }
}

impl<'a> Source<'a> {
    fn new(instance: u32, stored: &'a Stored) -> Self {
        Self {
            instance,
            expire_type: stored.life.expire_type(),
            publish_time: stored.published.0,
            endpoint: stored.endpoint.as_deref(),
            value: stored.value.as_ref(),
        }
    }
}
