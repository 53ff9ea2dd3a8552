//! Every pairing of translators, with and without a server outside: what it comes to, and when.

mod common;

use core::fmt::Write;
use std::path::Path;
use std::time::Duration;

use common::*;
use ocs_ice::{CandidateType, Component, Dialect, Failure, Role};
use ocs_testbed::NatKind;

/// How the packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From one translator to the other.
    Direct,
    /// By one relay.
    Relayed,
}

/// What has to come of a pairing.
fn predicted(caller: NatKind, callee: NatKind, server: Server) -> Option<Way> {
    use NatKind::{PortRestricted, Symmetric, UdpBlocked};
    let direct = !matches!(
        (caller, callee),
        (UdpBlocked, _)
            | (_, UdpBlocked)
            | (Symmetric, Symmetric | PortRestricted)
            | (PortRestricted, Symmetric)
    );
    match server {
        // Nobody knows an address that the other could send to.
        Server::None => None,
        Server::Reflexive => direct.then_some(Way::Direct),
        Server::Relay | Server::Over(_) if direct => Some(Way::Direct),
        Server::Relay | Server::Over(_) => Some(Way::Relayed),
    }
}

/// The ways that both components take.
fn way(call: &Call) -> Way {
    let mut ways = Component::ALL.map(|component| {
        let pair = call
            .side(Role::Controlling)
            .agent()
            .selected(component)
            .unwrap();
        let relayed = |address: std::net::SocketAddr| address.ip() == at(RELAY).ip();
        let ends = [pair.base, pair.remote.address].map(relayed);
        if pair.local.kind == CandidateType::Relayed {
            assert!(ends[0]);
        }
        assert_ne!(ends, [true, true], "one relay does: {pair}");
        if ends == [false, false] {
            Way::Direct
        } else {
            Way::Relayed
        }
    });
    ways.sort_by_key(|way| *way as u8);
    assert_eq!(ways[0], ways[1]);
    ways[0]
}

fn run(dialect: Dialect, caller: NatKind, callee: NatKind, server: Server) -> Option<Duration> {
    let offers = if server == Server::Relay {
        Offers::Both
    } else {
        Offers::Udp
    };
    let mut call = Call::new(dialect, [Some(caller), Some(callee)], offers, server);
    let time = call.run();
    let found = time.map(|_| way(&call));
    let predicted = predicted(caller, callee, server);
    assert_eq!(
        found,
        predicted,
        "{dialect:?}, {server:?}, {}, {}",
        caller.name(),
        callee.name()
    );
    if let Some(time) = time {
        // The checks timer, reset when both sides were heard, and what comes before and after that.
        assert!(time < Duration::from_secs(4), "{time:?}");
        call.assert_media_flows();
    } else {
        assert_eq!(
            call.side(Role::Controlling).failure(),
            Some(Failure::NoValidPair)
        );
        assert_eq!(
            call.side(Role::Controlled).failure(),
            Some(Failure::NoValidPair)
        );
    }
    time
}

/// The tables of docs/nat.md are what comes out.
fn check_tables(dialect: Dialect, heading: &str) {
    let mut tables = String::new();
    for (server, title) in [
        (Server::None, "No server"),
        (
            Server::Reflexive,
            "A server that tells the reflexive address",
        ),
        (Server::Relay, "A relay, over UDP and TCP"),
    ] {
        write!(tables, "### {title}\n\n| caller \\ callee |").unwrap();
        for callee in NatKind::ALL {
            write!(tables, " {} |", callee.name()).unwrap();
        }
        tables.push_str("\n| --- | --- | --- | --- | --- | --- |\n");
        for caller in NatKind::ALL {
            write!(tables, "| {} |", caller.name()).unwrap();
            for callee in NatKind::ALL {
                let time = run(dialect, caller, callee, server);
                match (time, predicted(caller, callee, server)) {
                    (Some(time), Some(Way::Direct)) => {
                        write!(tables, " {:.2} s |", time.as_secs_f64()).unwrap();
                    }
                    (Some(time), _) => {
                        write!(tables, " {:.2} s, relayed |", time.as_secs_f64()).unwrap();
                    }
                    (None, _) => tables.push_str(" – |"),
                }
            }
            tables.push('\n');
        }
        tables.push('\n');
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nat.md");
    // The package alone does not have the page.
    if let Ok(page) = std::fs::read_to_string(page) {
        let heading = format!("## {heading}\n\n");
        let written = page.split_once(&heading).map(|(_, rest)| rest);
        assert!(
            written.is_some_and(|written| written.starts_with(&tables)),
            "docs/nat.md should have\n\n{heading}{tables}"
        );
    }
}

#[test]
fn ms_ice2() {
    check_tables(Dialect::Ice2, "Results of [MS-ICE2]");
}

#[test]
fn ms_ice() {
    check_tables(Dialect::Ice, "Results of [MS-ICE]");
}
