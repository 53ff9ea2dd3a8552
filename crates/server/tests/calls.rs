//! Calls with sound to a user who is at several places: forks, early media, and what is left in the end.

mod common;

use common::World;
use common::call::{description, idle, statuses, untouched};
use common::phone::{Phone, WHILE};
use ocs_sip_core::{HeaderName, Message, Method};

const BOB: &str = "sip:bob@contoso.com";

struct Call {
    world: World,
    alice: Phone,
    bob: Phone,
    desk: Phone,
    invite: Message,
    at_bob: Message,
    at_desk: Message,
}

/// alice calls bob, who is there twice.
fn ringing() -> Call {
    let mut world = World::new(|_| {});
    let [mut alice, mut bob, mut desk] = Phone::three(&mut world);
    let invite = alice.call(&mut world, BOB);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    assert_eq!(statuses(&alice.receive(&mut world)), [100]);
    Call {
        world,
        alice,
        bob,
        desk,
        invite,
        at_bob,
        at_desk,
    }
}

#[test]
fn an_invite_comes_as_it_was_sent_with_what_servers_say() {
    let call = ringing();
    for (came, epid) in [(&call.at_bob, "bbbb01"), (&call.at_desk, "bbbb02")] {
        untouched(&call.invite, came);
        assert_eq!(came.to_header().unwrap().epid(), Some(epid));
        let via = came.header(HeaderName::Via).unwrap();
        assert!(via.contains("branched=TRUE"), "{via}");
        assert_eq!(
            came.header(HeaderName::PAssertedIdentity),
            Some("\"Alice\"<sip:alice@contoso.com>,<tel:+14255550001>")
        );
        assert_eq!(
            came.header(HeaderName::HistoryInfo),
            Some("<sip:bob@contoso.com>;index=1")
        );
        assert_eq!(came.lines(HeaderName::HistoryInfo).count(), 1);
        let routes: Vec<_> = came.values(HeaderName::RecordRoute).collect();
        assert_eq!(routes.len(), 1);
        assert!(routes[0].contains("ms-route-sig="), "{routes:?}");
    }
    // One phone alone is not told of others.
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb01", 50_002);
    alice.call_with(
        &mut world,
        BOB,
        &[(HeaderName::HistoryInfo, "<sip:carol@contoso.com>;index=1")],
    );
    let came = bob.one(&mut world);
    let via = came.header(HeaderName::Via).unwrap();
    assert!(via.contains("branched=FALSE"), "{via}");
    // What a client says of earlier targets is not believed.
    assert_eq!(
        came.header(HeaderName::HistoryInfo),
        Some("<sip:bob@contoso.com>;index=1")
    );
}

#[test]
fn both_phones_prepare_media_and_one_takes_the_call() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
        invite,
        at_bob,
        at_desk,
    } = ringing();
    bob.answer(&mut world, &at_bob, 180);
    assert_eq!(alice.one(&mut world).status(), Some(180));
    // An answer of each, with tags of their own.
    let sent = bob.early_media(&mut world, &at_bob);
    let of_bob = alice.one(&mut world);
    untouched(&sent, &of_bob);
    let sent = desk.early_media(&mut world, &at_desk);
    let of_desk = alice.one(&mut world);
    untouched(&sent, &of_desk);
    let tag = |message: &Message| message.to_header().unwrap().tag().map(str::to_owned);
    assert_ne!(tag(&of_bob), tag(&of_desk));
    for response in [&of_bob, &of_desk] {
        assert_eq!(response.values(HeaderName::RecordRoute).count(), 1);
        assert_eq!(
            response.header(HeaderName::PAssertedIdentity),
            Some("\"Bob\"<sip:bob@contoso.com>")
        );
    }
    // Each PRACK finds its own phone.
    for (phone, response) in [(&mut bob, &of_bob), (&mut desk, &of_desk)] {
        let prack = alice.prack(&invite, response, 2);
        alice.send(&mut world, prack.clone());
        let came = phone.one(&mut world);
        untouched(&prack, &came);
        assert_eq!(tag(&came), tag(response));
        phone.answer(&mut world, &came, 200);
        assert_eq!(alice.one(&mut world).status(), Some(200));
    }
    // UPDATE before the call is taken, in both directions.
    let update = alice
        .in_dialog(Method::Update, &invite, &of_desk, 3)
        .with_body("application/sdp", description("later offer"));
    alice.send(&mut world, update.clone());
    let came = desk.one(&mut world);
    untouched(&update, &came);
    desk.answer(&mut world, &came, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    let update = bob.as_callee(Method::Update, &at_bob, &of_bob, 1);
    bob.send(&mut world, update.clone());
    let came = alice.one(&mut world);
    untouched(&update, &came);
    alice.answer(&mut world, &came, 200);
    assert_eq!(bob.one(&mut world).status(), Some(200));

    let taken = desk.take_call(&mut world, &at_desk);
    let answer = alice.one(&mut world);
    untouched(&taken, &answer);
    assert_eq!(answer.body(), of_desk.body());
    assert_eq!(tag(&answer), tag(&of_desk));
    // The other one hears that somebody else has the call.
    let cancel = bob.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    let reason = cancel.header(HeaderName::Reason).unwrap();
    assert!(reason.starts_with("SIP;cause=200"), "{reason}");
    bob.answer(&mut world, &cancel, 200);
    bob.answer(&mut world, &at_bob, 487);
    assert_eq!(bob.one(&mut world).method(), Some(&Method::Ack));
    alice.ack(&mut world, &invite, &answer);
    assert_eq!(desk.one(&mut world).method(), Some(&Method::Ack));
    // Of that the caller hears nothing.
    assert!(alice.receive(&mut world).is_empty());
    let bye = alice.in_dialog(Method::Bye, &invite, &answer, 4);
    alice.send(&mut world, bye);
    let came = desk.one(&mut world);
    desk.answer(&mut world, &came, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    assert!(bob.receive(&mut world).is_empty());
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn both_take_the_call_and_the_caller_ends_one() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
        invite,
        at_bob,
        at_desk,
    } = ringing();
    desk.answer(&mut world, &at_desk, 180);
    bob.take_call(&mut world, &at_bob);
    desk.take_call(&mut world, &at_desk);
    // The CANCEL crossed the second one.
    let cancel = desk.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    desk.answer(&mut world, &cancel, 200);
    let answers = alice.receive(&mut world);
    assert_eq!(statuses(&answers), [180, 200, 200]);
    for (answer, phone) in [(&answers[1], &mut bob), (&answers[2], &mut desk)] {
        assert_eq!(answer.body(), &*phone.answer_of_media());
        alice.ack(&mut world, &invite, answer);
        assert_eq!(phone.one(&mut world).method(), Some(&Method::Ack));
    }
    let bye = alice.in_dialog(Method::Bye, &invite, &answers[2], 2).with(
        HeaderName::Reason,
        "SIP;cause=200;text=\"Call completed elsewhere\"",
    );
    alice.send(&mut world, bye.clone());
    let came = desk.one(&mut world);
    untouched(&bye, &came);
    desk.answer(&mut world, &came, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    assert!(bob.receive(&mut world).is_empty());
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn a_late_answer_meets_the_callers_cancel() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
        invite,
        at_bob,
        at_desk,
    } = ringing();
    for (phone, came) in [(&mut bob, &at_bob), (&mut desk, &at_desk)] {
        phone.early_media(&mut world, came);
    }
    assert_eq!(statuses(&alice.receive(&mut world)), [183, 183]);
    alice.cancel(&mut world, &invite);
    assert_eq!(statuses(&alice.receive(&mut world)), [200]);
    let cancels = [bob.one(&mut world), desk.one(&mut world)];
    for (phone, cancel) in [&mut bob, &mut desk].into_iter().zip(&cancels) {
        assert_eq!(cancel.method(), Some(&Method::Cancel));
        phone.answer(&mut world, cancel, 200);
    }
    desk.answer(&mut world, &at_desk, 487);
    assert_eq!(desk.one(&mut world).method(), Some(&Method::Ack));
    assert!(alice.receive(&mut world).is_empty(), "one phone is left");
    // It has been taken just then: the caller gets it, and ends it.
    bob.take_call(&mut world, &at_bob);
    let answer = alice.one(&mut world);
    assert_eq!(answer.status(), Some(200));
    alice.ack(&mut world, &invite, &answer);
    let bye = alice.in_dialog(Method::Bye, &invite, &answer, 2);
    alice.send(&mut world, bye);
    let came = bob.receive(&mut world);
    assert_eq!(came[0].method(), Some(&Method::Ack));
    bob.answer(&mut world, &came[1], 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    world.advance(WHILE);
    idle(&world);
}
