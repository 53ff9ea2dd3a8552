//! What everything that is written has to survive, and everything that is read.

mod common;

use std::time::{Duration, Instant};

use common::everything::{read_all, read_payload, session};
use common::rewrite;
use ocs_rtp::packet::HeaderExtension;
use ocs_rtp::payload::h264;
use ocs_rtp::payload::h264::Depacketizer;
use ocs_rtp::rtcp::extension::{
    AudioHealer, BandwidthEstimate, CongestionNotification, EstimatedBandwidth, Modality,
    ModalityBandwidth, PacketLoss, PeerInfo, TrainPacket, VideoPreference,
};
use ocs_rtp::rtcp::{
    Compound, ExtendedPli, Extension, NtpTime, ReportBlock, RequestHeader, RtcpPacket, SenderInfo,
    VideoSourceEntry, Writer,
};
use ocs_rtp::{Ordered, Packet, PacketBuilder, Reorder};
use proptest::prelude::*;

#[test]
fn what_does_not_fit_is_not_written() {
    let mut out = vec![1, 2, 3];
    let builder = PacketBuilder::new(0, 0, 0, 1);
    assert!(builder.csrcs(&[0; 16]).write(&[], &mut out).is_err());
    assert!(
        PacketBuilder::new(128, 0, 0, 1)
            .write(&[], &mut out)
            .is_err()
    );
    let odd = HeaderExtension {
        profile: 0xBEDE,
        data: &[0; 5],
    };
    assert!(builder.extension(odd).write(&[], &mut out).is_err());
    let mut writer = Writer::new(&mut out);
    let block = ReportBlock::default();
    assert!(writer.receiver_report(1, [block; 32], []).is_err());
    assert!(
        writer
            .receiver_report(1, [], [Extension::Padding(0); 21])
            .is_err()
    );
    assert!(
        writer
            .receiver_report(1, [], [Extension::Padding(0xFFFF)])
            .is_err()
    );
    let odd = Extension::Unknown {
        extension_type: 99,
        info: &[0; 3],
    };
    assert!(writer.receiver_report(1, [], [odd]).is_err());
    assert!(writer.bye(&[1; 32], None).is_err());
    assert!(writer.bye(&[1], Some(&[0; 256])).is_err());
    let long = writer.source_description(|chunks| {
        chunks.chunk(1).item(1, &[0; 256])?;
        Ok(())
    });
    assert!(long.is_err());
    let many = writer.source_description(|chunks| {
        for ssrc in 0..300 {
            chunks.chunk(ssrc);
        }
        Ok(())
    });
    assert!(many.is_err());
    let header = RequestHeader {
        msi: 1,
        request_id: 1,
        key_frame: 0,
    };
    assert!(
        writer
            .video_source_request(1, 1, header, &[ENTRY; 21])
            .is_err()
    );
    assert!(
        writer
            .dominant_speaker_history(1, 1, &vec![0; 0x4000])
            .is_err()
    );
    assert_eq!(out, [1, 2, 3]);
}

const ENTRY: VideoSourceEntry = VideoSourceEntry {
    payload_type: 122,
    uc_config_mode: 1,
    flags: 3,
    aspect_ratios: 0x3f,
    max_width: 1,
    max_height: 2,
    min_bit_rate: 3,
    bit_rate_per_level: 4,
    bit_rate_histogram: [5; 10],
    frame_rates: 6,
    must_instances: 7,
    may_instances: 8,
    quality_histogram: [9; 8],
    max_pixels: 10,
};

fn extension() -> impl Strategy<Value = Extension<'static>> {
    let estimate = prop_oneof![
        (0..=i32::MAX as u32).prop_map(BandwidthEstimate::BitsPerSecond),
        Just(BandwidthEstimate::PairsPending),
        Just(BandwidthEstimate::TrainsPending),
        Just(BandwidthEstimate::TrainsWanted),
        Just(BandwidthEstimate::Other(-1)),
    ];
    prop_oneof![
        (any::<u32>(), estimate, proptest::option::of(0..16_u8)).prop_map(
            |(ssrc, bandwidth, confidence)| {
                Extension::EstimatedBandwidth(EstimatedBandwidth {
                    ssrc,
                    bandwidth,
                    confidence,
                })
            }
        ),
        any::<u16>().prop_map(|sequence| Extension::PacketLoss(PacketLoss { sequence })),
        any::<(u16, u16)>().prop_map(|(width, height)| Extension::VideoPreference(
            VideoPreference { width, height }
        )),
        (0..100_u16).prop_map(Extension::Padding),
        any::<u32>().prop_map(Extension::PolicyBandwidth),
        any::<u32>().prop_map(Extension::TurnBandwidth),
        any::<u32>().prop_map(Extension::ReceiverLimit),
        any::<(u32, u32, u32, u32, u32, u8, u8)>().prop_map(|(a, b, c, d, e, f, g)| {
            Extension::AudioHealer(AudioHealer {
                ssrc: a,
                concealed: b,
                stretched: c,
                compressed: d,
                total: e,
                quality_state: f,
                fec_distance: g,
            })
        }),
        (any::<(u32, bool, u16)>(), 0..128_u8, 0..128_u8).prop_map(
            |((ssrc, last, octets), index, count)| {
                Extension::TrainPacket(TrainPacket {
                    ssrc,
                    last,
                    index,
                    count,
                    octets,
                })
            }
        ),
        any::<(u32, u32, u32, bool)>().prop_map(|(ssrc, inbound, outbound, no_cache)| {
            Extension::PeerInfo(PeerInfo {
                ssrc,
                inbound,
                outbound,
                no_cache,
            })
        }),
        any::<(u64, u8)>().prop_map(|(ntp, info)| {
            Extension::Congestion(CongestionNotification {
                ntp: NtpTime(ntp),
                info,
            })
        }),
        any::<u32>().prop_map(|limit| {
            Extension::ModalityLimit(ModalityBandwidth {
                modality: Modality::Video,
                limit,
            })
        }),
        Just(Extension::Unknown {
            extension_type: 3,
            info: &[1, 2, 3, 4]
        }),
    ]
}

fn block() -> impl Strategy<Value = ReportBlock> {
    (
        any::<(u32, u8, u32, u32, u32, u32)>(),
        -0x80_0000..=0x7F_FFFF_i32,
    )
        .prop_map(|((a, b, c, d, e, f), cumulative_lost)| ReportBlock {
            ssrc: a,
            fraction_lost: b,
            cumulative_lost,
            highest_sequence: c,
            jitter: d,
            last_sr: e,
            delay_since_last_sr: f,
        })
}

proptest! {
    #[test]
    fn packets_come_back(
        payload_type in 0..128_u8,
        marker: bool,
        numbers: (u16, u32, u32),
        csrcs in proptest::collection::vec(any::<u32>(), 0..16),
        extension in proptest::option::of((any::<u16>(), 0..20_usize)),
        padding: u8,
        payload in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let (sequence, timestamp, ssrc) = numbers;
        let data = [7; 80];
        let mut builder = PacketBuilder::new(payload_type, sequence, timestamp, ssrc)
            .marker(marker)
            .csrcs(&csrcs)
            .padding(padding);
        let extension = extension.map(|(profile, words)| HeaderExtension { profile, data: &data[..words * 4] });
        if let Some(extension) = extension {
            builder = builder.extension(extension);
        }
        let mut out = Vec::new();
        builder.write(&payload, &mut out).unwrap();
        let packet = Packet::parse(&out).unwrap();
        prop_assert_eq!(packet.payload_type(), payload_type);
        prop_assert_eq!(packet.marker(), marker);
        prop_assert_eq!((packet.sequence(), packet.timestamp(), packet.ssrc()), numbers);
        prop_assert!(packet.csrcs().eq(csrcs.iter().copied()));
        prop_assert_eq!(packet.extension(), extension);
        prop_assert_eq!(packet.padding(), padding);
        prop_assert_eq!(packet.payload(), payload);
    }

    #[test]
    fn reports_come_back(
        ssrc: u32,
        info: (u64, u32, u32, u32),
        blocks in proptest::collection::vec(block(), 0..32),
        extensions in proptest::collection::vec(extension(), 0..21),
    ) {
        let info = SenderInfo { ntp: NtpTime(info.0), rtp_timestamp: info.1, packet_count: info.2, octet_count: info.3 };
        let mut out = Vec::new();
        Writer::new(&mut out)
            .sender_report(ssrc, &info, blocks.iter().copied(), extensions.iter().copied())
            .unwrap()
            .receiver_report(ssrc, blocks.iter().copied(), extensions.iter().copied())
            .unwrap();
        let packets: Vec<_> = Compound::parse(&out).unwrap().packets().collect();
        let [Ok(RtcpPacket::SenderReport(sender)), Ok(RtcpPacket::ReceiverReport(receiver))] = packets[..] else {
            panic!("{packets:?}");
        };
        prop_assert_eq!(sender.info(), info);
        prop_assert!(sender.blocks().eq(blocks.iter().copied()));
        prop_assert!(sender.extensions().eq(extensions.iter().copied().map(Ok)));
        prop_assert_eq!((receiver.ssrc(), sender.ssrc()), (ssrc, ssrc));
        prop_assert!(receiver.blocks().eq(blocks.iter().copied()));
        prop_assert!(receiver.extensions().eq(extensions.iter().copied().map(Ok)));
        prop_assert_eq!(rewrite(&out).unwrap(), out);
    }

    #[test]
    fn feedback_comes_back(
        ids: (u32, u32, u16, u64),
        entries in 0..=20_usize,
        msis in proptest::collection::vec(any::<u32>(), 0..300),
    ) {
        let mut out = Vec::new();
        let header = RequestHeader { msi: ids.0, request_id: ids.2, key_frame: 0x80 };
        Writer::new(&mut out)
            .pli(ids.0, ids.1).unwrap()
            .extended_pli(ids.0, ids.1, ExtendedPli { request_id: ids.2, priorities: ids.3 }).unwrap()
            .video_source_request(ids.0, ids.1, header, &[ENTRY; 20][..entries]).unwrap()
            .dominant_speaker_history(ids.0, ids.1, &msis).unwrap();
        prop_assert_eq!(rewrite(&out).unwrap(), out);
    }

    #[test]
    fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&octets);
        read_payload(&octets);
        let _ = Packet::parse(&octets).map(|packet| packet.extension().map(|e| e.elements().count()));
    }

    /// Octets that look like RTCP, to reach what is behind the header; a session survives them and still works.
    #[test]
    fn any_rtcp(
        packets in proptest::collection::vec((0x80..=0xBF_u8, 200..=207_u8, proptest::collection::vec(any::<u8>(), 0..60)), 1..5),
    ) {
        let mut octets = Vec::new();
        for (first, packet_type, mut body) in packets {
            body.resize(body.len().next_multiple_of(4), 0);
            octets.extend_from_slice(&[first, packet_type, 0, (body.len() / 4) as u8]);
            octets.extend_from_slice(&body);
        }
        read_all(&octets);
        let now = Instant::now();
        let mut session = session(now);
        let _ = session.handle_datagram(now, &octets, octets.len());
        session.handle_timeout(now + Duration::from_secs(9));
        while let Some(packet) = session.poll_transmit() {
            prop_assert!(Compound::parse(packet).is_ok());
        }
    }

    #[test]
    fn streams_are_never_given_out_in_disorder(order in proptest::collection::vec(0..60_u16, 0..200)) {
        let now = Instant::now();
        let mut reorder = Reorder::new(Duration::from_millis(20), 16);
        let mut next = None;
        for (at, &sequence) in order.iter().enumerate() {
            let now = now + Duration::from_millis(at as u64 * 5);
            reorder.push(now, sequence, sequence);
            while let Some(out) = reorder.pop(now) {
                let (first, count) = match out {
                    Ordered::Packet { sequence, packet } => {
                        prop_assert_eq!(sequence, packet);
                        (sequence, 1)
                    }
                    Ordered::Lost { first, count } => (first, count),
                };
                prop_assert!(next.is_none_or(|next| next == first));
                next = Some(first.wrapping_add(count));
            }
            prop_assert!(reorder.len() < 16);
        }
    }

    /// Whatever is lost, a unit that comes out of a depacketizer is one that went in.
    #[test]
    fn units_come_out_whole_or_not(
        lens in proptest::collection::vec(2..3000_usize, 1..6),
        lost in proptest::collection::vec(any::<bool>(), 64),
        aggregate: bool,
    ) {
        let units: Vec<_> = lens.iter().enumerate().map(|(at, &len)| vec![0x41 + at as u8 % 2 * 4; len]).collect();
        let slices: Vec<_> = units.iter().map(Vec::as_slice).collect();
        let config = h264::Config { max_payload: 300, aggregate };
        let mut packetizer = h264::Packetizer::new(config, 0, 0).unwrap();
        let unit = h264::AccessUnit { units: &slices, fields: h264::PacsiFields::default(), layout: &[], update: None };
        let mut depacketizer = Depacketizer::new(h264::Limits::default());
        let mut any_lost = false;
        for (at, fragment) in packetizer.packets(&unit).unwrap().enumerate() {
            let mut payload = Vec::new();
            fragment.write(&mut payload);
            prop_assert!(payload.len() <= 300);
            if lost[at % 64] && !fragment.marker {
                any_lost = true;
            } else {
                depacketizer.handle_packet(at as u16, 0, fragment.marker, &payload).unwrap();
            }
        }
        if let Some(frame) = depacketizer.poll_frame() {
            let out: Vec<_> = h264::annex_b(frame.annex_b).collect();
            prop_assert!(out.iter().all(|unit| slices.contains(unit)));
            if !any_lost {
                prop_assert_eq!(out, slices);
            }
        }
    }

    #[test]
    fn slices_of_annex_b(units in proptest::collection::vec(proptest::collection::vec(1..=255_u8, 1..50), 1..6), long: bool) {
        let mut stream = Vec::new();
        for unit in &units {
            stream.extend_from_slice(if long { &[0, 0, 0, 1] } else { &[0, 0, 1] });
            stream.extend_from_slice(unit);
        }
        prop_assert!(h264::annex_b(&stream).eq(units.iter().map(Vec::as_slice)));
    }
}
