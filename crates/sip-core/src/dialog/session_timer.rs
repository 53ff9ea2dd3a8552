//! Session timers (RFC 4028).
//!
//! | state | by | then |
//! |---|---|---|
//! | off | no Session-Expires in the 2xx | |
//! | refresher | 2xx names this side | [`SessionEvent::Refresh`] at half the interval, [`SessionEvent::Expired`] at its end |
//! | watcher | 2xx names the other side | [`SessionEvent::Expired`] min(32 s, a third) before the end |
//! | suspended | [`SessionTimer::suspend`] | nothing until [`SessionTimer::resume`] |

use std::time::{Duration, Instant};

use crate::header::SessionExpires;
use crate::{HeaderName, Message};

/// What a side wants of session timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Session-Expires to ask for, in seconds. Default 1800 (RFC 4028 4).
    pub interval: u32,
    /// Min-SE, in seconds: what is below gets 422. Default and least 90 (RFC 4028 5; UCMA's MinimumSessionTimerInterval).
    pub min_se: u32,
    /// As server, put a session timer into the answer even when the request asks for none. Default false.
    pub insist: bool,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            interval: 1800,
            min_se: 90,
            insist: false,
        }
    }
}

/// What to do in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEvent {
    /// Send UPDATE, or INVITE where the other side does not allow UPDATE, with
    /// [`SessionTimer::prepare_request`].
    Refresh,
    /// Nobody refreshed: send BYE.
    Expired,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Off,
    Running {
        refresher: bool,
        refresh: Option<Instant>,
        end: Instant,
    },
    Suspended {
        refresher: bool,
        refresh: Option<Duration>,
        end: Duration,
    },
}

/// The session timer of one dialog.
#[derive(Debug)]
pub struct SessionTimer {
    policy: SessionPolicy,
    state: State,
    event: Option<SessionEvent>,
}

impl SessionTimer {
    /// A timer that is off until the first 2xx.
    #[must_use]
    pub fn new(policy: SessionPolicy) -> Self {
        let min_se = policy.min_se.max(90);
        Self {
            policy: SessionPolicy {
                interval: policy.interval.max(min_se),
                min_se,
                ..policy
            },
            state: State::Off,
            event: None,
        }
    }

    /// Whether this side has to refresh; `None` when there is no timer.
    #[must_use]
    pub fn is_refresher(&self) -> Option<bool> {
        match self.state {
            State::Off => None,
            State::Running { refresher, .. } | State::Suspended { refresher, .. } => {
                Some(refresher)
            }
        }
    }

    /// Puts Supported, Session-Expires and Min-SE into an INVITE or UPDATE (7.1, 7.4). A running session keeps its refresher.
    pub fn prepare_request(&self, request: &mut Message) {
        if !request.lists(HeaderName::Supported, "timer") {
            request.push(HeaderName::Supported, "timer");
        }
        let interval = self.policy.interval;
        let value = match self.is_refresher() {
            None => interval.to_string(),
            Some(true) => format!("{interval};refresher=uac"),
            Some(false) => format!("{interval};refresher=uas"),
        };
        request.set(HeaderName::SessionExpires, &value);
        if self.policy.min_se > 90 {
            request.set(HeaderName::MinSe, &self.policy.min_se.to_string());
        }
    }

    /// Takes a 422: raises Min-SE and interval to what it asks. True if the request shall be sent once more (7.3); false if
    /// that would change nothing.
    pub fn handle_422(&mut self, response: &Message) -> bool {
        let Ok(wanted) = response.parse_first::<SessionExpires<'_>>(HeaderName::MinSe) else {
            return false;
        };
        if wanted.seconds <= self.policy.interval {
            return false;
        }
        self.policy.min_se = wanted.seconds;
        self.policy.interval = wanted.seconds;
        true
    }

    /// Takes the 2xx to an INVITE or UPDATE of this side (7.2).
    pub fn handle_success(&mut self, now: Instant, response: &Message) {
        match response.parse_first::<SessionExpires<'_>>(HeaderName::SessionExpires) {
            // The refresher has to be named; of one who forgets it, the client is taken, which always works.
            Ok(value) => self.start(now, value.seconds, value.refresher != Some("uas")),
            Err(_) => self.state = State::Off,
        }
    }

    /// Looks at an INVITE or UPDATE that came. `Err` is the Min-SE to answer 422 with (9).
    pub fn check_request(&self, request: &Message) -> Result<(), u32> {
        let asked = request.parse_first::<SessionExpires<'_>>(HeaderName::SessionExpires);
        let too_small = asked.is_ok_and(|asked| asked.seconds < self.policy.min_se);
        // A client that does not know the extension (a proxy put the header in) cannot be told.
        if too_small && request.lists(HeaderName::Supported, "timer") {
            return Err(self.policy.min_se);
        }
        Ok(())
    }

    /// Starts the timer with the 2xx to `request` and puts Session-Expires and Require into it (9). Does nothing, and
    /// stops a running timer, when neither side wants one.
    pub fn answer(&mut self, now: Instant, request: &Message, response: &mut Message) {
        let peer_knows = request.lists(HeaderName::Supported, "timer")
            || request.lists(HeaderName::Require, "timer");
        let asked = request
            .parse_first::<SessionExpires<'_>>(HeaderName::SessionExpires)
            .ok();
        let min_se = request
            .parse_first::<SessionExpires<'_>>(HeaderName::MinSe)
            .map_or(90, |value| value.seconds);
        let (seconds, wish) = match asked {
            // May be shortened, but not below what the request or this side allows, and never lengthened.
            Some(asked) => {
                let longest = self.policy.interval.max(min_se);
                (asked.seconds.min(longest), asked.refresher)
            }
            None if self.policy.insist => (self.policy.interval.max(min_se), None),
            None => {
                self.state = State::Off;
                return;
            }
        };
        // Table 2: a client that does not know the extension cannot refresh; else its wish counts, else the client does it.
        let uac_refreshes = peer_knows && wish != Some("uas");
        let refresher = if uac_refreshes { "uac" } else { "uas" };
        response.set(
            HeaderName::SessionExpires,
            &format!("{seconds};refresher={refresher}"),
        );
        if uac_refreshes {
            response.push(HeaderName::Require, "timer");
        }
        self.start(now, seconds, !uac_refreshes);
    }

    fn start(&mut self, now: Instant, seconds: u32, refresher: bool) {
        let seconds = seconds.max(1);
        self.event = None;
        let interval = Duration::from_secs(u64::from(seconds));
        // The other side is given up on a little early, so that the BYE still meets a session (10).
        let life = if refresher {
            interval
        } else {
            interval.saturating_sub((interval / 3).min(Duration::from_secs(32)))
        };
        self.state = State::Running {
            refresher,
            refresh: refresher.then(|| now + interval / 2),
            end: now + life,
        };
    }

    /// Stops time: the dialog's route is lost and being recovered (\[MS-SIPRE\], dialog route recovery).
    pub fn suspend(&mut self, now: Instant) {
        if let State::Running {
            refresher,
            refresh,
            end,
        } = self.state
        {
            self.state = State::Suspended {
                refresher,
                refresh: refresh.map(|at| at.saturating_duration_since(now)),
                end: end.saturating_duration_since(now),
            };
        }
    }

    /// Lets time go on.
    pub fn resume(&mut self, now: Instant) {
        if let State::Suspended {
            refresher,
            refresh,
            end,
        } = self.state
        {
            self.state = State::Running {
                refresher,
                refresh: refresh.map(|left| now + left),
                end: now + end,
            };
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Running { refresh, end, .. } = &mut self.state {
            if *end <= now {
                self.state = State::Off;
                self.event = Some(SessionEvent::Expired);
            } else if refresh.is_some_and(|at| at <= now) {
                *refresh = None;
                self.event = Some(SessionEvent::Refresh);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Running { refresh, end, .. } => Some(refresh.map_or(end, |at| at.min(end))),
            _ => None,
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.event.take()
    }
}
