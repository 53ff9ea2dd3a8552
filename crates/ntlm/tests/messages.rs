//! Messages, AV pairs and responses: round trips and hostile input.

mod common;

use common::section;
use ocs_ntlm::*;
use proptest::prelude::*;

const SPECIFICATION: &str = include_str!("data/specification.txt");
const DATAGRAM: &str = include_str!("data/datagram.txt");

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..max)
}

fn version() -> impl Strategy<Value = Version> {
    (any::<u8>(), any::<u8>(), any::<u16>(), any::<u8>()).prop_map(
        |(major, minor, build, revision)| Version {
            major,
            minor,
            build,
            revision,
        },
    )
}

/// Whatever the bytes are: no panic, and what parses can be written again.
fn parse_all(input: &[u8]) {
    if let Ok(message) = NegotiateMessage::parse(input) {
        let again = message.to_vec().unwrap();
        assert_eq!(NegotiateMessage::parse(&again), Ok(message));
    }
    if let Ok(message) = ChallengeMessage::parse(input) {
        let again = message.to_vec().unwrap();
        assert_eq!(ChallengeMessage::parse(&again), Ok(message));
        let _ = (message.av_pairs(), message.target_name_text());
    }
    if let Ok(message) = AuthenticateMessage::parse(input) {
        let again = message.to_vec().unwrap();
        assert_eq!(AuthenticateMessage::parse(&again), Ok(message));
        let _ = NtlmV2Response::parse(message.nt_challenge_response);
        let _ = (message.user_name_text(), message.domain_name_text());
    }
    let _ = (
        AvPairs::parse(input),
        NtlmV2Response::parse(input),
        MessageType::of(input),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn negotiate_round_trip(flags: u32, domain in bytes(40), workstation in bytes(40), version in version()) {
        let flags = NegotiateFlags(flags);
        let given = |flag, value| if flags.contains(flag) { value } else { &[][..] };
        let message = NegotiateMessage {
            negotiate_flags: flags,
            domain_name: given(NegotiateFlags::OEM_DOMAIN_SUPPLIED, &domain[..]),
            workstation: given(NegotiateFlags::OEM_WORKSTATION_SUPPLIED, &workstation[..]),
            version,
        };
        let encoded = message.to_vec().unwrap();
        prop_assert_eq!(NegotiateMessage::parse(&encoded), Ok(message));
    }

    #[test]
    fn challenge_round_trip(flags: u32, server_challenge: [u8; 8], name in bytes(40), info in bytes(200), version in version()) {
        let message = ChallengeMessage {
            target_name: &name,
            negotiate_flags: NegotiateFlags(flags) | NegotiateFlags::TARGET_INFO,
            server_challenge,
            target_info: &info,
            version,
        };
        let encoded = message.to_vec().unwrap();
        prop_assert_eq!(ChallengeMessage::parse(&encoded), Ok(message));
    }

    #[test]
    fn authenticate_round_trip(
        flags: u32, version in version(), mic: Option<[u8; 16]>,
        parts in proptest::collection::vec(bytes(60), 6),
    ) {
        let message = AuthenticateMessage {
            lm_challenge_response: &parts[0],
            nt_challenge_response: &parts[1],
            domain_name: &parts[2],
            user_name: &parts[3],
            workstation: &parts[4],
            encrypted_random_session_key: &parts[5],
            negotiate_flags: NegotiateFlags(flags),
            version,
            mic,
        };
        let encoded = message.to_vec().unwrap();
        prop_assert_eq!(AuthenticateMessage::parse(&encoded), Ok(message));
        prop_assert_eq!(AuthenticateMessage::parse(&encoded).unwrap().to_vec().unwrap(), encoded);
    }

    #[test]
    fn av_pairs_round_trip(pairs in proptest::collection::vec((11..=u16::MAX, bytes(30)), 0..12)) {
        let mut builder = AvPairsBuilder::new();
        for (id, value) in &pairs {
            builder = builder.pair(AvId(*id), value).unwrap();
        }
        let list = builder.finish();
        let parsed = AvPairs::parse(&list).unwrap();
        let found: Vec<_> = parsed.iter().map(|p| (p.id.0, p.value.to_vec())).collect();
        prop_assert_eq!(found, pairs);
        prop_assert_eq!(parsed.as_bytes(), &list);
    }

    #[test]
    fn arbitrary_bytes(kind in 0u8..5, mut input in bytes(200)) {
        parse_all(&input);
        let head = [&SIGNATURE[..], &[kind, 0, 0, 0]].concat();
        input.splice(0..0, head);
        parse_all(&input);
    }

    #[test]
    fn damaged_messages(at in 0usize..400, value: u8, which in 0usize..3) {
        let section = section(DATAGRAM, ["ocs2007r2", "computed_datagram_mic", "ocs2007r2"][which]);
        let key = ["challenge_message", "authenticate_message", "authenticate_message"][which];
        let mut input = section.hex(key);
        let at = at % input.len();
        input[at] = value;
        parse_all(&input);
    }
}

#[test]
fn truncations() {
    for name in ["v1", "v1_ess", "v2"] {
        let v = section(SPECIFICATION, name);
        let token = v.hex("authenticate_message");
        for len in 0..token.len() {
            parse_all(&token[..len]);
            assert!(AuthenticateMessage::parse(&token[..len]).is_err(), "{len}");
        }
        let challenge = v.hex("challenge_message");
        for len in 0..challenge.len() {
            parse_all(&challenge[..len]);
            assert!(ChallengeMessage::parse(&challenge[..len]).is_err(), "{len}");
        }
    }
}

#[test]
fn lying_lengths_and_offsets() {
    let good = section(SPECIFICATION, "v2").hex("authenticate_message");
    for (at, field) in [
        (12, Field::LmChallengeResponse),
        (20, Field::NtChallengeResponse),
        (28, Field::DomainName),
        (36, Field::UserName),
        (44, Field::Workstation),
        (52, Field::EncryptedRandomSessionKey),
    ] {
        // Too long, beyond the end, far beyond, into the fixed part.
        for (offset, len) in [
            (72, u16::MAX),
            (good.len() as u32, 1),
            (u32::MAX, 2),
            (u32::MAX, u16::MAX),
            (60, 4),
            (0, 64),
        ] {
            let mut bad = good.clone();
            bad[at..at + 2].copy_from_slice(&len.to_le_bytes());
            bad[at + 4..at + 8].copy_from_slice(&u32::to_le_bytes(offset));
            let error = AuthenticateMessage::parse(&bad).unwrap_err();
            assert_eq!(error, Error::Bounds { field, offset, len });
        }
        // `MaxLen` does not count.
        let mut odd = good.clone();
        odd[at + 2..at + 4].copy_from_slice(&[0xff, 0xff]);
        assert!(AuthenticateMessage::parse(&odd).is_ok());
    }
}

#[test]
fn wrong_messages() {
    let v = section(SPECIFICATION, "v2");
    let challenge = v.hex("challenge_message");
    assert_eq!(
        AuthenticateMessage::parse(&challenge).unwrap_err(),
        Error::MessageType {
            expected: MessageType::Authenticate,
            found: 2
        }
    );
    assert_eq!(
        MessageType::of(&challenge),
        Ok(Some(MessageType::Challenge))
    );
    assert_eq!(MessageType::of(b"NTLMSSP\0\x09\0\0\0"), Ok(None));
    assert_eq!(
        MessageType::of(b"NTLMSSPX\x01\0\0\0"),
        Err(Error::Signature)
    );
    let truncated = Error::Truncated {
        field: Field::Header,
        len: 11,
    };
    assert_eq!(MessageType::of(b"NTLMSSP\0\x01\0\0"), Err(truncated));
}

#[test]
fn short_forms_of_old_senders() {
    let flags = NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
    let full = NegotiateMessage {
        negotiate_flags: flags,
        ..NegotiateMessage::default()
    };
    let encoded = full.to_vec().unwrap();
    for len in [16, 32, 40] {
        assert_eq!(NegotiateMessage::parse(&encoded[..len]), Ok(full));
    }
    // A challenge that ends before TargetInfo, or before Version.
    let full = ChallengeMessage {
        negotiate_flags: flags,
        ..ChallengeMessage::default()
    };
    let encoded = full.to_vec().unwrap();
    for len in [32, 48, 56] {
        assert_eq!(ChallengeMessage::parse(&encoded[..len]), Ok(full));
    }
    // An answer whose payload begins where Version would be.
    let mut token = vec![0; 64];
    token[..8].copy_from_slice(&SIGNATURE);
    token[8] = 3;
    token[36..44].copy_from_slice(&[2, 0, 2, 0, 64, 0, 0, 0]);
    token[60] = 2;
    token.extend_from_slice(b"me");
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert_eq!(message.user_name_text().unwrap(), "me");
    assert_eq!((message.version, message.mic), (Version::default(), None));
}

#[test]
fn fields_that_no_length_can_say() {
    let long = vec![0; 65536];
    let message = AuthenticateMessage {
        user_name: &long,
        ..AuthenticateMessage::default()
    };
    let error = Error::Length {
        field: Field::UserName,
        len: 65536,
    };
    assert_eq!(message.to_vec(), Err(error));
    let pair = AvPairsBuilder::new().pair(AvId::TARGET_NAME, &long);
    assert_eq!(pair.unwrap_err(), Error::AvPairTooLong { len: 65536 });
}

#[test]
fn malformed_responses() {
    let good = section(SPECIFICATION, "v2");
    let good = [good.hex("nt_proof_str"), good.hex("temp")].concat();
    assert!(NtlmV2Response::parse(&good).is_ok());
    for len in 0..good.len() - 4 {
        assert!(NtlmV2Response::parse(&good[..len]).is_err(), "{len}");
    }
    let mut other = good;
    other[16] = 2;
    assert_eq!(
        NtlmV2Response::parse(&other).unwrap_err(),
        Error::ResponseVersion
    );
}
