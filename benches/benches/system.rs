//! The front end as a whole, in one process and on one core: what one registration, refresh, text and call setup costs it.
//!
//! A front end with some thousand registered endpoints; users take turns, so that nothing stays in the caches of the
//! processor by chance. Only the time inside the front end counts; see `ocs_benches::system`.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_benches::system::System;

/// Endpoints that are registered besides those that are measured.
const BACKGROUND: u32 = 2000;
/// Virtual time between two operations.
const PACE: Duration = Duration::from_micros(200);

fn system(users: u32) -> System {
    System::new(users, |_| {})
}

/// Connection, REGISTER, 401, REGISTER, 401 with challenge, REGISTER, 200. The end of the connection is not measured.
fn registration(c: &mut Criterion) {
    const FRESH: u32 = 1000;
    let mut system = system(BACKGROUND + FRESH);
    system.populate(FRESH..FRESH + BACKGROUND);
    let mut next = 0;
    let mut group = c.benchmark_group("front end");
    group.throughput(Throughput::Elements(1));
    group.bench_function("registration", |b| {
        b.iter_custom(|rounds| {
            let mut busy = Duration::ZERO;
            for _ in 0..rounds {
                system.add(next);
                system.advance(PACE);
                system.take_busy();
                system.tick();
                system.sign_in(next);
                busy += system.take_busy();
                system.hang_up(next);
                next = (next + 1) % FRESH;
            }
            busy
        });
    });
    group.finish();
}

/// A signed REGISTER in an association, and its 200.
fn refresh(c: &mut Criterion) {
    /// Of a registration that lives five minutes: everybody's turn comes when his refresh is due.
    const ROUND: Duration = Duration::from_secs(290);
    let mut system = System::new(BACKGROUND, |config| {
        config.registrar.expires = Duration::from_mins(5);
    });
    for number in 0..BACKGROUND {
        system.advance(ROUND / BACKGROUND);
        system.populate(number..number + 1);
    }
    let mut next = 0;
    let mut group = c.benchmark_group("front end");
    group.throughput(Throughput::Elements(1));
    group.bench_function("refresh", |b| {
        b.iter_custom(|rounds| {
            system.take_busy();
            for _ in 0..rounds {
                system.advance(ROUND / BACKGROUND);
                system.tick();
                assert!(system.refresh(next));
                next = (next + 1) % BACKGROUND;
            }
            system.take_busy()
        });
    });
    group.finish();
}

/// A MESSAGE in a dialog between two users: verified, routed, signed, sent on; and its 200 back the same way.
fn text(c: &mut Criterion) {
    const PAIRS: u32 = BACKGROUND / 2;
    let mut system = system(BACKGROUND);
    system.populate(0..BACKGROUND);
    for pair in 0..PAIRS {
        system.text(2 * pair, 2 * pair + 1);
    }
    let mut next = 0;
    let mut group = c.benchmark_group("front end");
    group.throughput(Throughput::Elements(1));
    group.bench_function("text", |b| {
        b.iter_custom(|rounds| {
            system.take_busy();
            for _ in 0..rounds {
                system.advance(PACE);
                system.tick();
                system.text(2 * next, 2 * next + 1);
                next = (next + 1) % PAIRS;
            }
            system.take_busy()
        });
    });
    group.finish();
}

/// INVITE, 100, 200, ACK between two users. The BYE is not measured.
fn setup(c: &mut Criterion) {
    /// So much that the timers of earlier calls (32 s) run out while later ones are set up, as they do in a server.
    const PACE: Duration = Duration::from_millis(5);
    const PAIRS: u32 = BACKGROUND / 2;
    let mut system = system(BACKGROUND);
    system.populate(0..BACKGROUND);
    let mut next = 0;
    let mut group = c.benchmark_group("front end");
    group.throughput(Throughput::Elements(1));
    group.bench_function("call setup", |b| {
        b.iter_custom(|rounds| {
            let mut busy = Duration::ZERO;
            for _ in 0..rounds {
                system.advance(PACE);
                system.take_busy();
                system.tick();
                system.text(2 * next, 2 * next + 1);
                busy += system.take_busy();
                system.end(2 * next, 2 * next + 1);
                next = (next + 1) % PAIRS;
            }
            busy
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = registration, refresh, text, setup
}
criterion_main!(benches);
