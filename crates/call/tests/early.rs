//! Answers before the call is answered ([MS-SDPEXT] 3.1.5.12, 3.1.5.13; RFC 3262).

mod common;

use std::time::Duration;

use common::{ALICE, Net, accept_streams, audio, call, call_with, config, ended, invite, rng};
use ocs_call::{Action, Call, Cause, Config, Event, State, TransactionId};
use ocs_sdpext::negotiation::Transport;
use ocs_sip_core::{HeaderName, Message, Method};

fn answer_early(net: &mut Net, side: usize) -> bool {
    accept_streams(net, side);
    let now = net.now();
    let sent = net.call(side).answer_early(now).unwrap();
    net.run();
    sent
}

#[test]
fn without_100rel_the_answer_comes_once() {
    let mut net = Net::new(1);
    let plain = Config {
        reliable_provisional: false,
        ..config(ALICE)
    };
    call_with(&mut net, plain, vec![audio(ALICE)]);
    assert!(answer_early(&mut net, 1));
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    let flow = ["0>1 INVITE", "1>0 183 INVITE", "1>0 200 INVITE", "0>1 ACK"];
    assert_eq!(net.flow(), flow);
    assert!(
        !net.sent(1, "183 INVITE")
            .lists(HeaderName::Require, "100rel")
    );
    // Never in a request ([MS-SDPEXT] 3.1.5.13).
    assert_eq!(net.sent(ALICE, "INVITE").header(HeaderName::Require), None);
}

#[test]
fn a_forked_call_without_100rel_is_not_answered_early() {
    let invite_via = |branched: &str| {
        let mut invite = offered();
        let via = format!("SIP/2.0/TLS fe01.contoso.com;branch=z9hG4bK1;branched={branched}");
        invite.push_front(HeaderName::Via, &via);
        invite
    };
    for (branched, sent) in [("TRUE", false), ("FALSE", true)] {
        let mut invite = invite_via(branched);
        let supported = invite.header(HeaderName::Supported).unwrap();
        let supported = supported.replace("100rel", "x");
        invite.set(HeaderName::Supported, &supported);
        let mut call = incoming(&invite);
        call.accept_stream(0, audio(1)).unwrap();
        let now = std::time::Instant::now();
        assert_eq!(call.answer_early(now), Ok(sent), "{branched}");
    }
    // With it every endpoint may.
    let mut call = incoming(&invite_via("TRUE"));
    call.accept_stream(0, audio(1)).unwrap();
    assert_eq!(call.answer_early(std::time::Instant::now()), Ok(true));
}

#[test]
fn without_ice_there_is_no_early_media() {
    let mut net = Net::new(1);
    let mut stream = audio(ALICE);
    stream.transport = Transport::new("192.0.2.1:50000".parse().unwrap());
    call_with(&mut net, config(ALICE), vec![stream]);
    assert!(!answer_early(&mut net, 1));
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    let flow = ["0>1 INVITE", "1>0 200 INVITE", "0>1 ACK"];
    assert_eq!(net.flow(), flow);
}

#[test]
fn early_media_can_be_switched_off() {
    let mut net = Net::new(1);
    net.config = |side| Config {
        early_media: false,
        ..config(side)
    };
    call(&mut net);
    assert!(!answer_early(&mut net, 1));
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    let ringing = net.sent(1, "180 INVITE");
    assert!(ringing.body().is_empty());
    assert!(!ringing.lists(HeaderName::Supported, "ms-early-media"));
}

#[test]
fn the_200_waits_for_the_prack() {
    let mut call = incoming(&offered());
    call.accept_stream(0, audio(1)).unwrap();
    let now = std::time::Instant::now();
    assert_eq!(call.answer_early(now), Ok(true));
    let early = respond(&mut call).unwrap();
    call.accept(now).unwrap();
    assert_eq!(call.poll_action(), None);
    assert_eq!(call.state(), State::Early);
    // It is repeated until then.
    call.handle_timeout(now + Duration::from_millis(500));
    assert_eq!(respond(&mut call), Some(early.clone()));
    // One for another response acknowledges nothing.
    let rseq = early.header(HeaderName::RSeq).unwrap();
    for (rack, status) in [("1 1 INVITE", 481), (&*format!("{rseq} 1 INVITE"), 200)] {
        call.handle_request(now, TransactionId(2), &prack(rack));
        assert_eq!(respond(&mut call).unwrap().status(), Some(status));
    }
    let answered = respond(&mut call).unwrap();
    assert_eq!(answered.status(), Some(200));
    assert_eq!(answered.body(), early.body());
    assert_eq!(call.state(), State::Established);
}

#[test]
fn an_early_answer_that_is_never_acknowledged_ends_the_call() {
    let mut call = incoming(&offered());
    call.accept_stream(0, audio(1)).unwrap();
    let start = std::time::Instant::now();
    call.answer_early(start).unwrap();
    let mut times = 0;
    while let Some(at) = call.poll_timeout() {
        call.handle_timeout(at);
        while let Some(response) = respond(&mut call) {
            times += 1;
            if response.status() == Some(504) {
                assert_eq!(at - start, Duration::from_secs(32));
            }
        }
    }
    // At once, after 0.5, 1.5, 3.5, 7.5 s and then every 4 s; and the 504.
    assert_eq!(times, 12);
    while let Some(event) = call.poll_event() {
        if let Event::Ended(ended) = event {
            assert_eq!(ended.cause, Cause::Unacknowledged);
            return;
        }
    }
    panic!("not ended");
}

#[test]
fn a_second_offer_before_the_answer_is_none() {
    let mut call = incoming(&offered());
    call.accept_stream(0, audio(1)).unwrap();
    let now = std::time::Instant::now();
    call.answer_early(now).unwrap();
    while call.poll_action().is_some() {}
    let mut update = in_dialog(Method::Update, 2);
    let offer = offered();
    update.set_body("application/sdp", offer.body().clone());
    call.handle_request(now, TransactionId(2), &update);
    let response = respond(&mut call).unwrap();
    assert_eq!(response.status(), Some(500));
    assert!(response.number(HeaderName::RetryAfter).unwrap().unwrap() <= 10);
}

#[test]
fn a_repeated_183_is_acknowledged_once() {
    let mut net = Net::new(1);
    call(&mut net);
    assert!(answer_early(&mut net, 1));
    let again = net.sent(1, "183 INVITE").clone();
    net.clear();
    net.inject(ALICE, again.clone());
    net.run();
    assert_eq!(net.flow(), Vec::<String>::new());
    assert_eq!(net.events(ALICE), []);
    // One that is out of order waits until it comes again.
    let mut later = again;
    let rseq = later.number(HeaderName::RSeq).unwrap().unwrap();
    later.set(HeaderName::RSeq, &(rseq + 2).to_string());
    net.inject(ALICE, later);
    net.run();
    assert_eq!(net.flow(), Vec::<String>::new());
}

#[test]
fn another_answer_in_the_200_does_not_count() {
    let mut net = Net::new(1);
    call(&mut net);
    assert!(answer_early(&mut net, 1));
    let early = net.sent(1, "183 INVITE").clone();
    let mut last = early.clone();
    last.set_status(200, "OK");
    last.remove(HeaderName::Require);
    last.remove(HeaderName::RSeq);
    let changed = String::from_utf8(early.body().to_vec()).unwrap();
    last.set_body("application/sdp", changed.replace("50000", "50002"));
    net.inject(ALICE, last);
    net.run();
    assert_eq!(net.state(ALICE), State::Established);
    let session = net.call(ALICE).current().unwrap().1;
    let rtp = session.negotiated(0).unwrap().remote.rtp.unwrap();
    assert_eq!(rtp.port(), 50_000);
}

#[test]
fn a_200_without_an_answer_ends_the_call() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    let mut last = net.sent(1, "180 INVITE").clone();
    last.set_status(200, "OK");
    net.clear();
    net.inject(ALICE, last);
    net.run();
    assert_eq!(net.flow()[..2], ["0>1 ACK", "0>1 BYE"]);
    assert_eq!(ended(&mut net, ALICE).cause, Cause::NotAcceptable);
}

/// An INVITE with an offer of audio.
fn offered() -> Message {
    let now = std::time::Instant::now();
    let streams = vec![audio(ALICE)];
    let mut call = Call::outgoing(now, config(ALICE), invite(), streams, &[], rng(1)).unwrap();
    match call.poll_action() {
        Some(Action::Request { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

fn incoming(invite: &Message) -> common::Call {
    let now = std::time::Instant::now();
    Call::incoming(now, config(1), TransactionId(1), invite, "b1", rng(2)).unwrap()
}

fn respond(call: &mut common::Call) -> Option<Message> {
    match call.poll_action()? {
        Action::Respond { message, .. } => Some(message),
        other => panic!("{other:?}"),
    }
}

fn in_dialog(method: Method, cseq: u32) -> Message {
    let line = format!("{cseq} {method}");
    Message::request(method, "sip:endpoint1@contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a1;epid=0101")
        .with(HeaderName::To, "<sip:bob@contoso.com>;tag=b1")
        .with(HeaderName::CallId, "call-1")
        .with(HeaderName::CSeq, &line)
}

fn prack(rack: &str) -> Message {
    in_dialog(Method::Prack, 2).with(HeaderName::RAck, rack)
}

/// Who makes media ready first, and lets it ring then, is heard to ring.
#[test]
fn it_rings_after_an_early_answer_too() {
    let mut net = Net::new(1);
    call(&mut net);
    assert!(answer_early(&mut net, 1));
    for _ in 0..2 {
        let now = net.now();
        net.call(1).ring(now);
        net.run();
    }
    let rings = net
        .flow()
        .iter()
        .filter(|line| line.contains("180 INVITE"))
        .count();
    assert_eq!((net.call(1).state(), rings), (State::Early, 1));
}
