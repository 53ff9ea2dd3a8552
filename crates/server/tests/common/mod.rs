//! A front end in memory, and clients of the shape of SIPE: text, a signature, a connection.

#![allow(dead_code, reason = "not every test uses everything")]

pub(crate) mod call;
pub(crate) mod phone;
pub(crate) mod presence;
pub(crate) mod replay;
pub(crate) mod stage;
pub(crate) mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_server::{Config, DocumentKind, Event, FrontEnd, Output, Peer, Store as _, User};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{Aor, ConnectionId, Limits, Message, Transport, WallClock};
use ocs_siprege::registrar;
use store::TestStore;

pub(crate) const PASSWORD: &str = "Passw0rd";

/// A user of contoso.com.
pub(crate) fn aor(name: &str) -> Aor {
    format!("{name}@contoso.com").parse().unwrap()
}

/// One front end and everything that it wrote.
pub(crate) struct World {
    pub(crate) server: FrontEnd<TestStore>,
    pub(crate) now: Instant,
    pub(crate) clock: WallClock,
    pub(crate) events: Vec<Event>,
    pub(crate) closed: BTreeSet<ConnectionId>,
    /// Octets to each connection.
    pub(crate) written: BTreeMap<ConnectionId, usize>,
    /// All octets, in order.
    pub(crate) log: Vec<u8>,
    inbox: BTreeMap<ConnectionId, (Framer, Vec<Message>)>,
    last: u64,
}

impl World {
    pub(crate) fn new(adjust: impl FnOnce(&mut Config)) -> Self {
        Self::seeded(1, adjust)
    }

    pub(crate) fn seeded(seed: u8, adjust: impl FnOnce(&mut Config)) -> Self {
        let now = Instant::now();
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = WallClock::new(now, system);
        let mut config = Config::new(
            "fe01.contoso.com",
            "contoso.com",
            Transport::Tcp,
            5060,
            clock,
        );
        // What the servers of the captures announce.
        registrar::ALLOW_EVENTS.clone_into(&mut config.registrar.allow_events);
        config.registrar.supported = registrar::Config::new("").supported;
        adjust(&mut config);
        let mut store = TestStore::new();
        for (name, display) in [("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol")] {
            let mut user = User::new(aor(name));
            user.display_name = Some(display.to_owned());
            if name == "alice" {
                user.line_uri = Some("tel:+14255550001".to_owned());
            }
            store.add_user(user, PASSWORD);
        }
        Self {
            server: FrontEnd::new(config, store, [seed; 32]).unwrap(),
            now,
            clock,
            events: Vec::new(),
            closed: BTreeSet::new(),
            written: BTreeMap::new(),
            log: Vec::new(),
            inbox: BTreeMap::new(),
            last: 0x1FF,
        }
    }

    /// Another front end over what the store of this one has, after a while. All connections are gone.
    pub(crate) fn restarted(self, after: Duration) -> Self {
        let mut store = TestStore::new();
        let before = self.server.store();
        for name in ["alice", "bob", "carol"] {
            let user = aor(name);
            store.add_user(before.user(&user).unwrap().as_ref().clone(), PASSWORD);
            for kind in [
                DocumentKind::Contacts,
                DocumentKind::AccessList,
                DocumentKind::Presence,
            ] {
                if let Some(text) = before.document(&user, kind).unwrap() {
                    store.put_documents(&user, &[(kind, &text)]).unwrap();
                }
            }
        }
        let config = self.server.config().clone();
        Self {
            server: FrontEnd::new(config, store, [2; 32]).unwrap(),
            now: self.now + after,
            clock: self.clock,
            events: Vec::new(),
            closed: BTreeSet::new(),
            written: BTreeMap::new(),
            log: Vec::new(),
            inbox: BTreeMap::new(),
            last: 0x1FF,
        }
    }

    /// A connection from 127.0.0.1 and this port.
    pub(crate) fn connect(&mut self, port: u16) -> ConnectionId {
        self.connect_over(Transport::Tcp, port)
    }

    pub(crate) fn connect_over(&mut self, transport: Transport, port: u16) -> ConnectionId {
        self.last += 1;
        let id = ConnectionId(self.last);
        let peer = Peer {
            transport,
            local: SocketAddr::from(([127, 0, 0, 1], 5060)),
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        self.inbox
            .insert(id, (Framer::new(Limits::default()), Vec::new()));
        self.server.handle_accepted(self.now, id, peer);
        self.drain();
        id
    }

    pub(crate) fn send(&mut self, id: ConnectionId, data: impl Into<Bytes>) {
        self.server.handle_data(self.now, id, data.into());
        self.drain();
    }

    pub(crate) fn close(&mut self, id: ConnectionId) {
        self.server.handle_closed(self.now, id);
        self.drain();
    }

    /// What the run loop of a program does after each call.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { connection, data } => {
                    assert!(!self.closed.contains(&connection), "written after close");
                    *self.written.entry(connection).or_default() += data.len();
                    self.log.extend_from_slice(&data);
                    let (framer, messages) = self.inbox.get_mut(&connection).unwrap();
                    framer.push_bytes(data);
                    while let Some(frame) = framer.poll_frame() {
                        match frame.expect("the server writes well-formed streams") {
                            Frame::Message(message) => messages.push(message),
                            Frame::KeepAlive => {}
                            Frame::Malformed { error, .. } => panic!("malformed: {error}"),
                        }
                    }
                }
                Output::Close { connection } => {
                    self.closed.insert(connection);
                }
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.events.push(event);
        }
    }

    /// What the client at the end of a connection has received since the last time.
    pub(crate) fn take(&mut self, id: ConnectionId) -> Vec<Message> {
        std::mem::take(&mut self.inbox.get_mut(&id).unwrap().1)
    }

    /// Lets time pass, with every timer on the way.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        let mut steps = 0;
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            self.drain();
            steps += 1;
            assert!(steps < 100_000, "turns in a circle");
        }
        self.now = end;
    }

    pub(crate) fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }

    pub(crate) fn dropped(&self) -> usize {
        let dropped = |event: &&Event| matches!(event, Event::Dropped { .. });
        self.events.iter().filter(dropped).count()
    }
}
