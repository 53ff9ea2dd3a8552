//! User agents and a front end on a virtual network.

mod common;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use common::aor;
use common::network::{Network, SERVER};
use ocs_client::{Event, Failure, UserAgent};
use ocs_testbed::{Chunking, HostId, Link, Listener};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn counts(network: &Network) -> ocs_server::Counters {
    network.front().front_end.counters()
}

#[test]
fn texts_both_ways() {
    for compressed in [false, true] {
        let mut network = Network::new(1, compressed);
        let alice = network.signed_in("alice");
        let bob = network.signed_in("bob");
        let connected = |event: &Event| matches!(event, Event::Connected { compressed: yes, .. } if *yes == compressed);
        assert!(network.told(alice, connected));
        network.say(alice, "bob", "one");
        network.say(alice, "bob", "two");
        network.run(SECOND);
        network
            .command(bob, |agent, now| agent.set_typing(now, &aor("alice"), true))
            .unwrap();
        network.run(SECOND);
        assert!(network.told(alice, |event| matches!(
            event,
            Event::Typing { active: true, .. }
        )));
        network.say(bob, "alice", "three \u{1F642}");
        network.run(SECOND);
        assert_eq!(network.heard(bob), ["one", "two"]);
        assert_eq!(network.heard(alice), ["three \u{1F642}"]);
        for device in [alice, bob] {
            network.command(device, UserAgent::sign_out);
        }
        network.run(40 * SECOND);
        assert!(network.told(bob, |event| matches!(
            event,
            Event::ConversationEnded { .. }
        )));
        assert_eq!(counts(&network), ocs_server::Counters::default());
        assert_eq!(network.at(alice).agent.dropped(), 0);
    }
}

#[test]
fn two_conversations_at_once() {
    let mut network = Network::new(2, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    let carol = network.signed_in("carol");
    network.say(alice, "bob", "for bob");
    network.say(alice, "carol", "for carol");
    network.run(SECOND);
    network.say(carol, "bob", "and from carol");
    network.run(SECOND);
    assert_eq!(network.heard(bob), ["for bob", "and from carol"]);
    assert_eq!(network.heard(carol), ["for carol"]);
    assert_eq!(network.at(alice).agent.conversations().count(), 2);
    network.command(alice, |agent, now| agent.end_conversation(now, &aor("bob")));
    network.run(SECOND);
    assert_eq!(network.at(alice).agent.conversations().count(), 1);
    assert_eq!(network.at(bob).agent.conversations().count(), 1);
}

#[test]
fn both_begin_at_the_same_moment() {
    let mut network = Network::new(3, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    network.say(alice, "bob", "ping");
    network.say(bob, "alice", "pong");
    network.run(40 * SECOND);
    assert_eq!(network.heard(bob), ["ping"]);
    assert_eq!(network.heard(alice), ["pong"]);
    assert!(!network.told(alice, |event| matches!(event, Event::NotDelivered { .. })));
    assert!(!network.told(bob, |event| matches!(event, Event::NotDelivered { .. })));
    assert_eq!(counts(&network).requests, 0);
}

#[test]
fn a_text_to_oneself() {
    // One endpoint: nobody else is there. Two: the other one gets it.
    let mut network = Network::new(4, false);
    let alice = network.signed_in("alice");
    network.say(alice, "alice", "note");
    network.run(5 * SECOND);
    assert!(network.told(alice, |event| matches!(
        event,
        Event::NotDelivered { status: 480, .. }
    )));
    assert_eq!(network.at(alice).agent.conversations().count(), 0);
    let other = network.signed_in("alice");
    network.say(alice, "alice", "note");
    network.run(5 * SECOND);
    assert_eq!(network.heard(other), ["note"]);
    assert_eq!(network.heard(alice), [] as [&str; 0]);
}

#[test]
fn one_of_two_endpoints_takes_it() {
    let mut network = Network::new(5, false);
    let alice = network.signed_in("alice");
    let quick = network.device("bob", |config| config.accept_delay = SECOND);
    let slow = network.device("bob", |config| config.accept_delay = 10 * SECOND);
    for device in [quick, slow] {
        network.sign_in(device);
    }
    network.run(5 * SECOND);
    network.say(alice, "bob", "hi");
    network.run(15 * SECOND);
    assert_eq!(network.heard(quick), ["hi"]);
    assert_eq!(network.heard(slow), [] as [&str; 0]);
    assert!(network.told(slow, |event| matches!(
        event,
        Event::ConversationEnded {
            elsewhere: true,
            ..
        }
    )));
    // Both at once: alice keeps one of the two.
    let carol = network.signed_in("carol");
    for device in [network.device("bob", |_| {}), network.device("bob", |_| {})] {
        network.sign_in(device);
    }
    network.run(5 * SECOND);
    network.say(carol, "bob", "race");
    network.run(40 * SECOND);
    assert_eq!(network.at(carol).agent.conversations().count(), 1);
    assert!(network.told(carol, |event| matches!(event, Event::Delivered { .. })));
    assert_eq!(counts(&network).requests, 0);
}

#[test]
fn nobody_home() {
    let mut network = Network::new(6, false);
    let alice = network.signed_in("alice");
    for (to, status) in [("bob", 480), ("mallory", 404)] {
        network.say(alice, to, "hi");
        network.run(5 * SECOND);
        assert!(
            network.told(
                alice,
                |event| matches!(event, Event::NotDelivered { status: told, .. } if *told == status)
            ),
            "{to}: {:?}",
            network.at(alice).events
        );
    }
}

#[test]
fn no_server_and_the_wrong_server() {
    let mut network = Network::new(7, false);
    network.testbed.stop_listening(network.server, 5061);
    let alice = network.device("alice", |_| {});
    network.sign_in(alice);
    network.run(60 * SECOND);
    assert!(network.told(alice, |event| matches!(
        event,
        Event::SignInFailed(Failure::NoServer { .. })
    )));
    // A server whose certificate is for somebody else is left for the next one.
    let impostor = Ipv4Addr::new(192, 0, 2, 66);
    network
        .testbed
        .add_address(network.server, IpAddr::V4(impostor));
    let (server, testbed) = (network.server, &mut network.testbed);
    testbed.listen(
        server,
        Listener::tls((impostor, 5061).into(), ["evil.example.com"]),
    );
    testbed.listen(
        server,
        Listener::tls((SERVER, 5061).into(), ["fe01.contoso.com"]),
    );
    let zone = testbed.zone_mut();
    zone.remove("_sipinternaltls._tcp.contoso.com");
    zone.srv(
        "_sipinternaltls._tcp.contoso.com",
        0,
        0,
        5061,
        "fe02.contoso.com",
    );
    zone.srv(
        "_sipinternaltls._tcp.contoso.com",
        1,
        0,
        5061,
        "fe01.contoso.com",
    );
    zone.address("fe02.contoso.com", impostor);
    network.sign_in(alice);
    network.run(10 * SECOND);
    assert!(
        network.at(alice).agent.is_signed_in(),
        "{:?}",
        network.at(alice).events
    );
    let connected: Vec<_> = network
        .at(alice)
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Connected { host, .. } => Some(host.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(connected, ["fe01.contoso.com"]);
}

#[test]
fn lost_connections_are_made_again() {
    let mut network = Network::new(8, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    network.say(alice, "bob", "before");
    network.run(SECOND);
    // The connection breaks; and the server's program is started again.
    for restart in [false, true] {
        if restart {
            network.restart_server();
        } else {
            let connection = network.testbed.connections(alice)[0];
            network.testbed.reset_connection(alice, connection);
        }
        network.run(SECOND);
        assert!(network.told(alice, |event| matches!(
            event,
            Event::Reconnecting { until: Some(_) }
        )));
        network.run(31 * SECOND);
        assert!(network.at(alice).agent.is_signed_in());
        assert!(network.at(bob).agent.is_signed_in());
        network.say(alice, "bob", "after");
        network.run(SECOND);
        assert_eq!(network.heard(bob).last(), Some(&"after"));
    }
    assert_eq!(network.heard(bob), ["before", "after", "after"]);
    assert_eq!(counts(&network).registrations, 2);
}

#[test]
fn a_server_that_is_away_for_long() {
    let mut network = Network::new(9, false);
    let alice = network.signed_in("alice");
    let server = network.server;
    network.testbed.partition(alice, server);
    // Nothing is heard on either side; the server's keep-alive ends it there.
    network.run(400 * SECOND);
    assert_eq!(counts(&network).registrations, 0);
    network.run(8000 * SECOND);
    network.testbed.heal(alice, server);
    network.run(1900 * SECOND);
    assert!(
        network.at(alice).agent.is_signed_in(),
        "{:?}",
        network.at(alice).events.last()
    );
}

#[test]
fn a_day_without_anything() {
    let mut network = Network::new(10, false);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    network.run(24 * 3600 * SECOND);
    network.say(alice, "bob", "good morning");
    network.run(SECOND);
    assert_eq!(network.heard(bob), ["good morning"]);
    assert!(!network.told(alice, |event| matches!(event, Event::Reconnecting { .. })));
    assert_eq!(counts(&network).connections, 2);
}

/// Everything that went over the wire, with its time.
fn transcript(seed: u64) -> String {
    let mut network = Network::new(seed, true);
    let link = Link {
        jitter: Duration::from_millis(40),
        chunking: Chunking::Random,
        ..Link::default()
    };
    network.testbed.set_default_link(link);
    let alice = network.signed_in("alice");
    let bob = network.signed_in("bob");
    let carol = network.signed_in("carol");
    for (device, to) in [
        (alice, "bob"),
        (bob, "carol"),
        (carol, "alice"),
        (alice, "carol"),
    ] {
        network.say(device, to, "hello");
    }
    network.run(10 * SECOND);
    network.restart_server();
    network.run(60 * SECOND);
    for device in [alice, bob, carol] {
        network.command(device, UserAgent::sign_out);
    }
    network.run(40 * SECOND);
    let mut log = format!("{:?}", network.front().events);
    for record in network.testbed.records() {
        let _ = writeln!(log, "{record:?}");
    }
    log
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    let first = transcript(11);
    assert!(first.len() > 50_000);
    assert!(first == transcript(11), "two runs differ");
    assert!(first != transcript(12));
}

/// What may happen to a network.
#[derive(Debug, Clone)]
enum Step {
    SignIn(usize),
    SignOut(usize),
    Say(usize, usize),
    Typing(usize, usize),
    End(usize, usize),
    Accept(usize, usize),
    Decline(usize, usize, bool),
    Reset(usize, usize),
    Cut(usize),
    Heal(usize),
    Restart,
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let whom = 0..3_usize;
    prop_oneof![
        3 => who.clone().prop_map(Step::SignIn),
        1 => who.clone().prop_map(Step::SignOut),
        5 => (who.clone(), whom.clone()).prop_map(|(a, b)| Step::Say(a, b)),
        1 => (who.clone(), whom.clone()).prop_map(|(a, b)| Step::Typing(a, b)),
        1 => (who.clone(), whom.clone()).prop_map(|(a, b)| Step::End(a, b)),
        1 => (who.clone(), whom.clone()).prop_map(|(a, b)| Step::Accept(a, b)),
        1 => (who.clone(), whom, any::<bool>()).prop_map(|(a, b, all)| Step::Decline(a, b, all)),
        1 => (who.clone(), 0..4_usize).prop_map(|(a, n)| Step::Reset(a, n)),
        1 => who.clone().prop_map(Step::Cut),
        2 => who.prop_map(Step::Heal),
        1 => Just(Step::Restart),
        // Milliseconds, up to a minute.
        6 => (0..60_000_u16).prop_map(Step::Wait),
    ]
}

fn apply(network: &mut Network, devices: &[HostId], step: &Step) {
    let to = |index: usize| aor(common::network::NAMES[index]);
    match *step {
        Step::SignIn(a) => network.sign_in(devices[a]),
        Step::SignOut(a) => network.command(devices[a], UserAgent::sign_out),
        Step::Say(a, b) => network.say(devices[a], common::network::NAMES[b], "words"),
        Step::Typing(a, b) => {
            let _ = network.command(devices[a], |agent, now| agent.set_typing(now, &to(b), true));
        }
        Step::End(a, b) => {
            network.command(devices[a], |agent, now| agent.end_conversation(now, &to(b)));
        }
        Step::Accept(a, b) => network.command(devices[a], |agent, now| agent.accept(now, &to(b))),
        Step::Decline(a, b, all) => {
            network.command(devices[a], |agent, now| agent.decline(now, &to(b), all));
        }
        Step::Reset(a, n) => {
            let connections = network.testbed.connections(devices[a]);
            if let Some(connection) = connections.get(n) {
                network.testbed.reset_connection(devices[a], *connection);
            }
        }
        Step::Cut(a) => network.testbed.partition(devices[a], network.server),
        Step::Heal(a) => network.testbed.heal(devices[a], network.server),
        Step::Restart => network.restart_server(),
        Step::Wait(ms) => network.run(Duration::from_millis(u64::from(ms))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever happens in whatever order: afterwards everybody can sign in and talk.
    #[test]
    fn after_every_trouble_all_is_well(
        seed in any::<u64>(),
        compressed in any::<bool>(),
        asks in any::<bool>(),
        latency in 0..300_u64,
        chunking in prop_oneof![Just(Chunking::Whole), Just(Chunking::Segments), Just(Chunking::Random)],
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut network = Network::new(seed, compressed);
        network.testbed.set_default_link(Link {
            latency: Duration::from_millis(latency),
            jitter: Duration::from_millis(latency / 2),
            loss: 0.02,
            chunking,
            ..Link::default()
        });
        let devices = [
            network.device("alice", |config| config.auto_accept = !asks),
            network.device("bob", |_| {}),
        ];
        for step in &steps {
            apply(&mut network, &devices, step);
        }
        for device in devices {
            network.testbed.heal(device, network.server);
            network.command(device, UserAgent::sign_in);
        }
        // Longer than the longest back-off and the time after which a dead connection is noticed.
        network.run(Duration::from_secs(9000));
        for device in devices {
            network.command(device, UserAgent::sign_in);
        }
        network.run(Duration::from_secs(120));
        for device in devices {
            prop_assert!(network.at(device).agent.is_signed_in(), "{:?}", network.at(device).events);
            for name in ["alice", "bob"] {
                network.command(device, |agent, now| agent.end_conversation(now, &aor(name)));
            }
        }
        network.run(Duration::from_secs(60));
        let before = network.heard(devices[1]).len();
        network.say(devices[0], "bob", "at last");
        network.run(Duration::from_secs(10));
        prop_assert_eq!(&network.heard(devices[1])[before..], ["at last"]);
        for device in devices {
            network.command(device, UserAgent::sign_out);
        }
        network.run(Duration::from_secs(60));
        prop_assert_eq!(counts(&network), ocs_server::Counters::default());
        for device in devices {
            prop_assert_eq!(network.at(device).agent.poll_timeout(), None);
        }
    }
}
