//! The timers of RFC 3261 17 and table 4, and the deadlines a machine keeps.

use std::time::{Duration, Instant};

/// The base values of all transaction timers (RFC 3261 17.1.1.1, table 4; RFC 6026 7).
///
/// Values below one millisecond count as one millisecond, so that time always goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// T1: estimate of the round trip. Default 500 ms.
    pub t1: Duration,
    /// T2: longest interval between retransmissions of non-INVITE requests and INVITE responses. Default 4 s.
    pub t2: Duration,
    /// T4: longest time a message stays in the network. Default 5 s.
    pub t4: Duration,
    /// How long the user of an INVITE server transaction may be silent before a 100 is sent for him (17.2.1). Default 200 ms.
    pub trying: Duration,
    /// How long a transaction may stay without another response where the RFC sets no bound: an INVITE client in Proceeding
    /// (timer C of RFC 3261 16.6, which is to be above 3 minutes) and both server transactions that wait for their user. Default
    /// 30 minutes, the longest ringing that UCMA lets a user set.
    pub proceeding: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            trying: Duration::from_millis(200),
            proceeding: Duration::from_mins(30),
        }
    }
}

impl Timers {
    /// The same with every value at least one millisecond.
    pub(super) fn clamped(self) -> Self {
        let least = Duration::from_millis(1);
        Self {
            t1: self.t1.max(least),
            t2: self.t2.max(least),
            t4: self.t4.max(least),
            trying: self.trying.max(least),
            proceeding: self.proceeding.max(least),
        }
    }

    /// Timers B, F, H, J (unreliable), L, M and the wait after a CANCEL: 64 times T1.
    #[must_use]
    pub const fn t1_64(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Timer D: how long an INVITE client absorbs repeated finals. At least 32 s on datagrams, nothing on streams.
    #[must_use]
    pub fn d(&self, reliable: bool) -> Option<Duration> {
        (!reliable).then(|| self.t1_64().max(Duration::from_secs(32)))
    }

    /// Timers I and K: T4 on datagrams, nothing on streams.
    #[must_use]
    pub fn i_k(&self, reliable: bool) -> Option<Duration> {
        (!reliable).then_some(self.t4)
    }

    /// Timer J: 64 times T1 on datagrams, nothing on streams.
    #[must_use]
    pub fn j(&self, reliable: bool) -> Option<Duration> {
        (!reliable).then(|| self.t1_64())
    }
}

/// The two deadlines of a machine: its next retransmission, and the end of its state.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadlines {
    resend: Option<(Instant, Duration)>,
    end: Option<Instant>,
}

/// Which deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Resend,
    End,
}

impl Deadlines {
    pub(super) fn end_after(now: Instant, end: Duration) -> Self {
        Self {
            resend: None,
            end: now.checked_add(end),
        }
    }

    /// Adds retransmissions, the first after `interval`; none on a stream.
    pub(super) fn resend_after(mut self, now: Instant, interval: Duration, reliable: bool) -> Self {
        self.resend = (!reliable).then_some((now + interval, interval));
        self
    }

    pub(super) fn next(&self) -> Option<Instant> {
        let resend = self.resend.map(|(at, _)| at);
        match (resend, self.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Says what is due and doubles the interval of the retransmission, to at most `cap`.
    ///
    /// The end wins: a caller that comes late gets no retransmission of a transaction that is over.
    pub(super) fn poll(&mut self, now: Instant, cap: Duration) -> Due {
        if self.end.is_some_and(|end| end <= now) {
            return Due::End;
        }
        match &mut self.resend {
            Some((at, interval)) if *at <= now => {
                *interval = interval.saturating_mul(2).min(cap);
                *at = now + *interval;
                Due::Resend
            }
            _ => Due::Nothing,
        }
    }

    /// Sends again every `interval` from now on, if retransmissions were running (timer E in Proceeding).
    pub(super) fn slow_down(&mut self, interval: Duration) {
        if let Some((_, current)) = &mut self.resend {
            *current = interval;
        }
    }
}
