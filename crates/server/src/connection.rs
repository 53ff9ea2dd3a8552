//! What a front end keeps of one connection.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use ocs_conmgmt::{Channel, ServerKeepAlive};
use ocs_pres::server::SubscriptionId;
use ocs_sip_core::{Aor, Message, Transport};
use ocs_sipae::server::AssociationId;
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

/// An endpoint that authenticated on a connection.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) association: AssociationId,
    pub(crate) aor: Aor,
    pub(crate) epid: Option<Box<str>>,
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
    /// The endpoints that authenticated on it; one, but for connections of proxies.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Subscriptions of the endpoints on it.
    pub(crate) subscriptions: Vec<SubscriptionId>,
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
            endpoints: Vec::new(),
            subscriptions: Vec::new(),
        }
    }

    /// Remembers the association with which messages to an endpoint are signed.
    pub(crate) fn associate(&mut self, endpoint: Endpoint) {
        self.endpoints
            .retain(|old| old.aor != endpoint.aor || old.epid != endpoint.epid);
        self.endpoints.reserve_exact(1);
        self.endpoints.push(endpoint);
    }

    /// The association for a message that goes out here. Of several endpoints the message tells which: From of its own request in a response,
    /// To in a request.
    pub(crate) fn association_for(&self, message: &Message) -> Option<AssociationId> {
        match self.endpoints.as_slice() {
            [] => None,
            [one] => Some(one.association),
            many => {
                let side = if message.is_request() {
                    message.to_header()
                } else {
                    message.from_header()
                };
                let side = side.ok()?;
                let aor = side.uri().ok()?.as_sip()?.aor()?;
                let epid = side.epid();
                let of_user = || many.iter().filter(|endpoint| endpoint.aor == aor);
                of_user()
                    .find(|endpoint| epid.is_some() && endpoint.epid.as_deref() == epid)
                    .or_else(|| of_user().next_back())
                    .map(|endpoint| endpoint.association)
            }
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
