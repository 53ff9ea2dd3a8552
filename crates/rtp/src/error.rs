//! What can be wrong with what this crate is given.

/// The error of every operation of this crate. Those of the reading functions speak of octets that a peer sent; they are to be dropped
/// silently, for RTP has no error replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer octets than an RTP header has.
    #[error("{len} octets are no RTP packet")]
    PacketTooShort {
        /// Octets that there are.
        len: usize,
    },
    /// The version of an RTP or RTCP packet is not 2.
    #[error("version is {version}")]
    Version {
        /// What the packet says.
        version: u8,
    },
    /// The list of CSRCs reaches past the end of the packet.
    #[error("{count} CSRCs reach past the end of the packet")]
    Csrcs {
        /// CC of the header.
        count: u8,
    },
    /// The header extension reaches past the end of the packet.
    #[error("header extension of {len} octets reaches past the end of the packet")]
    HeaderExtension {
        /// Its length with the four octets of its own header.
        len: usize,
    },
    /// An element of a header extension in a form of RFC 5285 reaches past its end.
    #[error("element {id} of the header extension reaches past its end")]
    HeaderExtensionElement {
        /// Its identifier.
        id: u8,
    },
    /// The padding count is zero, is larger than what could be padding, or no multiple of four in RTCP.
    #[error("padding of {padding} octets where {available} could be padding")]
    Padding {
        /// What the last octet says.
        padding: u8,
        /// Octets behind the headers.
        available: usize,
    },
    /// An RTCP packet reaches past the end of the compound, or what is left is too short for a header.
    #[error("RTCP packet of {len} octets at octet {offset} reaches past the end")]
    RtcpLength {
        /// Offset of the packet in the compound.
        offset: usize,
        /// Its length as its header says; 4 if there is no whole header.
        len: usize,
    },
    /// What begins a compound is no packet that may do so: neither SR, RR, SDES, BYE, APP nor feedback.
    #[error("RTCP begins with packet type {packet_type}")]
    RtcpType {
        /// Its packet type.
        packet_type: u8,
    },
    /// An RTCP packet other than the last of a compound has padding.
    #[error("padding in front of the last packet")]
    RtcpPaddingNotLast,
    /// An RTCP packet is shorter than its fixed part and what its count says.
    #[error("RTCP packet of type {packet_type} with count {count} has {len} octets only")]
    RtcpTooShort {
        /// Its packet type.
        packet_type: u8,
        /// Its count: report blocks, chunks, sources, or the FMT.
        count: u8,
        /// Its length without padding.
        len: usize,
    },
    /// A profile specific extension whose Length is less than 4 or reaches past the end of the report.
    #[error(
        "extension of type {extension_type} with length {length} where {available} octets are left"
    )]
    ExtensionFrame {
        /// Its Type.
        extension_type: u16,
        /// Its Length.
        length: u16,
        /// Octets left in the report.
        available: usize,
    },
    /// A profile specific extension that is shorter than its type requires.
    #[error("extension of type {extension_type} with an info of {len} octets")]
    ExtensionInfo {
        /// Its Type.
        extension_type: u16,
        /// Octets of its Extension Info.
        len: usize,
    },
    /// An item of an SDES chunk reaches past the end, or the list has no end.
    #[error("SDES item of type {item_type} reaches past the end of the packet")]
    SdesItem {
        /// Its type; 0 if the terminating octet is missing.
        item_type: u8,
    },
    /// The value of a media quality item is not of the form `v=1 m=... q=...`.
    #[error("media quality value is malformed")]
    MediaQuality,
    /// The reason of a BYE reaches past its end.
    #[error("reason of BYE reaches past the end of the packet")]
    ByeReason,
    /// The lengths or counts in a feedback message do not fit together.
    #[error("feedback control information of {len} octets is malformed")]
    Feedback {
        /// Its length.
        len: usize,
    },
    /// A packet that is to be written does not fit its own fields: more than 31 blocks, 20 extensions, 15 CSRCs, 20 entries, 255 octets
    /// of text, or 65,536 words.
    #[error("{what} does not fit")]
    TooLong {
        /// What it is.
        what: &'static str,
    },
    /// A payload is shorter than its format requires, or lengths in it reach past its end.
    #[error("{format} payload of {len} octets is malformed")]
    Payload {
        /// The payload format.
        format: &'static str,
        /// Octets of the payload.
        len: usize,
    },
    /// A payload of a kind that the format does not use.
    #[error("{format} payload of unused type {kind}")]
    PayloadType {
        /// The payload format.
        format: &'static str,
        /// Its type.
        kind: u8,
    },
    /// A frame grew larger than the limit; what follows of it is dropped.
    #[error("frame is larger than {limit} octets")]
    FrameTooLarge {
        /// The limit.
        limit: usize,
    },
    /// A stream that cannot do without any packet has lost one.
    #[error("stream is broken: sequence number {received} follows {expected}")]
    StreamBroken {
        /// The sequence number that was due.
        expected: u16,
        /// The one that came.
        received: u16,
    },
    /// The argument of a command is none that the specification allows.
    #[error("{what} is out of range")]
    OutOfRange {
        /// What it is.
        what: &'static str,
    },
}
