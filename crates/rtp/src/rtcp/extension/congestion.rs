//! Type 13: congestion as the receiver sees it.

use crate::rtcp::NtpTime;
use crate::wire::be32;

/// Type 13 (\[MS-RTP\] 2.2.11.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CongestionNotification {
    /// When it was found.
    pub ntp: NtpTime,
    /// Congestion Info as it stands in the packet; [`CongestionInfo`] reads and makes it.
    pub info: u8,
}

impl CongestionNotification {
    pub(super) fn read(info: &[u8; 12]) -> Self {
        Self {
            ntp: NtpTime(u64::from(be32(info, 0)) << 32 | u64::from(be32(info, 4))),
            info: info[8],
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ntp.0.to_be_bytes());
        out.extend_from_slice(&[self.info, 0, 0, 0]);
    }
}

/// Which bit of Congestion Info is "bit 0". The specification does not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BitOrder {
    /// The least significant one (inferred).
    #[default]
    LeastSignificantFirst,
    /// The most significant one, as in the diagrams of RFCs.
    MostSignificantFirst,
}

/// The bits of Congestion Info.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CongestionInfo {
    /// Bit 0: no congestion by relative one-way delay.
    pub uncongested_by_delay: bool,
    /// Bit 1: congestion by relative one-way delay.
    pub congested_by_delay: bool,
    /// Bit 2: no congestion by packet loss rate.
    pub uncongested_by_loss: bool,
    /// Bit 3: congestion by packet loss rate.
    pub congested_by_loss: bool,
}

impl CongestionInfo {
    /// Reads the octet.
    pub const fn read(info: u8, order: BitOrder) -> Self {
        let bits = order.apply(info);
        Self {
            uncongested_by_delay: bits & 1 != 0,
            congested_by_delay: bits & 2 != 0,
            uncongested_by_loss: bits & 4 != 0,
            congested_by_loss: bits & 8 != 0,
        }
    }

    /// Makes the octet.
    pub const fn octet(self, order: BitOrder) -> u8 {
        order.apply(
            self.uncongested_by_delay as u8
                | (self.congested_by_delay as u8) << 1
                | (self.uncongested_by_loss as u8) << 2
                | (self.congested_by_loss as u8) << 3,
        )
    }
}

impl BitOrder {
    const fn apply(self, octet: u8) -> u8 {
        match self {
            Self::LeastSignificantFirst => octet,
            Self::MostSignificantFirst => octet.reverse_bits(),
        }
    }
}
