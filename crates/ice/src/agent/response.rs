//! Answers to our checks (\[MS-ICE2\], \[MS-ICE\] 3.1.5.2.2).

use std::time::Instant;

use ocs_stun::attribute::{ErrorCode, ImplementationVersion, code};
use ocs_stun::{Attribute, Class, Message};
use rand_core::Rng;

use super::arrival::Arrival;
use super::check::Transaction;
use super::{Agent, Path, Via};
use crate::{CandidateType, Dialect, PairState};

impl<R: Rng> Agent<R> {
    pub(super) fn handle_response(&mut self, now: Instant, arrival: Arrival, response: &Message) {
        let id = response.transaction_id();
        let Some(place) = self.transactions.iter().position(|t| t.id == id) else {
            return;
        };
        if !self.is_genuine(&self.transactions[place], response) {
            return;
        }
        let symmetric = self.transactions[place].path == arrival.path;
        let success = response.class() == Class::Success;
        if !symmetric && !success {
            return;
        }
        let mapped = response.reflexive_address().ok().flatten();
        if success && mapped.is_none() {
            return;
        }
        self.version_seen |= response.has(ImplementationVersion::TYPE);
        let transaction = self.transactions.swap_remove(place);
        match mapped {
            _ if !symmetric => {
                if !transaction.consent {
                    self.check_failed(now, transaction.pair);
                }
            }
            Some(mapped) if success => self.check_succeeded(now, arrival, &transaction, mapped),
            _ => self.check_refused(now, &transaction, response),
        }
    }

    /// Fingerprint and integrity. Error responses may be without integrity: their transaction identifier was not to be guessed.
    fn is_genuine(&self, transaction: &Transaction, response: &Message) -> bool {
        let ice2 = self.config.dialect == Dialect::Ice2;
        if ice2 && !response.fingerprint_is_acceptable() {
            return false;
        }
        if response.class() == Class::Error && response.integrity().is_none() {
            return true;
        }
        self.is_signed(response, &transaction.key) && response.unknown_attributes().next().is_none()
    }

    fn check_succeeded(
        &mut self,
        now: Instant,
        arrival: Arrival,
        transaction: &Transaction,
        mapped: std::net::SocketAddr,
    ) {
        let index = transaction.pair;
        self.response_seen = true;
        if let Path::Stream { connection } = arrival.path {
            self.prove(connection);
        }
        if transaction.consent {
            self.consented(now, index);
            return;
        }
        self.pairs[index].mapped = self.local_at(index, mapped, transaction.priority);
        self.pairs[index].state = PairState::Succeeded;
        if transaction.use_candidate {
            self.pairs[index].nominated = true;
            self.pairs[index].nominating = false;
        }
        self.thaw(index);
        self.became_valid(now, index);
    }

    /// The local candidate at the address that the peer saw; if there is none, a peer reflexive one.
    fn local_at(
        &mut self,
        index: usize,
        mapped: std::net::SocketAddr,
        priority: u32,
    ) -> Option<usize> {
        let base = &self.locals[self.pairs[index].local];
        let (component, transport, address) = (base.component, base.transport, base.base);
        let same = |local: &super::Local| {
            local.component == component && local.transport == transport && local.address == mapped
        };
        let known = self.locals.iter().position(same);
        if known.is_some() || self.locals.len() >= 4 * self.config.limits.local_candidates {
            return known;
        }
        let kind = CandidateType::PeerReflexive;
        let learned = self.add_local(component, transport, kind, mapped, address, Via::Socket);
        self.locals[learned].priority = priority;
        Some(learned)
    }

    fn check_refused(&mut self, now: Instant, transaction: &Transaction, response: &Message) {
        let error = match response.get::<ErrorCode>() {
            Ok(Some(error)) => error.code,
            _ => return,
        };
        if error == code::ROLE_CONFLICT && transaction.role == self.role {
            // Of several checks under way each may get its 487: only one that states the role of now changes it.
            self.switch_role();
        }
        if transaction.consent {
            return;
        }
        let index = transaction.pair;
        let limit = self.config.limits.retries;
        let pair = &mut self.pairs[index];
        let again = error == code::ROLE_CONFLICT || asks_for_another_try(error);
        if again && pair.retries < limit {
            pair.retries += 1;
            if pair.state == PairState::InProgress {
                pair.state = PairState::Waiting;
            }
            self.trigger(index);
        } else if pair.state != PairState::Succeeded || transaction.use_candidate {
            if error == code::DISABLE_CANDIDATE {
                let remote = pair.remote;
                for other in 0..self.pairs.len() {
                    if other != index && self.pairs[other].remote == remote {
                        self.check_failed(now, other);
                    }
                }
            }
            self.check_failed(now, index);
        }
    }
}

/// Errors after which a check is tried again (\[MS-ICE\] 3.1.5.2.2.x).
const fn asks_for_another_try(error: u16) -> bool {
    matches!(
        error,
        code::UNAUTHORIZED
            | code::STALE_CREDENTIALS
            | code::INTEGRITY_CHECK_FAILURE
            | code::MISSING_USERNAME
            | code::SERVER_ERROR
    )
}
