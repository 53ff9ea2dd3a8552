//! What a restart asks of relays, and what it leaves alone.

mod common;

use std::time::{Duration, Instant};

use common::*;
use ocs_ice::{
    Agent, Allocation, Carrier, Component, Description, Dialect, Event, Output, RelayId, Role,
    Transport,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

fn asked(agent: &mut Agent<ChaCha12Rng>) -> Vec<RelayId> {
    let outputs = core::iter::from_fn(|| agent.poll_output());
    let relays = outputs.filter_map(|output| match output {
        Output::Allocate { relay, .. } => Some(relay),
        _ => None,
    });
    relays.collect()
}

/// A relay that has not answered yet is not asked a second time; one that gave nothing is.
#[test]
fn what_is_awaited_is_not_asked_for_twice() {
    let mut now = Instant::now();
    let rng = ChaCha12Rng::seed_from_u64(1);
    let mut agent = Agent::new(config(Dialect::Ice2, Role::Controlling), rng);
    let mut relays = Vec::new();
    for (component, port) in [(Component::Rtp, 20000), (Component::Rtcp, 20001)] {
        let base = ([192, 0, 2, 1], port).into();
        agent.add_host(component, Transport::Udp, base).unwrap();
        let relay = agent.add_relay(component, Carrier::Udp, base, at(RELAY));
        relays.push(relay.unwrap());
    }
    agent.gather(now).unwrap();
    assert_eq!(asked(&mut agent), relays);
    // Time is up before they answer.
    now += Duration::from_secs(60);
    agent.handle_timeout(now);
    assert_eq!(agent.poll_event(), Some(Event::Gathered));
    agent.restart(now);
    assert_eq!(asked(&mut agent), []);
    agent.handle_allocation_failed(now, relays[1]);
    let allocation = Allocation {
        relayed: Some(at("198.51.100.9:50000")),
        relayed_alternate: None,
        reflexive: None,
    };
    agent.handle_allocated(now, relays[0], allocation);
    assert_eq!(agent.poll_event(), Some(Event::Gathered));
    assert_eq!(asked(&mut agent), []);
    agent.restart(now);
    assert_eq!(asked(&mut agent), relays[1..]);
}

/// What is given back and asked for anew at the same relay, from the same socket, is told apart.
#[test]
fn an_allocation_is_given_back_and_asked_for_at_once() {
    let mut call = Call::new(Dialect::Ice2, [None; 2], Offers::Udp, Server::Relay);
    call.run().unwrap();
    for role in [Role::Controlling, Role::Controlled] {
        call.command(role, |agent, now| {
            agent.finish().unwrap();
            agent.restart(now);
        });
    }
    call.testbed.run_for(Duration::from_millis(400));
    let offer = call.description(Role::Controlling).to_string();
    assert!(offer.contains("typ relay"), "{offer}");
    // Nothing that is sent once more takes it away.
    call.testbed.run_for(Duration::from_secs(30));
    let relay = call.relay.unwrap();
    assert_eq!(call.testbed.host::<Relay>(relay).server().len(), 4);
}

#[test]
fn the_other_dialect_asks_for_no_restart() {
    for (dialect, other) in [(Dialect::Ice2, Dialect::Ice), (Dialect::Ice, Dialect::Ice2)] {
        let mut call = Call::new(dialect, [None; 2], Offers::Udp, Server::None);
        call.run().unwrap();
        let mut stranger = Call::new(other, [None; 2], Offers::Udp, Server::None);
        stranger.exchange();
        let description: Description = stranger.description(Role::Controlling);
        let agent = call.side(Role::Controlled).agent();
        assert!(!agent.is_restart(&description), "{dialect:?}");
    }
}
