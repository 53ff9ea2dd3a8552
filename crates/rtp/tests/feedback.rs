//! Requests for pictures and reports of lost ones.

mod common;

use std::time::{Duration, Instant};

use common::session::{entry, events, machine, ms, sent};
use ocs_rtp::Session;
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::{SOURCE_ANY, SOURCE_NONE};
use ocs_rtp::session::{Config, Event, Outgoing};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
