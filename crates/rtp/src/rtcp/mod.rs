//! RTCP packets and compounds (RFC 3550 6, RFC 4585, \[MS-RTP\] 2.2.2 to 2.2.12).

mod compound;
pub mod extension;
mod feedback;
mod ntp;
mod quality;
mod report;
mod sdes;
mod source_request;
mod writer;

pub use compound::{Compound, Packets, RawPacket, RtcpPacket};
pub use extension::{Extension, Extensions};
pub use feedback::{
    DominantSpeakerHistory, ExtendedPli, Feedback, FeedbackMessage, SOURCE_ANY, SOURCE_NONE,
};
pub use ntp::NtpTime;
pub(crate) use ntp::{compact as ntp_compact, from_compact as ntp_from_compact};
pub use quality::{MediaQuality, Quality};
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport};
pub use sdes::{App, Bye, Chunk, Chunks, Item, Items, SourceDescription, item};
pub use source_request::{RequestHeader, VideoSourceEntry, VideoSourceRequest, aspect, flag, rate};
pub use writer::{Chunks as ChunkWriter, Writer};

/// Octets of the header of every RTCP packet.
pub const HEADER_LEN: usize = 4;

/// Most report blocks, chunks or sources of one packet: its count has five bits.
pub const MAX_COUNT: usize = 31;

/// Packet types.
pub mod packet_type {
    /// Sender report.
    pub const SR: u8 = 200;
    /// Receiver report.
    pub const RR: u8 = 201;
    /// Source description.
    pub const SDES: u8 = 202;
    /// Goodbye.
    pub const BYE: u8 = 203;
    /// Application-defined; ignored in this profile.
    pub const APP: u8 = 204;
    /// Transport layer feedback (RFC 4585 6.2).
    pub const RTPFB: u8 = 205;
    /// Payload-specific feedback (RFC 4585 6.3).
    pub const PSFB: u8 = 206;
}
