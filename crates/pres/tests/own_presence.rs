//! A client's mirror of its own presence, and what it writes.

use ocs_pres::client::{InstanceKey, OwnEvent, SelfPresence, WriteId, WriteRequest};
use ocs_pres::doc::{
    ContainerId, ExpireType, Publication, RoamingData, SourceNetwork, content_type,
};
use ocs_xml::{Limits, Raw, from_slice};

const OWN: &str = "sip:bob@contoso.com";

fn document(inner: &str) -> RoamingData {
    from_slice(wrapped(inner).as_bytes(), &Limits::default()).unwrap()
}

fn wrapped(inner: &str) -> String {
    format!(
        r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self">{inner}</roamingData>"#
    )
}

fn categories(inner: &str) -> String {
    format!(
        r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="{OWN}">{inner}</categories>"#
    )
}

fn note(container: u16, version: u32, text: &str) -> String {
    format!(
        r#"<category name="note" instance="0" container="{container}" version="{version}" expireType="static">{}</category>"#,
        value(text)
    )
}

fn value(text: &str) -> Raw {
    let text = format!(
        r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">{text}</body></note>"#
    );
    Raw::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn key(container: u16) -> InstanceKey {
    InstanceKey::new("note", ContainerId::new(container).unwrap(), 0)
}

fn draft(container: u16, text: &str) -> Publication {
    let container = ContainerId::new(container).unwrap();
    Publication::new(
        "note",
        0,
        container,
        0,
        ExpireType::Static,
        Some(value(text)),
    )
}

fn removal(container: u16) -> Publication {
    let container = ContainerId::new(container).unwrap();
    Publication::removal("note", 0, container, 0, ExpireType::Time)
}

/// With these categories, after the first document.
fn loaded(inner: &str) -> SelfPresence {
    let mut own = SelfPresence::new(OWN);
    own.handle_document(&document(&categories(inner)));
    while own.poll_event().is_some() {}
    own
}

fn events(own: &mut SelfPresence) -> Vec<OwnEvent> {
    std::iter::from_fn(|| own.poll_event()).collect()
}

/// What a publish says, as (container, version, expires).
fn said(request: &WriteRequest) -> Vec<(u16, u32, Option<i64>)> {
    let publish: ocs_pres::doc::Publish =
        from_slice(request.body.as_bytes(), &Limits::default()).unwrap();
    publish
        .publications
        .publications
        .iter()
        .map(|one| (one.container.get(), one.version, one.expires))
        .collect()
}

#[test]
fn nothing_is_published_before_the_first_document() {
    let mut own = SelfPresence::new(OWN);
    let id = own.publish(vec![draft(200, "hi"), draft(300, "hi")]);
    assert_eq!(own.poll_request(), None);
    own.handle_document(&document(&categories(&note(200, 4, "old"))));
    assert_eq!(
        events(&mut own),
        [
            OwnEvent::Changed {
                categories: vec!["note".into()]
            },
            OwnEvent::Loaded
        ]
    );
    let request = own.poll_request().unwrap();
    assert_eq!(request.content_type, content_type::PUBLISH);
    assert_eq!(said(&request), [(200, 4, None), (300, 0, None)]);
    // One at a time.
    own.publish(vec![draft(400, "hi")]);
    assert_eq!(own.poll_request(), None);
    let answer = wrapped(&categories(&(note(200, 5, "hi") + &note(300, 1, "hi"))));
    own.handle_answer(id, Some(200), answer.as_bytes());
    assert_eq!(own.version(&key(200)), 5);
    assert_eq!(own.value(&key(300)), Some(&value("hi")));
    assert!(events(&mut own).contains(&OwnEvent::Written(id)));
    assert_eq!(said(&own.poll_request().unwrap()), [(400, 0, None)]);
}

#[test]
fn what_is_there_already_is_not_published_again() {
    let mut own = loaded(&(note(200, 4, "hi") + &note(300, 2, "old")));
    let id = own.publish(vec![draft(200, "hi")]);
    assert_eq!(own.poll_request(), None);
    assert_eq!(events(&mut own), [OwnEvent::Written(id)]);
    own.publish(vec![draft(200, "hi"), draft(300, "hi")]);
    assert_eq!(said(&own.poll_request().unwrap()), [(300, 2, None)]);
    // What lives for a time begins it anew, and what is not there need not be removed.
    let mut own = loaded(&note(200, 4, "hi"));
    own.publish(vec![draft(200, "hi").expires(60), removal(300)]);
    assert_eq!(said(&own.poll_request().unwrap()), [(200, 4, Some(60))]);
    let mut own = loaded(&note(200, 4, "hi"));
    own.publish(vec![removal(200)]);
    let request = own.poll_request().unwrap();
    assert_eq!(said(&request), [(200, 4, Some(0))]);
    assert!(
        request.body.contains(r#"expireType="static""#),
        "as it was published"
    );
}

fn conflict(operations: &str) -> String {
    format!(
        "<Fault><Faultcode>Client.BadCall.WrongDelta</Faultcode><details>{operations}</details></Fault>"
    )
}

#[test]
fn a_conflict_is_sent_again_with_the_versions_that_it_names() {
    let mut own = loaded("");
    let id = own.publish(vec![draft(200, "hi"), draft(300, "hi")]);
    own.poll_request().unwrap();
    let body = conflict(r#"<operation index="2" version="0" curVersion="7"/>"#);
    own.handle_answer(id, Some(409), body.as_bytes());
    assert_eq!(
        said(&own.poll_request().unwrap()),
        [(200, 0, None), (300, 7, None)]
    );
    // Three times, then it is told.
    for _ in 0..2 {
        own.handle_answer(id, Some(409), body.as_bytes());
        assert!(own.poll_request().is_some());
    }
    own.handle_answer(id, Some(409), body.as_bytes());
    assert_eq!(own.poll_request(), None);
    assert_eq!(events(&mut own), [OwnEvent::Refused { id, status: 409 }]);
    // A conflict that names nothing is a refusal, and so is silence.
    for (status, body) in [
        (Some(409), ""),
        (Some(409), conflict("").as_str()),
        (
            Some(409),
            conflict(r#"<operation index="0" version="0" curVersion="7"/>"#).as_str(),
        ),
        (Some(403), ""),
        (None, ""),
    ] {
        let id = own.publish(vec![draft(400, "hi")]);
        own.poll_request().unwrap();
        own.handle_answer(id, status, body.as_bytes());
        let status = status.unwrap_or(408);
        assert_eq!(events(&mut own), [OwnEvent::Refused { id, status }]);
    }
}

#[test]
fn a_value_that_another_endpoint_changed_is_overwritten() {
    // The mirror thinks that 200 says "hi"; the server knows better.
    let mut own = loaded(&note(200, 4, "hi"));
    let id = own.publish(vec![draft(200, "new"), draft(300, "new")]);
    own.poll_request().unwrap();
    let body = conflict(r#"<operation index="1" version="4" curVersion="6"/>"#);
    own.handle_answer(id, Some(409), body.as_bytes());
    assert_eq!(
        said(&own.poll_request().unwrap()),
        [(200, 6, None), (300, 0, None)]
    );
}

#[test]
fn a_document_is_complete_for_the_names_that_it_mentions() {
    let other =
        r#"<category name="device" instance="1" container="2" version="1" expireType="endpoint"/>"#;
    let mut own = loaded(&(note(200, 1, "a") + &note(300, 1, "a") + other));
    own.handle_document(&document(&categories(&note(300, 2, "b"))));
    let containers = |own: &SelfPresence| -> Vec<u16> {
        own.instances("note")
            .map(|(key, _)| key.container.get())
            .collect()
    };
    assert_eq!(containers(&own), [300]);
    assert_eq!(own.instances("device").count(), 1);
    own.handle_document(&document(&categories(
        &(note(200, 1, "a") + &note(300, 3, "b")),
    )));
    // Only that one container is empty.
    own.handle_document(&document(&categories(
        r#"<category name="note" container="200"/>"#,
    )));
    assert_eq!(containers(&own), [300]);
    own.handle_document(&document(&categories(r#"<category name="note"/>"#)));
    assert_eq!(containers(&own), [] as [u16; 0]);
    assert_eq!(own.version(&key(300)), 0);
    assert_eq!(own.instances("device").count(), 1);
}

#[test]
fn of_an_answer_and_a_notification_the_higher_version_counts() {
    let mut own = loaded(&note(200, 1, "a"));
    let id = own.publish(vec![draft(200, "c")]);
    own.poll_request().unwrap();
    let answer = wrapped(&categories(&note(200, 3, "c")));
    own.handle_answer(id, Some(200), answer.as_bytes());
    events(&mut own);
    // It was on its way before.
    own.handle_document(&document(&categories(&note(200, 2, "b"))));
    assert_eq!(own.version(&key(200)), 3);
    assert_eq!(own.value(&key(200)), Some(&value("c")));
    assert_eq!(events(&mut own), []);
}

const MEMBERS: &str = r#"<containers xmlns="http://schemas.microsoft.com/2006/09/sip/containers">
    <container id="100" version="3"><member type="user" value="alice@contoso.com"/><member type="federated"/></container>
    <container id="200" version="5"><member type="sameEnterprise"/></container>
    <container id="300" version="2"><member type="user" value="Carol@contoso.com"/><member type="domain" value="partner.example"/></container>
</containers>"#;

#[test]
fn who_sees_what() {
    use SourceNetwork::{Federated, PublicCloud, SameEnterprise};
    let mut own = loaded("");
    own.handle_document(&document(MEMBERS));
    for (watcher, network, level) in [
        ("alice@contoso.com", SameEnterprise, 100),
        ("carol@contoso.com", SameEnterprise, 300),
        ("dave@contoso.com", SameEnterprise, 200),
        ("eve@fabrikam.com", Federated, 100),
        ("eve@partner.example", Federated, 300),
        ("eve@eu.partner.example", Federated, 300),
        ("eve@notpartner.example", Federated, 100),
        ("eve@live.example", PublicCloud, 0),
    ] {
        assert_eq!(own.level_of(watcher, &network).get(), level, "{watcher}");
    }
}

#[test]
fn moving_between_containers() {
    let mut own = loaded("");
    own.handle_document(&document(MEMBERS));
    events(&mut own);
    let mut body = |user: &str, to: Option<ContainerId>| {
        let id = own.move_to(user, SourceNetwork::SameEnterprise, to);
        let request = own.poll_request();
        own.handle_answer(id, None, b"");
        request.map(|request| {
            assert_eq!(request.content_type, content_type::SET_CONTAINER_MEMBERS);
            let start = request.body.find("<container ").unwrap();
            request.body[start..].replace("</setContainerMembers>", "")
        })
    };
    // Blocking, as in the specification's example.
    assert_eq!(
        body("alice@contoso.com", Some(ContainerId::BLOCKED)).unwrap(),
        r#"<container id="100" version="3"><member action="remove" type="user" value="alice@contoso.com"/></container><container id="32000" version="0"><member action="add" type="user" value="alice@contoso.com"/></container>"#
    );
    // Where he is by his network already, he needs no entry.
    assert_eq!(
        body("alice@contoso.com", Some(ContainerId::COMPANY)).unwrap(),
        r#"<container id="100" version="3"><member action="remove" type="user" value="alice@contoso.com"/></container>"#
    );
    assert_eq!(
        body("alice@contoso.com", None),
        body("alice@contoso.com", Some(ContainerId::COMPANY))
    );
    // Nothing to do.
    assert_eq!(body("carol@contoso.com", Some(ContainerId::TEAM)), None);
    assert_eq!(body("dave@contoso.com", None), None);
}

#[test]
fn members_are_so_before_the_notification_says_it() {
    let mut own = loaded("");
    own.handle_document(&document(MEMBERS));
    let block = own.move_to(
        "dave@contoso.com",
        SourceNetwork::SameEnterprise,
        Some(ContainerId::BLOCKED),
    );
    let allow = own.move_to("dave@contoso.com", SourceNetwork::SameEnterprise, None);
    own.poll_request().unwrap();
    own.handle_answer(block, Some(200), b"");
    assert_eq!(
        own.level_of("dave@contoso.com", &SourceNetwork::SameEnterprise),
        ContainerId::BLOCKED
    );
    let request = own.poll_request().unwrap();
    assert_eq!(request.id, allow);
    assert!(
        request
            .body
            .contains(r#"<container id="32000" version="1"><member action="remove""#),
        "{}",
        request.body
    );
    // The versions of a conflict are taken over here too.
    let body = conflict(r#"<operation index="1" version="1" curVersion="9"/>"#);
    own.handle_answer(allow, Some(409), body.as_bytes());
    let request = own.poll_request().unwrap();
    assert!(
        request
            .body
            .contains(r#"<container id="32000" version="9">"#),
        "{}",
        request.body
    );
}

#[test]
fn members_of_the_first_sign_in() {
    // A server that shows no containers is left alone.
    let mut own = loaded("");
    let id = own.add_first_members();
    assert_eq!(own.poll_request(), None);
    assert_eq!(events(&mut own), [OwnEvent::Written(id)]);
    own.handle_document(&document(
        r#"<containers xmlns="http://schemas.microsoft.com/2006/09/sip/containers"/>"#,
    ));
    let id = own.add_first_members();
    let request = own.poll_request().unwrap();
    // As SIPE writes it.
    assert_eq!(
        request.body,
        r#"<setContainerMembers xmlns="http://schemas.microsoft.com/2006/09/sip/container-management"><container id="200" version="0"><member action="add" type="sameEnterprise"/></container><container id="100" version="0"><member action="add" type="federated"/></container></setContainerMembers>"#
    );
    own.handle_answer(id, Some(200), b"");
    own.add_first_members();
    assert_eq!(own.poll_request(), None);
}

#[test]
fn watchers_are_prompted_for_once() {
    let pending = |acknowledged: bool| {
        document(&format!(
            r#"<subscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="alice@contoso.com" displayName="" acknowledged="{acknowledged}" type="sameEnterprise"/></subscribers>"#
        ))
    };
    let mut own = loaded("");
    own.handle_document(&pending(false));
    own.handle_document(&pending(false));
    let told = events(&mut own);
    assert!(
        matches!(&told[..], [OwnEvent::SubscriberPending(who)] if who.user == "alice@contoso.com"),
        "{told:?}"
    );
    let id = own.acknowledge("alice@contoso.com");
    let request = own.poll_request().unwrap();
    assert_eq!(request.content_type, content_type::SET_SUBSCRIBERS);
    assert_eq!(
        request.body,
        r#"<setSubscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="alice@contoso.com" acknowledged="true"/></setSubscribers>"#
    );
    own.handle_answer(id, Some(200), b"");
    assert!(own.subscribers().all(|one| one.acknowledged));
    // She was removed, and came again.
    events(&mut own);
    own.handle_document(&pending(false));
    assert_eq!(events(&mut own).len(), 1);
}

#[test]
fn a_lost_connection_loses_nothing_that_was_to_be_written() {
    let mut own = loaded(&note(200, 4, "a"));
    let first = own.publish(vec![draft(200, "b")]);
    let second = own.publish(vec![draft(300, "c")]);
    own.poll_request().unwrap();
    own.reset();
    assert_eq!(own.poll_request(), None);
    // An answer of before does not count.
    own.handle_answer(first, Some(200), b"");
    // It had come through.
    own.handle_document(&document(&categories(&note(200, 5, "b"))));
    assert_eq!(own.poll_request().unwrap().id, second);
    assert!(events(&mut own).contains(&OwnEvent::Written(first)));
}

#[test]
fn delegates_do_not_go_back() {
    let delegates = |version: u32| {
        document(&format!(
            r#"<delegates xmlns="http://schemas.microsoft.com/2007/09/sip/delegates" version="{version}"><delegate uri="john@contoso.com" publish="false" redelegate="false"/></delegates>"#
        ))
    };
    let mut own = loaded("");
    own.handle_document(&delegates(2));
    own.handle_document(&delegates(1));
    assert_eq!(own.delegates().unwrap().version, 2);
    assert_eq!(events(&mut own), [OwnEvent::DelegatesChanged]);
}

#[test]
fn answers_to_nothing() {
    let mut own = loaded("");
    own.handle_answer(WriteId(7), Some(200), b"");
    let id = own.publish(vec![draft(200, "a")]);
    own.poll_request().unwrap();
    own.handle_answer(WriteId(7), Some(200), b"");
    // A body that cannot be read says nothing.
    own.handle_answer(id, Some(200), b"<roamingData");
    assert_eq!(events(&mut own), [OwnEvent::Written(id)]);
}
