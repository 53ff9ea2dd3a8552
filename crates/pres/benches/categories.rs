//! A state and a contact card of about 4 KB in all: typed, kept as markup, written. Other parsers stand beside them in the package
//! `ocs-benches`, bench `xml`.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_pres::category::{Category, ContactCard, State};
use ocs_xml::{Limits, Raw, from_slice, to_string};

const STATE: &str = include_str!("../tests/data/categories/state-aggregate.xml");
const CARD: &str = include_str!("../tests/data/categories/contactCard.xml");

/// A card as long as those of real directories.
fn card() -> String {
    let mut phones = String::new();
    for n in 0..20 {
        write!(
            phones,
            "<phone type=\"other\"><uri>tel:+1555010{n}</uri><displayString>+1 (555) 010{n}</displayString></phone>"
        )
        .expect("a string takes all");
    }
    CARD.replacen("<phone ", &format!("{phones}<phone "), 1)
}

fn bench(criterion: &mut Criterion) {
    let card = card();
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("state-and-card");
    group.throughput(Throughput::Bytes((STATE.len() + card.len()) as u64));
    group.bench_function("typed", |bencher| {
        bencher.iter(|| {
            let state: State = from_slice(black_box(STATE).as_bytes(), &limits).unwrap();
            let card: ContactCard = from_slice(black_box(&card).as_bytes(), &limits).unwrap();
            (state, card)
        });
    });
    group.bench_function("raw", |bencher| {
        bencher.iter(|| {
            let state = Raw::parse(black_box(STATE).as_bytes(), &limits).unwrap();
            let card = Raw::parse(black_box(&card).as_bytes(), &limits).unwrap();
            (state, card)
        });
    });
    let state: State = from_slice(STATE.as_bytes(), &limits).unwrap();
    let typed: ContactCard = from_slice(card.as_bytes(), &limits).unwrap();
    group.bench_function("write", |bencher| {
        bencher.iter(|| (to_string(black_box(&state)), to_string(black_box(&typed))));
    });
    group.finish();

    let raw = Raw::parse(STATE.as_bytes(), &limits).unwrap();
    criterion.bench_function("state-from-raw", |bencher| {
        bencher.iter(|| Category::read("state", black_box(&raw)).unwrap());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
