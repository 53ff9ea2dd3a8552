//! Messages whose octets are known: computed ones, and real ones of Office Communicator and of RFC 5769.

use ocs_stun::attribute::{
    AddressFamily, AlternateServer, Bandwidth, CandidateIdentifier, Data, DestinationAddress,
    ErrorCode, IceControlled, IceControlling, IceUsername, ImplementationVersion, Lifetime,
    MappedAddress, MsAlternateMappedAddress, MsSequenceNumber, MsVersion, MsXorMappedAddress,
    Nonce, Priority, Realm, RemoteAddress, RequestedAddressFamily, UnknownAttributes, UseCandidate,
    Username, XorMappedAddress, code,
};
use ocs_stun::{
    Algorithm, AttributeType, Class, Dialect, Error, Fingerprint, IntegrityForm, IntegrityKey,
    KeyDerivation, Message, MessageBuilder, MessageType, fingerprint, trimmed,
};
use serde_json::Value;

const TURN: &str = include_str!("data/ms-turn.json");
const TURN_BWM: &str = include_str!("data/ms-turnbwm.json");
const OFFICESIP: &str = include_str!("data/officesip.json");
const ICE: &str = include_str!("data/ms-ice.json");
const ICE2: &str = include_str!("data/ms-ice2.json");
const ICE2_BWM: &str = include_str!("data/ms-ice2bwm.json");

const KEY_OF_R: &[u8] = b"aB3dE5fG7hJ9kL1mN2pQ4rS6";

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("text")).expect("hex")
}

fn vectors(json: &str, list: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(json).expect("json");
    json[list].as_array().expect("a list").clone()
}

fn vector(json: &str, name: &str) -> Vec<u8> {
    let list = vectors(json, "messages");
    let found = list.iter().find(|vector| vector["name"] == name);
    hex(&found.expect(name)["hex"])
}

/// Where all messages are.
const FILES: [(Dialect, &str, &str); 7] = [
    (Dialect::MsTurn, TURN, "messages"),
    (Dialect::MsTurn, TURN, "sha256"),
    (Dialect::MsTurn, TURN_BWM, "messages"),
    (Dialect::MsTurn, OFFICESIP, "messages"),
    (Dialect::MsIce, ICE, "messages"),
    (Dialect::MsIce2, ICE2, "messages"),
    (Dialect::MsIce2, ICE2_BWM, "messages"),
];

#[test]
fn every_truncation_of_every_message_is_an_error() {
    for (dialect, json, list) in FILES {
        for vector in vectors(json, list) {
            let octets = hex(&vector["hex"]);
            for len in 0..octets.len() {
                let cut = &octets[..len];
                let name = &vector["name"];
                assert!(Message::parse(dialect, cut).is_err(), "{name}, {len}");
                assert!(!dialect.recognises(cut), "{name}, {len}");
            }
        }
    }
}

/// Each attribute is where the vector says, and the same octets come out again.
#[test]
fn attributes_are_where_the_vectors_say() {
    let mut count = 0;
    for (dialect, json, list) in FILES {
        for vector in vectors(json, list) {
            let octets = hex(&vector["hex"]);
            let name = &vector["name"];
            assert!(dialect.recognises(&octets), "{name}");
            let message =
                Message::parse(dialect, &octets).unwrap_or_else(|e| panic!("{name}: {e}"));
            let expected: Vec<_> = vector["attributes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|attribute| {
                    let number = attribute["type"].as_str().unwrap().trim_start_matches("0x");
                    let number = u16::from_str_radix(number, 16).unwrap();
                    (AttributeType(number), hex(&attribute["value"]))
                })
                .collect();
            let read: Vec<_> = message
                .attributes()
                .map(|attribute| (attribute.attribute_type, attribute.value.to_vec()))
                .collect();
            assert_eq!(read, expected, "{name}");
            assert_eq!(message.unknown_attributes().next(), None, "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 16 + 2 + 6 + 6 + 6 + 9 + 3);
}

fn credentials() -> (Vec<u8>, Vec<u8>) {
    let json: Value = serde_json::from_str(TURN).expect("json");
    let credentials = &json["credentials"];
    (
        hex(&credentials["username_hex"]),
        hex(&credentials["password_hex"]),
    )
}

#[test]
fn every_signature_of_ms_turn_matches() {
    let (username, password) = credentials();
    for realm in [&b"rtcmedia"[..], b"\"rtcmedia\""] {
        let key = IntegrityKey::long_term(KeyDerivation::Sha1, &username, realm, &password);
        let mut verified = 0;
        for vector in vectors(TURN, "messages")
            .into_iter()
            .chain(vectors(TURN_BWM, "messages"))
        {
            let octets = hex(&vector["hex"]);
            let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
            match message.integrity() {
                Some(algorithm) => {
                    assert_eq!(algorithm, Algorithm::Sha1);
                    message
                        .verify(&key)
                        .unwrap_or_else(|e| panic!("{}: {e}", vector["name"]));
                    assert_eq!(
                        message.verify_form(&key, IntegrityForm::Rfc5389),
                        Err(Error::IntegrityMismatch)
                    );
                    verified += 1;
                }
                None => assert_eq!(message.verify(&key), Err(Error::NoIntegrity)),
            }
        }
        assert_eq!(verified, 11 + 6);
    }
}

#[test]
fn sha256_under_either_key() {
    let (username, password) = credentials();
    for (vector, derivation) in vectors(TURN, "sha256")
        .iter()
        .zip([KeyDerivation::Sha256, KeyDerivation::Sha256OfMd5])
    {
        let octets = hex(&vector["hex"]);
        let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
        let key =
            |derivation| IntegrityKey::long_term(derivation, &username, b"rtcmedia", &password);
        message.verify(&key(derivation)).unwrap();
        assert_eq!(
            message.verify(&key(KeyDerivation::Sha1)),
            Err(Error::IntegrityAlgorithm)
        );
    }
}

#[test]
fn messages_of_office_communicator_verify() {
    let mut verified = 0;
    for vector in vectors(OFFICESIP, "messages") {
        let octets = hex(&vector["hex"]);
        let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
        if let Some(key) = vector["md5_key_hex"].as_str() {
            let key = hex::decode(key).unwrap();
            message
                .verify(&IntegrityKey::new(Algorithm::Sha1, &key))
                .unwrap();
            verified += 1;
        }
    }
    assert_eq!(verified, 5);
}

#[test]
fn an_ice_check_inside_a_send_request() {
    let outer = vector(OFFICESIP, "officesip_MsTurnMessageTest4");
    let outer = Message::parse(Dialect::MsTurn, &outer).unwrap();
    let Data(inner) = outer.get().unwrap().unwrap();
    assert_eq!(inner, vector(ICE, "real_client_binding_request"));
    let check = Message::parse(Dialect::MsIce, inner).unwrap();
    assert_eq!(check.message_type(), MessageType::BINDING_REQUEST);
    let Username(username) = check.get().unwrap().unwrap();
    assert_eq!(username.len(), 72);
}

/// Writes the same message again through the typed attributes.
fn rebuild(message: &Message<'_>, key: Option<&IntegrityKey>) -> Vec<u8> {
    use AttributeType as A;
    let mut out = b"before".to_vec();
    let id = message.transaction_id();
    let mut builder = MessageBuilder::new(message.dialect(), message.message_type(), id, &mut out);
    macro_rules! again {
        ($type:ty) => {
            builder.push(&message.get::<$type>().unwrap().unwrap())
        };
    }
    for attribute in message.attributes() {
        match attribute.attribute_type {
            A::MAGIC_COOKIE | A::MESSAGE_INTEGRITY | A::FINGERPRINT => &mut builder,
            A::MAPPED_ADDRESS => again!(MappedAddress),
            A::USERNAME if message.dialect() == Dialect::MsIce2 => again!(IceUsername<'_>),
            A::USERNAME => again!(Username<'_>),
            A::ERROR_CODE => again!(ErrorCode<'_>),
            A::UNKNOWN_ATTRIBUTES => {
                let types: UnknownAttributes<'_> = message.get().unwrap().unwrap();
                builder.push_unknown(types.types())
            }
            A::LIFETIME => again!(Lifetime),
            A::ALTERNATE_SERVER => again!(AlternateServer),
            A::BANDWIDTH => again!(Bandwidth),
            A::DESTINATION_ADDRESS => again!(DestinationAddress),
            A::REMOTE_ADDRESS => again!(RemoteAddress),
            A::DATA => again!(Data<'_>),
            A::NONCE => again!(Nonce<'_>),
            A::REALM => again!(Realm<'_>),
            A::REQUESTED_ADDRESS_FAMILY => again!(RequestedAddressFamily),
            A::XOR_MAPPED_ADDRESS => again!(XorMappedAddress),
            A::PRIORITY => again!(Priority),
            A::USE_CANDIDATE => again!(UseCandidate),
            A::MS_VERSION => again!(MsVersion),
            A::MS_XOR_MAPPED_ADDRESS => again!(MsXorMappedAddress),
            A::ICE_CONTROLLED => again!(IceControlled),
            A::ICE_CONTROLLING => again!(IceControlling),
            A::MS_SEQUENCE_NUMBER => again!(MsSequenceNumber),
            A::CANDIDATE_IDENTIFIER => again!(CandidateIdentifier<'_>),
            A::IMPLEMENTATION_VERSION => again!(ImplementationVersion),
            A::MS_ALTERNATE_MAPPED_ADDRESS => again!(MsAlternateMappedAddress),
            other => builder.push_raw(other, attribute.value),
        };
    }
    match key {
        Some(key) => builder.sign(key).unwrap(),
        None => builder.finish().unwrap(),
    }
    assert!(out.starts_with(b"before"));
    out.split_off(6)
}

#[test]
fn the_same_octets_come_out_again() {
    let (username, password) = credentials();
    let turn_key = IntegrityKey::long_term(KeyDerivation::Sha1, &username, b"rtcmedia", &password);
    let ice2_key = IntegrityKey::new(Algorithm::Sha1, KEY_OF_R);
    let remote_pw: Value = serde_json::from_str(ICE).unwrap();
    let ice_key = IntegrityKey::new(Algorithm::Sha1, &hex(&remote_pw["remote_pw_hex"]));
    for (dialect, json, key) in [
        (Dialect::MsTurn, TURN, &turn_key),
        (Dialect::MsIce, ICE, &ice_key),
        (Dialect::MsIce2, ICE2, &ice2_key),
        (Dialect::MsIce2, ICE2_BWM, &ice2_key),
    ] {
        for vector in vectors(json, "messages") {
            // The password of the real client is not known.
            if vector["name"] == "real_client_binding_request" {
                continue;
            }
            let octets = hex(&vector["hex"]);
            let message = Message::parse(dialect, &octets).unwrap();
            let key = message.integrity().map(|_| key);
            let mut again = rebuild(&message, key);
            if message.fingerprint() == Fingerprint::Altered {
                assert!(fingerprint::alter(&mut again));
            }
            assert_eq!(
                hex::encode(again),
                hex::encode(&octets),
                "{}",
                vector["name"]
            );
        }
    }
}

#[test]
fn values_of_allocate_messages() {
    let parse = |name| vector(TURN, name);
    let octets = parse("allocate_error_401");
    let error = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!(error.class(), Class::Error);
    let value: ErrorCode<'_> = error.get().unwrap().unwrap();
    assert_eq!(value, ErrorCode::new(code::UNAUTHORIZED));
    assert_eq!(
        error.get().unwrap(),
        Some(AlternateServer("192.0.2.20:3478".parse().unwrap()))
    );
    assert_eq!(error.get().unwrap(), Some(Realm(b"rtcmedia")));

    let octets = parse("allocate_response_dual");
    let dual = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!(dual.class(), Class::Success);
    assert_eq!(
        dual.get().unwrap(),
        Some(MappedAddress("192.0.2.20:55667".parse().unwrap()))
    );
    assert_eq!(
        dual.get().unwrap(),
        Some(MsAlternateMappedAddress(
            "[2001:db8:1::20]:55668".parse().unwrap()
        ))
    );

    let octets = parse("allocate_response_ipv6");
    let ipv6 = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!(
        ipv6.reflexive_address().unwrap(),
        Some("[2001:db8:2::7]:40001".parse().unwrap())
    );
    let octets = parse("allocate_request_ipv6_family");
    let request = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!(
        request.get().unwrap(),
        Some(RequestedAddressFamily(AddressFamily::Ipv6))
    );

    let octets = parse("allocate_error_420");
    let error = Message::parse(Dialect::MsTurn, &octets).unwrap();
    let unknown: UnknownAttributes<'_> = error.get().unwrap().unwrap();
    let unknown: Vec<_> = unknown.types().map(|unknown| unknown.0).collect();
    assert_eq!(unknown, [0x16, 0x18]);

    let octets = parse("data_indication");
    let indication = Message::parse(Dialect::MsTurn, &octets).unwrap();
    assert_eq!(indication.class(), Class::Indication);
    assert_eq!(
        indication.get().unwrap(),
        Some(RemoteAddress("198.51.100.9:51661".parse().unwrap()))
    );
}

#[test]
fn the_port_of_the_specification() {
    // [MS-TURN] 2.2.2.16: port 0x1122 under an identifier that begins with 0x4455.
    let mut id = [0; 16];
    id[..2].copy_from_slice(&[0x44, 0x55]);
    let mut out = Vec::new();
    let address = std::net::SocketAddr::from(([0, 0, 0, 0], 0x1122));
    ocs_stun::attribute::encode_xor_address(address, ocs_stun::TransactionId(id), &mut out);
    assert_eq!(out[2..4], [0x55, 0x77]);
}

#[test]
fn three_forms_of_the_mapped_address() {
    for name in ["xor0020", "xor8020", "mapped_address"] {
        let octets = vector(ICE, &format!("binding_response_{name}"));
        let message = Message::parse(Dialect::MsIce, &octets).unwrap();
        assert_eq!(
            message.reflexive_address().unwrap(),
            Some("10.107.0.71:53100".parse().unwrap())
        );
    }
    for (name, address) in [
        ("std_crc", "10.107.0.71:53100"),
        ("ipv6", "[2001:db8:2::7]:40001"),
    ] {
        let octets = vector(ICE2, &format!("binding_response_{name}"));
        let message = Message::parse(Dialect::MsIce2, &octets).unwrap();
        assert_eq!(
            message.reflexive_address().unwrap(),
            Some(address.parse().unwrap())
        );
    }
}

#[test]
fn altered_fingerprints() {
    for what in ["request", "response"] {
        let standard = vector(ICE2, &format!("binding_{what}_std_crc"));
        let altered = vector(ICE2, &format!("binding_{what}_legacy_crc"));
        let message = Message::parse(Dialect::MsIce2, &standard).unwrap();
        assert_eq!(message.fingerprint(), Fingerprint::Standard);
        assert!(message.fingerprint_is_acceptable());
        let copy = Message::parse(Dialect::MsIce2, &altered).unwrap();
        assert_eq!(copy.fingerprint(), Fingerprint::Altered);
        // It says IMPLEMENTATION-VERSION, so the sender knows better.
        assert!(!copy.fingerprint_is_acceptable());
        let mut made = standard.clone();
        assert!(fingerprint::alter(&mut made));
        assert_eq!(made, altered);
        assert!(!fingerprint::alter(&mut made));
        *made.last_mut().unwrap() ^= 1;
        let wrong = Message::parse(Dialect::MsIce2, &made).unwrap();
        assert_eq!(wrong.fingerprint(), Fingerprint::Wrong);
    }
}

#[test]
fn rfc_5769() {
    let request = hex::decode(concat!(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74",
        "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020",
        "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
    ))
    .unwrap();
    let key = IntegrityKey::new(Algorithm::Sha1, b"VOkJxbRl1RmTxUk/WvJxBt");
    let message = Message::parse(Dialect::Rfc5389, &request).unwrap();
    assert_eq!(message.fingerprint(), Fingerprint::Standard);
    message.verify(&key).unwrap();
    assert_eq!(
        message.verify_form(&key, IntegrityForm::Draft),
        Err(Error::IntegrityMismatch)
    );
    assert_eq!(message.get().unwrap(), Some(Username(b"evtj:h6vY")));

    // The padding there is spaces; NULs are the other choice.
    let again = rebuild(&message, Some(&key));
    let message = Message::parse(Dialect::Rfc5389, &again).unwrap();
    message.verify(&key).unwrap();
    assert!(message.fingerprint_is_acceptable());
    assert_eq!(again.len(), request.len());

    let response = hex::decode(concat!(
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220",
        "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7",
        "80280004c07d4c96"
    ))
    .unwrap();
    let message = Message::parse(Dialect::Rfc5389, &response).unwrap();
    message.verify(&key).unwrap();
    assert_eq!(
        message.reflexive_address().unwrap(),
        Some("192.0.2.1:32853".parse().unwrap())
    );
}

#[test]
fn keys_of_libnice_are_trimmed() {
    let username = b"\"user\0";
    let libnice = IntegrityKey::long_term(
        KeyDerivation::Sha1,
        trimmed(username),
        b"r",
        trimmed(b"pw\""),
    );
    let plain = IntegrityKey::long_term(KeyDerivation::Sha1, b"user", b"r", b"pw");
    let mut out = Vec::new();
    let id = ocs_stun::TransactionId([7; 16]);
    MessageBuilder::new(Dialect::MsTurn, MessageType::ALLOCATE_REQUEST, id, &mut out)
        .sign(&libnice)
        .unwrap();
    Message::parse(Dialect::MsTurn, &out)
        .unwrap()
        .verify(&plain)
        .unwrap();
}
