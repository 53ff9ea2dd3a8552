//! When RTCP is sent at the normal rate (RFC 3550 6.2, 6.3, A.7).

use std::time::{Duration, Instant};

use rand_core::Rng;

/// Tmin.
const MINIMUM: f64 = 5.0;
/// e - 3/2: what reconsideration makes the average interval shorter by.
const COMPENSATION: f64 = 1.218_28;

/// How many there are, for the rules of the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Participants, ourselves included.
    pub members: u32,
    /// Those who sent media lately, ourselves included.
    pub senders: u32,
    /// Whether we did.
    pub we_sent: bool,
}

/// The timer of regular reports.
#[derive(Clone, Copy, Debug)]
pub struct ReportTimer {
    /// Octets per second for the RTCP of all.
    bandwidth: f64,
    /// Octets of a compound with its lower headers, averaged.
    average_size: f64,
    /// tp.
    last: Instant,
    /// tn.
    next: Instant,
    former_members: u32,
    initial: bool,
    /// The next report is due at a rate of its own, without reconsideration.
    fast: bool,
}

impl ReportTimer {
    /// A timer for a session of so many bit/s; RTCP takes a twentieth of them. The first report is due after about 2.5 s.
    pub fn new(now: Instant, bits_per_second: u32, rng: &mut impl Rng) -> Self {
        let mut timer = Self {
            bandwidth: f64::from(bits_per_second.max(1)) / 8.0 * 0.05,
            average_size: 128.0,
            last: now,
            next: now,
            former_members: 1,
            initial: true,
            fast: false,
        };
        let alone = Membership {
            members: 1,
            senders: 0,
            we_sent: false,
        };
        timer.next = now + timer.interval(alone, rng);
        timer
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub const fn due(&self) -> Instant {
        self.next
    }

    /// An RTCP packet of so many octets was sent or received.
    pub fn handle_packet(&mut self, octets: usize) {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        self.average_size += (f64::from(octets) - self.average_size) / 16.0;
    }

    /// Whether a report is to be sent now. Timer reconsideration may put it off.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        membership: Membership,
        rng: &mut impl Rng,
    ) -> bool {
        if now < self.next {
            return false;
        }
        if self.fast {
            return true;
        }
        self.next = self.last + self.interval(membership, rng);
        self.former_members = membership.members;
        self.next <= now
    }

    /// A report was sent; the next one is due at the normal rate.
    pub fn restart(&mut self, now: Instant, membership: Membership, rng: &mut impl Rng) {
        self.initial = false;
        self.fast = false;
        self.last = now;
        self.next = now + self.interval(membership, rng);
    }

    /// A report was sent, or a faster rate begins: the next one is due so much later.
    pub fn restart_fast(&mut self, now: Instant, period: Duration) {
        self.fast = true;
        self.last = now;
        self.next = now + period;
    }

    /// Somebody left: the next report comes earlier (reverse reconsideration, RFC 3550 6.3.4).
    pub fn handle_leave(&mut self, now: Instant, members: u32) {
        if members < self.former_members && !self.fast {
            let share = f64::from(members) / f64::from(self.former_members);
            self.next = now + self.next.saturating_duration_since(now).mul_f64(share);
            let since = now.saturating_duration_since(self.last).mul_f64(share);
            self.last = now.checked_sub(since).unwrap_or(now);
            self.former_members = members;
        }
    }

    fn interval(&self, membership: Membership, rng: &mut impl Rng) -> Duration {
        let (members, senders) = (f64::from(membership.members), f64::from(membership.senders));
        let (bandwidth, count) = if senders > members * 0.25 {
            (self.bandwidth, members)
        } else if membership.we_sent {
            (self.bandwidth * 0.25, senders)
        } else {
            (self.bandwidth * 0.75, members - senders)
        };
        let minimum = if self.initial { MINIMUM / 2.0 } else { MINIMUM };
        let interval = (self.average_size * count / bandwidth).max(minimum);
        let random = f64::from(rng.next_u32()) / f64::from(u32::MAX) + 0.5;
        // An hour is long enough for every session.
        Duration::from_secs_f64((interval * random / COMPENSATION).min(3600.0))
    }
}
