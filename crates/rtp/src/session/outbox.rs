//! What is to be sent.

use std::collections::VecDeque;
use std::ops::Range;

/// Packets in one buffer, which is used again when all are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    packets: VecDeque<Range<usize>>,
}

impl Outbox {
    /// The buffer, to append packets to. What was handed out is forgotten.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.packets.is_empty() {
            self.octets.clear();
        }
        &mut self.octets
    }

    /// Makes a packet of what was appended since `start`.
    pub(super) fn finish(&mut self, start: usize) {
        if start < self.octets.len() {
            self.packets.push_back(start..self.octets.len());
        }
    }

    /// Appends a packet.
    pub(super) fn push(&mut self, octets: &[u8]) {
        let buffer = self.buffer();
        let start = buffer.len();
        buffer.extend_from_slice(octets);
        self.finish(start);
    }

    /// The next packet.
    pub(super) fn pop(&mut self) -> Option<&[u8]> {
        let range = self.packets.pop_front()?;
        Some(&self.octets[range])
    }
}
