//! Sessions of libnice 0.1.21 as client, played against our server and against our client.

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use common::{Script, ToPeer, World, address, config};
use ocs_stun::attribute::{AttributeType, MsSequenceNumber, MsVersion, Nonce};
use ocs_stun::{
    Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder, MessageType, Password,
};
use ocs_turn::bandwidth::NoPolicy;
use ocs_turn::client::{Client, Config as ClientConfig, Credentials, Event, Output, Transport};
use ocs_turn::frame::{FrameReader, FrameType};
use ocs_turn::pseudo_tls;
use ocs_turn::server::{ConnectionId, Socket};

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("data/captures/", $name, ".txt")))),*]
    };
}

struct Line<'a> {
    leg: &'a str,
    octets: Vec<u8>,
    note: &'a str,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (line, note) = line.split_once(" # ").unwrap_or((line, ""));
            let mut words = line.split(' ');
            let leg = words.next().unwrap();
            let octets = hex::decode(words.nth(1).unwrap()).unwrap();
            Line { leg, octets, note }
        })
}

fn credential(text: &str, what: &str) -> Vec<u8> {
    let start = format!("# {what} (hex) ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    hex::decode(line.expect("a credential")).unwrap()
}

/// Where libnice's messages come from in the replay, by what in the capture names an allocation.
#[derive(Default)]
struct Clients {
    /// The nonce or the transaction identifier or the connection identifier of the capture.
    by_name: HashMap<Vec<u8>, usize>,
    /// Our nonces and connection identifiers.
    nonces: HashMap<usize, Vec<u8>>,
    connections: HashMap<usize, [u8; 20]>,
    count: usize,
}

/// The same message with our nonce and our connection identifier, signed anew.
fn rewrite(message: &Message<'_>, client: usize, clients: &Clients, key: &IntegrityKey) -> Vec<u8> {
    let mut out = Vec::new();
    let (kind, id) = (message.message_type(), message.transaction_id());
    let mut builder = MessageBuilder::new(Dialect::MsTurn, kind, id, &mut out);
    for attribute in message.attributes().skip(1) {
        match attribute.attribute_type {
            AttributeType::MESSAGE_INTEGRITY => {}
            AttributeType::NONCE => {
                let ours = clients.nonces.get(&client);
                // Another server's stays as it is.
                builder.push(&Nonce(ours.map_or(attribute.value, Vec::as_slice)));
            }
            AttributeType::MS_SEQUENCE_NUMBER => {
                let sequence: MsSequenceNumber = message.get().unwrap().unwrap();
                builder.push(&MsSequenceNumber {
                    connection_id: clients.connections[&client],
                    ..sequence
                });
            }
            other => {
                builder.push_raw(other, attribute.value);
            }
        }
    }
    match message.integrity() {
        Some(_) => builder.sign(key).unwrap(),
        None => builder.finish().unwrap(),
    }
    out
}

struct Replay {
    world: World<NoPolicy>,
    key: IntegrityKey,
    clients: Clients,
    destinations: HashMap<Vec<u8>, usize>,
    /// What the relay sent to peers, in order.
    relayed: Vec<Vec<u8>>,
    /// Types of what the server sent.
    answers: Vec<MessageType>,
}

impl Replay {
    fn new(text: &str) -> Self {
        let (username, password) = (credential(text, "username"), credential(text, "password"));
        let key = IntegrityKey::long_term(KeyDerivation::Sha1, &username, b"rtcmedia", &password);
        let mut config = config();
        config.peers.allow_private = true;
        let mut world = World::new(config);
        let password: Password = password.into();
        world.server.store_mut().insert(username, password);
        Self {
            world,
            key,
            clients: Clients::default(),
            destinations: HashMap::new(),
            relayed: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn from(client: usize) -> SocketAddr {
        SocketAddr::from(([203, 0, 113, 7], 40_000 + client as u16))
    }

    /// What names the allocation of a message of the client's in the capture.
    fn client_of(&mut self, message: &Message<'_>) -> usize {
        let id = message.transaction_id().0.to_vec();
        let sequence: Option<MsSequenceNumber> = message.get().unwrap();
        // Without numbers, each component has a peer of its own.
        if sequence.is_none()
            && let Some(destination) = message.raw(AttributeType::DESTINATION_ADDRESS)
        {
            let next = self.destinations.len();
            return *self
                .destinations
                .entry(destination.to_vec())
                .or_insert(next);
        }
        let known = sequence
            .map(|sequence| sequence.connection_id.to_vec())
            .or_else(|| message.raw(AttributeType::NONCE).map(<[u8]>::to_vec))
            .and_then(|name| self.clients.by_name.get(&name).copied())
            .or_else(|| self.clients.by_name.get(&id).copied());
        let client = known.unwrap_or_else(|| {
            self.clients.count += 1;
            self.clients.count - 1
        });
        self.clients.by_name.insert(id, client);
        client
    }

    /// A response of the capture's server: it names things for what follows.
    fn learn(&mut self, message: &Message<'_>) {
        let id = message.transaction_id().0.to_vec();
        let Some(&client) = self.clients.by_name.get(&id) else {
            return;
        };
        if let Some(nonce) = message.raw(AttributeType::NONCE) {
            self.clients.by_name.insert(nonce.to_vec(), client);
        }
        if let Some(sequence) = message.get::<MsSequenceNumber>().unwrap() {
            self.clients
                .by_name
                .insert(sequence.connection_id.to_vec(), client);
        }
    }

    /// Handles what our server puts out.
    fn drain(&mut self) {
        loop {
            let mut moved = false;
            while let Some(transmit) = self.world.server.poll_transmit() {
                moved = true;
                let (client, octets) = match transmit.socket {
                    Socket::Udp { to } => (usize::from(to.port() - 40_000), transmit.octets),
                    Socket::Connection(ConnectionId(id)) => {
                        let octets = transmit.octets;
                        if octets.starts_with(&pseudo_tls::RECORD_START) {
                            assert!(pseudo_tls::is_server_hello(octets.as_array().unwrap()));
                            continue;
                        }
                        (id as usize, &octets[4..])
                    }
                    Socket::Relay { .. } | Socket::Peer(_) => {
                        self.relayed.push(transmit.octets.to_vec());
                        continue;
                    }
                };
                let message = Message::parse(Dialect::MsTurn, octets).unwrap();
                self.answers.push(message.message_type());
                if let Some(nonce) = message.raw(AttributeType::NONCE) {
                    self.clients.nonces.insert(client, nonce.to_vec());
                }
                if let Some(sequence) = message.get::<MsSequenceNumber>().unwrap() {
                    self.clients
                        .connections
                        .insert(client, sequence.connection_id);
                }
                if message.integrity().is_some() {
                    message.verify(&self.key).unwrap();
                }
            }
            while let Some(action) = self.world.server.poll_action() {
                use ocs_turn::server::Action;
                moved = true;
                let now = self.world.now;
                match action {
                    Action::Bind { relay, .. } => {
                        let bound = SocketAddr::from(([192, 0, 2, 20], 50_000));
                        self.world
                            .server
                            .handle_bound(now, relay, Some(bound))
                            .unwrap();
                    }
                    Action::Connect { connection, .. } => {
                        self.world.server.handle_peer_connected(connection).unwrap();
                    }
                    _ => {}
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn udp(&mut self, text: &str) -> Vec<Vec<u8>> {
        let mut expected = Vec::new();
        for line in lines(text) {
            match line.leg {
                "C>S" if Dialect::MsTurn.recognises(&line.octets) => {
                    let message = Message::parse(Dialect::MsTurn, &line.octets).expect(line.note);
                    let client = self.client_of(&message);
                    let octets = rewrite(&message, client, &self.clients, &self.key);
                    assert_eq!(octets.len(), line.octets.len(), "{}", line.note);
                    let now = self.world.now;
                    self.world
                        .server
                        .handle_datagram(now, Self::from(client), &octets)
                        .unwrap_or_else(|error| panic!("{error}: {}", line.note));
                }
                // Data without headers is of the first component.
                "C>S" => {
                    let now = self.world.now;
                    let from = Self::from(0);
                    self.world
                        .server
                        .handle_datagram(now, from, &line.octets)
                        .expect(line.note);
                }
                "S>C" if Dialect::MsTurn.recognises(&line.octets) => {
                    self.learn(&Message::parse(Dialect::MsTurn, &line.octets).expect(line.note));
                }
                "S>P" => expected.push(line.octets),
                _ => {}
            }
            self.drain();
        }
        expected
    }

    /// Over TCP the connections of the capture are told apart as the clients of UDP are; stray ones are dropped.
    fn tcp(&mut self, text: &str) -> Vec<Vec<u8>> {
        let tls = text.contains("16030100");
        let mut expected = Vec::new();
        let mut open = 0;
        for line in lines(text) {
            let mut input = &line.octets[..];
            let frame = FrameReader::default()
                .next(&mut input)
                .map(|frame| frame.map(|frame| (frame.frame_type, frame.content.to_vec())));
            let now = self.world.now;
            match (line.leg, frame) {
                ("C>S", Ok(Some((FrameType::Control, content)))) => {
                    let Ok(message) = Message::parse(Dialect::MsTurn, &content) else {
                        continue;
                    };
                    let client = self.client_of(&message);
                    let connection = ConnectionId(client as u64);
                    if client == open {
                        open += 1;
                        assert!(self.world.server.handle_connected(
                            now,
                            connection,
                            Self::from(client)
                        ));
                        if tls {
                            let hello = lines(text).find(|line| line.leg == "C>S").unwrap().octets;
                            self.world
                                .server
                                .handle_data(now, connection, &hello)
                                .unwrap();
                        }
                    }
                    let octets = rewrite(&message, client, &self.clients, &self.key);
                    let mut framed = FrameType::Control.header(octets.len() as u16).to_vec();
                    framed.extend_from_slice(&octets);
                    for piece in framed.chunks(5) {
                        self.world
                            .server
                            .handle_data(now, connection, piece)
                            .expect(line.note);
                    }
                }
                // Three octets of a stray connection.
                ("C>S", Ok(Some((FrameType::Data, content)))) if content.len() > 3 => {
                    let connection = ConnectionId(0);
                    self.world
                        .server
                        .handle_data(now, connection, &line.octets)
                        .expect(line.note);
                }
                ("S>C", Ok(Some((FrameType::Control, content)))) => {
                    if let Ok(message) = Message::parse(Dialect::MsTurn, &content) {
                        self.learn(&message);
                    }
                }
                ("S>P", _) => expected.push(line.octets),
                _ => {}
            }
            self.drain();
        }
        expected
    }
}

#[test]
fn libnice_over_udp_is_served() {
    for (name, text) in files!(
        "allocate-udp" "allocate-udp-oc2007" "relay-udp-controlled" "relay-udp-controlling"
        "relay-udp-refresh" "relay-udp-active-unanswered" "relay-udp-no-sequence"
    ) {
        let mut replay = Replay::new(text);
        let expected = replay.udp(text);
        assert_eq!(replay.world.server.len(), replay.clients.count, "{name}");
        assert!(replay.clients.count >= 2, "{name}");
        assert_eq!(replay.relayed.len(), expected.len(), "{name}");
        assert_eq!(replay.relayed, expected, "{name}");
        if name.starts_with("relay") {
            assert!(
                replay
                    .answers
                    .contains(&MessageType::SET_ACTIVE_DESTINATION_RESPONSE)
            );
        }
        assert!(
            !replay
                .answers
                .contains(&MessageType::SET_ACTIVE_DESTINATION_ERROR)
        );
    }
}

#[test]
fn libnice_over_streams_is_served() {
    for (name, text) in files!(
        "allocate-tcp" "allocate-tls" "relay-tcp-controlled" "relay-tcp-controlling"
        "relay-tls-controlling" "relay-tcp-chunks-of-7"
    ) {
        let mut replay = Replay::new(text);
        let expected = replay.tcp(text).concat();
        assert_eq!(replay.world.server.len(), replay.clients.count, "{name}");
        assert!(replay.clients.count >= 2, "{name}");
        let relayed = replay.relayed.concat();
        assert_eq!(relayed.len(), expected.len(), "{name}");
        assert!(
            !replay
                .answers
                .contains(&MessageType::SET_ACTIVE_DESTINATION_ERROR)
        );
    }
}

/// Another server sent libnice to us, with its nonce: it is told ours, and comes back with it. Its second component comes at once.
#[test]
fn libnice_comes_from_another_server() {
    let text = include_str!("data/captures/redirect-udp.txt");
    let messages = text.lines().filter(|line| !line.starts_with('#'));
    // A request and an answer were the other server's.
    let ours: Vec<_> = messages.skip(2).collect();
    let mut replay = Replay::new(text);
    replay.udp(&ours.join("\n"));
    assert_eq!(replay.world.server.len(), 2);
    let (refused, allocated) = (MessageType::ALLOCATE_ERROR, MessageType::ALLOCATE_RESPONSE);
    assert_eq!(replay.answers, [refused, allocated, refused, allocated]);
}

/// libnice's second connection of each component sends a message without its length: 16 octets of "data", then garbage.
#[test]
fn a_stray_connection_of_libnice_is_closed() {
    let mut world = World::new(config());
    let now = world.now;
    let id = ConnectionId(9);
    assert!(
        world
            .server
            .handle_connected(now, id, address("203.0.113.7:9"))
    );
    let stray =
        hex::decode("030000030010e1ed6870ec14d37c765c0d659bc5d9a2000f000472c64bc68008000400000001")
            .unwrap();
    assert!(world.server.handle_data(now, id, &stray).is_err());
    world.pump();
    assert_eq!(world.closed, [id]);
    assert_eq!(world.to_peers.pop_front(), None::<ToPeer>);
}

/// The requests and responses of the first component, in turn.
fn first_component(text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines: Vec<_> = lines(text).collect();
    let id = |octets: &[u8]| octets[4..20].to_vec();
    let mut steps = Vec::new();
    let mut request = lines.iter().position(|line| line.leg == "C>S");
    while let Some(at) = request {
        let asked = &lines[at].octets;
        let answer = lines[at..]
            .iter()
            .position(|line| line.leg == "S>C" && id(&line.octets) == id(asked));
        let answer = at + answer.expect("an answer");
        let octets = &lines[answer].octets;
        steps.push((asked.clone(), octets.clone()));
        let message = Message::parse(Dialect::MsTurn, octets).unwrap();
        let nonce = message.raw(AttributeType::NONCE);
        request = nonce.and_then(|nonce| {
            lines[answer..].iter().position(|line| {
                line.leg == "C>S"
                    && Message::parse(Dialect::MsTurn, &line.octets)
                        .is_ok_and(|message| message.raw(AttributeType::NONCE) == Some(nonce))
            })
        });
        request = request.map(|next| next + answer);
    }
    steps
}

/// Set up as libnice is, our client writes the same octets.
#[test]
fn our_client_allocates_as_libnice_does() {
    for (name, text) in files!(
        "allocate-udp" "allocate-udp-oc2007" "stale-nonce-udp" "xor-mapped-203.0.113.7-40000"
        "optional-attributes-version-6" "relay-udp-controlled"
    ) {
        let steps = first_component(text);
        assert!(steps.len() >= 2, "{name}");
        let requests: Vec<_> = steps.iter().map(|(request, _)| &request[..]).collect();
        let challenge = Message::parse(Dialect::MsTurn, &steps[0].1).unwrap();
        let server = challenge.get().unwrap().map_or_else(
            || address("127.0.0.1:3478"),
            |ocs_stun::attribute::AlternateServer(server)| server,
        );
        let mut config = ClientConfig::new(server, Transport::Udp);
        config.version = MsVersion::ICE;
        let credentials = Credentials {
            username: credential(text, "username").into(),
            password: credential(text, "password").into(),
        };
        let now = Instant::now();
        let mut client = Client::new(now, config, credentials, Script::ids(&requests));
        for (request, response) in &steps {
            let Some(Output::Send { octets, .. }) = client.poll_output() else {
                panic!("{name}: no request");
            };
            assert_eq!(hex::encode(octets), hex::encode(request), "{name}");
            client.handle_data(now, response).unwrap();
        }
        let Some(Event::Allocated(allocation)) = client.poll_event() else {
            panic!("{name}: no allocation");
        };
        if name.starts_with("xor") {
            assert_eq!(allocation.reflexive, address("203.0.113.7:40000"));
        }
    }
}

/// Sent to another server, our client asks there from the beginning: what libnice's second component does.
#[test]
fn our_client_goes_where_it_is_sent() {
    let text = include_str!("data/captures/redirect-udp.txt");
    let all: Vec<_> = lines(text).map(|line| line.octets).collect();
    let [first, sent_away, .., asked, challenge, signed, response] = &all[..] else {
        panic!("the capture is too short");
    };
    let there = Message::parse(Dialect::MsTurn, sent_away).unwrap();
    let ocs_stun::attribute::AlternateServer(there) = there.get().unwrap().unwrap();
    let here = address("127.0.0.1:3478");
    let mut config = ClientConfig::new(here, Transport::Udp);
    config.version = MsVersion::ICE;
    let credentials = Credentials {
        username: credential(text, "username").into(),
        password: credential(text, "password").into(),
    };
    let now = Instant::now();
    let script = Script::ids(&[first, asked, signed]);
    let mut client = Client::new(now, config, credentials, script);
    for (server, request, answer) in [
        (here, first, sent_away),
        (there, asked, challenge),
        (there, signed, response),
    ] {
        let Some(Output::Send { to, octets }) = client.poll_output() else {
            panic!("no request to {server}");
        };
        assert_eq!((to, hex::encode(octets)), (server, hex::encode(request)));
        client.handle_data(now, answer).unwrap();
    }
    assert_eq!(
        client.poll_event(),
        Some(Event::Redirected { server: there })
    );
    let event = client.poll_event();
    assert!(matches!(event, Some(Event::Allocated(_))), "{event:?}");
}
