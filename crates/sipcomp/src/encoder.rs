//! Bytes to packets.

use core::fmt;

use bytes::BufMut;

use crate::history::{FRONT, History, LINEAR, zeroed};
use crate::tokens::{PAYLOAD_ROOM, Writer};
use crate::{Flags, HISTORY_SIZE, Header, MAX_BLOCK_SIZE, MAX_OFFSET};

const HASH_BITS: u32 = 13;
const MIN_MATCH: usize = 3;
/// Inside a match one position in so many is remembered.
const STRIDE: usize = 16;
/// A match of so many bytes is taken without a look at the next position.
const LAZY: usize = 5;

/// The sending half of a compressed connection: bytes of the SIP stream in, packets out.
///
/// Send each SIP message with one call of [`encode`](Self::encode), and what it appends with one
/// write: a receiver that expects a packet per TLS record or segment is then content too.
///
/// Memory: 42 KB, fixed. Time: linear in the input.
pub struct Encoder {
    history: History,
    /// The HistoryOffset where three bytes of this hash were last seen. Entries are never removed:
    /// each is checked against the bytes that are there now.
    table: Box<[u16; 1 << HASH_BITS]>,
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
            .field("history_offset", &self.history.offset)
            .field("restart", &self.restart)
            .field("whole_history", &self.whole_history)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder with a fresh history, for the first byte after the response to NEGOTIATE.
    pub fn new() -> Self {
        Self {
            history: History::new(),
            table: zeroed(),
            restart: true,
            whole_history: true,
            payload: zeroed(),
        }
    }

    /// Whether matches may refer to what the previous pass left in the history, at HistoryOffsets
    /// above the current one. Default true.
    ///
    /// All of the history is valid at any time, and offsets wrap ([MS-RDPBCGR] 3.1.8.1, 3.1.8.3), so
    /// every conforming receiver can follow. Without it a message that is sent with
    /// `PACKET_AT_FRONT`, about one in twelve, goes out nearly in full.
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
        if self.restart || self.history.offset + block.len() > MAX_BLOCK_SIZE {
            flags = flags | Flags::AT_FRONT;
            self.history.go_to_front();
        }
        let start = FRONT + self.history.offset;
        let end = start + block.len();
        self.history.bytes[start..end].copy_from_slice(block);
        let payload = self.compress(start, end);
        let size = block.len() as u16;
        // Equal size may be sent as compressed ([MS-RDPBCGR] 3.1.8.2.1), which keeps the history.
        if payload <= block.len() {
            self.history.offset += block.len();
            self.restart = false;
            out.put_slice(&Header::new(flags, size).to_bytes());
            out.put_slice(&self.payload[..payload]);
        } else {
            // The receiver clears its history; the raw block is no part of it.
            self.history.flush();
            self.restart = true;
            out.put_slice(&Header::new(Flags::FLUSHED, size).to_bytes());
            out.put_slice(block);
        }
    }

    /// Encodes `start..end` of the history into the payload buffer; returns the size.
    fn compress(&mut self, start: usize, end: usize) -> usize {
        let mut finder = Finder {
            history: &self.history.bytes,
            table: &mut self.table,
            end,
            whole_history: self.whole_history,
        };
        let mut writer = Writer::new(&mut self.payload);
        let mut pending = start;
        let mut at = start;
        while at + MIN_MATCH <= end {
            let Some(mut best) = finder.find(at) else {
                at += 1;
                continue;
            };
            // A short match may hide a longer one that begins a byte later.
            if best.length < LAZY
                && at + 1 + MIN_MATCH <= end
                && let Some(later) = finder.find(at + 1)
                && later.length > best.length
            {
                best = later;
                at += 1;
            }
            writer.literals(&self.history.bytes[..], pending, at);
            writer.copy(best.offset, best.length);
            finder.remember(at + 2, at + best.length);
            at += best.length;
            pending = at;
        }
        writer.literals(&self.history.bytes[..], pending, end);
        writer.finish()
    }
}

struct Match {
    offset: usize,
    length: usize,
}

/// Finds earlier occurrences of the bytes of a block, which ends at `end`.
struct Finder<'a> {
    history: &'a [u8; LINEAR],
    table: &'a mut [u16; 1 << HASH_BITS],
    end: usize,
    whole_history: bool,
}

impl Finder<'_> {
    /// The match at `at`, where at least [`MIN_MATCH`] bytes of the block are left. Remembers `at`.
    #[inline]
    fn find(&mut self, at: usize) -> Option<Match> {
        let slot = &mut self.table[hash(self.history, at)];
        let offset = at.wrapping_sub(usize::from(*slot)) % HISTORY_SIZE;
        *slot = (at - FRONT) as u16;
        let reach = if self.whole_history {
            MAX_OFFSET
        } else {
            at - FRONT
        };
        if offset == 0 || offset > reach {
            return None;
        }
        let from = at - offset;
        // A source in the previous pass ends with it.
        let room = if from < FRONT {
            FRONT - from
        } else {
            HISTORY_SIZE
        };
        let length = match_length(self.history, from, at, room.min(self.end - at));
        (length >= MIN_MATCH).then_some(Match { offset, length })
    }

    /// Remembers some positions of a match, enough to find the same text again when its first
    /// occurrence has left the history.
    #[inline]
    fn remember(&mut self, mut from: usize, to: usize) {
        while from + MIN_MATCH <= to {
            self.table[hash(self.history, from)] = (from - FRONT) as u16;
            from += STRIDE;
        }
    }
}

/// Eight bytes at `at`, the first in the lowest bits.
#[inline]
fn load(history: &[u8; LINEAR], at: usize) -> u64 {
    u64::from_le_bytes(*history[at..].first_chunk().expect("slack"))
}

/// The slot of the three bytes at `at`.
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
