//! SIP messages: parsing beside the peers; encoding and framing of ours.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ocs_benches::data::INVITE;
use ocs_benches::{Summary, ours, peers};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{HeaderName, Limits, Message};

/// From octets to the typed Vias, From, To, Call-ID, CSeq, Contact and Routes.
fn parse(c: &mut Criterion) {
    let octets = INVITE.as_bytes();
    let mut group = c.benchmark_group("parse INVITE");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    let mut peer = |name: &str, parse: fn(&[u8]) -> Option<Summary>| {
        assert_eq!(parse(octets), Some(Summary::INVITE), "{name}");
        group.bench_function(name, |b| b.iter(|| parse(black_box(octets))));
    };
    peer("ocs-sip-core", |octets| ours::parse(octets).ok());
    peer("ocs-sip-core, every header", |octets| {
        ours::parse_everything(octets).ok()
    });
    peer("rsip", |octets| peers::rsip::parse(octets).ok());
    peer("ezk-sip-types", |octets| peers::ezk::parse(octets).ok());
    #[cfg(feature = "c-peers")]
    {
        peer("sofia-sip", ocs_benches::c_peers::sofia_parse);
        peer("osip2", ocs_benches::c_peers::osip_parse);
    }
    group.finish();
}

/// What a proxy does with a parsed message.
fn encode(c: &mut Criterion) {
    const VIA: &str = "SIP/2.0/TLS 192.0.2.22:5061;branch=z9hG4bK2E90F1B7.0A6C4D8E2B1F3957";
    let message = Message::parse(Bytes::from(INVITE), &Limits::default()).expect("an INVITE");
    assert_eq!(message.to_bytes(), INVITE);
    let mut out = BytesMut::with_capacity(2 * INVITE.len());
    let mut group = c.benchmark_group("encode INVITE");
    group.throughput(Throughput::Bytes(INVITE.len() as u64));
    group.bench_function("unchanged", |b| {
        b.iter(|| {
            out.clear();
            message.encode(&mut out);
            black_box(&out);
        });
    });
    group.bench_function("with a Via added", |b| {
        b.iter_batched_ref(
            || message.clone(),
            |message| {
                message.push_front(HeaderName::Via, VIA);
                out.clear();
                message.encode(&mut out);
                black_box(&out);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A hundred messages out of one stream that is read in pieces of 16 KB.
fn framing(c: &mut Criterion) {
    let stream = Bytes::from(INVITE.repeat(100));
    let run = |stream: &Bytes| {
        let mut framer = Framer::new(Limits::default());
        let mut messages = 0;
        let mut rest = stream.clone();
        while !rest.is_empty() {
            framer.push(&rest.split_to(rest.len().min(16_384)));
            while let Some(frame) = framer.poll_frame() {
                messages += u32::from(matches!(frame, Ok(Frame::Message(_))));
            }
        }
        messages
    };
    assert_eq!(run(&stream), 100);
    let mut group = c.benchmark_group("frame 100 INVITEs");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("ocs-sip-core", |b| b.iter(|| run(black_box(&stream))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = parse, encode, framing
}
criterion_main!(benches);
