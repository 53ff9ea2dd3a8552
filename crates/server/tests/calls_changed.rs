//! Calls with sound after they are taken: changes, transfers, their timers, and their ends.

mod common;

use std::time::Duration;

use common::World;
use common::call::{Talk, description, idle, round, statuses, talk, untouched};
use common::phone::{Phone, WHILE};
use ocs_sip_core::{HeaderName, Message, Method};

const BOB: &str = "sip:bob@contoso.com";

struct Line {
    world: World,
    alice: Phone,
    bob: Phone,
    talk: Talk,
}

fn line() -> Line {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let talk = talk(&mut world, &mut alice, &mut bob, BOB);
    Line {
        world,
        alice,
        bob,
        talk,
    }
}

#[test]
fn either_side_changes_the_media() {
    let Line {
        mut world,
        mut alice,
        mut bob,
        talk,
    } = line();
    // Candidates that are final, video besides, hold.
    let invite = |request: Message, name: &str, phone: &Phone| {
        let contact = format!("<{}>;+sip.rendering=\"no\"", phone.gruu.as_deref().unwrap());
        request
            .with(HeaderName::Contact, &contact)
            .with(HeaderName::SessionExpires, "1800;refresher=uac")
            .with_body("application/sdp", description(name))
    };
    for cseq in 2..4 {
        let request = alice.in_dialog(Method::Invite, &talk.invite, &talk.back, cseq);
        let request = invite(request, "caller's", &alice);
        let (came, back) = round(&mut world, &mut alice, &mut bob, request.clone(), 200);
        assert_eq!(came.values(HeaderName::RecordRoute).count(), 1);
        assert_eq!(back.values(HeaderName::RecordRoute).count(), 1);
        assert_eq!(came.header(HeaderName::HistoryInfo), None);
        alice.ack(&mut world, &request, &back);
        assert_eq!(bob.one(&mut world).method(), Some(&Method::Ack));
    }
    let request = bob.as_callee(Method::Invite, &talk.came, &talk.answer, 1);
    let request = invite(request, "callee's", &bob);
    let (came, back) = round(&mut world, &mut bob, &mut alice, request.clone(), 200);
    assert_eq!(
        came.header(HeaderName::PAssertedIdentity),
        Some("\"Bob\"<sip:bob@contoso.com>")
    );
    bob.ack(&mut world, &request, &back);
    assert_eq!(alice.one(&mut world).method(), Some(&Method::Ack));
    // Both at once: each hears so from the other, and the ACKs of refusals stay between neighbours.
    let first = alice.in_dialog(Method::Invite, &talk.invite, &talk.back, 4);
    let second = bob.as_callee(Method::Invite, &talk.came, &talk.answer, 2);
    alice.send(&mut world, first.clone());
    bob.send(&mut world, second.clone());
    let request = |phone: &mut Phone, world: &mut World| {
        let all = phone.receive(world);
        all.into_iter().find(Message::is_request).unwrap()
    };
    let at_alice = request(&mut alice, &mut world);
    let at_bob = request(&mut bob, &mut world);
    for (phone, came) in [(&mut alice, &at_alice), (&mut bob, &at_bob)] {
        phone.answer(&mut world, came, 491);
    }
    for (phone, sent) in [(&mut alice, &first), (&mut bob, &second)] {
        let mut all = phone.receive(&mut world);
        all.retain(|message| message.method() != Some(&Method::Ack));
        assert_eq!(statuses(&all), [491]);
        phone.ack_refusal(&mut world, sent, &all[0]);
    }
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn the_session_timer_is_between_the_phones() {
    let Line {
        mut world,
        mut alice,
        mut bob,
        talk,
    } = line();
    // Far beyond every timer of the server: a call that lasts is none of its business.
    for cseq in 2..8 {
        for _ in 0..5 {
            world.advance(Duration::from_mins(3));
            for phone in [&alice, &bob] {
                world.send(phone.connection, "\r\n\r\n");
            }
        }
        let update = alice
            .in_dialog(Method::Update, &talk.invite, &talk.back, cseq)
            .with(HeaderName::Supported, "timer")
            .with(HeaderName::SessionExpires, "1800;refresher=uac")
            .with(HeaderName::MinSe, "90");
        round(&mut world, &mut alice, &mut bob, update, 200);
    }
    // Too short is the callee's to say.
    let update = bob
        .as_callee(Method::Update, &talk.came, &talk.answer, 1)
        .with(HeaderName::SessionExpires, "30");
    bob.send(&mut world, update);
    let came = alice.one(&mut world);
    assert_eq!(came.header(HeaderName::SessionExpires), Some("30"));
    let refusal = alice.say(&came, 422).with(HeaderName::MinSe, "90");
    alice.send(&mut world, refusal.clone());
    untouched(&refusal, &bob.one(&mut world));
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn hanging_up_at_once() {
    let Line {
        mut world,
        mut alice,
        mut bob,
        talk,
    } = line();
    let mut bye = alice.in_dialog(Method::Bye, &talk.invite, &talk.back, 2);
    bye.push_named(
        "ms-client-diagnostics",
        "51004;reason=\"Action initiated by user\"",
    );
    let other = bob.as_callee(Method::Bye, &talk.came, &talk.answer, 1);
    alice.send(&mut world, bye.clone());
    bob.send(&mut world, other.clone());
    let at_bob = bob.one(&mut world);
    let at_alice = alice.one(&mut world);
    untouched(&bye, &at_bob);
    untouched(&other, &at_alice);
    alice.answer(&mut world, &at_alice, 200);
    bob.answer(&mut world, &at_bob, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    assert_eq!(bob.one(&mut world).status(), Some(200));
    // Whoever is late hears that there is no such call.
    let late = alice.in_dialog(Method::Info, &talk.invite, &talk.back, 3);
    round(&mut world, &mut alice, &mut bob, late, 481);
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn a_transfer() {
    let Line {
        mut world,
        mut alice,
        mut bob,
        talk,
    } = line();
    let mut carol = Phone::signed_in(&mut world, "carol", "cccc", 50_003);
    // alice asks carol before: the call that bob is to take over.
    let asked = common::call::talk(&mut world, &mut alice, &mut carol, "sip:carol@contoso.com");
    let tag = |message: &Message| message.to_header().unwrap().tag().unwrap().to_owned();
    let from_tag = asked.invite.from_header().unwrap().tag().unwrap();
    let replaces = format!(
        "{};to-tag={};from-tag={from_tag}",
        asked.invite.call_id().unwrap(),
        tag(&asked.back)
    );
    let refer_to = format!(
        "<{}?Replaces={}>",
        carol.gruu.as_deref().unwrap(),
        replaces.replace(';', "%3B").replace('=', "%3D")
    );
    let contact = format!("<{}>", alice.gruu.as_deref().unwrap());
    let refer = alice
        .in_dialog(Method::Refer, &talk.invite, &talk.back, 2)
        .with(HeaderName::Contact, &contact)
        .with(HeaderName::ReferTo, &refer_to)
        .with(HeaderName::Supported, "ms-safe-transfer");
    let (came, _) = round(&mut world, &mut alice, &mut bob, refer, 202);
    assert_eq!(
        came.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
    // bob calls carol's phone in the place of alice.
    let invite = bob.call_with(
        &mut world,
        carol.gruu.as_deref().unwrap(),
        &[
            (HeaderName::Replaces, &replaces),
            (HeaderName::ReferredBy, "<sip:alice@contoso.com>"),
            (HeaderName::Require, "replaces"),
        ],
    );
    let at_carol = carol.one(&mut world);
    untouched(&invite, &at_carol);
    assert_eq!(
        at_carol.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
    // alice is told how far it is.
    let mut notify = |world: &mut World, bob: &mut Phone, cseq, state: &str, fragment: &str| {
        let notify = bob
            .as_callee(Method::Notify, &talk.came, &talk.answer, cseq)
            .with(HeaderName::Event, "refer")
            .with(HeaderName::SubscriptionState, state)
            .with_body("message/sipfrag;version=2.0", fragment.to_owned());
        round(world, bob, &mut alice, notify, 200);
    };
    notify(
        &mut world,
        &mut bob,
        1,
        "active;expires=60",
        "SIP/2.0 100 Trying\r\n",
    );
    let sent = carol.take_call(&mut world, &at_carol);
    let answer = bob.receive(&mut world).pop().unwrap();
    untouched(&sent, &answer);
    bob.ack(&mut world, &invite, &answer);
    assert_eq!(carol.one(&mut world).method(), Some(&Method::Ack));
    notify(
        &mut world,
        &mut bob,
        2,
        "terminated;reason=noresource",
        "SIP/2.0 200 OK\r\n",
    );
    // The two calls that were are over.
    let bye = carol.as_callee(Method::Bye, &asked.came, &asked.answer, 1);
    round(&mut world, &mut carol, &mut alice, bye, 200);
    let bye = alice.in_dialog(Method::Bye, &talk.invite, &talk.back, 3);
    round(&mut world, &mut alice, &mut bob, bye, 200);
    let bye = bob.in_dialog(Method::Bye, &invite, &answer, 2);
    round(&mut world, &mut bob, &mut carol, bye, 200);
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn a_subscription_of_a_refer_is_the_peers() {
    // Phones without GRUU: their Contact is an address of their user, and what is sent there in a dialog is for the phone.
    let mut world = World::new(|_| {});
    let mut alice = Phone::new(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::new(&mut world, "bob", "bbbb", 50_002);
    for phone in [&mut alice, &mut bob] {
        phone.supported = "adhoclist";
        assert_eq!(phone.sign_in(&mut world).status(), Some(200));
        assert_eq!(phone.gruu, None);
    }
    let invite = alice.call(&mut world, BOB);
    let came = bob.one(&mut world);
    let mut answer = bob.say(&came, 200);
    answer.set(
        HeaderName::Contact,
        "<sip:bob@127.0.0.1:50002;transport=tcp;ms-opaque=d3470f2e1d>;proxy=replace",
    );
    bob.send(&mut world, answer);
    let back = alice.receive(&mut world).pop().unwrap();
    alice.ack(&mut world, &invite, &back);
    assert_eq!(bob.one(&mut world).method(), Some(&Method::Ack));
    for (method, cseq) in [(Method::Refer, 2), (Method::Subscribe, 3)] {
        let contact = invite.header(HeaderName::Contact).unwrap();
        let request = alice
            .in_dialog(method.clone(), &invite, &back, cseq)
            .with(HeaderName::Contact, contact)
            .with(HeaderName::ReferTo, "<sip:carol@contoso.com>")
            .with(HeaderName::Event, "refer")
            .with(HeaderName::Expires, "0");
        alice.send(&mut world, request);
        let came = bob.one(&mut world);
        assert_eq!(came.method(), Some(&method));
        bob.answer(&mut world, &came, 202);
        assert_eq!(alice.one(&mut world).status(), Some(202));
    }
}
