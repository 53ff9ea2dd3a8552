//! What clients can do wrong, by accident or on purpose. Nobody else may notice.

mod common;

use std::time::Duration;

use bytes::BytesMut;
use common::World;
use common::phone::{Phone, WHILE};
use ocs_server::{CloseCause, Counters, Event};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{HeaderName, Limits, Message, Method, Transport};
use proptest::prelude::*;

const BOB: &str = "sip:bob@contoso.com";

fn text(method: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:50009;branch=z9hG4bKx\r\nFrom: <sip:eve@contoso.com>;tag=1;epid=eeee\r\nTo: <sip:eve@contoso.com>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n{more}\r\n{body}"
    )
    .into_bytes()
}

/// alice and bob are signed in and can talk to each other afterwards as before.
fn beside(attack: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    attack(&mut world);
    for connection in [alice.connection, bob.connection] {
        assert!(!world.closed.contains(&connection));
        world.send(connection, "\r\n\r\n");
    }
    let message = alice
        .request(Method::Message, BOB)
        .with_body("text/plain", "hi");
    alice.send(&mut world, message);
    let message = bob.one(&mut world);
    bob.answer(&mut world, &message, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    assert!(world.server.counters().received < 2 * 1024 * 1024);
    world
}

fn first_status(world: &mut World, octets: Vec<u8>) -> Option<u16> {
    let id = world.connect(50_009);
    world.send(id, octets);
    world.take(id).first().and_then(Message::status)
}

#[test]
fn broken_messages_get_the_right_answer() {
    let limits = Limits::default();
    let many = "X: y\r\n".repeat(1_000_000);
    let long = format!("X: {}\r\n", "y".repeat(10 * 1024 * 1024));
    let headers = "X: y\r\n".repeat(limits.headers);
    let line = format!("X: {}\r\n", "y".repeat(limits.header_line));
    let cases: Vec<(&str, Vec<u8>, Option<u16>, bool)> = vec![
        (
            "a million headers",
            text("OPTIONS", &many, ""),
            Some(513),
            true,
        ),
        (
            "a line of 10 MB",
            text("OPTIONS", &long, ""),
            Some(513),
            true,
        ),
        (
            "a line above its bound",
            text("OPTIONS", &format!("{line}Content-Length: 0\r\n"), ""),
            None,
            false,
        ),
        (
            "a header above its bound",
            text("OPTIONS", &format!("{headers}Content-Length: 0\r\n"), ""),
            None,
            false,
        ),
        ("no length", text("OPTIONS", "", ""), Some(400), true),
        (
            "length is no number",
            text("OPTIONS", "Content-Length: ten\r\n", ""),
            Some(400),
            true,
        ),
        (
            "two lengths",
            text("OPTIONS", "Content-Length: 0\r\nContent-Length: 1\r\n", ""),
            Some(400),
            true,
        ),
        (
            "a body above its bound",
            text("OPTIONS", "Content-Length: 99999999\r\n", ""),
            Some(513),
            false,
        ),
        (
            "unknown version",
            b"OPTIONS sip:x SIP/7.0\r\nContent-Length: 0\r\n\r\n".to_vec(),
            None,
            false,
        ),
        (
            "not SIP",
            b"GET / HTTP/1.1\r\nHost: fe01\r\n\r\n".to_vec(),
            None,
            true,
        ),
        ("octets", vec![0xFF; 100_000], None, true),
        (
            "a NUL",
            text("OPTIONS", "X: \0\r\nContent-Length: 0\r\n", ""),
            None,
            false,
        ),
        (
            "CSeq of another method",
            text("OPTIONS", "CSeq: 1 BYE\r\nContent-Length: 0\r\n", ""),
            None,
            false,
        ),
        (
            "forbidden extension",
            text(
                "OPTIONS",
                "Proxy-Require: teleport\r\nContent-Length: 0\r\n",
                "",
            ),
            Some(420),
            false,
        ),
    ];
    for (name, octets, status, closes) in cases {
        let mut closed = false;
        let mut answer = None;
        let world = beside(|world| {
            let id = world.connect(50_009);
            for piece in octets.chunks(64 * 1024) {
                world.send(id, piece.to_vec());
            }
            answer = world.take(id).first().and_then(Message::status);
            closed = world.closed.contains(&id);
        });
        if let Some(status) = status {
            assert_eq!(answer, Some(status), "{name}");
        }
        assert_eq!(closed, closes, "{name}: {:?}", world.events.last());
        let named = world.told(|event| {
            matches!(
                event,
                Event::Malformed { .. }
                    | Event::Dropped { .. }
                    | Event::Closed {
                        cause: CloseCause::Stream(_),
                        ..
                    }
            )
        });
        assert!(named || answer.is_some(), "{name}: nobody was told");
    }
}

#[test]
fn the_unauthenticated_are_challenged_or_ignored() {
    let mut world = World::new(|_| {});
    let status = first_status(&mut world, text("OPTIONS", "Content-Length: 0\r\n", ""));
    assert_eq!(status, Some(401));
    for method in ["ACK", "CANCEL", "BENOTIFY"] {
        let octets = text(method, "Content-Length: 0\r\n", "");
        assert_eq!(first_status(&mut world, octets), None, "{method}");
    }
    assert_eq!(world.dropped(), 3);
    assert_eq!(world.server.counters().transactions, 0);
}

#[test]
fn lone_octets_and_pipelines() {
    // Byte by byte, and everything at once, give the same.
    let run = |size: usize| {
        let mut world = World::new(|_| {});
        let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
        let mut octets = Vec::new();
        for _ in 0..20 {
            let mut message = alice.request(Method::Message, "sip:nobody@contoso.com");
            alice.auth.sign(&mut message).unwrap();
            octets.extend_from_slice(b"\r\n\r\n");
            octets.extend_from_slice(&message.to_bytes());
        }
        for piece in octets.chunks(size) {
            world.send(alice.connection, piece.to_vec());
        }
        let answers = alice.receive(&mut world);
        assert_eq!(answers.len(), 20);
        assert!(answers.iter().all(|answer| answer.status() == Some(404)));
        assert_eq!(world.server.counters().received, 0);
        world.log
    };
    let whole = run(usize::MAX);
    assert_eq!(whole, run(1));
    assert_eq!(whole, run(7));
}

#[test]
fn replayed_reordered_and_tampered() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut messages: Vec<_> = (0..5)
        .map(|_| {
            let mut message = alice.request(Method::Message, "sip:nobody@contoso.com");
            alice.auth.sign(&mut message).unwrap();
            message
        })
        .collect();
    // The order does not matter, within the window.
    messages.reverse();
    for message in &messages {
        world.send(alice.connection, message.to_bytes());
    }
    assert_eq!(alice.receive(&mut world).len(), 5);
    for message in &messages {
        world.send(alice.connection, message.to_bytes());
    }
    assert!(alice.receive(&mut world).is_empty());
    assert_eq!(world.dropped(), 5);
    // From another connection they are nobody's.
    let thief = world.connect(50_009);
    world.send(thief, messages[0].to_bytes());
    assert_eq!(world.take(thief)[0].status(), Some(401));
    // What the signature covers cannot be changed.
    let mut message = alice.request(Method::Message, "sip:nobody@contoso.com");
    alice.auth.sign(&mut message).unwrap();
    message.set(HeaderName::Expires, "1");
    world.send(alice.connection, message.to_bytes());
    assert_eq!(alice.one(&mut world).status(), Some(401));
    // And who is refused again and again is told so.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let mut message = alice.request(Method::Message, "sip:nobody@contoso.com");
        alice.auth.sign(&mut message).unwrap();
        message.set(HeaderName::Expires, "1");
        world.send(alice.connection, message.to_bytes());
        statuses.push(alice.one(&mut world).status().unwrap());
    }
    assert_eq!(statuses.last(), Some(&403));
    // The next good one counts again.
    let message = alice.request(Method::Message, "sip:nobody@contoso.com");
    assert_eq!(alice.ask(&mut world, message).status(), Some(404));
}

#[test]
fn unsigned_answers_do_not_count() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let message = alice.request(Method::Message, BOB);
    alice.send(&mut world, message);
    let message = bob.one(&mut world);
    let answer = bob.make_answer(&message, 200);
    world.send(bob.connection, answer.to_bytes());
    assert!(alice.receive(&mut world).is_empty());
    assert_eq!(world.dropped(), 1);
    bob.answer(&mut world, &message, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    // An answer to nothing.
    bob.answer(&mut world, &message, 200);
    assert!(alice.receive(&mut world).is_empty());
    assert_eq!(world.dropped(), 2);
}

#[test]
fn handshakes_are_bounded() {
    let world = beside(|world| {
        let mut phone = Phone::new(world, "carol", "cccc", 50_003);
        let request = phone.register();
        world.send(phone.connection, request.to_bytes());
        let challenge = phone.one(world);
        phone.auth.on_challenge(world.now, &challenge);
        for index in 0..1000 {
            let mut request = phone.register();
            request.set(
                HeaderName::From,
                &format!("<sip:carol@contoso.com>;tag=1;epid=c{index}"),
            );
            request.remove(HeaderName::Contact);
            let mut copy = request.clone();
            let start = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"fe01.contoso.com\", gssapi-data=\"\", version=4";
            copy.push(HeaderName::Authorization, start);
            world.send(phone.connection, copy.to_bytes());
        }
        assert_eq!(world.server.counters().handshakes, 8);
        world.advance(Duration::from_secs(61));
        assert_eq!(world.server.counters().handshakes, 0);
        assert!(world.closed.contains(&phone.connection));
    });
    assert_eq!(world.server.counters().connections, 2);
}

#[test]
fn associations_of_one_connection_are_bounded() {
    let mut world = World::new(|config| config.authentication.associations_per_connection = 3);
    let mut phone = Phone::new(&mut world, "carol", "c0", 50_003);
    let mut last = None;
    for index in 0..5 {
        let mut next = Phone::new(&mut world, "carol", &format!("c{index}"), 50_003);
        next.connection = phone.connection;
        last = next.sign_in(&mut world).status();
        phone = next;
    }
    assert_eq!(last, Some(503));
    assert_eq!(world.server.counters().associations, 3);
}

#[test]
fn slow_readers_and_too_many_connections() {
    let mut world = World::new(|config| {
        config.backlog = 1000;
        config.connections = 2;
    });
    let first = world.connect(50_001);
    let second = world.connect(50_002);
    let third = world.connect(50_003);
    assert!(world.closed.contains(&third));
    assert_eq!(world.server.connections(), 2);
    let now = world.now;
    world.server.handle_backlog(now, first, 1000);
    world.server.handle_backlog(now, second, 1001);
    world.drain();
    assert!(!world.closed.contains(&first));
    assert!(world.closed.contains(&second));
    assert!(world.told(|event| matches!(
        event,
        Event::Closed {
            cause: CloseCause::Backlog { octets: 1001 },
            ..
        }
    )));
    // What comes for a closed connection is ignored.
    world.send(second, "\r\n\r\n");
    world.close(second);
    world.server.handle_backlog(now, second, 5000);
    world.drain();
    assert_eq!(world.server.connections(), 1);
}

fn negotiate(line: &str) -> Vec<u8> {
    format!(
        "NEGOTIATE sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:50001\r\nCSeq: 1 NEGOTIATE\r\nCall-ID: n\r\nFrom: <sip:127.0.0.1:50001>;tag=1\r\nTo: <sip:127.0.0.1:5060>\r\n{line}Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn compression_where_it_is_wanted() {
    let good = || negotiate("Compression: LZ77-8K\r\n");
    let ask = |enabled: bool, transport: Transport, octets: Vec<u8>| {
        let mut world = World::new(|config| config.compression.enabled = enabled);
        let id = world.connect_over(transport, 50_001);
        world.send(id, octets);
        world.take(id)[0].status()
    };
    assert_eq!(ask(true, Transport::Tls, good()), Some(200));
    assert_eq!(ask(false, Transport::Tls, good()), Some(488));
    assert_eq!(ask(true, Transport::Tcp, good()), Some(488));
    assert_eq!(
        ask(true, Transport::Tls, negotiate("Compression: LZ77-64K\r\n")),
        Some(488)
    );
    assert_eq!(ask(true, Transport::Tls, negotiate("")), Some(488));
    // Only as the first request; and what follows in the same read is compressed.
    let mut world = World::new(|config| config.compression.enabled = true);
    let id = world.connect_over(Transport::Tls, 50_001);
    world.send(id, text("OPTIONS", "Content-Length: 0\r\n", ""));
    world.send(id, good());
    assert_eq!(world.take(id)[1].status(), Some(488));
    let id = world.connect_over(Transport::Tls, 50_002);
    let mut octets = BytesMut::from(&good()[..]);
    let mut encoder = ocs_sipcomp::Encoder::new();
    encoder.encode(&text("OPTIONS", "Content-Length: 0\r\n", ""), &mut octets);
    world.server.handle_data(world.now, id, octets.freeze());
    let mut written = BytesMut::new();
    while let Some(output) = world.server.poll_output() {
        if let ocs_server::Output::Send { data, .. } = output {
            written.extend_from_slice(&data);
        }
    }
    let end = written
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let mut plain = BytesMut::new();
    let mut decoder = ocs_sipcomp::Decoder::default();
    let mut rest = &written[end..];
    while !rest.is_empty() {
        let taken = decoder.decode(rest, &mut plain).unwrap();
        rest = &rest[taken..];
    }
    let mut framer = Framer::new(Limits::default());
    framer.push_bytes(plain.freeze());
    let Some(Ok(Frame::Message(answer))) = framer.poll_frame() else {
        panic!("no answer");
    };
    assert_eq!(answer.status(), Some(401));
}

#[test]
fn a_flood_of_calls_ends_with_its_caller() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    for _ in 0..200 {
        alice.invite(&mut world, BOB);
    }
    assert_eq!(bob.receive(&mut world).len(), 200);
    assert_eq!(world.server.counters().requests, 200);
    world.close(alice.connection);
    world.close(bob.connection);
    world.advance(WHILE);
    assert_eq!(world.server.counters(), Counters::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any octets, in any pieces, from somebody signed in and from a stranger.
    #[test]
    fn noise(
        noise in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..200)), 1..20),
    ) {
        let mut world = World::new(|_| {});
        let alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
        let stranger = world.connect(50_009);
        for (known, octets) in noise {
            let id = if known { alice.connection } else { stranger };
            world.send(id, octets);
        }
        world.advance(Duration::from_secs(3600));
        prop_assert_eq!(world.server.counters(), Counters::default());
    }

    /// A signed request in which some octets are changed.
    #[test]
    fn mutations(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        method in 0..6_usize,
    ) {
        let mut world = World::new(|_| {});
        let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
        let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
        let method = [Method::Invite, Method::Message, Method::Register, Method::Options, Method::Subscribe, Method::Bye][method].clone();
        let mut message = alice.request(method, BOB);
        alice.auth.sign(&mut message).unwrap();
        let mut octets = message.to_bytes().to_vec();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        world.send(alice.connection, octets);
        world.send(alice.connection, "\r\n\r\n");
        bob.receive(&mut world);
        world.advance(Duration::from_secs(7200));
        prop_assert_eq!(world.server.counters(), Counters::default());
    }
}
