//! The program `edge` serves allocations on loopback.
#![cfg(unix)]

mod allocation;
mod conversation;
mod process;
mod running;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use allocation::{Allocation, credentials};
use conversation::{PATIENCE, alice, datagrams, next, peer, streams};
use ocs_avedgea::document::{Location, Minutes, Version};
use ocs_avedgea::token::{Issuer, Key};
use ocs_examples::net::{shared_keys, wall_clock};
use ocs_turn::client::{Failure, Transport};
use running::{Edge, USER};

const SECRET: &str =
    "000102030405060708090a0b0c0d0e0f10111213202122232425262728292a2b2c2d2e2f30313233";

#[test]
fn datagrams_over_udp() {
    let mut edge = Edge::start(&[]);
    let relayed = datagrams(edge.address, alice());
    // The port is closed when the response is out, or a moment later.
    let deadline = std::time::Instant::now() + PATIENCE;
    while UdpSocket::bind(relayed).is_err() {
        assert!(std::time::Instant::now() < deadline, "{relayed} stays");
    }
    assert!(edge.program.terminate().success());
}

#[test]
fn streams_over_tcp() {
    streams(Edge::start(&[]).address, Transport::Tcp);
}

#[test]
fn streams_over_pseudo_tls() {
    streams(Edge::start(&[]).address, Transport::PseudoTls);
}

#[test]
fn tokens_of_the_credentials_server() {
    let edge = Edge::start(&["--secret", SECRET]);
    let keys = shared_keys(&hex::decode(SECRET).unwrap()).unwrap();
    let foreign = shared_keys(&[7; 40]).unwrap();
    let identity = Key::new(&[3; 20]).unwrap();
    let now = wall_clock().filetime(std::time::Instant::now());
    let token = |keys, at| {
        let issuer = Issuer::new(identity.clone(), keys);
        let place = Some(Location::Internet);
        let life = Minutes::EIGHT_HOURS;
        let (username, password) =
            issuer.issue(at, Version::V2, "sip:alice@contoso.com", place, life);
        credentials(username.as_bytes(), password.as_bytes())
    };
    for transport in [Transport::Udp, Transport::PseudoTls] {
        let open = |credentials| Allocation::open(edge.address, transport, credentials);
        let allocation = open(token(keys.clone(), now)).unwrap();
        allocation.release();
        let refusal = |code| Some(Failure::Credentials { code });
        assert_eq!(open(token(foreign.clone(), now)).err(), refusal(436));
        // Made nine hours ago.
        let old = now - 9 * 3600 * 10_000_000;
        assert_eq!(open(token(keys.clone(), old)).err(), refusal(430));
    }
}

#[test]
fn credentials_that_are_wrong() {
    let edge = Edge::start(&[]);
    let open = |name: &[u8], password: &[u8]| {
        let credentials = credentials(name, password);
        Allocation::open(edge.address, Transport::Udp, credentials).err()
    };
    let (name, _) = USER.split_once(':').unwrap();
    assert_eq!(
        open(name.as_bytes(), b"wrong"),
        Some(Failure::Credentials { code: 431 })
    );
    assert_eq!(
        open(b"mallory", b"wrong"),
        Some(Failure::Credentials { code: 436 })
    );
}

#[test]
fn peers_in_the_own_network_need_leave() {
    let (peer, at) = peer();
    let open = |arguments: &[&str]| {
        let everywhere = ["--listen", "0.0.0.0:0", "--relay-ip", "127.0.0.1"];
        let edge = Edge::start_at(&[&everywhere[..], arguments].concat());
        let server = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), edge.address.port());
        let allocation = Allocation::open(server, Transport::Udp, alice()).unwrap();
        (edge, allocation)
    };
    let (_strict, mut refused) = open(&[]);
    refused.send(at, b"no");
    let (_open, mut allowed) = open(&["--allow-private"]);
    allowed.send(at, b"yes");
    // The refused one was sent first.
    assert_eq!(next(&peer), (b"yes".to_vec(), allowed.relayed));
    peer.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(peer.recv(&mut [0; 8]).is_err());
}
