//! RTP packets (\[MS-RTP\] 2.2.1, RFC 3550 5.1).

mod builder;
mod header_extension;

pub use builder::PacketBuilder;
pub use header_extension::{Element, Elements, HeaderExtension};

use crate::Error;
use crate::wire::{be16, be32};

/// Octets of the fixed header of an RTP packet.
pub const HEADER_LEN: usize = 12;

/// Most CSRCs that a packet can have.
pub const MAX_CSRCS: usize = 15;

/// An RTP packet as a view over the octets that came in. Making it allocates nothing and checks every length in the packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: &'a [u8; HEADER_LEN],
    csrcs: &'a [[u8; 4]],
    extension: Option<HeaderExtension<'a>>,
    payload: &'a [u8],
    padding: u8,
}

impl<'a> Packet<'a> {
    /// Reads a whole packet: a datagram, or the content of a frame, after SRTP.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Error> {
        let Some((header, rest)) = octets.split_first_chunk::<HEADER_LEN>() else {
            return Err(Error::PacketTooShort { len: octets.len() });
        };
        let flags = header[0];
        if flags >> 6 != 2 {
            return Err(Error::Version {
                version: flags >> 6,
            });
        }
        let count = flags & 0x0F;
        let Some((csrcs, mut payload)) = rest.split_at_checked(usize::from(count) * 4) else {
            return Err(Error::Csrcs { count });
        };
        let mut extension = None;
        if flags & 0x10 != 0 {
            let (found, rest) = HeaderExtension::split(payload)?;
            (extension, payload) = (Some(found), rest);
        }
        let mut padding = 0;
        if flags & 0x20 != 0 {
            padding = payload.last().copied().unwrap_or(0);
            let available = payload.len();
            match available.checked_sub(usize::from(padding)) {
                Some(end) if padding != 0 => payload = &payload[..end],
                _ => return Err(Error::Padding { padding, available }),
            }
        }
        Ok(Self {
            header,
            csrcs: csrcs.as_chunks().0,
            extension,
            payload,
            padding,
        })
    }

    /// M: the first packet of a talk spurt, or the last packet of a video frame. Audio receivers must not depend on it, for some
    /// products deviate.
    #[inline]
    pub const fn marker(&self) -> bool {
        self.header[1] & 0x80 != 0
    }

    /// PT, 0 to 127.
    #[inline]
    pub const fn payload_type(&self) -> u8 {
        self.header[1] & 0x7F
    }

    /// The sequence number.
    #[inline]
    pub const fn sequence(&self) -> u16 {
        be16(self.header, 2)
    }

    /// The timestamp, in units of the clock of the payload type.
    #[inline]
    pub const fn timestamp(&self) -> u32 {
        be32(self.header, 4)
    }

    /// The SSRC.
    #[inline]
    pub const fn ssrc(&self) -> u32 {
        be32(self.header, 8)
    }

    /// The CSRC list: from a mixer these are MSIs (SSRCs in older products), the dominant speaker first.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.csrcs.iter().map(|csrc| u32::from_be_bytes(*csrc))
    }

    /// The first CSRC: the dominant speaker at this moment (\[MS-RTP\] 2.2.1).
    pub fn dominant_speaker(&self) -> Option<u32> {
        self.csrcs().next()
    }

    /// The header extension. \[MS-RTP\] defines none; some products send elements of RFC 5285, which a receiver may skip.
    pub const fn extension(&self) -> Option<HeaderExtension<'a>> {
        self.extension
    }

    /// The payload, without padding.
    #[inline]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Octets of padding, with their count; 0 without.
    pub const fn padding(&self) -> u8 {
        self.padding
    }
}
