//! How much is said to whom before anybody has proved who he is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use rustc_hash::FxSeededState;

/// The networks that sources are counted by: an IPv4 address, the upper half of an IPv6 address.
pub(super) fn source(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let upper = u128::from(ip) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(upper))
        }
    }
}

/// A budget of octets for each source and period. At most `sources` are counted in a period; further ones get nothing until it ends.
#[derive(Debug)]
pub(super) struct Throttle {
    budget: u32,
    sources: usize,
    spent: HashMap<IpAddr, u32, FxSeededState>,
    period_ends: Instant,
}

/// How long a budget lasts.
const PERIOD: Duration = Duration::from_secs(1);

impl Throttle {
    pub(super) fn new(now: Instant, budget: u32, sources: usize, seed: FxSeededState) -> Self {
        Self {
            budget,
            sources,
            spent: HashMap::with_hasher(seed),
            period_ends: now + PERIOD,
        }
    }

    /// Whether so many octets may go to this address; they are counted if so.
    pub(super) fn admit(&mut self, now: Instant, ip: IpAddr, octets: u32) -> bool {
        if now >= self.period_ends {
            self.spent.clear();
            self.period_ends = now + PERIOD;
        }
        let source = source(ip);
        let spent = self.spent.get(&source).copied();
        if spent.is_none() && self.spent.len() >= self.sources {
            return false;
        }
        let total = spent.unwrap_or(0) + octets;
        if total > self.budget {
            return false;
        }
        self.spent.insert(source, total);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_per_source_and_second() {
        let now = Instant::now();
        let mut throttle = Throttle::new(now, 100, 2, FxSeededState::with_seed(1));
        let ip = |text: &str| text.parse().unwrap();
        assert!(throttle.admit(now, ip("192.0.2.1"), 60));
        assert!(!throttle.admit(now, ip("192.0.2.1"), 60));
        assert!(throttle.admit(now, ip("192.0.2.1"), 40));
        assert!(throttle.admit(now, ip("2001:db8::1"), 60));
        assert!(!throttle.admit(now, ip("2001:db8::2"), 60));
        assert!(!throttle.admit(now, ip("192.0.2.2"), 1), "too many sources");
        assert!(throttle.admit(now + PERIOD, ip("192.0.2.2"), 100));
    }
}
