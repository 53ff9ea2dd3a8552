//! Sessions on a virtual clock.

mod common;

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use common::rewrite;
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::extension::{
    AudioHealer, BandwidthEstimate, EstimatedBandwidth, Modality, ModalityBandwidth, PacketLoss,
    TrainPacket,
};
use ocs_rtp::rtcp::{
    Compound, Extension, MediaQuality, Quality, ReportBlock, RtcpPacket, SOURCE_ANY, SOURCE_NONE,
    SenderInfo, VideoSourceEntry, Writer, item,
};
use ocs_rtp::session::{
    Config, DominantSpeaker, Dropped, Estimator, Event, Membership, Mode, Outgoing, Rate, Received,
    ReportTimer, SequenceState, Throttle, Trains, Verdict,
};
use ocs_rtp::{Ordered, PacketBuilder, Pushed, Reorder, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

type Machine = Session<ChaCha20Rng>;

fn machine(now: Instant, seed: u8, config: Config) -> Machine {
    Session::new(now, config, ChaCha20Rng::from_seed([seed; 32])).expect("a good configuration")
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn events(session: &mut Machine) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

fn sent(session: &mut Machine) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| session.poll_transmit().map(<[u8]>::to_vec)).collect()
}

fn packet(ssrc: u32, sequence: u16, csrcs: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::new(
        0,
        sequence,
        u32::from(sequence.wrapping_add(100)) * 160,
        ssrc,
    )
    .csrcs(csrcs)
    .write(&[0; 160], &mut out)
    .unwrap();
    out
}

fn dropped(session: &mut Machine, now: Instant, octets: &[u8]) -> Option<Dropped> {
    match session.handle_datagram(now, octets, octets.len()).unwrap() {
        Received::Dropped(why) => Some(why),
        _ => None,
    }
}

#[test]
fn changes_of_the_ssrc_are_throttled() {
    let now = Instant::now();
    let mut throttle = Throttle::default();
    let mut check = |ssrc, at| throttle.check_ssrc(now + ms(at), ssrc);
    assert_eq!(check(1, 0), Verdict::Good, "the first one is no change");
    assert_eq!(check(2, 10), Verdict::Starts);
    assert_eq!(check(3, 20), Verdict::Dropped);
    assert_eq!(check(1, 30), Verdict::Good);
    assert_eq!(check(2, 40), Verdict::Changes);
    assert_eq!(check(2, 50), Verdict::Good);
    // Each new offender makes it last longer, the same one does not.
    assert_eq!(check(3, 2010), Verdict::Dropped);
    assert_eq!(check(4, 2015), Verdict::Dropped);
    assert_eq!(check(4, 4000), Verdict::Dropped);
    assert_eq!(check(4, 4016), Verdict::Starts);
}

#[test]
fn changes_of_the_numbering_are_throttled() {
    let now = Instant::now();
    let mut throttle = Throttle::default();
    let mut state = SequenceState::default();
    let mut check = |sequence, at| throttle.check_sequence(now + ms(at), &mut state, sequence);
    assert_eq!(check(65_530, 0), Verdict::Good);
    assert_eq!(check(3, 1), Verdict::Good, "some are lost");
    assert_eq!(check(65_532, 2), Verdict::Good, "one is late");
    assert_eq!(check(20_000, 3), Verdict::Starts);
    assert_eq!(check(40_000, 4), Verdict::Dropped);
    assert_eq!(check(4, 5), Verdict::Good, "the good numbering goes on");
    assert_eq!(check(20_001, 6), Verdict::Changes);
    assert_eq!(check(20_002, 7), Verdict::Good);
    assert_eq!(check(5, 8), Verdict::Dropped);
    assert_eq!(check(5, 3000), Verdict::Starts);
}

#[test]
fn a_flood_of_ssrcs_costs_nothing() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let mut delivered = 0;
    for n in 0..10_000 {
        let octets = packet(n + 1, n as u16, &[]);
        if dropped(&mut session, now + ms(u64::from(n) / 10), &octets).is_none() {
            delivered += 1;
        }
    }
    assert_eq!(
        delivered, 2,
        "the first one, and the one that starts throttling"
    );
    assert_eq!(session.sources().count(), 2);
}

#[test]
fn a_flood_inside_the_range_has_a_limit() {
    let now = Instant::now();
    let config = Config {
        remote_range: Some(1000..=100_000),
        max_sources: 10,
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    for ssrc in 1000..2000 {
        let why = dropped(&mut session, now, &packet(ssrc, 1, &[]));
        assert_eq!(why, (ssrc >= 1010).then_some(Dropped::TooManySources));
    }
    assert_eq!(
        dropped(&mut session, now, &packet(999, 1, &[])),
        Some(Dropped::OutOfRange)
    );
    // RTCP makes no room for itself, either.
    for ssrc in 0..100_u32 {
        let mut out = Vec::new();
        Writer::new(&mut out)
            .source_description(|chunks| {
                for chunk in 0..31 {
                    chunks.chunk(ssrc * 31 + chunk + 1_000_000);
                }
                Ok(())
            })
            .unwrap();
        session.handle_datagram(now, &out, out.len()).unwrap();
    }
    assert_eq!(session.sources().count(), 10);
    // Room is made by time.
    session.handle_timeout(now + Duration::from_secs(50));
    assert_eq!(session.sources().count(), 0);
    assert_eq!(
        dropped(
            &mut session,
            now + Duration::from_secs(51),
            &packet(1500, 1, &[])
        ),
        None
    );
}

#[test]
fn the_packet_that_starts_throttling_can_be_dropped() {
    let now = Instant::now();
    let config = Config {
        deliver_first: false,
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    assert_eq!(dropped(&mut session, now, &packet(1, 10, &[])), None);
    assert_eq!(
        dropped(&mut session, now, &packet(2, 10, &[])),
        Some(Dropped::SsrcThrottled)
    );
    assert_eq!(dropped(&mut session, now, &packet(2, 11, &[])), None);
    assert_eq!(
        dropped(
            &mut session,
            now + Duration::from_secs(3),
            &packet(2, 40_000, &[])
        ),
        Some(Dropped::SequenceThrottled)
    );
    assert_eq!(
        dropped(
            &mut session,
            now + Duration::from_secs(3),
            &packet(2, 40_001, &[])
        ),
        None
    );
}

#[test]
fn losses_and_jitter_are_counted() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    // 100 packets of 20 ms; of every ten one is lost, one is late by 4 ms, and one comes twice.
    for n in 0..100_u16 {
        let late = if n % 10 == 7 { 4 } else { 0 };
        let at = now + ms(u64::from(n) * 20 + late);
        if n % 10 != 3 {
            session
                .handle_rtp(at, &packet(9, n.wrapping_sub(20), &[]))
                .unwrap();
        }
        if n % 10 == 5 {
            session
                .handle_rtp(at, &packet(9, n.wrapping_sub(20), &[]))
                .unwrap();
        }
    }
    let reception = session.source(9).unwrap().reception().unwrap();
    assert_eq!((reception.received(), reception.lost()), (100, 0));
    assert_eq!(reception.highest_sequence(), 65_536 + 79);
    // RFC 3550 A.8 by hand: a late packet adds 32/16 twice, and a sixteenth decays with each of the others: it swings up to 8.8.
    assert!(
        (7..=9).contains(&reception.jitter()),
        "{}",
        reception.jitter()
    );
    assert!(
        (8..=9).contains(&reception.max_jitter()),
        "{}",
        reception.max_jitter()
    );
}

#[test]
fn timestamps_at_random_do_not_spoil_the_jitter() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    for n in 0..1000_u16 {
        let mut wire = Vec::new();
        let timestamp = u32::from(n) * 160 + if n % 2 == 0 { 0x8000_0000 } else { 0 };
        PacketBuilder::new(0, n, timestamp, 9)
            .write(&[0], &mut wire)
            .unwrap();
        session
            .handle_rtp(now + ms(u64::from(n) * 20), &wire)
            .unwrap();
    }
    let reception = session.source(9).unwrap().reception().unwrap();
    assert_eq!((reception.received(), reception.max_jitter()), (1000, 0));
}

#[test]
fn reports_say_what_was_lost() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    for n in (0..100_u16).filter(|n| n % 4 != 1) {
        session
            .handle_rtp(now + ms(u64::from(n) * 20), &packet(9, n, &[]))
            .unwrap();
    }
    let due = session.poll_timeout().unwrap();
    assert!(due > now + ms(1000) && due < now + Duration::from_secs(4));
    session.handle_timeout(now + Duration::from_secs(4));
    let packets = sent(&mut session);
    assert_eq!(packets.len(), 2, "a probe and a report");
    assert!(Compound::parse(&packets[0]).unwrap().is_probe());
    let Some(Ok(RtcpPacket::ReceiverReport(report))) =
        Compound::parse(&packets[1]).unwrap().packets().next()
    else {
        panic!("no RR");
    };
    let blocks: Vec<_> = report.blocks().collect();
    let [block] = blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!((block.ssrc, block.cumulative_lost), (9, 25));
    assert_eq!((block.fraction_lost, block.highest_sequence), (64, 99));
    // Nothing came since: no block.
    session.handle_timeout(now + Duration::from_secs(20));
    let packets = sent(&mut session);
    let Some(Ok(RtcpPacket::ReceiverReport(report))) =
        Compound::parse(&packets[1]).unwrap().packets().next()
    else {
        panic!("no RR");
    };
    assert_eq!(report.blocks().len(), 0);
}

#[test]
fn more_sources_than_a_report_holds_take_turns() {
    let now = Instant::now();
    let config = Config {
        remote_range: Some(1..=1000),
        bandwidth: 10_000_000,
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..3_u64 {
        let at = now + Duration::from_secs(10 * round);
        for ssrc in 1..=80 {
            session
                .handle_rtp(at, &packet(ssrc, round as u16, &[]))
                .unwrap();
        }
        session.handle_timeout(at + Duration::from_secs(9));
        for octets in sent(&mut session) {
            assert!(octets.len() < 1400);
            for packet in Compound::parse(&octets).unwrap().packets() {
                if let Ok(RtcpPacket::ReceiverReport(report)) = packet {
                    seen.extend(report.blocks().map(|block| block.ssrc));
                }
            }
        }
    }
    assert_eq!(seen.len(), 80);
}

#[test]
fn the_dominant_speaker() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    session.handle_rtp(now, &packet(9, 1, &[2, 3])).unwrap();
    session.handle_rtp(now, &packet(9, 2, &[2, 5])).unwrap();
    session.handle_rtp(now, &packet(9, 3, &[1, 2])).unwrap();
    let speaker = |speaker| Event::DominantSpeaker(speaker);
    assert_eq!(
        events(&mut session),
        [Event::Source(9), speaker(Some(2)), speaker(Some(1))]
    );
    session.handle_rtp(now, &packet(9, 4, &[])).unwrap();
    assert_eq!(events(&mut session), [speaker(None)]);
    session.handle_rtp(now, &packet(9, 5, &[7])).unwrap();
    assert_eq!(session.dominant_speaker(), Some(7));
    session.handle_timeout(now + ms(2999));
    assert_eq!(session.dominant_speaker(), Some(7));
    session.handle_timeout(now + ms(3000));
    assert_eq!(events(&mut session), [speaker(Some(7)), speaker(None)]);
    let mut alone = DominantSpeaker::default();
    assert!(alone.handle_packet(now, Some(1)));
    assert_eq!(alone.poll_timeout(), Some(now + ms(3000)));
}

/// Carries everything between two sessions over a path of so many bit/s, until `end`.
fn exchange(
    sessions: &mut [Machine; 2],
    now: Instant,
    end: Instant,
    bits_per_second: u64,
) -> usize {
    let mut carried = 0;
    let mut at = now;
    loop {
        for side in 0..2 {
            let mut arrival = at;
            for octets in sent(&mut sessions[side]) {
                // One packet after the other, as long as the path needs for each.
                let bits = (octets.len() + 28) as u64 * 8;
                arrival += Duration::from_nanos(bits * 1_000_000_000 / bits_per_second);
                sessions[1 - side]
                    .handle_rtcp(arrival, &octets, octets.len())
                    .unwrap();
                carried += 1;
            }
        }
        let due = sessions
            .iter()
            .filter_map(Machine::poll_timeout)
            .min()
            .unwrap();
        if due >= end {
            return carried;
        }
        at = at.max(due);
        for session in &mut *sessions {
            session.handle_timeout(at);
        }
    }
}

fn talk(sessions: &mut [Machine; 2], now: Instant) {
    for side in 0..2 {
        let mut wire = Vec::new();
        let outgoing = Outgoing::default();
        let payload = Fragment::whole(&[0; 160], false);
        sessions[side]
            .send(now, &outgoing, &payload, &mut wire)
            .unwrap();
        sessions[1 - side].handle_rtp(now, &wire).unwrap();
    }
}

#[test]
fn packet_pairs_find_the_bandwidth() {
    let now = Instant::now();
    let mut sessions = [1, 2].map(|seed| {
        let config = Config {
            trains: Trains::Unsupported,
            ..Config::default()
        };
        machine(now, seed, config)
    });
    let mut heard = Vec::new();
    let mut fast = false;
    for step in 0..80 {
        let at = now + ms(step * 250);
        talk(&mut sessions, at);
        exchange(&mut sessions, at, at + ms(250), 1_500_000);
        heard.extend(events(&mut sessions[0]));
        fast |= sessions[0].probing().0 == Rate::PacketPairFast;
    }
    let estimates: Vec<_> = heard
        .iter()
        .filter_map(|event| match event {
            Event::EstimatedBandwidth {
                bits_per_second, ..
            } => Some(*bits_per_second),
            _ => None,
        })
        .collect();
    assert!(!estimates.is_empty(), "{heard:?}");
    for estimate in estimates {
        assert!((1_490_000..1_510_000).contains(&estimate), "{estimate}");
    }
    // The estimate ended the fast rate.
    assert!(fast);
    assert_eq!(sessions[0].probing(), (Rate::Normal, Mode::PacketPair));
}

#[test]
fn packet_trains_on_demand() {
    let now = Instant::now();
    let mut sessions = [1, 2].map(|seed| {
        let config = Config {
            trains: Trains::Wanted,
            ..Config::default()
        };
        machine(now, seed, config)
    });
    let mut carried = 0;
    for second in 0..40 {
        let at = now + Duration::from_secs(second);
        talk(&mut sessions, at);
        carried += exchange(&mut sessions, at, at + Duration::from_secs(1), 800_000);
    }
    assert!(carried > 2 * 21 * 7, "{carried}");
    for session in &sessions {
        assert_eq!(session.probing(), (Rate::Normal, Mode::PacketTrain));
        let estimate = session.estimated_bandwidth().unwrap();
        // The byte count of trains leaves the lower headers out.
        assert!((600_000..810_000).contains(&estimate), "{estimate}");
    }
}

#[test]
fn a_train_is_like_those_of_the_vectors() {
    let now = Instant::now();
    let config = Config {
        canonical_name: b"somebody with a long name@contoso.com".to_vec(),
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    let mut wanted = Vec::new();
    let estimate = EstimatedBandwidth {
        ssrc: session.ssrc(),
        bandwidth: BandwidthEstimate::TrainsWanted,
        confidence: None,
    };
    Writer::new(&mut wanted)
        .receiver_report(7, [], [Extension::EstimatedBandwidth(estimate)])
        .unwrap();
    session.handle_rtcp(now, &wanted, wanted.len()).unwrap();
    assert_eq!(
        session.probing(),
        (Rate::PacketTrainFast, Mode::PacketTrain)
    );
    assert_eq!(session.poll_timeout(), Some(now + Duration::from_secs(1)));
    session.handle_timeout(now + Duration::from_secs(1));
    let packets = sent(&mut session);
    assert_eq!(packets.len(), 7);
    assert!(Compound::parse(&packets[0]).unwrap().is_probe());
    for (index, octets) in packets[2..].iter().enumerate() {
        assert_eq!(&rewrite(octets).unwrap(), octets);
        let Some(Ok(RtcpPacket::ReceiverReport(report))) =
            Compound::parse(octets).unwrap().packets().next()
        else {
            panic!("no RR");
        };
        let Some(Ok(Extension::TrainPacket(packet))) = report.extensions().next() else {
            panic!("no train packet");
        };
        let expected = TrainPacket {
            ssrc: session.ssrc(),
            last: index == 4,
            index: index as u8,
            count: 5,
            octets: (octets.len() * (index + 1)) as u16,
        };
        assert_eq!(packet, expected);
        assert_eq!(octets.len(), packets[1].len());
    }
}

#[test]
fn fast_pairs_end_when_nobody_answers() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let block = ReportBlock {
        ssrc: session.ssrc(),
        ..ReportBlock::default()
    };
    let mut report = Vec::new();
    Writer::new(&mut report)
        .receiver_report(7, [block], [])
        .unwrap();
    session.handle_rtcp(now, &report, report.len()).unwrap();
    assert_eq!(session.probing().0, Rate::PacketPairFast);
    let mut pairs = 0;
    let mut at = now;
    while session.probing().0 == Rate::PacketPairFast {
        at += ms(250);
        session.handle_timeout(at);
        let packets = sent(&mut session);
        assert_eq!(packets.len(), 2);
        pairs += 1;
    }
    assert_eq!(pairs, 40);
    session.handle_timeout(at + Duration::from_secs(10));
    assert_eq!(sent(&mut session).len(), 1, "no probe any more");
}

#[test]
fn round_trip_time() {
    let now = Instant::now();
    let mut sessions = [1, 2].map(|seed| {
        let config = Config {
            probes: false,
            ..Config::default()
        };
        machine(now, seed, config)
    });
    talk(&mut sessions, now);
    let at = now + Duration::from_secs(5);
    sessions[0].handle_timeout(at);
    let report = sent(&mut sessions[0]).remove(0);
    // 30 ms there, 4 s of waiting, 50 ms back.
    sessions[1]
        .handle_rtcp(at + ms(30), &report, report.len())
        .unwrap();
    talk(&mut sessions, at + ms(100));
    sessions[1].handle_timeout(at + ms(4030));
    let report = sent(&mut sessions[1]).remove(0);
    sessions[0]
        .handle_rtcp(at + ms(4080), &report, report.len())
        .unwrap();
    let report = sessions[0].peer_report().unwrap();
    let round_trip = report.round_trip.unwrap();
    assert!(
        (79..=81).contains(&round_trip.as_millis()),
        "{round_trip:?}"
    );
    assert_eq!(report.block.ssrc, sessions[0].ssrc());
}

#[test]
fn feedback_is_repeated_and_counts_once() {
    let now = Instant::now();
    let mut viewer = machine(now, 1, Config::default());
    let mut sender = machine(now, 2, Config::default());
    viewer
        .request_video(now, SOURCE_ANY, true, &[entry()])
        .unwrap();
    viewer.request_key_frame(now, sender.ssrc(), 1).unwrap();
    viewer
        .announce_speakers(now, sender.ssrc(), &[2, 3])
        .unwrap();
    let mut times = Vec::new();
    let mut at = now;
    while at < now + Duration::from_secs(60) {
        for octets in sent(&mut viewer) {
            if matches!(octets[1], 206) {
                times.push((octets[0] & 31, octets[13], at.duration_since(now)));
            }
            sender.handle_datagram(at, &octets, octets.len()).unwrap();
        }
        at = viewer.poll_timeout().unwrap();
        viewer.handle_timeout(at);
    }
    let requests: Vec<_> = times
        .iter()
        .filter(|t| t.0 == 15 && t.1 == 1)
        .map(|t| t.2)
        .collect();
    let expected = [0, 190, 380, 570, 760, 3760, 6760, 9760, 12_760, 15_760].map(ms);
    assert_eq!(requests, expected);
    assert_eq!(times.iter().filter(|t| t.0 == 1).count(), 5);
    assert_eq!(times.iter().filter(|t| t.0 == 15 && t.1 == 3).count(), 5);
    let heard = events(&mut sender);
    let wanted = heard.iter().filter(|e| {
        matches!(e, Event::VideoRequested { header, entries, .. }
        if header.msi == SOURCE_ANY && header.wants_key_frame() && entries[..] == [entry()])
    });
    assert_eq!(wanted.count(), 1);
    let wanted = heard.iter().filter(
        |e| matches!(e, Event::KeyFrameWanted { priorities: 1, media } if *media == sender.ssrc()),
    );
    assert_eq!(wanted.count(), 1);
    let histories = heard
        .iter()
        .filter(|e| **e == Event::SpeakerHistory(vec![2, 3]));
    assert_eq!(histories.count(), 1);
    // The next request is another one, and takes the place of the first.
    viewer.request_video(at, 5, false, &[]).unwrap();
    viewer.request_video(at, SOURCE_NONE, false, &[]).unwrap();
    for octets in sent(&mut viewer) {
        sender.handle_datagram(at, &octets, octets.len()).unwrap();
    }
    viewer.handle_timeout(at + ms(190));
    let repeated: Vec<_> = sent(&mut viewer)
        .into_iter()
        .filter(|o| o[1] == 206)
        .collect();
    assert_eq!(repeated.len(), 1);
    assert_eq!(repeated[0][16..20], SOURCE_NONE.to_be_bytes());
    let heard = events(&mut sender);
    let requests = heard
        .iter()
        .filter(|e| matches!(e, Event::VideoRequested { .. }));
    assert_eq!(requests.count(), 2);
}

fn entry() -> VideoSourceEntry {
    VideoSourceEntry {
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
        quality_histogram: [1, 0, 0, 0, 0, 0, 0, 0],
        max_pixels: 1280 * 720,
    }
}

#[test]
fn a_lost_video_packet_is_told_at_intervals() {
    let now = Instant::now();
    let mut viewer = machine(now, 1, Config::default());
    let mut sender = machine(now, 2, Config::default());
    assert!(viewer.report_packet_loss(now, 7).unwrap());
    assert!(!viewer.report_packet_loss(now + ms(499), 8).unwrap());
    assert!(viewer.report_packet_loss(now + ms(500), 9).unwrap());
    for octets in sent(&mut viewer) {
        sender.handle_datagram(now, &octets, octets.len()).unwrap();
    }
    assert_eq!(
        events(&mut sender),
        [Event::PacketLost(7), Event::PacketLost(9)]
    );
    let config = Config {
        loss_spacing: ms(199),
        ..Config::default()
    };
    assert!(Session::new(now, config, ChaCha20Rng::from_seed([1; 32])).is_err());
}

#[test]
fn limits_and_metrics_of_the_peer() {
    let now = Instant::now();
    let mut peer = machine(now, 1, Config::default());
    let mut session = machine(now, 2, Config::default());
    let healer = AudioHealer {
        ssrc: session.ssrc(),
        concealed: 5,
        fec_distance: 1,
        ..AudioHealer::default()
    };
    peer.set_extension(Extension::PolicyBandwidth(600_000))
        .unwrap();
    peer.set_extension(Extension::ReceiverLimit(400_000))
        .unwrap();
    peer.set_extension(Extension::AudioHealer(healer)).unwrap();
    let mut at = now;
    let mut heard = Vec::new();
    for (round, limit) in [(0, 400_000), (1, 500_000), (2, 1)] {
        peer.set_extension(Extension::ReceiverLimit(limit)).unwrap();
        if round == 1 {
            // A sender: the metrics go into a receiver report behind it.
            let mut wire = Vec::new();
            peer.send(
                at,
                &Outgoing::default(),
                &Fragment::whole(&[0], false),
                &mut wire,
            )
            .unwrap();
        }
        at += Duration::from_secs(10);
        peer.handle_timeout(at);
        for octets in sent(&mut peer) {
            session.handle_datagram(at, &octets, octets.len()).unwrap();
        }
        heard.push(events(&mut session));
    }
    let limits = [400_000, 500_000, 10_000];
    for (heard, limit) in heard.iter().zip(limits) {
        assert!(heard.contains(&Event::SendLimit(limit)), "{heard:?}");
        assert!(heard.contains(&Event::AudioHealer(healer)), "{heard:?}");
    }
    peer.remove_extension(9);
    peer.handle_timeout(at + Duration::from_secs(10));
    for octets in sent(&mut peer) {
        session.handle_datagram(at, &octets, octets.len()).unwrap();
    }
    assert!(
        events(&mut session).is_empty(),
        "the limits are those before"
    );
    let loss = Extension::PacketLoss(PacketLoss { sequence: 1 });
    assert!(peer.set_extension(loss).is_err());
    peer.send_extension(loss).unwrap();
    assert_eq!(sent(&mut peer).len(), 1);
}

#[test]
fn media_quality_is_told_with_every_report() {
    let now = Instant::now();
    let mut peer = machine(now, 1, Config::default());
    let mut session = machine(now, 2, Config::default());
    let mut quality = MediaQuality::default();
    quality.set(Quality::CaptureDevice, true);
    peer.set_media_quality(quality).unwrap();
    for second in [0, 10, 20] {
        peer.handle_timeout(now + Duration::from_secs(second));
        for octets in sent(&mut peer) {
            session.handle_datagram(now, &octets, octets.len()).unwrap();
        }
    }
    let ssrc = peer.ssrc();
    assert_eq!(
        events(&mut session),
        [Event::MediaQuality { ssrc, quality }]
    );
    assert_eq!(session.source(ssrc).unwrap().media_quality(), Some(quality));
}

#[test]
fn goodbye() {
    let now = Instant::now();
    let mut peer = machine(now, 1, Config::default());
    let mut session = machine(now, 2, Config::default());
    let ssrc = peer.ssrc();
    session.handle_rtp(now, &packet(ssrc, 1, &[])).unwrap();
    peer.leave(Some(b"enough")).unwrap();
    let bye = sent(&mut peer).remove(0);
    assert_eq!(peer.poll_timeout(), None);
    session.handle_datagram(now, &bye, bye.len()).unwrap();
    session.handle_datagram(now, &bye, bye.len()).unwrap();
    let left = Event::Left {
        ssrc,
        reason: b"enough".to_vec(),
    };
    assert_eq!(events(&mut session), [Event::Source(ssrc), left]);
    assert_eq!(
        dropped(&mut session, now, &packet(ssrc, 2, &[])),
        Some(Dropped::Left)
    );
    // When the BYE timer is over it is a new participant.
    let at = now + Duration::from_secs(20);
    session.handle_timeout(at);
    assert!(session.source(ssrc).is_none());
    assert_eq!(dropped(&mut session, at, &packet(ssrc, 3, &[])), None);
}

#[test]
fn time_outs() {
    let now = Instant::now();
    let mut session = machine(now, 2, Config::default());
    session.handle_rtp(now, &packet(9, 1, &[])).unwrap();
    session
        .handle_rtp(now + Duration::from_secs(10), &packet(9, 2, &[]))
        .unwrap();
    let mut heard = Vec::new();
    while let Some(at) = session.poll_timeout() {
        if at > now + Duration::from_secs(70) {
            break;
        }
        session.handle_timeout(at);
        sent(&mut session);
        heard.extend(
            events(&mut session)
                .into_iter()
                .map(|event| (at.duration_since(now).as_secs(), event)),
        );
    }
    let expected = [
        (0, Event::Source(9)),
        (40, Event::Inactive),
        (60, Event::TimedOut(9)),
    ];
    assert_eq!(heard[1..], expected[1..]);
    // Too early does nothing.
    session.handle_timeout(now);
    assert!(sent(&mut session).is_empty());
}

#[test]
fn two_with_the_same_ssrc() {
    let now = Instant::now();
    let mut session = machine(now, 2, Config::default());
    let mine = session.ssrc();
    // Too early for a change.
    assert_eq!(
        dropped(&mut session, now, &packet(mine, 1, &[])),
        Some(Dropped::Own)
    );
    assert_eq!(session.ssrc(), mine);
    let at = now + Duration::from_secs(3);
    assert_eq!(
        dropped(&mut session, at, &packet(mine, 2, &[])),
        Some(Dropped::Own)
    );
    let new = session.ssrc();
    assert_ne!(new, mine);
    let bye = sent(&mut session).remove(0);
    assert_eq!(bye[1], 203);
    assert_eq!(
        events(&mut session),
        [Event::OwnSsrcChanged {
            from: mine,
            to: new
        }]
    );
    // It happens again: our own packets come back, and nothing changes, however many they are.
    for n in 0..1000 {
        let at = at + Duration::from_secs(n);
        assert_eq!(
            dropped(&mut session, at, &packet(new, n as u16, &[])),
            Some(Dropped::Own)
        );
    }
    assert_eq!(session.ssrc(), new);
    assert_eq!(events(&mut session), [Event::Loop]);
    assert!(sent(&mut session).is_empty());
}

#[test]
fn several_streams_in_a_range() {
    let now = Instant::now();
    let config = Config {
        local_range: Some(5000..=5002),
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    assert_eq!(session.add_stream(), Ok(1));
    assert_eq!(session.add_stream(), Ok(2));
    assert!(session.add_stream().is_err());
    let mut wire = Vec::new();
    for stream in 0..3 {
        wire.clear();
        let outgoing = Outgoing {
            stream,
            payload_type: 122,
            ..Outgoing::default()
        };
        session
            .send(
                now,
                &outgoing,
                &Fragment::whole(&[0x65; 100], true),
                &mut wire,
            )
            .unwrap();
        let packet = ocs_rtp::Packet::parse(&wire).unwrap();
        assert_eq!(packet.ssrc(), 5000 + stream as u32);
        assert!(packet.marker());
    }
    assert_eq!(session.sent(), (3, 300));
    session.handle_timeout(now + Duration::from_secs(10));
    let report = sent(&mut session).pop().unwrap();
    let Some(Ok(RtcpPacket::SenderReport(report))) =
        Compound::parse(&report).unwrap().packets().next()
    else {
        panic!("no SR");
    };
    assert_eq!((report.ssrc(), report.info().packet_count), (5000, 3));
    for range in [0..=5, 1..=0xFFFF_FF01, RangeInclusive::new(9, 8)] {
        let config = Config {
            local_range: Some(range),
            ..Config::default()
        };
        assert!(Session::new(now, config, ChaCha20Rng::from_seed([1; 32])).is_err());
    }
}

/// The SR of the next report.
fn sender_report(session: &mut Machine, at: Instant) -> SenderInfo {
    session.handle_timeout(at);
    let packets = sent(session);
    let mut infos = packets.iter().filter_map(|octets| {
        match Compound::parse(octets).unwrap().packets().next() {
            Some(Ok(RtcpPacket::SenderReport(report))) => Some(report.info()),
            _ => None,
        }
    });
    infos.next_back().expect("a SR")
}

fn timestamp_of(wire: &[u8]) -> u32 {
    ocs_rtp::Packet::parse(wire).unwrap().timestamp()
}

#[test]
fn layers_of_a_picture_share_their_timestamp() {
    let now = Instant::now();
    let config = Config {
        local_range: Some(5000..=5002),
        ..Config::default()
    };
    let mut session = machine(now, 1, config);
    let streams = [
        0,
        session.add_stream().unwrap(),
        session.add_stream().unwrap(),
    ];
    let timestamps = streams.map(|stream| {
        let outgoing = Outgoing {
            stream,
            payload_type: 122,
            timestamp: 90_000,
            ..Outgoing::default()
        };
        let mut wire = Vec::new();
        let payload = Fragment::whole(&[0x65; 100], true);
        session.send(now, &outgoing, &payload, &mut wire).unwrap();
        timestamp_of(&wire)
    });
    assert_eq!(timestamps, [timestamps[0]; 3]);
    let ssrcs = [0, 2, 3].map(|stream| session.ssrc_of(stream));
    assert_eq!(ssrcs, [Some(5000), Some(5002), None]);
}

#[test]
fn events_do_not_set_the_clock_of_the_reports() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let send = |session: &mut Machine, at, payload_type, timestamp| {
        let outgoing = Outgoing {
            payload_type,
            timestamp,
            event: payload_type == 101,
            ..Outgoing::default()
        };
        let mut wire = Vec::new();
        let payload = Fragment::whole(&[0; 4], false);
        session
            .send(now + ms(at), &outgoing, &payload, &mut wire)
            .unwrap();
        timestamp_of(&wire)
    };
    // Sound at 16 kHz, then a digit of 8 kHz, then many packets of one timestamp.
    let first = send(&mut session, 0, 114, 0);
    for at in [20, 40, 60] {
        send(&mut session, at, 101, 160);
    }
    let info = sender_report(&mut session, now + Duration::from_secs(10));
    assert_eq!(info.rtp_timestamp.wrapping_sub(first), 160_000);
    let first = send(&mut session, 11_000, 122, 90_000);
    send(&mut session, 11_200, 122, 90_000);
    let info = sender_report(&mut session, now + Duration::from_secs(31));
    assert_eq!(info.rtp_timestamp.wrapping_sub(first), 20 * 90_000);
}

#[test]
fn clocks_that_change_are_no_jitter() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    for n in 0..200_u16 {
        let mut wire = Vec::new();
        // Every fifth packet is of an event on another clock.
        let (payload_type, units) = if n % 5 == 4 { (101, 160) } else { (114, 320) };
        PacketBuilder::new(payload_type, n, u32::from(n) * units, 9)
            .write(&[0], &mut wire)
            .unwrap();
        session
            .handle_rtp(now + ms(u64::from(n) * 20), &wire)
            .unwrap();
    }
    let reception = session.source(9).unwrap().reception().unwrap();
    assert_eq!((reception.received(), reception.max_jitter()), (200, 0));
}

#[test]
fn an_estimate_with_the_first_report_begins_no_storm() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let ssrc = session.ssrc();
    let block = ReportBlock {
        ssrc,
        ..ReportBlock::default()
    };
    let estimate = EstimatedBandwidth {
        ssrc,
        bandwidth: BandwidthEstimate::BitsPerSecond(1_000_000),
        confidence: None,
    };
    let mut report = Vec::new();
    Writer::new(&mut report)
        .receiver_report(7, [block], [Extension::EstimatedBandwidth(estimate)])
        .unwrap();
    let mut pairs = 0;
    for step in 0..240 {
        let at = now + ms(step * 250);
        session.handle_rtcp(at, &report, report.len()).unwrap();
        session.handle_timeout(at);
        pairs += sent(&mut session).len() / 2;
    }
    assert!((5..=30).contains(&pairs), "{pairs}");
    assert_eq!(session.probing(), (Rate::Normal, Mode::PacketPair));
}

#[test]
fn a_probe_whose_report_is_lost_is_no_sample() {
    let now = Instant::now();
    let mut estimator = Estimator::new(Trains::Unsupported);
    for step in 0..10 {
        let at = now + Duration::from_secs(10 * step);
        estimator.handle_probe(at, 7);
        estimator.handle_report(at + ms(2001), 7, 100);
    }
    assert_eq!(estimator.estimate(), None);
    assert!(!estimator.receives_pairs());
    for step in 0..3 {
        let at = now + Duration::from_secs(200 + 10 * step);
        estimator.handle_probe(at, 7);
        estimator.handle_report(at + ms(2000), 7, 100);
    }
    assert_eq!(estimator.estimate(), Some(400));
}

/// The own chunk of a compound: its CNAME and its media quality.
fn chunk_of(octets: &[u8]) -> Option<(Vec<u8>, Option<MediaQuality>)> {
    let compound = Compound::parse(octets).unwrap();
    let mut packets = compound.packets();
    let description = packets.find_map(|packet| match packet {
        Ok(RtcpPacket::SourceDescription(description)) => Some(description),
        _ => None,
    })?;
    let chunk = description.chunks().next()?.unwrap();
    let name = chunk.text(item::CNAME)?.to_vec();
    Some((name, chunk.media_quality().transpose().unwrap()))
}

#[test]
fn every_report_has_a_name_and_is_no_probe() {
    let now = Instant::now();
    let mut names = std::collections::BTreeSet::new();
    for seed in 1..=4 {
        let config = Config {
            media_quality: (seed == 4).then(MediaQuality::default),
            ..Config::default()
        };
        let mut session = machine(now, seed, config);
        let (outgoing, payload) = (Outgoing::default(), Fragment::whole(&[0], false));
        session
            .send(now, &outgoing, &payload, &mut Vec::new())
            .unwrap();
        session.handle_timeout(now + Duration::from_secs(9));
        let packets = sent(&mut session);
        let probes = packets
            .iter()
            .map(|octets| Compound::parse(octets).unwrap().is_probe());
        assert!(probes.eq([true, false]));
        let (name, quality) = chunk_of(&packets[1]).expect("a chunk");
        assert_eq!(name.len(), 24);
        assert_eq!(quality, (seed == 4).then(MediaQuality::default));
        let bad = MediaQuality { known: 1, bad: 1 };
        session.set_media_quality(bad).unwrap();
        let told = chunk_of(&sent(&mut session)[0]);
        assert_eq!(told, Some((name.clone(), Some(bad))));
        names.insert(name);
    }
    assert_eq!(names.len(), 4);
    // A lone SR with an extension is a report.
    let mut octets = Vec::new();
    let loss = Extension::PacketLoss(PacketLoss { sequence: 1 });
    Writer::new(&mut octets)
        .sender_report(7, &SenderInfo::default(), [], [loss])
        .unwrap();
    assert!(!Compound::parse(&octets).unwrap().is_probe());
    let mut session = machine(now, 1, Config::default());
    session.handle_rtcp(now, &octets, octets.len()).unwrap();
    assert_eq!(events(&mut session), [Event::PacketLost(1)]);
}

#[test]
fn sources_that_are_only_described_do_not_slow_the_reports() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    for from in (1..900).step_by(31) {
        let mut out = Vec::new();
        Writer::new(&mut out)
            .source_description(|chunks| {
                for msi in from..from + 31 {
                    chunks.chunk(msi);
                }
                Ok(())
            })
            .unwrap();
        session.handle_rtcp(now, &out, out.len()).unwrap();
    }
    assert!(session.sources().count() > 890);
    let mut at = now;
    while sent(&mut session).is_empty() {
        at = session.poll_timeout().unwrap();
        session.handle_timeout(at);
    }
    assert!(at < now + Duration::from_secs(20), "{:?}", at - now);
}

#[test]
fn requests_count_once_for_each_medium() {
    let now = Instant::now();
    let mut viewer = machine(now, 1, Config::default());
    let mut sender = machine(now, 2, Config::default());
    let mut wanted = |octets: &[u8], at| {
        sender.handle_datagram(at, octets, octets.len()).unwrap();
        events(&mut sender)
            .into_iter()
            .filter(|event| {
                matches!(
                    event,
                    Event::KeyFrameWanted { .. } | Event::VideoRequested { .. }
                )
            })
            .count()
    };
    // Two media and two speakers, repeated by turns.
    for media in [50, 51] {
        viewer.request_key_frame(now, media, 1).unwrap();
        viewer.request_video(now, media, false, &[]).unwrap();
    }
    let requests = sent(&mut viewer);
    let counts: Vec<_> = (0..3)
        .map(|_| {
            requests
                .iter()
                .map(|octets| wanted(octets, now))
                .sum::<usize>()
        })
        .collect();
    assert_eq!(counts, [4, 0, 0]);
    // PLIs without FCI have no Request Id.
    viewer.set_extended_pli(false);
    let mut heard = Vec::new();
    for (media, at) in [(50, 0), (51, 100), (50, 2000)] {
        let mut at = now + ms(at);
        viewer.request_key_frame(at, media, 1).unwrap();
        for _ in 0..5 {
            for octets in sent(&mut viewer).iter().filter(|octets| octets[1] == 206) {
                if octets.len() == 12 {
                    heard.push(wanted(octets, at));
                }
            }
            at += ms(190);
            viewer.handle_timeout(at);
        }
    }
    assert_eq!(heard, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn durations_have_a_limit() {
    type Change = fn(&mut Config, Duration);
    let now = Instant::now();
    let (day, longer) = (Duration::from_secs(86_400), Duration::MAX);
    let changes: [Change; 4] = [
        |config, duration| config.participant_timeout = duration,
        |config, duration| config.bye_timeout = duration,
        |config, duration| config.inactivity = duration,
        |config, duration| config.loss_spacing = duration,
    ];
    for change in changes {
        for (duration, good) in [(day, true), (day + ms(1), false), (longer, false)] {
            let mut config = Config::default();
            change(&mut config, duration);
            let session = Session::new(now, config, ChaCha20Rng::from_seed([1; 32]));
            assert_eq!(session.is_ok(), good, "{duration:?}");
        }
    }
    let mut reorder = Reorder::new(longer, 8);
    reorder.push(now, 1, ());
    assert_eq!(reorder.poll_timeout(), Some(now + day));
}

#[test]
fn what_is_negotiated_anew() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    session.set_remote_range(Some(100..=200)).unwrap();
    let outside = dropped(&mut session, now, &packet(99, 1, &[]));
    assert_eq!(outside, Some(Dropped::OutOfRange));
    assert!(session.set_remote_range(Some(0..=5)).is_err());
    assert_eq!(dropped(&mut session, now, &packet(150, 1, &[])), None);
    session.set_remote_range(None).unwrap();
    assert_eq!(dropped(&mut session, now, &packet(99, 1, &[])), None);
}

#[test]
fn a_limit_of_another_modality_is_not_that_of_video() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let mut heard = Vec::new();
    for modality in [Modality::Other(1), Modality::Video] {
        let limit = ModalityBandwidth {
            modality,
            limit: 300_000,
        };
        let mut report = Vec::new();
        Writer::new(&mut report)
            .receiver_report(7, [], [Extension::ModalityLimit(limit)])
            .unwrap();
        session.handle_rtcp(now, &report, report.len()).unwrap();
        heard.push(events(&mut session));
    }
    assert_eq!(heard, [vec![], vec![Event::SendLimit(300_000)]]);
}

#[test]
fn repetitions_are_not_counted() {
    let now = Instant::now();
    let mut session = machine(now, 1, Config::default());
    let mut wire = Vec::new();
    for duplicate in [false, true, true] {
        wire.clear();
        let outgoing = Outgoing {
            payload_type: 101,
            duplicate,
            ..Outgoing::default()
        };
        session
            .send(now, &outgoing, &Fragment::whole(&[0; 4], false), &mut wire)
            .unwrap();
    }
    assert_eq!(session.sent(), (1, 4));
}

#[test]
fn one_seed_gives_the_same_octets() {
    let now = Instant::now();
    let run = || {
        let mut session = machine(now, 7, Config::default());
        let mut all = Vec::new();
        for second in 0..60 {
            session.handle_timeout(now + Duration::from_secs(second));
            all.extend(sent(&mut session));
        }
        all
    };
    let first = run();
    assert!(first.len() >= 10);
    assert_eq!(first, run());
}

#[test]
fn reordering_with_a_bounded_delay() {
    let now = Instant::now();
    let mut reorder = Reorder::new(ms(60), 8);
    let out = |reorder: &mut Reorder<u16>, at| -> Vec<_> {
        std::iter::from_fn(|| reorder.pop(now + ms(at))).collect()
    };
    let packet = |sequence| Ordered::Packet {
        sequence,
        packet: sequence,
    };
    let lost = |first, count| Ordered::Lost { first, count };
    for (sequence, at) in [(65_534, 0), (0, 10), (65_535, 20)] {
        assert_eq!(reorder.push(now + ms(at), sequence, sequence), Pushed::Kept);
    }
    assert_eq!(
        out(&mut reorder, 20),
        [packet(65_534), packet(65_535), packet(0)]
    );
    assert_eq!(reorder.push(now, 0, 0), Pushed::Late);
    // 1 does not come.
    reorder.push(now + ms(40), 3, 3);
    reorder.push(now + ms(50), 2, 2);
    assert_eq!(reorder.push(now, 2, 2), Pushed::Duplicate);
    assert_eq!(out(&mut reorder, 99), []);
    assert_eq!(reorder.poll_timeout(), Some(now + ms(100)));
    assert_eq!(out(&mut reorder, 100), [lost(1, 1), packet(2), packet(3)]);
    assert_eq!(reorder.push(now, 1, 1), Pushed::Late);
    // Too many wait.
    for sequence in 5..13 {
        reorder.push(now + ms(200), sequence, sequence);
    }
    let mut expected = vec![lost(4, 1)];
    expected.extend((5..13).map(packet));
    assert_eq!(out(&mut reorder, 200), expected);
    // A jump costs nothing, and one back begins anew.
    reorder.push(now, 30_000, 30_000);
    assert_eq!(out(&mut reorder, 1000), [lost(13, 29_987), packet(30_000)]);
    assert_eq!(reorder.push(now, 20_000, 20_000), Pushed::Kept);
    assert_eq!(out(&mut reorder, 0), [packet(20_000)]);
    assert!(reorder.is_empty());
    assert_eq!(reorder.push(now, 20_002, 0), Pushed::Kept);
    // Who takes nothing out gets no more in.
    for n in 0..100 {
        let pushed = reorder.push(now, 20_003 + n, n);
        assert_eq!(pushed == Pushed::Full, n >= 7);
    }
    assert_eq!(reorder.len(), 8);
}

#[test]
fn the_interval_grows_with_the_members() {
    let now = Instant::now();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut average = |members, senders, we_sent| {
        let membership = Membership {
            members,
            senders,
            we_sent,
        };
        let mut timer = ReportTimer::new(now, 64_000, &mut rng);
        let mut sum = 0.0;
        for _ in 0..1000 {
            timer.restart(now, membership, &mut rng);
            sum += timer.due().duration_since(now).as_secs_f64();
        }
        sum / 1000.0
    };
    // RFC 3550 A.7 by hand: at least 5 s; else octets of a packet times members over the octets per second of their share.
    let near = |value: f64, expected: f64| (value / (expected / 1.21828) - 1.0).abs() < 0.05;
    assert!(near(average(2, 1, true), 5.0));
    assert!(near(average(1000, 10, false), 128.0 * 990.0 / 300.0));
    assert!(near(average(1000, 10, true), 128.0 * 10.0 / 100.0));
    assert!(near(average(100, 50, true), 128.0 * 100.0 / 400.0));
}

#[test]
fn a_report_is_put_off_when_many_came_and_comes_early_when_they_left() {
    let now = Instant::now();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let crowd = |members| Membership {
        members,
        senders: 0,
        we_sent: false,
    };
    let mut timer = ReportTimer::new(now, 64_000, &mut rng);
    let due = timer.due();
    assert!(!timer.handle_timeout(due, crowd(1000), &mut rng));
    let later = timer.due();
    assert!(later > due + Duration::from_secs(60));
    timer.handle_leave(due, 10);
    assert!(timer.due() < due + Duration::from_secs(10));
    timer.restart_fast(due, ms(250));
    assert!(!timer.handle_timeout(due + ms(249), crowd(1000), &mut rng));
    assert!(timer.handle_timeout(due + ms(250), crowd(1000), &mut rng));
}
