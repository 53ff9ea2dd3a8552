//! Clients of LCS and OCS 2005, beside those of 2007 ([MS-PRES], legacy presence; [MS-SIP]).

mod common;

use common::phone::Phone;
use common::presence::{
    Dialog, PENDING, SOAP, batch, explained, machine, members, seen, shown, soap, text,
};
use common::{World, aor};
use ocs_pres::doc::{Document, content_type};
use ocs_pres::legacy::pidf;
use ocs_server::Counters;
use ocs_sip_core::{HeaderName, Message, Method};

const MSRTC: &str = "text/xml+msrtc.pidf";
const LIST: &str = "application/rlmi+xml, multipart/related, text/xml+msrtc.pidf";

fn set_presence(user: &str, availability: u16, activity: u16, note: &str) -> String {
    soap(&format!(
        "<m:setPresence><m:presentity xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" m:uri=\"sip:{user}@contoso.com\"><m:availability m:aggregate=\"{availability}\"/><m:activity m:aggregate=\"{activity}\"/><deviceName xmlns=\"http://schemas.microsoft.com/2002/09/sip/presence\" name=\"VM\"/><userInfo xmlns=\"http://schemas.microsoft.com/2002/09/sip/presence\"><note>{note}</note></userInfo></m:presentity></m:setPresence>"
    ))
}

fn get_presence(user: &str) -> String {
    soap(&format!(
        "<m:getPresence><presentity uri=\"sip:{user}@contoso.com\"/></m:getPresence>"
    ))
}

/// The two numbers of a document.
fn pair(document: &str) -> [u16; 2] {
    ["<availability aggregate=\"", "<activity aggregate=\""].map(|begin| {
        let rest = document
            .split(begin)
            .nth(1)
            .unwrap_or_else(|| panic!("{document}"));
        rest.split('"').next().unwrap().parse().unwrap()
    })
}

fn pair_of(message: &Message) -> [u16; 2] {
    assert_eq!(message.header(HeaderName::ContentType), Some(MSRTC));
    pair(text(message))
}

/// The name in a document of everybody's form.
fn name_in(message: &Message) -> Option<String> {
    let limits = ocs_xml::Limits::default();
    let presence: pidf::Presence = ocs_xml::from_slice(message.body(), &limits).unwrap();
    presence.name().map(str::to_owned)
}

fn adrl(user: &str, steps: &str) -> String {
    format!(
        "<adhoclist xmlns=\"urn:ietf:params:xml:ns:adrl\" uri=\"sip:{user}@contoso.com\" name=\"sip:{user}@contoso.com\">{steps}</adhoclist>"
    )
}

fn single(world: &mut World, phone: &mut Phone, user: &str, accept: &str) -> Dialog {
    let request = phone.subscription("presence", &format!("sip:{user}@contoso.com"), accept);
    phone.open(world, request)
}

fn two() -> (World, Phone, Phone) {
    let mut world = World::new(|_| {});
    let alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    let bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    (world, alice, bob)
}

/// The pairs of 2005 by user in a list.
fn pairs(message: &Message) -> Vec<(String, [u16; 2])> {
    let documents = seen(message).documents.into_iter();
    documents
        .map(|document| match document {
            Document::Other { content_type, body } => {
                assert_eq!(content_type, MSRTC);
                let body = std::str::from_utf8(&body).unwrap();
                let user = body.split("uri=\"").nth(1).unwrap();
                (user.split('@').next().unwrap().to_owned(), pair(body))
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn from_2005_to_2005_and_2007() {
    let (mut world, mut alice, mut bob) = two();
    let mut old = single(&mut world, &mut bob, "alice", MSRTC);
    assert_eq!(pair_of(&old.answer), [0, 0]);
    let new = bob.watch(&mut world, &["alice"]);
    let answer = alice.service(&mut world, SOAP, set_presence("alice", 300, 600, ""));
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    let news = bob.news(&mut world);
    let (of_old, of_new): (Vec<_>, Vec<_>) = news.into_iter().partition(|one| old.is(one));
    assert_eq!(of_old.iter().map(pair_of).collect::<Vec<_>>(), [[300, 600]]);
    assert!(of_new.iter().all(|one| new.is(one)));
    assert_eq!(
        of_new.iter().flat_map(shown).collect::<Vec<_>>(),
        ["alice note: ", "alice state: 6500"]
    );
    alice.service(
        &mut world,
        SOAP,
        set_presence("alice", 300, 100, "at lunch"),
    );
    let news = bob.news(&mut world);
    let away: Vec<_> = news.iter().filter(|one| old.is(one)).map(pair_of).collect();
    assert_eq!(away, [[300, 100]]);
    let told: Vec<_> = news
        .iter()
        .filter(|one| new.is(one))
        .flat_map(shown)
        .collect();
    assert_eq!(told, ["alice note: at lunch", "alice state: 15500"]);
    assert_eq!(pair_of(&old.refresh(&mut world, &mut bob, 600)), [300, 100]);
    // She goes, and is offline to both.
    world.close(alice.connection);
    let news = bob.news(&mut world);
    let gone: Vec<_> = news.iter().filter(|one| old.is(one)).map(pair_of).collect();
    assert_eq!(gone, [[0, 0]]);
}

#[test]
fn from_2007_to_2005_and_to_everybody_else() {
    let (mut world, mut alice, mut bob) = two();
    let body = members(&[(200, 0, &["add sameEnterprise"])]);
    alice.service(&mut world, content_type::SET_CONTAINER_MEMBERS, body);
    let old = single(&mut world, &mut bob, "alice", MSRTC);
    let pidf = single(&mut world, &mut bob, "alice", "application/pidf+xml");
    assert_eq!(
        pidf.answer.header(HeaderName::ContentType),
        Some("application/pidf+xml")
    );
    assert!(
        text(&pidf.answer).contains("<basic>closed</basic>"),
        "{}",
        text(&pidf.answer)
    );
    assert_eq!(name_in(&pidf.answer).as_deref(), Some("Alice"));
    for (version, (availability, both)) in (0..).zip([
        (3500, [300, 400]),
        (5000, [300, 200]),
        (6500, [300, 600]),
        (15500, [300, 100]),
    ]) {
        alice.publish(&mut world, &machine(1, version, availability));
        let news = bob.news(&mut world);
        let of_old: Vec<_> = news.iter().filter(|one| old.is(one)).map(pair_of).collect();
        assert_eq!(of_old, [both], "{availability}");
        let of_pidf: Vec<_> = news.iter().filter(|one| pidf.is(one)).collect();
        assert_eq!(of_pidf.len(), 1);
        assert!(text(of_pidf[0]).contains("<basic>open</basic>"));
        assert_eq!(name_in(of_pidf[0]).as_deref(), Some("Alice"));
    }
    // The directory may have none for him.
    let user = world.server.store_mut().user_mut(&aor("alice"));
    user.unwrap().display_name = None;
    let nameless = single(&mut world, &mut bob, "alice", "application/pidf+xml");
    assert_eq!(name_in(&nameless.answer), None);
}

#[test]
fn lists_of_2005() {
    let (mut world, mut alice, mut bob) = two();
    alice.service(&mut world, SOAP, set_presence("alice", 300, 400, ""));
    let create = "<create xmlns=\"\"><resource uri=\"sip:bob@contoso.com\"/><resource uri=\"sip:alice@contoso.com\"/><resource uri=\"sip:nobody@contoso.com\"/></create>";
    let request = bob
        .subscription("presence", "sip:bob@contoso.com", LIST)
        .with(HeaderName::Require, "adhoclist")
        .with(HeaderName::Supported, "eventlist")
        .with_body("application/adrl+xml", adrl("bob", create));
    let mut dialog = bob.open(&mut world, request);
    assert_eq!(
        pairs(&dialog.answer),
        [("bob".to_owned(), [0, 0]), ("alice".to_owned(), [300, 400])]
    );
    assert_eq!(seen(&dialog.answer).list.unwrap().resources.len(), 3);
    bob.service(&mut world, SOAP, set_presence("bob", 300, 300, ""));
    let told = bob.told(&mut world);
    assert_eq!(pair_of(&told), [300, 300]);
    assert_eq!(told.header(HeaderName::Require), Some("eventlist"));
    // One is taken away, another comes.
    let steps = "<delete xmlns=\"\"><resource uri=\"sip:bob@contoso.com\"/></delete><add xmlns=\"\"><resource uri=\"sip:carol@contoso.com\"/></add>";
    let request = dialog
        .request(&bob, None)
        .with_body("application/adrl+xml", adrl("bob", steps));
    let answer = bob.exchange(&mut world, request);
    assert_eq!(pairs(&answer), [("carol".to_owned(), [0, 0])]);
    bob.service(&mut world, SOAP, set_presence("bob", 300, 400, ""));
    assert!(bob.news(&mut world).is_empty());
    let answer = dialog.refresh(&mut world, &mut bob, 600);
    let users: Vec<_> = pairs(&answer).into_iter().map(|(user, _)| user).collect();
    assert_eq!(users, ["alice", "carol"]);
}

#[test]
fn the_form_is_the_servers_choice() {
    let (mut world, _, mut bob) = two();
    // In the order of the server, whatever the order of the client.
    let accept = "application/pidf+xml;q=1, text/xml+msrtc.pidf;q=0.1";
    let dialog = single(&mut world, &mut bob, "alice", accept);
    assert_eq!(dialog.answer.header(HeaderName::ContentType), Some(MSRTC));
    let mut plain = bob.subscription("presence", "sip:alice@contoso.com", "application/xpidf+xml");
    plain.remove(HeaderName::ProxyRequire);
    let answer = bob.exchange(&mut world, plain);
    assert_eq!(answer.status(), Some(406));
}

#[test]
fn presence_is_asked_for_once() {
    let (mut world, mut alice, mut bob) = two();
    alice.service(&mut world, SOAP, set_presence("alice", 300, 400, ""));
    let ask = |world: &mut World, bob: &mut Phone, user: &str| {
        let request = bob
            .request(Method::Service, &format!("sip:{user}@contoso.com"))
            .with_body(SOAP, get_presence(user));
        bob.exchange(world, request)
    };
    let answer = ask(&mut world, &mut bob, "alice");
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    // As in a notification.
    assert_eq!(pair_of(&answer), [300, 400]);
    assert_eq!(ask(&mut world, &mut bob, "nobody").status(), Some(404));
    let body = members(&[(32000, 0, &["add user bob@contoso.com"])]);
    alice.service(&mut world, content_type::SET_CONTAINER_MEMBERS, body);
    assert_eq!(ask(&mut world, &mut bob, "alice").status(), Some(403));
    // carol is not here: her data do not stay in memory.
    assert_eq!(pair(text(&ask(&mut world, &mut bob, "carol"))), [0, 0]);
    assert_eq!(world.server.counters().users, 2);
}

#[test]
fn who_is_blocked_by_a_list_of_2005() {
    let (mut world, mut alice, mut bob) = two();
    let mut carol = Phone::signed_in(&mut world, "carol", "c1", 50_003);
    alice.service(&mut world, SOAP, set_presence("alice", 300, 400, ""));
    single(&mut world, &mut bob, "alice", MSRTC);
    single(&mut world, &mut carol, "alice", MSRTC);
    let (offline, online) = ([0, 0], [300, 400]);
    let nothing = Vec::new();
    for (number, (kind, mask, rights, of_bob, of_carol)) in (1..).zip([
        (
            "USER",
            "sip:bob@contoso.com",
            "BD",
            vec![offline],
            nothing.clone(),
        ),
        (
            "USER",
            "sip:bob@contoso.com",
            "AA",
            vec![online],
            nothing.clone(),
        ),
        // The closest entry counts, which for bob is his own.
        (
            "DOMAIN",
            "contoso.com",
            "DD",
            nothing.clone(),
            vec![offline],
        ),
        ("DOMAIN", "contoso.com", "AA", nothing.clone(), vec![online]),
        ("ALL", "", "BD", nothing.clone(), nothing.clone()),
        (
            "DOMAIN",
            "contoso.com",
            "BD",
            nothing.clone(),
            vec![offline],
        ),
        (
            "USER",
            "sip:carol@contoso.com",
            "AA",
            nothing.clone(),
            vec![online],
        ),
    ]) {
        let answer = alice.service(
            &mut world,
            SOAP,
            soap(&format!(
                "<m:setACE><m:type>{kind}</m:type><m:mask>{mask}</m:mask><m:rights>{rights}</m:rights><m:deltaNum>{number}</m:deltaNum></m:setACE>"
            )),
        );
        assert_eq!(answer.status(), Some(200), "{answer:#?}");
        for (phone, expected) in [(&mut bob, of_bob), (&mut carol, of_carol)] {
            let news = phone.news(&mut world);
            let told: Vec<[u16; 2]> = news.iter().map(pair_of).collect();
            assert_eq!(told, expected, "{number} {}", phone.aor);
        }
    }
}

#[test]
fn nobody_speaks_for_another() {
    let (mut world, mut alice, mut bob) = two();
    let dialog = single(&mut world, &mut bob, "alice", MSRTC);
    // In the body, and in the address.
    let answer = bob.service(&mut world, SOAP, set_presence("alice", 300, 400, ""));
    assert_eq!(answer.status(), Some(403));
    let request = bob
        .request(Method::Service, "sip:alice@contoso.com")
        .with_body(SOAP, set_presence("alice", 300, 400, ""));
    assert_eq!(bob.exchange(&mut world, request).status(), Some(403));
    assert!(bob.news(&mut world).is_empty());
    for bad in [
        "<m:setPresence/>",
        "<m:setPresence><m:presentity/></m:setPresence>",
        "<m:set",
    ] {
        let answer = alice.service(&mut world, SOAP, soap(bad));
        assert_eq!(explained(&answer), (400, Some(4001)), "{bad}");
    }
    assert!(bob.news(&mut world).is_empty());
    assert!(dialog.answer.status() == Some(200));
}

#[test]
fn those_who_wait_for_an_answer() {
    let (mut world, mut alice, mut bob) = two();
    let dialog = alice.subscribe(&mut world, PENDING);
    assert_eq!(
        dialog.answer.header(HeaderName::ContentType),
        Some("text/xml+msrtc.wpending")
    );
    let request = bob.batch(batch("subscribe", &["+alice"], &["state"]));
    bob.open(&mut world, request);
    let told = alice.told(&mut world);
    assert!(dialog.is(&told));
    assert!(
        text(&told).contains("uri=\"sip:bob@contoso.com\"") && text(&told).contains("Bob"),
        "{}",
        text(&told)
    );
    let acknowledge = "<setSubscribers xmlns=\"http://schemas.microsoft.com/2006/09/sip/presence-subscribers\"><subscriber user=\"bob@contoso.com\" acknowledged=\"true\"/></setSubscribers>";
    alice.service(&mut world, content_type::SET_SUBSCRIBERS, acknowledge);
    assert!(!text(&alice.told(&mut world)).contains("bob"));
    for phone in [alice, bob] {
        world.close(phone.connection);
    }
    world.advance(common::phone::WHILE);
    assert_eq!(world.server.counters(), Counters::default());
}

#[test]
fn who_cannot_say_that_he_is_there() {
    for (supported, speaks) in [
        ("gruu-10", false),
        ("gruu-10, com.microsoft.msrtc.presence", true),
    ] {
        let mut world = World::new(|_| {});
        let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
        let dialog = bob.watch(&mut world, &["alice"]);
        assert_eq!(
            shown(&dialog.answer),
            ["alice note: -", "alice state: -"],
            "nobody is placed yet"
        );
        let mut alice = Phone::new(&mut world, "alice", "a1", 50_001);
        alice.supported = supported;
        assert_eq!(alice.sign_in(&mut world).status(), Some(200));
        assert_eq!(
            shown(&bob.told(&mut world)),
            ["alice note: -", "alice state: 3500"]
        );
        // A refresh of the registration changes nothing.
        assert_eq!(alice.refresh(&mut world, &[]).status(), Some(200));
        assert!(bob.news(&mut world).is_empty());
        if speaks {
            // One that could say it and does not is given up.
            let news = waited(&mut world, &mut alice, &mut bob);
            assert_eq!(news, ["alice state: 18500"]);
            alice.service(&mut world, SOAP, set_presence("alice", 300, 600, ""));
            let told = shown(&bob.told(&mut world));
            assert_eq!(told, ["alice note: ", "alice state: 6500"]);
        }
        // And what it says is not given up.
        assert!(waited(&mut world, &mut alice, &mut bob).is_empty());
        world.close(alice.connection);
        assert_eq!(shown(&bob.told(&mut world)), ["alice state: 18500"]);
    }
}

/// 20 minutes, in which both keep what they have; what bob was told.
fn waited(world: &mut World, alice: &mut Phone, bob: &mut Phone) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..20 {
        world.advance(std::time::Duration::from_secs(60));
        for phone in [&mut *alice, &mut *bob] {
            let answer = phone.register();
            let answer = phone.exchange(world, answer);
            assert_eq!(answer.status(), Some(200));
        }
        all.extend(bob.news(world).iter().flat_map(shown));
    }
    all
}
