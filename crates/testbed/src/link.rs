//! How good or bad the network between two hosts is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;

use crate::host::HostId;

/// The most bytes of a stream that travel, and are lost and sent again, together: the payload of a TCP
/// segment on Ethernet.
pub const MTU: usize = 1460;

/// The shortest wait before a stream sends a lost segment again, as common TCP stacks have it.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// How often a segment of a stream can be lost in a row; bounds the delay on a link that loses all.
const MAX_RETRANSMISSIONS: u32 = 6;

/// The properties of one direction between two hosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The time that everything needs at least.
    pub latency: Duration,
    /// Up to this much is added, evenly distributed. It does not reorder.
    pub jitter: Duration,
    /// Bits per second of payload; what exceeds it waits. `None` is without bound, zero counts as one.
    pub bandwidth: Option<u64>,
    /// The probability (0 to 1) that a datagram is lost, or that a segment of a stream must be sent again
    /// and so comes later.
    pub loss: f64,
    /// The probability (0 to 1) that a datagram arrives twice.
    pub duplicate: f64,
    /// The probability (0 to 1) that a datagram is held back by one to three latencies, so that later ones
    /// overtake it.
    pub reorder: f64,
    /// How the bytes of streams are cut into pieces.
    pub chunking: Chunking,
}

impl Link {
    /// No delay, no loss: what a host has to itself.
    pub const PERFECT: Self = Self {
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        bandwidth: None,
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        chunking: Chunking::Whole,
    };
}

impl Default for Link {
    /// A faultless link with a latency of 10 ms.
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(10),
            ..Self::PERFECT
        }
    }
}

/// How the bytes of a stream arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Chunking {
    /// As they were sent: one piece for each [`Output::Send`](crate::Output::Send).
    #[default]
    Whole,
    /// In pieces of at most [`MTU`] bytes.
    Segments,
    /// In pieces of random length, one byte to [`MTU`].
    Random,
    /// Byte by byte.
    Bytes,
}

/// A number from 0 (included) to 1 (excluded).
fn unit(rng: &mut ChaCha12Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

/// True with the given probability; uses no randomness where there is no choice.
fn chance(rng: &mut ChaCha12Rng, probability: f64) -> bool {
    probability > 0.0 && (probability >= 1.0 || unit(rng) < probability)
}

/// When the copies of a datagram arrive; none if it is lost.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    pub(crate) first: Option<Instant>,
    pub(crate) copy: Option<Instant>,
}

#[derive(Debug, Default)]
struct Load {
    /// When the last bit sent so far has left.
    busy_until: Option<Instant>,
    /// When the last datagram that was not held back arrives.
    last_arrival: Option<Instant>,
}

type Pair = (HostId, HostId);

/// All links.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) default: Link,
    overrides: BTreeMap<Pair, Link>,
    cut: BTreeSet<Pair>,
    load: BTreeMap<Pair, Load>,
}

impl Links {
    pub(crate) fn new() -> Self {
        Self {
            default: Link::default(),
            overrides: BTreeMap::new(),
            cut: BTreeSet::new(),
            load: BTreeMap::new(),
        }
    }

    pub(crate) fn set(&mut self, from: HostId, to: HostId, link: Link) {
        self.overrides.insert((from, to), link);
    }

    pub(crate) fn get(&self, from: HostId, to: HostId) -> Link {
        match self.overrides.get(&(from, to)) {
            Some(link) => *link,
            None if from == to => Link::PERFECT,
            None => self.default,
        }
    }

    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        self.cut.insert((from, to));
    }

    pub(crate) fn heal(&mut self, from: HostId, to: HostId) {
        self.cut.remove(&(from, to));
    }

    pub(crate) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.cut.contains(&(from, to))
    }

    /// When `length` bytes have left, if they are sent now; occupies the link until then.
    fn depart(&mut self, now: Instant, pair: Pair, link: Link, length: usize) -> Instant {
        let Some(bandwidth) = link.bandwidth else {
            return now;
        };
        let load = self.load.entry(pair).or_default();
        let nanoseconds = length as u128 * 8 * 1_000_000_000 / u128::from(bandwidth.max(1));
        let duration = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let start = load.busy_until.map_or(now, |busy| busy.max(now));
        let end = start + duration;
        load.busy_until = Some(end);
        end
    }

    /// When a segment of a stream that is sent now arrives.
    pub(crate) fn stream(
        &mut self,
        rng: &mut ChaCha12Rng,
        now: Instant,
        (from, to): Pair,
        length: usize,
    ) -> Instant {
        let link = self.get(from, to);
        let mut arrival = self.depart(now, (from, to), link, length)
            + link.latency
            + link.jitter.mul_f64(unit(rng));
        let mut wait = RETRANSMISSION + 2 * link.latency;
        for _ in 0..MAX_RETRANSMISSIONS {
            if !chance(rng, link.loss) {
                break;
            }
            arrival += wait;
            wait *= 2;
        }
        arrival
    }

    /// When a datagram that is sent now arrives.
    pub(crate) fn datagram(
        &mut self,
        rng: &mut ChaCha12Rng,
        now: Instant,
        (from, to): Pair,
        length: usize,
    ) -> Arrivals {
        if self.is_cut(from, to) {
            return Arrivals::default();
        }
        let link = self.get(from, to);
        let departure = self.depart(now, (from, to), link, length);
        if chance(rng, link.loss) {
            return Arrivals::default();
        }
        let arrival = departure + link.latency + link.jitter.mul_f64(unit(rng));
        let held_back = chance(rng, link.reorder);
        let first = if held_back {
            let latency = link.latency.max(Duration::from_millis(1));
            arrival + latency.mul_f64(1.0 + 2.0 * unit(rng))
        } else {
            let load = self.load.entry((from, to)).or_default();
            let arrival = load.last_arrival.map_or(arrival, |last| last.max(arrival));
            load.last_arrival = Some(arrival);
            arrival
        };
        let copy = chance(rng, link.duplicate).then(|| first + link.jitter.mul_f64(unit(rng)));
        Arrivals {
            first: Some(first),
            copy,
        }
    }

    /// Cuts data for a stream into the pieces that arrive, each with its time.
    pub(crate) fn pieces(
        &mut self,
        rng: &mut ChaCha12Rng,
        now: Instant,
        pair: Pair,
        mut data: Bytes,
        mut piece: impl FnMut(Instant, Bytes),
    ) {
        let chunking = self.get(pair.0, pair.1).chunking;
        if chunking == Chunking::Whole {
            let mut arrival = now;
            for segment in data.chunks(MTU) {
                arrival = arrival.max(self.stream(rng, now, pair, segment.len()));
            }
            piece(arrival, data);
            return;
        }
        while !data.is_empty() {
            let mut segment = data.split_to(data.len().min(MTU));
            let arrival = self.stream(rng, now, pair, segment.len());
            while !segment.is_empty() {
                let length = match chunking {
                    Chunking::Whole | Chunking::Segments => segment.len(),
                    Chunking::Random => 1 + rng.next_u32() as usize % segment.len(),
                    Chunking::Bytes => 1,
                };
                piece(arrival, segment.split_to(length));
            }
        }
    }
}
