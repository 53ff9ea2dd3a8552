//! Throttling of changes (\[MS-RTP\] 3.1.1 to 3.1.6): what SSRCs and sequence numbers that jump can cost.

use std::time::{Duration, Instant};

/// The throttling mode lasts so long (MUST be 2 s at most).
const PERIOD: Duration = Duration::from_secs(2);
/// MAX_DROPOUT of RFC 3550 A.1.
const MAX_DROPOUT: u16 = 3000;
/// MAX_MISORDER of RFC 3550 A.1.
const MAX_MISORDER: u16 = 100;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in place.
    Good,
    /// It is out of place and starts the throttling mode. The specification does not drop it.
    Starts,
    /// It confirms a change: the SSRC, or the numbering, is the good one from now on.
    Changes,
    /// It is dropped.
    Dropped,
}

/// The state of a session: one timer for both kinds, and what is known of SSRCs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throttle {
    until: Option<Instant>,
    last_good: Option<u32>,
    resync: Option<u32>,
    last_bad: Option<u32>,
}

/// The state of a participant: what is known of its sequence numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SequenceState {
    next_good: Option<u16>,
    resync: Option<u16>,
    next_bad: Option<u16>,
}

impl Throttle {
    /// ThrottlingMode.
    pub fn is_throttling(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// LastGoodSSRC.
    pub const fn last_good(&self) -> Option<u32> {
        self.last_good
    }

    /// Judges the SSRC of a packet. Not to be used when a range of SSRCs was negotiated.
    pub fn check_ssrc(&mut self, now: Instant, ssrc: u32) -> Verdict {
        if *self.last_good.get_or_insert(ssrc) == ssrc {
            return Verdict::Good;
        }
        if self.resync == Some(ssrc) {
            self.last_good = Some(ssrc);
            return Verdict::Changes;
        }
        if self.is_throttling(now) {
            if self.last_bad != Some(ssrc) {
                self.last_bad = Some(ssrc);
                self.start(now);
            }
            return Verdict::Dropped;
        }
        self.resync = Some(ssrc);
        self.start(now);
        Verdict::Starts
    }

    /// Judges the sequence number of a packet; `state` is that of its SSRC.
    ///
    /// The end of the algorithm is completed by its symmetry with that for SSRCs (inferred).
    pub fn check_sequence(
        &mut self,
        now: Instant,
        state: &mut SequenceState,
        sequence: u16,
    ) -> Verdict {
        let following = sequence.wrapping_add(1);
        let ahead = sequence.wrapping_sub(*state.next_good.get_or_insert(sequence));
        if ahead < MAX_DROPOUT {
            state.next_good = Some(following);
            return Verdict::Good;
        }
        if ahead >= MAX_MISORDER.wrapping_neg() {
            return Verdict::Good;
        }
        if state.resync == Some(sequence) {
            state.next_good = Some(following);
            return Verdict::Changes;
        }
        if self.is_throttling(now) {
            if state.next_bad != Some(sequence) {
                self.start(now);
            }
            state.next_bad = Some(following);
            return Verdict::Dropped;
        }
        state.resync = Some(following);
        self.start(now);
        Verdict::Starts
    }

    fn start(&mut self, now: Instant) {
        self.until = Some(now + PERIOD);
    }
}
