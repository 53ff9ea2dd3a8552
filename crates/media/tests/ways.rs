//! The ways that media takes: TCP, relays, and losses on them.

mod common;

use std::time::Duration;

use common::{Call, FIRST, Ways, config};
use ocs_ice::{CandidatePolicy, CandidateType, Component};
use ocs_media::{Config, Event};
use ocs_sdpext::negotiation;
use ocs_testbed::Link;

fn over(ways: Ways, adjust: impl Fn(&mut Config)) -> Call {
    Call::with(1, ways, negotiation::Config::default(), |role| {
        let mut config = config(role);
        adjust(&mut config);
        config
    })
}

fn assert_sound_flows(call: &mut Call) {
    for side in [0, 1] {
        let before = call.heard(1 - side);
        call.talk(side, 20);
        call.testbed.run_for(Duration::from_millis(200));
        assert_eq!(call.heard(1 - side) - before, 20);
    }
}

#[test]
fn over_tcp() {
    let mut call = over(Ways::Tcp, |_| {});
    let transport = call.at(0).stream.transport().unwrap();
    assert!(transport.tcp);
    call.connect();
    call.round(0, |_| {});
    assert_sound_flows(&mut call);
    let pair = call.at(0).stream.selected(Component::Rtp).unwrap();
    assert!(pair.local.transport.is_tcp());
}

#[test]
fn through_relays_only() {
    for ways in [Ways::UdpAndRelay, Ways::TcpRelay] {
        let mut call = over(ways, |config| {
            config.ice.candidates = CandidatePolicy::RelayOnly;
        });
        call.connect();
        call.round(0, |_| {});
        call.testbed.run_for(Duration::from_secs(4));
        assert_sound_flows(&mut call);
        let pair = call.at(0).stream.selected(Component::Rtp).unwrap();
        assert_eq!(pair.local.kind, CandidateType::Relayed, "{ways:?}");
        let default = call.at(0).stream.transport().unwrap();
        assert_eq!(default.rtp.ip(), common::at(common::RELAY).ip());
    }
}

#[test]
fn a_relay_needs_credentials() {
    let now = std::time::Instant::now();
    let config = config(ocs_ice::Role::Controlling);
    let mut stream = common::Media::new(now, config, common::rng(1)).unwrap();
    let base = common::at("192.0.2.1:20000");
    let refused = stream.add_relay(
        now,
        Component::Rtp,
        ocs_ice::Carrier::Udp,
        base,
        common::at(common::RELAY),
    );
    assert!(matches!(refused, Err(ocs_media::Error::WrongState { .. })));
}

#[test]
fn losses_are_counted_and_reported() {
    let mut call = Call::new();
    call.connect();
    call.testbed.set_default_link(Link {
        loss: 0.1,
        ..Link::default()
    });
    call.talk(0, 1000);
    let stream = &call.at(1).stream;
    let ssrc = call.at(0).stream.ssrc_range().first();
    let source = stream.rtp().unwrap().source(ssrc).unwrap();
    let lost = source.reception().unwrap().lost();
    assert!((60..140).contains(&lost), "{lost}");
    call.testbed.set_default_link(Link::default());
    call.talk(0, 500);
    let report = call.at(0).stream.rtp().unwrap().peer_report().unwrap();
    assert!(report.block.cumulative_lost > 50);
    assert!(report.round_trip.is_some());
}

#[test]
fn nobody_at_the_other_end() {
    let mut call = Call::new();
    let offer = call.offer();
    let answer = call.answer(1, &offer);
    call.take(FIRST, &answer);
    let callee = call.callees[0].host;
    call.testbed.partition(call.caller.host, callee);
    call.testbed.run_for(Duration::from_secs(40));
    for side in [0, 1] {
        let failed = call
            .at(side)
            .events
            .iter()
            .any(|event| matches!(event, Event::Failed { fork, .. } if *fork == FIRST));
        assert!(failed, "{:?}", call.at(side).events);
        assert!(call.say(side, 0).is_err());
        assert_eq!(call.at(side).stream.final_transport(), None);
    }
}
