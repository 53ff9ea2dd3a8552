//! What signed-in endpoints with contacts cost the front end in memory.
//!
//! `cargo bench -p ocs-benches --bench presence_memory -- ENDPOINTS CONTACTS`: so many users with one endpoint each, who have so many
//! contacts and watch them all with one subscription. Every endpoint has its own contacts and presence subscribed to as well, has
//! published its state, and has been notified at least once.
#![allow(missing_docs)]

use std::alloc::System as SystemAllocator;
use std::time::{Duration, Instant};

use ocs_benches::presence::Presence;
use ocs_benches::{is_test, resident};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<SystemAllocator> = &INSTRUMENTED_SYSTEM;

/// Virtual time between two endpoints.
const PACE: Duration = Duration::from_micros(500);

/// Octets and blocks of the heap that are in use.
#[derive(Debug, Clone, Copy, Default)]
struct Heap {
    octets: usize,
    blocks: usize,
}

impl Heap {
    fn of(region: &Region<'_, SystemAllocator>) -> Self {
        let change = region.change();
        Self {
            octets: change
                .bytes_allocated
                .wrapping_sub(change.bytes_deallocated),
            blocks: change.allocations.wrapping_sub(change.deallocations),
        }
    }

    /// Adds what has come since.
    fn add_since(&mut self, before: Self, region: &Region<'_, SystemAllocator>) {
        let now = Self::of(region);
        self.octets = self
            .octets
            .wrapping_add(now.octets)
            .wrapping_sub(before.octets);
        self.blocks = self
            .blocks
            .wrapping_add(now.blocks)
            .wrapping_sub(before.blocks);
    }

    // Means of some millions, shown with two digits.
    #[allow(clippy::cast_precision_loss)]
    fn print(self, what: &str, count: usize, unit: &str) {
        let octets = self.octets / count.max(1);
        let blocks = self.blocks as f64 / count.max(1) as f64;
        println!("{what:<46} {octets:>7} octets in {blocks:>6.2} blocks per {unit}");
    }
}

fn main() {
    // cargo bench adds an option of its own.
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let default = if is_test() { 200 } else { 2_000 };
    let endpoints: u32 = numbers.next().unwrap_or(default);
    let contacts: u32 = numbers.next().unwrap_or(150);
    assert!(contacts < endpoints, "a contact is another user");
    // The users just before, so that most who watch come after those whom they watch.
    let of = |number: u32| (1..=contacts).map(move |back| (number + endpoints - back) % endpoints);
    let count = endpoints as usize;
    let edges = count * contacts as usize;

    let start = Instant::now();
    let resident_before = resident().unwrap_or_default();
    let region = Region::new(ALLOCATOR);
    let mut presence = Presence::new(endpoints, |_| {});
    let accounts = Heap::of(&region);
    for number in 0..endpoints {
        presence.store_contacts(number, of(number));
    }
    let mut stored = Heap::default();
    stored.add_since(accounts, &region);

    let mut publishers = Vec::new();
    let (mut signed_in, mut own, mut watching) =
        (Heap::default(), Heap::default(), Heap::default());
    for number in 0..endpoints {
        presence.advance(PACE);
        let before = Heap::of(&region);
        let mut station = presence.sign_in(number);
        presence.admit_colleagues(&mut station);
        presence.publish_state(&mut station);
        signed_in.add_since(before, &region);
        let before = Heap::of(&region);
        presence.subscribe_own(&mut station);
        own.add_since(before, &region);
        let before = Heap::of(&region);
        if contacts > 0 {
            presence.watch(&mut station, of(number));
        }
        watching.add_since(before, &region);
        // Endpoints go, their connections, registrations and subscriptions stay. Some publish once more.
        let before = Heap::of(&region);
        if number % contacts.max(endpoints / 100) == 0 {
            publishers.push(station);
        } else {
            drop(station);
        }
        signed_in.add_since(before, &region);
    }
    // Everybody who watches is told something.
    let before = Heap::of(&region);
    let mut told = 0;
    for station in &mut publishers {
        told += presence.publish_note(station).notifications;
    }
    let mut notified = Heap::default();
    notified.add_since(before, &region);
    drop(publishers);

    let counters = presence.server().counters();
    assert_eq!(counters.registrations, count);
    println!(
        "{counters:?}, {told} notifications of notes, {:?}",
        start.elapsed()
    );
    accounts.print("accounts", count, "user");
    stored.print("lists of contacts in the store", count, "user");
    signed_in.print(
        "signed in, state published, list in memory",
        count,
        "endpoint",
    );
    own.print("own contacts and presence subscribed to", count, "endpoint");
    watching.print("contacts watched", count, "endpoint");
    watching.print("the same", edges, "edge");
    notified.print("notes and their notifications", count, "endpoint");
    let total = Heap::of(&region);
    total.print("all", count, "endpoint");
    total.print("all", edges, "edge");
    if let Some(after) = resident() {
        let resident = after.saturating_sub(resident_before);
        println!(
            "resident: {} MiB, {} octets per endpoint, {} per edge",
            resident >> 20,
            resident / count,
            resident / edges.max(1)
        );
    }
}
