//! Contacts, groups, access lists and the directory ([MS-SIP] 2.2.3, 2.2.4, 3.7; [MS-PRES]).

mod common;

use common::World;
use common::phone::Phone;
use common::presence::{ACL, CONTACTS, SOAP, explained, soap, text};
use ocs_pres::doc::content_type;
use ocs_sip_core::{HeaderName, Message, Method};

fn two_of_alice() -> (World, Phone, Phone) {
    let mut world = World::new(|config| {
        config.contacts.contacts = 3;
        config.contacts.groups = 3;
        config.access_lists.aces = 3;
        config.search_results = 2;
    });
    let one = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let two = Phone::signed_in(&mut world, "alice", "a2", 50_002);
    (world, one, two)
}

fn set_contact(user: &str, groups: &str, number: u32) -> String {
    soap(&format!(
        "<m:setContact><m:displayName></m:displayName><m:groups>{groups}</m:groups><m:subscribed>true</m:subscribed><m:URI>sip:{user}@contoso.com</m:URI><m:externalURI /><m:deltaNum>{number}</m:deltaNum></m:setContact>"
    ))
}

fn delete_contact(user: &str, number: u32) -> String {
    soap(&format!(
        "<m:deleteContact><m:URI>sip:{user}@contoso.com</m:URI><m:deltaNum>{number}</m:deltaNum></m:deleteContact>"
    ))
}

fn add_group(name: &str, number: u32) -> String {
    soap(&format!(
        "<m:addGroup><m:name>{name}</m:name><m:externalURI /><m:deltaNum>{number}</m:deltaNum></m:addGroup>"
    ))
}

fn modify_group(id: u8, name: &str, number: u32) -> String {
    soap(&format!(
        "<m:modifyGroup><m:groupID>{id}</m:groupID><m:name>{name}</m:name><m:externalURI /><m:deltaNum>{number}</m:deltaNum></m:modifyGroup>"
    ))
}

fn delete_group(id: u8, number: u32) -> String {
    soap(&format!(
        "<m:deleteGroup><m:groupID>{id}</m:groupID><m:deltaNum>{number}</m:deltaNum></m:deleteGroup>"
    ))
}

fn set_ace(kind: &str, mask: &str, rights: &str, number: u32) -> String {
    soap(&format!(
        "<m:setACE><m:type>{kind}</m:type><m:mask>{mask}</m:mask><m:rights>{rights}</m:rights><m:deltaNum>{number}</m:deltaNum></m:setACE>"
    ))
}

/// `uri groups` of each contact, `id=name` of each group, and the number.
fn list(document: &str) -> (String, Vec<String>, Vec<String>) {
    let value = |tag: &str, name: &str| {
        let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
        Some(rest.split('"').next().unwrap().to_owned())
    };
    let tags = |name: &str| -> Vec<String> {
        document
            .split('<')
            .filter(|tag| tag.starts_with(name))
            .map(str::to_owned)
            .collect()
    };
    let number = value(document, "deltaNum").unwrap();
    let contacts = tags("contact ").into_iter().map(|tag| {
        let groups = value(&tag, "groups").unwrap_or_default();
        format!("{} {groups}", value(&tag, "uri").unwrap())
    });
    let groups = tags("group ").into_iter().map(|tag| {
        format!(
            "{}={}",
            value(&tag, "id").unwrap(),
            value(&tag, "name").unwrap()
        )
    });
    (number, contacts.collect(), groups.collect())
}

#[test]
fn a_list_and_its_changes() {
    let (mut world, mut one, mut two) = two_of_alice();
    let mut dialog = one.subscribe(&mut world, CONTACTS);
    two.subscribe(&mut world, CONTACTS);
    let kind = "application/vnd-microsoft-roaming-contacts+xml";
    assert_eq!(dialog.answer.header(HeaderName::ContentType), Some(kind));
    assert_eq!(
        list(text(&dialog.answer)),
        ("1".to_owned(), vec![], vec!["1=~".to_owned()])
    );
    for (body, delta) in [
        (add_group("Team", 1), "<addedGroup id=\"2\" name=\"Team\""),
        (
            set_contact("bob", "1 2", 2),
            "<addedContact uri=\"sip:bob@contoso.com\"",
        ),
        (
            set_contact("carol", "", 3),
            "<addedContact uri=\"sip:carol@contoso.com\"",
        ),
        (
            modify_group(2, "Crew", 4),
            "<modifiedGroup id=\"2\" name=\"Crew\"",
        ),
        (
            set_contact("bob", "2", 5),
            "<modifiedContact uri=\"sip:bob@contoso.com\"",
        ),
        (
            delete_contact("carol", 6),
            "<deletedContact uri=\"sip:carol@contoso.com\"",
        ),
    ] {
        let request = one
            .request(Method::Service, "sip:alice@contoso.com")
            .with_body(SOAP, body);
        one.send(&mut world, request);
        // The writer has the change before the answer.
        let got = one.receive(&mut world);
        assert_eq!(got.len(), 2, "{got:#?}");
        assert_eq!(got[0].method(), Some(&Method::Benotify));
        assert_eq!(got[1].status(), Some(200), "{:#?}", got[1]);
        assert!(text(&got[0]).contains(delta), "{}", text(&got[0]));
        assert_eq!(got[0].header(HeaderName::ContentType), Some(kind));
        let other = two.told(&mut world);
        assert_eq!(other.body(), got[0].body());
        let answer = text(&got[1]);
        assert_eq!(
            delta.starts_with("<addedGroup"),
            answer.contains("groupID>2<"),
            "{answer}"
        );
    }
    let document = dialog.refresh(&mut world, &mut one, 600);
    assert_eq!(
        list(text(&document)),
        (
            "7".to_owned(),
            vec!["bob@contoso.com 2".to_owned()],
            vec!["1=~".to_owned(), "2=Crew".to_owned()]
        )
    );
    // Those who were in the group only fall into the default one.
    one.service(&mut world, SOAP, delete_group(2, 7));
    let told = one.told(&mut world);
    assert!(
        text(&told).contains("<deletedGroup id=\"2\""),
        "{}",
        text(&told)
    );
    let document = dialog.refresh(&mut world, &mut one, 600);
    assert_eq!(
        list(text(&document)),
        (
            "8".to_owned(),
            vec!["bob@contoso.com 1".to_owned()],
            vec!["1=~".to_owned()]
        )
    );
}

#[test]
fn what_is_refused_changes_nothing() {
    let (mut world, mut one, mut two) = two_of_alice();
    for (number, user) in (1..).zip(["bob", "carol", "dave"]) {
        let answer = one.service(&mut world, SOAP, set_contact(user, "1", number));
        assert_eq!(answer.status(), Some(200));
    }
    for (number, name) in (4..).zip(["Team", "Family"]) {
        one.service(&mut world, SOAP, add_group(name, number));
    }
    let mut dialog = two.subscribe(&mut world, CONTACTS);
    let before = text(&dialog.answer).to_owned();
    let extension = soap(&format!(
        "<m:setContact><m:displayName></m:displayName><m:groups>1</m:groups><m:subscribed>true</m:subscribed><m:URI>sip:bob@contoso.com</m:URI><m:externalURI /><m:deltaNum>6</m:deltaNum><m:contactExtension>{}</m:contactExtension></m:setContact>",
        "<x/>".repeat(300)
    ));
    for (body, expected) in [
        (set_contact("eve", "1", 5), (409, None)),
        (set_contact("eve", "1", 7), (409, None)),
        (set_contact("eve", "1", 6), (403, Some(2007))),
        (set_contact("bob", "9", 6), (404, Some(2002))),
        (delete_contact("eve", 6), (404, Some(2001))),
        (add_group("More", 6), (403, Some(2008))),
        (add_group("Team", 6), (485, Some(2015))),
        (modify_group(2, "Family", 6), (485, Some(2015))),
        (modify_group(9, "None", 6), (404, Some(2002))),
        (delete_group(1, 6), (403, None)),
        (extension, (403, Some(2009))),
        (add_group(&"x".repeat(300), 6), (400, None)),
        (soap("<m:addGroup><m:name>x</m:name>"), (400, Some(4001))),
        (soap("<m:setUp/>"), (501, None)),
    ] {
        let answer = one.service(&mut world, SOAP, body.clone());
        assert_eq!(explained(&answer), expected, "{body}");
        if expected.0 == 409 {
            assert_eq!(
                answer.header(HeaderName::ContentType),
                Some(content_type::FAULT)
            );
            assert!(text(&answer).contains("Client.BadCall.WrongDelta"));
        }
    }
    assert!(two.news(&mut world).is_empty());
    assert_eq!(text(&dialog.refresh(&mut world, &mut two, 600)), before);
    // Nobody writes into the list of another.
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_003);
    let request = bob
        .request(Method::Service, "sip:alice@contoso.com")
        .with_body(SOAP, set_contact("bob", "1", 6));
    assert_eq!(bob.exchange(&mut world, request).status(), Some(403));
    let foreign = bob.subscription(
        CONTACTS,
        "sip:alice@contoso.com",
        "application/vnd-microsoft-roaming-contacts+xml",
    );
    assert_eq!(bob.exchange(&mut world, foreign).status(), Some(403));
    assert!(two.news(&mut world).is_empty());
}

#[test]
fn access_lists() {
    let (mut world, mut one, mut two) = two_of_alice();
    let dialog = one.subscribe(&mut world, ACL);
    two.subscribe(&mut world, ACL);
    assert!(
        text(&dialog.answer).starts_with("<ACLlist"),
        "{}",
        text(&dialog.answer)
    );
    let request = one
        .request(Method::Service, "sip:alice@contoso.com")
        .with_body(SOAP, set_ace("USER", "sip:bob@contoso.com", "BD", 1));
    one.send(&mut world, request);
    // The writer has the new number before the answer.
    let mut got = one.receive(&mut world);
    assert_eq!(got.len(), 2, "{got:#?}");
    assert_eq!(got[1].status(), Some(200));
    for told in [got.remove(0), two.told(&mut world)] {
        assert!(
            text(&told).contains("sip:bob@contoso.com"),
            "{}",
            text(&told)
        );
        assert!(text(&told).contains("rights=\"BD\""), "{}", text(&told));
        assert!(text(&told).contains("deltaNum=\"2\""), "{}", text(&told));
    }
    for (body, expected) in [
        (
            set_ace("USER", "sip:carol@contoso.com", "BD", 1),
            (409, None),
        ),
        (
            set_ace("USER", "sip:carol@contoso.com", "XX", 2),
            (400, Some(4001)),
        ),
        (set_ace("USER", "no address", "AA", 2), (400, None)),
    ] {
        assert_eq!(explained(&one.service(&mut world, SOAP, body)), expected);
    }
    assert!(two.news(&mut world).is_empty());
    let answer = one.service(&mut world, SOAP, set_ace("DOMAIN", "fabrikam.com", "AA", 2));
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    two.told(&mut world);
    let third = set_ace("DOMAIN", "litware.com", "AA", 3);
    assert_eq!(one.service(&mut world, SOAP, third).status(), Some(403));
    assert!(two.news(&mut world).is_empty());
}

fn search(world: &mut World, phone: &mut Phone, rows: &[(&str, &str)]) -> Message {
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<m:row m:attrib=\"{name}\" m:value=\"{value}\"/>"))
        .collect();
    let body = soap(&format!(
        "<m:directorySearch><m:filter m:href=\"#searchArray\"/><m:maxResults>100</m:maxResults></m:directorySearch><m:Array xmlns:m=\"http://schemas.microsoft.com/winrtc/2002/11/sip\" m:id=\"searchArray\">{rows}</m:Array>"
    ));
    let request = phone
        .request(Method::Service, "sip:contoso.com")
        .with_body(SOAP, body);
    phone.exchange(world, request)
}

#[test]
fn the_directory() {
    let (mut world, mut one, _) = two_of_alice();
    let uris = |answer: &Message| -> Vec<String> {
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
        let words = text(answer).split('"').map(str::to_owned);
        words.filter(|word| word.starts_with("sip:")).collect()
    };
    let found = search(&mut world, &mut one, &[("givenName", "bo")]);
    assert_eq!(uris(&found), ["sip:bob@contoso.com"]);
    assert!(text(&found).contains("Bob"));
    let found = search(
        &mut world,
        &mut one,
        &[("givenName", "bob"), ("sn", "alice")],
    );
    assert_eq!(uris(&found).len(), 0);
    let found = search(
        &mut world,
        &mut one,
        &[("msRTCSIP-PrimaryUserAddress", "sip:CAROL@")],
    );
    assert_eq!(uris(&found), ["sip:carol@contoso.com"]);
    // As many as are allowed, and the word that there are more.
    let domain = search(&mut world, &mut one, &[("displayName", "")]);
    assert_eq!(uris(&domain).len(), 2);
    assert!(text(&domain).contains("true"), "{}", text(&domain));
    let nobody = search(&mut world, &mut one, &[]);
    assert_eq!(uris(&nobody).len(), 0);
}
