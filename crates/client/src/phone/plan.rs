//! Streams that a program can have.

use std::net::SocketAddr;

use ocs_ice::{Carrier, Component, Transport};
use ocs_sdpext::attribute::{Direction, SsrcRange};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{self, Stream, StreamKind};

/// A socket that the program has opened for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// RTP or RTCP.
    pub component: Component,
    /// UDP; TCP from which is connected, or at which is listened.
    pub transport: Transport,
    /// Its address.
    pub address: SocketAddr,
}

/// A relay that is asked for an allocation, with the credentials that the user agent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relay {
    /// RTP or RTCP.
    pub component: Component,
    /// How it is reached.
    pub carrier: Carrier,
    /// The address of the socket that is used; over TCP the interface.
    pub base: SocketAddr,
    /// The relay.
    pub server: SocketAddr,
}

/// A stream that the program can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is.
    pub kind: StreamKind,
    /// The sockets, for both components.
    pub sockets: Vec<Socket>,
    /// The relays.
    pub relays: Vec<Relay>,
    /// The formats in our order.
    pub codecs: Vec<Codec>,
    /// What we want.
    pub direction: Direction,
}

impl Plan {
    /// A stream over two sockets of UDP, both ways.
    #[must_use]
    pub fn new(kind: StreamKind, rtp: SocketAddr, rtcp: SocketAddr, codecs: &[Codec]) -> Self {
        let socket = |component, address| Socket {
            component,
            transport: Transport::Udp,
            address,
        };
        Self {
            kind,
            sockets: vec![socket(Component::Rtp, rtp), socket(Component::Rtcp, rtcp)],
            relays: Vec::new(),
            codecs: codecs.to_vec(),
            direction: Direction::SendRecv,
        }
    }

    /// Asks this relay over UDP, from both sockets.
    #[must_use]
    pub fn with_relay(mut self, server: SocketAddr) -> Self {
        let sockets = self.sockets.iter();
        let over_udp = sockets.filter(|socket| socket.transport == Transport::Udp);
        self.relays.extend(over_udp.map(|socket| Relay {
            component: socket.component,
            carrier: Carrier::Udp,
            base: socket.address,
            server,
        }));
        self
    }

    /// The stream as it is negotiated.
    pub(super) fn stream(
        &self,
        transport: negotiation::Transport,
        ssrc_range: SsrcRange,
    ) -> Stream {
        let stream = match self.kind {
            StreamKind::Audio => Stream::audio(transport, ssrc_range),
            StreamKind::Video => Stream::video(transport, ssrc_range),
            kind => Stream::new(kind, transport, &self.codecs),
        };
        Stream {
            direction: self.direction,
            ..stream.with_codecs(&self.codecs)
        }
    }
}
