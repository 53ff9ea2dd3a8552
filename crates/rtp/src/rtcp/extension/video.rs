//! Types 4 and 5: what a receiver of video tells its sender.

use crate::wire::{be16, put16, put32};

/// Type 4 (\[MS-RTP\] 2.2.11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketLoss {
    /// Sequence number of the RTP packet that was lost.
    pub sequence: u16,
}

impl PacketLoss {
    pub(super) fn read(info: [u8; 4]) -> Self {
        Self {
            sequence: be16(&info, 2),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        put16(out, 0);
        put16(out, self.sequence);
    }
}

/// Type 5 (\[MS-RTP\] 2.2.11.3). Bit rate and frame rate are reserved: they are zero when written and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoPreference {
    /// Frame Resolution Width in pixels.
    pub width: u16,
    /// Frame Resolution Height in pixels.
    pub height: u16,
}

impl VideoPreference {
    pub(super) fn read(info: &[u8; 16]) -> Self {
        Self {
            width: be16(info, 4),
            height: be16(info, 6),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        put32(out, 0);
        put16(out, self.width);
        put16(out, self.height);
        put32(out, 0);
        put32(out, 0);
    }
}
