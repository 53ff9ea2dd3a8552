//! The self subscription.

use ocs_xml::{Extra, SmolStr, element, words};

use super::namespace::ROAMING_SELF;
use super::{Categories, Containers, Delegates, Subscribers};

words! {
    /// A part of one's own data.
    pub enum RoamingPart: open {
        /// Category instances.
        Categories = "categories",
        /// Containers and their members.
        Containers = "containers",
        /// Watchers that wait for an answer.
        Subscribers = "subscribers",
        /// Delegates, since 2007 R2 (recalled).
        Delegates = "delegates",
    }
}

element! {
    /// A self subscription: which parts of one's own data are wanted.
    pub struct RoamingList(ROAMING_SELF, "roamingList") {
        /// The parts.
        children parts: Roaming = "roaming",
    }
}

element! {
    /// A part that is wanted.
    pub struct Roaming(ROAMING_SELF, "roaming") {
        /// Which one.
        attr part: RoamingPart = "type",
    }
}

impl RoamingList {
    /// A subscription to these parts.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = RoamingPart>) -> Self {
        let roaming = |part| Roaming {
            part,
            extra: Extra::default(),
        };
        Self {
            parts: parts.into_iter().map(roaming).collect(),
            extra: Extra::default(),
        }
    }

    /// Whether a part is wanted.
    #[must_use]
    pub fn wants(&self, part: &RoamingPart) -> bool {
        self.parts.iter().any(|roaming| roaming.part == *part)
    }
}

element! {
    /// One's own data: a notification of the self subscription, and the answer to a publish or to setDelegate.
    ///
    /// For each category that occurs it is complete, and for each container; the rest is unchanged.
    pub struct RoamingData(ROAMING_SELF, "roamingData") {
        /// Category instances.
        child_opt categories: Categories,
        /// Containers.
        child_opt containers: Containers,
        /// Watchers.
        child_opt subscribers: Subscribers,
        /// Delegates.
        child_opt delegates: Delegates,
    }
}

impl RoamingData {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            categories: None,
            containers: None,
            subscribers: None,
            delegates: None,
            extra: Extra::default(),
        }
    }

    /// Whose data, as a SIP URI, where the document says so.
    #[must_use]
    pub fn uri(&self) -> Option<&SmolStr> {
        self.categories.as_ref().map(|categories| &categories.uri)
    }
}

impl Default for RoamingData {
    fn default() -> Self {
        Self::new()
    }
}
