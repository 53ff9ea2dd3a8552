//! A peer that does not keep to the rules.

mod common;

use std::time::{Duration, Instant};

use common::{ALICE, audio, config, invite, rng};
use ocs_call::{Action, Call, Event, RequestId, State, TransactionId};
use ocs_sip_core::{HeaderName, Limits, Message, Method};

fn drain(call: &mut common::Call) -> (Vec<Action>, Vec<Event>) {
    let actions = std::iter::from_fn(|| call.poll_action()).collect();
    let events = std::iter::from_fn(|| call.poll_event()).collect();
    (actions, events)
}

/// A call of ours, and its INVITE.
fn calling(now: Instant) -> (common::Call, RequestId, Message) {
    let streams = vec![audio(ALICE)];
    let mut call = Call::outgoing(now, config(ALICE), invite(), streams, &[], rng(1)).unwrap();
    match call.poll_action() {
        Some(Action::Request { id, message }) => (call, id, message),
        other => panic!("{other:?}"),
    }
}

/// A call of the peer that is established, and its INVITE.
fn called(now: Instant) -> (common::Call, Message) {
    let invite = calling(now).2;
    let mut call = Call::incoming(now, config(1), TransactionId(1), &invite, "b1", rng(2)).unwrap();
    call.accept_stream(0, audio(1)).unwrap();
    call.accept(now).unwrap();
    call.handle_request(now, TransactionId(0), &request(Method::Ack, 1));
    drain(&mut call);
    assert_eq!(call.state(), State::Established);
    (call, invite)
}

fn request(method: Method, cseq: u32) -> Message {
    let line = format!("{cseq} {method}");
    Message::request(method, "sip:endpoint1@contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a1;epid=0101")
        .with(HeaderName::To, "<sip:bob@contoso.com>;tag=b1")
        .with(HeaderName::CallId, "call-1")
        .with(HeaderName::CSeq, &line)
}

#[test]
fn ten_thousand_tags() {
    let now = Instant::now();
    let (mut call, id, invite) = calling(now);
    for number in 0..10_000 {
        let tag = format!("t{number}");
        let response = Message::response_to(&invite, 180, Some(&tag));
        call.handle_response(now, id, &response);
    }
    assert_eq!(call.forks().count(), 32);
    let (actions, events) = drain(&mut call);
    assert_eq!((actions.len(), events.len()), (0, 32));
    assert_eq!(call.state(), State::Ringing);
}

#[test]
fn ten_thousand_reliable_responses_that_are_never_answered() {
    let now = Instant::now();
    let (mut call, id, invite) = calling(now);
    for number in 1..=10_000 {
        let response = Message::response_to(&invite, 183, Some("t"))
            .with(HeaderName::Require, "100rel")
            .with(HeaderName::RSeq, &number.to_string());
        call.handle_response(now, id, &response);
        let (actions, _) = drain(&mut call);
        assert_eq!(actions.len(), 1);
    }
    // The call can still be answered and changed.
    let (mut other, _) = called(now);
    other.hold();
    other.offer().unwrap();
    assert_eq!(drain(&mut other).0.len(), 1);
}

#[test]
fn ten_thousand_offers() {
    let now = Instant::now();
    let (mut call, invite) = called(now);
    let mut statuses = Vec::new();
    for number in 2..10_002 {
        let mut offer = request(Method::Invite, number);
        offer.set_body("application/sdp", invite.body().clone());
        call.handle_request(now, TransactionId(number.into()), &offer);
        for action in drain(&mut call).0 {
            if let Action::Respond { message, .. } = action {
                statuses.push(message.status().unwrap());
            }
        }
    }
    assert_eq!(statuses, vec![500; 9999]);
    call.answer(now).unwrap();
    let (actions, _) = drain(&mut call);
    assert!(matches!(
        actions[..],
        [Action::Respond {
            id: TransactionId(2),
            ..
        }]
    ));
}

#[test]
fn ten_thousand_refers() {
    let now = Instant::now();
    let (mut call, _) = called(now);
    for number in 2..10_002 {
        let refer = request(Method::Refer, number).with(HeaderName::ReferTo, "<sip:c@x>");
        call.handle_request(now, TransactionId(number.into()), &refer);
        let (actions, events) = drain(&mut call);
        let (asked, refused) = if number == 2 { (1, 0) } else { (0, 1) };
        assert_eq!((events.len(), actions.len()), (asked, refused));
    }
}

#[test]
fn every_header_missing_or_broken() {
    let now = Instant::now();
    let mut messages = vec![calling(now).2];
    for method in Method::ALL {
        messages.push(
            request(method.clone(), 2)
                .with(HeaderName::Contact, "<sip:alice@contoso.com;gruu>")
                .with(HeaderName::RAck, "1 1 INVITE")
                .with(HeaderName::ReferTo, "<sip:c@x>")
                .with(HeaderName::Event, "refer")
                .with(HeaderName::SubscriptionState, "active")
                .with(HeaderName::SessionExpires, "1800;refresher=uac")
                .with_body("application/sdp", calling(now).2.body().clone()),
        );
    }
    for status in [
        100, 101, 180, 183, 200, 202, 301, 408, 415, 422, 481, 487, 491, 500, 603,
    ] {
        messages.push(
            Message::response_to(&calling(now).2, status, Some("b1"))
                .with(HeaderName::Require, "100rel")
                .with(HeaderName::RSeq, "1")
                .with(HeaderName::MinSe, "4000000000")
                .with(HeaderName::RetryAfter, "4000000000")
                .with(HeaderName::SessionExpires, "4294967295;refresher=uas")
                .with_body("application/sdp", calling(now).2.body().clone()),
        );
    }
    let mut count = 0;
    for message in &messages {
        let names: Vec<HeaderName> = message.headers_iter().map(|header| header.name).collect();
        for name in names {
            for value in [
                None,
                Some(""),
                Some("\u{1F642}"),
                Some("4294967295"),
                Some(";;;"),
                Some("<"),
            ] {
                let mut broken = message.clone();
                match value {
                    None => {
                        broken.remove(name);
                    }
                    Some(value) => broken.set(name, value),
                }
                feed(now, &broken);
                count += 1;
            }
        }
    }
    assert!(count > 1000);
}

/// Hands a message to calls in every state, as request and as response.
fn feed(now: Instant, message: &Message) {
    let id = TransactionId(9);
    let _ = Call::incoming(now, config(1), id, message, "b1", rng(2)).map(|mut call| {
        let _ = call.accept_stream(0, audio(1));
        let _ = call.answer_early(now);
        let _ = call.accept(now);
        finish(call, now);
    });
    let (mut ours, request, _) = calling(now);
    ours.handle_response(now, request, message);
    ours.handle_request(now, id, message);
    finish(ours, now);
    let (mut theirs, _) = called(now);
    theirs.handle_request(now, id, message);
    theirs.handle_cancel(now, message);
    let _ = theirs.answer(now);
    theirs.accept_refer();
    theirs.hold();
    let _ = theirs.offer();
    let sent = drain(&mut theirs)
        .0
        .into_iter()
        .find_map(|action| match action {
            Action::Request { id, .. } => Some(id),
            _ => None,
        });
    if let Some(sent) = sent {
        theirs.handle_response(now, sent, message);
    }
    finish(theirs, now);
}

/// Every call ends, in bounded time and steps.
fn finish(mut call: common::Call, mut now: Instant) {
    drain(&mut call);
    call.hang_up(now, None);
    let ids: Vec<RequestId> = drain(&mut call)
        .0
        .into_iter()
        .filter_map(|action| match action {
            Action::Request { id, .. } => Some(id),
            _ => None,
        })
        .collect();
    for id in ids {
        call.handle_no_response(now, id);
    }
    for _ in 0..200 {
        let Some(at) = call.poll_timeout() else {
            assert_eq!(call.state(), State::Ended);
            return;
        };
        assert!(at - now < Duration::from_secs(40), "{call:?}");
        now = at;
        call.handle_timeout(now);
        drain(&mut call);
    }
    panic!("{call:?} does not end");
}

#[test]
fn every_truncation_of_a_description() {
    let now = Instant::now();
    let invite = calling(now).2;
    let body = invite.body().clone();
    for end in 0..body.len() {
        let mut cut = invite.clone();
        cut.set_body("application/sdp", body.slice(..end));
        let _ = Call::incoming(now, config(1), TransactionId(1), &cut, "b1", rng(2)).map(|_| ());
        let (mut call, id, _) = calling(now);
        let mut answer = Message::response_to(&invite, 200, Some("b1"));
        answer.set_body("application/sdp", body.slice(..end));
        call.handle_response(now, id, &answer);
        let (actions, events) = drain(&mut call);
        assert!(matches!(actions[0], Action::Ack(_)));
        assert!(matches!(
            events.last(),
            Some(Event::Answered { .. } | Event::Ended(_))
        ));
    }
}

#[test]
fn a_response_of_another_call_is_ignored() {
    let now = Instant::now();
    let (mut call, id, invite) = calling(now);
    let changes = [
        (HeaderName::CallId, "call-2"),
        (HeaderName::CSeq, "7 INVITE"),
        (HeaderName::CSeq, "1 OPTIONS"),
        (HeaderName::From, "<sip:alice@contoso.com>;tag=a2"),
    ];
    for (name, value) in changes {
        for status in [180, 200] {
            let mut response = Message::response_to(&invite, status, Some("b1"));
            response.set(name, value);
            call.handle_response(now, id, &response);
        }
    }
    assert_eq!(drain(&mut call), (Vec::new(), Vec::new()));
    assert_eq!((call.state(), call.forks().count()), (State::Calling, 0));
}

#[test]
fn a_recorded_invite_of_a_client_is_taken() {
    let text = include_str!("data/invite-sfb2016-audio-video.sip");
    let invite = Message::parse(text.into(), &Limits::default()).unwrap();
    let now = Instant::now();
    let mut call = Call::incoming(now, config(1), TransactionId(1), &invite, "b1", rng(2)).unwrap();
    let Some(Event::Offered { streams }) = call.poll_event() else {
        panic!("no offer");
    };
    for offered in &streams {
        let plan = common::plan(1, offered).unwrap();
        call.accept_stream(offered.index, plan).unwrap();
    }
    assert_eq!(call.answer_early(now), Ok(true));
    let (actions, _) = drain(&mut call);
    let Action::Respond { message, .. } = &actions[0] else {
        panic!("{actions:?}");
    };
    assert!(message.lists(HeaderName::Require, "100rel"));
    let session = call.current().unwrap().1;
    assert!((0..2).all(|index| session.negotiated(index).is_some()));
}

#[test]
fn secrets_do_not_show() {
    let now = Instant::now();
    let (call, _, invite) = calling(now);
    let body = std::str::from_utf8(invite.body()).unwrap();
    let key = body
        .split("inline:")
        .nth(1)
        .unwrap()
        .split('|')
        .next()
        .unwrap();
    let shown = format!("{call:?} {invite:?}");
    assert!(
        !shown.contains(key) && !shown.contains("ice-pwd"),
        "{shown}"
    );
}
