//! Several streams of one label on one transport (\[MS-SDPEXT\] 3.1.5.34).

use std::net::SocketAddr;

use super::{StreamKind, Violation};
use crate::attribute::{Keying, Label, ScaleRole, SsrcRange};
use crate::{Error, Media, Name};

/// What multiplexing is judged by, of an active stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) kind: StreamKind,
    pub(super) label: Option<Label<'a>>,
    pub(super) ssrc_range: Option<SsrcRange>,
    /// The default address.
    pub(super) address: Option<SocketAddr>,
    /// `ice-ufrag`, or everything of ICE.
    pub(super) ice: Option<&'a str>,
    /// Where the lines of keys are. None of a plan: those of one label get one key.
    pub(super) media: Option<Media<'a>>,
}

impl<'a> Member<'a> {
    pub(super) fn of(kind: StreamKind, media: &Media<'a>) -> Result<Self, Error> {
        Ok(Self {
            kind,
            label: media.single(Name::Label)?.and_then(Label::known),
            ssrc_range: media.typed(Name::SsrcRange, SsrcRange::parse)?,
            address: media.rtp_address()?,
            ice: media.single(Name::IceUfrag)?,
            media: Some(*media),
        })
    }

    /// Suites and keys, line by line. Lines that contradict each other are none; whoever uses them says so.
    fn keys(&self) -> Vec<(Option<ScaleRole>, Keying<'a>)> {
        let lines = self.media.and_then(|media| media.crypto().ok());
        let lines = lines.into_iter().flatten();
        lines.map(|line| (line.scale, line.keying)).collect()
    }
}

/// The stream that this one shares its transport with: the first active one of its label.
///
/// Ranges of SSRCs must not overlap; streams of one label must have ranges, and share one address and one key.
pub(super) fn root<'a>(
    earlier: &[Option<Member<'a>>],
    member: &Member<'a>,
) -> Result<Option<usize>, Violation> {
    let others = || {
        let active = |(index, other): (usize, &Option<Member<'a>>)| Some((index, (*other)?));
        earlier.iter().enumerate().filter_map(active)
    };
    let overlaps = |(_, other): (usize, Member<'_>)| {
        let ranges = other.ssrc_range.zip(member.ssrc_range);
        ranges.is_some_and(|(one, another)| one.overlaps(another))
    };
    if others().any(overlaps) {
        return Err(Violation::OverlappingSsrcRange);
    }
    let same_label = |other: &Member<'_>| {
        member.label.is_some() && (other.kind, other.label) == (member.kind, member.label)
    };
    let Some((index, root)) = others().find(|(_, other)| same_label(other)) else {
        return Ok(None);
    };
    if root.address != member.address || root.ice != member.ice {
        Err(Violation::MultiplexingRequired)
    } else if root.ssrc_range.is_none() || member.ssrc_range.is_none() {
        Err(Violation::SsrcRangeMissing)
    } else if root.keys() != member.keys() {
        Err(Violation::MultiplexedKeys)
    } else {
        Ok(Some(index))
    }
}
