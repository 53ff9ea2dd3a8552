//! Payload formats, each with a packetizer and a depacketizer.
//!
//! A packetizer gives [`Fragment`]s: what goes into one packet, as pieces that are copied once, into the packet.

pub mod dtmf;
pub mod h264;
pub mod redundant;
pub mod rtvideo;
pub mod x_data;

/// Octets of payload that fit a packet of 1,500 octets with all its headers on every path that there is, SRTP and TURN included.
pub const DEFAULT_MAX_PAYLOAD: usize = 1200;

/// The payload of one packet, in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// M of the packet.
    pub marker: bool,
    head: [u8; 8],
    head_len: u8,
    middle: &'a [u8],
    body: &'a [u8],
}

impl<'a> Fragment<'a> {
    pub(crate) fn new(head: &[u8], middle: &'a [u8], body: &'a [u8]) -> Self {
        let mut fragment = Self {
            head_len: head.len() as u8,
            middle,
            body,
            ..Self::default()
        };
        fragment.head[..head.len()].copy_from_slice(head);
        fragment
    }

    pub(crate) const fn marked(mut self, marker: bool) -> Self {
        self.marker = marker;
        self
    }

    /// A payload that is there as a whole.
    pub const fn whole(body: &'a [u8], marker: bool) -> Self {
        Self {
            marker,
            head: [0; 8],
            head_len: 0,
            middle: &[],
            body,
        }
    }

    /// Octets of the payload.
    #[expect(clippy::len_without_is_empty, reason = "no fragment is empty")]
    pub const fn len(&self) -> usize {
        self.head_len as usize + self.middle.len() + self.body.len()
    }

    /// Appends the payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head[..usize::from(self.head_len)]);
        out.extend_from_slice(self.middle);
        out.extend_from_slice(self.body);
    }
}
