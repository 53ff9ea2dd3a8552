//! Writing RTP packets.

use super::{HEADER_LEN, HeaderExtension, MAX_CSRCS};
use crate::Error;
use crate::wire::{put16, put32};

/// What the header of a packet says. [`write`](Self::write) appends the packet to a buffer of the caller; with enough capacity in the buffer
/// nothing is allocated.
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketBuilder<'a> {
    payload_type: u8,
    marker: bool,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    csrcs: &'a [u32],
    extension: Option<HeaderExtension<'a>>,
    padding: u8,
}

impl<'a> PacketBuilder<'a> {
    /// A header without marker, CSRCs, extension and padding.
    pub const fn new(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Self {
        Self {
            payload_type,
            marker: false,
            sequence,
            timestamp,
            ssrc,
            csrcs: &[],
            extension: None,
            padding: 0,
        }
    }

    /// Sets M.
    pub const fn marker(mut self, marker: bool) -> Self {
        self.marker = marker;
        self
    }

    /// Sets the CSRC list, at most 15: MSIs, the dominant speaker first.
    pub const fn csrcs(mut self, csrcs: &'a [u32]) -> Self {
        self.csrcs = csrcs;
        self
    }

    /// Sets a header extension. Its data is a multiple of four octets.
    pub const fn extension(mut self, extension: HeaderExtension<'a>) -> Self {
        self.extension = Some(extension);
        self
    }

    /// Sets the number of octets of padding, with their count; 0 is none.
    pub const fn padding(mut self, padding: u8) -> Self {
        self.padding = padding;
        self
    }

    /// Appends the packet to `out`.
    pub fn write(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.write_with(out, |out| out.extend_from_slice(payload))
    }

    /// Appends the packet to `out`, with a payload that the function appends.
    ///
    /// On error nothing is appended.
    pub fn write_with(
        &self,
        out: &mut Vec<u8>,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Error> {
        if self.payload_type > 127 {
            return Err(Error::OutOfRange {
                what: "payload type",
            });
        }
        if self.csrcs.len() > MAX_CSRCS {
            return Err(Error::TooLong { what: "CSRC list" });
        }
        let words = match self.extension {
            Some(extension) if extension.data.len() % 4 != 0 => {
                return Err(Error::OutOfRange {
                    what: "length of the header extension",
                });
            }
            Some(extension) => {
                u16::try_from(extension.data.len() / 4).map_err(|_| Error::TooLong {
                    what: "header extension",
                })?
            }
            None => 0,
        };
        let mut header = [0; HEADER_LEN];
        header[0] = 0x80
            | u8::from(self.padding > 0) << 5
            | u8::from(self.extension.is_some()) << 4
            | self.csrcs.len() as u8;
        header[1] = u8::from(self.marker) << 7 | self.payload_type;
        header[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        header[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&header);
        for &csrc in self.csrcs {
            put32(out, csrc);
        }
        if let Some(extension) = self.extension {
            put16(out, extension.profile);
            put16(out, words);
            out.extend_from_slice(extension.data);
        }
        payload(out);
        if self.padding > 0 {
            out.resize(out.len() + usize::from(self.padding) - 1, 0);
            out.push(self.padding);
        }
        Ok(())
    }
}
