//! Calls from end to end: ringing, early media, answer, hanging up.

mod common;

use std::time::Duration;

use common::{ALICE, Net, accept_streams, call, established};
use ocs_call::{Cause, Event, State};
use ocs_sip_core::HeaderName;

#[test]
fn a_call_with_early_media() {
    let mut net = Net::new(1);
    call(&mut net);
    assert_eq!(net.state(1), State::Calling);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    assert_eq!(net.state(ALICE), State::Ringing);
    accept_streams(&mut net, 1);
    assert_eq!(net.call(1).answer_early(now), Ok(true));
    net.run();
    let fork = net.call(ALICE).forks().next().unwrap();
    assert_eq!(
        net.events(ALICE),
        [
            Event::Ringing { fork: Some(fork) },
            Event::EarlyMedia { fork }
        ]
    );
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Early, State::Early)
    );
    net.call(1).accept(now).unwrap();
    net.run();
    assert_eq!(
        net.flow(),
        [
            "0>1 INVITE",
            "1>0 180 INVITE",
            "1>0 183 INVITE",
            "0>1 PRACK",
            "1>0 200 PRACK",
            "1>0 200 INVITE",
            "0>1 ACK",
        ]
    );
    assert_eq!(net.events(ALICE), [Event::Answered { fork }]);
    assert_eq!(net.events(1), [Event::Established]);
    // The same description twice ([MS-SDPEXT] 3.1.5.12.1), none in PRACK and its answer (3.1.5.13).
    let (early, last) = (net.sent(1, "183 INVITE"), net.sent(1, "200 INVITE"));
    assert_eq!(early.body(), last.body());
    assert!(early.lists(HeaderName::Require, "100rel"));
    assert!(net.sent(ALICE, "PRACK").body().is_empty());
    assert!(net.sent(1, "200 PRACK").body().is_empty());
    // Both have the keys of both.
    let keys = |net: &mut Net, side: usize| {
        let session = net.call(side).current().unwrap().1;
        session.negotiated(0).unwrap().srtp.clone().unwrap()
    };
    let (alice, bob) = (keys(&mut net, ALICE), keys(&mut net, 1));
    assert_eq!(alice.local.master, bob.remote.master);
    assert_eq!(bob.local.master, alice.remote.master);
}

#[test]
fn either_side_hangs_up() {
    for side in [ALICE, 1] {
        let mut net = established();
        let now = net.now();
        net.call(side).hang_up(now, None);
        net.run();
        let other = 1 - side;
        let bye = [
            format!("{side}>{other} BYE"),
            format!("{other}>{side} 200 BYE"),
        ];
        assert_eq!(net.flow(), bye);
        for (end, cause) in [(side, Cause::Local), (other, Cause::Remote)] {
            let ended = net.take(end, |event| match event {
                Event::Ended(ended) => Some(ended.clone()),
                _ => None,
            });
            let ended = ended.unwrap();
            assert_eq!((ended.cause, ended.was_established), (cause, true));
        }
        net.advance(Duration::from_secs(40));
        assert_eq!((net.state(0), net.state(1)), (State::Ended, State::Ended));
        assert_eq!(net.call(0).poll_timeout(), None);
    }
}
