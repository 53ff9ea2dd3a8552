//! The media quality item (\[MS-RTP\] 2.2.10.1).

use std::io::Write as _;

use crate::Error;

/// States of a host's devices and network. A bit of `known` says that the same bit of `bad` means something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaQuality {
    /// `m`: bits of [`Quality`] that are known.
    pub known: u32,
    /// `q`: bits of [`Quality`] that are bad.
    pub bad: u32,
}

/// The bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quality {
    /// Send network quality.
    SendNetwork = 0x1,
    /// Receive network quality.
    ReceiveNetwork = 0x2,
    /// Network latency.
    NetworkLatency = 0x4,
    /// Network bandwidth.
    NetworkBandwidth = 0x8,
    /// Received video rate matching.
    VideoRateMatching = 0x80,
    /// Audio capture device not functioning.
    CaptureDevice = 0x100,
    /// Audio render device not functioning.
    RenderDevice = 0x200,
    /// Audio render glitch.
    RenderGlitch = 0x400,
    /// Low signal-to-noise ratio on the device.
    LowSignalToNoise = 0x800,
    /// Low speech level on the device.
    LowSpeechLevel = 0x1000,
    /// Microphone clipping.
    Clipping = 0x2000,
    /// Echo.
    Echo = 0x4000,
    /// Near end to echo ratio (recalled).
    NearEndToEcho = 0x8000,
}

impl MediaQuality {
    /// The prefix of the PRIV item.
    pub const PREFIX: &'static [u8] = b"MS-EVT";

    /// Octets of the value that is written.
    pub(super) const VALUE_LEN: usize = "v=1 m=00000000 q=00000000".len();

    /// Says that a state is known, and whether it is bad.
    pub fn set(&mut self, quality: Quality, bad: bool) {
        self.known |= quality as u32;
        self.bad = self.bad & !(quality as u32) | if bad { quality as u32 } else { 0 };
    }

    /// Whether a state is bad. `None` if it is not known.
    pub fn get(&self, quality: Quality) -> Option<bool> {
        (self.known & quality as u32 != 0).then_some(self.bad & quality as u32 != 0)
    }

    /// Reads the value of the item. Digits in front of the last eight are reserved and ignored.
    pub fn read(value: &[u8]) -> Result<Self, Error> {
        Self::split(value).ok_or(Error::MediaQuality)
    }

    fn split(value: &[u8]) -> Option<Self> {
        let rest = value.strip_prefix(b"v=1 m=")?;
        let space = rest.iter().position(|&octet| octet == b' ')?;
        let (known, rest) = rest.split_at(space);
        Some(Self {
            known: low_32(known)?,
            bad: low_32(rest.strip_prefix(b" q=")?)?,
        })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = write!(out, "v=1 m={:08x} q={:08x}", self.known, self.bad);
    }
}

/// The last eight of a row of hexadecimal digits.
fn low_32(digits: &[u8]) -> Option<u32> {
    if digits.len() < 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(&digits[digits.len() - 8..]).ok()?;
    u32::from_str_radix(digits, 16).ok()
}
