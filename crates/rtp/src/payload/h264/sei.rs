//! The SEI messages of \[MS-H264PF\]: user data unregistered, told apart by their UUIDs.

use uuid::{Uuid, uuid};

use super::{malformed, nal_type};
use crate::Error;
use crate::wire::{be16, be32, put16, put32};

/// User data unregistered.
const PAYLOAD_TYPE: u8 = 5;
const STREAM_LAYOUT: Uuid = uuid!("139FB1A9-446A-4DEC-8CBF-65B1E12D2CFD");
const CROPPING_INFO: Uuid = uuid!("BB7FC1A0-6986-4052-90F0-0929217539CF");
const BITSTREAM_INFO: Uuid = uuid!("05FBC6B9-5A80-40E5-A22A-AB4020267E26");

/// Octets of a layer description.
const DESCRIPTION_LEN: usize = 16;
/// Octets of a window of a Cropping Info message.
const WINDOW_LEN: usize = 9;

/// A message in a SEI NAL unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sei<'a> {
    /// Stream Layout.
    StreamLayout(StreamLayout<'a>),
    /// Cropping Info.
    CroppingInfo(CroppingInfo<'a>),
    /// Bitstream Info.
    BitstreamInfo(BitstreamInfo),
}

impl<'a> Sei<'a> {
    /// Reads a NAL unit of type 6. `None` if its first message is none of this profile, which puts one into each unit.
    pub fn parse(unit: &'a [u8]) -> Result<Option<Self>, Error> {
        let [nal_type::SEI, PAYLOAD_TYPE, rest @ ..] = unit else {
            return Ok(None);
        };
        // The size in the form of H.264 7.3.2.3.1: octets of 255, and one of less.
        let more = rest.iter().take_while(|&&octet| octet == 0xFF).count();
        let last = *rest.get(more).ok_or_else(|| malformed(unit))?;
        let size = more * 0xFF + usize::from(last);
        let payload = rest
            .get(more + 1..)
            .and_then(|rest| rest.get(..size))
            .ok_or_else(|| malformed(unit))?;
        let Some((uuid, content)) = payload.split_first_chunk::<16>() else {
            return Err(malformed(unit));
        };
        let read = match *Uuid::from_bytes_ref(uuid) {
            STREAM_LAYOUT => StreamLayout::read(content).map(Self::StreamLayout),
            CROPPING_INFO => CroppingInfo::read(content).map(Self::CroppingInfo),
            BITSTREAM_INFO => content.first_chunk().map(|&[frames, units]| {
                Self::BitstreamInfo(BitstreamInfo {
                    reference_frames: frames,
                    nal_units: units,
                })
            }),
            _ => return Ok(None),
        };
        read.map(Some).ok_or_else(|| malformed(unit))
    }
}

/// Appends the NAL unit of a message.
fn write_message(uuid: Uuid, content_len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[nal_type::SEI, PAYLOAD_TYPE]);
    let size = content_len + 16;
    out.resize(out.len() + size / 0xFF, 0xFF);
    out.push((size % 0xFF) as u8);
    out.extend_from_slice(uuid.as_bytes());
}

/// LPB0 to LPB7: which layers there are. Bit n, from the least significant one, stands for Priority Id n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerPresence(pub u64);

impl LayerPresence {
    /// Whether there is a layer with this Priority Id, 0 to 63.
    pub const fn has(self, priority: u8) -> bool {
        priority < 64 && self.0 & 1 << priority != 0
    }
}

/// Stream Layout (\[MS-H264PF\] 2.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLayout<'a> {
    /// The layers that there are.
    pub presence: LayerPresence,
    descriptions: Option<&'a [u8]>,
    /// LDSize.
    stride: usize,
}

impl<'a> StreamLayout<'a> {
    /// P: whether this is a full layout, with a description for each layer. Otherwise it is an update, which only says which
    /// of them are there.
    pub const fn is_full(&self) -> bool {
        self.descriptions.is_some()
    }

    /// The descriptions of a full layout: one for each layer that is present. What follows the last one is ignored.
    pub fn descriptions(&self) -> impl Iterator<Item = LayerDescription> + use<'a> {
        self.descriptions
            .unwrap_or(&[])
            .chunks_exact(self.stride)
            .filter_map(|description| description.first_chunk().map(LayerDescription::read))
            .take(self.presence.0.count_ones() as usize)
    }

    fn read(content: &'a [u8]) -> Option<Self> {
        let (head, rest) = content.split_first_chunk::<9>()?;
        let [a, b, c, d, e, f, g, h, flags] = *head;
        let presence = LayerPresence(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        if flags & 1 == 0 {
            return Some(Self {
                presence,
                descriptions: None,
                stride: DESCRIPTION_LEN,
            });
        }
        let (&size, descriptions) = rest.split_first()?;
        let stride = usize::from(size);
        // At least one description, and none that is cut. Bits without a description are tolerated.
        if stride < DESCRIPTION_LEN || descriptions.len() < stride {
            return None;
        }
        Some(Self {
            presence,
            descriptions: Some(descriptions),
            stride,
        })
    }

    /// Appends the NAL unit of a full layout; the layers that are present are those that are described, 1 to 64, each with a Priority Id of its own.
    ///
    /// Receivers expect them by rising Priority Id (inferred from the order of the presence bits).
    pub fn write_full(layers: &[LayerDescription], out: &mut Vec<u8>) -> Result<(), Error> {
        if layers.is_empty() || layers.len() > 64 {
            return Err(Error::OutOfRange {
                what: "number of layers",
            });
        }
        let presence = layers.iter().fold(0_u64, |presence, layer| {
            presence | 1 << (layer.priority & 0x3F)
        });
        if presence.count_ones() as usize != layers.len() {
            return Err(Error::OutOfRange {
                what: "priority of a layer",
            });
        }
        write_message(STREAM_LAYOUT, 10 + DESCRIPTION_LEN * layers.len(), out);
        out.extend_from_slice(&presence.to_le_bytes());
        out.extend_from_slice(&[1, DESCRIPTION_LEN as u8]);
        for layer in layers {
            layer.write(out);
        }
        Ok(())
    }

    /// Appends the NAL unit of an update. It must not name a layer that the last full layout did not have.
    pub fn write_update(presence: LayerPresence, out: &mut Vec<u8>) {
        write_message(STREAM_LAYOUT, 9, out);
        out.extend_from_slice(&presence.0.to_le_bytes());
        out.push(0);
    }
}

/// A layer of a full layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerDescription {
    /// Coded width.
    pub coded_width: u16,
    /// Coded height.
    pub coded_height: u16,
    /// Display width.
    pub display_width: u16,
    /// Display height.
    pub display_height: u16,
    /// Bit rate in bit/s.
    pub bit_rate: u32,
    /// FPSIdx: 0 to 6 for 7.5, 12.5, 15, 25, 30, 50 and 60 frames per second; 5 bits.
    pub frame_rate: u8,
    /// LT: 0 base layer, 1 temporal enhancement (inferred); 3 bits.
    pub layer_type: u8,
    /// PRID: Priority Id, 0 to 63.
    pub priority: u8,
    /// CB: constrained baseline.
    pub constrained_baseline: bool,
}

impl LayerDescription {
    /// Frames per second in tenths. `None` if the index has no meaning.
    pub fn tenths_of_frames_per_second(&self) -> Option<u16> {
        const RATES: [u16; 7] = [75, 125, 150, 250, 300, 500, 600];
        RATES.get(usize::from(self.frame_rate)).copied()
    }

    fn read(octets: &[u8; DESCRIPTION_LEN]) -> Self {
        Self {
            coded_width: be16(octets, 0),
            coded_height: be16(octets, 2),
            display_width: be16(octets, 4),
            display_height: be16(octets, 6),
            bit_rate: be32(octets, 8),
            frame_rate: octets[12] >> 3,
            layer_type: octets[12] & 7,
            priority: octets[13] >> 2,
            constrained_baseline: octets[13] & 2 != 0,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        for value in [
            self.coded_width,
            self.coded_height,
            self.display_width,
            self.display_height,
        ] {
            put16(out, value);
        }
        put32(out, self.bit_rate);
        out.extend_from_slice(&[
            self.frame_rate << 3 | self.layer_type & 7,
            self.priority << 2 | u8::from(self.constrained_baseline) << 1,
            0,
            0,
        ]);
    }
}

/// Cropping Info (\[MS-H264PF\] 2.2.6): regions of interest. Receivers may ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CroppingInfo<'a> {
    /// crop_info_type, whose values are not known.
    pub info_type: u8,
    windows: &'a [[u8; WINDOW_LEN]],
}

impl<'a> CroppingInfo<'a> {
    /// The windows.
    pub fn windows(&self) -> impl ExactSizeIterator<Item = CropWindow> + use<'a> {
        self.windows.iter().map(|window| CropWindow {
            confidence: window[0],
            left: be16(window, 1),
            right: be16(window, 3),
            top: be16(window, 5),
            bottom: be16(window, 7),
        })
    }

    fn read(content: &'a [u8]) -> Option<Self> {
        let (&[count, info_type], rest) = content.split_first_chunk()?;
        let windows = rest.get(..usize::from(count) * WINDOW_LEN)?;
        Some(Self {
            info_type,
            windows: windows.as_chunks().0,
        })
    }

    /// Appends the NAL unit, with at most 255 windows.
    pub fn write(info_type: u8, windows: &[CropWindow], out: &mut Vec<u8>) -> Result<(), Error> {
        let count = u8::try_from(windows.len()).map_err(|_| Error::TooLong {
            what: "list of windows",
        })?;
        write_message(CROPPING_INFO, 2 + WINDOW_LEN * windows.len(), out);
        out.extend_from_slice(&[count, info_type]);
        for window in windows {
            out.push(window.confidence);
            for offset in [window.left, window.right, window.top, window.bottom] {
                put16(out, offset);
            }
        }
        Ok(())
    }
}

/// A window, in coordinates of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropWindow {
    /// frame_crop_confidence_level.
    pub confidence: u8,
    /// frame_crop_left_offset.
    pub left: u16,
    /// frame_crop_right_offset.
    pub right: u16,
    /// frame_crop_top_offset.
    pub top: u16,
    /// frame_crop_bottom_offset.
    pub bottom: u16,
}

/// Bitstream Info (\[MS-H264PF\] 2.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitstreamInfo {
    /// ref_frm_cnt: reference frames of the stream before this one, modulo 256, from a random start.
    pub reference_frames: u8,
    /// num_of_nal_unit: NAL units that the PACSI describes.
    pub nal_units: u8,
}

impl BitstreamInfo {
    /// Appends the NAL unit.
    pub fn write(self, out: &mut Vec<u8>) {
        write_message(BITSTREAM_INFO, 2, out);
        out.extend_from_slice(&[self.reference_frames, self.nal_units]);
    }
}
