//! TCP allocations toward peers: one connection for each peer, whose octets are copied as they come ([MS-TURN], "byte streams").

use std::net::SocketAddr;
use std::time::Instant;

use rand_core::CryptoRng;

use super::allocation::Relayed;
use super::{
    Action, AllocationId, CredentialStore, PeerConnectionId, RelayId, Server, Socket, Timer,
};
use crate::Error;
use crate::bandwidth::BandwidthPolicy;

/// A connection with a peer.
#[derive(Debug)]
pub(super) struct PeerConnection {
    relay: RelayId,
    peer: SocketAddr,
    state: State,
    /// Until when it has to be open.
    deadline: Instant,
}

#[derive(Debug)]
enum State {
    /// Being made; what the client sends waits.
    Connecting(Vec<u8>),
    /// Accepted before the client has permitted the peer; what the peer sends waits.
    Held(Vec<u8>),
    Open,
}

/// The most that goes into one frame or one Data Indication.
const PIECE: usize = 32 * 1024;

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// Sends octets of the stream to a peer. The first ones make the connection.
    pub(super) fn forward_stream(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        data: &[u8],
    ) -> Result<(), Error> {
        let limits = &self.config.limits;
        let (peer_connections, peer_buffer) = (limits.peer_connections, limits.peer_buffer);
        let allocation = &self.allocations[relay.allocation];
        let known = allocation.peers.iter().copied().find(|&id| {
            let connection = self.peers.get(id);
            connection.is_some_and(|connection| connection.peer == peer)
        });
        let id = match known {
            Some(id) => id,
            None if allocation.peers.len() >= peer_connections => {
                return Err(Error::Unexpected {
                    what: "connection with so many peers",
                });
            }
            None => {
                let connection = self.add_peer(now, relay, peer, State::Connecting(Vec::new()));
                self.actions.push_back(Action::Connect {
                    connection,
                    relay,
                    peer,
                });
                connection
            }
        };
        match &mut self.peers[id].state {
            State::Open => self.outbox.push_octets(Socket::Peer(id), data),
            State::Connecting(queued) | State::Held(queued) => {
                if queued.len() + data.len() > peer_buffer {
                    return Err(Error::Unexpected {
                        what: "so much data before the connection is made",
                    });
                }
                queued.extend_from_slice(data);
            }
        }
        Ok(())
    }

    fn add_peer(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        state: State,
    ) -> PeerConnectionId {
        let deadline = now + self.config.limits.peer_connect;
        let id = self.peers.insert(PeerConnection {
            relay,
            peer,
            state,
            deadline,
        });
        self.allocations[relay.allocation].peers.push(id);
        self.timers.insert((deadline, Timer::Peer(id)));
        id
    }

    /// A permission may be what accepted connections wait for.
    pub(super) fn admit_held(&mut self, now: Instant, id: AllocationId) {
        let rule = self.config.permissions;
        for index in 0..self.allocations[id].peers.len() {
            let allocation = &self.allocations[id];
            let Some(connection) = self.peers.get_mut(allocation.peers[index]) else {
                continue;
            };
            let (relay, peer) = (connection.relay, connection.peer);
            if let State::Held(octets) = &mut connection.state
                && allocation.permits(rule, peer)
            {
                let octets = std::mem::take(octets);
                connection.state = State::Open;
                // What does not fit the reservation is lost, as it would be later.
                let _ = self.deliver_stream(now, relay, peer, &octets);
            }
        }
    }

    fn deliver_stream(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        octets: &[u8],
    ) -> Result<(), Error> {
        for piece in octets.chunks(PIECE) {
            self.deliver(now, relay.allocation, peer, piece)?;
        }
        Ok(())
    }

    /// A peer has connected to a relayed TCP port. Without permission it is held for a while, because the one that answers a call usually
    /// connects before the other has sent anything. `None`: close it.
    pub fn handle_peer_accepted(
        &mut self,
        now: Instant,
        relay: RelayId,
        from: SocketAddr,
    ) -> Option<PeerConnectionId> {
        let limits = &self.config.limits;
        let allocation = self.allocations.get(relay.allocation)?;
        if allocation.relayed(relay.family) == Relayed::None
            || allocation.peers.len() >= limits.peer_connections
            || !self.config.peers.allows(from)
        {
            return None;
        }
        let state = if allocation.permits(self.config.permissions, from) {
            State::Open
        } else {
            State::Held(Vec::new())
        };
        Some(self.add_peer(now, relay, from, state))
    }

    /// The connection that [`Action::Connect`] asked for is there.
    pub fn handle_peer_connected(&mut self, connection: PeerConnectionId) -> Result<(), Error> {
        let state = self.peers.get_mut(connection).ok_or(UNKNOWN)?;
        if let State::Connecting(queued) = std::mem::replace(&mut state.state, State::Open)
            && !queued.is_empty()
        {
            self.outbox.push_octets(Socket::Peer(connection), &queued);
        }
        Ok(())
    }

    /// Takes octets from a peer.
    pub fn handle_peer_data(
        &mut self,
        now: Instant,
        connection: PeerConnectionId,
        octets: &[u8],
    ) -> Result<(), Error> {
        let state = self.peers.get_mut(connection).ok_or(UNKNOWN)?;
        let (relay, peer) = (state.relay, state.peer);
        match &mut state.state {
            State::Open | State::Connecting(_) => self.deliver_stream(now, relay, peer, octets),
            State::Held(held) => {
                if held.len() + octets.len() > self.config.limits.peer_buffer {
                    self.close_peer(connection);
                    return Err(Error::Unexpected {
                        what: "so much data without permission",
                    });
                }
                held.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    /// A connection with a peer is gone, or could not be made. The allocation stays.
    pub fn handle_peer_closed(&mut self, connection: PeerConnectionId) {
        let Some(state) = self.peers.remove(connection) else {
            return;
        };
        self.timers
            .remove(&(state.deadline, Timer::Peer(connection)));
        if let Some(allocation) = self.allocations.get_mut(state.relay.allocation) {
            allocation.peers.retain(|&id| id != connection);
        }
    }

    /// Waiting has an end.
    pub(super) fn peer_timeout(&mut self, connection: PeerConnectionId) {
        let waiting = self
            .peers
            .get(connection)
            .is_some_and(|connection| !matches!(connection.state, State::Open));
        if waiting {
            self.close_peer(connection);
        }
    }

    pub(super) fn close_peer(&mut self, connection: PeerConnectionId) {
        self.handle_peer_closed(connection);
        self.actions.push_back(Action::ClosePeer(connection));
    }
}

const UNKNOWN: Error = Error::Unknown {
    what: "connection with a peer",
};
