//! Redundant audio (\[MS-RTPRADEX\], RFC 2198): each packet may repeat the audio of an earlier one.

use super::Fragment;
use crate::Error;
use crate::wire::{be16, be32};

/// Most packets that lie between a block and its repetition (RAD 3.2; that this page keeps the number is inferred).
pub const MAX_DISTANCE: u8 = 3;

/// Octets of the header of a redundant block.
const HEADER_LEN: usize = 4;
/// Largest timestamp offset and largest block length.
const MAX_OFFSET: u32 = 0x3FFF;
const MAX_BLOCK: usize = 0x3FF;

/// Audio of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Payload type of its codec.
    pub payload_type: u8,
    /// Its timestamp.
    pub timestamp: u32,
    /// Its octets.
    pub data: &'a [u8],
}

/// A payload as a view.
#[derive(Clone, Copy, Debug)]
pub struct RedundantAudio<'a> {
    headers: &'a [[u8; HEADER_LEN]],
    redundant: &'a [u8],
    primary: Block<'a>,
}

impl<'a> RedundantAudio<'a> {
    /// Reads a payload; `timestamp` is that of its packet. More than one redundant block, which this profile never sends, is read, too.
    pub fn parse(payload: &'a [u8], timestamp: u32) -> Result<Self, Error> {
        let malformed = Error::Payload {
            format: "RED",
            len: payload.len(),
        };
        let (all, _) = payload.as_chunks::<HEADER_LEN>();
        let count = all
            .iter()
            .take_while(|header| header[0] & 0x80 != 0)
            .count();
        let headers = &all[..count];
        let (&payload_type, data) = payload[count * HEADER_LEN..]
            .split_first()
            .ok_or(malformed)?;
        if payload_type & 0x80 != 0 {
            return Err(malformed);
        }
        let len: usize = headers.iter().copied().map(block_len).sum();
        let (redundant, data) = data.split_at_checked(len).ok_or(malformed)?;
        Ok(Self {
            headers,
            redundant,
            primary: Block {
                payload_type,
                timestamp,
                data,
            },
        })
    }

    /// The audio of the packet itself.
    pub const fn primary(&self) -> Block<'a> {
        self.primary
    }

    /// Repeated audio, to be used where the packet with its timestamp did not come.
    ///
    /// `own` is the payload type of the redundant format: a block that has it is of the codec of the primary one (inferred).
    pub fn redundant(&self, own: u8) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let primary = self.primary;
        let mut rest = self.redundant;
        self.headers.iter().map_while(move |header| {
            let (data, next) = rest.split_at_checked(block_len(*header))?;
            rest = next;
            let payload_type = header[0] & 0x7F;
            let offset = be32(header, 0) >> 10 & MAX_OFFSET;
            Some(Block {
                payload_type: if payload_type == own {
                    primary.payload_type
                } else {
                    payload_type
                },
                timestamp: primary.timestamp.wrapping_sub(offset),
                data,
            })
        })
    }
}

fn block_len(header: [u8; HEADER_LEN]) -> usize {
    usize::from(be16(&header, 2)) & MAX_BLOCK
}

/// An earlier packet.
#[derive(Clone, Debug, Default)]
struct Earlier {
    payload_type: u8,
    timestamp: u32,
    data: Vec<u8>,
}

/// Packs audio together with what was sent before. Its memory is that of four packets.
#[derive(Clone, Debug)]
pub struct Packetizer {
    distance: u8,
    max_payload: usize,
    /// The latest packet and as many as can be repeated.
    history: [Earlier; MAX_DISTANCE as usize + 1],
    /// Packets in the history.
    filled: usize,
    /// Where the latest one is.
    at: usize,
}

/// What [`Packetizer::packet`] made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed<'a> {
    /// No redundancy is wanted: the audio goes with the payload type of its codec.
    Plain,
    /// The audio goes with the payload type of the redundant format.
    Redundant(Fragment<'a>),
}

impl Packetizer {
    /// A packetizer whose payloads have at most so many octets. Redundancy is off until the peer asks for it.
    pub fn new(max_payload: usize) -> Self {
        Self {
            distance: 0,
            max_payload,
            history: Default::default(),
            filled: 0,
            at: 0,
        }
    }

    /// Sets the distance that the peer asked for (the FEC distance request of
    /// [`AudioHealer`](crate::rtcp::extension::AudioHealer)): 0 is off, what is more than 3 is 3.
    pub fn set_distance(&mut self, distance: u8) {
        self.distance = distance.min(MAX_DISTANCE);
    }

    /// The distance.
    pub const fn distance(&self) -> u8 {
        self.distance
    }

    /// Packs the audio of one packet, of the codec `payload_type` at `timestamp` of the codec's clock. Events of \[MS-DTMF\] must not come here.
    ///
    /// There is no redundant block if that packet was of another codec, is too old or too long, or if the payload would become too long.
    pub fn packet<'a>(
        &'a mut self,
        payload_type: u8,
        timestamp: u32,
        data: &'a [u8],
    ) -> Packed<'a> {
        self.remember(payload_type, timestamp, data);
        if self.distance == 0 {
            return Packed::Plain;
        }
        let Some((earlier, offset)) = self.repeatable(payload_type, timestamp, data.len()) else {
            return Packed::Redundant(Fragment::new(&[payload_type], &[], data));
        };
        let header = 1 << 31
            | u32::from(earlier.payload_type) << 24
            | offset << 10
            | earlier.data.len() as u32;
        let [a, b, c, d] = header.to_be_bytes();
        let head = [a, b, c, d, payload_type];
        Packed::Redundant(Fragment::new(&head, &earlier.data, data))
    }

    fn remember(&mut self, payload_type: u8, timestamp: u32, data: &[u8]) {
        self.at = (self.at + 1) % self.history.len();
        self.filled = (self.filled + 1).min(self.history.len());
        let latest = &mut self.history[self.at];
        latest.payload_type = payload_type;
        latest.timestamp = timestamp;
        latest.data.clear();
        if data.len() <= MAX_BLOCK {
            latest.data.extend_from_slice(data);
        }
    }

    /// The packet at the distance and its timestamp offset, if both fit in a packet with so many octets of audio.
    fn repeatable(&self, payload_type: u8, timestamp: u32, len: usize) -> Option<(&Earlier, u32)> {
        let distance = usize::from(self.distance);
        if self.filled <= distance {
            return None;
        }
        let earlier = &self.history[(self.at + self.history.len() - distance) % self.history.len()];
        let offset = timestamp.wrapping_sub(earlier.timestamp);
        let fits = earlier.payload_type == payload_type
            && !earlier.data.is_empty()
            && offset <= MAX_OFFSET
            && HEADER_LEN + 1 + earlier.data.len() + len <= self.max_payload;
        fits.then_some((earlier, offset))
    }
}
