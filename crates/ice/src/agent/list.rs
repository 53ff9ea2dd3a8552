//! The check list: pairs, their order and their states.

use core::cmp::Reverse;

use rand_core::Rng;

use super::{Agent, Local, Remote, Via};
use crate::config::CandidatePolicy;
use crate::io::{ConnectionId, End, Output, SelectedPair};
use crate::{CandidateType, Component, Dialect, PairState, Role, Transport, priority};

/// A pair of a local candidate, which is a base, and a remote one.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) local: usize,
    pub(super) remote: usize,
    pub(super) component: Component,
    pub(super) priority: u64,
    pub(super) state: PairState,
    /// A check of the peer was accepted on it.
    pub(super) received: bool,
    /// The peer's USE-CANDIDATE came, or ours was answered.
    pub(super) nominated: bool,
    /// It is to be nominated by the next check, or is being.
    pub(super) nominating: bool,
    /// The bandwidth policy forbids it.
    pub(super) denied: bool,
    /// Checks that were answered with an error and sent again.
    pub(super) retries: u8,
    /// Over TCP.
    pub(super) connection: Option<ConnectionId>,
    /// The local candidate that the peer saw.
    pub(super) mapped: Option<usize>,
}

impl Pair {
    /// Whether its check has not been decided.
    pub(super) fn is_open(&self) -> bool {
        matches!(
            self.state,
            PairState::Frozen | PairState::Waiting | PairState::InProgress
        )
    }
}

/// A look at a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairView {
    /// The component.
    pub component: Component,
    /// Our candidate, which checks are sent from.
    pub local: End,
    /// The peer's.
    pub remote: End,
    /// The priority.
    pub priority: u64,
    /// The state.
    pub state: PairState,
    /// Whether a check of the peer came on it.
    pub received: bool,
    /// Whether it is nominated.
    pub nominated: bool,
}

impl<R: Rng> Agent<R> {
    /// The check list, by descending priority.
    pub fn pairs(&self) -> Vec<PairView> {
        let mut views: Vec<_> = self.pairs.iter().map(|pair| self.view(pair)).collect();
        views.sort_by_key(|view| Reverse(view.priority));
        views
    }

    fn view(&self, pair: &Pair) -> PairView {
        PairView {
            component: pair.component,
            local: local_end(&self.locals[pair.local]),
            remote: remote_end(&self.remotes[pair.remote]),
            priority: pair.priority,
            state: pair.state,
            received: pair.received,
            nominated: pair.nominated,
        }
    }

    pub(super) fn selected_pair(&self, pair: &Pair) -> SelectedPair {
        let base = &self.locals[pair.local];
        let local = pair.mapped.map_or(base, |mapped| &self.locals[mapped]);
        SelectedPair {
            local: local_end(local),
            base: base.base,
            remote: remote_end(&self.remotes[pair.remote]),
        }
    }

    /// Pairs all bases with all remote candidates, and thaws the first of each foundation.
    pub(super) fn form_pairs(&mut self) {
        for local in 0..self.locals.len() {
            for remote in 0..self.remotes.len() {
                if self.is_checked(local, remote) && self.find_pair(local, remote).is_none() {
                    self.add_pair(local, remote);
                }
            }
        }
        self.pairs.sort_by_key(|pair| Reverse(pair.priority));
        self.pairs.truncate(self.config.limits.pairs);
        for index in 0..self.pairs.len() {
            if self.pairs[index].state == PairState::Frozen && self.is_first_of_foundation(index) {
                self.pairs[index].state = PairState::Waiting;
            }
        }
    }

    /// Lets the peer's active candidates connect to our relayed ones.
    pub(super) fn permit(&mut self) {
        let mut permitted = Vec::new();
        for local in &self.locals {
            let Via::Relay(relay) = local.via else {
                continue;
            };
            for remote in &self.remotes {
                let waits = local.transport == Transport::TcpPassive
                    && remote.transport == Transport::TcpActive
                    && local.component == remote.component
                    && self.may_reach(local, remote);
                let of_host = (relay, remote.address.ip());
                if waits && !permitted.contains(&of_host) {
                    permitted.push(of_host);
                    let remote = remote.address;
                    self.outputs.push_back(Output::Permit { relay, remote });
                }
            }
        }
    }

    /// Whether a pair is checked from this side. Passive candidates wait for connections instead.
    fn is_checked(&self, local: usize, remote: usize) -> bool {
        let (local, remote) = (&self.locals[local], &self.remotes[remote]);
        local.is_base()
            && self.is_wanted(local)
            && local.transport != Transport::TcpPassive
            && local.component == remote.component
            && local.transport.pairs_with(remote.transport)
            && self.may_reach(local, remote)
    }

    /// Whether the policy lets a candidate be used.
    pub(super) fn is_wanted(&self, local: &Local) -> bool {
        self.config.candidates != CandidatePolicy::RelayOnly || local.kind == CandidateType::Relayed
    }

    /// Whether packets from one address to the other make sense.
    fn may_reach(&self, local: &Local, remote: &Remote) -> bool {
        let (from, to) = (local.base.ip(), remote.address.ip());
        let loopback = to.is_loopback() && !self.config.allow_loopback;
        let nonsense = to.is_unspecified() || to.is_multicast() || remote.address.port() == 0;
        let same_scope = match (from, to) {
            (std::net::IpAddr::V4(_), std::net::IpAddr::V4(_)) => true,
            (std::net::IpAddr::V6(from), std::net::IpAddr::V6(to)) => {
                from.is_unicast_link_local() == to.is_unicast_link_local()
            }
            _ => false,
        };
        same_scope && !loopback && !nonsense
    }

    /// Adds a pair that is frozen.
    pub(super) fn add_pair(&mut self, local: usize, remote: usize) -> usize {
        self.pairs.push(Pair {
            local,
            remote,
            component: self.locals[local].component,
            priority: self.pair_priority(local, remote),
            state: PairState::Frozen,
            received: false,
            nominated: false,
            nominating: false,
            denied: false,
            retries: 0,
            connection: None,
            mapped: None,
        });
        let index = self.pairs.len() - 1;
        self.apply_policy(index);
        index
    }

    fn pair_priority(&self, local: usize, remote: usize) -> u64 {
        let (local, remote) = (self.locals[local].priority, self.remotes[remote].priority);
        match self.role {
            Role::Controlling => priority::pair(local, remote),
            Role::Controlled => priority::pair(remote, local),
        }
    }

    /// After a change of the role.
    pub(super) fn recompute_priorities(&mut self) {
        for index in 0..self.pairs.len() {
            let (local, remote) = (self.pairs[index].local, self.pairs[index].remote);
            self.pairs[index].priority = self.pair_priority(local, remote);
        }
    }

    pub(super) fn find_pair(&self, local: usize, remote: usize) -> Option<usize> {
        let same = |pair: &Pair| pair.local == local && pair.remote == remote;
        self.pairs.iter().position(same)
    }

    /// Whether two pairs have one foundation: that of their local and that of their remote candidates.
    pub(super) fn same_foundation(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.pairs[one], &self.pairs[other]);
        self.locals[one.local].group == self.locals[other.local].group
            && self.remotes[one.remote].foundation == self.remotes[other.remote].foundation
    }

    /// Whether two pairs of different components probably go the same way: those of one foundation, and, because learned candidates may
    /// have none in common, those to one host.
    pub(super) fn same_way(&self, one: usize, other: usize) -> bool {
        let (pair, like) = (&self.pairs[one], &self.pairs[other]);
        let (remote, remote_like) = (&self.remotes[pair.remote], &self.remotes[like.remote]);
        self.same_foundation(one, other)
            || (self.locals[pair.local].group == self.locals[like.local].group
                && remote.transport == remote_like.transport
                && remote.address.ip() == remote_like.address.ip())
    }

    /// Of the pairs of one foundation the first is the one of the lowest component, then of the highest priority.
    fn is_first_of_foundation(&self, index: usize) -> bool {
        let rank = |pair: &Pair| (pair.component, Reverse(pair.priority));
        let own = rank(&self.pairs[index]);
        (0..self.pairs.len()).all(|other| {
            other == index
                || !self.same_foundation(index, other)
                || rank(&self.pairs[other]) > own
                || (rank(&self.pairs[other]) == own && other > index)
        })
    }

    /// A pair succeeded: the others of its foundation may be checked.
    pub(super) fn thaw(&mut self, succeeded: usize) {
        for index in 0..self.pairs.len() {
            if self.pairs[index].state == PairState::Frozen
                && self.same_foundation(succeeded, index)
            {
                self.pairs[index].state = PairState::Waiting;
            }
        }
    }

    /// Whether a pair can carry media: in \[MS-ICE\] over UDP it takes a check in each direction.
    pub(super) fn is_valid(&self, pair: &Pair) -> bool {
        let both = self.config.dialect == Dialect::Ice2
            || pair.received
            || self.locals[pair.local].transport.is_tcp();
        pair.state == PairState::Succeeded && both && !pair.denied
    }

    /// Whether the peer can have found a pair valid: our own check on it may still be under way.
    pub(super) fn is_usable(&self, pair: &Pair) -> bool {
        self.is_valid(pair) || (pair.received && pair.state != PairState::Failed)
    }

    /// The valid pair of a component with the highest priority.
    pub(super) fn best_valid(&self, component: Component) -> Option<usize> {
        let valid = |(_, pair): &(usize, &Pair)| pair.component == component && self.is_valid(pair);
        let pairs = self.pairs.iter().enumerate().filter(valid);
        pairs
            .max_by_key(|(_, pair)| pair.priority)
            .map(|(index, _)| index)
    }

    /// Pairs of local candidates that no longer exist fail.
    pub(super) fn fail_pairs(&mut self, mut lost: impl FnMut(&Local, &Pair) -> bool) -> Vec<usize> {
        let mut failed = Vec::new();
        for (index, pair) in self.pairs.iter_mut().enumerate() {
            if pair.state != PairState::Failed && lost(&self.locals[pair.local], pair) {
                pair.state = PairState::Failed;
                failed.push(index);
            }
        }
        self.transactions
            .retain(|transaction| !failed.contains(&transaction.pair));
        failed
    }

    /// The way that packets of a pair take; `None` while its connection is not there.
    pub(super) fn path(&self, pair: &Pair) -> Option<super::Path> {
        use super::Path;
        let local = &self.locals[pair.local];
        let remote = self.remotes[pair.remote].address;
        match (local.via, local.transport) {
            (Via::Socket, Transport::Udp) => Some(Path::Datagram {
                base: local.base,
                remote,
            }),
            (Via::Relay(relay), Transport::Udp) => Some(Path::Relay { relay, remote }),
            (Via::Relay(relay), _) => Some(Path::RelayStream { relay, remote }),
            (Via::Socket, _) => {
                let connection = pair.connection?;
                Some(Path::Stream { connection })
            }
        }
    }
}

fn local_end(local: &Local) -> End {
    End {
        address: local.address,
        transport: local.transport,
        kind: local.kind,
    }
}

fn remote_end(remote: &Remote) -> End {
    End {
        address: remote.address,
        transport: remote.transport,
        kind: remote.kind,
    }
}
