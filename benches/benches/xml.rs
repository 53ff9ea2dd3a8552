//! Documents read into their types, beside the bare event loop of quick-xml and beside roxmltree, which makes a tree.
//!
//! The readers take turns, and the least time of each counts, so that what else the machine does falls on all or on none.
//! `cargo bench -p ocs-benches --bench xml -- DOCUMENT READER ROUNDS` only reads, for a profiler: instructions per document are what
//! two numbers of rounds differ by.
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ocs_pres::category::{ContactCard, State};
use ocs_pres::doc::RoamingData;
use ocs_siprege::contacts::{Contact, ContactList, GroupId};
use ocs_xml::{Limits, from_slice};
use quick_xml::escape::unescape;
use quick_xml::events::Event;

const STATE: &str = include_str!("../../crates/pres/tests/data/categories/state-aggregate.xml");
const CARD: &str = include_str!("../../crates/pres/tests/data/categories/contactCard.xml");
const OWN_DATA: &str = include_str!("../../crates/pres/tests/data/sipe/self-published.xml");

/// Documents in a row that make one reading of the clock.
const BATCH: u32 = 32;
/// Turns of each reader.
const TURNS: u32 = 2_000;

type Read = fn(&str) -> usize;

/// The readers of every document but our own.
const OTHERS: [(&str, Read); 3] = [
    ("events", events),
    ("events, attributes unchecked", unchecked_events),
    ("roxmltree", tree),
];

/// Something to read: its name, its text, and how we read it.
type Document = (&'static str, String, Read);

fn documents() -> [Document; 4] {
    [
        ("contacts", contacts(), typed_contacts),
        ("card", card(), typed_card),
        ("state", STATE.to_owned(), typed_state),
        ("own", OWN_DATA.to_owned(), typed_own_data),
    ]
}

/// A roaming list of 200 contacts.
fn contacts() -> String {
    let mut list = ContactList::new();
    let contact = |number| {
        let uri = format!("sip:user{number:04}.family@contoso.com");
        Contact::new(&uri, "Given Family", GroupId::DEFAULT.into())
    };
    list.contacts = (0..200).map(contact).collect();
    list.to_document()
}

/// A contact card as long as those of real directories.
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

fn typed<T: ocs_xml::Element>(text: &str) -> T {
    from_slice(text.as_bytes(), &Limits::default()).expect("a document of its type")
}

fn typed_contacts(text: &str) -> usize {
    typed::<ContactList>(text).contacts.len()
}

fn typed_card(text: &str) -> usize {
    typed::<ContactCard>(text).phone.len()
}

fn typed_state(text: &str) -> usize {
    usize::from(typed::<State>(text).availability.is_some())
}

fn typed_own_data(text: &str) -> usize {
    size_of_val(&typed::<RoamingData>(text))
}

/// What a reader without types cannot do without: the events, and the values of attributes and text with their references
/// replaced.
fn events(text: &str) -> usize {
    event_loop(text, true)
}

/// The same, and an attribute may come twice.
fn unchecked_events(text: &str) -> usize {
    event_loop(text, false)
}

fn event_loop(text: &str, checks: bool) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut octets = 0;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes().with_checks(checks) {
                    let value = attribute.expect("well-formed").value;
                    octets += unescape(&value).expect("references").len();
                }
            }
            Event::Text(text) => octets += text.len(),
            Event::Eof => return octets,
            _ => {}
        }
    }
}

fn tree(text: &str) -> usize {
    let document = roxmltree::Document::parse(text).expect("well-formed");
    document.descendants().len()
}

fn readers((_, _, typed): &Document) -> impl Iterator<Item = (&'static str, Read)> {
    std::iter::once(("typed", *typed)).chain(OTHERS)
}

fn compare(document: &Document, turns: u32) {
    let (name, text, _) = document;
    println!("{name}, {} octets", text.len());
    let mut least = [Duration::MAX; 1 + OTHERS.len()];
    for _ in 0..turns {
        for (least, (_, read)) in least.iter_mut().zip(readers(document)) {
            let start = Instant::now();
            for _ in 0..BATCH {
                black_box(read(black_box(text)));
            }
            *least = start.elapsed().min(*least);
        }
    }
    for (time, (reader, _)) in least.iter().zip(readers(document)) {
        println!(
            "{reader:>30} {:8.2} µs {:6.2}",
            (*time / BATCH).as_secs_f64() * 1e6,
            time.as_secs_f64() / least[0].as_secs_f64()
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let documents = documents();
    if let [document, reader, rounds, ..] = &arguments[..] {
        let document = documents.iter().find(|(name, ..)| name == document);
        let document = document.expect("contacts, card, state or own");
        let (_, read) = readers(document)
            .find(|(name, _)| name == reader)
            .expect("typed, events or roxmltree");
        for _ in 0..rounds.parse().expect("a number") {
            black_box(read(black_box(&document.1)));
        }
        return;
    }
    for document in &documents {
        compare(document, if ocs_benches::is_test() { 1 } else { TURNS });
    }
}
