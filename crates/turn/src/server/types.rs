//! What passes between the server and its caller.

use std::net::SocketAddr;

use ocs_stun::attribute::AddressFamily;
use slotmap::new_key_type;

#[cfg(doc)]
use super::Server;

new_key_type! {
    /// Names an allocation.
    pub struct AllocationId;

    /// Names a TCP connection with a peer.
    pub struct PeerConnectionId;
}

/// Names a client's TCP connection; the caller chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Whom an allocation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientId {
    /// Datagrams from this address.
    Udp(SocketAddr),
    /// This connection.
    Tcp(ConnectionId),
}

impl ClientId {
    pub(super) const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    pub(super) const fn socket(self) -> Socket {
        match self {
            Self::Udp(to) => Socket::Udp { to },
            Self::Tcp(connection) => Socket::Connection(connection),
        }
    }
}

/// Names a relayed address: one of the ports that the caller binds for allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelayId {
    /// The allocation.
    pub allocation: AllocationId,
    /// Which of its two possible addresses.
    pub family: AddressFamily,
}

/// Through what octets go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The UDP socket that clients send to. If there is one for each address family, `to` tells which.
    Udp {
        /// The client.
        to: SocketAddr,
    },
    /// A client's connection.
    Connection(ConnectionId),
    /// A relayed UDP port.
    Relay {
        /// Which.
        relay: RelayId,
        /// The peer.
        to: SocketAddr,
    },
    /// A connection with a peer.
    Peer(PeerConnectionId),
}

/// Octets to send: a datagram, or a piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Through what.
    pub socket: Socket,
    /// What.
    pub octets: &'a [u8],
}

/// Something else for the caller to do. What is to be sent comes first: it may have to go out before a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bind a port, and say which with [`Server::handle_bound`]. TCP ports listen.
    Bind {
        /// Its name from now on.
        relay: RelayId,
        /// Whether it is a TCP port.
        stream: bool,
    },
    /// Close the port.
    Unbind(RelayId),
    /// Connect to a peer over TCP, if possible from the relayed port. Say how it went with [`Server::handle_peer_connected`] or
    /// [`Server::handle_peer_closed`].
    Connect {
        /// Its name from now on.
        connection: PeerConnectionId,
        /// For which relayed address.
        relay: RelayId,
        /// The peer.
        peer: SocketAddr,
    },
    /// Close a connection with a peer.
    ClosePeer(PeerConnectionId),
    /// Close a client's connection.
    Close(ConnectionId),
}

/// Why an allocation is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client gave it back.
    Released,
    /// Its time ran out.
    Expired,
    /// The client's connection is gone.
    Disconnected,
    /// No port could be bound.
    NoPort,
    /// The client gave its bandwidth back and relays nothing ([MS-TURNBWM] 3.3.5.3).
    BandwidthCancelled,
}

/// What the operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There is a new allocation.
    Allocated {
        /// Its name.
        allocation: AllocationId,
        /// Whose it is.
        client: ClientId,
        /// The IPv4 address that is relayed.
        ipv4: Option<SocketAddr>,
        /// The IPv6 address that is relayed.
        ipv6: Option<SocketAddr>,
    },
    /// An allocation is gone.
    Released {
        /// Its name.
        allocation: AllocationId,
        /// Why.
        reason: Reason,
    },
    /// A request was refused.
    Refused {
        /// Whose it is.
        client: ClientId,
        /// The code that it was answered with.
        code: u16,
    },
}
