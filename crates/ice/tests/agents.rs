//! Two agents find each other.

mod common;

use common::*;
use ocs_ice::{CandidateType, Component, Dialect, Role};

#[test]
fn over_udp_without_anything_between() {
    let mut call = Call::new(Dialect::Ice2, [None; 2], Offers::Udp, Server::None);
    let time = call.run();
    for pair in call.side(Role::Controlling).agent.pairs() {
        eprintln!("{pair:?}");
    }
    eprintln!("{time:?} {:?}", call.side(Role::Controlling).events);
    assert!(time.is_some());
    call.assert_media_flows();
    let pair = call
        .side(Role::Controlling)
        .agent
        .selected(Component::Rtp)
        .unwrap();
    assert_eq!(pair.local.kind, CandidateType::Host);
}
