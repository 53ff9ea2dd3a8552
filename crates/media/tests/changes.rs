//! What changes while a call lasts: hold, keys, the way itself.

mod common;

use std::time::Duration;

use common::{Call, FIRST, Ways, config};
use ocs_media::{Error, Event};
use ocs_rtp::payload::dtmf::{self, EventChange};
use ocs_rtp::session::Outgoing;
use ocs_sdpext::negotiation;

#[test]
fn on_hold_only_reports_flow() {
    let mut call = Call::new();
    call.connect();
    call.talk(0, 5);
    call.talk(1, 5);
    call.round(0, ocs_sdpext::negotiation::Session::hold);
    for side in [0, 1] {
        assert_eq!(call.say(side, 6), Err(Error::NotSending));
    }
    let reports =
        |call: &Call| [0, 1].map(|side| call.at(side).stream.statistics().received.control);
    let before = reports(&call);
    call.testbed.run_for(Duration::from_secs(40));
    for (before, after) in before.into_iter().zip(reports(&call)) {
        assert!(after >= before + 3, "{before} {after}");
    }
    for side in [0, 1] {
        let inactive = Event::Rtp(ocs_rtp::session::Event::Inactive);
        assert!(!call.at(side).has(&inactive));
    }
    call.round(0, ocs_sdpext::negotiation::Session::resume);
    call.talk(0, 5);
    call.talk(1, 5);
    assert_eq!((call.heard(0), call.heard(1)), (10, 10));
}

#[test]
fn who_only_receives_sends_no_media() {
    let mut call = Call::new();
    call.connect();
    let receives = ocs_sdpext::attribute::Direction::RecvOnly;
    call.round(0, |session| {
        session.stream_mut(0).unwrap().direction = receives;
    });
    assert_eq!(call.say(0, 0), Err(Error::NotSending));
    call.talk(1, 5);
    assert_eq!(call.heard(0), 5);
}

#[test]
fn media_that_is_not_wanted_is_not_delivered() {
    let mut call = Call::new();
    call.connect();
    for number in 0..3 {
        call.say(1, number).unwrap();
    }
    // On its way while the other side goes on hold.
    call.round(0, ocs_sdpext::negotiation::Session::hold);
    call.testbed.run_for(Duration::from_millis(100));
    assert_eq!(call.heard(0), 0);
    assert_eq!(call.at(0).stream.statistics().unwanted, 3);
}

#[test]
fn a_new_key_loses_nothing() {
    let mut call = Call::new();
    call.connect();
    call.talk(0, 3);
    for from in [0, 1] {
        let former = call.forks[&FIRST].negotiated(0).unwrap().srtp.clone();
        for side in [0, 1] {
            call.say(side, 10).unwrap();
        }
        call.round(from, |session| session.rekey(0).unwrap());
        assert_ne!(call.forks[&FIRST].negotiated(0).unwrap().srtp, former);
        for side in [0, 1] {
            call.say(side, 11).unwrap();
        }
        call.testbed.run_for(Duration::from_secs(10));
    }
    assert_eq!((call.heard(0), call.heard(1)), (4, 7));
    call.talk(0, 3);
    assert_eq!(call.heard(1), 10);
    for side in [0, 1] {
        assert_eq!(call.at(side).stream.statistics().undecryptable, 0);
    }
}

#[test]
fn a_restart_finds_the_way_anew_while_sound_goes_on() {
    let mut call = Call::new();
    call.connect();
    call.round(0, |_| {});
    call.talk(0, 5);
    for from in [0, 1] {
        let former = call.plan(from).transport;
        call.command(from, |stream, now| stream.restart(now).unwrap());
        for side in [0, 1] {
            call.say(side, 20).unwrap();
        }
        let gathered = |call: &Call| {
            let events = call.at(from).events.iter();
            events.filter(|event| **event == Event::Gathered).count()
        };
        assert!(gathered(&call) > 1);
        call.round(from, |_| {});
        assert_ne!(call.plan(from).transport, former);
        let connected = |call: &Call, side: usize| {
            let events = call.at(side).events.iter();
            let connected = Event::Connected { fork: FIRST };
            events.filter(|event| **event == connected).count()
        };
        for number in 21..40 {
            for side in [0, 1] {
                call.say(side, number).unwrap();
            }
            call.testbed.run_for(Duration::from_millis(20));
        }
        call.testbed.run_for(Duration::from_secs(4));
        assert_eq!(connected(&call, 0), 2 + from);
        assert_eq!(connected(&call, 1), 2 + from);
    }
    assert_eq!((call.heard(0), call.heard(1)), (40, 45));
}

#[test]
fn reports_have_a_path_of_their_own_without_multiplexing() {
    for multiplexed in [true, false] {
        let negotiation = negotiation::Config {
            rtcp_mux: multiplexed,
            ..negotiation::Config::default()
        };
        let mut call = Call::with(1, Ways::Udp, negotiation, config);
        call.connect();
        let before = call.testbed.messages().count();
        call.talk(0, 500);
        let messages = call.testbed.messages().skip(before);
        let caller = call.caller.host;
        let ports: Vec<_> = messages
            .filter(|message| message.flow.from == caller && message.text[0] & 0xC0 == 0x80)
            .filter(|message| (192..=223).contains(&message.text[1]))
            .map(|message| message.flow.destination.port())
            .collect();
        assert!(!ports.is_empty());
        let expected = if multiplexed { 20_000 } else { 20_001 };
        assert!(ports.iter().all(|port| *port == expected), "{ports:?}");
        assert!(call.at(1).stream.statistics().received.control > 0);
    }
}

#[test]
fn digits_go_out_as_events() {
    let mut call = Call::new();
    call.connect();
    let mut sender = dtmf::Sender::new(20, 10).unwrap();
    sender.send(dtmf::Event::of_key('7').unwrap(), 100).unwrap();
    for number in 0..20 {
        if let Some(packet) = sender.tick(number * 160) {
            let event = Outgoing {
                payload_type: 101,
                timestamp: packet.timestamp,
                duplicate: packet.duplicate,
                event: true,
                ..Outgoing::default()
            };
            call.command(0, |stream, now| {
                stream.send(now, &event, &packet.payload).unwrap();
            });
        } else {
            call.say(0, number).unwrap();
        }
        call.testbed.run_for(Duration::from_millis(20));
    }
    let mut receiver = dtmf::Receiver::new();
    let mut pressed = Vec::new();
    for packet in &call.at(1).packets {
        let rtp = packet.rtp();
        if rtp.payload_type() == 101 {
            let now = call.testbed.now();
            receiver
                .handle_packet(now, rtp.timestamp(), rtp.payload())
                .unwrap();
        }
        while let Some(change) = receiver.poll_event() {
            pressed.push(change);
        }
    }
    let seven = dtmf::Event::of_key('7').unwrap();
    let expected = [EventChange::Started(seven), EventChange::Ended(seven, 800)];
    assert_eq!(pressed, expected);
    assert_eq!(call.heard(1), 20);
}

#[test]
fn policies_of_encryption() {
    use ocs_sdpext::negotiation::EncryptionPolicy::{DoNotSupport, Require, Support};
    for (policy, secret) in [(Require, true), (Support, true), (DoNotSupport, false)] {
        let negotiation = negotiation::Config {
            encryption: policy,
            ..negotiation::Config::default()
        };
        let mut call = Call::with(1, Ways::Udp, negotiation, config);
        call.connect();
        let before = call.testbed.messages().count();
        call.talk(0, 3);
        assert_eq!(call.heard(1), 3);
        let clear = call.testbed.messages().skip(before).any(|message| {
            let text = &message.text;
            text.windows(160).any(|window| window == [2; 160])
        });
        assert_eq!(clear, !secret, "{policy:?}");
    }
}

#[test]
fn a_peer_without_ice_is_reached_at_its_default_address() {
    let allowed = |role| ocs_media::Config {
        allow_without_ice: true,
        ..config(role)
    };
    let mut call = Call::with(1, Ways::Udp, negotiation::Config::default(), allowed);
    call.without_ice = true;
    call.begin();
    for side in [0, 1] {
        assert!(call.at(side).has(&Event::Connected { fork: FIRST }));
        assert_eq!(call.at(side).stream.final_transport(), None);
    }
    call.talk(0, 200);
    call.talk(1, 200);
    assert_eq!((call.heard(0), call.heard(1)), (200, 200));
    call.testbed.run_for(Duration::from_secs(10));
    // Never multiplexed: that takes ICE.
    for side in [0, 1] {
        assert!(call.at(side).stream.statistics().received.control > 0);
    }
    // On hold in the old way the address stays; another one is taken.
    let nowhere = "0.0.0.0:20000".parse().unwrap();
    call.round(1, |session| {
        session.stream_mut(0).unwrap().transport = negotiation::Transport::new(nowhere);
    });
    assert_eq!(call.say(0, 0), Err(Error::NotSending));
    call.round(1, |_| {});
    call.talk(0, 3);
    assert_eq!(call.heard(1), 203);
}

#[test]
fn a_peer_without_ice_is_refused_unless_allowed() {
    let mut call = Call::new();
    let offer = call.offer();
    let answer = call.answer(1, &offer);
    let mut session = call.caller.session.clone();
    let answer = answer.to_string();
    let of_ice = |line: &&str| {
        line.contains("candidate") || line.starts_with("a=ice") || *line == "a=rtcp-mux"
    };
    let lines: Vec<_> = answer.lines().filter(|line| !of_ice(line)).collect();
    let stripped = lines.join("\r\n") + "\r\n";
    let answer = ocs_sdpext::Sdp::parse(stripped.into(), &ocs_sdpext::Limits::default()).unwrap();
    session
        .handle_answer(&answer, negotiation::Stage::Final)
        .unwrap();
    call.forks.insert(FIRST, session);
    assert_eq!(call.agree_fork(FIRST), Err(Error::WithoutIce));
    assert_eq!(call.at(0).stream.forks().count(), 0);
}
