//! Sessions on a virtual clock: order, the end of sources, one seed.

mod common;

use std::time::{Duration, Instant};

use common::session::{dropped, events, machine, ms, packet, sent};
use ocs_rtp::session::{Config, DominantSpeaker, Dropped, Event};
use ocs_rtp::{Ordered, Pushed, Reorder, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
