//! The Video Source Request (\[MS-RTP\] 2.2.12.2).

use crate::wire::{be16, be32, put16, put32};

/// Octets behind AFB Type and Length and before the entries.
const HEADER_LEN: usize = 16;
/// Octets of an entry.
const ENTRY_LEN: usize = 0x44;
/// Most entries of a request.
pub(super) const MAX_ENTRIES: usize = 20;

/// Bits of [`VideoSourceEntry::flags`].
pub mod flag {
    /// CGS rewrite (H.264).
    pub const CGS_REWRITE: u8 = 0x01;
    /// Only the constrained baseline profile (H.264).
    pub const CONSTRAINED_ONLY: u8 = 0x02;
    /// No SP-frames (RTVideo).
    pub const NO_SP_FRAMES: u8 = 0x04;
    /// No seamless change of the resolution (H.264); known from one implementation only.
    pub const NO_SEAMLESS_RESOLUTION: u8 = 0x08;
}

/// Bits of [`VideoSourceEntry::aspect_ratios`].
pub mod aspect {
    /// 4:3.
    pub const R4X3: u8 = 0x01;
    /// 16:9.
    pub const R16X9: u8 = 0x02;
    /// 1:1.
    pub const R1X1: u8 = 0x04;
    /// 3:4.
    pub const R3X4: u8 = 0x08;
    /// 9:16.
    pub const R9X16: u8 = 0x10;
    /// 20:3, the panorama.
    pub const R20X3: u8 = 0x20;
}

/// Bits of [`VideoSourceEntry::frame_rates`], in frames per second.
pub mod rate {
    /// 7.5.
    pub const R7_5: u32 = 0x01;
    /// 12.5.
    pub const R12_5: u32 = 0x02;
    /// 15.
    pub const R15: u32 = 0x04;
    /// 25.
    pub const R25: u32 = 0x08;
    /// 30.
    pub const R30: u32 = 0x10;
    /// 50.
    pub const R50: u32 = 0x20;
    /// 60.
    pub const R60: u32 = 0x40;
}

/// What a request says in front of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Requested MSI, or [`SOURCE_NONE`](super::SOURCE_NONE), or [`SOURCE_ANY`](super::SOURCE_ANY).
    pub msi: u32,
    /// Request Id: the same in all retransmissions, another one in another request.
    pub request_id: u16,
    /// The octet whose bit A asks for a key frame: 0 or [`KEY_FRAME`](Self::KEY_FRAME).
    pub key_frame: u8,
}

impl RequestHeader {
    /// A in the order of the fields, as the known client writes it. Wireshark tests 0x01 instead.
    pub const KEY_FRAME: u8 = 0x80;

    /// Whether a key frame is wanted. As bit A is read in two ways, any bit counts.
    pub const fn wants_key_frame(self) -> bool {
        self.key_frame != 0
    }

    fn read(octets: &[u8; HEADER_LEN]) -> Self {
        Self {
            msi: be32(octets, 0),
            request_id: be16(octets, 4),
            key_frame: octets[9],
        }
    }

    pub(super) fn write(self, entries: u8, out: &mut Vec<u8>) {
        put32(out, self.msi);
        put16(out, self.request_id);
        out.extend_from_slice(&[0, 0, 0, self.key_frame, entries, ENTRY_LEN as u8]);
        put32(out, 0);
    }
}

/// A request as a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSourceRequest<'a> {
    header: &'a [u8; HEADER_LEN],
    entries: &'a [u8],
    entry_len: usize,
}

impl<'a> VideoSourceRequest<'a> {
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let (header, rest) = content.split_first_chunk::<HEADER_LEN>()?;
        let (count, entry_len) = (usize::from(header[10]), usize::from(header[11]));
        if count > MAX_ENTRIES || (count > 0 && entry_len < ENTRY_LEN) {
            return None;
        }
        Some(Self {
            header,
            entries: rest.get(..count * entry_len)?,
            entry_len: entry_len.max(1),
        })
    }

    /// What is in front of the entries.
    pub fn header(&self) -> RequestHeader {
        RequestHeader::read(self.header)
    }

    /// The entries, at most 20. Octets behind what this profile knows of an entry are skipped.
    pub fn entries(&self) -> impl Iterator<Item = VideoSourceEntry> + use<'a> {
        self.entries
            .chunks_exact(self.entry_len)
            .filter_map(|entry| entry.first_chunk().map(VideoSourceEntry::read))
    }
}

/// What one kind of stream has to be like. A mixer that asks for several receivers puts several entries into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSourceEntry {
    /// Payload type.
    pub payload_type: u8,
    /// UCConfig mode: the kind of scalability of H.264. The known client sends 1.
    pub uc_config_mode: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Bits of [`aspect`].
    pub aspect_ratios: u8,
    /// Maximum width in pixels.
    pub max_width: u16,
    /// Maximum height in pixels.
    pub max_height: u16,
    /// Minimum bit rate in bit/s.
    pub min_bit_rate: u32,
    /// Bit rate per level in bit/s.
    pub bit_rate_per_level: u32,
    /// Counter i: receivers that want from `min_bit_rate + i * bit_rate_per_level` to less than a level more.
    pub bit_rate_histogram: [u16; 10],
    /// Bits of [`rate`].
    pub frame_rates: u32,
    /// Receivers for which this entry must be met.
    pub must_instances: u16,
    /// Receivers for which it may be met.
    pub may_instances: u16,
    /// Quality report histogram, levels 1 to 8.
    pub quality_histogram: [u16; 8],
    /// Maximum number of pixels.
    pub max_pixels: u32,
}

impl VideoSourceEntry {
    fn read(octets: &[u8; ENTRY_LEN]) -> Self {
        Self {
            payload_type: octets[0],
            uc_config_mode: octets[1],
            flags: octets[2],
            aspect_ratios: octets[3],
            max_width: be16(octets, 4),
            max_height: be16(octets, 6),
            min_bit_rate: be32(octets, 8),
            bit_rate_per_level: be32(octets, 16),
            bit_rate_histogram: std::array::from_fn(|i| be16(octets, 20 + 2 * i)),
            frame_rates: be32(octets, 40),
            must_instances: be16(octets, 44),
            may_instances: be16(octets, 46),
            quality_histogram: std::array::from_fn(|i| be16(octets, 48 + 2 * i)),
            max_pixels: be32(octets, 64),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[
            self.payload_type,
            self.uc_config_mode,
            self.flags,
            self.aspect_ratios,
        ]);
        put16(out, self.max_width);
        put16(out, self.max_height);
        put32(out, self.min_bit_rate);
        put32(out, 0);
        put32(out, self.bit_rate_per_level);
        for counter in self.bit_rate_histogram {
            put16(out, counter);
        }
        put32(out, self.frame_rates);
        put16(out, self.must_instances);
        put16(out, self.may_instances);
        for counter in self.quality_histogram {
            put16(out, counter);
        }
        put32(out, self.max_pixels);
    }
}
