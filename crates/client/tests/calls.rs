//! Calls between telephones: how they begin, what goes over the network, how they end.

mod common;

use common::aor;
use common::script::body;
use common::talker::Manner;
use common::telephones::{Habits, SECOND, Telephones, lines};
use ocs_call::Cause;
use ocs_client::Event as AgentEvent;
use ocs_client::phone::{Config, Error, Event};
use ocs_ice::Dialect;
use ocs_qoe::client::Event as Quality;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::negotiation::StreamKind;
use ocs_sip_core::{HeaderName, Method};
use ocs_testbed::HostId;

/// Keys of a description, without their numbers and lifetimes.
fn keys(description: &str) -> Vec<String> {
    let keys = lines(description, "a=crypto:").into_iter();
    let inline = keys.filter_map(|line| Some(line.split_once("inline:")?.1.to_owned()));
    inline
        .map(|line| line.split('|').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn both_hear_each_other() {
    let (mut all, ends) = Telephones::in_call();
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    all.order(ends.alice, |phone, now| phone.hang_up(now, ends.line));
    all.run(SECOND);
    let [alice, bob] = [ends.alice, ends.bob].map(|phone| all.talker(phone));
    assert_eq!((alice.spoilt(), bob.spoilt()), (0, 0));
    assert_eq!(alice.heard_from(bob.number), alice.heard());
    assert_eq!(bob.heard_from(alice.number), bob.heard());
    for (phone, line, cause) in [
        (ends.alice, ends.line, Cause::Local),
        (ends.bob, ends.other, Cause::Remote),
    ] {
        let ended = all.ended(phone, line);
        assert_eq!((ended.cause, ended.was_established), (cause, true));
        assert_eq!(all.at(phone).phone.lines().count(), 0);
        let events = all.at(phone).events.iter();
        let summaries = events.filter_map(|(_, event)| match event {
            Event::Ended { streams, .. } => Some(streams),
            _ => None,
        });
        let [summary] = summaries.flatten().collect::<Vec<_>>()[..] else {
            panic!("one call with one stream");
        };
        assert_eq!((summary.lost, summary.statistics.undecryptable), (0, 0));
        let heard = all.talker(phone).heard() as u64;
        assert_eq!(summary.statistics.received.packets, heard);
        // The sockets are the program's again.
        let closed = |event: &Event| matches!(event, Event::StreamClosed { sockets, .. } if sockets.len() == 2);
        assert_eq!(all.count(phone, closed), 1);
    }
}

#[test]
fn each_side_has_its_key() {
    let (all, ends) = Telephones::in_call();
    let invites = all.requests(ends.alice, Method::Invite);
    let answer = &all.responses(ends.alice, 200, "INVITE")[0];
    let (offered, answered) = (keys(&body(&invites[0])), keys(&body(answer)));
    assert_eq!(answered.len(), 1);
    assert!(!offered.is_empty() && !offered.contains(&answered[0]));
    // Both sides open what the other has closed with its own key; the final round keeps them.
    assert!(offered.contains(&keys(&body(&invites[1]))[0]));
    assert_eq!(
        keys(&body(&all.responses(ends.alice, 200, "INVITE")[1])),
        answered
    );
    // What goes over the network is not what was said.
    for (_, packet) in all.media(ends.alice, ends.bob) {
        let octets = [all.talker(ends.alice).number; 8];
        assert!(!packet.windows(8).any(|window| window == octets));
    }
}

#[test]
fn no_media_before_ice() {
    let (mut all, alice, bob) = Telephones::pair(Manner::Answers(SECOND));
    let line = all.call(alice, "bob");
    let stream = all.streams(alice, line)[0];
    let attempt = |all: &mut Telephones| {
        all.command(alice, |phone, _, now| {
            let outgoing = Outgoing::default();
            phone.send(now, stream, &outgoing, &Fragment::whole(&[7; 160], true))
        })
    };
    assert!(matches!(attempt(&mut all), Err(Error::Media(_))));
    all.until(alice, |event| *event == Event::MediaUp { line });
    all.run(SECOND);
    let connected = |event: &Event| {
        matches!(
            event,
            Event::Media {
                event: ocs_media::Event::Usable { .. } | ocs_media::Event::Connected { .. },
                ..
            }
        )
    };
    for (from, to) in [(alice, bob), (bob, alice)] {
        let media = all.media(from, to);
        assert!(media.len() >= 40, "{}", media.len());
        assert!(media[0].0 >= all.told_at(from, connected));
        assert!(
            media[0].0
                >= all.told_at(from, |event| matches!(
                    event,
                    Event::EarlyMedia { .. } | Event::Incoming { .. }
                ))
        );
    }
}

#[test]
fn early_answer_acknowledgement_and_the_same_again() {
    let (all, ends) = Telephones::in_call();
    let early = &all.responses(ends.alice, 183, "INVITE")[0];
    let answer = &all.responses(ends.alice, 200, "INVITE")[0];
    assert_eq!(early.header(HeaderName::Require), Some("100rel"));
    assert_eq!(body(early), body(answer));
    let number = early.header(HeaderName::RSeq).unwrap();
    let acknowledged = all.requests(ends.alice, Method::Prack);
    assert_eq!(acknowledged.len(), 1);
    let rack = acknowledged[0].header(HeaderName::RAck).unwrap();
    assert_eq!(rack, format!("{number} 1 INVITE"));
    assert_eq!(all.responses(ends.alice, 200, "PRACK").len(), 1);
    let order: Vec<_> = all
        .at(ends.alice)
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Ringing { .. } => Some("ringing"),
            Event::EarlyMedia { .. } => Some("early"),
            Event::Answered { .. } => Some("answered"),
            Event::MediaUp { .. } => Some("up"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["ringing", "early", "answered", "up"]);
}

#[test]
fn the_final_offer_names_the_pair() {
    let (all, ends) = Telephones::in_call();
    let invites = all.requests(ends.alice, Method::Invite);
    assert_eq!(invites.len(), 2);
    assert!(lines(&body(&invites[0]), "a=remote-candidates").is_empty());
    let answers = all.responses(ends.alice, 200, "INVITE");
    for (message, of, pair) in [
        (
            &invites[1],
            "192.0.2.101",
            "1 192.0.2.102 20000 2 192.0.2.102 20001",
        ),
        (
            &answers[1],
            "192.0.2.102",
            "1 192.0.2.101 20000 2 192.0.2.101 20001",
        ),
    ] {
        let description = body(message);
        let candidates = lines(&description, "a=candidate:");
        let expected = [
            format!("1 1 UDP 2028994815 {of} 20000 typ host"),
            format!("1 2 UDP 2028994814 {of} 20001 typ host"),
        ];
        assert_eq!(candidates, expected);
        assert_eq!(lines(&description, "a=remote-candidates:"), [pair]);
    }
    // The callee has nothing to offer of its own.
    assert_eq!(all.requests(ends.bob, Method::Invite).len(), 2);
}

/// A call in the dialect of 2005, whatever the callee would offer itself.
fn with_dialects(ours: fn(&mut Config), theirs: fn(&mut Config)) -> (Telephones, [HostId; 2]) {
    let habits = |phone| Habits {
        phone,
        ..Habits::default()
    };
    let mut all = Telephones::new();
    let alice = all.signed_in_as("alice", Manner::Waits, habits(ours));
    let bob = all.signed_in_as("bob", Manner::Answers(SECOND), habits(theirs));
    let line = all.talk(alice, "bob");
    all.run(2 * SECOND);
    assert_eq!(all.heard_in_a_second(alice, bob), (50, 50));
    // Pictures come in the dialect of the call, too.
    let other = all.line(bob);
    let plan = all.plan(bob, StreamKind::Video);
    all.order(bob, |phone, now| phone.add_stream(now, other, &plan));
    all.run(3 * SECOND);
    assert_eq!(all.heard_in_a_second(alice, bob), (100, 100));
    all.order(alice, |phone, now| phone.hang_up(now, line));
    all.run(SECOND);
    assert_eq!(all.at(bob).phone.lines().count(), 0);
    (all, [alice, bob])
}

#[test]
fn the_dialect_of_2005() {
    let legacy: fn(&mut Config) = |config| config.dialect = Dialect::Ice;
    for theirs in [legacy, |_| {}] {
        let (all, [alice, _]) = with_dialects(legacy, theirs);
        let invites = all.requests(alice, Method::Invite);
        assert_eq!(invites.len(), 4);
        for invite in &invites {
            assert!(lines(&body(invite), "a=ice-ufrag").is_empty());
        }
        assert!(lines(&body(&invites[0]), "a=remote-candidate").is_empty());
        let last = body(&invites[1]);
        assert_eq!(lines(&last, "a=candidate:").len(), 2, "{last}");
        assert_eq!(lines(&last, "a=remote-candidate:").len(), 1, "{last}");
    }
}

#[test]
fn a_telephone_of_2005_is_called_as_usual() {
    let (all, [alice, _]) = with_dialects(|_| {}, |config| config.dialect = Dialect::Ice);
    let answer = body(&all.responses(alice, 200, "INVITE")[0]);
    assert_eq!(lines(&answer, "a=ice-ufrag").len(), 1);
}

#[test]
fn two_telephones_ring_and_one_is_taken() {
    let (mut all, alice, first) = Telephones::pair(Manner::Rings);
    let second = all.signed_in("bob", Manner::Answers(2 * SECOND));
    let line = all.talk(alice, "bob");
    all.run(SECOND);
    assert_eq!(all.heard_in_a_second(alice, second), (50, 50));
    let [first_number, second_number] = [first, second].map(|phone| all.talker(phone).number);
    assert_eq!(all.talker(alice).heard_from(first_number), 0);
    assert!(all.talker(alice).heard_from(second_number) > 0);
    let early = |event: &Event| *event == Event::EarlyMedia { line };
    assert_eq!(all.count(alice, early), 2);
    let events = all.at(first).events.iter();
    let ended = events.filter_map(|(_, event)| match event {
        Event::Ended { ended, .. } => Some(ended),
        _ => None,
    });
    let [ended] = ended.collect::<Vec<_>>()[..] else {
        panic!("{:#?}", all.at(first).events);
    };
    assert_eq!((ended.cause, ended.elsewhere), (Cause::Remote, true));
    assert!(!ended.was_established);
    // Of what did not become a call there is no report.
    assert!(all.requests(first, Method::Service).is_empty());
}

#[test]
fn texts_beside_a_call() {
    let (mut all, ends) = Telephones::in_call();
    all.command(ends.alice, |phone, _, now| {
        phone.command(now, |agent| {
            agent.send_text(now, &aor("bob"), "can you hear me?")
        })
    })
    .unwrap();
    assert_eq!(all.heard_in_a_second(ends.alice, ends.bob), (50, 50));
    let text = |event: &Event| matches!(event, Event::Agent(AgentEvent::Text { text, .. }) if text == "can you hear me?");
    assert_eq!(all.count(ends.bob, text), 1);
    all.order(ends.bob, |phone, now| phone.hang_up(now, ends.other));
    all.run(SECOND);
    // The conversation outlives the call.
    all.command(ends.bob, |phone, _, now| {
        phone.command(now, |agent| agent.send_text(now, &aor("alice"), "yes"))
    })
    .unwrap();
    all.run(SECOND);
    let text = |event: &Event| matches!(event, Event::Agent(AgentEvent::Text { text, .. }) if text == "yes");
    assert_eq!(all.count(ends.alice, text), 1);
    assert_eq!(all.ended(ends.alice, ends.line).cause, Cause::Remote);
}

#[test]
fn both_report_on_quality() {
    let (mut all, ends) = Telephones::in_call();
    all.run(4 * SECOND);
    all.order(ends.bob, |phone, now| phone.hang_up(now, ends.other));
    all.run(2 * SECOND);
    for (phone, is_caller) in [(ends.alice, "true"), (ends.bob, "false")] {
        let reports = all.requests(phone, Method::Service);
        assert_eq!(reports.len(), 1);
        let report = body(&reports[0]);
        assert!(
            report.contains(&format!("<Caller>{is_caller}</Caller>")),
            "{report}"
        );
        assert!(report.contains("<Security>SRTP</Security>"), "{report}");
        let accepted = Event::Agent(AgentEvent::QualityReported(Quality::Accepted));
        assert_eq!(all.count(phone, |event| *event == accepted), 1);
    }
    let ids = [ends.alice, ends.bob].map(|phone| {
        let report = body(&all.requests(phone, Method::Service)[0]);
        let (_, rest) = report.split_once("CallId=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_server_without_agent_gets_no_report() {
    let mut all = Telephones::with(1, |config| config.quality_agent = None);
    let alice = all.signed_in("alice", Manner::Waits);
    all.signed_in("bob", Manner::Answers(SECOND));
    let line = all.talk(alice, "bob");
    all.order(alice, |phone, now| phone.hang_up(now, line));
    all.run(2 * SECOND);
    assert!(all.ended(alice, line).was_established);
    assert!(all.requests(alice, Method::Service).is_empty());
}

#[test]
fn the_same_seed_gives_the_same_record() {
    let record = || {
        let (mut all, ends) = Telephones::in_call();
        all.order(ends.bob, |phone, now| phone.hold(now, ends.other));
        all.run(SECOND);
        all.order(ends.alice, |phone, now| phone.hang_up(now, ends.line));
        all.run(2 * SECOND);
        all.testbed.records().to_vec()
    };
    let (one, other) = (record(), record());
    assert!(one.len() > 150, "{}", one.len());
    assert_eq!(one, other);
}
