//! A client against a server: whole sessions, and everything that must not pass.

mod common;

use std::time::{Duration, Instant};

use common::pair::{Pair, VERSIONS, client, request, server, server_config, wire};
use common::verifier;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipae::client::{Discard, Event, Failure, Next, Verdict};
use ocs_sipae::replay::Replay;
use ocs_sipae::server::{self, End, EndpointKey, Forbidden, Outcome};
use ocs_sipae::{Error, Refusal, Scheme, Version};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn whole_sessions_in_all_versions() {
    let now = Instant::now();
    for version in VERSIONS {
        let mut config = server_config();
        config.version = version;
        let mut server = server(now, config);
        let mut pair = Pair::new(now, "alice", "01", 1);
        assert_eq!(pair.register(&mut server), Ok(3));
        assert_eq!(pair.client.scheme(), Some((Scheme::Ntlm, version)));
        let association = pair.association.unwrap();
        assert_eq!(server.version(association), Some(version));
        for _ in 0..300 {
            let request = pair.accepted(&mut server, Method::Subscribe);
            let mut response = Message::response_to(&request, 202, Some("44"));
            server.sign(now, association, &mut response).unwrap();
            assert_eq!(pair.client.verify(now, &wire(&response)), Verdict::Accepted);
        }
        for cseq in 1..300 {
            let request = pair.delivered(&mut server, cseq);
            assert_eq!(pair.client.verify(now, &request), Verdict::Accepted);
            let mut response = Message::response_to(&request, 200, Some("55"));
            pair.client.sign(&mut response).unwrap();
            let verified = server.verify_response(now, pair.connection, &wire(&response));
            assert_eq!(verified, Ok(association));
        }
        pair.accepted(&mut server, Method::Ack);
        pair.accepted(&mut server, Method::Cancel);
    }
}

#[test]
fn an_old_client_speaks_its_version_with_a_new_server() {
    let now = Instant::now();
    for version in VERSIONS {
        let mut server = server(now, server_config());
        let mut pair = Pair::new(now, "alice", "01", 1);
        let credential = ocs_ntlm::NtHash::from_password("Passw0rd").into();
        let ntlm = ocs_ntlm::ClientConfig::sip("alice", "CONTOSO", credential);
        let ntlm = ocs_sipae::ntlm::NtlmClient::new(ntlm);
        let mut config = ocs_sipae::client::ClientConfig::new(vec![Box::new(ntlm)]);
        config.max_version = version;
        let rng =
            <rand_chacha::ChaCha12Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(3);
        pair.client = ocs_sipae::client::Client::new(config, common::pair::wall_clock(now), rng);
        assert_eq!(pair.register(&mut server), Ok(3));
        assert_eq!(server.version(pair.association.unwrap()), Some(version));
        pair.accepted(&mut server, Method::Message);
    }
}

#[test]
fn unsigned_messages_to_a_client() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let invite = pair.request(Method::Invite);
    let register = pair.request(Method::Register);
    let unsigned = Verdict::Discard(Discard::Unsigned);
    for (message, expected) in [
        (Message::response_to(&invite, 100, None), Verdict::Unsigned),
        (Message::response_to(&invite, 401, None), Verdict::Unsigned),
        (Message::response_to(&invite, 200, None), unsigned.clone()),
        (
            Message::response_to(&register, 200, None),
            Verdict::Unsigned,
        ),
        (request(Method::Benotify, "bob", "02", 1), unsigned),
    ] {
        assert_eq!(
            pair.client.verify(now, &wire(&message)),
            expected,
            "{message:?}"
        );
    }
    // Not signed by the server either.
    let association = pair.association.unwrap();
    for status in [100, 401, 407] {
        let mut response = Message::response_to(&invite, status, None)
            .with(HeaderName::AuthenticationInfo, "NTLM rspauth=\"00\"");
        assert_eq!(server.sign(now, association, &mut response), Ok(false));
        assert_eq!(response.header(HeaderName::AuthenticationInfo), None);
    }
    // Signed by somebody else.
    let stranger = Message::response_to(&invite, 200, Some("1")).with(
        HeaderName::AuthenticationInfo,
        "NTLM rspauth=\"00\", srand=\"00\", snum=\"1\", targetname=\"fe02\", realm=\"SIP Communications Service\"",
    );
    let verdict = pair.client.verify(now, &wire(&stranger));
    assert_eq!(verdict, Verdict::Discard(Discard::NoAssociation));
}

/// Replaces the first occurrence of `from` on the wire.
fn tamper(message: &Message, from: &str, to: &str) -> Message {
    let text = String::from_utf8(message.to_bytes().to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    common::parse(text.replacen(from, to, 1).into_bytes())
}

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
fn renewal_keeps_the_old_association_until_the_new_one_stands() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let old = pair.association.unwrap();
    let renew_at = pair.client.poll_timeout().unwrap();
    assert_eq!(renew_at + 5 * MINUTE, now + 8 * HOUR);
    pair.client.handle_timeout(now + 7 * HOUR);
    assert_eq!(pair.client.poll_event(), None);
    // Messages keep the association from becoming idle.
    while pair.now + 10 * MINUTE < renew_at {
        pair.now += 10 * MINUTE;
        server.handle_timeout(pair.now);
        pair.accepted(&mut server, Method::Info);
    }
    pair.now = renew_at;
    server.handle_timeout(pair.now);
    pair.client.handle_timeout(renew_at);
    assert!(matches!(
        pair.client.poll_event(),
        Some(Event::Renew { .. })
    ));
    let request = pair.request(Method::Register);
    let Outcome::Challenge(response) = pair.submit(&mut server, &request) else {
        panic!("no challenge")
    };
    assert_eq!(
        pair.client.on_challenge(pair.now, &wire(&response)),
        Next::Resend
    );
    // In the middle of it.
    pair.accepted(&mut server, Method::Message);
    let message = pair.delivered(&mut server, 3);
    assert_eq!(pair.client.verify(pair.now, &message), Verdict::Accepted);
    pair.client.reset();
    assert!(!pair.client.is_established());
    pair.register(&mut server).unwrap();
    assert_ne!(pair.association, Some(old));
    assert_eq!(server.associations(), 1);
    let event = server.poll_event();
    assert!(
        matches!(event, Some(server::Event::Ended { association, reason: End::Replaced, .. })
            if association == old),
        "{event:?}"
    );
    assert_eq!(
        server.sign(pair.now, old, &mut pair.request(Method::Info)),
        Err(Error::NoAssociation)
    );
}

#[test]
fn renewal_without_a_break() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let old = pair.association;
    assert_eq!(pair.register(&mut server), Ok(3));
    assert_ne!(pair.association, old);
    pair.accepted(&mut server, Method::Message);
    let message = pair.delivered(&mut server, 3);
    assert_eq!(pair.client.verify(now, &message), Verdict::Accepted);
    pair.client.handle_timeout(now + 8 * HOUR);
    let event = pair.client.poll_event();
    assert!(matches!(event, Some(Event::Expired { .. })), "{event:?}");
    assert_eq!(pair.client.poll_timeout(), None);
    assert_eq!(
        pair.client.sign(&mut pair.cseq_less()),
        Err(Error::NoAssociation)
    );
}

trait CseqLess {
    fn cseq_less(&self) -> Message;
}

impl CseqLess for Pair {
    fn cseq_less(&self) -> Message {
        request(Method::Info, self.user, self.epid, 1)
    }
}

#[test]
fn associations_expire_on_the_server() {
    let now = Instant::now();
    for (registered, ends, reason) in [
        (false, now + 15 * MINUTE, End::Idle),
        (true, now + 2 * HOUR + Duration::from_secs(30), End::Idle),
    ] {
        let mut server = server(now, server_config());
        let mut pair = Pair::new(now, "alice", "01", 1);
        if registered {
            pair.register(&mut server).unwrap();
        } else {
            half_way(&mut pair, &mut server);
            let mut request = pair.request(Method::Register);
            pair.client.authorize(&mut request).unwrap();
            let outcome = pair.submit(&mut server, &request);
            assert!(matches!(outcome, Outcome::Accepted { .. }));
        }
        server.handle_timeout(now + (ends - now) / 2);
        assert_eq!(server.associations(), 1);
        assert_eq!(server.poll_timeout(), Some(ends));
        server.handle_timeout(ends);
        assert_eq!(server.associations(), 0);
        let event = server.poll_event();
        assert!(
            matches!(&event, Some(server::Event::Ended { reason: found, .. }) if *found == reason),
            "{event:?}"
        );
        assert_eq!(server.poll_timeout(), None);
    }
    // Eight hours end it, whatever was sent.
    let mut config = server_config();
    config.lifetime = 20 * MINUTE;
    let mut server = server(now, config);
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    pair.now += 19 * MINUTE;
    pair.accepted(&mut server, Method::Info);
    pair.now += MINUTE;
    let mut request = pair.request(Method::Info);
    pair.client.sign(&mut request).unwrap();
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Challenge(_)
    ));
    server.handle_timeout(pair.now);
    let event = server.poll_event();
    assert!(matches!(
        event,
        Some(server::Event::Ended {
            reason: End::Lifetime,
            ..
        })
    ));
}

/// Up to the request that would carry the AUTHENTICATE.
fn half_way(pair: &mut Pair, server: &mut server::Server) {
    let mut request = pair.request(Method::Register);
    for _ in 0..2 {
        let Outcome::Challenge(response) = pair.submit(server, &request) else {
            panic!("no challenge")
        };
        assert_eq!(
            pair.client.on_challenge(pair.now, &wire(&response)),
            Next::Resend
        );
        request = pair.request(Method::Register);
        if server.half_open() == 0 {
            pair.client.authorize(&mut request).unwrap();
        }
    }
}

#[test]
fn wrong_password_and_unknown_user() {
    let now = Instant::now();
    for (user, password) in [("alice", "passw0rd"), ("mallory", "Passw0rd")] {
        for version in VERSIONS {
            let mut config = server_config();
            config.version = version;
            let mut server = server(now, config);
            let mut pair = Pair::new(now, user, "01", 1);
            pair.client = client(now, user, password, 5);
            let failure = pair.register(&mut server).unwrap_err();
            let Failure::CredentialsRefused {
                scheme,
                diagnostics,
            } = failure
            else {
                panic!("{failure:?}")
            };
            assert_eq!(scheme, Scheme::Ntlm);
            assert!(diagnostics.unwrap().starts_with("1000;"));
            let event = server.poll_event();
            assert!(
                matches!(event, Some(server::Event::LogonFailure { .. })),
                "{event:?}"
            );
            assert_eq!((server.half_open(), server.associations()), (0, 0));
        }
    }
}

#[test]
fn a_half_open_association_serves_one_answer_on_its_connection_in_its_time() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    half_way(&mut pair, &mut server);
    let mut request = pair.request(Method::Register);
    pair.client.authorize(&mut request).unwrap();
    // Elsewhere, or from another endpoint.
    let elsewhere = server.authenticate(now, ConnectionId(2), &wire(&request), &verifier());
    assert!(matches!(elsewhere, Outcome::Challenge(_)));
    let other = tamper(&request, "epid=01", "epid=02");
    assert!(matches!(
        pair.submit(&mut server, &other),
        Outcome::Challenge(_)
    ));
    assert_eq!(server.half_open(), 1);
    // Too late.
    let late = now + 60 * Duration::from_secs(1);
    let outcome = server.authenticate(late, pair.connection, &wire(&request), &verifier());
    assert!(matches!(outcome, Outcome::Challenge(_)));
    // In time, but only once.
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Accepted { .. }
    ));
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Challenge(_)
    ));
}

#[test]
fn a_flood_of_handshakes_is_bounded() {
    let now = Instant::now();
    let mut config = server_config();
    config.limits.half_open = 50;
    let mut server = server(now, config);
    let start = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"fe01.contoso.com\", gssapi-data=\"\", version=4";
    for n in 0..1000_u64 {
        let message = request(Method::Register, "alice", &n.to_string(), 1)
            .with(HeaderName::Authorization, start);
        let connection = ConnectionId(n % 10);
        let outcome = server.authenticate(now, connection, &wire(&message), &verifier());
        assert!(matches!(
            outcome,
            Outcome::Challenge(_) | Outcome::Overloaded(_)
        ));
        assert!(server.half_open() <= 50);
    }
    assert_eq!(server.half_open(), 50);
    server.connection_closed(ConnectionId(3));
    assert!(server.half_open() < 50);
    server.handle_timeout(now + MINUTE);
    assert_eq!(server.half_open(), 0);
    assert_eq!(server.poll_timeout(), None);
    // One connection alone gets no more than its share.
    for n in 0..100 {
        let message = request(Method::Register, "alice", &n.to_string(), 1)
            .with(HeaderName::Authorization, start);
        let _ = server.authenticate(now, ConnectionId(1), &wire(&message), &verifier());
    }
    assert_eq!(server.half_open(), 8);
}

#[test]
fn endpoints_with_equal_dialogs_are_kept_apart() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut alice = Pair::new(now, "alice", "01", 1);
    let mut bob = Pair::new(now, "bob", "02", 2);
    let mut second = Pair::new(now, "alice", "03", 2);
    for pair in [&mut alice, &mut bob, &mut second] {
        pair.register(&mut server).unwrap();
    }
    for _ in 0..3 {
        for pair in [&mut alice, &mut bob, &mut second] {
            pair.accepted(&mut server, Method::Message);
            let aor = ocs_sip_core::Aor::parse(&format!("{}@contoso.com", pair.user)).unwrap();
            let key = EndpointKey::epid(aor.clone(), pair.epid);
            assert_eq!(server.find(&key), pair.association);
            let key = EndpointKey::instance(aor, &format!("URN:uuid:{}", pair.epid));
            assert_eq!(server.find(&key), pair.association);
        }
    }
    let gruu = "sip:alice@contoso.com;opaque=user:epid:abc;gruu";
    let key = EndpointKey::gruu(gruu).unwrap();
    assert!(server.bind(alice.association.unwrap(), key.clone()));
    assert!(!server.bind(bob.association.unwrap(), key.clone()));
    assert_eq!(server.find(&key), alice.association);
    server.connection_closed(ConnectionId(2));
    assert_eq!(server.associations(), 1);
    alice.accepted(&mut server, Method::Message);
    let mut request = bob.request(Method::Message);
    bob.client.sign(&mut request).unwrap();
    assert!(matches!(
        bob.submit(&mut server, &request),
        Outcome::Challenge(_)
    ));
    server.remove(alice.association.unwrap());
    assert_eq!((server.associations(), server.find(&key)), (0, None));
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
fn what_cannot_be_answered_is_discarded() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    for method in [Method::Ack, Method::Cancel, Method::Benotify] {
        let message = request(method, "alice", "01", 1);
        let outcome = server.authenticate(now, ConnectionId(1), &wire(&message), &verifier());
        assert!(matches!(
            outcome,
            Outcome::Discard(server::Discard::Unauthenticated)
        ));
    }
    let message = Message::response_to(&request(Method::Message, "a", "1", 1), 200, None);
    let outcome = server.authenticate(now, ConnectionId(1), &wire(&message), &verifier());
    assert!(matches!(outcome, Outcome::Discard(server::Discard::Kind)));
    let unsigned = server.verify_response(now, ConnectionId(1), &wire(&message));
    assert_eq!(unsigned, Err(server::Discard::Unauthenticated));
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
fn clock_skew_and_unusable_challenges_are_reported() {
    let now = Instant::now();
    let mut alice = client(now, "alice", "Passw0rd", 1);
    let register = request(Method::Register, "alice", "01", 1);
    let challenge = |value: &str| {
        Message::response_to(&register, 401, Some("1"))
            .with(HeaderName::Date, "Thu, 31 Jan 2008 00:01:56 GMT")
            .with(HeaderName::WwwAuthenticate, value)
    };
    let none = Next::Failed(Failure::NoChallenge);
    assert_eq!(
        alice.on_challenge(now, &challenge("Digest realm=\"a\", nonce=\"b\"")),
        none
    );
    let event = alice.poll_event();
    assert!(
        matches!(
            event,
            Some(Event::ClockSkew {
                server_ahead: false,
                ..
            })
        ),
        "{event:?}"
    );
    let response = challenge("Kerberos realm=\"a\", targetname=\"sip/b\", version=4");
    let no_scheme = Next::Failed(Failure::NoCommonScheme);
    assert_eq!(alice.on_challenge(now, &response), no_scheme);
    // A challenge inside the challenge that is none of NTLM.
    let response = challenge("NTLM realm=\"a\", targetname=b, version=\"3\"");
    assert_eq!(alice.on_challenge(now, &response), Next::Resend);
    let mut again = request(Method::Register, "alice", "01", 2);
    alice.authorize(&mut again).unwrap();
    let expected = "NTLM qop=\"auth\", realm=\"a\", targetname=\"b\", gssapi-data=\"\", version=3";
    assert_eq!(again.header(HeaderName::Authorization), Some(expected));
    let response = challenge("NTLM opaque=1, gssapi-data=\"AAAA\", realm=a, targetname=b");
    let next = alice.on_challenge(now, &response);
    assert!(
        matches!(next, Next::Failed(Failure::Handshake { .. })),
        "{next:?}"
    );
}

#[test]
fn proxy_challenges_are_answered_as_such() {
    let now = Instant::now();
    let mut alice = client(now, "alice", "Passw0rd", 1);
    let register = request(Method::Register, "alice", "01", 1);
    let response = Message::response_to(&register, 407, Some("1")).with(
        HeaderName::ProxyAuthenticate,
        "NTLM realm=\"a\", targetname=\"b\", version=4",
    );
    assert_eq!(alice.on_challenge(now, &response), Next::Resend);
    let mut again = request(Method::Register, "alice", "01", 2);
    alice.authorize(&mut again).unwrap();
    assert!(again.header(HeaderName::ProxyAuthorization).is_some());
    assert!(again.header(HeaderName::Authorization).is_none());
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
