//! Several endpoints of one user (CALL flows 11 and 14 of the system).

mod common;

use std::time::Duration;

use common::{ALICE, Net, accept_streams, audio, call, call_with, config, ended};
use ocs_call::{Cause, Config, Event, ForkId, Limits, State};
use ocs_sip_core::{HeaderName, Method};

fn ring(net: &mut Net, side: usize) {
    let now = net.now();
    net.call(side).ring(now);
    net.run();
}

fn answer_early(net: &mut Net, side: usize) {
    accept_streams(net, side);
    let now = net.now();
    assert_eq!(net.call(side).answer_early(now), Ok(true));
    net.run();
}

fn accept(net: &mut Net, side: usize) {
    let now = net.now();
    net.call(side).accept(now).unwrap();
}

#[test]
fn both_have_early_media_and_one_answers() {
    let mut net = Net::new(2);
    call(&mut net);
    ring(&mut net, 1);
    ring(&mut net, 2);
    answer_early(&mut net, 1);
    answer_early(&mut net, 2);
    let forks: Vec<ForkId> = net.call(ALICE).forks().collect();
    let [one, two] = forks[..] else {
        panic!("{forks:?}");
    };
    assert_eq!(
        net.events(ALICE),
        [
            Event::Ringing { fork: Some(one) },
            Event::Ringing { fork: Some(two) },
            Event::EarlyMedia { fork: one },
            Event::EarlyMedia { fork: two },
        ]
    );
    // Each has its own keys.
    let key = |net: &mut Net, fork: ForkId| {
        let session = net.call(ALICE).session(fork).unwrap();
        let srtp = session.negotiated(0).unwrap().srtp.clone().unwrap();
        (srtp.local.master, srtp.remote.master)
    };
    let (first, second) = (key(&mut net, one), key(&mut net, two));
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
    net.clear();

    accept(&mut net, 2);
    net.run();
    assert_eq!(
        net.events(ALICE),
        [
            Event::ForkEnded { fork: one },
            Event::Answered { fork: two }
        ]
    );
    assert_eq!(net.events(2), [Event::Established]);
    let lost = ended(&mut net, 1);
    assert_eq!(lost.cause, Cause::Remote);
    assert!(lost.elsewhere && !lost.was_established);
    assert_eq!(lost.status, Some(200));
    assert_eq!(net.call(ALICE).forks().collect::<Vec<_>>(), [two]);
    assert_eq!(net.call(ALICE).current().unwrap().0, two);
}

#[test]
fn both_answer_and_one_dialog_survives() {
    let mut net = Net::new(2);
    call(&mut net);
    ring(&mut net, 1);
    ring(&mut net, 2);
    accept_streams(&mut net, 1);
    accept_streams(&mut net, 2);
    net.clear();
    accept(&mut net, 1);
    accept(&mut net, 2);
    net.run();
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Established, State::Established)
    );
    let lost = ended(&mut net, 2);
    // It was answered, and ended by a BYE.
    assert_eq!((lost.cause, lost.was_established), (Cause::Remote, true));
    let flow = net.flow();
    for line in ["0>1 ACK", "0>2 ACK", "0>2 BYE", "2>0 200 BYE"] {
        assert_eq!(
            flow.iter().filter(|other| *other == line).count(),
            1,
            "{line}"
        );
    }
    // A 200 that comes once more, of either, is acknowledged once more, and no more.
    let answers = [1, 2].map(|side| net.sent(side, "200 INVITE").clone());
    for (side, again) in [1, 2].into_iter().zip(answers) {
        net.clear();
        net.inject(ALICE, again);
        net.run();
        assert_eq!(net.flow(), [format!("0>{side} ACK")]);
    }
    assert_eq!(net.events(ALICE), []);
}

#[test]
fn answers_of_losers_end_long_after_the_call_was_answered() {
    let mut net = Net::new(2);
    call(&mut net);
    ring(&mut net, 1);
    ring(&mut net, 2);
    accept_streams(&mut net, 1);
    accept(&mut net, 1);
    net.run();
    let mut late = net.sent(2, "180 INVITE").clone();
    late.set_status(200, "OK");
    net.clear();
    net.advance(Duration::from_secs(20));
    net.inject(ALICE, late);
    net.run();
    assert_eq!(net.flow()[..2], ["0>2 ACK", "0>2 BYE"]);
    assert_eq!(net.state(ALICE), State::Established);
}

#[test]
fn all_refuse() {
    let mut net = Net::new(2);
    call(&mut net);
    ring(&mut net, 1);
    let now = net.now();
    net.call(1).decline(now, 486, None);
    net.run();
    assert_eq!(net.state(ALICE), State::Ringing);
    net.call(2).decline(now, 603, None);
    net.run();
    let refused = ended(&mut net, ALICE);
    assert_eq!((refused.cause, refused.status), (Cause::Refused, Some(603)));
    assert_eq!(refused.reason.as_deref(), Some("Decline"));
    assert_eq!(net.state(ALICE), State::Ended);
    assert_eq!(net.call(ALICE).forks().count(), 0);
}

#[test]
fn more_forks_than_there_is_room_for() {
    let mut net = Net::new(3);
    let small = Config {
        limits: Limits {
            forks: 2,
            ..Limits::default()
        },
        ..config(ALICE)
    };
    call_with(&mut net, small, vec![audio(ALICE)]);
    for side in 1..=3 {
        ring(&mut net, side);
        accept_streams(&mut net, side);
    }
    assert_eq!(net.call(ALICE).forks().count(), 2);
    accept(&mut net, 3);
    net.run();
    // Its 200 is acknowledged and ended; the others are the proxy's to cancel, which did so here.
    let flow = net.flow();
    assert!(flow.contains(&"0>3 ACK".to_owned()) && flow.contains(&"0>3 BYE".to_owned()));
    assert_eq!(net.state(ALICE), State::Ringing);
}

#[test]
fn a_fork_that_says_goodbye() {
    let mut net = Net::new(2);
    call(&mut net);
    ring(&mut net, 1);
    ring(&mut net, 2);
    net.clear();
    let fork = net.call(ALICE).forks().next().unwrap();
    let mut bye = net.call(1).dialog().unwrap().clone().request(Method::Bye);
    bye.push_front(HeaderName::Via, "SIP/2.0/TLS end1;branch=z9hG4bKbye");
    net.inject(ALICE, bye);
    net.run();
    assert_eq!(net.flow(), ["0>1 200 BYE"]);
    assert_eq!(net.events(ALICE), [Event::ForkEnded { fork }]);
    assert_eq!(net.call(ALICE).forks().count(), 1);
}
