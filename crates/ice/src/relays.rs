//! The allocations of an agent, by clients of \[MS-TURN\].
//!
//! An [`Agent`] says what it wants of relays and knows nothing of how that is done. [`Relays`] does it with [`ocs_turn::Client`], one for
//! each allocation, over sockets of the caller.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_turn::client::{self, Client, Config, Credentials, Event, Failure, Transport};
use rand_core::{CryptoRng, Rng, SeedableRng};

use crate::io::{Allocation, Carrier, Output, RelayId};
use crate::{Agent, Dialect};

/// What relays want of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayOutput {
    /// Send a datagram to a relay, from the socket of a host candidate.
    Datagram {
        /// The address of the socket.
        base: SocketAddr,
        /// The relay.
        to: SocketAddr,
        /// The datagram.
        data: Bytes,
    },
    /// Connect to a relay over TCP; a former connection of this allocation is closed.
    Connect {
        /// The allocation.
        relay: RelayId,
        /// The relay.
        to: SocketAddr,
    },
    /// Write to the connection of an allocation.
    Stream {
        /// The allocation.
        relay: RelayId,
        /// Octets.
        data: Bytes,
    },
    /// Close the connection of an allocation.
    Close {
        /// The allocation.
        relay: RelayId,
    },
}

#[derive(Debug)]
struct Slot<R> {
    id: RelayId,
    /// The socket, of an allocation over UDP.
    base: Option<SocketAddr>,
    /// The agent wants it no longer; it lives until the relay knows.
    released: bool,
    client: Client<R>,
}

/// The clients of one agent's allocations.
///
/// After every call: [`poll_output`](Self::poll_output) until `None`, then a timer for [`poll_timeout`](Self::poll_timeout); and the same with
/// the agent, which may have been told something.
#[derive(Debug)]
pub struct Relays<R> {
    credentials: Credentials,
    dialect: Dialect,
    rng: R,
    slots: Vec<Slot<R>>,
    failures: Vec<(RelayId, Failure)>,
}

impl<R: CryptoRng + SeedableRng> Relays<R> {
    /// No allocation yet. The credentials are those of \[MS-AVEDGEA\].
    pub fn new(dialect: Dialect, credentials: Credentials, rng: R) -> Self {
        Self {
            credentials,
            dialect,
            rng,
            slots: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Does what an agent wants of relays; gives everything else back.
    pub fn handle_output(&mut self, now: Instant, output: Output) -> Option<Output> {
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
                // What does not get through is lost, as with any datagram; a stream's allocation ends then.
                let _ = client.send(remote, &data);
            }),
            Output::Permit { relay, remote } => self.with(relay, |client| {
                let _ = client.send(remote, &[]);
            }),
            Output::SetActiveDestination { relay, remote } => self.with(relay, |client| {
                let _ = client.set_active_destination(now, remote);
            }),
            Output::Release { relay } => self.release(now, relay),
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
            Dialect::Ice => ocs_stun::attribute::MsVersion::ICE,
            Dialect::Ice2 => ocs_stun::attribute::MsVersion::ICE2,
        };
        let rng = R::from_rng(&mut self.rng);
        self.slots.push(Slot {
            id,
            base: (!transport.is_stream()).then_some(base),
            released: false,
            client: Client::new(now, config, self.credentials.clone(), rng),
        });
    }

    fn with(&mut self, relay: RelayId, act: impl FnOnce(&mut Client<R>)) {
        let mut slots = self.slots.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.id == relay && !slot.released) {
            act(&mut slot.client);
        }
    }

    fn release(&mut self, now: Instant, relay: RelayId) {
        let mut slots = self.slots.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.id == relay && !slot.released) {
            slot.released = true;
            slot.client.release(now);
        }
        self.forget_released();
    }

    /// A datagram came to the socket of a host candidate. True if it is from a relay; otherwise it is for the agent.
    pub fn handle_datagram<A: Rng>(
        &mut self,
        now: Instant,
        agent: &mut Agent<A>,
        base: SocketAddr,
        from: SocketAddr,
        data: &[u8],
    ) -> bool {
        let mut slots = self.slots.iter();
        let of = |slot: &Slot<R>| slot.base == Some(base) && slot.client.server() == from;
        let Some(place) = slots.position(of) else {
            return false;
        };
        self.data(now, agent, place, data);
        true
    }

    /// The connection that [`RelayOutput::Connect`] asked for is there.
    pub fn handle_connected(&mut self, now: Instant, relay: RelayId) {
        if let Some(place) = self.place(relay) {
            self.slots[place].client.handle_connected(now);
        }
    }

    /// Octets of a connection.
    pub fn handle_stream<A: Rng>(
        &mut self,
        now: Instant,
        agent: &mut Agent<A>,
        relay: RelayId,
        data: &[u8],
    ) {
        if let Some(place) = self.place(relay) {
            self.data(now, agent, place, data);
        }
    }

    /// A connection is closed, or could not be made.
    pub fn handle_closed<A: Rng>(&mut self, now: Instant, agent: &mut Agent<A>, relay: RelayId) {
        if let Some(place) = self.place(relay) {
            self.slots[place].client.handle_closed();
            self.tell(now, agent, place);
            self.forget_released();
        }
    }

    /// The connection of an allocation that was not given back yet, or else of one that was.
    fn place(&self, relay: RelayId) -> Option<usize> {
        let of = |slot: &Slot<R>| slot.id == relay && slot.base.is_none();
        self.slots.iter().rposition(of)
    }

    fn data<A: Rng>(&mut self, now: Instant, agent: &mut Agent<A>, place: usize, data: &[u8]) {
        // What is wrong is ignored; what ends the allocation is an event, too.
        let _ = self.slots[place].client.handle_data(now, data);
        self.tell(now, agent, place);
        self.forget_released();
    }

    /// Tells the agent what the client of an allocation has to say.
    fn tell<A: Rng>(&mut self, now: Instant, agent: &mut Agent<A>, place: usize) {
        let slot = &mut self.slots[place];
        let id = slot.id;
        while let Some(event) = slot.client.poll_event() {
            match event {
                _ if slot.released => {}
                Event::Allocated(given) => agent.handle_allocated(now, id, allocation(&given)),
                Event::Data { peer, octets } => {
                    agent.handle_relayed(now, id, peer, Bytes::copy_from_slice(octets));
                }
                Event::Failed(failure) => {
                    slot.released = true;
                    self.failures.push((id, failure));
                    agent.handle_allocation_failed(now, id);
                }
                _ => {}
            }
        }
    }

    /// Time has passed.
    pub fn handle_timeout<A: Rng>(&mut self, now: Instant, agent: &mut Agent<A>) {
        for place in 0..self.slots.len() {
            self.slots[place].client.handle_timeout(now);
            self.tell(now, agent, place);
        }
        self.forget_released();
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.slots
            .iter()
            .filter_map(|slot| slot.client.poll_timeout())
            .min()
    }

    /// The next thing to do on the network.
    pub fn poll_output(&mut self) -> Option<RelayOutput> {
        self.slots.iter_mut().find_map(|slot| {
            let relay = slot.id;
            Some(match slot.client.poll_output()? {
                client::Output::Connect(to) => RelayOutput::Connect { relay, to },
                client::Output::Close => RelayOutput::Close { relay },
                client::Output::Send { to, octets } => {
                    let data = Bytes::copy_from_slice(octets);
                    match slot.base {
                        Some(base) => RelayOutput::Datagram { base, to, data },
                        None => RelayOutput::Stream { relay, data },
                    }
                }
            })
        })
    }

    /// Why allocations failed since this was asked for last: what a report of quality wants to know.
    pub fn take_failures(&mut self) -> Vec<(RelayId, Failure)> {
        core::mem::take(&mut self.failures)
    }

    /// Clients whose allocation is given back, and who have nothing more to say, go.
    fn forget_released(&mut self) {
        self.slots
            .retain(|slot| !slot.released || slot.client.poll_timeout().is_some());
    }
}

fn allocation(given: &client::Allocation) -> Allocation {
    Allocation {
        relayed: Some(given.relayed),
        relayed_alternate: given.alternate,
        reflexive: Some(given.reflexive),
    }
}
