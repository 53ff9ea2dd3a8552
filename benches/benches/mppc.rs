//! [MS-SIPCOMP]: LZ77-8K over a SIP stream, one message a packet.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ironrdp_bulk::{BulkCompressor, CompressionType};
use ocs_benches::data::sip_stream;
use ocs_sipcomp::{Decoder, Encoder, Header};

/// One packet: the flags in their place in the byte of RDP ([MS-RDPBCGR] 2.2.8.1.1.1.2), and the payload.
type Packet = (u32, Vec<u8>);

/// Without the headers, which the peers leave to RDP.
fn encode_with_ours(stream: &[Vec<u8>]) -> Vec<Packet> {
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    stream
        .iter()
        .map(|message| {
            out.clear();
            encoder.encode(message, &mut out);
            let (header, payload) = out.split_first_chunk().expect("a header");
            let flags = Header::from_bytes(*header).flags.nibble();
            (u32::from(flags) << 4, payload.to_vec())
        })
        .collect()
}

fn encode_with_ironrdp(stream: &[Vec<u8>]) -> Vec<Packet> {
    let mut encoder = BulkCompressor::new(CompressionType::Rdp4);
    stream
        .iter()
        .map(|message| {
            let (size, flags) = encoder.compress(message).expect("compress");
            (flags, encoder.compressed_data(size).to_vec())
        })
        .collect()
}

#[cfg(feature = "c-peers")]
fn encode_with_freerdp(stream: &[Vec<u8>]) -> Vec<Packet> {
    let mut encoder = ocs_benches::c_peers::FreeRdpEncoder::default();
    stream
        .iter()
        .map(|message| {
            let (payload, flags) = encoder.encode(message).expect("compress");
            (flags, payload.to_vec())
        })
        .collect()
}

fn report(name: &str, stream: &[Vec<u8>], packets: &[Packet]) {
    let input: usize = stream.iter().map(Vec::len).sum();
    let output: usize = packets.iter().map(|(_, payload)| payload.len()).sum();
    let hundredths = 10_000 * output / input;
    let (percent, rest) = (hundredths / 100, hundredths % 100);
    let messages = stream.len();
    eprintln!("{name}: {input} octets of {messages} messages to {output}, {percent}.{rest:02} %");
}

fn compress(c: &mut Criterion) {
    let stream = sip_stream();
    report("ocs-sipcomp", &stream, &encode_with_ours(&stream));
    report("ironrdp-bulk", &stream, &encode_with_ironrdp(&stream));
    #[cfg(feature = "c-peers")]
    report("FreeRDP", &stream, &encode_with_freerdp(&stream));

    let mut group = c.benchmark_group("compress SIP stream");
    group.throughput(Throughput::Bytes(total(&stream)));
    // The connections live on: no context is made anew.
    let mut encoder = Encoder::new();
    let mut out = Vec::with_capacity(16_384);
    group.bench_function("ocs-sipcomp", |b| {
        b.iter(|| {
            for message in black_box(&stream) {
                out.clear();
                encoder.encode(message, &mut out);
                black_box(&out);
            }
        });
    });
    let mut encoder = BulkCompressor::new(CompressionType::Rdp4);
    group.bench_function("ironrdp-bulk", |b| {
        b.iter(|| {
            for message in black_box(&stream) {
                black_box(encoder.compress(message)).expect("compress");
            }
        });
    });
    #[cfg(feature = "c-peers")]
    {
        let mut encoder = ocs_benches::c_peers::FreeRdpEncoder::default();
        group.bench_function("FreeRDP", |b| {
            b.iter(|| {
                for message in black_box(&stream) {
                    black_box(encoder.encode(message)).expect("compress");
                }
            });
        });
    }
    group.finish();
}

/// All read what our encoder wrote.
fn decompress(c: &mut Criterion) {
    let stream = sip_stream();
    let packets = encode_with_ours(&stream);
    let mut encoder = Encoder::new();
    let wire: Vec<Vec<u8>> = stream
        .iter()
        .map(|message| {
            let mut out = Vec::new();
            encoder.encode(message, &mut out);
            out
        })
        .collect();

    let mut group = c.benchmark_group("decompress SIP stream");
    group.throughput(Throughput::Bytes(total(&stream)));
    let mut decoder = Decoder::default();
    let mut out = Vec::with_capacity(16_384);
    for (packet, message) in wire.iter().zip(&stream) {
        out.clear();
        decoder.decode(packet, &mut out).expect("decode");
        assert_eq!(&out, message, "ocs-sipcomp");
    }
    group.bench_function("ocs-sipcomp", |b| {
        b.iter(|| {
            for packet in black_box(&wire) {
                out.clear();
                decoder.decode(packet, &mut out).expect("decode");
                black_box(&out);
            }
        });
    });
    let mut decoder = BulkCompressor::new(CompressionType::Rdp4);
    for ((flags, payload), message) in packets.iter().zip(&stream) {
        assert_eq!(
            decoder.decompress(payload, *flags).expect("decode"),
            message,
            "ironrdp-bulk"
        );
    }
    group.bench_function("ironrdp-bulk", |b| {
        b.iter(|| {
            for (flags, payload) in black_box(&packets) {
                black_box(decoder.decompress(payload, *flags)).expect("decode");
            }
        });
    });
    #[cfg(feature = "c-peers")]
    {
        let mut decoder = ocs_benches::c_peers::FreeRdpDecoder::default();
        for ((flags, payload), message) in packets.iter().zip(&stream) {
            assert_eq!(
                decoder.decode(payload, *flags).expect("decode"),
                message,
                "FreeRDP"
            );
        }
        group.bench_function("FreeRDP", |b| {
            b.iter(|| {
                for (flags, payload) in black_box(&packets) {
                    black_box(decoder.decode(payload, *flags)).expect("decode");
                }
            });
        });
    }
    group.finish();
}

fn total(stream: &[Vec<u8>]) -> u64 {
    stream.iter().map(|message| message.len() as u64).sum()
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = compress, decompress
}
criterion_main!(benches);
