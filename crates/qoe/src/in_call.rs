//! When a client reports in the middle of a call (\[MS-QoE\] 3.1; `enableInCallQoS` and `inCallQoSIntervalSeconds` of provisioning).

use std::time::{Duration, Instant};

/// The interval where provisioning names none.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(35);

/// Says when the next report of a call is due: after the first interval always, then after changes of quality with an interval at
/// least between two reports, and before video goes away. Each report covers the call from its beginning, so that several changes become one.
#[derive(Debug, Clone)]
pub struct Schedule {
    interval: Duration,
    /// Before this no report is due but one on leaving video.
    earliest: Instant,
    /// Something is to be reported.
    changed: bool,
    due: bool,
}

impl Schedule {
    /// The schedule of a call that begins now. Without an end of the first interval that this clock can tell, there are no reports.
    #[must_use]
    pub fn new(now: Instant, interval: Duration) -> Option<Self> {
        Some(Self {
            interval,
            earliest: now.checked_add(interval)?,
            changed: true,
            due: false,
        })
    }

    /// The media stack judges a stream otherwise than before: good, poor or bad.
    pub fn quality_changed(&mut self, now: Instant) {
        self.changed = true;
        self.handle_timeout(now);
    }

    /// Video is about to be taken out of the call: the last time to report on it.
    pub fn video_ends(&mut self, now: Instant) {
        self.report(now);
    }

    fn report(&mut self, now: Instant) {
        self.due = true;
        self.changed = false;
        self.earliest = now.checked_add(self.interval).unwrap_or(self.earliest);
    }

    /// Whether a report is due; says so once.
    pub fn poll_report(&mut self) -> bool {
        core::mem::take(&mut self.due)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.changed.then_some(self.earliest)
    }

    /// Makes a report due, when it is time and there is something new.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.changed && self.earliest <= now {
            self.report(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_a_call() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(start, DEFAULT_INTERVAL).unwrap();
        assert_eq!(schedule.poll_timeout(), Some(at(35)));
        schedule.quality_changed(at(10));
        schedule.handle_timeout(at(34));
        assert!(!schedule.poll_report());
        // The first one comes whatever the quality is.
        schedule.handle_timeout(at(35));
        assert!(schedule.poll_report());
        assert!(!schedule.poll_report());
        assert_eq!(schedule.poll_timeout(), None);
        // Changes within an interval become one report.
        schedule.quality_changed(at(40));
        schedule.quality_changed(at(50));
        assert!(!schedule.poll_report());
        assert_eq!(schedule.poll_timeout(), Some(at(70)));
        schedule.handle_timeout(at(70));
        assert!(schedule.poll_report());
        // One that comes late is reported at once, and the end of video always.
        schedule.quality_changed(at(200));
        assert!(schedule.poll_report());
        schedule.video_ends(at(201));
        assert!(schedule.poll_report());
        assert_eq!(schedule.poll_timeout(), None);
    }
}
