//! Throughput of both directions, counted in bytes of the SIP stream, one packet per message.
#![allow(missing_docs, reason = "criterion's macros generate public items")]
#![allow(clippy::cast_precision_loss, reason = "ratios of small sizes")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_sipcomp::{Decoder, Encoder};

mod streams;

fn codec(c: &mut Criterion) {
    for (name, stream) in [
        ("registrations", streams::registrations(false)),
        ("signed registrations", streams::registrations(true)),
        ("dialogs", streams::dialogs()),
    ] {
        let total: usize = stream.iter().map(Vec::len).sum();
        let mut wire = Vec::new();
        let mut encoder = Encoder::new();
        for message in &stream {
            encoder.encode(message, &mut wire);
        }
        let payload = wire.len() - 6 * stream.len();
        println!(
            "{name}: {total} bytes in {} messages, ratio {:.3} (payload alone {:.3})",
            stream.len(),
            total as f64 / wire.len() as f64,
            total as f64 / payload as f64,
        );

        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(total as u64));
        group.bench_function("compress", |b| {
            // The history goes on from one round to the next, as on a connection that lives long.
            let mut encoder = Encoder::new();
            let mut out = Vec::with_capacity(wire.len() * 2);
            b.iter(|| {
                out.clear();
                for message in &stream {
                    encoder.encode(black_box(message), &mut out);
                }
                out.len()
            });
        });
        group.bench_function("decompress", |b| {
            // The stream begins with PACKET_AT_FRONT, so it can be decoded again and again.
            let mut decoder = Decoder::default();
            b.iter(|| {
                let mut input = black_box(&wire[..]);
                let mut length = 0;
                while let Some(chunk) = decoder.next_chunk(&mut input).expect("valid") {
                    length += black_box(chunk).len();
                }
                assert_eq!(length, total);
            });
        });
        group.bench_function("decompress and append", |b| {
            let mut decoder = Decoder::default();
            let mut out = Vec::with_capacity(2 * total);
            b.iter(|| {
                out.clear();
                let mut input = black_box(&wire[..]);
                while !input.is_empty() {
                    let consumed = decoder.decode(input, &mut out).expect("valid");
                    input = &input[consumed..];
                }
                assert_eq!(out.len(), total);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
