//! [MS-ICE2BWM] between two agents: paths that the policy denies are not taken.

mod common;

use std::time::Duration;

use common::*;
use ocs_ice::bandwidth::Policy;
use ocs_ice::endpoint::Demand;
use ocs_ice::{CandidateType, Component, Dialect, Error, Event, Failure, PairState, Phase, Role};
use ocs_turn::bandwidth::{Amount, BandwidthMessage, Outcome, Request};

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

fn amount(minimum: u32, maximum: u32) -> Amount {
    Amount {
        minimum_send: minimum,
        maximum_send: maximum,
        minimum_receive: minimum,
        maximum_receive: maximum,
    }
}

/// A call whose endpoints ask the relay themselves.
fn managed_call() -> Call {
    let mut call = call(&BOTH);
    for role in BOTH {
        let demand = Demand {
            amount: amount(64, 128),
            ..Demand::default()
        };
        call.endpoint(role, |endpoint, _| endpoint.manage_bandwidth(demand));
    }
    call
}

fn outcomes(call: &mut Call) -> Vec<Outcome> {
    call.links(|links| {
        let reports = core::iter::from_fn(|| links.policy.poll_report());
        reports.map(|report| report.outcome).collect()
    })
}

/// The whole of it over the wire: Check, Commit, Update for as long as the call lasts, and the end.
#[test]
fn the_relay_is_asked() {
    let mut call = managed_call();
    call.links(|links| links.direct_is_full = true);
    call.exchange();
    call.testbed.run_for(Duration::from_secs(5));
    let pair = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp);
    let pair = pair.unwrap();
    let kinds = [pair.local.kind, pair.remote.kind];
    assert!(kinds.contains(&CandidateType::Relayed), "{pair}");
    for role in BOTH {
        let wanted = |(_, event): &(_, Event)| matches!(event, Event::PolicyWanted(_));
        assert!(!call.side(role).events.iter().any(wanted));
        let answers = call.endpoint(role, |endpoint, _| {
            let answers = core::iter::from_fn(|| endpoint.poll_policy());
            answers.collect::<Vec<_>>()
        });
        let [check, commit] = answers[..] else {
            panic!("{answers:?}");
        };
        assert!(!check.direct_is_allowed());
        assert!(check.local_relay.unwrap().valid && check.remote_relay.unwrap().valid);
        assert_eq!(commit.amount, Some(amount(128, 128)));
    }
    let seen = call.links(|links| links.seen.clone());
    let of = |message| {
        seen.iter()
            .filter(move |request| request.message == message)
    };
    assert_eq!(of(BandwidthMessage::Check).count(), 2);
    let caller = at("203.0.113.101:20000");
    let commits = of(BandwidthMessage::Commit);
    let commits: Vec<_> = commits
        .filter(|commit| commit.local_site == Some(caller))
        .collect();
    let [commit] = commits[..] else {
        panic!("{commits:?}");
    };
    let relays = [pair.local, pair.remote].map(|end| {
        let relayed = end.kind == CandidateType::Relayed;
        relayed.then_some(end.address)
    });
    assert_eq!([commit.local_relay, commit.remote_relay], relays);
    assert_eq!(outcomes(&mut call), [Outcome::Committed; 2]);

    // The allocation that was asked with lives on even if media does not go over it.
    for role in BOTH {
        call.command(role, |agent, _| agent.finish().unwrap());
    }
    call.testbed.run_for(Duration::from_secs(1000));
    let updates = outcomes(&mut call);
    assert!(updates.len() >= 8, "{updates:?}");
    assert!(updates.iter().all(|outcome| *outcome == Outcome::Updated));
    call.endpoint(Role::Controlled, |endpoint, now| {
        endpoint.change_bandwidth(now, amount(10, 20));
    });
    call.testbed.run_for(Duration::from_secs(1));
    let changed = call.endpoint(Role::Controlled, |endpoint, _| {
        let answers = core::iter::from_fn(|| endpoint.poll_policy());
        answers.last().unwrap()
    });
    assert_eq!(changed.amount, Some(amount(20, 20)));
    assert_eq!(outcomes(&mut call), [Outcome::Updated]);
    call.assert_media_flows();

    for role in BOTH {
        call.command(role, |agent, _| agent.close());
    }
    call.testbed.run_for(Duration::from_secs(1));
    assert_eq!(outcomes(&mut call), [Outcome::Cancelled; 2]);
    let relay = call.relay.unwrap();
    assert_eq!(call.testbed.host::<Relay>(relay).server().len(), 0);
    for role in BOTH {
        let timer = call.endpoint(role, |endpoint, _| endpoint.poll_timeout());
        assert_eq!(timer, None);
    }
}

/// The caller's reservation is denied: it tells its completion only with the pair for which there is room.
#[test]
fn the_relay_denies_a_reservation() {
    let mut call = managed_call();
    let caller = call.caller.ip;
    call.links(|links| links.deny = Some(caller));
    call.exchange();
    call.testbed.run_for(Duration::from_secs(10));
    let completed = |(_, event): &&(_, Event)| *event == Event::Completed;
    let events = &call.side(Role::Controlling).events;
    assert_eq!(events.iter().filter(completed).count(), 1);
    let pair = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp);
    let pair = pair.unwrap();
    let kinds = [pair.local.kind, pair.remote.kind];
    assert!(kinds.contains(&CandidateType::Relayed), "{pair}");
    let commits = call.links(|links| {
        let own = |request: &&Request| {
            let site = request.local_site.map(|site| site.ip());
            request.message == BandwidthMessage::Commit && site == Some(caller)
        };
        links.seen.iter().filter(own).count()
    });
    assert_eq!(commits, 2);
}

/// A relay that knows nothing of bandwidth is in nobody's way.
#[test]
fn the_relay_has_no_policy() {
    let mut call = managed_call();
    call.links(|links| links.absent = true);
    assert!(call.run().unwrap() < Duration::from_secs(1));
    let pair = call
        .side(Role::Controlling)
        .agent()
        .selected(Component::Rtp);
    assert_eq!(pair.unwrap().local.kind, CandidateType::Host);
    assert_eq!(call.links(|links| links.seen.len()), 2);
    for role in BOTH {
        call.command(role, |agent, _| agent.finish().unwrap());
    }
    call.testbed.run_for(Duration::from_secs(1));
    let relay = call.relay.unwrap();
    assert_eq!(call.testbed.host::<Relay>(relay).server().len(), 0);
    call.assert_media_flows();
}

/// A restart takes up the allocation that was kept for the policy server, and asks it again.
#[test]
fn a_restart_asks_again() {
    let mut call = managed_call();
    call.exchange();
    call.testbed.run_for(Duration::from_secs(5));
    for role in BOTH {
        call.command(role, |agent, _| agent.finish().unwrap());
        call.command(role, ocs_ice::Agent::restart);
    }
    call.testbed.run_for(Duration::from_secs(5));
    let [offer, answer] = BOTH.map(|role| call.description(role));
    assert!(offer.to_string().contains("typ relay"), "{offer}");
    for (role, remote) in [(Role::Controlled, offer), (Role::Controlling, answer)] {
        call.command(role, |agent, now| agent.set_remote(now, &remote).unwrap());
    }
    call.testbed.run_for(Duration::from_secs(5));
    for role in BOTH {
        let completed = |(_, event): &&(_, Event)| *event == Event::Completed;
        assert_eq!(call.side(role).events.iter().filter(completed).count(), 2);
    }
    call.assert_media_flows();
    let kinds = call.links(|links| {
        let asked = links.seen.iter().map(|request| request.message);
        asked.collect::<Vec<_>>()
    });
    for kind in [BandwidthMessage::Check, BandwidthMessage::Commit] {
        assert_eq!(kinds.iter().filter(|other| **other == kind).count(), 4);
    }
}
