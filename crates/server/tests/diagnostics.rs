//! What a refusal says besides its status ([MS-OCER]), what a client may not say, and reports of failures.

mod common;

use common::phone::Phone;
use common::{World, aor};
use ocs_ocer::report::{self, ReportError};
use ocs_ocer::{ErrorId, Kind, Limits, diagnostics_of};
use ocs_server::Event;
use ocs_sip_core::{HeaderName, Message, Method};

const BOB: &str = "sip:bob@contoso.com";
const FQDN: &str = "fe01.contoso.com";

/// Status, kind and number of the first diagnostics, and whether they name the server.
fn explained(response: &Message) -> (u16, Option<(Kind, ErrorId, bool)>) {
    let first = diagnostics_of(response).next();
    let first = first.map(|(kind, value)| {
        let names = value.source().is_some_and(|source| source == FQDN);
        (kind, value.error_id, names)
    });
    (response.status().unwrap(), first)
}

#[test]
fn refusals_have_the_number_that_fits() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let inside = |id| Some((Kind::Private, id, true));
    for (uri, name, value, status, told) in [
        (
            "sip:mallory@contoso.com",
            HeaderName::Subject,
            "x",
            404,
            inside(ErrorId::USER_DOES_NOT_EXIST),
        ),
        (
            "sip:dave@fabrikam.com",
            HeaderName::Subject,
            "x",
            504,
            inside(ErrorId::CANNOT_ROUTE_TO_DOMAIN),
        ),
        (
            BOB,
            HeaderName::MsSensitivity,
            "loud",
            400,
            inside(ErrorId::PARSING_FAILURE),
        ),
        (
            BOB,
            HeaderName::Route,
            "<sip:fe01.contoso.com:5060;transport=tcp;opaque=state:F:T:Ci.R200:Co.R201;lr;ms-route-sig=aa>",
            481,
            inside(ErrorId::ROUTE_SET_NOT_VALID),
        ),
        // The public one never names the server.
        (
            BOB,
            HeaderName::PSessionOnBehalfOf,
            "<sip:carol@contoso.com>",
            403,
            Some((Kind::Public, ErrorId::NOT_AUTHORIZED_AS_FROM, false)),
        ),
    ] {
        let request = alice.request(Method::Message, uri).with(name, value);
        let response = alice.ask(&mut world, request);
        assert_eq!(explained(&response), (status, told), "{uri} {name:?}");
    }
}

#[test]
fn a_register_that_is_refused() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::new(&mut world, "alice", "aaaa", 50_000);
    phone.extra.push((
        HeaderName::From,
        "<sip:alice@contoso.com>;tag=1;epid=12345678901234567".into(),
    ));
    let response = phone.sign_in(&mut world);
    let told = (Kind::Private, ErrorId::EPID_TOO_LONG, true);
    assert_eq!(explained(&response), (400, Some(told)));
    // The account exists, but the address is another user's.
    let mut phone = Phone::new(&mut world, "alice", "aaaa", 50_001);
    phone.aor = "bob@contoso.com".parse().unwrap();
    let response = phone.sign_in(&mut world);
    let told = (Kind::Public, ErrorId::NOT_AUTHORIZED_AS_FROM, false);
    assert_eq!(explained(&response), (403, Some(told)));
}

#[test]
fn a_client_says_what_clients_say() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let lines = [
        (
            HeaderName::MsDiagnostics,
            "1003;source=\"fe01.contoso.com\"",
        ),
        (
            HeaderName::MsDiagnosticsPublic,
            "4141;reason=\"User disabled\"",
        ),
        (
            HeaderName::MsClientDiagnostics,
            "52063;reason=\"Unsupported session description\"",
        ),
    ];
    let all = |message: Message| {
        lines
            .iter()
            .fold(message, |message, (name, value)| message.with(*name, value))
    };
    let request = all(alice.request(Method::Message, BOB));
    alice.send(&mut world, request);
    let got = bob.one(&mut world);
    let kinds = |message: &Message| {
        diagnostics_of(message)
            .map(|(kind, _)| kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&got), [Kind::Client]);
    let answer = all(bob.make_answer(&got, 488));
    bob.send(&mut world, answer);
    assert_eq!(kinds(&alice.one(&mut world)), [Kind::Client]);
}

#[test]
fn a_failure_is_reported() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let document = |from: &str| {
        format!(
            "<reportError xmlns=\"{}\"><error fromUri=\"{from}\" callId=\"1\" requestType=\"INVITE\" responseCode=\"504\"><diagHeader>1008</diagHeader><progressReports/></error></reportError>",
            report::NAMESPACE
        )
    };
    let ask = |world: &mut World, alice: &mut Phone, body: &str| {
        let request = alice
            .request(Method::Service, "sip:alice@contoso.com")
            .with_body(report::CONTENT_TYPE, body.to_owned());
        alice.ask(world, request)
    };
    let body = document("sip:alice@contoso.com");
    assert_eq!(explained(&ask(&mut world, &mut alice, &body)), (200, None));
    let sent = ReportError::parse(body.as_bytes(), &Limits::default()).unwrap();
    assert!(world.told(|event| {
        matches!(event, Event::ErrorReport { aor: user, report } if *user == aor("alice") && **report == sent)
    }));
    let reports = |world: &World| {
        world
            .events
            .iter()
            .filter(|event| matches!(event, Event::ErrorReport { .. }))
            .count()
    };
    // For somebody else, and not XML.
    let response = ask(&mut world, &mut alice, &document("sip:bob@contoso.com"));
    let told = (Kind::Public, ErrorId::NOT_AUTHORIZED_AS_FROM, false);
    assert_eq!(explained(&response), (403, Some(told)));
    let response = ask(&mut world, &mut alice, "<reportError");
    let told = (Kind::Private, ErrorId::XML_PARSE_FAILURE, true);
    assert_eq!(explained(&response), (400, Some(told)));
    assert_eq!(reports(&world), 1);
    // Another service is not here.
    let request = alice
        .request(Method::Service, "sip:alice@contoso.com")
        .with_body("application/x", "x");
    assert_eq!(alice.ask(&mut world, request).status(), Some(415));
}
