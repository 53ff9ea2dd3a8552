//! Presence and contacts as SIPE 1.25 asks for them: whole sessions, played to a front end.

mod common;

use std::time::Duration;

use common::phone::Phone;
use common::presence::{instances, machine, own, shown};
use common::replay::{File, Replay, load, recorded};
use ocs_server::Counters;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::registrar;

/// What SIPE asks at sign-in and is not here: the focus factory under the address of somebody else, and the group chat.
fn not_here(refusal: &&str) -> bool {
    !(refusal.ends_with("INVITE 404") || refusal.ends_with("SERVICE 403"))
}

/// Nothing was refused that the servers of the recordings served, and nothing is left behind.
fn went_well(replay: &mut Replay, but_for: &[&str]) {
    let refusals = replay.refusals();
    let strange: Vec<_> = refusals.into_iter().filter(not_here).collect();
    assert_eq!(strange, but_for);
    assert_eq!(replay.world.dropped(), 0, "{:?}", replay.world.events);
    let open: Vec<_> = replay
        .phones
        .values()
        .map(|phone| phone.connection)
        .collect();
    for connection in open {
        replay.world.close(connection);
    }
    replay.world.advance(Duration::from_secs(60));
    assert_eq!(replay.world.server.counters(), Counters::default());
}

fn position(files: &[File], number: &str) -> usize {
    let found = files.iter().position(|file| file.name.starts_with(number));
    found.unwrap()
}

/// The changes of state that a user was told in an event package, without the last word of a subscription.
fn told<'a>(replay: &'a Replay, who: &str, event: &'a str) -> Vec<&'a Message> {
    let news = replay.news.get(who).map_or(&[][..], Vec::as_slice);
    let of_event = |message: &&Message| {
        let state = message.header(HeaderName::SubscriptionState).unwrap();
        message.header(HeaderName::Event) == Some(event) && state.starts_with("active;expires=")
    };
    news.iter().filter(of_event).collect()
}

#[test]
fn contacts_and_a_list_of_them() {
    let files = load("contacts-and-batch");
    let mut replay = Replay::with(true, |_| {});
    let (first, second) = files.split_at(position(&files, "067"));
    replay.play(first);
    // Each write was told before its answer, or SIPE's next one would have had the old number.
    let deltas = told(&replay, "bob", "vnd-microsoft-roaming-contacts");
    assert_eq!(deltas.len(), 3);
    let numbers = [
        "prevDeltaNum=\"1\"",
        "prevDeltaNum=\"2\"",
        "prevDeltaNum=\"3\"",
    ];
    for (delta, number) in deltas.iter().zip(numbers) {
        let body = std::str::from_utf8(delta.body()).unwrap();
        assert!(body.contains(number), "{body}");
    }
    // SIPE adds alice with a context: she is asked, and answers at once.
    let asked = told(&replay, "alice", "vnd-microsoft-roaming-self");
    let asked: Vec<_> = asked
        .into_iter()
        .filter_map(|message| own(message).subscribers)
        .flat_map(|subscribers| subscribers.subscribers)
        .map(|subscriber| (subscriber.user.to_string(), subscriber.acknowledged))
        .collect();
    assert_eq!(
        asked,
        [
            ("bob@contoso.com".to_owned(), false),
            ("bob@contoso.com".to_owned(), true)
        ]
    );
    replay.play(second);
    assert_eq!(replay.count("bob SUBSCRIBE 200"), 14);
    assert_eq!(replay.count("bob SERVICE 200"), 6);
    assert_eq!(
        replay.count("alice MESSAGE 200") + replay.count("bob MESSAGE 200"),
        1
    );
    // SIPE knows two lists by one name and ends them with the Call-ID of the first and the tags of the second.
    went_well(&mut replay, &["bob SUBSCRIBE 481"]);
}

#[test]
fn a_conflict_and_the_repeated_publish() {
    let files = load("publish-409");
    let mut replay = Replay::with(true, |_| {});
    let at = position(&files, "026");
    replay.play(&files[..at]);
    // Another session of the same endpoint has left version 7 of two instances.
    let bob = replay.phones.get_mut("bob").unwrap();
    let first = &files[at].message;
    let body = std::str::from_utf8(first.body()).unwrap();
    let start = body.find("<publication ").unwrap();
    let third = body.match_indices("<publication ").nth(2).unwrap().0;
    for version in 0..7 {
        let two = body[start..third].replace("version=\"0\"", &format!("version=\"{version}\""));
        let answer = bob.publish(&mut replay.world, &[two]);
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
    }
    let conflict = bob.publish(
        &mut replay.world,
        &[body[start..].replace("</publications></publish>", "")],
    );
    let theirs = recorded(&files, "027-S2C-bob-409-SERVICE");
    assert_eq!(conflict.status(), Some(409));
    assert_eq!(conflict.body(), theirs.body());
    assert_eq!(
        conflict.header(HeaderName::ContentType),
        theirs.header(HeaderName::ContentType)
    );
    // SIPE's own publish gets the same, and its second one, with the versions of the answer, is done.
    replay.play(&files[at..]);
    assert_eq!(replay.count("bob SERVICE 409"), 1);
    let refusals = replay.refusals();
    let others: Vec<_> = refusals.into_iter().filter(not_here).collect();
    assert_eq!(others, ["bob SERVICE 409"]);
    assert_eq!(replay.count("bob SERVICE 200"), 3);
}

#[test]
fn refreshes() {
    let files = load("subscription-refresh");
    let mut replay = Replay::with(true, |config| config.subscription.max_expires = 60);
    let (first, rest) = files.split_at(position(&files, "051"));
    replay.play(first);
    let before = replay.world.server.counters().subscriptions;
    assert_eq!(before, 5);
    replay.world.advance(Duration::from_secs(59));
    let (refreshes, rest) = rest.split_at(position(rest, "061"));
    replay.play(refreshes);
    replay.world.advance(Duration::from_secs(59));
    assert_eq!(replay.world.server.counters().subscriptions, before);
    assert_eq!(
        replay.count("bob SUBSCRIBE 200") + replay.count("alice SUBSCRIBE 200"),
        7 + 5
    );
    replay.play(rest);
    went_well(&mut replay, &[]);
}

#[test]
fn clients_of_2005() {
    let files = load("legacy-2005");
    let mut replay = Replay::with(true, |config| {
        config.registrar.allow_events = registrar::ALLOW_EVENTS.replace(
            ",vnd-microsoft-roaming-self,vnd-microsoft-provisioning-v2",
            "",
        );
        config.registrar.supported = vec!["adhoclist".into()];
    });
    let until = position(&files, "064");
    replay.play(&files[..until]);
    // Each says who he is by setPresence, and has himself in his list.
    for who in ["alice", "bob"] {
        let seen = told(&replay, who, "presence");
        let kind = Some("text/xml+msrtc.pidf");
        assert_eq!(seen[0].header(HeaderName::ContentType), kind);
        let body = std::str::from_utf8(seen[0].body()).unwrap();
        for part in [
            format!("uri=\"{who}@contoso.com\""),
            "<availability aggregate=\"300\"".to_owned(),
            "<activity aggregate=\"400\"".to_owned(),
        ] {
            assert!(body.contains(&part), "{part} in {body}");
        }
    }
    replay.play(&files[until..]);
    went_well(&mut replay, &[]);
}

#[test]
fn without_piggyback() {
    let files = load("no-piggyback");
    let mut replay = Replay::with(true, |config| config.subscription.piggyback = false);
    replay.play(&files[..position(&files, "056")]);
    // The first document of each subscription is a BENOTIFY of its own.
    for (who, event) in [
        ("bob", "vnd-microsoft-roaming-contacts"),
        ("alice", "vnd-microsoft-roaming-contacts"),
    ] {
        let first = told(&replay, who, event);
        assert_eq!(first[0].method(), Some(&Method::Benotify));
        assert_eq!(first[0].cseq().unwrap().number, 1);
        let body = std::str::from_utf8(first[0].body()).unwrap();
        assert!(body.starts_with("<contactList "), "{body}");
    }
    let list = told(&replay, "bob", "presence");
    assert_eq!(
        shown(list[0])
            .iter()
            .filter(|line| line.starts_with("alice"))
            .count(),
        4,
        "calendarData, contactCard, note, state"
    );
    went_well(&mut replay, &[]);
}

#[test]
fn notify_in_the_place_of_benotify() {
    let files = load("notify-instead-of-benotify");
    let mut replay = Replay::with(true, |config| config.subscription.benotify = false);
    replay.play(&files);
    let news = replay.news.values().flatten();
    assert!(news.clone().count() > 4);
    for message in news {
        assert_eq!(message.method(), Some(&Method::Notify));
    }
    went_well(&mut replay, &[]);
}

#[test]
fn what_sipe_publishes_is_aggregated() {
    let files = load("contacts-and-batch");
    let mut replay = Replay::with(true, |_| {});
    replay.play(&files[..position(&files, "028")]);
    // Another endpoint of alice sees what SIPE published, and who may see it.
    let mut other = Phone::signed_in(&mut replay.world, "alice", "a2", 50_002);
    let dialog = other.subscribe_own(&mut replay.world);
    let document = own(&dialog.answer);
    let containers = document.containers.as_ref().unwrap();
    let containers: Vec<_> = containers.containers.iter().map(|c| c.id.get()).collect();
    assert_eq!(containers, [100, 200]);
    let all = instances(&document, &["state"]);
    let of_watchers: Vec<_> = all.iter().filter(|line| line.contains("/1 ")).collect();
    assert!(!of_watchers.is_empty());
    for line in of_watchers {
        assert!(line.ends_with(": 3500"), "{line}");
    }
    assert_eq!(instances(&document, &["device"]).len(), 1);
    // The other endpoint is away; the machine of SIPE counts.
    let answer = other.publish(&mut replay.world, &machine(7, 0, 15500));
    assert_eq!(answer.status(), Some(200));
    let all = instances(&own(&answer), &["state"]);
    assert!(
        all.iter()
            .any(|line| line.starts_with("state 200/1 ") && line.ends_with(": 3500"))
    );
}
