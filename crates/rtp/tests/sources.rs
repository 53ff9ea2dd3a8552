//! Whom a session hears: throttling, limits, ranges, collisions.

mod common;

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use common::session::{dropped, events, machine, ms, packet, sent};
use ocs_rtp::Session;
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::{Compound, RtcpPacket, Writer};
use ocs_rtp::session::{Config, Dropped, Event, Outgoing, SequenceState, Throttle, Verdict};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
