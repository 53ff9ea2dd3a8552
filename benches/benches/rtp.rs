//! RTP and RTCP: headers and compounds read, with every field that a session needs, and written; rtp-types and rtcp-types beside us.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::{Compound, RtcpPacket, item};
use ocs_rtp::session::{Config, Outgoing, Received};
use ocs_rtp::{Packet, PacketBuilder, Session};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// 20 ms of G.711 through a mixer: two CSRCs and 160 octets.
fn packet() -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::new(0, 1000, 160_000, 0xaabb_ccdd)
        .csrcs(&[102, 101])
        .write(&[0xff; 160], &mut out)
        .expect("a good header");
    out
}

/// SR with one block, SDES with a CNAME, and a PLI.
const COMPOUND: &str = concat!(
    "81c8000c11223344e000000080000000000006400000000a00000640",
    "556677884000000500010005000000641234567800010000",
    "81ca0004112233440109757365724068",
    "6f737400",
    "81ce00021122334455667788"
);

fn parse(c: &mut Criterion) {
    let octets = packet();
    let mut group = c.benchmark_group("RTP header");
    group.bench_function("ocs-rtp", |b| {
        b.iter(|| {
            let packet = Packet::parse(black_box(&octets)).expect("valid");
            black_box((
                packet.marker(),
                packet.payload_type(),
                packet.sequence(),
                packet.timestamp(),
                packet.ssrc(),
                packet.csrcs().next(),
                packet.payload().len(),
            ))
        });
    });
    group.bench_function("rtp-types", |b| {
        b.iter(|| {
            let packet = rtp_types::RtpPacket::parse(black_box(&octets)).expect("valid");
            black_box((
                packet.marker_bit(),
                packet.payload_type(),
                packet.sequence_number(),
                packet.timestamp(),
                packet.ssrc(),
                packet.csrc().next(),
                packet.payload().len(),
            ))
        });
    });
    group.finish();
}

/// A sum over what was read, so that nothing is left out.
fn ours(octets: &[u8]) -> usize {
    let mut sum = 0;
    for packet in Compound::parse(octets).expect("valid").packets() {
        sum += match packet.expect("valid") {
            RtcpPacket::SenderReport(report) => {
                let info = report.info();
                let lost: u32 = report
                    .blocks()
                    .map(|block| block.cumulative_lost.unsigned_abs())
                    .sum();
                info.packet_count as usize + lost as usize + report.ssrc() as usize
            }
            RtcpPacket::SourceDescription(description) => description
                .chunks()
                .flatten()
                .flat_map(|chunk| chunk.items())
                .filter(|found| found.item_type == item::CNAME)
                .map(|found| found.text.len())
                .sum(),
            RtcpPacket::Feedback(feedback) => {
                feedback.sender() as usize + feedback.media() as usize
            }
            _ => 0,
        };
    }
    sum
}

fn peer(octets: &[u8]) -> usize {
    use rtcp_types::{Compound, Packet, SdesItem};
    let mut sum = 0;
    for packet in Compound::parse(octets).expect("valid") {
        sum += match packet.expect("valid") {
            Packet::Sr(report) => {
                let lost: u32 = report
                    .report_blocks()
                    .map(|block| block.cumulative_lost())
                    .sum();
                report.packet_count() as usize + lost as usize + report.ssrc() as usize
            }
            Packet::Sdes(description) => description
                .chunks()
                .flat_map(rtcp_types::SdesChunk::items)
                .filter(|found| found.type_() == SdesItem::CNAME)
                .map(|found| found.value().len())
                .sum(),
            Packet::PayloadFeedback(feedback) => {
                feedback.sender_ssrc() as usize + feedback.media_ssrc() as usize
            }
            _ => 0,
        };
    }
    sum
}

fn compound(c: &mut Criterion) {
    let octets = hex::decode(COMPOUND).expect("hex");
    assert_eq!(ours(&octets), peer(&octets));
    let mut group = c.benchmark_group("RTCP compound");
    group.bench_function("ocs-rtp", |b| b.iter(|| ours(black_box(&octets))));
    group.bench_function("rtcp-types", |b| b.iter(|| peer(black_box(&octets))));
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("RTP packet of 160 octets written");
    let mut out = Vec::with_capacity(1500);
    group.bench_function("ocs-rtp", |b| {
        b.iter(|| {
            out.clear();
            PacketBuilder::new(0, black_box(1000), 160_000, 0xaabb_ccdd)
                .csrcs(&[102, 101])
                .write(&[0xff; 160], &mut out)
                .expect("a good header");
            black_box(&out);
        });
    });
    let mut buffer = [0; 1500];
    group.bench_function("rtp-types", |b| {
        b.iter(|| {
            let len = rtp_types::RtpPacketBuilder::<&[u8], &[u8]>::new()
                .payload_type(0)
                .sequence_number(black_box(1000))
                .timestamp(160_000)
                .ssrc(0xaabb_ccdd)
                .add_csrc(102)
                .add_csrc(101)
                .payload(&[0xff; 160][..])
                .write_into(&mut buffer)
                .expect("room");
            black_box(&buffer[..len]);
        });
    });
    group.finish();
}

/// What a session does for a packet on its way out and in: everything but SRTP.
fn session(c: &mut Criterion) {
    let begin = Instant::now();
    let machine = |seed| {
        let rng = ChaCha20Rng::from_seed([seed; 32]);
        Session::new(begin, Config::default(), rng).expect("a good configuration")
    };
    let (mut sender, mut receiver) = (machine(1), machine(2));
    let mut out = Vec::with_capacity(1500);
    let (mut now, mut timestamp) = (begin, 0_u32);
    c.bench_function("RTP session: one packet sent and received", |b| {
        b.iter(|| {
            now += Duration::from_micros(20);
            timestamp = timestamp.wrapping_add(160);
            let outgoing = Outgoing {
                timestamp,
                ..Outgoing::default()
            };
            out.clear();
            sender
                .send(
                    now,
                    &outgoing,
                    &Fragment::whole(&[0xff; 160], false),
                    &mut out,
                )
                .expect("a good header");
            match receiver.handle_rtp(now, &out).expect("valid") {
                Received::Media(packet) => black_box(packet.payload().len()),
                other => panic!("{other:?}"),
            }
        });
    });
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = parse, write, compound, session
}
criterion_main!(benches);
