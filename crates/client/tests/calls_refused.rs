//! Calls that do not come about, and calls for which there is no way.

mod common;

use common::rebuilt;
use common::script::{Ask, Reply, Script, body};
use common::talker::Manner;
use common::telephones::{Habits, SECOND, Telephones};
use ocs_call::{Cause, Ended};
use ocs_client::phone::{Error, Event, LineId};
use ocs_client::{CallOptions, Event as AgentEvent};
use ocs_ocer::ErrorId;
use ocs_qoe::client::Event as Quality;
use ocs_sdpext::negotiation::StreamKind;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_testbed::HostId;

/// What a BYE says for which there is no way.
const NO_WAY: ErrorId = ErrorId(52031);
/// The agent that the scripted server names.
const AGENT: &str = "sip:1@contoso.com;gruu;opaque=srvr:QoSM:x";

fn first_end(all: &Telephones, phone: HostId) -> Ended {
    let mut events = all.at(phone).events.iter();
    let ended = events.find_map(|(_, event)| match event {
        Event::Ended { ended, .. } => Some(ended.clone()),
        _ => None,
    });
    ended.unwrap_or_else(|| panic!("{:#?}", all.at(phone).events))
}

/// alice calls bob, who does so.
fn calls(manner: Manner) -> (Telephones, HostId, HostId, LineId) {
    let (mut all, alice, bob) = Telephones::pair(manner);
    let line = all.call(alice, "bob");
    all.run(4 * SECOND);
    (all, alice, bob, line)
}

fn closed(event: &Event) -> bool {
    matches!(event, Event::StreamClosed { .. })
}

#[test]
fn declined() {
    for status in [603, 486, 480] {
        let (all, alice, bob, line) = calls(Manner::Declines(SECOND, status));
        let ended = all.ended(alice, line);
        assert_eq!((ended.cause, ended.status), (Cause::Refused, Some(status)));
        assert!(!ended.was_established && !ended.elsewhere);
        assert_eq!(first_end(&all, bob).cause, Cause::Local);
        for phone in [alice, bob] {
            assert_eq!(all.at(phone).phone.lines().count(), 0);
            assert_eq!(all.count(phone, closed), 1);
            assert!(all.requests(phone, Method::Service).is_empty());
        }
    }
}

#[test]
fn declined_at_one_telephone_and_taken_at_another() {
    let (mut all, alice, first) = Telephones::pair(Manner::Declines(SECOND, 486));
    let second = all.signed_in("bob", Manner::Answers(3 * SECOND));
    all.talk(alice, "bob");
    all.run(SECOND);
    assert_eq!(first_end(&all, first).cause, Cause::Local);
    assert_eq!(all.heard_in_a_second(alice, second), (50, 50));
}

#[test]
fn a_603_is_for_all_telephones() {
    let (mut all, alice, _) = Telephones::pair(Manner::Declines(SECOND, 603));
    let second = all.signed_in("bob", Manner::Rings);
    let line = all.call(alice, "bob");
    all.run(4 * SECOND);
    assert_eq!(all.ended(alice, line).status, Some(603));
    assert_eq!(first_end(&all, second).cause, Cause::Remote);
}

#[test]
fn the_caller_gives_up() {
    let (mut all, alice, bob, line) = calls(Manner::Rings);
    all.order(alice, |phone, now| phone.hang_up(now, line));
    all.run(2 * SECOND);
    let ended = all.ended(alice, line);
    assert_eq!((ended.cause, ended.was_established), (Cause::Local, false));
    let ended = first_end(&all, bob);
    assert_eq!((ended.cause, ended.elsewhere), (Cause::Remote, false));
    assert_eq!(all.responses(alice, 487, "INVITE").len(), 1);
    for phone in [alice, bob] {
        assert_eq!(all.at(phone).phone.lines().count(), 0);
        assert_eq!(all.count(phone, closed), 1);
    }
}

#[test]
fn the_caller_gives_up_before_the_invite() {
    let (mut all, alice, bob) = Telephones::pair(Manner::Rings);
    let line = all.command(alice, |phone, talker, now| {
        let plan = talker.plan(StreamKind::Audio);
        let line = phone.call(now, "sip:bob@contoso.com", &[plan], CallOptions::default());
        let line = line.unwrap();
        phone.hang_up(now, line).unwrap();
        line
    });
    all.run(2 * SECOND);
    assert_eq!(all.at(alice).phone.lines().count(), 0);
    assert_eq!(all.count(alice, closed), 1);
    let unknown = all.command(alice, |phone, _, now| phone.hang_up(now, line));
    assert_eq!(unknown, Err(Error::NoLine));
    assert_eq!(all.at(bob).phone.lines().count(), 0);
}

#[test]
fn nobody_answers() {
    let (mut all, alice, bob, line) = calls(Manner::Rings);
    all.run(200 * SECOND);
    let ended = all.ended(alice, line);
    assert_eq!(
        (ended.cause, ended.was_established),
        (Cause::NoAnswer, false)
    );
    assert_eq!(first_end(&all, bob).cause, Cause::Remote);
    assert_eq!(all.requests(alice, Method::Cancel).len(), 1);
}

#[test]
fn the_callee_is_nowhere() {
    let mut all = Telephones::new();
    let alice = all.signed_in("alice", Manner::Waits);
    let line = all.call(alice, "bob");
    all.run(4 * SECOND);
    let ended = all.ended(alice, line);
    assert_eq!((ended.cause, ended.status), (Cause::Refused, Some(480)));
    let line = all.call(alice, "nobody");
    all.run(4 * SECOND);
    assert_eq!(all.ended(alice, line).status, Some(404));
    assert_eq!(all.count(alice, closed), 2);
}

#[test]
fn an_endpoint_without_media() {
    let mut all = Telephones::new();
    let alice = all.signed_in("alice", Manner::Waits);
    let habits = Habits {
        agent: |config| config.calls.accept = false,
        ..Habits::default()
    };
    let bob = all.signed_in_as("bob", Manner::Rings, habits);
    let line = all.call(alice, "bob");
    all.run(4 * SECOND);
    let ended = all.ended(alice, line);
    assert_eq!((ended.cause, ended.status), (Cause::Refused, Some(488)));
    assert_eq!(all.count(bob, |e| matches!(e, Event::Incoming { .. })), 0);
}

#[test]
fn one_call_too_many() {
    let mut all = Telephones::new();
    let habits = || Habits {
        agent: |config| config.calls.limit = 1,
        ..Habits::default()
    };
    let alice = all.signed_in_as("alice", Manner::Waits, habits());
    let bob = all.signed_in_as("bob", Manner::Answers(SECOND), habits());
    let carol = all.signed_in("carol", Manner::Waits);
    all.talk(alice, "bob");
    let third = all.call(carol, "bob");
    let own = all.call(alice, "carol");
    all.run(4 * SECOND);
    let ended = all.ended(carol, third);
    assert_eq!((ended.cause, ended.status), (Cause::Refused, Some(486)));
    let too_many = Event::CouldNotCall {
        line: own,
        error: Error::Agent(ocs_client::Error::TooManyCalls { limit: 1 }),
    };
    assert_eq!(all.count(alice, |event| *event == too_many), 1);
    assert_eq!(all.heard_in_a_second(alice, bob), (50, 50));
}

#[test]
fn orders_that_cannot_be_followed() {
    let (mut all, alice, _) = Telephones::pair(Manner::Rings);
    all.command(alice, |phone, talker, now| {
        let none = phone.call(now, "sip:bob@contoso.com", &[], CallOptions::default());
        assert_eq!(none, Err(Error::NoPlan));
        let plan = talker.plan(StreamKind::Audio);
        let line = phone.call(now, "not a URI", &[plan], CallOptions::default());
        assert!(line.is_ok());
    });
    all.run(SECOND);
    let target = |event: &Event| {
        matches!(
            event,
            Event::CouldNotCall {
                error: Error::Agent(ocs_client::Error::Target),
                ..
            }
        )
    };
    assert_eq!(all.count(alice, target), 1);
    assert_eq!(all.count(alice, closed), 1);
    let line = all.call(alice, "bob");
    all.run(SECOND);
    all.command(alice, |phone, talker, now| {
        let plan = talker.plan(StreamKind::Video);
        let early = phone.add_stream(now, line, &plan);
        assert!(matches!(early, Err(Error::WrongState { .. })));
        let prepared = phone.prepare(now, line, &[plan]);
        assert!(matches!(prepared, Err(Error::WrongState { .. })));
        assert!(phone.transfer(now, line, "sip:carol@contoso.com").is_err());
        assert!(phone.follow_transfer(now, line, &[]).is_err());
    });
}

#[test]
fn a_telephone_that_is_signed_out_calls_nobody() {
    let mut all = Telephones::new();
    let alice = all.add("alice", Manner::Waits, Habits::default());
    let line = all.call(alice, "bob");
    all.run(SECOND);
    let told = Event::CouldNotCall {
        line,
        error: Error::Agent(ocs_client::Error::NotSignedIn),
    };
    assert_eq!(all.count(alice, |event| *event == told), 1);
    assert_eq!(all.at(alice).phone.lines().count(), 0);
}

/// The path between the telephones is cut before somebody answers.
#[test]
fn ice_finds_no_way() {
    let (mut all, alice, bob) = Telephones::pair(Manner::Answers(SECOND));
    all.testbed.partition(alice, bob);
    let line = all.call(alice, "bob");
    all.run(60 * SECOND);
    // The callee has begun its checks earlier, and gives up first.
    let ended = all.ended(alice, line);
    assert_eq!((ended.cause, ended.was_established), (Cause::Remote, true));
    let told = ended.diagnostics.as_ref().map(|told| told.error_id);
    assert_eq!(told, Some(NO_WAY));
    assert_eq!(first_end(&all, bob).cause, Cause::Local);
    let byes = all.requests(alice, Method::Bye);
    let diagnostics = byes[0].header(HeaderName::MsClientDiagnostics).unwrap();
    assert!(diagnostics.starts_with("52031;reason="), "{diagnostics}");
    for phone in [alice, bob] {
        assert_eq!(all.requests(phone, Method::Service).len(), 1);
        assert_eq!(all.count(phone, closed), 1);
        assert_eq!(all.talker(phone).heard(), 0);
        assert_eq!(all.count(phone, |e| matches!(e, Event::MediaUp { .. })), 0);
    }
}

/// [MS-ICE2] asks nobody whether he still listens: the call goes on, and is ended by people.
#[test]
fn a_way_that_is_lost_for_a_time() {
    let (mut all, ends) = Telephones::in_call();
    all.testbed.partition(ends.alice, ends.bob);
    all.run(30 * SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (0, 0));
    all.testbed.heal(ends.alice, ends.bob);
    all.run(SECOND);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    all.testbed.partition(ends.alice, ends.bob);
    all.run(SECOND);
    all.order(ends.bob, |phone, now| phone.hang_up(now, ends.other));
    all.run(2 * SECOND);
    assert_eq!(all.ended(ends.alice, ends.line).cause, Cause::Remote);
    assert_eq!(all.requests(ends.alice, Method::Service).len(), 1);
}

#[test]
fn a_stream_without_a_way_is_left_alone() {
    let (mut all, ends) = Telephones::in_call();
    // Sockets of a host that is not there.
    let mut plan = all.plan(ends.alice, StreamKind::Video);
    for socket in &mut plan.sockets {
        socket.address.set_ip([192, 0, 2, 250].into());
    }
    all.order(ends.alice, |phone, now| {
        phone.add_stream(now, ends.line, &plan)
    });
    all.run(SECOND);
    assert_eq!(all.streams(ends.alice, ends.line).len(), 2);
    assert_eq!(all.streams(ends.bob, ends.other).len(), 2);
    all.run(60 * SECOND);
    assert_eq!(all.streams(ends.alice, ends.line).len(), 1);
    assert_eq!(all.streams(ends.bob, ends.other).len(), 1);
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    for phone in [ends.alice, ends.bob] {
        assert_eq!(all.count(phone, closed), 1);
    }
}

/// A server with a script, for the front end takes every report.
#[test]
fn a_report_that_is_refused() {
    let (all, ends) = Telephones::in_call();
    let now = all.testbed.now();
    let report = || all.at(ends.bob).phone.quality_report(now, ends.other);
    for (reply, told) in [
        (Reply::Status(202), Quality::Accepted),
        (Reply::Status(403), Quality::Dropped { status: Some(403) }),
        (Reply::Silence, Quality::Dropped { status: None }),
    ] {
        let mut script = Script::new(|_| {});
        let with_agent = |request: &Message| {
            let answer = rebuilt("sign-in/provisioning-relay-200.sip", request);
            let kind = answer.header(HeaderName::ContentType).unwrap().to_owned();
            let agent = format!("<qosUri>{AGENT}</qosUri><mrasUri>");
            let body = body(&answer).replace("<mrasUri>", &agent);
            answer.with_body(&kind, body)
        };
        script.reply(Ask::Provisioning, Reply::by(with_agent));
        script.reply(Ask::Other, reply);
        script.sign_in();
        script.taken(Ask::Other);
        let report = report().unwrap();
        script
            .command(|agent, now| agent.report_quality(now, report))
            .unwrap();
        script.advance(200 * SECOND);
        let sent = script.taken(Ask::Other);
        assert_eq!(sent[0].request_uri(), Some(AGENT));
        let told = AgentEvent::QualityReported(told);
        assert!(script.solo.told(|event| *event == told), "{told:?}");
    }
}
