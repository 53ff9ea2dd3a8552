//! What clients, peers, servers and strangers should not do.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{News, PEER, SERVER, World, address, config, credentials, seconds};
use ocs_stun::attribute::{
    Data, DestinationAddress, ErrorCode, MsSequenceNumber, MsVersion, Nonce, Realm, Username, code,
};
use ocs_stun::{
    Class, Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder, MessageType,
    TransactionId,
};
use ocs_turn::Error;
use ocs_turn::client::{Client, Config as ClientConfig, Event, Failure, Output, Transport};
use ocs_turn::server::{ConnectionId, Server, Socket};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

const CLIENT: &str = "203.0.113.50:6000";

/// A request written by hand.
fn request(
    kind: MessageType,
    id: u8,
    push: impl FnOnce(&mut MessageBuilder<'_>),
    signed: bool,
) -> Vec<u8> {
    let mut out = Vec::new();
    let id = TransactionId([id; 16]);
    let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, id, &mut out);
    push(&mut builder);
    if signed {
        builder.sign(&key()).unwrap();
    } else {
        builder.finish().unwrap();
    }
    out
}

fn key() -> IntegrityKey {
    IntegrityKey::long_term(KeyDerivation::Sha1, b"alice", b"rtcmedia", b"secret")
}

/// The server's answer to a datagram: its code (0 for a good one), its size, its nonce.
fn answer(world: &mut World, octets: &[u8]) -> Option<(u16, usize, Vec<u8>)> {
    let now = world.now;
    let _ = world.server.handle_datagram(now, address(CLIENT), octets);
    while let Some(action) = world.server.poll_action() {
        if let ocs_turn::server::Action::Bind { relay, .. } = action {
            let bound = address("192.0.2.20:50000");
            world.server.handle_bound(now, relay, Some(bound)).unwrap();
        }
    }
    let transmit = world.server.poll_transmit()?;
    assert_eq!(
        transmit.socket,
        Socket::Udp {
            to: address(CLIENT)
        }
    );
    let message = Message::parse(Dialect::MsTurn, transmit.octets).unwrap();
    let code = match message.class() {
        Class::Error => message.get::<ErrorCode<'_>>().unwrap().unwrap().code,
        _ => 0,
    };
    let nonce = message
        .get::<Nonce<'_>>()
        .unwrap()
        .map_or(Vec::new(), |nonce| nonce.0.to_vec());
    Some((code, transmit.octets.len(), nonce))
}

fn challenge(world: &mut World) -> Vec<u8> {
    let plain = request(MessageType::ALLOCATE_REQUEST, 1, |_| {}, false);
    let (code, _, nonce) = answer(world, &plain).unwrap();
    assert_eq!(code, code::UNAUTHORIZED);
    nonce
}

fn with_credentials(id: u8, nonce: &[u8]) -> Vec<u8> {
    let push = |builder: &mut MessageBuilder<'_>| {
        builder
            .push(&Realm(b"rtcmedia"))
            .push(&Nonce(nonce))
            .push(&Username(b"alice"));
    };
    request(MessageType::ALLOCATE_REQUEST, id, push, true)
}

/// Writes attributes.
type Push<'a> = &'a dyn Fn(&mut MessageBuilder<'_>);

#[test]
fn incomplete_credentials() {
    let mut world = World::new(config());
    let nonce = challenge(&mut world);
    let cases: [(u16, Push<'_>); 7] = [
        (code::MISSING_REALM, &|b| {
            b.push(&Nonce(&nonce)).push(&Username(b"alice"));
        }),
        (code::MISSING_NONCE, &|b| {
            b.push(&Realm(b"rtcmedia")).push(&Username(b"alice"));
        }),
        (code::STALE_NONCE, &|b| {
            b.push(&Realm(b"rtcmedia"))
                .push(&Nonce(b"0123"))
                .push(&Username(b"alice"));
        }),
        (code::MISSING_USERNAME, &|b| {
            b.push(&Realm(b"rtcmedia")).push(&Nonce(&nonce));
        }),
        (code::UNKNOWN_USER, &|b| {
            b.push(&Realm(b"rtcmedia"))
                .push(&Nonce(&nonce))
                .push(&Username(b"nobody"));
        }),
        (code::MISSING_REALM, &|b| {
            b.push(&Realm(b"elsewhere"))
                .push(&Nonce(&nonce))
                .push(&Username(b"alice"));
        }),
        (code::BAD_REQUEST, &|b| {
            b.push(&Realm(&[b'r'; 129]))
                .push(&Nonce(&nonce))
                .push(&Username(b"alice"));
        }),
    ];
    for (expected, push) in cases {
        let octets = request(MessageType::ALLOCATE_REQUEST, 2, push, true);
        assert_eq!(
            answer(&mut world, &octets).map(|(code, ..)| code),
            Some(expected)
        );
    }
    let mut wrong = with_credentials(2, &nonce);
    *wrong.last_mut().unwrap() ^= 1;
    let (code, _, fresh) = answer(&mut world, &wrong).unwrap();
    assert_eq!(code, code::INTEGRITY_CHECK_FAILURE);
    assert_eq!(fresh.len(), 32);
    assert!(world.server.is_empty());
    assert_eq!(
        answer(&mut world, &with_credentials(3, &nonce)).unwrap().0,
        0
    );
}

#[test]
fn nonces_end() {
    let mut world = World::new(config());
    let nonce = challenge(&mut world);
    world.now += seconds(601);
    let (code, _, fresh) = answer(&mut world, &with_credentials(2, &nonce)).unwrap();
    assert_eq!(code, code::STALE_NONCE);
    assert_eq!(
        answer(&mut world, &with_credentials(3, &fresh)).unwrap().0,
        0
    );
    // A nonce may be used more than once.
    assert_eq!(
        answer(&mut world, &with_credentials(4, &fresh)).unwrap().0,
        0
    );
    assert_eq!(world.server.len(), 1);
}

#[test]
fn unknown_attributes_are_listed() {
    let mut world = World::new(config());
    let unknown = |b: &mut MessageBuilder<'_>| {
        b.push_raw(ocs_stun::AttributeType(0x16), b"1234")
            .push_raw(ocs_stun::AttributeType(0x18), &[]);
    };
    let octets = request(MessageType::ALLOCATE_REQUEST, 2, unknown, false);
    assert_eq!(
        answer(&mut world, &octets).unwrap().0,
        code::UNKNOWN_ATTRIBUTE
    );
    let nonce = challenge(&mut world);
    let signed = |b: &mut MessageBuilder<'_>| {
        b.push(&Realm(b"rtcmedia"))
            .push(&Nonce(&nonce))
            .push(&Username(b"alice"));
        unknown(b);
    };
    let octets = request(MessageType::ALLOCATE_REQUEST, 3, signed, true);
    let now = world.now;
    world
        .server
        .handle_datagram(now, address(CLIENT), &octets)
        .unwrap();
    let transmit = world.server.poll_transmit().unwrap();
    let message = Message::parse(Dialect::MsTurn, transmit.octets).unwrap();
    message
        .verify(&key())
        .expect("clients take signed errors only");
}

#[test]
fn every_truncation_is_ignored() {
    let mut world = World::new(config());
    let nonce = challenge(&mut world);
    let whole = with_credentials(2, &nonce);
    for len in 0..whole.len() {
        let now = world.now;
        assert!(
            world
                .server
                .handle_datagram(now, address(CLIENT), &whole[..len])
                .is_err()
        );
        assert_eq!(world.server.poll_transmit(), None, "{len}");
        // With its length made right it is another message, but never a good one.
        if len >= 28 {
            let mut cut = whole[..len].to_vec();
            cut[2..4].copy_from_slice(&((len - 20) as u16).to_be_bytes());
            if let Some((code, ..)) = answer(&mut world, &cut) {
                assert_ne!(code, 0);
            }
        }
    }
    assert!(world.server.is_empty());
}

/// Those of the specifications' digests, at the server and at a client that has its allocation.
#[test]
fn every_truncation_of_every_message_is_ignored() {
    let files = [
        include_str!("data/ms-turn.json"),
        include_str!("data/ms-turnbwm.json"),
    ];
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
    let now = world.now;
    for file in files {
        let json: serde_json::Value = serde_json::from_str(file).unwrap();
        for vector in json["messages"].as_array().unwrap() {
            let whole = hex::decode(vector["hex"].as_str().unwrap()).unwrap();
            for len in 0..whole.len() {
                let (cut, name) = (&whole[..len], &vector["name"]);
                let taken = world.server.handle_datagram(now, address(CLIENT), cut);
                assert!(taken.is_err(), "{name}, {len}");
                assert_eq!(world.server.poll_transmit(), None, "{name}, {len}");
                let client = &mut world.nodes[node].client;
                let _ = client.handle_data(now, cut);
                assert_eq!(client.poll_event(), None, "{name}, {len}");
                assert_eq!(client.poll_output(), None, "{name}, {len}");
            }
        }
    }
    assert_eq!(world.server.len(), 1);
}

#[test]
fn answers_before_authentication_are_small_and_few() {
    let mut world = World::new(config());
    let smallest = request(MessageType::ALLOCATE_REQUEST, 1, |_| {}, false);
    let nonce = challenge(&mut world);
    let mut larger = vec![smallest.clone(), with_credentials(2, &nonce)];
    let without_integrity = larger[1].len() - 24;
    larger[1].truncate(without_integrity);
    let length = (larger[1].len() - 20) as u16;
    larger[1][2..4].copy_from_slice(&length.to_be_bytes());
    larger.push(request(
        MessageType::SET_ACTIVE_DESTINATION_REQUEST,
        3,
        |_| {},
        false,
    ));
    for octets in &larger {
        if let Some((_, len, _)) = answer(&mut world, octets) {
            assert!(len <= 5 * octets.len());
        }
    }
    // A flood with a forged source reaches it with no more than the budget.
    let mut reflected = 0;
    for _ in 0..100_000 {
        if let Some((_, len, _)) = answer(&mut world, &smallest) {
            reflected += len;
        }
    }
    assert!(reflected <= 4096, "{reflected}");
    world.now += seconds(1);
    assert!(answer(&mut world, &smallest).is_some());
    // A realm that would make the answer too large is answered to larger requests only.
    let mut config = config();
    config.realm = Box::from([b'r'; 100]);
    let mut world = World::new(config);
    assert_eq!(answer(&mut world, &smallest), None);
}

/// A signed request of the allocation's owner.
fn send(id: u8, sequence: Option<MsSequenceNumber>, data: &[u8]) -> Vec<u8> {
    let push = |b: &mut MessageBuilder<'_>| {
        b.push(&Username(b"alice"))
            .push_some(sequence.as_ref())
            .push(&DestinationAddress(address(PEER)))
            .push(&Data(data));
    };
    request(MessageType::SEND_REQUEST, id, push, true)
}

#[test]
fn replayed_requests() {
    let mut world = World::new(config());
    let nonce = challenge(&mut world);
    let now = world.now;
    let allocate = with_credentials(2, &nonce);
    world
        .server
        .handle_datagram(now, address(CLIENT), &allocate)
        .unwrap();
    // Before the port is bound, a repetition changes nothing.
    world
        .server
        .handle_datagram(now, address(CLIENT), &allocate)
        .unwrap();
    world.pump();
    assert_eq!(world.server.len(), 1);
    let again = |world: &mut World, octets: &[u8]| {
        let result = world.server.handle_datagram(now, address(CLIENT), octets);
        let sent = world
            .server
            .poll_transmit()
            .map(|transmit| transmit.octets.to_vec());
        assert_eq!(world.server.poll_transmit(), None);
        (result.is_ok(), sent)
    };
    let (_, response) = again(&mut world, &allocate);
    let response = response.unwrap();
    let message = Message::parse(Dialect::MsTurn, &response).unwrap();
    let first: MsSequenceNumber = message.get().unwrap().unwrap();
    assert_eq!(first.sequence_number, 0);
    assert_eq!(
        again(&mut world, &allocate).1,
        Some(response.clone()),
        "the same answer"
    );

    let number = |sequence_number| {
        Some(MsSequenceNumber {
            sequence_number,
            ..first
        })
    };
    for (sequence, passes) in [
        (1, true),
        (1, false),
        (3, true),
        (2, true),
        (2, false),
        (200, true),
        (3, false),
    ] {
        let (ok, sent) = again(&mut world, &send(5, number(sequence), b"x"));
        assert_eq!((ok, sent.is_some()), (passes, passes), "{sequence}");
    }
    // Another allocation's number.
    let foreign = Some(MsSequenceNumber {
        connection_id: [1; 20],
        sequence_number: 300,
    });
    assert!(!again(&mut world, &send(6, foreign, b"x")).0);

    let activate = |id, sequence: Option<MsSequenceNumber>| {
        let push = |b: &mut MessageBuilder<'_>| {
            b.push(&Username(b"alice"))
                .push_some(sequence.as_ref())
                .push(&DestinationAddress(address(PEER)));
        };
        request(MessageType::SET_ACTIVE_DESTINATION_REQUEST, id, push, true)
    };
    let (_, good) = again(&mut world, &activate(7, number(201)));
    assert_eq!(again(&mut world, &activate(7, number(201))).1, good);
    let (_, bad) = again(&mut world, &activate(8, number(201)));
    let bad = bad.unwrap();
    let error: ErrorCode<'_> = Message::parse(Dialect::MsTurn, &bad)
        .unwrap()
        .get()
        .unwrap()
        .unwrap();
    assert_eq!(error.code, code::BAD_REQUEST);
    // A refresh of an allocation that is not there.
    let push = |b: &mut MessageBuilder<'_>| {
        b.push(&Realm(b"rtcmedia"))
            .push(&Nonce(&nonce))
            .push(&Username(b"alice"))
            .push_some(foreign.as_ref());
    };
    let (code, ..) = answer(
        &mut world,
        &request(MessageType::ALLOCATE_REQUEST, 9, push, true),
    )
    .unwrap();
    assert_eq!(code, code::NO_BINDING);
}

#[test]
fn an_allocation_follows_its_client_to_another_address() {
    let mut config = config();
    config.limits.allocations_per_source = 1;
    config.bind_nonces = false;
    let mut world = World::new(config);
    let nonce = challenge(&mut world);
    let now = world.now;
    world
        .server
        .handle_datagram(now, address(CLIENT), &with_credentials(2, &nonce))
        .unwrap();
    while let Some(action) = world.server.poll_action() {
        if let ocs_turn::server::Action::Bind { relay, .. } = action {
            world
                .server
                .handle_bound(now, relay, Some(address("192.0.2.20:50000")))
                .unwrap();
        }
    }
    let response = world.server.poll_transmit().unwrap().octets.to_vec();
    let message = Message::parse(Dialect::MsTurn, &response).unwrap();
    let sequence: MsSequenceNumber = message.get().unwrap().unwrap();
    // The translator has chosen another port.
    let moved: SocketAddr = address("203.0.113.50:7777");
    let push = |b: &mut MessageBuilder<'_>| {
        b.push(&Realm(b"rtcmedia"))
            .push(&Nonce(&nonce))
            .push(&Username(b"alice"))
            .push(&MsSequenceNumber {
                sequence_number: 1,
                ..sequence
            });
    };
    let refresh = request(MessageType::ALLOCATE_REQUEST, 3, push, true);
    world.server.handle_datagram(now, moved, &refresh).unwrap();
    let transmit = world.server.poll_transmit().unwrap();
    assert_eq!(transmit.socket, Socket::Udp { to: moved });
    let message = Message::parse(Dialect::MsTurn, transmit.octets).unwrap();
    assert_eq!(message.reflexive_address().unwrap(), Some(moved));
    assert_eq!(world.server.len(), 1);
    assert!(
        world
            .server
            .handle_datagram(now, address(CLIENT), &send(5, None, b"x"))
            .is_err()
    );
    world
        .server
        .handle_datagram(now, moved, &send(5, None, b"x"))
        .unwrap();

    // To another network: the first one has room again.
    let far = address("203.0.113.51:7777");
    let refresh = request(
        MessageType::ALLOCATE_REQUEST,
        6,
        |b| {
            b.push(&Realm(b"rtcmedia"))
                .push(&Nonce(&nonce))
                .push(&Username(b"alice"))
                .push(&MsSequenceNumber {
                    sequence_number: 2,
                    ..sequence
                });
        },
        true,
    );
    world.pump();
    world.server.handle_datagram(now, far, &refresh).unwrap();
    world.pump();
    let (code, ..) = answer(&mut world, &with_credentials(7, &nonce)).unwrap();
    assert_eq!((code, world.server.len()), (0, 2));
}

#[test]
fn an_allocation_of_somebody_else() {
    let mut world = World::new(config());
    let nonce = challenge(&mut world);
    assert_eq!(
        answer(&mut world, &with_credentials(2, &nonce)).unwrap().0,
        0
    );
    let key = IntegrityKey::long_term(KeyDerivation::Sha1, b"bob", b"rtcmedia", b"other");
    let bob = |kind, id| {
        let mut out = Vec::new();
        let id = TransactionId([id; 16]);
        let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, id, &mut out);
        builder
            .push(&Realm(b"rtcmedia"))
            .push(&Nonce(&nonce))
            .push(&Username(b"bob"))
            .push(&DestinationAddress(address(PEER)))
            .push(&Data(b"x"));
        builder.sign(&key).unwrap();
        out
    };
    for kind in [
        MessageType::ALLOCATE_REQUEST,
        MessageType::SET_ACTIVE_DESTINATION_REQUEST,
    ] {
        assert_eq!(
            answer(&mut world, &bob(kind, 4)).unwrap().0,
            code::WRONG_USERNAME
        );
    }
    assert_eq!(answer(&mut world, &bob(MessageType::SEND_REQUEST, 5)), None);
}

#[test]
fn forged_and_late_responses_change_nothing() {
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    let allocation = world.nodes[node].allocated();
    let now = world.now;
    let peer = address(PEER);
    world.nodes[node]
        .client
        .set_active_destination(now, peer)
        .unwrap();
    let Some(Output::Send { octets, .. }) = world.nodes[node].client.poll_output() else {
        panic!("no request");
    };
    let id = Message::parse(Dialect::MsTurn, octets)
        .unwrap()
        .transaction_id();
    let forge = |kind, id, key: Option<&IntegrityKey>| {
        let mut out = Vec::new();
        let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, id, &mut out);
        builder.push_error(code::NO_BINDING);
        match key {
            Some(key) => builder.sign(key).unwrap(),
            None => builder.finish().unwrap(),
        }
        out
    };
    let wrong = IntegrityKey::new(ocs_stun::Algorithm::Sha1, b"wrong");
    let other = TransactionId([9; 16]);
    for forged in [
        forge(MessageType::SET_ACTIVE_DESTINATION_RESPONSE, id, None),
        forge(
            MessageType::SET_ACTIVE_DESTINATION_RESPONSE,
            id,
            Some(&wrong),
        ),
        forge(MessageType::SET_ACTIVE_DESTINATION_ERROR, id, Some(&wrong)),
        forge(MessageType::SET_ACTIVE_DESTINATION_ERROR, other, None),
        forge(MessageType::ALLOCATE_RESPONSE, id, Some(&key())),
        forge(MessageType::ALLOCATE_REQUEST, id, Some(&key())),
    ] {
        assert!(world.nodes[node].client.handle_data(now, &forged).is_err());
        assert_eq!(world.nodes[node].client.poll_event(), None);
    }
    // Signed, but with something that has to be understood and is not.
    let mut strange = Vec::new();
    let kind = MessageType::SET_ACTIVE_DESTINATION_RESPONSE;
    let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, id, &mut strange);
    builder.push_raw(ocs_stun::AttributeType(0x71), &[]);
    builder.sign(&key()).unwrap();
    assert!(world.nodes[node].client.handle_data(now, &strange).is_err());
    assert_eq!(world.nodes[node].client.allocation(), Some(&allocation));
    let good = forge(
        MessageType::SET_ACTIVE_DESTINATION_RESPONSE,
        id,
        Some(&key()),
    );
    world.nodes[node].client.handle_data(now, &good).unwrap();
    assert_eq!(
        world.nodes[node].client.poll_event(),
        Some(Event::ActiveDestination { peer })
    );
}

fn alone(transport: Transport) -> (Client<ChaCha12Rng>, Instant) {
    let now = Instant::now();
    let config = ClientConfig::new(address(SERVER), transport);
    let rng = ChaCha12Rng::seed_from_u64(5);
    (
        Client::new(now, config, credentials("alice", "secret"), rng),
        now,
    )
}

#[test]
fn a_server_that_never_answers() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::PseudoTls] {
        let (mut client, start) = alone(transport);
        client.handle_connected(start);
        let mut sent = 0;
        let mut now = start;
        loop {
            while let Some(output) = client.poll_output() {
                sent += usize::from(matches!(output, Output::Send { .. }));
            }
            if let Some(event) = client.poll_event() {
                assert_eq!(event, Event::Failed(Failure::NoAnswer));
                break;
            }
            now = client.poll_timeout().unwrap();
            client.handle_timeout(now);
        }
        assert_eq!(sent, if transport == Transport::Udp { 9 } else { 1 });
        assert_eq!(now - start, Duration::from_millis(9500));
        assert_eq!(client.poll_timeout(), None);
    }
}

#[test]
fn servers_that_lead_in_a_circle() {
    let (mut client, now) = alone(Transport::Udp);
    for round in 0.. {
        let Some(Output::Send { octets, .. }) = client.poll_output() else {
            break;
        };
        let id = Message::parse(Dialect::MsTurn, octets)
            .unwrap()
            .transaction_id();
        let mut out = Vec::new();
        let mut builder =
            MessageBuilder::new(Dialect::MsTurn, MessageType::ALLOCATE_ERROR, id, &mut out);
        let next = SocketAddr::from(([192, 0, 2, round % 2], 3478));
        builder
            .push_error(code::TRY_ALTERNATE)
            .push(&ocs_stun::attribute::AlternateServer(next));
        builder.finish().unwrap();
        client.handle_data(now, &out).unwrap();
        assert!(round < 10);
    }
    let last = std::iter::from_fn(|| match client.poll_event() {
        Some(Event::Redirected { .. }) => Some(true),
        other => {
            assert_eq!(other, Some(Event::Failed(Failure::Redirects)));
            None
        }
    });
    assert_eq!(last.count(), 5);
}

#[test]
fn a_server_whose_nonces_are_always_stale() {
    let (mut client, now) = alone(Transport::Udp);
    let mut rounds = 0;
    while let Some(Output::Send { octets, .. }) = client.poll_output() {
        rounds += 1;
        let id = Message::parse(Dialect::MsTurn, octets)
            .unwrap()
            .transaction_id();
        let mut out = Vec::new();
        let mut builder =
            MessageBuilder::new(Dialect::MsTurn, MessageType::ALLOCATE_ERROR, id, &mut out);
        builder
            .push_error(code::STALE_NONCE)
            .push(&Nonce(b"n"))
            .push(&Realm(b"r"))
            .push(&MsVersion(6));
        builder.finish().unwrap();
        client.handle_data(now, &out).unwrap();
    }
    assert_eq!(rounds, 6);
    assert_eq!(
        client.poll_event(),
        Some(Event::Failed(Failure::StaleNonces))
    );
}

#[test]
fn other_programs_on_the_port() {
    let (mut client, now) = alone(Transport::PseudoTls);
    client.handle_connected(now);
    assert_eq!(client.handle_data(now, &[0x15; 200]), Err(Error::Hello));
    assert_eq!(
        client.poll_event(),
        Some(Event::Failed(Failure::Protocol(Error::Hello)))
    );
    let (mut client, now) = alone(Transport::Tcp);
    client.handle_connected(now);
    let error = Error::Frame {
        number: b'H',
        reserved: b'T',
    };
    assert_eq!(
        client.handle_data(now, b"HTTP/1.1 400 Bad Request"),
        Err(error)
    );
    assert_eq!(
        client.poll_event(),
        Some(Event::Failed(Failure::Protocol(error)))
    );

    let mut world = World::new(config());
    let now = world.now;
    for (number, greeting) in [
        &b"GET / HTTP/1.1\r\n"[..],
        &[0x16; 60],
        &[2, 0, 0, 4, 0, 0, 0, 0],
        &[2, 0, 0x10, 0x01],
    ]
    .iter()
    .enumerate()
    {
        let id = ConnectionId(number as u64);
        assert!(world.server.handle_connected(now, id, address(CLIENT)));
        assert!(
            !world.server.handle_connected(now, id, address(CLIENT)),
            "known already"
        );
        assert!(world.server.handle_data(now, id, greeting).is_err());
        world.pump();
        assert_eq!(world.closed.pop(), Some(id));
        assert!(world.server.handle_data(now, id, greeting).is_err());
    }
    // One that says nothing.
    let id = ConnectionId(77);
    assert!(world.server.handle_connected(now, id, address(CLIENT)));
    world.run(seconds(29));
    assert_eq!(world.closed, []);
    world.run(seconds(2));
    assert_eq!(world.closed, [id]);
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn connections_have_a_limit() {
    let mut config = config();
    config.limits.connections_per_source = 3;
    config.limits.connections = 4;
    let mut world = World::new(config);
    let now = world.now;
    let connect = |world: &mut World, number, from: &str| {
        world
            .server
            .handle_connected(now, ConnectionId(number), address(from))
    };
    assert!((0..3).all(|number| connect(&mut world, number, CLIENT)));
    assert!(!connect(&mut world, 3, CLIENT));
    assert!(connect(&mut world, 4, "203.0.113.51:1"));
    assert!(!connect(&mut world, 5, "203.0.113.52:1"));
    world.server.handle_closed(ConnectionId(0));
    assert!(connect(&mut world, 6, CLIENT));
}

#[test]
fn data_that_nobody_expects() {
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    let now = world.now;
    assert!(
        world
            .server
            .handle_datagram(now, address(CLIENT), b"raw")
            .is_err()
    );
    assert!(world.nodes[node].client.handle_data(now, b"raw").is_err());
    world.nodes[node].allocated();
    let own = world.nodes[node].address;
    assert!(
        world.server.handle_datagram(now, own, b"raw").is_err(),
        "no active destination"
    );
    let relay = *world.relays.keys().next().unwrap();
    world.nodes[node].client.release(now);
    world.pump();
    assert!(
        world
            .server
            .handle_peer_datagram(now, relay, address(PEER), b"late")
            .is_err()
    );
    assert!(world.server.handle_bound(now, relay, None).is_err());
    assert_eq!(
        world.server.handle_peer_accepted(now, relay, address(PEER)),
        None
    );
    assert_ne!(
        world.nodes[node].next(),
        Some(News::Data(address(PEER), b"late".to_vec()))
    );
}

fn server() -> (Server<common::Store, ChaCha12Rng>, Instant) {
    let now = Instant::now();
    (
        Server::new(
            now,
            config(),
            common::store(),
            ChaCha12Rng::seed_from_u64(1),
        ),
        now,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_input_is_survived(
        datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20),
        stream in proptest::collection::vec(any::<u8>(), 0..300),
        piece in 1usize..20,
    ) {
        let (mut server, now) = server();
        let (mut client, _) = alone(Transport::Udp);
        let (mut tcp, _) = alone(Transport::Tcp);
        tcp.handle_connected(now);
        for datagram in &datagrams {
            let _ = server.handle_datagram(now, address(CLIENT), datagram);
            let _ = client.handle_data(now, datagram);
        }
        prop_assert!(server.handle_connected(now, ConnectionId(1), address(CLIENT)));
        for piece in stream.chunks(piece) {
            let _ = server.handle_data(now, ConnectionId(1), piece);
            let _ = tcp.handle_data(now, piece);
        }
        while server.poll_transmit().is_some() {}
        while server.poll_action().is_some() {}
        prop_assert!(server.is_empty());
    }
}
