//! The dominant speaker (\[MS-RTP\] 3.1.1, 3.1.5, 3.1.6).

use std::time::{Duration, Instant};

/// Dominant speaker expiration: SHOULD be 3 s.
const EXPIRATION: Duration = Duration::from_secs(3);

/// Who speaks, as the CSRC lists of the mixer say.
#[derive(Clone, Copy, Debug, Default)]
pub struct DominantSpeaker {
    /// The speaker, and until when that is valid.
    current: Option<(u32, Instant)>,
}

impl DominantSpeaker {
    /// DominantSpeaker, if IsDominantSpeakerValid.
    pub fn current(&self) -> Option<u32> {
        self.current.map(|(speaker, _)| speaker)
    }

    /// A packet came with this first CSRC, or without any. Whether that changes the speaker (the steps are inferred).
    ///
    /// The own MSI of the receiver is as good as any other.
    pub fn handle_packet(&mut self, now: Instant, speaker: Option<u32>) -> bool {
        let former = self.current();
        self.current = speaker.map(|speaker| (speaker, now + EXPIRATION));
        former != speaker
    }

    /// Ends a speaker of whom nothing came. Whether that was so.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let expired = self.current.is_some_and(|(_, until)| until <= now);
        if expired {
            self.current = None;
        }
        expired
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.current.map(|(_, until)| until)
    }
}
