//! Connections and streams.

mod common;

use std::net::IpAddr;

use common::{Pair, Puppet, address, ms};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Chunking, Closed, ConnectFailure, Fate, Input, Link, MTU, Output};
use proptest::prelude::*;

const ONE: ConnectionId = ConnectionId(1);

fn failure(puppet: &Puppet) -> Option<ConnectFailure> {
    puppet.inputs.iter().find_map(|input| match input {
        Input::ConnectFailed { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn tcp_connects_echoes_and_closes() {
    let mut pair = Pair::connected(1, true);
    assert_eq!(pair.testbed.elapsed(), ms(30));
    let Input::Connected {
        local,
        certificate_names,
        ..
    } = &pair.at_alice().inputs[0]
    else {
        panic!("not connected");
    };
    assert_eq!(*local, address(1, 49152));
    assert!(certificate_names.is_empty());
    let accepted = pair.bobs_connection();
    assert_eq!(accepted.0 >> 63, 1);
    assert!(matches!(
        &pair.at_bob().inputs[0],
        Input::Accepted { connection, peer, transport: Transport::Tcp, server_name: None, .. }
            if *connection == accepted && *peer == address(1, 49152)
    ));
    pair.alice(|alice| {
        alice.send(1, "hello");
        alice.outputs.push_back(Output::Close { connection: ONE });
    });
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().stream(), b"hello");
    assert_eq!(pair.at_alice().closed(), [Closed::Fin]);
    assert!(pair.testbed.connections(pair.alice).is_empty());
    assert!(pair.testbed.connections(pair.bob).is_empty());
}

#[test]
fn tls_shows_its_names() {
    let mut pair = Pair::new(1, true);
    pair.alice(|alice| alice.connect(1, address(2, 5061), Transport::Tls));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.testbed.elapsed(), ms(60));
    assert!(matches!(
        &pair.at_alice().inputs[0],
        Input::Connected { certificate_names, .. } if *certificate_names == ["sip.contoso.com"]
    ));
    assert!(matches!(
        &pair.at_bob().inputs[0],
        Input::Accepted { server_name: Some(name), .. } if name == "sip.contoso.com"
    ));
}

#[test]
fn attempts_fail_as_they_should() {
    let cases = [
        (address(2, 9), Transport::Tcp, ConnectFailure::Refused, 20),
        (
            address(9, 5060),
            Transport::Tcp,
            ConnectFailure::Unreachable,
            20,
        ),
        (
            "[::1]:5060".parse().unwrap(),
            Transport::Tcp,
            ConnectFailure::Unreachable,
            0,
        ),
        (
            address(2, 5060),
            Transport::Tls,
            ConnectFailure::Handshake,
            20,
        ),
    ];
    for (peer, transport, reason, time) in cases {
        let mut pair = Pair::new(1, false);
        pair.alice(|alice| alice.connect(1, peer, transport));
        pair.testbed.run_until_idle().unwrap();
        assert_eq!(failure(pair.at_alice()), Some(reason));
        assert_eq!(pair.testbed.elapsed(), ms(time));
        assert!(pair.testbed.connections(pair.alice).is_empty());
        assert!(pair.at_bob().inputs.is_empty());
    }
}

#[test]
fn attempt_into_a_black_hole_times_out() {
    let mut pair = Pair::new(1, false);
    pair.testbed.partition(pair.alice, pair.bob);
    pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(failure(pair.at_alice()), Some(ConnectFailure::TimedOut));
    assert_eq!(pair.testbed.elapsed(), ms(21_000));
}

#[test]
fn attempt_survives_a_short_partition_or_is_given_up() {
    let mut pair = Pair::new(1, false);
    pair.testbed.partition(pair.alice, pair.bob);
    pair.alice(|alice| {
        alice.connect(1, address(2, 5060), Transport::Tcp);
        alice.connect(2, address(2, 5060), Transport::Tcp);
        alice.connect(3, address(9, 5060), Transport::Tcp);
    });
    pair.testbed.run_for(ms(15));
    pair.alice(|alice| {
        for connection in [2, 3].map(ConnectionId) {
            alice.outputs.push_back(Output::Close { connection });
        }
    });
    pair.testbed.run_for(ms(1000));
    pair.testbed.heal(pair.alice, pair.bob);
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().inputs.len(), 1);
    assert!(matches!(
        pair.at_alice().inputs[0],
        Input::Connected {
            connection: ONE,
            ..
        }
    ));
    assert_eq!(pair.testbed.connections(pair.bob).len(), 1);
}

#[test]
fn partition_holds_streams_and_heal_releases_them() {
    let mut pair = Pair::connected(1, true);
    pair.testbed.partition(pair.alice, pair.bob);
    pair.alice(|alice| alice.send(1, "held"));
    pair.testbed.run_until_idle().unwrap();
    assert!(pair.at_bob().pieces().is_empty());
    pair.testbed.run_for(ms(60_000));
    pair.testbed.heal(pair.alice, pair.bob);
    let healed = pair.testbed.elapsed();
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().stream(), b"held");
    assert_eq!(pair.testbed.elapsed(), healed + ms(20));
}

#[test]
fn reset_by_a_host_overtakes_nothing_and_tells_the_other() {
    let mut pair = Pair::connected(1, false);
    pair.alice(|alice| {
        alice.send(1, "last words");
        alice.outputs.push_back(Output::Reset { connection: ONE });
        alice.send(1, "too late");
    });
    pair.bob(|_| {});
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_bob().stream(), b"last words");
    assert_eq!(pair.at_bob().closed(), [Closed::Reset]);
    assert!(pair.at_alice().closed().is_empty());
    assert!(pair.testbed.connections(pair.bob).is_empty());
    let ladder = pair.testbed.ladder("").to_string();
    assert!(
        ladder.contains("sends 8 bytes on connection 1, which is not open"),
        "{ladder}"
    );
}

#[test]
fn reset_by_the_network_loses_what_is_on_the_way() {
    let mut pair = Pair::connected(1, false);
    pair.alice(|alice| alice.send(1, "lost"));
    pair.testbed
        .reset_connection(pair.bob, pair.bobs_connection());
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().closed(), [Closed::Reset]);
    assert_eq!(pair.at_bob().closed(), [Closed::Reset]);
    assert!(pair.at_bob().pieces().is_empty());
    let fates: Vec<Fate> = pair
        .testbed
        .messages()
        .map(|message| message.fate)
        .collect();
    assert_eq!(fates, [Fate::Reset]);
}

#[test]
fn half_open_connection_is_found_by_sending() {
    let mut pair = Pair::connected(1, false);
    pair.testbed.partition(pair.alice, pair.bob);
    pair.alice(|alice| alice.outputs.push_back(Output::Reset { connection: ONE }));
    pair.testbed.run_until_idle().unwrap();
    pair.testbed.heal(pair.alice, pair.bob);
    pair.testbed.run_until_idle().unwrap();
    assert!(pair.at_bob().closed().is_empty());
    let connection = pair.testbed.connections(pair.bob)[0];
    pair.bob(|bob| bob.send(connection.0, "anybody there?"));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_bob().closed(), [Closed::Reset]);
    assert!(pair.at_alice().pieces().is_empty());
}

#[test]
fn restarted_host_resets_its_connections() {
    let mut pair = Pair::connected(1, false);
    pair.bob(|bob| bob.connect(1, address(9, 5060), Transport::Tcp));
    let old = pair.testbed.restart(pair.bob, Puppet::echo());
    drop(old);
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().closed(), [Closed::Reset]);
    assert!(pair.at_bob().inputs.is_empty());
    pair.alice(|alice| {
        alice.inputs.clear();
        alice.connect(1, address(2, 5060), Transport::Tcp);
    });
    pair.testbed.run_until_idle().unwrap();
    pair.alice(|alice| alice.send(1, "again"));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().stream(), b"again");
}

#[test]
#[should_panic(expected = "1 names two connections")]
fn numbers_are_not_used_twice() {
    let mut pair = Pair::connected(1, false);
    pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
}

#[test]
fn slow_reader_piles_up() {
    let mut pair = Pair::connected(1, false);
    let connection = pair.bobs_connection();
    pair.testbed.pause_reading(pair.bob, connection);
    for _ in 0..10 {
        pair.alice(|alice| alice.send(1, vec![0; 1000]));
    }
    pair.alice(|alice| alice.outputs.push_back(Output::Close { connection: ONE }));
    pair.testbed.run_until_idle().unwrap();
    assert!(pair.at_bob().pieces().is_empty());
    assert!(pair.at_bob().closed().is_empty());
    assert_eq!(pair.testbed.queued(pair.bob, connection), Some(10_000));
    assert_eq!(pair.testbed.queued(pair.alice, ONE), Some(0));
    pair.testbed.pause_reading_all(pair.bob);
    pair.testbed.resume_reading(pair.bob, connection);
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.testbed.queued(pair.bob, connection), Some(10_000));
    pair.testbed.resume_reading_all(pair.bob);
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_bob().stream().len(), 10_000);
    assert_eq!(pair.at_bob().closed(), [Closed::Fin]);
    assert_eq!(pair.testbed.queued(pair.bob, connection), Some(0));
}

#[test]
fn chunking() {
    for (chunking, sizes) in [
        (Chunking::Whole, vec![4000]),
        (Chunking::Segments, vec![MTU, MTU, 4000 - 2 * MTU]),
        (Chunking::Bytes, vec![1; 4000]),
    ] {
        let mut pair = Pair::connected(1, false);
        let link = Link {
            chunking,
            ..Link::default()
        };
        pair.testbed.set_link(pair.alice, pair.bob, link);
        pair.alice(|alice| alice.send(1, vec![7; 4000]));
        pair.testbed.run_until_idle().unwrap();
        let pieces = pair.at_bob().pieces();
        let got: Vec<usize> = pieces.iter().map(bytes::Bytes::len).collect();
        assert_eq!(got, sizes);
    }
}

#[test]
fn bandwidth_spreads_a_stream() {
    let mut pair = Pair::connected(1, false);
    let (chunking, bandwidth) = (Chunking::Segments, Some(80_000));
    pair.testbed.set_path(
        pair.alice,
        pair.bob,
        Link {
            bandwidth,
            chunking,
            ..Link::default()
        },
    );
    let start = pair.testbed.elapsed();
    pair.alice(|alice| alice.send(1, vec![7; 10_000]));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.testbed.elapsed(), start + ms(1010));
}

#[test]
fn loss_makes_streams_late_but_not_wrong() {
    let mut pair = Pair::connected(3, false);
    pair.testbed.set_default_link(Link {
        loss: 1.0,
        ..Link::default()
    });
    let start = pair.testbed.elapsed();
    pair.alice(|alice| alice.send(1, "late"));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_bob().stream(), b"late");
    // Six times 220 ms, doubled each time, and the latency.
    assert_eq!(pair.testbed.elapsed(), start + ms(220 * 63 + 10));
}

#[test]
fn listeners_on_all_addresses_and_closed_ones() {
    let mut pair = Pair::new(1, true);
    let second: IpAddr = [10, 0, 0, 3].into();
    pair.testbed.add_address(pair.bob, second);
    let any = std::net::SocketAddr::from(([0, 0, 0, 0], 443));
    pair.testbed
        .listen(pair.bob, ocs_testbed::Listener::tcp(any));
    pair.testbed.stop_listening(pair.bob, 5060);
    pair.alice(|alice| {
        alice.connect(1, (second, 443).into(), Transport::Tcp);
        alice.connect(2, address(2, 5060), Transport::Tcp);
    });
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.testbed.connections(pair.alice), [ONE]);
    assert_eq!(failure(pair.at_alice()), Some(ConnectFailure::Refused));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the link does, a stream arrives whole and in order, and twice the same.
    #[test]
    fn streams_are_reliable(
        seed: u64,
        jitter in 0u64..50,
        loss in 0.0..0.5f64,
        bandwidth in proptest::option::of(10_000u64..10_000_000),
        chunking in prop_oneof![
            Just(Chunking::Whole), Just(Chunking::Segments), Just(Chunking::Random), Just(Chunking::Bytes)
        ],
        sends in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000), 1..4),
        cut in any::<bool>(),
    ) {
        let run = || {
            let mut pair = Pair::new(seed, true);
            let link = Link { jitter: ms(jitter), loss, bandwidth, chunking, ..Link::default() };
            pair.testbed.set_default_link(link);
            pair.alice(|alice| alice.connect(1, address(2, 5061), Transport::Tls));
            pair.testbed.run_until_idle().unwrap();
            for data in &sends {
                pair.alice(|alice| alice.send(1, data.clone()));
                pair.testbed.run_for(ms(7));
            }
            if cut {
                pair.testbed.partition(pair.alice, pair.bob);
                pair.testbed.run_for(ms(500));
                pair.testbed.heal(pair.alice, pair.bob);
            }
            pair.alice(|alice| alice.outputs.push_back(Output::Close { connection: ONE }));
            pair.testbed.run_until_idle().unwrap();
            pair
        };
        let pair = run();
        prop_assert_eq!(pair.at_alice().stream(), sends.concat());
        prop_assert_eq!(pair.at_alice().closed(), [Closed::Fin]);
        prop_assert!(pair.testbed.connections(pair.bob).is_empty());
        let again = run();
        prop_assert!(pair.testbed.records() == again.testbed.records());
    }
}
