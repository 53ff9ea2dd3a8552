//! Application sharing (\[MS-RTASPF\]): the octet stream of RDP, in slices, without any payload header.
//!
//! Nothing is sent again, so the stream needs a transport that loses nothing: TCP with the framing of RFC 4571. RDP inside is not
//! encrypted; use it over SRTP only.

use super::Fragment;
use crate::Error;
use crate::seq::distance;

/// The payload type that the products use.
pub const PAYLOAD_TYPE: u8 = 127;
/// Octets of payload that the known clients send at most.
pub const MAX_SLICE: usize = 1200;

/// Cuts a part of the stream into payloads of at most [`MAX_SLICE`] octets. They may share a timestamp; the marker is not used.
pub fn slices(stream: &[u8]) -> impl Iterator<Item = Fragment<'_>> {
    stream
        .chunks(MAX_SLICE)
        .map(|slice| Fragment::whole(slice, false))
}

/// Puts the stream together again.
///
/// It holds nothing back: give it packets in the order in which TCP gave them. Over UDP put a [`Reorder`](crate::Reorder) before it.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    expected: Option<u16>,
    broken: bool,
}

impl Receiver {
    /// The first packet begins the stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives what the packet adds to the stream. It is empty for a packet that came already.
    ///
    /// The error says that a packet is missing. RDP cannot go on then, and all further packets give the error again: begin a new media session
    /// (`a=connection:new`) with a new receiver (inferred).
    pub fn handle_packet<'a>(
        &mut self,
        sequence: u16,
        payload: &'a [u8],
    ) -> Result<&'a [u8], Error> {
        let expected = self.expected.unwrap_or(sequence);
        let ahead = distance(expected, sequence);
        if ahead > 0 || self.broken {
            self.broken = true;
            return Err(Error::StreamBroken {
                expected,
                received: sequence,
            });
        }
        if ahead < 0 {
            return Ok(&[]);
        }
        self.expected = Some(sequence.wrapping_add(1));
        Ok(payload)
    }
}

/// Octets of the PDU that begins the stream, with its header: the TPKT header or the fast-path header of \[MS-RDPBCGR\]. `None` if more octets are needed to
/// know.
pub fn pdu_len(stream: &[u8]) -> Result<Option<usize>, Error> {
    let malformed = Error::Payload {
        format: "x-data",
        len: stream.len(),
    };
    let (len, header) = match *stream {
        [0x03, _, high, low, ..] => (usize::from(u16::from_be_bytes([high, low])), 4),
        [0x03, ..] | [] => return Ok(None),
        [first, ..] if first & 3 != 0 => return Err(malformed),
        [_, high, low, ..] if high & 0x80 != 0 => {
            (usize::from(u16::from_be_bytes([high & 0x7F, low])), 3)
        }
        [_, len, ..] if len & 0x80 == 0 => (usize::from(len), 2),
        _ => return Ok(None),
    };
    if len < header {
        return Err(malformed);
    }
    Ok(Some(len))
}
