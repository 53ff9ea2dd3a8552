//! What is measured on the way: samples of what both sides report, for the report of quality.

use std::collections::BTreeMap;
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
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) inbound: Direction,
    pub(crate) outbound: Direction,
    /// Lost and received packets of each source when the last sample was taken.
    before: BTreeMap<u32, (i64, u64)>,
    sampled: Option<Instant>,
    reported: Option<Instant>,
}

impl Meter {
    /// What of our own reception goes into reports: the losses of all sources, and the jitter of the one that has sent most since the last sample.
    pub(crate) fn sample<'a>(
        &mut self,
        now: Instant,
        sources: impl Iterator<Item = (u32, &'a Reception)>,
        clock: u32,
    ) {
        if self.sampled.is_some_and(|at| now < at + SPACING) {
            return;
        }
        let (mut lost_now, mut received_now) = (0, 0);
        let mut most = (0, 0);
        for (ssrc, reception) in sources {
            let now = (reception.lost(), reception.received());
            let (lost, received) = self.before.insert(ssrc, now).unwrap_or_default();
            let fresh = now.1.saturating_sub(received);
            lost_now += now.0.saturating_sub(lost).max(0).unsigned_abs();
            received_now += fresh;
            most = most.max((fresh, reception.jitter()));
        }
        if received_now == 0 {
            return;
        }
        self.sampled = Some(now);
        self.inbound.jitter.add(milliseconds(most.1, clock));
        if let Some(fraction) = fraction(lost_now, lost_now + received_now) {
            self.inbound.loss.add(fraction);
        }
    }

    /// Forgets the sources that are gone.
    pub(crate) fn keep_sources(&mut self, is_known: impl Fn(u32) -> bool) {
        self.before.retain(|ssrc, _| is_known(*ssrc));
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

#[cfg(test)]
mod tests {
    use super::*;
    use ocs_rtp::Session;
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    #[test]
    fn another_source_makes_no_losses() {
        let mut now = Instant::now();
        let rng = ChaCha12Rng::seed_from_u64(1);
        let config = ocs_rtp::session::Config::default();
        let mut rtp = Session::new(now, config, rng).unwrap();
        let mut meter = Meter::default();
        let mut feed = |ssrc: u8, step: usize, count: u16| {
            for number in (0..count).step_by(step) {
                let [high, low] = number.to_be_bytes();
                let packet = [
                    0x80, 0, high, low, 0, 0, high, low, 0, 0, 0, ssrc, 1, 2, 3, 4,
                ];
                rtp.handle_rtp(now, &packet).unwrap();
            }
            now += SPACING;
            let sources = rtp.sources();
            let sources = sources.filter_map(|(ssrc, source)| Some((ssrc, source.reception()?)));
            meter.sample(now, sources, 8000);
            meter.inbound.loss
        };
        assert_eq!(feed(1, 1, 100).highest(), Some(0.0));
        // Half of what the other one sends is lost, and it sends more in all.
        let loss = feed(2, 2, 300);
        assert_eq!(loss.count, 2);
        assert!((0.45..0.51).contains(&loss.highest().unwrap()), "{loss:?}");
        // What is gone is new when it comes again.
        meter.keep_sources(|ssrc| ssrc == 1);
        assert_eq!(meter.before.len(), 1);
    }
}
