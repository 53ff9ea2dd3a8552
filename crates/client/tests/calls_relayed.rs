//! Calls through translators of addresses, over a relay that lets in whoever has credentials of the front end.

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use common::script::body;
use common::talker::Manner;
use common::telephones::{Habits, SECOND, Telephones, lines};
use ocs_avedgea::document::Location;
use ocs_avedgea::server::{Config as ServiceConfig, Pool, RelayAuthentication};
use ocs_avedgea::token::{Issuer, Key, SharedKeys, Verifier};
use ocs_client::Event as AgentEvent;
use ocs_client::phone::{Event, LineId};
use ocs_hosts::RelayHost;
use ocs_sip_core::{Method, WallClock};
use ocs_testbed::{HostId, Nat, NatKind};
use ocs_turn::server::{CredentialStore, Lookup};

const RELAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 3478);

fn keys() -> SharedKeys {
    SharedKeys::new(Key::new(&[1; 20]).unwrap(), Key::new(&[2; 20]).unwrap())
}

/// Lets in who has a token.
struct Tokens {
    verifier: Verifier,
    clock: WallClock,
}

impl CredentialStore for Tokens {
    fn lookup(&self, now: Instant, username: &[u8]) -> Lookup {
        let token = self.verifier.verify(self.clock.filetime(now), username);
        token.map_or(Lookup::Unknown, |(_, password)| {
            Lookup::Password(password.as_bytes().into())
        })
    }
}

/// alice and bob, each behind a translator, and a relay.
fn network(kinds: [NatKind; 2]) -> (Telephones, HostId, HostId) {
    let mut all = Telephones::with(1, |config| {
        let pool = Pool::new(Location::Intranet, "av.contoso.com");
        let service = ServiceConfig::new("edge.contoso.com", vec![pool]);
        let own = Key::new(&[3; 20]).unwrap();
        config.media_relay = Some(RelayAuthentication::new(service, Issuer::new(own, keys())));
    });
    let clock = all.testbed.wall_clock();
    let tokens = Tokens {
        verifier: Verifier::new(keys()),
        clock,
    };
    RelayHost::install_for(tokens, &mut all.testbed, RELAY, 5);
    let habits = || Habits {
        agent: |config| config.bootstrap.media_relay = true,
        relay: Some(RELAY),
        ..Habits::default()
    };
    let alice = all.add("alice", Manner::Waits, habits());
    let bob = all.add("bob", Manner::Answers(3 * SECOND), habits());
    for (index, (phone, kind)) in [alice, bob].into_iter().zip(kinds).enumerate() {
        let outer = Ipv4Addr::new(198, 51, 100, 1 + index as u8);
        let nat = all
            .testbed
            .add_nat(kind.name(), [outer.into()], Nat::new(kind));
        all.testbed.put_behind(phone, nat);
        all.sign_in(phone);
        let granted = |event: &Event| matches!(event, Event::Agent(AgentEvent::RelayGranted(_)));
        assert_eq!(all.count(phone, granted), 1);
    }
    (all, alice, bob)
}

/// They talk; gives the description of the final offer.
fn talk(all: &mut Telephones, alice: HostId, bob: HostId) -> (LineId, String) {
    let line = all.talk(alice, "bob");
    all.run(2 * SECOND);
    assert_eq!(all.heard_in_a_second(alice, bob), (50, 50));
    let offers = all.requests(alice, Method::Invite);
    assert_eq!(offers.len(), 2);
    (line, body(&offers[1]))
}

/// After the end nothing is left at the relay or at the telephones.
fn end(all: &mut Telephones, phones: [HostId; 2], line: LineId) {
    all.order(phones[0], |phone, now| phone.hang_up(now, line));
    all.run(SECOND);
    for phone in phones {
        let closed = |event: &Event| matches!(event, Event::StreamClosed { .. });
        assert_eq!(all.count(phone, closed), 1);
        let reports = all.requests(phone, Method::Service);
        let is_report = |report: &&ocs_sip_core::Message| body(report).contains("VQReportEvent");
        assert_eq!(reports.iter().filter(is_report).count(), 1);
    }
}

#[test]
fn translators_that_are_kind() {
    let (mut all, alice, bob) = network([NatKind::PortRestricted, NatKind::FullCone]);
    let (line, last) = talk(&mut all, alice, bob);
    // The addresses that the other side sees, without the relay.
    let candidates = lines(&last, "a=candidate:");
    assert!(
        candidates
            .iter()
            .all(|line| line.contains("typ srflx") || line.contains("typ host")),
        "{last}"
    );
    assert!(
        !lines(&last, "a=remote-candidates:")[0].contains("192.0.2.9"),
        "{last}"
    );
    end(&mut all, [alice, bob], line);
}

#[test]
fn translators_that_are_not() {
    let (mut all, alice, bob) = network([NatKind::Symmetric, NatKind::Symmetric]);
    let (line, last) = talk(&mut all, alice, bob);
    let relayed =
        last.contains("typ relay") || lines(&last, "a=remote-candidates:")[0].contains("192.0.2.9");
    assert!(relayed, "{last}");
    end(&mut all, [alice, bob], line);
    let reports = all.requests(alice, Method::Service);
    let report = body(reports.last().unwrap());
    assert!(report.contains("<Ice>RELAY</Ice>"), "{report}");
}

#[test]
fn datagrams_do_not_pass() {
    let (mut all, alice, bob) = network([NatKind::UdpBlocked, NatKind::UdpBlocked]);
    let (line, last) = talk(&mut all, alice, bob);
    assert!(last.contains("TCP"), "{last}");
    end(&mut all, [alice, bob], line);
}
