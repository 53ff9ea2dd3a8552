//! What an agent wants of the network, and what it tells.

use core::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::{CandidateType, Component, Role, Transport};

/// Names a relay allocation of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayId(pub(crate) usize);

impl fmt::Display for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relay {}", self.0)
    }
}

/// Names a TCP connection of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub(crate) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

/// How the relay is reached. Over UDP it relays datagrams, otherwise streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// Datagrams.
    Udp,
    /// TCP.
    Tcp,
    /// TCP, with the handshake that looks like TLS first.
    PseudoTls,
}

impl Carrier {
    /// Whether it relays streams.
    pub const fn is_tcp(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

/// What a relay gave: the content of an Allocate response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// Mapped Address: where peers reach us; `None` if the relay only told the reflexive address.
    pub relayed: Option<SocketAddr>,
    /// MS-Alternate Mapped Address: the same in IPv6, beside one in IPv4.
    pub relayed_alternate: Option<SocketAddr>,
    /// XOR Mapped Address: where the relay saw us.
    pub reflexive: Option<SocketAddr>,
}

/// What an agent wants of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask a relay for an allocation, and answer with [`handle_allocated`](crate::Agent::handle_allocated) or
    /// [`handle_allocation_failed`](crate::Agent::handle_allocation_failed). Keep it alive until it is released.
    Allocate {
        /// The allocation.
        relay: RelayId,
        /// The component it is for.
        component: Component,
        /// How the relay is reached.
        carrier: Carrier,
        /// From where: over UDP the socket of the host candidate, over TCP the interface.
        base: SocketAddr,
        /// The relay.
        server: SocketAddr,
    },
    /// Send a datagram from a socket.
    Datagram {
        /// The address of the socket.
        base: SocketAddr,
        /// Where to.
        remote: SocketAddr,
        /// The datagram.
        data: Bytes,
    },
    /// Send through a relay: a datagram, or a piece of the stream to this peer. It opens the permission for the peer too.
    Relay {
        /// The allocation.
        relay: RelayId,
        /// The peer.
        remote: SocketAddr,
        /// A datagram, or over TCP a packet in its frame of RFC 4571.
        data: Bytes,
    },
    /// Let a peer connect to an allocation over TCP, without anything to send to it: a Send request with empty Data (inferred). That it is
    /// done early, for each of the peer's candidates, is what lets a connection come in before there is a check for it.
    Permit {
        /// The allocation.
        relay: RelayId,
        /// The peer's active candidate.
        remote: SocketAddr,
    },
    /// Make a peer the active destination of an allocation: media will go to it.
    SetActiveDestination {
        /// The allocation.
        relay: RelayId,
        /// The peer.
        remote: SocketAddr,
    },
    /// Give an allocation back.
    Release {
        /// The allocation.
        relay: RelayId,
    },
    /// Open a TCP connection, from the base address where that is possible, and answer with
    /// [`handle_connected`](crate::Agent::handle_connected) or [`handle_closed`](crate::Agent::handle_closed).
    Connect {
        /// The number of the connection.
        connection: ConnectionId,
        /// The address of the active candidate.
        base: SocketAddr,
        /// Where to.
        remote: SocketAddr,
    },
    /// Write to a connection.
    Stream {
        /// The connection.
        connection: ConnectionId,
        /// A packet in its frame of RFC 4571.
        data: Bytes,
    },
    /// Close a connection, or stop to make it. Nothing needs to be told afterwards.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
}

/// One end of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct End {
    /// The address.
    pub address: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// The type.
    pub kind: CandidateType,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.transport, self.address)
    }
}

/// The pair that carries a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SelectedPair {
    /// Our candidate, as the peer sees it.
    pub local: End,
    /// The address that packets leave from: that of the socket, or the relayed one.
    pub base: SocketAddr,
    /// The peer's candidate.
    pub remote: End,
}

impl fmt::Display for SelectedPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} – {}", self.local, self.remote)
    }
}

/// Why an agent failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The checks ended and a component has no valid pair.
    NoValidPair,
    /// The controlling side did not choose in time.
    NotNominated,
    /// The bandwidth policy leaves no pair (\[MS-ICE2BWM\]).
    NoBandwidth,
    /// The connection, or the allocation, of the selected pair is gone.
    PathLost,
    /// The peer no longer answers on the selected pair.
    ConsentExpired,
}

/// What an agent tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The description of this side is complete: see [`local_description`](crate::Agent::local_description).
    Gathered,
    /// A role conflict changed the role.
    RoleChanged(Role),
    /// A component has its first valid pair: media can be sent.
    Usable(Component),
    /// A pair was selected for a component, or a better one than before.
    Selected {
        /// The component.
        component: Component,
        /// The pair.
        pair: SelectedPair,
    },
    /// All components have their pair: the final offer or answer is due, see
    /// [`final_description`](crate::Agent::final_description).
    Completed,
    /// Nothing more will come of this.
    Failed(Failure),
    /// The bandwidth policy has to be asked (\[MS-ICE2BWM\]); answer with [`handle_policy`](crate::Agent::handle_policy).
    PolicyWanted(crate::bandwidth::Sites),
    /// A packet of media came in.
    Data {
        /// The component.
        component: Component,
        /// The packet.
        data: Bytes,
    },
}
