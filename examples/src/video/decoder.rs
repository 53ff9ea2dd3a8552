//! From access units to pictures.

use ocs_rtp::payload::h264::{NalHeader, annex_b, nal_type};

use super::bits::BitReader;
use super::{FRAME_NUMBERS, I_PCM, I_PCM_IN_P, MACROBLOCK, Picture, SLICE_I, SLICE_P};

/// It is not of an [`Encoder`](super::Encoder), or what it needs is missing: ask for an IDR picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

/// Shows what an [`Encoder`](super::Encoder) made.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    picture: Option<Picture>,
    frame_number: u32,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture of an access unit. After an error there is none before the next IDR picture.
    pub fn decode(&mut self, access_unit: &[u8]) -> Result<&Picture, Undecodable> {
        let last = self.picture.take();
        let next = self.read(access_unit, last).ok_or(Undecodable)?;
        Ok(self.picture.insert(next))
    }

    fn read(&mut self, access_unit: &[u8], mut picture: Option<Picture>) -> Option<Picture> {
        let mut shown = false;
        for unit in annex_b(access_unit) {
            let (&header, rest) = unit.split_first()?;
            let mut bits = BitReader::new(rest)?;
            match NalHeader(header).kind() {
                nal_type::SPS => picture = Some(read_size(&mut bits)?),
                nal_type::PPS => {}
                kind @ (nal_type::IDR | nal_type::SLICE) => {
                    self.read_slice(&mut bits, kind == nal_type::IDR, picture.as_mut()?)?;
                    shown = true;
                }
                _ => return None,
            }
        }
        picture.filter(|_| shown)
    }

    fn read_slice(&mut self, bits: &mut BitReader, idr: bool, picture: &mut Picture) -> Option<()> {
        let slice_type = if idr { SLICE_I } else { SLICE_P };
        let expected = if idr {
            0
        } else {
            (self.frame_number + 1) % FRAME_NUMBERS
        };
        let head = (
            bits.ue()?,
            bits.ue()?,
            bits.ue()?,
            bits.u(FRAME_NUMBERS.ilog2())?,
        );
        if head != (0, slice_type, 0, expected) {
            return None;
        }
        self.frame_number = expected;
        if idr {
            bits.ue()?;
            bits.u(2)?;
        } else {
            bits.u(3)?;
        }
        if (bits.ue()?, bits.ue()?) != (0, 1) {
            return None;
        }
        let mut macroblock = 0;
        while macroblock < picture.macroblocks() {
            if !idr {
                macroblock += bits.ue()? as usize;
                if !bits.more() {
                    break;
                }
            }
            if macroblock >= picture.macroblocks()
                || bits.ue()? != if idr { I_PCM } else { I_PCM_IN_P }
            {
                return None;
            }
            for row in picture.rows_of(macroblock) {
                let to = picture.at_mut(row);
                to.copy_from_slice(bits.octets(to.len())?);
            }
            macroblock += 1;
        }
        (macroblock == picture.macroblocks() && !bits.more()).then_some(())
    }
}

/// An empty picture of the size that the parameters say.
fn read_size(bits: &mut BitReader) -> Option<Picture> {
    bits.u(24)?;
    let fixed = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?, bits.u(1)?);
    if fixed != (0, FRAME_NUMBERS.ilog2() - 4, 2, 1, 0) {
        return None;
    }
    let mut side = || Some((bits.ue()? as usize + 1) * MACROBLOCK);
    Picture::new(side()?, side()?, [0; 3]).ok()
}
