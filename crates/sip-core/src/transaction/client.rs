//! The non-INVITE client transaction (RFC 3261 17.1.2).

use std::time::Instant;

use super::Step;
use super::timers::{Deadlines, Due, Timers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) state: State,
    reliable: bool,
    deadlines: Deadlines,
}

impl Client {
    /// The request goes out now. Timer E runs on datagrams, timer F always.
    pub(super) fn new(now: Instant, reliable: bool, timers: &Timers) -> Self {
        Self {
            state: State::Trying,
            reliable,
            deadlines: Deadlines::end_after(now, timers.t1_64())
                .resend_after(now, timers.t1, reliable),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(super) fn response(&mut self, now: Instant, code: u16, timers: &Timers) -> Step {
        match (self.state, code) {
            (State::Trying | State::Proceeding, 100..200) => {
                self.state = State::Proceeding;
                self.deadlines.slow_down(timers.t2);
                Step::Deliver
            }
            (State::Trying | State::Proceeding, _) => {
                match timers.i_k(self.reliable) {
                    Some(k) => {
                        self.state = State::Completed;
                        self.deadlines = Deadlines::end_after(now, k);
                    }
                    None => self.state = State::Terminated,
                }
                Step::Deliver
            }
            _ => Step::Nothing,
        }
    }

    pub(super) fn timeout(&mut self, now: Instant, timers: &Timers) -> Step {
        match self.deadlines.poll(now, timers.t2) {
            Due::Nothing => Step::Nothing,
            Due::Resend => Step::Send,
            Due::End => {
                let waiting = self.state != State::Completed;
                self.state = State::Terminated;
                if waiting {
                    Step::TimedOut
                } else {
                    Step::Nothing
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Completed, Proceeding, Terminated, Trying};
    use super::*;
    use crate::transaction::Step::{Deliver, Nothing, Send, TimedOut};
    use std::time::Duration;

    #[test]
    fn every_response_in_every_state() {
        let now = Instant::now();
        let timers = Timers::default();
        let table: [(bool, &[u16], u16, Step, State); 8] = [
            (false, &[], 100, Deliver, Proceeding),
            (false, &[], 200, Deliver, Completed),
            (true, &[], 200, Deliver, Terminated),
            (true, &[], 404, Deliver, Terminated),
            (false, &[100], 100, Deliver, Proceeding),
            (false, &[100], 500, Deliver, Completed),
            (false, &[200], 200, Nothing, Completed),
            (false, &[200], 100, Nothing, Completed),
        ];
        for (reliable, before, code, step, after) in table {
            let mut machine = Client::new(now, reliable, &timers);
            for code in before {
                machine.response(now, *code, &timers);
            }
            assert_eq!(machine.response(now, code, &timers), step);
            assert_eq!(machine.state, after);
        }
    }

    #[test]
    fn timers_e_f_and_k() {
        let start = Instant::now();
        let timers = Timers::default();
        let mut machine = Client::new(start, false, &timers);
        assert_eq!(machine.state, Trying);
        let mut sent = Vec::new();
        loop {
            let at = machine.deadline().unwrap();
            if sent.len() == 9 {
                machine.response(at, 100, &timers);
            }
            match machine.timeout(at, &timers) {
                Send => sent.push((at - start).as_millis()),
                TimedOut => {
                    assert_eq!(at - start, Duration::from_secs(32));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(
            sent,
            [
                500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
            ]
        );

        let mut machine = Client::new(start, false, &timers);
        machine.response(start, 200, &timers);
        let at = start + Duration::from_secs(5);
        assert_eq!(machine.deadline(), Some(at));
        assert_eq!(machine.timeout(at, &timers), Nothing);
        assert_eq!(machine.state, Terminated);
    }

    #[test]
    fn a_provisional_slows_timer_e_down() {
        let start = Instant::now();
        let timers = Timers::default();
        let mut machine = Client::new(start, false, &timers);
        machine.response(start, 100, &timers);
        let first = machine.deadline().unwrap();
        assert_eq!(machine.timeout(first, &timers), Send);
        assert_eq!(machine.deadline(), Some(first + timers.t2));
    }
}
