//! How much may be sent.

use crate::attribute::{Attribute, Label, VideoCap};
use crate::line::{Bandwidth, Kind, Line};
use crate::{Error, Media, Name, Sdp};

/// Bounds that the peer's description puts on a stream, in kbit/s. Those of `x-mediabw` are for all streams of the label together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BandwidthLimits {
    /// What we may send: the least of `b=` of the session and of the stream, `x-mediabw`, and, for RTVideo, the best of
    /// `x-caps`.
    pub send: Option<u64>,
    /// What the peer will send.
    pub receive: Option<u64>,
}

impl BandwidthLimits {
    pub(super) fn of(
        sdp: &Sdp,
        media: &Media<'_>,
        label: Option<Label<'_>>,
        caps: &[VideoCap],
    ) -> Result<Self, Error> {
        let mut limits = Self::default();
        let session = sdp.bandwidth()?;
        limits.send(session.filter(|&bound| bound < Bandwidth::UNBOUNDED));
        for line in media.lines() {
            if line.kind() == Kind::Letter(b'b')
                && let Line::Bandwidth(bandwidth) = line.typed()?
            {
                limits.send(match bandwidth.kind {
                    "CT" | "AS" => Some(bandwidth.value),
                    "TIAS" => Some(bandwidth.value / 1000),
                    _ => None,
                });
            }
        }
        let of_label = sdp
            .session_lines()
            .filter(|line| line.kind() == Kind::Attribute(Name::MediaBw))
            .filter_map(|line| match line.attribute()? {
                Ok(Attribute::MediaBandwidth(bound)) => Some(bound),
                _ => None,
            })
            .find(|bound| label == Some(bound.label));
        if let Some(bound) = of_label {
            limits.send(Some(bound.recv.into()));
            limits.receive = Some(bound.send.into());
        }
        limits.send(caps.iter().map(|cap| u64::from(cap.bitrate) / 1000).max());
        Ok(limits)
    }

    fn send(&mut self, bound: Option<u64>) {
        if let Some(bound) = bound {
            self.send = Some(self.send.map_or(bound, |send| send.min(bound)));
        }
    }
}
