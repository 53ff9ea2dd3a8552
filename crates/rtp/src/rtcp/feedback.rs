//! Feedback messages (RFC 4585 6.1, \[MS-RTP\] 2.2.12).

use super::{RawPacket, VideoSourceRequest, packet_type};
use crate::Error;
use crate::wire::{be16, be32, put16};

/// No source: nothing is wanted, or nobody speaks.
pub const SOURCE_NONE: u32 = 0xFFFF_FFFF;
/// Any source: the sender chooses.
pub const SOURCE_ANY: u32 = 0xFFFF_FFFE;

/// FMT of PLI.
pub(super) const PLI: u8 = 1;
/// FMT of application layer feedback.
pub(super) const APPLICATION: u8 = 15;
/// AFB Type of the Video Source Request.
pub(super) const SOURCE_REQUEST: u16 = 1;
/// AFB Type of the Dominant Speaker History.
pub(super) const SPEAKER_HISTORY: u16 = 3;

/// A feedback message, whose FCI is not looked into yet.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    packet_type: u8,
    format: u8,
    head: &'a [u8; 8],
    fci: &'a [u8],
}

impl<'a> Feedback<'a> {
    pub(super) fn read(raw: &RawPacket<'a>, body: &'a [u8]) -> Result<Self, Error> {
        let (head, fci) = body.split_first_chunk().ok_or_else(|| raw.too_short())?;
        Ok(Self {
            packet_type: raw.packet_type(),
            format: raw.count(),
            head,
            fci,
        })
    }

    /// The packet type: RTPFB or PSFB.
    pub const fn packet_type(&self) -> u8 {
        self.packet_type
    }

    /// FMT.
    pub const fn format(&self) -> u8 {
        self.format
    }

    /// SSRC of packet sender.
    pub const fn sender(&self) -> u32 {
        be32(self.head, 0)
    }

    /// SSRC of media source. In a Video Source Request the known client puts the requested MSI here.
    pub const fn media(&self) -> u32 {
        be32(self.head, 4)
    }

    /// The feedback control information.
    pub const fn fci(&self) -> &'a [u8] {
        self.fci
    }

    /// Reads the message.
    pub fn message(&self) -> Result<FeedbackMessage<'a>, Error> {
        let malformed = Error::Feedback {
            len: self.fci.len(),
        };
        let message = match (self.packet_type, self.format, self.fci) {
            (packet_type::PSFB, PLI, []) => Some(FeedbackMessage::Pli),
            (packet_type::PSFB, PLI, fci) => {
                ExtendedPli::read(fci).map(FeedbackMessage::ExtendedPli)
            }
            (packet_type::PSFB, APPLICATION, fci) if fci.starts_with(b"REMB") => {
                Some(FeedbackMessage::Remb)
            }
            (packet_type::PSFB, APPLICATION, fci) => {
                let head = fci.first_chunk::<4>().ok_or(malformed)?;
                let content = fci.get(4..usize::from(be16(head, 2))).ok_or(malformed)?;
                match be16(head, 0) {
                    SOURCE_REQUEST => {
                        VideoSourceRequest::read(content).map(FeedbackMessage::VideoSourceRequest)
                    }
                    SPEAKER_HISTORY => DominantSpeakerHistory::read(content)
                        .map(FeedbackMessage::DominantSpeakerHistory),
                    _ => Some(FeedbackMessage::Unknown),
                }
            }
            _ => Some(FeedbackMessage::Unknown),
        };
        message.ok_or(malformed)
    }
}

/// A feedback message that this profile knows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FeedbackMessage<'a> {
    /// PLI without FCI.
    Pli,
    /// PLI in the form of `x-pli`.
    ExtendedPli(ExtendedPli),
    /// Video Source Request, `src`.
    VideoSourceRequest(VideoSourceRequest<'a>),
    /// Dominant Speaker History, `dsh`.
    DominantSpeakerHistory(DominantSpeakerHistory<'a>),
    /// Receiver Estimated Maximum Bitrate of other programs, which shares its FMT with the two above.
    Remb,
    /// Something else, to be ignored.
    Unknown,
}

/// The FCI of an extended PLI (\[MS-RTP\] 2.2.12.1): sync frames are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedPli {
    /// Request Id: the same in all retransmissions, another one in another request.
    pub request_id: u16,
    /// SFR0 to SFR7: bit n, from the least significant one, stands for Priority Id n.
    pub priorities: u64,
}

impl ExtendedPli {
    fn read(fci: &[u8]) -> Option<Self> {
        let fci: &[u8; 12] = fci.try_into().ok()?;
        let [.., a, b, c, d, e, f, g, h] = *fci;
        Some(Self {
            request_id: be16(fci, 0),
            // SFR0, the first octet, is the least significant one.
            priorities: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        put16(out, self.request_id);
        put16(out, 0);
        out.extend_from_slice(&self.priorities.to_le_bytes());
    }

    /// Whether a sync frame of this Priority Id, 0 to 63, is wanted.
    pub const fn wants(self, priority: u8) -> bool {
        priority < 64 && self.priorities & 1 << priority != 0
    }
}

/// Dominant Speaker History (\[MS-RTP\] 2.2.12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DominantSpeakerHistory<'a> {
    msis: &'a [[u8; 4]],
}

impl<'a> DominantSpeakerHistory<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let (msis, rest) = content.as_chunks();
        rest.is_empty().then_some(Self { msis })
    }

    /// MSIs, the latest first: the dominant speaker now, then the former ones. [`SOURCE_NONE`] at the first place is nobody (inferred).
    pub fn msis(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.msis.iter().map(|msi| u32::from_be_bytes(*msi))
    }
}
