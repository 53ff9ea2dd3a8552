//! What must not pass, and what happens to what did not.

mod common;

use std::time::Instant;

use common::pair::{Pair, VERSIONS, half_way, server, server_config, tamper, wire};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipae::client::{Discard, Failure, Next, Verdict};
use ocs_sipae::replay::Replay;
use ocs_sipae::server::{Forbidden, Outcome};
use ocs_sipae::{Refusal, Version, server};

#[test]
fn every_covered_field_is_covered() {
    let now = Instant::now();
    for version in VERSIONS {
        let mut config = server_config();
        config.version = version;
        config.limits.refusals = u32::MAX;
        let mut server = server(now, config);
        let mut pair = Pair::new(now, "alice", "01", 1);
        pair.register(&mut server).unwrap();
        let only_later = [
            ("To: <sip:alice@", "To: <sip:alicf@"),
            ("+14255550103", "+1425555010"),
        ];
        let always = [
            ("from-server", "from-Server"),
            ("CSeq: 7", "CSeq: 07"),
            ("CSeq: 7 MESSAGE", "CSeq: 7 INFO"),
            ("sip:carol@contoso.com>;tag", "sip:Carol@contoso.com>;tag"),
            ("tag=33", "tag=34"),
            ("Expires: 60", "Expires: 61"),
            ("Expires: 60\r\n", ""),
            ("epid=01", "tag=9;epid=01"),
            ("snum=\"", "snum=\"1"),
            ("srand=\"", "srand=\"1"),
            ("rspauth=\"01", "rspauth=\"02"),
        ];
        for (from, to) in always.into_iter().chain(only_later) {
            let request = pair.delivered(&mut server, 7);
            let verdict = pair.client.verify(now, &tamper(&request, from, to));
            let bad = Verdict::Discard(Discard::Refused(Refusal::BadSignature));
            if version == Version::V2 && only_later.contains(&(from, to)) {
                assert_eq!(verdict, Verdict::Accepted, "{from}");
            } else {
                assert_eq!(verdict, bad, "{version:?} {from}");
                assert_eq!(pair.client.verify(now, &request), Verdict::Accepted);
            }
        }
        for (from, to) in [
            ("same-for-all", "same-for-alL"),
            ("Expires: 5", "Expires: 6"),
            ("tag=11", "tag=12"),
            ("MESSAGE\r\n", "INFO\r\n"),
            ("cnum=\"", "cnum=\"1"),
            ("crand=\"", "crand=\"1"),
            ("response=\"01", "response=\"02"),
            ("response=\"01", "response=\""),
            ("opaque=\"", "opaque=\"0"),
        ] {
            let mut request = pair.request(Method::Message).with(HeaderName::Expires, "5");
            pair.client.sign(&mut request).unwrap();
            let outcome = pair.submit(&mut server, &tamper(&request, from, to));
            assert!(
                matches!(outcome, Outcome::Challenge(_)),
                "{from}: {outcome:?}"
            );
            let outcome = pair.submit(&mut server, &request);
            assert!(
                matches!(outcome, Outcome::Accepted { .. }),
                "{from}: {outcome:?}"
            );
        }
        // Responses of the client.
        let request = pair.delivered(&mut server, 8);
        let mut response = Message::response_to(&request, 200, Some("55"));
        pair.client.sign(&mut response).unwrap();
        let tampered = tamper(&response, "SIP/2.0 200", "SIP/2.0 202");
        let verified = server.verify_response(now, pair.connection, &tampered);
        assert_eq!(
            verified,
            Err(server::Discard::Refused(Refusal::BadSignature))
        );
        assert!(
            server
                .verify_response(now, pair.connection, &wire(&response))
                .is_ok()
        );
    }
}

#[test]
fn replayed_and_reordered_messages() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let requests: Vec<Message> = (0..300)
        .map(|_| {
            let mut request = pair.request(Method::Info);
            pair.client.sign(&mut request).unwrap();
            request
        })
        .collect();
    let accepted = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Accepted {
                established: false,
                ..
            }
        )
    };
    for request in requests[20..].iter().rev() {
        let fresh = requests[299 - 256..].contains(request);
        assert_eq!(accepted(&pair.submit(&mut server, request)), fresh);
    }
    for request in &requests {
        let outcome = pair.submit(&mut server, request);
        let replayed = matches!(
            outcome,
            Outcome::Discard(server::Discard::Refused(Refusal::Replayed(_)))
        );
        assert!(replayed, "{outcome:?}");
    }
    let first = pair.delivered(&mut server, 1);
    let second = pair.delivered(&mut server, 2);
    assert_eq!(pair.client.verify(now, &second), Verdict::Accepted);
    assert_eq!(pair.client.verify(now, &first), Verdict::Accepted);
    let repeated = Verdict::Discard(Discard::Refused(Refusal::Replayed(Replay::Repeated(2))));
    assert_eq!(pair.client.verify(now, &first), repeated);
}

#[test]
fn nobody_sends_in_the_name_of_others() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    // The account is not the owner of the address.
    pair.user = "bob";
    half_way(&mut pair, &mut server);
    let mut request = pair.request(Method::Register);
    pair.client.authorize(&mut request).unwrap();
    let outcome = pair.submit(&mut server, &request);
    let Outcome::Forbidden {
        response, reason, ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(reason, Forbidden::NotOwner);
    assert_eq!(response.status(), Some(403));
    let diagnostics = response.header(HeaderName::MsDiagnosticsPublic).unwrap();
    assert!(diagnostics.starts_with("4004;"));
    // Later in the session.
    pair.client.reset();
    pair.user = "alice";
    pair.register(&mut server).unwrap();
    pair.user = "bob";
    let mut request = pair.request(Method::Message);
    pair.client.sign(&mut request).unwrap();
    let outcome = pair.submit(&mut server, &request);
    assert!(
        matches!(
            outcome,
            Outcome::Forbidden {
                reason: Forbidden::ForeignFrom,
                ..
            }
        ),
        "{outcome:?}"
    );
    // Without an identifier of the endpoint.
    let message = Message::request(Method::Register, "sip:contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "1")
        .with(HeaderName::CSeq, "1 REGISTER")
        .with(HeaderName::Authorization, "NTLM realm=\"SIP Communications Service\", targetname=fe01.contoso.com, gssapi-data=\"\"");
    let outcome = pair.submit(&mut server, &message);
    assert!(matches!(
        outcome,
        Outcome::Forbidden {
            reason: Forbidden::NoEndpoint,
            ..
        }
    ));
}

#[test]
fn refused_signatures_are_tried_again_once_and_not_for_ever() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    server.remove(pair.association.unwrap());
    let mut request = pair.request(Method::Message);
    for attempt in 0..2 {
        pair.client.sign(&mut request).unwrap();
        let Outcome::Challenge(response) = pair.submit(&mut server, &request) else {
            panic!("no challenge")
        };
        let expected = [Next::Resign, Next::Failed(Failure::SignatureRefused)];
        assert_eq!(
            pair.client.on_challenge(now, &wire(&response)),
            expected[attempt]
        );
    }
    // A client that does not stop.
    for _ in 0..6 {
        pair.client.sign(&mut request).unwrap();
        assert!(matches!(
            pair.submit(&mut server, &request),
            Outcome::Challenge(_)
        ));
    }
    pair.client.sign(&mut request).unwrap();
    let outcome = pair.submit(&mut server, &request);
    assert!(matches!(
        outcome,
        Outcome::Forbidden {
            reason: Forbidden::TooManyRefusals,
            ..
        }
    ));
    // It may register.
    assert_eq!(pair.register(&mut server), Ok(3));
    pair.accepted(&mut server, Method::Message);
}

#[test]
fn a_number_that_is_none_is_a_wrong_signature() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    half_way(&mut pair, &mut server);
    let mut register = pair.request(Method::Register);
    pair.client.authorize(&mut register).unwrap();
    let text = register.header(HeaderName::Authorization).unwrap();
    let at = text.find(", crand").unwrap();
    let null = format!(
        "{}, crand=\"(null)\", cnum=\"(null)\", response=\"01000000679A94AE5B8B900D64000000\"",
        &text[..at]
    );
    register.set(HeaderName::Authorization, &null);
    assert!(matches!(
        pair.submit(&mut server, &register),
        Outcome::Challenge(_)
    ));
}

#[test]
fn a_request_that_was_lost_does_not_count_as_refused() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    half_way(&mut pair, &mut server);
    // The request with the token never arrives; the next one starts anew.
    let mut lost = pair.request(Method::Register);
    pair.client.authorize(&mut lost).unwrap();
    assert_eq!(pair.register(&mut server), Ok(3));
    pair.accepted(&mut server, Method::Message);
}
