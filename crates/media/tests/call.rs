//! A call with one answer: from the candidates to the final offer, and sound both ways.

mod common;

use std::time::Duration;

use common::{Call, FIRST};
use ocs_ice::Component;
use ocs_media::Event;
use ocs_rtp::session::Event as RtpEvent;

#[test]
fn sound_flows_both_ways_and_is_reported() {
    let mut call = Call::new();
    assert!(call.at(0).has(&Event::Gathered));
    call.connect();
    assert!(call.at(0).has(&Event::Usable { fork: FIRST }));
    let [caller, callee] = [0, 1].map(|side| {
        let pair = call.at(side).stream.selected(Component::Rtp).unwrap();
        (pair.local.address, pair.remote.address)
    });
    assert_eq!(caller, (callee.1, callee.0));
    for side in [0, 1] {
        call.talk(side, 50);
        let packets = &call.at(1 - side).packets;
        assert_eq!(packets.len(), 50);
        for (number, packet) in packets.iter().enumerate() {
            assert_eq!(packet.rtp().payload(), [number as u8; 160]);
            assert_eq!(packet.payload(), packet.rtp().payload());
        }
        let ssrc = call.at(side).stream.ssrc_range().first();
        assert_eq!(packets[0].rtp().ssrc(), ssrc);
        let new = Event::Rtp(RtpEvent::Source(ssrc));
        assert!(call.at(1 - side).has(&new));
    }
    call.testbed.run_for(Duration::from_secs(15));
    for side in [0, 1] {
        let stream = &call.at(side).stream;
        let report = stream.rtp().unwrap().peer_report().unwrap();
        assert_eq!(report.block.cumulative_lost, 0);
        let statistics = stream.statistics();
        assert_eq!(statistics.sent.packets, 50);
        assert_eq!(statistics.received.packets, 50);
        assert!(statistics.received.control > 1);
        assert_eq!((statistics.undecryptable, statistics.malformed), (0, 0));
    }
}

#[test]
fn the_final_offer_names_the_pair_and_gives_back_the_rest() {
    let mut call = Call::new();
    assert_eq!(call.at(0).stream.final_transport(), None);
    call.connect();
    let transport = call.at(0).stream.final_transport().unwrap();
    let lines: Vec<_> = transport.ice().collect();
    assert!(
        lines.contains(&"a=remote-candidates:1 203.0.113.101 20000 2 203.0.113.101 20001"),
        "{lines:?}"
    );
    call.round(0, |_| {});
    call.talk(0, 5);
    call.talk(1, 5);
    assert_eq!((call.heard(0), call.heard(1)), (5, 5));
}

#[test]
fn the_wire_has_no_sound_in_clear() {
    let mut call = Call::new();
    call.connect();
    let before = call.testbed.messages().count();
    call.talk(0, 10);
    let caller = call.caller.host;
    let sound: Vec<_> = call
        .testbed
        .messages()
        .skip(before)
        .filter(|message| message.flow.from == caller && message.text.len() > 150)
        .map(|message| message.text.clone())
        .collect();
    assert_eq!(sound.len(), 10);
    for (number, octets) in sound.iter().enumerate() {
        let clear = [number as u8; 16];
        assert!(!octets.windows(16).any(|window| window == clear));
    }
}

#[test]
fn closing_says_goodbye_and_stops() {
    let mut call = Call::new();
    call.connect();
    call.talk(0, 3);
    call.talk(1, 3);
    call.command(0, ocs_media::MediaStream::close);
    call.testbed.run_for(Duration::from_secs(1));
    let ssrc = call.at(0).stream.ssrc_range().first();
    let left =
        call.at(1).events.iter().any(
            |event| matches!(event, Event::Rtp(RtpEvent::Left { ssrc: who, .. }) if *who == ssrc),
        );
    assert!(left, "{:?}", call.at(1).events);
    assert_eq!(call.at(0).stream.poll_timeout(), None);
    assert!(call.say(0, 1).is_err());
}
