//! What the administrator decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocs_xml::SmolStr;

use super::{Aggregate, Refusal};
use crate::aggregate::Standard;
use crate::category::CategoryName;
use crate::doc::BatchSub;

/// Rules that all users of a server share.
#[derive(Clone)]
pub struct Policy {
    /// Bounds of what users store.
    pub limits: Limits,
    /// Names of categories beside those that \[MS-PRES\] defines.
    pub categories: BTreeSet<SmolStr>,
    /// Makes what watchers see out of what endpoints publish: [`Standard`]. None: nothing is made.
    pub aggregate: Option<Arc<dyn Aggregate>>,
    /// Watchers that wait for the user's answer (policy PromptedSubscribers, 0 to 500). 200; with 0 nobody is asked.
    pub prompted_subscribers: usize,
    /// Watchers times categories of one user (policy CategorySubscriptions, 0 to 3000). 1,000.
    pub category_subscriptions: usize,
    /// A removal with version 0 passes, whatever the version is, as an example of UCMA's documentation has it. Off.
    pub unversioned_removals: bool,
}

/// Bounds of what one user stores. All numbers are (inferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bounds of request bodies.
    pub xml: ocs_xml::Limits,
    /// Octets of a category value. 16,384.
    pub value: usize,
    /// Category instances. 1,000.
    pub instances: usize,
    /// Containers. 100.
    pub containers: usize,
    /// Members of one container. 1,000.
    pub members: usize,
    /// Watchers that the user has acknowledged; the oldest are forgotten, and asked for again. 3,000.
    pub acknowledged: usize,
    /// Delegates. 50.
    pub delegates: usize,
    /// Users that one category subscription may name. 1,000.
    pub resources: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml: ocs_xml::Limits::default(),
            value: 16 * 1024,
            instances: 1000,
            containers: 100,
            members: 1000,
            acknowledged: 3000,
            delegates: 50,
            resources: 1000,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            categories: BTreeSet::new(),
            aggregate: Some(Arc::new(Standard::default())),
            prompted_subscribers: 200,
            category_subscriptions: 1000,
            unversioned_removals: false,
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("limits", &self.limits)
            .field("categories", &self.categories)
            .field("aggregate", &self.aggregate.is_some())
            .field("prompted_subscribers", &self.prompted_subscribers)
            .field("category_subscriptions", &self.category_subscriptions)
            .field("unversioned_removals", &self.unversioned_removals)
            .finish()
    }
}

impl Policy {
    /// Whether there is a category of this name.
    #[must_use]
    pub fn is_registered(&self, name: &str) -> bool {
        let known = CategoryName::from(name);
        (known.as_str() == name && !matches!(known, CategoryName::Other(_)))
            || self.categories.contains(name)
    }

    /// Bounds of a category subscription, before its users are looked for.
    pub fn admit(&self, batch: &BatchSub) -> Result<(), Refusal> {
        let resources: usize = batch
            .actions
            .iter()
            .map(|action| action.resources().len())
            .sum();
        if resources == 0 {
            return Err(Refusal::new(400, "nobody to watch"));
        }
        if resources > self.limits.resources {
            return Err(Refusal::with_id(
                403,
                Refusal::SUBSCRIBER_LIMIT,
                "too many users in one subscription",
            ));
        }
        Ok(())
    }
}

/// Whether no watcher ever gets a category: the server alone reads it.
pub(super) fn is_private(name: &str) -> bool {
    matches!(
        CategoryName::from(name),
        CategoryName::DndState | CategoryName::Routing
    )
}
