//! \[MS-ICE2BWM\]: the bandwidth policy decides which pairs may be used.

use std::time::Instant;

use ocs_stun::attribute::code;
use rand_core::Rng;

use super::arrival::Arrival;
use super::{Agent, Phase};
use crate::bandwidth::{Policy, Sites};
use crate::io::{Event, Failure};
use crate::{CandidateType, Error, PairState, Role};

/// What is known of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody is asked.
    None,
    /// It was asked for.
    Asked,
    /// This.
    Known(Policy),
}

impl<R: Rng> Agent<R> {
    /// Whether checks have to wait for the policy.
    pub(super) fn policy_is_open(&self) -> bool {
        self.policy == State::Asked
    }

    pub(super) fn ask_for_policy(&mut self) {
        if self.config.bandwidth_management {
            self.policy = State::Asked;
            self.emit(Event::PolicyWanted(self.sites()));
        }
    }

    fn sites(&self) -> Sites {
        let local = |kind| {
            let local = self.locals.iter().find(|local| local.kind == kind);
            local.map(|local| local.address)
        };
        let remote = |kind| {
            let remote = self.remotes.iter().find(|remote| remote.kind == kind);
            remote.map(|remote| remote.address)
        };
        Sites {
            local_site: local(CandidateType::Host),
            local_relay: local(CandidateType::Relayed),
            remote_site: remote(CandidateType::Host)
                .or_else(|| remote(CandidateType::ServerReflexive)),
            remote_relay: remote(CandidateType::Relayed),
        }
    }

    /// The answer of the policy server, or `None` if there is none: then everything is allowed. The checks begin.
    pub fn handle_policy(&mut self, now: Instant, policy: Option<Policy>) {
        if self.policy != State::Asked {
            return;
        }
        self.policy = State::Known(policy.unwrap_or(Policy::ALLOWED));
        for index in 0..self.pairs.len() {
            self.apply_policy(index);
        }
        if !self.pairs.is_empty() && self.pairs.iter().all(|pair| pair.denied) {
            self.fail(Failure::NoBandwidth);
            return;
        }
        self.deadline = Some(now + self.config.timers.checks);
        self.reduced = false;
        self.proceed(now);
    }

    /// Judges a pair.
    pub(super) fn apply_policy(&mut self, index: usize) {
        let State::Known(policy) = self.policy else {
            return;
        };
        let pair = &mut self.pairs[index];
        let local = self.locals[pair.local].kind;
        let remote = self.remotes[pair.remote].kind;
        if !policy.allows(local, remote) {
            pair.denied = true;
            pair.state = PairState::Failed;
        }
    }

    /// The error for a check on a pair that is denied: 274 if every pair of our candidate is, else 275.
    pub(super) fn denial(&self, arrival: Arrival) -> Option<u16> {
        let State::Known(policy) = self.policy else {
            return None;
        };
        let remote = self.find_remote(arrival);
        let kind = remote.map_or(CandidateType::PeerReflexive, |r| self.remotes[r].kind);
        if policy.allows(self.locals[arrival.local].kind, kind) {
            return None;
        }
        let mut own = self.pairs.iter().filter(|pair| pair.local == arrival.local);
        Some(if own.all(|pair| pair.denied) {
            code::DISABLE_CANDIDATE
        } else {
            code::DISABLE_CANDIDATE_PAIR
        })
    }

    /// The policy server did not commit the bandwidth of the selected pairs: checks go on without them, and the best of what is
    /// found is selected (inferred). The controlled side learns of it by the final offer.
    ///
    /// # Errors
    /// [`Error::WrongState`] at the controlled side, or before [`Event::Completed`].
    pub fn handle_commit_denied(&mut self, now: Instant) -> Result<(), Error> {
        if self.phase != Phase::Completed || self.role != Role::Controlling {
            let operation = "denying the selected pairs";
            return Err(Error::WrongState { operation });
        }
        for media in &mut self.media {
            if let Some(index) = media.selected.take() {
                self.pairs[index].denied = true;
                self.pairs[index].nominated = false;
            }
        }
        for pair in &mut self.pairs {
            if pair.state == PairState::InProgress {
                // Its check was given up when the pairs were selected.
                pair.state = PairState::Waiting;
            }
        }
        self.transactions.clear();
        self.phase = Phase::Checking;
        self.deadline = Some(now + self.config.timers.checks_reduced);
        self.proceed(now);
        Ok(())
    }
}
