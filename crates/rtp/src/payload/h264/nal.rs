//! NAL units.

/// Types of NAL units (\[MS-H264PF\] 2.2.4).
pub mod nal_type {
    /// A slice of a picture that is not IDR.
    pub const SLICE: u8 = 1;
    /// A slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// SEI.
    pub const SEI: u8 = 6;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Access unit delimiter.
    pub const DELIMITER: u8 = 9;
    /// Prefix NAL unit.
    pub const PREFIX: u8 = 14;
    /// Subset sequence parameter set.
    pub const SUBSET_SPS: u8 = 15;
    /// A slice of an enhancement layer.
    pub const SVC_SLICE: u8 = 20;
    /// Single-time aggregation packet.
    pub const STAP_A: u8 = 24;
    /// Fragmentation unit.
    pub const FU_A: u8 = 28;
    /// Payload content scalability information.
    pub const PACSI: u8 = 30;
}

/// The first octet of a NAL unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NalHeader(pub u8);

impl NalHeader {
    /// F, the forbidden bit.
    pub const fn forbidden(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// NRI: 0 if nothing references the unit, 3 for the most important ones.
    pub const fn reference(self) -> u8 {
        self.0 >> 5 & 3
    }

    /// Its type, of [`nal_type`].
    pub const fn kind(self) -> u8 {
        self.0 & 0x1F
    }

    /// Whether the unit is a slice of a reference picture.
    pub(super) const fn is_reference_slice(self) -> bool {
        matches!(self.kind(), 1..=5 | nal_type::SVC_SLICE) && self.reference() != 0
    }
}

/// The NAL units of an Annex B stream, without start codes. What stands in front of the first start code is skipped.
pub fn annex_b(stream: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    const START: &[u8] = &[0, 0, 1];
    let mut rest = memchr::memmem::find(stream, START).map(|at| &stream[at + START.len()..]);
    std::iter::from_fn(move || {
        let stream = rest?;
        let end = memchr::memmem::find(stream, START);
        rest = end.map(|at| &stream[at + START.len()..]);
        let unit = &stream[..end.unwrap_or(stream.len())];
        // A unit ends with its stop bit; zero octets behind it belong to the next start code, or are padding.
        let len = unit
            .iter()
            .rposition(|&octet| octet != 0)
            .map_or(0, |at| at + 1);
        Some(&unit[..len])
    })
    .filter(|unit| !unit.is_empty())
}
