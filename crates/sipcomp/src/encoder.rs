//! Bytes to packets.

use core::fmt;

use bytes::BufMut;

use crate::bits::{PAYLOAD_ROOM, Writer};
use crate::{Flags, HISTORY_SIZE, Header, MAX_BLOCK_SIZE, MAX_OFFSET};

/// Where the current pass over the history begins in [`Encoder::history`].
const FRONT: usize = HISTORY_SIZE;
/// Words are compared eight bytes at a time; the last one may reach this far beyond the block.
const SLACK: usize = 16;
const LINEAR: usize = 2 * HISTORY_SIZE + SLACK;
const HASH_BITS: u32 = 13;
const MIN_MATCH: usize = 3;
/// Inside a match one position in so many is remembered.
const STRIDE: usize = 16;

/// The sending half of a compressed connection: bytes of the SIP stream in, packets out.
///
/// Send each SIP message with one call of [`encode`](Self::encode), and what it appends with one
/// write: a receiver that expects a packet per TLS record or segment is then content too.
///
/// Memory: 42 KB, fixed. Time: linear in the input.
// The history lies as in the decoder: the previous pass directly before the current one. The table
// maps a hash of three bytes to the HistoryOffset where they were last seen. Entries are never
// removed: each is checked against the bytes that are there now.
pub struct Encoder {
    history: Box<[u8; LINEAR]>,
    table: Box<[u16; 1 << HASH_BITS]>,
    /// HistoryOffset, 0 to [`MAX_BLOCK_SIZE`].
    history_offset: usize,
    /// The bytes of the previous pass that are not zero for certain.
    previous: usize,
    /// The next block is the first, or the first after a flush.
    restart: bool,
    whole_history: bool,
    payload: Box<[u8; PAYLOAD_ROOM]>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Encoder {
    // Without the history: it holds the messages of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("history_offset", &self.history_offset)
            .field("restart", &self.restart)
            .field("whole_history", &self.whole_history)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder with a fresh history, for the first byte after the response to NEGOTIATE.
    pub fn new() -> Self {
        Self {
            history: Box::new([0; LINEAR]),
            table: Box::new([0; 1 << HASH_BITS]),
            history_offset: 0,
            previous: 0,
            restart: true,
            whole_history: true,
            payload: Box::new([0; PAYLOAD_ROOM]),
        }
    }

    /// Whether matches may refer to what the previous pass left in the history, at HistoryOffsets
    /// above the current one. Default true.
    ///
    /// "The entire history is always valid" ([MS-RDPBCGR] 3.1.8.1, 3.1.8.3), so every conforming
    /// receiver can follow, and without it a message after `PACKET_AT_FRONT` is sent nearly in full.
    /// Switch it off for a receiver that only knows the bytes before the current position. A match
    /// never runs over the end of the history to its front in either case.
    pub const fn set_whole_history(&mut self, whole_history: bool) {
        self.whole_history = whole_history;
    }

    /// Appends `data` as packets to `out`, a growing buffer such as `Vec<u8>` or
    /// [`bytes::BytesMut`]: one packet for each [`MAX_BLOCK_SIZE`] bytes or part of it, none for
    /// nothing. No packet is longer than its header plus the bytes it stands for.
    pub fn encode(&mut self, data: &[u8], out: &mut impl BufMut) {
        for block in data.chunks(MAX_BLOCK_SIZE) {
            self.encode_block(block, out);
        }
    }

    fn encode_block(&mut self, block: &[u8], out: &mut impl BufMut) {
        let mut flags = Flags::COMPRESSED;
        // The history is left 4 bytes before its end: clear of receivers that are off by one.
        if self.restart || self.history_offset + block.len() > MAX_BLOCK_SIZE {
            flags = flags | Flags::AT_FRONT;
            self.go_to_front();
        }
        let start = FRONT + self.history_offset;
        let end = start + block.len();
        self.history[start..end].copy_from_slice(block);
        let payload = self.compress(start, end);
        let size = block.len() as u16;
        // Equal size may be sent as compressed ([MS-RDPBCGR] 3.1.8.2.1), which keeps the history.
        if payload <= block.len() {
            self.history_offset += block.len();
            self.restart = false;
            out.put_slice(&Header::new(flags, size).to_bytes());
            out.put_slice(&self.payload[..payload]);
        } else {
            self.flush();
            out.put_slice(&Header::new(Flags::FLUSHED, size).to_bytes());
            out.put_slice(block);
        }
    }

    fn go_to_front(&mut self) {
        self.history
            .copy_within(FRONT..FRONT + self.history_offset, 0);
        self.previous = self.previous.max(self.history_offset);
        self.history_offset = 0;
    }

    /// Clears the history as the receiver of `PACKET_FLUSHED` does. The raw block is no part of it.
    #[cold]
    fn flush(&mut self) {
        self.history[..self.previous].fill(0);
        self.previous = 0;
        self.history_offset = 0;
        self.restart = true;
    }

    /// Encodes `start..end` of the history into the payload buffer; returns the size.
    fn compress(&mut self, start: usize, end: usize) -> usize {
        let history = &*self.history;
        let table = &mut *self.table;
        let mut writer = Writer::new(&mut self.payload);
        let mut pending = start;
        let mut at = start;
        // A hash reads four bytes, of which the last may lie behind the block: it is masked out.
        while at + MIN_MATCH <= end {
            let slot = &mut table[hash(history, at)];
            let offset = at.wrapping_sub(usize::from(*slot)) % HISTORY_SIZE;
            *slot = (at - FRONT) as u16;
            let reach = if self.whole_history {
                MAX_OFFSET
            } else {
                at - FRONT
            };
            if offset == 0 || offset > reach {
                at += 1;
                continue;
            }
            let from = at - offset;
            // A source in the previous pass ends with it.
            let limit = (end - at).min(if from < FRONT { FRONT - from } else { HISTORY_SIZE });
            let length = match_length(history, from, at, limit);
            if length < MIN_MATCH {
                at += 1;
                continue;
            }
            writer.literals(&history[pending..at]);
            writer.copy(offset, length);
            let matched = at;
            at += length;
            pending = at;
            let mut inside = matched + 1;
            while inside + MIN_MATCH <= at {
                table[hash(history, inside)] = (inside - FRONT) as u16;
                inside += STRIDE;
            }
        }
        writer.literals(&history[pending..end]);
        writer.finish()
    }
}

#[inline]
fn load(history: &[u8; LINEAR], at: usize) -> u64 {
    u64::from_le_bytes(*history[at..].first_chunk().expect("slack"))
}

#[inline]
fn hash(history: &[u8; LINEAR], at: usize) -> usize {
    let three = (load(history, at) as u32) << 8;
    (three.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize
}

/// How many bytes at `from` and `at` agree, at most `limit`.
#[inline]
fn match_length(history: &[u8; LINEAR], from: usize, at: usize, limit: usize) -> usize {
    let mut length = 0;
    while length < limit {
        let difference = load(history, from + length) ^ load(history, at + length);
        if difference != 0 {
            length += difference.trailing_zeros() as usize / 8;
            break;
        }
        length += 8;
    }
    length.min(limit)
}
