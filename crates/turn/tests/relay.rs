//! Client and server together.

mod common;

use common::{News, PEER, SERVER, ToPeer, World, address, config, seconds};
use ocs_stun::attribute::{AddressFamily, MsVersion, code};
use ocs_stun::{KeyDerivation, Password};
use ocs_turn::client::{Config as ClientConfig, Event, Failure, Transport};
use ocs_turn::server::{ClientId, Event as ServerEvent, PermissionRule, Reason};

const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::PseudoTls];

#[test]
fn data_both_ways_over_udp() {
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    let allocation = world.nodes[node].allocated();
    assert_eq!(allocation.reflexive, world.nodes[node].address);
    assert_eq!(allocation.relayed, address("192.0.2.20:50001"));
    assert_eq!(allocation.lifetime, 600);

    // Nobody may send before the client has.
    assert!(
        world
            .peer_sends(allocation.relayed, PEER, b"early")
            .is_err()
    );
    assert_eq!(world.nodes[node].next(), None);

    world.nodes[node]
        .client
        .send(address(PEER), b"one")
        .unwrap();
    world.pump();
    assert_eq!(world.datagram(), (address(PEER), b"one".to_vec()));
    world.peer_sends(allocation.relayed, PEER, b"two").unwrap();
    assert_eq!(
        world.nodes[node].next(),
        Some(News::Data(address(PEER), b"two".to_vec()))
    );
    // From another port of the same host, too.
    world
        .peer_sends(allocation.relayed, "198.51.100.9:9", b"three")
        .unwrap();
    assert_eq!(
        world.nodes[node].next(),
        Some(News::Data(address("198.51.100.9:9"), b"three".to_vec()))
    );

    let now = world.now;
    world.nodes[node]
        .client
        .set_active_destination(now, address(PEER))
        .unwrap();
    world.pump();
    let peer = address(PEER);
    assert_eq!(world.nodes[node].event(), Event::ActiveDestination { peer });
    world.nodes[node].client.send(peer, b"raw").unwrap();
    world.pump();
    assert_eq!(world.datagram(), (peer, b"raw".to_vec()));
    world
        .peer_sends(allocation.relayed, PEER, b"raw back")
        .unwrap();
    assert_eq!(
        world.nodes[node].next(),
        Some(News::Data(peer, b"raw back".to_vec()))
    );
    world
        .peer_sends(allocation.relayed, "198.51.100.9:9", b"indicated")
        .unwrap();
    assert_eq!(
        world.nodes[node].next(),
        Some(News::Data(address("198.51.100.9:9"), b"indicated".to_vec()))
    );
}

#[test]
fn data_both_ways_over_streams_cut_anyhow() {
    for transport in [Transport::Tcp, Transport::PseudoTls] {
        for piece in [1, 3, 7, usize::MAX] {
            let mut world = World::new(config());
            world.piece = piece;
            let node = world.client(transport);
            let allocation = world.nodes[node].allocated();
            let peer = address(PEER);
            world.nodes[node].client.send(peer, b"first").unwrap();
            world.nodes[node].client.send(peer, b"second").unwrap();
            world.pump();
            let Some(ToPeer::Connect(connection, to)) = world.to_peers.pop_front() else {
                panic!("no connection");
            };
            assert_eq!((to, world.to_peers.pop_front()), (peer, None));
            world.server.handle_peer_connected(connection).unwrap();
            world.pump();
            assert_eq!(
                world.to_peers.pop_front(),
                Some(ToPeer::Octets(connection, b"firstsecond".to_vec()))
            );
            let now = world.now;
            world
                .server
                .handle_peer_data(now, connection, b"answer")
                .unwrap();
            world.pump();
            assert_eq!(
                world.nodes[node].next(),
                Some(News::Data(peer, b"answer".to_vec()))
            );

            world.nodes[node]
                .client
                .set_active_destination(now, peer)
                .unwrap();
            world.pump();
            assert_eq!(world.nodes[node].event(), Event::ActiveDestination { peer });
            let large = vec![7; 100_000];
            world.nodes[node].client.send(peer, &large).unwrap();
            world.pump();
            let mut sent = 0;
            while let Some(ToPeer::Octets(_, octets)) = world.to_peers.pop_front() {
                sent += octets.len();
            }
            assert_eq!(sent, large.len());
            world
                .server
                .handle_peer_data(now, connection, &large)
                .unwrap();
            world.pump();
            let mut received = 0;
            while let Some(News::Data(_, octets)) = world.nodes[node].next() {
                received += octets.len();
            }
            assert_eq!(received, large.len());

            // The peer goes, the allocation stays.
            world.server.handle_peer_closed(connection);
            assert_eq!(world.server.len(), 1);
            // The client goes, and all of it.
            let ClientId::Tcp(id) = world.nodes[node].id else {
                unreachable!()
            };
            world.server.handle_closed(id);
            world.pump();
            assert!(world.server.is_empty());
            assert!(world.relays.is_empty());
            assert_eq!(allocation.reflexive, world.nodes[node].address);
        }
    }
}

#[test]
fn allocations_are_refreshed_and_expire() {
    for transport in TRANSPORTS {
        let mut world = World::new(config());
        let node = world.client(transport);
        world.nodes[node].allocated();
        // Nonces die in between; that is no obstacle.
        world.run(seconds(3000));
        let refreshes = world.nodes[node].news.len();
        assert!((5..=6).contains(&refreshes), "{refreshes}");
        assert_eq!(
            world.nodes[node].event(),
            Event::Refreshed { lifetime: 600 }
        );
        assert_eq!(world.server.len(), 1);

        // A client that is gone without a word.
        world.nodes.clear();
        world.run(seconds(601));
        assert_eq!(world.server.is_empty(), transport == Transport::Udp);
        world.run(seconds(3001));
        assert!(world.server.is_empty());
        assert!(world.relays.is_empty());
        assert!(matches!(
            world.events.back(),
            Some(ServerEvent::Released {
                reason: Reason::Expired,
                ..
            })
        ));
        assert_eq!(world.server.poll_timeout(), None);
    }
}

#[test]
fn traffic_keeps_an_allocation() {
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    let relayed = world.nodes[node].allocated().relayed;
    world.nodes[node].client.send(address(PEER), b"x").unwrap();
    world.pump();
    world.nodes.clear();
    for _ in 0..4 {
        world.run(seconds(500));
        world.peer_sends(relayed, PEER, b"x").unwrap();
    }
    world.run(seconds(599));
    assert_eq!(world.server.len(), 1);
    world.run(seconds(2));
    assert!(world.server.is_empty());
}

#[test]
fn an_allocation_is_released() {
    for transport in TRANSPORTS {
        let mut world = World::new(config());
        let node = world.client(transport);
        world.nodes[node].allocated();
        let now = world.now;
        world.nodes[node].client.release(now);
        world.pump();
        assert_eq!(world.nodes[node].event(), Event::Released);
        assert!(world.server.is_empty());
        assert_eq!(world.nodes[node].client.poll_timeout(), None);
        assert_eq!(world.nodes[node].closed, transport.is_stream());
        assert!(world.nodes[node].client.send(address(PEER), b"x").is_err());
    }
}

#[test]
fn wrong_credentials() {
    for (name, password, expected) in [
        ("alice", "wrong", code::INTEGRITY_CHECK_FAILURE),
        ("carol", "secret", code::UNKNOWN_USER),
    ] {
        for transport in TRANSPORTS {
            let mut world = World::new(config());
            let config = ClientConfig::new(address(SERVER), transport);
            let node = world.client_with(config, name, password);
            assert_eq!(
                world.nodes[node].event(),
                Event::Failed(Failure::Credentials { code: expected })
            );
            assert!(world.server.is_empty());
        }
    }
}

#[test]
fn credentials_that_libnice_trims() {
    let mut world = World::new(config());
    let password: Password = (&b"pw\0\""[..]).into();
    world
        .server
        .store_mut()
        .insert(b"\"dora\0".to_vec(), password);
    for trim in [false, true] {
        let mut config = ClientConfig::new(address(SERVER), Transport::Udp);
        config.trim = trim;
        let node = world.client_with(config, "\"dora\0", "pw\0\"");
        world.nodes[node].allocated();
    }
}

#[test]
fn hmac_sha256_under_either_key() {
    for derivation in [KeyDerivation::Sha256, KeyDerivation::Sha256OfMd5] {
        let mut server = config();
        server.version = MsVersion::MULTIPLEXED;
        let mut world = World::new(server);
        let mut config = ClientConfig::new(address(SERVER), Transport::Udp);
        config.version = MsVersion::SHA256;
        config.sha256 = Some(derivation);
        let node = world.client_with(config, "alice", "secret");
        world.nodes[node].allocated();
        world.nodes[node].client.send(address(PEER), b"x").unwrap();
        world.pump();
        world.datagram();
    }
}

#[test]
fn addresses_by_version_and_family() {
    use AddressFamily::{Ipv4, Ipv6};
    for (version, family, ipv4, ipv6, alternate) in [
        (MsVersion::ICE, None, true, false, false),
        (MsVersion::SHA256, Some(Ipv6), true, false, false),
        (MsVersion::IPV6, Some(Ipv4), true, false, false),
        (MsVersion::IPV6, Some(Ipv6), false, true, false),
        (MsVersion::IPV6, None, true, false, true),
    ] {
        let mut server = config();
        server.ipv6 = true;
        let mut world = World::new(server);
        let mut config = ClientConfig::new(address(SERVER), Transport::Udp);
        config.version = version;
        config.family = family;
        let node = world.client_with(config, "alice", "secret");
        let allocation = world.nodes[node].allocated();
        assert_eq!(allocation.relayed.is_ipv4(), ipv4);
        assert_eq!(allocation.relayed.is_ipv6(), ipv6);
        assert_eq!(
            allocation
                .alternate
                .is_some_and(|address| address.is_ipv6()),
            alternate
        );
        // A peer that the allocation has no address for is refused.
        world.nodes[node]
            .client
            .send(address("[2001:db8::9]:5000"), b"x")
            .unwrap();
        world.pump();
        assert_eq!(world.to_peers.len(), usize::from(ipv6 || alternate));
        world.to_peers.clear();
        world.nodes[node].client.send(address(PEER), b"x").unwrap();
        world.pump();
        assert_eq!(world.to_peers.len(), usize::from(ipv4));
    }
}

#[test]
fn a_server_without_the_family() {
    let mut world = World::new(config());
    let mut config = ClientConfig::new(address(SERVER), Transport::Udp);
    config.version = MsVersion::IPV6;
    config.family = Some(AddressFamily::Ipv6);
    let node = world.client_with(config, "alice", "secret");
    let refused = Failure::Refused {
        code: code::SERVER_ERROR,
    };
    assert_eq!(world.nodes[node].event(), Event::Failed(refused));
}

#[test]
fn no_port_is_left() {
    let mut world = World::new(config());
    world.ports = false;
    let node = world.client(Transport::Udp);
    let refused = Failure::Refused {
        code: code::SERVER_ERROR,
    };
    assert_eq!(world.nodes[node].event(), Event::Failed(refused));
    assert!(world.server.is_empty());
}

#[test]
fn quotas() {
    let mut server = config();
    server.limits.allocations_per_account = 2;
    server.limits.allocations_per_source = 3;
    let mut world = World::new(server);
    let refused = Event::Failed(Failure::Refused {
        code: code::SERVER_ERROR,
    });
    let config = || ClientConfig::new(address(SERVER), Transport::Udp);
    for _ in 0..2 {
        let node = world.client(Transport::Udp);
        world.nodes[node].allocated();
    }
    let node = world.client(Transport::Udp);
    assert_eq!(world.nodes[node].event(), refused);
    let node = world.client_with(config(), "bob", "other");
    world.nodes[node].allocated();
    let node = world.client_with(config(), "bob", "other");
    assert_eq!(
        world.nodes[node].event(),
        refused,
        "the source has its share"
    );
    // What is released is free again.
    let now = world.now;
    world.nodes[0].client.release(now);
    world.pump();
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
}

#[test]
fn peers_that_are_refused() {
    let mut server = config();
    server.limits.permissions = 2;
    let mut world = World::new(server);
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
    for peer in [
        "127.0.0.1:80",
        "10.0.0.1:80",
        "224.0.0.1:80",
        "198.51.100.1:0",
        SERVER,
    ] {
        world.nodes[node].client.send(address(peer), b"x").unwrap();
        world.pump();
        assert_eq!(world.to_peers.pop_front(), None, "{peer}");
        let now = world.now;
        world.nodes[node]
            .client
            .set_active_destination(now, address(peer))
            .unwrap();
        world.pump();
        let (peer, code) = (address(peer), Some(code::BAD_REQUEST));
        assert_eq!(
            world.nodes[node].event(),
            Event::ActiveDestinationRefused { peer, code }
        );
    }
    for (peer, passes) in [
        ("198.51.100.1:1", true),
        ("198.51.100.2:1", true),
        ("198.51.100.3:1", false),
    ] {
        world.nodes[node].client.send(address(peer), b"x").unwrap();
        world.pump();
        assert_eq!(world.to_peers.pop_front().is_some(), passes, "{peer}");
    }
}

#[test]
fn permissions_for_a_port() {
    let mut server = config();
    server.permissions = PermissionRule::AddressAndPort;
    let mut world = World::new(server);
    let node = world.client(Transport::Udp);
    let relayed = world.nodes[node].allocated().relayed;
    world.nodes[node].client.send(address(PEER), b"x").unwrap();
    world.pump();
    assert!(world.peer_sends(relayed, PEER, b"x").is_ok());
    assert!(world.peer_sends(relayed, "198.51.100.9:9", b"x").is_err());
}

#[test]
fn a_change_of_the_active_destination_takes_its_time() {
    let mut server = config();
    server.transition = seconds(3);
    let mut world = World::new(server);
    let node = world.client(Transport::Udp);
    let relayed = world.nodes[node].allocated().relayed;
    let (first, second) = (address(PEER), address("198.51.100.10:5"));
    let third = address("198.51.100.11:5");
    let activate = |world: &mut World, peer| {
        let now = world.now;
        world.nodes[node]
            .client
            .set_active_destination(now, peer)
            .unwrap();
        world.pump();
    };
    activate(&mut world, first);
    assert_eq!(
        world.nodes[node].event(),
        Event::ActiveDestination { peer: first }
    );
    activate(&mut world, second);
    assert_eq!(
        world.nodes[node].event(),
        Event::ActiveDestination { peer: second }
    );
    // Both get through, and it is told which is which.
    for peer in [first, second] {
        world.peer_sends(relayed, &peer.to_string(), b"x").unwrap();
        assert_eq!(
            world.nodes[node].next(),
            Some(News::Data(peer, b"x".to_vec()))
        );
    }
    // 439, and a second try when it is over.
    activate(&mut world, third);
    assert_eq!(world.nodes[node].next(), None);
    world.run(seconds(4));
    assert_eq!(
        world.nodes[node].event(),
        Event::ActiveDestination { peer: third }
    );
}

#[test]
fn redirections() {
    for transport in TRANSPORTS {
        let mut server = config();
        server.alternate_udp = Some(address("192.0.2.21:3478"));
        server.alternate_tcp = Some(address("192.0.2.21:443"));
        let mut world = World::new(server);
        let node = world.client(transport);
        let to = if transport.is_stream() {
            "192.0.2.21:443"
        } else {
            "192.0.2.21:3478"
        };
        // Both machines are the same server here, whose own address is the alternate one.
        let server = address(to);
        assert_eq!(world.nodes[node].event(), Event::Redirected { server });
        assert_eq!(world.nodes[node].allocated().server, server);
    }
}

#[test]
fn multiplexed_frames() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut server = config();
        server.multiplex = true;
        let mut world = World::new(server);
        let mut config = ClientConfig::new(address(SERVER), transport);
        config.version = MsVersion::MULTIPLEXED;
        let node = world.client_with(config, "alice", "secret");
        let allocation = world.nodes[node].allocated();
        assert!(allocation.session.is_some());
        let (now, peer) = (world.now, address(PEER));
        world.nodes[node]
            .client
            .set_active_destination(now, peer)
            .unwrap();
        world.pump();
        world.nodes[node].event();
        world.nodes[node].client.send_multiplexed(b"over").unwrap();
        world.pump();
        if transport == Transport::Udp {
            assert_eq!(world.datagram(), (peer, b"over".to_vec()));
            world.peer_sends(allocation.relayed, PEER, b"back").unwrap();
        } else {
            let Some(ToPeer::Connect(connection, _)) = world.to_peers.pop_front() else {
                panic!("no connection");
            };
            world.server.handle_peer_connected(connection).unwrap();
            world
                .server
                .handle_peer_data(now, connection, b"back")
                .unwrap();
            world.pump();
        }
        assert_eq!(
            world.nodes[node].next(),
            Some(News::Data(peer, b"back".to_vec()))
        );
    }
}

#[test]
fn peers_that_connect_before_they_are_permitted() {
    let mut world = World::new(config());
    let node = world.client(Transport::Tcp);
    let relayed = world.nodes[node].allocated().relayed;
    let (now, relay) = (world.now, world.relay(relayed));
    let early = world
        .server
        .handle_peer_accepted(now, relay, address(PEER))
        .unwrap();
    let stranger = world
        .server
        .handle_peer_accepted(now, relay, address("198.51.100.77:1"))
        .unwrap();
    assert_eq!(
        world
            .server
            .handle_peer_accepted(now, relay, address("10.0.0.1:1")),
        None
    );
    world.server.handle_peer_data(now, early, b"check").unwrap();
    world.pump();
    assert_eq!(world.nodes[node].next(), None);
    // The permission opens it, and what was sent is there.
    world.nodes[node]
        .client
        .send(address(PEER), b"answer")
        .unwrap();
    world.pump();
    assert_eq!(
        world.nodes[node].next(),
        Some(News::Data(address(PEER), b"check".to_vec()))
    );
    assert_eq!(
        world.to_peers.pop_front(),
        Some(ToPeer::Octets(early, b"answer".to_vec()))
    );
    // The other one is closed, or is when it says too much.
    world
        .server
        .handle_peer_data(now, stranger, &[0; 100])
        .unwrap();
    assert!(
        world
            .server
            .handle_peer_data(now, stranger, &vec![0; 20_000])
            .is_err()
    );
    world.pump();
    assert_eq!(world.to_peers.pop_front(), Some(ToPeer::Close(stranger)));
    let silent = world
        .server
        .handle_peer_accepted(now, relay, address("198.51.100.77:1"))
        .unwrap();
    world.run(seconds(6));
    assert_eq!(world.to_peers.pop_front(), Some(ToPeer::Close(silent)));
    assert!(
        world
            .server
            .handle_peer_data(world.now, silent, b"x")
            .is_err()
    );
}

#[test]
fn a_peer_that_cannot_be_reached() {
    let mut server = config();
    server.limits.peer_connections = 1;
    server.limits.peer_buffer = 10;
    let mut world = World::new(server);
    let node = world.client(Transport::Tcp);
    world.nodes[node].allocated();
    for _ in 0..5 {
        world.nodes[node]
            .client
            .send(address(PEER), b"four")
            .unwrap();
        world.nodes[node]
            .client
            .send(address("198.51.100.10:1"), b"four")
            .unwrap();
    }
    world.pump();
    let Some(ToPeer::Connect(connection, _)) = world.to_peers.pop_front() else {
        panic!("no connection");
    };
    assert_eq!(world.to_peers.pop_front(), None);
    world.run(seconds(6));
    assert_eq!(world.to_peers.pop_front(), Some(ToPeer::Close(connection)));
    assert!(world.server.handle_peer_connected(connection).is_err());
}
