//! Two agents on the virtual network.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

pub mod relay;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_ice::relays::{RelayOutput, Relays};
use ocs_ice::{
    Agent, CandidatePolicy, Carrier, Component, Config, ConnectionId, Description, Dialect, Event,
    Failure, Limits, Output, Phase, RelayId, Role, Transport,
};
use ocs_testbed::{Host, HostId, Input, Listener, Nat, NatKind, Output as Wire, Testbed};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use relay::RelayHost;

pub const RELAY: &str = "198.51.100.9:3478";

pub fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An agent, its sockets and its allocations.
pub struct IceHost {
    pub agent: Agent<ChaCha12Rng>,
    pub events: Vec<(Instant, Event)>,
    relays: Relays<ChaCha12Rng>,
    outputs: VecDeque<Wire>,
    next_connection: u64,
    /// The testbed's number of each connection.
    wires: HashMap<Connection, ocs_sip_core::ConnectionId>,
}

/// What a connection of the testbed is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Connection {
    Pair(ConnectionId),
    Relay(RelayId),
}

impl IceHost {
    pub fn new(config: Config, seed: u64) -> Self {
        let rng = |stream| {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        };
        Self {
            relays: Relays::new(config.dialect, relay::credentials(), rng(1)),
            agent: Agent::new(config, rng(0)),
            events: Vec::new(),
            outputs: VecDeque::new(),
            next_connection: 1,
            wires: HashMap::new(),
        }
    }

    pub fn data(&self, component: Component) -> Vec<Bytes> {
        let data = self.events.iter().filter_map(|(_, event)| match event {
            Event::Data { component: c, data } if *c == component => Some(data.clone()),
            _ => None,
        });
        data.collect()
    }

    pub fn failure(&self) -> Option<Failure> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Failed(failure) => Some(*failure),
            _ => None,
        })
    }

    fn connect(&mut self, connection: Connection, peer: SocketAddr) {
        let wire = ocs_sip_core::ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.close(connection);
        self.wires.insert(connection, wire);
        self.outputs.push_back(Wire::Connect {
            connection: wire,
            peer,
            transport: ocs_sip_core::Transport::Tcp,
            server_name: None,
        });
    }

    fn stream(&mut self, connection: Connection, data: Bytes) {
        if let Some(wire) = self.wires.get(&connection) {
            let connection = *wire;
            self.outputs.push_back(Wire::Send { connection, data });
        }
    }

    fn close(&mut self, connection: Connection) {
        if let Some(connection) = self.wires.remove(&connection) {
            self.outputs.push_back(Wire::Reset { connection });
        }
    }

    fn of(&self, wire: ocs_sip_core::ConnectionId) -> Option<Connection> {
        let mut wires = self.wires.iter();
        wires
            .find(|(_, of)| **of == wire)
            .map(|(connection, _)| *connection)
    }

    /// Takes what the agent and its relays want.
    fn pump(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            if let Some(output) = self.relays.handle_output(now, output) {
                self.perform(output);
            }
        }
        while let Some(output) = self.relays.poll_output() {
            match output {
                RelayOutput::Datagram { base, to, data } => {
                    self.outputs.push_back(Wire::Datagram {
                        local: base,
                        peer: to,
                        data,
                    });
                }
                RelayOutput::Connect { relay, to } => self.connect(Connection::Relay(relay), to),
                RelayOutput::Stream { relay, data } => self.stream(Connection::Relay(relay), data),
                RelayOutput::Close { relay } => self.close(Connection::Relay(relay)),
            }
        }
        while let Some(event) = self.agent.poll_event() {
            self.events.push((now, event));
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Datagram { base, remote, data } => self.outputs.push_back(Wire::Datagram {
                local: base,
                peer: remote,
                data,
            }),
            Output::Connect {
                connection, remote, ..
            } => self.connect(Connection::Pair(connection), remote),
            Output::Stream { connection, data } => self.stream(Connection::Pair(connection), data),
            Output::Close { connection } => self.close(Connection::Pair(connection)),
            other => panic!("{other:?} is for relays"),
        }
    }

    fn connection_input(&mut self, now: Instant, connection: Connection, input: Input) {
        let (agent, relays) = (&mut self.agent, &mut self.relays);
        match (connection, input) {
            (Connection::Pair(id), Input::Connected { .. }) => agent.handle_connected(now, id),
            (Connection::Relay(id), Input::Connected { .. }) => relays.handle_connected(now, id),
            (Connection::Pair(id), Input::Data { data, .. }) => agent.handle_stream(now, id, data),
            (Connection::Relay(id), Input::Data { data, .. }) => {
                relays.handle_stream(now, agent, id, &data);
            }
            (connection, _) => {
                self.wires.remove(&connection);
                match connection {
                    Connection::Pair(id) => agent.handle_closed(now, id),
                    Connection::Relay(id) => relays.handle_closed(now, agent, id),
                }
            }
        }
    }
}

impl Host for IceHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Datagram { local, peer, data } => {
                let (agent, relays) = (&mut self.agent, &mut self.relays);
                if !relays.handle_datagram(now, agent, local, peer, &data) {
                    agent.handle_datagram(now, local, peer, data);
                }
            }
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => match self.agent.handle_accepted(now, local, peer) {
                Ok(id) => {
                    self.wires.insert(Connection::Pair(id), connection);
                }
                Err(_) => self.outputs.push_back(Wire::Reset { connection }),
            },
            Input::Connected { connection, .. }
            | Input::Data { connection, .. }
            | Input::Closed { connection, .. }
            | Input::ConnectFailed { connection, .. } => {
                if let Some(connection) = self.of(connection) {
                    self.connection_input(now, connection, input);
                }
            }
            Input::Resolved { .. } => {}
        }
        self.pump(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.relays.handle_timeout(now, &mut self.agent);
        self.agent.handle_timeout(now);
        self.pump(now);
    }

    fn poll_output(&mut self) -> Option<Wire> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timers = [self.agent.poll_timeout(), self.relays.poll_timeout()];
        timers.into_iter().flatten().min()
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
        if server != Server::None {
            RelayHost::install(&mut testbed, at(RELAY), seed);
        }
        let [caller, callee] = sides;
        let mut call = Self {
            testbed,
            caller,
            callee,
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
            let result = command(&mut host.agent, now);
            host.pump(now);
            result
        })
    }

    fn gather(&mut self, role: Role) {
        self.command(role, |agent, now| agent.gather(now).unwrap());
        let host = if role == Role::Controlling {
            self.caller.host
        } else {
            self.callee.host
        };
        let gathering =
            |testbed: &Testbed| testbed.host::<IceHost>(host).agent.phase() == Phase::Gathering;
        self.testbed
            .run_while(gathering, Duration::from_secs(20))
            .unwrap();
    }

    /// As text, as it would travel.
    pub fn description(&self, role: Role) -> Description {
        let text = self.side(role).agent.local_description().to_string();
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
            agent.set_remote(now, &offer).unwrap()
        });
        self.command(Role::Controlling, |agent, now| {
            agent.set_remote(now, &answer).unwrap()
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
                let phase = testbed.host::<IceHost>(*host).agent.phase();
                !matches!(phase, Phase::Completed | Phase::Failed)
            })
        };
        let dialect = self.description(Role::Controlling).dialect();
        if dialect == Dialect::Ice {
            // The callee learns of the choice by the final offer.
            let caller = self.caller.host;
            let waits = |testbed: &Testbed| {
                let phase = testbed.host::<IceHost>(caller).agent.phase();
                !matches!(phase, Phase::Completed | Phase::Failed)
            };
            self.testbed
                .run_while(waits, Duration::from_secs(60))
                .unwrap();
            if let Some(offer) = self.side(Role::Controlling).agent.final_description() {
                let offer = Description::parse(&offer.to_string(), &Limits::default()).unwrap();
                self.command(Role::Controlled, |agent, now| {
                    agent.handle_final(now, &offer).unwrap()
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
                .agent
                .selected(component)
                .unwrap();
            let callee = self
                .side(Role::Controlled)
                .agent
                .selected(component)
                .unwrap();
            assert_eq!(caller.local.address, callee.remote.address);
            assert_eq!(callee.local.address, caller.remote.address);
            for role in [Role::Controlling, Role::Controlled] {
                let packet = Bytes::from(format!("\u{80}{role:?} {component}").into_bytes());
                self.command(role, |agent, now| {
                    agent.send(now, component, packet).unwrap()
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
fn prepare(testbed: &mut Testbed, host: HostId, ip: IpAddr, offers: Offers, server: Server) {
    testbed.command(host, |host: &mut IceHost, _| {
        for (port, component) in [(20000, Component::Rtp), (20001, Component::Rtcp)] {
            let udp = SocketAddr::new(ip, port);
            let active = SocketAddr::new(ip, port + 100);
            let passive = SocketAddr::new(ip, port + 200);
            let agent = &mut host.agent;
            if offers != Offers::Tcp {
                agent.add_host(component, Transport::Udp, udp).unwrap();
            }
            if offers != Offers::Udp {
                agent
                    .add_host(component, Transport::TcpActive, active)
                    .unwrap();
                agent
                    .add_host(component, Transport::TcpPassive, passive)
                    .unwrap();
            }
            if server != Server::None {
                agent
                    .add_relay(component, Carrier::Udp, udp, at(RELAY))
                    .unwrap();
            }
            if server == Server::Relay && offers != Offers::Udp {
                agent
                    .add_relay(component, Carrier::Tcp, active, at(RELAY))
                    .unwrap();
            }
        }
    });
    for port in [20200, 20201] {
        testbed.listen(host, Listener::tcp(SocketAddr::new(ip, port)));
    }
}
