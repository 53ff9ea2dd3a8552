//! Slots of two bits (\[MS-PRES\], calendar data schema).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, PAD};
use ocs_xml::Value;

/// What somebody does in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Nothing.
    Free,
    /// Something that is not settled.
    Tentative,
    /// Something.
    Busy,
    /// Is not there.
    OutOfOffice,
}

impl Slot {
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Free,
            1 => Self::Tentative,
            2 => Self::Busy,
            _ => Self::OutOfOffice,
        }
    }
}

/// Which bits of an octet are the first slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BitOrder {
    /// The lowest: what clients and servers do (SIPE, against real servers).
    #[default]
    LeastSignificantFirst,
    /// The highest: what an example of the schema's documentation does. No program is known that writes so.
    MostSignificantFirst,
}

impl BitOrder {
    const fn shift(self, index: usize) -> usize {
        match self {
            Self::LeastSignificantFirst => 2 * (index % 4),
            Self::MostSignificantFirst => 6 - 2 * (index % 4),
        }
    }
}

/// Slots, four in an octet. On the wire base64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Packed(Vec<u8>);

/// Some writers leave the padding away; the bits behind the last slot are no one's business.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, PAD_INDIFFERENT);
const PAD_INDIFFERENT: GeneralPurposeConfig =
    PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl Packed {
    /// Packs slots. Those that fill the last octet are free.
    #[must_use]
    pub fn pack(slots: impl IntoIterator<Item = Slot>, order: BitOrder) -> Self {
        let mut octets = Vec::new();
        for (index, slot) in slots.into_iter().enumerate() {
            if index % 4 == 0 {
                octets.push(0);
            }
            octets[index / 4] |= (slot as u8) << order.shift(index);
        }
        Self(octets)
    }

    /// Number of slots, those that fill the last octet among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() * 4
    }

    /// Whether there is no slot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One slot.
    #[must_use]
    pub fn get(&self, index: usize, order: BitOrder) -> Option<Slot> {
        let octet = self.0.get(index / 4)?;
        Some(Slot::from_bits(octet >> order.shift(index)))
    }

    /// All slots.
    pub fn slots(&self, order: BitOrder) -> impl Iterator<Item = Slot> {
        (0..self.len()).filter_map(move |index| self.get(index, order))
    }
}

impl Value for Packed {
    fn parse(text: &str) -> Option<Self> {
        let compact;
        let text = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            compact = text.split_ascii_whitespace().collect::<String>();
            &compact
        } else {
            text
        };
        BASE64.decode(text).ok().map(Self)
    }

    fn format(&self, out: &mut String) {
        BASE64.encode_string(&self.0, out);
    }
}
