//! Changes of an established call: the second offer, video, hold.

mod common;

use std::time::Duration;

use common::{ALICE, Net, active, answer, direction, established, offer, round, video};
use ocs_call::{Event, State};
use ocs_sdpext::attribute::Direction;
use ocs_sip_core::{HeaderName, Method};

/// A path that ICE has selected.
fn selected(side: usize) -> ocs_sdpext::negotiation::Transport {
    let ice = format!(
        "a=ice-ufrag:aB{side}d50000\r\na=ice-pwd:0123456789abcdefghijAB{side}D\r\n\
         a=candidate:1 1 UDP 2130706431 192.0.2.{side} 50000 typ host\r\n\
         a=remote-candidates:1 192.0.2.9 50000\r\n"
    );
    let address = format!("192.0.2.{side}:50000").parse().unwrap();
    ocs_sdpext::negotiation::Transport::new(address)
        .with_ice(&ice)
        .unwrap()
}

#[test]
fn the_offer_with_the_selected_candidates() {
    let mut net = established();
    net.call(ALICE).stream_mut(0).unwrap().transport = selected(ALICE);
    offer(&mut net, ALICE);
    // Bob's ICE needs some time more.
    net.advance(Duration::from_secs(3));
    assert_eq!(net.flow(), ["0>1 INVITE", "1>0 100 INVITE"]);
    net.call(1).stream_mut(0).unwrap().transport = selected(1);
    answer(&mut net, 1);
    assert_eq!(net.flow()[2..], ["1>0 200 INVITE", "0>1 ACK"]);
    for (side, what) in [(ALICE, "INVITE"), (1, "200 INVITE")] {
        let body = net.sent(side, what).body().clone();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains("a=remote-candidates:1 192.0.2.9 50000"),
            "{body}"
        );
    }
    assert_eq!(net.events(ALICE), [Event::Changed]);
    assert_eq!(net.events(1), [Event::Changed]);
    assert_eq!(
        net.sent(ALICE, "INVITE").header(HeaderName::CSeq),
        Some("2 INVITE")
    );
}

#[test]
fn video_is_added_and_taken_away() {
    let mut net = established();
    let keys = |net: &mut Net| {
        let session = net.call(ALICE).current().unwrap().1;
        session.negotiated(0).unwrap().srtp.clone()
    };
    let before = keys(&mut net);
    // By who was called.
    assert_eq!(net.call(1).add_stream(video(1)), Ok(1));
    round(&mut net, 1);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (2, 2));
    assert_eq!(keys(&mut net), before);
    net.call(ALICE).remove_stream(1);
    round(&mut net, ALICE);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (1, 1));
    // The place is used again.
    assert_eq!(net.call(ALICE).add_stream(video(ALICE)), Ok(1));
    round(&mut net, ALICE);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (2, 2));
}

#[test]
fn video_is_refused() {
    let mut net = established();
    net.call(ALICE).add_stream(video(ALICE)).unwrap();
    offer(&mut net, ALICE);
    let now = net.now();
    net.call(1).answer(now).unwrap();
    net.run();
    assert_eq!(net.events(ALICE), [Event::Changed]);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (1, 1));
    // The whole offer is.
    net.call(ALICE).add_stream(video(ALICE)).unwrap();
    offer(&mut net, ALICE);
    net.call(1).refuse_offer(488);
    net.run();
    let reason = "Not Acceptable Here".to_owned();
    let refused = Event::ChangeRefused {
        status: 488,
        reason,
    };
    assert_eq!(net.events(ALICE), [refused]);
    assert_eq!((active(&mut net, ALICE), active(&mut net, 1)), (1, 1));
    round(&mut net, 1);
    assert_eq!(net.state(ALICE), State::Established);
}

#[test]
fn hold_and_retrieve() {
    let mut net = established();
    net.call(ALICE).hold();
    round(&mut net, ALICE);
    let contact = |net: &Net| {
        net.sent(ALICE, "INVITE")
            .header(HeaderName::Contact)
            .unwrap()
            .to_owned()
    };
    assert!(contact(&net).ends_with(">;+sip.rendering=\"no\""));
    assert_eq!(net.events(1), [Event::Changed, Event::PeerHolds(true)]);
    // The answer to it is inactive too, and no hold of Bob's.
    assert_eq!(net.events(ALICE), [Event::Changed]);
    assert!(net.call(ALICE).is_held() && net.call(1).peer_holds());
    assert!(!net.call(ALICE).peer_holds());
    assert_eq!(direction(&mut net, 1, 0), Some(Direction::Inactive));

    // Both hold.
    net.call(1).hold();
    round(&mut net, 1);
    assert_eq!(net.events(ALICE), [Event::Changed, Event::PeerHolds(true)]);
    net.call(ALICE).resume();
    round(&mut net, ALICE);
    assert!(!contact(&net).contains("rendering"));
    assert_eq!(direction(&mut net, ALICE, 0), Some(Direction::Inactive));
    assert!(net.call(ALICE).peer_holds() && !net.call(1).peer_holds());
    net.call(1).resume();
    round(&mut net, 1);
    assert_eq!(direction(&mut net, ALICE, 0), Some(Direction::SendRecv));
    assert_eq!(direction(&mut net, 1, 0), Some(Direction::SendRecv));
    assert!(!net.call(ALICE).peer_holds());
}

#[test]
fn an_offer_in_update() {
    let mut net = established();
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    let held = net.sent(ALICE, "INVITE").body().clone();
    net.call(1).refuse_offer(488);
    net.run();
    net.clear();
    let mut update = net.call(ALICE).dialog().unwrap().clone();
    let mut update = update.request(Method::Update);
    update.push(HeaderName::Via, "SIP/2.0/UDP end0;branch=z9hG4bKupdate");
    update.set_body("application/sdp", held);
    net.inject(1, update);
    net.run();
    answer(&mut net, 1);
    // Without ACK.
    assert_eq!(net.flow(), ["1>0 200 UPDATE"]);
    assert!(!net.sent(1, "200 UPDATE").body().is_empty());
    assert_eq!(net.events(1), [Event::Changed, Event::PeerHolds(true)]);
    net.advance(Duration::from_secs(40));
    assert_eq!(net.state(1), State::Established);
}
