//! Endpoints whose binding ran out.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use ocs_sipre::EndpointKey;

/// Endpoints whose binding expired, until the record goes too.
#[derive(Debug, Default)]
pub(super) struct Expired {
    ends: HashMap<EndpointKey, Instant>,
    order: BTreeSet<(Instant, EndpointKey)>,
}

impl Expired {
    pub(super) fn insert(&mut self, key: EndpointKey, ends: Instant) {
        self.remove(&key);
        self.ends.insert(key.clone(), ends);
        self.order.insert((ends, key));
    }

    pub(super) fn remove(&mut self, key: &EndpointKey) -> bool {
        let Some(ends) = self.ends.remove(key) else {
            return false;
        };
        self.order.remove(&(ends, key.clone()))
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(ends, _)| *ends)
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        while self.next().is_some_and(|ends| ends <= now) {
            if let Some((_, key)) = self.order.pop_first() {
                self.ends.remove(&key);
            }
        }
    }
}
