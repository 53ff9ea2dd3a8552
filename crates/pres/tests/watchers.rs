//! What watchers get, and what they never get.

mod common;

use std::sync::Arc;

use common::*;
use ocs_pres::doc::{
    Categories, Category, Change, ContainerId, ExpireType, Member, MemberType, Publication,
    SourceNetwork,
};
use ocs_pres::server::{Changes, Policy, Refusal, SubscriptionId};
use ocs_xml::{from_slice, to_string};

const NAMES: [&str; 5] = ["calendarData", "contactCard", "note", "services", "state"];

fn read(body: &str) -> Categories {
    from_slice(body.as_bytes(), &ocs_xml::Limits::default()).unwrap()
}

fn parts(document: &Categories) -> Vec<String> {
    let part = |category: &Category| match category.instance {
        Some(instance) => format!("{} {instance}", category.name),
        None => category.name.to_string(),
    };
    document.categories.iter().map(part).collect()
}

#[test]
fn a_subscription_begins_with_all_that_was_asked_for() {
    let mut bob = Bob::online().with_default_members();
    bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
    let document = bob
        .watch(1, &colleague("alice@contoso.com"), &NAMES)
        .unwrap();
    assert_eq!(
        parts(&document),
        ["calendarData", "contactCard", "note", "services", "state 1"]
    );
    assert_eq!(
        to_string(&document.categories[4]),
        concat!(
            r#"<category xmlns="http://schemas.microsoft.com/2006/09/sip/categories" name="state" instance="1" publishTime="2010-02-04T03:43:49.370Z">"#,
            r#"<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>3500</availability></state></category>"#
        )
    );
}

#[test]
fn a_change_goes_to_those_in_its_container_who_want_the_category() {
    let mut bob = Bob::new().with_default_members();
    bob.watch(3, &colleague("alice@contoso.com"), &NAMES)
        .unwrap();
    bob.watch(
        1,
        &watcher("x@fabrikam.com", SourceNetwork::Federated),
        &NAMES,
    )
    .unwrap();
    bob.watch(2, &colleague("carol@contoso.com"), &["state"])
        .unwrap();
    bob.watch(4, &colleague("dave@contoso.com"), &["note"])
        .unwrap();
    let published = bob
        .publish(vec![note_in(200, 0, "here"), note_in(300, 0, "there")])
        .unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(sent.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(parts(&read(&sent[0].1)), ["note 0"]);
    assert!(sent[0].1.contains("here"));
    assert_eq!(sent[0].1, sent[1].1);
    let published = bob.publish(vec![note_in(100, 0, "for federated")]).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, 1);
    // Gone: the name alone.
    let removal = Publication::removal("note", 0, container(200), 1, ExpireType::Static);
    let published = bob.publish(vec![removal]).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[0].1,
        r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"><category name="note"/></categories>"#
    );
}

#[test]
fn a_document_is_complete_for_each_name_in_it() {
    let mut bob = Bob::new().with_default_members();
    bob.watch(1, &colleague("alice@contoso.com"), &NAMES)
        .unwrap();
    let card = |instance, version| {
        Publication::new(
            "contactCard",
            instance,
            container(200),
            version,
            ExpireType::Static,
            Some(note("x")),
        )
    };
    bob.publish(vec![card(1, 0), card(3, 0), note_in(200, 0, "x")])
        .unwrap();
    let published = bob.publish(vec![card(3, 1)]).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(parts(&read(&sent[0].1)), ["contactCard 1", "contactCard 3"]);
}

#[test]
fn one_document_for_all_who_get_the_same() {
    let mut bob = Bob::new().with_default_members();
    for id in 0..50 {
        let names: &[&str] = if id % 2 == 0 {
            &NAMES
        } else {
            &["note", "state"]
        };
        bob.watch(id, &colleague(&format!("user{id}@contoso.com")), names)
            .unwrap();
    }
    let published = bob.publish(vec![note_in(200, 0, "x")]).unwrap();
    let mut bodies = Vec::new();
    bob.watchers
        .fan_out(&bob.presentity, &published.changes, |_, body| {
            bodies.push(body.clone());
        });
    assert_eq!(bodies.len(), 50);
    let first = bodies[0].as_ptr();
    assert!(bodies.iter().all(|body| body.as_ptr() == first));
}

#[test]
fn nobody_gets_what_is_the_owners_alone() {
    let mut bob = Bob::online().with_default_members();
    let secret = |name: &str, id| {
        Publication::new(
            name,
            0,
            container(id),
            0,
            ExpireType::Static,
            Some(note("secret")),
        )
    };
    let names = ["alerts", "dndState", "note", "routing", "state"];
    bob.watch(1, &colleague("alice@contoso.com"), &names)
        .unwrap();
    bob.watch(2, &watcher("x@other.example", SourceNetwork::None), &names)
        .unwrap();
    bob.watch(3, &colleague("bob@contoso.com"), &names).unwrap();
    let mut publications = Vec::new();
    for id in [1, 2, 3] {
        publications.extend(["alerts", "note"].map(|name| secret(name, id)));
    }
    for id in [0, 2, 100, 200, 300, 400, 32000] {
        publications.extend(["dndState", "routing"].map(|name| secret(name, id)));
    }
    let published = bob.publish(publications).unwrap();
    assert_eq!(published.changes.visible().count(), 0);
    assert!(bob.fan_out(&published.changes).is_empty());
    let wanted: Vec<_> = names.iter().copied().map(Into::into).collect();
    for id in [0, 1, 2, 3, 100, 200, 300, 400, 32000] {
        let document = bob.presentity.watcher_document(container(id), &wanted);
        let text = to_string(&document);
        assert!(!text.contains("secret"), "{id}: {text}");
        for private in [
            "version=",
            "container=",
            "expireType=",
            "endpointId=",
            "expires=",
        ] {
            assert!(!text.contains(private), "{id}: {text}");
        }
    }
    // Also the subscription itself does not take them in.
    let again = bob
        .watch(1, &colleague("alice@contoso.com"), &names)
        .unwrap();
    assert_eq!(parts(&again), ["alerts", "note", "state 1"]);
}

/// All that a blocked watcher can be told while bob lives a busy day. It must not differ from the day on which he never comes.
fn blocked_day(bob: &mut Bob, busy: bool) -> (String, Vec<(u64, String)>) {
    let mut seen = Vec::new();
    let eve = colleague("eve@contoso.com");
    bob.set_members(32000, 0, &[(Change::Add, Member::user("eve@contoso.com"))])
        .unwrap();
    let names = [
        "calendarData",
        "contactCard",
        "legacyInterop",
        "note",
        "services",
        "state",
    ];
    bob.watch(1, &eve, &names).unwrap();
    bob.after(60);
    if busy {
        let mut step = |bob: &mut Bob, changes: &Changes| {
            seen.extend(bob.fan_out(changes));
            bob.now += std::time::Duration::from_secs(60);
        };
        let changes = bob.presentity.endpoint_registered(bob.now, ENDPOINT);
        step(bob, &changes);
        let published = bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
        step(bob, &published.changes);
        // An empty note, a static offline state, empty free/busy data, as the grammar of publications puts them.
        let empty = |name: &str, expire| {
            Publication::new(
                name,
                0,
                container(32000),
                0,
                expire,
                Some(raw("<x xmlns=\"urn:x\"/>")),
            )
        };
        let published = bob
            .publish(vec![
                empty("note", ExpireType::Static),
                empty("calendarData", ExpireType::Endpoint),
                note_in(0, 0, "in the default container"),
                note_in(200, 0, "for colleagues"),
            ])
            .unwrap();
        step(bob, &published.changes);
        let offline = |version| {
            Publication::new(
                "state",
                0,
                container(32000),
                version,
                ExpireType::Static,
                Some(state(18500)),
            )
        };
        let published = bob.publish(vec![offline(1)]).unwrap();
        step(bob, &published.changes);
        let changes = bob.presentity.endpoint_gone(bob.now, ENDPOINT);
        step(bob, &changes);
    }
    let wanted: Vec<_> = names.iter().copied().map(Into::into).collect();
    let container = bob.presentity.container_of(&eve);
    (
        to_string(&bob.presentity.watcher_document(container, &wanted)),
        seen,
    )
}

fn the_blocked_cannot_tell(policy: &Policy) {
    let bob = || Bob::with(policy.clone()).with_default_members();
    let (mut busy, mut quiet) = (bob(), bob());
    // Both have been there once, so both have what aggregation makes for the blocked.
    for bob in [&mut busy, &mut quiet] {
        let now = bob.now;
        bob.presentity.endpoint_registered(now, ENDPOINT);
        bob.presentity.endpoint_gone(now, ENDPOINT);
    }
    let (document, seen) = blocked_day(&mut busy, true);
    assert_eq!(seen, []);
    assert_eq!(document, blocked_day(&mut quiet, false).0);
    assert!(document.contains("18500"));
    assert!(!document.contains("colleagues"));
    assert!(!document.contains("default"));
}

#[test]
fn the_blocked_cannot_tell_whether_the_user_is_there() {
    the_blocked_cannot_tell(&policy());
    the_blocked_cannot_tell(&Policy::default());
}

#[test]
fn a_time_of_life_is_kept_though_the_blocked_see_the_old_time() {
    let mut bob = Bob::new();
    let offline = |version| {
        Publication::new(
            "state",
            0,
            container(32000),
            version,
            ExpireType::Time,
            Some(state(18500)),
        )
        .expires(100)
    };
    bob.publish(vec![offline(0)]).unwrap();
    bob.after(50);
    bob.publish(vec![offline(1)]).unwrap();
    let category = &bob.document().categories.unwrap().categories[0];
    assert_eq!(
        (category.publish_time.unwrap().0, category.expires),
        (wall(), Some(150))
    );
    bob.after(99);
    assert!(bob.presentity.handle_timeout(bob.now).is_empty());
}

#[test]
fn who_is_moved_gets_everything_anew() {
    let mut bob = Bob::new().with_default_members();
    let alice = colleague("alice@contoso.com");
    bob.watch(1, &alice, &["note", "state"]).unwrap();
    bob.watch(2, &colleague("carol@contoso.com"), &["note", "state"])
        .unwrap();
    bob.publish(vec![
        note_in(200, 0, "colleagues"),
        note_in(400, 0, "friends"),
    ])
    .unwrap();
    let changes = bob
        .set_members(400, 0, &[(Change::Add, Member::user("alice@contoso.com"))])
        .unwrap();
    let sent = bob.fan_out(&changes);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, 1);
    assert_eq!(parts(&read(&sent[0].1)), ["note 0", "state"]);
    assert!(sent[0].1.contains("friends"));
    // From now on she gets what friends get.
    let published = bob.publish(vec![note_in(200, 1, "x")]).unwrap();
    assert_eq!(bob.fan_out(&published.changes).len(), 1);
    let published = bob.publish(vec![note_in(400, 1, "x")]).unwrap();
    assert_eq!(bob.fan_out(&published.changes)[0].0, 1);
    // Blocked: as if he had gone.
    let changes = bob
        .set_members(
            32000,
            0,
            &[(Change::Add, Member::user("alice@contoso.com"))],
        )
        .unwrap();
    let sent = bob.fan_out(&changes);
    assert_eq!(parts(&read(&sent[0].1)), ["note", "state"]);
    // Unblocked.
    let changes = bob
        .set_members(
            32000,
            1,
            &[(Change::Remove, Member::user("alice@contoso.com"))],
        )
        .unwrap();
    assert!(bob.fan_out(&changes)[0].1.contains("<body"));
}

#[test]
fn what_is_in_the_default_container_shows_where_there_is_nothing_else() {
    let mut bob = Bob::new().with_default_members();
    bob.watch(1, &colleague("alice@contoso.com"), &["note"])
        .unwrap();
    bob.watch(
        2,
        &watcher("x@other.example", SourceNetwork::None),
        &["note"],
    )
    .unwrap();
    // An application publishes into container 0 only.
    let published = bob.publish(vec![note_in(0, 0, "for all")]).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(sent.len(), 2);
    assert!(sent[0].1.contains("for all"));
    let published = bob.publish(vec![note_in(200, 0, "own")]).unwrap();
    assert_eq!(bob.fan_out(&published.changes).len(), 1);
    // She no longer sees the default one.
    let published = bob.publish(vec![note_in(0, 1, "x")]).unwrap();
    assert_eq!(bob.fan_out(&published.changes)[0].0, 2);
    // Until hers is gone.
    let removal = Publication::removal("note", 0, container(200), 1, ExpireType::Static);
    let published = bob.publish(vec![removal]).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert_eq!(sent.len(), 1);
    assert_eq!(parts(&read(&sent[0].1)), ["note 0"]);
}

#[test]
fn subscriptions_grow_end_and_are_bounded() {
    let mut bob = Bob::with(Policy {
        category_subscriptions: 4,
        ..policy()
    });
    let alice = colleague("alice@contoso.com");
    bob.watch(1, &alice, &["note"]).unwrap();
    let more = bob.watch(1, &alice, &["state", "note", "note"]).unwrap();
    assert_eq!(parts(&more), ["note", "state"]);
    // A refresh takes nothing more.
    for _ in 0..5 {
        bob.watch(1, &alice, &["note", "state"]).unwrap();
    }
    bob.watch(2, &alice, &["note", "state"]).unwrap();
    let refusal = bob.watch(3, &alice, &["note"]).unwrap_err();
    assert_eq!(refusal.diagnostics, Some(Refusal::SUBSCRIPTION_LIMIT));
    assert_eq!(bob.watchers.len(), 2);
    let refusal = bob.watch(2, &alice, &["services"]).unwrap_err();
    assert_eq!(refusal.diagnostics, Some(Refusal::SUBSCRIPTION_LIMIT));
    assert!(bob.watchers.unsubscribe(SubscriptionId(1)));
    assert!(!bob.watchers.unsubscribe(SubscriptionId(1)));
    bob.watch(3, &alice, &["note", "services"]).unwrap();
    let published = bob.publish(vec![note_in(0, 0, "x")]).unwrap();
    let to: Vec<_> = bob
        .fan_out(&published.changes)
        .iter()
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(to, [2, 3]);
    // Categories that nobody can publish count nothing.
    let document = bob.watch(4, &alice, &["weather", "routing"]).unwrap();
    assert!(document.categories.is_empty());
}

#[test]
fn the_users_own_subscription_is_one_like_others() {
    let mut bob = Bob::online().with_default_members();
    bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
    let own = colleague("bob@contoso.com");
    let document = bob.watch(1, &own, &["state"]).unwrap();
    assert_eq!(parts(&document), ["state 1"]);
}

#[test]
fn sipe_becomes_busy_and_its_watcher_sees_it() {
    let mut bob = Bob::with(policy());
    bob.user = ocs_sip_core::uri::Aor::parse("alice@contoso.com").unwrap();
    bob.presentity = ocs_pres::server::Presentity::new(
        Arc::new(policy()),
        bob.user.clone(),
        ocs_sip_core::clock::WallClock::new(bob.now, wall()),
    );
    bob.presentity.endpoint_registered(bob.now, ENDPOINT);
    let mut bob = bob.with_default_members();
    bob.publish_body(data!("sipe/publish-alice-first.xml"))
        .unwrap();
    bob.watch(1, &colleague("bob@contoso.com"), &["state"])
        .unwrap();
    let published = bob.publish_body(data!("sipe/publish-busy.xml")).unwrap();
    let sent = bob.fan_out(&published.changes);
    assert!(sent[0].1.contains("<availability>6500</availability>"));
    let published = bob.publish_body(data!("sipe/publish-dnd.xml")).unwrap();
    assert!(
        bob.fan_out(&published.changes)[0]
            .1
            .contains("<availability>9500</availability>")
    );
    // She goes: the state of the user's being there ends.
    let changes = bob.presentity.endpoint_gone(bob.now, ENDPOINT);
    let sent = bob.fan_out(&changes);
    assert_eq!(parts(&read(&sent[0].1)), ["state"]);
}

#[test]
fn a_network_of_members_moves_all_its_watchers() {
    let mut bob = Bob::new();
    bob.publish(vec![note_in(200, 0, "colleagues")]).unwrap();
    for id in 0..10 {
        bob.watch(id, &colleague(&format!("user{id}@contoso.com")), &["note"])
            .unwrap();
    }
    let changes = bob
        .set_members(
            200,
            0,
            &[(Change::Add, Member::network(MemberType::SameEnterprise))],
        )
        .unwrap();
    let sent = bob.fan_out(&changes);
    assert_eq!(sent.len(), 10);
    assert!(sent.iter().all(|(_, body)| body.contains("colleagues")));
    assert_eq!(
        bob.presentity.container_of(&colleague("user0@contoso.com")),
        ContainerId::COMPANY
    );
    // The same members again: nobody is moved.
    let changes = bob
        .set_members(
            200,
            1,
            &[(Change::Add, Member::network(MemberType::SameEnterprise))],
        )
        .unwrap();
    assert!(bob.fan_out(&changes).is_empty());
}
