//! When to try again: random back-off between connections, and the rule for 503 and 504.

use std::time::Duration;

use rand_core::Rng;

use crate::Error;

/// The windows of [`Backoff`]. The specification has no numbers: all defaults are (inferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffConfig {
    /// The first delay is random between 0 and this; 30 s.
    pub first: Duration,
    /// The window doubles up to this; 15 min.
    pub max: Duration,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(30),
            max: Duration::from_mins(15),
        }
    }
}

/// Random delays in a doubling window, so that the clients of a server that failed do not come back at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    config: BackoffConfig,
    window: Duration,
}

impl Backoff {
    /// Begins with the first window.
    pub fn new(config: BackoffConfig) -> Self {
        Self {
            config,
            window: config.first.min(config.max),
        }
    }

    /// The next delay: uniform in `0..=window`, then the window doubles.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let window = self.window;
        self.window = window.saturating_mul(2).min(self.config.max);
        // Milliseconds are fine enough; a window beyond u64 milliseconds cannot be waited for anyway.
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(below_or_equal(rng, millis))
    }

    /// The window that the next delay is drawn from.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Back to the first window: after a registration that succeeded.
    pub fn reset(&mut self) {
        self.window = self.config.first.min(self.config.max);
    }
}

/// A number of `0..=max`. The bias of the multiplication is at most `max / 2^64`.
pub(crate) fn below_or_equal(rng: &mut impl Rng, max: u64) -> u64 {
    ((u128::from(rng.next_u64()) * (u128::from(max) + 1)) >> 64) as u64
}

/// What to do about a 503 or 504 to a REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Send the request again on this connection after the delay.
    SameConnection(Duration),
    /// Close, and connect again after the delay.
    Reconnect(Duration),
    /// Close and go on with the next server.
    NextServer,
}

/// The rule for 503 Service Unavailable and 504 Server Time-out.
#[derive(Debug, Clone)]
pub struct RetryRule {
    /// How often a 504, or a 503 with `Retry-After`, is retried in a row; 5 (what SIPE does for 504).
    pub max_retries: u8,
    /// The wait before a 504 is retried; 60 s (what SIPE does).
    pub interval: Duration,
    /// The longest `Retry-After` obeyed; 1 h (inferred): a server must not silence a client for days.
    pub max_retry_after: Duration,
    retries: u8,
}

impl Default for RetryRule {
    fn default() -> Self {
        Self {
            max_retries: 5,
            interval: Duration::from_mins(1),
            max_retry_after: Duration::from_hours(1),
            retries: 0,
        }
    }
}

impl RetryRule {
    /// Decides about an answer with `status` and the value of its `Retry-After` header.
    ///
    /// 504: again on this connection after [`interval`](Self::interval), or after `Retry-After` if that is
    /// longer. 503 with `Retry-After`: reconnect then. Both at most [`max_retries`](Self::max_retries) times in
    /// a row. Everything else: next server (RFC 3261 21.5.4), which begins the count again. A `Retry-After` that
    /// cannot be read counts as absent.
    pub fn next(&mut self, status: u16, retry_after: Option<&str>) -> Retry {
        let after = retry_after
            .and_then(|value| parse_retry_after(value).ok())
            .map(|after| after.min(self.max_retry_after));
        let decision = match (status, after) {
            _ if self.retries >= self.max_retries => Retry::NextServer,
            (504, after) => Retry::SameConnection(after.unwrap_or_default().max(self.interval)),
            (503, Some(after)) => Retry::Reconnect(after),
            _ => Retry::NextServer,
        };
        self.retries = if decision == Retry::NextServer {
            0
        } else {
            self.retries + 1
        };
        decision
    }

    /// Forgets the retries made: after a success.
    pub fn reset(&mut self) {
        self.retries = 0;
    }
}

/// Reads `Retry-After: 18000;duration=3600` or `120 (I'm in a meeting)` (RFC 3261 20.33): the seconds.
///
/// # Errors
/// [`Error::RetryAfter`] when it does not begin with a number that stands alone. Numbers beyond
/// `u32::MAX` are taken as that.
pub fn parse_retry_after(value: &str) -> Result<Duration, Error> {
    let value = value.trim_ascii_start();
    let end = value
        .bytes()
        .position(|octet| !octet.is_ascii_digit())
        .unwrap_or(value.len());
    let (digits, rest) = value.split_at(end);
    let rest = rest.trim_ascii_start();
    if digits.is_empty() || !(rest.is_empty() || rest.starts_with(';') || rest.starts_with('(')) {
        return Err(Error::RetryAfter);
    }
    let seconds = digits.parse::<u32>().unwrap_or(u32::MAX);
    Ok(Duration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn windows_double_and_reset() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let mut backoff = Backoff::new(BackoffConfig::default());
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            assert_eq!(backoff.window(), Duration::from_secs(seconds));
            assert!(backoff.next_delay(&mut rng) <= Duration::from_secs(seconds));
        }
        backoff.reset();
        assert_eq!(backoff.window(), Duration::from_secs(30));
    }

    #[test]
    fn delays_spread_over_the_window() {
        let mut rng = ChaCha12Rng::seed_from_u64(2);
        let config = BackoffConfig::default();
        let delays: Vec<_> = (0..1000)
            .map(|_| Backoff::new(config).next_delay(&mut rng).as_millis())
            .collect();
        let mean = delays.iter().sum::<u128>() / 1000;
        assert!((13_500..16_500).contains(&mean), "{mean}");
        let huge = BackoffConfig {
            first: Duration::MAX,
            max: Duration::MAX,
        };
        Backoff::new(huge).next_delay(&mut rng);
    }

    #[test]
    fn retry_rule() {
        let mut rule = RetryRule::default();
        assert_eq!(
            rule.next(504, Some("90")),
            Retry::SameConnection(Duration::from_secs(90))
        );
        for _ in 1..5 {
            assert_eq!(
                rule.next(504, None),
                Retry::SameConnection(Duration::from_mins(1))
            );
        }
        assert_eq!(rule.next(504, None), Retry::NextServer);
        assert_eq!(
            rule.next(504, Some("x")),
            Retry::SameConnection(Duration::from_mins(1))
        );
        rule.reset();
        assert_eq!(rule.next(503, None), Retry::NextServer);
        for _ in 0..4 {
            rule.next(503, Some("0"));
        }
        assert_eq!(
            rule.next(503, Some("5")),
            Retry::Reconnect(Duration::from_secs(5))
        );
        assert_eq!(rule.next(503, Some("5")), Retry::NextServer, "not for ever");
        assert_eq!(
            rule.next(503, Some("99999999999999999999")),
            Retry::Reconnect(Duration::from_hours(1))
        );
    }

    #[test]
    fn retry_after() {
        let seconds = |value| parse_retry_after(value).map(|after| after.as_secs());
        assert_eq!(seconds("18000;duration=3600"), Ok(18000));
        assert_eq!(seconds(" 120 (I'm in a meeting)"), Ok(120));
        for bad in ["", "-1", "1.5", "soon", "12x"] {
            assert_eq!(seconds(bad), Err(Error::RetryAfter), "{bad}");
        }
    }
}
