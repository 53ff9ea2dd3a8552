//! The font of a text: the Content-Type parameter `msgr`.

use core::fmt;
use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Error;

/// Base64 without padding on output, with or without it on input.
pub(super) const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const FIELD: &str = "X-MMS-IM-Format:";

/// A bound on `msgr`: the longest font name of Windows has 31 characters, so real values stay below 500.
const MAX_LEN: usize = 4096;

/// `EF`: effects of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Effects {
    /// `B`
    pub bold: bool,
    /// `I`
    pub italic: bool,
    /// `U`
    pub underline: bool,
    /// `S` (recalled)
    pub strike_through: bool,
}

/// The contents of `msgr`: `X-MMS-IM-Format: FN=...; EF=...; CO=...; CS=...; PF=...; RL=...`.
///
/// A receiver ignores a value that it cannot read.
///
/// ```
/// use ocs_sipre::im::Format;
///
/// let format = Format { font: "Segoe UI".into(), color: 0x80_0000, ..Format::default() };
/// assert_eq!(format.to_string(), "X-MMS-IM-Format: FN=Segoe%20UI; EF=; CO=800000; CS=0; PF=0");
/// assert_eq!(Format::from_msgr(&format.to_msgr())?, format);
/// # Ok::<(), ocs_sipre::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Format {
    /// `FN`: the font's name.
    pub font: String,
    /// `EF`.
    pub effects: Effects,
    /// `CO`: the colour as 0xBBGGRR.
    pub color: u32,
    /// `CS`: the Windows character set, hexadecimal on the wire (recalled). SIPE leaves it out.
    pub charset: Option<u8>,
    /// `PF`: pitch and family, hexadecimal on the wire (recalled).
    pub pitch: u8,
    /// `RL`: right to left. Only SIPE writes it.
    pub right_to_left: Option<bool>,
}

impl Default for Format {
    /// Black Microsoft Sans Serif.
    fn default() -> Self {
        Self {
            font: "Microsoft Sans Serif".into(),
            effects: Effects::default(),
            color: 0,
            charset: Some(0),
            pitch: 0,
            right_to_left: None,
        }
    }
}

impl Format {
    /// Reads the value of the parameter: base64, with or without padding, of UTF-16LE or (as the specification prints it) of ASCII.
    pub fn from_msgr(value: &str) -> Result<Self, Error> {
        if value.len() > MAX_LEN {
            return Err(Error::TooLong {
                what: "msgr",
                limit: MAX_LEN,
            });
        }
        let octets = UNPADDED
            .decode(value.trim_matches('"'))
            .map_err(|_| Error::Msgr)?;
        let text: Cow<'_, str> = if octets.get(1) == Some(&0) {
            let (units, rest) = octets.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(Error::Msgr);
            }
            let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
            char::decode_utf16(units)
                .collect::<Result<String, _>>()
                .map_err(|_| Error::Msgr)?
                .into()
        } else {
            core::str::from_utf8(&octets)
                .map_err(|_| Error::Msgr)?
                .into()
        };
        Self::parse(&text)
    }

    /// Reads the header line that is inside `msgr`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fields = text
            .lines()
            .find_map(|line| {
                let (name, fields) = line.split_at_checked(FIELD.len())?;
                name.eq_ignore_ascii_case(FIELD).then_some(fields)
            })
            .ok_or(Error::Msgr)?;
        let mut format = Self {
            font: String::new(),
            charset: None,
            ..Self::default()
        };
        for field in fields.split(';') {
            let Some((name, value)) = field.split_once('=') else {
                continue;
            };
            let value = value.trim();
            let octet = || u8::from_str_radix(value, 16).map_err(|_| Error::Msgr);
            match name.trim().to_ascii_uppercase().as_str() {
                "FN" => format.font = percent_decode_str(value).decode_utf8_lossy().into_owned(),
                "EF" => {
                    let has = |letter: char| value.contains([letter, letter.to_ascii_lowercase()]);
                    format.effects = Effects {
                        bold: has('B'),
                        italic: has('I'),
                        underline: has('U'),
                        strike_through: has('S'),
                    };
                }
                "CO" => {
                    format.color = u32::from_str_radix(value, 16)
                        .ok()
                        .filter(|color| *color <= 0xFF_FFFF)
                        .ok_or(Error::Msgr)?;
                }
                "CS" => format.charset = Some(octet()?),
                "PF" => format.pitch = octet()?,
                "RL" => format.right_to_left = Some(value != "0"),
                _ => {}
            }
        }
        Ok(format)
    }

    /// The value of the parameter.
    #[must_use]
    pub fn to_msgr(&self) -> String {
        let octets: Vec<u8> = format!("{self}\r\n\r\n")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        UNPADDED.encode(octets)
    }
}

impl fmt::Display for Format {
    /// The header line inside `msgr`, without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let font = utf8_percent_encode(&self.font, NON_ALPHANUMERIC);
        write!(f, "{FIELD} FN={font}; EF=")?;
        let Effects {
            bold,
            italic,
            underline,
            strike_through,
        } = self.effects;
        for (set, letter) in [
            (bold, "B"),
            (italic, "I"),
            (underline, "U"),
            (strike_through, "S"),
        ] {
            if set {
                f.write_str(letter)?;
            }
        }
        write!(f, "; CO={:x}", self.color)?;
        if let Some(charset) = self.charset {
            write!(f, "; CS={charset:x}")?;
        }
        write!(f, "; PF={:x}", self.pitch)?;
        match self.right_to_left {
            Some(rtl) => write!(f, "; RL={}", u8::from(rtl)),
            None => Ok(()),
        }
    }
}
