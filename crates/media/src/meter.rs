//! What is measured on the way: samples of what both sides report, for the report of quality.

use std::time::{Duration, Instant};

use ocs_rtp::session::{PeerReport, Reception};

/// Samples of what came in are at least so far apart (inferred): the reports of packet pairs come faster.
const SPACING: Duration = Duration::from_secs(1);

/// An average and a highest value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Series {
    sum: f64,
    count: u32,
    highest: f64,
}

impl Series {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
        self.highest = self.highest.max(value);
    }

    pub(crate) fn average(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }

    pub(crate) fn highest(&self) -> Option<f64> {
        (self.count > 0).then_some(self.highest)
    }
}

/// What is measured of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Direction {
    /// In ms.
    pub(crate) jitter: Series,
    /// Fractions from 0 to 1.
    pub(crate) loss: Series,
    /// In ms.
    pub(crate) round_trip: Series,
    /// The payload type of the last packet of media.
    pub(crate) payload_type: Option<u8>,
    /// In bit/s.
    pub(crate) bandwidth: Option<u32>,
}

/// All that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Meter {
    pub(crate) inbound: Direction,
    pub(crate) outbound: Direction,
    /// Lost and received packets when the last sample was taken.
    before: (i64, u64),
    sampled: Option<Instant>,
    reported: Option<Instant>,
}

impl Meter {
    /// What of our own reception goes into reports.
    pub(crate) fn sample(&mut self, now: Instant, reception: &Reception, clock: u32) {
        let early = self.sampled.is_some_and(|at| now < at + SPACING);
        let (lost, received) = (reception.lost(), reception.received());
        if early || received == self.before.1 {
            return;
        }
        self.sampled = Some(now);
        self.inbound
            .jitter
            .add(milliseconds(reception.jitter(), clock));
        let lost_now = (lost - self.before.0).max(0).unsigned_abs();
        let received_now = received - self.before.1.min(received);
        self.before = (lost, received);
        if let Some(fraction) = fraction(lost_now, lost_now + received_now) {
            self.inbound.loss.add(fraction);
        }
    }

    /// What the peer has reported.
    pub(crate) fn note(&mut self, report: &PeerReport, clock: u32) {
        if self.reported.replace(report.at) == Some(report.at) {
            return;
        }
        let outbound = &mut self.outbound;
        outbound
            .jitter
            .add(milliseconds(report.block.jitter, clock));
        outbound
            .loss
            .add(f64::from(report.block.fraction_lost) / 256.0);
        if let Some(round_trip) = report.round_trip {
            outbound.round_trip.add(round_trip.as_secs_f64() * 1000.0);
        }
    }
}

pub(crate) fn milliseconds(units: u32, clock: u32) -> f64 {
    f64::from(units) * 1000.0 / f64::from(clock.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a fraction of 52 bits is fine")]
pub(crate) fn fraction(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
