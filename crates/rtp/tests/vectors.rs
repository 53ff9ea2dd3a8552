//! RTP and RTCP packets whose values are known, and those that Wireshark read.

mod common;

use common::{rewrite, vector, vectors};
use ocs_rtp::rtcp::extension::{
    AudioHealer, BandwidthEstimate, BitOrder, CongestionInfo, EstimatedBandwidth, Modality,
    ModalityBandwidth, PacketLoss, PeerInfo, TrainPacket, VideoPreference,
};
use ocs_rtp::rtcp::{
    Compound, ExtendedPli, Extension, Feedback, FeedbackMessage, MediaQuality, NtpTime, Quality,
    ReportBlock, RtcpPacket, SOURCE_ANY, SOURCE_NONE, SenderInfo, SourceDescription, Writer, item,
};
use ocs_rtp::{Error, Kind, Packet, PacketBuilder};
use serde_json::Value;

const RTCP: &str = include_str!("data/rtcp_vectors.json");
const SEEN_RTCP: &str = include_str!("data/wireshark-rtcp.json");
const SEEN_RTP: &str = include_str!("data/wireshark-rtp.json");

/// The block of all reports of the vectors.
const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0x5566_7788,
    fraction_lost: 0,
    cumulative_lost: 0,
    highest_sequence: 0x0001_000a,
    jitter: 5,
    last_sr: 0x1234_5678,
    delay_since_last_sr: 0x0001_0000,
};

fn extensions(octets: &[u8]) -> Vec<Result<Extension<'_>, Error>> {
    match Compound::parse(octets).unwrap().packets().next() {
        Some(Ok(RtcpPacket::ReceiverReport(report))) => report.extensions().collect(),
        Some(Ok(RtcpPacket::SenderReport(report))) => report.extensions().collect(),
        other => panic!("no report: {other:?}"),
    }
}

fn feedback(octets: &[u8]) -> Feedback<'_> {
    match Compound::parse(octets).unwrap().packets().last() {
        Some(Ok(RtcpPacket::Feedback(feedback))) => feedback,
        other => panic!("no feedback: {other:?}"),
    }
}

fn description(octets: &[u8]) -> SourceDescription<'_> {
    let mut packets = Compound::parse(octets).unwrap().packets();
    packets
        .find_map(|packet| match packet {
            Ok(RtcpPacket::SourceDescription(description)) => Some(description),
            _ => None,
        })
        .expect("SDES")
}

#[test]
fn every_vector_is_written_as_it_was_read() {
    for (name, octets, _) in vectors(RTCP) {
        if name.starts_with("rtp_") {
            assert_eq!(Kind::of(&octets), Some(Kind::Rtp));
            continue;
        }
        assert_eq!(Kind::of(&octets), Some(Kind::Rtcp), "{name}");
        let again = rewrite(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hex::encode(again), hex::encode(&octets), "{name}");
    }
}

#[test]
fn probe() {
    let octets = vector(RTCP, "probe_sr");
    let compound = Compound::parse(&octets).unwrap();
    assert!(compound.is_probe());
    let Some(Ok(RtcpPacket::SenderReport(report))) = compound.packets().next() else {
        panic!("no SR");
    };
    assert_eq!(report.ssrc(), 0x1122_3344);
    let info = SenderInfo {
        ntp: NtpTime(0xe000_0000_8000_0000),
        rtp_timestamp: 1600,
        packet_count: 10,
        octet_count: 1600,
    };
    assert_eq!(report.info(), info);
    let octets = vector(RTCP, "rr_estbw_12_pending");
    assert!(!Compound::parse(&octets).unwrap().is_probe());
}

#[test]
fn report_blocks_and_bandwidth_estimates() {
    let estimate = |bandwidth, confidence| {
        Extension::EstimatedBandwidth(EstimatedBandwidth {
            ssrc: 0x5566_7788,
            bandwidth,
            confidence,
        })
    };
    let cases = [
        (
            "rr_estbw_12_pending",
            estimate(BandwidthEstimate::PairsPending, None),
        ),
        (
            "rr_estbw_16_1500kbps_conf9",
            estimate(BandwidthEstimate::BitsPerSecond(1_500_000), Some(9)),
        ),
        (
            "rr_estbw_want_train",
            estimate(BandwidthEstimate::TrainsWanted, Some(0)),
        ),
        (
            "rr_packet_loss_seq_0x1234",
            Extension::PacketLoss(PacketLoss { sequence: 0x1234 }),
        ),
        (
            "rr_video_preference_640x480",
            Extension::VideoPreference(VideoPreference {
                width: 640,
                height: 480,
            }),
        ),
        (
            "rr_audio_healer",
            Extension::AudioHealer(AudioHealer {
                ssrc: 0x5566_7788,
                concealed: 12,
                stretched: 3,
                compressed: 4,
                total: 6000,
                quality_state: 0,
                fec_distance: 1,
            }),
        ),
    ];
    for (name, expected) in cases {
        let octets = vector(RTCP, name);
        assert_eq!(extensions(&octets), [Ok(expected)], "{name}");
        let mut out = Vec::new();
        Writer::new(&mut out)
            .receiver_report(0x1122_3344, [BLOCK], [expected])
            .unwrap();
        assert_eq!(out, octets, "{name}");
    }
}

#[test]
fn limits_of_bandwidth() {
    let octets = vector(RTCP, "rr_policy_bw_600k_turn_bw_500k_recv_limit_400k");
    let expected = [
        Ok(Extension::PolicyBandwidth(600_000)),
        Ok(Extension::TurnBandwidth(500_000)),
        Ok(Extension::ReceiverLimit(400_000)),
    ];
    assert_eq!(extensions(&octets), expected);
    let octets = vector(RTCP, "rr_modality_limit_video_250k");
    let limit = ModalityBandwidth {
        modality: Modality::Video,
        limit: 250_000,
    };
    assert_eq!(extensions(&octets), [Ok(Extension::ModalityLimit(limit))]);
    let octets = vector(RTCP, "rr_peer_info");
    let info = PeerInfo {
        ssrc: 0x1122_3344,
        inbound: 10_000_000,
        outbound: 2_000_000,
        no_cache: true,
    };
    assert_eq!(extensions(&octets), [Ok(Extension::PeerInfo(info))]);
}

#[test]
fn trains() {
    for index in 0..5 {
        let octets = vector(RTCP, &format!("train_packet_{index}_of_5_size_104"));
        let packet = TrainPacket {
            ssrc: 0x1122_3344,
            last: index == 4,
            index,
            count: 5,
            octets: 104 * (u16::from(index) + 1),
        };
        let expected = [
            Ok(Extension::TrainPacket(packet)),
            Ok(Extension::Padding((104 - 8 - 12 - 4) / 4)),
        ];
        assert_eq!(extensions(&octets), expected);
    }
}

#[test]
fn congestion_has_two_orders_of_bits() {
    let octets = vector(RTCP, "rr_congestion");
    let found = extensions(&octets);
    let [Ok(Extension::Congestion(congestion))] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(congestion.ntp, NtpTime(0xe000_0000_8000_0000));
    for order in [
        BitOrder::LeastSignificantFirst,
        BitOrder::MostSignificantFirst,
    ] {
        let info = CongestionInfo {
            congested_by_delay: true,
            ..CongestionInfo::default()
        };
        assert_eq!(CongestionInfo::read(info.octet(order), order), info);
    }
    let info = CongestionInfo::read(congestion.info, BitOrder::LeastSignificantFirst);
    assert!(info.congested_by_delay && !info.uncongested_by_loss);
    let other = CongestionInfo::read(0x40, BitOrder::MostSignificantFirst);
    assert!(other.congested_by_delay);
}

#[test]
fn picture_loss_indications() {
    let octets = vector(RTCP, "pli_standard");
    let pli = feedback(&octets);
    assert_eq!((pli.sender(), pli.media()), (0x1122_3344, 0x5566_7788));
    assert!(matches!(pli.message(), Ok(FeedbackMessage::Pli)));
    let octets = vector(RTCP, "pli_extended_reqid7_prid_0_7_8");
    let Ok(FeedbackMessage::ExtendedPli(pli)) = feedback(&octets).message() else {
        panic!("no extended PLI");
    };
    let expected = ExtendedPli {
        request_id: 7,
        priorities: 0x181,
    };
    assert_eq!(pli, expected);
    assert!(pli.wants(0) && pli.wants(7) && pli.wants(8));
    assert!(!pli.wants(1) && !pli.wants(63) && !pli.wants(64));
}

#[test]
fn video_source_requests() {
    let octets = vector(RTCP, "vsr_source_any_1_entry_as_sipe");
    let Ok(FeedbackMessage::VideoSourceRequest(request)) = feedback(&octets).message() else {
        panic!("no request");
    };
    assert_eq!(request.header().msi, SOURCE_ANY);
    assert_eq!(request.header().request_id, 1);
    assert!(!request.header().wants_key_frame());
    let entries: Vec<_> = request.entries().collect();
    let [entry] = entries[..] else {
        panic!("{entries:?}");
    };
    assert_eq!((entry.payload_type, entry.uc_config_mode), (122, 1));
    assert_eq!((entry.max_width, entry.max_height), (432, 432));
    assert_eq!(
        (entry.min_bit_rate, entry.bit_rate_per_level),
        (350_000, 10_000)
    );
    assert_eq!(entry.bit_rate_histogram, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((entry.must_instances, entry.may_instances), (0, 1));
    assert_eq!(entry.max_pixels, 103_680);

    let octets = vector(RTCP, "vsr_source_none");
    let Ok(FeedbackMessage::VideoSourceRequest(request)) = feedback(&octets).message() else {
        panic!("no request");
    };
    assert_eq!(
        (request.header().msi, request.entries().count()),
        (SOURCE_NONE, 0)
    );
}

/// What SIPE's own code writes; it is the FCI of the packet.
#[test]
fn video_source_requests_of_sipe() {
    for (text, msi, request_id) in [
        (include_str!("data/sipe-request-any.hex"), SOURCE_ANY, 1),
        (include_str!("data/sipe-request-102.hex"), 102, 1),
    ] {
        let fci = hex::decode(text.trim()).unwrap();
        let mut octets = hex::decode("8fce001811223344").unwrap();
        octets.extend_from_slice(&msi.to_be_bytes());
        octets.extend_from_slice(&fci);
        let Ok(FeedbackMessage::VideoSourceRequest(request)) = feedback(&octets).message() else {
            panic!("no request");
        };
        let header = request.header();
        assert_eq!((header.msi, header.request_id), (msi, request_id));
        assert_eq!(rewrite(&octets).unwrap(), octets);
    }
}

#[test]
fn dominant_speaker_history() {
    let octets = vector(RTCP, "dsh_current_102_prev_101");
    let Ok(FeedbackMessage::DominantSpeakerHistory(history)) = feedback(&octets).message() else {
        panic!("no history");
    };
    assert!(history.msis().eq([102, 101]));
}

#[test]
fn media_quality() {
    let octets = vector(RTCP, "sdes_cname_media_quality");
    let chunk = description(&octets).chunks().next().unwrap().unwrap();
    assert_eq!(chunk.text(item::CNAME), Some(&b"user@host"[..]));
    let quality = chunk.media_quality().unwrap().unwrap();
    assert_eq!((quality.known, quality.bad), (3, 2));
    assert_eq!(quality.get(Quality::SendNetwork), Some(false));
    assert_eq!(quality.get(Quality::ReceiveNetwork), Some(true));
    assert_eq!(quality.get(Quality::Echo), None);
    let mut made = MediaQuality::default();
    made.set(Quality::ReceiveNetwork, true);
    made.set(Quality::SendNetwork, true);
    made.set(Quality::SendNetwork, false);
    assert_eq!(made, quality);
}

#[test]
fn media_quality_with_reserved_digits() {
    let read = |text: &str| MediaQuality::read(text.as_bytes());
    let expected = MediaQuality {
        known: 3,
        bad: 0x10,
    };
    assert_eq!(read("v=1 m=abcd00000003 q=100000010"), Ok(expected));
    for bad in [
        "",
        "v=1",
        "v=2 m=00000000 q=00000000",
        "v=1 m=0000000 q=00000000",
        "v=1 m=0000000g q=00000000",
        "v=1 m=00000000 q=",
        "v=1 m=00000000q=00000000",
        "v=1 m=+0000000 q=00000000",
    ] {
        assert_eq!(read(bad), Err(Error::MediaQuality), "{bad}");
    }
}

#[test]
fn a_packet_of_a_mixer() {
    let octets = vector(RTCP, "rtp_csrc_dominant_102");
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.payload_type(), 114);
    assert!(!packet.marker());
    assert_eq!((packet.sequence(), packet.timestamp()), (1000, 16_000));
    assert_eq!(packet.ssrc(), 0xaabb_ccdd);
    assert_eq!(packet.dominant_speaker(), Some(102));
    assert!(packet.csrcs().eq([102, 101]));
    assert_eq!(packet.payload(), [1, 2, 3, 4]);
    let mut out = Vec::new();
    PacketBuilder::new(114, 1000, 16_000, 0xaabb_ccdd)
        .csrcs(&[102, 101])
        .write(&[1, 2, 3, 4], &mut out)
        .unwrap();
    assert_eq!(out, octets);
}

/// A value that Wireshark shows, as a number.
fn number(value: &Value) -> Option<u64> {
    let text = value.as_str()?;
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// All values of a field in a packet, in their order.
fn seen(entry: &Value, field: &str) -> Vec<u64> {
    let fields = entry["wireshark"].as_array().expect("fields");
    let of_field = fields.iter().filter(|seen| seen[2] == field);
    of_field.filter_map(|seen| number(&seen[3])).collect()
}

fn numbers<T: Into<u64>>(values: impl IntoIterator<Item = T>) -> Vec<u64> {
    values.into_iter().map(Into::into).collect()
}

#[test]
fn rtcp_as_wireshark_reads_it() {
    let mut read = 0;
    for (name, octets, entry) in vectors(SEEN_RTCP) {
        let compound = Compound::parse(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut packet_types = Vec::new();
        let mut packets = compound.packets();
        while let Some(raw) = packets.next_raw() {
            packet_types.push(raw.packet_type());
            let check = |field: &str, values: Vec<u64>| {
                assert_eq!(values, seen(&entry, field), "{name}: {field}");
            };
            match RtcpPacket::read(raw) {
                Ok(RtcpPacket::SenderReport(report)) => {
                    let info = report.info();
                    check("rtcp.timestamp.ntp.msw", vec![info.ntp.0 >> 32]);
                    check("rtcp.timestamp.rtp", numbers([info.rtp_timestamp]));
                    check("rtcp.sender.packetcount", numbers([info.packet_count]));
                    check("rtcp.sender.octetcount", numbers([info.octet_count]));
                }
                Ok(RtcpPacket::ReceiverReport(report)) => {
                    let blocks = || report.blocks();
                    check(
                        "rtcp.ssrc.identifier",
                        numbers(blocks().map(|block| block.ssrc)),
                    );
                    check(
                        "rtcp.ssrc.fraction",
                        numbers(blocks().map(|block| block.fraction_lost)),
                    );
                    let lost = blocks().map(|block| block.cumulative_lost.unsigned_abs());
                    check("rtcp.ssrc.cum_nr", numbers(lost));
                    let cycles = blocks().map(|block| block.highest_sequence >> 16);
                    check("rtcp.ssrc.high_cycles", numbers(cycles));
                    check(
                        "rtcp.ssrc.jitter",
                        numbers(blocks().map(|block| block.jitter)),
                    );
                    check(
                        "rtcp.ssrc.lsr",
                        numbers(blocks().map(|block| block.last_sr)),
                    );
                    let delay = blocks().map(|block| block.delay_since_last_sr);
                    check("rtcp.ssrc.dlsr", numbers(delay));
                }
                Ok(RtcpPacket::Feedback(feedback)) if packet_types.len() == 1 => {
                    check("rtcp.mediassrc", numbers([feedback.media()]));
                    check_request(&entry, &name, &feedback);
                }
                Ok(RtcpPacket::Bye(bye)) => {
                    check("rtcp.ssrc.identifier", numbers(bye.sources()));
                }
                Ok(RtcpPacket::App(app)) => {
                    assert_eq!((&app.name(), app.data()), (b"TEST", &b"abcd"[..]));
                }
                Ok(_) => {}
                Err(error) => panic!("{name}: {error}"),
            }
            read += 1;
        }
        assert_eq!(numbers(packet_types), seen(&entry, "rtcp.pt"), "{name}");
    }
    assert_eq!(read, 40);
}

fn check_request(entry: &Value, name: &str, feedback: &Feedback<'_>) {
    let Ok(FeedbackMessage::VideoSourceRequest(request)) = feedback.message() else {
        return;
    };
    let entries: Vec<_> = request.entries().collect();
    let check = |field: &str, values: Vec<u64>| {
        let field = format!("rtcp.psfb.ms.vsr.{field}");
        assert_eq!(values, seen(entry, &field), "{name}: {field}");
    };
    check("request_id", numbers([request.header().request_id]));
    check("num_entries", vec![entries.len() as u64]);
    check(
        "entry.payload_type",
        numbers(entries.iter().map(|e| e.payload_type)),
    );
    check(
        "entry.ucconfig_mode",
        numbers(entries.iter().map(|e| e.uc_config_mode)),
    );
    check("entry.cgs", numbers(entries.iter().map(|e| e.flags & 1)));
    check(
        "entry.no_sp_frames",
        numbers(entries.iter().map(|e| e.flags >> 2 & 1)),
    );
    check(
        "entry.aspect_ratio",
        numbers(entries.iter().map(|e| e.aspect_ratios)),
    );
    check(
        "entry.max_width",
        numbers(entries.iter().map(|e| e.max_width)),
    );
    check(
        "entry.max_height",
        numbers(entries.iter().map(|e| e.max_height)),
    );
    check(
        "entry.min_bitrate",
        numbers(entries.iter().map(|e| e.min_bit_rate)),
    );
    check(
        "entry.bitrate_per_level",
        numbers(entries.iter().map(|e| e.bit_rate_per_level)),
    );
    let histogram = entries.iter().flat_map(|e| e.bit_rate_histogram);
    check("entry.bitrate_histogram", numbers(histogram));
    check(
        "entry.frame_rate_mask",
        numbers(entries.iter().map(|e| e.frame_rates)),
    );
    check(
        "entry.musts",
        numbers(entries.iter().map(|e| e.must_instances)),
    );
    check(
        "entry.mays",
        numbers(entries.iter().map(|e| e.may_instances)),
    );
    let histogram = entries.iter().flat_map(|e| e.quality_histogram);
    check("entry.quality_histogram", numbers(histogram));
    check(
        "entry.max_pixels",
        numbers(entries.iter().map(|e| e.max_pixels)),
    );
}

/// Types of extensions as Wireshark names them; what it reads wrong is left out.
#[test]
fn extensions_as_wireshark_reads_them() {
    let mut read = 0;
    for (name, octets, entry) in vectors(SEEN_RTCP) {
        let types = seen(&entry, "rtcp.profile-specific-extension.type");
        // It goes on behind a Length of 0, and knows no limit; it reads padding as an extension.
        if types.is_empty()
            || name.contains("Length")
            || name.contains("25 ")
            || name.contains("P bit")
        {
            continue;
        }
        let found: Vec<_> = extensions(&octets)
            .into_iter()
            .map(|extension| u64::from(extension.expect(&name).extension_type()))
            .collect();
        assert_eq!(found, types, "{name}");
        read += 1;
    }
    assert_eq!(read, 18);
}

#[test]
fn extensions_that_are_wrong() {
    let lost = |sequence| Ok(Extension::PacketLoss(PacketLoss { sequence }));
    let octets = vector(SEEN_RTCP, "RR extension with Length 0");
    let frame = |extension_type, length, available| {
        Err(Error::ExtensionFrame {
            extension_type,
            length,
            available,
        })
    };
    assert_eq!(extensions(&octets), [frame(4, 0, 12)]);
    let octets = vector(SEEN_RTCP, "RR extension with Length past the end");
    assert_eq!(extensions(&octets), [frame(4, 64, 8)]);
    let octets = vector(SEEN_RTCP, "RR with 25 extensions");
    assert!(extensions(&octets).into_iter().eq((0..20).map(lost)));
    let octets = vector(SEEN_RTCP, "RR with P bit and an extension");
    assert_eq!(extensions(&octets), [lost(9)]);
    let octets = vector(
        SEEN_RTCP,
        "RR unknown extensions 2 and 3, then loss notification",
    );
    assert_eq!(extensions(&octets).last(), Some(&lost(7)));
}

#[test]
fn feedback_of_other_kinds() {
    let octets = vector(SEEN_RTCP, "AFB type 2 (unknown)");
    assert!(matches!(
        feedback(&octets).message(),
        Ok(FeedbackMessage::Unknown)
    ));
    let octets = vector(SEEN_RTCP, "REMB");
    assert!(matches!(
        feedback(&octets).message(),
        Ok(FeedbackMessage::Remb)
    ));
    let octets = vector(SEEN_RTCP, "DSH with Length 4");
    let Ok(FeedbackMessage::DominantSpeakerHistory(history)) = feedback(&octets).message() else {
        panic!("no history");
    };
    assert_eq!(history.msis().len(), 0);
    // The bit that asks for a key frame in both of its places.
    for name in [
        "VSR SOURCE_ANY, byte 13 = 0x80",
        "VSR SOURCE_ANY, two entries, byte 13 = 0x01",
    ] {
        let octets = vector(SEEN_RTCP, name);
        let Ok(FeedbackMessage::VideoSourceRequest(request)) = feedback(&octets).message() else {
            panic!("{name}");
        };
        assert!(request.header().wants_key_frame(), "{name}");
    }
}

#[test]
fn a_chunk_with_a_msi() {
    let octets = vector(SEEN_RTCP, "SDES CNAME, PRIV MS-EVT, MSI chunk");
    let chunks: Result<Vec<_>, _> = description(&octets).chunks().collect();
    let chunks = chunks.unwrap();
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[1].ssrc(), 0x66);
    assert_eq!(
        chunks[1].text(item::NAME),
        Some(&b"sip:bob@contoso.com"[..])
    );
    assert_eq!(rewrite(&octets).unwrap(), octets);
}

#[test]
fn rtp_as_wireshark_reads_it() {
    for (name, octets, entry) in vectors(SEEN_RTP) {
        let packet = Packet::parse(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let check = |field: &str, values: Vec<u64>| {
            assert_eq!(values, seen(&entry, field), "{name}: {field}");
        };
        check("rtp.marker", numbers([packet.marker()]));
        check("rtp.seq", numbers([packet.sequence()]));
        check("rtp.timestamp", numbers([packet.timestamp()]));
        check("rtp.ssrc", numbers([packet.ssrc()]));
        check("rtp.cc", vec![packet.csrcs().len() as u64]);
        check("rtp.csrc.item", numbers(packet.csrcs()));
        let padding = (packet.padding() > 0).then_some(packet.padding());
        check("rtp.padding.count", numbers(padding));
        let elements = packet.extension().map(|extension| extension.elements());
        let elements: Vec<_> = elements.into_iter().flatten().map(Result::unwrap).collect();
        check(
            "rtp.ext.rfc5285.id",
            numbers(elements.iter().map(|element| element.id)),
        );
        let lens = elements.iter().map(|element| element.data.len() as u64);
        check("rtp.ext.rfc5285.len", lens.collect());

        let csrcs: Vec<_> = packet.csrcs().collect();
        let mut builder = PacketBuilder::new(
            packet.payload_type(),
            packet.sequence(),
            packet.timestamp(),
            packet.ssrc(),
        )
        .marker(packet.marker())
        .csrcs(&csrcs)
        .padding(packet.padding());
        if let Some(extension) = packet.extension() {
            builder = builder.extension(extension);
        }
        let mut out = Vec::new();
        builder.write(packet.payload(), &mut out).unwrap();
        assert_eq!(out, octets, "{name}");
    }
}
