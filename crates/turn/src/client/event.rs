//! What a client tells its caller.

use std::net::SocketAddr;

use ocs_stun::attribute::{MsVersion, MultiplexedTurnSessionId};

#[cfg(doc)]
use super::{Client, Config};
use crate::{Error, bandwidth};

/// Something for the caller to do with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Connect to the server, over TCP. Say how it went with [`Client::handle_connected`] or [`Client::handle_closed`]. A former connection
    /// is closed, and what comes from it no more handed in.
    Connect(SocketAddr),
    /// Send octets to the server: a datagram, or a piece of the stream.
    Send {
        /// The server.
        to: SocketAddr,
        /// What to send.
        octets: &'a [u8],
    },
    /// Close the connection.
    Close,
}

/// What an allocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The server that made it.
    pub server: SocketAddr,
    /// The relayed address: a relayed candidate.
    pub relayed: SocketAddr,
    /// The relayed IPv6 address beside an IPv4 one, from MS-Version 4 on.
    pub alternate: Option<SocketAddr>,
    /// The client's address as the server sees it: a server reflexive candidate. Over TCP it is that of the connection.
    pub reflexive: SocketAddr,
    /// Life in seconds. The machine refreshes in time.
    pub lifetime: u32,
    /// The server's MS-Version; 1 if it did not say.
    pub version: MsVersion,
    /// For frames of multiplexed TURN, if the server gave it.
    pub session: Option<MultiplexedTurnSessionId>,
}

/// Why there is no allocation, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The server did not answer.
    NoAnswer,
    /// The connection could not be made or was lost.
    Disconnected,
    /// The other side of the connection does not speak the protocol.
    Protocol(Error),
    /// The credentials are refused: get new ones (\[MS-AVEDGEA\]).
    Credentials {
        /// 401, 430, 431, 436 or 441.
        code: u16,
    },
    /// The server refused with another code; 437 says that the allocation is gone.
    Refused {
        /// The code.
        code: u16,
    },
    /// Servers sent the client from one to another, more often than [`Config::redirects`] allows.
    Redirects,
    /// The server takes none of its own nonces.
    StaleNonces,
    /// The response lacks the addresses that it has to have.
    Malformed,
}

/// What the application has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The allocation is there.
    Allocated(Allocation),
    /// It lives on.
    Refreshed {
        /// Its life from now on, in seconds.
        lifetime: u32,
    },
    /// Data from a peer: a datagram; over TCP a piece of the peer's stream, of any size.
    Data {
        /// The peer.
        peer: SocketAddr,
        /// What it sent.
        octets: &'a [u8],
    },
    /// The peer is the active destination: data for it goes without headers from now on.
    ActiveDestination {
        /// The peer.
        peer: SocketAddr,
    },
    /// It is not. Data goes to it as before.
    ActiveDestinationRefused {
        /// The peer.
        peer: SocketAddr,
        /// The server's code; none if it did not answer.
        code: Option<u16>,
    },
    /// The answer to [`Client::manage_bandwidth`]. `None`: the server has no policy, everything is allowed (inferred).
    Bandwidth(Option<bandwidth::Response>),
    /// The server has sent us to another one.
    Redirected {
        /// Which is asked now.
        server: SocketAddr,
    },
    /// The allocation is released, as the application wanted.
    Released,
    /// There is no allocation, or no longer. The machine is of no more use.
    Failed(Failure),
}
