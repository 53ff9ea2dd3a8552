//! Names for the messages of STUN, relayed or not, in ladder diagrams.

use std::net::SocketAddr;

use bytes::Bytes;
use ocs_ice::framing::Deframer;
use ocs_sip_core::Transport;
use ocs_stun::attribute::{Data, ErrorCode, UseCandidate};
use ocs_stun::{Attribute, Dialect, Message};
use ocs_testbed::{Dissector, Flow, Frame, Opaque};
use ocs_turn::frame::{FrameReader, FrameType};

/// What [`Testbed::set_dissector`](ocs_testbed::Testbed::set_dissector) takes: STUN in datagrams and streams, where streams of `relay` have the
/// frames of \[MS-TURN\] and all others those of RFC 4571.
pub fn stun_dissectors(relay: SocketAddr) -> impl FnMut(&Flow) -> Box<dyn Dissector> {
    move |flow| {
        let with_relay = flow.source == relay || flow.destination == relay;
        match (flow.transport, with_relay) {
            (Transport::Udp, _) => Box::new(Datagrams),
            (_, true) => Box::new(RelayStream(FrameReader::default())),
            (_, false) => Box::new(PeerStream(Deframer::new())),
        }
    }
}

struct Datagrams;

impl Dissector for Datagrams {
    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        vec![frame(data)]
    }
}

struct PeerStream(Deframer);

impl Dissector for PeerStream {
    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        self.0.push(Bytes::copy_from_slice(data));
        core::iter::from_fn(|| self.0.next())
            .map(|packet| frame(&packet))
            .collect()
    }
}

struct RelayStream(FrameReader);

impl Dissector for RelayStream {
    fn feed(&mut self, mut data: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Ok(Some(next)) = self.0.next(&mut data) {
            frames.push(match next.frame_type {
                FrameType::Control => frame(next.content),
                // The active destination's stream: a packet of RFC 4571, if it was not cut.
                FrameType::Data => frame(next.content.get(2..).unwrap_or_default()),
            });
        }
        frames
    }
}

/// One packet: a message, or media.
fn frame(packet: &[u8]) -> Frame {
    let dialects = [Dialect::MsTurn, Dialect::MsIce2, Dialect::MsIce];
    let mut messages = dialects
        .into_iter()
        .filter_map(|dialect| Message::parse(dialect, packet).ok());
    let Some(message) = messages.next() else {
        return Opaque::frame(packet);
    };
    let mut details = Vec::new();
    if let Ok(Some(error)) = message.get::<ErrorCode>() {
        details.push(error.code.to_string());
    }
    if message.has(UseCandidate::TYPE) {
        details.push("nominates".to_owned());
    }
    if let Ok(Some(Data(data))) = message.get() {
        // Over TCP the length of RFC 4571 is before the packet.
        let inner = [data, data.get(2..).unwrap_or_default()].map(frame);
        let named = inner.iter().find(|inner| inner.label.contains("Binding"));
        details.push(named.unwrap_or(&inner[0]).label.clone());
    }
    Frame {
        label: message.message_type().to_string(),
        detail: (!details.is_empty()).then(|| details.join(", ")),
        text: Bytes::copy_from_slice(packet),
    }
}
