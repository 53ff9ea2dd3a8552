//! What a machine must offer to live on the virtual network.

use core::any::Any;
use core::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_sip_core::{ConnectionId, Transport};

use crate::dns::{Answer, Query};

/// Names one host of a [`Testbed`](crate::Testbed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A program on the virtual network: usually one protocol machine and the little glue that a real
/// program has between it and its sockets.
///
/// After every call of [`handle_input`](Self::handle_input) and
/// [`handle_timeout`](Self::handle_timeout), and after the application touched the host through
/// [`Testbed::host_mut`](crate::Testbed::host_mut), the testbed takes outputs until there is none
/// and asks for the timer again.
pub trait Host: Any {
    /// The network has something for this host.
    fn handle_input(&mut self, now: Instant, input: Input);

    /// The moment named by [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Instant);

    /// The next thing that the host wants of the network.
    fn poll_output(&mut self) -> Option<Output>;

    /// When to call [`handle_timeout`](Self::handle_timeout); a moment that has passed means at once.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What the network brings to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A datagram came in.
    Datagram {
        /// The address of this host that it was sent to.
        local: SocketAddr,
        /// Where it seems to come from.
        peer: SocketAddr,
        /// The payload.
        data: Bytes,
    },
    /// An [`Output::Connect`] succeeded; the connection can be written to.
    Connected {
        /// The number that the host chose.
        connection: ConnectionId,
        /// The address of this host that the network chose.
        local: SocketAddr,
        /// The address connected to.
        peer: SocketAddr,
        /// The names in the certificate of the peer; empty for [`Transport::Tcp`]. Whether one of
        /// them is good enough is for the host to decide: the testbed never refuses a name.
        certificate_names: Vec<String>,
    },
    /// An [`Output::Connect`] failed; the connection does not exist.
    ConnectFailed {
        /// The number that the host chose.
        connection: ConnectionId,
        /// Why.
        reason: ConnectFailure,
    },
    /// Somebody connected to a [`Listener`](crate::Listener) of this host.
    Accepted {
        /// A number given by the testbed; its highest bit is set.
        connection: ConnectionId,
        /// The address of this host that was connected to.
        local: SocketAddr,
        /// The address of the other end.
        peer: SocketAddr,
        /// The transport of the listener.
        transport: Transport,
        /// The name that the other end asked for in the TLS handshake.
        server_name: Option<String>,
    },
    /// Bytes of a stream. Their boundaries mean nothing; see [`Chunking`](crate::Chunking).
    Data {
        /// The connection they came on.
        connection: ConnectionId,
        /// One or more bytes.
        data: Bytes,
    },
    /// No more bytes will come.
    Closed {
        /// The connection that ended.
        connection: ConnectionId,
        /// After [`Closed::Fin`] the host can still write until it closes its own direction; after
        /// [`Closed::Reset`] the connection no longer exists.
        how: Closed,
    },
    /// The answer to an [`Output::Resolve`].
    Resolved {
        /// The number that the host gave with its question.
        id: u64,
        /// What the name server said.
        answer: Answer,
    },
}

/// What a host wants of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram.
    Datagram {
        /// An address of this host; an unspecified IP address stands for its first of the family.
        local: SocketAddr,
        /// Where to.
        peer: SocketAddr,
        /// The payload.
        data: Bytes,
    },
    /// Open a connection; answered with [`Input::Connected`] or [`Input::ConnectFailed`].
    Connect {
        /// A number that no live connection of this host has, with the highest bit clear.
        connection: ConnectionId,
        /// Where to.
        peer: SocketAddr,
        /// [`Transport::Tcp`] or [`Transport::Tls`].
        transport: Transport,
        /// The name to ask for in the TLS handshake.
        server_name: Option<String>,
    },
    /// Write to a stream.
    Send {
        /// A connection that is open.
        connection: ConnectionId,
        /// The bytes; they arrive in order, in pieces of the network's choice.
        data: Bytes,
    },
    /// End this host's direction of a stream after everything that was sent. A connection whose two
    /// directions have ended is gone. Before [`Input::Connected`] it gives up the attempt.
    Close {
        /// The connection; ignored if there is none of that number.
        connection: ConnectionId,
    },
    /// Abort a connection in both directions.
    Reset {
        /// The connection; ignored if there is none of that number.
        connection: ConnectionId,
    },
    /// Ask the name server; answered with [`Input::Resolved`].
    Resolve {
        /// A number to recognize the answer by, that no open question of this host has.
        id: u64,
        /// The question.
        query: Query,
    },
}

/// How the other end of a connection ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closed {
    /// In order, after all of its bytes.
    Fin,
    /// By an abort; bytes on the way are lost.
    Reset,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fin => "closed",
            Self::Reset => "reset",
        })
    }
}

/// Why a connection could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ConnectFailure {
    /// The host is there, but nothing listens on the port.
    #[error("refused")]
    Refused,
    /// No host has the address, or this host has no address of its family.
    #[error("unreachable")]
    Unreachable,
    /// No answer came: the link is cut.
    #[error("timed out")]
    TimedOut,
    /// One side speaks TLS and the other does not.
    #[error("handshake failed")]
    Handshake,
    /// The attempt was aborted on the way.
    #[error("reset")]
    Reset,
}
