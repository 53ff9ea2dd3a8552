//! Bodies that mean harm: refused whole, in time that is linear in them.

mod common;

use std::fmt::Write;

use common::*;
use ocs_pres::doc::{
    BatchSub, Categories, ListNotification, Publish, RoamingData, SetContainerMembers,
    SetDelegates, SetSubscribers, content_type,
};
use ocs_pres::server::{Policy, Refusal, Sender};
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::uri::Aor;
use ocs_xml::from_slice;

/// A publish request around a value.
fn publish(value: &str) -> String {
    format!(
        r#"<publish xmlns="http://schemas.microsoft.com/2006/09/sip/rich-presence"><publications uri="sip:bob@contoso.com"><publication categoryName="note" instance="0" container="200" version="0" expireType="static">{value}</publication></publications></publish>"#
    )
}

fn status(body: &str) -> u16 {
    let mut bob = Bob::online();
    let before = bob.document();
    let refusal = bob.publish_body(body.as_bytes()).unwrap_err();
    assert_eq!(bob.document(), before, "nothing is half applied");
    refusal.status
}

#[test]
fn entities_that_grow() {
    let mut body = String::from(r#"<!DOCTYPE publish [<!ENTITY a0 "lol">"#);
    for level in 1..10 {
        let inner = format!("&a{};", level - 1).repeat(10);
        write!(body, r#"<!ENTITY a{level} "{inner}">"#).unwrap();
    }
    body.push_str("]>");
    body.push_str(&publish("<note>&a9;</note>"));
    assert_eq!(status(&body), 400);
    assert_eq!(status(&publish("<note>&a9;</note>")), 400);
    assert_eq!(
        status(&format!(
            r#"<!DOCTYPE p SYSTEM "file:///etc/passwd">{}"#,
            publish("")
        )),
        400
    );
}

#[test]
fn depth() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert_eq!(status(&publish(&deep)), 400);
    assert_eq!(status(&"<publish>".repeat(100_000)), 400);
}

#[test]
fn namespaces_and_attributes() {
    assert_eq!(
        status(&publish("").replace("rich-presence", "richer-presence")),
        400
    );
    assert_eq!(status(&publish("<x:note/>")), 400, "unbound prefix");
    assert_eq!(status(&publish(r#"<note a="1" a="2"/>"#)), 400);
    assert_eq!(
        status(&publish(
            r#"<note xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2"/>"#
        )),
        400
    );
    let twice = publish("").replace("container=\"200\"", "container=\"200\" container=\"300\"");
    assert_eq!(status(&twice), 400);
    let many: Vec<_> = (0..100).map(|i| format!(" a{i}=\"\"")).collect();
    let many = many.concat();
    assert_eq!(status(&publish(&format!("<note{many}/>"))), 400);
}

#[test]
fn over_long() {
    let long = format!("<note><body>{}</body></note>", "x".repeat(20_000));
    let mut bob = Bob::online();
    let refusal = bob.publish_body(publish(&long).as_bytes()).unwrap_err();
    assert_eq!(
        (refusal.status, refusal.diagnostics),
        (413, Some(Refusal::CATEGORY_SIZE))
    );
    let longer = publish(&"x".repeat(2 << 20));
    assert_eq!(status(&longer), 400);
}

#[test]
fn a_million_users() {
    let resources = |count: usize| {
        let mut body = String::from(
            r#"<batchSub xmlns="http://schemas.microsoft.com/2006/01/sip/batch-subscribe"><action name="subscribe"><adhocList>"#,
        );
        for user in 0..count {
            write!(body, r#"<resource uri="sip:u{user}@x.org"/>"#).unwrap();
        }
        body.push_str(r#"</adhocList><categoryList xmlns="http://schemas.microsoft.com/2006/09/sip/categorylist"><category name="state"/></categoryList></action></batchSub>"#);
        body
    };
    let limits = ocs_xml::Limits::default();
    let policy = Policy::default();
    let read = |body: &str| from_slice::<BatchSub>(body.as_bytes(), &limits);
    assert!(
        read(&resources(1_000_000)).is_err(),
        "more than a document may have"
    );
    let admitted = |count| policy.admit(&read(&resources(count)).unwrap());
    assert_eq!(admitted(1000), Ok(()));
    let refusal = admitted(20_000).unwrap_err();
    assert_eq!(
        (refusal.status, refusal.diagnostics),
        (403, Some(Refusal::SUBSCRIBER_LIMIT))
    );
    assert_eq!(admitted(0).unwrap_err().status, 400);
}

#[test]
fn on_behalf_of_others() {
    let mut bob = Bob::online();
    let mallory = Aor::parse("mallory@contoso.com").unwrap();
    let sender = Sender {
        user: &mallory,
        endpoint: Some(ENDPOINT),
        trusted: false,
    };
    let now = bob.now;
    let before = bob.document();
    let refusal = bob
        .presentity
        .publish(now, &sender, data!("vectors/publish-note.xml"))
        .unwrap_err();
    assert_eq!(refusal.status, 403);
    assert_eq!(bob.document(), before);
}

/// Reads with every reader there is; none may panic.
fn read_all(document: &[u8]) {
    let limits = ocs_xml::Limits::default();
    let _ = from_slice::<Publish>(document, &limits);
    let _ = from_slice::<RoamingData>(document, &limits);
    let _ = from_slice::<SetContainerMembers>(document, &limits);
    let _ = from_slice::<SetSubscribers>(document, &limits);
    let _ = from_slice::<BatchSub>(document, &limits);
    let _ = from_slice::<Categories>(document, &limits);
    let _ = SetDelegates::parse(document, &limits);
}

#[test]
fn every_truncation() {
    let publish = data!("vectors/publish-dnd.xml");
    let mut bob = Bob::online();
    for end in 0..publish.trim_ascii_end().len() {
        assert_eq!(
            bob.publish_body(&publish[..end]).unwrap_err().status,
            400,
            "{end}"
        );
    }
    for document in [
        data!("vectors/roaming-self-notify.xml"),
        data!("vectors/batchsub.xml"),
        data!("vectors/setcontainermembers.xml"),
        data!("vectors/setsubscribers.xml"),
        data!("vectors/delegates.xml"),
    ] {
        for end in 0..document.len() {
            read_all(&document[..end]);
        }
    }
    let (kind, body) = mime(data!("sipe/batch-answer.mime"));
    for end in 0..body.len() {
        let _ =
            ListNotification::parse(&kind, &body.slice(..end), &ocs_pres::doc::Limits::default());
    }
}

#[test]
fn a_list_with_more_parts_than_are_read() {
    let kind = ContentType::parse_value("multipart/related;boundary=b").unwrap();
    let part = format!(
        "--b\r\nContent-Type: {}\r\n\r\n<categories/>\r\n",
        content_type::CATEGORIES
    );
    let body = format!("{}--b--\r\n", part.repeat(2000)).into();
    assert!(ListNotification::parse(&kind, &body, &ocs_pres::doc::Limits::default()).is_err());
}
