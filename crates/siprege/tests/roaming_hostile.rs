//! Documents of all kinds: they come back, and what is wrong is refused in bounded time.

use std::time::{Duration, Instant};

use ocs_siprege::acl::AclList;
use ocs_siprege::adhoc::AdhocList;
use ocs_siprege::contacts::{
    Change, Contact, ContactDelta, ContactExtension, ContactList, Group, GroupId, GroupSet, Mirror,
    MirrorConfig, Operation, Request, Roster, read_group_answer,
};
use ocs_siprege::soap::{Call, Fault, SearchAnswer};
use ocs_xml::{Extra, Limits, Raw, from_slice, to_string};
use proptest::prelude::*;

fn read_all(document: &[u8]) -> bool {
    let limits = Limits::default();
    let mut any = from_slice::<ContactList>(document, &limits).is_ok();
    any |= from_slice::<ContactDelta>(document, &limits).is_ok();
    any |= from_slice::<AclList>(document, &limits).is_ok();
    any |= AdhocList::parse(document, &limits).is_ok();
    any |= Call::read(document, &limits).is_ok();
    any |= SearchAnswer::read(document, &limits).is_ok();
    any |= Fault::read(document, &limits).is_ok();
    any |= read_group_answer(document, &limits).is_ok();
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.handle_subscribed(200, document);
    any | mirror.is_current()
}

const DOCUMENTS: [&str; 9] = [
    include_str!("data/pres/contactlist.xml"),
    include_str!("data/pres/contactdelta.xml"),
    include_str!("data/pres/setcontact.xml"),
    include_str!("data/pres/addgroup-response.xml"),
    include_str!("data/sipe/04-add-group.xml"),
    include_str!("data/sipe/search.xml"),
    include_str!("data/sipe/search-answer.xml"),
    include_str!("data/sipe/acl.xml"),
    include_str!("data/sipe/adhoclist.xml"),
];

#[test]
fn every_truncation_is_refused() {
    for document in DOCUMENTS {
        let document = document.trim_end();
        assert!(read_all(document.as_bytes()));
        for end in 0..document.len() {
            assert!(
                !read_all(&document.as_bytes()[..end]),
                "{}",
                &document[..end]
            );
        }
    }
}

#[test]
fn wrong_documents() {
    let body = |body: &str| {
        format!(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip">{body}</s:Envelope>"#
        )
    };
    let method = |fields: &str| {
        body(&format!(
            "<s:Body><m:setContact>{fields}</m:setContact></s:Body>"
        ))
    };
    for bad in [
        r#"<!DOCTYPE x [<!ENTITY a "b">]><contactList deltaNum="1"/>"#.into(),
        "<contactList/>".into(),
        r#"<contactList deltaNum="-1"/>"#.into(),
        r#"<contactList deltaNum="1"><group id="65" name=""/></contactList>"#.into(),
        r#"<contactList deltaNum="1"><group name=""/></contactList>"#.into(),
        r#"<contactList deltaNum="1"><group id="1"/></contactList>"#.into(),
        r#"<contactList deltaNum="1" deltaNum="1"/>"#.into(),
        r#"<adhoclist xmlns="urn:other" uri="sip:a@b.c"/>"#.into(),
        r#"<contactDelta deltaNum="2"/>"#.into(),
        r#"<contactDelta deltaNum="2" prevDeltaNum="1"><deletedGroup/></contactDelta>"#.into(),
        r#"<contactDelta deltaNum="2" prevDeltaNum="1"><deletedContact/></contactDelta>"#.into(),
        r#"<ACLlist deltaNum="1"/>"#.into(),
        r#"<ACLlist deltaNum="1"><userACL><ace type="ALL" rights="A"/></userACL></ACLlist>"#.into(),
        r#"<ACLlist deltaNum="1"><userACL><ace type="ANY" rights="AA"/></userACL></ACLlist>"#
            .into(),
        body(""),
        body("<s:Body/>"),
        body("<s:Body/><s:Body/>"),
        body("<s:Body><m:deleteContact/></s:Body>"),
        body("<s:Body><m:deleteGroup/></s:Body>"),
        body("<s:Body><m:addGroup/></s:Body>"),
        body("<s:Body><m:setACE/></s:Body>"),
        body("<s:Body><m:setContact/><m:setContact/></s:Body>"),
        method(""),
        method("<m:URI>sip:a@b.c</m:URI><m:URI>sip:a@b.c</m:URI>"),
        method("<m:URI>sip:a@b.c</m:URI><m:groups>x</m:groups>"),
        method("<m:URI>sip:a@b.c</m:URI><m:deltaNum></m:deltaNum>"),
        method("<m:URI></m:URI>"),
    ] {
        let bad: String = bad;
        assert!(!read_all(bad.as_bytes()), "{bad}");
    }
    // Of a foreign namespace it is not the method, whatever its name.
    let foreign =
        body(r#"<s:Body><setContact xmlns="urn:x"><URI>a@b.c</URI></setContact></s:Body>"#);
    let call = Call::read(foreign.as_bytes(), &Limits::default());
    assert_eq!(call, Ok(Call::Other("setContact".into())));
}

#[test]
fn big_documents_cost_no_more_than_linear_time() {
    let count = 25_000;
    let join = |contact: &dyn Fn(u32) -> String| (0..count).map(contact).collect::<String>();
    let contacts = join(&|number| format!(r#"<contact uri="u{number}@b.c"/>"#));
    let changes = join(&|number| format!(r#"<modifiedContact uri="U{number}@b.c"/>"#));
    let list = format!(r#"<contactList deltaNum="1">{contacts}</contactList>"#);
    let delta = format!(r#"<contactDelta deltaNum="2" prevDeltaNum="1">{changes}</contactDelta>"#);
    let started = Instant::now();
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.handle_subscribed(200, list.as_bytes());
    mirror.handle_notification(delta.as_bytes());
    assert!(mirror.is_current());
    assert_eq!(mirror.list().delta_num, 2);
    assert_eq!(mirror.list().contacts.len(), 25_000);
    assert!(mirror.list().contacts[0].uri().starts_with('U'));
    assert!(Roster::import(list.as_bytes(), &Limits::default()).is_ok());
    // Quadratic it would be minutes.
    assert!(started.elapsed() < Duration::from_secs(10));
}

fn text() -> impl Strategy<Value = String> {
    "[ -~é€]{0,12}"
}

fn uri() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.]{1,12}@[a-z]{1,8}"
}

fn ids() -> impl Strategy<Value = GroupSet> {
    prop::collection::vec(1u8..=64, 0..5)
        .prop_map(|ids| ids.into_iter().filter_map(GroupId::new).collect())
}

fn extension() -> impl Strategy<Value = Option<ContactExtension>> {
    proptest::option::of(text().prop_map(|text| {
        let mut writer = ocs_xml::Writer::new();
        writer.open("urn:example", "setting");
        writer.attr("value", &text);
        let raw = Raw::parse(writer.finish().as_bytes(), &Limits::default()).unwrap();
        let mut extension = ContactExtension::new();
        extension.push(raw);
        extension
    }))
}

fn contact() -> impl Strategy<Value = Contact> {
    (
        uri(),
        text(),
        ids(),
        any::<bool>(),
        proptest::option::of(text()),
        extension(),
    )
        .prop_map(|(uri, name, groups, subscribed, external_uri, extension)| {
            Contact::new(&uri, &name, groups)
                .with_subscribed(subscribed)
                .with_external_uri(external_uri.as_deref())
                .with_extension(extension)
        })
}

fn group() -> impl Strategy<Value = Group> {
    (0u8..=64, text(), proptest::option::of(text())).prop_map(|(id, name, uri)| {
        let mut group = Group::new(GroupId::new(id).unwrap(), &name);
        group.external_uri = uri.map(Into::into);
        group
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        group().prop_map(Change::AddedGroup),
        group().prop_map(Change::ModifiedGroup),
        group().prop_map(|group| Change::DeletedGroup(group.id)),
        contact().prop_map(Change::AddedContact),
        contact().prop_map(Change::ModifiedContact),
        uri().prop_map(|uri| Change::DeletedContact(uri.into())),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        contact().prop_map(Operation::SetContact),
        uri().prop_map(|uri| Operation::DeleteContact(uri.into())),
        (text(), proptest::option::of(text())).prop_map(|(name, uri)| Operation::AddGroup {
            name: name.into(),
            external_uri: uri.map(Into::into),
        }),
        group().prop_map(Operation::ModifyGroup),
        group().prop_map(|group| Operation::DeleteGroup(group.id)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn lists_come_back(
        delta_num: u32,
        groups in prop::collection::vec(group(), 0..5),
        contacts in prop::collection::vec(contact(), 0..8),
    ) {
        let list = ContactList { delta_num, ucs_mode: None, groups, contacts, extra: Extra::default() };
        let text = list.to_document();
        let read: ContactList = from_slice(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(to_string(&read), text);
        prop_assert_eq!(read, list);
    }

    #[test]
    fn deltas_come_back(delta_num: u32, prev_delta_num: u32, changes in prop::collection::vec(change(), 0..8)) {
        let delta = ContactDelta { delta_num, prev_delta_num, changes, extra: Extra::default() };
        let text = to_string(&delta);
        let read: ContactDelta = from_slice(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(to_string(&read), text);
        prop_assert_eq!(read, delta);
    }

    #[test]
    fn requests_come_back(operation in operation(), delta_num: Option<u32>) {
        let request = Request { operation, delta_num };
        let read = Call::read(request.to_body().as_bytes(), &Limits::default());
        prop_assert_eq!(read, Ok(Call::Contacts(request)));
    }

    #[test]
    fn damaged_documents_do_no_harm(which in 0..DOCUMENTS.len(), at: prop::sample::Index, with: u8) {
        let mut document = DOCUMENTS[which].as_bytes().to_vec();
        let at = at.index(document.len());
        document[at] = with;
        read_all(&document);
    }
}
