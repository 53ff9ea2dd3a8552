//! Types 1, 12 and 14: estimates and limits of bandwidth.

use crate::wire::{be32, put32};

/// What the Bandwidth field of type 1 says, which has special values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BandwidthEstimate {
    /// An estimate in bit/s, 0 to 0x7FFF_FFFF. What is larger is written as the largest.
    BitsPerSecond(u32),
    /// -3: packet pairs are received; there are not enough measurements yet.
    PairsPending,
    /// -5: packet trains are received, too; there are not enough measurements yet.
    TrainsPending,
    /// -6: packet trains are received, and the peer is asked to send them whenever possible.
    TrainsWanted,
    /// Another negative value, which means nothing.
    Other(i32),
}

impl BandwidthEstimate {
    fn read(value: u32) -> Self {
        match value.cast_signed() {
            -3 => Self::PairsPending,
            -5 => Self::TrainsPending,
            -6 => Self::TrainsWanted,
            other if other < 0 => Self::Other(other),
            _ => Self::BitsPerSecond(value),
        }
    }

    fn value(self) -> u32 {
        match self {
            Self::BitsPerSecond(value) => value.min(i32::MAX.cast_unsigned()),
            Self::PairsPending => (-3_i32).cast_unsigned(),
            Self::TrainsPending => (-5_i32).cast_unsigned(),
            Self::TrainsWanted => (-6_i32).cast_unsigned(),
            Self::Other(value) => value.cast_unsigned(),
        }
    }
}

/// Type 1 (\[MS-RTP\] 2.2.11.1): what the receiver of packet pairs or trains found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EstimatedBandwidth {
    /// The source that the estimate is about.
    pub ssrc: u32,
    /// The estimate.
    pub bandwidth: BandwidthEstimate,
    /// Confidence Level, 0 (lowest) to 15. Without it the extension is the shorter one of the first products.
    pub confidence: Option<u8>,
}

impl EstimatedBandwidth {
    pub(super) fn read(info: &[u8]) -> Option<Self> {
        let (head, rest) = info.split_first_chunk::<8>()?;
        Some(Self {
            ssrc: be32(head, 0),
            bandwidth: BandwidthEstimate::read(be32(head, 4)),
            confidence: rest.first_chunk::<4>().map(|[first, ..]| first >> 4),
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put32(out, self.ssrc);
        put32(out, self.bandwidth.value());
        if let Some(confidence) = self.confidence {
            out.extend_from_slice(&[confidence.min(15) << 4, 0, 0, 0]);
        }
    }
}

/// Type 12 (\[MS-RTP\] 2.2.11.10): the links of a host, in bit/s (the unit is inferred).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// The sender.
    pub ssrc: u32,
    /// Inbound Link Bandwidth: the most that the host supports.
    pub inbound: u32,
    /// Outbound Link Bandwidth: the most that the host supports.
    pub outbound: u32,
    /// NC: the values must not be kept longer than the session.
    pub no_cache: bool,
}

impl PeerInfo {
    pub(super) fn read(info: &[u8; 16]) -> Self {
        Self {
            ssrc: be32(info, 0),
            inbound: be32(info, 4),
            outbound: be32(info, 8),
            no_cache: info[12] & 0x80 != 0,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for value in [self.ssrc, self.inbound, self.outbound] {
            put32(out, value);
        }
        out.extend_from_slice(&[u8::from(self.no_cache) << 7, 0, 0, 0]);
    }
}

/// What type 14 limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Modality {
    /// 2, the only one that is defined.
    Video,
    /// Another one.
    Other(u8),
}

/// Type 14 (\[MS-RTP\] 2.2.11.12): the most that may be sent of a modality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModalityBandwidth {
    /// What is limited.
    pub modality: Modality,
    /// Send Bandwidth Limit in bit/s.
    pub limit: u32,
}

impl ModalityBandwidth {
    pub(super) fn read(info: [u8; 8]) -> Self {
        Self {
            modality: match info[0] {
                2 => Modality::Video,
                other => Modality::Other(other),
            },
            limit: be32(&info, 4),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let modality = match self.modality {
            Modality::Video => 2,
            Modality::Other(other) => other,
        };
        out.extend_from_slice(&[modality, 0, 0, 0]);
        put32(out, self.limit);
    }
}
