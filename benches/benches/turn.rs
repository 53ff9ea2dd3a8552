//! [MS-TURN]: packets through the server's machine, one core, no sockets. Payload: 172 octets, 20 ms of G.711 in RTP.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_benches::relay::{Relay, peer};
use ocs_turn::client::Output;

const PAYLOAD: [u8; 172] = [0x80; 172];

/// Allocations that are there besides the one in use.
const OTHERS: u32 = 10_000;

fn relay(c: &mut Criterion) {
    let mut relay = Relay::new();
    for number in 1..=OTHERS {
        relay.allocate(number);
    }
    let mut group = c.benchmark_group("MS-TURN relay");
    group.throughput(Throughput::Elements(1));

    // Send requests are made beforehand: each has a number of its own.
    let mut indicated = relay.allocate(0);
    group.bench_function("Send request to the peer", |b| {
        b.iter_custom(|rounds| {
            let requests: Vec<Vec<u8>> = (0..rounds)
                .map(|_| {
                    indicated.client.send(peer(), &PAYLOAD).expect("allocated");
                    match indicated.client.poll_output() {
                        Some(Output::Send { octets, .. }) => octets.to_vec(),
                        other => panic!("{other:?}"),
                    }
                })
                .collect();
            let start = std::time::Instant::now();
            for request in &requests {
                relay
                    .server
                    .handle_datagram(relay.now, indicated.address, request)
                    .expect("good");
                black_box(relay.to_peer());
            }
            start.elapsed()
        });
    });
    group.bench_function("Data Indication to the client", |b| {
        b.iter(|| {
            relay
                .server
                .handle_peer_datagram(relay.now, indicated.relay, peer(), black_box(&PAYLOAD))
                .expect("permitted");
            black_box(relay.to_socket());
        });
    });

    let mut active = relay.allocate(OTHERS + 1);
    relay.activate(&mut active);
    group.bench_function("active destination, to the peer", |b| {
        b.iter(|| {
            relay
                .server
                .handle_datagram(relay.now, active.address, black_box(&PAYLOAD))
                .expect("active");
            black_box(relay.to_peer());
        });
    });
    group.bench_function("active destination, to the client", |b| {
        b.iter(|| {
            relay
                .server
                .handle_peer_datagram(relay.now, active.relay, peer(), black_box(&PAYLOAD))
                .expect("permitted");
            black_box(relay.to_socket());
        });
    });
    group.finish();

    let mut group = c.benchmark_group("MS-TURN client");
    group.throughput(Throughput::Elements(1));
    group.bench_function("Send request", |b| {
        b.iter(|| {
            indicated
                .client
                .send(peer(), black_box(&PAYLOAD))
                .expect("allocated");
            black_box(indicated.client.poll_output());
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = relay
}
criterion_main!(benches);
