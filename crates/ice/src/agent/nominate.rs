//! The end of the checks: which pair it will be.

use core::cmp::Reverse;
use std::time::Instant;

use rand_core::Rng;

use super::{Agent, Path, Phase};
use crate::config::Nomination;
use crate::io::{Event, Failure, Output};
use crate::{Component, Dialect, PairState, Role};

impl<R: Rng> Agent<R> {
    /// Components that both sides have candidates for.
    pub(super) fn required(&self) -> Vec<Component> {
        let remote = |component: &Component| {
            let of = |remote: &super::Remote| remote.component == *component;
            self.remotes.iter().any(of)
        };
        self.components().filter(remote).collect()
    }

    /// A pair got its answer, or the peer's check after it.
    pub(super) fn became_valid(&mut self, now: Instant, index: usize) {
        let pair = &self.pairs[index];
        let component = pair.component;
        if self.is_valid(pair)
            && !core::mem::replace(&mut self.media[component.index()].usable, true)
        {
            self.media[component.index()].sent = Some(now);
            self.emit(Event::Usable(component));
        }
    }

    /// Looks whether something can be decided.
    pub(super) fn conclude(&mut self, now: Instant) {
        if !matches!(
            self.phase,
            Phase::Checking | Phase::Nominating | Phase::Completed
        ) {
            return;
        }
        if self.phase == Phase::Checking && self.request_seen && self.response_seen && !self.reduced
        {
            self.reduced = true;
            self.deadline = Some(now + self.config.timers.checks_reduced);
        }
        for component in Component::ALL {
            self.select_nominated(now, component);
        }
        let decides = self.role == Role::Controlling
            && (self.config.dialect == Dialect::Ice
                || self.config.nomination == Nomination::Regular);
        if self.phase == Phase::Checking
            && decides
            && !self.policy_is_open()
            && self
                .required()
                .into_iter()
                .all(|component| self.is_settled(component))
        {
            self.choose(now);
        }
        self.complete_if_selected();
    }

    /// Whether no check that is still open can give a better pair than the best one.
    fn is_settled(&self, component: Component) -> bool {
        let Some(best) = self.best_valid(component) else {
            return false;
        };
        let best = self.pairs[best].priority;
        !self.pairs.iter().any(|pair| {
            let half_valid = pair.state == PairState::Succeeded && !self.is_valid(pair);
            pair.component == component
                && pair.priority > best
                && !pair.denied
                && (pair.is_open() || half_valid)
        })
    }

    /// The Connectivity Checks Phase timer fired (\[MS-ICE\] 3.1.6.2).
    pub(super) fn checks_over(&mut self, now: Instant) {
        if self.policy_is_open() {
            // Nobody told what is allowed: as without bandwidth management.
            self.handle_policy(now, None);
            return;
        }
        let required = self.required();
        let usable = |component: &Component| self.best_valid(*component).is_some();
        if required.is_empty() || !required.iter().all(usable) {
            self.fail(Failure::NoValidPair);
            return;
        }
        match self.role {
            Role::Controlling => self.choose(now),
            Role::Controlled => self.end_checks(now),
        }
    }

    fn end_checks(&mut self, now: Instant) {
        self.phase = Phase::Nominating;
        self.deadline = Some(now + self.config.timers.nomination);
        self.transactions
            .retain(|transaction| transaction.use_candidate);
    }

    /// The deciding side takes the best pairs: in \[MS-ICE2\] it nominates them, in \[MS-ICE\] they go into the final offer.
    pub(super) fn choose(&mut self, now: Instant) {
        let Some(chosen) = self.best_combination() else {
            self.fail(self.no_pair());
            return;
        };
        self.end_checks(now);
        for index in chosen {
            if self.config.dialect == Dialect::Ice {
                self.select(now, index);
            } else if !self.pairs[index].nominated {
                self.pairs[index].nominating = true;
                self.trigger(index);
            }
        }
    }

    /// The best valid pair of each component; such that go the same way, if there are.
    fn best_combination(&self) -> Option<Vec<usize>> {
        let required = self.required();
        let (first, others) = required.split_first()?;
        let valid = |component: Component| {
            let of = move |index: &usize| {
                self.pairs[*index].component == component && self.is_valid(&self.pairs[*index])
            };
            let mut all: Vec<usize> = (0..self.pairs.len()).filter(of).collect();
            all.sort_by_key(|index| Reverse(self.pairs[*index].priority));
            all
        };
        let together = valid(*first).into_iter().find_map(|index| {
            let like_it = others.iter().map(|component| {
                let mut all = valid(*component).into_iter();
                all.find(|other| self.same_way(index, *other))
            });
            let others: Vec<usize> = like_it.collect::<Option<_>>()?;
            Some(core::iter::once(index).chain(others).collect())
        });
        together.or_else(|| {
            let best = required.iter().map(|component| self.best_valid(*component));
            best.collect()
        })
    }

    /// In \[MS-ICE2\]: the nominated pair of the highest priority carries the component.
    fn select_nominated(&mut self, now: Instant, component: Component) {
        let nominated = self.pairs.iter().enumerate().filter(|(_, pair)| {
            pair.component == component && pair.nominated && self.is_valid(pair)
        });
        let best = nominated
            .max_by_key(|(_, pair)| pair.priority)
            .map(|(index, _)| index);
        let current = self.media[component.index()].selected;
        let better = match (best, current) {
            (Some(best), Some(current)) => self.pairs[best].priority > self.pairs[current].priority,
            (best, None) => best.is_some(),
            (None, Some(_)) => false,
        };
        if let Some(best) = best.filter(|_| better) {
            self.select(now, best);
        }
    }

    pub(super) fn select(&mut self, now: Instant, index: usize) {
        let pair = &self.pairs[index];
        let component = pair.component;
        let (selected, path) = (self.selected_pair(pair), self.path(pair));
        let media = &mut self.media[component.index()];
        media.selected = Some(index);
        media.sent = Some(now);
        media.start_consent(now, self.config.consent);
        if let Some(Path::Relay { relay, remote } | Path::RelayStream { relay, remote }) = path {
            self.outputs
                .push_back(Output::SetActiveDestination { relay, remote });
        }
        self.emit(Event::Selected {
            component,
            pair: selected,
        });
    }

    pub(super) fn complete_if_selected(&mut self) {
        if !matches!(self.phase, Phase::Checking | Phase::Nominating) {
            return;
        }
        let required = self.required();
        let selected = |component: &Component| self.media[component.index()].selected.is_some();
        if required.is_empty() || !required.iter().all(selected) {
            return;
        }
        self.phase = Phase::Completed;
        self.deadline = None;
        self.triggered.clear();
        // With aggressive nomination a better pair may still come.
        let (pairs, media) = (&self.pairs, &self.media);
        self.transactions.retain(|transaction| {
            let pair = &pairs[transaction.pair];
            let selected = media[pair.component.index()].selected;
            transaction.use_candidate
                && selected.is_some_and(|selected| pair.priority > pairs[selected].priority)
        });
        self.emit(Event::Completed);
    }

    /// A pair failed: if it was to be used, another one is taken.
    pub(super) fn selection_failed(&mut self, now: Instant, index: usize) {
        let component = self.pairs[index].component;
        let media = &mut self.media[component.index()];
        if media.selected == Some(index) {
            media.selected = None;
            if self.phase == Phase::Completed {
                self.fail(Failure::PathLost);
                return;
            }
        }
        let pending = |pair: &super::list::Pair| {
            pair.component == component && (pair.nominating || pair.nominated)
        };
        if self.phase == Phase::Nominating
            && self.role == Role::Controlling
            && !self.pairs.iter().any(pending)
        {
            self.choose(now);
        }
    }

    /// Pairs of something that is gone fail, and what was to use them with them.
    pub(super) fn lose(
        &mut self,
        now: Instant,
        lost: impl FnMut(&super::Local, &super::list::Pair) -> bool,
    ) {
        for index in self.fail_pairs(lost) {
            self.selection_failed(now, index);
        }
    }

    fn no_pair(&self) -> Failure {
        if self.pairs.iter().any(|pair| pair.denied) {
            Failure::NoBandwidth
        } else {
            Failure::NoValidPair
        }
    }

    /// Nothing more will come of this: everything is given back.
    pub(super) fn fail(&mut self, failure: Failure) {
        if !self.phase.is_over() {
            self.end(Phase::Failed);
            self.emit(Event::Failed(failure));
        }
    }

    /// Ends it, whatever has come of it: closes the connections and gives the allocations back.
    pub fn close(&mut self) {
        self.end(Phase::Closed);
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.deadline = None;
        self.transactions.clear();
        self.triggered.clear();
        self.media = Default::default();
        self.release(|_| true, |_| true);
    }
}
