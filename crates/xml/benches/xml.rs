//! Typed reading, keeping whole and writing. Other parsers stand beside them in the package `ocs-benches`, bench `xml`.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_xml::{Limits, Raw, SmolStr, element, from_slice, to_string};

element! {
    /// A contact.
    pub struct Contact("", "contact") {
        /// Address.
        attr uri: SmolStr,
        /// Name.
        attr name: SmolStr,
        /// Groups.
        attr groups: SmolStr,
        /// Subscribed.
        attr subscribed: bool,
    }
}

element! {
    /// A list.
    pub struct List("", "contactList") {
        /// Number.
        attr number: u32 = "deltaNum",
        /// Contacts.
        children contacts: Contact,
    }
}

fn list() -> String {
    let mut text = String::from("<contactList deltaNum=\"7\">");
    for n in 0..200 {
        let _ = write!(
            text,
            "<contact uri=\"user{n}@contoso.com\" name=\"User Number {n}\" groups=\"1 \" subscribed=\"true\"/>"
        );
    }
    text.push_str("</contactList>");
    text
}

fn benches(c: &mut Criterion) {
    let text = list();
    let limits = Limits::default();
    let mut group = c.benchmark_group("contact list of 200");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("typed", |b| {
        b.iter(|| from_slice::<List>(black_box(text.as_bytes()), &limits).unwrap());
    });
    group.bench_function("kept whole", |b| {
        b.iter(|| Raw::parse(black_box(text.as_bytes()), &limits).unwrap());
    });
    let typed: List = from_slice(text.as_bytes(), &limits).unwrap();
    group.bench_function("written", |b| b.iter(|| to_string(black_box(&typed))));
    group.finish();
}

criterion_group!(xml, benches);
criterion_main!(xml);
