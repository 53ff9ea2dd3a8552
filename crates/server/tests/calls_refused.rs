//! Calls with sound that nobody takes: which of several refusals the caller gets, and when.

mod common;

use common::World;
use common::call::{idle, statuses, untouched};
use common::phone::{Phone, WHILE};
use ocs_sip_core::{HeaderName, Message, Method};

const BOB: &str = "sip:bob@contoso.com";

/// Two phones ring and say these in turn. Gives the refusal, and whether the second phone was cancelled before it could say anything.
fn refused(first: u16, second: u16) -> (Message, bool) {
    let mut world = World::new(|_| {});
    let [mut alice, mut bob, mut desk] = Phone::three(&mut world);
    let invite = alice.call(&mut world, BOB);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    bob.early_media(&mut world, &at_bob);
    desk.early_media(&mut world, &at_desk);
    assert_eq!(statuses(&alice.receive(&mut world)), [100, 183, 183]);
    let refuse = |world: &mut World, phone: &mut Phone, invite: &Message, status: u16| {
        let mut refusal = phone.say(invite, status);
        refusal.push_named(
            "ms-client-diagnostics",
            "52085;reason=\"Dialog does not exist\"",
        );
        phone.send(world, refusal.clone());
        assert_eq!(phone.one(world).method(), Some(&Method::Ack));
        refusal
    };
    let of_bob = refuse(&mut world, &mut bob, &at_bob, first);
    assert!(alice.receive(&mut world).is_empty(), "one phone is left");
    let cancels = desk.receive(&mut world);
    for cancel in &cancels {
        assert_eq!(cancel.method(), Some(&Method::Cancel));
        let reason = format!("SIP;cause={first}");
        assert_eq!(cancel.header(HeaderName::Reason), Some(&*reason));
        desk.answer(&mut world, cancel, 200);
    }
    let of_desk = refuse(&mut world, &mut desk, &at_desk, second);
    let refusal = alice.one(&mut world);
    // It is one of the two, as it was sent.
    let chosen = if refusal.status() == of_bob.status() {
        of_bob
    } else {
        of_desk
    };
    untouched(&chosen, &refusal);
    alice.ack_refusal(&mut world, &invite, &refusal);
    world.advance(WHILE);
    idle(&world);
    (refusal, !cancels.is_empty())
}

#[test]
fn the_best_refusal_is_told_when_all_have_refused() {
    for (first, second, best) in [
        (480, 486, 486),
        (486, 480, 486),
        (415, 486, 415),
        (488, 480, 488),
        (303, 486, 303),
        (500, 486, 486),
        (480, 603, 603),
        (487, 480, 480),
    ] {
        let (refusal, cancelled) = refused(first, second);
        assert_eq!(refusal.status(), Some(best), "{first} {second}");
        assert!(!cancelled, "{first} {second}");
    }
}

#[test]
fn who_declines_declines_for_all() {
    for status in [600, 603, 606] {
        let (refusal, cancelled) = refused(status, 487);
        assert_eq!((refusal.status(), cancelled), (Some(status), true));
    }
}

#[test]
fn who_is_not_there_cannot_be_called() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb01", 50_002);
    let gruu = bob.gruu.clone().unwrap();
    let answer = bob.refresh(&mut world, &[(HeaderName::Expires, "0")]);
    assert_eq!(answer.status(), Some(200));
    for (uri, expected) in [
        (BOB, 480),
        (&*gruu, 480),
        ("sip:mallory@contoso.com", 404),
        ("sip:+14255550199@contoso.com;user=phone", 504),
    ] {
        let invite = alice.call(&mut world, uri);
        let answers = alice.receive(&mut world);
        assert_eq!(statuses(&answers), [expected], "{uri}");
        alice.ack_refusal(&mut world, &invite, &answers[0]);
    }
    assert!(bob.receive(&mut world).is_empty());
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn a_phone_that_asks_for_what_a_proxy_does_not_know() {
    // Require is between the phones; Proxy-Require is for servers.
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb01", 50_002);
    alice.call_with(&mut world, BOB, &[(HeaderName::Require, "100rel, x-new")]);
    let came = bob.one(&mut world);
    assert_eq!(came.header(HeaderName::Require), Some("100rel, x-new"));
    let refusal = bob.say(&came, 420).with(HeaderName::Unsupported, "x-new");
    bob.send(&mut world, refusal);
    let refusal = alice.receive(&mut world).pop().unwrap();
    assert_eq!(refusal.header(HeaderName::Unsupported), Some("x-new"));
    alice.call_with(&mut world, BOB, &[(HeaderName::ProxyRequire, "x-new")]);
    let refusal = alice.receive(&mut world).pop().unwrap();
    assert_eq!(refusal.status(), Some(420));
    assert_eq!(refusal.header(HeaderName::Unsupported), Some("x-new"));
}
