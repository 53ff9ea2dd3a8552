//! Random streams: through the encoder and back, and against the bitwise decoder.

mod common;

use common::{Ring, Tokens, decode_split, packet};
use ocs_sipcomp::{Encoder, Flags, Header, MAX_BLOCK_SIZE};
use proptest::collection::vec;
use proptest::prelude::*;

/// Text that repeats itself, noise, and mixtures of both; short and long.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let words = vec(
        prop::sample::select(vec![
            "REGISTER sip:contoso.com SIP/2.0\r\n",
            "From: <sip:alice@contoso.com>;tag=",
            "CSeq: ",
            "Müller",
            "aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "x",
            "\r\n",
            "\0\0\0\0",
        ]),
        0..200,
    )
    .prop_map(|words| words.concat().into_bytes());
    prop_oneof![
        4 => words.clone(),
        2 => vec(any::<u8>(), 0..300),
        1 => vec(any::<u8>(), 8000..9000),
        1 => vec(0_u8..4, 0..3000),
        1 => (words, vec(any::<u8>(), 0..40)).prop_map(|(mut words, noise)| {
            words.extend_from_slice(&noise);
            words
        }),
        1 => (any::<u8>(), 1_usize..30_000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

#[derive(Debug, Clone)]
enum Token {
    Literal(u8),
    /// An offset of 1 to 8191 and a length that is cut to what fits the packet.
    Copy(usize, usize),
}

fn token() -> impl Strategy<Value = Token> {
    let offset = prop_oneof![1..=20_usize, 1..=400_usize, 1..=8191_usize];
    let length = prop_oneof![3..=20_usize, 3..=8191_usize];
    prop_oneof![
        any::<u8>().prop_map(Token::Literal),
        (b' '..b'z').prop_map(Token::Literal),
        (offset, length).prop_map(|(offset, length)| Token::Copy(offset, length)),
    ]
}

#[derive(Debug, Clone)]
enum Packet {
    Raw {
        flushed: bool,
        data: Vec<u8>,
    },
    Compressed {
        at_front: bool,
        tokens: Vec<Token>,
        size: usize,
    },
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let size = prop_oneof![0..=64_usize, 0..=1000_usize, 0..=8192_usize];
    prop_oneof![
        1 => (any::<bool>(), vec(any::<u8>(), 0..50))
            .prop_map(|(flushed, data)| Packet::Raw { flushed, data }),
        8 => (prop::bool::weighted(0.2), vec(token(), 0..60), size)
            .prop_map(|(at_front, tokens, size)| Packet::Compressed { at_front, tokens, size }),
    ]
}

/// The wire form of packets that are valid, whatever another encoder would make of the history.
fn wire(packets: &[Packet]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut history_offset = 0;
    for one in packets {
        match one {
            Packet::Raw { flushed, data } => {
                let flags = if *flushed {
                    Flags::FLUSHED
                } else {
                    Flags::NONE
                };
                if *flushed {
                    history_offset = 0;
                }
                wire.extend(packet(flags, data.len(), data));
            }
            Packet::Compressed {
                at_front,
                tokens,
                size,
            } => {
                let at_front = *at_front || history_offset + size > 8192;
                let mut flags = Flags::COMPRESSED;
                if at_front {
                    flags = flags | Flags::AT_FRONT;
                    history_offset = 0;
                }
                history_offset += size;
                let mut payload = Tokens::default();
                let mut left = *size;
                for one in tokens {
                    match *one {
                        Token::Literal(byte) if left > 0 => {
                            payload.literal(byte);
                            left -= 1;
                        }
                        Token::Copy(offset, length) if left >= 3 => {
                            let length = length.min(left);
                            payload.copy(offset, length);
                            left -= length;
                        }
                        _ => {}
                    }
                }
                for at in 0..left {
                    payload.literal((at % 251) as u8);
                }
                wire.extend(packet(flags, *size, &payload.bytes()));
            }
        }
    }
    wire
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn encoded_streams_decode(
        messages in vec(message(), 1..12),
        sizes in vec(prop_oneof![1..10_usize, 1..4000_usize], 1..20),
        whole_history: bool,
    ) {
        let mut encoder = Encoder::new();
        encoder.set_whole_history(whole_history);
        let mut wire = Vec::new();
        for message in &messages {
            let before = wire.len();
            encoder.encode(message, &mut wire);
            let packets = message.len().div_ceil(MAX_BLOCK_SIZE);
            prop_assert!(wire.len() - before <= message.len() + packets * Header::SIZE);
        }
        let mut ring = Ring::default();
        let expected = ring.decode(&wire);
        prop_assert_eq!(&expected.plain, &messages.concat());
        prop_assert_eq!(expected.packet_offset, wire.len() as u64);
        prop_assert!(whole_history || !ring.reached_back);
        let outcome = decode_split(&wire, &sizes);
        prop_assert_eq!(outcome.result, Ok(()));
        prop_assert!(outcome.plain == expected.plain);
    }

    #[test]
    fn any_encoder_is_understood(
        packets in vec(any_packet(), 1..12),
        sizes in vec(prop_oneof![1..10_usize, 1..400_usize], 1..20),
    ) {
        let wire = wire(&packets);
        let expected = Ring::default().decode(&wire);
        prop_assert_eq!(expected.result, Ok(()));
        prop_assert_eq!(expected.packet_offset, wire.len() as u64);
        for sizes in [&[usize::MAX][..], &sizes] {
            let outcome = decode_split(&wire, sizes);
            prop_assert_eq!(outcome.result, Ok(()));
            prop_assert!(outcome.plain == expected.plain);
        }
    }

    #[test]
    fn damage_is_seen_alike_in_any_split(
        packets in vec(any_packet(), 1..6),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        sizes in vec(prop_oneof![1..10_usize, 1..400_usize], 1..20),
    ) {
        let mut wire = wire(&packets);
        for (index, byte) in damage {
            let at = index.index(wire.len());
            wire[at] = byte;
        }
        let expected = Ring::default().decode(&wire);
        for sizes in [&[usize::MAX][..], &[1], &sizes] {
            let outcome = decode_split(&wire, sizes);
            prop_assert!(outcome.plain == expected.plain);
            prop_assert_eq!(outcome.result, expected.result);
            if outcome.result.is_err() {
                prop_assert_eq!(outcome.packet_offset, expected.packet_offset);
            }
        }
    }

    #[test]
    fn noise_is_seen_alike_in_any_split(
        mut noise in vec(any::<u8>(), 6..400),
        size in 0_u16..9000,
        sizes in vec(1..10_usize, 1..20),
    ) {
        noise[..6].copy_from_slice(&Header::new(Flags::COMPRESSED | Flags::AT_FRONT, size).to_bytes());
        let expected = Ring::default().decode(&noise);
        let outcome = decode_split(&noise, &sizes);
        prop_assert!(outcome.plain == expected.plain);
        prop_assert_eq!(outcome.result, expected.result);
    }
}
