//! What nobody should send.

mod common;

use std::time::Instant;

use common::everything::{read_all, read_payload, session};
use common::{rewrite, vectors};
use ocs_rtp::rtcp::extension::PacketLoss;
use ocs_rtp::rtcp::{Compound, Extension, RtcpPacket, Writer};
use ocs_rtp::{Error, Packet};

const RTCP: &str = include_str!("data/rtcp_vectors.json");
const SEEN_RTCP: &str = include_str!("data/wireshark-rtcp.json");
const SEEN_RTP: &str = include_str!("data/wireshark-rtp.json");
const SEEN_H264: &str = include_str!("data/wireshark-h264.json");

#[test]
fn rtp_headers_that_lie() {
    let parse = |text: &str| {
        let octets = hex::decode(text.replace(' ', "")).unwrap();
        Packet::parse(&octets).map(|packet| packet.payload().len())
    };
    let header = "0000 0001 00000002 00000003";
    let cases = [
        ("80", header, "", Ok(0)),
        ("40", header, "", Err(Error::Version { version: 1 })),
        ("8f", header, "00", Err(Error::Csrcs { count: 15 })),
        ("81", header, "000000", Err(Error::Csrcs { count: 1 })),
        (
            "90",
            header,
            "bede00",
            Err(Error::HeaderExtension { len: 4 }),
        ),
        (
            "90",
            header,
            "bede0001000000",
            Err(Error::HeaderExtension { len: 8 }),
        ),
        (
            "90",
            header,
            "bedeffff",
            Err(Error::HeaderExtension { len: 262_144 }),
        ),
        ("90", header, "bede0000aa", Ok(1)),
        (
            "a0",
            header,
            "",
            Err(Error::Padding {
                padding: 0,
                available: 0,
            }),
        ),
        (
            "a0",
            header,
            "0000",
            Err(Error::Padding {
                padding: 0,
                available: 2,
            }),
        ),
        (
            "a0",
            header,
            "0003",
            Err(Error::Padding {
                padding: 3,
                available: 2,
            }),
        ),
        ("a0", header, "0002", Ok(0)),
        ("a0", header, "aa01", Ok(1)),
    ];
    for (first, header, rest, expected) in cases {
        let header = &header[2..];
        assert_eq!(
            parse(&format!("{first}{header}{rest}")),
            expected,
            "{first} {rest}"
        );
    }
    for len in 0..12 {
        let short = Packet::parse(&[0x80; 12][..len]).map(|_| ());
        assert_eq!(short, Err(Error::PacketTooShort { len }));
    }
}

#[test]
fn rtcp_lengths_that_lie() {
    let parse = |text: &str| {
        let octets = hex::decode(text).unwrap();
        Compound::parse(&octets)?;
        rewrite(&octets).map(|_| ())
    };
    let too_short = |packet_type, count, len| {
        Err(Error::RtcpTooShort {
            packet_type,
            count,
            len,
        })
    };
    let cases = [
        ("", Err(Error::RtcpLength { offset: 0, len: 4 })),
        ("80c900", Err(Error::RtcpLength { offset: 0, len: 4 })),
        ("80c90001", Err(Error::RtcpLength { offset: 0, len: 8 })),
        (
            "80c9ffff00000001",
            Err(Error::RtcpLength {
                offset: 0,
                len: 262_144,
            }),
        ),
        (
            "80c900010000000180",
            Err(Error::RtcpLength { offset: 8, len: 4 }),
        ),
        (
            "80c900010000000180ca0001",
            Err(Error::RtcpLength { offset: 8, len: 8 }),
        ),
        ("00c9000100000001", Err(Error::Version { version: 0 })),
        (
            "80c900010000000140ca0000",
            Err(Error::Version { version: 1 }),
        ),
        ("80c70000", Err(Error::RtcpType { packet_type: 199 })),
        ("80cf0000", Err(Error::RtcpType { packet_type: 207 })),
        ("a0c900010000000480ca0000", Err(Error::RtcpPaddingNotLast)),
        (
            "a0c9000100000000",
            Err(Error::Padding {
                padding: 0,
                available: 4,
            }),
        ),
        (
            "a0c9000100000003",
            Err(Error::Padding {
                padding: 3,
                available: 4,
            }),
        ),
        (
            "a0c9000100000008",
            Err(Error::Padding {
                padding: 8,
                available: 4,
            }),
        ),
        ("a0c900020000000100000004", Ok(())),
        ("80c90000", too_short(201, 0, 4)),
        ("9fc9000100000001", too_short(201, 31, 8)),
        ("80c8000100000001", too_short(200, 0, 8)),
        ("82cb000100000001", too_short(203, 2, 8)),
        ("81cb00020000000105616263", Err(Error::ByeReason)),
        ("81cb00020000000103616263", Ok(())),
        ("80cc000100000001", too_short(204, 0, 8)),
        ("81ce000100000001", too_short(206, 1, 8)),
        // SDES: a count without chunks, an item past the end, no terminating octet.
        ("82ca00020000000100000000", too_short(202, 1, 4)),
        (
            "81ca00020000000101056162",
            Err(Error::SdesItem { item_type: 1 }),
        ),
        (
            "81ca00020000000101026162",
            Err(Error::SdesItem { item_type: 0 }),
        ),
        ("81ca00020000000101016100", Ok(())),
        // Extended PLI of a wrong length; AFB past the end; a request whose entries are not there.
        (
            "81ce0003000000010000000200000000",
            Err(Error::Feedback { len: 4 }),
        ),
        (
            "8fce0003000000010000000200030009",
            Err(Error::Feedback { len: 4 }),
        ),
        (
            "8fce0003000000010000000200030003",
            Err(Error::Feedback { len: 4 }),
        ),
        ("8fce00020000000100000002", Err(Error::Feedback { len: 0 })),
        (
            "8fce0007000000010000000200010014fffffffe0001000000000144000000 00",
            Err(Error::Feedback { len: 20 }),
        ),
        (
            "8fce0007000000010000000200010014fffffffe0001000000001544000000 00",
            Err(Error::Feedback { len: 20 }),
        ),
        (
            "8fce0007000000010000000200010014fffffffe0001000000000100000000 00",
            Err(Error::Feedback { len: 20 }),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(&text.replace(' ', "")), expected, "{text}");
    }
}

#[test]
fn extensions_that_are_too_short() {
    for (extension_type, needed) in [
        (1, 8),
        (4, 4),
        (5, 16),
        (7, 8),
        (8, 8),
        (9, 24),
        (10, 8),
        (11, 8),
        (12, 16),
        (13, 12),
        (14, 8),
    ] {
        for len in (0..=28_u16).step_by(4) {
            let mut octets = vec![0x80, 201, 0, (len / 4 + 4) as u8, 0, 0, 0, 1];
            octets.extend_from_slice(&[0, extension_type, 0, len as u8 + 4]);
            octets.resize(octets.len() + usize::from(len), 0);
            octets.extend_from_slice(&[0, 4, 0, 8, 0, 0, 0, 9]);
            octets[3] = (octets.len() / 4 - 1) as u8;
            let compound = Compound::parse(&octets).unwrap();
            let Some(Ok(RtcpPacket::ReceiverReport(report))) = compound.packets().next() else {
                panic!("no RR");
            };
            let found: Vec<_> = report.extensions().collect();
            assert_eq!(found[0].is_ok(), len >= needed, "{extension_type} {len}");
            if len < needed {
                let error = Error::ExtensionInfo {
                    extension_type: u16::from(extension_type),
                    len: usize::from(len),
                };
                assert_eq!(found[0], Err(error));
            }
            // The next one is read in any case.
            let next = Extension::PacketLoss(PacketLoss { sequence: 9 });
            assert_eq!(found[1], Ok(next));
        }
    }
}

#[test]
fn every_truncation() {
    let now = Instant::now();
    let mut session = session(now);
    for (_, octets, _) in vectors(RTCP).into_iter().chain(vectors(SEEN_RTCP)) {
        for end in 0..=octets.len() {
            read_all(&octets[..end]);
            let _ = session.handle_datagram(now, &octets[..end], end);
        }
    }
    for (_, octets, _) in vectors(SEEN_RTP).into_iter().chain(vectors(SEEN_H264)) {
        let payload = Packet::parse(&octets).unwrap().payload();
        for end in 0..octets.len() {
            if let Ok(packet) = Packet::parse(&octets[..end]) {
                let elements = packet
                    .extension()
                    .map(|extension| extension.elements().count());
                assert!(elements.is_none_or(|count| count < end));
            }
        }
        for end in 0..=payload.len() {
            read_payload(&payload[..end]);
        }
    }
    while session.poll_event().is_some() {}
}

/// Packets are written behind whatever is in the buffer, also at odd places.
#[test]
fn padding_counts_from_the_packet() {
    for before in 0..4 {
        let mut out = vec![0xEE; before];
        Writer::new(&mut out)
            .source_description(|chunks| {
                chunks.chunk(1).item(1, b"a")?.item(2, b"bc")?;
                chunks.chunk(2);
                Ok(())
            })
            .unwrap()
            .bye(&[1], Some(b"no"))
            .unwrap();
        assert_eq!(rewrite(&out[before..]).unwrap(), out[before..]);
    }
}
