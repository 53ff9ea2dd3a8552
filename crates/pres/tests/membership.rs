//! Containers, watchers that wait, delegates.

mod common;

use common::*;
use ocs_pres::doc::{
    Change, ContainerId, DelegateChange, Fault, Member, MemberType, Operation, SetDelegates,
    SetSubscribers, SourceNetwork,
};
use ocs_pres::server::{OwnChange, Parts, Policy, Refusal, Sender};
use ocs_sip_core::uri::Aor;
use ocs_xml::to_string;

fn add(member: Member) -> (Change, Member) {
    (Change::Add, member)
}

fn remove(member: Member) -> (Change, Member) {
    (Change::Remove, member)
}

#[test]
fn first_sign_in_of_sipe() {
    let mut bob = Bob::new();
    let changes = bob
        .set_members_body(data!("sipe/containers-first.xml"))
        .unwrap();
    assert!(changes.moves_watchers());
    let document = bob
        .presentity
        .own_document(changes.own(), Parts::ALL)
        .unwrap();
    let containers = document.containers.unwrap().containers;
    assert_eq!(containers[0].id, ContainerId::PUBLIC);
    assert_eq!(containers[0].version, 1);
    assert_eq!(
        containers[1].members,
        [Member::network(MemberType::SameEnterprise)]
    );
    // It thinks that they are not there yet, from two endpoints at once.
    let refusal = bob
        .set_members_body(data!("sipe/containers-first.xml"))
        .unwrap_err();
    assert_eq!(
        refusal.fault,
        Some(Fault::wrong_delta(vec![
            Operation::new(1, 0, 1),
            Operation::new(2, 0, 1)
        ]))
    );
}

#[test]
fn classes_of_members_come_in_order_and_the_highest_container_of_a_class_counts() {
    use SourceNetwork::{Federated, None, PublicCloud, SameEnterprise};

    let mut bob = Bob::new();
    let network = Member::network;
    bob.set_members(
        100,
        0,
        &[
            add(Member::user("Alice@Contoso.com")),
            add(network(MemberType::Federated)),
        ],
    )
    .unwrap();
    bob.set_members(
        200,
        0,
        &[
            add(network(MemberType::SameEnterprise)),
            add(Member::domain("fabrikam.com")),
        ],
    )
    .unwrap();
    bob.set_members(
        300,
        0,
        &[
            add(Member::domain("EU.fabrikam.com")),
            add(Member::user("john@contoso.com")),
        ],
    )
    .unwrap();
    bob.set_members(
        400,
        0,
        &[
            add(network(MemberType::SameEnterprise)),
            add(Member::user("john@contoso.com")),
        ],
    )
    .unwrap();
    bob.set_members(
        32000,
        0,
        &[
            add(network(MemberType::PublicCloud)),
            add(Member::user("eve@fabrikam.com")),
        ],
    )
    .unwrap();
    let container =
        |user: &str, network| bob.presentity.container_of(&watcher(user, network)).get();
    assert_eq!(
        container("alice@contoso.com", SameEnterprise),
        100,
        "user before network"
    );
    assert_eq!(
        container("john@contoso.com", SameEnterprise),
        400,
        "highest of the class"
    );
    assert_eq!(
        container("carol@contoso.com", SameEnterprise),
        400,
        "network"
    );
    assert_eq!(
        container("x@fabrikam.com", Federated),
        200,
        "domain before network"
    );
    assert_eq!(
        container("x@eu.fabrikam.com", Federated),
        300,
        "longest suffix"
    );
    assert_eq!(
        container("x@de.eu.fabrikam.com", Federated),
        300,
        "longest suffix"
    );
    assert_eq!(container("x@us.fabrikam.com", Federated), 200, "suffix");
    assert_eq!(
        container("x@notfabrikam.com", Federated),
        100,
        "suffixes end at dots"
    );
    assert_eq!(container("eve@fabrikam.com", Federated), 32000, "blocked");
    assert_eq!(container("x@live.example", PublicCloud), 32000, "network");
    assert_eq!(container("x@other.example", None), 0, "default");
}

#[test]
fn everybody() {
    let mut bob = Bob::new();
    bob.set_members(150, 0, &[add(Member::network(MemberType::Everyone))])
        .unwrap();
    let nobody = watcher("x@other.example", SourceNetwork::None);
    assert_eq!(bob.presentity.container_of(&nobody).get(), 150);
}

#[test]
fn a_contact_is_moved_in_one_request() {
    let mut bob = Bob::new();
    for version in 0..3 {
        let member = Member::user(format!("user{version}@contoso.com"));
        bob.set_members(100, version, &[add(member)]).unwrap();
    }
    bob.set_members(100, 3, &[add(Member::user("alice@contoso.com"))])
        .unwrap();
    let before = bob.document();
    // The vector thinks of version 3 in 100 and 7 in 32000.
    let refusal = bob
        .set_members_body(data!("vectors/setcontainermembers.xml"))
        .unwrap_err();
    assert_eq!(refusal.status, 409);
    assert_eq!(
        refusal.fault.unwrap().operations(),
        [Operation::new(1, 3, 4), Operation::new(2, 7, 0)]
    );
    assert_eq!(bob.document(), before);
    let body = String::from_utf8(data!("vectors/setcontainermembers.xml").to_vec()).unwrap();
    let body = body
        .replace(r#"version="3""#, r#"version="4""#)
        .replace(r#"version="7""#, r#"version="0""#);
    bob.set_members_body(body.as_bytes()).unwrap();
    let alice = colleague("alice@contoso.com");
    assert_eq!(bob.presentity.container_of(&alice), ContainerId::BLOCKED);
}

#[test]
fn what_changes_nothing() {
    let mut bob = Bob::new();
    // From a container that is not there.
    assert!(
        bob.set_members(300, 0, &[remove(Member::user("a@b.c"))])
            .unwrap()
            .is_empty()
    );
    bob.set_members(300, 0, &[add(Member::user("a@b.c"))])
        .unwrap();
    // Of a member that is not there: no new version.
    bob.set_members(300, 1, &[remove(Member::user("x@b.c"))])
        .unwrap();
    bob.set_members(
        300,
        1,
        &[add(Member::user("a@b.c")), add(Member::user("A@b.c"))],
    )
    .unwrap();
    assert_eq!(bob.document().containers.unwrap().containers[0].version, 1);
    bob.set_members(300, 1, &[remove(Member::user("a@b.c"))])
        .unwrap();
    let container = bob.document().containers.unwrap().containers.remove(0);
    assert_eq!((container.version, container.members.len()), (2, 0));
}

#[test]
fn what_is_refused() {
    let mut policy = Policy::default();
    policy.limits.members = 2;
    policy.limits.containers = 2;
    let mut bob = Bob::with(policy);
    let alice = || Member::user("alice@contoso.com");
    let mut status = |id, changes: &[_]| bob.set_members(id, 0, changes).unwrap_err().status;
    assert_eq!(status(0, &[add(alice())]), 400);
    for own in 1..=3 {
        assert_eq!(
            status(own, &[add(alice())]),
            403,
            "nobody but the owner is in it"
        );
    }
    assert_eq!(status(200, &[add(alice()), remove(alice())]), 400);
    assert_eq!(status(200, &[add(Member::user("not an address"))]), 400);
    assert_eq!(status(200, &[add(Member::network(MemberType::User))]), 400);
    assert_eq!(
        status(200, &[add(Member::network(MemberType::Domain))]),
        400
    );
    assert_eq!(
        status(
            200,
            &[add(Member::network(MemberType::Other("uri".into())))]
        ),
        400
    );
    let many = ["a@b.c", "b@b.c", "c@b.c"].map(|user| add(Member::user(user)));
    let refusal = bob.set_members(200, 0, &many).unwrap_err();
    assert_eq!(refusal.diagnostics, Some(Refusal::MEMBER_LIMIT));
    bob.set_members(200, 0, &many[..2]).unwrap();
    // One goes, one comes.
    bob.set_members(
        200,
        1,
        &[remove(Member::user("a@b.c")), add(Member::user("c@b.c"))],
    )
    .unwrap();
    bob.set_members(300, 0, &[add(alice())]).unwrap();
    assert_eq!(
        bob.set_members(400, 0, &[add(alice())]).unwrap_err().status,
        403
    );
    assert_eq!(
        bob.set_members_body(b"<setContainerMembers/>")
            .unwrap_err()
            .status,
        400
    );
    let twice = br#"<setContainerMembers xmlns="http://schemas.microsoft.com/2006/09/sip/container-management"><container id="200" version="2"/><container id="200" version="2"/></setContainerMembers>"#;
    assert_eq!(bob.set_members_body(twice).unwrap_err().status, 400);
}

#[test]
fn nobody_writes_for_others() {
    let mut bob = Bob::new();
    let alice = Aor::parse("alice@contoso.com").unwrap();
    let sender = Sender {
        user: &alice,
        endpoint: None,
        trusted: false,
    };
    let presentity = &mut bob.presentity;
    let members = data!("sipe/containers-first.xml");
    assert_eq!(
        presentity
            .set_container_members(&sender, members)
            .unwrap_err()
            .status,
        403
    );
    let subscribers = data!("sipe/acknowledge.xml");
    assert_eq!(
        presentity
            .set_subscribers(&sender, subscribers)
            .unwrap_err()
            .status,
        403
    );
    assert_eq!(
        presentity.set_delegates(&sender, b"").unwrap_err().status,
        403
    );
}

#[test]
fn a_watcher_who_adds_the_user_is_prompted_for_once() {
    let mut bob = Bob::new();
    let john = colleague("john@contoso.com");
    let context = raw("<subscriptionContext/>");
    let changes = bob.presentity.watcher_added(&john, "John", Some(&context));
    let document = bob
        .presentity
        .own_document(changes.own(), Parts::ALL)
        .unwrap();
    let subscriber = &document.subscribers.as_ref().unwrap().subscribers[0];
    assert_eq!(subscriber.user, "john@contoso.com");
    assert_eq!(subscriber.display_name.as_deref(), Some("John"));
    assert!(!subscriber.acknowledged);
    assert_eq!(subscriber.network, Some(SourceNetwork::SameEnterprise));
    assert_eq!(subscriber.extra.elements().next(), Some(&context));
    // An endpoint that has not asked for it is not told.
    let parts = Parts {
        subscribers: false,
        ..Parts::ALL
    };
    assert_eq!(bob.presentity.own_document(changes.own(), parts), None);
    assert!(bob.presentity.watcher_added(&john, "John", None).is_empty());

    let sender = Sender {
        user: &bob.user.clone(),
        endpoint: None,
        trusted: false,
    };
    let unknown = to_string(&SetSubscribers::new("carol@contoso.com"));
    let refusal = bob
        .presentity
        .set_subscribers(&sender, unknown.as_bytes())
        .unwrap_err();
    assert_eq!(refusal.diagnostics, Some(Refusal::NO_SUBSCRIBER));
    let body = data!("vectors/setsubscribers.xml");
    let changes = bob.presentity.set_subscribers(&sender, body).unwrap();
    let document = bob
        .presentity
        .own_document(changes.own(), Parts::ALL)
        .unwrap();
    assert!(document.subscribers.unwrap().subscribers[0].acknowledged);
    // Acknowledged: not among those who wait, and not asked for again.
    assert!(bob.document().subscribers.unwrap().subscribers.is_empty());
    assert!(bob.presentity.watcher_added(&john, "John", None).is_empty());
    assert!(
        bob.presentity
            .set_subscribers(&sender, body)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn watchers_for_whom_nobody_is_asked() {
    let mut bob = Bob::with(Policy {
        prompted_subscribers: 2,
        ..Policy::default()
    });
    let mut asked = |user: &str| {
        !bob.presentity
            .watcher_added(&colleague(user), "", None)
            .is_empty()
    };
    assert!(!asked("bob@contoso.com"), "the user itself");
    assert!(asked("a@contoso.com"));
    assert!(asked("b@contoso.com"));
    assert!(!asked("c@contoso.com"), "the queue is full");
    let mut bob = Bob::new();
    bob.set_members(300, 0, &[add(Member::user("a@contoso.com"))])
        .unwrap();
    bob.set_members(32000, 0, &[add(Member::domain("fabrikam.com"))])
        .unwrap();
    let mut asked = |user: &str| {
        !bob.presentity
            .watcher_added(&colleague(user), "", None)
            .is_empty()
    };
    assert!(!asked("a@contoso.com"), "named in a container");
    assert!(!asked("a@fabrikam.com"), "blocked");
}

#[test]
fn the_oldest_acknowledged_are_forgotten() {
    let mut policy = Policy::default();
    policy.limits.acknowledged = 1;
    let mut bob = Bob::with(policy);
    for user in ["a@b.c", "b@b.c"] {
        bob.presentity.watcher_added(&colleague(user), "", None);
        let sender = Sender {
            user: &bob.user.clone(),
            endpoint: None,
            trusted: false,
        };
        let body = to_string(&SetSubscribers::new(user));
        bob.presentity
            .set_subscribers(&sender, body.as_bytes())
            .unwrap();
    }
    assert!(
        !bob.presentity
            .watcher_added(&colleague("a@b.c"), "", None)
            .is_empty()
    );
    assert!(
        bob.presentity
            .watcher_added(&colleague("b@b.c"), "", None)
            .is_empty()
    );
}

#[test]
fn a_delegate_publishes_when_it_may() {
    let mut bob = Bob::online();
    let john = Aor::parse("john@contoso.com").unwrap();
    let owner = bob.user.clone();
    let sender = Sender {
        user: &owner,
        endpoint: None,
        trusted: false,
    };
    let request = |version, publish| SetDelegates {
        version,
        changes: vec![DelegateChange {
            uri: "sip:John@contoso.com".into(),
            action: Change::Add,
            publish,
            redelegate: false,
        }],
    };
    let now = bob.now;
    let body = data!("vectors/publish-note.xml");
    let delegate = Sender {
        user: &john,
        endpoint: None,
        trusted: false,
    };
    let presentity = &mut bob.presentity;
    let changes = presentity
        .set_delegates(&sender, request(0, false).write().as_bytes())
        .unwrap();
    assert_eq!(
        presentity.publish(now, &delegate, body).unwrap_err().status,
        403
    );
    let document = presentity.own_document(changes.own(), Parts::ALL).unwrap();
    assert_eq!(
        to_string(&document.delegates.unwrap()),
        r#"<delegates xmlns="http://schemas.microsoft.com/2007/09/sip/delegates" version="1"><delegate uri="john@contoso.com" publish="false" redelegate="false"/></delegates>"#
    );
    let refusal = presentity
        .set_delegates(&sender, request(0, true).write().as_bytes())
        .unwrap_err();
    assert_eq!((refusal.status, refusal.diagnostics), (409, Some(2141)));
    assert_eq!(
        refusal.fault.unwrap().operations(),
        [Operation::new(1, 0, 1)]
    );
    presentity
        .set_delegates(&sender, request(1, true).write().as_bytes())
        .unwrap();
    presentity.publish(now, &delegate, body).unwrap();
    // Nothing but that.
    let members = data!("sipe/containers-first.xml");
    assert_eq!(
        presentity
            .set_container_members(&delegate, members)
            .unwrap_err()
            .status,
        403
    );
    // Named again as it is: no change.
    let again = presentity
        .set_delegates(&sender, request(2, true).write().as_bytes())
        .unwrap();
    assert_eq!(*again.own(), OwnChange::default());
}
