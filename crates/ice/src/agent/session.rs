//! Offer and answer: descriptions of this side and of the other, and the final ones.

use core::cmp::Reverse;
use std::time::Instant;

use rand_core::Rng;

use super::list::Pair;
use super::{Agent, Local, Peer, Phase, Remote, key};
use crate::priority::QValue;
use crate::sdp::{ice, ice2};
use crate::{
    Candidate, CandidateType, Component, Description, Dialect, Error, Foundation, Transport,
};

impl<R: Rng> Agent<R> {
    /// The description for the offer or the provisional answer: complete after [`Event::Gathered`](crate::Event::Gathered).
    ///
    /// Only candidates with all components are in it (\[MS-ICE\] 3.1.4.8.1).
    pub fn local_description(&self) -> Description {
        let mut announced: Vec<&Local> = self
            .locals
            .iter()
            .filter(|local| self.is_announced(local))
            .collect();
        announced.sort_by_key(|local| Reverse(local.priority));
        match self.config.dialect {
            Dialect::Ice => Description::Ice(ice::Description {
                candidates: self.lines(&announced),
                remote_candidate: None,
            }),
            Dialect::Ice2 => Description::Ice2(ice2::Description {
                credentials: self.credentials.clone(),
                candidates: announced
                    .iter()
                    .map(|local| self.candidate(local))
                    .collect(),
                remote_candidates: Vec::new(),
            }),
        }
    }

    fn is_announced(&self, local: &Local) -> bool {
        let wanted = match local.kind {
            CandidateType::PeerReflexive => false,
            CandidateType::ServerReflexive => self.config.announce_reflexive,
            CandidateType::Host | CandidateType::Relayed => true,
        };
        let complete = self.components().all(|component| {
            let like_it =
                |other: &Local| other.component == component && other.group == local.group;
            self.locals.iter().any(like_it)
        });
        wanted && complete && self.is_wanted(local)
    }

    fn candidate(&self, local: &Local) -> Candidate {
        Candidate {
            foundation: self.groups[local.group].foundation.clone(),
            component: local.component,
            transport: local.transport,
            priority: local.priority,
            address: local.address,
            kind: local.kind,
            related: local.related,
        }
    }

    /// Lines of \[MS-ICE\]. An active and a passive candidate are one line, with the address of the passive one; an active one alone is
    /// what is seen of us from outside.
    fn lines(&self, locals: &[&Local]) -> Vec<ice::Line> {
        let lines = locals.iter().filter(|local| {
            let merged = |other: &&Local| {
                other.transport == Transport::TcpPassive
                    && other.component == local.component
                    && other.group == local.group
            };
            local.transport != Transport::TcpActive || !locals.iter().any(merged)
        });
        lines.filter_map(|local| self.line(local)).collect()
    }

    fn line(&self, local: &Local) -> Option<ice::Line> {
        let legacy = self.groups[local.group].legacy.as_ref()?;
        Some(ice::Line {
            id: legacy.id.clone(),
            component: local.component,
            password: legacy.password.clone(),
            transport: if local.transport.is_tcp() {
                ice::LineTransport::Tcp
            } else {
                ice::LineTransport::Udp
            },
            priority: QValue::from_thousandths(local.priority as u16)?,
            address: local.address,
        })
    }

    /// The peer's description, of the offer or of a provisional answer. Checks begin when both sides are known.
    ///
    /// # Errors
    /// [`Error::WrongDialect`]; [`Error::WrongState`] if there is one already.
    pub fn set_remote(&mut self, now: Instant, remote: &Description) -> Result<(), Error> {
        if self.remote_known || self.phase.is_over() {
            let operation = "setting the remote description";
            return Err(Error::WrongState { operation });
        }
        match (self.config.dialect, remote) {
            (Dialect::Ice, Description::Ice(description)) => {
                for line in &description.candidates {
                    self.add_remote_line(line);
                }
            }
            (Dialect::Ice2, Description::Ice2(description)) => {
                self.peer = Some(Peer {
                    key: key(description.credentials.password()),
                    credentials: description.credentials.clone(),
                });
                for candidate in &description.candidates {
                    self.add_remote(Remote {
                        component: candidate.component,
                        transport: candidate.transport,
                        kind: candidate.kind,
                        address: candidate.address,
                        priority: candidate.priority,
                        foundation: candidate.foundation.clone(),
                        legacy: None,
                    });
                }
            }
            _ => return Err(Error::WrongDialect),
        }
        self.remote_known = true;
        self.start_checks(now);
        Ok(())
    }

    /// A line is an active and a passive candidate over TCP.
    fn add_remote_line(&mut self, line: &ice::Line) {
        let transports: &[Transport] = match line.transport {
            ice::LineTransport::Udp => &[Transport::Udp],
            ice::LineTransport::Tcp => &[Transport::TcpActive, Transport::TcpPassive],
        };
        let same = |remote: &&Remote| matches!(&remote.legacy, Some((id, _)) if *id == line.id);
        let foundation = self.remotes.iter().find(same).map_or_else(
            || Foundation::number(self.remotes.len()),
            |remote| remote.foundation.clone(),
        );
        for &transport in transports {
            self.add_remote(Remote {
                component: line.component,
                transport,
                kind: CandidateType::Host,
                address: line.address,
                priority: u32::from(line.priority.thousandths()),
                foundation: foundation.clone(),
                legacy: Some((line.id.clone(), key(&line.password))),
            });
        }
    }

    fn add_remote(&mut self, new: Remote) {
        let same = |remote: &Remote| {
            remote.component == new.component
                && remote.transport == new.transport
                && remote.address == new.address
        };
        let own = self
            .remotes
            .iter()
            .filter(|remote| remote.component == new.component);
        // A line of MS-ICE counts twice over TCP.
        let room = own.count() < 2 * self.config.limits.remote_candidates;
        if room && !self.remotes.iter().any(same) {
            self.remotes.push(new);
        }
    }

    /// Begins to check, if both sides are known.
    pub(super) fn start_checks(&mut self, now: Instant) {
        if self.phase != Phase::WaitingForPeer || !self.remote_known {
            return;
        }
        self.phase = Phase::Checking;
        self.deadline = Some(now + self.config.timers.checks);
        self.reduced = false;
        self.form_pairs();
        self.permit();
        self.ask_for_policy();
        self.process_early_checks(now);
        self.proceed(now);
    }

    /// The description for the final offer or answer: the selected candidate of each component, and the peer's. `None` until
    /// [`Event::Completed`](crate::Event::Completed).
    pub fn final_description(&self) -> Option<Description> {
        if self.phase != Phase::Completed {
            return None;
        }
        let selected = self.media.iter().filter_map(|media| media.selected);
        let selected: Vec<_> = selected.map(|index| &self.pairs[index]).collect();
        match self.config.dialect {
            Dialect::Ice => {
                let locals = selected.iter().filter_map(|pair| self.final_line(pair));
                let remote = &self.remotes[selected.first()?.remote];
                Some(Description::Ice(ice::Description {
                    candidates: locals.collect(),
                    remote_candidate: Some(self.announced_id(remote)?),
                }))
            }
            Dialect::Ice2 => {
                let locals = selected.iter().map(|pair| {
                    let local = pair.mapped.unwrap_or(pair.local);
                    self.candidate(&self.locals[local])
                });
                let remotes = selected.iter().map(|pair| {
                    let remote = &self.remotes[pair.remote];
                    (remote.component, remote.address)
                });
                Some(Description::Ice2(ice2::Description {
                    credentials: self.credentials.clone(),
                    candidates: locals.collect(),
                    remote_candidates: remotes.collect(),
                }))
            }
        }
    }

    /// Our candidate as the peer sees it. One that was learned goes by the identifier of its base.
    fn final_line(&self, pair: &Pair) -> Option<ice::Line> {
        let base = &self.locals[pair.local];
        let seen = &self.locals[pair.mapped.unwrap_or(pair.local)];
        let learned = seen.kind == CandidateType::PeerReflexive;
        let line = self.line(if learned { base } else { seen })?;
        Some(ice::Line {
            address: seen.address,
            ..line
        })
    }

    /// The identifier by which the peer announced a candidate; a learned one has that of its base in front.
    fn announced_id(&self, remote: &Remote) -> Option<ice::CandidateId> {
        let (id, _) = remote.legacy.as_ref()?;
        let announced = self
            .remotes
            .iter()
            .filter(|other| other.kind != CandidateType::PeerReflexive);
        let mut ids = announced.filter_map(|other| other.legacy.as_ref());
        let (base, _) = ids.find(|(other, _)| id.as_bytes().starts_with(other.as_bytes()))?;
        Some(base.clone())
    }

    /// The peer's final offer or answer. In \[MS-ICE\] it is what tells the callee; in \[MS-ICE2\] it confirms the nomination.
    ///
    /// # Errors
    /// [`Error::WrongDialect`]; [`Error::UnknownPair`] if it does not name valid pairs.
    pub fn handle_final(&mut self, now: Instant, description: &Description) -> Result<(), Error> {
        let chosen = match (self.config.dialect, description) {
            (Dialect::Ice, Description::Ice(description)) => self.chosen_by_ice(description),
            (Dialect::Ice2, Description::Ice2(description)) => self.chosen_by_ice2(description),
            _ => return Err(Error::WrongDialect),
        };
        let chosen = chosen.ok_or(Error::UnknownPair)?;
        for index in chosen {
            let component = self.pairs[index].component;
            if self.media[component.index()].selected != Some(index) {
                self.select(now, index);
            }
        }
        self.complete_if_selected();
        Ok(())
    }

    /// The peer means us by the identifier of any candidate with the pair's base, and itself by the address that it was seen with or by
    /// the identifier that its checks had.
    fn chosen_by_ice(&self, description: &ice::Description) -> Option<Vec<usize>> {
        let own = description.remote_candidate.as_ref()?;
        let of = |component: Component| {
            let theirs = description
                .candidates
                .iter()
                .find(|line| line.component == component)?;
            let ours = |pair: &Pair| {
                let base = self.locals[pair.local].base;
                self.locals
                    .iter()
                    .any(|local| local.base == base && self.groups[local.group].has_id(own))
            };
            let named = |pair: &Pair| {
                let remote = &self.remotes[pair.remote];
                let id = remote.legacy.as_ref().map(|(id, _)| id.as_bytes());
                let by_address = remote.address == theirs.address;
                let by_id = id.is_some_and(|id| id.starts_with(theirs.id.as_bytes()));
                (by_address || by_id).then_some((by_address, pair.priority))
            };
            let valid = self.pairs.iter().enumerate().filter(|(_, pair)| {
                pair.component == component && self.is_usable(pair) && ours(pair)
            });
            let named = valid.filter_map(|(index, pair)| Some((named(pair)?, index)));
            named.max().map(|(_, index)| index)
        };
        self.required().into_iter().map(of).collect()
    }

    fn chosen_by_ice2(&self, description: &ice2::Description) -> Option<Vec<usize>> {
        let of = |component: Component| {
            let own = description
                .remote_candidates
                .iter()
                .find(|(c, _)| *c == component)?;
            let theirs = description
                .candidates
                .iter()
                .find(|c| c.component == component)?;
            self.pairs.iter().position(|pair| {
                let local = &self.locals[pair.mapped.unwrap_or(pair.local)];
                let base = &self.locals[pair.local];
                pair.component == component
                    && self.is_usable(pair)
                    && (local.address == own.1 || base.address == own.1)
                    && self.remotes[pair.remote].address == theirs.address
            })
        };
        self.required().into_iter().map(of).collect()
    }
}
