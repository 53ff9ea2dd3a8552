//! `rtpmap` and `fmtp` (\[MS-SDPEXT\] 3.1.5.3).

use crate::Error;
use crate::text::{Fields, number, put};

/// `rtpmap`: what a payload type stands for.
///
/// Names compare without regard to case.
#[derive(Debug, Clone, Copy, Eq)]
pub struct RtpMap<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// The encoding name.
    pub name: &'a str,
    /// Hz
    pub clock: u32,
    /// 1 if it is not written.
    pub channels: u8,
}

impl PartialEq for RtpMap<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.payload_type == other.payload_type && self.same_format(other)
    }
}

impl<'a> RtpMap<'a> {
    /// The static ones of RFC 3551 that occur in the system without `a=rtpmap`.
    #[must_use]
    pub fn of_static(payload_type: u8) -> Option<Self> {
        let (name, clock) = match payload_type {
            0 => ("PCMU", 8_000),
            3 => ("GSM", 8_000),
            4 => ("G723", 8_000),
            8 => ("PCMA", 8_000),
            9 => ("G722", 8_000),
            13 => ("CN", 8_000),
            31 => ("H261", 90_000),
            34 => ("H263", 90_000),
            _ => return None,
        };
        Some(Self {
            payload_type,
            name,
            clock,
            channels: 1,
        })
    }

    /// Whether both stand for one format, whatever their numbers are.
    #[must_use]
    pub const fn same_format(&self, other: &RtpMap<'_>) -> bool {
        self.clock == other.clock
            && self.channels == other.channels
            && self.name.eq_ignore_ascii_case(other.name)
    }

    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        const OF: &str = "rtpmap";
        let mut fields = Fields::new(OF, value);
        let payload_type = payload_type(OF, &mut fields)?;
        let mut encoding = fields.rest().split('/').map(str::trim_ascii);
        let name = encoding.next().filter(|name| !name.is_empty());
        let name = name.ok_or(Error::MissingField {
            of: OF,
            field: "name",
        })?;
        let clock = encoding.next().ok_or(Error::MissingField {
            of: OF,
            field: "clock rate",
        })?;
        Ok(Self {
            payload_type,
            name,
            clock: number(OF, "clock rate", clock)?,
            channels: match encoding.next() {
                Some(channels) => number(OF, "channels", channels)?,
                None => 1,
            },
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.payload_type, ' ', self.name, '/', self.clock);
        if self.channels != 1 {
            put!(out, '/', self.channels);
        }
    }
}

fn payload_type(of: &'static str, fields: &mut Fields<'_>) -> Result<u8, Error> {
    let number: u8 = fields.number("payload type")?;
    let field = "payload type";
    if number < 128 {
        Ok(number)
    } else {
        Err(Error::InvalidField { of, field })
    }
}

/// `fmtp`: parameters of a payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fmtp<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// As they stand.
    pub parameters: &'a str,
}

impl<'a> Fmtp<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("fmtp", value);
        Ok(Self {
            payload_type: payload_type("fmtp", &mut fields)?,
            parameters: fields.rest(),
        })
    }

    /// The value of a parameter. `;`, `; ` and, from SIPE, a space alone stand between parameters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        parameter(self.parameters, name)
    }
}

/// The value of a parameter in the text behind a payload type.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters
        .split([';', ' '])
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
