//! What a receiver finds out about the path from packet pairs and trains (\[MS-RTP\] 3.2.5).

use std::time::{Duration, Instant};

use crate::rtcp::extension::{BandwidthEstimate, EstimatedBandwidth, TrainPacket};

/// Samples that are kept; their median is the estimate (inferred).
const SAMPLES: usize = 10;
/// With fewer samples there is no estimate yet (inferred).
const ENOUGH: usize = 3;
/// A probe and a report that are farther apart were not sent back to back: the one's partner was lost (inferred).
const MAX_GAP: Duration = Duration::from_secs(2);

/// What a host says of packet trains in its reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trains {
    /// It receives pairs only.
    Unsupported,
    /// It can receive trains.
    #[default]
    Supported,
    /// It wants them whenever possible. It says so in place of an estimate until the first train came (inferred).
    Wanted,
}

/// Measures packet pairs and trains of one peer.
#[derive(Clone, Copy, Debug)]
pub struct Estimator {
    trains: Trains,
    /// Sender and arrival of a probe that waits for its report.
    probe: Option<(u32, Instant)>,
    /// A train that is coming in: its sender, the arrival of the packet before the first one, the index that is due.
    train: Option<(u32, Instant, u8)>,
    /// In bit/s.
    samples: [u32; SAMPLES],
    count: usize,
    at: usize,
    measured: Option<u32>,
    train_seen: bool,
    pairs_seen: bool,
}

impl Estimator {
    /// Nothing is measured yet.
    pub const fn new(trains: Trains) -> Self {
        Self {
            trains,
            probe: None,
            train: None,
            samples: [0; SAMPLES],
            count: 0,
            at: 0,
            measured: None,
            train_seen: false,
            pairs_seen: false,
        }
    }

    /// ReceivingRTCPPacketPairs.
    pub const fn receives_pairs(&self) -> bool {
        self.pairs_seen
    }

    /// A probe came.
    pub fn handle_probe(&mut self, now: Instant, ssrc: u32) {
        self.probe = Some((ssrc, now));
        self.train = None;
    }

    /// A compound with a report came that is not part of a train; `octets` counts all headers up to the network layer's.
    pub fn handle_report(&mut self, now: Instant, ssrc: u32, octets: usize) {
        self.train = None;
        let Some((sender, arrival)) = self.probe.take() else {
            return;
        };
        if sender != ssrc || now.saturating_duration_since(arrival) > MAX_GAP {
            return;
        }
        self.pairs_seen = true;
        self.train = Some((ssrc, now, 0));
        self.sample(arrival, now, octets, ssrc);
    }

    /// A packet of a train came. The whole train is one sample (inferred); one that is not complete is none.
    pub fn handle_train_packet(&mut self, now: Instant, packet: TrainPacket) {
        self.train_seen = true;
        let Some((ssrc, first, due)) = self.train.take() else {
            return;
        };
        if packet.ssrc != ssrc || packet.index != due {
            return;
        }
        if packet.last {
            self.sample(first, now, usize::from(packet.octets), ssrc);
        } else {
            self.train = Some((ssrc, first, due + 1));
        }
    }

    /// The extension for the next report. `None` if nothing was probed.
    pub fn extension(&self) -> Option<EstimatedBandwidth> {
        let (ssrc, bandwidth) = match (self.measured, self.trains) {
            (Some(ssrc), Trains::Wanted) if !self.train_seen => {
                (ssrc, BandwidthEstimate::TrainsWanted)
            }
            (Some(ssrc), trains) => (
                ssrc,
                match (self.estimate(), trains) {
                    (Some(estimate), _) => BandwidthEstimate::BitsPerSecond(estimate),
                    (None, Trains::Unsupported) => BandwidthEstimate::PairsPending,
                    (None, Trains::Supported) => BandwidthEstimate::TrainsPending,
                    (None, Trains::Wanted) => BandwidthEstimate::TrainsWanted,
                },
            ),
            (None, _) => return None,
        };
        Some(EstimatedBandwidth {
            ssrc,
            bandwidth,
            confidence: Some(self.count as u8),
        })
    }

    /// The estimate in bit/s.
    pub fn estimate(&self) -> Option<u32> {
        if self.count < ENOUGH {
            return None;
        }
        let mut sorted = self.samples;
        let sorted = &mut sorted[..self.count];
        sorted.sort_unstable();
        Some(sorted[sorted.len() / 2])
    }

    fn sample(&mut self, from: Instant, to: Instant, octets: usize, ssrc: u32) {
        self.measured = Some(ssrc);
        // Packets that come at once say nothing about the path.
        let gap = to.saturating_duration_since(from).as_nanos();
        let Some(bits_per_second) = (octets as u128 * 8_000_000_000).checked_div(gap) else {
            return;
        };
        self.samples[self.at] = u32::try_from(bits_per_second)
            .unwrap_or(u32::MAX)
            .min(i32::MAX.cast_unsigned());
        self.at = (self.at + 1) % SAMPLES;
        self.count = (self.count + 1).min(SAMPLES);
    }
}
