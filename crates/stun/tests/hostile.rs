//! What nobody should send, and what everything that is written has to survive.

use std::net::{IpAddr, SocketAddr};

use ocs_stun::attribute::{
    Bandwidth, CandidateIdentifier, Data, ErrorCode, IceUsername, Lifetime, MappedAddress,
    MsSequenceNumber, Nonce, Username, XorMappedAddress,
};
use ocs_stun::{
    Algorithm, AttributeType, Dialect, Error, Fingerprint, IntegrityKey, Message, MessageBuilder,
    MessageType, TransactionId,
};
use proptest::prelude::*;

const DIALECTS: [Dialect; 4] = [
    Dialect::MsTurn,
    Dialect::MsIce,
    Dialect::MsIce2,
    Dialect::Rfc5389,
];

fn id_of(dialect: Dialect, mut id: [u8; 16]) -> TransactionId {
    if dialect.has_rfc_cookie() {
        id[..4].copy_from_slice(&ocs_stun::RFC_COOKIE);
    }
    TransactionId(id)
}

fn signed(dialect: Dialect) -> (Vec<u8>, IntegrityKey) {
    let key = IntegrityKey::new(Algorithm::Sha1, b"key");
    let mut out = Vec::new();
    let mut builder = MessageBuilder::new(
        dialect,
        MessageType::BINDING_REQUEST,
        id_of(dialect, [9; 16]),
        &mut out,
    );
    builder
        .push(&Username(b"eight octets"))
        .push(&XorMappedAddress("192.0.2.1:5".parse().unwrap()));
    builder.sign(&key).unwrap();
    (out, key)
}

/// Puts the length in order again after a change at the end.
fn fix_length(message: &mut [u8]) {
    let length = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

#[test]
fn every_truncation_is_an_error() {
    for dialect in DIALECTS {
        let (whole, _) = signed(dialect);
        for len in 0..whole.len() {
            let mut cut = whole[..len].to_vec();
            assert!(Message::parse(dialect, &cut).is_err());
            assert!(!dialect.recognises(&cut));
            if len > 20 {
                fix_length(&mut cut);
                // A cut between attributes leaves a message without what is cut off.
                if let Ok(message) = Message::parse(dialect, &cut) {
                    assert!(message.attributes().count() < 5);
                }
            }
        }
    }
}

#[test]
fn lengths_that_lie() {
    for dialect in DIALECTS {
        let (whole, _) = signed(dialect);
        let first = if dialect == Dialect::MsTurn { 28 } else { 20 };
        for lie in [u16::MAX, 0x8000, 200] {
            let mut message = whole.clone();
            message[first + 2..first + 4].copy_from_slice(&lie.to_be_bytes());
            assert_eq!(
                Message::parse(dialect, &message).unwrap_err(),
                Error::AttributeOverrun {
                    attribute: AttributeType::USERNAME,
                    offset: first
                }
            );
        }
        let mut message = whole.clone();
        message[3] ^= 1;
        assert!(matches!(
            Message::parse(dialect, &message),
            Err(Error::Length { .. })
        ));
        message[0] |= 0x80;
        assert_eq!(
            Message::parse(dialect, &message).unwrap_err(),
            Error::TopBits
        );
    }
}

#[test]
fn cookies() {
    for dialect in [Dialect::MsTurn, Dialect::MsIce2, Dialect::Rfc5389] {
        let (mut message, _) = signed(dialect);
        let at = if dialect == Dialect::MsTurn { 24 } else { 4 };
        message[at] ^= 1;
        assert_eq!(
            Message::parse(dialect, &message).unwrap_err(),
            Error::Cookie
        );
        assert!(!dialect.recognises(&message));
    }
}

#[test]
fn every_changed_bit_is_noticed() {
    for dialect in DIALECTS {
        let (whole, key) = signed(dialect);
        for bit in 0..whole.len() * 8 {
            let mut message = whole.clone();
            message[bit / 8] ^= 1 << (bit % 8);
            if let Ok(message) = Message::parse(dialect, &message) {
                let fingerprint = message.fingerprint();
                assert!(
                    message.verify(&key).is_err()
                        || fingerprint == Fingerprint::Wrong
                        || fingerprint == Fingerprint::Absent && dialect.has_fingerprint(),
                    "{dialect:?} {bit}"
                );
            }
        }
    }
}

#[test]
fn what_follows_the_integrity_is_not_seen() {
    let (turn, _) = signed(Dialect::MsTurn);
    let mut longer = turn.clone();
    longer.extend_from_slice(&[0x80, 0x99, 0, 0]);
    fix_length(&mut longer);
    assert_eq!(
        Message::parse(Dialect::MsTurn, &longer).unwrap_err(),
        Error::NotLast {
            attribute: AttributeType::MESSAGE_INTEGRITY
        }
    );

    let (check, _) = signed(Dialect::MsIce2);
    let mut longer = check.clone();
    let smuggled = [0x00, 0x24, 0x00, 0x04, 1, 2, 3, 4];
    longer.splice(check.len() - 8..check.len() - 8, smuggled);
    fix_length(&mut longer);
    let message = Message::parse(Dialect::MsIce2, &longer).unwrap();
    assert!(!message.has(AttributeType::PRIORITY));
    assert!(message.has(AttributeType::FINGERPRINT));

    let mut longer = check.clone();
    longer.extend_from_slice(&smuggled);
    fix_length(&mut longer);
    assert_eq!(
        Message::parse(Dialect::MsIce2, &longer).unwrap_err(),
        Error::NotLast {
            attribute: AttributeType::FINGERPRINT
        }
    );
}

#[test]
fn padded_messages_of_the_unpadded_dialects_are_read() {
    // 5 octets of Realm, padded outside the length, and an optional attribute behind it.
    let mut message = hex::decode("0003001c0000000000000000000000000000000000").unwrap();
    message.truncate(20);
    message.extend_from_slice(
        &hex::decode("000f000472c64bc60015000561626364650000008008000400000002").unwrap(),
    );
    let read = Message::parse(Dialect::MsTurn, &message).unwrap();
    assert_eq!(read.raw(AttributeType::REALM), Some(&b"abcde"[..]));
    assert!(read.has(AttributeType::MS_VERSION));
}

#[test]
fn unknown_required_attributes() {
    let mut out = Vec::new();
    let mut builder = MessageBuilder::new(
        Dialect::MsTurn,
        MessageType::ALLOCATE_REQUEST,
        TransactionId([1; 16]),
        &mut out,
    );
    builder
        .push_raw(AttributeType::PRIORITY, &[0; 4])
        .push_raw(AttributeType(0x8006), &[1])
        .push_raw(AttributeType(0x7fff), &[]);
    builder.finish().unwrap();
    let message = Message::parse(Dialect::MsTurn, &out).unwrap();
    let unknown: Vec<_> = message.unknown_attributes().collect();
    assert_eq!(unknown, [AttributeType::PRIORITY, AttributeType(0x7fff)]);
}

#[test]
fn addresses_of_other_families_count_as_absent() {
    let mut out = Vec::new();
    let id = TransactionId([1; 16]);
    let mut builder = MessageBuilder::new(Dialect::MsTurn, MessageType::SEND_REQUEST, id, &mut out);
    builder
        .push_raw(AttributeType::MAPPED_ADDRESS, &[0, 3, 0, 1, 1, 2, 3, 4])
        .push_raw(AttributeType::DESTINATION_ADDRESS, &[0, 1, 0, 1, 1, 2, 3]);
    builder.finish().unwrap();
    let message = Message::parse(Dialect::MsTurn, &out).unwrap();
    assert_eq!(message.get::<MappedAddress>(), Ok(None));
    assert_eq!(
        message.get::<ocs_stun::attribute::DestinationAddress>(),
        Err(Error::ValueLength {
            attribute: AttributeType::DESTINATION_ADDRESS,
            len: 7
        })
    );
}

#[test]
fn too_long_a_message_is_not_written() {
    let mut out = b"before".to_vec();
    let id = TransactionId([1; 16]);
    let mut builder = MessageBuilder::new(Dialect::MsTurn, MessageType::SEND_REQUEST, id, &mut out);
    builder.push(&Data(&vec![0; 65_530]));
    assert_eq!(builder.finish(), Err(Error::TooLong));
    assert_eq!(out, b"before");
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn octets(limit: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..limit)
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(octets in octets(200)) {
        for dialect in DIALECTS {
            if let Ok(message) = Message::parse(dialect, &octets) {
                prop_assert!(dialect.recognises(&octets));
                let _ = message.attributes().count();
                let _ = message.fingerprint();
                let _ = message.reflexive_address();
            }
        }
    }

    #[test]
    fn arbitrary_attributes_come_back(
        dialect in proptest::sample::select(&DIALECTS[..]),
        id in any::<[u8; 16]>(),
        attributes in proptest::collection::vec((0x8100u16.., octets(40)), 0..12),
        secret in octets(100),
        sha256 in any::<bool>(),
    ) {
        let algorithm = if sha256 { Algorithm::Sha256 } else { Algorithm::Sha1 };
        let key = IntegrityKey::new(algorithm, &secret);
        let id = id_of(dialect, id);
        let mut out = Vec::new();
        let mut builder = MessageBuilder::new(dialect, MessageType::SEND_REQUEST, id, &mut out);
        for (number, value) in &attributes {
            builder.push_raw(AttributeType(*number), value);
        }
        builder.sign(&key).unwrap();
        let message = Message::parse(dialect, &out).unwrap();
        prop_assert_eq!(message.transaction_id(), id);
        prop_assert_eq!(message.verify(&key), Ok(()));
        prop_assert_eq!(message.integrity(), Some(algorithm));
        let read: Vec<_> = message
            .attributes()
            .filter(|attribute| attribute.attribute_type.0 >= 0x8100)
            .map(|attribute| (attribute.attribute_type.0, attribute.value.to_vec()))
            .collect();
        prop_assert_eq!(read, attributes);
        let fingerprint = if dialect.has_fingerprint() { Fingerprint::Standard } else { Fingerprint::Absent };
        prop_assert_eq!(message.fingerprint(), fingerprint);
    }

    #[test]
    fn typed_attributes_come_back(
        dialect in proptest::sample::select(&DIALECTS[..]),
        id in any::<[u8; 16]>(),
        (plain, xored) in (address(), address()),
        lifetime in any::<u32>(),
        (connection_id, sequence_number) in (any::<[u8; 20]>(), any::<u32>()),
        nonce in octets(128),
        code in 100u16..700,
        phrase in "[a-zA-Zä]{0,9}",
        foundation in "[a-z0-9]{1,32}",
        (receiver, sender) in ("[a-z0-9]{4,9}", "[a-z0-9]{4,9}"),
    ) {
        let mut out = Vec::new();
        let id = id_of(dialect, id);
        let sequence = MsSequenceNumber { connection_id, sequence_number };
        let error = ErrorCode { code, phrase: &phrase };
        let foundation = CandidateIdentifier(foundation.as_bytes());
        let username = IceUsername { receiver: receiver.as_bytes(), sender: sender.as_bytes() };
        let mut builder = MessageBuilder::new(dialect, MessageType::ALLOCATE_RESPONSE, id, &mut out);
        builder
            .push(&MappedAddress(plain))
            .push(&XorMappedAddress(xored))
            .push(&Lifetime(lifetime))
            .push(&sequence)
            .push(&Nonce(&nonce))
            .push(&error)
            .push(&foundation)
            .push(&username)
            .push_some(Some(&Bandwidth(3)))
            .push_some::<Data<'_>>(None);
        builder.finish().unwrap();
        let message = Message::parse(dialect, &out).unwrap();
        prop_assert_eq!(message.get(), Ok(Some(MappedAddress(plain))));
        prop_assert_eq!(message.get(), Ok(Some(XorMappedAddress(xored))));
        prop_assert_eq!(message.get(), Ok(Some(Lifetime(lifetime))));
        prop_assert_eq!(message.get(), Ok(Some(sequence)));
        prop_assert_eq!(message.get(), Ok(Some(Nonce(&nonce))));
        prop_assert_eq!(message.get(), Ok(Some(error)));
        prop_assert_eq!(message.get(), Ok(Some(foundation)));
        prop_assert_eq!(message.get(), Ok(Some(username)));
        prop_assert_eq!(message.get(), Ok(Some(Bandwidth(3))));
        prop_assert_eq!(message.get::<Data<'_>>(), Ok(None));
    }
}
