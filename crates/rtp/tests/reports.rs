//! What reports say, and when they are sent.

mod common;

use std::time::{Duration, Instant};

use common::session::{
    Machine, chunk_of, events, machine, ms, packet, sender_report, sent, talk, timestamp_of,
};
use ocs_rtp::PacketBuilder;
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::extension::PacketLoss;
use ocs_rtp::rtcp::{Compound, Extension, MediaQuality, Quality, RtcpPacket, SenderInfo, Writer};
use ocs_rtp::session::{Config, Event, Membership, Outgoing, ReportTimer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
