//! A description: an index over the octets that came in.

mod media;

use core::fmt;
use core::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;
use memchr::memchr3_iter;
use smallvec::SmallVec;

pub use media::{IceVersion, Media, RtpMaps};

use crate::line::{Connection, Kind, Line, MediaLine, Origin};
use crate::{Attribute, Error, Limits, Name};

/// A session description (RFC 4566; \[MS-SDPEXT\] 3.1.5), received or made here.
///
/// It keeps its octets and an index over them. Reading costs one allocation for the index; typed views are made on demand and
/// borrow. What is written is what was read, octet by octet, with every line in its place, known or not.
///
/// The text may hold keys. It does not show in `Debug`, but its octets are shared with the message that they came in and are not
/// wiped.
///
/// ```
/// use ocs_sdpext::{Limits, Sdp, attribute::Attribute, line::MediaType};
///
/// let text = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
///             m=audio 50000 RTP/AVP 0 101\r\na=label:main-audio\r\na=x-new:1\r\n";
/// let sdp = Sdp::parse(text.into(), &Limits::default())?;
/// let audio = sdp.media(0).unwrap();
/// assert_eq!(audio.line()?.media, MediaType::Audio);
/// assert!(audio.attributes().any(|a| a == Ok(Attribute::Other { name: "x-new", value: Some("1") })));
/// assert_eq!(sdp.as_str(), text);
/// # Ok::<(), ocs_sdpext::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sdp {
    text: ByteString,
    lines: Vec<Entry>,
    /// Where in `lines` the `m=` lines are.
    media: SmallVec<[u32; 6]>,
}

/// A line as ranges of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: u32,
    /// Where the value starts: behind `=`, or behind the colon of an attribute.
    value: u32,
    end: u32,
    kind: Kind,
}

impl Sdp {
    /// Reads a description.
    ///
    /// Lines end with CRLF or LF, the last one may end with the description; empty lines are passed over. Which lines are there, and
    /// in which order, is not asked: see [`Sdp::check`]. Values are read when they are asked for, except those of `m=` lines
    /// and the version.
    pub fn parse(octets: Bytes, limits: &Limits) -> Result<Self, Error> {
        let limit = limits.octets.min(u32::MAX as usize);
        if octets.len() > limit {
            return Err(Error::TooLong { limit });
        }
        let text = ByteString::try_from(octets).map_err(|_| Error::NotUtf8)?;
        // Lines of the system have 30 octets on average.
        let mut index = Index {
            text: &text,
            limits,
            lines: Vec::with_capacity((text.len() / 24).min(limits.lines) + 1),
            media: SmallVec::new(),
            number: 1,
        };
        let octets = text.as_bytes();
        let mut start = 0;
        let mut carriage = None;
        for at in memchr3_iter(b'\n', b'\r', b'\0', octets) {
            match octets[at] {
                b'\n' => {
                    let end = match carriage.take() {
                        Some(carriage) if carriage + 1 == at => carriage,
                        Some(_) => return Err(index.control()),
                        None => at,
                    };
                    index.line(start..end)?;
                    index.number += 1;
                    start = at + 1;
                }
                b'\r' if carriage.is_none() => carriage = Some(at),
                _ => return Err(index.control()),
            }
        }
        let end = match carriage {
            Some(carriage) if carriage + 1 == octets.len() => carriage,
            Some(_) => return Err(index.control()),
            None => octets.len(),
        };
        index.line(start..end)?;
        let Index { lines, media, .. } = index;
        Ok(Self { text, lines, media })
    }

    /// The description as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The octets, as a body of a message; they are shared, not copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.text.clone().into_bytes()
    }

    /// The lines in order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = RawLine<'_>> {
        self.range(0..self.lines.len())
    }

    /// The lines in front of the first `m=` line.
    pub fn session_lines(&self) -> impl ExactSizeIterator<Item = RawLine<'_>> {
        self.range(0..self.first_media())
    }

    fn range(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = RawLine<'_>> + Clone {
        self.lines[range].iter().map(|entry| RawLine {
            text: &self.text,
            entry: *entry,
        })
    }

    fn first_media(&self) -> usize {
        self.media
            .first()
            .map_or(self.lines.len(), |&index| index as usize)
    }

    /// How many `m=` lines there are.
    #[must_use]
    pub fn media_count(&self) -> usize {
        self.media.len()
    }

    /// The section of an `m=` line.
    #[must_use]
    pub fn media(&self, index: usize) -> Option<Media<'_>> {
        let first = *self.media.get(index)? as usize;
        let end = self
            .media
            .get(index + 1)
            .map_or(self.lines.len(), |&end| end as usize);
        Some(Media::new(self, first..end))
    }

    /// The sections in order.
    pub fn all_media(&self) -> impl Iterator<Item = Media<'_>> {
        (0..self.media.len()).filter_map(|index| self.media(index))
    }

    /// The first `o=` line.
    pub fn origin(&self) -> Result<Option<Origin<'_>>, Error> {
        match self.letter(b'o').map(RawLine::typed).transpose()? {
            Some(Line::Origin(origin)) => Ok(Some(origin)),
            _ => Ok(None),
        }
    }

    /// The `c=` line of the session.
    pub fn connection(&self) -> Result<Option<Connection<'_>>, Error> {
        connection(self.session_lines())
    }

    /// The bound of `b=CT` for all streams together, in kbit/s (recalled: the only significant one).
    pub fn bandwidth(&self) -> Result<Option<u64>, Error> {
        for line in self.session_lines() {
            if line.kind() == Kind::Letter(b'b')
                && let Line::Bandwidth(bandwidth) = line.typed()?
                && bandwidth.kind == "CT"
            {
                return Ok(Some(bandwidth.value));
            }
        }
        Ok(None)
    }

    /// The attributes of the session, typed.
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, Error>> {
        self.session_lines().filter_map(RawLine::attribute)
    }

    /// The value of the first attribute of the session with this name.
    #[must_use]
    pub fn attribute(&self, name: Name) -> Option<&str> {
        self.session_lines()
            .find(|line| line.kind() == Kind::Attribute(name))
            .map(RawLine::value)
    }

    fn letter(&self, letter: u8) -> Option<RawLine<'_>> {
        self.session_lines()
            .find(|line| line.kind() == Kind::Letter(letter))
    }

    /// Whether the lines are there that a description must have: `v=`, `o=`, `s=`, `t=`, and one `m=`. The fallback part of a
    /// multipart of SIPE lacks some.
    pub fn check(&self) -> Result<(), Error> {
        for letter in [b'v', b'o', b's', b't'] {
            if self.letter(letter).is_none() {
                let line = char::from(letter);
                return Err(Error::MissingLine { line });
            }
        }
        if self.media.is_empty() {
            return Err(Error::MissingLine { line: 'm' });
        }
        Ok(())
    }
}

/// The text, with its keys.
impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Size and `m=` lines; no keys.
impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media: Vec<&str> = self
            .media
            .iter()
            .filter_map(|&index| self.range(index as usize..index as usize + 1).next())
            .map(RawLine::as_str)
            .collect();
        f.debug_struct("Sdp")
            .field("octets", &self.text.len())
            .field("lines", &self.lines.len())
            .field("media", &media)
            .finish()
    }
}

/// Where a description is being read.
struct Index<'a> {
    text: &'a str,
    limits: &'a Limits,
    lines: Vec<Entry>,
    media: SmallVec<[u32; 6]>,
    /// Of the line, from 1.
    number: usize,
}

impl Index<'_> {
    const fn control(&self) -> Error {
        Error::ControlCharacter { line: self.number }
    }

    fn line(&mut self, range: Range<usize>) -> Result<(), Error> {
        let Some(line) = self.text.get(range.clone()).filter(|line| !line.is_empty()) else {
            return Ok(());
        };
        if self.lines.len() >= self.limits.lines {
            let limit = self.limits.lines;
            return Err(Error::TooManyLines { limit });
        }
        let &[letter, b'=', ref value @ ..] = line.as_bytes() else {
            return Err(Error::NotALine { line: self.number });
        };
        let mut value_at = range.start + 2;
        let kind = match letter {
            b'a' => {
                let colon = memchr::memchr(b':', value);
                let name = &line[2..colon.map_or(line.len(), |colon| colon + 2)];
                value_at += colon.map_or(value.len(), |colon| colon + 1);
                Kind::Attribute(Name::from_text(if colon.is_some() {
                    name
                } else {
                    name.trim_ascii_end()
                }))
            }
            b'm' => {
                self.media_line(&line[2..])?;
                Kind::MEDIA
            }
            b'v' if line[2..].trim_ascii() != "0" => return Err(Error::Version),
            b'a'..=b'z' | b'A'..=b'Z' => Kind::Letter(letter),
            _ => return Err(Error::NotALine { line: self.number }),
        };
        self.lines.push(Entry {
            start: range.start as u32,
            value: value_at as u32,
            end: range.end as u32,
            kind,
        });
        Ok(())
    }

    fn media_line(&mut self, value: &str) -> Result<(), Error> {
        if self.media.len() >= self.limits.media {
            let limit = self.limits.media;
            return Err(Error::TooManyMedia { limit });
        }
        let limit = self.limits.formats;
        if MediaLine::parse(value)?.formats().nth(limit).is_some() {
            let line = self.number;
            return Err(Error::TooManyFormats { line, limit });
        }
        self.media.push(self.lines.len() as u32);
        Ok(())
    }
}

/// A line as it stands.
#[derive(Clone, Copy)]
pub struct RawLine<'a> {
    text: &'a str,
    entry: Entry,
}

/// What it is; its value may be a key.
impl fmt::Debug for RawLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawLine").field(&self.kind()).finish()
    }
}

impl<'a> RawLine<'a> {
    /// What it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.entry.kind
    }

    /// The whole line without its end.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        &self.text[self.entry.start as usize..self.entry.end as usize]
    }

    /// The value: what stands behind the `=`, or behind the colon of an attribute. Spaces around it do not count.
    #[must_use]
    pub fn value(self) -> &'a str {
        self.text[self.entry.value as usize..self.entry.end as usize].trim_ascii()
    }

    /// The line, typed.
    pub fn typed(self) -> Result<Line<'a>, Error> {
        Line::read(self.kind(), self.value(), self.as_str())
    }

    /// The attribute, typed, if the line is one.
    #[must_use]
    pub fn attribute(self) -> Option<Result<Attribute<'a>, Error>> {
        match self.kind() {
            Kind::Attribute(name) => Some(Attribute::read(name, self.value(), self.as_str())),
            Kind::Letter(_) => None,
        }
    }
}

/// The first `c=` of these lines.
fn connection<'a>(
    mut lines: impl Iterator<Item = RawLine<'a>>,
) -> Result<Option<Connection<'a>>, Error> {
    let line = lines.find(|line| line.kind() == Kind::Letter(b'c'));
    match line.map(RawLine::typed).transpose()? {
        Some(Line::Connection(connection)) => Ok(Some(connection)),
        _ => Ok(None),
    }
}
