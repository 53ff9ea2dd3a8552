//! Two agents on the virtual network.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

pub mod links;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use links::Links;
use ocs_hosts::{IceHost, RelayHost};
use ocs_ice::{
    Agent, CandidatePolicy, Carrier, Component, Config, Description, Dialect, Endpoint, Event,
    Failure, Limits, Phase, Role, Transport,
};
use ocs_stun::Password;
use ocs_testbed::{HostId, Listener, Nat, NatKind, Testbed};
use rand_chacha::ChaCha12Rng;

pub const RELAY: &str = "198.51.100.9:3478";

pub fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The relay of the tests.
pub type Relay = RelayHost<HashMap<Vec<u8>, Password>, Links>;

/// What a side got.
pub trait Told {
    /// Packets of a component.
    fn data(&self, component: Component) -> Vec<Bytes>;

    /// Why it failed.
    fn failure(&self) -> Option<Failure>;
}

impl Told for IceHost {
    fn data(&self, component: Component) -> Vec<Bytes> {
        let data = self.events.iter().filter_map(|(_, event)| match event {
            Event::Data { component: c, data } if *c == component => Some(data.clone()),
            _ => None,
        });
        data.collect()
    }

    fn failure(&self) -> Option<Failure> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Failed(failure) => Some(*failure),
            _ => None,
        })
    }
}

/// What a side has to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offers {
    /// UDP host candidates.
    Udp,
    /// TCP host candidates.
    Tcp,
    /// Both.
    Both,
}

/// What the server on the outside does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// There is none.
    None,
    /// It tells the reflexive address.
    Reflexive,
    /// It relays, over UDP and TCP.
    Relay,
    /// It relays, and is reached in one way only.
    Over(Carrier),
}

pub struct Side {
    pub host: HostId,
    pub nat: Option<HostId>,
    pub ip: IpAddr,
}

/// A caller and a callee.
pub struct Call {
    pub testbed: Testbed,
    pub caller: Side,
    pub callee: Side,
    pub relay: Option<HostId>,
    /// When both sides knew each other.
    pub exchanged: Option<Instant>,
}

pub fn config(dialect: Dialect, role: Role) -> Config {
    Config::new(dialect, role)
}

impl Call {
    pub fn new(
        dialect: Dialect,
        nats: [Option<NatKind>; 2],
        offers: Offers,
        server: Server,
    ) -> Self {
        Self::with(nats, offers, server, 1, |role| config(dialect, role))
    }

    pub fn with(
        nats: [Option<NatKind>; 2],
        offers: Offers,
        server: Server,
        seed: u64,
        config: impl Fn(Role) -> Config,
    ) -> Self {
        let mut testbed = Testbed::new(seed, Instant::now(), SystemTime::UNIX_EPOCH);
        let sides = [Role::Controlling, Role::Controlled].map(|role| {
            let number = if role == Role::Controlling { 1 } else { 2 };
            let nat = nats[number - 1];
            let ip: IpAddr = match nat {
                Some(_) => [10, number as u8, 0, 2].into(),
                None => [203, 0, 113, 100 + number as u8].into(),
            };
            let mut config = config(role);
            if server == Server::Reflexive {
                config.candidates = CandidatePolicy::NoRelay;
            }
            let host = IceHost::new(config, seed * 2 + number as u64);
            let host = testbed.add_host(["caller", "callee"][number - 1], [ip], host);
            let nat = nat.map(|kind| {
                let outer = IpAddr::from([203, 0, 113, number as u8]);
                let nat = testbed.add_nat(format!("nat{number}"), [outer], Nat::new(kind));
                testbed.put_behind(host, nat);
                nat
            });
            Side { host, nat, ip }
        });
        let relay = (server != Server::None).then(|| {
            let policy = Links::default();
            RelayHost::install_with_policy(policy, &mut testbed, at(RELAY), seed)
        });
        let [caller, callee] = sides;
        let mut call = Self {
            testbed,
            caller,
            callee,
            relay,
            exchanged: None,
        };
        for side in [&call.caller, &call.callee] {
            let (host, ip) = (side.host, side.ip);
            prepare(&mut call.testbed, host, ip, offers, server);
        }
        call
    }

    pub fn side(&self, role: Role) -> &IceHost {
        let host = match role {
            Role::Controlling => self.caller.host,
            Role::Controlled => self.callee.host,
        };
        self.testbed.host(host)
    }

    pub fn command<T>(
        &mut self,
        role: Role,
        command: impl FnOnce(&mut Agent<ChaCha12Rng>, Instant) -> T,
    ) -> T {
        let host = match role {
            Role::Controlling => self.caller.host,
            Role::Controlled => self.callee.host,
        };
        self.testbed.command(host, |host: &mut IceHost, now| {
            host.command(now, |agent| command(agent, now))
        })
    }

    /// The same, for what is above the agent.
    pub fn endpoint<T>(
        &mut self,
        role: Role,
        act: impl FnOnce(&mut Endpoint<ChaCha12Rng>, Instant) -> T,
    ) -> T {
        let host = match role {
            Role::Controlling => self.caller.host,
            Role::Controlled => self.callee.host,
        };
        self.testbed.command(host, |host: &mut IceHost, now| {
            host.command_endpoint(now, |endpoint| act(endpoint, now))
        })
    }

    /// What the policy of the relay has seen, or is to do.
    pub fn links<T>(&mut self, look: impl FnOnce(&mut Links) -> T) -> T {
        let relay = self.relay.unwrap();
        self.testbed
            .command(relay, |host: &mut Relay, _| look(host.policy_mut()))
    }

    fn gather(&mut self, role: Role) {
        self.command(role, |agent, now| agent.gather(now).unwrap());
        let host = if role == Role::Controlling {
            self.caller.host
        } else {
            self.callee.host
        };
        let gathering =
            |testbed: &Testbed| testbed.host::<IceHost>(host).agent().phase() == Phase::Gathering;
        self.testbed
            .run_while(gathering, Duration::from_secs(20))
            .unwrap();
    }

    /// As text, as it would travel.
    pub fn description(&self, role: Role) -> Description {
        let text = self.side(role).agent().local_description().to_string();
        Description::parse(&text, &Limits::default()).unwrap()
    }

    /// Both sides gather, and tell each other.
    pub fn exchange(&mut self) {
        self.gather(Role::Controlling);
        self.gather(Role::Controlled);
        let offer = self.description(Role::Controlling);
        let answer = self.description(Role::Controlled);
        self.exchanged = Some(self.testbed.now());
        self.command(Role::Controlled, |agent, now| {
            agent.set_remote(now, &offer).unwrap();
        });
        self.command(Role::Controlling, |agent, now| {
            agent.set_remote(now, &answer).unwrap();
        });
    }

    /// Runs until both sides are done; tells whether both completed, and after how long.
    pub fn run(&mut self) -> Option<Duration> {
        self.exchange();
        self.finish()
    }

    pub fn finish(&mut self) -> Option<Duration> {
        let hosts = [self.caller.host, self.callee.host];
        let running = |testbed: &Testbed| {
            hosts.iter().any(|host| {
                let phase = testbed.host::<IceHost>(*host).agent().phase();
                !matches!(phase, Phase::Completed | Phase::Failed)
            })
        };
        let dialect = self.description(Role::Controlling).dialect();
        if dialect == Dialect::Ice {
            // The callee learns of the choice by the final offer.
            let caller = self.caller.host;
            let waits = |testbed: &Testbed| {
                let phase = testbed.host::<IceHost>(caller).agent().phase();
                !matches!(phase, Phase::Completed | Phase::Failed)
            };
            self.testbed
                .run_while(waits, Duration::from_secs(60))
                .unwrap();
            if let Some(offer) = self.side(Role::Controlling).agent().final_description() {
                let offer = Description::parse(&offer.to_string(), &Limits::default()).unwrap();
                self.command(Role::Controlled, |agent, now| {
                    agent.handle_final(now, &offer).unwrap();
                });
            }
        }
        let limit = Duration::from_secs(60);
        self.testbed.run_while(running, limit).unwrap();
        let done = |role| {
            let events = &self.side(role).events;
            let done = events.iter().find(|(_, event)| *event == Event::Completed);
            done.map(|(at, _)| *at)
        };
        let (caller, callee) = (done(Role::Controlling)?, done(Role::Controlled)?);
        Some(caller.max(callee).duration_since(self.exchanged.unwrap()))
    }

    /// The selected pairs are the same seen from both sides, and carry packets both ways.
    pub fn assert_media_flows(&mut self) {
        for component in Component::ALL {
            let caller = self
                .side(Role::Controlling)
                .agent()
                .selected(component)
                .unwrap();
            let callee = self
                .side(Role::Controlled)
                .agent()
                .selected(component)
                .unwrap();
            assert_eq!(caller.local.address, callee.remote.address);
            assert_eq!(callee.local.address, caller.remote.address);
            for role in [Role::Controlling, Role::Controlled] {
                let packet = Bytes::from(format!("\u{80}{role:?} {component}").into_bytes());
                self.command(role, |agent, now| {
                    agent.send(now, component, packet).unwrap();
                });
            }
        }
        self.testbed.run_for(Duration::from_secs(1));
        for component in Component::ALL {
            for role in [Role::Controlling, Role::Controlled] {
                let packet = Bytes::from(format!("\u{80}{role:?} {component}").into_bytes());
                let data = self.side(role.other()).data(component);
                assert_eq!(data.last(), Some(&packet), "to {:?}", role.other());
            }
        }
    }
}

/// Gives a side its sockets and its relays.
pub fn prepare(testbed: &mut Testbed, host: HostId, ip: IpAddr, offers: Offers, server: Server) {
    testbed.command(host, |host: &mut IceHost, now| {
        host.command(now, |agent| {
            for (port, component) in [(20000, Component::Rtp), (20001, Component::Rtcp)] {
                let [udp, active, passive] = [0, 100, 200].map(|n| SocketAddr::new(ip, port + n));
                let mut add = |transport, address| {
                    agent.add_host(component, transport, address).unwrap();
                };
                if offers != Offers::Tcp {
                    add(Transport::Udp, udp);
                }
                if offers != Offers::Udp {
                    add(Transport::TcpActive, active);
                    add(Transport::TcpPassive, passive);
                }
                let mut relay = |carrier, base| {
                    agent
                        .add_relay(component, carrier, base, at(RELAY))
                        .unwrap();
                };
                match server {
                    Server::None => {}
                    Server::Reflexive => relay(Carrier::Udp, udp),
                    Server::Relay => {
                        relay(Carrier::Udp, udp);
                        if offers != Offers::Udp {
                            relay(Carrier::Tcp, active);
                        }
                    }
                    Server::Over(carrier) if carrier.is_tcp() => relay(carrier, active),
                    Server::Over(carrier) => relay(carrier, udp),
                }
            }
        });
    });
    for port in [20200, 20201] {
        testbed.listen(host, Listener::tcp(SocketAddr::new(ip, port)));
    }
}
