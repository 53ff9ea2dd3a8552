//! Calls change: hold, further streams, fewer streams, both sides at once.

mod common;

use common::script::body;
use common::talker::Manner;
use common::telephones::{Ends, SECOND, Telephones, lines};
use ocs_client::phone::{Event, StreamId};
use ocs_sdpext::attribute::Direction;
use ocs_sdpext::negotiation::StreamKind;
use ocs_sip_core::{HeaderName, Method};
use ocs_testbed::HostId;

/// The pause between two packets of sound, and what a network adds.
const NO_GAP: core::time::Duration = core::time::Duration::from_millis(40);

fn changed(event: &Event) -> bool {
    matches!(event, Event::Changed { .. })
}

fn refused(event: &Event) -> bool {
    matches!(event, Event::ChangeRefused { .. })
}

fn offered(event: &Event) -> bool {
    matches!(event, Event::Offered { .. })
}

/// A telephone holds, and resumes.
fn holds(by_caller: bool) {
    let (mut all, ends) = Telephones::in_call();
    let (holder, line, held) = if by_caller {
        (ends.alice, ends.line, ends.bob)
    } else {
        (ends.bob, ends.other, ends.alice)
    };
    let of_held = all.line(held);
    all.order(holder, |phone, now| phone.hold(now, line));
    all.run(SECOND);
    let offer = all.requests(holder, Method::Invite).pop().unwrap();
    let contact = offer.header(HeaderName::Contact).unwrap();
    assert!(contact.contains("+sip.rendering=\"no\""), "{contact}");
    let description = body(&offer);
    assert!(description.contains("a=inactive"), "{description}");
    let told = |holds| Event::PeerHolds {
        line: of_held,
        holds,
    };
    assert_eq!(all.count(held, |event| *event == told(true)), 1);
    assert_eq!(
        all.count(holder, |e| matches!(e, Event::PeerHolds { .. })),
        0
    );
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (0, 0));
    for phone in [ends.alice, ends.bob] {
        let talks: Vec<_> = all.talker(phone).live.values().collect();
        assert!(talks[0].said >= talks[0].sent + 50, "{talks:?}");
    }

    all.order(holder, |phone, now| phone.resume(now, line));
    all.run(SECOND);
    let offer = all.requests(holder, Method::Invite).pop().unwrap();
    let contact = offer.header(HeaderName::Contact).unwrap();
    assert!(!contact.contains("rendering=\"no\""), "{contact}");
    assert_eq!(all.count(held, |event| *event == told(false)), 1);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
}

#[test]
fn the_caller_holds_and_resumes() {
    holds(true);
}

#[test]
fn the_callee_holds_and_resumes() {
    holds(false);
}

#[test]
fn both_hold_and_one_resumes() {
    let (mut all, ends) = Telephones::in_call();
    all.order(ends.alice, |phone, now| phone.hold(now, ends.line));
    all.run(SECOND);
    all.order(ends.bob, |phone, now| phone.hold(now, ends.other));
    all.run(SECOND);
    all.order(ends.alice, |phone, now| phone.resume(now, ends.line));
    all.run(SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (0, 0));
    all.order(ends.bob, |phone, now| phone.resume(now, ends.other));
    all.run(SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
}

/// A telephone adds pictures.
fn add_video(all: &mut Telephones, ends: Ends, by: HostId) -> StreamId {
    let line = if by == ends.alice {
        ends.line
    } else {
        ends.other
    };
    let plan = all.plan(by, StreamKind::Video);
    all.order(by, |phone, now| phone.add_stream(now, line, &plan))
}

fn video_by(by_caller: bool) -> (Telephones, Ends) {
    let (mut all, ends) = Telephones::in_call();
    let (by, other) = if by_caller {
        (ends.alice, ends.bob)
    } else {
        (ends.bob, ends.alice)
    };
    add_video(&mut all, ends, by);
    all.run(3 * SECOND);
    assert_eq!(all.count(other, offered), 1);
    for (phone, line) in [(ends.alice, ends.line), (ends.bob, ends.other)] {
        let streams = all.streams(phone, line);
        assert_eq!(streams.len(), 2, "{:#?}", all.at(phone).events);
        for stream in streams {
            let heard = &all.talker(phone).streams[&stream];
            assert!(heard.gap < NO_GAP, "{heard:?}");
        }
    }
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (100, 100));
    (all, ends)
}

#[test]
fn the_caller_adds_video() {
    let (all, ends) = video_by(true);
    let offers = all.requests(ends.alice, Method::Invite);
    // The call, its final offer, the stream, its final offer.
    assert_eq!(offers.len(), 4);
    let last = body(&offers[3]);
    assert_eq!(lines(&last, "m=").len(), 2);
    assert_eq!(lines(&last, "a=candidate:").len(), 4, "{last}");
    assert_eq!(lines(&last, "a=remote-candidates:").len(), 2, "{last}");
}

#[test]
fn the_callee_adds_video() {
    let (all, ends) = video_by(false);
    let mut offers = all.requests(ends.bob, Method::Invite);
    let own = format!("<{}", all.at(ends.bob).phone.agent().gruu().unwrap());
    offers.retain(|offer| offer.header(HeaderName::Contact).unwrap().starts_with(&own));
    assert_eq!(offers.len(), 2);
    let last = body(&offers[1]);
    assert_eq!(lines(&last, "a=remote-candidates:").len(), 2, "{last}");
}

#[test]
fn video_is_refused() {
    let (mut all, ends) = Telephones::in_call();
    all.command(ends.bob, |_, talker, _| talker.takes_streams = Some(false));
    let stream = add_video(&mut all, ends, ends.alice);
    all.run(2 * SECOND);
    assert_eq!(all.streams(ends.alice, ends.line).len(), 1);
    assert_eq!(all.streams(ends.bob, ends.other).len(), 1);
    let closed =
        |event: &Event| matches!(event, Event::StreamClosed { stream: s, .. } if *s == stream);
    assert_eq!(all.count(ends.alice, closed), 1);
    assert_eq!(all.count(ends.alice, changed), 2);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    let answer = body(all.responses(ends.alice, 200, "INVITE").last().unwrap());
    assert!(answer.contains("m=video 0 "), "{answer}");
    // It may be asked for once more, and then be wanted.
    all.command(ends.bob, |_, talker, _| talker.takes_streams = Some(true));
    add_video(&mut all, ends, ends.alice);
    all.run(3 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (100, 100));
}

#[test]
fn video_is_removed() {
    for by_caller in [true, false] {
        let (mut all, ends) = video_by(true);
        let (by, line) = if by_caller {
            (ends.alice, ends.line)
        } else {
            (ends.bob, ends.other)
        };
        let stream = all.streams(by, line)[1];
        all.order(by, |phone, now| phone.remove_stream(now, stream));
        all.run(2 * SECOND);
        for (phone, line) in [(ends.alice, ends.line), (ends.bob, ends.other)] {
            let streams = all.streams(phone, line);
            assert_eq!(streams.len(), 1, "{:#?}", all.at(phone).events);
            let heard = &all.talker(phone).streams[&streams[0]];
            assert!(heard.gap < NO_GAP, "{heard:?}");
            let closed = |event: &Event| matches!(event, Event::StreamClosed { .. });
            assert_eq!(all.count(phone, closed), 1);
        }
        assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    }
}

#[test]
fn both_change_at_once() {
    let (mut all, ends) = Telephones::in_call();
    add_video(&mut all, ends, ends.bob);
    all.order(ends.alice, |phone, now| phone.hold(now, ends.line));
    all.run(8 * SECOND);
    assert!(!all.responses(ends.alice, 491, "INVITE").is_empty());
    assert_eq!(all.count(ends.alice, refused), 0);
    assert_eq!(all.count(ends.bob, refused), 0);
    assert_eq!(all.streams(ends.alice, ends.line).len(), 2);
    assert_eq!(all.streams(ends.bob, ends.other).len(), 2);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (0, 0));
    all.order(ends.alice, |phone, now| phone.resume(now, ends.line));
    all.run(5 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (100, 100));
}

#[test]
fn both_hold_at_once() {
    let (mut all, ends) = Telephones::in_call();
    all.order(ends.alice, |phone, now| phone.hold(now, ends.line));
    all.order(ends.bob, |phone, now| phone.hold(now, ends.other));
    all.run(8 * SECOND);
    for phone in [ends.alice, ends.bob] {
        assert_eq!(all.count(phone, refused), 0);
        let holds = |event: &Event| matches!(event, Event::PeerHolds { holds: true, .. });
        assert_eq!(all.count(phone, holds), 1);
    }
    all.order(ends.alice, |phone, now| phone.resume(now, ends.line));
    all.order(ends.bob, |phone, now| phone.resume(now, ends.other));
    all.run(8 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
}

#[test]
fn an_offer_that_nobody_decides_on_holds_nothing_up() {
    let (mut all, ends) = Telephones::in_call();
    all.command(ends.bob, |_, talker, _| talker.takes_streams = None);
    add_video(&mut all, ends, ends.alice);
    all.run(5 * SECOND);
    assert_eq!(all.count(ends.bob, offered), 1);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    let plan = all.plan(ends.bob, StreamKind::Video);
    all.order(ends.bob, |phone, now| {
        phone.accept_streams(now, ends.other, &[plan])
    });
    all.run(3 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (100, 100));
    // Once is enough.
    all.command(ends.bob, |phone, _, now| {
        assert!(phone.accept_streams(now, ends.other, &[]).is_err());
    });
}

#[test]
fn one_way_after_an_answer_that_only_receives() {
    let (mut all, ends) = Telephones::in_call();
    let mut plan = all.plan(ends.alice, StreamKind::Video);
    plan.direction = Direction::SendOnly;
    let stream = all.order(ends.alice, |phone, now| {
        phone.add_stream(now, ends.line, &plan)
    });
    all.run(3 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 100));
    assert!(!all.talker(ends.alice).streams.contains_key(&stream));
}

/// A round that runs while ICE ends does not stand for the offer of the selected candidates.
#[test]
fn who_holds_at_once_tells_the_pair_all_the_same() {
    let mut all = Telephones::new();
    let alice = all.signed_in("alice", Manner::Waits);
    let bob = all.signed_in("bob", Manner::Answers(core::time::Duration::ZERO));
    let line = all.call(alice, "bob");
    all.until(alice, |event| matches!(event, Event::Answered { .. }));
    all.order(alice, |phone, now| phone.hold(now, line));
    all.run(2 * SECOND);
    all.order(alice, |phone, now| phone.resume(now, line));
    all.run(2 * SECOND);
    let invites = all.requests(alice, Method::Invite);
    let told =
        |invite: &ocs_sip_core::Message| !lines(&body(invite), "a=remote-candidates").is_empty();
    assert!(invites.iter().any(told), "{}", invites.len());
    assert_eq!(all.heard_in_a_second(alice, bob), (50, 50));
}
