//! Several endpoints answer one offer.

mod common;

use std::time::Duration;

use common::{Call, Ways, agreed, config};
use ocs_ice::Component;
use ocs_media::{Error, Event, ForkId};
use ocs_sdpext::negotiation::{self, EncryptionPolicy};

fn id(callee: usize) -> ForkId {
    ForkId(callee as u32)
}

fn forked(callees: u8, ways: Ways) -> Call {
    let mut call = Call::with(callees, ways, negotiation::Config::default(), config);
    let offer = call.offer();
    for callee in 1..=usize::from(callees) {
        let answer = call.answer(callee, &offer);
        call.take(id(callee), &answer);
    }
    call
}

#[test]
fn early_media_of_one_is_heard_until_another_is_chosen() {
    let mut call = forked(3, Ways::Udp);
    call.testbed.run_for(Duration::from_secs(5));
    for callee in 1..=3 {
        assert!(call.at(0).has(&Event::Connected { fork: id(callee) }));
    }
    let heard = call.at(0).stream.heard().unwrap();
    assert_eq!(call.at(0).stream.chosen(), None);
    let number = heard.0 as usize;
    for callee in 1..=3 {
        call.talk(callee, 4);
    }
    assert_eq!(call.heard(0), 4);
    let ssrc = call.at(number).stream.ssrc_range().first();
    assert!(
        call.at(0)
            .packets
            .iter()
            .all(|packet| packet.rtp().ssrc() == ssrc)
    );
    assert!(call.at(0).stream.statistics().unheard >= 8);

    // The one that the application wants is heard, and spoken to.
    call.command(0, |stream, now| stream.prefer(now, id(3)).unwrap());
    call.talk(0, 2);
    call.talk(3, 2);
    assert_eq!((call.heard(0), call.heard(3)), (6, 2));
    let first = call.at(3).packets[0].rtp().sequence();

    call.command(0, |stream, now| stream.choose(now, id(2)).unwrap());
    assert_eq!(call.at(0).stream.chosen(), Some(id(2)));
    assert_eq!(call.at(0).stream.forks().collect::<Vec<_>>(), [id(2)]);
    call.talk(0, 3);
    for callee in 1..=3 {
        call.talk(callee, 3);
    }
    assert_eq!((call.heard(0), call.heard(2)), (9, 3));
    assert_eq!((call.heard(1), call.heard(3)), (0, 2));
    // One numbering for all, so that no index of the one key is used twice.
    let sequence = call.at(2).packets[0].rtp().sequence();
    assert_eq!(sequence, first.wrapping_add(2));
    let statistics = call.at(0).stream.statistics();
    assert_eq!((statistics.undecryptable, statistics.replayed), (0, 0));
}

#[test]
fn a_fork_that_is_wanted_is_waited_for() {
    let mut call = Call::with(2, Ways::Udp, negotiation::Config::default(), config);
    let offer = call.offer();
    let answers = [1, 2].map(|callee| call.answer(callee, &offer));
    call.take(id(2), &answers[1]);
    call.command(0, |stream, now| {
        assert_eq!(stream.prefer(now, id(1)), Err(Error::NoFork(id(1))));
    });
    call.take(id(1), &answers[0]);
    call.testbed
        .partition(call.caller.host, call.callees[0].host);
    call.command(0, |stream, now| stream.prefer(now, id(1)).unwrap());
    call.await_event(0, &Event::Usable { fork: id(2) });
    assert_eq!(call.at(0).stream.heard(), None);
    // It ends, and the other one is heard.
    call.command(0, |stream, now| stream.drop_fork(now, id(1)));
    assert_eq!(call.at(0).stream.heard(), Some(id(2)));
}

#[test]
fn a_fork_that_fails_gives_way_to_another() {
    let mut call = Call::with(2, Ways::Udp, negotiation::Config::default(), config);
    let offer = call.offer();
    for callee in [1, 2] {
        let answer = call.answer(callee, &offer);
        call.take(id(callee), &answer);
    }
    call.testbed
        .partition(call.caller.host, call.callees[0].host);
    call.command(0, |stream, now| stream.prefer(now, id(1)).unwrap());
    call.await_event(0, &Event::Usable { fork: id(2) });
    assert_eq!(call.at(0).stream.heard(), None);
    call.testbed.run_for(Duration::from_secs(60));
    let failed = |event: &Event| matches!(event, Event::Failed { fork, .. } if *fork == id(1));
    assert!(call.at(0).events.iter().any(failed));
    assert_eq!(call.at(0).stream.heard(), Some(id(2)));
    call.talk(2, 2);
    assert_eq!(call.heard(0), 2);
}

#[test]
fn a_fork_that_ends_gives_way_to_another() {
    let mut call = forked(2, Ways::Udp);
    call.testbed.run_for(Duration::from_secs(5));
    let heard = call.at(0).stream.heard().unwrap();
    let other = id(3 - heard.0 as usize);
    call.command(0, |stream, now| stream.drop_fork(now, heard));
    assert_eq!(call.at(0).stream.heard(), Some(other));
    assert!(call.at(0).stream.is_usable());
    call.talk(0, 2);
    assert_eq!(call.heard(other.0 as usize), 2);
    call.command(0, |stream, now| {
        assert_eq!(stream.choose(now, heard), Err(Error::NoFork(heard)));
        stream.choose(now, other).unwrap();
        // Of the chosen one only the end of the call is the end.
        stream.drop_fork(now, other);
    });
    call.talk(0, 2);
    assert_eq!(call.heard(other.0 as usize), 4);
}

#[test]
fn forks_through_one_allocation() {
    let mut call = forked(3, Ways::UdpAndRelay);
    call.testbed.run_for(Duration::from_secs(6));
    for callee in 1..=3 {
        assert!(call.at(0).has(&Event::Connected { fork: id(callee) }));
    }
    call.command(0, |stream, now| stream.choose(now, id(2)).unwrap());
    call.talk(0, 3);
    call.talk(2, 3);
    assert_eq!((call.heard(0), call.heard(2)), (3, 3));
}

#[test]
fn a_fork_in_clear_does_not_open_the_others() {
    let mut call = Call::with(2, Ways::Udp, negotiation::Config::default(), config);
    let offer = call.offer();
    let clear = negotiation::Config {
        encryption: EncryptionPolicy::DoNotSupport,
        ..negotiation::Config::default()
    };
    call.callees[1].session = negotiation::Session::new(clear);
    for callee in [1, 2] {
        let answer = call.answer(callee, &offer);
        call.take(id(callee), &answer);
    }
    call.testbed.run_for(Duration::from_secs(5));
    for (callee, secret) in [(1, true), (2, false), (1, true)] {
        let before = call.testbed.messages().count();
        call.command(0, |stream, now| stream.prefer(now, id(callee)).unwrap());
        call.talk(0, 3);
        call.talk(callee, 3);
        let clear = call.testbed.messages().skip(before).any(|message| {
            let text = &message.text;
            text.windows(160).any(|window| window == [2; 160])
        });
        assert_eq!(clear, !secret);
    }
    assert_eq!((call.heard(0), call.heard(1), call.heard(2)), (9, 6, 3));
}

#[test]
fn the_choice_may_come_before_the_way() {
    let mut call = Call::with(2, Ways::Udp, negotiation::Config::default(), config);
    let offer = call.offer();
    for callee in [1, 2] {
        let answer = call.answer(callee, &offer);
        call.take(id(callee), &answer);
    }
    call.command(0, |stream, now| stream.choose(now, id(2)).unwrap());
    assert_eq!(call.say(0, 0), Err(Error::NoPath));
    call.await_event(0, &Event::Connected { fork: id(2) });
    assert!(!call.at(0).has(&Event::Usable { fork: id(1) }));
    call.talk(0, 3);
    assert_eq!((call.heard(1), call.heard(2)), (0, 3));
    let pair = call.at(0).stream.selected(Component::Rtcp).unwrap();
    assert_eq!(pair.remote.address, common::at("203.0.113.102:20001"));
}

#[test]
fn an_answer_too_many_is_ignored() {
    let limited = |role| {
        let mut config = config(role);
        config.ice.limits.forks = 2;
        config
    };
    let mut call = Call::with(1, Ways::Udp, negotiation::Config::default(), limited);
    let offer = call.offer();
    let answer = call.answer(1, &offer);
    for fork in [1, 2] {
        call.take(id(fork), &answer);
    }
    let (negotiated, lines) = agreed(&call.forks[&id(1)]);
    let refused = call.command(0, |stream, now| {
        stream.handle_negotiated(now, id(3), &negotiated, &lines)
    });
    let limit = 2;
    let expected = ocs_ice::Error::TooManyForks { limit };
    assert_eq!(refused, Err(Error::Ice(expected)));
    assert_eq!(call.at(0).stream.forks().count(), 2);
}
