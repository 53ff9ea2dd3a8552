//! The publish transaction, lifetimes and aggregation.

mod common;

use std::time::Duration;

use common::*;
use ocs_pres::doc::{ContainerId, ExpireType, Fault, Operation, Publication};
use ocs_pres::server::{Parts, Policy, Refusal, Sender};
use ocs_sip_core::uri::Aor;
use ocs_xml::to_string;

#[test]
fn first_publish_of_the_specification() {
    let mut bob = Bob::online();
    let published = bob
        .publish_body(data!("vectors/publish-initial.xml"))
        .unwrap();
    assert_eq!(
        bob.instances(),
        [
            "device 1282926316 2 1",
            "state 1 2 2",
            "state 536870912 2 1",
            "state 885489262 2 1",
            "state 536870912 3 1",
            "state 885489262 3 1",
            "state 1 100 2",
            "state 1 200 2",
            "state 1 300 2",
            "state 1 400 2",
            "state 0 32000 1",
        ]
    );
    // The answer has all instances of what the request named, those of the aggregation among them.
    let answer = bob.presentity.answer(&published);
    assert_eq!(answer.categories.as_ref().unwrap().categories.len(), 11);
    assert!(published.for_sender().is_empty());
    let visible: Vec<_> = published
        .changes
        .visible()
        .map(|(c, n)| (c.get(), n.as_str()))
        .collect();
    assert_eq!(
        visible,
        [
            (100, "state"),
            (200, "state"),
            (300, "state"),
            (400, "state")
        ]
    );
}

#[test]
fn answer_as_the_specification_shows_it() {
    let mut bob = Bob::new();
    let published = bob.publish(vec![note_in(400, 0, "Back at 3")]).unwrap();
    assert_eq!(
        to_string(&bob.presentity.answer(&published)),
        concat!(
            r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self">"#,
            r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com">"#,
            r#"<category name="note" instance="0" publishTime="2010-02-04T03:43:49.370Z" container="400" version="1" expireType="static" endpointId="endpoint-1">"#,
            r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back at 3</body></note>"#,
            "</category></categories></roamingData>"
        )
    );
}

#[test]
fn a_note_comes_and_goes() {
    let mut bob = Bob::new();
    bob.publish_body(data!("vectors/publish-note.xml")).unwrap();
    assert_eq!(
        bob.instances(),
        ["note 0 200 1", "note 0 300 1", "note 0 400 1"]
    );
    let published = bob
        .publish_body(data!("vectors/publish-note-delete.xml"))
        .unwrap();
    assert!(bob.instances().is_empty());
    let own = bob
        .presentity
        .own_document(published.changes.own(), Parts::ALL)
        .unwrap();
    assert_eq!(
        to_string(&own),
        r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"><category name="note"/></categories></roamingData>"#
    );
    // An instance that is removed begins anew.
    bob.publish(vec![note_in(200, 0, "again")]).unwrap();
    assert_eq!(bob.instances(), ["note 0 200 1"]);
}

#[test]
fn all_versions_that_do_not_fit_are_listed_and_nothing_is_applied() {
    let mut bob = Bob::new();
    bob.publish(vec![note_in(200, 0, "1")]).unwrap();
    bob.publish(vec![note_in(200, 1, "2")]).unwrap();
    let before = bob.document();
    let refusal = bob
        .publish(vec![
            note_in(200, 1, "3"),
            note_in(300, 0, "3"),
            note_in(400, 5, "3"),
        ])
        .unwrap_err();
    assert_eq!(refusal.status, 409);
    assert_eq!(
        refusal.fault,
        Some(Fault::wrong_delta(vec![
            Operation::new(1, 1, 2),
            Operation::new(3, 5, 0)
        ]))
    );
    assert_eq!(bob.document(), before);
    // The client takes the versions over and sends the same again.
    bob.publish(vec![
        note_in(200, 2, "3"),
        note_in(300, 0, "3"),
        note_in(400, 0, "3"),
    ])
    .unwrap();
    assert_eq!(
        bob.instances(),
        ["note 0 200 3", "note 0 300 1", "note 0 400 1"]
    );
}

#[test]
fn an_unchanged_value_gets_a_version_and_a_time() {
    let mut bob = Bob::new();
    bob.publish(vec![note_in(200, 0, "1")]).unwrap();
    bob.after(1);
    let published = bob.publish(vec![note_in(200, 1, "1")]).unwrap();
    let category = &bob.document().categories.unwrap().categories[0];
    assert_eq!(category.version, Some(2));
    assert_eq!(
        category.publish_time.unwrap().0,
        wall() + Duration::from_secs(1)
    );
    assert_eq!(published.changes.visible().count(), 1);
}

fn refused(refusal: Refusal, status: u16, diagnostics: Option<u32>) {
    assert_eq!(
        (refusal.status, refusal.diagnostics),
        (status, diagnostics),
        "{refusal}"
    );
}

#[test]
fn checks_come_in_their_order() {
    let mut bob = Bob::online();
    let alice = Aor::parse("alice@contoso.com").unwrap();
    let sender = Sender {
        user: &alice,
        endpoint: None,
        trusted: false,
    };
    let now = bob.now;
    // The sender comes before the body.
    refused(
        bob.presentity.publish(now, &sender, b"<").unwrap_err(),
        403,
        None,
    );
    refused(
        bob.publish_body(b"<").unwrap_err(),
        400,
        Some(Refusal::MALFORMED),
    );
    let foreign = br#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:alice@contoso.com"/></publish>"#;
    refused(bob.publish_body(foreign).unwrap_err(), 403, None);
    refused(bob.publish(vec![]).unwrap_err(), 400, None);
    // An unknown name before what is read-only, that before sizes, those before versions.
    let long = "x".repeat(20_000);
    let unknown = || Publication::new("weather", 0, container(200), 7, ExpireType::Static, None);
    let read_only = || Publication::new("services", 0, container(200), 7, ExpireType::Static, None);
    let too_long = || note_in(200, 7, &long);
    let stale = || note_in(300, 7, "x");
    refused(
        bob.publish(vec![stale(), too_long(), read_only(), unknown()])
            .unwrap_err(),
        400,
        None,
    );
    refused(
        bob.publish(vec![stale(), too_long(), read_only()])
            .unwrap_err(),
        403,
        Some(Refusal::READ_ONLY),
    );
    refused(
        bob.publish(vec![stale(), too_long()]).unwrap_err(),
        413,
        Some(Refusal::CATEGORY_SIZE),
    );
    refused(bob.publish(vec![stale(), stale()]).unwrap_err(), 400, None);
    refused(bob.publish(vec![stale()]).unwrap_err(), 409, None);
    bob.presentity.set_enabled(false);
    refused(bob.publish(vec![unknown()]).unwrap_err(), 403, None);
}

#[test]
fn what_only_the_server_publishes() {
    let mut bob = Bob::online();
    let publication = |name: &str, instance, id| {
        Publication::new(name, instance, container(id), 0, ExpireType::Static, None)
    };
    for (name, instance, id) in [
        ("contactCard", 0, 0),
        ("userProperties", 0, 1),
        ("mwi", 0, 1),
        ("legacyInterop", 1, 100),
        ("services", 0, 2),
        ("state", 1, 200),
        ("state", 0x1000_0000, 2),
    ] {
        let refusal = bob
            .publish(vec![publication(name, instance, id)])
            .unwrap_err();
        refused(refusal, 403, Some(Refusal::READ_ONLY));
    }
    // What looks alike and is the client's.
    bob.publish(vec![
        publication("contactCard", 3, 200),
        publication("state", 0, 32001),
    ])
    .unwrap();
    // An application publishes all of it, for a user who is not itself.
    let application = Aor::parse("bot@contoso.com").unwrap();
    let sender = Sender {
        user: &application,
        endpoint: None,
        trusted: true,
    };
    let body = br#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:BOB@contoso.com"><publication categoryName="contactCard" instance="0" container="0" version="0" expireType="static"/></publications></publish>"#;
    let now = bob.now;
    bob.presentity.publish(now, &sender, body).unwrap();
}

#[test]
fn custom_categories_are_registered_by_the_administrator() {
    let mut policy = Policy::default();
    let weather = || Publication::new("weather", 0, container(200), 0, ExpireType::Static, None);
    assert!(Bob::with(policy.clone()).publish(vec![weather()]).is_err());
    policy.categories.insert("weather".into());
    assert!(Bob::with(policy).publish(vec![weather()]).is_ok());
    // Nor is another spelling of a name that is read-only another category.
    let services = Publication::new(" services", 0, container(200), 0, ExpireType::Static, None);
    refused(Bob::new().publish(vec![services]).unwrap_err(), 400, None);
}

#[test]
fn removal_with_version_0_passes_where_it_is_configured() {
    let remove = || Publication::removal("note", 0, container(200), 0, ExpireType::Time);
    let mut strict = Bob::new();
    strict.publish(vec![note_in(200, 0, "1")]).unwrap();
    refused(strict.publish(vec![remove()]).unwrap_err(), 409, None);
    let mut lenient = Bob::with(Policy {
        unversioned_removals: true,
        ..Policy::default()
    });
    lenient.publish(vec![note_in(200, 0, "1")]).unwrap();
    lenient.publish(vec![remove()]).unwrap();
    assert!(lenient.instances().is_empty());
    // Of an instance that is not there, everywhere.
    strict
        .publish(vec![Publication::removal(
            "note",
            9,
            container(200),
            0,
            ExpireType::Static,
        )])
        .unwrap();
}

#[test]
fn time_bound_instances_end() {
    let mut bob = Bob::online();
    bob.publish_body(data!("vectors/publish-dnd.xml")).unwrap();
    let end = bob.now + Duration::from_secs(86_400);
    assert_eq!(bob.presentity.poll_timeout(), Some(end));
    bob.after(86_399);
    assert!(bob.presentity.handle_timeout(bob.now).is_empty());
    bob.after(1);
    let changes = bob.presentity.handle_timeout(bob.now);
    assert!(changes.own().categories.contains("state"));
    assert_eq!(bob.presentity.poll_timeout(), None);
    assert!(!bob.instances().iter().any(|i| i.contains("603979776")));
}

#[test]
fn a_time_that_is_not_said_and_one_that_is_too_long() {
    let mut bob = Bob::new();
    let mut publication = note_in(200, 0, "x");
    publication.expire_type = ExpireType::Time;
    bob.publish(vec![publication.clone()]).unwrap();
    let day = Duration::from_secs(86_400);
    assert_eq!(bob.presentity.poll_timeout(), Some(bob.now + day));
    publication.version = 1;
    bob.publish(vec![publication.expires(i64::MAX)]).unwrap();
    let category = &bob.document().categories.unwrap().categories[0];
    assert_eq!(category.expires, Some(u32::MAX.into()));
}

#[test]
fn instances_of_endpoints_and_users_end_with_them() {
    let mut bob = Bob::online();
    let now = bob.now;
    let of = |name: &str, expire| Publication::new(name, 0, container(200), 0, expire, None);
    bob.publish(vec![
        of("device", ExpireType::Endpoint),
        of("note", ExpireType::User),
        of("alerts", ExpireType::Static),
    ])
    .unwrap();
    bob.presentity.endpoint_registered(now, "endpoint-2");
    let changes = bob.presentity.endpoint_gone(now, ENDPOINT);
    assert_eq!(
        changes.own().categories.iter().collect::<Vec<_>>(),
        ["device"]
    );
    let changes = bob.presentity.endpoint_gone(now, "endpoint-2");
    assert_eq!(
        changes.own().categories.iter().collect::<Vec<_>>(),
        ["note", "state"]
    );
    assert_eq!(bob.instances(), ["alerts 0 200 1", "state 0 32000 1"]);
    assert!(bob.presentity.endpoint_gone(now, "endpoint-2").is_empty());
}

#[test]
fn what_is_bound_to_an_endpoint_needs_one() {
    let mut bob = Bob::new();
    let of = |expire| vec![Publication::new("note", 0, container(200), 0, expire, None)];
    refused(
        bob.publish(of(ExpireType::Endpoint)).unwrap_err(),
        403,
        None,
    );
    refused(bob.publish(of(ExpireType::User)).unwrap_err(), 403, None);
    // A client that has gone may still clean up behind itself.
    bob.publish(vec![Publication::removal(
        "note",
        0,
        container(200),
        0,
        ExpireType::Endpoint,
    )])
    .unwrap();
}

#[test]
fn aggregation_runs_on_state_and_device_and_tells_what_changed() {
    let mut bob = Bob::online();
    // Nothing that goes into it has changed.
    let published = bob.publish(vec![note_in(200, 0, "x")]).unwrap();
    assert_eq!(published.changes.own().categories.len(), 1);
    // A device changes nothing in the state that comes out.
    let device = Publication::new("device", 7, container(2), 0, ExpireType::Endpoint, None);
    let published = bob.publish(vec![device]).unwrap();
    assert!(published.for_sender().is_empty());
    let machine = |version, availability| {
        let instance = 0x3000_0001;
        let value = Some(state(availability));
        Publication::new(
            "state",
            instance,
            container(2),
            version,
            ExpireType::Endpoint,
            value,
        )
    };
    let published = bob.publish(vec![machine(0, 3500)]).unwrap();
    // Container 3 is aggregated apart: nothing changes for 300.
    let visible: Vec<_> = published.changes.visible().map(|(c, _)| c.get()).collect();
    assert_eq!(visible, [100, 200, 400]);
    // The same availability again: a new version of what was published, nothing new for others.
    let published = bob.publish(vec![machine(1, 3500)]).unwrap();
    assert_eq!(published.changes.visible().count(), 0);
}

#[test]
fn the_sender_is_told_of_aggregation_that_its_answer_does_not_hold() {
    let services = |inputs: &ocs_pres::server::Inputs<'_>| {
        let devices = inputs
            .published(ContainerId::FIRST_AGGREGATION, "device")
            .count();
        vec![ocs_pres::server::Aggregated {
            name: "services".into(),
            instance: 0,
            container: ContainerId::COMPANY,
            expire_type: ExpireType::User,
            value: Some(raw(&format!("<services n=\"{devices}\"/>"))),
        }]
    };
    let mut policy = policy();
    policy.aggregate = Some(std::sync::Arc::new(services));
    let mut bob = Bob::with(policy);
    bob.presentity.endpoint_registered(bob.now, ENDPOINT);
    let device = Publication::new("device", 7, container(2), 0, ExpireType::Endpoint, None);
    let published = bob.publish(vec![device]).unwrap();
    let names = |own: &ocs_pres::server::OwnChange| {
        own.categories
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(published.changes.own()), ["device", "services"]);
    assert_eq!(names(&published.for_sender()), ["services"]);
}

#[test]
fn the_server_publishes_without_versions() {
    let mut bob = Bob::new();
    let now = bob.now;
    let card = |id| {
        Publication::new(
            "contactCard",
            0,
            container(id),
            0,
            ExpireType::Static,
            Some(note("Bob")),
        )
    };
    let changes = bob.presentity.install(now, None, vec![card(0), card(200)]);
    assert_eq!(changes.visible().count(), 2);
    assert!(changes.is_durable());
    // The same again is no change.
    assert!(bob.presentity.install(now, None, vec![card(0)]).is_empty());
    let mut other = card(0);
    other.value = Some(note("Robert"));
    bob.presentity.install(now, None, vec![other]);
    assert_eq!(
        bob.instances(),
        ["contactCard 0 0 2", "contactCard 0 200 1"]
    );
    // What is bound to an endpoint that is not there is not kept.
    let state = Publication::new("state", 5, container(2), 0, ExpireType::Endpoint, None);
    assert!(
        bob.presentity
            .install(now, Some("gone"), vec![state])
            .is_empty()
    );
}

#[test]
fn sipe_signs_in_and_becomes_busy() {
    let mut bob = Bob::online();
    bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
    // Signed out without a word and back again: the static states are there, with version 1.
    let now = bob.now;
    bob.presentity.endpoint_gone(now, ENDPOINT);
    bob.presentity.endpoint_registered(now, ENDPOINT);
    bob.publish_body(data!("sipe/publish-again.xml")).unwrap();
    // Another client with the versions of an empty cache.
    let refusal = bob
        .publish_body(data!("sipe/publish-conflict.xml"))
        .unwrap_err();
    let operations: Vec<_> = refusal.fault.as_ref().unwrap().operations().to_vec();
    assert_eq!(operations.len(), 5);
    assert_eq!(operations[0], Operation::new(1, 0, 1));
    assert_eq!(operations[4], Operation::new(5, 0, 2));
}

#[test]
fn too_many_instances() {
    let mut policy = Policy::default();
    policy.limits.instances = 3;
    let mut bob = Bob::with(policy);
    bob.publish(vec![note_in(200, 0, "a"), note_in(300, 0, "a")])
        .unwrap();
    refused(
        bob.publish(vec![note_in(400, 0, "a"), note_in(500, 0, "a")])
            .unwrap_err(),
        413,
        None,
    );
    bob.publish(vec![note_in(400, 0, "a")]).unwrap();
    // What is there may change.
    bob.publish(vec![note_in(400, 1, "b")]).unwrap();
}
