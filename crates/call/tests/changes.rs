//! Changes of an established call: the second offer, video, hold, offers that meet.

mod common;

use std::time::Duration;

use common::{
    ALICE, Net, accept_streams, audio, call, call_with, config, established, host, invite, rng,
    video,
};
use ocs_call::{Call, Config, Event, State};
use ocs_sdpext::attribute::Direction;
use ocs_sdpext::negotiation::Stream;
use ocs_sip_core::{HeaderName, Message};

fn offer(net: &mut Net, side: usize) {
    net.call(side).offer().unwrap();
    net.run();
}

/// The other side answers what was offered.
fn answer(net: &mut Net, side: usize) {
    accept_streams(net, side);
    let now = net.now();
    net.call(side).answer(now).unwrap();
    net.run();
}

fn round(net: &mut Net, side: usize) {
    offer(net, side);
    answer(net, 1 - side);
}

fn direction(net: &mut Net, side: usize, stream: usize) -> Option<Direction> {
    let session = net.call(side).current().unwrap().1;
    session.negotiated(stream).map(|agreed| agreed.direction)
}

fn active(net: &mut Net, side: usize) -> usize {
    let session = net.call(side).current().unwrap().1;
    (0..session.len())
        .filter_map(|at| session.negotiated(at))
        .count()
}

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

#[test]
fn requests_out_of_order_and_unknown_ones() {
    let mut net = established();
    let mut old = net
        .call(ALICE)
        .dialog()
        .unwrap()
        .clone()
        .request(ocs_sip_core::Method::Info);
    old.push(HeaderName::Via, "SIP/2.0/UDP end0;branch=z9hG4bKold");
    old.set(HeaderName::CSeq, "0 INFO");
    net.inject(1, old);
    net.run();
    assert_eq!(net.flow(), ["1>0 500 INFO"]);
    net.clear();
    let bodies = [
        ("INFO", 200),
        ("OPTIONS", 200),
        ("MESSAGE", 405),
        ("NOTIFY", 481),
        ("PRACK", 481),
    ];
    for (number, (method, status)) in (2..).zip(bodies) {
        let line = format!("{number} {method}");
        let method = ocs_sip_core::Method::from_token(method);
        let mut request = net.call(ALICE).dialog().unwrap().clone().request(method);
        let via = format!("SIP/2.0/UDP end0;branch=z9hG4bKx{number}");
        request.push(HeaderName::Via, &via);
        request.set(HeaderName::CSeq, &line);
        net.inject(1, request);
        net.run();
        let answered = net.messages.last().unwrap();
        assert_eq!(answered.status(), Some(status), "{line}");
        if status == 405 || line.contains("OPTIONS") {
            assert!(answered.lists(HeaderName::Allow, "UPDATE"));
        }
    }
    assert_eq!(net.state(1), State::Established);
}

#[test]
fn commands_at_the_wrong_time() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    let alice = net.call(ALICE);
    assert!(alice.offer().is_err());
    assert!(alice.answer(now).is_err());
    assert!(alice.accept(now).is_err());
    assert!(alice.answer_early(now).is_err());
    assert!(alice.accept_stream(0, audio(ALICE)).is_err());
    assert!(alice.add_stream(video(ALICE)).is_err());
    assert!(alice.stream_mut(0).is_none());
    alice.ring(now);
    alice.decline(now, 486, None);
    alice.refuse_offer(488);
    assert_eq!(alice.poll_action(), None);
    assert_eq!(alice.state(), State::Calling);
    let bob = net.call(1);
    assert!(bob.offer().is_err());
    assert!(bob.answer(now).is_err());
    assert!(bob.accept_stream(3, audio(1)).is_err());
    assert!(bob.accept_stream(0, video(1)).is_err());
    let none = Call::outgoing(now, config(0), invite(), Vec::new(), &[], rng(0));
    assert!(none.is_err());
    let mut inside = invite();
    inside.set(HeaderName::To, "<sip:bob@contoso.com>;tag=1");
    let inside = Call::outgoing(now, config(0), inside, vec![audio(0)], &[], rng(0));
    assert_eq!(inside.map(|_| ()), Err(ocs_call::Error::NotInitial));
}

#[test]
fn the_headers_of_an_invite() {
    let mut net = Net::new(1);
    let config = Config {
        user_agent: "UCCAPI/16.0.4522.1000 OC/16.0.4522.1000 (Skype for Business)".to_owned(),
        ..config(ALICE)
    };
    call_with(&mut net, config, vec![audio(ALICE)]);
    let sent = net.sent(ALICE, "INVITE");
    // What the recorded INVITE of a client of 2016 has, this one has too.
    let recorded = include_str!("data/invite-sfb2016-audio-video.sip");
    let limits = ocs_sip_core::Limits::default();
    let recorded = Message::parse(recorded.into(), &limits).unwrap();
    for tag in recorded.values(HeaderName::Supported) {
        // Route recovery is not done here.
        let expected = tag != "ms-dialog-route-set-update";
        assert_eq!(sent.lists(HeaderName::Supported, tag), expected, "{tag}");
    }
    for method in recorded.values(HeaderName::Allow) {
        assert!(sent.lists(HeaderName::Allow, method), "{method}");
    }
    for name in [
        HeaderName::MsKeepAlive,
        HeaderName::UserAgent,
        HeaderName::ContentType,
    ] {
        assert_eq!(sent.header(name), recorded.header(name));
    }
    assert_eq!(
        net.call(1).remote_user_agent(),
        recorded.header(HeaderName::UserAgent)
    );
}
