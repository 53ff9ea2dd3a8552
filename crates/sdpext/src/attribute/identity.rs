//! Which stream it is.

use crate::Error;
use crate::text::{number, put};

/// `label` (RFC 4574; \[MS-SDPEXT\] 3.1.5.17): which stream of the call it is.
///
/// Every active stream but application sharing should have one. What is not in the list must be ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Label<'a> {
    /// `main-audio`
    MainAudio,
    /// `main-video`; several when multiplexed.
    MainVideo,
    /// `panoramic-video`: the strip of a camera that looks all around.
    PanoramicVideo,
    /// `applicationsharing-video`: a screen as video.
    ApplicationSharingVideo,
    /// Another.
    Other(&'a str),
}

impl<'a> Label<'a> {
    /// The label on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::MainAudio => "main-audio",
            Self::MainVideo => "main-video",
            Self::PanoramicVideo => "panoramic-video",
            Self::ApplicationSharingVideo => "applicationsharing-video",
            Self::Other(text) => text,
        }
    }

    /// The label of a text; every text is one.
    #[must_use]
    pub fn from_text(text: &'a str) -> Self {
        Label::known(text).unwrap_or(Self::Other(text))
    }
}

impl Label<'static> {
    /// The label of a text, if the specification knows it.
    #[must_use]
    pub fn known(text: &str) -> Option<Self> {
        Some(match text {
            "main-audio" => Self::MainAudio,
            "main-video" => Self::MainVideo,
            "panoramic-video" => Self::PanoramicVideo,
            "applicationsharing-video" => Self::ApplicationSharingVideo,
            _ => return None,
        })
    }
}

/// `x-ssrc-range` (\[MS-SDPEXT\] 3.1.5.31): the SSRCs that the writer sends with.
///
/// One for audio, 100 for video: some peers insist on exactly 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SsrcRange {
    first: u32,
    last: u32,
}

impl SsrcRange {
    /// The largest SSRC of a range; those above have meanings of their own in video source requests.
    pub const MAX: u32 = 0xffff_ff00;
    /// SSRCs of a stream of audio.
    pub const AUDIO: u32 = 1;
    /// SSRCs of a stream of video.
    pub const VIDEO: u32 = 100;

    /// From `first` to `last`, both of them included: 1 to [`MAX`](Self::MAX), in order.
    #[must_use]
    pub fn new(first: u32, last: u32) -> Option<Self> {
        (1 <= first && first <= last && last <= Self::MAX).then_some(Self { first, last })
    }

    /// The lowest free range of `size` above all of these, as SIPE allocates; from 1 again when there is no room above.
    #[must_use]
    pub fn free(taken: impl IntoIterator<Item = Self>, size: u32) -> Option<Self> {
        let mut taken: Vec<Self> = taken.into_iter().collect();
        taken.sort_unstable_by_key(|range| range.first);
        let at = |first: u32| Self::new(first, first.checked_add(size.checked_sub(1)?)?);
        let above = taken.iter().map(|range| range.last).max().unwrap_or(0);
        let free = |range: &Self| !taken.iter().any(|taken| taken.overlaps(*range));
        at(above + 1).or_else(|| {
            let starts = taken.iter().map(|range| range.last + 1);
            core::iter::once(1).chain(starts).filter_map(at).find(free)
        })
    }

    /// The first SSRC.
    #[must_use]
    pub const fn first(self) -> u32 {
        self.first
    }

    /// The last SSRC.
    #[must_use]
    pub const fn last(self) -> u32 {
        self.last
    }

    /// Whether it is in the range.
    #[must_use]
    pub const fn contains(self, ssrc: u32) -> bool {
        self.first <= ssrc && ssrc <= self.last
    }

    /// Whether one SSRC is in both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub(crate) fn parse(value: &str) -> Result<Self, Error> {
        const OF: &str = "x-ssrc-range";
        let (first, last) = value.split_once('-').ok_or(Error::MissingField {
            of: OF,
            field: "last",
        })?;
        let first = number(OF, "first", first.trim_ascii())?;
        let last = number(OF, "last", last.trim_ascii())?;
        let field = "range";
        Self::new(first, last).ok_or(Error::InvalidField { of: OF, field })
    }

    pub(crate) fn put(self, out: &mut String) {
        put!(out, self.first, '-', self.last);
    }
}
