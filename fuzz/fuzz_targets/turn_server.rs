//! A server between hostile clients and peers. Each step of the input is an operation and its octets; every second message of a client is signed
//! with the right key, so that the fuzzer gets behind authentication.
#![no_main]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_stun::attribute::{MsSequenceNumber, Nonce, Realm, Username};
use ocs_stun::{
    AttributeType, Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder, MessageType,
    Password, TransactionId,
};
use ocs_turn::server::{Action, Config, ConnectionId, RelayId, Server};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

/// A request with credentials, and with attributes of the fuzzer's choice.
fn signed(
    kind: MessageType,
    nonce: &[u8],
    sequence: Option<MsSequenceNumber>,
    rest: &[u8],
) -> Vec<u8> {
    let key = IntegrityKey::long_term(KeyDerivation::Sha1, b"alice", b"r", b"secret");
    let mut out = Vec::new();
    let mut id = [0; 16];
    id[0] = rest.len() as u8;
    let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, TransactionId(id), &mut out);
    builder
        .push(&Username(b"alice"))
        .push(&Realm(b"r"))
        .push(&Nonce(nonce))
        .push_some(sequence.as_ref());
    let mut rest = rest;
    while let [t0, t1, len, tail @ ..] = rest {
        let (value, after) = tail.split_at(usize::from(*len).min(tail.len()));
        builder.push_raw(AttributeType(u16::from_be_bytes([*t0, *t1])), value);
        rest = after;
    }
    let _ = builder.sign(&key);
    out
}

fuzz_target!(|data: &[u8]| {
    let mut now = Instant::now();
    let mut config = Config::new(b"r");
    config.ipv6 = true;
    config.multiplex = true;
    config.peers.allow_private = true;
    let users = HashMap::from([(b"alice".to_vec(), Password::from(*b"secret"))]);
    let mut server = Server::new(now, config, users, ChaCha8Rng::seed_from_u64(1));
    let client = SocketAddr::from(([203, 0, 113, 7], 4000));
    let peer = SocketAddr::from(([198, 51, 100, 9], 5000));
    let (mut nonce, mut sequence) = (Vec::new(), None);
    let mut relays: Vec<RelayId> = Vec::new();
    let mut peers = Vec::new();
    let mut input = data;
    while let [operation, len, rest @ ..] = input {
        let (octets, after) = rest.split_at(usize::from(*len).min(rest.len()));
        input = after;
        let relay = relays.last().copied();
        match operation % 12 {
            0 => drop(server.handle_datagram(now, client, octets)),
            1 => drop(server.handle_datagram(
                now,
                client,
                &signed(MessageType::ALLOCATE_REQUEST, &nonce, None, octets),
            )),
            2 => drop(server.handle_datagram(
                now,
                client,
                &signed(MessageType::SEND_REQUEST, &nonce, sequence, octets),
            )),
            3 => drop(server.handle_datagram(
                now,
                client,
                &signed(
                    MessageType::SET_ACTIVE_DESTINATION_REQUEST,
                    &nonce,
                    sequence,
                    octets,
                ),
            )),
            4 => drop(server.handle_connected(now, ConnectionId(1), client)),
            5 => drop(server.handle_data(now, ConnectionId(1), octets)),
            6 => {
                let message = signed(MessageType::ALLOCATE_REQUEST, &nonce, sequence, octets);
                let frame = [
                    &[2, 0, (message.len() >> 8) as u8, message.len() as u8],
                    &message[..],
                ]
                .concat();
                drop(server.handle_data(now, ConnectionId(1), &frame));
            }
            7 => {
                if let Some(relay) = relay {
                    drop(server.handle_peer_datagram(now, relay, peer, octets));
                }
            }
            8 => {
                peers.extend(relay.and_then(|relay| server.handle_peer_accepted(now, relay, peer)))
            }
            9 => {
                if let Some(&connection) = peers.last() {
                    drop(server.handle_peer_data(now, connection, octets));
                }
            }
            10 => server.handle_closed(ConnectionId(1)),
            _ => {
                now += Duration::from_secs(u64::from(*len) * 4);
                server.handle_timeout(now);
            }
        }
        while let Some(transmit) = server.poll_transmit() {
            let octets = match transmit.octets {
                [2, 0, _, _, message @ ..] => message,
                other => other,
            };
            if let Ok(message) = Message::parse(Dialect::MsTurn, octets) {
                if let Some(fresh) = message.raw(AttributeType::NONCE) {
                    nonce = fresh.to_vec();
                }
                if let Ok(Some(number)) = message.get() {
                    sequence = Some(number);
                }
            }
        }
        while let Some(action) = server.poll_action() {
            match action {
                Action::Bind { relay, .. } => {
                    relays.push(relay);
                    let bound = SocketAddr::from(([192, 0, 2, 20], 50_000));
                    drop(server.handle_bound(now, relay, Some(bound)));
                }
                Action::Connect { connection, .. } => {
                    peers.push(connection);
                    if octets.len() % 2 == 0 {
                        drop(server.handle_peer_connected(connection));
                    }
                }
                _ => {}
            }
        }
    }
    // Everything ends.
    server.handle_closed(ConnectionId(1));
    server.handle_timeout(now + Duration::from_secs(100_000));
    assert!(server.is_empty());
});
