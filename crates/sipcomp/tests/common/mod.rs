//! A decoder and a bit writer written for clarity, one bit at a time, straight from the tables of
//! [MS-RDPBCGR] 3.1.8.4.1: what the fast ones are compared with.
#![allow(dead_code, reason = "each test binary uses its part")]

use ocs_sipcomp::{Decoder, Error, Flags, HISTORY_SIZE, Header};

/// What a stream of packets decodes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) plain: Vec<u8>,
    pub(crate) result: Result<(), Error>,
    pub(crate) packet_offset: u64,
}

/// The history as the specification describes it: a ring.
pub(crate) struct Ring {
    pub(crate) history: Vec<u8>,
    pub(crate) offset: usize,
    /// The largest distance by which an offset reached beyond the front.
    pub(crate) reached_back: bool,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            history: vec![0; HISTORY_SIZE],
            offset: 0,
            reached_back: false,
        }
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<usize> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn bits(&mut self, width: u32) -> Option<usize> {
        let mut value = 0;
        for _ in 0..width {
            value = value << 1 | self.bit()?;
        }
        Some(value)
    }
}

impl Ring {
    fn push(&mut self, byte: u8) {
        self.history[self.offset] = byte;
        self.offset += 1;
    }

    /// Decodes one payload: `None` if it is cut short, else the bytes it takes.
    fn payload(&mut self, payload: &[u8], size: usize) -> Option<Result<usize, Error>> {
        let mut bits = Bits {
            bytes: payload,
            at: 0,
        };
        let end = self.offset + size;
        while self.offset < end {
            if bits.bit()? == 0 {
                let low = bits.bits(7)?;
                self.push(low as u8);
                continue;
            }
            if bits.bit()? == 0 {
                let low = bits.bits(7)?;
                self.push(0x80 | low as u8);
                continue;
            }
            let offset = match bits.bit()? {
                0 => bits.bits(13)? + 320,
                _ if bits.bit()? == 0 => bits.bits(8)? + 64,
                _ => bits.bits(6)?,
            };
            let mut ones = 0;
            while bits.bit()? == 1 {
                ones += 1;
                if ones == 12 {
                    return Some(Err(Error::LengthPrefix));
                }
            }
            let length = if ones == 0 {
                3
            } else {
                1 << (ones + 1) | bits.bits(ones + 1)?
            };
            if offset == 0 || offset > 8191 {
                return Some(Err(Error::Offset(offset as u16)));
            }
            if length > end - self.offset {
                return Some(Err(Error::CopyOvershoots {
                    length: length as u16,
                    left: (end - self.offset) as u16,
                }));
            }
            self.reached_back |= offset > self.offset;
            for _ in 0..length {
                let from = (self.offset + HISTORY_SIZE - offset) % HISTORY_SIZE;
                self.push(self.history[from]);
            }
        }
        Some(Ok(bits.at.div_ceil(8)))
    }

    /// Decodes a stream of packets, to its end or to the first error.
    pub(crate) fn decode(&mut self, wire: &[u8]) -> Outcome {
        let mut plain = Vec::new();
        let mut at = 0;
        let result = loop {
            let rest = &wire[at..];
            let Some(&header) = rest.first_chunk() else {
                break Ok(());
            };
            let header = Header::from_bytes(header);
            let rest = &rest[Header::SIZE..];
            let size = usize::from(header.uncompressed_size);
            if header.reserved != 0 {
                break Err(Error::Reserved(header.reserved));
            }
            if let Err(error) = header.check(self.offset as u16) {
                break Err(error);
            }
            if !header.flags.contains(Flags::COMPRESSED) {
                if header.flags.contains(Flags::FLUSHED) {
                    self.history.fill(0);
                    self.offset = 0;
                }
                let length = size.min(rest.len());
                plain.extend_from_slice(&rest[..length]);
                if length < size {
                    break Ok(());
                }
                at += Header::SIZE + size;
                continue;
            }
            if header.flags.contains(Flags::AT_FRONT) {
                self.offset = 0;
            }
            let start = self.offset;
            match self.payload(rest, size) {
                None => break Ok(()),
                Some(Err(error)) => break Err(error),
                Some(Ok(length)) => {
                    plain.extend_from_slice(&self.history[start..self.offset]);
                    at += Header::SIZE + length;
                }
            }
        };
        Outcome {
            plain,
            result,
            packet_offset: at as u64,
        }
    }
}

/// Writes tokens bit by bit.
#[derive(Default)]
pub(crate) struct Tokens {
    bits: Vec<bool>,
}

impl Tokens {
    pub(crate) fn bits(&mut self, value: usize, width: u32) {
        for bit in (0..width).rev() {
            self.bits.push(value >> bit & 1 == 1);
        }
    }

    pub(crate) fn literal(&mut self, byte: u8) {
        if byte < 0x80 {
            self.bits(byte.into(), 8);
        } else {
            self.bits(0b10, 2);
            self.bits((byte & 0x7F).into(), 7);
        }
    }

    pub(crate) fn copy(&mut self, offset: usize, length: usize) {
        match offset {
            0..64 => {
                self.bits(0b1111, 4);
                self.bits(offset, 6);
            }
            64..320 => {
                self.bits(0b1110, 4);
                self.bits(offset - 64, 8);
            }
            _ => {
                self.bits(0b110, 3);
                self.bits(offset - 320, 13);
            }
        }
        if length == 3 {
            self.bits(0, 1);
        } else {
            let k = length.ilog2();
            for _ in 1..k {
                self.bits(1, 1);
            }
            self.bits(0, 1);
            self.bits(length - (1 << k), k);
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bits
            .chunks(8)
            .map(|bits| {
                bits.iter()
                    .enumerate()
                    .fold(0, |byte, (at, &bit)| byte | u8::from(bit) << (7 - at))
            })
            .collect()
    }
}

/// A packet with any payload.
pub(crate) fn packet(flags: Flags, uncompressed_size: usize, payload: &[u8]) -> Vec<u8> {
    let mut packet = Header::new(flags, uncompressed_size as u16)
        .to_bytes()
        .to_vec();
    packet.extend_from_slice(payload);
    packet
}

/// Feeds `wire` to a new decoder in pieces of the given sizes, over and over.
pub(crate) fn decode_split(wire: &[u8], sizes: &[usize]) -> Outcome {
    let mut decoder = Decoder::default();
    let mut plain = Vec::new();
    let mut rest = wire;
    let mut sizes = sizes.iter().cycle();
    let result = 'stream: loop {
        if rest.is_empty() {
            break Ok(());
        }
        let size = sizes.next().map_or(1, |&size| size.clamp(1, rest.len()));
        let (mut piece, after) = rest.split_at(size);
        rest = after;
        while !piece.is_empty() {
            match decoder.decode(piece, &mut plain) {
                Ok(consumed) => piece = &piece[consumed..],
                Err(error) => break 'stream Err(error),
            }
        }
    };
    Outcome {
        plain,
        result,
        packet_offset: decoder.packet_offset(),
    }
}
