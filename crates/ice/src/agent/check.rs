//! Sending checks: one every Ta, and again until they are answered.

use std::time::{Duration, Instant};

use ocs_stun::{IntegrityKey, TransactionId};
use rand_core::Rng;

use super::{Agent, Path, Phase, Via};
use crate::binding::Wire;
use crate::config::Nomination;
use crate::io::{ConnectionId, Output};
use crate::{CandidateType, Dialect, PairState, Role, Transport};

/// A check that was sent and not answered.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) id: TransactionId,
    pub(super) pair: usize,
    pub(super) path: Path,
    pub(super) wire: Wire,
    pub(super) key: IntegrityKey,
    /// What the request said.
    pub(super) role: Role,
    pub(super) priority: u32,
    pub(super) use_candidate: bool,
    /// A question for consent does not decide about its pair.
    pub(super) consent: bool,
    /// When it is sent again, or has failed.
    pub(super) next: Instant,
    wait: Duration,
    left: u8,
}

impl<R: Rng> Agent<R> {
    /// Whether a pair may be checked now.
    fn may_check(&self, index: usize) -> bool {
        let pair = &self.pairs[index];
        let allowed = match self.phase {
            Phase::Checking => !self.policy_is_open(),
            // Of what the peer nominates our own check may still be due.
            Phase::Nominating | Phase::Completed => match self.role {
                Role::Controlling => pair.nominating,
                Role::Controlled => pair.nominated && pair.state != PairState::Succeeded,
            },
            _ => false,
        };
        allowed && !pair.denied && pair.state != PairState::Failed
    }

    /// The pair whose turn it is: a triggered one, the best waiting one, the best frozen one.
    fn next_pair(&self) -> Option<usize> {
        let mut triggered = self.triggered.iter().copied();
        let triggered = triggered.find(|index| self.may_check(*index));
        triggered.or_else(|| {
            let open = self.pairs.iter().enumerate().filter(|(index, pair)| {
                matches!(pair.state, PairState::Waiting | PairState::Frozen)
                    && self.may_check(*index)
            });
            let best =
                open.max_by_key(|(_, pair)| (pair.state == PairState::Waiting, pair.priority));
            best.map(|(index, _)| index)
        })
    }

    pub(super) fn check_timeout(&self) -> Option<Instant> {
        self.next_pair().and(self.next_check)
    }

    /// Queues the check of a pair before all ordinary ones.
    pub(super) fn trigger(&mut self, index: usize) {
        if !self.triggered.contains(&index) {
            self.triggered.push_back(index);
        }
    }

    /// Sends what may be sent by now.
    pub(super) fn send_checks(&mut self, now: Instant) {
        while self.next_check.is_none_or(|next| next <= now) {
            let Some(index) = self.next_pair() else {
                self.triggered.clear();
                return;
            };
            self.triggered.retain(|other| *other != index);
            self.next_check = Some(now + self.config.timers.pace);
            self.check(now, index);
        }
    }

    /// Sends the check of a pair, first making the connection if it needs one.
    fn check(&mut self, now: Instant, index: usize) {
        let pair = &self.pairs[index];
        let under_way = self.transactions.iter().position(|transaction| {
            transaction.pair == index
                && !transaction.consent
                && transaction.use_candidate == self.uses_candidate(index)
        });
        if let Some(transaction) = under_way {
            // The peer has just been heard: what was lost before may get through now.
            if !self.locals[pair.local].transport.is_tcp() {
                self.transmit_check(now, transaction);
            }
            return;
        }
        if pair.state != PairState::Succeeded {
            self.pairs[index].state = PairState::InProgress;
        }
        match self.path(&self.pairs[index]) {
            Some(path) => self.begin_transaction(now, index, path, false),
            None => self.connect(now, index),
        }
    }

    /// Whether the next check of a pair carries USE-CANDIDATE.
    fn uses_candidate(&self, index: usize) -> bool {
        let pair = &self.pairs[index];
        let aggressive = self.config.nomination == Nomination::Aggressive
            && !self.locals[pair.local].transport.is_tcp();
        self.config.dialect == Dialect::Ice2
            && self.role == Role::Controlling
            && (pair.nominating || aggressive)
    }

    pub(super) fn begin_transaction(
        &mut self,
        now: Instant,
        index: usize,
        path: Path,
        consent: bool,
    ) {
        let use_candidate = !consent && self.uses_candidate(index);
        let id = TransactionId::random(self.writer().dialect, &mut self.rng);
        let priority = self.reflexive_priority(index);
        let Some((wire, key)) = self.write_check(id, index, priority, use_candidate) else {
            return;
        };
        let timers = &self.config.timers;
        let stream = matches!(path, Path::Stream { .. } | Path::RelayStream { .. });
        let (wait, left) = if stream {
            (timers.tcp_check, 1)
        } else {
            (self.rto(), timers.sends.max(1))
        };
        self.transactions.push(Transaction {
            id,
            pair: index,
            path,
            wire,
            key,
            role: self.role,
            priority,
            use_candidate,
            consent,
            next: now,
            wait,
            left,
        });
        self.transmit_check(now, self.transactions.len() - 1);
    }

    /// RTO: Ta for each pair that waits or is being checked (RFC 5245 16.1).
    fn rto(&self) -> Duration {
        let active = |state| matches!(state, PairState::Waiting | PairState::InProgress);
        let count = self.pairs.iter().filter(|pair| active(pair.state)).count();
        let timers = &self.config.timers;
        (timers.pace * u32::try_from(count).unwrap_or(u32::MAX))
            .max(timers.rto_min)
            .min(timers.rto_max)
    }

    /// The priority that our candidate would have as a peer reflexive one.
    fn reflexive_priority(&self, index: usize) -> u32 {
        let local = &self.locals[self.pairs[index].local];
        let kind = CandidateType::PeerReflexive;
        self.priority(kind, local.transport, local.preference, local.component)
    }

    fn transmit_check(&mut self, now: Instant, index: usize) {
        let transaction = &mut self.transactions[index];
        transaction.left = transaction.left.saturating_sub(1);
        transaction.next = now + transaction.wait;
        let rto_max = self.config.timers.rto_max;
        transaction.wait = (transaction.wait * 2).min(rto_max.max(transaction.wait));
        let (path, wire) = (transaction.path, transaction.wire.clone());
        self.transmit(path, wire);
    }

    /// Sends again what was not answered, and gives up what was sent often enough.
    pub(super) fn expire_transactions(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.transactions.len() {
            let transaction = &self.transactions[index];
            if transaction.next > now {
                index += 1;
            } else if transaction.left > 0 {
                self.transmit_check(now, index);
                index += 1;
            } else {
                let transaction = self.transactions.swap_remove(index);
                if !transaction.consent {
                    self.check_failed(now, transaction.pair);
                }
            }
        }
    }

    /// A check failed for good.
    pub(super) fn check_failed(&mut self, now: Instant, index: usize) {
        let pair = &mut self.pairs[index];
        pair.nominating = false;
        pair.nominated = false;
        pair.state = PairState::Failed;
        self.transactions
            .retain(|transaction| transaction.pair != index);
        if let Some(connection) = self.pairs[index].connection.take() {
            self.close_connection(connection);
        }
        self.selection_failed(now, index);
    }

    /// The network says that nobody is there: ICMP, or a connection that was refused.
    pub fn handle_unreachable(
        &mut self,
        now: Instant,
        base: std::net::SocketAddr,
        remote: std::net::SocketAddr,
    ) {
        let path = Path::Datagram { base, remote };
        let hit = |transaction: &Transaction| transaction.path == path && !transaction.consent;
        while let Some(pair) = self.transactions.iter().find(|t| hit(t)).map(|t| t.pair) {
            self.check_failed(now, pair);
        }
        self.proceed(now);
    }

    /// Asks for the connection of a pair.
    fn connect(&mut self, now: Instant, index: usize) {
        let pair = &self.pairs[index];
        let local = &self.locals[pair.local];
        let active = local.transport == Transport::TcpActive && local.via == Via::Socket;
        if !active || self.connections.len() >= self.config.limits.connections {
            self.check_failed(now, index);
            return;
        }
        let (local, base) = (pair.local, local.base);
        let remote = self.remotes[pair.remote].address;
        let connection = self.new_connection(local, remote, now);
        self.pairs[index].connection = Some(connection);
        self.outputs.push_back(Output::Connect {
            connection,
            base,
            remote,
        });
    }

    /// The connection of a pair is there: the check goes out.
    pub(super) fn connection_made(&mut self, now: Instant, connection: ConnectionId) {
        let made = |pair: &super::list::Pair| pair.connection == Some(connection);
        let index = self.pairs.iter().position(made);
        if let Some(index) = index.filter(|i| self.pairs[*i].state == PairState::InProgress) {
            self.begin_transaction(now, index, Path::Stream { connection }, false);
        }
    }
}
