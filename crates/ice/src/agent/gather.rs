//! Local candidates (\[MS-ICE\] 3.1.4.8.1).

use std::net::SocketAddr;
use std::time::Instant;

use rand_core::Rng;

use super::{Agent, Group, GroupKey, Legacy, Local, Phase, Relay, RelayState, Via, key};
use crate::config::CandidatePolicy;
use crate::io::{Allocation, Carrier, Event, Output, RelayId};
use crate::priority::QValue;
use crate::sdp::ice::CandidateId;
use crate::{CandidateType, Component, Dialect, Error, Foundation, Password, Transport, priority};

/// Octets of the passwords that we make for candidates of \[MS-ICE\].
const PASSWORD_LENGTH: usize = 16;

impl<R: Rng> Agent<R> {
    /// Adds a host candidate: the address of a socket that the caller has bound, or for
    /// [`TcpActive`](Transport::TcpActive) of one that it will connect from.
    ///
    /// Candidates should be there for both components: the ones that are not are not announced.
    ///
    /// # Errors
    /// [`Error::LocalCandidate`] if it is there already, or one too many; [`Error::WrongState`] after gathering.
    pub fn add_host(
        &mut self,
        component: Component,
        transport: Transport,
        address: SocketAddr,
    ) -> Result<(), Error> {
        self.must_gather("adding a candidate")?;
        self.admit(component, transport, address)?;
        self.add_local(
            component,
            transport,
            CandidateType::Host,
            address,
            address,
            Via::Socket,
        );
        Ok(())
    }

    /// Adds an allocation to ask a relay for, which gives a relayed candidate and a reflexive one. `base` is over UDP the address
    /// of the host candidate whose socket is used, over TCP the interface.
    ///
    /// # Errors
    /// [`Error::LocalCandidate`], [`Error::WrongState`]
    pub fn add_relay(
        &mut self,
        component: Component,
        carrier: Carrier,
        base: SocketAddr,
        server: SocketAddr,
    ) -> Result<RelayId, Error> {
        self.must_gather("adding a relay")?;
        if self.relays.len() >= 2 * self.config.limits.local_candidates {
            return Err(Error::LocalCandidate {
                reason: "too many relays",
            });
        }
        let relay = RelayId(self.relays.len());
        self.relays.push(Relay {
            component,
            carrier,
            base,
            server,
            state: RelayState::Pending,
        });
        Ok(relay)
    }

    fn must_gather(&self, operation: &'static str) -> Result<(), Error> {
        if self.phase == Phase::Gathering && self.deadline.is_none() {
            Ok(())
        } else {
            Err(Error::WrongState { operation })
        }
    }

    /// Begins to gather, for the caller before the offer, for the callee on the offer. [`Event::Gathered`] follows at once if
    /// there is no relay.
    ///
    /// # Errors
    /// [`Error::WrongState`]
    pub fn gather(&mut self, now: Instant) -> Result<(), Error> {
        self.must_gather("gathering")?;
        self.deadline = Some(now + self.config.timers.gathering);
        for index in 0..self.relays.len() {
            self.allocate(index);
        }
        self.gathered_if_done(now);
        Ok(())
    }

    /// Asks for an allocation.
    pub(super) fn allocate(&mut self, index: usize) {
        let relay = &mut self.relays[index];
        relay.state = RelayState::Pending;
        self.outputs.push_back(Output::Allocate {
            relay: RelayId(index),
            component: relay.component,
            carrier: relay.carrier,
            base: relay.base,
            server: relay.server,
        });
    }

    /// A relay gave an allocation. One that comes too late to be announced is released.
    pub fn handle_allocated(&mut self, now: Instant, relay: RelayId, allocation: Allocation) {
        let Some(entry) = self.relays.get_mut(relay.0) else {
            return;
        };
        if self.phase != Phase::Gathering || entry.state != RelayState::Pending {
            entry.state = RelayState::Gone;
            self.outputs.push_back(Output::Release { relay });
            return;
        }
        entry.state = RelayState::Open;
        let (component, carrier, base) = (entry.component, entry.carrier, entry.base);
        let (transports, active): (&[Transport], _) = if carrier.is_tcp() {
            let both = &[Transport::TcpActive, Transport::TcpPassive];
            (both, Transport::TcpActive)
        } else {
            (&[Transport::Udp], Transport::Udp)
        };
        if let Some(reflexive) = allocation.reflexive.filter(|address| *address != base) {
            let kind = CandidateType::ServerReflexive;
            if self.admit(component, active, reflexive).is_ok() {
                self.add_local(component, active, kind, reflexive, base, Via::Relay(relay));
            }
        }
        let relayed = match self.config.candidates {
            CandidatePolicy::NoRelay => [None; 2],
            _ => [allocation.relayed, allocation.relayed_alternate],
        };
        for address in relayed.into_iter().flatten() {
            for &transport in transports {
                if self.admit(component, transport, address).is_ok() {
                    let kind = CandidateType::Relayed;
                    self.add_local(
                        component,
                        transport,
                        kind,
                        address,
                        address,
                        Via::Relay(relay),
                    );
                    if let Some(local) = self.locals.last_mut() {
                        local.related = allocation.reflexive;
                    }
                }
            }
        }
        self.gathered_if_done(now);
    }

    /// A relay gave none, or an allocation is lost.
    pub fn handle_allocation_failed(&mut self, now: Instant, relay: RelayId) {
        let Some(entry) = self.relays.get_mut(relay.0) else {
            return;
        };
        if core::mem::replace(&mut entry.state, RelayState::Gone) == RelayState::Open {
            self.lose(now, |local, _| {
                local.via == Via::Relay(relay) && local.is_base()
            });
        }
        self.gathered_if_done(now);
    }

    pub(super) fn gathered_if_done(&mut self, now: Instant) {
        let pending = |relay: &Relay| relay.state == RelayState::Pending;
        if self.phase == Phase::Gathering && !self.relays.iter().any(pending) {
            self.gathered(now);
        }
    }

    /// The end of gathering: complete, or time is up.
    pub(super) fn gathered(&mut self, now: Instant) {
        self.deadline = None;
        self.phase = Phase::WaitingForPeer;
        self.emit(Event::Gathered);
        self.start_checks(now);
    }

    /// Whether a candidate is new and within the limit.
    fn admit(
        &self,
        component: Component,
        transport: Transport,
        address: SocketAddr,
    ) -> Result<(), Error> {
        let own = self
            .locals
            .iter()
            .filter(|local| local.component == component);
        if own.clone().count() >= self.config.limits.local_candidates {
            return Err(Error::LocalCandidate { reason: "too many" });
        }
        let same = |local: &Local| local.transport == transport && local.address == address;
        if own.clone().any(same) {
            return Err(Error::LocalCandidate {
                reason: "it is there already",
            });
        }
        Ok(())
    }

    /// Adds a candidate; `via` is where it comes from, for a reflexive one the relay that told it.
    pub(super) fn add_local(
        &mut self,
        component: Component,
        transport: Transport,
        kind: CandidateType,
        address: SocketAddr,
        base: SocketAddr,
        via: Via,
    ) -> usize {
        let relay = match via {
            Via::Relay(relay) => Some(&self.relays[relay.0]),
            Via::Socket => None,
        };
        let server = relay.map(|relay| relay.server);
        let interface = relay.map_or(base, |relay| relay.base).ip();
        let relayed = kind == CandidateType::Relayed;
        let place = server
            .filter(|_| relayed)
            .map_or(0, |server| self.place_of(server));
        let interface = self.interface(interface);
        let local_preference = priority::local_preference(transport, place, interface);
        let priority = self.priority(kind, transport, local_preference, component);
        let group = self.group(GroupKey {
            kind,
            // One line of MS-ICE is both directions of TCP.
            transport: match transport {
                Transport::TcpActive if self.config.dialect == Dialect::Ice => {
                    Transport::TcpPassive
                }
                other => other,
            },
            base: base.ip(),
            server,
        });
        self.locals.push(Local {
            component,
            transport,
            kind,
            address,
            base,
            related: (base != address).then_some(base),
            via: if relayed { via } else { Via::Socket },
            told_by: match via {
                Via::Relay(relay) => Some(relay),
                Via::Socket => None,
            },
            priority,
            preference: local_preference,
            group,
        });
        self.locals.len() - 1
    }

    /// The priority of a candidate: in \[MS-ICE\] its q-value in thousandths, different for each interface and half over TCP.
    pub(super) fn priority(
        &self,
        kind: CandidateType,
        transport: Transport,
        local_preference: u16,
        component: Component,
    ) -> u32 {
        let preferences = &self.config.preferences;
        if self.config.dialect == Dialect::Ice2 {
            let preference = preferences.of(kind, transport);
            return priority::candidate(preference, local_preference, component);
        }
        let of_type = match kind {
            CandidateType::Host => QValue::HOST,
            CandidateType::PeerReflexive | CandidateType::ServerReflexive => QValue::REFLEXIVE,
            CandidateType::Relayed => QValue::RELAYED,
        };
        let halved = preferences.halve_tcp && transport.is_tcp();
        let thousandths = of_type.thousandths() / if halved { 2 } else { 1 };
        u32::from(thousandths.saturating_sub(local_preference & 0x3F))
    }

    /// The place of a relay among all, in the order in which they were added.
    fn place_of(&self, server: SocketAddr) -> u8 {
        let mut places = 0;
        for (index, relay) in self.relays.iter().enumerate() {
            if relay.server == server {
                break;
            }
            let before = &self.relays[..index];
            places += u8::from(before.iter().all(|other| other.server != relay.server));
        }
        places.min(7)
    }

    /// The number of an interface, at most 63.
    fn interface(&mut self, address: std::net::IpAddr) -> u8 {
        let known = self.interfaces.iter().position(|other| *other == address);
        let number = known.unwrap_or_else(|| {
            self.interfaces.push(address);
            self.interfaces.len() - 1
        });
        number.min(63) as u8
    }

    /// The group of a key, made if it is new.
    fn group(&mut self, group_key: GroupKey) -> usize {
        if let Some(known) = self.groups.iter().position(|group| group.key == group_key) {
            return known;
        }
        let foundation = Foundation::number(self.groups.len() + 1);
        let ice = self.config.dialect == Dialect::Ice;
        self.groups.push(Group {
            key: group_key,
            foundation,
            legacy: ice.then(|| Legacy::random(&mut self.rng)),
        });
        self.groups.len() - 1
    }

    /// New identifiers and passwords for a restart.
    pub(super) fn renew_groups(&mut self) {
        for group in &mut self.groups {
            if let Some(legacy) = &mut group.legacy {
                *legacy = Legacy::random(&mut self.rng);
            }
        }
    }
}

impl Legacy {
    fn random(rng: &mut impl Rng) -> Self {
        let id = CandidateId::random(rng);
        let mut octets = zeroize::Zeroizing::new([0; PASSWORD_LENGTH]);
        rng.fill_bytes(&mut *octets);
        let password = Password::from(&octets[..]);
        let key = key(&password);
        Self { id, password, key }
    }
}
