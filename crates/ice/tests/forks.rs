//! A call that forks: one agent's copies, each with a peer of its own.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use common::*;
use ocs_hosts::{IceHost, RelayHost};
use ocs_ice::endpoint::{Action, Demand};
use ocs_ice::{
    CandidatePolicy, Carrier, Component, Config, Description, Dialect, Endpoint, Error, Event,
    ForkId, Limits, Phase, Role,
};
use ocs_testbed::{HostId, Link, Testbed};
use rand_chacha::ChaCha12Rng;

/// A caller, and endpoints that answer its offer.
struct Forked {
    testbed: Testbed,
    caller: HostId,
    callees: Vec<HostId>,
    relay: Option<HostId>,
}

impl Forked {
    /// The caller's relays are those of `server`; the callees have none.
    fn new(callees: u8, offers: Offers, server: Server, config: impl Fn(Role) -> Config) -> Self {
        let mut testbed = Testbed::new(1, Instant::now(), SystemTime::UNIX_EPOCH);
        let relay =
            (server != Server::None).then(|| RelayHost::install(&mut testbed, at(RELAY), 1));
        let mut add = |number: u8, role, server| {
            let ip: IpAddr = [203, 0, 113, 100 + number].into();
            let host = IceHost::new(config(role), number.into());
            let host = testbed.add_host(format!("side{number}"), [ip], host);
            prepare(&mut testbed, host, ip, offers, server);
            testbed.command(host, |host: &mut IceHost, now| {
                host.command(now, |agent| agent.gather(now).unwrap());
            });
            host
        };
        let caller = add(0, Role::Controlling, server);
        let callees = (1..=callees)
            .map(|number| add(number, Role::Controlled, Server::None))
            .collect();
        testbed.run_for(Duration::from_secs(2));
        Self {
            testbed,
            caller,
            callees,
            relay,
        }
    }

    fn of(dialect: Dialect, callees: u8, offers: Offers) -> Self {
        Self::new(callees, offers, Server::None, |role| config(dialect, role))
    }

    fn act<T>(
        &mut self,
        host: HostId,
        act: impl FnOnce(&mut Endpoint<ChaCha12Rng>, Instant) -> T,
    ) -> T {
        self.testbed.command(host, |host: &mut IceHost, now| {
            host.command_endpoint(now, |endpoint| act(endpoint, now))
        })
    }

    fn caller<T>(&mut self, act: impl FnOnce(&mut Endpoint<ChaCha12Rng>, Instant) -> T) -> T {
        self.act(self.caller, act)
    }

    fn description(&self, host: HostId) -> Description {
        let agent = self.testbed.host::<IceHost>(host).agent();
        let text = agent.local_description().to_string();
        Description::parse(&text, &Limits::default()).unwrap()
    }

    /// A callee takes the offer and begins to check; its answer.
    fn answer(&mut self, callee: usize) -> Description {
        let offer = self.description(self.caller);
        let host = self.callees[callee];
        self.act(host, |endpoint, now| {
            endpoint
                .command(now, |agent| agent.set_remote(now, &offer))
                .unwrap();
        });
        self.description(host)
    }

    /// The caller takes the answer of a callee.
    fn fork(&mut self, callee: usize, answer: &Description) -> Result<(), Error> {
        self.caller(|endpoint, now| endpoint.fork(now, id(callee), answer))
    }

    fn answer_all(&mut self) {
        for callee in 0..self.callees.len() {
            let answer = self.answer(callee);
            self.fork(callee, &answer).unwrap();
        }
    }

    fn events(&self, callee: usize) -> Vec<Event> {
        let events = &self.testbed.host::<IceHost>(self.caller).fork_events;
        let of = events.iter().filter(|(fork, _)| *fork == id(callee));
        of.map(|(_, event)| event.clone()).collect()
    }

    /// Sends a packet from each side of a fork, and tells what came of it: at the caller, at the callee.
    fn exchange(&mut self, callee: usize, component: Component) -> [bool; 2] {
        let packet = Bytes::from(format!("\u{80}fork {callee} {component}").into_bytes());
        let (there, back) = (packet.clone(), packet.clone());
        let _ = self.caller(|endpoint, now| {
            endpoint.command_fork(now, id(callee), |agent| agent.send(now, component, there))
        });
        let host = self.callees[callee];
        let _ = self.act(host, |endpoint, now| {
            endpoint.command(now, |agent| agent.send(now, component, back))
        });
        self.testbed.run_for(Duration::from_secs(1));
        let data = Event::Data {
            component,
            data: packet.clone(),
        };
        let at_callee = self.testbed.host::<IceHost>(host).data(component);
        [
            self.events(callee).contains(&data),
            at_callee.contains(&packet),
        ]
    }

    fn allocations(&self) -> usize {
        let relay = self.relay.unwrap();
        self.testbed.host::<RelayHost>(relay).server().len()
    }
}

fn id(callee: usize) -> ForkId {
    ForkId(callee as u32 + 1)
}

#[test]
fn each_answer_has_its_own_checks_and_pairs() {
    for offers in [Offers::Udp, Offers::Tcp] {
        let mut call = Forked::of(Dialect::Ice2, 3, offers);
        call.answer_all();
        call.testbed.run_for(Duration::from_secs(6));
        for callee in 0..3 {
            assert!(
                call.events(callee).contains(&Event::Completed),
                "{offers:?}"
            );
            for component in Component::ALL {
                assert_eq!(call.exchange(callee, component), [true; 2], "{offers:?}");
            }
        }
        // Nothing of one fork is told of another.
        for callee in 0..3 {
            let data = call
                .events(callee)
                .into_iter()
                .filter_map(|event| match event {
                    Event::Data { data, .. } => Some(data),
                    _ => None,
                });
            let own = format!("fork {callee} ");
            assert!(
                data.into_iter()
                    .all(|data| { String::from_utf8_lossy(&data).contains(&own) })
            );
        }
    }
}

#[test]
fn forks_of_ms_ice() {
    for offers in [Offers::Udp, Offers::Tcp] {
        let mut call = Forked::of(Dialect::Ice, 3, offers);
        call.answer_all();
        call.testbed.run_for(Duration::from_secs(8));
        for callee in 0..3 {
            assert!(
                call.events(callee).contains(&Event::Completed),
                "{offers:?}"
            );
            let exchanged = call.exchange(callee, Component::Rtp);
            assert_eq!(exchanged, [true; 2], "{offers:?}");
        }
    }
}

#[test]
fn checks_come_before_their_answers() {
    for dialect in [Dialect::Ice, Dialect::Ice2] {
        for offers in [Offers::Udp, Offers::Tcp] {
            let mut call = Forked::of(dialect, 2, offers);
            let answers = [call.answer(0), call.answer(1)];
            call.testbed.run_for(Duration::from_millis(400));
            let agent = call.testbed.host::<IceHost>(call.caller).agent();
            assert_eq!(agent.phase(), Phase::WaitingForPeer);
            for (callee, answer) in answers.iter().enumerate().rev() {
                call.fork(callee, answer).unwrap();
            }
            call.testbed.run_for(Duration::from_secs(8));
            for callee in 0..2 {
                let events = call.events(callee);
                assert!(events.contains(&Event::Completed), "{dialect:?} {offers:?}");
                assert_eq!(call.exchange(callee, Component::Rtp), [true; 2]);
            }
        }
    }
}

#[test]
fn the_choice_ends_the_others() {
    let mut call = Forked::of(Dialect::Ice2, 3, Offers::Udp);
    call.answer_all();
    call.testbed.run_for(Duration::from_secs(3));
    call.caller(|endpoint, now| endpoint.choose(now, id(1)).unwrap());
    let caller = call.testbed.host::<IceHost>(call.caller);
    assert_eq!(caller.agent().phase(), Phase::Completed);
    let remote = caller.agent().selected(Component::Rtp).unwrap().remote;
    assert_eq!(remote.address, at("203.0.113.102:20000"));
    for callee in 0..3 {
        let host = call.callees[callee];
        call.act(host, |endpoint, now| {
            let packet = Bytes::from(vec![0x80, callee as u8]);
            endpoint
                .command(now, |agent| agent.send(now, Component::Rtp, packet))
                .unwrap();
        });
    }
    call.testbed.run_for(Duration::from_secs(1));
    let caller = call.testbed.host::<IceHost>(call.caller);
    assert_eq!(caller.data(Component::Rtp), [&b"\x80\x01"[..]]);
    let late = call.description(call.callees[0]);
    let refused = call.fork(0, &late);
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    call.caller(|endpoint, now| {
        assert!(endpoint.choose(now, id(0)).is_err());
        assert!(endpoint.command_fork(now, id(1), |_| ()).is_none());
        // It is an endpoint like any other from now on.
        endpoint.command(now, |agent| {
            agent.finish().unwrap();
            agent.restart(now);
        });
    });
}

#[test]
fn forks_share_the_allocations() {
    for carrier in [Carrier::Udp, Carrier::Tcp, Carrier::PseudoTls] {
        let offers = if carrier.is_tcp() {
            Offers::Tcp
        } else {
            Offers::Udp
        };
        let mut call = Forked::new(3, offers, Server::Over(carrier), |role| Config {
            candidates: match role {
                Role::Controlling => CandidatePolicy::RelayOnly,
                Role::Controlled => CandidatePolicy::All,
            },
            ..config(Dialect::Ice2, role)
        });
        assert_eq!(call.allocations(), 2, "{carrier:?}");
        call.answer_all();
        call.testbed.run_for(Duration::from_secs(10));
        for callee in 0..3 {
            let events = call.events(callee);
            assert!(events.contains(&Event::Completed), "{carrier:?} {events:?}");
            let exchanged = call.exchange(callee, Component::Rtcp);
            assert_eq!(exchanged, [true; 2], "{carrier:?}");
        }
        call.caller(|endpoint, now| endpoint.drop_fork(now, id(0)));
        call.testbed.run_for(Duration::from_secs(1));
        assert_eq!(call.allocations(), 2);
        call.caller(|endpoint, now| {
            endpoint.choose(now, id(2)).unwrap();
            endpoint.command(now, |agent| agent.finish().unwrap());
        });
        call.testbed.run_for(Duration::from_secs(4));
        assert_eq!(call.allocations(), 2);
        let packet = Bytes::from_static(b"\x80to the active destination");
        let there = packet.clone();
        call.caller(|endpoint, now| {
            endpoint
                .command(now, |agent| agent.send(now, Component::Rtp, there))
                .unwrap();
        });
        call.testbed.run_for(Duration::from_secs(1));
        let callee = call.testbed.host::<IceHost>(call.callees[2]);
        assert!(callee.data(Component::Rtp).contains(&packet), "{carrier:?}");
        call.caller(|endpoint, now| endpoint.command(now, ocs_ice::Agent::close));
        call.testbed.run_for(Duration::from_secs(1));
        assert_eq!(call.allocations(), 0, "{carrier:?}");
    }
}

/// It is in no description: no fork holds it.
#[test]
fn an_allocation_that_comes_after_the_offer_is_given_back() {
    let mut call = Forked::new(1, Offers::Udp, Server::Over(Carrier::Udp), |role| {
        let mut config = config(Dialect::Ice2, role);
        config.timers.gathering = Duration::from_millis(1);
        config
    });
    call.testbed.set_default_link(Link {
        latency: Duration::from_millis(100),
        ..Link::default()
    });
    call.caller(|endpoint, now| endpoint.command(now, |agent| agent.restart(now)));
    call.testbed.run_for(Duration::from_millis(5));
    let answer = call.answer(0);
    call.fork(0, &answer).unwrap();
    let mut most = 0;
    for _ in 0..100 {
        call.testbed.run_for(Duration::from_millis(50));
        most = most.max(call.allocations());
    }
    assert_eq!((most, call.allocations()), (2, 0));
    assert!(call.events(0).contains(&Event::Completed));
}

#[test]
fn there_are_twenty_at_most() {
    let mut call = Forked::of(Dialect::Ice2, 1, Offers::Udp);
    let answer = call.answer(0);
    for callee in 0..20 {
        call.fork(callee, &answer).unwrap();
    }
    let refused = call.fork(20, &answer);
    assert_eq!(refused, Err(Error::TooManyForks { limit: 20 }));
    // One of a name that is there takes its place.
    call.fork(7, &answer).unwrap();
    call.caller(|endpoint, now| endpoint.drop_fork(now, id(3)));
    call.fork(20, &answer).unwrap();
}

#[test]
fn what_cannot_be_a_fork() {
    let mut call = Forked::of(Dialect::Ice2, 1, Offers::Udp);
    let other = Forked::of(Dialect::Ice, 1, Offers::Udp);
    let old = other.description(other.callees[0]);
    assert_eq!(call.fork(0, &old), Err(Error::WrongDialect));
    let answer = call.answer(0);
    call.caller(|endpoint, now| {
        endpoint
            .command(now, |agent| agent.set_remote(now, &answer))
            .unwrap();
    });
    let refused = call.fork(0, &answer);
    assert!(matches!(refused, Err(Error::WrongState { .. })));

    let mut managed = Forked::of(Dialect::Ice2, 1, Offers::Udp);
    let answer = managed.answer(0);
    managed.caller(|endpoint, _| endpoint.manage_bandwidth(Demand::default()));
    let refused = managed.fork(0, &answer);
    assert!(matches!(refused, Err(Error::WrongState { .. })));
}

#[test]
fn an_answer_that_is_refused_leaves_the_fork_as_it_was() {
    let mut call = Forked::of(Dialect::Ice2, 1, Offers::Udp);
    let other = Forked::of(Dialect::Ice, 1, Offers::Udp);
    let old = other.description(other.callees[0]);
    let answer = call.answer(0);
    call.fork(0, &answer).unwrap();
    call.testbed.run_for(Duration::from_secs(3));
    let completed = |call: &mut Forked| {
        call.caller(|endpoint, _| endpoint.forked(id(0)).map(ocs_ice::Agent::phase))
    };
    assert_eq!(completed(&mut call), Some(Phase::Completed));
    assert_eq!(call.fork(0, &old), Err(Error::WrongDialect));
    assert_eq!(completed(&mut call), Some(Phase::Completed));
    let unreachable = [(Component::Rtp, at("[2001:db8::1]:20000"))];
    let refused = call.caller(|endpoint, now| endpoint.fork_without_ice(now, id(0), &unreachable));
    assert_eq!(refused, Err(Error::NoPath));
    assert_eq!(completed(&mut call), Some(Phase::Completed));
    assert_eq!(call.exchange(0, Component::Rtp), [true; 2]);
}

/// The peer has connected, and was chosen before its check came.
#[test]
fn a_connection_that_showed_no_check_yet_outlives_the_choice() {
    let mut call = Forked::of(Dialect::Ice2, 1, Offers::Tcp);
    let answer = call.answer(0);
    call.caller(|endpoint, now| {
        let from = at("203.0.113.101:40000");
        let link = endpoint.handle_accepted(now, at("203.0.113.100:20200"), from);
        let link = link.unwrap();
        endpoint.fork(now, id(0), &answer).unwrap();
        endpoint.choose(now, id(0)).unwrap();
        let closes = |endpoint: &mut Endpoint<ChaCha12Rng>| {
            let mut actions = core::iter::from_fn(|| endpoint.poll_action());
            actions.any(|action| action == Action::Close { link })
        };
        assert!(!closes(endpoint));
        // Without a check it ends in time, as any other.
        endpoint.handle_timeout(now + Duration::from_secs(60));
        assert!(closes(endpoint));
    });
}

#[test]
fn a_peer_without_ice_among_others() {
    let mut call = Forked::of(Dialect::Ice2, 2, Offers::Udp);
    let answer = call.answer(0);
    call.fork(0, &answer).unwrap();
    let gateway = [
        (Component::Rtp, at("203.0.113.102:20000")),
        (Component::Rtcp, at("203.0.113.102:20001")),
    ];
    call.caller(|endpoint, now| endpoint.fork_without_ice(now, id(1), &gateway).unwrap());
    assert!(call.events(1).contains(&Event::Completed));
    call.testbed.run_for(Duration::from_secs(3));
    assert_eq!(call.exchange(0, Component::Rtp), [true; 2]);
    let other = call.description(call.caller);
    let Description::Ice2(own) = other else {
        panic!()
    };
    let own = own.default_candidate(Component::Rtp).unwrap().address;
    // The gateway knows nothing but addresses.
    let host = call.callees[1];
    call.act(host, |endpoint, now| {
        let caller: [(Component, SocketAddr); 1] = [(Component::Rtp, own)];
        endpoint
            .command(now, |agent| agent.set_remote_without_ice(now, &caller))
            .unwrap();
    });
    assert_eq!(call.exchange(1, Component::Rtp), [true; 2]);
    // It may move, and media of where it was is no longer taken.
    let moved = [(Component::Rtp, at("203.0.113.102:30000"))];
    call.caller(|endpoint, now| {
        let set = endpoint.command_fork(now, id(1), |agent| {
            agent.set_remote_without_ice(now, &moved)
        });
        assert_eq!(set, Some(Ok(())));
    });
    let before = call.events(1).len();
    let _ = call.exchange(1, Component::Rtp);
    let data = |event: &Event| matches!(event, Event::Data { .. });
    assert!(!call.events(1)[before..].iter().any(data));
}
