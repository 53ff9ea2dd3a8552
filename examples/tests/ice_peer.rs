//! Two programs `ice_peer` find each other through pipes.
#![cfg(unix)]

mod ice_pair;
mod process;
mod running;

use std::net::{SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ice_pair::{Peers, pass};
use running::{Edge, Running, USER};

const DIALECTS: [&str; 2] = ["ms-ice2", "ms-ice"];

#[test]
fn two_peers_of_ice2() {
    Peers::start(&["--dialect", "ms-ice2"]).converse("host UDP 127.0.0.1:");
}

#[test]
fn two_peers_of_ice() {
    Peers::start(&["--dialect", "ms-ice"]).converse("host UDP 127.0.0.1:");
}

#[test]
fn over_tcp() {
    for dialect in DIALECTS {
        let peers = Peers::start(&["--dialect", dialect, "--transport", "tcp"]);
        let pair = peers.converse("host TCP-");
        assert!(!pair.contains("UDP"), "{pair}");
    }
}

#[test]
fn only_the_relay_is_used() {
    for dialect in DIALECTS {
        let arguments = ["--dialect", dialect, "--relay-transport", "udp"];
        await_free(relay_only(&arguments, "relay UDP "));
    }
}

/// A relay that cannot connect from the port of the allocation, because that has a connection to the same peer, connects from another one: then
/// its client is known to the peer, and so to itself, by an address that the peer saw.
#[test]
fn only_the_relay_is_used_over_streams() {
    for dialect in DIALECTS {
        for transport in ["tcp", "pseudo-tls"] {
            let arguments = ["--dialect", dialect, "--relay-transport", transport];
            let edge = Edge::start(&[]);
            let pair = relayed(&edge, &arguments).converse(" TCP-");
            let local = pair.strip_prefix("* component 1: ").unwrap();
            assert!(
                ["relay ", "prflx "]
                    .iter()
                    .any(|kind| local.starts_with(kind)),
                "{pair}"
            );
        }
    }
}

/// Two peers that use a relay whatever else there is.
fn relayed(edge: &Edge, arguments: &[&str]) -> Peers {
    let relay = edge.address.to_string();
    let relayed = ["--relay", &relay, "--user", USER, "--relay-only"];
    Peers::start(&[&relayed[..], arguments].concat())
}

/// The same over UDP. Gives the relayed address of the pair.
fn relay_only(arguments: &[&str], kind: &str) -> SocketAddr {
    let edge = Edge::start(&[]);
    let pair = relayed(&edge, arguments).converse(kind);
    let (_, end) = pair.split_once(kind).unwrap();
    let mut words = end.split(' ');
    let address = words.find_map(|word| word.parse().ok());
    address.unwrap()
}

/// The port of an allocation is closed when that has been given back.
fn await_free(relayed: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while UdpSocket::bind(relayed).is_err() {
        assert!(Instant::now() < deadline, "{relayed} stays");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_peer_that_is_stopped_gives_its_allocations_back() {
    let edge = Edge::start(&[]);
    let relay = edge.address.to_string();
    let mut command = process::example("ice_peer");
    let mut peer = Running::start(command.args(["--relay", &relay, "--user", USER]));
    let line = loop {
        let line = peer.expect("typ relay");
        if line.contains(" UDP ") {
            break line;
        }
    };
    let port = line.split(' ').nth(5).unwrap();
    let relayed = SocketAddr::new(edge.address.ip(), port.parse().unwrap());
    assert!(UdpSocket::bind(relayed).is_err());
    assert!(peer.terminate().success());
    await_free(relayed);
}

#[test]
fn a_peer_of_the_other_dialect_is_refused() {
    let mut ice2 = Running::start(&mut process::example("ice_peer"));
    let mut ice = Running::start(process::example("ice_peer").args(["--dialect", "ms-ice"]));
    pass(&mut ice, &mut ice2);
    ice2.expect("ice_peer: ");
    assert!(!ice2.finish().success());
}
