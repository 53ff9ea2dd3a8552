//! Checks of the peer, once they are accepted.

use std::time::Instant;

use ocs_stun::Message;
use rand_core::Rng;
use smol_str::SmolStr;

use super::arrival::Arrival;
use super::{Agent, Path, Remote};
use crate::sdp::ice::CandidateId;
use crate::{CandidateType, Dialect, Foundation, PairState, Role, Transport};

/// A check that was accepted and answered.
#[derive(Debug, Clone)]
pub(super) struct EarlyCheck {
    pub(super) arrival: Arrival,
    pub(super) use_candidate: bool,
    pub(super) priority: Option<u32>,
    pub(super) foundation: Option<Foundation>,
    /// In \[MS-ICE2\]: the `ice-ufrag` of who sent it.
    pub(super) ufrag: Option<SmolStr>,
    /// In \[MS-ICE\]: the identifiers of the candidates that it was sent to and from.
    pub(super) ids: Option<(CandidateId, CandidateId)>,
}

impl<R: Rng> Agent<R> {
    pub(super) fn handle_request(&mut self, now: Instant, arrival: Arrival, request: &Message) {
        match self.config.dialect {
            Dialect::Ice => self.ice_request(now, arrival, request),
            Dialect::Ice2 => self.ice2_request(now, arrival, request),
        }
    }

    /// A check was accepted and answered. What came before the peer's description is kept until then.
    pub(super) fn check_accepted(&mut self, now: Instant, check: EarlyCheck) {
        if let Path::Stream { connection } = check.arrival.path {
            self.prove(connection);
        }
        if self.remote_known {
            self.process_check(now, &check);
        } else if self.early.len() < self.config.limits.early_checks {
            self.early.push(check);
        }
    }

    pub(super) fn process_early_checks(&mut self, now: Instant) {
        for check in core::mem::take(&mut self.early) {
            self.process_check(now, &check);
        }
    }

    fn process_check(&mut self, now: Instant, check: &EarlyCheck) {
        self.request_seen = true;
        let Some(index) = self.pair_of(check) else {
            return;
        };
        if self.pairs[index].denied {
            return;
        }
        let controlled = self.role == Role::Controlled;
        let pair = &mut self.pairs[index];
        pair.received = true;
        pair.nominated |= check.use_candidate && controlled;
        if let Path::Stream { connection } = check.arrival.path {
            pair.connection.get_or_insert(connection);
        }
        match pair.state {
            PairState::Succeeded => self.became_valid(now, index),
            PairState::Failed if self.config.dialect == Dialect::Ice => {}
            PairState::InProgress => self.trigger(index),
            PairState::Waiting | PairState::Frozen | PairState::Failed => {
                pair.state = PairState::Waiting;
                self.trigger(index);
            }
        }
    }

    /// The pair that a check is about; of a sender that is not known, a new one.
    fn pair_of(&mut self, check: &EarlyCheck) -> Option<usize> {
        let local = check.arrival.local;
        let known = self.find_remote(check.arrival);
        let remote = known.or_else(|| self.learn_remote(check))?;
        if let Some(index) = self.find_pair(local, remote) {
            return Some(index);
        }
        let limits = &self.config.limits;
        let room = self.pairs.len() < limits.pairs + 2 * limits.peer_reflexive;
        room.then(|| self.add_pair(local, remote))
    }

    /// The remote candidate that something came from.
    pub(super) fn find_remote(&self, arrival: Arrival) -> Option<usize> {
        let local = &self.locals[arrival.local];
        self.remotes.iter().position(|remote| {
            remote.component == local.component
                && remote.address == arrival.remote
                && local.transport.pairs_with(remote.transport)
        })
    }

    /// A peer reflexive candidate.
    fn learn_remote(&mut self, check: &EarlyCheck) -> Option<usize> {
        let local = &self.locals[check.arrival.local];
        let component = local.component;
        let transport = match local.transport {
            Transport::TcpActive => Transport::TcpPassive,
            Transport::TcpPassive => Transport::TcpActive,
            other => other,
        };
        let kind = CandidateType::PeerReflexive;
        let learned = |remote: &&Remote| remote.component == component && remote.kind == kind;
        let count = self.remotes.iter().filter(learned).count();
        if count >= self.config.limits.peer_reflexive {
            return None;
        }
        let legacy = match &check.ids {
            Some((own, peer)) => Some(self.derived_remote(own, peer)?),
            None => None,
        };
        let priority = match &check.ids {
            Some((_, peer)) => self.priority_of(peer),
            None => check.priority,
        };
        let usual = || self.priority(kind, transport, 0, component);
        self.remotes.push(Remote {
            component,
            transport,
            kind,
            address: check.arrival.remote,
            priority: priority.unwrap_or_else(usual),
            foundation: check
                .foundation
                .clone()
                .unwrap_or_else(|| Foundation::learned(self.remotes.len())),
            legacy,
        });
        Some(self.remotes.len() - 1)
    }
}
