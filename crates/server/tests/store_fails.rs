//! A store that cannot read or keep: who asked hears it, and nothing has changed.

mod common;

use common::World;
use common::phone::Phone;
use common::presence::{
    ACL, CONTACTS, OWN, SOAP, batch, explained, instances, members, note, note_in, own,
    publication, seen, shown, soap, text,
};
use ocs_pres::doc::{InstanceState, content_type};
use ocs_server::{DocumentKind, Event};
use ocs_sip_core::{HeaderName, Method};

const FAILED: (u16, Option<u32>) = (500, Some(4000));

fn failures(world: &World) -> Vec<DocumentKind> {
    let mut kinds = Vec::new();
    for event in &world.events {
        if let Event::StoreFailed { aor, kind, reason } = event {
            assert_eq!((aor.user(), reason.as_str()), ("alice", "no space left"));
            kinds.push(*kind);
        }
    }
    kinds
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    let kind = content_type::SET_CONTAINER_MEMBERS;
    alice.service(
        &mut world,
        kind,
        members(&[(200, 0, &["add sameEnterprise"])]),
    );
    alice.publish(&mut world, &[note_in(200, 0, "kept")]);
    let watch = batch("subscribe", &["+alice"], &["note", "state"]);
    let request = bob.batch(watch);
    bob.open(&mut world, request);
    let mut dialogs = [
        alice.subscribe_own(&mut world),
        alice.subscribe(&mut world, CONTACTS),
        alice.subscribe(&mut world, ACL),
    ];
    let mut state = |world: &mut World, alice: &mut Phone| {
        let mut refresh = |index: usize| {
            let answer = dialogs[index].refresh(world, alice, 600);
            text(&answer).to_owned()
        };
        [refresh(0), refresh(1), refresh(2)]
    };
    let before = state(&mut world, &mut alice);

    world.server.store_mut().writes = false;
    let service = "http://schemas.microsoft.com/2006/09/sip/";
    let writes = [
        (
            content_type::PUBLISH,
            common::presence::publish(
                "alice@contoso.com",
                &[
                    note_in(200, 1, "lost"),
                    publication("note", "200/7", 0, "endpoint", &note("lost as well")),
                ],
            ),
        ),
        (kind, members(&[(200, 1, &["remove sameEnterprise"])])),
        (
            content_type::SET_SUBSCRIBERS,
            format!(
                "<setSubscribers xmlns=\"{service}presence-subscribers\"><subscriber user=\"bob@contoso.com\" acknowledged=\"true\"/></setSubscribers>"
            ),
        ),
        (
            content_type::SET_DELEGATES,
            "<setDelegates version=\"0\"><delegate uri=\"bob@contoso.com\" action=\"add\"/></setDelegates>".to_owned(),
        ),
        (
            SOAP,
            soap("<m:addGroup><m:name>Team</m:name><m:deltaNum>1</m:deltaNum></m:addGroup>"),
        ),
        (
            SOAP,
            soap("<m:setACE><m:type>USER</m:type><m:mask>sip:bob@contoso.com</m:mask><m:rights>BD</m:rights><m:deltaNum>1</m:deltaNum></m:setACE>"),
        ),
    ];
    for (kind, body) in &writes {
        let answer = alice.service(&mut world, kind, body.clone());
        assert_eq!(explained(&answer), FAILED, "{body}");
    }
    assert_eq!(failures(&world).len(), writes.len());
    assert!(alice.news(&mut world).is_empty());
    assert!(bob.news(&mut world).is_empty());
    assert_eq!(state(&mut world, &mut alice), before);
    // What needs no store works.
    let here = publication("note", "200/9", 0, "endpoint", &note("here"));
    assert_eq!(alice.publish(&mut world, &[here]).status(), Some(200));
    assert_eq!(
        shown(&bob.told(&mut world)),
        ["alice note: kept", "alice note: here"]
    );
    // With room again, the same requests with the same numbers are taken.
    world.server.store_mut().writes = true;
    for (kind, body) in writes {
        let answer = alice.service(&mut world, kind, body.clone());
        assert_eq!(answer.status(), Some(200), "{body}");
    }
}

#[test]
fn who_cannot_be_read_is_not_forgotten() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let kind = content_type::SET_CONTAINER_MEMBERS;
    alice.service(
        &mut world,
        kind,
        members(&[(200, 0, &["add sameEnterprise"])]),
    );
    alice.publish(&mut world, &[note_in(200, 0, "kept")]);
    world.close(alice.connection);

    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    world.server.store_mut().reads = false;
    // She registers, which needs nothing of the store; her data are asked for, and cannot be had.
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_003);
    let uri = "sip:alice@contoso.com";
    let request = alice
        .subscription(OWN, uri, content_type::ROAMING_SELF)
        .with_body(
            content_type::ROAMING_SELF,
            "<roamingList xmlns=\"http://schemas.microsoft.com/2006/09/sip/roaming-self\"/>",
        );
    let answer = alice.exchange(&mut world, request);
    assert_eq!(explained(&answer), FAILED);
    let answer = alice.publish(&mut world, &[note_in(200, 0, "new")]);
    assert_eq!(explained(&answer), FAILED);
    // Those who watch her may ask again.
    let dialog = bob.watch(&mut world, &["alice"]);
    let list = seen(&dialog.answer).list.unwrap();
    let state = &list.resources[0].instances[0].state;
    assert_eq!(*state, InstanceState::Resubscribe);
    let single = |bob: &mut Phone| {
        bob.subscription("presence", uri, content_type::CATEGORIES)
            .with_body(
                content_type::BATCH_SUB,
                batch("subscribe", &["alice"], &["note"]),
            )
    };
    let request = single(&mut bob);
    assert_eq!(explained(&bob.exchange(&mut world, request)), FAILED);

    // All is there when the store is, her endpoint too.
    world.server.store_mut().reads = true;
    let request = single(&mut bob);
    let answer = bob.exchange(&mut world, request);
    assert_eq!(shown(&answer), ["alice note: kept"]);
    let here = publication("note", "200/9", 0, "endpoint", &note("here"));
    let answer = alice.publish(&mut world, &[here, note_in(200, 1, "again")]);
    assert_eq!(
        instances(&own(&answer), &["note"]),
        ["note 200/0 v2: again", "note 200/9 v1: here"]
    );
    assert_eq!(bob.told(&mut world).method(), Some(&Method::Benotify));
    assert!(world.server.store().failures.get() >= 4);
    assert_eq!(answer.header(HeaderName::Accept), None);
}
