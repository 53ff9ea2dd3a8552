//! Names for what calls send, in ladder diagrams.

use std::net::SocketAddr;

use ocs_sip_core::Transport;
use ocs_testbed::{Dissector, Flow, Frame, Opaque, sip_dissectors};

use crate::stun_dissectors;

/// What [`Testbed::set_dissector`](ocs_testbed::Testbed::set_dissector) takes: SIP in streams, STUN in datagrams, and of media the first packet of each
/// path, for there are fifty a second.
pub fn call_dissectors(relay: SocketAddr) -> impl FnMut(&Flow) -> Box<dyn Dissector> {
    let (mut sip, mut stun) = (sip_dissectors(), stun_dissectors(relay));
    move |flow| match flow.transport {
        Transport::Udp => Box::new(Media {
            stun: stun(flow),
            rtp: false,
            rtcp: false,
        }),
        _ if flow.source == relay || flow.destination == relay => stun(flow),
        _ => sip(flow),
    }
}

struct Media {
    stun: Box<dyn Dissector>,
    rtp: bool,
    rtcp: bool,
}

impl Dissector for Media {
    fn leaves_out(&self) -> bool {
        true
    }

    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        // RFC 5764 5.1.2 and RFC 5761 4 tell by the first two octets.
        let (known, label) = match data {
            [128..=191, 192..=223, ..] => (&mut self.rtcp, "SRTCP …"),
            [128..=191, _, ..] => (&mut self.rtp, "SRTP …"),
            _ => return self.stun.feed(data),
        };
        if std::mem::replace(known, true) {
            return Vec::new();
        }
        let frame = Opaque::frame(data);
        vec![Frame {
            label: label.to_owned(),
            ..frame
        }]
    }
}
