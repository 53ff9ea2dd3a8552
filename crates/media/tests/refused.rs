//! Descriptions that cannot be followed change nothing.

mod common;

use common::{Call, FIRST, Ways, agreed, config};
use ocs_ice::Dialect;
use ocs_media::Error;
use ocs_sdpext::negotiation;

/// The lines of ICE of a side that speaks the other dialect.
fn other_dialect() -> String {
    let mut other = Call::with(1, Ways::Udp, negotiation::Config::default(), |role| {
        let mut config = config(role);
        config.ice.dialect = Dialect::Ice;
        config
    });
    let offer = other.offer();
    let lines = offer.media(0).unwrap().ice_lines(true);
    assert!(lines.contains("a=candidate:") && !lines.contains("ice-ufrag"));
    lines
}

#[test]
fn the_other_dialect_in_a_call() {
    let lines = other_dialect();
    let mut call = Call::new();
    call.connect();
    let refused = Err(Error::Ice(ocs_ice::Error::WrongDialect));
    let former = call.plan(1).transport;
    let (negotiated, _) = agreed(&call.callees[0].session);
    for restarted in [false, true] {
        if restarted {
            call.command(1, |stream, now| stream.restart(now).unwrap());
        }
        let offered = call.command(1, |stream, now| {
            assert!(!stream.is_restart(&lines));
            stream.handle_offer(now, &lines)
        });
        assert_eq!(offered, refused);
        let taken = call.command(1, |stream, now| {
            stream.handle_negotiated(now, FIRST, &negotiated, &lines)
        });
        assert_eq!(taken.map(|()| false), refused);
        assert_eq!(call.plan(1).transport == former, !restarted);
    }
    // The call goes on, and its way can still be found anew.
    call.talk(0, 3);
    call.round(1, |_| {});
    call.talk(0, 200);
    assert_eq!(call.heard(1), 203);
    assert_ne!(call.at(1).stream.final_transport(), None);
}

#[test]
fn an_address_out_of_reach_is_refused_again() {
    let allowed = |role| ocs_media::Config {
        allow_without_ice: true,
        ..config(role)
    };
    let mut call = Call::with(1, Ways::Udp, negotiation::Config::default(), allowed);
    call.without_ice = true;
    call.begin();
    let (good, _) = agreed(&call.forks[&FIRST]);
    let mut elsewhere = good.clone();
    elsewhere.remote.rtp = Some(common::at("[2001:db8::1]:20000"));
    elsewhere.direction = ocs_sdpext::attribute::Direction::Inactive;
    for _ in 0..2 {
        let taken = call.command(0, |stream, now| {
            stream.handle_negotiated(now, FIRST, &elsewhere, "")
        });
        assert_eq!(taken, Err(Error::Ice(ocs_ice::Error::NoPath)));
    }
    call.talk(0, 3);
    assert_eq!(call.heard(1), 3);
}
