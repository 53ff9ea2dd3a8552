//! What a receiver counts of one source (RFC 3550 A.1, A.3, A.8).

use std::time::{Duration, Instant};

use super::throttle::Verdict;
use crate::rtcp::{NtpTime, ReportBlock, ntp_compact};

/// Seconds; what is out of step by so much does not count as jitter (inferred).
const LARGEST_JITTER: u32 = 10;

/// Sequence numbers, losses and jitter of one source.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reception {
    /// The first sequence number; with cycles, as `highest`.
    base: u32,
    highest: u32,
    begun: bool,
    received: u32,
    expected_before: u32,
    received_before: u32,
    /// Lost and received packets of former numberings.
    former: (i64, u64),
    /// Arrival, timestamp and clock of the packet before.
    last: Option<(Instant, u32, u32)>,
    /// In 1/16 units of the timestamp.
    jitter: u32,
    max_jitter: u32,
}

impl Reception {
    /// A packet came that was judged so.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        verdict: Verdict,
        sequence: u16,
        timestamp: u32,
        clock_rate: u32,
    ) {
        match verdict {
            // It is in no place of the numbering yet.
            Verdict::Starts | Verdict::Dropped => return,
            Verdict::Changes => self.renumber(sequence),
            Verdict::Good if !self.begun => self.renumber(sequence),
            Verdict::Good => {
                let ahead = sequence.wrapping_sub(self.highest as u16);
                if ahead < 0x8000 {
                    self.highest = self.highest.wrapping_add(u32::from(ahead));
                }
            }
        }
        self.received = self.received.wrapping_add(1);
        self.measure(now, timestamp, clock_rate);
    }

    fn renumber(&mut self, sequence: u16) {
        if self.begun {
            self.former = (
                i64::from(self.lost_now()) + self.former.0,
                self.former.1 + u64::from(self.received),
            );
            self.received = 0;
            self.last = None;
        }
        self.begun = true;
        self.base = u32::from(sequence);
        self.highest = self.base;
        self.expected_before = 0;
        self.received_before = 0;
    }

    /// The estimator of jitter. Packets of one timestamp, as of a video frame, are compared by the first of them; those of different clocks, as of audio and
    /// telephone events, not at all.
    fn measure(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        let this = (now, timestamp, clock_rate);
        let (arrival, before, clock_before) = self.last.unwrap_or(this);
        if self.last.is_none() || clock_before != clock_rate {
            self.last = Some(this);
            return;
        }
        if before == timestamp {
            return;
        }
        self.last = Some(this);
        let passed = in_units(now.saturating_duration_since(arrival), clock_rate);
        let difference = passed
            .wrapping_sub(timestamp.wrapping_sub(before))
            .cast_signed()
            .unsigned_abs();
        // The timestamps began anew, or are arbitrary: that is no jitter, and would spoil the average for long.
        if difference / clock_rate.max(1) >= LARGEST_JITTER {
            return;
        }
        let decay = self.jitter.saturating_add(8) >> 4;
        self.jitter = self.jitter.saturating_add(difference).saturating_sub(decay);
        self.max_jitter = self.max_jitter.max(self.jitter);
    }

    const fn expected(&self) -> u32 {
        if self.begun {
            self.highest.wrapping_sub(self.base).wrapping_add(1)
        } else {
            0
        }
    }

    const fn lost_now(&self) -> i32 {
        self.expected().wrapping_sub(self.received).cast_signed()
    }

    /// Packets that came.
    pub const fn received(&self) -> u64 {
        self.former.1 + self.received as u64
    }

    /// Packets that did not come; duplicates make it smaller.
    pub const fn lost(&self) -> i64 {
        self.former.0 + self.lost_now() as i64
    }

    /// The highest sequence number, with the number of its cycles before it.
    pub const fn highest_sequence(&self) -> u32 {
        self.highest
    }

    /// Jitter of arrivals in units of the timestamp.
    pub const fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// The highest jitter that there was, in units of the timestamp.
    pub const fn max_jitter(&self) -> u32 {
        self.max_jitter >> 4
    }

    /// The block for a report that is sent now, and begins the next interval of losses.
    pub(super) fn report(
        &mut self,
        now: Instant,
        ssrc: u32,
        last_sr: Option<(NtpTime, Instant)>,
    ) -> ReportBlock {
        let (expected, received) = (self.expected(), self.received);
        let expected_now = expected.wrapping_sub(self.expected_before);
        let lost_now = expected_now
            .wrapping_sub(received.wrapping_sub(self.received_before))
            .cast_signed();
        self.expected_before = expected;
        self.received_before = received;
        let fraction = u64::from(lost_now.max(0).unsigned_abs()) << 8;
        ReportBlock {
            ssrc,
            fraction_lost: fraction
                .checked_div(u64::from(expected_now))
                .map_or(0, |fraction| fraction.min(255) as u8),
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest_sequence: self.highest,
            jitter: self.jitter(),
            last_sr: last_sr.map_or(0, |(ntp, _)| ntp.middle()),
            delay_since_last_sr: last_sr.map_or(0, |(_, arrival)| {
                ntp_compact(now.saturating_duration_since(arrival))
            }),
        }
    }
}

/// A time in units of a clock, modulo 2^32.
pub(super) fn in_units(duration: Duration, clock_rate: u32) -> u32 {
    let rate = u64::from(clock_rate);
    let fraction = u64::from(duration.subsec_nanos()) * rate / 1_000_000_000;
    duration.as_secs().wrapping_mul(rate).wrapping_add(fraction) as u32
}
