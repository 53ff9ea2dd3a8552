//! Presence and contacts between user agents and a front end.

mod common;

use std::time::Duration;

use common::aor;
use common::network::Network;
use ocs_client::{Event, Step, UserAgent};
use ocs_pres::category::Availability;
use ocs_pres::client::Status;
use ocs_siprege::contacts::GroupSet;
use ocs_testbed::HostId;

const SECOND: Duration = Duration::from_secs(1);

fn availability(network: &Network, device: HostId, of: &str) -> Option<u32> {
    let presence = network.at(device).agent.presence(&aor(of))?;
    Some(presence.state()?.availability?.0)
}

fn note(network: &Network, device: HostId, of: &str) -> Option<String> {
    let presence = network.at(device).agent.presence(&aor(of))?;
    Some(presence.note()?.body.first()?.text.to_string())
}

fn add(network: &mut Network, device: HostId, name: &str) {
    network
        .command(device, |agent, now| {
            agent.add_contact(now, &aor(name), "", GroupSet::NONE)
        })
        .unwrap();
    network.run(SECOND);
}

fn bootstraps(network: &Network, device: HostId) -> usize {
    let events = network.at(device).events.iter();
    events
        .filter(|event| **event == Event::Bootstrapped)
        .count()
}

fn refused(network: &Network, device: HostId) -> Vec<Step> {
    network
        .at(device)
        .events
        .iter()
        .filter_map(|event| match event {
            Event::StepRefused { step, .. } => Some(*step),
            _ => None,
        })
        .collect()
}

#[test]
fn what_one_endpoint_publishes_all_others_see() {
    let mut network = Network::new(1, false);
    let desk = network.signed_in("alice");
    let laptop = network.signed_in("alice");
    let bob = network.signed_in("bob");
    for device in [desk, laptop, bob] {
        assert_eq!(
            bootstraps(&network, device),
            1,
            "{:?}",
            network.at(device).events
        );
        assert_eq!(refused(&network, device), []);
    }
    add(&mut network, bob, "alice");
    assert_eq!(
        network.at(bob).agent.watch_status(&aor("alice")),
        Some(Status::Subscribed)
    );
    assert_eq!(availability(&network, bob, "alice"), Some(3500));
    // alice is prompted, on both devices, and answers on one.
    for device in [desk, laptop] {
        assert!(network.told(
            device,
            |event| matches!(event, Event::SubscriberPending { user, .. } if *user == aor("bob"))
        ));
    }
    network
        .command(desk, |agent, now| agent.acknowledge(now, &aor("bob")))
        .unwrap();
    network.run(SECOND);

    network
        .command(desk, |agent, now| {
            agent.set_presence(now, Availability::BUSY, None)
        })
        .unwrap();
    network.run(SECOND);
    assert_eq!(availability(&network, bob, "alice"), Some(6500));
    let own = |network: &Network, device: HostId| {
        let own = network.at(device).agent.own_presence();
        own.instances("state")
            .map(|(key, instance)| (key.clone(), instance.version))
            .collect::<Vec<_>>()
    };
    assert_eq!(own(&network, desk), own(&network, laptop));
    // The other device changes it: the versions come from the notification, so there is no conflict.
    network
        .command(laptop, |agent, now| {
            agent.set_presence(now, Availability::DO_NOT_DISTURB, None)
        })
        .unwrap();
    network
        .command(laptop, |agent, now| agent.set_note(now, "Writing"))
        .unwrap();
    network.run(SECOND);
    assert_eq!(availability(&network, bob, "alice"), Some(9500));
    assert_eq!(note(&network, bob, "alice").as_deref(), Some("Writing"));
    assert_eq!(own(&network, desk), own(&network, laptop));
    for device in [desk, laptop, bob] {
        assert!(!network.told(device, |event| matches!(
            event,
            Event::PresenceRefused { .. }
        )));
        assert_eq!(network.at(device).agent.dropped(), 0);
    }
}

#[test]
fn both_endpoints_at_the_same_moment() {
    // One of the two meets a conflict, and tries again with the version that it is told.
    let mut network = Network::new(2, false);
    let desk = network.signed_in("alice");
    let laptop = network.signed_in("alice");
    let bob = network.signed_in("bob");
    add(&mut network, bob, "alice");
    for round in 0..5 {
        for (device, availability) in [
            (desk, Availability::AWAY),
            (laptop, Availability::BE_RIGHT_BACK),
        ] {
            network
                .command(device, |agent, now| {
                    agent.set_presence(now, availability, None)
                })
                .unwrap();
        }
        network.run(SECOND);
        assert!(
            matches!(availability(&network, bob, "alice"), Some(12500 | 15500)),
            "{round}"
        );
    }
    for device in [desk, laptop] {
        assert!(
            !network.told(device, |event| matches!(
                event,
                Event::PresenceRefused { .. }
            )),
            "{:?}",
            network.at(device).events
        );
    }
}

#[test]
fn blocked_and_allowed() {
    let mut network = Network::new(3, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    add(&mut network, bob, "alice");
    network
        .command(alice, |agent, now| agent.set_note(now, "secret"))
        .unwrap();
    network.run(SECOND);
    assert_eq!(note(&network, bob, "alice").as_deref(), Some("secret"));
    network
        .command(alice, |agent, now| agent.block(now, &aor("bob")))
        .unwrap();
    network.run(SECOND);
    assert_eq!(note(&network, bob, "alice"), None);
    assert!(availability(&network, bob, "alice").is_none_or(|availability| availability >= 18000));
    network
        .command(alice, |agent, now| agent.allow(now, &aor("bob")))
        .unwrap();
    network.run(SECOND);
    assert_eq!(note(&network, bob, "alice").as_deref(), Some("secret"));
    assert_eq!(availability(&network, bob, "alice"), Some(3500));
}

#[test]
fn contacts_are_the_same_on_all_endpoints() {
    let mut network = Network::new(4, false);
    let desk = network.signed_in("alice");
    let laptop = network.signed_in("alice");
    add(&mut network, desk, "bob");
    add(&mut network, laptop, "carol");
    network
        .command(desk, |agent, now| agent.add_group(now, "Friends"))
        .unwrap();
    network.run(SECOND);
    let lists = [desk, laptop].map(|device| network.at(device).agent.contacts().to_document());
    assert_eq!(lists[0], lists[1]);
    assert!(lists[0].contains("Friends"));
    // Both watch both.
    for device in [desk, laptop] {
        for name in ["bob", "carol"] {
            assert_eq!(
                network.at(device).agent.watch_status(&aor(name)),
                Some(Status::Subscribed)
            );
        }
    }
    // A later device finds it all.
    let phone = network.signed_in("alice");
    assert_eq!(network.at(phone).agent.contacts().to_document(), lists[0]);
    let bob = network.signed_in("bob");
    network.run(SECOND);
    for device in [desk, laptop, phone] {
        assert_eq!(availability(&network, device, "bob"), Some(3500));
    }
    network.command(bob, UserAgent::sign_out);
    network.run(SECOND);
    // With the last endpoint he is offline.
    for device in [desk, laptop, phone] {
        assert_eq!(availability(&network, device, "bob"), Some(18500));
    }
    network
        .command(phone, |agent, now| agent.remove_contact(now, &aor("bob")))
        .unwrap();
    network.run(SECOND);
    for device in [desk, laptop, phone] {
        assert_eq!(network.at(device).agent.presence(&aor("bob")), None);
    }
}

#[test]
fn a_server_that_is_started_again() {
    let mut network = Network::new(5, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    network.command(bob, |agent, now| agent.watch(now, &aor("alice")));
    network
        .command(alice, |agent, now| {
            agent.set_presence(now, Availability::BE_RIGHT_BACK, None)
        })
        .unwrap();
    network.run(SECOND);
    assert_eq!(availability(&network, bob, "alice"), Some(12500));
    network.restart_server();
    network.run(120 * SECOND);
    for device in [alice, bob] {
        assert!(network.at(device).agent.is_signed_in());
        assert_eq!(
            bootstraps(&network, device),
            2,
            "{:?}",
            network.at(device).events
        );
    }
    // The server lost everything; alice's endpoint gave it back.
    assert_eq!(
        network.at(bob).agent.watch_status(&aor("alice")),
        Some(Status::Subscribed)
    );
    assert_eq!(availability(&network, bob, "alice"), Some(12500));
    network.command(alice, UserAgent::reset_presence).unwrap();
    network.run(SECOND);
    assert_eq!(availability(&network, bob, "alice"), Some(3500));
}

#[test]
fn a_hundred_endpoints_of_one_user() {
    let mut network = Network::new(6, false);
    let bob = network.signed_in("bob");
    let devices: Vec<HostId> = (0..100).map(|_| network.device("alice", |_| {})).collect();
    for device in &devices {
        network.sign_in(*device);
    }
    network.run(60 * SECOND);
    for device in &devices {
        assert_eq!(bootstraps(&network, *device), 1);
        assert_eq!(refused(&network, *device), []);
    }
    add(&mut network, bob, "alice");
    network
        .command(devices[99], |agent, now| {
            agent.set_presence(now, Availability::BUSY, None)
        })
        .unwrap();
    network
        .command(devices[0], |agent, now| {
            agent.set_machine_state(now, Availability::AWAY)
        })
        .unwrap();
    network.run(10 * SECOND);
    assert_eq!(availability(&network, bob, "alice"), Some(6500));
    for device in &devices {
        let own = network.at(*device).agent.own_presence();
        assert_eq!(own.instances("device").count(), 100);
    }
}
