//! What watchers are told of a user, and for how long ([MS-PRES]).

mod common;

use std::time::Duration;

use common::phone::Phone;
use common::presence::{
    Dialog, batch, explained, instances, machine, members, note_in, own, publication, publish,
    seen, shown, state,
};
use common::{World, aor};
use ocs_pres::doc::{Document, SourceNetwork, content_type};
use ocs_server::Counters;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::notify::RegistrationEvent;

const FULL: [&str; 5] = ["contactCard", "dndState", "note", "routing", "state"];

/// alice publishes, bob and carol watch her; she has put her enterprise into 200 and carol into 300.
struct Stage {
    world: World,
    alice: Phone,
    bob: Phone,
    carol: Phone,
    of_bob: Dialog,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new(|config| config.registrar.expires = Duration::from_secs(100));
        let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
        let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
        let mut carol = Phone::signed_in(&mut world, "carol", "c1", 50_003);
        let body = members(&[
            (200, 0, &["add sameEnterprise"]),
            (300, 0, &["add user carol@contoso.com"]),
        ]);
        let answer = alice.service(&mut world, content_type::SET_CONTAINER_MEMBERS, body);
        assert_eq!(answer.status(), Some(200));
        alice.publish(&mut world, &machine(1, 0, 3500));
        let of_bob = bob.watch(&mut world, &["alice"]);
        carol.watch(&mut world, &["alice"]);
        Self {
            world,
            alice,
            bob,
            carol,
            of_bob,
        }
    }

    fn publish(&mut self, publications: &[String]) {
        let answer = self.alice.publish(&mut self.world, publications);
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
    }

    /// Changes members of containers.
    fn place(&mut self, containers: &[(u16, u32, &[&str])]) -> Message {
        let body = members(containers);
        self.alice
            .service(&mut self.world, content_type::SET_CONTAINER_MEMBERS, body)
    }

    /// What bob and carol were told.
    fn told(&mut self) -> [Vec<String>; 2] {
        [&mut self.bob, &mut self.carol].map(|phone| {
            let news = phone.news(&mut self.world);
            news.iter().flat_map(shown).collect()
        })
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn each_sees_what_its_container_shows() {
    let mut stage = Stage::new();
    assert_eq!(
        shown(&stage.of_bob.answer),
        ["alice note: -", "alice state: 3500"]
    );
    stage.publish(&[note_in(200, 0, "for all")]);
    assert_eq!(stage.told(), [vec!["alice note: for all"], vec![]]);
    stage.publish(&[note_in(300, 0, "for the team")]);
    assert_eq!(stage.told(), [vec![], vec!["alice note: for the team"]]);
    // Busy in both: one document for each, the same text for all who are in one container.
    stage.publish(&machine(1, 1, 15500));
    let state = ["alice state: 15500"];
    assert_eq!(stage.told(), [state, state]);
    // Nobody is told of what is the owner's alone, or of nothing.
    stage.publish(&[
        note_in(1, 0, "private"),
        note_in(2, 0, "private"),
        note_in(3, 0, "private"),
        note_in(400, 0, "for the family"),
    ]);
    stage.publish(&machine(1, 2, 15500));
    let told = stage.told();
    assert!(told.iter().flatten().all(|line| !line.contains("private")));
    let answer = stage.of_bob.refresh(&mut stage.world, &mut stage.bob, 600);
    assert_eq!(
        shown(&answer),
        ["alice note: for all", "alice state: 15500"]
    );
}

#[test]
fn private_categories_stay_private() {
    let mut stage = Stage::new();
    let dnd = state("userState", 9500);
    let routing = "<routing xmlns=\"http://schemas.microsoft.com/02/2006/sip/routing\" name=\"rtcdefault\" version=\"1\"><preamble/></routing>";
    stage.publish(&[
        publication("dndState", "200/0", 0, "static", &dnd),
        publication("routing", "200/0", 0, "static", routing),
        publication("routing", "0/0", 0, "static", routing),
    ]);
    assert_eq!(stage.told(), [NOTHING, NOTHING]);
    let request = stage.bob.batch(batch("subscribe", &["alice"], &FULL));
    let dialog = stage.bob.open(&mut stage.world, request);
    let all = shown(&dialog.answer);
    let names: Vec<_> = all
        .iter()
        .map(|line| line.split([' ', ':']).nth(1).unwrap())
        .collect();
    assert_eq!(names, ["contactCard", "note", "state"]);
    // Not in the containers of the server either.
    assert!(!all.iter().any(|line| line.contains("9500")));
    // The directory says who she is.
    assert!(
        all[0].contains("Alice") && all[0].contains("alice@contoso.com"),
        "{all:?}"
    );
    assert!(all[0].contains("tel:+14255550001"), "{all:?}");
}

#[test]
fn from_one_container_into_another() {
    let mut stage = Stage::new();
    stage.publish(&[note_in(200, 0, "for all"), note_in(300, 0, "for the team")]);
    stage.told();
    // bob comes into the team: all his categories anew.
    let answer = stage.place(&[(300, 1, &["add user bob@contoso.com"])]);
    assert_eq!(answer.status(), Some(200));
    assert_eq!(
        stage.told(),
        [
            vec!["alice note: for the team", "alice state: 3500"],
            vec![]
        ]
    );
    // And back, with a stale number first, of which nothing is done.
    let answer = stage.place(&[
        (400, 0, &["add user bob@contoso.com"]),
        (300, 1, &["remove user bob@contoso.com"]),
    ]);
    assert_eq!(answer.status(), Some(409));
    assert_eq!(stage.told(), [NOTHING, NOTHING]);
    stage.place(&[(300, 2, &["remove user bob@contoso.com"])]);
    assert_eq!(
        stage.told(),
        [vec!["alice note: for all", "alice state: 3500"], vec![]]
    );
}

#[test]
fn to_be_blocked_is_to_see_somebody_offline() {
    let mut stage = Stage::new();
    stage.publish(&[note_in(200, 0, "for all")]);
    stage.told();
    stage.place(&[(32000, 0, &["add user bob@contoso.com"])]);
    assert_eq!(
        stage.told(),
        [vec!["alice note: -", "alice state: 18500"], vec![]]
    );
    // What a watcher sees of somebody who is offline, but for the name.
    let request = stage.bob.batch(batch("subscribe", &["alice"], &FULL));
    let blocked = stage.bob.open(&mut stage.world, request);
    stage.publish(&[note_in(200, 1, "again")]);
    stage.publish(&machine(1, 1, 15500));
    assert_eq!(stage.told()[0], NOTHING);
    let lines = shown(&blocked.answer);
    assert_eq!(lines[1..], ["alice note: -", "alice state: 18500"]);
    let answer = stage.of_bob.refresh(&mut stage.world, &mut stage.bob, 600);
    assert_eq!(shown(&answer), ["alice note: -", "alice state: 18500"]);
    let Document::Categories(categories) = &seen(&answer).documents[0] else {
        panic!("{answer:?}");
    };
    assert_eq!(categories.uri, "sip:alice@contoso.com");
    // Released, with all that is there by now.
    stage.place(&[(32000, 1, &["remove user bob@contoso.com"])]);
    let told = stage.told();
    assert!(
        told[0].contains(&"alice note: again".to_owned()),
        "{told:?}"
    );
    assert!(
        told[0].contains(&"alice state: 15500".to_owned()),
        "{told:?}"
    );
}

#[test]
fn what_is_bound_to_a_time() {
    let mut stage = Stage::new();
    let busy = state("userState", 6500);
    stage.publish(&[2, 3].map(|container| {
        publication(
            "state",
            &format!("{container}/603979776"),
            0,
            "time 60",
            &busy,
        )
    }));
    let state = ["alice state: 6500"];
    assert_eq!(stage.told(), [state, state]);
    stage.world.advance(Duration::from_secs(59));
    assert_eq!(stage.told(), [NOTHING, NOTHING]);
    stage.world.advance(Duration::from_secs(2));
    let state = ["alice state: 3500"];
    assert_eq!(stage.told(), [state, state]);
}

#[test]
fn what_is_bound_to_an_endpoint() {
    let mut stage = Stage::new();
    let mut other = Phone::signed_in(&mut stage.world, "alice", "a2", 50_004);
    let mut dialog = other.subscribe_own(&mut stage.world);
    other.publish(&mut stage.world, &machine(2, 0, 15500));
    stage.publish(&[
        publication(
            "note",
            "200/7",
            0,
            "endpoint",
            &common::presence::note("here"),
        ),
        publication(
            "note",
            "200/8",
            0,
            "user",
            &common::presence::note("anywhere"),
        ),
    ]);
    stage.told();
    other.news(&mut stage.world);
    // The first endpoint goes: its note and its machine with it.
    let answer = stage
        .alice
        .refresh(&mut stage.world, &[(HeaderName::Expires, "0")]);
    assert_eq!(answer.status(), Some(200));
    let told = stage.told();
    assert_eq!(told[0], ["alice note: anywhere", "alice state: 15500"]);
    assert_eq!(told[1], ["alice state: 15500"]);
    let document = own(&dialog.refresh(&mut stage.world, &mut other, 600));
    assert_eq!(instances(&document, &["note"]), ["note 200/8 v1: anywhere"]);
    // The last one: nothing is left but what is static.
    stage.world.close(other.connection);
    stage.world.advance(Duration::from_secs(10));
    let told = stage.told();
    assert_eq!(
        told,
        [
            vec!["alice note: -", "alice state: 18500"],
            vec!["alice state: 18500"]
        ]
    );
}

#[test]
fn every_way_out() {
    for way in 0..4 {
        let mut stage = Stage::new();
        stage.told();
        match way {
            0 => {
                let none = [(HeaderName::Expires, "0")];
                stage.alice.refresh(&mut stage.world, &none);
            }
            1 => stage.world.close(stage.alice.connection),
            2 => {
                let now = stage.world.now;
                let event = RegistrationEvent::Deactivated;
                stage.world.server.deregister(now, &aor("alice"), event);
                stage.world.drain();
            }
            _ => {
                // The others refresh their registrations, she does not.
                stage.world.advance(Duration::from_secs(80));
                for phone in [&mut stage.bob, &mut stage.carol] {
                    assert_eq!(phone.refresh(&mut stage.world, &[]).status(), Some(200));
                }
                stage.world.advance(Duration::from_secs(30));
                assert!(!stage.world.closed.contains(&stage.alice.connection));
            }
        }
        assert_eq!(
            stage.told(),
            [["alice state: 18500"], ["alice state: 18500"]],
            "{way}"
        );
        for phone in [&stage.alice, &stage.bob, &stage.carol] {
            stage.world.close(phone.connection);
        }
        stage.world.advance(Duration::from_secs(60));
        assert_eq!(stage.world.server.counters(), Counters::default(), "{way}");
    }
}

#[test]
fn who_adds_a_user_is_asked_about() {
    let mut stage = Stage::new();
    let mut other = Phone::signed_in(&mut stage.world, "alice", "a2", 50_004);
    stage.alice.subscribe_own(&mut stage.world);
    let mut dialog = other.subscribe_own(&mut stage.world);
    // carol is in a container by name: she is known.
    let added = || batch("subscribe", &["+alice"], &["note"]);
    let request = stage.carol.batch(added());
    stage.carol.open(&mut stage.world, request);
    assert!(other.news(&mut stage.world).is_empty());
    let request = stage.bob.batch(added());
    stage.bob.open(&mut stage.world, request);
    for phone in [&mut stage.alice, &mut other] {
        let subscribers = own(&phone.told(&mut stage.world)).subscribers.unwrap();
        let bob = &subscribers.subscribers[0];
        assert_eq!(bob.user, "bob@contoso.com");
        assert_eq!(bob.display_name.as_deref(), Some("Bob"));
        assert_eq!(bob.network, Some(SourceNetwork::SameEnterprise));
        assert!(!bob.acknowledged);
    }
    // Once is enough.
    let request = stage.bob.batch(added());
    stage.bob.open(&mut stage.world, request);
    assert!(other.news(&mut stage.world).is_empty());
    let pending = own(&dialog.refresh(&mut stage.world, &mut other, 600)).subscribers;
    assert_eq!(pending.unwrap().subscribers.len(), 1);
    let acknowledge = |user: &str| {
        format!(
            "<setSubscribers xmlns=\"http://schemas.microsoft.com/2006/09/sip/presence-subscribers\"><subscriber user=\"{user}\" acknowledged=\"true\"/></setSubscribers>"
        )
    };
    let kind = content_type::SET_SUBSCRIBERS;
    let answer = stage
        .alice
        .service(&mut stage.world, kind, acknowledge("nobody@contoso.com"));
    assert_eq!(explained(&answer), (404, Some(2000)));
    let answer = stage
        .alice
        .service(&mut stage.world, kind, acknowledge("bob@contoso.com"));
    assert_eq!(answer.status(), Some(200));
    let told = own(&other.told(&mut stage.world)).subscribers.unwrap();
    assert!(told.subscribers[0].acknowledged);
    let pending = own(&dialog.refresh(&mut stage.world, &mut other, 600)).subscribers;
    assert_eq!(pending.unwrap().subscribers, []);
}

#[test]
fn delegates() {
    let mut stage = Stage::new();
    let mut other = Phone::signed_in(&mut stage.world, "alice", "a2", 50_004);
    other.subscribe_own(&mut stage.world);
    let change = |version: u32| {
        format!(
            "<setDelegates xmlns=\"http://schemas.microsoft.com/2007/09/sip/delegate-management\" version=\"{version}\"><delegate uri=\"bob@contoso.com\" action=\"add\"><publishOperation authorization=\"allow\"/></delegate></setDelegates>"
        )
    };
    let kind = content_type::SET_DELEGATES;
    let answer = stage.alice.service(&mut stage.world, kind, change(0));
    assert_eq!(answer.status(), Some(200));
    let delegates = own(&answer).delegates.unwrap();
    assert_eq!((delegates.version, delegates.delegates.len()), (1, 1));
    assert!(delegates.delegates[0].publish);
    assert_eq!(
        own(&other.told(&mut stage.world)).delegates.unwrap(),
        delegates
    );
    let answer = stage.alice.service(&mut stage.world, kind, change(0));
    assert_eq!(explained(&answer), (409, Some(2141)));
    assert_eq!(
        answer.header(HeaderName::ContentType),
        Some(content_type::FAULT)
    );
    assert!(other.news(&mut stage.world).is_empty());
}

#[test]
fn a_delegate_publishes() {
    let mut stage = Stage::new();
    stage.alice.subscribe_own(&mut stage.world);
    let alice = "sip:alice@contoso.com";
    let say = |stage: &mut Stage, named: bool, publication: String| {
        let body = publish("alice@contoso.com", &[publication]);
        let mut request = stage.bob.request(Method::Service, alice);
        if named {
            request.push(HeaderName::PSessionOnBehalfOf, &format!("<{alice}>"));
        }
        let request = request.with_body(content_type::PUBLISH, body);
        stage.bob.exchange(&mut stage.world, request)
    };
    let allow = |stage: &mut Stage, version: u32, authorization: &str| {
        let body = format!(
            "<setDelegates version=\"{version}\"><delegate uri=\"bob@contoso.com\" action=\"add\"><publishOperation authorization=\"{authorization}\"/></delegate></setDelegates>"
        );
        let kind = content_type::SET_DELEGATES;
        let answer = stage.alice.service(&mut stage.world, kind, body);
        assert_eq!(answer.status(), Some(200));
        stage.told();
        stage.alice.news(&mut stage.world);
    };
    let refused = (403, Some(4004));
    let answer = say(&mut stage, false, note_in(200, 0, "not yet"));
    assert_eq!(explained(&answer), refused);
    allow(&mut stage, 0, "allow");
    for (version, named) in [(0, false), (1, true)] {
        let text = format!("for alice {version}");
        let answer = say(&mut stage, named, note_in(200, version, &text));
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
        let published = [format!("note 200/0 v{}: {text}", version + 1)];
        assert_eq!(instances(&own(&answer), &["note"]), published);
        // Her own endpoints are told, and those who watch her.
        let told = own(&stage.alice.told(&mut stage.world));
        assert_eq!(instances(&told, &["note"]), published);
        assert_eq!(stage.told()[0], [format!("alice note: {text}")]);
    }
    // The rules are hers: nothing that is read-only, no stale version, nothing that lives with an endpoint of his.
    let aggregate = common::presence::state("aggregateState", 3500);
    let here = publication("note", "200/7", 0, "endpoint", &common::presence::note("x"));
    for (publication, status) in [
        (note_in(200, 1, "stale"), 409),
        (publication("state", "200/1", 0, "user", &aggregate), 403),
        (here, 403),
    ] {
        let answer = say(&mut stage, false, publication);
        assert_eq!(answer.status(), Some(status));
    }
    // She need not be here.
    stage.world.close(stage.alice.connection);
    stage.told();
    let answer = say(&mut stage, false, note_in(200, 2, "away"));
    assert_eq!(answer.status(), Some(200));
    assert_eq!(stage.told()[0], ["alice note: away"]);
    stage.alice = Phone::signed_in(&mut stage.world, "alice", "a1", 50_005);
    stage.told();
    allow(&mut stage, 1, "deny");
    let answer = say(&mut stage, true, note_in(200, 3, "no more"));
    assert_eq!(explained(&answer), refused);
    assert_eq!(stage.told(), [NOTHING, NOTHING]);
}
