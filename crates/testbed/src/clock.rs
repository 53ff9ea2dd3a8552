//! The event queue: what happens next, in an order that never depends on chance.

use std::collections::BTreeMap;
use std::time::Instant;

/// The place of an event in the queue; gives it back to [`Queue::cancel`].
pub(crate) type Ticket = (Instant, u64);

/// Events by time, and by the order in which they were made where the time is the same.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    events: BTreeMap<Ticket, T>,
    next: u64,
}

impl<T> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            events: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn push(&mut self, at: Instant, event: T) -> Ticket {
        let ticket = (at, self.next);
        self.next += 1;
        self.events.insert(ticket, event);
        ticket
    }

    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        self.events.remove(&ticket);
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Instant, T)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
