//! Payload formats: known payloads, those that Wireshark read, and both directions together.

mod common;

use std::time::{Duration, Instant};

use common::{vector, vectors};
use ocs_rtp::codec::CODECS;
use ocs_rtp::payload::dtmf::{self, Event, EventChange, TelephoneEvent};
use ocs_rtp::payload::redundant::{self, Block, Packed, RedundantAudio};
use ocs_rtp::payload::rtvideo::{self, FrameKind};
use ocs_rtp::payload::{Fragment, x_data};
use ocs_rtp::{Codec, Error, Packet, PacketBuilder};

const SEEN_RTP: &str = include_str!("data/wireshark-rtp.json");

fn bytes(fragment: &Fragment<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    fragment.write(&mut out);
    assert_eq!(out.len(), fragment.len());
    out
}

/// Digit 5 for 60 ms: the packets that the digest and Wireshark agree on.
#[test]
fn a_digit_is_sent_with_three_ends() {
    let mut sender = dtmf::Sender::new(20, 10).unwrap();
    sender.send(Event::of_key('5').unwrap(), 60).unwrap();
    let mut timestamp = 16_000;
    let mut duplicates = Vec::new();
    for (at, name) in ["d5a", "d5b", "d5e0", "d5e1", "d5e2"]
        .into_iter()
        .enumerate()
    {
        let packet = sender.tick(timestamp).unwrap();
        timestamp += 160;
        duplicates.push(packet.duplicate);
        let mut out = Vec::new();
        PacketBuilder::new(101, at as u16 + 1, packet.timestamp, 0x0102_0304)
            .marker(packet.payload.marker)
            .write_with(&mut out, |out| packet.payload.write(out))
            .unwrap();
        assert_eq!(
            hex::encode(&out),
            hex::encode(vector(SEEN_RTP, name)),
            "{name}"
        );
    }
    assert_eq!(duplicates, [false, false, false, true, true]);
    assert!(sender.is_idle());
    // The next event waits for 50 ms.
    sender.send(Event::of_key('#').unwrap(), 20).unwrap();
    let silent = (0..3).filter(|_| sender.tick(timestamp).is_none()).count();
    assert_eq!(silent, 3);
    assert!(sender.tick(timestamp).unwrap().payload.marker);
}

#[test]
fn events_as_wireshark_reads_them() {
    for (name, octets, _) in vectors(SEEN_RTP) {
        let Some(number) = name.strip_prefix("ev") else {
            continue;
        };
        let packet = Packet::parse(&octets).unwrap();
        let event = TelephoneEvent::parse(packet.payload()).unwrap();
        assert_eq!(event.event.number(), number.parse::<u8>().unwrap());
        assert!(event.end);
        assert_eq!((event.volume, event.duration), (63, 65_535));
        assert_eq!(event.encode(), packet.payload());
    }
    // [MS-RTPDT] 4.
    let event = TelephoneEvent::parse(&[0x01, 0x94, 0x06, 0xe0]).unwrap();
    assert_eq!(event.event.key(), Some('1'));
    assert_eq!((event.end, event.volume, event.duration), (true, 20, 1760));
    assert_eq!(Event::FLASH.key(), None);
    for key in "0123456789*#ABCD".chars() {
        assert_eq!(Event::of_key(key).unwrap().key(), Some(key));
    }
    assert!(
        format!("{event:?}").contains("event: Event,"),
        "digits are not shown"
    );
}

#[test]
fn a_key_that_is_held() {
    let mut sender = dtmf::Sender::new(20, 10).unwrap();
    sender.press(Event::of_key('1').unwrap()).unwrap();
    let event = |packet: dtmf::EventPacket| TelephoneEvent::parse(&bytes(&packet.payload)).unwrap();
    for n in 1..=5 {
        let event = event(sender.tick(0).unwrap());
        assert_eq!((event.duration, event.end), (160 * n, false));
    }
    sender.release();
    assert!(event(sender.tick(0).unwrap()).end);
    // One that is released at once lasts for 100 ms all the same, be it under way or not.
    for ticks_before in [0, 1] {
        let mut sender = dtmf::Sender::new(20, 10).unwrap();
        sender.press(Event::of_key('1').unwrap()).unwrap();
        let mut packets: Vec<_> = (0..ticks_before).filter_map(|_| sender.tick(0)).collect();
        sender.release();
        packets.extend(std::iter::from_fn(|| sender.tick(0)));
        let ends = packets.into_iter().map(event).filter(|event| event.end);
        assert!(ends.map(|event| event.duration).eq([800; 3]));
    }
    // One that is never released ends before the duration overflows.
    let mut sender = dtmf::Sender::new(50, 10).unwrap();
    sender.press(Event::of_key('1').unwrap()).unwrap();
    let mut last = None;
    while let Some(packet) = sender.tick(0) {
        last = Some(event(packet));
    }
    let last = last.unwrap();
    assert!(last.end && last.duration > 64_000);
    assert_eq!(
        sender.send(Event::FLASH, 8200),
        Err(Error::OutOfRange { what: "duration" })
    );
}

#[test]
fn events_are_heard_whatever_is_lost() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut sender = dtmf::Sender::new(20, 10).unwrap();
    sender.send(Event::of_key('7').unwrap(), 60).unwrap();
    let packets: Vec<_> = (0..5).map(|_| sender.tick(800).unwrap()).collect();
    let seven = Event::of_key('7').unwrap();
    // Every way in which some of five packets can be lost.
    for lost in 0_u32..31 {
        let mut receiver = dtmf::Receiver::new();
        for (at_packet, packet) in packets.iter().enumerate() {
            if lost >> at_packet & 1 == 0 {
                let now = at(20 * at_packet as u64);
                receiver
                    .handle_packet(now, packet.timestamp, &bytes(&packet.payload))
                    .unwrap();
            }
        }
        receiver.handle_timeout(at(1000));
        assert_eq!(
            receiver.poll_event(),
            Some(EventChange::Started(seven)),
            "{lost:b}"
        );
        let Some(EventChange::Ended(event, duration)) = receiver.poll_event() else {
            panic!("{lost:b}: no end");
        };
        assert_eq!(event, seven);
        assert!((160..=480).contains(&duration));
        assert_eq!(receiver.poll_event(), None, "{lost:b}");
        assert_eq!(receiver.poll_timeout(), None);
    }
}

#[test]
fn events_that_are_wrong_or_late() {
    let now = Instant::now();
    let mut receiver = dtmf::Receiver::new();
    for (payload, kind) in [(&[5, 10, 0][..], 3), (&[5, 10, 0, 0], 4), (&[], 0)] {
        let error = Error::Payload {
            format: "telephone-event",
            len: kind,
        };
        assert_eq!(receiver.handle_packet(now, 0, payload), Err(error));
    }
    let unknown = receiver.handle_packet(now, 0, &[17, 10, 0, 160]);
    assert!(matches!(unknown, Err(Error::PayloadType { kind: 17, .. })));
    assert_eq!(receiver.poll_event(), None);
    // A second event without the end of the first; then a packet of the first one, late.
    receiver.handle_packet(now, 1000, &[1, 10, 0, 160]).unwrap();
    receiver.handle_packet(now, 3000, &[2, 10, 0, 160]).unwrap();
    receiver
        .handle_packet(now, 1000, &[1, 0x8a, 1, 64])
        .unwrap();
    let changes: Vec<_> = std::iter::from_fn(|| receiver.poll_event()).collect();
    let [one, two] = ['1', '2'].map(|key| Event::of_key(key).unwrap());
    let expected = [
        EventChange::Started(one),
        EventChange::Ended(one, 160),
        EventChange::Started(two),
    ];
    assert_eq!(changes, expected);
}

#[test]
fn redundant_audio_as_wireshark_reads_it() {
    for (name, offset, redundant_len, primary_len) in [
        ("red d1", 320, 38, 38),
        ("red d3", 960, 38, 38),
        ("red max", 16_383, 1023, 100),
    ] {
        let octets = vector(SEEN_RTP, name);
        let packet = Packet::parse(&octets).unwrap();
        let audio = RedundantAudio::parse(packet.payload(), packet.timestamp()).unwrap();
        let blocks: Vec<_> = audio.redundant(97).collect();
        let [block] = blocks[..] else {
            panic!("{name}");
        };
        assert_eq!(
            block.timestamp,
            packet.timestamp().wrapping_sub(offset),
            "{name}"
        );
        assert_eq!(block.data.len(), redundant_len, "{name}");
        assert!(block.data.iter().all(|&octet| octet == 0xaa));
        assert!(audio.primary().data.iter().all(|&octet| octet == 0xbb));
        if name != "red max" {
            assert_eq!(audio.primary().data.len(), primary_len);
            assert_eq!(
                (block.payload_type, audio.primary().payload_type),
                (114, 114)
            );
        }
    }
    let octets = vector(SEEN_RTP, "red p");
    let packet = Packet::parse(&octets).unwrap();
    let audio = RedundantAudio::parse(packet.payload(), packet.timestamp()).unwrap();
    assert_eq!(audio.redundant(97).count(), 0);
    assert_eq!(audio.primary().data.len(), 38);
}

#[test]
fn redundancy_at_every_distance() {
    for distance in 0..=3_u8 {
        let mut packetizer = redundant::Packetizer::new(1200);
        packetizer.set_distance(distance);
        for n in 0_u32..8 {
            let data = [n as u8; 38];
            match packetizer.packet(114, n * 320, &data) {
                Packed::Plain => assert_eq!(distance, 0),
                Packed::Redundant(fragment) => {
                    let payload = bytes(&fragment);
                    let audio = RedundantAudio::parse(&payload, n * 320).unwrap();
                    assert_eq!(audio.primary().data, data);
                    let repeated = n.checked_sub(u32::from(distance)).map(|before| Block {
                        payload_type: 114,
                        timestamp: before * 320,
                        data: &[
                            [0; 38], [1; 38], [2; 38], [3; 38], [4; 38], [5; 38], [6; 38],
                        ][before as usize],
                    });
                    assert!(audio.redundant(97).eq(repeated), "{distance} {n}");
                    if n == 7 && distance == 1 {
                        assert_eq!(hex::encode(&payload[..5]), "f205002672");
                    }
                    if n == 7 && distance == 3 {
                        assert_eq!(hex::encode(&payload[..5]), "f20f002672");
                    }
                }
            }
        }
    }
}

#[test]
fn redundancy_is_left_out_where_it_does_not_fit() {
    let mut packetizer = redundant::Packetizer::new(1200);
    packetizer.set_distance(1);
    let mut len = |payload_type, timestamp, data: &[u8]| match packetizer.packet(
        payload_type,
        timestamp,
        data,
    ) {
        Packed::Redundant(fragment) => fragment.len() - data.len(),
        Packed::Plain => panic!("plain"),
    };
    assert_eq!(len(114, 0, &[1; 100]), 1, "the first packet");
    assert_eq!(len(114, 320, &[2; 100]), 105);
    assert_eq!(len(0, 640, &[3; 100]), 1, "another codec");
    assert_eq!(len(0, 640 + 16_384, &[3; 100]), 1, "too old");
    assert_eq!(len(0, 640 + 2 * 16_383, &[3; 1024]), 105);
    assert_eq!(len(0, 40_000, &[3; 100]), 1, "too long for its length");
    assert_eq!(len(0, 40_160, &[3; 600]), 105);
    assert_eq!(len(0, 40_320, &[3; 600]), 1, "too long for the packet");
}

#[test]
fn a_block_with_the_payload_type_of_the_format_is_of_the_primary_codec() {
    let payload = [0xe1, 5, 0, 1, 114, 0xaa, 0xbb];
    let audio = RedundantAudio::parse(&payload, 320).unwrap();
    assert_eq!(audio.redundant(97).next().unwrap().payload_type, 114);
}

#[test]
fn sharing_is_a_stream_of_octets() {
    let lines = include_str!("data/x-data.txt").lines();
    let packets: Vec<_> = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| hex::decode(line).unwrap())
        .collect();
    let mut receiver = x_data::Receiver::new();
    let mut stream = Vec::new();
    for octets in &packets[..4] {
        let packet = Packet::parse(octets).unwrap();
        assert_eq!(packet.payload_type(), x_data::PAYLOAD_TYPE);
        let part = receiver
            .handle_packet(packet.sequence(), packet.payload())
            .unwrap();
        stream.extend_from_slice(part);
    }
    // Two PDUs of the connection sequence of [MS-RDPBCGR] 4.1.
    let first = x_data::pdu_len(&stream).unwrap().unwrap();
    let second = x_data::pdu_len(&stream[first..]).unwrap().unwrap();
    assert_eq!((first, second), (44, 416));
    assert_eq!(stream.len(), first + second);

    let again = receiver.handle_packet(3, b"again").unwrap();
    assert!(again.is_empty());
    let broken = Error::StreamBroken {
        expected: 5,
        received: 7,
    };
    assert_eq!(receiver.handle_packet(7, b"gap"), Err(broken));
    assert!(receiver.handle_packet(5, b"too late").is_err());
}

#[test]
fn the_stream_is_cut_anywhere() {
    let stream: Vec<u8> = (0..5000_u32).map(|n| n as u8).collect();
    let mut receiver = x_data::Receiver::new();
    let mut out = Vec::new();
    let mut sequence = 65_534_u16;
    for slice in x_data::slices(&stream) {
        assert!(slice.len() <= 1200 && !slice.marker);
        out.extend_from_slice(receiver.handle_packet(sequence, &bytes(&slice)).unwrap());
        sequence = sequence.wrapping_add(1);
    }
    assert_eq!(out, stream);
}

#[test]
fn every_pdu_of_the_connection_sequence_has_its_length() {
    let mut read = 0;
    let lines = include_str!("data/rdp.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(_), Some(_), Some("wire"), Some(pdu)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let pdu = hex::decode(pdu).unwrap();
        assert_eq!(x_data::pdu_len(&pdu), Ok(Some(pdu.len())), "{line}");
        for end in 0..4.min(pdu.len()) {
            assert!(matches!(x_data::pdu_len(&pdu[..end]), Ok(None | Some(_))));
        }
        read += 1;
    }
    assert_eq!(read, 31);
    assert_eq!(x_data::pdu_len(&[0x00, 0x05, 1, 2, 3]), Ok(Some(5)));
    assert_eq!(x_data::pdu_len(&[0x00, 0x81, 0x05]), Ok(Some(0x105)));
    assert_eq!(x_data::pdu_len(&[0x00, 0x81]), Ok(None));
    assert!(x_data::pdu_len(&[0x01, 0x05]).is_err());
    assert!(x_data::pdu_len(&[0x00, 0x01]).is_err());
    assert!(x_data::pdu_len(&[0x03, 0, 0, 3]).is_err());
}

const KEY: FrameKind = FrameKind {
    key: true,
    super_p: false,
    cached: true,
};

#[test]
fn the_basic_format_of_rtvideo() {
    let packets = |kind, headers, data, max| -> Vec<_> {
        rtvideo::packets(kind, headers, data, max)
            .unwrap()
            .map(|fragment| (hex::encode(bytes(&fragment)), fragment.marker))
            .collect()
    };
    let p = FrameKind::default();
    let sp = FrameKind {
        super_p: true,
        cached: true,
        ..p
    };
    let headers = [0, 0, 1, 0x0f];
    assert_eq!(
        packets(KEY, &headers, &[0xaa, 0xbb], 1200),
        [("5f040000010faabb".to_owned(), true)]
    );
    assert_eq!(
        packets(p, &headers, &[1, 2, 3, 4], 3),
        [("090102".to_owned(), false), ("180304".to_owned(), true)]
    );
    assert_eq!(packets(sp, &[], &[1], 1200), [("7901".to_owned(), true)]);
    assert!(rtvideo::packets(p, &[], &[], 1200).is_err());
    assert!(rtvideo::packets(KEY, &[0; 64], &[1], 1200).is_err());
    assert!(rtvideo::packets(KEY, &[0; 10], &[1], 12).is_err());
}

#[test]
fn frames_of_rtvideo() {
    let data: Vec<u8> = (0..3000_u32).map(|n| n as u8).collect();
    let headers = [1, 2, 3];
    let packets: Vec<_> = rtvideo::packets(KEY, &headers, &data, 1000)
        .unwrap()
        .map(|fragment| bytes(&fragment))
        .collect();
    assert_eq!(packets.len(), 4);
    let mut whole = headers.to_vec();
    whole.extend_from_slice(&data);
    for lost in [None, Some(0), Some(1), Some(3)] {
        let mut depacketizer = rtvideo::Depacketizer::new(1 << 20);
        let mut frames = 0;
        for (n, packet) in packets.iter().enumerate() {
            if lost == Some(n) {
                continue;
            }
            let sequence = 65_533_u16.wrapping_add(n as u16);
            if let Some(frame) = depacketizer.handle_packet(sequence, 90, packet).unwrap() {
                assert_eq!((frame.data, frame.kind), (&whole[..], KEY));
                frames += 1;
            }
        }
        assert_eq!(frames, usize::from(lost.is_none()), "{lost:?}");
    }
    let mut small = rtvideo::Depacketizer::new(100);
    let limit = small.handle_packet(0, 0, &packets[0]).map(|_| ());
    assert_eq!(limit, Err(Error::FrameTooLarge { limit: 100 }));
}

#[test]
fn the_extended_formats_of_rtvideo() {
    let extended = [0x99, 0x00, 7, 6, 0xaa];
    let payload = rtvideo::Payload::parse(&extended).unwrap().unwrap();
    let counters = payload.counters.unwrap();
    assert_eq!((counters.frame, counters.reference), (7, 6));
    assert_eq!(payload.data, [0xaa]);
    let extended_2 = [0x9f, 0x80, 7, 6, 0, 0, 0, 0, 2, 1, 2, 0xbb];
    let payload = rtvideo::Payload::parse(&extended_2).unwrap().unwrap();
    assert_eq!(
        (payload.codec_headers, payload.data),
        (&[1, 2][..], &[0xbb][..])
    );
    assert!(payload.first && payload.last && payload.kind.key);
    // FEC metadata.
    assert_eq!(
        rtvideo::Payload::parse(&[0x98, 0xc0, 7, 6, 0, 0, 0, 2, 0x19]),
        Ok(None)
    );
    // O is clear; headers past the end; nothing behind the headers.
    for bad in [
        &[0x51, 1][..],
        &[0x0b, 5, 1],
        &[0x0b, 1, 1],
        &[0x09],
        &[],
        &[0x99, 0x80, 7, 6, 0, 0],
    ] {
        assert!(rtvideo::Payload::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_table_of_codecs() {
    let types: Vec<_> = CODECS.iter().map(|codec| codec.payload_type).collect();
    assert!(types.is_sorted() && types.iter().all(|payload_type| *payload_type < 128));
    for (payload_type, name, clock_rate) in [
        (0, "PCMU", 8000),
        (9, "G722", 8000),
        (104, "SILK", 16_000),
        (114, "x-msrta", 16_000),
        (122, "X-H264UC", 90_000),
        (127, "x-data", 90_000),
    ] {
        let codec = Codec::of(payload_type).unwrap();
        assert_eq!((codec.name, codec.clock_rate), (name, clock_rate));
    }
    assert_eq!(Codec::of(117).unwrap().channels, 2);
    assert_eq!(Codec::of(1), None);
}
