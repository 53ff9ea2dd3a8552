//! What servers and their impostors should not do to a client.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::by_hand::{CLIENT, alone, key};
use common::{PEER, World, address, config, seconds};
use ocs_stun::attribute::{MsVersion, Nonce, Realm, code};
use ocs_stun::{Dialect, IntegrityKey, Message, MessageBuilder, MessageType, TransactionId};
use ocs_turn::Error;
use ocs_turn::client::{Event, Failure, Output, Transport};
use ocs_turn::server::ConnectionId;

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
