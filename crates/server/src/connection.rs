//! What a front end keeps of one connection.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use ocs_conmgmt::{Channel, ServerKeepAlive};
use ocs_sip_core::Transport;
use ocs_sipcomp::Acceptor;

use crate::Config;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// TCP, or TLS whose handshake the caller has done.
    pub transport: Transport,
    /// The own end.
    pub local: SocketAddr,
    /// The far end.
    pub remote: SocketAddr,
}

/// A live connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) channel: Channel,
    pub(crate) keep_alive: ServerKeepAlive,
    pub(crate) acceptor: Acceptor,
    /// What is to be written and was not fetched yet.
    pub(crate) out: BytesMut,
    /// When the schedule looks at this connection next.
    pub(crate) scheduled: Option<Instant>,
    /// Whether it is to be closed once `out` is written.
    pub(crate) closing: bool,
    /// Messages that were dropped: malformed responses, bad signatures, strays.
    pub(crate) dropped: u64,
}

impl Connection {
    pub(crate) fn new(now: Instant, peer: Peer, config: &Config) -> Self {
        Self {
            peer,
            channel: Channel::new(config.limits),
            keep_alive: ServerKeepAlive::new(now, config.keep_alive, false),
            acceptor: Acceptor::new(config.compression, peer.transport == Transport::Tls),
            out: BytesMut::new(),
            scheduled: None,
            closing: false,
            dropped: 0,
        }
    }

    /// The connection as the routing rules see it.
    pub(crate) fn flow(&self, id: ocs_sip_core::ConnectionId) -> ocs_sipre::Flow {
        ocs_sipre::Flow {
            connection: id,
            transport: self.peer.transport,
            remote: self.peer.remote,
            peer: ocs_sipre::Peer::Client,
        }
    }
}
