//! Profile specific extensions of SR and RR (\[MS-RTP\] 2.2.11).

mod bandwidth;
mod congestion;
mod healer;
mod train;
mod video;

pub use bandwidth::{BandwidthEstimate, EstimatedBandwidth, Modality, ModalityBandwidth, PeerInfo};
pub use congestion::{BitOrder, CongestionInfo, CongestionNotification};
pub use healer::AudioHealer;
pub use train::TrainPacket;
pub use video::{PacketLoss, VideoPreference};

use crate::Error;
use crate::wire::{be16, be32, put16, put32};

/// Most extensions that are read of one report.
pub const MAX_EXTENSIONS: usize = 20;

/// Octets of Type and Length.
const HEADER_LEN: usize = 4;

/// Types.
mod kind {
    pub(super) const ESTIMATED_BANDWIDTH: u16 = 1;
    pub(super) const PACKET_LOSS: u16 = 4;
    pub(super) const VIDEO_PREFERENCE: u16 = 5;
    pub(super) const PADDING: u16 = 6;
    pub(super) const POLICY_BANDWIDTH: u16 = 7;
    pub(super) const TURN_BANDWIDTH: u16 = 8;
    pub(super) const AUDIO_HEALER: u16 = 9;
    pub(super) const RECEIVER_LIMIT: u16 = 10;
    pub(super) const TRAIN_PACKET: u16 = 11;
    pub(super) const PEER_INFO: u16 = 12;
    pub(super) const CONGESTION: u16 = 13;
    pub(super) const MODALITY_LIMIT: u16 = 14;
}

/// A profile specific extension. Reserved fields are zero when written and ignored when read; octets behind what a type defines are
/// ignored, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extension<'a> {
    /// Type 1, estimated bandwidth.
    EstimatedBandwidth(EstimatedBandwidth),
    /// Type 4, packet loss notification.
    PacketLoss(PacketLoss),
    /// Type 5, video preference.
    VideoPreference(VideoPreference),
    /// Type 6, padding: so many words of 32 bits, 0 to 16382.
    Padding(u16),
    /// Type 7, policy server bandwidth: the maximum for this stream in bit/s.
    PolicyBandwidth(u32),
    /// Type 8, TURN server bandwidth: the maximum for this stream in bit/s.
    TurnBandwidth(u32),
    /// Type 9, audio healer metrics; behind RR only.
    AudioHealer(AudioHealer),
    /// Type 10, receiver-side bandwidth limit: the maximum for this stream in bit/s.
    ReceiverLimit(u32),
    /// Type 11, packet train packet.
    TrainPacket(TrainPacket),
    /// Type 12, peer info exchange.
    PeerInfo(PeerInfo),
    /// Type 13, network congestion notification.
    Congestion(CongestionNotification),
    /// Type 14, modality send bandwidth limit.
    ModalityLimit(ModalityBandwidth),
    /// Another type. It is skipped by receivers.
    Unknown {
        /// Its Type.
        extension_type: u16,
        /// Its Extension Info.
        info: &'a [u8],
    },
}

impl<'a> Extension<'a> {
    fn read(extension_type: u16, info: &'a [u8]) -> Result<Self, Error> {
        let known = match extension_type {
            kind::ESTIMATED_BANDWIDTH => {
                EstimatedBandwidth::read(info).map(Self::EstimatedBandwidth)
            }
            kind::PACKET_LOSS => info
                .first_chunk()
                .copied()
                .map(PacketLoss::read)
                .map(Self::PacketLoss),
            kind::VIDEO_PREFERENCE => info
                .first_chunk()
                .map(VideoPreference::read)
                .map(Self::VideoPreference),
            kind::PADDING => Some(Self::Padding((info.len() / 4) as u16)),
            kind::POLICY_BANDWIDTH => limit(info).map(Self::PolicyBandwidth),
            kind::TURN_BANDWIDTH => limit(info).map(Self::TurnBandwidth),
            kind::AUDIO_HEALER => info
                .first_chunk()
                .map(AudioHealer::read)
                .map(Self::AudioHealer),
            kind::RECEIVER_LIMIT => limit(info).map(Self::ReceiverLimit),
            kind::TRAIN_PACKET => info
                .first_chunk()
                .copied()
                .map(TrainPacket::read)
                .map(Self::TrainPacket),
            kind::PEER_INFO => info.first_chunk().map(PeerInfo::read).map(Self::PeerInfo),
            kind::CONGESTION => info
                .first_chunk()
                .map(CongestionNotification::read)
                .map(Self::Congestion),
            kind::MODALITY_LIMIT => info
                .first_chunk()
                .copied()
                .map(ModalityBandwidth::read)
                .map(Self::ModalityLimit),
            _ => Some(Self::Unknown {
                extension_type,
                info,
            }),
        };
        known.ok_or(Error::ExtensionInfo {
            extension_type,
            len: info.len(),
        })
    }

    /// The Type.
    pub const fn extension_type(&self) -> u16 {
        match self {
            Self::EstimatedBandwidth(_) => kind::ESTIMATED_BANDWIDTH,
            Self::PacketLoss(_) => kind::PACKET_LOSS,
            Self::VideoPreference(_) => kind::VIDEO_PREFERENCE,
            Self::Padding(_) => kind::PADDING,
            Self::PolicyBandwidth(_) => kind::POLICY_BANDWIDTH,
            Self::TurnBandwidth(_) => kind::TURN_BANDWIDTH,
            Self::AudioHealer(_) => kind::AUDIO_HEALER,
            Self::ReceiverLimit(_) => kind::RECEIVER_LIMIT,
            Self::TrainPacket(_) => kind::TRAIN_PACKET,
            Self::PeerInfo(_) => kind::PEER_INFO,
            Self::Congestion(_) => kind::CONGESTION,
            Self::ModalityLimit(_) => kind::MODALITY_LIMIT,
            Self::Unknown { extension_type, .. } => *extension_type,
        }
    }

    /// Appends the extension.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        put16(out, self.extension_type());
        put16(out, 0);
        match self {
            Self::EstimatedBandwidth(value) => value.write(out),
            Self::PacketLoss(value) => value.write(out),
            Self::VideoPreference(value) => value.write(out),
            Self::Padding(words) => out.resize(out.len() + usize::from(*words) * 4, 0),
            Self::PolicyBandwidth(limit)
            | Self::TurnBandwidth(limit)
            | Self::ReceiverLimit(limit) => {
                put32(out, 0);
                put32(out, *limit);
            }
            Self::AudioHealer(value) => value.write(out),
            Self::TrainPacket(value) => value.write(out),
            Self::PeerInfo(value) => value.write(out),
            Self::Congestion(value) => value.write(out),
            Self::ModalityLimit(value) => value.write(out),
            Self::Unknown { info, .. } => out.extend_from_slice(info),
        }
        let len = out.len() - start;
        if !len.is_multiple_of(4) {
            return Err(Error::OutOfRange {
                what: "length of the extension",
            });
        }
        let length = u16::try_from(len).map_err(|_| Error::TooLong { what: "extension" })?;
        out[start + 2..start + HEADER_LEN].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// Reserved(4), Bandwidth(4): types 7, 8 and 10.
fn limit(info: &[u8]) -> Option<u32> {
    info.first_chunk::<8>().map(|info| be32(info, 4))
}

/// The extensions of a report, in their order, at most [`MAX_EXTENSIONS`].
///
/// One whose Extension Info is too short is an error, and the next ones follow it. One whose Length is wrong is an error, and nothing can follow it
/// (inferred).
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Extensions<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            left: MAX_EXTENSIONS,
        }
    }

    /// The octets that were not read yet.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let octets = std::mem::take(&mut self.rest);
        let Some(head) = octets.first_chunk::<HEADER_LEN>() else {
            return Some(Err(Error::ExtensionFrame {
                extension_type: 0,
                length: 0,
                available: octets.len(),
            }));
        };
        let (extension_type, length) = (be16(head, 0), be16(head, 2));
        let Some(info) = octets.get(HEADER_LEN..usize::from(length)) else {
            return Some(Err(Error::ExtensionFrame {
                extension_type,
                length,
                available: octets.len(),
            }));
        };
        self.rest = &octets[usize::from(length)..];
        Some(Extension::read(extension_type, info))
    }
}
