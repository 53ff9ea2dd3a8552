//! What is known of one user's presence.

use std::collections::BTreeMap;

use ocs_xml::SmolStr;

use crate::doc::{Categories, Category};

/// The presence of one user, as a watcher sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presence {
    categories: BTreeMap<SmolStr, Vec<Category>>,
}

impl Presence {
    /// Takes a document: what it says of a category takes the place of all that was known of it. Gives the names of those that are not as
    /// before.
    pub fn merge(&mut self, document: Categories) -> Vec<SmolStr> {
        let mut said: BTreeMap<SmolStr, Vec<Category>> = BTreeMap::new();
        for category in document.categories {
            let instances = said.entry(category.name.clone()).or_default();
            // A name without instance says that there is none.
            if category.instance.is_some() || !category.values.is_empty() {
                instances.push(category);
            }
        }
        let mut changed = Vec::new();
        for (name, instances) in said {
            let known = self.categories.get(&name);
            if known.is_none_or(|known| *known != instances) {
                changed.push(name.clone());
                self.categories.insert(name, instances);
            }
        }
        changed
    }

    /// The instances of a category; none if nothing is known or visible.
    #[must_use]
    pub fn instances(&self, category: &str) -> &[Category] {
        self.categories.get(category).map_or(&[], Vec::as_slice)
    }

    /// Whether something was said of a category, be it that there is none.
    #[must_use]
    pub fn knows(&self, category: &str) -> bool {
        self.categories.contains_key(category)
    }

    /// The instance of a category that was published last: the one that counts for `note` and `calendarData` (SIPE).
    #[must_use]
    pub fn newest(&self, category: &str) -> Option<&Category> {
        // Of equals the first.
        self.instances(category)
            .iter()
            .rev()
            .max_by_key(|instance| instance.publish_time)
    }
}
