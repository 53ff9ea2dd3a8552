//! Type 9: what the receiver of audio did to hide losses.

use crate::wire::{be32, put32};

/// Type 9 (\[MS-RTP\] 2.2.11.7). Frames are of 10 ms and counted over the whole call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioHealer {
    /// The source that is reported on.
    pub ssrc: u32,
    /// Concealed frames.
    pub concealed: u32,
    /// Stretched frames.
    pub stretched: u32,
    /// Compressed frames.
    pub compressed: u32,
    /// Total frames.
    pub total: u32,
    /// Receive Quality State. Its values are not known: 0 is sent, and what comes is for the application.
    pub quality_state: u8,
    /// FEC distance request: the distance of redundant audio that the receiver wants, 0 for none, 1 to 3 (recalled).
    pub fec_distance: u8,
}

impl AudioHealer {
    pub(super) fn read(info: &[u8; 24]) -> Self {
        Self {
            ssrc: be32(info, 0),
            concealed: be32(info, 4),
            stretched: be32(info, 8),
            compressed: be32(info, 12),
            total: be32(info, 16),
            quality_state: info[22],
            fec_distance: info[23],
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for value in [
            self.ssrc,
            self.concealed,
            self.stretched,
            self.compressed,
            self.total,
        ] {
            put32(out, value);
        }
        out.extend_from_slice(&[0, 0, self.quality_state, self.fec_distance]);
    }
}
