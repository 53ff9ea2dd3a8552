//! H.264 as `X-H264UC` (\[MS-H264PF\], RFC 6184, RFC 6190): NAL units in single packets, STAP-A and FU-A, a PACSI in front of every access unit,
//! and the SEI messages in it.
//!
//! One layer is sent by one [`Packetizer`] with an SSRC of its own, and received by one [`Depacketizer`].

mod depacketizer;
mod nal;
mod packetizer;
mod pacsi;
mod sei;

pub use depacketizer::{Depacketizer, Frame, Limits};
pub use nal::{NalHeader, annex_b, nal_type};
pub use packetizer::{AccessUnit, Config, Packetizer};
pub use pacsi::{NalUnits, Pacsi, PacsiFields, PictureIds};
pub use sei::{
    BitstreamInfo, CropWindow, CroppingInfo, LayerDescription, LayerPresence, Sei, StreamLayout,
};

use crate::Error;

/// Units of the timestamp per second.
pub const CLOCK_RATE: u32 = 90_000;

const FORMAT: &str = "X-H264UC";

fn malformed(octets: &[u8]) -> Error {
    Error::Payload {
        format: FORMAT,
        len: octets.len(),
    }
}
