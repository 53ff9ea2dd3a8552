//! What a server pays for each message: reading one and the headers that route it, and cutting it out of a stream.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_sip_core::framing::Framer;
use ocs_sip_core::header::NameAddr;
use ocs_sip_core::{HeaderName, Limits, Message};

/// Some 3 KB with 25 headers, as a front end gets it from an edge.
const INVITE: &[u8] = include_bytes!("invite.sip");

/// Everything that routing a request needs, typed.
fn route(message: &Message) -> usize {
    let via = message.top_via().unwrap();
    let from = message.from_header().unwrap();
    let to = message.to_header().unwrap();
    let contact = message.contact().unwrap();
    let route: NameAddr<'_> = message.parse_first(HeaderName::Route).unwrap();
    let cseq = message.cseq().unwrap();
    via.branch().unwrap().len()
        + from.tag().unwrap().len()
        + to.uri_text().len()
        + contact.uri_text().len()
        + route.uri_text().len()
        + message.call_id().unwrap().len()
        + cseq.number as usize
}

fn parse(c: &mut Criterion) {
    let limits = Limits::default();
    let octets = Bytes::from_static(INVITE);
    let message = Message::parse(octets.clone(), &limits).unwrap();
    let mut group = c.benchmark_group("invite");
    group.throughput(Throughput::Bytes(INVITE.len() as u64));
    group.bench_function("parse", |b| {
        b.iter(|| Message::parse(black_box(octets.clone()), &limits).unwrap());
    });
    group.bench_function("parse and route", |b| {
        b.iter(|| route(&Message::parse(black_box(octets.clone()), &limits).unwrap()));
    });
    group.bench_function("typed only", |b| b.iter(|| route(black_box(&message))));
    group.bench_function("uris", |b| {
        b.iter(|| {
            let contact = black_box(&message).contact().unwrap().uri().is_ok();
            let from = message.from_header().unwrap().uri().is_ok();
            contact && from && message.parsed_request_uri().is_ok()
        });
    });
    group.bench_function("check", |b| b.iter(|| black_box(&message).check().unwrap()));
    group.bench_function("encode", |b| {
        let mut out = BytesMut::with_capacity(8192);
        b.iter(|| {
            out.clear();
            black_box(&message).encode(&mut out);
            out.len()
        });
    });
    group.bench_function("response", |b| {
        b.iter(|| Message::response_to(black_box(&message), 180, Some("7aee15546a")));
    });
    group.bench_function("frame", |b| {
        let mut framer = Framer::new(limits);
        b.iter(|| {
            framer.push_bytes(black_box(octets.clone()));
            framer.poll_frame().unwrap().is_ok()
        });
    });
    group.bench_function("frame in pieces of 500", |b| {
        let mut framer = Framer::new(limits);
        b.iter(|| {
            for piece in black_box(INVITE).chunks(500) {
                framer.push(piece);
                if framer.poll_frame().is_some() {
                    return true;
                }
            }
            false
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
