//! Sender and receiver reports (RFC 3550 6.4, \[MS-RTP\] 2.2.8 and 2.2.9).

use super::{Extensions, NtpTime, RawPacket};
use crate::Error;
use crate::wire::{be32, put32};

const BLOCK_LEN: usize = 24;
const INFO_LEN: usize = 20;

/// The sender information of an SR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall-clock time of the report.
    pub ntp: NtpTime,
    /// The same time in units of the RTP timestamp.
    pub rtp_timestamp: u32,
    /// Packets sent, without intentional duplicates. With several streams in a session it is the sum of all.
    pub packet_count: u32,
    /// Octets of payload sent, counted likewise.
    pub octet_count: u32,
}

impl SenderInfo {
    fn read(octets: &[u8; INFO_LEN]) -> Self {
        Self {
            ntp: NtpTime(u64::from(be32(octets, 0)) << 32 | u64::from(be32(octets, 4))),
            rtp_timestamp: be32(octets, 8),
            packet_count: be32(octets, 12),
            octet_count: be32(octets, 16),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ntp.0.to_be_bytes());
        for value in [self.rtp_timestamp, self.packet_count, self.octet_count] {
            put32(out, value);
        }
    }
}

/// What a receiver says of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Share of packets lost since the former report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all, -0x80_0000 to 0x7F_FFFF: duplicates make it smaller.
    pub cumulative_lost: i32,
    /// The highest sequence number, with the number of its cycles before it.
    pub highest_sequence: u32,
    /// Jitter of arrivals in units of the timestamp.
    pub jitter: u32,
    /// The middle 32 bits of the NTP timestamp of the last SR of the source; 0 if there was none.
    pub last_sr: u32,
    /// Time between that SR and this report in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    #[inline]
    fn read(octets: &[u8; BLOCK_LEN]) -> Self {
        let loss = be32(octets, 4);
        Self {
            ssrc: be32(octets, 0),
            fraction_lost: octets[4],
            // Moves the sign of 24 bits to its place and back.
            cumulative_lost: (loss << 8).cast_signed() >> 8,
            highest_sequence: be32(octets, 8),
            jitter: be32(octets, 12),
            last_sr: be32(octets, 16),
            delay_since_last_sr: be32(octets, 20),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF);
        for value in [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost.cast_unsigned() & 0xFF_FFFF,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        ] {
            put32(out, value);
        }
    }
}

/// What SR and RR have in common: report blocks, and extensions behind them.
#[derive(Clone, Copy, Debug)]
struct Tail<'a> {
    blocks: &'a [[u8; BLOCK_LEN]],
    extensions: &'a [u8],
}

impl<'a> Tail<'a> {
    #[inline]
    fn read(raw: &RawPacket<'a>, rest: &'a [u8]) -> Result<Self, Error> {
        let len = usize::from(raw.count()) * BLOCK_LEN;
        let (blocks, extensions) = rest.split_at_checked(len).ok_or_else(|| raw.too_short())?;
        Ok(Self {
            blocks: blocks.as_chunks().0,
            extensions,
        })
    }
}

/// A sender report.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'a> {
    ssrc: [u8; 4],
    info: &'a [u8; INFO_LEN],
    tail: Tail<'a>,
}

impl<'a> SenderReport<'a> {
    #[inline]
    pub(super) fn read(raw: &RawPacket<'a>, body: &'a [u8]) -> Result<Self, Error> {
        let read = body.split_first_chunk().and_then(|(ssrc, rest)| {
            let (info, rest) = rest.split_first_chunk()?;
            Some((*ssrc, info, rest))
        });
        let (ssrc, info, rest) = read.ok_or_else(|| raw.too_short())?;
        let tail = Tail::read(raw, rest)?;
        Ok(Self { ssrc, info, tail })
    }

    /// The sender of the report.
    pub const fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.ssrc)
    }

    /// The sender information.
    pub fn info(&self) -> SenderInfo {
        SenderInfo::read(self.info)
    }

    /// What the sender says of those it receives.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.tail.blocks.iter().map(ReportBlock::read)
    }

    /// The profile specific extensions behind the blocks.
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions::new(self.tail.extensions)
    }
}

/// A receiver report.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'a> {
    ssrc: [u8; 4],
    tail: Tail<'a>,
}

impl<'a> ReceiverReport<'a> {
    #[inline]
    pub(super) fn read(raw: &RawPacket<'a>, body: &'a [u8]) -> Result<Self, Error> {
        let (&ssrc, rest) = body.split_first_chunk().ok_or_else(|| raw.too_short())?;
        let tail = Tail::read(raw, rest)?;
        Ok(Self { ssrc, tail })
    }

    /// The sender of the report.
    pub const fn ssrc(&self) -> u32 {
        u32::from_be_bytes(self.ssrc)
    }

    /// What the sender says of those it receives.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.tail.blocks.iter().map(ReportBlock::read)
    }

    /// The profile specific extensions behind the blocks.
    pub const fn extensions(&self) -> Extensions<'a> {
        Extensions::new(self.tail.extensions)
    }
}
