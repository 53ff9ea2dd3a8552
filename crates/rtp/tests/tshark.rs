//! What we send as Wireshark sees it: sessions, reports with every extension, feedback, and the payload formats that it knows.
//!
//! Asked for with `--ignored`, where tshark is installed.

use std::process::Command;
use std::time::{Duration, Instant};

use etherparse::PacketBuilder;
use ocs_rtp::Session;
use ocs_rtp::payload::Fragment;
use ocs_rtp::payload::dtmf::{self, Event};
use ocs_rtp::payload::h264::{
    AccessUnit, Config as H264Config, LayerDescription, Packetizer, PacsiFields,
};
use ocs_rtp::payload::redundant::{self, Packed};
use ocs_rtp::rtcp::extension::{
    AudioHealer, BandwidthEstimate, CongestionNotification, EstimatedBandwidth, Modality,
    ModalityBandwidth, PacketLoss, PeerInfo, VideoPreference,
};
use ocs_rtp::rtcp::{Extension, MediaQuality, NtpTime, Quality, SOURCE_ANY, VideoSourceEntry};
use ocs_rtp::session::{Config, Outgoing};
use pcap_file::DataLink;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const RTP_PORT: u16 = 50_000;
const RTCP_PORT: u16 = 50_001;

struct Capture {
    writer: PcapWriter<Vec<u8>>,
    begin: Instant,
}

impl Capture {
    fn new(begin: Instant) -> Self {
        let header = PcapHeader {
            datalink: DataLink::RAW,
            ..PcapHeader::default()
        };
        Self {
            writer: PcapWriter::with_header(Vec::new(), header).unwrap(),
            begin,
        }
    }

    fn put(&mut self, now: Instant, port: u16, octets: &[u8]) {
        let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(port, port);
        let mut frame = Vec::new();
        builder.write(&mut frame, octets).unwrap();
        let time = now.duration_since(self.begin);
        let packet = PcapPacket::new(time, frame.len() as u32, &frame);
        self.writer.write_packet(&packet).unwrap();
    }

    /// The fields of all frames that the filter lets through, each with all its values.
    fn read(self, filter: &str, fields: &[&str]) -> Vec<Vec<Vec<String>>> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("run.pcap");
        std::fs::write(&file, self.writer.into_writer()).unwrap();
        let mut command = Command::new("tshark");
        command.arg("-n").arg("-r").arg(&file).args(["-Y", filter]);
        for decode in [
            format!("udp.port=={RTP_PORT},rtp"),
            format!("udp.port=={RTCP_PORT},rtcp"),
            "rtp.pt==97,rtp_rfc2198".to_owned(),
            "rtp.pt==101,rtpevent".to_owned(),
            "rtp.pt==122,h264".to_owned(),
        ] {
            command.args(["-d", &decode]);
        }
        command.args(["-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let output = command.output().expect("tshark is installed");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        let values = |cell: &str| {
            let values = cell.split('|').filter(|value| !value.is_empty());
            values.map(str::to_owned).collect()
        };
        text.lines()
            .map(|row| row.split('\t').map(values).collect())
            .collect()
    }
}

fn session(now: Instant, seed: u8) -> Session<ChaCha20Rng> {
    let config = Config {
        canonical_name: b"alice@contoso.com".to_vec(),
        ntp: NtpTime(0xE000_0000_0000_0000),
        ..Config::default()
    };
    Session::new(now, config, ChaCha20Rng::from_seed([seed; 32])).unwrap()
}

fn drain(session: &mut Session<ChaCha20Rng>, now: Instant, capture: &mut Capture) {
    while let Some(octets) = session.poll_transmit() {
        capture.put(now, RTCP_PORT, octets);
    }
}

/// All values of a column.
fn column(rows: &[Vec<Vec<String>>], at: usize) -> Vec<&str> {
    rows.iter()
        .flat_map(|row| row[at].iter().map(String::as_str))
        .collect()
}

#[test]
#[ignore = "needs tshark"]
fn media_is_sound() {
    let begin = Instant::now();
    let mut session = session(begin, 1);
    let mut capture = Capture::new(begin);
    let mut wire = Vec::new();
    let mut send = |now, outgoing: Outgoing<'_>, fragment: &Fragment<'_>| {
        wire.clear();
        session.send(now, &outgoing, fragment, &mut wire).unwrap();
        capture.put(now, RTP_PORT, &wire);
    };
    let mut audio = redundant::Packetizer::new(1200);
    audio.set_distance(1);
    let mut digits = dtmf::Sender::new(20, 10).unwrap();
    for key in "0159*#ABCD".chars() {
        digits.send(Event::of_key(key).unwrap(), 60).unwrap();
    }
    digits.send(Event::FLASH, 60).unwrap();
    for n in 0..200_u32 {
        let now = begin + Duration::from_millis(20) * n;
        let data = [n as u8; 160];
        let outgoing = Outgoing {
            payload_type: 97,
            timestamp: n * 160,
            csrcs: &[102, 101],
            ..Outgoing::default()
        };
        if let Packed::Redundant(fragment) = audio.packet(0, n * 160, &data) {
            send(now, outgoing, &fragment);
        }
        if let Some(event) = digits.tick(n * 160) {
            let outgoing = Outgoing {
                payload_type: 101,
                timestamp: event.timestamp,
                duplicate: event.duplicate,
                ..Outgoing::default()
            };
            send(now, outgoing, &event.payload);
        }
    }
    for aggregate in [false, true] {
        let config = H264Config {
            aggregate,
            ..H264Config::default()
        };
        let mut packetizer = Packetizer::new(config, 0, 0).unwrap();
        let sps = [0x67, 0x42, 0xc0, 0x1e, 0xe9, 0x01, 0x40, 0x6c, 0x80];
        let pps = [0x68, 0xce, 0x3c, 0x80];
        let slice = [0x65, 0x88, 0x84]
            .into_iter()
            .chain((0..5000_u32).map(|n| n as u8 | 1));
        let slice: Vec<_> = slice.collect();
        let layer = LayerDescription {
            coded_width: 1280,
            coded_height: 720,
            display_width: 1280,
            display_height: 720,
            bit_rate: 1_500_000,
            frame_rate: 4,
            constrained_baseline: true,
            ..LayerDescription::default()
        };
        let units: [&[u8]; 3] = [&sps, &pps, &slice];
        let unit = AccessUnit {
            units: &units,
            fields: PacsiFields::default(),
            layout: &[layer],
            update: None,
        };
        for fragment in packetizer.packets(&unit).unwrap() {
            let outgoing = Outgoing {
                payload_type: 122,
                timestamp: if aggregate { 3000 } else { 0 },
                ..Outgoing::default()
            };
            send(begin + Duration::from_secs(5), outgoing, &fragment);
        }
    }
    let fields = [
        "rtp.p_type",
        "_ws.malformed",
        "rtpevent.event_id",
        "rtp.block-length",
        "rtp.csrc.item",
        "h264.nal_unit_hdr",
        "h264.sei.ms.layout.desc.coded_width",
    ];
    let rows = capture.read("rtp", &fields);
    assert_eq!(column(&rows, 1), Vec::<&str>::new());
    let of_type = |payload_type: &str| {
        let rows = rows
            .iter()
            .filter(|row| row[0].first().is_some_and(|value| value == payload_type));
        rows.cloned().collect::<Vec<_>>()
    };
    let audio = of_type("97");
    assert_eq!(audio.len(), 200);
    assert_eq!(column(&audio, 3), ["160"; 199]);
    assert_eq!(column(&audio, 4).len(), 400);
    let mut events: Vec<_> = column(&of_type("101"), 2)
        .iter()
        .map(|&event| event.to_owned())
        .collect();
    assert_eq!(events.len(), 11 * 5);
    events.dedup();
    assert_eq!(
        events,
        ["0", "1", "5", "9", "10", "11", "12", "13", "14", "15", "16"]
    );
    let video = of_type("122");
    assert_eq!(column(&video, 6), ["1280", "1280"]);
    let first: Vec<_> = video.iter().map(|row| row[5][0].as_str()).collect();
    assert_eq!(
        first,
        [
            "30", "7", "8", "28", "28", "28", "28", "28", "24", "28", "28", "28", "28", "28"
        ]
    );
}

#[test]
#[ignore = "needs tshark"]
fn control_is_sound() {
    let begin = Instant::now();
    let mut session = session(begin, 1);
    let mut peer = self::session(begin, 2);
    let mut capture = Capture::new(begin);
    let ssrc = session.ssrc();
    session
        .set_extension(Extension::PolicyBandwidth(600_000))
        .unwrap();
    session
        .set_extension(Extension::TurnBandwidth(500_000))
        .unwrap();
    session
        .set_extension(Extension::ReceiverLimit(400_000))
        .unwrap();
    let limit = ModalityBandwidth {
        modality: Modality::Video,
        limit: 250_000,
    };
    session
        .set_extension(Extension::ModalityLimit(limit))
        .unwrap();
    let info = PeerInfo {
        ssrc,
        inbound: 10_000_000,
        outbound: 2_000_000,
        no_cache: true,
    };
    session.set_extension(Extension::PeerInfo(info)).unwrap();
    let preference = VideoPreference {
        width: 640,
        height: 480,
    };
    session
        .set_extension(Extension::VideoPreference(preference))
        .unwrap();
    let healer = AudioHealer {
        ssrc: 7,
        concealed: 12,
        fec_distance: 1,
        ..AudioHealer::default()
    };
    session
        .set_extension(Extension::AudioHealer(healer))
        .unwrap();
    let mut quality = MediaQuality::default();
    quality.set(Quality::SendNetwork, false);
    session.set_media_quality(quality).unwrap();
    let entry = VideoSourceEntry {
        payload_type: 122,
        uc_config_mode: 1,
        flags: 0,
        aspect_ratios: 2,
        max_width: 1280,
        max_height: 720,
        min_bit_rate: 350_000,
        bit_rate_per_level: 10_000,
        bit_rate_histogram: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        frame_rates: 0x10,
        must_instances: 1,
        may_instances: 0,
        quality_histogram: [0; 8],
        max_pixels: 921_600,
    };
    session
        .request_video(begin, SOURCE_ANY, true, &[entry])
        .unwrap();
    session.request_key_frame(begin, 7, 3).unwrap();
    session.announce_speakers(begin, 7, &[102, 101]).unwrap();
    session.report_packet_loss(begin, 0x1234).unwrap();
    drain(&mut session, begin, &mut capture);
    // Media, so that there are sender reports with blocks; and the wish for trains.
    let wanted = EstimatedBandwidth {
        ssrc,
        bandwidth: BandwidthEstimate::TrainsWanted,
        confidence: Some(0),
    };
    peer.send_extension(Extension::EstimatedBandwidth(wanted))
        .unwrap();
    let mut wire = Vec::new();
    for second in 0..10 {
        let now = begin + Duration::from_secs(second);
        for side in 0..2 {
            wire.clear();
            let (from, to) = if side == 0 {
                (&mut session, &mut peer)
            } else {
                (&mut peer, &mut session)
            };
            from.send(
                now,
                &Outgoing::default(),
                &Fragment::whole(&[0; 160], false),
                &mut wire,
            )
            .unwrap();
            to.handle_rtp(now, &wire).unwrap();
            from.handle_timeout(now);
            while let Some(octets) = from.poll_transmit() {
                capture.put(now, RTCP_PORT, octets);
                to.handle_rtcp(now, octets, octets.len()).unwrap();
            }
        }
    }
    let end = begin + Duration::from_secs(10);
    session.leave(Some(b"the end")).unwrap();
    drain(&mut session, end, &mut capture);
    let fields = [
        "rtcp.pt",
        "_ws.malformed",
        "rtcp.profile-specific-extension.type",
        "rtcp.psfb.ms.afb_type",
        "rtcp.ms_pse.packet_index",
        "rtcp.ssrc.identifier",
        "rtcp.psfb.ms.vsr.entry.max_width",
        "rtcp.length_check",
    ];
    let rows = capture.read("rtcp", &fields);
    assert_eq!(column(&rows, 1), Vec::<&str>::new());
    let mut types: Vec<u16> = column(&rows, 2)
        .iter()
        .map(|kind| kind.parse().unwrap())
        .collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14]);
    let mut packets = column(&rows, 0);
    packets.sort_unstable();
    packets.dedup();
    assert_eq!(packets, ["200", "201", "202", "203", "206"]);
    assert!(column(&rows, 3).contains(&"1") && column(&rows, 3).contains(&"3"));
    assert!(column(&rows, 6).contains(&"1280"));
    assert!(column(&rows, 4).len() >= 20, "trains");
    assert!(column(&rows, 7).iter().all(|&checked| checked == "1"));
}

/// Wireshark looks for the octet behind this extension, so another one has to follow.
#[test]
#[ignore = "needs tshark"]
fn congestion_is_sound_in_front_of_another_extension() {
    let begin = Instant::now();
    let mut capture = Capture::new(begin);
    let mut out = Vec::new();
    let congestion = CongestionNotification {
        ntp: NtpTime(0xE000_0000_8000_0000),
        info: 2,
    };
    let extensions = [
        Extension::Congestion(congestion),
        Extension::PacketLoss(PacketLoss { sequence: 0x1234 }),
    ];
    ocs_rtp::rtcp::Writer::new(&mut out)
        .receiver_report(1, [], extensions)
        .unwrap();
    capture.put(begin, RTCP_PORT, &out);
    let fields = [
        "_ws.malformed",
        "rtcp.profile-specific-extension.type",
        "rtcp.ms_pse.seq_num",
    ];
    let rows = capture.read("rtcp", &fields);
    assert_eq!(rows[0][0], Vec::<String>::new());
    assert_eq!(rows[0][1], ["13", "4"]);
    assert_eq!(rows[0][2], ["4660"]);
}
