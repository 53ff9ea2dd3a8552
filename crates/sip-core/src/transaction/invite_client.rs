//! The INVITE client transaction (RFC 3261 17.1.1, RFC 6026 7.2).

use std::time::Instant;

use super::Step;
use super::timers::{Deadlines, Due, Timers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

#[derive(Debug)]
pub(super) struct InviteClient {
    pub(super) state: State,
    reliable: bool,
    cancelled: bool,
    deadlines: Deadlines,
}

impl InviteClient {
    /// The request goes out now. Timer A runs on datagrams, timer B always.
    pub(super) fn new(now: Instant, reliable: bool, timers: &Timers) -> Self {
        Self {
            state: State::Calling,
            reliable,
            cancelled: false,
            deadlines: Deadlines::end_after(now, timers.t1_64())
                .resend_after(now, timers.t1, reliable),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// [`Step::Send`] and [`Step::DeliverAndSend`] mean the ACK.
    pub(super) fn response(&mut self, now: Instant, code: u16, timers: &Timers) -> Step {
        match (self.state, code) {
            (State::Calling | State::Proceeding, 100..200) => {
                self.state = State::Proceeding;
                if !self.cancelled {
                    self.deadlines = Deadlines::end_after(now, timers.proceeding);
                }
                Step::Deliver
            }
            (State::Calling | State::Proceeding, 200..300) => {
                self.state = State::Accepted;
                self.deadlines = Deadlines::end_after(now, timers.t1_64());
                Step::Deliver
            }
            (State::Calling | State::Proceeding, _) => {
                match timers.d(self.reliable) {
                    Some(d) => {
                        self.state = State::Completed;
                        self.deadlines = Deadlines::end_after(now, d);
                    }
                    None => self.state = State::Terminated,
                }
                Step::DeliverAndSend
            }
            (State::Completed, 300..) => Step::Send,
            // Another fork's 2xx, or the same one again: the user's to tell apart and acknowledge.
            (State::Accepted, 200..300) => Step::Deliver,
            _ => Step::Nothing,
        }
    }

    /// A CANCEL goes out: RFC 3261 9.1 gives the final response another 64 T1.
    pub(super) fn cancelled(&mut self, now: Instant, timers: &Timers) {
        self.cancelled = true;
        self.deadlines = Deadlines::end_after(now, timers.t1_64());
    }

    pub(super) fn timeout(&mut self, now: Instant) -> Step {
        // Timer A doubles without bound (17.1.1.2).
        match self.deadlines.poll(now, std::time::Duration::MAX) {
            Due::Nothing => Step::Nothing,
            Due::Resend => Step::Send,
            Due::End => {
                let waiting = matches!(self.state, State::Calling | State::Proceeding);
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
    use super::State::{Accepted, Calling, Completed, Proceeding, Terminated};
    use super::*;
    use crate::transaction::Step::{Deliver, DeliverAndSend, Nothing, Send, TimedOut};
    use std::time::Duration;

    fn in_state(now: Instant, reliable: bool, state: State) -> InviteClient {
        let timers = Timers::default();
        let mut machine = InviteClient::new(now, reliable, &timers);
        match state {
            Calling => {}
            Proceeding => drop(machine.response(now, 180, &timers)),
            Completed => drop(machine.response(now, 486, &timers)),
            Accepted => drop(machine.response(now, 200, &timers)),
            Terminated => machine.state = Terminated,
        }
        assert_eq!(machine.state, state);
        machine
    }

    #[test]
    fn every_response_in_every_state() {
        let now = Instant::now();
        let timers = Timers::default();
        let table = [
            (false, Calling, 100, Deliver, Proceeding),
            (false, Calling, 200, Deliver, Accepted),
            (false, Calling, 486, DeliverAndSend, Completed),
            (true, Calling, 486, DeliverAndSend, Terminated),
            (false, Proceeding, 183, Deliver, Proceeding),
            (false, Proceeding, 200, Deliver, Accepted),
            (false, Proceeding, 603, DeliverAndSend, Completed),
            (true, Proceeding, 401, DeliverAndSend, Terminated),
            (false, Completed, 180, Nothing, Completed),
            (false, Completed, 200, Nothing, Completed),
            (false, Completed, 486, Send, Completed),
            (true, Accepted, 180, Nothing, Accepted),
            (true, Accepted, 200, Deliver, Accepted),
            (true, Accepted, 486, Nothing, Accepted),
        ];
        for (reliable, state, code, step, after) in table {
            let mut machine = in_state(now, reliable, state);
            assert_eq!(
                machine.response(now, code, &timers),
                step,
                "{state:?} {code}"
            );
            assert_eq!(machine.state, after, "{state:?} {code}");
        }
    }

    #[test]
    fn timers_a_and_b() {
        let start = Instant::now();
        let timers = Timers::default();
        let mut machine = InviteClient::new(start, false, &timers);
        let mut sent = Vec::new();
        loop {
            let at = machine.deadline().unwrap();
            match machine.timeout(at) {
                Send => sent.push((at - start).as_millis()),
                TimedOut => {
                    assert_eq!(at - start, Duration::from_secs(32));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 15500, 31500]);
        let machine = InviteClient::new(start, true, &timers);
        assert_eq!(machine.deadline(), Some(start + Duration::from_secs(32)));
    }

    #[test]
    fn timers_c_d_m_and_cancel() {
        let now = Instant::now();
        let timers = Timers::default();
        for (state, seconds, step) in [
            (Proceeding, 1800, TimedOut),
            (Completed, 32, Nothing),
            (Accepted, 32, Nothing),
        ] {
            let mut machine = in_state(now, false, state);
            let at = now + Duration::from_secs(seconds);
            assert_eq!(machine.deadline(), Some(at), "{state:?}");
            assert_eq!(machine.timeout(at), step);
            assert_eq!(machine.state, Terminated);
        }
        let mut machine = in_state(now, true, Proceeding);
        machine.cancelled(now, &timers);
        machine.response(now + Duration::from_secs(1), 180, &timers);
        assert_eq!(machine.deadline(), Some(now + Duration::from_secs(32)));
    }
}
