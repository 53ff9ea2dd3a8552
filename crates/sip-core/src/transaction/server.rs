//! The non-INVITE server transaction (RFC 3261 17.2.2).

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
pub(super) struct Server {
    pub(super) state: State,
    reliable: bool,
    deadlines: Deadlines,
}

impl Server {
    pub(super) fn new(now: Instant, reliable: bool, timers: &Timers) -> Self {
        Self {
            state: State::Trying,
            reliable,
            deadlines: Deadlines::end_after(now, timers.proceeding),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The same request again. [`Step::Send`] is the last response.
    pub(super) fn request(&self) -> Step {
        match self.state {
            State::Trying | State::Terminated => Step::Nothing,
            State::Proceeding | State::Completed => Step::Send,
        }
    }

    /// A response of the user: [`Step::Send`], or [`Step::Nothing`] after a final one.
    pub(super) fn respond(&mut self, now: Instant, code: u16, timers: &Timers) -> Step {
        match (self.state, code) {
            (State::Trying | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                self.deadlines = Deadlines::end_after(now, timers.proceeding);
                Step::Send
            }
            (State::Trying | State::Proceeding, _) => {
                match timers.j(self.reliable) {
                    Some(j) => {
                        self.state = State::Completed;
                        self.deadlines = Deadlines::end_after(now, j);
                    }
                    None => self.state = State::Terminated,
                }
                Step::Send
            }
            _ => Step::Nothing,
        }
    }

    /// [`Step::TimedOut`]: the user never answered.
    pub(super) fn timeout(&mut self, now: Instant, timers: &Timers) -> Step {
        match self.deadlines.poll(now, timers.t2) {
            Due::Nothing | Due::Resend => Step::Nothing,
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
    use crate::transaction::Step::{Nothing, Send, TimedOut};
    use std::time::Duration;

    /// Stream, answers before, the input (`None` is the request again), what it does, the state after.
    type Row = (bool, &'static [u16], Option<u16>, Step, State);

    #[test]
    fn every_input_in_every_state() {
        let now = Instant::now();
        let timers = Timers::default();
        let table: [Row; 9] = [
            (false, &[], None, Nothing, Trying),
            (false, &[], Some(100), Send, Proceeding),
            (false, &[], Some(200), Send, Completed),
            (true, &[], Some(200), Send, Terminated),
            (false, &[100], None, Send, Proceeding),
            (false, &[100], Some(100), Send, Proceeding),
            (false, &[100], Some(481), Send, Completed),
            (false, &[200], None, Send, Completed),
            (false, &[200], Some(500), Nothing, Completed),
        ];
        for (reliable, before, input, step, after) in table {
            let mut machine = Server::new(now, reliable, &timers);
            for code in before {
                machine.respond(now, *code, &timers);
            }
            let got = match input {
                None => machine.request(),
                Some(code) => machine.respond(now, code, &timers),
            };
            assert_eq!(got, step, "{before:?} {input:?}");
            assert_eq!(machine.state, after, "{before:?} {input:?}");
        }
    }

    #[test]
    fn timer_j_and_the_patience_with_the_user() {
        let start = Instant::now();
        let timers = Timers::default();
        for (codes, after, step) in [
            (&[][..], timers.proceeding, TimedOut),
            (&[100][..], timers.proceeding, TimedOut),
            (&[200][..], Duration::from_secs(32), Nothing),
        ] {
            let mut machine = Server::new(start, false, &timers);
            for code in codes {
                machine.respond(start, *code, &timers);
            }
            assert_eq!(machine.deadline(), Some(start + after));
            assert_eq!(machine.timeout(start + after, &timers), step);
            assert_eq!(machine.state, Terminated);
        }
    }
}
