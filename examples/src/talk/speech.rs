//! Sound.

use std::fmt;
use std::time::{Duration, Instant};

use ocs_media::MediaPacket;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;

use super::{Send, moment};
use crate::audio::{FRAME, Law, Recording, Tone, frames};

/// Media in a packet.
const PACKET: Duration = Duration::from_millis(20);

/// One stream of G.711: says frames of 20 ms, and records what it hears.
pub struct Speech {
    law: Law,
    payload_type: u8,
    words: Box<dyn Iterator<Item = [i16; FRAME]> + core::marker::Send>,
    /// The next frame.
    next: Option<[i16; FRAME]>,
    pub(super) start: Option<Instant>,
    index: u32,
    recording: Recording,
    last_heard: Option<Instant>,
}

impl fmt::Debug for Speech {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speech")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Speech {
    fn new(
        law: Law,
        payload_type: u8,
        words: impl Iterator<Item = [i16; FRAME]> + core::marker::Send + 'static,
    ) -> Self {
        let mut words = Box::new(words);
        Self {
            law,
            payload_type,
            next: words.next(),
            words,
            start: None,
            index: 0,
            recording: Recording::default(),
            last_heard: None,
        }
    }

    /// Says the test tone for ever.
    #[must_use]
    pub fn tone(law: Law, payload_type: u8) -> Self {
        let mut tone = Tone::test(law);
        let frame = move || {
            let mut frame = [0; FRAME];
            frame.fill_with(|| tone.next().unwrap_or_default());
            Some(frame)
        };
        Self::new(law, payload_type, std::iter::from_fn(frame))
    }

    /// Says a recording, once.
    #[must_use]
    pub fn recording(law: Law, payload_type: u8, samples: &[i16]) -> Self {
        let words: Vec<_> = frames(samples).collect();
        Self::new(law, payload_type, words.into_iter())
    }

    /// Whether everything is said here, and nothing has been heard from the other side for so long.
    #[must_use]
    pub fn is_silent(&self, now: Instant, silence: Duration) -> bool {
        let last = self.last_heard.or(self.start);
        self.next.is_none() && last.is_some_and(|last| now.duration_since(last) > silence)
    }

    /// What was heard.
    #[must_use]
    pub fn heard(&self) -> &[i16] {
        self.recording.samples()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let start = self.start.filter(|_| self.next.is_some())?;
        Some(moment(start, self.index, PACKET))
    }

    pub(super) fn speak(&mut self, now: Instant, send: Send<'_>) {
        while self.poll_timeout().is_some_and(|due| due <= now) {
            let Some(frame) = self.next.take() else {
                return;
            };
            let payload = frame.map(|sample| self.law.encode(sample));
            let outgoing = Outgoing {
                payload_type: self.payload_type,
                timestamp: self.index.wrapping_mul(FRAME as u32),
                ..Outgoing::default()
            };
            // The first packet of a talk spurt has the marker.
            send(&outgoing, &Fragment::whole(&payload, self.index == 0));
            self.next = self.words.next();
            self.index += 1;
        }
    }

    pub(super) fn hear(&mut self, now: Instant, packet: &MediaPacket) {
        self.last_heard = Some(now);
        let rtp = packet.rtp();
        // What is far from what came before is of another sender, or of none.
        let _ = self
            .recording
            .push(self.law, rtp.timestamp(), rtp.payload());
    }
}
