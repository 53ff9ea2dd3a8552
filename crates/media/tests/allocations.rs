//! Once a call is connected, its packets allocate nothing. A program of its own: the harness of tests has threads that allocate, too.

#[path = "common/pair.rs"]
mod pair;

use std::alloc::System;
use std::time::{Duration, Instant};

use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use pair::Pair;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// 20 ms of sound from each side, for so many packets; how many came.
fn talk(pair: &mut Pair, packets: u32) -> u32 {
    let mut heard = 0;
    for number in 0..packets {
        for side in 0..2 {
            let outgoing = Outgoing {
                timestamp: number * 160,
                ..Outgoing::default()
            };
            let sound = [0x55; 160];
            pair.sides[side]
                .send(pair.now, &outgoing, &Fragment::whole(&sound, false))
                .unwrap();
        }
        pair.exchange();
        for side in &mut pair.sides {
            while let Some(packet) = side.poll_packet() {
                assert_eq!(packet.rtp().payload().len(), 160);
                heard += 1;
            }
        }
        pair.now += Duration::from_millis(20);
    }
    heard
}

fn main() {
    let mut pair = Pair::connected(1, Instant::now());
    // Tables and queues grow to what they need, and the probing of the path at the beginning ends.
    talk(&mut pair, 3000);
    let region = Region::new(ALLOCATOR);
    // A minute, with the reports in it.
    assert_eq!(talk(&mut pair, 3000), 6000);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
