//! A transaction layer, and what is sent to it.
#![allow(dead_code)] // Each test uses its part.

use std::net::SocketAddr;

use ocs_sip_core::transaction::{Event, Flow, Layer, ServerId, Timers};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};

pub(crate) const STREAM: Flow = Flow::Stream(ConnectionId(7));

pub(crate) fn datagram() -> Flow {
    Flow::Datagram(SocketAddr::from(([192, 0, 2, 1], 5060)))
}

pub(crate) fn request(method: Method, via: &str) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:bob@contoso.com")
        .with(HeaderName::Via, via)
        .with(HeaderName::Route, "<sip:fe.contoso.com;lr>")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a;epid=01")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "call")
        .with(HeaderName::CSeq, &cseq)
}

pub(crate) fn branched(method: Method, branch: &str) -> Message {
    request(
        method,
        &format!("SIP/2.0/TLS 192.0.2.9:5061;branch={branch}"),
    )
}

pub(crate) fn events(layer: &mut Layer) -> Vec<Event> {
    std::iter::from_fn(|| layer.poll_event()).collect()
}

/// Start lines of what the layer sends: method or status.
pub(crate) fn sent(layer: &mut Layer) -> Vec<String> {
    std::iter::from_fn(|| layer.poll_transmit())
        .map(|out| match out.message.method() {
            Some(method) => method.to_string(),
            None => out.message.status().unwrap().to_string(),
        })
        .collect()
}

pub(crate) fn server_id(layer: &mut Layer) -> (ServerId, Message) {
    match layer.poll_event() {
        Some(Event::Request { id, message, .. }) => (id, message),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn layer() -> Layer {
    Layer::new(Timers::default())
}
