//! Feedback messages are sent again (\[MS-RTP\] 3.2.2).

use std::time::{Duration, Instant};

use crate::Error;
use crate::rtcp::Writer;

/// Feedback fast: after the first sending, four times.
const FAST: (Duration, u8) = (Duration::from_millis(190), 4);
/// Feedback slow: then five times.
const SLOW: (Duration, u8) = (Duration::from_secs(3), 5);

/// The message of one kind that is being repeated. A new one takes its place (inferred).
#[derive(Clone, Debug, Default)]
pub(super) struct Repeat {
    octets: Vec<u8>,
    fast: u8,
    slow: u8,
    next: Option<Instant>,
}

impl Repeat {
    /// Begins with the message that the function writes, to be sent now for the first time.
    pub(super) fn start(
        &mut self,
        now: Instant,
        with_slow: bool,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        self.fast = FAST.1;
        self.slow = if with_slow { SLOW.1 } else { 0 };
        self.next = None;
        self.octets.clear();
        write(&mut Writer::new(&mut self.octets))?;
        self.next = Some(now + FAST.0);
        Ok(&self.octets)
    }

    /// The message, if it is to be sent again now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<&[u8]> {
        if self.next? > now {
            return None;
        }
        if self.fast > 0 {
            self.fast -= 1;
        } else {
            self.slow = self.slow.saturating_sub(1);
        }
        self.next = match (self.fast, self.slow) {
            (0, 0) => None,
            (0, _) => Some(now + SLOW.0),
            _ => Some(now + FAST.0),
        };
        Some(&self.octets)
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Ends the repetitions.
    pub(super) const fn stop(&mut self) {
        self.next = None;
    }
}
