//! Two programs `ice_peer` find each other through pipes.
#![cfg(unix)]

mod ice_pair;
mod process;
mod running;

use ice_pair::{Peers, pass};
use running::{Edge, Running, USER};

#[test]
fn two_peers_of_ice2() {
    Peers::start(&["--dialect", "ms-ice2"]).converse("host UDP 127.0.0.1:");
}

#[test]
fn two_peers_of_ice() {
    Peers::start(&["--dialect", "ms-ice"]).converse("host UDP 127.0.0.1:");
}

#[test]
fn only_the_relay_is_used() {
    for dialect in ["ms-ice2", "ms-ice"] {
        let edge = Edge::start(&[]);
        let relay = edge.address.to_string();
        let arguments = ["--dialect", dialect, "--relay", &relay, "--user", USER];
        let relayed = [&arguments[..], &["--relay-only"]].concat();
        Peers::start(&relayed).converse("relay UDP 127.0.0.1:");
    }
}

#[test]
fn a_peer_of_the_other_dialect_is_refused() {
    let mut ice2 = Running::start(&mut process::example("ice_peer"));
    let mut ice = Running::start(process::example("ice_peer").args(["--dialect", "ms-ice"]));
    pass(&mut ice, &mut ice2);
    ice2.expect("ice_peer: ");
    assert!(!ice2.finish().success());
}
