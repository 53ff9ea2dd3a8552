//! From access units to payloads.

use super::{
    BitstreamInfo, LayerDescription, LayerPresence, NalHeader, PacsiFields, StreamLayout, nal_type,
};
use crate::Error;
use crate::payload::{DEFAULT_MAX_PAYLOAD, Fragment};

/// How access units are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most octets of a payload, 128 to 65,535. The default is 1200.
    pub max_payload: usize,
    /// Whether the PACSI goes into a STAP-A with what fits there. The default is that it goes alone, which suits plain receivers of H.264
    /// better.
    pub aggregate: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_payload: DEFAULT_MAX_PAYLOAD,
            aggregate: false,
        }
    }
}

/// One layer of one picture.
#[derive(Clone, Copy, Debug)]
pub struct AccessUnit<'a> {
    /// Its NAL units, without start codes. They must not be of types above 23.
    pub units: &'a [&'a [u8]],
    /// What the PACSI says. I, NRI and DONC are filled in.
    pub fields: PacsiFields,
    /// The layers of the stream, if they are to be told: with every IDR picture, and as often as it pleases.
    pub layout: &'a [LayerDescription],
    /// Layers of the last layout that are there now, if that changed and no layout is told.
    pub update: Option<LayerPresence>,
}

/// Makes payloads of the access units of one layer. It keeps the decoding order number, the count of reference frames, and one buffer.
#[derive(Clone, Debug)]
pub struct Packetizer {
    config: Config,
    donc: u16,
    reference_frames: u8,
    front: Vec<u8>,
}

impl Packetizer {
    /// A packetizer. Both counters should begin at random (`reference_frames` has to).
    pub fn new(config: Config, donc: u16, reference_frames: u8) -> Result<Self, Error> {
        // The PACSI of one layer with all messages; what a datagram can hold.
        if !(128..=0xFFFF).contains(&config.max_payload) {
            return Err(Error::OutOfRange {
                what: "maximum payload",
            });
        }
        Ok(Self {
            config,
            donc,
            reference_frames,
            front: Vec::new(),
        })
    }

    /// Sets the decoding order number of the next access unit. Who sends several layers of a picture, each by a packetizer of its own, numbers them
    /// together: DONC orders the layers of one timestamp. A single layer counts by itself.
    pub const fn set_donc(&mut self, donc: u16) {
        self.donc = donc;
    }

    /// The payloads of an access unit: the PACSI first, alone or with other units in a STAP-A; then single NAL units, and FU-As of those that are too
    /// long. M is set on the last one. All packets have one timestamp.
    pub fn packets<'a>(
        &'a mut self,
        access_unit: &AccessUnit<'a>,
    ) -> Result<impl Iterator<Item = Fragment<'a>> + use<'a>, Error> {
        let units = access_unit.units;
        if units.is_empty() || units.iter().any(|unit| !is_sendable(unit)) {
            return Err(Error::OutOfRange { what: "NAL unit" });
        }
        let max = self.config.max_payload;
        self.front.clear();
        self.write_pacsi(access_unit)?;
        if self.front.len() > max {
            return Err(Error::TooLong { what: "layout" });
        }
        let aggregated = if self.config.aggregate {
            self.aggregate(units)
        } else {
            0
        };
        let mut units = units[aggregated..].iter();
        let mut front = Some(self.front.as_slice());
        let mut cut = None;
        Ok(std::iter::from_fn(move || {
            if let Some(front) = front.take() {
                return Some(Fragment::whole(front, units.len() == 0));
            }
            let (unit, rest, start) = if let Some((unit, rest)) = cut.take() {
                (unit, rest, false)
            } else {
                let unit: &'a [u8] = units.next()?;
                if unit.len() <= max {
                    return Some(Fragment::whole(unit, units.len() == 0));
                }
                (unit, &unit[1..], true)
            };
            let (body, next) = rest.split_at(rest.len().min(max - 2));
            let end = next.is_empty();
            if !end {
                cut = Some((unit, next));
            }
            let header = NalHeader(unit[0]);
            let head = [
                unit[0] & 0xE0 | nal_type::FU_A,
                u8::from(start) << 7 | u8::from(end) << 6 | header.kind(),
            ];
            Some(Fragment::new(&head, &[], body).marked(end && units.len() == 0))
        }))
    }

    fn write_pacsi(&mut self, access_unit: &AccessUnit<'_>) -> Result<(), Error> {
        let headers = || access_unit.units.iter().map(|unit| NalHeader(unit[0]));
        let fields = PacsiFields {
            reference: headers().map(NalHeader::reference).max().unwrap_or(0),
            idr: headers().any(|header| header.kind() == nal_type::IDR),
            donc: Some(self.donc),
            ..access_unit.fields
        };
        self.donc = self.donc.wrapping_add(1);
        fields.write(&mut self.front);
        if !access_unit.layout.is_empty() {
            let mut written = Ok(());
            PacsiFields::put_unit(&mut self.front, |out| {
                written = StreamLayout::write_full(access_unit.layout, out);
            });
            written?;
        } else if let Some(presence) = access_unit.update {
            PacsiFields::put_unit(&mut self.front, |out| {
                StreamLayout::write_update(presence, out);
            });
        }
        let info = BitstreamInfo {
            reference_frames: self.reference_frames,
            nal_units: u8::try_from(access_unit.units.len()).unwrap_or(u8::MAX),
        };
        PacsiFields::put_unit(&mut self.front, |out| info.write(out));
        if headers().any(NalHeader::is_reference_slice) {
            self.reference_frames = self.reference_frames.wrapping_add(1);
        }
        Ok(())
    }

    /// Makes a STAP-A of the PACSI and the units behind it, if one fits at least; how many do.
    fn aggregate(&mut self, units: &[&[u8]]) -> usize {
        let mut len = 1 + 2 + self.front.len();
        let count = units
            .iter()
            .take_while(|unit| {
                len += 2 + unit.len();
                len <= self.config.max_payload
            })
            .count();
        if count > 0 {
            // F is the least of all, NRI the highest, which the PACSI has already.
            let header = self.front[0] & 0x60 | nal_type::STAP_A;
            let [high, low] = (self.front.len() as u16).to_be_bytes();
            self.front.splice(..0, [header, high, low]);
            for unit in &units[..count] {
                PacsiFields::put_unit(&mut self.front, |out| out.extend_from_slice(unit));
            }
        }
        count
    }
}

fn is_sendable(unit: &[u8]) -> bool {
    let Some(&first) = unit.first() else {
        return false;
    };
    let header = NalHeader(first);
    !header.forbidden() && (1..nal_type::STAP_A).contains(&header.kind())
}
