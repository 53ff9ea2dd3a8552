//! `x-caps` (\[MS-SDPEXT\] 3.1.5.24).

use core::fmt;

use crate::Error;
use crate::text::{Fields, number, put};

/// `x-caps`: pictures that the writer can show of one payload type.
///
/// ```text
/// a=x-caps:121 4359:1280:720:30.0:1500000:1;8455:640:480:30.0:600000:1
/// ```
///
/// Without it, the sender takes CIF and VGA at 15 pictures a second. Of main video, QCIF, CIF and VGA must be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoCaps<'a> {
    /// Of RTVideo in everything seen; those of H.264 go in source requests.
    pub payload_type: u8,
    /// The capabilities, as they stand.
    pub list: &'a str,
}

/// One size of picture with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VideoCap {
    /// 1 to 2,147,483,647, one of its own for each in the section.
    pub id: u32,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Pictures in ten seconds: 30.0 a second are 300.
    pub rate: u16,
    /// bit/s
    pub bitrate: u32,
    /// 1 in everything seen, and where it is no number; it means nothing here (inferred: a priority).
    pub additional: u32,
}

impl VideoCap {
    /// What a client of 2016 writes, with its bit rates: 1080p, 720p, VGA, 640x360, CIF, 424x240, QCIF.
    pub const CLIENT: [Self; 7] = [
        Self::new(263, 1920, 1080, 300, 2_000_000),
        Self::new(4359, 1280, 720, 300, 1_500_000),
        Self::new(8455, 640, 480, 300, 600_000),
        Self::new(12_551, 640, 360, 300, 600_000),
        Self::new(16_647, 352, 288, 150, 250_000),
        Self::new(20_743, 424, 240, 150, 250_000),
        Self::new(24_839, 176, 144, 150, 180_000),
    ];

    /// What a sender takes when there is no `x-caps`: CIF and VGA at 15 pictures a second.
    pub const DEFAULT: [Self; 2] = [
        Self::new(1, 352, 288, 150, 250_000),
        Self::new(2, 640, 480, 150, 600_000),
    ];

    /// A capability with `additional` 1.
    #[must_use]
    pub const fn new(id: u32, width: u16, height: u16, rate: u16, bitrate: u32) -> Self {
        Self {
            id,
            width,
            height,
            rate,
            bitrate,
            additional: 1,
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        const OF: &str = "x-caps";
        let mut fields = text.trim_ascii().split(':');
        let mut next = |field: &'static str| {
            let of = OF;
            fields.next().ok_or(Error::MissingField { of, field })
        };
        let id: u32 = number(OF, "id", next("id")?)?;
        let cap = Self {
            id,
            width: number(OF, "width", next("width")?)?,
            height: number(OF, "height", next("height")?)?,
            rate: rate(next("rate")?).ok_or(Error::InvalidField {
                of: OF,
                field: "rate",
            })?,
            bitrate: number(OF, "bit rate", next("bit rate")?)?,
            additional: next("additional")?.parse().unwrap_or(1),
        };
        let field = "id";
        if id == 0 || id > i32::MAX as u32 {
            return Err(Error::InvalidField { of: OF, field });
        }
        // VGA at 13 a second must be read as 15.
        let vga13 = (cap.width, cap.height, cap.rate) == (640, 480, 130);
        Ok(if vga13 {
            Self { rate: 150, ..cap }
        } else {
            cap
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.id, ':', self.width, ':', self.height, ':');
        put!(out, self.rate / 10, '.', self.rate % 10, ':', self.bitrate);
        put!(out, ':', self.additional);
    }
}

/// The value between semicolons.
impl fmt::Display for VideoCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.put(&mut out);
        f.write_str(&out)
    }
}

/// A decimal with one digit behind the point, or none; further digits do not count.
fn rate(text: &str) -> Option<u16> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(tenth) {
        return None;
    }
    let tenth: u16 = tenth.get(..1)?.parse().ok()?;
    whole
        .parse::<u16>()
        .ok()?
        .checked_mul(10)?
        .checked_add(tenth)
}

impl<'a> VideoCaps<'a> {
    /// Capabilities of one line that are read; further ones are passed over.
    pub const LIMIT: usize = 32;

    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("x-caps", value);
        Ok(Self {
            payload_type: fields.number("payload type")?,
            list: fields.rest(),
        })
    }

    /// The capabilities in order, [`LIMIT`](Self::LIMIT) at most.
    pub fn iter(&self) -> impl Iterator<Item = Result<VideoCap, Error>> + use<'a> {
        self.list
            .split(';')
            .filter(|cap| !cap.is_empty())
            .take(Self::LIMIT)
            .map(VideoCap::parse)
    }
}
