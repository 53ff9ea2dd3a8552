//! Writing RTCP packets.

use super::extension::MAX_EXTENSIONS;
use super::feedback::{APPLICATION, PLI, SOURCE_REQUEST, SPEAKER_HISTORY};
use super::source_request::MAX_ENTRIES;
use super::{
    ExtendedPli, Extension, HEADER_LEN, MAX_COUNT, MediaQuality, ReportBlock, RequestHeader,
    SenderInfo, VideoSourceEntry, item, packet_type,
};
use crate::Error;
use crate::wire::{put16, put32};

/// Appends RTCP packets to a buffer of the caller. A compound is nothing but packets one after the other. With enough capacity in the buffer nothing is
/// allocated. A packet that cannot be written leaves nothing in the buffer.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    /// Writes at the end of `out`.
    pub const fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Octets in the buffer.
    pub(crate) const fn len(&self) -> usize {
        self.out.len()
    }

    /// Appends an SR.
    pub fn sender_report<'e>(
        &mut self,
        ssrc: u32,
        info: &SenderInfo,
        blocks: impl IntoIterator<Item = ReportBlock>,
        extensions: impl IntoIterator<Item = Extension<'e>>,
    ) -> Result<&mut Self, Error> {
        self.packet(packet_type::SR, |out| {
            put32(out, ssrc);
            info.write(out);
            write_tail(out, blocks, extensions)
        })
    }

    /// Appends an RR.
    pub fn receiver_report<'e>(
        &mut self,
        ssrc: u32,
        blocks: impl IntoIterator<Item = ReportBlock>,
        extensions: impl IntoIterator<Item = Extension<'e>>,
    ) -> Result<&mut Self, Error> {
        self.packet(packet_type::RR, |out| {
            put32(out, ssrc);
            write_tail(out, blocks, extensions)
        })
    }

    /// Appends an SDES packet with the chunks that the function writes.
    pub fn source_description(
        &mut self,
        write: impl FnOnce(&mut Chunks<'_>) -> Result<(), Error>,
    ) -> Result<&mut Self, Error> {
        self.packet(packet_type::SDES, |out| {
            let start = out.len();
            let mut chunks = Chunks {
                out,
                start,
                count: 0,
            };
            write(&mut chunks)?;
            chunks.end();
            count(usize::from(chunks.count), "list of chunks")
        })
    }

    /// Appends a BYE of at most 31 sources.
    pub fn bye(&mut self, sources: &[u32], reason: Option<&[u8]>) -> Result<&mut Self, Error> {
        self.packet(packet_type::BYE, |out| {
            let start = out.len();
            for &ssrc in sources {
                put32(out, ssrc);
            }
            if let Some(reason) = reason {
                put_text(out, reason)?;
                let len = out.len() - start;
                out.resize(start + len.next_multiple_of(4), 0);
            }
            count(sources.len(), "list of sources")
        })
    }

    /// Appends a PLI without FCI.
    pub fn pli(&mut self, sender: u32, media: u32) -> Result<&mut Self, Error> {
        self.feedback(packet_type::PSFB, PLI, sender, media, |_| {})
    }

    /// Appends an extended PLI.
    pub fn extended_pli(
        &mut self,
        sender: u32,
        media: u32,
        pli: ExtendedPli,
    ) -> Result<&mut Self, Error> {
        self.feedback(packet_type::PSFB, PLI, sender, media, |out| pli.write(out))
    }

    /// Appends a Video Source Request of at most 20 entries.
    pub fn video_source_request(
        &mut self,
        sender: u32,
        media: u32,
        header: RequestHeader,
        entries: &[VideoSourceEntry],
    ) -> Result<&mut Self, Error> {
        if entries.len() > MAX_ENTRIES {
            return Err(Error::TooLong { what: "request" });
        }
        self.application(sender, media, SOURCE_REQUEST, |out| {
            header.write(entries.len() as u8, out);
            for entry in entries {
                entry.write(out);
            }
        })
    }

    /// Appends a Dominant Speaker History: MSIs, the latest first.
    pub fn dominant_speaker_history(
        &mut self,
        sender: u32,
        media: u32,
        msis: &[u32],
    ) -> Result<&mut Self, Error> {
        // Length counts octets in 16 bits.
        if msis.len() > 0x3FFE {
            return Err(Error::TooLong { what: "history" });
        }
        self.application(sender, media, SPEAKER_HISTORY, |out| {
            for &msi in msis {
                put32(out, msi);
            }
        })
    }

    /// Appends any feedback message; the FCI must be whole words.
    pub fn feedback(
        &mut self,
        packet_type: u8,
        format: u8,
        sender: u32,
        media: u32,
        fci: impl FnOnce(&mut Vec<u8>),
    ) -> Result<&mut Self, Error> {
        self.packet(packet_type, |out| {
            put32(out, sender);
            put32(out, media);
            fci(out);
            count(usize::from(format), "FMT")
        })
    }

    fn application(
        &mut self,
        sender: u32,
        media: u32,
        kind: u16,
        content: impl FnOnce(&mut Vec<u8>),
    ) -> Result<&mut Self, Error> {
        self.feedback(packet_type::PSFB, APPLICATION, sender, media, |out| {
            let start = out.len();
            put16(out, kind);
            put16(out, 0);
            content(out);
            let length = (out.len() - start) as u16;
            out[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        })
    }

    /// Appends a packet whose content the function writes; it returns what goes into the five bits of the count.
    fn packet(
        &mut self,
        packet_type: u8,
        content: impl FnOnce(&mut Vec<u8>) -> Result<u8, Error>,
    ) -> Result<&mut Self, Error> {
        let start = self.out.len();
        self.out.extend_from_slice(&[0x80, packet_type, 0, 0]);
        let written = content(self.out).and_then(|count| {
            let len = self.out.len() - start;
            if !len.is_multiple_of(4) {
                return Err(Error::OutOfRange {
                    what: "length of the packet",
                });
            }
            let words =
                u16::try_from(len / 4 - 1).map_err(|_| Error::TooLong { what: "packet" })?;
            Ok((count, words))
        });
        match written {
            Ok((count, words)) => {
                self.out[start] |= count;
                self.out[start + 2..start + HEADER_LEN].copy_from_slice(&words.to_be_bytes());
                Ok(self)
            }
            Err(error) => {
                self.out.truncate(start);
                Err(error)
            }
        }
    }
}

fn count(count: usize, what: &'static str) -> Result<u8, Error> {
    if count > MAX_COUNT {
        return Err(Error::TooLong { what });
    }
    Ok(count as u8)
}

fn write_tail<'e>(
    out: &mut Vec<u8>,
    blocks: impl IntoIterator<Item = ReportBlock>,
    extensions: impl IntoIterator<Item = Extension<'e>>,
) -> Result<u8, Error> {
    let mut number = 0;
    for block in blocks {
        block.write(out);
        number += 1;
    }
    for (at, extension) in extensions.into_iter().enumerate() {
        if at >= MAX_EXTENSIONS {
            return Err(Error::TooLong {
                what: "list of extensions",
            });
        }
        extension.write(out)?;
    }
    count(number, "list of report blocks")
}

/// A length and a text.
fn put_text(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Error> {
    let len = u8::try_from(text.len()).map_err(|_| Error::TooLong { what: "text" })?;
    out.push(len);
    out.extend_from_slice(text);
    Ok(())
}

/// Appends chunks to an SDES packet.
#[derive(Debug)]
pub struct Chunks<'b> {
    out: &'b mut Vec<u8>,
    /// Where the first chunk begins.
    start: usize,
    count: u8,
}

impl Chunks<'_> {
    /// Begins the chunk of a source. What is written next belongs to it.
    pub fn chunk(&mut self, ssrc: u32) -> &mut Self {
        self.end();
        self.count = self.count.saturating_add(1);
        put32(self.out, ssrc);
        self
    }

    /// Appends an item.
    pub fn item(&mut self, item_type: u8, text: &[u8]) -> Result<&mut Self, Error> {
        self.out.push(item_type);
        put_text(self.out, text)?;
        Ok(self)
    }

    /// Appends the media quality item.
    pub fn media_quality(&mut self, quality: MediaQuality) -> &mut Self {
        let prefix = MediaQuality::PREFIX;
        let len = 1 + prefix.len() + MediaQuality::VALUE_LEN;
        self.out
            .extend_from_slice(&[item::PRIV, len as u8, prefix.len() as u8]);
        self.out.extend_from_slice(prefix);
        quality.write(self.out);
        self
    }

    /// Ends the chunk: one zero octet, then more of them to the next word.
    fn end(&mut self) {
        if self.count > 0 {
            let len = self.out.len() - self.start;
            self.out
                .resize(self.start + (len + 1).next_multiple_of(4), 0);
        }
    }
}
