//! The six bytes before each packet.

use core::fmt;
use core::ops::BitOr;

use crate::{Error, HISTORY_SIZE};

/// The flags nibble of a packet header ([MS-SIPCOMP], setting the compression flags).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u8);

impl Flags {
    /// No flag: raw bytes that leave the history alone (inferred; see [`Header::check`]).
    pub const NONE: Self = Self(0);
    /// `PACKET_FLUSHED` (0x8): the receiver clears its history; the payload is raw. Stands alone.
    pub const FLUSHED: Self = Self(0x8);
    /// `PACKET_AT_FRONT` (0x4): the decompressed bytes go to the start of the history. Only with
    /// [`COMPRESSED`](Self::COMPRESSED).
    pub const AT_FRONT: Self = Self(0x4);
    /// `PACKET_COMPRESSED` (0x2): the payload is compressed.
    pub const COMPRESSED: Self = Self(0x2);
    /// The undefined bit (0x1): sent as zero, ignored on receipt.
    pub const UNDEFINED: Self = Self(0x1);

    /// The flags of a nibble; bits above the lowest four are dropped.
    pub const fn from_nibble(nibble: u8) -> Self {
        Self(nibble & 0xF)
    }

    /// The nibble, 0 to 15.
    pub const fn nibble(self) -> u8 {
        self.0
    }

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        for (flag, name) in [
            (Self::FLUSHED, "FLUSHED"),
            (Self::AT_FRONT, "AT_FRONT"),
            (Self::COMPRESSED, "COMPRESSED"),
            (Self::UNDEFINED, "UNDEFINED"),
        ] {
            if self.contains(flag) {
                set.entry(&format_args!("{name}"));
            }
        }
        set.finish()
    }
}

/// The header of a compression packet: 4 bits Flags, 4 bits Type, 24 bits Reserved, 16 bits
/// UncompressedSize, big endian.
///
/// The wire carries no length of the payload: a raw packet ends after UncompressedSize bytes, a
/// compressed one with the byte that holds the last bit of the token that completes
/// UncompressedSize bytes (inferred: nothing else could tell).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Flags, the high nibble of the first byte.
    pub flags: Flags,
    /// Type, the low nibble of the first byte: [`TYPE_LZ77_8K`](Self::TYPE_LZ77_8K).
    pub compression_type: u8,
    /// Reserved, 24 bits, sent as zero.
    pub reserved: u32,
    /// The bytes that the packet yields: at most 8192 when compressed, at most 65535 when raw.
    pub uncompressed_size: u16,
}

impl Header {
    /// The size of a header on the wire, in bytes.
    pub const SIZE: usize = 6;

    /// The Type of LZ77-8K (inferred from the same byte of [MS-RDPBCGR] 2.2.8.1.1.1.2, where
    /// `PACKET_COMPR_TYPE_8K` is 0). On receipt the negotiated algorithm decides, whatever Type says.
    pub const TYPE_LZ77_8K: u8 = 0;

    /// A header of LZ77-8K with nothing reserved.
    pub const fn new(flags: Flags, uncompressed_size: u16) -> Self {
        Self {
            flags,
            compression_type: Self::TYPE_LZ77_8K,
            reserved: 0,
            uncompressed_size,
        }
    }

    /// Reads the fields. Every value of the bytes is a header; [`check`](Self::check) judges it.
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let [first, r0, r1, r2, s0, s1] = bytes;
        Self {
            flags: Flags::from_nibble(first >> 4),
            compression_type: first & 0xF,
            reserved: u32::from_be_bytes([0, r0, r1, r2]),
            uncompressed_size: u16::from_be_bytes([s0, s1]),
        }
    }

    /// Writes the fields; Type is cut to its 4 bits and Reserved to its 24.
    pub const fn to_bytes(self) -> [u8; Self::SIZE] {
        let [_, r0, r1, r2] = self.reserved.to_be_bytes();
        let [s0, s1] = self.uncompressed_size.to_be_bytes();
        [
            self.flags.nibble() << 4 | self.compression_type & 0xF,
            r0,
            r1,
            r2,
            s0,
            s1,
        ]
    }

    /// Whether a receiver whose HistoryOffset is `history_offset` can take this packet, except for
    /// Reserved, whose check can be switched off.
    ///
    /// Refused are `PACKET_FLUSHED` with `PACKET_COMPRESSED`, `PACKET_AT_FRONT` without
    /// `PACKET_COMPRESSED` (inferred), and a compressed block that does not fit the history.
    /// A packet without any flag is described nowhere, but senders built on a Microsoft RDP
    /// compressor may produce it; it passes, as raw bytes (inferred).
    pub const fn check(self, history_offset: u16) -> Result<(), Error> {
        let compressed = self.flags.contains(Flags::COMPRESSED);
        let at_front = self.flags.contains(Flags::AT_FRONT);
        if at_front && !compressed {
            return Err(Error::AtFrontWithoutCompressed);
        }
        if !compressed {
            return Ok(());
        }
        if self.flags.contains(Flags::FLUSHED) {
            return Err(Error::FlushedAndCompressed);
        }
        let history_offset = if at_front { 0 } else { history_offset };
        if history_offset as usize + self.uncompressed_size as usize > HISTORY_SIZE {
            return Err(Error::BlockTooLarge {
                history_offset,
                uncompressed_size: self.uncompressed_size,
            });
        }
        Ok(())
    }

    /// Whether the first byte looks like Flags and Type with their nibbles exchanged, the one other
    /// reading that observations of this protocol allow: 0x02, 0x04, 0x06 or 0x08, none of which is
    /// a valid first byte otherwise.
    pub const fn nibbles_look_exchanged(self) -> bool {
        self.flags.nibble() == 0 && matches!(self.compression_type, 0x2 | 0x4 | 0x6 | 0x8)
    }
}
