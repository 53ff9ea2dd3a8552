//! A front end and its user agents in one process: octets go from hand to hand, and only the front end is on the clock.
//!
//! Time is virtual. What a user agent does (its own parsing, its signatures, its handshakes) is done between two
//! readings of the clock, so that the numbers are the server's alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use ocs_client::{Event, Output, UserAgent};
use ocs_conmgmt::{Answer, CertificateNames, Peer, Query, SrvRecord};
use ocs_ntlm::{Credential, NtHash};
use ocs_server::{Config, FrontEnd, MemoryStore, User};
use ocs_sip_core::{Aor, ConnectionId, Transport, WallClock};
use ocs_sipre::Epid;

pub(crate) const DOMAIN: &str = "contoso.com";
pub(crate) const SERVER: &str = "fe01.contoso.com";
pub(crate) const PASSWORD: &str = "Passw0rd";
pub(crate) const SERVER_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 5061);

/// A user agent by its number, which is also the number of its user.
pub type AgentId = u32;

/// One end of a connection whose other end is the front end.
#[derive(Debug)]
struct Client {
    agent: UserAgent,
    /// The connection as the agent calls it.
    own: ConnectionId,
    /// The connection as the front end calls it.
    theirs: Option<ConnectionId>,
    delivered: u64,
}

/// A front end with its user agents.
#[derive(Debug)]
pub struct System {
    server: FrontEnd<MemoryStore>,
    clients: HashMap<AgentId, Client>,
    by_connection: HashMap<ConnectionId, AgentId>,
    credential: Credential,
    clock: WallClock,
    now: Instant,
    last_connection: u64,
    busy: Duration,
    messages: u64,
}

impl System {
    /// A front end with `users` users, nobody signed in. `adjust` changes its configuration.
    #[must_use]
    pub fn new(users: u32, adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut config, store, clock, now) = directory(users);
        adjust(&mut config);
        Self {
            server: FrontEnd::new(config, store, [7; 32]).expect("a configuration that works"),
            clients: HashMap::new(),
            by_connection: HashMap::new(),
            credential: NtHash::from_password(PASSWORD).into(),
            clock,
            now,
            last_connection: 0,
            busy: Duration::ZERO,
            messages: 0,
        }
    }

    /// The time that the front end has worked since this was asked last.
    pub fn take_busy(&mut self) -> Duration {
        std::mem::take(&mut self.busy)
    }

    /// How many times octets were handed to the front end or taken from it.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// How many endpoints are registered.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.server.registrations()
    }

    /// Lets time pass. Nobody's timer is looked at: see [`tick`](Self::tick).
    pub fn advance(&mut self, time: Duration) {
        self.now += time;
    }

    /// Does what is due in the front end.
    pub fn tick(&mut self) {
        if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
            let outputs = self.timed(FrontEnd::handle_timeout);
            self.deliver(outputs);
        }
    }

    /// Makes a user agent for a user, signed out.
    pub fn add(&mut self, number: AgentId) {
        let epid = Epid::parse(&format!("{number:010x}")).expect("ten hexadecimal digits");
        let config =
            ocs_client::Config::new(aor(number), self.credential.clone(), epid, self.clock);
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        let client = Client {
            agent: UserAgent::new(config, seed).expect("a configuration that works"),
            own: ConnectionId(0),
            theirs: None,
            delivered: 0,
        };
        self.clients.insert(number, client);
    }

    /// Signs a user agent in: connection, three rounds of REGISTER.
    pub fn sign_in(&mut self, number: AgentId) {
        let now = self.now;
        self.client(number).agent.sign_in(now);
        self.pump(number);
        assert!(
            self.client(number).agent.is_signed_in(),
            "signing in failed"
        );
    }

    /// Adds and signs in user agents.
    pub fn populate(&mut self, numbers: std::ops::Range<AgentId>) {
        for number in numbers {
            self.add(number);
            self.sign_in(number);
        }
    }

    /// Drops a user agent; the front end is not told.
    pub fn abandon(&mut self, number: AgentId) {
        if let Some(connection) = self
            .clients
            .remove(&number)
            .and_then(|client| client.theirs)
        {
            self.by_connection.remove(&connection);
        }
    }

    /// Drops a user agent and closes its connection.
    pub fn hang_up(&mut self, number: AgentId) {
        let connection = self.client(number).theirs;
        self.abandon(number);
        if let Some(connection) = connection {
            let outputs = self.timed(|server, now| server.handle_closed(now, connection));
            self.deliver(outputs);
        }
    }

    /// Lets a user agent refresh its registration: does what is due at its next timer.
    ///
    /// Says whether it sent anything.
    pub fn refresh(&mut self, number: AgentId) -> bool {
        let before = self.messages;
        let now = self.now;
        self.client(number).agent.handle_timeout(now);
        self.pump(number);
        self.messages > before
    }

    /// Sends a text and sees it delivered. The first one makes the conversation.
    pub fn text(&mut self, from: AgentId, to: AgentId) {
        let now = self.now;
        let before = self.client(from).delivered;
        let sent = self
            .client(from)
            .agent
            .send_text(now, &aor(to), "Shall we meet at ten?");
        sent.expect("a conversation that takes texts");
        self.pump(from);
        assert_eq!(self.client(from).delivered, before + 1, "not delivered");
    }

    /// Ends a conversation.
    pub fn end(&mut self, from: AgentId, with: AgentId) {
        let now = self.now;
        self.client(from).agent.end_conversation(now, &aor(with));
        self.pump(from);
        assert_eq!(self.client(from).agent.conversations().count(), 0);
        assert_eq!(self.client(with).agent.conversations().count(), 0);
    }

    fn client(&mut self, number: AgentId) -> &mut Client {
        self.clients.get_mut(&number).expect("a user agent")
    }

    /// Runs the front end on the clock and takes what it puts out.
    fn timed(
        &mut self,
        act: impl FnOnce(&mut FrontEnd<MemoryStore>, Instant),
    ) -> Vec<ocs_server::Output> {
        let mut outputs = Vec::with_capacity(8);
        let start = Instant::now();
        act(&mut self.server, self.now);
        while let Some(output) = self.server.poll_output() {
            outputs.push(output);
        }
        while let Some(event) = self.server.poll_event() {
            drop(event);
        }
        self.busy += start.elapsed();
        outputs
    }

    /// Hands the front end's octets to the user agents, which may answer, and so on.
    fn deliver(&mut self, outputs: Vec<ocs_server::Output>) {
        for output in outputs {
            match output {
                ocs_server::Output::Send { connection, data } => {
                    let Some(&number) = self.by_connection.get(&connection) else {
                        continue;
                    };
                    self.messages += 1;
                    let now = self.now;
                    let client = self.client(number);
                    client.agent.handle_data(now, client.own, data);
                    self.pump(number);
                }
                ocs_server::Output::Close { connection } => {
                    panic!("the front end closed {connection:?}")
                }
            }
        }
    }

    /// Does what a user agent asks for, until it asks for nothing.
    fn pump(&mut self, number: AgentId) {
        loop {
            let now = self.now;
            let client = self.client(number);
            while let Some(event) = client.agent.poll_event() {
                match event {
                    Event::Delivered { .. } => client.delivered += 1,
                    Event::NotDelivered { .. } | Event::SignInFailed(_) => panic!("{event:?}"),
                    _ => {}
                }
            }
            let Some(output) = client.agent.poll_output() else {
                return;
            };
            match output {
                Output::Resolve(query) => {
                    let answer = resolve(&query);
                    client.agent.handle_answer(now, &query, answer);
                }
                Output::Connect { connection, .. } => self.connect(number, connection),
                Output::Send { data, .. } => {
                    let connection = client.theirs.expect("a connection");
                    self.messages += 1;
                    let outputs =
                        self.timed(|server, now| server.handle_data(now, connection, data));
                    self.deliver(outputs);
                }
                Output::Close { .. } => panic!("a user agent closed its connection"),
            }
        }
    }

    fn connect(&mut self, number: AgentId, own: ConnectionId) {
        self.last_connection += 1;
        let theirs = ConnectionId(self.last_connection);
        let [_, a, b, c] = number.to_be_bytes();
        let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, a, b, c)), 50_000);
        self.by_connection.insert(theirs, number);
        let peer = ocs_server::Peer {
            transport: Transport::Tls,
            local: SERVER_ADDRESS,
            remote: local,
        };
        let outputs = self.timed(|server, now| server.handle_accepted(now, theirs, peer));
        self.deliver(outputs);
        let names = CertificateNames {
            dns_names: vec![SERVER.to_owned(), format!("sip.{DOMAIN}")],
            ..CertificateNames::default()
        };
        let now = self.now;
        let client = self.client(number);
        client.own = own;
        client.theirs = Some(theirs);
        client
            .agent
            .handle_connected(now, own, local, Peer::Names(&names));
    }
}

/// The configuration of a front end with `users` users, its store, and the time.
pub(crate) fn directory(users: u32) -> (Config, MemoryStore, WallClock, Instant) {
    let now = Instant::now();
    let clock = WallClock::new(now, SystemTime::now());
    let config = Config::new(SERVER, DOMAIN, Transport::Tls, 5061, clock);
    let mut store = MemoryStore::new("CONTOSO");
    for number in 0..users {
        let mut user = User::new(aor(number));
        user.display_name = Some(format!("User {number}"));
        user.line_uri = Some(format!("tel:+1425{number:07}"));
        store.add_user(user, PASSWORD);
    }
    (config, store, clock, now)
}

pub(crate) fn aor(number: AgentId) -> Aor {
    let text = format!("user{number}@{DOMAIN}");
    text.parse().expect("an address of record")
}

/// The zone of the domain.
fn resolve(query: &Query) -> Answer {
    match query {
        Query::Srv(name) if name.starts_with("_sipinternaltls._tcp.") => {
            Answer::Srv(vec![SrvRecord {
                priority: 0,
                weight: 0,
                port: SERVER_ADDRESS.port(),
                target: SERVER.to_owned(),
            }])
        }
        Query::Address(name) if name == SERVER => Answer::Address(vec![SERVER_ADDRESS.ip()]),
        _ => Answer::none(query),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_measured_happens() {
        let mut system = System::new(3, |_| {});
        system.populate(0..3);
        assert_eq!(system.registrations(), 3);
        system.text(0, 1);
        system.text(0, 1);
        system.text(1, 0);
        system.end(0, 1);
        system.hang_up(2);
        assert_eq!(system.registrations(), 2);
        assert!(system.take_busy() > Duration::ZERO);
        assert!(!system.refresh(0));
        system.advance(Duration::from_hours(2));
        assert!(system.refresh(0));
    }
}
