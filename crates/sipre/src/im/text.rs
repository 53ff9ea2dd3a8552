//! Texts: the bodies of MESSAGE, and the first text inside an INVITE (`ms-text-format`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::mime::{MimeLimits, Multipart};

use super::msgr::UNPADDED;
use super::{Format, Limits};
use crate::Error;

/// In which language a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextKind {
    /// `text/plain`, which everyone must understand.
    #[default]
    Plain,
    /// `text/html`
    Html,
    /// `text/rtf`
    Rtf,
}

impl TextKind {
    /// The media type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::Html => "text/html",
            Self::Rtf => "text/rtf",
        }
    }

    fn of(content_type: &ContentType<'_>) -> Option<Self> {
        [Self::Plain, Self::Html, Self::Rtf]
            .into_iter()
            .find(|kind| content_type.is(kind.as_str()))
    }
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text {
    /// Its language.
    pub kind: TextKind,
    /// What it says. Octets that are not UTF-8 were replaced.
    pub text: String,
    /// The font, of a plain text that has one.
    pub format: Option<Format>,
}

impl Text {
    /// A plain text without font.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A plain text with a font.
    #[must_use]
    pub fn formatted(text: impl Into<String>, format: Format) -> Self {
        Self {
            text: text.into(),
            format: Some(format),
            kind: TextKind::Plain,
        }
    }

    /// The Content-Type under which it is sent.
    #[must_use]
    pub fn content_type(&self) -> String {
        let mut out = format!("{}; charset=UTF-8", self.kind.as_str());
        if let Some(format) = &self.format {
            out.push_str(";msgr=");
            out.push_str(&format.to_msgr());
        }
        out
    }

    /// The body under which it is sent.
    #[must_use]
    pub fn to_body(&self) -> Bytes {
        Bytes::copy_from_slice(self.text.as_bytes())
    }

    /// The value of `ms-text-format`, with which the text goes inside an INVITE.
    #[must_use]
    pub fn to_first_message(&self) -> String {
        let mut out = self.content_type();
        out.push_str(";ms-body=");
        STANDARD.encode_string(&self.text, &mut out);
        out
    }

    /// Reads the value of `ms-text-format`.
    pub fn from_first_message(value: &str, limits: &Limits) -> Result<Self, Error> {
        let content_type =
            ContentType::parse_value(value).ok_or(Error::TextFormat("malformed media type"))?;
        let kind = TextKind::of(&content_type).ok_or(Error::TextFormat("not a text"))?;
        let body = content_type
            .params
            .get("ms-body")
            .ok_or(Error::TextFormat("no ms-body"))?
            .trim_matches('"');
        if body.len() / 4 * 3 > limits.text {
            return Err(Error::TooLong {
                what: "ms-body",
                limit: limits.text,
            });
        }
        let body = UNPADDED
            .decode(body)
            .map_err(|_| Error::TextFormat("ms-body is not base64"))?;
        Ok(Self::read(kind, &content_type, &body))
    }

    /// Reads a body: one text, or of a multipart each part that is a text, in the order of the
    /// parts. Empty when there is none that can be shown, or the multipart is broken or has too many parts: answer 415.
    #[must_use]
    pub fn from_body(content_type: &ContentType<'_>, body: &Bytes, limits: &Limits) -> Vec<Self> {
        if let Some(kind) = TextKind::of(content_type) {
            return vec![Self::read(kind, content_type, body)];
        }
        let mime = MimeLimits {
            parts: limits.parts,
            depth: 1,
            ..MimeLimits::default()
        };
        let Ok(multipart) = Multipart::parse(content_type, body, &mime) else {
            return Vec::new();
        };
        multipart
            .parts()
            .iter()
            .filter_map(|part| {
                let content_type = part.content_type().ok()?;
                let kind = TextKind::of(&content_type)?;
                Some(Self::read(kind, &content_type, part.body()))
            })
            .collect()
    }

    fn read(kind: TextKind, content_type: &ContentType<'_>, body: &[u8]) -> Self {
        // A font that cannot be read is no reason to lose the text.
        let format = content_type
            .params
            .get("msgr")
            .and_then(|msgr| Format::from_msgr(msgr).ok());
        Self {
            kind,
            text: String::from_utf8_lossy(body).into_owned(),
            format,
        }
    }
}
