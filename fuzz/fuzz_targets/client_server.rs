//! One front end and two user agents joined in memory: commands, lost and changed octets, broken connections, time.
//!
//! Input: pairs of octets. The first chooses what happens, the second how.
#![no_main]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_client::{Config, Output, UserAgent};
use ocs_conmgmt::{Answer, Peer, Query, Server as Place};
use ocs_ntlm::Credential;
use ocs_server::{FrontEnd, MemoryStore, User};
use ocs_sip_core::{Aor, ConnectionId, Transport, WallClock};
use ocs_sipre::Epid;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
/// Octets on the way that are more than this are lost, with their connection.
const ON_THE_WAY: usize = 1024 * 1024;

fn aor(index: usize) -> Aor {
    format!("{}@contoso.com", NAMES[index % 3])
        .parse()
        .expect("an address")
}

/// A connection of an agent, by the name that the server has for it.
struct Wire {
    agent: usize,
    name: ConnectionId,
    to_server: VecDeque<Bytes>,
    to_agent: VecDeque<Bytes>,
}

struct World {
    now: Instant,
    server: FrontEnd<MemoryStore>,
    agents: Vec<UserAgent>,
    wires: BTreeMap<ConnectionId, Wire>,
    last: u64,
    /// What becomes of the next octets on the way: position and value.
    change: Option<(u8, u8)>,
}

impl World {
    fn new(compressed: bool) -> Self {
        let now = Instant::now();
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = WallClock::new(now, system);
        let mut store = MemoryStore::new("CONTOSO");
        for index in 0..2 {
            store.add_user(User::new(aor(index)), "Passw0rd");
        }
        let mut config = ocs_server::Config::new(
            "fe01.contoso.com",
            "contoso.com",
            Transport::Tls,
            5061,
            clock,
        );
        config.compression.enabled = compressed;
        let agents = (0..2_usize)
            .map(|index| {
                let epid = Epid::parse(&format!("e{index}")).expect("an epid");
                let credential = Credential::from_password("Passw0rd");
                let mut config = Config::new(aor(index), credential, epid, clock);
                config.compression.enabled = compressed;
                config.auto_accept = index == 0;
                config.connector.discovery.manual = Some(Place {
                    transport: Transport::Tls,
                    host: "fe01.contoso.com".into(),
                    port: 5061,
                });
                UserAgent::new(config, [index as u8; 32]).expect("a configuration")
            })
            .collect();
        Self {
            now,
            server: FrontEnd::new(config, store, [9; 32]).expect("a configuration"),
            agents,
            wires: BTreeMap::new(),
            last: 0,
            change: None,
        }
    }

    fn wire_of(&self, agent: usize, name: ConnectionId) -> Option<ConnectionId> {
        let mut wires = self.wires.iter();
        let (id, _) = wires.find(|(_, wire)| wire.agent == agent && wire.name == name)?;
        Some(*id)
    }

    /// Takes what the machines want done; octets wait on their wires.
    fn collect(&mut self) {
        let mut steps = 0;
        for index in 0..self.agents.len() {
            while let Some(output) = self.agents[index].poll_output() {
                steps += 1;
                assert!(steps < 10_000, "turns in a circle");
                self.output(index, output);
            }
            while self.agents[index].poll_event().is_some() {}
            assert!(self.agents[index].conversations().count() <= 3);
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                ocs_server::Output::Send { connection, data } => {
                    if let Some(wire) = self.wires.get_mut(&connection) {
                        wire.to_agent.push_back(data);
                    }
                }
                ocs_server::Output::Close { connection } => self.closed_by_server(connection),
            }
        }
        while self.server.poll_event().is_some() {}
    }

    fn output(&mut self, agent: usize, output: Output) {
        match output {
            Output::Resolve(query) => {
                let answer = match &query {
                    Query::Address(_) => Answer::Address(vec![[192, 0, 2, 10].into()]),
                    query => Answer::none(query),
                };
                self.agents[agent].handle_answer(self.now, &query, answer);
            }
            Output::Connect {
                connection,
                transport,
                address,
                ..
            } => {
                self.last += 1;
                let id = ConnectionId(self.last);
                let local = SocketAddr::from(([192, 0, 2, 101 + agent as u8], 50_000));
                let peer = ocs_server::Peer {
                    transport,
                    local: address,
                    remote: local,
                };
                self.wires.insert(
                    id,
                    Wire {
                        agent,
                        name: connection,
                        to_server: VecDeque::new(),
                        to_agent: VecDeque::new(),
                    },
                );
                self.server.handle_accepted(self.now, id, peer);
                self.agents[agent].handle_connected(self.now, connection, local, Peer::Verified);
            }
            Output::Send { connection, data } => {
                if let Some(id) = self.wire_of(agent, connection)
                    && let Some(wire) = self.wires.get_mut(&id)
                {
                    wire.to_server.push_back(data);
                }
            }
            Output::Close { connection } => {
                if let Some(id) = self.wire_of(agent, connection)
                    && let Some(wire) = self.wires.remove(&id)
                {
                    for data in wire.to_server {
                        self.server.handle_data(self.now, id, data);
                    }
                    self.server.handle_closed(self.now, id);
                }
            }
        }
    }

    fn closed_by_server(&mut self, id: ConnectionId) {
        if let Some(wire) = self.wires.remove(&id) {
            for data in wire.to_agent {
                self.agents[wire.agent].handle_data(self.now, wire.name, data);
            }
            self.agents[wire.agent].handle_closed(self.now, wire.name);
        }
    }

    fn reset(&mut self, index: usize) {
        let Some(id) = self.wires.keys().nth(index).copied() else {
            return;
        };
        if let Some(wire) = self.wires.remove(&id) {
            self.server.handle_closed(self.now, id);
            self.agents[wire.agent].handle_closed(self.now, wire.name);
        }
        self.collect();
    }

    fn changed(&mut self, data: Bytes) -> Bytes {
        match self.change.take() {
            Some((at, value)) if !data.is_empty() => {
                let mut copy = data.to_vec();
                let at = usize::from(at) * copy.len() / 256;
                copy[at] = value;
                copy.into()
            }
            _ => data,
        }
    }

    /// Moves octets on; `whole` until nothing is on the way.
    fn deliver(&mut self, whole: bool, pieces: bool) {
        for _ in 0..if whole { 200 } else { 1 } {
            self.collect();
            let ids: Vec<_> = self.wires.keys().copied().collect();
            let mut idle = true;
            for id in ids {
                let Some(wire) = self.wires.get_mut(&id) else {
                    continue;
                };
                let (agent, name) = (wire.agent, wire.name);
                let waiting: usize = wire
                    .to_server
                    .iter()
                    .chain(&wire.to_agent)
                    .map(Bytes::len)
                    .sum();
                if waiting > ON_THE_WAY {
                    self.server.handle_backlog(self.now, id, usize::MAX);
                    continue;
                }
                let up = wire.to_server.pop_front();
                let down = wire.to_agent.pop_front();
                if let Some(data) = up {
                    idle = false;
                    let mut data = self.changed(data);
                    if pieces {
                        let first = data.split_to(data.len() / 2);
                        self.server.handle_data(self.now, id, first);
                    }
                    self.server.handle_data(self.now, id, data);
                }
                if let Some(data) = down {
                    idle = false;
                    let data = self.changed(data);
                    self.agents[agent].handle_data(self.now, name, data);
                }
            }
            if idle {
                break;
            }
        }
        self.collect();
    }

    /// Lets a time pass, or goes to the next timer.
    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        for _ in 0..50 {
            let timers = self.agents.iter().map(UserAgent::poll_timeout);
            let next = timers.chain([self.server.poll_timeout()]).flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            for agent in &mut self.agents {
                agent.handle_timeout(self.now);
            }
            self.deliver(true, false);
        }
        self.now = self.now.max(end);
    }

    fn command(&mut self, kind: u8, argument: u8) {
        let now = self.now;
        let whom = aor(usize::from(argument >> 1));
        let agent = &mut self.agents[usize::from(argument & 1)];
        match kind % 16 {
            0 => agent.sign_in(now),
            1 => agent.sign_out(now),
            2 | 3 => _ = agent.send_text(now, &whom, "words"),
            4 => _ = agent.set_typing(now, &whom, argument & 64 == 0),
            5 => agent.end_conversation(now, &whom),
            6 => agent.accept(now, &whom),
            7 => agent.decline(now, &whom, argument & 64 == 0),
            8 | 9 => self.deliver(true, argument & 1 == 0),
            10 => self.deliver(false, argument & 1 == 0),
            11 => self.wait(u64::from(argument)),
            12 => self.wait(u64::from(argument) * 60),
            13 => self.reset(usize::from(argument)),
            14 => self.change = Some((argument, argument.wrapping_mul(31))),
            _ => {
                let user = aor(usize::from(argument >> 1));
                let event = ocs_siprege::notify::RegistrationEvent::Deactivated;
                self.server.deregister(now, &user, event);
            }
        }
        self.collect();
    }

    fn check(&self) {
        let counters = self.server.counters();
        assert!(counters.connections <= 2, "{counters:?}");
        assert!(counters.registrations <= 2, "{counters:?}");
        assert!(counters.associations <= 2, "{counters:?}");
        assert!(counters.handshakes <= 16, "{counters:?}");
        assert!(counters.received <= 4 * 1024 * 1024, "{counters:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let mut world = World::new(first & 1 == 1);
    if first & 2 == 2 {
        for agent in &mut world.agents {
            agent.sign_in(world.now);
        }
        world.deliver(true, false);
    }
    for pair in rest.chunks_exact(2).take(200) {
        world.command(pair[0], pair[1]);
        world.check();
    }
    // Everybody leaves: nothing is left behind.
    for agent in &mut world.agents {
        agent.sign_out(world.now);
    }
    world.deliver(true, false);
    world.change = None;
    for _ in 0..40 {
        world.wait(3600);
    }
    assert_eq!(world.server.counters(), ocs_server::Counters::default());
    for agent in &world.agents {
        assert_eq!(agent.poll_timeout(), None);
        assert_eq!(agent.conversations().count(), 0);
    }
});
