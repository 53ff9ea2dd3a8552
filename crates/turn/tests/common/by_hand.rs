//! Requests written by hand.

use std::time::Instant;

use ocs_stun::attribute::{
    Data, DestinationAddress, ErrorCode, MsSequenceNumber, Nonce, Realm, Username, code,
};
use ocs_stun::{
    Class, Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder, MessageType,
    TransactionId,
};
use ocs_turn::client::{Client, Config as ClientConfig, Transport};
use ocs_turn::server::Socket;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use super::{PEER, SERVER, World, address, credentials};

pub(crate) const CLIENT: &str = "203.0.113.50:6000";

/// A request written by hand.
pub(crate) fn request(
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

pub(crate) fn key() -> IntegrityKey {
    IntegrityKey::long_term(KeyDerivation::Sha1, b"alice", b"rtcmedia", b"secret")
}

/// The server's answer to a datagram: its code (0 for a good one), its size, its nonce.
pub(crate) fn answer(world: &mut World, octets: &[u8]) -> Option<(u16, usize, Vec<u8>)> {
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

pub(crate) fn challenge(world: &mut World) -> Vec<u8> {
    let plain = request(MessageType::ALLOCATE_REQUEST, 1, |_| {}, false);
    let (code, _, nonce) = answer(world, &plain).unwrap();
    assert_eq!(code, code::UNAUTHORIZED);
    nonce
}

pub(crate) fn with_credentials(id: u8, nonce: &[u8]) -> Vec<u8> {
    let push = |builder: &mut MessageBuilder<'_>| {
        builder
            .push(&Realm(b"rtcmedia"))
            .push(&Nonce(nonce))
            .push(&Username(b"alice"));
    };
    request(MessageType::ALLOCATE_REQUEST, id, push, true)
}

/// Writes attributes.
pub(crate) type Push<'a> = &'a dyn Fn(&mut MessageBuilder<'_>);

/// A signed request of the allocation's owner.
pub(crate) fn send(id: u8, sequence: Option<MsSequenceNumber>, data: &[u8]) -> Vec<u8> {
    let push = |b: &mut MessageBuilder<'_>| {
        b.push(&Username(b"alice"))
            .push_some(sequence.as_ref())
            .push(&DestinationAddress(address(PEER)))
            .push(&Data(data));
    };
    request(MessageType::SEND_REQUEST, id, push, true)
}

pub(crate) fn alone(transport: Transport) -> (Client<ChaCha12Rng>, Instant) {
    let now = Instant::now();
    let config = ClientConfig::new(address(SERVER), transport);
    let rng = ChaCha12Rng::seed_from_u64(5);
    (
        Client::new(now, config, credentials("alice", "secret"), rng),
        now,
    )
}
