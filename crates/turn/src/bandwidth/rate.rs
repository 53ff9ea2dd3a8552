//! Holding a stream to what was reserved for it.

use std::time::{Duration, Instant};

/// A token bucket. It lets a rate through, and bursts of up to one second of it.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Octets each second.
    rate: u64,
    /// Octets that may pass at `at`.
    tokens: u64,
    at: Instant,
}

impl RateLimit {
    /// The least burst: a few datagrams of the largest size that media has.
    const MINIMUM_BURST: u64 = 8 * 1500;

    /// A rate in kbit/s (1000 bits).
    #[must_use]
    pub fn new(now: Instant, kbits: u32) -> Self {
        let rate = u64::from(kbits) * 1000 / 8;
        Self {
            rate,
            tokens: rate.max(Self::MINIMUM_BURST),
            at: now,
        }
    }

    /// Whether so many octets may pass now; they are counted if so.
    pub fn admit(&mut self, now: Instant, octets: usize) -> bool {
        let gone = now
            .saturating_duration_since(self.at)
            .min(Duration::from_secs(1));
        let earned = self.rate * u64::try_from(gone.as_micros()).unwrap_or(0) / 1_000_000;
        // Too short a time to earn an octet is not forgotten.
        if earned > 0 {
            self.tokens = (self.tokens + earned).min(self.rate.max(Self::MINIMUM_BURST));
            self.at = now;
        }
        match self.tokens.checked_sub(octets as u64) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_above_its_rate_is_cut_to_it() {
        let start = Instant::now();
        // 800 kbit/s are 100 octets each millisecond; twice that is sent for ten seconds.
        let mut limit = RateLimit::new(start, 800);
        let passed = (0..10_000)
            .filter(|&ms| limit.admit(start + Duration::from_millis(ms), 200))
            .count();
        let octets = passed * 200;
        assert!((1_000_000..=1_100_400).contains(&octets), "{octets}");
        // And half of it passes whole.
        let mut limit = RateLimit::new(start, 800);
        assert!((0..1000).all(|ms| limit.admit(start + Duration::from_millis(ms), 50)));
    }
}
