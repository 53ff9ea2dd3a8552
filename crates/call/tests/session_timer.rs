//! Session timers (RFC 4028) as a call keeps them.

mod common;

use std::time::Duration;

use common::{ALICE, Net, accept_streams, audio, call_with, config, ended, established};
use ocs_call::{Cause, Config, Event, State};
use ocs_sip_core::dialog::SessionPolicy;
use ocs_sip_core::{HeaderName, Message};

#[test]
fn the_caller_refreshes_by_update() {
    let mut net = established();
    net.advance(Duration::from_secs(899));
    assert_eq!(net.flow(), Vec::<String>::new());
    for _ in 0..3 {
        net.advance(Duration::from_secs(900));
        assert_eq!(net.flow(), ["0>1 UPDATE", "1>0 200 UPDATE"]);
        let update = net.sent(ALICE, "UPDATE");
        assert!(update.body().is_empty());
        let interval = update.header(HeaderName::SessionExpires);
        assert_eq!(interval, Some("1800;refresher=uac"));
        net.clear();
    }
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Established, State::Established)
    );
}

/// A call between Alice and a Bob who does not list UPDATE.
fn without_update() -> Net {
    let mut net = Net::new(1);
    call_with(&mut net, config(ALICE), vec![audio(ALICE)]);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.change = |message: &mut Message| {
        if let Some(allow) = message.header(HeaderName::Allow) {
            let allow = allow.replace("UPDATE, ", "");
            message.set(HeaderName::Allow, &allow);
        }
    };
    net.run();
    net.clear();
    net
}

#[test]
fn a_peer_without_update_is_refreshed_by_invite() {
    let mut net = without_update();
    // A plan that nobody asked to offer stays out of it.
    net.call(ALICE).hold();
    net.advance(Duration::from_secs(901));
    assert_eq!(net.flow(), ["0>1 INVITE", "1>0 100 INVITE"]);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).answer(now).unwrap();
    net.run();
    assert!(!net.call(ALICE).is_held());
    net.advance(Duration::from_secs(890));
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Established, State::Established)
    );
}

#[test]
fn a_peer_that_refuses_update_is_refreshed_by_invite() {
    let mut net = established();
    net.change = |message: &mut Message| {
        let of_update = message
            .cseq()
            .is_ok_and(|cseq| cseq.method_text == "UPDATE");
        if message.status().is_some() && of_update {
            message.set_status(501, "Not Implemented");
        }
    };
    net.advance(Duration::from_secs(901));
    let flow = [
        "0>1 UPDATE",
        "1>0 501 UPDATE",
        "0>1 INVITE",
        "1>0 100 INVITE",
    ];
    assert_eq!(net.flow(), flow);
    assert!(
        net.events(1)
            .iter()
            .any(|event| matches!(event, Event::Offered { .. }))
    );
}

#[test]
fn a_session_that_nobody_refreshes_ends() {
    let mut net = established();
    // Alice is gone.
    net.forget(ALICE);
    net.advance(Duration::from_secs(1767));
    assert_eq!(net.state(1), State::Established);
    net.advance(Duration::from_secs(2));
    let expired = ended(&mut net, 1);
    assert_eq!(
        (expired.cause, expired.was_established),
        (Cause::SessionExpired, true)
    );
    assert!(net.flow().contains(&"1>0 BYE".to_owned()));
}

#[test]
fn a_refresh_that_gets_no_answer_ends_the_call() {
    let mut net = established();
    // Bob is gone: 481.
    net.forget(1);
    net.advance(Duration::from_secs(901));
    let gone = ended(&mut net, ALICE);
    assert_eq!((gone.cause, gone.status), (Cause::DialogGone, Some(481)));
    net.advance(Duration::from_secs(33));
    assert_eq!(net.state(ALICE), State::Ended);
}

#[test]
fn intervals_that_are_too_small_for_the_peer() {
    let mut net = Net::new(1);
    net.config = |side| Config {
        session_timer: SessionPolicy {
            min_se: 300,
            ..SessionPolicy::default()
        },
        ..config(side)
    };
    let short = Config {
        session_timer: SessionPolicy {
            interval: 120,
            ..SessionPolicy::default()
        },
        ..config(ALICE)
    };
    call_with(&mut net, short, vec![audio(ALICE)]);
    let flow = ["0>1 INVITE", "1>0 422 INVITE", "0>1 ACK", "0>1 INVITE"];
    assert_eq!(net.flow(), flow);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    let interval = net.sent(1, "200 INVITE").header(HeaderName::SessionExpires);
    assert_eq!(interval, Some("300;refresher=uac"));
    net.clear();
    net.advance(Duration::from_secs(151));
    assert_eq!(net.flow(), ["0>1 UPDATE", "1>0 200 UPDATE"]);
}
