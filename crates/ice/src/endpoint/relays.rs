//! The clients of an agent's allocations.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_stun::attribute::MsVersion;
use ocs_turn::client::{self, Client, Config, Credentials, Event, Failure, Transport};
use rand_core::{CryptoRng, SeedableRng};

use super::{Action, Link};
use crate::Dialect;
use crate::io::{Allocation, Carrier, Output, RelayId};

#[derive(Debug)]
struct Slot<R> {
    id: RelayId,
    base: SocketAddr,
    stream: bool,
    /// The agent wants it no longer; it lives until the relay knows.
    released: bool,
    client: Client<R>,
}

/// What an allocation has to say to the agent.
#[derive(Debug)]
pub(super) enum News {
    Allocated(Allocation),
    Data(SocketAddr, Bytes),
    Failed(Failure),
}

#[derive(Debug)]
pub(super) struct Relays<R> {
    credentials: Credentials,
    dialect: Dialect,
    rng: R,
    slots: Vec<Slot<R>>,
}

impl<R: CryptoRng + SeedableRng> Relays<R> {
    pub(super) fn new(dialect: Dialect, credentials: Credentials, rng: R) -> Self {
        Self {
            credentials,
            dialect,
            rng,
            slots: Vec::new(),
        }
    }

    /// Does what an agent wants of relays; gives everything else back.
    pub(super) fn handle_output(&mut self, now: Instant, output: Output) -> Option<Output> {
        match output {
            Output::Allocate {
                relay,
                carrier,
                base,
                server,
                ..
            } => self.allocate(now, relay, carrier, base, server),
            Output::Relay {
                relay,
                remote,
                data,
            } => self.with(relay, |client| {
                // What does not get through is lost, as any packet may be.
                let _ = client.send(remote, &data);
            }),
            Output::Permit { relay, remote } => self.with(relay, |client| {
                let _ = client.send(remote, &[]);
            }),
            Output::SetActiveDestination { relay, remote } => self.with(relay, |client| {
                let _ = client.set_active_destination(now, remote);
            }),
            Output::Release { relay } => {
                if let Some(slot) = self.wanted(relay) {
                    slot.released = true;
                    slot.client.release(now);
                }
            }
            other => return Some(other),
        }
        None
    }

    fn allocate(
        &mut self,
        now: Instant,
        id: RelayId,
        carrier: Carrier,
        base: SocketAddr,
        server: SocketAddr,
    ) {
        let transport = match carrier {
            Carrier::Udp => Transport::Udp,
            Carrier::Tcp => Transport::Tcp,
            Carrier::PseudoTls => Transport::PseudoTls,
        };
        let mut config = Config::new(server, transport);
        config.version = match self.dialect {
            Dialect::Ice => MsVersion::ICE,
            Dialect::Ice2 => MsVersion::ICE2,
        };
        let rng = R::from_rng(&mut self.rng);
        self.slots.push(Slot {
            id,
            base,
            stream: transport.is_stream(),
            released: false,
            client: Client::new(now, config, self.credentials.clone(), rng),
        });
    }

    fn wanted(&mut self, relay: RelayId) -> Option<&mut Slot<R>> {
        let mut slots = self.slots.iter_mut();
        slots.find(|slot| slot.id == relay && !slot.released)
    }

    fn with(&mut self, relay: RelayId, act: impl FnOnce(&mut Client<R>)) {
        if let Some(slot) = self.wanted(relay) {
            act(&mut slot.client);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn client(&mut self, place: usize) -> &mut Client<R> {
        &mut self.slots[place].client
    }

    /// The allocation whose relay a datagram is from.
    pub(super) fn over_udp(&self, base: SocketAddr, from: SocketAddr) -> Option<usize> {
        let of = |slot: &Slot<R>| !slot.stream && slot.base == base && slot.client.server() == from;
        self.slots.iter().position(of)
    }

    /// The allocation that has a connection; the last one of its name.
    pub(super) fn over_tcp(&self, relay: RelayId) -> Option<usize> {
        let of = |slot: &Slot<R>| slot.stream && slot.id == relay;
        self.slots.iter().rposition(of)
    }

    /// The next thing that an allocation has to say.
    pub(super) fn poll_news(&mut self, place: usize) -> Option<(RelayId, News)> {
        let slot = &mut self.slots[place];
        let id = slot.id;
        while let Some(event) = slot.client.poll_event() {
            let news = match event {
                _ if slot.released => continue,
                Event::Allocated(given) => News::Allocated(Allocation {
                    relayed: Some(given.relayed),
                    relayed_alternate: given.alternate,
                    reflexive: Some(given.reflexive),
                }),
                Event::Data { peer, octets } => News::Data(peer, Bytes::copy_from_slice(octets)),
                Event::Failed(failure) => {
                    slot.released = true;
                    News::Failed(failure)
                }
                _ => continue,
            };
            return Some((id, news));
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let timers = self
            .slots
            .iter()
            .filter_map(|slot| slot.client.poll_timeout());
        timers.min()
    }

    /// The next thing that an allocation wants of the network.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.slots.iter_mut().find_map(|slot| {
            let (link, base) = (Link::Relay(slot.id), slot.base);
            Some(match slot.client.poll_output()? {
                client::Output::Connect(to) => Action::Connect { link, base, to },
                client::Output::Close => Action::Close { link },
                client::Output::Send { to, octets } => {
                    let data = Bytes::copy_from_slice(octets);
                    if slot.stream {
                        Action::Stream { link, data }
                    } else {
                        Action::Datagram { base, to, data }
                    }
                }
            })
        })
    }

    /// Clients whose allocation is given back, and who wait for nothing more, go.
    pub(super) fn forget_released(&mut self) {
        self.slots
            .retain(|slot| !slot.released || slot.client.poll_timeout().is_some());
    }
}
