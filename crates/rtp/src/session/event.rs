//! What a session tells the application.

use crate::Packet;
use crate::rtcp::extension::{AudioHealer, CongestionNotification, PeerInfo, VideoPreference};
use crate::rtcp::{MediaQuality, RequestHeader, VideoSourceEntry};

/// Something that the application should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Media of a source came for the first time.
    Source(u32),
    /// A source said goodbye.
    Left {
        /// The source.
        ssrc: u32,
        /// What it gave as its reason.
        reason: Vec<u8>,
    },
    /// Nothing came of a source for the participant time-out.
    TimedOut(u32),
    /// The own SSRCs changed, because another source had one of them. Media goes on with the new ones.
    OwnSsrcChanged {
        /// The first one before.
        from: u32,
        /// The first one now.
        to: u32,
    },
    /// The own packets come back.
    Loop,
    /// Nothing came for the time of inactivity: the session should be ended.
    Inactive,
    /// Another dominant speaker, by MSI; it may be ourselves. `None` if nobody is known to speak.
    DominantSpeaker(Option<u32>),
    /// Dominant Speaker History: MSIs, the latest first.
    SpeakerHistory(Vec<u32>),
    /// A source told another state of its devices and network.
    MediaQuality {
        /// The source: an SSRC or a MSI.
        ssrc: u32,
        /// Its states.
        quality: MediaQuality,
    },
    /// The peer estimated the bandwidth of our path.
    EstimatedBandwidth {
        /// In bit/s.
        bits_per_second: u32,
        /// 0 to 15.
        confidence: Option<u8>,
    },
    /// The least of all limits that the peer told for what we send, in bit/s.
    SendLimit(u32),
    /// A video packet of ours was lost: make an SP-frame or an I-frame at once.
    PacketLost(u16),
    /// The resolution that the peer prefers.
    VideoPreference(VideoPreference),
    /// What the peer did to hide losses, and the redundancy that it wants.
    AudioHealer(AudioHealer),
    /// The links of the peer.
    PeerInfo(PeerInfo),
    /// Congestion as the peer sees it.
    Congestion(CongestionNotification),
    /// A PLI: make sync frames.
    KeyFrameWanted {
        /// The source of ours that it is about.
        media: u32,
        /// Bit n stands for Priority Id n; all bits are set in a PLI without FCI.
        priorities: u64,
    },
    /// A Video Source Request that was not seen before.
    VideoRequested {
        /// Its sender.
        sender: u32,
        /// What is wanted.
        header: RequestHeader,
        /// What it has to be like.
        entries: Vec<VideoSourceEntry>,
    },
}

/// What became of an RTP packet.
#[derive(Clone, Copy, Debug)]
pub enum Received<'a> {
    /// It is for the application.
    Media(Packet<'a>),
    /// It was RTCP.
    Control,
    /// It is dropped.
    Dropped(Dropped),
}

/// Why a packet is dropped that is well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// It is neither RTP nor RTCP.
    Foreign,
    /// Its SSRC is not in the range that the peer announced, or 0.
    OutOfRange,
    /// Its SSRC is ours.
    Own,
    /// Its SSRC changed too early.
    SsrcThrottled,
    /// Its sequence number jumped too early, or its jump is not confirmed.
    SequenceThrottled,
    /// There are too many participants.
    TooManySources,
    /// Its source said goodbye.
    Left,
}
