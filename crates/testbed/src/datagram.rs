//! The path of datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use ocs_sip_core::Transport;

use crate::dissect::Frame;
use crate::host::{HostId, Input};
use crate::record::{Fate, Flow};
use crate::testbed::{Pending, Testbed};

/// A datagram on its way.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    flow: Flow,
    to: HostId,
    data: Bytes,
    frames: Vec<Frame>,
    sent: Duration,
    fate: Fate,
}

impl Testbed {
    /// A host sends: checks the source address, then sends the datagram on its way.
    pub(crate) fn send_datagram(
        &mut self,
        from: HostId,
        local: SocketAddr,
        peer: SocketAddr,
        data: Bytes,
    ) {
        let source = if local.ip().is_unspecified() {
            self.local_address(from, peer.is_ipv4())
                .map(|ip| SocketAddr::new(ip, local.port()))
        } else {
            (self.owner(local.ip()) == Some(from)).then_some(local)
        };
        match source {
            Some(source) => self.route(from, source, peer, data),
            None => self.remark(
                from,
                format!("sends from {local}, which is not its address"),
            ),
        }
    }

    /// Sends a datagram to its destination, or to the translator on the way there.
    pub(crate) fn route(
        &mut self,
        from: HostId,
        source: SocketAddr,
        destination: SocketAddr,
        data: Bytes,
    ) {
        let to = self.next_hop(from, destination.ip());
        self.travel(from, to, source, destination, data);
    }

    /// Takes a datagram over one link to the queue of arrivals, or to its end.
    pub(crate) fn travel(
        &mut self,
        from: HostId,
        to: Option<HostId>,
        source: SocketAddr,
        destination: SocketAddr,
        data: Bytes,
    ) {
        let flow = Flow {
            from,
            to,
            source,
            destination,
            transport: Transport::Udp,
        };
        let frames = self.recorder.dissect_datagram(&flow, &data);
        let sent = self.elapsed();
        let arrivals = to.map(|to| {
            let arrivals = self
                .links
                .datagram(&mut self.rng, self.now, (from, to), data.len());
            (to, arrivals)
        });
        let Some((to, Some(first), copy)) = arrivals.map(|(to, a)| (to, a.first, a.copy)) else {
            self.recorder.messages(sent, flow, sent, Fate::Lost, frames);
            return;
        };
        let datagram = Datagram {
            flow,
            to,
            data,
            frames,
            sent,
            fate: Fate::Delivered,
        };
        if let Some(copy) = copy {
            let fate = Fate::Duplicated;
            let duplicate = Datagram {
                fate,
                ..datagram.clone()
            };
            self.queue.push(first, Pending::Datagram(datagram));
            self.queue.push(copy, Pending::Datagram(duplicate));
        } else {
            self.queue.push(first, Pending::Datagram(datagram));
        }
    }

    pub(crate) fn on_datagram(&mut self, datagram: Datagram) {
        let Datagram {
            flow,
            to,
            data,
            frames,
            sent,
            fate,
        } = datagram;
        let at = self.elapsed();
        // What is still under way when the link is cut does not arrive.
        if self.links.is_cut(flow.from, to) {
            self.recorder.messages(at, flow, sent, Fate::Lost, frames);
            return;
        }
        self.recorder.messages(at, flow, sent, fate, frames);
        self.recorder.capture.datagram(at, flow, data.clone());
        if self.nodes[to.0].translator.is_some() {
            self.translate(to, flow, data);
            return;
        }
        let (local, peer) = (flow.destination, flow.source);
        self.input(to, Input::Datagram { local, peer, data });
    }
}
