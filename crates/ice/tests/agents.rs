//! Two agents find each other, in all sorts of circumstances.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::*;
use ocs_hosts::IceHost;
use ocs_ice::{
    CandidateType, Carrier, Component, Config, Consent, Description, Dialect, Error, Event,
    Failure, Nomination, Output, Phase, Role, Transport,
};
use ocs_testbed::{Chunking, Event as Happened, HostId, Link, NatKind, Testbed};

const BOTH: [Role; 2] = [Role::Controlling, Role::Controlled];

fn direct(dialect: Dialect) -> Call {
    Call::new(dialect, [None; 2], Offers::Udp, Server::None)
}

fn adjusted(adjust: impl Fn(&mut Config)) -> Call {
    Call::with([None; 2], Offers::Udp, Server::None, 1, |role| {
        let mut config = config(Dialect::Ice2, role);
        adjust(&mut config);
        config
    })
}

/// The datagrams so far, by what is in them.
fn datagrams(testbed: &Testbed, from: HostId) -> Vec<Bytes> {
    let messages = testbed
        .messages()
        .filter(|message| message.flow.from == from);
    messages.map(|message| message.text.clone()).collect()
}

#[test]
fn on_one_network_it_takes_moments() {
    // docs/nat.md has the second number.
    for (dialect, expected) in [(Dialect::Ice, 120), (Dialect::Ice2, 100)] {
        let mut call = direct(dialect);
        let time = call.run().unwrap();
        assert_eq!(time, Duration::from_millis(expected), "{dialect:?}");
        call.assert_media_flows();
        let pair = call
            .side(Role::Controlling)
            .agent()
            .selected(Component::Rtp)
            .unwrap();
        assert_eq!(pair.local.kind, CandidateType::Host);
        assert_eq!(pair.remote.kind, CandidateType::Host);
    }
}

#[test]
fn aggressive_nomination() {
    let mut call = adjusted(|config| config.nomination = Nomination::Aggressive);
    assert!(call.run().unwrap() <= Duration::from_millis(100));
    call.assert_media_flows();
}

#[test]
fn over_tcp_whole_and_byte_by_byte() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        for chunking in [Chunking::Whole, Chunking::Bytes] {
            let mut call = Call::new(dialect, [None; 2], Offers::Tcp, Server::None);
            call.testbed.set_default_link(Link {
                chunking,
                ..Link::default()
            });
            let time = call.run().unwrap();
            assert!(time < Duration::from_secs(4), "{time:?}");
            call.assert_media_flows();
            let pair = call
                .side(Role::Controlling)
                .agent()
                .selected(Component::Rtp)
                .unwrap();
            assert!(pair.local.transport.is_tcp());
        }
    }
}

#[test]
fn udp_is_preferred_to_tcp() {
    let mut call = Call::new(Dialect::Ice2, [None; 2], Offers::Both, Server::Relay);
    call.run().unwrap();
    let pair = call
        .side(Role::Controlled)
        .agent()
        .selected(Component::Rtcp)
        .unwrap();
    assert_eq!(pair.local.transport, Transport::Udp);
    assert_eq!(pair.local.kind, CandidateType::Host);
}

#[test]
fn over_ipv6() {
    let mut call = adjusted(|_| {});
    for (side, last) in [(0, 1), (1, 2)] {
        let host = [call.caller.host, call.callee.host][side];
        let ip: std::net::IpAddr = format!("2001:db8::{last}").parse().unwrap();
        call.testbed.add_address(host, ip);
        let role = BOTH[side];
        for (component, port) in [(Component::Rtp, 30_000), (Component::Rtcp, 30_001)] {
            call.command(role, |agent, _| {
                agent
                    .add_host(component, Transport::Udp, (ip, port).into())
                    .unwrap();
            });
        }
    }
    // No way for IPv4.
    call.exchange();
    let pairs = call.side(Role::Controlling).agent().pairs();
    assert_eq!(pairs.len(), 4, "no pair of two families");
    let mut call_6 = call;
    assert!(call_6.finish().is_some());
    call_6.assert_media_flows();
}

#[test]
fn ipv6_alone() {
    let mut testbed = Call::new(Dialect::Ice2, [None; 2], Offers::Udp, Server::None);
    // Cut what is IPv4 by giving the peer an offer without it.
    for (side, last) in [(0, 1), (1, 2)] {
        let host = [testbed.caller.host, testbed.callee.host][side];
        let ip: std::net::IpAddr = format!("2001:db8::{last}").parse().unwrap();
        testbed.testbed.add_address(host, ip);
        for (component, port) in [(Component::Rtp, 30_000), (Component::Rtcp, 30_001)] {
            testbed.command(BOTH[side], |agent, _| {
                agent
                    .add_host(component, Transport::Udp, (ip, port).into())
                    .unwrap();
            });
        }
    }
    for role in BOTH {
        testbed.command(role, |agent, now| agent.gather(now).unwrap());
    }
    let only_6 = |call: &Call, role| match call.description(role) {
        Description::Ice2(mut description) => {
            description
                .candidates
                .retain(|candidate| candidate.address.is_ipv6());
            Description::Ice2(description)
        }
        Description::Ice(_) => unreachable!(),
    };
    let (offer, answer) = (only_6(&testbed, BOTH[0]), only_6(&testbed, BOTH[1]));
    testbed.exchanged = Some(testbed.testbed.now());
    testbed.command(BOTH[1], |agent, now| agent.set_remote(now, &offer).unwrap());
    testbed.command(BOTH[0], |agent, now| {
        agent.set_remote(now, &answer).unwrap();
    });
    testbed.finish().unwrap();
    testbed.assert_media_flows();
    let pair = testbed
        .side(BOTH[0])
        .agent()
        .selected(Component::Rtp)
        .unwrap();
    assert!(pair.remote.address.is_ipv6());
}

/// Both think that they control, or both that they do not: the larger tie breaker controls in the end.
#[test]
fn role_conflicts_are_settled() {
    for role in BOTH {
        for seed in 1..10 {
            let mut call = Call::with([None; 2], Offers::Udp, Server::None, seed, |_| {
                config(Dialect::Ice2, role)
            });
            assert!(call.run().is_some(), "{role:?} {seed}");
            let roles = BOTH.map(|side| call.side(side).agent().role());
            assert_ne!(roles[0], roles[1]);
            let changes = BOTH.map(|side| {
                let events = &call.side(side).events;
                let changed = |(_, event): &&(_, Event)| matches!(event, Event::RoleChanged(_));
                events.iter().filter(changed).count()
            });
            assert_eq!(changes[0] + changes[1], 1, "one side changes, once");
            call.assert_media_flows();
        }
    }
}

#[test]
fn through_loss_duplication_and_reordering() {
    for seed in 1..20 {
        let mut call = Call::with([None; 2], Offers::Udp, Server::None, seed, |role| {
            config(Dialect::Ice2, role)
        });
        call.testbed.set_default_link(Link {
            loss: 0.3,
            duplicate: 0.2,
            reorder: 0.2,
            ..Link::default()
        });
        let time = call.run();
        assert!(
            time.is_some_and(|time| time < Duration::from_secs(10)),
            "{seed} {time:?}"
        );
    }
}

/// The callee's checks come before its answer: they are answered at once, and looked at when the answer is there.
#[test]
fn checks_before_the_answer() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        let mut call = direct(dialect);
        for role in BOTH {
            call.command(role, |agent, now| agent.gather(now).unwrap());
        }
        let offer = call.description(Role::Controlling);
        let answer = call.description(Role::Controlled);
        call.exchanged = Some(call.testbed.now());
        call.command(Role::Controlled, |agent, now| {
            agent.set_remote(now, &offer).unwrap();
        });
        call.testbed.run_for(Duration::from_millis(500));
        assert_eq!(
            call.side(Role::Controlling).agent().phase(),
            Phase::WaitingForPeer
        );
        let succeeded = call.side(Role::Controlled).agent().pairs();
        assert_eq!(succeeded[0].state, ocs_ice::PairState::Succeeded);
        call.command(Role::Controlling, |agent, now| {
            agent.set_remote(now, &answer).unwrap();
        });
        assert!(
            call.finish().unwrap() < Duration::from_millis(600),
            "{dialect:?}"
        );
        call.assert_media_flows();
    }
}

/// A peer that never answers costs ten seconds, and a bounded number of packets.
#[test]
fn a_peer_that_never_answers() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        let mut call = Call::new(dialect, [None; 2], Offers::Both, Server::None);
        call.exchange();
        let start = call.testbed.now();
        call.testbed.partition(call.caller.host, call.callee.host);
        let host = call.caller.host;
        let running =
            |testbed: &Testbed| testbed.host::<IceHost>(host).agent().phase() != Phase::Failed;
        call.testbed
            .run_while(running, Duration::from_secs(60))
            .unwrap();
        let took = call.testbed.now() - start;
        assert!(took <= Duration::from_secs(10), "{took:?}");
        assert_eq!(
            call.side(Role::Controlling).failure(),
            Some(Failure::NoValidPair)
        );
        assert!(datagrams(&call.testbed, host).len() <= 2 * 2 * 9);
        assert_eq!(call.side(Role::Controlling).agent().poll_timeout(), None);
    }
}

/// Keep-alives hold the translators' mappings, which last for 60 s.
#[test]
fn keep_alives_keep_mappings() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        let nats = [Some(NatKind::PortRestricted), Some(NatKind::Restricted)];
        let mut call = Call::new(dialect, nats, Offers::Udp, Server::Reflexive);
        call.run().unwrap();
        let before = datagrams(&call.testbed, call.caller.host).len();
        call.testbed.run_for(Duration::from_secs(300));
        call.assert_media_flows();
        let sent = datagrams(&call.testbed, call.caller.host).split_off(before);
        let keep_alives = sent.iter().filter(|data| data[..2] == [0x00, 0x11]);
        let length = if dialect == Dialect::Ice2 { 28 } else { 20 };
        assert!(keep_alives.clone().all(|data| data.len() == length));
        let count = keep_alives.count();
        assert!((28..=30).contains(&count), "{count}");
    }
}

/// No keep-alive where media flows.
#[test]
fn media_is_keep_alive_enough() {
    let mut call = direct(Dialect::Ice2);
    call.run().unwrap();
    let before = datagrams(&call.testbed, call.caller.host).len();
    for _ in 0..10 {
        for component in Component::ALL {
            let packet = Bytes::from_static(b"\x80media");
            call.command(Role::Controlling, |agent, now| {
                agent.send(now, component, packet).unwrap();
            });
        }
        call.testbed.run_for(Duration::from_secs(15));
    }
    let sent = datagrams(&call.testbed, call.caller.host).split_off(before);
    assert_eq!(sent.len(), 20);
}

#[test]
fn consent_ends_when_the_peer_is_gone() {
    let mut call = adjusted(|config| config.consent = Some(Consent::default()));
    call.run().unwrap();
    call.testbed.run_for(Duration::from_secs(120));
    assert_eq!(call.side(Role::Controlling).failure(), None);
    let (caller, callee) = (call.caller.host, call.callee.host);
    call.testbed.partition(caller, callee);
    call.testbed.run_for(Duration::from_secs(31));
    for role in BOTH {
        assert_eq!(call.side(role).failure(), Some(Failure::ConsentExpired));
    }
}

/// The final offer and answer name what both sides selected already, or in MS-ICE tell the callee.
#[test]
fn final_offer_and_answer() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        let nats = [Some(NatKind::Symmetric), Some(NatKind::Restricted)];
        let mut call = Call::new(dialect, nats, Offers::Udp, Server::Relay);
        assert_eq!(
            call.side(Role::Controlling).agent().final_description(),
            None
        );
        call.run().unwrap();
        for role in BOTH {
            let description = call.side(role).agent().final_description().unwrap();
            let text = description.to_string();
            assert_eq!(text.matches("a=candidate:").count(), 2, "{text}");
            assert_eq!(text.matches("a=remote-candidate").count(), 1, "{text}");
            call.command(role.other(), |agent, now| {
                agent.handle_final(now, &description).unwrap();
            });
        }
        // One that names other addresses.
        let other = match call
            .side(Role::Controlling)
            .agent()
            .final_description()
            .unwrap()
        {
            Description::Ice2(mut description) => {
                description.remote_candidates[0].1.set_port(1);
                Description::Ice2(description)
            }
            Description::Ice(mut description) => {
                description.remote_candidate = Some(ocs_ice::sdp::ice::CandidateId::new(&b"x"[..]));
                Description::Ice(description)
            }
        };
        let result = call.command(Role::Controlled, |agent, now| {
            agent.handle_final(now, &other)
        });
        assert_eq!(result, Err(Error::UnknownPair));
        // Allocations that carry nothing are given back.
        for role in BOTH {
            let released = call.command(role, |agent, _| {
                agent.finish().unwrap();
                let outputs = core::iter::from_fn(|| agent.poll_output());
                outputs
                    .filter(|output| matches!(output, Output::Release { .. }))
                    .count()
            });
            assert_eq!(released, 2);
        }
        call.assert_media_flows();
    }
}

/// A restart has new credentials, and media goes on over the old path until there is a new one.
#[test]
fn restart() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        let nats = [Some(NatKind::FullCone), Some(NatKind::Restricted)];
        let mut call = Call::new(dialect, nats, Offers::Udp, Server::Relay);
        call.run().unwrap();
        let first = call.description(Role::Controlling);
        for role in BOTH {
            call.command(role, |agent, _| agent.finish().unwrap());
            call.command(role, ocs_ice::Agent::restart);
        }
        let packet = Bytes::from_static(b"\x80meanwhile");
        call.command(Role::Controlling, |agent, now| {
            agent.send(now, Component::Rtp, packet.clone()).unwrap();
        });
        call.testbed.run_for(Duration::from_secs(1));
        assert_eq!(
            call.side(Role::Controlled).data(Component::Rtp).last(),
            Some(&packet)
        );
        for role in BOTH {
            assert_eq!(call.side(role).agent().phase(), Phase::WaitingForPeer);
        }
        let second = call.description(Role::Controlling);
        assert_ne!(first, second);
        let answer = call.description(Role::Controlled);
        call.exchanged = Some(call.testbed.now());
        call.command(Role::Controlled, |agent, now| {
            agent.set_remote(now, &second).unwrap();
        });
        assert!(call.side(Role::Controlled).agent().is_restart(&first));
        assert!(!call.side(Role::Controlled).agent().is_restart(&second));
        call.command(Role::Controlling, |agent, now| {
            agent.set_remote(now, &answer).unwrap();
        });
        call.finish();
        for role in BOTH {
            assert_eq!(
                call.side(role).agent().phase(),
                Phase::Completed,
                "{dialect:?}"
            );
        }
        call.assert_media_flows();
    }
}

/// A connection that is lost after selection is the end.
#[test]
fn a_lost_connection_is_told() {
    let mut call = Call::new(Dialect::Ice2, [None; 2], Offers::Tcp, Server::None);
    call.run().unwrap();
    for role in BOTH {
        call.command(role, |agent, _| agent.finish().unwrap());
    }
    let host = call.caller.host;
    for connection in call.testbed.connections(host) {
        call.testbed.reset_connection(host, connection);
    }
    call.testbed.run_for(Duration::from_secs(1));
    for role in BOTH {
        assert_eq!(call.side(role).failure(), Some(Failure::PathLost));
    }
}

#[test]
fn wrong_calls_are_refused() {
    let mut call = direct(Dialect::Ice2);
    let address = at("203.0.113.101:20000");
    let twice = call.command(Role::Controlling, |agent, _| {
        agent.add_host(Component::Rtp, Transport::Udp, address)
    });
    assert!(matches!(twice, Err(Error::LocalCandidate { .. })));
    let early = call.command(Role::Controlling, |agent, now| {
        agent.send(now, Component::Rtp, Bytes::new())
    });
    assert_eq!(early, Err(Error::NoPath));
    call.exchange();
    let answer = call.description(Role::Controlled);
    let again = call.command(Role::Controlling, |agent, now| {
        agent.set_remote(now, &answer)
    });
    assert!(matches!(again, Err(Error::WrongState { .. })));
    let late = call.command(Role::Controlling, |agent, _| {
        agent.add_host(Component::Rtp, Transport::Udp, at("203.0.113.101:1"))
    });
    assert!(matches!(late, Err(Error::WrongState { .. })));
    let unfinished = call.command(Role::Controlling, |agent, _| agent.finish());
    assert!(matches!(unfinished, Err(Error::WrongState { .. })));
    let ice = "a=candidate:EBES 1 oKGi UDP 0.83 192.168.2.1 50024\r\n";
    let ice = Description::parse(ice, &ocs_ice::Limits::default()).unwrap();
    let mut other = direct(Dialect::Ice2);
    let wrong = other.command(Role::Controlling, |agent, now| agent.set_remote(now, &ice));
    assert_eq!(wrong, Err(Error::WrongDialect));
}

/// What went wrong on the way would stand in the record.
#[test]
fn nothing_is_sent_from_a_foreign_address() {
    let nats = [Some(NatKind::Symmetric), Some(NatKind::UdpBlocked)];
    let mut call = Call::new(Dialect::Ice2, nats, Offers::Both, Server::Relay);
    call.run().unwrap();
    let notes = call
        .testbed
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Happened::Note { text, .. } => Some(text),
            _ => None,
        });
    assert_eq!(notes.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Each way to the relay gathers its candidates, and carries media where nothing else could.
#[test]
fn relays_over_each_carrier() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        for carrier in [Carrier::Udp, Carrier::Tcp, Carrier::PseudoTls] {
            let kind = if carrier.is_tcp() {
                NatKind::UdpBlocked
            } else {
                NatKind::Symmetric
            };
            let server = Server::Over(carrier);
            let mut call = Call::new(dialect, [Some(kind); 2], Offers::Udp, server);
            call.exchange();
            let lines = call.description(Role::Controlling).to_string();
            let relayed = |line: &&str| line.contains("198.51.100.9");
            let relayed: Vec<_> = lines.lines().filter(relayed).collect();
            // Two components; over TCP active and passive, which are one line in the older dialect.
            let expected = match (carrier.is_tcp(), dialect) {
                (true, Dialect::Ice2) => 4,
                _ => 2,
            };
            assert_eq!(relayed.len(), expected, "{dialect:?}, {carrier:?}: {lines}");
            let over = |line: &&str| line.contains("TCP") == carrier.is_tcp();
            assert!(relayed.iter().all(over), "{lines}");
            let time = call.finish();
            assert!(
                time.is_some_and(|time| time < Duration::from_secs(4)),
                "{time:?}"
            );
            call.assert_media_flows();
            let pair = call
                .side(Role::Controlling)
                .agent()
                .selected(Component::Rtp);
            let kinds = pair
                .map(|pair| [pair.local.kind, pair.remote.kind])
                .unwrap();
            let reached = kinds.contains(&CandidateType::Relayed);
            // The older dialect does not tell what kind a remote candidate is.
            assert!(reached || dialect == Dialect::Ice, "{kinds:?}");
        }
    }
}

/// What was asked of the relay is given back, however far it has come.
#[test]
fn closing_gives_everything_back() {
    for carrier in [Carrier::Udp, Carrier::Tcp, Carrier::PseudoTls] {
        for completed in [false, true] {
            let nats = [Some(NatKind::Symmetric); 2];
            let mut call = Call::new(Dialect::Ice2, nats, Offers::Both, Server::Over(carrier));
            call.exchange();
            if completed {
                call.finish().unwrap();
            }
            let relay = call.relay.unwrap();
            let open = |call: &Call| call.testbed.host::<Relay>(relay).server().len();
            assert!(open(&call) > 0);
            for role in BOTH {
                let told = call.side(role).events.len();
                call.command(role, |agent, _| agent.close());
                call.command(role, |agent, now| {
                    let late = agent.send(now, Component::Rtp, Bytes::new());
                    assert!(matches!(late, Err(Error::NoPath)));
                });
                assert_eq!(call.side(role).agent().phase(), Phase::Closed);
                assert_eq!(call.side(role).agent().poll_timeout(), None);
                assert_eq!(call.side(role).events.len(), told, "closing tells nothing");
            }
            call.testbed.run_for(Duration::from_secs(1));
            assert_eq!(open(&call), 0, "{carrier:?}, {completed}");
        }
    }
}
