//! Memory for packets that is used again.

use bytes::{Bytes, BytesMut};

/// Octets of a piece of memory, which holds several packets: few enough that those of many streams stay in the caches.
const CHUNK: usize = 4096;

/// Makes packets that are handed out and given back. Once all packets of a chunk are dropped it is used again, so that nothing is allocated as
/// long as packets are not kept.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    chunk: BytesMut,
}

impl Pool {
    /// A packet with these octets, to be changed in place. One that was not taken is forgotten.
    pub(crate) fn fill(&mut self, octets: &[u8]) -> &mut [u8] {
        self.chunk.clear();
        if self.chunk.capacity() < octets.len() {
            self.chunk.reserve(octets.len().max(CHUNK));
        }
        self.chunk.extend_from_slice(octets);
        &mut self.chunk
    }

    /// The first octets of the packet, on their own.
    pub(crate) fn take(&mut self, len: usize) -> Bytes {
        self.chunk.truncate(len);
        self.chunk.split().freeze()
    }
}
