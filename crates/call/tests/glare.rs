//! Offers that meet, wait, and are given up (RFC 3261 14).

mod common;

use std::time::Duration;

use common::{ALICE, Net, active, answer, direction, established, host, offer, round, video};
use ocs_call::{Event, State};
use ocs_sdpext::attribute::Direction;
use ocs_sdpext::negotiation::Stream;
use ocs_sip_core::{HeaderName, Message};

#[test]
fn offers_that_meet() {
    let mut net = established();
    net.call(ALICE).hold();
    net.call(1).add_stream(video(1)).unwrap();
    net.call(ALICE).offer().unwrap();
    net.call(1).offer().unwrap();
    net.run();
    let refused = net
        .flow()
        .iter()
        .filter(|line| line.contains("491"))
        .count();
    assert_eq!(refused, 2);
    // Who was called comes first, within 2 s.
    net.advance(Duration::from_millis(2090));
    answer(&mut net, ALICE);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (2, 2));
    // What she wanted, and he could not say no to, was in her answer.
    assert!(net.call(ALICE).is_held());
    // Who called after 2.1 to 4 s.
    net.advance(Duration::from_millis(2000));
    answer(&mut net, 1);
    assert!(net.call(ALICE).is_held());
    assert_eq!(direction(&mut net, 1, 1), Some(Direction::Inactive));
}

#[test]
fn both_add_video() {
    let mut net = established();
    for side in [ALICE, 1] {
        assert_eq!(net.call(side).add_stream(video(side)), Ok(1));
        net.call(side).offer().unwrap();
    }
    net.run();
    for side in [ALICE, 1] {
        net.advance(Duration::from_millis(2090));
        answer(&mut net, side);
    }
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (2, 2));
    let session = net.call(ALICE).current().unwrap().1;
    assert_eq!(session.len(), 2);
}

#[test]
fn a_place_that_is_lost_to_the_peer() {
    let mut net = established();
    net.call(ALICE).add_stream(video(ALICE)).unwrap();
    let data = Stream::data(host(1, 50_020), Direction::SendOnly);
    net.call(1).add_stream(data.clone()).unwrap();
    net.call(ALICE).offer().unwrap();
    net.call(1).offer().unwrap();
    net.run();
    net.advance(Duration::from_millis(2090));
    let taken = Stream::data(host(ALICE, 50_020), Direction::RecvOnly);
    net.call(ALICE).accept_stream(1, taken).unwrap();
    let now = net.now();
    net.call(ALICE).answer(now).unwrap();
    net.run();
    net.clear();
    net.advance(Duration::from_millis(2000));
    let reason = "Request Pending".to_owned();
    let refused = Event::ChangeRefused {
        status: 491,
        reason,
    };
    assert_eq!(net.events(ALICE), [refused]);
    // It is added in another one.
    assert_eq!(net.call(ALICE).add_stream(video(ALICE)), Ok(2));
    round(&mut net, ALICE);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (3, 3));
}

#[test]
fn an_offer_waits_for_the_round_that_runs() {
    let mut net = established();
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    // Ours is on its way, theirs waits for us: both wait.
    net.call(ALICE).resume();
    net.call(ALICE).offer().unwrap();
    net.call(1).hold();
    net.call(1).offer().unwrap();
    net.run();
    assert_eq!(net.flow(), ["0>1 INVITE"]);
    net.clear();
    let now = net.now();
    net.call(1).answer(now).unwrap();
    net.run();
    // What Bob wanted is in his answer already; his offer meets Alice's.
    assert_eq!(net.flow()[..2], ["1>0 200 INVITE", "0>1 ACK"]);
    for _ in 0..4 {
        net.advance(Duration::from_millis(2090));
        for side in [ALICE, 1] {
            let now = net.now();
            let _ = net.call(side).answer(now);
        }
        net.run();
    }
    assert!(!net.call(ALICE).is_held() && net.call(1).is_held());
    assert!(net.call(ALICE).peer_holds() && !net.call(1).peer_holds());
}

#[test]
fn an_offer_that_always_meets_another_is_given_up() {
    let mut net = established();
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    for _ in 0..8 {
        refuse_with(&mut net, 491);
        net.advance(Duration::from_secs(4));
    }
    assert_eq!(net.events(ALICE), []);
    refuse_with(&mut net, 491);
    let reason = "Request Pending".to_owned();
    assert_eq!(
        net.events(ALICE),
        [Event::ChangeRefused {
            status: 491,
            reason
        }]
    );
    assert!(!net.call(ALICE).is_held());
}

/// Bob's program refuses what waits.
fn refuse_with(net: &mut Net, status: u16) {
    net.call(1).refuse_offer(status);
    net.run();
}

#[test]
fn a_peer_that_is_busy_with_an_offer() {
    let mut net = established();
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    let mut second = net.sent(ALICE, "INVITE").clone();
    second.set(HeaderName::CSeq, "9 INVITE");
    second.set(HeaderName::Via, "SIP/2.0/UDP end0;branch=z9hG4bKother");
    net.inject(1, second);
    net.run();
    let refused = net.sent(1, "500 INVITE");
    assert!(refused.number(HeaderName::RetryAfter).unwrap().unwrap() <= 10);
}

#[test]
fn the_peer_cancels_its_offer() {
    let mut net = established();
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    net.clear();
    let now = net.now();
    let mut cancel = Message::request(ocs_sip_core::Method::Cancel, "sip:x");
    cancel.push(HeaderName::CSeq, "1 CANCEL");
    net.call(1).handle_cancel(now, &cancel);
    net.run();
    // Of another request.
    assert_eq!(net.flow(), Vec::<String>::new());
    cancel.set(HeaderName::CSeq, "2 CANCEL");
    net.call(1).handle_cancel(now, &cancel);
    net.run();
    assert_eq!(net.flow()[0], "1>0 487 INVITE");
    assert!(!net.call(1).peer_holds());
    assert_eq!(net.state(1), State::Established);
    round(&mut net, 1);
}
