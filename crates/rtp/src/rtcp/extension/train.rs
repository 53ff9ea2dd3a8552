//! Type 11: the mark of a packet of a train.

use crate::wire::{be16, be32, put16, put32};

/// Type 11 (\[MS-RTP\] 2.2.11.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainPacket {
    /// The sender of the train.
    pub ssrc: u32,
    /// L: the last packet of the train.
    pub last: bool,
    /// Packet Idx, from 0; 7 bits.
    pub index: u8,
    /// Packet Count: packets of the train that have this mark; 7 bits.
    pub count: u8,
    /// Packet Train Byte Count: octets of the RTCP packets with this mark, from the first to this one.
    pub octets: u16,
}

impl TrainPacket {
    pub(super) fn read(info: [u8; 8]) -> Self {
        Self {
            ssrc: be32(&info, 0),
            last: info[4] & 0x80 != 0,
            index: info[4] & 0x7F,
            count: info[5] & 0x7F,
            octets: be16(&info, 6),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put32(out, self.ssrc);
        out.push(u8::from(self.last) << 7 | self.index & 0x7F);
        out.push(self.count & 0x7F);
        put16(out, self.octets);
    }
}
