//! What a packet costs: written, protected, through ICE, opened, judged, and handed over.

#[path = "../tests/common/pair.rs"]
mod pair;

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ocs_media::Action;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use pair::Pair;

fn packet(c: &mut Criterion) {
    let mut pair = Pair::connected(1, Instant::now());
    let sound = [0x55; 160];
    let mut timestamp = 0;
    let mut send = |pair: &mut Pair| -> Action {
        timestamp += 160;
        pair.now += Duration::from_millis(20);
        let outgoing = Outgoing {
            timestamp,
            ..Outgoing::default()
        };
        let payload = Fragment::whole(&sound, false);
        pair.sides[0]
            .send(pair.now, &outgoing, &payload)
            .expect("connected");
        pair.sides[0].poll_action().expect("one packet")
    };
    let mut group = c.benchmark_group("stream");
    group.bench_function("send", |b| b.iter(|| send(&mut pair)));
    group.bench_function("send and receive", |b| {
        b.iter(|| {
            let action = send(&mut pair);
            pair.deliver(0, action);
            pair.sides[1].poll_packet()
        });
    });
    group.finish();
}

fn call(c: &mut Criterion) {
    let mut group = c.benchmark_group("stream");
    let mut seed = 0;
    group.bench_function("a call until it is connected", |b| {
        b.iter(|| {
            seed += 1;
            Pair::connected(seed, Instant::now())
        });
    });
    group.finish();
}

criterion_group!(benches, packet, call);
criterion_main!(benches);
