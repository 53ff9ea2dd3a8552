//! A front end that comes back finds what was to last ([MS-PRES], lives of publications).

mod common;

use common::World;
use common::phone::{Phone, WHILE};
use common::presence::{
    ACL, CONTACTS, SOAP, batch, instances, machine, members, note, note_in, own, publication,
    shown, soap, text,
};
use ocs_pres::doc::content_type;
use ocs_server::{DocumentKind, Event, Store as _};
use std::time::Duration;

#[test]
fn what_lasts_and_what_does_not() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    let mut both = vec![
        note_in(200, 0, "static"),
        publication("note", "200/5", 0, "endpoint", &note("endpoint")),
        publication("note", "200/6", 0, "user", &note("user")),
        publication("note", "200/7", 0, "time 100", &note("long")),
        publication("note", "200/8", 0, "time 10", &note("short")),
    ];
    both.extend(machine(1, 0, 3500));
    alice.publish(&mut world, &both);
    alice.publish(&mut world, &[note_in(200, 1, "static")]);
    let kind = content_type::SET_CONTAINER_MEMBERS;
    alice.service(
        &mut world,
        kind,
        members(&[(200, 0, &["add sameEnterprise"])]),
    );
    let request = bob.batch(batch("subscribe", &["+alice"], &["note"]));
    bob.open(&mut world, request);
    for call in [
        "<m:addGroup><m:name>Team</m:name><m:deltaNum>1</m:deltaNum></m:addGroup>",
        "<m:setContact><m:displayName>B</m:displayName><m:groups>2</m:groups><m:subscribed>true</m:subscribed><m:URI>sip:bob@contoso.com</m:URI><m:deltaNum>2</m:deltaNum></m:setContact>",
        "<m:setACE><m:type>USER</m:type><m:mask>sip:carol@contoso.com</m:mask><m:rights>BD</m:rights><m:deltaNum>1</m:deltaNum></m:setACE>",
    ] {
        let answer = alice.service(&mut world, SOAP, soap(call));
        assert_eq!(answer.status(), Some(200), "{call}");
    }
    let delegate = "<setDelegates version=\"0\"><delegate uri=\"carol@contoso.com\" action=\"add\"><publishOperation authorization=\"deny\"/></delegate></setDelegates>";
    alice.service(&mut world, content_type::SET_DELEGATES, delegate);
    let contacts = alice.subscribe(&mut world, CONTACTS);
    let access = alice.subscribe(&mut world, ACL);

    let mut world = world.restarted(Duration::from_secs(20));
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_004);
    // Before she is back, what lasts is seen already.
    let watch = bob.watch(&mut world, &["alice"]);
    assert_eq!(
        shown(&watch.answer),
        [
            "alice note: static",
            "alice note: long",
            "alice state: 18500"
        ]
    );
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_003);
    bob.news(&mut world);
    let document = own(&alice.subscribe_own(&mut world).answer);
    assert_eq!(
        instances(&document, &["note"]),
        ["note 200/0 v2: static", "note 200/7 v1: long"]
    );
    let containers = document.containers.unwrap().containers;
    assert_eq!((containers[0].id.get(), containers[0].version), (200, 1));
    let pending = document.subscribers.unwrap().subscribers;
    assert_eq!(pending[0].user, "bob@contoso.com");
    assert_eq!(document.delegates.unwrap().version, 1);
    for (event, before) in [(CONTACTS, contacts), (ACL, access)] {
        let after = alice.subscribe(&mut world, event);
        assert_eq!(text(&after.answer), text(&before.answer), "{event}");
    }
    // Versions and numbers go on.
    let answer = alice.publish(&mut world, &[note_in(200, 2, "again")]);
    assert_eq!(
        instances(&own(&answer), &["note"]),
        ["note 200/0 v3: again", "note 200/7 v1: long"]
    );
    // And times.
    alice.news(&mut world);
    bob.news(&mut world);
    world.advance(Duration::from_secs(81));
    assert_eq!(shown(&bob.told(&mut world)), ["alice note: again"]);
    for phone in [alice, bob] {
        world.close(phone.connection);
    }
    world.advance(WHILE);
    assert_eq!(world.server.counters(), ocs_server::Counters::default());
}

#[test]
fn what_the_store_cannot_give_back() {
    let mut world = World::new(|_| {});
    for (kind, document) in [
        (DocumentKind::Contacts, "<contactList"),
        (DocumentKind::AccessList, ""),
        (DocumentKind::Presence, "<roamingData/><"),
    ] {
        let store = world.server.store_mut();
        let alice = common::aor("alice");
        store.put_documents(&alice, &[(kind, document)]).unwrap();
    }
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let damaged = world.events.iter().filter(
        |event| matches!(event, Event::DamagedDocument { aor, .. } if *aor == common::aor("alice")),
    );
    assert_eq!(damaged.count(), 3);
    // She goes on with nothing; the next change replaces it.
    let dialog = alice.subscribe(&mut world, CONTACTS);
    assert!(text(&dialog.answer).contains("deltaNum=\"1\""));
    alice.publish(&mut world, &[note_in(200, 0, "new")]);
    let mut world = world.restarted(Duration::from_secs(1));
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_002);
    let document = own(&alice.subscribe_own(&mut world).answer);
    assert_eq!(instances(&document, &["note"]), ["note 200/0 v1: new"]);
}
