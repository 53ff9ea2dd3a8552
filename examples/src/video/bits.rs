//! Bits of H.264: 7.2, 7.3.1, 9.1.

/// Writes a NAL unit.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    octets: Vec<u8>,
    /// Bits of the last octet that are used, 0 for all.
    used: u32,
}

impl BitWriter {
    /// `u(n)`
    pub(super) fn u(&mut self, bits: u32, value: u32) {
        for bit in (0..bits).rev() {
            if self.used == 0 {
                self.octets.push(0);
            }
            let last = self.octets.last_mut().expect("one was pushed");
            *last |= ((value >> bit & 1) as u8) << (7 - self.used);
            self.used = (self.used + 1) % 8;
        }
    }

    /// `ue(v)`
    pub(super) fn ue(&mut self, value: u32) {
        let len = (value + 1).ilog2();
        self.u(len, 0);
        self.u(len + 1, value + 1);
    }

    /// `pcm_alignment_zero_bit`
    pub(super) const fn align(&mut self) {
        self.used = 0;
    }

    /// Whole octets, behind [`align`](Self::align).
    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Ends it, and appends it to the stream with a start code and the octets that prevent false ones.
    pub(super) fn finish(mut self, header: u8, out: &mut Vec<u8>) {
        // rbsp_trailing_bits
        self.u(1, 1);
        out.extend_from_slice(&[0, 0, 0, 1, header]);
        let mut zeros = 0;
        for octet in self.octets {
            if zeros == 2 && octet <= 3 {
                out.push(3);
                zeros = 0;
            }
            zeros = if octet == 0 { zeros + 1 } else { 0 };
            out.push(octet);
        }
    }
}

/// Reads a NAL unit, from behind its header.
#[derive(Debug)]
pub(super) struct BitReader {
    octets: Vec<u8>,
    at: usize,
    /// Where the trailing bits begin.
    end: usize,
}

impl BitReader {
    pub(super) fn new(unit: &[u8]) -> Option<Self> {
        let mut octets = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for &octet in unit {
            if zeros == 2 && octet == 3 {
                zeros = 0;
                continue;
            }
            zeros = if octet == 0 { zeros + 1 } else { 0 };
            octets.push(octet);
        }
        let last = octets.iter().rposition(|&octet| octet != 0)?;
        let end = last * 8 + 7 - octets[last].trailing_zeros() as usize;
        Some(Self { octets, at: 0, end })
    }

    /// `more_rbsp_data`
    pub(super) const fn more(&self) -> bool {
        self.at < self.end
    }

    pub(super) fn u(&mut self, bits: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..bits {
            if !self.more() {
                return None;
            }
            let bit = self.octets[self.at / 8] >> (7 - self.at % 8) & 1;
            value = value << 1 | u32::from(bit);
            self.at += 1;
        }
        Some(value)
    }

    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut len = 0;
        while self.u(1)? == 0 {
            len += 1;
            if len > 16 {
                return None;
            }
        }
        Some((1 << len) - 1 + self.u(len)?)
    }

    /// Whole octets behind `pcm_alignment_zero_bit`s.
    pub(super) fn octets(&mut self, len: usize) -> Option<&[u8]> {
        let start = self.at.div_ceil(8);
        let octets = self.octets.get(start..start + len)?;
        self.at = (start + len) * 8;
        (self.at <= self.end).then_some(octets)
    }
}
