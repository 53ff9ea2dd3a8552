//! What clients and strangers should not do.

mod common;

use std::time::Instant;

use common::by_hand::{CLIENT, Push, alone, answer, challenge, key, request, with_credentials};
use common::{News, PEER, World, address, config, seconds};
use ocs_stun::attribute::{Nonce, Realm, Username, code};
use ocs_stun::{Dialect, Message, MessageBuilder, MessageType};
use ocs_turn::client::Transport;
use ocs_turn::server::{ConnectionId, Server};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

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
