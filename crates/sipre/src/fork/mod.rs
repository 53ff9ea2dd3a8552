//! The response context of a forked request (RFC 3261 16.7, 16.8, 16.10 and the rules of this system).
//!
//! Branches of the same preference ring together, groups one after the other. Messages given in have the own Via taken off
//! already; what comes out goes to the server transaction of the caller, or to the client transaction of a branch. Those
//! transactions acknowledge final answers above 299 themselves; the ACK to a 2xx comes from the caller, end to end.

mod best;
mod types;

use std::collections::VecDeque;
use std::time::Instant;

use ocs_sip_core::{HeaderName, Message, Method};

use best::{rank, with_status};
pub use types::{Action, BranchId, CancelReason, Config};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    /// As soon as there is a provisional answer.
    Wanted(CancelReason),
    Sent(CancelReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Calling { proceeding: bool },
    Done,
}

#[derive(Debug)]
struct Branch {
    q: u16,
    phase: Phase,
    cancel: Cancel,
    deadline: Option<Instant>,
}

impl Branch {
    const fn is_calling(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. })
    }
}

#[derive(Debug)]
enum Outcome {
    Remote(Box<Message>),
    Local(u16),
}

/// One forked request.
#[derive(Debug)]
pub struct Fork {
    config: Config,
    is_invite: bool,
    branches: Vec<Branch>,
    /// The best final answer so far, its rank (lower is better) and its branch.
    best: Option<(u16, usize, Outcome)>,
    challenges: Vec<(usize, HeaderName, String)>,
    final_sent: bool,
    /// No further groups: answered, declined, or cancelled.
    stopped: bool,
    caller_cancelled: bool,
    group_deadline: Option<Instant>,
    actions: VecDeque<Action>,
}

/// Challenges that are kept of all branches together.
const MAX_CHALLENGES: usize = 32;

impl Fork {
    /// Starts to fork a request to targets of these preferences, in thousandths. The highest start at once. Without
    /// targets the caller gets 480.
    #[must_use]
    pub fn new(now: Instant, method: &Method, preferences: &[u16], config: Config) -> Self {
        let mut fork = Self {
            config,
            is_invite: *method == Method::Invite,
            branches: Vec::with_capacity(preferences.len()),
            best: None,
            challenges: Vec::new(),
            final_sent: false,
            stopped: false,
            caller_cancelled: false,
            group_deadline: None,
            actions: VecDeque::new(),
        };
        fork.branches.extend(preferences.iter().map(|&q| Branch {
            q,
            phase: Phase::Idle,
            cancel: Cancel::No,
            deadline: None,
        }));
        fork.advance(now);
        fork
    }

    /// Whether the request goes to more than one place: `branched=TRUE` of the own Via.
    #[must_use]
    pub fn is_branched(&self) -> bool {
        self.branches.len() > 1
    }

    /// Whether the caller has his final answer and every branch has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.final_sent && self.branches.iter().all(|b| b.phase == Phase::Done)
    }

    /// Adds a target that starts at once, besides those that ring. `None` when the request has its answer already.
    pub fn add_branch(&mut self, now: Instant) -> Option<BranchId> {
        if self.final_sent || self.stopped {
            return None;
        }
        self.branches.push(Branch {
            q: 0,
            phase: Phase::Idle,
            cancel: Cancel::No,
            deadline: None,
        });
        let index = self.branches.len() - 1;
        self.start(now, index);
        Some(BranchId(index))
    }

    fn start(&mut self, now: Instant, index: usize) {
        let branch = &mut self.branches[index];
        branch.phase = Phase::Calling { proceeding: false };
        branch.deadline = self.is_invite.then(|| now + self.config.timer_c);
        self.actions.push_back(Action::Start(BranchId(index)));
    }

    /// A response of a branch.
    pub fn handle_response(&mut self, now: Instant, branch: BranchId, response: Message) {
        let (Some(status), Some(state)) = (response.status(), self.branches.get_mut(branch.0))
        else {
            return;
        };
        if state.phase == Phase::Done {
            // Further 2xx of one branch: it was forked again behind us, or is repeated (16.7 step 5).
            if self.is_invite && (200..300).contains(&status) {
                self.actions.push_back(Action::Forward(Box::new(response)));
            }
            return;
        }
        if status < 200 {
            state.phase = Phase::Calling { proceeding: true };
            if let Cancel::Wanted(reason) = state.cancel {
                self.send_cancel(now, branch.0, reason);
            } else if status > 100 && state.cancel == Cancel::No && state.deadline.is_some() {
                state.deadline = Some(now + self.config.timer_c);
            }
            if status > 100 && !self.final_sent {
                self.actions.push_back(Action::Forward(Box::new(response)));
            }
            return;
        }
        let cancel = state.cancel;
        state.phase = Phase::Done;
        state.deadline = None;
        match status {
            200..=299 => {
                if self.is_invite || !self.final_sent {
                    self.actions.push_back(Action::Forward(Box::new(response)));
                }
                self.final_sent = true;
                self.stop(now, CancelReason::CompletedElsewhere);
            }
            // Nobody cancelled but we, because it took too long: that is no answer.
            487 if cancel == Cancel::Sent(CancelReason::NoAnswer) => {
                self.keep(branch.0, Outcome::Local(480), 480);
            }
            _ => {
                if matches!(status, 401 | 407) {
                    self.keep_challenges(branch.0, &response);
                }
                self.keep(branch.0, Outcome::Remote(Box::new(response)), status);
                if status >= 600 {
                    self.stop(now, CancelReason::Declined(status));
                }
            }
        }
        self.advance(now);
    }

    /// The client transaction of the branch timed out (RFC 3261 16.7: as if 408 came).
    pub fn handle_branch_timeout(&mut self, now: Instant, branch: BranchId) {
        self.end_locally(now, branch, 408);
    }

    /// The connection to the target of the branch is gone. As if the endpoint were not registered: 480 (inferred; RFC 3261 16.9 has 503).
    pub fn handle_unreachable(&mut self, now: Instant, branch: BranchId) {
        self.end_locally(now, branch, 480);
    }

    fn end_locally(&mut self, now: Instant, branch: BranchId, status: u16) {
        let Some(state) = self.branches.get_mut(branch.0) else {
            return;
        };
        if !state.is_calling() {
            return;
        }
        state.phase = Phase::Done;
        state.deadline = None;
        self.keep(branch.0, Outcome::Local(status), status);
        self.advance(now);
    }

    /// The caller's CANCEL: every branch is cancelled, no further group starts. The caller gets 487 when all have ended, unless a 2xx
    /// crosses.
    pub fn cancel(&mut self, now: Instant) {
        if self.final_sent || !self.is_invite {
            return;
        }
        self.caller_cancelled = true;
        self.stop(now, CancelReason::Caller);
        self.advance(now);
    }

    fn stop(&mut self, now: Instant, reason: CancelReason) {
        self.stopped = true;
        self.group_deadline = None;
        for index in 0..self.branches.len() {
            self.cancel_branch(now, index, reason);
        }
    }

    fn cancel_branch(&mut self, now: Instant, index: usize, reason: CancelReason) {
        let branch = &mut self.branches[index];
        match (branch.phase, branch.cancel) {
            (Phase::Idle, _) => branch.phase = Phase::Done,
            // CANCEL is for INVITE (9.1); other requests are answered soon anyway.
            (Phase::Calling { .. }, _) if !self.is_invite => {}
            (Phase::Calling { proceeding: true }, Cancel::No) => {
                self.send_cancel(now, index, reason);
            }
            (Phase::Calling { proceeding: false }, Cancel::No) => {
                branch.cancel = Cancel::Wanted(reason);
            }
            _ => {}
        }
    }

    fn send_cancel(&mut self, now: Instant, index: usize, reason: CancelReason) {
        let branch = &mut self.branches[index];
        branch.cancel = Cancel::Sent(reason);
        branch.deadline = Some(now + self.config.cancel_wait);
        self.actions
            .push_back(Action::Cancel(BranchId(index), reason));
    }

    fn keep(&mut self, index: usize, outcome: Outcome, status: u16) {
        let rank = rank(status);
        if self.best.as_ref().is_none_or(|(best, _, _)| rank < *best) {
            self.best = Some((rank, index, outcome));
        }
    }

    fn keep_challenges(&mut self, index: usize, response: &Message) {
        for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
            let room = MAX_CHALLENGES.saturating_sub(self.challenges.len());
            let lines = response.lines(name).take(room);
            self.challenges
                .extend(lines.map(|line| (index, name, line.to_owned())));
        }
    }

    /// Starts the next group, or answers the caller, when no branch of the current group is open.
    fn advance(&mut self, now: Instant) {
        if self.final_sent || self.branches.iter().any(Branch::is_calling) {
            return;
        }
        self.group_deadline = None;
        let idle = |branch: &&Branch| branch.phase == Phase::Idle;
        let next = self.branches.iter().filter(idle).map(|b| b.q).max();
        if let Some(q) = next.filter(|_| !self.stopped) {
            for index in 0..self.branches.len() {
                if self.branches[index].phase == Phase::Idle && self.branches[index].q == q {
                    self.start(now, index);
                }
            }
            let more = self.branches.iter().any(|b| b.phase == Phase::Idle);
            // Only an INVITE rings.
            if more && self.is_invite {
                self.group_deadline = Some(now + self.config.group_time);
            }
            return;
        }
        self.final_sent = true;
        let action = match self.best.take() {
            Some((_, index, Outcome::Remote(response))) => self.final_answer(index, response),
            _ if self.caller_cancelled => Action::Respond(487),
            Some((_, _, Outcome::Local(status))) => Action::Respond(status),
            None => Action::Respond(480),
        };
        self.actions.push_back(action);
    }

    fn final_answer(&self, index: usize, mut response: Box<Message>) -> Action {
        let status = response.status().unwrap_or(500);
        if self.caller_cancelled && status < 600 && status != 487 {
            return Action::Respond(487);
        }
        if status == 503 {
            // 503 would say that this proxy is overloaded (16.7 step 6).
            return Action::Forward(Box::new(with_status(&response, 500)));
        }
        if matches!(status, 401 | 407) {
            // The caller must be able to answer all challenges at once (16.7 step 7).
            for (from, name, value) in &self.challenges {
                if *from != index {
                    response.push(*name, value);
                }
            }
        }
        Action::Forward(response)
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for index in 0..self.branches.len() {
            let branch = &self.branches[index];
            if branch.deadline.is_none_or(|at| at > now) {
                continue;
            }
            match (branch.phase, branch.cancel) {
                (Phase::Calling { proceeding: true }, Cancel::No) => {
                    self.send_cancel(now, index, CancelReason::NoAnswer);
                }
                _ => self.end_locally(now, BranchId(index), 408),
            }
        }
        if self.group_deadline.is_some_and(|at| at <= now) {
            self.group_deadline = None;
            for index in 0..self.branches.len() {
                if self.branches[index].is_calling() {
                    self.cancel_branch(now, index, CancelReason::NoAnswer);
                }
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let branches = self.branches.iter().filter_map(|branch| branch.deadline);
        branches.chain(self.group_deadline).min()
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
