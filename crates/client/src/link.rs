//! The one connection of a user agent.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use ocs_conmgmt::{AttemptId, Channel, ClientKeepAlive, ClientKeepAliveConfig};
use ocs_sip_core::{ConnectionId, Message, Transport};
use ocs_sipcomp::Initiator;

use crate::Config;

/// A connection that is up.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) attempt: AttemptId,
    pub(crate) transport: Transport,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) host: String,
    pub(crate) channel: Channel,
    pub(crate) keep_alive: ClientKeepAlive,
    pub(crate) initiator: Initiator,
    pub(crate) out: BytesMut,
}

/// Where a [`Link`] leads.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) attempt: AttemptId,
    pub(crate) transport: Transport,
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
}

impl Link {
    pub(crate) fn new(
        now: Instant,
        id: ConnectionId,
        destination: Destination,
        local: SocketAddr,
        config: &Config,
    ) -> Self {
        Self {
            id,
            attempt: destination.attempt,
            transport: destination.transport,
            local,
            remote: destination.address,
            host: destination.host,
            channel: Channel::new(config.limits),
            keep_alive: ClientKeepAlive::new(now, ClientKeepAliveConfig::default()),
            initiator: Initiator::new(config.compression),
            out: BytesMut::new(),
        }
    }

    /// `host:port` of the own end.
    pub(crate) fn sent_by(&self) -> String {
        self.local.to_string()
    }

    /// Queues a message.
    pub(crate) fn send(&mut self, now: Instant, message: &Message) {
        self.channel.encode(message, &mut self.out);
        self.keep_alive.handle_sent(now);
    }
}
