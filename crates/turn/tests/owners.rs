//! Whose allocation it is: replays, other addresses, others.

mod common;

use std::net::SocketAddr;

use common::by_hand::{CLIENT, answer, challenge, request, send, with_credentials};
use common::{PEER, World, address, config};
use ocs_stun::attribute::{
    Data, DestinationAddress, ErrorCode, MsSequenceNumber, Nonce, Realm, Username, code,
};
use ocs_stun::{
    Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder, MessageType, TransactionId,
};
use ocs_turn::server::Socket;

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
