//! Making descriptions.

use bytestring::ByteString;

use crate::attribute::{Attribute, VideoCap};
use crate::line::{Line, MediaLine, Protocol};
use crate::text::put;
use crate::{Error, Limits, Sdp};

/// Makes a description line by line, in the order of the calls.
///
/// Line breaks and NULs inside a value become spaces: no value makes a line of its own.
///
/// ```
/// use ocs_sdpext::{SdpBuilder, attribute::{Attribute, Label, SsrcRange}, line::Line};
///
/// let mut builder = SdpBuilder::default();
/// builder.line(&Line::Version(0)).attribute(&Attribute::SsrcRange(SsrcRange::new(3001, 3001).unwrap()));
/// assert_eq!(builder.as_str(), "v=0\r\na=x-ssrc-range:3001-3001\r\n");
/// ```
#[derive(Clone)]
pub struct SdpBuilder {
    text: String,
}

/// It may hold keys.
impl core::fmt::Debug for SdpBuilder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SdpBuilder({} octets)", self.text.len())
    }
}

impl Default for SdpBuilder {
    fn default() -> Self {
        // An offer of a client has 1.5 to 3 KiB.
        Self {
            text: String::with_capacity(2048),
        }
    }
}

impl SdpBuilder {
    /// Appends what `write` appends, as one line.
    fn append(&mut self, write: impl FnOnce(&mut String)) -> &mut Self {
        let start = self.text.len();
        write(&mut self.text);
        let line = &self.text.as_bytes()[start..];
        if memchr::memchr3(b'\r', b'\n', b'\0', line).is_some() {
            let clean = self.text[start..].replace(['\r', '\n', '\0'], " ");
            self.text.truncate(start);
            self.text.push_str(&clean);
        }
        self.text.push_str("\r\n");
        self
    }

    /// A line.
    pub fn line(&mut self, line: &Line<'_>) -> &mut Self {
        self.append(|out| line.put(out))
    }

    /// An attribute.
    pub fn attribute(&mut self, attribute: &Attribute<'_>) -> &mut Self {
        self.append(|out| attribute.put(out))
    }

    /// An `m=` line of RTP.
    pub fn media(
        &mut self,
        media: &str,
        port: u16,
        protocol: Protocol,
        payload_types: impl IntoIterator<Item = u8>,
    ) -> &mut Self {
        self.append(|out| {
            put!(out, "m=", media, ' ', port, ' ', protocol.as_str());
            for number in payload_types {
                put!(out, ' ', number);
            }
        })
    }

    /// An `m=` line that refuses another.
    pub(crate) fn rejected(&mut self, offered: &MediaLine<'_>) -> &mut Self {
        let line = MediaLine {
            port: 0,
            ports: None,
            ..*offered
        };
        self.line(&Line::Media(line))
    }

    /// `x-caps`.
    pub fn video_caps(&mut self, payload_type: u8, caps: &[VideoCap]) -> &mut Self {
        self.append(|out| {
            put!(out, "a=x-caps:", payload_type, ' ');
            for (index, cap) in caps.iter().enumerate() {
                if index > 0 {
                    out.push(';');
                }
                cap.put(out);
            }
        })
    }

    /// A line as text, without its end.
    pub fn text(&mut self, line: &str) -> &mut Self {
        self.append(|out| out.push_str(line))
    }

    /// What was made so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The description.
    ///
    /// # Errors
    /// As [`Sdp::parse`].
    pub fn finish(self, limits: &Limits) -> Result<Sdp, Error> {
        Sdp::parse(ByteString::from(self.text).into_bytes(), limits)
    }
}
