//! A client against a server: whole sessions.

mod common;

use std::time::Instant;

use common::pair::{Pair, VERSIONS, client, request, server, server_config, wire};
use common::verifier;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipae::client::{Discard, Event, Failure, Next, Verdict};
use ocs_sipae::server::{EndpointKey, Outcome};
use ocs_sipae::{Scheme, server};

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
