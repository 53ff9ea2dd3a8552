//! `m=` lines.

use crate::Error;
use crate::text::{Fields, number, put, words};

/// The first word of an `m=` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType<'a> {
    /// `audio`
    Audio,
    /// `video`: main and panoramic video, and screens shared as video; `a=label` tells them apart.
    Video,
    /// `applicationsharing`: RDP over RTP (\[MS-RTASPF\]).
    ApplicationSharing,
    /// `data`: file transfer between clients of Lync 2010 and later.
    Data,
    /// `message`: an IM session.
    Message,
    /// `application`: notifications to Exchange.
    Application,
    /// Another, which is answered with port 0.
    Other(&'a str),
}

impl<'a> MediaType<'a> {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::ApplicationSharing => "applicationsharing",
            Self::Data => "data",
            Self::Message => "message",
            Self::Application => "application",
            Self::Other(text) => text,
        }
    }

    /// The type of a word; every word is one.
    #[must_use]
    pub fn from_text(text: &'a str) -> Self {
        match text {
            "audio" => Self::Audio,
            "video" => Self::Video,
            "applicationsharing" => Self::ApplicationSharing,
            "data" => Self::Data,
            "message" => Self::Message,
            "application" => Self::Application,
            _ => Self::Other(text),
        }
    }
}

words! {
    /// Profiles of media over RTP: the third word of an `m=` line.
    ///
    /// `SAVP` in an offer says that encryption is required. `TCP/` stands in front when the default address is a TCP candidate.
    Protocol {
        /// RTP.
        RtpAvp = "RTP/AVP",
        /// SRTP.
        RtpSavp = "RTP/SAVP",
        /// RTP over TCP.
        TcpRtpAvp = "TCP/RTP/AVP",
        /// SRTP over TCP.
        TcpRtpSavp = "TCP/RTP/SAVP",
    }
}

impl Protocol {
    /// The one of these properties.
    #[must_use]
    pub const fn new(tcp: bool, secure: bool) -> Self {
        match (tcp, secure) {
            (false, false) => Self::RtpAvp,
            (false, true) => Self::RtpSavp,
            (true, false) => Self::TcpRtpAvp,
            (true, true) => Self::TcpRtpSavp,
        }
    }

    /// Whether it is SRTP.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::RtpSavp | Self::TcpRtpSavp)
    }

    /// Whether it runs over TCP.
    #[must_use]
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::TcpRtpAvp | Self::TcpRtpSavp)
    }
}

/// An `m=` line. `Display` writes what stands behind `m=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLine<'a> {
    /// What it is.
    pub media: MediaType<'a>,
    /// The port of the default candidate of RTP; 0 refuses or removes the stream (RFC 3264).
    pub port: u16,
    /// Ports in a row, behind a slash; nobody here writes it.
    pub ports: Option<u16>,
    /// `RTP/AVP` and the like, `sip`, or another.
    pub protocol: &'a str,
    /// The formats as they stand; may be empty, as in the fallback of SIPE.
    pub formats: &'a str,
}

impl<'a> MediaLine<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, Error> {
        let mut fields = Fields::new("m=", value);
        let media = MediaType::from_text(fields.next("media")?);
        let port = fields.next("port")?;
        let (port, ports) = match port.split_once('/') {
            Some((port, ports)) => (port, Some(number("m=", "number of ports", ports)?)),
            None => (port, None),
        };
        Ok(Self {
            media,
            port: number("m=", "port", port)?,
            ports,
            protocol: fields.next("protocol")?,
            formats: fields.rest(),
        })
    }

    /// Appends the value.
    pub(crate) fn put(&self, out: &mut String) {
        put!(out, self.media.as_str(), ' ', self.port);
        if let Some(ports) = self.ports {
            put!(out, '/', ports);
        }
        put!(out, ' ', self.protocol);
        if !self.formats.is_empty() {
            put!(out, ' ', self.formats);
        }
    }

    /// Whether the stream is refused or removed.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        self.port == 0
    }

    /// The profile, if it is one of RTP.
    #[must_use]
    pub fn profile(&self) -> Option<Protocol> {
        Protocol::from_text(self.protocol)
    }

    /// The formats, in order of preference.
    pub fn formats(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.formats.split_ascii_whitespace()
    }

    /// The formats that are payload types of RTP, 0 to 127; others are left out.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.formats()
            .filter_map(|format| number("m=", "format", format).ok())
            .filter(|number| *number < 128)
    }
}

impl core::fmt::Display for MediaLine<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut out = String::new();
        self.put(&mut out);
        f.write_str(&out)
    }
}
