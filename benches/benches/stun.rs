//! STUN: the request of RFC 5769 2.1 (108 octets, seven attributes) read, verified and built; stun-types beside us.
//!
//! stun-types checks FINGERPRINT while it parses, so we do both too.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ocs_stun::attribute::{IceControlled, Priority, Username};
use ocs_stun::{
    Algorithm, AttributeType, Dialect, IntegrityKey, Message, MessageBuilder, MessageType,
    TransactionId,
};
use stun_types::attribute::{AttributeType as PeerAttributeType, RawAttribute};
use stun_types::message::{
    IntegrityAlgorithm, IntegrityKey as PeerKey, Message as PeerMessage,
    MessageIntegrityCredentials, MessageWriteMutSlice, ShortTermCredentials,
    TransactionId as PeerTransactionId,
};
use stun_types::prelude::*;

/// RFC 5769 2.1.
const REQUEST: &str = concat!(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74",
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020",
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
);
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const SOFTWARE: AttributeType = AttributeType(0x8022);

fn key() -> IntegrityKey {
    IntegrityKey::new(Algorithm::Sha1, PASSWORD.as_bytes())
}

fn peer_key() -> PeerKey {
    let credentials = ShortTermCredentials::new(PASSWORD.to_owned());
    MessageIntegrityCredentials::ShortTerm(credentials).make_key(IntegrityAlgorithm::Sha1)
}

/// The same attributes in the dialect of our choice.
fn build(dialect: Dialect, id: TransactionId, key: &IntegrityKey, out: &mut Vec<u8>) {
    let mut builder = MessageBuilder::new(dialect, MessageType::BINDING_REQUEST, id, out);
    builder
        .push_raw(SOFTWARE, b"STUN test client")
        .push(&Priority(0x6e00_01ff))
        .push(&IceControlled(0x932f_f9b1_5126_3b36))
        .push(&Username(b"evtj:h6vY"));
    builder.sign(key).expect("short enough");
}

fn parse(c: &mut Criterion) {
    let request = hex::decode(REQUEST).expect("hex");
    let mut group = c.benchmark_group("STUN parse with fingerprint");
    group.bench_function("ocs-stun", |b| {
        b.iter(|| {
            let message = Message::parse(Dialect::Rfc5389, black_box(&request)).expect("valid");
            assert!(message.fingerprint_is_acceptable());
            black_box(message.transaction_id())
        });
    });
    group.bench_function("stun-types", |b| {
        b.iter(|| {
            let message = PeerMessage::from_bytes(black_box(&request)).expect("valid");
            black_box(message.transaction_id())
        });
    });
    group.finish();

    let mut group = c.benchmark_group("STUN parse with fingerprint and verify");
    let key = key();
    group.bench_function("ocs-stun", |b| {
        b.iter(|| {
            let message = Message::parse(Dialect::Rfc5389, black_box(&request)).expect("valid");
            assert!(message.fingerprint_is_acceptable());
            message.verify(&key).expect("signed");
        });
    });
    let mut ice2 = Vec::new();
    let id = Message::parse(Dialect::Rfc5389, &request)
        .expect("valid")
        .transaction_id();
    build(Dialect::MsIce2, id, &key, &mut ice2);
    group.bench_function("ocs-stun, the form of MS-ICE2", |b| {
        b.iter(|| {
            let message = Message::parse(Dialect::MsIce2, black_box(&ice2)).expect("valid");
            assert!(message.fingerprint_is_acceptable());
            message.verify(&key).expect("signed");
        });
    });
    let peer_key = peer_key();
    group.bench_function("stun-types, with a key made before", |b| {
        b.iter(|| {
            let message = PeerMessage::from_bytes(black_box(&request)).expect("valid");
            message
                .validate_integrity_with_key(&peer_key)
                .expect("signed");
        });
    });
    let credentials =
        MessageIntegrityCredentials::ShortTerm(ShortTermCredentials::new(PASSWORD.to_owned()));
    group.bench_function("stun-types, with credentials", |b| {
        b.iter(|| {
            let message = PeerMessage::from_bytes(black_box(&request)).expect("valid");
            message.validate_integrity(&credentials).expect("signed");
        });
    });
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("STUN build with integrity and fingerprint");
    let key = key();
    let mut id = TransactionId([7; 16]);
    id.0[..4].copy_from_slice(&ocs_stun::RFC_COOKIE);
    let mut out = Vec::with_capacity(256);
    for (name, dialect) in [
        ("ocs-stun", Dialect::Rfc5389),
        ("ocs-stun, the form of MS-ICE2", Dialect::MsIce2),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                build(dialect, black_box(id), &key, &mut out);
                black_box(&out);
            });
        });
    }
    let peer_key = peer_key();
    let software = stun_types::attribute::Software::new("STUN test client").expect("short");
    let (priority, controlled) = (
        0x6e00_01ff_u32.to_be_bytes(),
        0x932f_f9b1_5126_3b36_u64.to_be_bytes(),
    );
    let priority = RawAttribute::new(PeerAttributeType::new(0x0024), &priority);
    let controlled = RawAttribute::new(PeerAttributeType::new(0x8029), &controlled);
    let username = stun_types::attribute::Username::new("evtj:h6vY").expect("short");
    let mut buffer = [0; 256];
    group.bench_function("stun-types, with a key made before", |b| {
        b.iter(|| {
            let mut message = PeerMessage::builder(
                stun_types::message::MessageType::from_class_method(
                    stun_types::message::MessageClass::Request,
                    stun_types::message::BINDING,
                ),
                black_box(PeerTransactionId::from(7)),
                MessageWriteMutSlice::new(&mut buffer),
            );
            message.add_attribute(&software).expect("room");
            message.add_attribute(&priority).expect("room");
            message.add_attribute(&controlled).expect("room");
            message.add_attribute(&username).expect("room");
            message
                .add_message_integrity_with_key(&peer_key, IntegrityAlgorithm::Sha1)
                .expect("room");
            message.add_fingerprint().expect("room");
            black_box(message.finish());
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = parse, write
}
criterion_main!(benches);
