//! What a client or a proxy pays for reading diagnostics, and a proxy at the boundary for taking them off.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ocs_ocer::boundary::{Peer, Policy, strip_private};
use ocs_ocer::{Diagnostics, ErrorId, diagnostics_of};
use ocs_sip_core::{HeaderName, Limits, Message};

/// As a client ends a call whose media found no way.
const LONG: &str = include_str!("long.txt");
const SHORT: &str = "1003;reason=\"User does not exist\";source=\"fe01.contoso.com\"";

fn read(c: &mut Criterion) {
    for (name, value) in [("short", SHORT), ("long", LONG.trim_end())] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(value.len() as u64));
        group.bench_function("id and reason", |b| {
            b.iter(|| {
                let diagnostics = Diagnostics::parse(black_box(value)).unwrap();
                (diagnostics.error_id, diagnostics.reason().unwrap().len())
            });
        });
        group.bench_function("all parameters", |b| {
            b.iter(|| {
                let diagnostics = Diagnostics::parse(black_box(value)).unwrap();
                let lengths = diagnostics.params().map(|param| param.value().len());
                lengths.sum::<usize>()
            });
        });
    }
}

fn table(c: &mut Criterion) {
    c.bench_function("table", |b| {
        b.iter(|| black_box(ErrorId(13_004)).info().unwrap().reason);
    });
}

fn boundary(c: &mut Criterion) {
    let text = format!(
        "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1\r\n\
         From: <sip:alice@contoso.com>;tag=1\r\nTo: <sip:bob@fabrikam.com>;tag=2\r\n\
         Call-ID: 1\r\nCSeq: 1 INVITE\r\nms-diagnostics: {SHORT}\r\nContent-Length: 0\r\n\r\n"
    );
    let message = Message::parse(text.into_bytes().into(), &Limits::default()).unwrap();
    assert!(message.header(HeaderName::MsDiagnostics).is_some());
    c.bench_function("read from a message", |b| {
        b.iter(|| {
            diagnostics_of(black_box(&message))
                .next()
                .unwrap()
                .1
                .error_id
        });
    });
    c.bench_function("strip", |b| {
        b.iter_batched_ref(
            || message.clone(),
            |message| strip_private(message, Peer::External, Policy::default()),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, read, table, boundary);
criterion_main!(benches);
