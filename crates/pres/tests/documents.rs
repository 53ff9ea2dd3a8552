//! Documents of the specification and of a real client, both ways.

mod common;

use bytes::Bytes;
use common::{data, mime};
use ocs_pres::Error;
use ocs_pres::doc::{
    ActionName, BatchSub, Categories, Category, Change, ContainerId, Containers, DelegateChange,
    Delegates, Document, ExpireType, Fault, InstanceState, Limits, List, ListBody,
    ListNotification, ListResource, Member, MemberType, Operation, Publication, Publish, Resource,
    RoamingData, RoamingList, RoamingPart, SetContainerMembers, SetDelegates, SetSubscribers,
    content_type,
};
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_xml::{Element, Raw, from_slice, to_string};

fn read<T: Element>(document: &[u8]) -> T {
    from_slice(document, &ocs_xml::Limits::default()).unwrap()
}

/// What is read is written again octet for octet.
fn canonical<T: Element>(document: &[u8]) -> T {
    let read: T = read(document);
    let text = std::str::from_utf8(document).unwrap().trim_end();
    assert_eq!(to_string(&read), text);
    read
}

/// What is read is written in other octets that mean the same.
fn stable<T: Element + PartialEq + std::fmt::Debug>(document: &[u8]) -> T {
    let first: T = read(document);
    let again: T = read(to_string(&first).as_bytes());
    assert_eq!(first, again);
    first
}

#[test]
fn publish_of_the_specification() {
    let publish: Publish = stable(data!("vectors/publish-initial.xml"));
    let publications = &publish.publications;
    assert_eq!(publications.uri, "sip:bob@contoso.com");
    let names: Vec<_> = publications
        .publications
        .iter()
        .map(|p| (p.category_name.as_str(), p.instance, p.container.get()))
        .collect();
    assert_eq!(
        names,
        [
            ("device", 1_282_926_316, 2),
            ("state", 885_489_262, 2),
            ("state", 885_489_262, 3),
            ("state", 0x2000_0000, 2),
            ("state", 0x2000_0000, 3),
        ]
    );
    assert_eq!(
        publications.publications[0].expire_type,
        ExpireType::Endpoint
    );
    assert_eq!(publications.publications[4].expire_type, ExpireType::Static);
    let device = publications.publications[0].value.as_ref().unwrap();
    assert_eq!(device.name(), "device");
    assert!(device.as_str().contains("<machineName>PC1</machineName>"));

    let dnd: Publish = stable(data!("vectors/publish-dnd.xml"));
    assert_eq!(dnd.publications.publications[1].expires, Some(86400));
    let note: Publish = stable(data!("vectors/publish-note.xml"));
    let value = note.publications.publications[0].value.as_ref().unwrap();
    assert!(value.as_str().contains("Back at 3 &amp; then out"));
    let delete: Publish = stable(data!("vectors/publish-note-delete.xml"));
    for publication in &delete.publications.publications {
        assert!(publication.is_removal());
        assert_eq!(publication.value, None);
    }
}

#[test]
fn publish_is_written_as_sipe_writes_it() {
    for document in [
        data!("sipe/publish-first.xml"),
        data!("sipe/publish-alice-first.xml"),
        data!("sipe/publish-busy.xml"),
        data!("sipe/publish-dnd.xml"),
        data!("sipe/publish-again.xml"),
        data!("sipe/publish-conflict.xml"),
        data!("sipe/publish-repeated.xml"),
    ] {
        stable::<Publish>(document);
    }
    let value = Raw::parse(
        br#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"/>"#,
        &ocs_xml::Limits::default(),
    )
    .unwrap();
    let publish = Publish::new(
        "sip:bob@contoso.com",
        vec![
            Publication::new(
                "note",
                0,
                ContainerId::PUBLIC,
                3,
                ExpireType::Static,
                Some(value),
            ),
            Publication::removal("note", 0, ContainerId::TEAM, 2, ExpireType::Static),
        ],
    );
    assert_eq!(
        to_string(&publish),
        concat!(
            r#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:bob@contoso.com">"#,
            r#"<publication categoryName="note" instance="0" container="100" version="3" expireType="static">"#,
            r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"/></publication>"#,
            r#"<publication categoryName="note" instance="0" container="300" version="2" expireType="static" expires="0"/>"#,
            "</publications></publish>"
        )
    );
}

#[test]
fn publish_that_its_schema_does_not_allow() {
    let with = |attributes: &str, value: &str| {
        let document = format!(
            r#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:bob@contoso.com"><publication {attributes}>{value}</publication></publications></publish>"#
        );
        from_slice::<Publish>(document.as_bytes(), &ocs_xml::Limits::default())
    };
    let good = r#"categoryName="note" instance="4294967295" container="32767" version="0" expireType="static""#;
    assert!(with(good, "<note/>").is_ok());
    assert!(with(good, "").is_ok());
    assert!(with(good, "<note/><note/>").is_err());
    for (from, to) in [
        ("32767", "32768"),
        ("32767", "-1"),
        ("4294967295", "4294967296"),
        ("static", "Static"),
        (r#" version="0""#, ""),
        (r#"categoryName="note""#, ""),
        (r#"version="0""#, r#"version="0" version="0""#),
    ] {
        assert!(with(&good.replace(from, to), "<note/>").is_err(), "{to}");
    }
}

#[test]
fn fault() {
    let fault: Fault = canonical(data!("vectors/fault-409.xml"));
    assert_eq!(fault.code, Fault::WRONG_DELTA);
    assert_eq!(
        fault.operations(),
        [Operation::new(1, 1, 2), Operation::new(3, 0, 7)]
    );
    let accepted_by_sipe: Fault = canonical(data!("sipe/conflict.xml"));
    assert_eq!(
        accepted_by_sipe,
        Fault::wrong_delta(vec![Operation::new(1, 0, 7), Operation::new(2, 0, 7)])
    );
}

#[test]
fn self_subscription() {
    let request: RoamingList = canonical(data!("vectors/roaming-self-request.xml"));
    assert_eq!(
        request,
        RoamingList::new([
            RoamingPart::Categories,
            RoamingPart::Containers,
            RoamingPart::Subscribers
        ])
    );
    assert!(!request.wants(&RoamingPart::Delegates));
    let sipe: RoamingList = stable(data!("sipe/self-request.xml"));
    assert!(sipe.wants(&RoamingPart::Subscribers));
}

#[test]
fn own_data() {
    let data: RoamingData = stable(data!("vectors/roaming-self-notify.xml"));
    assert_eq!(data.uri().unwrap(), "sip:bob@contoso.com");
    let categories = data.categories.unwrap().categories;
    let aggregate = &categories[2];
    assert_eq!(aggregate.container, Some(ContainerId::COMPANY));
    assert_eq!(aggregate.version, Some(3));
    assert_eq!(aggregate.expire_type, Some(ExpireType::User));
    assert_eq!(aggregate.value().unwrap().name(), "state");
    assert_eq!(categories[3], Category::none("calendarData"));
    assert_eq!(categories[4].container, Some(ContainerId::PERSONAL));
    assert_eq!(categories[4].instance, None);
    let containers = data.containers.unwrap().containers;
    assert_eq!(
        containers[0].members,
        [Member::network(MemberType::SameEnterprise)]
    );
    assert_eq!(
        containers[1].members,
        [
            Member::user("alice@contoso.com"),
            Member::domain("fabrikam.com")
        ]
    );
    let subscribers = data.subscribers.unwrap().subscribers;
    assert_eq!(subscribers[0].user, "john@contoso.com");
    assert!(!subscribers[0].acknowledged);

    let first: RoamingData = stable(data!("sipe/self-first.xml"));
    assert_eq!(first.containers, Some(Containers::default()));
    stable::<RoamingData>(data!("sipe/self-published.xml"));
    canonical::<RoamingData>(data!("sipe/self-containers.xml"));
}

#[test]
fn containers_are_known_by_name_alone() {
    let document = br#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><containers xmlns="urn:other"><container id="300" version="2"><member type="everyone"/><new/></container></containers></roamingData>"#;
    let data: RoamingData = read(document);
    let container = &data.containers.unwrap().containers[0];
    assert_eq!(container.id, ContainerId::TEAM);
    assert_eq!(container.members, [Member::network(MemberType::Everyone)]);
}

#[test]
fn members_of_containers() {
    let request: SetContainerMembers = canonical(data!("vectors/setcontainermembers.xml"));
    let (from, to) = (&request.containers[0], &request.containers[1]);
    assert_eq!((from.id, from.version), (ContainerId::PUBLIC, 3));
    assert_eq!(from.members[0].action, Change::Remove);
    assert_eq!((to.id, to.version), (ContainerId::BLOCKED, 7));
    assert_eq!(to.members[0].kind, MemberType::User);
    let sipe: SetContainerMembers = canonical(data!("sipe/containers-first.xml"));
    assert_eq!(
        sipe.containers[0].members[0].kind,
        MemberType::SameEnterprise
    );
}

#[test]
fn acknowledgement() {
    let request: SetSubscribers = canonical(data!("vectors/setsubscribers.xml"));
    assert_eq!(request, SetSubscribers::new("john@contoso.com"));
    assert_eq!(request.user(), Ok("john@contoso.com"));
    let sipe: SetSubscribers = canonical(data!("sipe/acknowledge.xml"));
    assert_eq!(sipe.user(), Ok("bob@contoso.com"));
    let refused: SetSubscribers = read(
        br#"<setSubscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="a@b" acknowledged="false"/></setSubscribers>"#,
    );
    assert!(refused.user().is_err());
    let two = br#"<setSubscribers><subscriber user="a@b" acknowledged="true"/><subscriber user="a@c" acknowledged="true"/></setSubscribers>"#;
    assert!(from_slice::<SetSubscribers>(two, &ocs_xml::Limits::default()).is_err());
}

#[test]
fn delegates() {
    let delegates: Delegates = canonical(data!("vectors/delegates.xml"));
    assert_eq!(delegates.version, 2);
    assert_eq!(delegates.delegates[0].uri, "john@contoso.com");
    let request = SetDelegates {
        version: 2,
        changes: vec![
            DelegateChange {
                uri: "john@contoso.com".into(),
                action: Change::Add,
                publish: true,
                redelegate: false,
            },
            DelegateChange {
                uri: "alice@contoso.com".into(),
                action: Change::Remove,
                publish: false,
                redelegate: false,
            },
        ],
    };
    let limits = ocs_xml::Limits::default();
    assert_eq!(
        SetDelegates::parse(request.write().as_bytes(), &limits),
        Ok(request)
    );
    let foreign = br#"<d:setDelegate xmlns:d="urn:other"><delegate uri="a@b"><publishOperation authorization="allow"/></delegate></d:setDelegate>"#;
    let read = SetDelegates::parse(foreign, &limits).unwrap();
    assert!(read.changes[0].publish);
    assert!(SetDelegates::parse(b"<publish/>", &limits).is_err());
}

#[test]
fn category_subscription() {
    let batch: BatchSub = canonical(data!("vectors/batchsub.xml"));
    let action = &batch.actions[0];
    assert_eq!(action.name, ActionName::Subscribe);
    assert_eq!(action.id.as_deref(), Some("63792024"));
    assert!(action.resources()[0].context.is_none());
    assert!(action.resources()[1].context.is_some());
    assert_eq!(
        action.categories().collect::<Vec<_>>(),
        ["calendarData", "contactCard", "note", "services", "state"]
    );
    let rebuilt = BatchSub::new(
        "sip:bob@contoso.com",
        vec![ocs_pres::doc::Action::new(
            ActionName::Subscribe,
            "63792024",
            vec![
                Resource::new("sip:alice@contoso.com"),
                Resource::added("sip:john@contoso.com", None),
            ],
            ["calendarData", "contactCard", "note", "services", "state"],
        )],
    );
    assert_eq!(rebuilt, batch);
    let sipe: BatchSub = stable(data!("sipe/batch-added.xml"));
    assert_eq!(sipe.actions[0].categories().count(), 4);
    let pool: BatchSub = stable(data!("sipe/batch-pool.xml"));
    assert_eq!(pool.actions[0].resources()[0].uri, "sip:dave@fabrikam.com");
}

#[test]
fn context_of_2007_r2() {
    let context = br#"<subscriptionContext xmlns="http://schemas.microsoft.com/2008/09/sip/SubscriptionContext" majorVersion="1" minorVersion="0"><watcher><contactList/></watcher></subscriptionContext>"#;
    let raw = Raw::parse(context, &ocs_xml::Limits::default()).unwrap();
    let resource = Resource::added("sip:john@contoso.com", Some(raw.clone()));
    let again: Resource = read(to_string(&resource).as_bytes());
    assert_eq!(again.context.unwrap().value, Some(raw));
}

fn notification(file: &'static [u8]) -> ListNotification {
    let (kind, body) = mime(file);
    ListNotification::parse(&kind, &body, &Limits::default()).unwrap()
}

fn categories(document: &Document) -> &Categories {
    match document {
        Document::Categories(categories) => categories,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_to_a_batch() {
    let sipe = notification(data!("sipe/batch-answer.mime"));
    let list = sipe.list.as_ref().unwrap();
    assert_eq!(list.resources[0].instances[0].state, InstanceState::Active);
    let document = categories(&sipe.documents[0]);
    assert_eq!(document.uri, "sip:alice@contoso.com");
    assert_eq!(document.categories.len(), 4);

    let notify = notification(data!("sipe/batch-notify.mime"));
    assert_eq!(categories(&notify.documents[0]).categories.len(), 4);

    let pool = notification(data!("sipe/resubscribe-pool.mime"));
    let instance = &pool.list.unwrap().resources[0].instances[0];
    assert_eq!(instance.state, InstanceState::Resubscribe);
    assert_eq!(instance.pool.as_deref(), Some("sip:pool2.contoso.com"));
    assert!(pool.documents.is_empty());
}

#[test]
fn lists_of_the_specifications() {
    let ms = notification(data!("vectors/rlmi-ms.txt"));
    assert_eq!(
        categories(&ms.documents[0]).categories,
        [Category::none("note")]
    );
    let standard = notification(data!("vectors/rlmi-standard.txt"));
    let list = standard.list.unwrap();
    assert!(list.full_state);
    assert_eq!(list.names[0].value, "Friends");
    assert_eq!(list.resources.len(), 3);
    assert_eq!(
        list.resources[1].instances[0].reason.as_deref(),
        Some("noresource")
    );
    assert!(list.resources[2].instances.is_empty());
    assert!(matches!(&standard.documents[0],
        Document::Other { content_type, .. } if content_type == content_type::PIDF));
    let again: List = read(to_string(&list).as_bytes());
    assert_eq!(again, list);

    let kind = ContentType::parse_value(
        r#"multipart/related; type="application/rlmi+xml"; start=resourceList; boundary=b1"#,
    )
    .unwrap();
    let body = Bytes::from_static(data!("vectors/batch-200-body.txt"));
    let answer = ListNotification::parse(&kind, &body, &Limits::default()).unwrap();
    let alice = categories(&answer.documents[0]);
    assert_eq!(*alice, read(data!("vectors/categories-notify.xml")));
}

#[test]
fn what_is_built_is_what_sipe_accepted() {
    let (kind, body) = mime(data!("sipe/batch-answer.mime"));
    let parsed = ListNotification::parse(&kind, &body, &Limits::default()).unwrap();
    let boundary = kind.params.get("boundary").unwrap();
    let alice = br#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:alice@contoso.com">"#;
    let at = memchr::memmem::find(&body, alice).unwrap();
    let end = at + memchr::memmem::find(&body[at..], b"\r\n").unwrap();
    let (built_kind, built) = ListBody::new(parsed.list.as_ref().unwrap(), boundary)
        .unwrap()
        .part(
            "alice@contoso.com",
            content_type::CATEGORIES,
            &body[at..end],
        )
        .finish()
        .unwrap();
    // Headers of a part have another order.
    let lines = |body: &Bytes| {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let parts = text.split("--e9dc").map(|part| {
            let mut lines: Vec<_> = part.split("\r\n").map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        });
        parts.collect::<Vec<_>>()
    };
    assert_eq!(built.len(), body.len());
    assert_eq!(lines(&built), lines(&body));
    assert_eq!(
        built_kind,
        format!(
            r#"multipart/related; type="application/rlmi+xml";start=resourceList; boundary={boundary}"#
        )
    );
}

#[test]
fn lone_documents() {
    let parse = |kind: &'static str, body: &'static [u8]| {
        let kind = ContentType::parse_value(kind).unwrap();
        ListNotification::parse(&kind, &Bytes::from_static(body), &Limits::default())
    };
    let lone = parse(content_type::CATEGORIES, data!("sipe/notify-busy.xml")).unwrap();
    assert_eq!(categories(&lone.documents[0]).uri, "sip:alice@contoso.com");
    let list = br#"<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:bob@contoso.com" version="1" fullState="false"/>"#;
    let list = parse("Application/RLMI+xml; charset=utf-8", list).unwrap();
    assert_eq!(list.list.unwrap().version, 1);
    let legacy = parse("text/xml+msrtc.pidf", b"<presentity/>").unwrap();
    assert!(matches!(&legacy.documents[0], Document::Other { .. }));
    assert!(parse(content_type::CATEGORIES, b"<categories").is_err());
    assert!(parse("multipart/related", b"").is_err());
}

#[test]
fn one_bad_part_does_not_take_the_others_along() {
    let list = List::new(
        "sip:bob@contoso.com",
        vec![ListResource::terminated(
            "sip:gone@contoso.com",
            "noresource",
            404,
        )],
    );
    let good = to_string(&Categories::new("sip:alice@contoso.com", vec![]));
    let (kind, body) = ListBody::new(&list, "b")
        .unwrap()
        .part("bad@contoso.com", content_type::CATEGORIES, b"<categories>")
        .part(
            "alice@contoso.com",
            content_type::CATEGORIES,
            good.as_bytes(),
        )
        .finish()
        .unwrap();
    let kind = ContentType::parse_value(&kind).unwrap();
    let parsed = ListNotification::parse(&kind, &body, &Limits::default()).unwrap();
    assert_eq!(parsed.list, Some(list));
    assert!(matches!(&parsed.documents[0],
        Document::Malformed { content_id: Some(id), error: Error::Xml(_) } if id == "bad@contoso.com"));
    assert_eq!(
        categories(&parsed.documents[1]).uri,
        "sip:alice@contoso.com"
    );
}

#[test]
fn a_boundary_is_a_token_that_no_part_holds() {
    let list = List::new("sip:bob@contoso.com", vec![]);
    assert!(ListBody::new(&list, "a b").is_err());
    assert!(ListBody::new(&list, "").is_err());
    assert!(ListBody::new(&list, "a;b").is_err());
    let body = ListBody::new(&list, "b1").unwrap();
    assert!(
        body.part("x", content_type::CATEGORIES, b"--b1")
            .finish()
            .is_err()
    );
}

#[test]
fn unknown_content_survives() {
    let document = r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:a@b" new="1"><category name="note" instance="0" x:y="z" xmlns:x="urn:x"><note xmlns="urn:n">a</note><more xmlns="urn:m"/></category><other/></categories>"#;
    let read: Categories = stable(document.as_bytes());
    assert_eq!(read.categories[0].values.len(), 2);
    let text = to_string(&read);
    for part in [
        r#"new="1""#,
        r#"x:y="z""#,
        r#"<more xmlns="urn:m"/>"#,
        "<other/>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
