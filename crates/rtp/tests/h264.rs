//! X-H264UC: known NAL units, pictures of x264, and what Wireshark and SIPE make of it.

mod common;

use common::{vector, vectors};
use ocs_rtp::payload::h264::{
    AccessUnit, BitstreamInfo, Config, CropWindow, CroppingInfo, Depacketizer, LayerDescription,
    LayerPresence, Limits, NalHeader, Packetizer, Pacsi, PacsiFields, PictureIds, Sei,
    StreamLayout, annex_b, nal_type,
};
use ocs_rtp::{Error, Packet, PacketBuilder};
use serde_json::Value;

const VECTORS: &str = include_str!("data/h264pf_vectors.json");
const SEEN: &str = include_str!("data/wireshark-h264.json");
const X264: &str = include_str!("data/h264-x264.json");

/// The layer that SIPE describes.
const SIPE_LAYER: LayerDescription = LayerDescription {
    coded_width: 212,
    coded_height: 160,
    display_width: 212,
    display_height: 160,
    bit_rate: 50_250,
    frame_rate: 0,
    layer_type: 0,
    priority: 0,
    constrained_baseline: true,
};

fn layout(unit: &[u8]) -> StreamLayout<'_> {
    match Sei::parse(unit) {
        Ok(Some(Sei::StreamLayout(layout))) => layout,
        other => panic!("no layout: {other:?}"),
    }
}

#[test]
fn captured_messages() {
    // The capture ends behind the first of two descriptions.
    let mut cut = vector(VECTORS, "stream_layout_captured_sfb");
    assert!(matches!(
        Sei::parse(&cut),
        Err(Error::Payload { len: 45, .. })
    ));
    cut.resize(61, 0);
    let layout = layout(&cut);
    assert!(layout.is_full());
    assert_eq!(layout.presence, LayerPresence(3));
    assert_eq!(layout.descriptions().count(), 2);
    let first = layout.descriptions().next().unwrap();
    assert_eq!((first.coded_width, first.coded_height), (320, 180));
    assert_eq!(first.bit_rate, 56_001);

    let info = vector(VECTORS, "bitstream_info_captured_sfb");
    let expected = BitstreamInfo {
        reference_frames: 1,
        nal_units: 1,
    };
    assert_eq!(Sei::parse(&info), Ok(Some(Sei::BitstreamInfo(expected))));
    let mut out = Vec::new();
    expected.write(&mut out);
    assert_eq!(out, info);

    let header = vector(VECTORS, "pacsi_header_captured_sfb");
    let expected = PacsiFields {
        idr: true,
        discardable: true,
        ..PacsiFields::default()
    };
    assert_eq!(Pacsi::parse(&header).unwrap().fields, expected);
    out.clear();
    expected.write(&mut out);
    assert_eq!(out, header);
}

#[test]
fn the_pacsi_of_sipe() {
    let octets = vector(VECTORS, "pacsi_as_sipe");
    let with_length = hex::decode(include_str!("data/sipe-pacsi.hex").trim()).unwrap();
    assert_eq!(with_length[4..], octets);
    let pacsi = Pacsi::parse(&octets).unwrap();
    let expected = PacsiFields {
        idr: true,
        donc: Some(1),
        ..PacsiFields::default()
    };
    assert_eq!(pacsi.fields, expected);
    let messages: Vec<_> = pacsi.messages().collect();
    let [Sei::StreamLayout(layout), Sei::BitstreamInfo(info)] = messages[..] else {
        panic!("{messages:?}");
    };
    assert!(layout.descriptions().eq([SIPE_LAYER]));
    assert_eq!(SIPE_LAYER.tenths_of_frames_per_second(), Some(75));
    assert_eq!((info.reference_frames, info.nal_units), (1, 3));
    // The same from our writer.
    let mut out = Vec::new();
    pacsi.fields.write(&mut out);
    PacsiFields::put_unit(&mut out, |out| {
        StreamLayout::write_full(&[SIPE_LAYER], out).unwrap();
    });
    PacsiFields::put_unit(&mut out, |out| info.write(out));
    assert_eq!(hex::encode(out), hex::encode(octets));
}

#[test]
fn layouts() {
    let octets = vector(VECTORS, "stream_layout_two_layers_7dot5_not_15_30");
    let two = layout(&octets);
    let layers: Vec<_> = two.descriptions().collect();
    assert_eq!(layers.len(), 2);
    assert_eq!((layers[0].priority, layers[1].priority), (0, 1));
    let mut out = Vec::new();
    StreamLayout::write_full(&layers, &mut out).unwrap();
    assert_eq!(hex::encode(&out), hex::encode(&octets));

    let octets = vector(VECTORS, "stream_layout_update_prid0_only");
    let update = layout(&octets);
    assert!(!update.is_full() && update.presence.has(0) && !update.presence.has(1));
    out.clear();
    StreamLayout::write_update(LayerPresence(1), &mut out);
    assert_eq!(out, octets);

    // The size in more than one octet.
    for count in [14, 15, 30, 64] {
        let layers: Vec<_> = (0..count)
            .map(|priority| LayerDescription {
                priority,
                ..SIPE_LAYER
            })
            .collect();
        out.clear();
        StreamLayout::write_full(&layers, &mut out).unwrap();
        if count == 15 {
            assert_eq!(hex::encode(&out[..4]), "0605ff0b");
        }
        assert!(
            layout(&out).descriptions().eq(layers.iter().copied()),
            "{count}"
        );
        for end in 0..out.len() {
            assert!(
                !matches!(Sei::parse(&out[..end]), Ok(Some(_))),
                "{count} {end}"
            );
        }
    }
    assert!(StreamLayout::write_full(&[], &mut out).is_err());
}

/// All values of a field that Wireshark shows.
fn seen(entry: &Value, field: &str) -> Vec<u64> {
    let fields = entry["wireshark"].as_array().expect("fields");
    let of_field = fields.iter().filter(|seen| seen[2] == field);
    let texts = of_field.map(|seen| seen[3].as_str().expect("text").to_owned());
    texts
        .map(|text| match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
            None => text.parse().unwrap(),
        })
        .collect()
}

#[test]
fn pacsi_as_wireshark_reads_it() {
    let mut read = 0;
    for (name, octets, entry) in vectors(SEEN) {
        let payload = Packet::parse(&octets).unwrap().payload();
        if NalHeader(payload[0]).kind() != nal_type::PACSI {
            continue;
        }
        let pacsi = Pacsi::parse(payload).unwrap();
        let check = |field: &str, values: &[u64]| {
            assert_eq!(values, seen(&entry, field), "{name}: {field}");
        };
        let fields = pacsi.fields;
        check("h264.nal_hdr_ext.i", &[u64::from(fields.idr)]);
        check("h264.nal_hdr_ext.prid", &[u64::from(fields.priority)]);
        check("h264.nal_hdr_ext.n", &[u64::from(fields.no_inter_layer)]);
        check("h264.nal_hdr_ext.did", &[u64::from(fields.dependency)]);
        check("h264.nal_hdr_ext.qid", &[u64::from(fields.quality)]);
        check("h264.nal_hdr_ext.tid", &[u64::from(fields.temporal)]);
        check("h264.nal_hdr_ext.d", &[u64::from(fields.discardable)]);
        check("h264.nal_hdr_ext.o", &[u64::from(fields.output)]);
        check("h264.pacsi.s", &[u64::from(fields.start)]);
        check("h264.pacsi.e", &[u64::from(fields.end)]);
        check("h264.pacsi.donc", &[u64::from(fields.donc.unwrap())]);
        let ids = fields.picture_ids;
        check(
            "h264.pacsi.tl0picidx",
            &ids.map(|ids| u64::from(ids.tl0_pic_idx))
                .into_iter()
                .collect::<Vec<_>>(),
        );
        let ids = ids.map(|PictureIds { idr_pic_id, .. }| u64::from(idr_pic_id));
        check("h264.pacsi.idrpicid", &ids.into_iter().collect::<Vec<_>>());

        // The same octets from our writers, but for the two octets that SIPE leaves as they are.
        let mut out = Vec::new();
        fields.write(&mut out);
        for message in pacsi.messages() {
            PacsiFields::put_unit(&mut out, |out| write_message(message, out));
        }
        let payload = hex::encode(payload).replace("0002eeee", "00020000");
        assert_eq!(hex::encode(out), payload, "{name}");
        read += 1;
    }
    assert_eq!(read, 6);
}

fn write_message(message: Sei<'_>, out: &mut Vec<u8>) {
    match message {
        Sei::StreamLayout(layout) if layout.is_full() => {
            let layers: Vec<_> = layout.descriptions().collect();
            StreamLayout::write_full(&layers, out).unwrap();
        }
        Sei::StreamLayout(layout) => StreamLayout::write_update(layout.presence, out),
        Sei::CroppingInfo(info) => {
            let windows: Vec<_> = info.windows().collect();
            CroppingInfo::write(info.info_type, &windows, out).unwrap();
        }
        Sei::BitstreamInfo(info) => info.write(out),
        _ => panic!("unknown"),
    }
}

#[test]
fn cropping() {
    let octets = vector(SEEN, "sei crop 2");
    let unit = Packet::parse(&octets).unwrap().payload();
    let Ok(Some(Sei::CroppingInfo(info))) = Sei::parse(unit) else {
        panic!("no cropping");
    };
    let window = |confidence, left, right, top, bottom| CropWindow {
        confidence,
        left,
        right,
        top,
        bottom,
    };
    assert_eq!(info.info_type, 2);
    assert!(
        info.windows()
            .eq([window(5, 10, 20, 30, 40), window(6, 11, 21, 31, 41)])
    );
    let mut out = Vec::new();
    write_message(Sei::CroppingInfo(info), &mut out);
    assert_eq!(out, unit);
}

#[test]
fn units_as_wireshark_saw_them_make_a_picture() {
    let mut depacketizer = Depacketizer::new(Limits::default());
    let names = ["stap-a pacsi+sps+pps", "fu-a start", "fu-a mid", "fu-a end"];
    for name in names {
        let octets = vector(SEEN, name);
        let packet = Packet::parse(&octets).unwrap();
        depacketizer
            .handle_packet(
                packet.sequence(),
                packet.timestamp(),
                packet.marker(),
                packet.payload(),
            )
            .unwrap();
    }
    let frame = depacketizer.poll_frame().unwrap();
    assert!(!frame.damaged);
    assert_eq!(frame.info.unwrap().nal_units, 2);
    let units: Vec<_> = annex_b(frame.annex_b).collect();
    assert_eq!(units.len(), 3);
    assert_eq!(hex::encode(units[0]), "6742c01ee901406c80");
    assert_eq!((units[2][0], units[2].len()), (0x65, 202));
    assert!(depacketizer.poll_frame().is_none());
}

struct Picture {
    annex_b: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

fn pictures() -> Vec<Picture> {
    let json: Value = serde_json::from_str(X264).expect("json");
    let decode = |text: &Value| hex::decode(text.as_str().expect("text")).expect("hex");
    let units = json["access_units"].as_array().expect("a list");
    units
        .iter()
        .map(|unit| Picture {
            annex_b: decode(&unit["access_unit_annexb"]),
            packets: unit["rtp"]
                .as_array()
                .expect("a list")
                .iter()
                .map(decode)
                .collect(),
        })
        .collect()
}

#[test]
fn pictures_of_x264_come_out_of_their_packets() {
    let mut depacketizer = Depacketizer::new(Limits::default());
    for picture in pictures() {
        for octets in &picture.packets {
            let packet = Packet::parse(octets).unwrap();
            depacketizer
                .handle_packet(
                    packet.sequence(),
                    packet.timestamp(),
                    packet.marker(),
                    packet.payload(),
                )
                .unwrap();
        }
        let frame = depacketizer.poll_frame().expect("a frame");
        assert!(!frame.damaged && !frame.reference_lost);
        assert!(frame.pacsi.is_some());
        assert!(annex_b(frame.annex_b).eq(annex_b(&picture.annex_b)));
    }
}

/// The packets of the sample are those of our packetizer, but for what the PACSI says.
#[test]
fn pictures_of_x264_go_into_the_same_packets() {
    for picture in pictures() {
        let units: Vec<_> = annex_b(&picture.annex_b).collect();
        let config = Config {
            max_payload: 128,
            aggregate: false,
        };
        let mut packetizer = Packetizer::new(config, 0, 0).unwrap();
        let unit = AccessUnit {
            units: &units,
            fields: PacsiFields::default(),
            layout: &[],
            update: None,
        };
        let mut markers = Vec::new();
        let mut depacketizer = Depacketizer::new(Limits::default());
        for (at, fragment) in packetizer.packets(&unit).unwrap().enumerate() {
            let mut payload = Vec::new();
            fragment.write(&mut payload);
            assert!(payload.len() <= 128);
            markers.push(fragment.marker);
            depacketizer
                .handle_packet(at as u16, 0, fragment.marker, &payload)
                .unwrap();
        }
        assert_eq!(markers.iter().filter(|&&marker| marker).count(), 1);
        assert_eq!(markers.last(), Some(&true));
        let frame = depacketizer.poll_frame().expect("a frame");
        assert!(annex_b(frame.annex_b).eq(units.iter().copied()));
        assert_eq!(usize::from(frame.info.unwrap().nal_units), units.len());
    }
    // Unit by unit the fragments of the sample, whose payloads have at most 60 octets.
    let picture = &pictures()[0];
    let slice = annex_b(&picture.annex_b).last().unwrap();
    let mut at = 1;
    let fragments: Vec<_> = picture
        .packets
        .iter()
        .map(|octets| Packet::parse(octets).unwrap().payload())
        .filter(|payload| NalHeader(payload[0]).kind() == nal_type::FU_A)
        .collect();
    for fragment in fragments {
        let len = fragment.len() - 2;
        assert_eq!(fragment[2..], slice[at..at + len]);
        at += len;
    }
    assert_eq!(at, slice.len());
}

fn send(packetizer: &mut Packetizer, units: &[&[u8]], layout: &[LayerDescription]) -> Vec<Vec<u8>> {
    let unit = AccessUnit {
        units,
        fields: PacsiFields::default(),
        layout,
        update: None,
    };
    packetizer
        .packets(&unit)
        .unwrap()
        .map(|fragment| {
            let mut out = Vec::new();
            PacketBuilder::new(122, 0, 0, 1)
                .marker(fragment.marker)
                .write_with(&mut out, |out| fragment.write(out))
                .unwrap();
            out
        })
        .collect()
}

const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1e, 1];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];

#[test]
fn small_units_share_a_packet() {
    let config = Config {
        max_payload: 200,
        aggregate: true,
    };
    let mut packetizer = Packetizer::new(config, 7, 9).unwrap();
    let slice = [0x65; 500];
    let packets = send(&mut packetizer, &[SPS, PPS, &slice], &[SIPE_LAYER]);
    let kinds: Vec<_> = packets
        .iter()
        .map(|octets| NalHeader(Packet::parse(octets).unwrap().payload()[0]).kind())
        .collect();
    assert_eq!(
        kinds,
        [
            nal_type::STAP_A,
            nal_type::FU_A,
            nal_type::FU_A,
            nal_type::FU_A
        ]
    );
    let mut depacketizer = Depacketizer::new(Limits::default());
    for (at, octets) in packets.iter().enumerate() {
        let packet = Packet::parse(octets).unwrap();
        depacketizer
            .handle_packet(at as u16, 0, packet.marker(), packet.payload())
            .unwrap();
    }
    let frame = depacketizer.poll_frame().unwrap();
    assert!(annex_b(frame.annex_b).eq([SPS, PPS, &slice]));
    assert_eq!(frame.layout, [SIPE_LAYER]);
    assert_eq!(frame.presence, Some(LayerPresence(1)));
    let fields = frame.pacsi.unwrap();
    assert_eq!(
        (fields.donc, fields.idr, fields.reference),
        (Some(7), true, 3)
    );
    assert_eq!(frame.info.unwrap().reference_frames, 9);
}

#[test]
fn losses_are_seen() {
    let mut packetizer = Packetizer::new(Config::default(), 0, 250).unwrap();
    let mut frames = Vec::new();
    for n in 0..12_u8 {
        let unit = vec![if n == 0 { 0x65 } else { 0x61 }; 3000];
        frames.push(send(&mut packetizer, &[&unit], &[]));
    }
    // A whole frame is lost: the count of reference frames tells, and so do the sequence numbers.
    let mut depacketizer = Depacketizer::new(Limits::default());
    let mut sequence = 0_u16;
    let mut seen = Vec::new();
    for (n, packets) in frames.iter().enumerate() {
        for octets in packets {
            let packet = Packet::parse(octets).unwrap();
            if n != 5 {
                let timestamp = n as u32 * 3000;
                depacketizer
                    .handle_packet(sequence, timestamp, packet.marker(), packet.payload())
                    .unwrap();
            }
            sequence += 1;
        }
        while let Some(frame) = depacketizer.poll_frame() {
            seen.push((frame.timestamp / 3000, frame.damaged, frame.reference_lost));
        }
    }
    let lost: Vec<_> = seen.iter().filter(|(_, damaged, _)| *damaged).collect();
    assert_eq!(lost, [&(6, true, true)]);
    assert_eq!(seen.len(), 11);

    // Every packet of a frame, lost alone: the unit is never given out in part.
    for lost in 0..frames[0].len() {
        let mut depacketizer = Depacketizer::new(Limits::default());
        for (at, octets) in frames[0].iter().enumerate() {
            let packet = Packet::parse(octets).unwrap();
            if at != lost {
                depacketizer
                    .handle_packet(at as u16, 0, packet.marker(), packet.payload())
                    .unwrap();
            }
        }
        // The next frame ends one whose marker is lost.
        let packet = Packet::parse(&frames[1][0]).unwrap();
        depacketizer
            .handle_packet(frames[0].len() as u16, 1, false, packet.payload())
            .unwrap();
        let frame = depacketizer.poll_frame().unwrap();
        let whole = annex_b(frame.annex_b).any(|unit| unit.len() == 3000);
        assert_eq!(whole, lost == 0, "{lost}");
        assert_eq!(frame.damaged, lost != 0);
    }
}

#[test]
fn a_loss_across_the_border_of_two_frames() {
    let mut packetizer = Packetizer::new(Config::default(), 0, 250).unwrap();
    let mut frames = Vec::new();
    for _ in 0..3 {
        frames.push(send(&mut packetizer, &[&[0x61; 3000]], &[]));
    }
    let (len, last) = (frames[0].len(), frames[0].len() - 1);
    // What is lost, and which frames tell so.
    for (lost, damaged) in [
        (vec![], [false, false, false]),
        (vec![last], [true, false, false]),
        (vec![last, len], [true, true, false]),
        (vec![len], [false, true, false]),
        (vec![last - 1, last, len], [true, true, false]),
    ] {
        let mut depacketizer = Depacketizer::new(Limits::default());
        let mut seen = Vec::new();
        for (at, octets) in frames.iter().flatten().enumerate() {
            if lost.contains(&at) {
                continue;
            }
            let packet = Packet::parse(octets).unwrap();
            depacketizer
                .handle_packet(
                    at as u16,
                    (at / len) as u32,
                    packet.marker(),
                    packet.payload(),
                )
                .unwrap();
            while let Some(frame) = depacketizer.poll_frame() {
                seen.push(frame.damaged);
            }
        }
        assert_eq!(seen, damaged, "{lost:?}");
    }
}

#[test]
fn a_pacsi_that_cannot_be_read_costs_no_slice() {
    // As a Teams client writes it: without the flags, sizes and DONC.
    let pacsi = [0x7e, 0xc0, 0x80, 0x07];
    let slice = [0x65; 50];
    // A message of this profile that is cut.
    let message = [0x06, 0x05, 0x20, 0x13, 0x9F];
    let mut aggregate = vec![0x78];
    for unit in [&pacsi[..], &message, &slice] {
        aggregate.extend_from_slice(&(unit.len() as u16).to_be_bytes());
        aggregate.extend_from_slice(unit);
    }
    for payloads in [vec![&aggregate[..]], vec![&pacsi, &message, &slice]] {
        let mut depacketizer = Depacketizer::new(Limits::default());
        for (at, payload) in payloads.iter().enumerate() {
            let taken = depacketizer.handle_packet(at as u16, 0, at + 1 == payloads.len(), payload);
            assert_eq!(taken.is_ok(), payload[0] == slice[0]);
        }
        let frame = depacketizer.poll_frame().unwrap();
        assert!(annex_b(frame.annex_b).eq([&slice[..]]));
        assert!(!frame.damaged && frame.pacsi.is_none());
    }
    // One that may not be there does not cost those behind it, either.
    let mut aggregate = vec![0x78, 0, 1, 0x1f, 0, 50];
    aggregate.extend_from_slice(&slice);
    let mut depacketizer = Depacketizer::new(Limits::default());
    assert!(depacketizer.handle_packet(0, 0, true, &aggregate).is_err());
    let frame = depacketizer.poll_frame().unwrap();
    assert!(frame.damaged && annex_b(frame.annex_b).eq([&slice[..]]));
}

#[test]
fn layers_of_one_picture_are_numbered_together() {
    let mut layers = [0, 1].map(|n| Packetizer::new(Config::default(), 9, n).unwrap());
    let mut numbers = Vec::new();
    let mut next = 65_535_u16;
    for _ in 0..2 {
        for packetizer in &mut layers {
            packetizer.set_donc(next);
            next = next.wrapping_add(1);
            let packets = send(packetizer, &[&[0x61; 10]], &[]);
            let packet = Packet::parse(&packets[0]).unwrap();
            numbers.extend(Pacsi::parse(packet.payload()).unwrap().fields.donc);
        }
    }
    assert_eq!(numbers, [65_535, 0, 1, 2]);
    let twice = StreamLayout::write_full(&[SIPE_LAYER, SIPE_LAYER], &mut Vec::new());
    assert!(matches!(twice, Err(Error::OutOfRange { .. })));
}

#[test]
fn what_is_not_used_is_refused() {
    let mut depacketizer = Depacketizer::new(Limits::default());
    for kind in [0, 25, 26, 27, 29, 31] {
        let error = depacketizer.handle_packet(0, 0, false, &[kind, 1, 2, 3]);
        assert!(matches!(error, Err(Error::PayloadType { kind: k, .. }) if k == kind));
        depacketizer = Depacketizer::new(Limits::default());
    }
    for bad in [
        &[][..],
        &[0x80 | 1, 2],       // F
        &[24, 0, 5, 1],       // past the end
        &[24, 0, 0],          // an empty unit
        &[28],                // no header
        &[28, 0x85],          // no data
        &[28, 0x9c, 1],       // a fragment of fragments
        &[30, 0x80, 0x80],    // a short PACSI
        &[6, 5, 40, 1, 2, 3], // a message past the end
    ] {
        let mut depacketizer = Depacketizer::new(Limits::default());
        assert!(
            depacketizer.handle_packet(0, 0, true, bad).is_err(),
            "{bad:?}"
        );
        assert!(depacketizer.poll_frame().is_none());
    }
    let mut packetizer = Packetizer::new(Config::default(), 0, 0).unwrap();
    for units in [
        &[][..],
        &[&[][..]],
        &[&[0x80 | 1][..]],
        &[&[30, 1][..]],
        &[&[0][..]],
    ] {
        let unit = AccessUnit {
            units,
            fields: PacsiFields::default(),
            layout: &[],
            update: None,
        };
        assert!(packetizer.packets(&unit).is_err());
    }
}

#[test]
fn a_frame_has_a_limit() {
    let limits = Limits {
        max_frame: 10_000,
        max_ready: 2,
    };
    let mut depacketizer = Depacketizer::new(limits);
    let mut packet = vec![0x41; 1200];
    packet[..2].copy_from_slice(&[0x7c, 0x85]);
    let mut refused = 0;
    for sequence in 0..100 {
        let result = depacketizer.handle_packet(sequence, 0, false, &packet);
        packet[1] = 0x05;
        refused += usize::from(result == Err(Error::FrameTooLarge { limit: 10_000 }));
    }
    assert_eq!(refused, 1, "what follows belongs to no unit");
    for sequence in 100..200 {
        depacketizer
            .handle_packet(sequence, u32::from(sequence), true, &[0x41, 1])
            .unwrap();
    }
    assert_eq!(
        std::iter::from_fn(|| depacketizer.poll_frame().map(|_| ())).count(),
        2
    );
}
