//! Writing the bit encodings of LZ77-8K: RFC 2118 3.1, [MS-RDPBCGR] 3.1.8.4.1.

use crate::MAX_BLOCK_SIZE;

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

    /// `0` + 7 bits below 0x80, `10` + 7 bits from there on.
    #[inline]
    pub(crate) fn literals(&mut self, mut bytes: &[u8]) {
        const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

        loop {
            if let Some(word) = bytes.first_chunk() {
                let word = u64::from_be_bytes(*word);
                // Seven plain bytes: with the bits that wait in `self` at most 63 bits.
                if word & HIGH_BITS < 0x100 {
                    self.put(word >> 8, 56);
                    bytes = &bytes[7..];
                    continue;
                }
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return;
            };
            if byte < 0x80 {
                self.put(u64::from(byte), 8);
            } else {
                self.put(0x100 | u64::from(byte & 0x7F), 9);
            }
            bytes = rest;
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
