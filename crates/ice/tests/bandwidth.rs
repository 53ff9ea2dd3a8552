//! [MS-ICE2BWM] between two agents: paths that the policy denies are not taken.

mod common;

use std::time::Duration;

use common::*;
use ocs_ice::bandwidth::Policy;
use ocs_ice::{CandidateType, Component, Dialect, Error, Event, Failure, PairState, Phase, Role};

/// A call whose sides ask for the policy, or only one of them.
fn call(managed: &[Role]) -> Call {
    Call::with([None; 2], Offers::Udp, Server::Relay, 1, |role| {
        let mut config = config(Dialect::Ice2, role);
        config.bandwidth_management = managed.contains(&role);
        config
    })
}

fn answer(call: &mut Call, role: Role, policy: Option<Policy>) {
    let wanted = |(_, event): &(_, Event)| matches!(event, Event::PolicyWanted(_));
    assert!(call.side(role).events.iter().any(wanted));
    call.command(role, |agent, now| agent.handle_policy(now, policy));
}

const NO_DIRECT: Policy = Policy {
    local_site: false,
    ..Policy::ALLOWED
};

const BOTH: [Role; 2] = [Role::Controlling, Role::Controlled];

#[test]
fn both_sides_avoid_the_direct_path() {
    let mut call = call(&BOTH);
    call.exchange();
    let sites = call
        .side(Role::Controlling)
        .events
        .iter()
        .find_map(|(_, event)| match event {
            Event::PolicyWanted(sites) => Some(*sites),
            _ => None,
        });
    let sites = sites.unwrap();
    assert_eq!(sites.local_site, Some(at("203.0.113.101:20000")));
    assert_eq!(sites.remote_site, Some(at("203.0.113.102:20000")));
    assert!(sites.local_relay.is_some() && sites.remote_relay.is_some());
    for role in BOTH {
        answer(&mut call, role, Some(NO_DIRECT));
    }
    call.finish().unwrap();
    call.assert_media_flows();
    for component in Component::ALL {
        let pair = call
            .side(Role::Controlling)
            .agent()
            .selected(component)
            .unwrap();
        let kinds = [pair.local.kind, pair.remote.kind];
        assert!(kinds.contains(&CandidateType::Relayed), "{pair}");
    }
}

/// A side without a policy learns from the other one's 275.
#[test]
fn one_side_tells_the_other() {
    for managed in BOTH {
        let mut call = call(&[managed]);
        call.exchange();
        answer(&mut call, managed, Some(NO_DIRECT));
        call.finish().unwrap();
        call.assert_media_flows();
        let pair = call
            .side(managed.other())
            .agent()
            .selected(Component::Rtp)
            .unwrap();
        let kinds = [pair.local.kind, pair.remote.kind];
        assert!(
            kinds.contains(&CandidateType::Relayed),
            "{managed:?}: {pair}"
        );
        let direct = call.side(managed.other()).agent().pairs();
        assert_eq!(direct[0].state, PairState::Failed);
    }
}

#[test]
fn nothing_is_left() {
    let mut call = call(&BOTH);
    call.exchange();
    let nothing = Policy {
        local_site: false,
        local_relay: false,
        remote_site: false,
        remote_relay: false,
    };
    for role in BOTH {
        answer(&mut call, role, Some(nothing));
        assert_eq!(call.side(role).failure(), Some(Failure::NoBandwidth));
    }
}

/// Without a policy server it is as without bandwidth management; so it is without an answer, after ten seconds.
#[test]
fn no_policy() {
    let mut call = call(&BOTH);
    call.exchange();
    answer(&mut call, Role::Controlling, None);
    let start = call.testbed.now();
    assert_eq!(call.side(Role::Controlled).agent().phase(), Phase::Checking);
    call.testbed.run_for(Duration::from_secs(9));
    // The callee has answered, and asked nothing.
    let waiting = call.side(Role::Controlled).agent().pairs();
    assert!(waiting[0].received && waiting[0].state != PairState::Succeeded);
    call.finish().unwrap();
    assert!(call.testbed.now() - start < Duration::from_secs(12));
    let pair = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp)
        .unwrap();
    assert_eq!(pair.remote.kind, CandidateType::Host);
}

/// The policy server does not commit what was selected: the next best is taken.
#[test]
fn commit_denied() {
    let mut call = call(&BOTH);
    call.exchange();
    for role in BOTH {
        answer(&mut call, role, Some(Policy::ALLOWED));
    }
    call.finish().unwrap();
    let first = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp)
        .unwrap();
    assert_eq!(first.local.kind, CandidateType::Host);
    let denied = call.command(Role::Controlled, |agent, now| {
        agent.handle_commit_denied(now)
    });
    assert!(matches!(denied, Err(Error::WrongState { .. })));
    call.command(Role::Controlling, |agent, now| {
        agent.handle_commit_denied(now).unwrap();
    });
    call.testbed.run_for(Duration::from_secs(4));
    let second = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp)
        .unwrap();
    let kinds = [second.local.kind, second.remote.kind];
    assert!(kinds.contains(&CandidateType::Relayed), "{second}");
    let offer = call
        .side(Role::Controlling)
        .agent()
        .final_description()
        .unwrap();
    call.command(Role::Controlled, |agent, now| {
        agent.handle_final(now, &offer).unwrap();
    });
    call.assert_media_flows();
}
