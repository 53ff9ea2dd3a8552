//! RTVideo (\[MS-RTVPF\]): the payload header of `x-rtvc1`, and frames.
//!
//! Sent is the Basic format, which every receiver understands (inferred). Received are Basic, Extended and Extended 2; of FEC metadata
//! packets only the fact that they are such, for their layout is not known.

use super::Fragment;
use crate::Error;
use crate::seq::distance;

const FORMAT: &str = "x-rtvc1";

/// Most octets of Codec Headers.
pub const MAX_CODEC_HEADERS: usize = 63;

/// Bits of the first octet.
mod bit {
    pub(super) const EXTENDED: u8 = 0x80;
    pub(super) const CACHED: u8 = 0x40;
    pub(super) const SP: u8 = 0x20;
    pub(super) const LAST: u8 = 0x10;
    pub(super) const ONE: u8 = 0x08;
    pub(super) const I: u8 = 0x04;
    pub(super) const HEADERS: u8 = 0x02;
    pub(super) const FIRST: u8 = 0x01;
}

/// What a frame is to the decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameKind {
    /// I: a key frame.
    pub key: bool,
    /// SP: a Super P frame, which references the last cached one.
    pub super_p: bool,
    /// C: the decoder keeps it for the next SP-frame.
    pub cached: bool,
}

impl FrameKind {
    const fn bits(self) -> u8 {
        let mut bits = 0;
        if self.key {
            bits |= bit::I;
        }
        if self.super_p {
            bits |= bit::SP;
        }
        if self.cached {
            bits |= bit::CACHED;
        }
        bits
    }

    const fn read(bits: u8) -> Self {
        Self {
            key: bits & bit::I != 0,
            super_p: bits & bit::SP != 0,
            cached: bits & bit::CACHED != 0,
        }
    }
}

/// Numbers of frames, in the Extended formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// FrameCounter: the low 8 bits of the frame's number.
    pub frame: u8,
    /// RefFrameCounter: the low 8 bits of the number of the frame that this one references.
    pub reference: u8,
}

/// A payload as a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// What its frame is.
    pub kind: FrameKind,
    /// F: the first data packet of the frame.
    pub first: bool,
    /// L: the last data packet of the frame.
    pub last: bool,
    /// In the Extended formats.
    pub counters: Option<Counters>,
    /// Codec Headers, which the decoder needs before the data of an I-frame.
    pub codec_headers: &'a [u8],
    /// A fragment of the frame.
    pub data: &'a [u8],
}

impl<'a> Payload<'a> {
    /// Reads a payload. `None` is a FEC metadata packet.
    ///
    /// The layouts behind the flags of the Extended formats are in part inferred.
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, Error> {
        let malformed = Error::Payload {
            format: FORMAT,
            len: payload.len(),
        };
        let (&flags, rest) = payload.split_first().ok_or(malformed)?;
        if flags & bit::ONE == 0 {
            return Err(malformed);
        }
        let mut counters = None;
        let mut rest = rest;
        if flags & bit::EXTENDED != 0 {
            let (&[second, frame, reference], behind) =
                rest.split_first_chunk().ok_or(malformed)?;
            let (extended_2, fec) = (second & 0x80 != 0, second & 0x40 != 0);
            if extended_2 && fec {
                return Ok(None);
            }
            counters = Some(Counters { frame, reference });
            let reserved = if extended_2 { 4 } else { 0 };
            rest = behind.get(reserved..).ok_or(malformed)?;
        }
        let mut codec_headers: &[u8] = &[];
        if flags & bit::HEADERS != 0 {
            let (&len, behind) = rest.split_first().ok_or(malformed)?;
            if usize::from(len) > MAX_CODEC_HEADERS {
                return Err(malformed);
            }
            (codec_headers, rest) = behind.split_at_checked(usize::from(len)).ok_or(malformed)?;
        }
        if rest.is_empty() {
            return Err(malformed);
        }
        Ok(Some(Self {
            kind: FrameKind::read(flags),
            first: flags & bit::FIRST != 0,
            last: flags & bit::LAST != 0,
            counters,
            codec_headers,
            data: rest,
        }))
    }
}

/// Cuts a frame into payloads of the Basic format with at most `max_payload` octets. `codec_headers` are needed with I-frames and are not
/// sent with others; they go into the first packet (inferred).
///
/// All packets of a frame have its timestamp.
pub fn packets<'a>(
    kind: FrameKind,
    codec_headers: &'a [u8],
    data: &'a [u8],
    max_payload: usize,
) -> Result<impl Iterator<Item = Fragment<'a>> + use<'a>, Error> {
    let codec_headers = if kind.key { codec_headers } else { &[] };
    if codec_headers.len() > MAX_CODEC_HEADERS {
        return Err(Error::TooLong {
            what: "list of codec headers",
        });
    }
    if data.is_empty() {
        return Err(Error::OutOfRange { what: "frame" });
    }
    // Flags, Codec Headers Length, and room for data.
    if max_payload < codec_headers.len() + 3 {
        return Err(Error::OutOfRange {
            what: "maximum payload",
        });
    }
    let mut rest = Some((true, data));
    Ok(std::iter::from_fn(move || {
        let (first, data) = rest.take()?;
        let middle = if first { codec_headers } else { &[] };
        let with_headers = !middle.is_empty();
        let head_len = if with_headers { 2 } else { 1 };
        let room = max_payload - head_len - middle.len();
        let (body, next) = data.split_at(room.min(data.len()));
        let last = next.is_empty();
        if !last {
            rest = Some((false, next));
        }
        let mut flags = bit::ONE | kind.bits();
        if first {
            flags |= bit::FIRST;
        }
        if last {
            flags |= bit::LAST;
        }
        if with_headers {
            flags |= bit::HEADERS;
        }
        let head = [flags, middle.len() as u8];
        Some(Fragment::new(&head[..head_len], middle, body).marked(last))
    }))
}

/// A frame that is complete.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind,
    /// Timestamp of its packets.
    pub timestamp: u32,
    /// In the Extended formats.
    pub counters: Option<Counters>,
    /// Codec Headers and data, as the decoder wants them.
    pub data: &'a [u8],
}

/// Puts frames together. Give it packets in the order of their sequence numbers, as a [`Reorder`](crate::Reorder) does.
#[derive(Clone, Debug)]
pub struct Depacketizer {
    max_frame: usize,
    data: Vec<u8>,
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    kind: FrameKind,
    timestamp: u32,
    counters: Option<Counters>,
    next: u16,
}

impl Depacketizer {
    /// A depacketizer of frames of at most so many octets; 4 MiB are enough for all.
    pub const fn new(max_frame: usize) -> Self {
        Self {
            max_frame,
            data: Vec::new(),
            current: None,
        }
    }

    /// Takes a packet and gives the frame that it completes. A frame of which a packet is missing is dropped; which ones may be decoded without it, their
    /// [`Counters`] tell.
    pub fn handle_packet(
        &mut self,
        sequence: u16,
        timestamp: u32,
        payload: &[u8],
    ) -> Result<Option<Frame<'_>>, Error> {
        let Some(payload) = Payload::parse(payload)? else {
            return Ok(None);
        };
        if payload.first {
            self.data.clear();
            self.current = Some(Current {
                kind: payload.kind,
                timestamp,
                counters: payload.counters,
                next: sequence,
            });
        }
        let Some(mut current) = self.current.take() else {
            return Ok(None);
        };
        if distance(current.next, sequence) != 0 || current.timestamp != timestamp {
            return Ok(None);
        }
        if self.data.len() + payload.codec_headers.len() + payload.data.len() > self.max_frame {
            return Err(Error::FrameTooLarge {
                limit: self.max_frame,
            });
        }
        self.data.extend_from_slice(payload.codec_headers);
        self.data.extend_from_slice(payload.data);
        if payload.last {
            return Ok(Some(Frame {
                kind: current.kind,
                timestamp,
                counters: current.counters,
                data: &self.data,
            }));
        }
        current.next = sequence.wrapping_add(1);
        self.current = Some(current);
        Ok(None)
    }
}
