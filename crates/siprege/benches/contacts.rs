//! Reading a list of 200 contacts, and what a server does with a request. Other parsers stand beside the reader in the package `ocs-benches`,
//! bench `xml`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_siprege::contacts::{
    Contact, ContactList, GroupId, GroupSet, Limits, Operation, Request, Roster,
};

fn roster(contacts: usize) -> Roster {
    let mut roster = Roster::new();
    let limits = Limits::default();
    let mut apply = |operation| {
        let request = Request {
            operation,
            delta_num: None,
        };
        roster.apply(&request, &limits).unwrap();
    };
    for group in 2..=8 {
        apply(Operation::AddGroup {
            name: format!("Group {group}").into(),
            external_uri: None,
        });
    }
    for number in 0..contacts {
        let groups: GroupSet = GroupId::new((number % 8 + 1) as u8).into_iter().collect();
        let uri = format!("sip:user{number:04}.family@contoso.com");
        let contact = Contact::new(&uri, "Given Family", groups);
        apply(Operation::SetContact(contact));
    }
    roster
}

fn read(c: &mut Criterion) {
    let text = roster(200).export();
    let limits = ocs_xml::Limits::default();
    let mut group = c.benchmark_group("list of 200");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("ContactList", |b| {
        b.iter(|| ocs_xml::from_slice::<ContactList>(black_box(text.as_bytes()), &limits).unwrap());
    });
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut roster = roster(200);
    let text = roster.export();
    let mut group = c.benchmark_group("roster of 200");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("export", |b| b.iter(|| roster.export()));
    group.throughput(Throughput::Elements(1));
    let request = Request {
        operation: Operation::SetContact(Contact::new(
            "sip:user0100.family@contoso.com",
            "Another Name",
            GroupId::DEFAULT.into(),
        )),
        delta_num: None,
    };
    group.bench_function("change a contact", |b| {
        b.iter(|| {
            roster
                .apply(black_box(&request), &Limits::default())
                .unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);
