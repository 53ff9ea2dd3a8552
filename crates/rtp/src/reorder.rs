//! Packets in the order of their sequence numbers, with a bounded delay.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::seq::distance;
use crate::session::MAX_DURATION;

/// A packet that is so far behind what was given out begins a new numbering (MAX_MISORDER of RFC 3550 A.1).
const MAX_MISORDER: i16 = 100;

/// What [`Reorder::pop`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered<T> {
    /// The next packet.
    Packet {
        /// Its sequence number.
        sequence: u16,
        /// What was put in.
        packet: T,
    },
    /// Packets that did not come in time.
    Lost {
        /// The first of them.
        first: u16,
        /// How many they are.
        count: u16,
    },
}

/// What [`Reorder::push`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The packet is kept.
    Kept,
    /// It is there already, or was given out, and is dropped.
    Duplicate,
    /// Its place was given up, and it is dropped.
    Late,
    /// The buffer is full, for nothing was taken out; it is dropped.
    Full,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    sequence: u16,
    arrival: Instant,
    packet: T,
}

/// Holds packets of one source until those before them came, but never longer than its delay and never more than its capacity.
///
/// It hides no loss and adapts nothing: that is a jitter buffer's work.
#[derive(Clone, Debug)]
pub struct Reorder<T> {
    delay: Duration,
    capacity: usize,
    next: Option<u16>,
    /// By sequence number; never empty of packets behind `next`.
    slots: VecDeque<Slot<T>>,
}

impl<T> Reorder<T> {
    /// A buffer that waits at most so long for a packet, 24 hours at most, and holds at most `capacity` packets, 1 at least.
    pub fn new(delay: Duration, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            delay: delay.min(MAX_DURATION),
            capacity,
            next: None,
            slots: VecDeque::with_capacity(capacity),
        }
    }

    /// Puts a packet in. Then take out what [`pop`](Self::pop) gives.
    ///
    /// A packet that is more than 100 numbers behind begins a new numbering, and what is held of the former one is dropped.
    pub fn push(&mut self, now: Instant, sequence: u16, packet: T) -> Pushed {
        let next = *self.next.get_or_insert(sequence);
        let ahead = distance(next, sequence);
        if ahead < -MAX_MISORDER {
            self.reset();
            self.next = Some(sequence);
        } else if ahead < 0 {
            return Pushed::Late;
        }
        let at = self
            .slots
            .iter()
            .rposition(|slot| distance(slot.sequence, sequence) >= 0)
            .map_or(0, |at| at + 1);
        if at > 0 && self.slots[at - 1].sequence == sequence {
            return Pushed::Duplicate;
        }
        if self.slots.len() >= self.capacity {
            return Pushed::Full;
        }
        let slot = Slot {
            sequence,
            arrival: now,
            packet,
        };
        self.slots.insert(at, slot);
        Pushed::Kept
    }

    /// The next packet, or word of those that are given up: because a packet behind them has waited for the whole delay, or because the buffer is full.
    pub fn pop(&mut self, now: Instant) -> Option<Ordered<T>> {
        let (next, front) = (self.next?, self.slots.front()?);
        let count = front.sequence.wrapping_sub(next);
        if count == 0 {
            self.next = Some(next.wrapping_add(1));
            return self.slots.pop_front().map(|slot| Ordered::Packet {
                sequence: slot.sequence,
                packet: slot.packet,
            });
        }
        let full = self.slots.len() >= self.capacity;
        if full || self.poll_timeout().is_some_and(|due| due <= now) {
            self.next = Some(front.sequence);
            return Some(Ordered::Lost { first: next, count });
        }
        None
    }

    /// When [`pop`](Self::pop) gives something even if nothing more comes.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let oldest = self.slots.iter().map(|slot| slot.arrival).min()?;
        Some(oldest + self.delay)
    }

    /// Packets that are held.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Forgets everything; the next packet begins a new numbering.
    pub fn reset(&mut self) {
        self.next = None;
        self.slots.clear();
    }
}
