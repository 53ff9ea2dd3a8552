//! How a sender lets its peer measure the path (\[MS-RTP\] 3.2.1 to 3.2.6).

use std::time::Duration;

/// The send timer at the rate of fast packet pairs.
const PAIR_PERIOD: Duration = Duration::from_millis(250);
/// The send timer at the rate of fast packet trains.
const TRAIN_PERIOD: Duration = Duration::from_secs(1);
/// Pairs at the fast rate.
const FAST_PAIRS: u8 = 40;
/// Trains at the fast rate.
const FAST_TRAINS: u8 = 21;

/// RTCPSendingRate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// The interval of RFC 3550.
    Normal,
    /// 250 ms.
    PacketPairFast,
    /// 1 s.
    PacketTrainFast,
}

/// BandwidthEstSendingMode, and what it means for one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The report alone: probes are off.
    Report,
    /// A probe, then the report.
    PacketPair,
    /// A probe, the report, then five train packets.
    PacketTrain,
}

/// The state of the sender.
#[derive(Clone, Copy, Debug)]
pub struct Prober {
    enabled: bool,
    rate: Rate,
    train: bool,
    fast_pairs: u8,
    fast_trains: u8,
    /// The peer sent an estimate once, so it reads probes.
    answered: bool,
}

impl Prober {
    /// A sender of packet pairs at the normal rate (the initial values are recalled), or one that never probes.
    pub const fn new(enabled: bool) -> Self {
        Self {
            enabled,
            rate: Rate::Normal,
            train: false,
            fast_pairs: 0,
            fast_trains: 0,
            answered: false,
        }
    }

    /// What goes out with the next report. The sender stops probing a peer that answered none of all fast pairs.
    pub const fn mode(&self) -> Mode {
        if !self.enabled || (!self.answered && self.fast_pairs >= FAST_PAIRS) {
            Mode::Report
        } else if self.train {
            Mode::PacketTrain
        } else {
            Mode::PacketPair
        }
    }

    /// The rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// A report went out. Gives the period to the next one, or `None` at the normal rate.
    pub const fn handle_sent(&mut self) -> Option<Duration> {
        match self.rate {
            Rate::Normal => {}
            Rate::PacketPairFast => {
                self.fast_pairs += 1;
                if self.fast_pairs >= FAST_PAIRS {
                    self.rate = Rate::Normal;
                }
            }
            Rate::PacketTrainFast => {
                self.fast_trains += 1;
                if self.fast_trains >= FAST_TRAINS {
                    self.rate = Rate::Normal;
                }
            }
        }
        self.period()
    }

    /// The peer reported about what we send: it receives us. Gives the period when that begins the fast rate.
    pub fn handle_report(&mut self) -> Option<Duration> {
        if !self.enabled || self.train || self.fast_pairs > 0 || self.rate != Rate::Normal {
            return None;
        }
        self.rate = Rate::PacketPairFast;
        self.period()
    }

    /// The peer sent an estimate of more than 0: one that is good enough ends the fast pairs, for good: the next report does not begin them
    /// again, even if none went out yet.
    pub fn handle_estimate(&mut self) {
        self.answered = true;
        if self.rate == Rate::PacketPairFast {
            self.rate = Rate::Normal;
            self.fast_pairs = self.fast_pairs.max(1);
        }
    }

    /// The peer has not enough measurements yet.
    pub const fn handle_pending(&mut self) {
        self.answered = true;
    }

    /// The peer wants trains. Gives the period when that begins them; asking again changes nothing (inferred).
    pub const fn handle_trains_wanted(&mut self) -> Option<Duration> {
        self.answered = true;
        if !self.enabled || self.train {
            return None;
        }
        self.train = true;
        self.fast_trains = 0;
        self.rate = Rate::PacketTrainFast;
        self.period()
    }

    const fn period(self) -> Option<Duration> {
        match self.rate {
            Rate::Normal => None,
            Rate::PacketPairFast => Some(PAIR_PERIOD),
            Rate::PacketTrainFast => Some(TRAIN_PERIOD),
        }
    }
}
