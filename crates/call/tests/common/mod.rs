//! Calls over real transaction layers, joined by a proxy that only moves messages, in virtual time.
#![allow(dead_code, unused_imports)] // Each test uses its part.

mod net;
mod proxy;

use ocs_call::{Config, Event};
use ocs_sdpext::attribute::{Direction, SsrcRange};
use ocs_sdpext::negotiation::{OfferedStream, Stream, StreamKind, Transport};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) use net::{ALICE, Fate, Net};

pub(crate) type Call = ocs_call::Call<ChaCha12Rng>;

pub(crate) fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

/// Lines of ICE of one host candidate. `side` names the endpoint.
pub(crate) fn host(side: usize, port: u16) -> Transport {
    let ip = format!("192.0.2.{side}");
    let lines = format!(
        "a=ice-ufrag:aB{side}d{port}\r\na=ice-pwd:0123456789abcdefghijAB{side}D\r\n\
         a=candidate:1 1 UDP 2130706431 {ip} {port} typ host\r\n\
         a=candidate:1 2 UDP 2130705918 {ip} {} typ host\r\n",
        port + 1
    );
    let transport = Transport::new(format!("{ip}:{port}").parse().unwrap());
    transport.with_ice(&lines).unwrap()
}

fn range(first: usize, size: u32) -> SsrcRange {
    let first = u32::try_from(first).unwrap();
    SsrcRange::new(first, first + size - 1).unwrap()
}

pub(crate) fn audio(side: usize) -> Stream {
    Stream::audio(host(side, 50_000), range((side + 1) * 1000, 1))
}

pub(crate) fn video(side: usize) -> Stream {
    Stream::video(host(side, 50_010), range((side + 1) * 1000 + 1, 100))
}

/// The plan of an endpoint for what is offered.
pub(crate) fn plan(side: usize, offered: &OfferedStream) -> Option<Stream> {
    match offered.kind? {
        StreamKind::Audio => Some(audio(side)),
        StreamKind::Video => Some(video(side)),
        StreamKind::ApplicationSharing | StreamKind::Data => None,
    }
}

/// Where the proxy finds an endpoint.
pub(crate) fn contact(side: usize) -> String {
    format!("<sip:endpoint{side}@contoso.com;opaque=user:epid:{side};gruu>")
}

pub(crate) fn config(side: usize) -> Config {
    Config {
        user_agent: format!("UCCAPI/16.0 endpoint{side}"),
        ..Config::new(contact(side))
    }
}

pub(crate) fn invite() -> Message {
    Message::request(Method::Invite, "sip:bob@contoso.com")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a1;epid=0101")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "call-1")
        .with(HeaderName::CSeq, "1 INVITE")
}

/// Alice calls with audio.
pub(crate) fn call(net: &mut Net) {
    call_with(net, config(ALICE), vec![audio(ALICE)]);
}

pub(crate) fn call_with(net: &mut Net, config: Config, streams: Vec<Stream>) {
    let call = Call::outgoing(net.now(), config, invite(), streams, &[], rng(1)).unwrap();
    net.start(ALICE, call);
    net.run();
}

/// Accepts every stream that waits at an endpoint.
pub(crate) fn accept_streams(net: &mut Net, side: usize) {
    let offered = net.take(side, |event| match event {
        Event::Offered { streams } => Some(streams.clone()),
        _ => None,
    });
    for offered in offered.expect("an offer") {
        if !offered.planned && !offered.rejected {
            let plan = plan(side, &offered).unwrap();
            net.call(side).accept_stream(offered.index, plan).unwrap();
        }
    }
}

/// A call of audio that is established between Alice and the one other endpoint.
pub(crate) fn established() -> Net {
    let mut net = Net::new(1);
    call(&mut net);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    net.clear();
    net
}

/// How an endpoint was told that the call is over; it is the last event.
pub(crate) fn ended(net: &mut Net, side: usize) -> ocs_call::Ended {
    match net.events(side).pop() {
        Some(Event::Ended(ended)) => ended,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn offer(net: &mut Net, side: usize) {
    net.call(side).offer().unwrap();
    net.run();
}

/// The other side answers what was offered.
pub(crate) fn answer(net: &mut Net, side: usize) {
    accept_streams(net, side);
    let now = net.now();
    net.call(side).answer(now).unwrap();
    net.run();
}

pub(crate) fn round(net: &mut Net, side: usize) {
    offer(net, side);
    answer(net, 1 - side);
}

pub(crate) fn direction(net: &mut Net, side: usize, stream: usize) -> Option<Direction> {
    let session = net.call(side).current().unwrap().1;
    session.negotiated(stream).map(|agreed| agreed.direction)
}

pub(crate) fn active(net: &mut Net, side: usize) -> usize {
    let session = net.call(side).current().unwrap().1;
    (0..session.len())
        .filter_map(|at| session.negotiated(at))
        .count()
}
