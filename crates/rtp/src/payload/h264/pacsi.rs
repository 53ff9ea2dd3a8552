//! The PACSI NAL unit (RFC 6190 4.9 as \[MS-H264PF\] 2.2.4 uses it).

use super::{Sei, malformed, nal_type};
use crate::Error;
use crate::wire::{be16, put16};

/// Octets up to the flags.
const HEADER_LEN: usize = 5;

/// Flags of the fifth octet.
mod bit {
    pub(super) const X: u8 = 0x80;
    pub(super) const Y: u8 = 0x40;
    pub(super) const T: u8 = 0x20;
    pub(super) const A: u8 = 0x10;
    pub(super) const P: u8 = 0x08;
    pub(super) const C: u8 = 0x04;
    pub(super) const S: u8 = 0x02;
    pub(super) const E: u8 = 0x01;
}

/// The fields of Y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureIds {
    /// TL0PICIDX.
    pub tl0_pic_idx: u8,
    /// IDRPICID.
    pub idr_pic_id: u16,
}

/// What a PACSI says of the NAL units that follow it. The default is what a single-layer stream sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacsiFields {
    /// NRI: the highest of the units that are described.
    pub reference: u8,
    /// I: they are of an IDR picture.
    pub idr: bool,
    /// PRID: Priority Id of the layer, 0 to 63.
    pub priority: u8,
    /// N: no prediction from other layers.
    pub no_inter_layer: bool,
    /// DID, 0 to 7.
    pub dependency: u8,
    /// QID, 0 to 15.
    pub quality: u8,
    /// TID, 0 to 7.
    pub temporal: u8,
    /// U: a base picture is used as reference.
    pub use_base: bool,
    /// D: not needed by higher layers.
    pub discardable: bool,
    /// O: the picture is shown.
    pub output: bool,
    /// The octets behind Y, if that is set.
    pub picture_ids: Option<PictureIds>,
    /// DONC: cross-session decoding order number; always there on the wire of this profile.
    pub donc: Option<u16>,
    /// A, P and C as they stand in their octet: hints of RFC 6190 that this profile does not use.
    pub hints: u8,
    /// S: the first unit of the layer in its access unit follows.
    pub start: bool,
    /// E: the last one was before.
    pub end: bool,
}

impl Default for PacsiFields {
    fn default() -> Self {
        Self {
            reference: 3,
            idr: false,
            priority: 0,
            no_inter_layer: true,
            dependency: 0,
            quality: 0,
            temporal: 0,
            use_base: false,
            discardable: false,
            output: true,
            picture_ids: None,
            donc: Some(0),
            hints: 0,
            start: true,
            end: false,
        }
    }
}

impl PacsiFields {
    /// Appends the unit up to the NAL units in it, which [`put_unit`](Self::put_unit) appends.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        out.extend_from_slice(&[
            (self.reference & 3) << 5 | nal_type::PACSI,
            0x80 | bit(self.idr, 0x40) | self.priority & 0x3F,
            bit(self.no_inter_layer, 0x80) | (self.dependency & 7) << 4 | self.quality & 0x0F,
            (self.temporal & 7) << 5
                | bit(self.use_base, 0x10)
                | bit(self.discardable, 0x08)
                | bit(self.output, 0x04)
                | 3,
            bit(self.picture_ids.is_some(), bit::Y)
                | bit(self.donc.is_some(), bit::T)
                | self.hints & (bit::A | bit::P | bit::C)
                | bit(self.start, bit::S)
                | bit(self.end, bit::E),
        ]);
        if let Some(ids) = self.picture_ids {
            out.push(ids.tl0_pic_idx);
            put16(out, ids.idr_pic_id);
        }
        if let Some(donc) = self.donc {
            put16(out, donc);
        }
    }

    /// Appends a NAL unit to the PACSI at the end of `out`; the function writes it.
    pub fn put_unit(out: &mut Vec<u8>, unit: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        put16(out, 0);
        unit(out);
        let len = (out.len() - start - 2) as u16;
        out[start..start + 2].copy_from_slice(&len.to_be_bytes());
    }
}

/// A PACSI as a view.
#[derive(Clone, Copy, Debug)]
pub struct Pacsi<'a> {
    /// What it says.
    pub fields: PacsiFields,
    units: &'a [u8],
}

impl<'a> Pacsi<'a> {
    /// Reads a NAL unit of type 30. X, which is reserved, is ignored.
    pub fn parse(unit: &'a [u8]) -> Result<Self, Error> {
        let (head, mut rest) = unit
            .split_first_chunk::<HEADER_LEN>()
            .filter(|(head, _)| head[0] & 0x9F == nal_type::PACSI)
            .ok_or_else(|| malformed(unit))?;
        let flags = head[4] & !bit::X;
        let mut fields = PacsiFields {
            reference: head[0] >> 5 & 3,
            idr: head[1] & 0x40 != 0,
            priority: head[1] & 0x3F,
            no_inter_layer: head[2] & 0x80 != 0,
            dependency: head[2] >> 4 & 7,
            quality: head[2] & 0x0F,
            temporal: head[3] >> 5,
            use_base: head[3] & 0x10 != 0,
            discardable: head[3] & 0x08 != 0,
            output: head[3] & 0x04 != 0,
            picture_ids: None,
            donc: None,
            hints: flags & (bit::A | bit::P | bit::C),
            start: flags & bit::S != 0,
            end: flags & bit::E != 0,
        };
        if flags & bit::Y != 0 {
            let (ids, behind) = rest
                .split_first_chunk::<3>()
                .ok_or_else(|| malformed(unit))?;
            fields.picture_ids = Some(PictureIds {
                tl0_pic_idx: ids[0],
                idr_pic_id: be16(ids, 1),
            });
            rest = behind;
        }
        if flags & bit::T != 0 {
            let (donc, behind) = rest
                .split_first_chunk::<2>()
                .ok_or_else(|| malformed(unit))?;
            fields.donc = Some(be16(donc, 0));
            rest = behind;
        }
        Ok(Self {
            fields,
            units: rest,
        })
    }

    /// The NAL units in it: SEI messages, which must never reach an Annex B decoder, for they have no emulation prevention.
    pub const fn units(&self) -> NalUnits<'a> {
        NalUnits { rest: self.units }
    }

    /// The SEI messages in it. Units of other kinds, and what is malformed, are left out.
    pub fn messages(&self) -> impl Iterator<Item = Sei<'a>> + use<'a> {
        self.units()
            .map_while(Result::ok)
            .filter_map(|unit| Sei::parse(unit).ok().flatten())
    }
}

/// NAL units with their sizes in front, as in a PACSI and in a STAP-A. An error ends them.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<&'a [u8], Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let octets = std::mem::take(&mut self.rest);
        let split = octets.split_first_chunk::<2>().and_then(|(size, rest)| {
            let size = usize::from(be16(size, 0));
            rest.split_at_checked(size).filter(|_| size > 0)
        });
        Some(match split {
            Some((unit, rest)) => {
                self.rest = rest;
                Ok(unit)
            }
            None => Err(malformed(octets)),
        })
    }
}
