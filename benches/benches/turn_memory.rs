//! What an allocation costs the server of [MS-TURN]: 100,000 of them, each with a permission and an active destination.
#![allow(missing_docs)]

use std::alloc::System as SystemAllocator;
use std::time::Instant;

use ocs_benches::relay::{Relay, peer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<SystemAllocator> = &INSTRUMENTED_SYSTEM;

const ALLOCATIONS: u32 = 100_000;

fn main() {
    let mut relay = Relay::new();
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    for number in 0..ALLOCATIONS {
        let mut relayed = relay.allocate(number);
        relay.activate(&mut relayed);
    }
    let elapsed = start.elapsed();
    assert_eq!(relay.server.len(), ALLOCATIONS as usize);
    let change = region.change();
    let live = change.bytes_allocated - change.bytes_deallocated;
    let blocks = change.allocations - change.deallocations;
    let per = |total: usize| total / ALLOCATIONS as usize;
    println!("{ALLOCATIONS} allocations with active destination in one server");
    println!(
        "heap: {} bytes in {} blocks per allocation",
        per(live),
        per(blocks)
    );
    println!(
        "time: {} µs per allocation, client's part included",
        elapsed.as_micros() / u128::from(ALLOCATIONS)
    );

    // A steady state allocates nothing.
    let mut relayed = relay.allocate(ALLOCATIONS);
    relay.activate(&mut relayed);
    let payload = [0x80; 172];
    let round = |relay: &mut Relay| {
        let _ = relay
            .server
            .handle_datagram(relay.now, relayed.address, &payload);
        relay.to_peer();
        let from = peer();
        let _ = relay
            .server
            .handle_peer_datagram(relay.now, relayed.relay, from, &payload);
        relay.to_socket();
    };
    round(&mut relay);
    let region = Region::new(ALLOCATOR);
    for _ in 0..1000 {
        round(&mut relay);
    }
    println!(
        "heap operations for 2000 relayed packets: {}",
        region.change().allocations + region.change().reallocations
    );
}
