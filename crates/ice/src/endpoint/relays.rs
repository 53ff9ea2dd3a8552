//! The clients of an agent's allocations.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_stun::attribute::MsVersion;
use ocs_turn::bandwidth::{Request, Response};
use ocs_turn::client::{self, Client, Config, Credentials, Event, Failure, Transport};
use rand_core::{CryptoRng, SeedableRng};

use super::{Action, Link};
use crate::Dialect;
use crate::io::{Allocation, Carrier, Output, RelayId};

/// Seconds that an allocation lives for if nobody has said.
const DEFAULT_LIFETIME: u32 = 600;

#[derive(Debug)]
struct Slot<R> {
    id: RelayId,
    base: SocketAddr,
    stream: bool,
    /// The agent wants it no longer; it lives until the relay knows.
    released: bool,
    /// The agent wants it again, and is to be told.
    again: bool,
    client: Client<R>,
}

impl<R: CryptoRng> Slot<R> {
    fn is_there(&self) -> bool {
        self.client.allocation().is_some()
    }
}

/// What an allocation has to say to the agent.
#[derive(Debug)]
pub(super) enum News {
    Allocated(Allocation),
    Data(SocketAddr, Bytes),
    Failed(Failure),
    Policy(Option<Response>),
}

#[derive(Debug)]
pub(super) struct Relays<R> {
    credentials: Credentials,
    dialect: Dialect,
    rng: R,
    slots: Vec<Slot<R>>,
    /// The one whose relay is asked about bandwidth. It lives on when the agent wants it no longer.
    managing: Option<RelayId>,
}

impl<R: CryptoRng + SeedableRng> Relays<R> {
    pub(super) fn new(dialect: Dialect, credentials: Credentials, rng: R) -> Self {
        Self {
            credentials,
            dialect,
            rng,
            slots: Vec::new(),
            managing: None,
        }
    }

    /// Another generator, for another agent.
    pub(super) fn derive_rng(&mut self) -> R {
        R::from_rng(&mut self.rng)
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
                let managing = self.is_managing(relay);
                if let Some(slot) = self.wanted(relay) {
                    slot.released = true;
                    if !(managing && slot.is_there()) {
                        slot.client.release(now);
                    }
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
        if self.is_managing(id)
            && let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id)
            && slot.is_there()
        {
            slot.released = false;
            slot.again = true;
            return;
        }
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
            again: false,
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

    pub(super) fn is_managing(&self, relay: RelayId) -> bool {
        self.managing == Some(relay)
    }

    /// Asks a relay about bandwidth: always the same one, as long as it is there. Tells whether there is one.
    pub(super) fn manage(&mut self, now: Instant, request: Request) -> bool {
        let managing = self.managing;
        let fit = |slot: &&mut Slot<R>| match managing {
            Some(relay) => slot.id == relay,
            None => !slot.released,
        };
        let mut slots = self.slots.iter_mut().filter(fit);
        let Some(slot) = slots.find(|slot| slot.is_there()) else {
            return false;
        };
        self.managing = Some(slot.id);
        slot.client.manage_bandwidth(now, request).is_ok()
    }

    /// Nothing more is asked about bandwidth: what lived on for that is given back.
    pub(super) fn stop_managing(&mut self, now: Instant) {
        let managing = self.managing.take();
        let unwanted = |slot: &&mut Slot<R>| Some(slot.id) == managing && slot.released;
        if let Some(slot) = self.slots.iter_mut().find(unwanted) {
            slot.client.release(now);
        }
    }

    /// The lifetime of the allocation whose relay is asked about bandwidth.
    pub(super) fn managing_lifetime(&self) -> Duration {
        let mut slots = self.slots.iter();
        let slot = slots.find(|slot| Some(slot.id) == self.managing);
        let allocation = slot.and_then(|slot| slot.client.allocation());
        let seconds = allocation.map_or(DEFAULT_LIFETIME, |allocation| allocation.lifetime);
        Duration::from_secs(seconds.max(3).into())
    }

    /// The next allocation that the agent has to be told of once more.
    pub(super) fn taken_again(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.again)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn client(&mut self, place: usize) -> &mut Client<R> {
        &mut self.slots[place].client
    }

    /// Whether a datagram is from the relay of an allocation.
    pub(super) fn is_over_udp(&self, place: usize, base: SocketAddr, from: SocketAddr) -> bool {
        let slot = &self.slots[place];
        !slot.stream && slot.base == base && slot.client.server() == from
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
        let managing = self.managing == Some(id);
        if core::mem::take(&mut slot.again)
            && let Some(allocation) = slot.client.allocation()
        {
            return Some((id, News::Allocated(given(allocation))));
        }
        while let Some(event) = slot.client.poll_event() {
            let news = match event {
                Event::Bandwidth(response) => News::Policy(response),
                Event::Failed(failure) if managing || !slot.released => {
                    slot.released = true;
                    News::Failed(failure)
                }
                _ if slot.released => continue,
                Event::Allocated(allocation) => News::Allocated(given(&allocation)),
                Event::Data { peer, octets } => News::Data(peer, Bytes::copy_from_slice(octets)),
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

/// What an allocation is to the agent.
fn given(allocation: &client::Allocation) -> Allocation {
    Allocation {
        relayed: Some(allocation.relayed),
        relayed_alternate: allocation.alternate,
        reflexive: Some(allocation.reflexive),
    }
}
