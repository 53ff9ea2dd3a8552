//! Compounds of RTCP packets.

use super::{
    App, Bye, Feedback, HEADER_LEN, ReceiverReport, SenderReport, SourceDescription, packet_type,
};
use crate::Error;
use crate::wire::be16;

/// One or more RTCP packets that came together. Making the view walks over their headers and allocates nothing.
///
/// The check of RFC 3550 A.2 is relaxed as this profile demands (\[MS-RTP\] 2.2.2, 2.2.12): a compound may begin with any packet
/// of types 200 to 206, and that one may be alone.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'a> {
    octets: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Reads a whole compound: a datagram, or the content of a frame, after SRTCP. The lengths of its packets must add up to it.
    ///
    /// What is in the packets is looked at by [`packets`](Self::packets): one bad packet does not spoil the others.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Error> {
        let mut rest = octets;
        loop {
            let offset = octets.len() - rest.len();
            let Some(header) = rest.first_chunk::<HEADER_LEN>() else {
                let len = HEADER_LEN;
                return Err(Error::RtcpLength { offset, len });
            };
            if header[0] >> 6 != 2 {
                return Err(Error::Version {
                    version: header[0] >> 6,
                });
            }
            if offset == 0 && !(packet_type::SR..=packet_type::PSFB).contains(&header[1]) {
                return Err(Error::RtcpType {
                    packet_type: header[1],
                });
            }
            let len = (usize::from(be16(header, 2)) + 1) * 4;
            let Some(next) = rest.get(len..) else {
                return Err(Error::RtcpLength { offset, len });
            };
            if next.is_empty() {
                return Ok(Self { octets });
            }
            if header[0] & 0x20 != 0 {
                return Err(Error::RtcpPaddingNotLast);
            }
            rest = next;
        }
    }

    /// The whole compound.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.octets
    }

    /// The packets in their order.
    #[inline]
    pub const fn packets(&self) -> Packets<'a> {
        Packets { rest: self.octets }
    }

    /// Whether this is a probe: one SR alone, without report blocks (\[MS-RTP\] 2.2.3) and without extensions, which would be worth reading. An
    /// old peer that does not probe may send such a one, too, which is harmless.
    pub fn is_probe(&self) -> bool {
        let mut packets = self.packets();
        matches!(
            (packets.next(), packets.next()),
            (Some(Ok(RtcpPacket::SenderReport(report))), None)
                if report.blocks().len() == 0 && report.extensions().next().is_none()
        )
    }
}

/// The packets of a compound, in their order. An error is about one packet; the next ones follow it.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    /// The next packet, not looked into.
    #[inline]
    pub fn next_raw(&mut self) -> Option<RawPacket<'a>> {
        let header = self.rest.first_chunk::<HEADER_LEN>()?;
        let len = (usize::from(be16(header, 2)) + 1) * 4;
        let (octets, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(RawPacket { header, octets })
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.next_raw().map(RtcpPacket::read)
    }
}

/// One RTCP packet whose frame is known.
#[derive(Clone, Copy, Debug)]
pub struct RawPacket<'a> {
    header: &'a [u8; HEADER_LEN],
    octets: &'a [u8],
}

impl<'a> RawPacket<'a> {
    /// The packet type.
    pub const fn packet_type(&self) -> u8 {
        self.header[1]
    }

    /// The five bits behind P: a count, a subtype or a FMT.
    pub const fn count(&self) -> u8 {
        self.header[0] & 0x1F
    }

    /// The whole packet, with its header and padding.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.octets
    }

    /// What is between header and padding.
    #[inline]
    pub fn body(&self) -> Result<&'a [u8], Error> {
        let body = &self.octets[HEADER_LEN..];
        if self.header[0] & 0x20 == 0 {
            return Ok(body);
        }
        let padding = body.last().copied().unwrap_or(0);
        let available = body.len();
        match available.checked_sub(usize::from(padding)) {
            Some(end) if padding != 0 && padding.is_multiple_of(4) => Ok(&body[..end]),
            _ => Err(Error::Padding { padding, available }),
        }
    }

    /// The error of a packet that is shorter than it has to be.
    pub(super) fn too_short(&self) -> Error {
        Error::RtcpTooShort {
            packet_type: self.packet_type(),
            count: self.count(),
            len: self.octets.len(),
        }
    }
}

/// One RTCP packet as a view.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    SourceDescription(SourceDescription<'a>),
    /// BYE.
    Bye(Bye<'a>),
    /// APP, which this profile ignores.
    App(App<'a>),
    /// RTPFB or PSFB.
    Feedback(Feedback<'a>),
    /// Another packet type.
    Unknown(RawPacket<'a>),
}

impl<'a> RtcpPacket<'a> {
    /// Reads one packet.
    #[inline]
    pub fn read(raw: RawPacket<'a>) -> Result<Self, Error> {
        let body = raw.body()?;
        Ok(match raw.packet_type() {
            packet_type::SR => Self::SenderReport(SenderReport::read(&raw, body)?),
            packet_type::RR => Self::ReceiverReport(ReceiverReport::read(&raw, body)?),
            packet_type::SDES => {
                Self::SourceDescription(SourceDescription::read(raw.count(), body))
            }
            packet_type::BYE => Self::Bye(Bye::read(&raw, body)?),
            packet_type::APP => Self::App(App::read(&raw, body)?),
            packet_type::RTPFB | packet_type::PSFB => Self::Feedback(Feedback::read(&raw, body)?),
            _ => Self::Unknown(raw),
        })
    }
}
