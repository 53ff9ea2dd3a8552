//! The bit encodings of LZ77-8K: RFC 2118, [MS-RDPBCGR] 3.1.8.4.1.
//!
//! Bits fill bytes from the most significant down.
//!
//! | literal | bits |
//! | --- | --- |
//! | below 0x80 | `0` + 7 |
//! | from 0x80 on | `10` + 7 |
//!
//! | copy offset | bits |
//! | --- | --- |
//! | 0 to 63 | `1111` + 6 |
//! | 64 to 319 | `1110` + 8 of offset - 64 |
//! | 320 to 8191 | `110` + 13 of offset - 320 |
//!
//! A length follows each offset: `0` for 3; for 2^k <= length < 2^(k+1), k from 2 to 12: k - 1 ones,
//! a zero, the k low bits of length.

use crate::history::LINEAR;
use crate::{Error, MAX_BLOCK_SIZE, MAX_OFFSET};

/// The bits that tell eight literals of 8 bits from all else.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Room for a block without a single match, 9 bits per byte, and for one word stored ahead.
pub(crate) const PAYLOAD_ROOM: usize = MAX_BLOCK_SIZE * 9 / 8 + 16;

/// Writes tokens, most significant bit first.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut [u8; PAYLOAD_ROOM],
    /// The next byte to write.
    at: usize,
    /// Fewer than 8 bits that do not fill a byte yet, from the most significant down.
    bits: u64,
    count: u32,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8; PAYLOAD_ROOM]) -> Self {
        Self {
            out,
            at: 0,
            bits: 0,
            count: 0,
        }
    }

    /// The lowest `width` bits of `value`, which has no others set; 1 to 56.
    #[inline]
    fn put(&mut self, value: u64, width: u32) {
        let bits = self.bits | value << (64 - self.count - width);
        let count = self.count + width;
        *self.out[self.at..].first_chunk_mut().expect("room") = bits.to_be_bytes();
        self.at += count as usize / 8;
        self.bits = bits << (count & !7);
        self.count = count % 8;
    }

    /// The bytes `from..to` of `bytes`, of which seven more must follow: `0` + 7 bits below 0x80,
    /// `10` + 7 bits from there on.
    #[inline]
    pub(crate) fn literals(&mut self, bytes: &[u8], mut from: usize, to: usize) {
        while from < to {
            // Seven bytes at once: with the bits that wait in `self` at most 63 bits.
            let count = (to - from).min(7);
            let word = u64::from_be_bytes(*bytes[from..].first_chunk().expect("slack"));
            let word = word >> (64 - 8 * count);
            if word & HIGH_BITS == 0 {
                self.put(word, 8 * count as u32);
            } else {
                for &byte in &bytes[from..from + count] {
                    if byte < 0x80 {
                        self.put(u64::from(byte), 8);
                    } else {
                        self.put(0x100 | u64::from(byte & 0x7F), 9);
                    }
                }
            }
            from += count;
        }
    }

    /// A copy of `length` (3 to 8191) bytes from `offset` (1 to 8191) before.
    #[inline]
    pub(crate) fn copy(&mut self, offset: usize, length: usize) {
        let (offset, offset_width) = match offset {
            0..64 => (0b1111 << 6 | offset, 10),
            64..320 => (0b1110 << 8 | (offset - 64), 12),
            _ => (0b110 << 13 | (offset - 320), 16),
        };
        // For 2^k <= length < 2^(k+1), k >= 2: k - 1 ones, a zero, the k low bits of length.
        let (length, length_width) = if length == 3 {
            (0, 1)
        } else {
            let k = length.ilog2();
            (((1 << k) - 2) << k | (length - (1 << k)), 2 * k)
        };
        self.put(
            (offset as u64) << length_width | length as u64,
            offset_width + length_width,
        );
    }

    /// Pads the last byte with zeros; returns the size in bytes.
    pub(crate) fn finish(self) -> usize {
        // `put` has stored the unfinished byte already.
        self.at + usize::from(self.count > 0)
    }
}

/// Reads tokens from input that may end anywhere, also inside a token.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// `count` bits of an unfinished token, from the most significant down.
    bits: u64,
    count: u32,
}

impl Reader {
    /// Decodes tokens to `history[position..end]` until that is full or `input[*at..]` is used up;
    /// returns the new position. At the end the padding is dropped, and whole bytes that were read
    /// ahead are given back to the input.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        at: &mut usize,
        history: &mut [u8; LINEAR],
        mut position: usize,
        end: usize,
    ) -> Result<usize, Error> {
        let mut bits = self.bits;
        let mut count = self.count;
        let mut next = *at;
        while position < end {
            if let Some(word) = input[next..].first_chunk() {
                // The bits below `count` may be those of a byte that is not counted yet; it is
                // read again with the same value.
                bits |= u64::from_be_bytes(*word) >> count;
                next += (63 - count as usize) / 8;
                // The same as adding eight for each of those bytes: 56 to 63 now.
                count |= 0x38;
            } else {
                while count < 56 && next < input.len() {
                    bits |= u64::from(input[next]) << (56 - count);
                    count += 8;
                    next += 1;
                }
            }

            // Literals below 0x80 are plain bytes: store eight, keep those before the first 1 bit.
            let run = ((bits & HIGH_BITS).leading_zeros() / 8).min(count / 8);
            if run > 0 {
                history[position..position + 8].copy_from_slice(&bits.to_be_bytes());
                let run = (run as usize).min(end - position);
                position += run;
                bits <<= 8 * run;
                count -= 8 * run as u32;
                continue;
            }
            if bits >> 62 == 0b10 {
                if count < 9 {
                    break;
                }
                history[position] = 0x80 | (bits >> 55) as u8;
                position += 1;
                bits <<= 9;
                count -= 9;
                continue;
            }

            // Missing bits read as zero or as themselves, and the token is longer than `count` then.
            let (prefix, width, base) = match bits >> 60 {
                0b1111 => (4, 6, 0),
                0b1110 => (4, 8, 64),
                _ => (3, 13, 320),
            };
            let offset = base + ((bits << prefix) >> (64 - width)) as usize;
            let rest = bits << (prefix + width);
            let ones = rest.leading_ones();
            let (length, length_width) = if ones == 0 {
                (3, 1)
            } else {
                let width = ones + 1;
                (
                    1 << (width & 31) | ((rest << width) >> (64 - width)) as usize,
                    2 * width,
                )
            };
            let used = prefix + width + length_width;
            if ones > 11 {
                return Err(Error::LengthPrefix);
            }
            if used > count {
                break;
            }
            if offset == 0 || offset > MAX_OFFSET {
                return Err(Error::Offset(offset as u16));
            }
            if length > end - position {
                return Err(Error::CopyOvershoots {
                    length: length as u16,
                    left: (end - position) as u16,
                });
            }
            bits = rest << length_width;
            count -= used;
            copy(history, position, offset, length);
            position += length;
        }
        if position == end {
            next -= count as usize / 8;
            bits = 0;
            count = 0;
        }
        *at = next;
        self.bits = bits;
        self.count = count;
        Ok(position)
    }
}

/// Copies `length` bytes from `offset` before `to`, byte by byte as it were: a source that overlaps
/// the destination repeats itself. May write up to 15 bytes too many.
#[inline]
fn copy(history: &mut [u8; LINEAR], to: usize, offset: usize, length: usize) {
    const CHUNK: usize = 16;

    let from = to - offset;
    if offset >= CHUNK {
        let mut done = 0;
        while done < length {
            let chunk: [u8; CHUNK] = *history[from + done..].first_chunk().expect("slack");
            *history[to + done..].first_chunk_mut().expect("slack") = chunk;
            done += CHUNK;
        }
    } else {
        // What is there repeats with the period `offset`, so each round can copy all of it.
        let mut done = 0;
        while done < length {
            let count = (offset + done).min(length - done);
            history.copy_within(from..from + count, to + done);
            done += count;
        }
    }
}
