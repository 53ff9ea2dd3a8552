//! A queue of octets with a destination each, in one buffer that is used again once the queue is empty.

use std::collections::VecDeque;
use std::ops::Range;

/// What waits to be taken. In a steady state nothing is allocated.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    octets: Vec<u8>,
    entries: VecDeque<(T, Range<usize>)>,
}

/// A burst may make the buffer large; it is not kept so.
const KEPT: usize = 64 * 1024;

impl<T> Outbox<T> {
    pub(crate) const fn new() -> Self {
        Self {
            octets: Vec::new(),
            entries: VecDeque::new(),
        }
    }

    /// Puts in what `write` appends. What it refuses to write is not put in.
    pub(crate) fn push<E>(
        &mut self,
        to: T,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.entries.is_empty() {
            self.octets.clear();
            self.octets.shrink_to(KEPT);
        }
        let start = self.octets.len();
        let result = write(&mut self.octets);
        if result.is_ok() {
            self.entries.push_back((to, start..self.octets.len()));
        } else {
            self.octets.truncate(start);
        }
        result
    }

    /// Puts in octets.
    pub(crate) fn push_octets(&mut self, to: T, octets: &[u8]) {
        let Ok(()) = self.push(to, |out| {
            out.extend_from_slice(octets);
            Ok::<_, std::convert::Infallible>(())
        });
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<(T, &[u8])> {
        let (to, range) = self.entries.pop_front()?;
        Some((to, &self.octets[range]))
    }
}
