//! The INVITE server transaction (RFC 3261 17.2.1, RFC 6026 7.1).

use std::time::Instant;

use super::Step;
use super::timers::{Deadlines, Due, Timers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing was sent yet: the part of Proceeding before the 100.
    Trying,
    Proceeding,
    Completed,
    Accepted,
    Confirmed,
    Terminated,
}

#[derive(Debug)]
pub(super) struct InviteServer {
    pub(super) state: State,
    reliable: bool,
    /// The final response was a challenge.
    challenged: bool,
    deadlines: Deadlines,
}

impl InviteServer {
    pub(super) fn new(now: Instant, reliable: bool, timers: &Timers) -> Self {
        Self {
            state: State::Trying,
            reliable,
            challenged: false,
            deadlines: Deadlines::end_after(now, timers.trying),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The same INVITE again. [`Step::Send`] is the last response, in Trying the 100.
    ///
    /// [`Step::Restart`]: clients of this system answer a challenge with the same request, signed, under the same CSeq (confirmed
    /// with SIPE 1.25). Without a new branch, or without an ACK before it, it looks like a retransmission; but a stream has none.
    pub(super) fn request(&mut self, now: Instant, timers: &Timers) -> Step {
        match self.state {
            State::Completed if self.reliable && self.challenged => Step::Restart,
            State::Trying => self.send_trying(now, timers),
            State::Proceeding | State::Completed => Step::Send,
            State::Accepted | State::Confirmed | State::Terminated => Step::Nothing,
        }
    }

    /// An ACK that belongs to this INVITE. [`Step::Deliver`] when it answers a 2xx.
    pub(super) fn ack(&mut self, now: Instant, timers: &Timers) -> Step {
        match self.state {
            State::Completed => {
                match timers.i_k(self.reliable) {
                    Some(i) => {
                        self.state = State::Confirmed;
                        self.deadlines = Deadlines::end_after(now, i);
                    }
                    None => self.state = State::Terminated,
                }
                Step::Nothing
            }
            State::Accepted => Step::Deliver,
            _ => Step::Nothing,
        }
    }

    /// A response of the user: [`Step::Send`], or [`Step::Nothing`] when this state takes none of that kind.
    pub(super) fn respond(&mut self, now: Instant, code: u16, timers: &Timers) -> Step {
        match (self.state, code) {
            (State::Trying | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                self.deadlines = Deadlines::end_after(now, timers.proceeding);
                Step::Send
            }
            (State::Trying | State::Proceeding, 200..300) => {
                self.state = State::Accepted;
                self.deadlines = Deadlines::end_after(now, timers.t1_64());
                Step::Send
            }
            (State::Trying | State::Proceeding, _) => {
                self.state = State::Completed;
                self.challenged = matches!(code, 401 | 407);
                self.deadlines = Deadlines::end_after(now, timers.t1_64()).resend_after(
                    now,
                    timers.t1,
                    self.reliable,
                );
                Step::Send
            }
            // The user repeats its 2xx until the ACK is there (13.3.1.4).
            (State::Accepted, 200..300) => Step::Send,
            _ => Step::Nothing,
        }
    }

    /// [`Step::TimedOut`]: no ACK came, or the user never answered.
    pub(super) fn timeout(&mut self, now: Instant, timers: &Timers) -> Step {
        match self.deadlines.poll(now, timers.t2) {
            Due::Nothing => Step::Nothing,
            Due::Resend => Step::Send,
            Due::End if self.state == State::Trying => self.send_trying(now, timers),
            Due::End => {
                let failed = matches!(self.state, State::Proceeding | State::Completed);
                self.state = State::Terminated;
                if failed {
                    Step::TimedOut
                } else {
                    Step::Nothing
                }
            }
        }
    }

    fn send_trying(&mut self, now: Instant, timers: &Timers) -> Step {
        self.state = State::Proceeding;
        self.deadlines = Deadlines::end_after(now, timers.proceeding);
        Step::Send
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Accepted, Completed, Confirmed, Proceeding, Terminated, Trying};
    use super::*;
    use crate::transaction::Step::{Deliver, Nothing, Restart, Send, TimedOut};
    use std::time::Duration;

    #[derive(Debug, Clone, Copy)]
    enum Input {
        Invite,
        Ack,
        Answer(u16),
    }
    use Input::{Ack, Answer, Invite};

    /// Stream, what came before, the state then, the input, what it does, the state after.
    type Row = (bool, &'static [Input], State, Input, Step, State);

    fn step(machine: &mut InviteServer, now: Instant, input: Input) -> Step {
        let timers = Timers::default();
        match input {
            Invite => machine.request(now, &timers),
            Ack => machine.ack(now, &timers),
            Answer(code) => machine.respond(now, code, &timers),
        }
    }

    #[test]
    fn every_input_in_every_state() {
        let now = Instant::now();
        let table: [Row; 25] = [
            (true, &[Answer(401)], Completed, Invite, Restart, Completed),
            (false, &[Answer(401)], Completed, Invite, Send, Completed),
            (true, &[Answer(486)], Completed, Invite, Send, Completed),
            (false, &[], Trying, Invite, Send, Proceeding),
            (false, &[], Trying, Ack, Nothing, Trying),
            (false, &[], Trying, Answer(180), Send, Proceeding),
            (false, &[], Trying, Answer(200), Send, Accepted),
            (false, &[], Trying, Answer(486), Send, Completed),
            (false, &[Answer(180)], Proceeding, Invite, Send, Proceeding),
            (
                false,
                &[Answer(180)],
                Proceeding,
                Answer(183),
                Send,
                Proceeding,
            ),
            (
                false,
                &[Answer(180)],
                Proceeding,
                Answer(202),
                Send,
                Accepted,
            ),
            (
                false,
                &[Answer(180)],
                Proceeding,
                Answer(603),
                Send,
                Completed,
            ),
            (false, &[Answer(486)], Completed, Invite, Send, Completed),
            (false, &[Answer(486)], Completed, Ack, Nothing, Confirmed),
            (true, &[Answer(486)], Completed, Ack, Nothing, Terminated),
            (
                false,
                &[Answer(486)],
                Completed,
                Answer(200),
                Nothing,
                Completed,
            ),
            (
                false,
                &[Answer(486)],
                Completed,
                Answer(180),
                Nothing,
                Completed,
            ),
            (false, &[Answer(200)], Accepted, Invite, Nothing, Accepted),
            (false, &[Answer(200)], Accepted, Ack, Deliver, Accepted),
            (false, &[Answer(200)], Accepted, Answer(200), Send, Accepted),
            (
                false,
                &[Answer(200)],
                Accepted,
                Answer(486),
                Nothing,
                Accepted,
            ),
            (
                false,
                &[Answer(200)],
                Accepted,
                Answer(180),
                Nothing,
                Accepted,
            ),
            (
                false,
                &[Answer(486), Ack],
                Confirmed,
                Ack,
                Nothing,
                Confirmed,
            ),
            (
                false,
                &[Answer(486), Ack],
                Confirmed,
                Invite,
                Nothing,
                Confirmed,
            ),
            (
                false,
                &[Answer(486), Ack],
                Confirmed,
                Answer(200),
                Nothing,
                Confirmed,
            ),
        ];
        for (reliable, before, state, input, expected, after) in table {
            let mut machine = InviteServer::new(now, reliable, &Timers::default());
            for input in before {
                step(&mut machine, now, *input);
            }
            assert_eq!(machine.state, state);
            assert_eq!(
                step(&mut machine, now, input),
                expected,
                "{state:?} {input:?}"
            );
            assert_eq!(machine.state, after, "{state:?} {input:?}");
        }
    }

    #[test]
    fn timers_g_and_h() {
        let start = Instant::now();
        let timers = Timers::default();
        let mut machine = InviteServer::new(start, false, &timers);
        machine.respond(start, 486, &timers);
        let mut sent = Vec::new();
        loop {
            let at = machine.deadline().unwrap();
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
        // On a stream only H.
        let mut machine = InviteServer::new(start, true, &timers);
        machine.respond(start, 486, &timers);
        assert_eq!(machine.deadline(), Some(start + Duration::from_secs(32)));
    }

    #[test]
    fn the_100_and_timers_i_and_l() {
        let start = Instant::now();
        let timers = Timers::default();
        let mut machine = InviteServer::new(start, true, &timers);
        let at = start + Duration::from_millis(200);
        assert_eq!(machine.deadline(), Some(at));
        assert_eq!(machine.timeout(at, &timers), Send);
        assert_eq!(machine.state, Proceeding);
        let at = at + timers.proceeding;
        assert_eq!(machine.deadline(), Some(at));
        assert_eq!(machine.timeout(at, &timers), TimedOut);

        for (inputs, seconds) in [(&[Answer(486), Ack][..], 5), (&[Answer(200)][..], 32)] {
            let mut machine = InviteServer::new(start, false, &timers);
            for input in inputs {
                step(&mut machine, start, *input);
            }
            let at = start + Duration::from_secs(seconds);
            assert_eq!(machine.deadline(), Some(at));
            assert_eq!(machine.timeout(at, &timers), Nothing);
            assert_eq!(machine.state, Terminated);
        }
    }
}
