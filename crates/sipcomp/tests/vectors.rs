//! The vectors of `tests/data`.

mod common;

use common::{Ring, decode_split, packet};
use ocs_sipcomp::{Anomaly, Decoder, Encoder, Error, Flags, Header};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn load(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn framed() -> Value {
    load(include_str!("data/framed.json"))
}

fn payloads() -> Value {
    load(include_str!("data/lz77-8k.json"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().expect(key)
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(value[key].as_str().expect(key)).expect("hex")
}

fn number(value: &Value, key: &str) -> usize {
    value[key].as_u64().expect(key).try_into().expect("small")
}

/// Compares with whichever of `plain_text`, `plain_hex`, `plain_sha256` and `plain_len` is there.
fn assert_plain(plain: &[u8], expected: &Value, name: &str) {
    let mut compared = false;
    if let Some(text) = expected["plain_text"].as_str() {
        assert_eq!(plain, text.as_bytes(), "{name}");
        compared = true;
    }
    if let Some(text) = expected["plain_hex"].as_str() {
        assert_eq!(hex::encode(plain), text, "{name}");
        compared = true;
    }
    if let Some(text) = expected["plain_sha256"].as_str() {
        assert_eq!(hex::encode(Sha256::digest(plain)), text, "{name}");
        compared = true;
    }
    if let Some(length) = expected["plain_len"].as_u64() {
        assert_eq!(plain.len() as u64, length, "{name}");
    }
    assert!(compared, "{name}: nothing to compare with");
}

#[test]
fn headers() {
    for vector in list(&framed(), "headers") {
        let wire = bytes(vector, "hex");
        let header = Header::from_bytes(wire[..].try_into().expect("six bytes"));
        assert_eq!(usize::from(header.flags.nibble()), number(vector, "flags"));
        assert_eq!(usize::from(header.compression_type), number(vector, "type"));
        assert_eq!(header.reserved as usize, number(vector, "reserved"));
        assert_eq!(
            usize::from(header.uncompressed_size),
            number(vector, "uncompressed_size")
        );
        assert_eq!(header.to_bytes()[..], wire);
    }
}

#[test]
fn payload_sequences() {
    for sequence in list(&payloads(), "sequences") {
        let name = sequence["name"].as_str().expect("name");
        let mut decoder = Decoder::default();
        for vector in list(sequence, "packets") {
            let flags = Flags::from_nibble(number(vector, "flags") as u8);
            let wire = packet(
                flags,
                number(vector, "plain_len"),
                &bytes(vector, "payload"),
            );
            let mut input = &wire[..];
            let plain = decoder.next_chunk(&mut input).expect(name).expect(name);
            assert_plain(plain, vector, name);
            assert_eq!(input, b"", "{name}");
            assert!(decoder.is_at_boundary());
        }
    }
}

#[test]
fn invalid_payloads() {
    for vector in list(&payloads(), "invalid") {
        let name = vector["name"].as_str().expect("name");
        let flags = Flags::from_nibble(number(vector, "flags") as u8);
        let wire = packet(
            flags,
            number(vector, "plain_len"),
            &bytes(vector, "payload"),
        );
        let expected = match name {
            "bad-flags" => Error::FlushedAndCompressed,
            "bad-length" => Error::LengthPrefix,
            "bad-offset" => Error::Offset(8511),
            "overshoot" => Error::CopyOvershoots { length: 4, left: 2 },
            _ => panic!("{name}"),
        };
        assert_eq!(decode_split(&wire, &[1]).result, Err(expected), "{name}");
    }
}

#[test]
fn streams_in_any_split() {
    for stream in list(&framed(), "streams") {
        let name = stream["name"].as_str().expect("name");
        if stream["algorithm"] != "LZ77-8K" {
            continue;
        }
        let wire = bytes(stream, "wire");
        for sizes in [
            &[usize::MAX][..],
            &[1],
            &[2],
            &[3],
            &[5],
            &[6],
            &[7],
            &[8],
            &[9],
            &[13, 1, 8],
        ] {
            let outcome = decode_split(&wire, sizes);
            assert_eq!(outcome.result, Ok(()), "{name} {sizes:?}");
            assert_plain(&outcome.plain, stream, name);
        }
    }
}

/// A packet comes out with its last byte, not one byte later.
#[test]
fn packets_end_where_they_end() {
    for stream in list(&framed(), "streams") {
        let name = stream["name"].as_str().expect("name");
        if stream["algorithm"] != "LZ77-8K" {
            continue;
        }
        let wire = bytes(stream, "wire");
        let mut decoder = Decoder::default();
        for vector in list(stream, "packets") {
            let (offset, length) = (number(vector, "offset"), number(vector, "length"));
            let compressed = number(vector, "flags") & 2 != 0;
            let mut plain = Vec::new();
            for at in offset..offset + length {
                assert_eq!(decoder.is_at_boundary(), at == offset, "{name} at {at}");
                if compressed {
                    assert_eq!(plain, b"", "{name} at {at}");
                }
                decoder.decode(&wire[at..=at], &mut plain).expect(name);
                assert_eq!(decoder.packet_offset(), offset as u64);
            }
            assert!(decoder.is_at_boundary(), "{name}");
            assert_plain(&plain, vector, name);
        }
    }
}

#[test]
fn invalid_streams() {
    for vector in list(&framed(), "invalid") {
        let name = vector["name"].as_str().expect("name");
        let wire = bytes(vector, "wire");
        let expected = match name {
            "flushed-and-compressed" => Error::FlushedAndCompressed,
            "at-front-alone" => Error::AtFrontWithoutCompressed,
            "reserved-not-zero" => Error::Reserved(0x0060_0000),
            "block-too-large" => Error::BlockTooLarge {
                history_offset: 0,
                uncompressed_size: 8193,
            },
            "does-not-fit-without-at-front" => Error::BlockTooLarge {
                history_offset: 8192,
                uncompressed_size: 1,
            },
            "copy-overshoots" => Error::CopyOvershoots { length: 4, left: 2 },
            "length-prefix" => Error::LengthPrefix,
            "offset-over-8191" => Error::Offset(8511),
            "offset-zero" => Error::Offset(0),
            _ => panic!("{name}"),
        };
        for sizes in [&[usize::MAX][..], &[1], &[7]] {
            let outcome = decode_split(&wire, sizes);
            assert_eq!(outcome.result, Err(expected), "{name} {sizes:?}");
            assert_eq!(
                outcome.packet_offset as usize,
                number(vector, "bad_packet_offset"),
                "{name}"
            );
        }
    }
}

#[test]
fn lenient_streams() {
    for vector in list(&framed(), "lenient") {
        let name = vector["name"].as_str().expect("name");
        let mut decoder = Decoder::default();
        let mut plain = Vec::new();
        decoder
            .decode(&bytes(vector, "wire"), &mut plain)
            .expect(name);
        assert_plain(&plain, vector, name);
        let anomaly = match name {
            "undefined-flag" => Anomaly::UndefinedFlag,
            "type-1-on-8k" => Anomaly::UnexpectedType(1),
            _ => panic!("{name}"),
        };
        assert_eq!(decoder.take_anomaly(), Some(anomaly));
        assert_eq!(decoder.take_anomaly(), None);
    }
}

/// One connection, both directions; our encoders say the same in no more bytes.
#[test]
fn connection() {
    let framed = framed();
    let mut decoders = [Decoder::default(), Decoder::default()];
    let mut encoders = [Encoder::new(), Encoder::new()];
    let mut rings = [Ring::default(), Ring::default()];
    let (mut theirs_total, mut ours_total) = (0, 0);
    for step in list(&framed["connection"], "steps") {
        let side = usize::from(step["from"] == "server");
        let wire = bytes(step, "hex");
        if step["state"] == "plain" {
            let text = String::from_utf8(wire).expect("SIP");
            assert!(text.contains("\r\nCompression: LZ77-8K\r\n"));
            continue;
        }
        let mut plain = Vec::new();
        decoders[side].decode(&wire, &mut plain).expect("valid");
        assert_plain(&plain, step, "connection");

        let mut ours = Vec::new();
        encoders[side].encode(&plain, &mut ours);
        assert_eq!(rings[side].decode(&ours).plain, plain);
        theirs_total += wire.len();
        ours_total += ours.len();
    }
    assert!(ours_total <= theirs_total, "{ours_total} > {theirs_total}");
}

#[test]
fn encoder_is_no_worse_than_the_vectors() {
    for sequence in list(&payloads(), "sequences") {
        let mut decoder = Decoder::default();
        let mut encoder = Encoder::new();
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for vector in list(sequence, "packets") {
            let flags = Flags::from_nibble(number(vector, "flags") as u8);
            let wire = packet(
                flags,
                number(vector, "plain_len"),
                &bytes(vector, "payload"),
            );
            theirs.extend_from_slice(&wire);
            let mut plain = Vec::new();
            decoder.decode(&wire, &mut plain).expect("valid");
            encoder.encode(&plain, &mut ours);
        }
        // Two headers more where 8192 bytes in a packet become 8188 and 4.
        assert!(
            ours.len() <= theirs.len() + 2 * Header::SIZE,
            "{}: {} > {}",
            sequence["name"],
            ours.len(),
            theirs.len()
        );
    }
}
