//! Requests in the dialog, commands at the wrong time, headers.

mod common;

use std::time::Duration;

use common::{
    ALICE, Fate, Net, accept_streams, answer, audio, call, call_with, config, established, invite,
    offer, rng, video,
};
use ocs_call::{Call, Config, Event, State};
use ocs_sip_core::{HeaderName, Message};

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

#[test]
fn a_change_that_overtakes_the_ack() {
    let mut sent = 0;
    // The third message is the ACK.
    let mut net = Net::lossy(move || {
        sent += 1;
        if sent == 3 { Fate::Lose } else { Fate::Deliver }
    });
    call(&mut net);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    assert_eq!(net.flow(), ["0>1 INVITE", "1>0 200 INVITE", "0>1 ACK"]);
    net.call(ALICE).hold();
    offer(&mut net, ALICE);
    let established = net.take(1, |event| Some(event.clone()));
    assert_eq!(established, Some(Event::Established));
    answer(&mut net, 1);
    net.advance(Duration::from_secs(5));
    // Neither answer was repeated.
    let answers = net
        .flow()
        .iter()
        .filter(|line| *line == "1>0 200 INVITE")
        .count();
    assert_eq!(answers, 2);
}
