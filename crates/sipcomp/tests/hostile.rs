//! Input that no honest peer sends, and the edges of the history.

mod common;

use common::{Ring, Tokens, decode_split, packet};
use ocs_sipcomp::{Anomaly, Decoder, Encoder, Error, Flags, Header, Limits, MAX_BLOCK_SIZE};

const FRONT: Flags = Flags::AT_FRONT;
const COMPRESSED: Flags = Flags::COMPRESSED;

fn result(wire: &[u8]) -> Result<(), Error> {
    let outcome = decode_split(wire, &[usize::MAX]);
    assert!(outcome == decode_split(wire, &[1]));
    outcome.result
}

fn one_copy(literals: &[u8], offset: usize, length: usize) -> Vec<u8> {
    let mut tokens = Tokens::default();
    for &byte in literals {
        tokens.literal(byte);
    }
    tokens.copy(offset, length);
    tokens.bytes()
}

#[test]
fn every_combination_of_flags() {
    for nibble in 0..16 {
        let flags = Flags::from_nibble(nibble);
        let expected = match nibble & 0xE {
            0x4 | 0xC => Err(Error::AtFrontWithoutCompressed),
            0xA | 0xE => Err(Error::FlushedAndCompressed),
            _ => Ok(()),
        };
        assert_eq!(result(&packet(flags, 3, b"abc")), expected, "{flags:?}");
    }
}

#[test]
fn each_truncation_waits() {
    let mut wire = Vec::new();
    let mut encoder = Encoder::new();
    for _ in 0..3 {
        encoder.encode(
            b"SUBSCRIBE sip:contoso.com SIP/2.0\r\nM\xC3\xBCller\r\n\r\n",
            &mut wire,
        );
    }
    let whole = decode_split(&wire, &[usize::MAX]).plain;
    for end in 0..wire.len() {
        let outcome = decode_split(&wire[..end], &[usize::MAX]);
        assert_eq!(outcome.result, Ok(()));
        assert!(whole.starts_with(&outcome.plain) && outcome.plain.len() < whole.len());
    }
}

#[test]
fn the_largest_blocks() {
    let full = one_copy(b"z", 1, 8191);
    assert_eq!(result(&packet(COMPRESSED | FRONT, 8192, &full)), Ok(()));
    for size in [8193, 65535] {
        assert_eq!(
            result(&packet(COMPRESSED | FRONT, size, &full)),
            Err(Error::BlockTooLarge {
                history_offset: 0,
                uncompressed_size: size as u16
            })
        );
    }
    // Exactly to the end of the history in two packets, and one byte more.
    let most = one_copy(b"z", 1, 8190);
    for (size, expected) in [
        (1, Ok(())),
        (
            2,
            Err(Error::BlockTooLarge {
                history_offset: 8191,
                uncompressed_size: 2,
            }),
        ),
    ] {
        let mut wire = packet(COMPRESSED | FRONT, 8191, &most);
        wire.extend(packet(COMPRESSED, size, b"ab"[..size].into()));
        assert_eq!(result(&wire), expected);
        // At the front there is room again.
        wire[6 + most.len()] |= 0x40;
        assert_eq!(result(&wire), Ok(()));
    }
    // A raw packet may have any size.
    assert_eq!(
        result(&packet(Flags::FLUSHED, 65535, &vec![7; 65535])),
        Ok(())
    );
}

#[test]
fn offsets_at_their_limits() {
    for (offset, expected) in [
        (0, Err(Error::Offset(0))),
        (1, Ok(())),
        (8191, Ok(())),
        (8192, Err(Error::Offset(8192))),
        (8511, Err(Error::Offset(8511))),
    ] {
        let wire = packet(COMPRESSED | FRONT, 4, &one_copy(b"a", offset, 3));
        assert_eq!(result(&wire), expected, "{offset}");
    }
}

#[test]
fn a_copy_ends_with_its_packet() {
    for (length, expected) in [
        (9, Ok(())),
        (
            10,
            Err(Error::CopyOvershoots {
                length: 10,
                left: 9,
            }),
        ),
        (
            8191,
            Err(Error::CopyOvershoots {
                length: 8191,
                left: 9,
            }),
        ),
    ] {
        let wire = packet(COMPRESSED | FRONT, 10, &one_copy(b"a", 1, length));
        assert_eq!(result(&wire), expected, "{length}");
    }
}

#[test]
fn a_size_that_is_too_small_is_found_at_the_next_header() {
    // What is left of the literals is taken for a header.
    let mut wire = packet(COMPRESSED | FRONT, 2, &one_copy(b"abc", 3, 9));
    wire.extend(packet(COMPRESSED, 1, b"x"));
    assert!(matches!(result(&wire), Err(Error::Reserved(_))));
}

#[test]
fn an_error_is_final() {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    let error = decoder.decode(b"\xA0\0\0\0\0\x01a", &mut out);
    assert_eq!(error, Err(Error::FlushedAndCompressed));
    assert_eq!(decoder.decode(b"\x80\0\0\0\0\x01a", &mut out), error);
    assert_eq!(out, b"");
}

#[test]
fn reserved_can_be_let_pass() {
    let mut decoder = Decoder::new(Limits {
        check_reserved: false,
        ..Limits::default()
    });
    let mut out = Vec::new();
    assert_eq!(decoder.decode(b"\x80\x01\x02\x03\0\x01a", &mut out), Ok(7));
    assert_eq!(out, b"a");
}

#[test]
fn exchanged_nibbles_are_noted() {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    assert_eq!(decoder.decode(b"\x06\0\0\0\0\x01a", &mut out), Ok(7));
    assert_eq!(
        decoder.take_anomaly(),
        Some(Anomaly::NibblesLookExchanged(6))
    );
    for first in 0..=255 {
        let header = Header::from_bytes([first, 0, 0, 0, 0, 0]);
        assert_eq!(
            header.nibbles_look_exchanged(),
            matches!(first, 2 | 4 | 6 | 8)
        );
    }
}

#[test]
fn output_is_bounded() {
    let limits = Limits {
        output_per_call: 10_000,
        ..Limits::default()
    };
    let bomb = packet(COMPRESSED | FRONT, 8192, &one_copy(b"z", 1, 8191));
    let mut wire = bomb.repeat(100);
    wire.extend(packet(Flags::NONE, 65535, &vec![7; 65535]));
    let mut decoder = Decoder::new(limits);
    let (mut rest, mut total) = (&wire[..], 0);
    while !rest.is_empty() {
        let mut out = Vec::new();
        let consumed = decoder.decode(rest, &mut out).expect("valid");
        assert!(consumed > 0 && out.len() < 10_000 + 8192);
        total += out.len();
        rest = &rest[consumed..];
    }
    assert_eq!(total, 100 * 8192 + 65535);
}

#[test]
fn a_flood_of_empty_packets() {
    let mut wire = packet(COMPRESSED | FRONT, 8192, &one_copy(b"z", 1, 8191));
    for _ in 0..10_000 {
        wire.extend(packet(COMPRESSED | FRONT, 0, b""));
        wire.extend(packet(Flags::FLUSHED, 0, b""));
        wire.extend(packet(Flags::NONE, 0, b""));
    }
    let outcome = decode_split(&wire, &[usize::MAX]);
    assert_eq!((outcome.result, outcome.plain.len()), (Ok(()), 8192));
}

#[test]
fn a_flush_clears_both_passes() {
    let mut wire = packet(COMPRESSED | FRONT, 8192, &one_copy(b"z", 1, 8191));
    wire.extend(packet(COMPRESSED | FRONT, 1, b"y"));
    wire.extend(packet(Flags::FLUSHED, 1, b"!"));
    wire.extend(packet(COMPRESSED | FRONT, 7, &one_copy(b"a", 8191, 6)));
    let outcome = decode_split(&wire, &[1]);
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.plain[8192..], *b"y!a\0\0\0\0\0\0");
    assert!(outcome.plain == Ring::default().decode(&wire).plain);
}

#[test]
fn the_encoder_at_its_edges() {
    for size in [
        0,
        1,
        2,
        3,
        MAX_BLOCK_SIZE - 1,
        MAX_BLOCK_SIZE,
        MAX_BLOCK_SIZE + 1,
        8192,
        20_000,
    ] {
        for byte in [b'a', 0xE4] {
            let mut encoder = Encoder::new();
            let (mut wire, mut plain) = (Vec::new(), Vec::new());
            for _ in 0..3 {
                let block = vec![byte; size];
                encoder.encode(&block, &mut wire);
                plain.extend(block);
            }
            let outcome = decode_split(&wire, &[usize::MAX]);
            assert_eq!(outcome.result, Ok(()));
            assert!(outcome.plain == plain, "{size} of {byte:#x}");
        }
    }
}

#[test]
fn what_does_not_compress_goes_raw_and_resets_the_history() {
    let mut encoder = Encoder::new();
    let mut wire = Vec::new();
    encoder.encode(b"\r\n", &mut wire);
    assert_eq!(wire, b"\x60\0\0\0\0\x02\r\n", "equal size stays compressed");
    wire.clear();
    encoder.encode(b"\x80\x81\x82", &mut wire);
    assert_eq!(wire, b"\x80\0\0\0\0\x03\x80\x81\x82");
    wire.clear();
    encoder.encode(b"\r\n", &mut wire);
    assert_eq!(wire, b"\x60\0\0\0\0\x02\r\n", "at the front after a flush");
    wire.clear();
    encoder.encode(b"\r\n\r\n", &mut wire);
    assert_eq!(wire[0], 0x20, "appended");
}

#[test]
fn contents_stay_out_of_debug_output() {
    let mut encoder = Encoder::new();
    let mut wire = Vec::new();
    encoder.encode(b"secret", &mut wire);
    let mut decoder = Decoder::default();
    decoder.decode(&wire, &mut Vec::new()).expect("valid");
    let text = format!("{encoder:?} {decoder:?}");
    assert!(!text.contains("115, 101") && text.len() < 400, "{text}");
}
