//! Address translators of all kinds.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{ConnectFailure, HostId, Input, Listener, Nat, NatKind, Testbed};

mod common;
use common::*;

const INNER: &str = "10.0.0.2:5000";
const PUBLIC: &str = "198.51.100.1:7000";
const OTHER: &str = "198.51.100.2:7000";
const OUTER: &str = "203.0.113.1";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

struct Net {
    testbed: Testbed,
    inner: HostId,
    public: HostId,
    other: HostId,
}

impl Net {
    fn new(nat: Nat) -> Self {
        let mut testbed = Testbed::new(1, Instant::now(), SystemTime::UNIX_EPOCH);
        let inner = testbed.add_host("inner", [at(INNER).ip()], Puppet::default());
        let public = testbed.add_host("public", [at(PUBLIC).ip()], Puppet::default());
        let other = testbed.add_host("other", [at(OTHER).ip()], Puppet::default());
        let nat = testbed.add_nat("nat", [OUTER.parse().unwrap()], nat);
        testbed.put_behind(inner, nat);
        Self {
            testbed,
            inner,
            public,
            other,
        }
    }

    fn send(&mut self, from: HostId, local: &str, peer: SocketAddr) {
        let local = at(local);
        self.testbed.command(from, |puppet: &mut Puppet, _| {
            puppet.datagram(local, peer, "x");
        });
        self.testbed.run_until_idle().unwrap();
    }

    /// The sources of all datagrams that a host got.
    fn sources(&self, host: HostId) -> Vec<SocketAddr> {
        let inputs = &self.testbed.host::<Puppet>(host).inputs;
        let sources = inputs.iter().filter_map(|input| match input {
            Input::Datagram { peer, .. } => Some(*peer),
            _ => None,
        });
        sources.collect()
    }

    /// The address that the inner host has at `public` after it has sent there.
    fn mapped(&mut self) -> SocketAddr {
        self.send(self.inner, INNER, at(PUBLIC));
        *self.sources(self.public).last().unwrap()
    }
}

/// Whether something sent to the mapping gets in: from where the inner host sent to, another port of that host, another host.
#[test]
fn each_kind_admits_whom_it_should() {
    for (kind, expected) in [
        (NatKind::FullCone, [true, true, true]),
        (NatKind::Restricted, [true, true, false]),
        (NatKind::PortRestricted, [true, false, false]),
        (NatKind::Symmetric, [true, false, false]),
    ] {
        for (case, expected) in expected.into_iter().enumerate() {
            let mut net = Net::new(Nat::new(kind));
            let mapped = net.mapped();
            assert_eq!(mapped.ip().to_string(), OUTER);
            let (host, local) = match case {
                0 => (net.public, PUBLIC),
                1 => (net.public, "198.51.100.1:7001"),
                _ => (net.other, OTHER),
            };
            net.send(host, local, mapped);
            let expected = if expected { vec![at(local)] } else { vec![] };
            assert_eq!(net.sources(net.inner), expected, "{} {case}", kind.name());
        }
    }
}

#[test]
fn only_the_symmetric_one_has_a_port_for_each_destination() {
    for kind in NatKind::ALL {
        let mut net = Net::new(Nat::new(kind));
        net.send(net.inner, INNER, at(PUBLIC));
        net.send(net.inner, INNER, at(OTHER));
        let ports = (net.sources(net.public), net.sources(net.other));
        match kind {
            NatKind::UdpBlocked => assert_eq!(ports, (vec![], vec![])),
            NatKind::Symmetric => assert_ne!(ports.0, ports.1),
            _ => assert_eq!(ports.0, ports.1),
        }
    }
}

#[test]
fn mappings_end_when_nothing_goes_out() {
    let nat = Nat::new(NatKind::FullCone);
    let mut net = Net::new(nat);
    let first = net.mapped();
    net.testbed.run_for(nat.mapping_timeout / 2);
    assert_eq!(net.mapped(), first);
    net.testbed.run_for(nat.mapping_timeout / 2);
    net.send(net.other, OTHER, first);
    assert_eq!(net.sources(net.inner).len(), 1);
    net.testbed.run_for(nat.mapping_timeout / 2);
    // What came in prolonged nothing.
    net.send(net.other, OTHER, first);
    assert_eq!(net.sources(net.inner).len(), 1);
    assert_ne!(net.mapped(), first);
}

#[test]
fn hairpins_are_off_unless_switched_on() {
    for hairpin in [false, true] {
        let kind = NatKind::FullCone;
        let mut net = Net::new(Nat {
            hairpin,
            ..Nat::new(kind)
        });
        let mapped = net.mapped();
        net.send(net.inner, INNER, mapped);
        let expected = if hairpin { vec![mapped] } else { vec![] };
        assert_eq!(net.sources(net.inner), expected);
    }
}

#[test]
fn inner_addresses_mean_nothing_outside() {
    let mut net = Net::new(Nat::new(NatKind::FullCone));
    net.send(net.public, PUBLIC, at(INNER));
    assert!(net.sources(net.inner).is_empty());
    net.testbed.command(net.public, |puppet: &mut Puppet, _| {
        puppet.connect(1, at(INNER), Transport::Tcp);
    });
    net.testbed.run_until_idle().unwrap();
    let expected = Input::ConnectFailed {
        connection: ConnectionId(1),
        reason: ConnectFailure::Unreachable,
    };
    assert_eq!(net.testbed.host::<Puppet>(net.public).inputs, [expected]);
}

#[test]
fn connections_pass_outwards_only() {
    for kind in NatKind::ALL {
        let mut net = Net::new(Nat::new(kind));
        net.testbed.listen(net.public, Listener::tcp(at(PUBLIC)));
        net.testbed.listen(net.inner, Listener::tcp(at(INNER)));
        net.testbed.command(net.inner, |puppet: &mut Puppet, _| {
            puppet.connect(1, at(PUBLIC), Transport::Tcp);
        });
        net.testbed.run_until_idle().unwrap();
        net.testbed
            .command(net.inner, |puppet: &mut Puppet, _| puppet.send(1, "hello"));
        let seen = match &net.testbed.host::<Puppet>(net.public).inputs[0] {
            Input::Accepted { peer, .. } => *peer,
            other => panic!("{other:?}"),
        };
        assert_eq!(seen.ip().to_string(), OUTER);
        net.testbed.command(net.public, |puppet: &mut Puppet, _| {
            puppet.connect(2, seen, Transport::Tcp);
        });
        let start = net.testbed.now();
        net.testbed.run_until_idle().unwrap();
        assert_eq!(net.testbed.host::<Puppet>(net.public).stream(), b"hello");
        let failed = net.testbed.host::<Puppet>(net.public).inputs.last();
        let timed_out = Input::ConnectFailed {
            connection: ConnectionId(2),
            reason: ConnectFailure::TimedOut,
        };
        assert_eq!(failed, Some(&timed_out));
        assert!(net.testbed.now() - start > Duration::from_secs(20));
    }
}

#[test]
fn one_translator_behind_another() {
    let mut net = Net::new(Nat::new(NatKind::PortRestricted));
    let deep = at("10.1.0.2:5000");
    let host = net.testbed.add_host("deep", [deep.ip()], Puppet::default());
    let home = net.testbed.add_nat(
        "home",
        [at("10.0.0.9:0").ip()],
        Nat::new(NatKind::Symmetric),
    );
    let nat = net.testbed.behind(net.inner).unwrap();
    net.testbed.put_behind(host, home);
    net.testbed.put_behind(home, nat);
    net.send(host, "10.1.0.2:5000", at(PUBLIC));
    let seen = net.sources(net.public)[0];
    assert_eq!(seen.ip().to_string(), OUTER);
    net.send(net.public, PUBLIC, seen);
    assert_eq!(net.sources(host), [at(PUBLIC)]);
    // To a host between the two.
    net.send(host, "10.1.0.2:5000", at(INNER));
    assert_eq!(net.sources(net.inner)[0].ip().to_string(), "10.0.0.9");
}
