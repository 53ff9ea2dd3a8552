//! What survives a restart.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use ocs_pres::doc::{
    Change, DelegateChange, ExpireType, Member, Publication, RoamingData, SetDelegates,
    SetSubscribers,
};
use ocs_pres::server::{Parts, Presentity, Sender};
use ocs_sip_core::clock::WallClock;
use ocs_xml::{from_slice, to_string};

/// A server that starts some seconds after bob's.
fn restart(bob: &Bob, seconds: u64) -> (Instant, Presentity) {
    let now = Instant::now() + Duration::from_secs(1_000_000);
    let at = wall() + Duration::from_secs(seconds);
    let clock = WallClock::new(now, at);
    let document = bob.presentity.export();
    let presentity = Presentity::import(Arc::new(policy()), clock, now, &document).unwrap();
    (now, presentity)
}

fn busy() -> Bob {
    let mut bob = Bob::online().with_default_members();
    bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
    bob.publish_body(data!("vectors/publish-note.xml")).unwrap();
    bob.publish_body(data!("vectors/publish-dnd.xml")).unwrap();
    bob.set_members(400, 0, &[(Change::Add, Member::user("alice@contoso.com"))])
        .unwrap();
    bob.presentity.watcher_added(
        &colleague("john@contoso.com"),
        "John",
        Some(&raw("<context/>")),
    );
    bob.presentity
        .watcher_added(&colleague("carol@contoso.com"), "Carol", None);
    let sender = Sender {
        user: &bob.user.clone(),
        endpoint: None,
        trusted: false,
    };
    let body = to_string(&SetSubscribers::new("carol@contoso.com"));
    bob.presentity
        .set_subscribers(&sender, body.as_bytes())
        .unwrap();
    let delegates = SetDelegates {
        version: 0,
        changes: vec![DelegateChange {
            uri: "john@contoso.com".into(),
            action: Change::Add,
            publish: true,
            redelegate: true,
        }],
    };
    bob.presentity
        .set_delegates(&sender, delegates.write().as_bytes())
        .unwrap();
    bob
}

#[test]
fn static_and_unexpired_data_survive() {
    let bob = busy();
    let (now, restored) = restart(&bob, 3600);
    let document = restored.full_document(Parts::ALL);
    let instances: Vec<_> = document
        .categories
        .unwrap()
        .categories
        .iter()
        .map(instance)
        .collect();
    assert_eq!(
        instances,
        [
            "note 0 200 1",
            "note 0 300 1",
            "note 0 400 1",
            "state 536870912 2 1",
            "state 603979776 2 1",
            "state 536870912 3 1",
            "state 603979776 3 1",
            // Made anew.
            "state 0 32000 1",
        ]
    );
    assert_eq!(
        restored.poll_timeout(),
        Some(now + Duration::from_secs(86_400 - 3600))
    );
    let before = bob.document();
    assert_eq!(document.containers, before.containers);
    assert_eq!(document.subscribers, before.subscribers);
    assert_eq!(document.delegates, before.delegates);
    assert_eq!(restored.user(), bob.presentity.user());
}

#[test]
fn a_second_restart_finds_the_same() {
    let bob = busy();
    let (_, restored) = restart(&bob, 3600);
    assert_eq!(restored.export(), bob.presentity.export());
}

#[test]
fn what_has_ended_meanwhile_is_left_out() {
    let bob = busy();
    let (_, restored) = restart(&bob, 86_400);
    assert_eq!(restored.poll_timeout(), None);
    let text = restored.export();
    assert!(!text.contains("603979776"));
    assert!(text.contains("536870912"));
}

#[test]
fn versions_go_on_after_a_restart() {
    let mut bob = Bob::new();
    bob.publish(vec![note_in(200, 0, "1")]).unwrap();
    bob.publish(vec![note_in(200, 1, "2")]).unwrap();
    let (now, restored) = restart(&bob, 0);
    bob.presentity = restored;
    bob.now = now;
    assert_eq!(
        bob.publish(vec![note_in(200, 0, "3")]).unwrap_err().status,
        409
    );
    bob.publish(vec![note_in(200, 2, "3")]).unwrap();
    // An acknowledged watcher stays known.
    bob.presentity = restart(&busy(), 0).1;
    assert!(
        bob.presentity
            .watcher_added(&colleague("carol@contoso.com"), "", None)
            .is_empty()
    );
}

#[test]
fn it_is_a_document_of_the_protocol() {
    let bob = busy();
    let text = bob.presentity.export();
    let data: RoamingData = from_slice(text.as_bytes(), &ocs_xml::Limits::default()).unwrap();
    assert_eq!(data.uri().unwrap(), "sip:bob@contoso.com");
    assert_eq!(to_string(&data), text);
}

#[test]
fn what_no_store_has_written() {
    let clock = WallClock::new(Instant::now(), wall());
    let import =
        |document: &str| Presentity::import(Arc::new(policy()), clock, Instant::now(), document);
    assert!(import("").is_err());
    assert!(import("<roamingData/>").is_err());
    let with = |uri: &str, category: &str| {
        import(&format!(
            r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="{uri}">{category}</categories></roamingData>"#
        ))
    };
    assert!(with("sip:bob@contoso.com", "").is_ok());
    assert!(with("tel:1", "").is_err());
    assert!(with("sip:bob@contoso.com", r#"<category name="note"/>"#).is_err());
    // Nobody gets into the owner's containers through the store.
    let document = r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"/><containers xmlns="http://schemas.microsoft.com/2006/09/sip/containers"><container id="2" version="1"><member type="everyone"/></container></containers></roamingData>"#;
    let presentity = import(document).unwrap();
    assert_eq!(
        presentity
            .container_of(&colleague("alice@contoso.com"))
            .get(),
        0
    );
}

#[test]
fn a_time_bound_instance_without_end_is_refused() {
    let mut bob = Bob::new();
    let until = Publication::new("note", 0, container(200), 0, ExpireType::Time, None).expires(5);
    bob.publish(vec![until]).unwrap();
    let text = bob.presentity.export().replace(r#" expires="5""#, "");
    let clock = WallClock::new(bob.now, wall());
    assert!(Presentity::import(Arc::new(policy()), clock, bob.now, &text).is_err());
}
