//! Deadlines of many things, each with at most one entry.

use std::collections::BTreeSet;
use std::time::Instant;

/// Keys by deadline. The owner of a key remembers its entry, so that moving it costs no search.
#[derive(Debug)]
pub(crate) struct Schedule<K> {
    entries: BTreeSet<(Instant, K)>,
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self {
            entries: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone> Schedule<K> {
    /// Makes the entry of `key`, remembered in `slot`, fire at `deadline`.
    ///
    /// An entry that fires earlier stays: its owner finds nothing to do then and comes here again. So a deadline
    /// that moves on with every message costs nothing.
    pub(crate) fn arm(&mut self, key: K, slot: &mut Option<Instant>, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            return;
        };
        match *slot {
            Some(scheduled) if scheduled <= deadline => return,
            Some(scheduled) => _ = self.entries.remove(&(scheduled, key.clone())),
            None => {}
        }
        *slot = Some(deadline);
        self.entries.insert((deadline, key));
    }

    /// Forgets the entry of `key`.
    pub(crate) fn disarm(&mut self, key: K, slot: &mut Option<Instant>) {
        if let Some(scheduled) = slot.take() {
            self.entries.remove(&(scheduled, key));
        }
    }

    /// Takes a key that is due; its owner clears its slot.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop_first().map(|(_, key)| key)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.first().map(|(at, _)| *at)
    }
}
