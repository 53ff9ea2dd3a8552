//! Packet pairs, packet trains, and limits of the peer.

mod common;

use std::time::{Duration, Instant};

use common::rewrite;
use common::session::{events, exchange, machine, ms, sent, talk};
use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::extension::{
    AudioHealer, BandwidthEstimate, EstimatedBandwidth, Modality, ModalityBandwidth, PacketLoss,
    TrainPacket,
};
use ocs_rtp::rtcp::{Compound, Extension, ReportBlock, RtcpPacket, Writer};
use ocs_rtp::session::{Config, Estimator, Event, Mode, Outgoing, Rate, Trains};

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
