//! The rules of the list on the server.

use ocs_ocer::ErrorId;
use ocs_siprege::contacts::{
    Contact, ContactExtension, Group, GroupId, GroupSet, Limits, Operation, Request, Roster,
    read_group_answer,
};
use ocs_siprege::soap::{Call, Refusal};
use ocs_xml::{Raw, Value};

fn group(id: u8) -> GroupId {
    GroupId::new(id).unwrap()
}

fn groups(text: &str) -> GroupSet {
    GroupSet::parse(text).unwrap()
}

fn contact(uri: &str, in_groups: &str) -> Operation {
    Operation::SetContact(Contact::new(uri, "", groups(in_groups)))
}

fn add_group(name: &str) -> Operation {
    Operation::AddGroup {
        name: name.into(),
        external_uri: None,
    }
}

/// Does what is asked with the right number.
fn apply(roster: &mut Roster, operation: Operation) -> Result<String, Refusal> {
    apply_within(roster, operation, &Limits::default())
}

fn apply_within(
    roster: &mut Roster,
    operation: Operation,
    limits: &Limits,
) -> Result<String, Refusal> {
    let before = roster.clone();
    let request = Request {
        operation,
        delta_num: Some(roster.list().delta_num),
    };
    let result = roster.apply(&request, limits);
    match &result {
        Ok(applied) => assert_eq!(applied.delta_num, before.list().delta_num + 1),
        // Nothing is half applied.
        Err(_) => assert_eq!(*roster, before),
    }
    result.map(|applied| applied.delta)
}

#[test]
fn a_request_must_carry_the_number_of_the_list() {
    let mut roster = Roster::new();
    apply(&mut roster, contact("a@b.c", "1")).unwrap();
    for number in [0, 1, 3, u32::MAX] {
        let request = Request {
            operation: add_group("Friends"),
            delta_num: Some(number),
        };
        let refusal = roster.apply(&request, &Limits::default()).unwrap_err();
        assert_eq!(refusal.status, 409);
        assert!(refusal.fault.unwrap().is_wrong_delta());
    }
    assert_eq!(roster.list().groups.len(), 1);
    // As the schema of deleteContact has it.
    let request = Request {
        operation: Operation::DeleteContact("a@b.c".into()),
        delta_num: None,
    };
    roster.apply(&request, &Limits::default()).unwrap();
    assert!(roster.list().contacts.is_empty());
}

#[test]
fn the_number_is_never_zero() {
    let stored = format!(r#"<contactList deltaNum="{}"/>"#, u32::MAX);
    let mut roster = Roster::import(stored.as_bytes(), &ocs_xml::Limits::default()).unwrap();
    let request = Request {
        operation: add_group("Friends"),
        delta_num: Some(u32::MAX),
    };
    let applied = roster.apply(&request, &Limits::default()).unwrap();
    assert_eq!(applied.delta_num, 1);
    assert!(
        applied
            .delta
            .contains(r#"deltaNum="1" prevDeltaNum="4294967295""#)
    );
}

#[test]
fn deleting_a_group_moves_its_contacts_first() {
    let mut roster = Roster::new();
    apply(&mut roster, add_group("Friends")).unwrap();
    apply(&mut roster, add_group("Work")).unwrap();
    apply(&mut roster, contact("a@b.c", "2")).unwrap();
    apply(&mut roster, contact("b@b.c", "2 3")).unwrap();
    apply(&mut roster, contact("c@b.c", "3")).unwrap();
    let delta = apply(&mut roster, Operation::DeleteGroup(group(2))).unwrap();
    assert_eq!(
        delta,
        r#"<contactDelta deltaNum="7" prevDeltaNum="6"><modifiedContact uri="sip:a@b.c" name="" groups="1" subscribed="true" externalURI=""/><modifiedContact uri="sip:b@b.c" name="" groups="3" subscribed="true" externalURI=""/><deletedGroup id="2"/></contactDelta>"#
    );
    assert_eq!(
        roster.list().contact("a@b.c").unwrap().groups(),
        groups("1")
    );
    assert!(roster.list().group(group(2)).is_none());
}

#[test]
fn the_default_group_stays() {
    let mut roster = Roster::new();
    let modified = Operation::ModifyGroup(Group::new(GroupId::DEFAULT, "Mine"));
    assert_eq!(apply(&mut roster, modified), Err(Refusal::plain(403)));
    let deleted = Operation::DeleteGroup(GroupId::DEFAULT);
    assert_eq!(apply(&mut roster, deleted), Err(Refusal::plain(403)));
    assert_eq!(
        apply(&mut roster, add_group("~")),
        Err(Refusal::diagnosed(485, ErrorId(2015)))
    );
}

#[test]
fn a_contact_without_group_goes_into_the_default_one() {
    let mut roster = Roster::new();
    for none in ["", "0"] {
        apply(&mut roster, contact("a@b.c", none)).unwrap();
        assert_eq!(roster.list().contacts[0].groups(), groups("1"));
    }
}

#[test]
fn what_is_missing_is_named() {
    let mut roster = Roster::new();
    let no_contact = Err(Refusal::diagnosed(404, ErrorId(2001)));
    let no_group = Err(Refusal::diagnosed(404, ErrorId(2002)));
    let deleted = Operation::DeleteContact("a@b.c".into());
    assert_eq!(apply(&mut roster, deleted), no_contact);
    assert_eq!(apply(&mut roster, contact("a@b.c", "1 2")), no_group);
    assert_eq!(
        apply(&mut roster, Operation::DeleteGroup(group(2))),
        no_group
    );
    let modified = Operation::ModifyGroup(Group::new(group(9), "x"));
    assert_eq!(apply(&mut roster, modified), no_group);
}

#[test]
fn limits_hold() {
    let mut roster = Roster::new();
    let limits = Limits {
        contacts: 2,
        ..Limits::default()
    };
    apply_within(&mut roster, contact("a@b.c", "1"), &limits).unwrap();
    apply_within(&mut roster, contact("b@b.c", "1"), &limits).unwrap();
    let third = apply_within(&mut roster, contact("c@b.c", "1"), &limits);
    assert_eq!(third, Err(Refusal::diagnosed(403, ErrorId(2007))));
    // A known one can still be changed, whatever its case.
    apply_within(&mut roster, contact("A@B.C", "1"), &limits).unwrap();
    assert_eq!(roster.list().contacts.len(), 2);

    // The numbers 1 to 63 are given, 64 never.
    for number in 2..=63 {
        apply(&mut roster, add_group(&format!("Group {number}"))).unwrap();
    }
    assert_eq!(roster.list().groups.len(), 63);
    assert_eq!(roster.list().group(group(64)), None);
    let more = apply(&mut roster, add_group("One more"));
    assert_eq!(more, Err(Refusal::diagnosed(403, ErrorId(2008))));
    apply(&mut roster, Operation::DeleteGroup(group(7))).unwrap();
    apply(&mut roster, add_group("One more")).unwrap();
    assert_eq!(roster.list().group(group(7)).unwrap().name, "One more");

    let taken = Operation::ModifyGroup(Group::new(group(8), "One more"));
    assert_eq!(
        apply(&mut roster, taken),
        Err(Refusal::diagnosed(485, ErrorId(2015)))
    );
    let same = Operation::ModifyGroup(Group::new(group(7), "One more"));
    apply(&mut roster, same).unwrap();

    let plain = |length: usize| "x".repeat(length);
    let bad = Err(Refusal::plain(400));
    let named = |length| Operation::SetContact(Contact::new("a@b.c", &plain(length), groups("1")));
    apply(&mut roster, named(256)).unwrap();
    assert_eq!(apply(&mut roster, named(257)), bad);
    let renamed = |length| Operation::ModifyGroup(Group::new(group(7), &plain(length)));
    apply(&mut roster, renamed(256)).unwrap();
    assert_eq!(apply(&mut roster, renamed(257)), bad);
    assert_eq!(apply(&mut roster, renamed(0)), bad);
    let linked = |length| {
        let contact = Contact::new("a@b.c", "", groups("1"));
        Operation::SetContact(contact.with_external_uri(Some(&plain(length))))
    };
    apply(&mut roster, linked(1024)).unwrap();
    assert_eq!(apply(&mut roster, linked(1025)), bad);
    for uri in ["", "a b@c", "<a@b>", &format!("{}@b.c", plain(451))] {
        assert_eq!(apply(&mut roster, contact(uri, "1")), bad, "{uri}");
    }
}

#[test]
fn extensions_are_bounded_and_kept() {
    let extended = |length: usize| {
        let mut extension = ContactExtension::new();
        let text = format!("<x>{}</x>", "y".repeat(length));
        extension.push(Raw::parse(text.as_bytes(), &ocs_xml::Limits::default()).unwrap());
        let contact = Contact::new("a@b.c", "", groups("1"));
        Operation::SetContact(contact.with_extension(Some(extension)))
    };
    let mut roster = Roster::new();
    let most = 1024 - "<x></x>".len();
    apply(&mut roster, extended(most)).unwrap();
    let more = apply(&mut roster, extended(most + 1));
    assert_eq!(more, Err(Refusal::diagnosed(403, ErrorId(2009))));
    // A client that knows of no extensions changes the contact.
    apply(&mut roster, contact("a@b.c", "1")).unwrap();
    assert!(roster.list().contacts[0].extension().is_some());
}

#[test]
fn a_group_keeps_the_uri_that_nobody_speaks_of() {
    let mut roster = Roster::new();
    let added = Operation::AddGroup {
        name: "Sales".into(),
        external_uri: Some("sip:sales@contoso.com".into()),
    };
    apply(&mut roster, added).unwrap();
    let mut renamed = Group::new(group(2), "Sellers");
    renamed.external_uri = None;
    apply(&mut roster, Operation::ModifyGroup(renamed)).unwrap();
    let kept = roster.list().group(group(2)).unwrap();
    assert_eq!(kept.external_uri.as_deref(), Some("sip:sales@contoso.com"));
}

#[test]
fn a_moved_list_is_closed() {
    let mut roster = Roster::new();
    roster.set_migrated(true);
    assert_eq!(
        roster.subscribe(true),
        Err(Refusal::diagnosed(488, ErrorId(2165)))
    );
    assert!(
        roster
            .subscribe(false)
            .unwrap()
            .contains(r#"ucsmode="migrated""#)
    );
    assert_eq!(apply(&mut roster, add_group("x")), Err(Refusal::plain(403)));
    let stored = roster.export();
    assert_eq!(
        Roster::import(stored.as_bytes(), &ocs_xml::Limits::default()),
        Ok(roster.clone())
    );
    roster.set_migrated(false);
    apply(&mut roster, add_group("x")).unwrap();
}

#[test]
fn a_stored_list_is_put_right() {
    let stored = r#"<contactList deltaNum="0"><group id="2" name="A"/><group id="2" name="B"/><contact uri="a@b.c" groups="2 9"/><contact uri="A@b.c" groups="2"/><contact uri="b@b.c" groups="9"/></contactList>"#;
    let roster = Roster::import(stored.as_bytes(), &ocs_xml::Limits::default()).unwrap();
    let list = roster.list();
    assert_eq!(list.delta_num, 1);
    let names: Vec<&str> = list
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(names, ["~", "A"]);
    let shown: Vec<_> = list
        .contacts
        .iter()
        .map(|c| (c.uri(), c.groups()))
        .collect();
    assert_eq!(shown, [("a@b.c", groups("2")), ("b@b.c", groups("1"))]);
    // Torn in the middle of a write, it is not taken.
    for end in 0..stored.len() {
        assert!(Roster::import(&stored.as_bytes()[..end], &ocs_xml::Limits::default()).is_err());
    }
}

#[test]
fn malformed_requests_have_an_id() {
    let bad = Call::read(b"<x", &ocs_xml::Limits::default()).unwrap_err();
    assert_eq!(Refusal::from(bad), Refusal::diagnosed(400, ErrorId(4001)));
}

#[test]
fn the_answer_to_a_new_group_tells_its_number() {
    let mut roster = Roster::new();
    let request = Request {
        operation: add_group("Friends"),
        delta_num: Some(1),
    };
    let answer = roster
        .apply(&request, &Limits::default())
        .unwrap()
        .answer
        .unwrap();
    let id = read_group_answer(answer.as_bytes(), &ocs_xml::Limits::default());
    assert_eq!(id, Ok(group(2)));
}
