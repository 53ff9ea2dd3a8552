//! Documents that are no documents, or not what they should be: each is refused whole, and nobody else notices.

mod common;

use common::phone::Phone;
use common::presence::{OWN, explained};
use common::stage::{ADRL, PROVISIONING, Stage, good};
use ocs_pres::doc::content_type;
use ocs_sip_core::{Message, Method};

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
            let many: Vec<_> = (0..5000).map(|i| format!(" a{i}=\"\"")).collect();
            document.replacen('>', &format!("{}>", many.concat()), 1)
        }),
    ]
}

#[test]
fn what_is_spoiled_here_is_good_before() {
    let mut stage = Stage::new();
    for (what, document) in good() {
        let request = request(&mut stage.bob, what, document);
        let answer = stage.bob.exchange(&mut stage.world, request);
        let expected = match what {
            // carol does not wait for an answer.
            content_type::SET_SUBSCRIBERS => (404, Some(2000)),
            _ => (200, None),
        };
        assert_eq!(explained(&answer), expected, "{what}");
    }
    // carol watches bob too.
    assert_eq!(stage.carol.news(&mut stage.world).len(), 1);
    stage.life_goes_on();
    stage.leave();
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
