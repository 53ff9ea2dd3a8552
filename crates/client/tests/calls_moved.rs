//! Calls move to others, outlive connections, go through translators of addresses, and go on for long.

mod common;

use common::talker::Manner;
use common::telephones::{Ends, SECOND, Telephones};
use ocs_call::Cause;
use ocs_client::Event as AgentEvent;
use ocs_client::phone::{Error, Event, LineId};
use ocs_sdpext::negotiation::StreamKind;
use ocs_sip_core::{HeaderName, Method};
use ocs_testbed::HostId;

/// The transfer that a telephone was asked for.
fn referred(all: &Telephones, phone: HostId) -> Event {
    let mut events = all.at(phone).events.iter();
    let referred = events.find(|(_, event)| matches!(event, Event::Referred { .. }));
    referred.unwrap().1.clone()
}

/// How a transfer went: the progress, and the end.
fn progress(all: &Telephones, phone: HostId) -> (Vec<u16>, Vec<u16>) {
    let events = || all.at(phone).events.iter().map(|(_, event)| event);
    let under_way = events().filter_map(|event| match event {
        Event::TransferProgress { status, .. } => Some(*status),
        _ => None,
    });
    let ended = events().filter_map(|event| match event {
        Event::TransferEnded { status, .. } => Some(*status),
        _ => None,
    });
    (under_way.collect(), ended.collect())
}

/// Calls whom the peer has named.
fn follow(all: &mut Telephones, phone: HostId, line: LineId) -> LineId {
    all.command(phone, |phone, talker, now| {
        let plan = talker.plan(StreamKind::Audio);
        phone.follow_transfer(now, line, &[plan])
    })
    .unwrap()
}

/// alice and bob talk, and carol has a telephone.
fn three(manner: Manner) -> (Telephones, Ends, HostId) {
    let (mut all, ends) = Telephones::in_call();
    let carol = all.signed_in("carol", manner);
    (all, ends, carol)
}

#[test]
fn bob_is_sent_to_carol() {
    let (mut all, ends, carol) = three(Manner::Answers(2 * SECOND));
    all.order(ends.alice, |phone, now| {
        phone.transfer(now, ends.line, "sip:carol@contoso.com")
    });
    all.run(SECOND);
    let Event::Referred { line, transfer } = referred(&all, ends.bob) else {
        unreachable!();
    };
    assert_eq!(line, ends.other);
    assert_eq!(transfer.target, "sip:carol@contoso.com");
    assert_eq!(transfer.replaces, None);
    let new = follow(&mut all, ends.bob, ends.other);
    all.run(SECOND);
    let (under_way, ended) = progress(&all, ends.alice);
    assert!(under_way.contains(&180), "{under_way:?}");
    assert!(ended.is_empty());
    all.run(3 * SECOND);
    assert_eq!(progress(&all, ends.alice).1, [200]);
    // Whoever has sent him away hangs up.
    all.order(ends.alice, |phone, now| phone.hang_up(now, ends.line));
    all.run(SECOND);
    assert_eq!(all.ended(ends.bob, ends.other).cause, Cause::Remote);
    assert_eq!(all.line(ends.bob), new);
    let invites = all.requests(carol, Method::Invite);
    let referrer = invites[0].header(HeaderName::ReferredBy).unwrap();
    assert!(referrer.contains("sip:alice@contoso.com"), "{referrer}");
    assert_eq!(all.heard_in_a_second(ends.bob, carol), (50, 50));
    let number = all.talker(ends.alice).number;
    assert_eq!(all.talker(carol).heard_from(number), 0);
}

#[test]
fn carol_declines_and_alice_goes_on() {
    let (mut all, ends, carol) = three(Manner::Declines(SECOND, 603));
    all.order(ends.alice, |phone, now| {
        phone.transfer(now, ends.line, "sip:carol@contoso.com")
    });
    all.run(SECOND);
    follow(&mut all, ends.bob, ends.other);
    all.run(4 * SECOND);
    assert_eq!(progress(&all, ends.alice).1, [603]);
    assert_eq!(all.at(carol).phone.lines().count(), 0);
    assert_eq!(all.line(ends.bob), ends.other);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    // Another one may be asked for.
    all.order(ends.alice, |phone, now| {
        phone.transfer(now, ends.line, "sip:carol@contoso.com")
    });
    all.run(SECOND);
    let asked = |event: &Event| matches!(event, Event::Referred { .. });
    assert_eq!(all.count(ends.bob, asked), 2);
}

#[test]
fn bob_does_not_want_to_be_sent() {
    let (mut all, ends, carol) = three(Manner::Answers(SECOND));
    all.order(ends.alice, |phone, now| {
        phone.transfer(now, ends.line, "sip:carol@contoso.com")
    });
    all.run(SECOND);
    all.order(ends.bob, |phone, now| {
        phone.decline_transfer(now, ends.other)
    });
    all.run(2 * SECOND);
    assert_eq!(progress(&all, ends.alice).1, [603]);
    assert!(all.requests(carol, Method::Invite).is_empty());
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    // There is nobody to call any more, and nobody to decline.
    let none = Error::Agent(ocs_client::Error::NoTransfer);
    let declined = all.command(ends.bob, |phone, _, now| {
        phone.decline_transfer(now, ends.other)
    });
    assert_eq!(declined, Err(none.clone()));
    let line = follow(&mut all, ends.bob, ends.other);
    all.run(SECOND);
    let told = Event::CouldNotCall { line, error: none };
    assert_eq!(all.count(ends.bob, |event| *event == told), 1);
}

#[test]
fn bob_takes_the_place_of_alice() {
    let (mut all, ends, carol) = three(Manner::Answers(SECOND));
    all.order(ends.alice, |phone, now| phone.hold(now, ends.line));
    all.run(SECOND);
    let consulted = all.talk(ends.alice, "carol");
    all.run(SECOND);
    let of_carol = all.line(carol);
    all.order(ends.alice, |phone, now| {
        phone.transfer_to(now, ends.line, consulted)
    });
    all.run(SECOND);
    let Event::Referred { transfer, .. } = referred(&all, ends.bob) else {
        unreachable!();
    };
    assert!(transfer.replaces.is_some());
    let new = follow(&mut all, ends.bob, ends.other);
    all.run(3 * SECOND);
    assert_eq!(progress(&all, ends.alice).1, [200]);
    // carol's telephone has answered by itself, and has ended the call with alice.
    let incoming = |event: &Event| matches!(event, Event::Incoming { replaces: Some(old), .. } if *old == of_carol);
    assert_eq!(all.count(carol, incoming), 1);
    assert_eq!(all.ended(carol, of_carol).cause, Cause::Local);
    assert_eq!(all.ended(ends.alice, consulted).cause, Cause::Remote);
    all.order(ends.alice, |phone, now| phone.hang_up(now, ends.line));
    all.run(SECOND);
    assert_eq!(all.at(ends.alice).phone.lines().count(), 0);
    assert_eq!(all.line(ends.bob), new);
    assert_eq!(all.heard_in_a_second(ends.bob, carol), (50, 50));
}

#[test]
fn the_session_is_refreshed() {
    let (mut all, ends) = Telephones::in_call();
    all.run(890 * SECOND);
    assert!(all.requests(ends.alice, Method::Update).is_empty());
    all.run(20 * SECOND);
    let updates = all.requests(ends.alice, Method::Update);
    assert_eq!(updates.len(), 1);
    let expires = updates[0].header(HeaderName::SessionExpires);
    assert_eq!(expires, Some("1800;refresher=uac"));
    assert!(updates[0].body().is_empty());
    assert_eq!(all.responses(ends.alice, 200, "UPDATE").len(), 1);
    all.run(1800 * SECOND);
    assert_eq!(all.requests(ends.alice, Method::Update).len(), 3);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    let heard = &all.talker(ends.bob).streams[&all.streams(ends.bob, ends.other)[0]];
    assert_eq!(heard.spoilt, 0);
}

/// The caller is gone without a word: nobody refreshes the session, and the call ends at the other side.
#[test]
fn a_caller_who_is_gone() {
    let (mut all, ends) = Telephones::in_call();
    all.testbed.partition(ends.alice, all.server);
    all.testbed.partition(ends.alice, ends.bob);
    all.run(1900 * SECOND);
    let ended = all.ended(ends.bob, ends.other);
    assert_eq!(ended.cause, Cause::SessionExpired);
    assert_eq!(all.at(ends.bob).phone.lines().count(), 0);
}

/// The connection of one telephone to its server is lost; sound goes on.
fn connection_lost(of_caller: bool) {
    let (mut all, ends) = Telephones::in_call();
    let (phone, line) = if of_caller {
        (ends.alice, ends.line)
    } else {
        (ends.bob, ends.other)
    };
    let sip = all.testbed.connections(phone);
    assert_eq!(sip.len(), 1);
    all.testbed.reset_connection(phone, sip[0]);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    all.run(120 * SECOND);
    assert!(all.at(phone).phone.agent().is_signed_in());
    let lost = |event: &Event| matches!(event, Event::Agent(AgentEvent::Reconnecting { .. }));
    assert!(all.count(phone, lost) > 0);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    for (phone, line) in [(ends.alice, ends.line), (ends.bob, ends.other)] {
        let streams = all.streams(phone, line);
        let gap = all.talker(phone).streams[&streams[0]].gap;
        assert!(gap < core::time::Duration::from_millis(40), "{gap:?}");
    }
    all.order(phone, |phone, now| phone.hang_up(now, line));
    all.run(3 * SECOND);
    assert_eq!(all.responses(phone, 200, "BYE").len(), 1);
    let (other, of_other) = if of_caller {
        (ends.bob, ends.other)
    } else {
        (ends.alice, ends.line)
    };
    assert_eq!(all.ended(other, of_other).cause, Cause::Remote);
    assert_eq!(all.requests(phone, Method::Service).len(), 1);
}

#[test]
fn the_caller_loses_its_connection() {
    connection_lost(true);
}

#[test]
fn the_callee_loses_its_connection() {
    connection_lost(false);
}

#[test]
fn who_signs_out_hangs_up() {
    let (mut all, ends) = Telephones::in_call();
    all.command(ends.alice, |phone, _, now| {
        phone.command(now, |agent| agent.sign_out(now));
    });
    all.run(3 * SECOND);
    assert_eq!(all.ended(ends.bob, ends.other).cause, Cause::Remote);
    assert_eq!(all.ended(ends.alice, ends.line).cause, Cause::Local);
    let out = |event: &Event| matches!(event, Event::Agent(AgentEvent::SignedOut));
    assert_eq!(all.count(ends.alice, out), 1);
    // Nothing is left once no answer can come again.
    all.run(40 * SECOND);
    assert_eq!(all.at(ends.alice).phone.poll_timeout(), None);
}
