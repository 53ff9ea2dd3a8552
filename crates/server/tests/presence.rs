//! One's own presence, and subscriptions to that of others ([MS-PRES]).

mod common;

use std::time::Duration;

use common::World;
use common::phone::Phone;
use common::presence::{
    OWN, batch, explained, instances, machine, note_in, own, publication, seen, shown, state, text,
};
use ocs_pres::doc::{Fault, InstanceState, content_type};
use ocs_sip_core::{HeaderName, Method};
use ocs_xml::from_slice;

fn two_of_alice() -> (World, Phone, Phone) {
    let mut world = World::new(|_| {});
    let one = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let two = Phone::signed_in(&mut world, "alice", "a2", 50_002);
    (world, one, two)
}

fn alice_and_bob() -> (World, Phone, Phone) {
    let mut world = World::new(|_| {});
    let alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    (world, alice, bob)
}

#[test]
fn the_first_document_comes_with_the_answer() {
    let (mut world, mut one, _) = two_of_alice();
    let dialog = one.subscribe_own(&mut world);
    let answer = &dialog.answer;
    assert_eq!(answer.header(HeaderName::Event), Some(OWN));
    assert_eq!(
        answer.header(HeaderName::ContentType),
        Some(content_type::ROAMING_SELF)
    );
    assert_eq!(answer.header(HeaderName::MsPiggybackCseq), Some("1"));
    assert_eq!(
        answer.header(HeaderName::SubscriptionState),
        Some("active;expires=3600")
    );
    for tag in ["ms-benotify", "ms-piggyback-first-notify"] {
        assert!(answer.lists(HeaderName::Supported, tag), "{tag}");
    }
    let document = own(answer);
    assert_eq!(document.uri().unwrap(), "sip:alice@contoso.com");
    assert_eq!(document.containers.unwrap().containers, []);
    assert_eq!(document.subscribers.unwrap().subscribers, []);
    assert_eq!(document.delegates.unwrap().delegates, []);
    assert!(one.news(&mut world).is_empty());
}

#[test]
fn a_publication_reaches_the_other_endpoints() {
    let (mut world, mut one, mut two) = two_of_alice();
    one.subscribe_own(&mut world);
    let second = two.subscribe_own(&mut world);
    let answer = one.publish(&mut world, &[note_in(200, 0, "Back at 3")]);
    assert_eq!(answer.status(), Some(200));
    let published = ["note 200/0 v1: Back at 3"];
    assert_eq!(instances(&own(&answer), &["note"]), published);
    // The answer says it all to the one, a BENOTIFY to the other.
    assert!(one.news(&mut world).is_empty());
    let told = two.told(&mut world);
    assert_eq!(told.method(), Some(&Method::Benotify));
    assert!(second.is(&told));
    assert_eq!(told.cseq().unwrap().number, 2);
    assert_eq!(own(&told).categories, own(&answer).categories);
    let document = own(&told);
    let note = &document.categories.unwrap().categories[0];
    assert_eq!(
        note.publish_time,
        own(&answer).categories.unwrap().categories[0].publish_time
    );
    // A removal is told by the name alone.
    let answer = one.publish(&mut world, &[publication("note", "200/0", 1, "gone", "")]);
    assert_eq!(instances(&own(&answer), &["note"]), ["note: none"]);
    assert_eq!(
        instances(&own(&two.told(&mut world)), &["note"]),
        ["note: none"]
    );
}

#[test]
fn the_sender_is_told_what_the_aggregation_changed() {
    let (mut world, mut one, mut two) = two_of_alice();
    one.subscribe_own(&mut world);
    two.subscribe_own(&mut world);
    let answer = one.publish(&mut world, &machine(1, 0, 3500));
    let all = instances(&own(&answer), &["state"]);
    for line in [
        "state 2/805306369 v1: 3500",
        "state 2/268435456 v1: 3500",
        "state 200/1 v1: 3500",
    ] {
        assert!(all.iter().any(|known| known == line), "{line} in {all:#?}");
    }
    let named = |message: &ocs_sip_core::Message| {
        let categories = own(message).categories.unwrap().categories;
        let mut names: Vec<_> = categories.into_iter().map(|c| c.name).collect();
        names.dedup();
        names
    };
    assert_eq!(named(&one.told(&mut world)), ["legacyInterop"]);
    assert_eq!(named(&two.told(&mut world)), ["legacyInterop", "state"]);
}

#[test]
fn a_conflict_changes_nothing() {
    let (mut world, mut one, mut two) = two_of_alice();
    one.publish(
        &mut world,
        &[note_in(200, 0, "first"), note_in(300, 0, "first")],
    );
    one.publish(&mut world, &[note_in(300, 1, "second")]);
    let mut dialog = two.subscribe_own(&mut world);
    let answer = one.publish(
        &mut world,
        &[
            note_in(400, 0, "third"),
            note_in(200, 0, "third"),
            note_in(300, 1, "third"),
        ],
    );
    assert_eq!(answer.status(), Some(409));
    assert_eq!(
        answer.header(HeaderName::ContentType),
        Some(content_type::FAULT)
    );
    let fault: Fault = from_slice(answer.body(), &ocs_xml::Limits::default()).unwrap();
    assert_eq!(fault.code, "Client.BadCall.WrongDelta");
    let operations: Vec<_> = fault
        .operations()
        .iter()
        .map(|o| (o.index, o.version, o.current_version))
        .collect();
    assert_eq!(operations, [(2, 0, 1), (3, 1, 2)]);
    assert!(two.news(&mut world).is_empty());
    let document = own(&dialog.refresh(&mut world, &mut two, 600));
    assert_eq!(
        instances(&document, &["note"]),
        ["note 200/0 v1: first", "note 300/0 v2: second"]
    );
}

#[test]
fn publications_are_refused_whole() {
    let (mut world, mut one, mut two) = two_of_alice();
    two.subscribe_own(&mut world);
    let good = || note_in(200, 0, "good");
    let long = format!("<note xmlns=\"n\">{}</note>", "x".repeat(20_000));
    for (bad, expected) in [
        (
            publication("nonsense", "200/0", 0, "static", ""),
            (400, None),
        ),
        (good(), (400, None)),
        (note_in(40_000, 0, "there is none"), (400, Some(4001))),
        (
            publication("contactCard", "200/0", 0, "static", ""),
            (403, Some(2003)),
        ),
        (
            publication("state", "200/1", 0, "user", &state("aggregateState", 3500)),
            (403, Some(2003)),
        ),
        (
            publication("legacyInterop", "200/1", 0, "static", ""),
            (403, Some(2003)),
        ),
        (
            publication("note", "300/0", 0, "static", &long),
            (413, Some(2010)),
        ),
    ] {
        let answer = one.publish(&mut world, &[good(), bad]);
        assert_eq!(explained(&answer), expected);
    }
    assert!(two.news(&mut world).is_empty());
    let answer = one.publish(&mut world, &[good()]);
    assert_eq!(instances(&own(&answer), &["note"]), ["note 200/0 v1: good"]);
}

#[test]
fn a_list_of_users() {
    let (mut world, mut alice, mut bob) = alice_and_bob();
    alice.publish(&mut world, &machine(1, 0, 3500));
    let dialog = bob.watch(&mut world, &["alice", "carol", "nobody"]);
    let answer = &dialog.answer;
    assert_eq!(answer.header(HeaderName::Require), Some("eventlist"));
    let kind = answer.content_type().unwrap().unwrap();
    assert!(kind.is(content_type::MULTIPART));
    assert!(
        answer
            .header(HeaderName::ContentType)
            .unwrap()
            .contains("type=\"application/rlmi+xml\"")
    );
    // SIPE cuts two octets more than it should off a part that is not ended by an empty line.
    let boundary = format!("\r\n--{}", kind.params.get("boundary").unwrap());
    let parts: Vec<_> = text(answer).split(&*boundary).collect();
    assert_eq!(parts.len(), 4);
    for part in &parts[..parts.len() - 1] {
        assert!(part.ends_with(">\r\n"), "{part:?}");
    }
    let list = seen(answer).list.unwrap();
    assert_eq!(list.uri, "sip:bob@contoso.com");
    let states: Vec<_> = list
        .resources
        .iter()
        .map(|resource| {
            let instance = &resource.instances[0];
            (
                resource.uri.as_str(),
                instance.state.clone(),
                instance.cid.is_some(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("sip:alice@contoso.com", InstanceState::Active, true),
            ("sip:carol@contoso.com", InstanceState::Active, true),
            ("sip:nobody@contoso.com", InstanceState::Terminated, false),
        ]
    );
    assert_eq!(
        shown(answer),
        [
            "alice note: -",
            "alice state: -",
            "carol note: -",
            "carol state: -"
        ]
    );
}

#[test]
fn users_come_and_go_in_the_dialog() {
    let (mut world, mut alice, mut bob) = alice_and_bob();
    let mut carol = Phone::signed_in(&mut world, "carol", "c1", 50_003);
    let mut dialog = bob.watch(&mut world, &["alice"]);
    // The answer has only what is new; alice stays.
    let added = dialog.change(
        &mut world,
        &mut bob,
        batch("subscribe", &["carol"], &["note"]),
    );
    assert_eq!(added.status(), Some(200));
    assert_eq!(shown(&added), ["carol note: -"]);
    alice.publish(&mut world, &[note_in(0, 0, "a")]);
    carol.publish(&mut world, &[note_in(0, 0, "c")]);
    let news = bob.news(&mut world);
    let told: Vec<_> = news.iter().flat_map(shown).collect();
    assert_eq!(told, ["alice note: a", "carol note: c"]);
    assert!(news.iter().all(|one| dialog.is(one)));
    // A refresh names all of them again, as SIPE does, or nobody.
    let both = batch("subscribe", &["alice", "carol"], &["note"]);
    let all = dialog.change(&mut world, &mut bob, both);
    assert_eq!(shown(&all), ["alice note: a", "carol note: c"]);
    let all = dialog.refresh(&mut world, &mut bob, 600);
    assert_eq!(
        shown(&all),
        ["alice note: a", "alice state: -", "carol note: c"]
    );
    assert_eq!(all.header(HeaderName::Expires), Some("600"));
    let without = batch("unsubscribe", &["alice"], &["note"]);
    let answer = dialog.change(&mut world, &mut bob, without);
    assert_eq!(answer.status(), Some(200));
    alice.publish(&mut world, &[note_in(0, 1, "b")]);
    carol.publish(&mut world, &[note_in(0, 1, "d")]);
    assert_eq!(shown(&bob.told(&mut world)), ["carol note: d"]);
    // A list with an address that is none is refused, and nothing of it is done.
    let bad = batch("subscribe", &["alice", "a b"], &["note"]);
    let answer = dialog.change(&mut world, &mut bob, bad);
    assert_eq!(answer.status(), Some(400));
    alice.publish(&mut world, &[note_in(0, 2, "e")]);
    assert!(bob.news(&mut world).is_empty());
}

#[test]
fn polling_and_the_end() {
    let (mut world, mut alice, mut bob) = alice_and_bob();
    alice.publish(&mut world, &[note_in(0, 0, "here")]);
    let request = bob
        .batch(batch("subscribe", &["alice"], &["note"]))
        .with(HeaderName::Expires, "0");
    let poll = bob.open(&mut world, request);
    assert_eq!(shown(&poll.answer), ["alice note: here"]);
    assert_eq!(poll.answer.header(HeaderName::Expires), Some("0"));
    assert_eq!(world.server.counters().subscriptions, 0);
    let mut dialog = bob.watch(&mut world, &["alice"]);
    assert_eq!(world.server.counters().subscriptions, 1);
    let answer = dialog.refresh(&mut world, &mut bob, 0);
    assert_eq!(answer.status(), Some(200));
    assert_eq!(
        answer.header(HeaderName::SubscriptionState),
        Some("terminated;expires=0")
    );
    assert_eq!(world.server.counters().subscriptions, 0);
    let answer = dialog.refresh(&mut world, &mut bob, 600);
    assert_eq!(explained(&answer), (481, Some(2014)));
    alice.publish(&mut world, &[note_in(0, 1, "gone")]);
    assert!(bob.news(&mut world).is_empty());
}

#[test]
fn the_end_as_sipe_asks_for_it() {
    let (mut world, mut alice, mut bob) = alice_and_bob();
    alice.publish(&mut world, &[note_in(0, 0, "here")]);
    let mut dialog = bob.watch(&mut world, &["alice"]);
    let mut end = dialog.request(&bob, Some(0));
    for name in [
        HeaderName::Supported,
        HeaderName::ProxyRequire,
        HeaderName::Require,
        HeaderName::Accept,
    ] {
        end.remove(name);
    }
    let answer = bob.exchange(&mut world, end);
    assert_eq!(
        (
            answer.status(),
            answer.header(HeaderName::SubscriptionState)
        ),
        (Some(200), Some("terminated;expires=0"))
    );
    assert!(answer.body().is_empty());
    assert!(bob.news(&mut world).is_empty());
    assert_eq!(world.server.counters().subscriptions, 0);
}

#[test]
fn a_subscription_that_is_not_refreshed() {
    let (mut world, mut alice, mut bob) = alice_and_bob();
    let request = bob
        .batch(batch("subscribe", &["alice"], &["note"]))
        .with(HeaderName::Expires, "100");
    let mut dialog = bob.open(&mut world, request);
    world.advance(Duration::from_secs(80));
    assert_eq!(
        dialog.refresh(&mut world, &mut bob, 100).status(),
        Some(200)
    );
    world.advance(Duration::from_secs(99));
    assert!(bob.news(&mut world).is_empty());
    world.advance(Duration::from_secs(2));
    let last = bob.told(&mut world);
    let state = last.header(HeaderName::SubscriptionState).unwrap();
    assert!(state.starts_with("terminated;expires=0"), "{state}");
    assert_eq!(
        explained(&dialog.refresh(&mut world, &mut bob, 600)),
        (481, Some(2014))
    );
    assert_eq!(
        alice.publish(&mut world, &[note_in(0, 0, "x")]).status(),
        Some(200)
    );
    assert!(bob.news(&mut world).is_empty());
    assert_eq!(world.server.counters().subscriptions, 0);
}

#[test]
fn what_a_subscription_must_say() {
    let (mut world, _, mut bob) = alice_and_bob();
    let alice = "sip:alice@contoso.com";
    // Own data of somebody else.
    let foreign = bob
        .subscription(OWN, alice, content_type::ROAMING_SELF)
        .with_body(content_type::ROAMING_SELF, "<roamingList/>");
    // A form that is not known.
    let form = bob.subscription("presence", alice, "text/plain");
    let package = bob.subscription("weather", alice, "text/plain");
    let short = bob
        .batch(batch("subscribe", &["alice"], &["note"]))
        .with(HeaderName::Expires, "30");
    let body = bob
        .subscription(OWN, "sip:bob@contoso.com", content_type::ROAMING_SELF)
        .with_body("text/plain", "<roamingList/>");
    for (request, status) in [
        (foreign, 403),
        (form, 406),
        (body, 415),
        (package, 489),
        (short, 423),
    ] {
        let answer = bob.exchange(&mut world, request);
        assert_eq!(answer.status(), Some(status), "{answer:?}");
        match status {
            415 => assert!(answer.lists(HeaderName::Accept, content_type::ROAMING_SELF)),
            489 => assert!(answer.lists(HeaderName::AllowEvents, "presence")),
            423 => assert_eq!(answer.header(HeaderName::MinExpires), Some("60")),
            _ => {}
        }
    }
    assert_eq!(world.server.counters().subscriptions, 0);
    assert_eq!(world.server.counters().users, 2);
}

/// What a list says of users without document: URI, state, status.
fn unserved(answer: &ocs_sip_core::Message) -> Vec<(String, InstanceState, Option<u16>)> {
    let resources = seen(answer).list.unwrap().resources.into_iter();
    resources
        .map(|resource| (resource.uri.to_string(), resource.instances[0].clone()))
        .filter(|(_, instance)| instance.state != InstanceState::Active)
        .map(|(uri, instance)| {
            let reason = instance.status_code.map(|_| "noresource".into());
            assert_eq!(instance.reason, reason);
            assert_eq!((instance.pool, instance.cid), (None, None));
            (uri, instance.state, instance.status_code)
        })
        .collect()
}

#[test]
fn users_of_others() {
    let (mut world, _, mut bob) = alice_and_bob();
    let foreign = |action: &str, users: &[&str]| {
        batch(action, users, &["state"]).replace("john@contoso", "john@fabrikam")
    };
    let nobody = (
        "sip:nobody@contoso.com".to_owned(),
        InstanceState::Terminated,
        Some(404),
    );
    let john = (
        "sip:john@fabrikam.com".to_owned(),
        InstanceState::Resubscribe,
        None,
    );
    let body = foreign("subscribe", &["alice", "john", "nobody"]);
    let request = bob.batch(body.clone());
    let mut dialog = bob.open(&mut world, request);
    assert_eq!(unserved(&dialog.answer), [john.clone(), nobody.clone()]);
    // A refresh with all of them: who heard it once does not go there again.
    let answer = dialog.change(&mut world, &mut bob, body.clone());
    assert_eq!(unserved(&answer), std::slice::from_ref(&nobody));
    let answer = dialog.refresh(&mut world, &mut bob, 600);
    assert_eq!(unserved(&answer), [nobody]);
    // One who is taken off the list may come again.
    dialog.change(&mut world, &mut bob, foreign("unsubscribe", &["john"]));
    let answer = dialog.change(&mut world, &mut bob, foreign("subscribe", &["john"]));
    assert_eq!(unserved(&answer), [john]);

    // Who then asks for him alone gets no way back, but a refusal.
    for (user, expected) in [("john", (504, Some(1005))), ("nobody", (404, Some(1003)))] {
        let body = foreign("subscribe", &[user]);
        let uri = if user == "john" {
            "sip:john@fabrikam.com".to_owned()
        } else {
            format!("sip:{user}@contoso.com")
        };
        for uri in ["sip:bob@contoso.com", &*uri] {
            let request = bob
                .subscription("presence", uri, content_type::CATEGORIES)
                .with_body(content_type::BATCH_SUB, body.clone());
            let answer = bob.exchange(&mut world, request);
            assert_eq!(explained(&answer), expected, "{uri}");
        }
    }
    assert_eq!(world.server.counters().subscriptions, 1);
}

#[test]
fn bodies_that_are_not_served() {
    let (mut world, mut alice, _) = alice_and_bob();
    let answer = alice.service(&mut world, "text/plain", "x");
    assert_eq!(explained(&answer), (415, Some(4013)));
    for kind in [content_type::PUBLISH, content_type::SET_DELEGATES] {
        assert!(answer.lists(HeaderName::Accept, kind), "{answer:#?}");
    }
}
