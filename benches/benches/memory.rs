//! What a registered endpoint costs the front end in memory: 20,000 of them.
#![allow(missing_docs)]

use std::alloc::System as SystemAllocator;

use ocs_benches::system::System;
use ocs_benches::{is_test, resident};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<SystemAllocator> = &INSTRUMENTED_SYSTEM;

fn main() {
    let endpoints: u32 = if is_test() { 200 } else { 20_000 };
    let mut system = System::new(endpoints, |_| {});
    let resident_before = resident();
    let region = Region::new(ALLOCATOR);
    for number in 0..endpoints {
        system.add(number);
        system.sign_in(number);
        // The user agent goes, its connection and registration stay.
        system.abandon(number);
    }
    assert_eq!(system.registrations(), endpoints as usize);
    let change = region.change();
    let live = change.bytes_allocated - change.bytes_deallocated;
    let blocks = change.allocations - change.deallocations;
    let per = |total: usize| total / endpoints as usize;
    println!("{endpoints} registered endpoints on as many connections");
    println!(
        "heap:     {} bytes in {} blocks per endpoint",
        per(live),
        per(blocks)
    );
    match (resident_before, resident()) {
        (Some(before), Some(after)) => {
            println!(
                "resident: {} bytes per endpoint",
                per(after.saturating_sub(before))
            );
        }
        _ => println!("resident: not known on this system"),
    }
}
