//! Memory for packets that is used again.

use bytes::{Bytes, BytesMut};

/// Octets of a piece of memory, which holds several packets: few enough that those of many streams stay in the caches.
const CHUNK: usize = 4096;

/// Makes packets that are handed out and given back. There are two chunks of memory, filled in turns: one whose packets are all dropped when its turn
/// comes is used again, so that nothing is allocated as long as no more is kept than fits into the other.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    chunk: BytesMut,
    other: BytesMut,
}

impl Pool {
    /// A packet with these octets, to be changed in place. One that was not taken is forgotten.
    pub(crate) fn fill(&mut self, octets: &[u8]) -> &mut [u8] {
        self.chunk.clear();
        if self.chunk.capacity() < octets.len() {
            core::mem::swap(&mut self.chunk, &mut self.other);
            self.chunk.clear();
            // Takes the chunk's own memory where nobody has a part of it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_what_was_filled_in() {
        let mut pool = Pool::default();
        let mut kept = Vec::new();
        for number in 0..200_u8 {
            let octets = [number; 172];
            // What is not taken leaves nothing behind.
            pool.fill(&[0xee; 1000]);
            pool.fill(&octets)[0] = 0;
            kept.push(pool.take(160));
            if number % 3 == 0 {
                kept.remove(0);
            }
        }
        for packet in kept {
            assert_eq!(packet.len(), 160);
            assert_eq!(packet[0], 0);
            assert!(packet[1..].iter().all(|octet| *octet == packet[1]));
        }
    }

    #[test]
    fn memory_comes_again() {
        let mut pool = Pool::default();
        let mut places = std::collections::BTreeSet::new();
        let mut kept = std::collections::VecDeque::new();
        for _ in 0..1000 {
            pool.fill(&[0; 172]);
            let packet = pool.take(172);
            places.insert(packet.as_ptr());
            // As a buffer against jitter does.
            kept.push_back(packet);
            if kept.len() > 10 {
                kept.pop_front();
            }
        }
        assert!(places.len() < 50, "{}", places.len());
    }

    #[test]
    fn packets_of_any_length() {
        let mut pool = Pool::default();
        for len in [0, 1, 4096, 65_535, 2, 5000] {
            let octets = vec![7; len];
            pool.fill(&octets);
            assert_eq!(pool.take(len), octets);
        }
    }
}
