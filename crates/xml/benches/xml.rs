//! Typed reading and keeping whole, beside the bare event loop of quick-xml and beside roxmltree.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_xml::{Limits, Raw, SmolStr, element, from_slice, to_string};
use quick_xml::events::Event;

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

/// Reads all events, and all attributes with their values.
fn events(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                count += 1;
                for attribute in tag.attributes() {
                    count += attribute
                        .unwrap()
                        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                        .unwrap()
                        .len();
                }
            }
            Event::Eof => return count,
            _ => {}
        }
    }
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
    group.bench_function("quick-xml events", |b| b.iter(|| events(black_box(&text))));
    group.bench_function("roxmltree", |b| {
        b.iter(|| roxmltree::Document::parse(black_box(&text)).unwrap());
    });
    let typed: List = from_slice(text.as_bytes(), &limits).unwrap();
    group.bench_function("written", |b| b.iter(|| to_string(black_box(&typed))));
    group.finish();
}

criterion_group!(xml, benches);
criterion_main!(xml);
