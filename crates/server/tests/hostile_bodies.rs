//! Bodies that are wrong or meant to harm: each is refused whole, and nobody else notices.

mod common;

use common::phone::{Phone, WHILE};
use common::presence::{
    CONTACTS, Dialog, OWN, SOAP, batch, explained, members, note_in, own, publication, publish,
    shown, soap, text,
};
use common::{World, aor};
use ocs_pres::doc::content_type;
use ocs_server::{Counters, DocumentKind, Store as _};
use ocs_sip_core::{HeaderName, Message, Method};

const PROVISIONING: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";
const ADRL: &str = "application/adrl+xml";

/// bob is the one who means harm. alice publishes and carol watches her, all the while.
struct Stage {
    world: World,
    alice: Phone,
    bob: Phone,
    carol: Phone,
    watch: Dialog,
    version: u32,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new(|_| {});
        let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
        let bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
        let mut carol = Phone::signed_in(&mut world, "carol", "c1", 50_003);
        let body = members(&[(200, 0, &["add sameEnterprise"])]);
        alice.service(&mut world, content_type::SET_CONTAINER_MEMBERS, body);
        let watch = carol.watch(&mut world, &["alice", "bob"]);
        Self {
            world,
            alice,
            bob,
            carol,
            watch,
            version: 0,
        }
    }

    /// alice and carol go on as if nothing were.
    fn life_goes_on(&mut self) {
        assert!(self.carol.news(&mut self.world).is_empty());
        let text = format!("note {}", self.version);
        let answer = self
            .alice
            .publish(&mut self.world, &[note_in(200, self.version, &text)]);
        assert_eq!(answer.status(), Some(200));
        self.version += 1;
        let told = self.carol.told(&mut self.world);
        assert!(self.watch.is(&told));
        assert_eq!(shown(&told), [format!("alice note: {text}")]);
        assert!(!self.world.closed.contains(&self.alice.connection));
    }

    /// What the store has of bob.
    fn kept(&self) -> Vec<Option<String>> {
        use DocumentKind::{AccessList, Contacts, Presence};
        let store = self.world.server.store();
        let kinds = [Contacts, AccessList, Presence];
        kinds.map(|kind| store.document(&aor("bob"), kind)).to_vec()
    }

    /// All leave, and nothing is left.
    fn leave(mut self) {
        for phone in [self.alice, self.bob, self.carol] {
            self.world.close(phone.connection);
        }
        self.world.advance(WHILE);
        assert_eq!(self.world.server.counters(), Counters::default());
    }
}

/// A request of bob's with a body, as a service or subscription of this kind.
fn request(bob: &mut Phone, what: &str, body: String) -> Message {
    let uri = "sip:bob@contoso.com";
    let subscription = |bob: &mut Phone, event, kind: &str, body| {
        bob.subscription(event, uri, kind).with_body(kind, body)
    };
    match what {
        OWN => subscription(bob, OWN, content_type::ROAMING_SELF, body),
        PROVISIONING => subscription(bob, "vnd-microsoft-provisioning-v2", what, body),
        content_type::BATCH_SUB | ADRL => {
            let mut request = bob.batch(body.clone());
            request.set_body(what, body);
            request
        }
        kind => bob.request(Method::Service, uri).with_body(kind, body),
    }
}

/// A good document of each kind, with its root and namespace.
fn good() -> [(&'static str, String); 9] {
    let service = "http://schemas.microsoft.com/2006/09/sip/";
    [
        (content_type::PUBLISH, publish("bob@contoso.com", &[note_in(200, 0, "x")])),
        (
            content_type::SET_CONTAINER_MEMBERS,
            members(&[(300, 0, &["add user carol@contoso.com"])]),
        ),
        (
            content_type::SET_SUBSCRIBERS,
            format!("<setSubscribers xmlns=\"{service}presence-subscribers\"><subscriber user=\"carol@contoso.com\" acknowledged=\"true\"/></setSubscribers>"),
        ),
        (
            content_type::SET_DELEGATES,
            "<setDelegates version=\"0\"><delegate uri=\"carol@contoso.com\" action=\"add\"/></setDelegates>".to_owned(),
        ),
        (
            SOAP,
            soap("<m:addGroup><m:name>x</m:name><m:deltaNum>1</m:deltaNum></m:addGroup>"),
        ),
        (
            OWN,
            format!("<roamingList xmlns=\"{service}roaming-self\"><roaming type=\"categories\"/></roamingList>"),
        ),
        (
            PROVISIONING,
            format!("<provisioningGroupList xmlns=\"{service}provisioninggrouplist\"><provisioningGroup name=\"ucPolicy\"/></provisioningGroupList>"),
        ),
        (content_type::BATCH_SUB, batch("subscribe", &["alice"], &["note"])),
        (
            ADRL,
            "<adhoclist xmlns=\"urn:ietf:params:xml:ns:adrl\"><create xmlns=\"\"><resource uri=\"sip:alice@contoso.com\"/></create></adhoclist>".to_owned(),
        ),
    ]
}

/// Ways to spoil a document, by name.
fn spoiled(document: &str) -> Vec<(&'static str, String)> {
    let end = document.find('>').unwrap();
    let inside = |text: &str| format!("{}{text}{}", &document[..=end], &document[end + 1..]);
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    vec![
        ("nothing", String::new()),
        ("no document", "hello".to_owned()),
        ("cut off", document[..document.len() / 2].to_owned()),
        ("laughs", format!("{bomb}{}", inside("<x>&c;</x>"))),
        (
            "external",
            format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{document}"),
        ),
        ("entity", inside("<x>&c;</x>")),
        ("deep", inside(&"<x>".repeat(100_000))),
        (
            "deep and closed",
            inside(&format!(
                "{}{}",
                "<x>".repeat(100_000),
                "</x>".repeat(100_000)
            )),
        ),
        (
            "attribute twice",
            document.replacen('>', " z=\"1\" z=\"2\">", 1),
        ),
        (
            "attribute twice by namespace",
            document.replacen(
                '>',
                " xmlns:p=\"urn:x\" xmlns:q=\"urn:x\" p:z=\"1\" q:z=\"2\">",
                1,
            ),
        ),
        ("unbound", inside("<nobody:x/>")),
        ("two roots", format!("{document}{document}")),
        ("control", inside("<x>\u{1}</x>")),
        ("attributes", {
            let many: String = (0..5000).map(|i| format!(" a{i}=\"\"")).collect();
            document.replacen('>', &format!("{many}>"), 1)
        }),
    ]
}

#[test]
fn spoiled_documents() {
    let mut stage = Stage::new();
    let before = stage.kept();
    for (what, document) in good() {
        for (how, body) in spoiled(&document) {
            let request = request(&mut stage.bob, what, body);
            let answer = stage.bob.exchange(&mut stage.world, request);
            assert_eq!(explained(&answer), (400, Some(4001)), "{what}, {how}");
            assert_eq!(stage.kept(), before, "{what}, {how}");
            let subscriptions = stage.world.server.counters().subscriptions;
            assert_eq!(subscriptions, 1, "{what}, {how}");
        }
        stage.life_goes_on();
    }
    stage.leave();
}

#[test]
fn wrong_namespaces() {
    let mut stage = Stage::new();
    let before = stage.kept();
    for (what, document) in good() {
        let (from, to) = ("schemas.microsoft.com", "schemas.example.com");
        let body = document
            .replace(from, to)
            .replace("schemas.xmlsoap.org", to);
        if body == document {
            // Known by its name alone.
            continue;
        }
        let request = request(&mut stage.bob, what, body);
        let answer = stage.bob.exchange(&mut stage.world, request);
        assert_eq!(explained(&answer), (400, Some(4001)), "{what}");
    }
    assert_eq!(stage.kept(), before);
    stage.life_goes_on();
    stage.leave();
}

#[test]
fn publications_on_behalf_of_others() {
    let mut stage = Stage::new();
    let alice = "sip:alice@contoso.com";
    let publication = || note_in(200, 0, "mine");
    // In the body.
    let body = publish("alice@contoso.com", &[publication()]);
    let answer = stage
        .bob
        .service(&mut stage.world, content_type::PUBLISH, body.clone());
    assert_eq!(answer.status(), Some(403));
    // In the address, and in both.
    for body in [body, publish("bob@contoso.com", &[publication()])] {
        let request = stage
            .bob
            .request(Method::Service, alice)
            .with_body(content_type::PUBLISH, body);
        let answer = stage.bob.exchange(&mut stage.world, request);
        assert_eq!(answer.status(), Some(403));
    }
    // With a header that says so.
    let request = stage
        .bob
        .request(Method::Service, alice)
        .with(HeaderName::PSessionOnBehalfOf, &format!("<{alice}>"))
        .with_body(
            content_type::PUBLISH,
            publish("alice@contoso.com", &[publication()]),
        );
    let answer = stage.bob.exchange(&mut stage.world, request);
    assert_eq!(explained(&answer), (403, Some(4004)));
    for (kind, body) in good() {
        if kind.starts_with("application/msrtc-set") || kind == SOAP {
            let request = stage
                .bob
                .request(Method::Service, alice)
                .with_body(kind, body);
            let answer = stage.bob.exchange(&mut stage.world, request);
            assert_eq!(answer.status(), Some(403), "{kind}");
        }
    }
    stage.life_goes_on();
    stage.leave();
}

#[test]
fn what_does_not_exist_and_what_is_too_much() {
    let mut stage = Stage::new();
    stage
        .bob
        .publish(&mut stage.world, &[note_in(300, 0, "one")]);
    let before = stage.kept();
    let long = format!("<note xmlns=\"urn:n\">{}</note>", "x".repeat(17_000));
    let many: Vec<_> = (0..2000)
        .map(|i| publication("note", &format!("300/{}", i + 10), 0, "static", ""))
        .collect();
    for (publications, expected) in [
        (
            vec![note_in(200, 0, "x"), note_in(32768, 0, "x")],
            (400, Some(4001)),
        ),
        (
            vec![note_in(200, 0, "x"), note_in(300, 7, "stale")],
            (409, None),
        ),
        (
            vec![
                note_in(200, 0, "x"),
                publication("note", "400/0", 0, "static", &long),
            ],
            (413, Some(2010)),
        ),
        (many, (413, None)),
    ] {
        let answer = stage.bob.publish(&mut stage.world, &publications);
        assert_eq!(explained(&answer), expected);
        assert_eq!(stage.kept(), before);
    }
    let crowd: Vec<_> = (0..1001)
        .map(|i| format!("add user u{i}@contoso.com"))
        .collect();
    let crowd: Vec<_> = crowd.iter().map(String::as_str).collect();
    let containers: Vec<(u16, u32, &[&str])> = (500..700)
        .map(|id| (id, 0, &["add everyone"][..]))
        .collect();
    for (body, expected) in [
        (
            members(&[(300, 0, &["add everyone"]), (0, 0, &["add everyone"])]),
            (400, None),
        ),
        (
            members(&[(300, 0, &["add everyone"]), (2, 0, &["add everyone"])]),
            (403, None),
        ),
        (
            members(&[(300, 0, &["add everyone"]), (40_000, 0, &["add everyone"])]),
            (400, Some(4001)),
        ),
        (
            members(&[(300, 0, &["add everyone", "remove everyone"])]),
            (400, None),
        ),
        (members(&[(300, 5, &["add everyone"])]), (409, None)),
        (members(&[(300, 0, &crowd)]), (403, Some(2006))),
        (members(&containers), (403, None)),
    ] {
        let kind = content_type::SET_CONTAINER_MEMBERS;
        let answer = stage.bob.service(&mut stage.world, kind, body);
        assert_eq!(explained(&answer), expected);
        assert_eq!(stage.kept(), before);
    }
    stage.life_goes_on();
    stage.leave();
}

#[test]
fn a_subscription_to_everybody() {
    let mut stage = Stage::new();
    let crowd = |count: usize| -> String {
        let users: Vec<_> = (0..count).map(|i| format!("u{i}")).collect();
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        batch("subscribe", &users, &["state"])
    };
    for count in [1001, 20_000] {
        let request = stage.bob.batch(crowd(count));
        let answer = stage.bob.exchange(&mut stage.world, request);
        assert_eq!(explained(&answer), (403, Some(2011)), "{count}");
    }
    // As many as one may have; none of them is here.
    let request = stage.bob.batch(crowd(1000));
    let mut dialog = stage.bob.open(&mut stage.world, request);
    let more = batch("subscribe", &["alice"], &["note"]);
    let answer = dialog.change(&mut stage.world, &mut stage.bob, more);
    assert_eq!(answer.status(), Some(200));
    assert_eq!(
        stage.world.server.counters().users,
        3,
        "nobody is kept for it"
    );
    stage.life_goes_on();
    stage.bob.news(&mut stage.world);
    // A million are more than a message may be long: it is skipped, and the connection goes on.
    let request = stage.bob.batch(crowd(1_000_000));
    let mut signed = request.clone();
    stage.bob.auth.sign(&mut signed).unwrap();
    stage.world.send(stage.bob.connection, signed.to_bytes());
    let answers = stage.world.take(stage.bob.connection);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status()).collect();
    assert_eq!(statuses, [Some(513)]);
    assert_eq!(stage.world.server.counters().subscriptions, 2);
    assert_eq!(stage.world.server.counters().received, 0);
    stage.life_goes_on();
    stage.leave();
}

#[test]
fn thousands_of_subscriptions() {
    let mut stage = Stage::new();
    let mut statuses = std::collections::BTreeMap::new();
    for number in 0..2000 {
        let request = match number % 3 {
            0 => stage.bob.batch(batch("subscribe", &["alice"], &["state"])),
            1 => stage.bob.subscription(
                CONTACTS,
                "sip:bob@contoso.com",
                "application/vnd-microsoft-roaming-contacts+xml",
            ),
            _ => stage
                .bob
                .subscription("presence", "sip:alice@contoso.com", "text/xml+msrtc.pidf"),
        };
        let answer = stage.bob.exchange(&mut stage.world, request);
        *statuses.entry(answer.status().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(Vec::from_iter(statuses), [(200, 64), (503, 2000 - 64)]);
    assert_eq!(stage.world.server.counters().subscriptions, 65);
    stage.life_goes_on();
    stage.leave();
}

#[test]
fn dialogs_of_others() {
    let mut stage = Stage::new();
    let mut dialog = stage.bob.watch(&mut stage.world, &["alice"]);
    let theirs = &stage.watch;
    let tag = theirs
        .first
        .from_header()
        .unwrap()
        .tag()
        .unwrap()
        .to_owned();
    let call_id = theirs.first.call_id().unwrap().to_owned();
    let to = theirs.answer.header(HeaderName::To).unwrap().to_owned();
    let own_from = dialog.first.header(HeaderName::From).unwrap().to_owned();
    for (from, to, call_id) in [
        // All of carol's dialog, under bob's name.
        (
            format!("<sip:bob@contoso.com>;tag={tag};epid=b1"),
            to.clone(),
            call_id.clone(),
        ),
        // Her tag in his dialog.
        (
            own_from.clone(),
            to,
            dialog.first.call_id().unwrap().to_owned(),
        ),
        // Anything.
        (own_from, "<sip:bob@contoso.com>;tag=1".to_owned(), call_id),
    ] {
        let mut request = dialog.request(&stage.bob, Some(0));
        request.set(HeaderName::From, &from);
        request.set(HeaderName::To, &to);
        request.set(HeaderName::CallId, &call_id);
        let answer = stage.bob.exchange(&mut stage.world, request);
        assert_eq!(explained(&answer), (481, Some(2014)));
        assert_eq!(stage.world.server.counters().subscriptions, 2);
    }
    // Another event in his own dialog.
    let mut request = dialog.request(&stage.bob, Some(0));
    request.set(HeaderName::Event, OWN);
    let answer = stage.bob.exchange(&mut stage.world, request);
    assert_eq!(explained(&answer), (481, Some(2014)));
    stage.life_goes_on();
    assert_eq!(stage.bob.news(&mut stage.world).len(), 1);
    stage.leave();
}

#[test]
fn a_change_that_is_refused_leaves_the_subscription_as_it_was() {
    let mut stage = Stage::new();
    let mut own_dialog = stage.bob.subscribe_own(&mut stage.world);
    let mut watch = stage.bob.watch(&mut stage.world, &["alice"]);
    for body in ["<batchSub", "<x/>"] {
        let answer = watch.change(&mut stage.world, &mut stage.bob, body.to_owned());
        assert_eq!(explained(&answer), (400, Some(4001)));
        let request = own_dialog
            .request(&stage.bob, None)
            .with_body(content_type::ROAMING_SELF, body.to_owned());
        let answer = stage.bob.exchange(&mut stage.world, request);
        assert_eq!(explained(&answer), (400, Some(4001)));
    }
    let crowd: Vec<_> = (0..1001).map(|i| format!("u{i}")).collect();
    let crowd: Vec<_> = crowd.iter().map(String::as_str).collect();
    let answer = watch.change(
        &mut stage.world,
        &mut stage.bob,
        batch("subscribe", &crowd, &["note"]),
    );
    assert_eq!(explained(&answer), (403, Some(2011)));
    stage.life_goes_on();
    assert_eq!(
        shown(&stage.bob.told(&mut stage.world)),
        ["alice note: note 0"]
    );
    let answer = own_dialog.refresh(&mut stage.world, &mut stage.bob, 600);
    assert!(own(&answer).categories.is_some(), "{}", text(&answer));
    stage.leave();
}
