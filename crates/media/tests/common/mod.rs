//! Streams of media on the virtual network, and what signalling does between them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use ocs_hosts::{RelayHost, credentials};
use ocs_ice::{Carrier, Component, Dialect, Role, Transport};
use ocs_media::{Action, Config, Event, ForkId, Link, MediaPacket, MediaStream};
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::Sdp;
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{
    self, Answer, Negotiated, Session, Stage, Stream, StreamKind, Verdict,
};
use ocs_sip_core::ConnectionId;
use ocs_testbed::{Host, HostId, Input, Listener, Output as Wire, Testbed};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

pub type Media = MediaStream<ChaCha12Rng>;

pub const RELAY: &str = "198.51.100.9:3478";
pub const FIRST: ForkId = ForkId(1);

pub fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

pub fn config(role: Role) -> Config {
    Config::new(StreamKind::Audio, Dialect::Ice2, role)
}

/// A stream and its sockets.
pub struct MediaHost {
    pub stream: Media,
    pub events: Vec<Event>,
    pub packets: Vec<MediaPacket>,
    next_connection: u64,
    wires: HashMap<Link, ConnectionId>,
    pending: VecDeque<Wire>,
}

impl MediaHost {
    pub fn new(now: Instant, config: Config, seed: u64) -> Self {
        Self {
            stream: MediaStream::new(now, config, rng(seed)).unwrap(),
            events: Vec::new(),
            packets: Vec::new(),
            next_connection: 1,
            wires: HashMap::new(),
            pending: VecDeque::new(),
        }
    }

    pub fn has(&self, event: &Event) -> bool {
        self.events.contains(event)
    }

    fn link(&self, connection: ConnectionId) -> Option<Link> {
        let mut wires = self.wires.iter();
        wires
            .find(|(_, wire)| **wire == connection)
            .map(|(link, _)| *link)
    }

    fn drain(&mut self) {
        while let Some(action) = self.stream.poll_action() {
            let wire = match action {
                Action::Datagram { base, to, data } => Some(Wire::Datagram {
                    local: base,
                    peer: to,
                    data,
                }),
                Action::Connect { link, to, .. } => {
                    let connection = ConnectionId(self.next_connection);
                    self.next_connection += 1;
                    self.wires.insert(link, connection);
                    Some(Wire::Connect {
                        connection,
                        peer: to,
                        transport: ocs_sip_core::Transport::Tcp,
                        server_name: None,
                    })
                }
                Action::Stream { link, data } => {
                    let connection = self.wires.get(&link).copied();
                    connection.map(|connection| Wire::Send { connection, data })
                }
                Action::Close { link } => {
                    let connection = self.wires.remove(&link);
                    connection.map(|connection| Wire::Reset { connection })
                }
            };
            self.pending.extend(wire);
        }
        while let Some(event) = self.stream.poll_event() {
            self.events.push(event);
        }
        while let Some(packet) = self.stream.poll_packet() {
            self.packets.push(packet);
        }
    }
}

impl Host for MediaHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        let stream = &mut self.stream;
        match input {
            Input::Datagram { local, peer, data } => {
                stream.handle_datagram(now, local, peer, data);
            }
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => match stream.handle_accepted(now, local, peer) {
                Ok(link) => {
                    self.wires.insert(link, connection);
                }
                Err(_) => self.pending.push_back(Wire::Reset { connection }),
            },
            Input::Connected { connection, .. } => {
                if let Some(link) = self.link(connection) {
                    self.stream.handle_connected(now, link);
                }
            }
            Input::Data { connection, data } => {
                if let Some(link) = self.link(connection) {
                    self.stream.handle_stream(now, link, data);
                }
            }
            Input::Closed { connection, .. } | Input::ConnectFailed { connection, .. } => {
                if let Some(link) = self.link(connection) {
                    self.wires.remove(&link);
                    self.stream.handle_closed(now, link);
                }
            }
            Input::Resolved { .. } => {}
        }
        self.drain();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.stream.handle_timeout(now);
        self.drain();
    }

    fn poll_output(&mut self) -> Option<Wire> {
        self.pending.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.stream.poll_timeout()
    }
}

/// What sockets and relays a side has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    Udp,
    Tcp,
    /// UDP, and an allocation for each component.
    UdpAndRelay,
    /// The same, with a relay that is not there.
    DeadRelay,
    /// An allocation over TCP for each component.
    TcpRelay,
}

/// One side of a call with one stream.
pub struct Side {
    pub host: HostId,
    pub ip: [u8; 4],
    pub session: Session,
}

/// A caller and the endpoints of a callee.
pub struct Call {
    pub testbed: Testbed,
    pub caller: Side,
    pub callees: Vec<Side>,
    /// What the caller has negotiated in each early dialog, once it forks.
    pub forks: HashMap<ForkId, Session>,
    /// Descriptions have no candidates.
    pub without_ice: bool,
}

impl Call {
    /// A call with one callee, both sides gathered.
    pub fn new() -> Self {
        Self::with(1, Ways::Udp, negotiation::Config::default(), config)
    }

    pub fn with(
        callees: u8,
        ways: Ways,
        negotiation: negotiation::Config,
        config: impl Fn(Role) -> Config,
    ) -> Self {
        let mut testbed = Testbed::new(1, Instant::now(), SystemTime::UNIX_EPOCH);
        if matches!(ways, Ways::UdpAndRelay | Ways::TcpRelay) {
            RelayHost::install(&mut testbed, at(RELAY), 99);
        }
        let mut side = |number: u8| {
            let role = if number == 0 {
                Role::Controlling
            } else {
                Role::Controlled
            };
            let ip = [203, 0, 113, 100 + number];
            let mut config = config(role);
            config.relay = Some(credentials());
            let host = MediaHost::new(testbed.now(), config, 10 + u64::from(number));
            let name = format!("side{number}");
            let host = testbed.add_host(name, [ip.into()], host);
            add_ways(&mut testbed, host, ip, ways);
            Side {
                host,
                ip,
                session: Session::new(negotiation.clone()),
            }
        };
        let caller = side(0);
        let callees = (1..=callees).map(&mut side).collect();
        let mut call = Self {
            testbed,
            caller,
            callees,
            forks: HashMap::new(),
            without_ice: false,
        };
        call.testbed.run_for(Duration::from_secs(2));
        call
    }

    pub fn at(&self, side: usize) -> &MediaHost {
        self.testbed.host(self.host(side))
    }

    fn host(&self, side: usize) -> HostId {
        match side {
            0 => self.caller.host,
            number => self.callees[number - 1].host,
        }
    }

    /// Side 0 is the caller, the others are callees.
    pub fn command<T>(&mut self, side: usize, command: impl FnOnce(&mut Media, Instant) -> T) -> T {
        let host = self.host(side);
        self.testbed.command(host, |host: &mut MediaHost, now| {
            let result = command(&mut host.stream, now);
            host.drain();
            result
        })
    }

    /// The plan of a side: G.711, redundancy and DTMF.
    pub fn plan(&self, side: usize) -> Stream {
        let stream = &self.at(side).stream;
        let transport = stream.final_transport().or(stream.transport()).unwrap();
        let transport = if self.without_ice {
            negotiation::Transport::new(transport.rtp)
        } else {
            transport
        };
        let codecs = [Codec::Pcmu, Codec::Pcma, Codec::TelephoneEvent];
        Stream::audio(transport, stream.ssrc_range()).with_codecs(&codecs)
    }

    /// The offer of the INVITE.
    pub fn offer(&mut self) -> Sdp {
        let plan = self.plan(0);
        self.caller.session.add(plan).unwrap();
        self.caller.session.offer(&mut rng(1)).unwrap()
    }

    /// A callee answers the first offer, and takes what was negotiated.
    pub fn answer(&mut self, callee: usize, offer: &Sdp) -> Sdp {
        let plan = self.plan(callee);
        let session = &mut self.callees[callee - 1].session;
        let Verdict::Open(_) = session.handle_offer(offer.clone()) else {
            panic!("refused");
        };
        session.accept(0, plan).unwrap();
        let answer = accept(session, callee);
        self.agree(callee);
        answer
    }

    /// The caller takes an answer in an early dialog.
    pub fn take(&mut self, fork: ForkId, answer: &Sdp) {
        let mut session = self.caller.session.clone();
        session.handle_answer(answer, Stage::Final).unwrap();
        self.forks.insert(fork, session);
        self.agree_fork(fork).unwrap();
    }

    pub fn agree_fork(&mut self, fork: ForkId) -> Result<(), ocs_media::Error> {
        let (negotiated, lines) = agreed(&self.forks[&fork]);
        self.command(0, |stream, now| {
            stream.handle_negotiated(now, fork, &negotiated, &lines)
        })
    }

    /// A callee takes what it has negotiated.
    pub fn agree(&mut self, callee: usize) {
        let (negotiated, lines) = agreed(&self.callees[callee - 1].session);
        self.command(callee, |stream, now| {
            stream
                .handle_negotiated(now, FIRST, &negotiated, &lines)
                .unwrap();
        });
    }

    /// Offer and answer with the first callee, and the choice of it.
    pub fn begin(&mut self) {
        let offer = self.offer();
        let answer = self.answer(1, &offer);
        self.take(FIRST, &answer);
        self.command(0, |stream, now| stream.choose(now, FIRST).unwrap());
    }

    /// The same, until both sides are connected.
    pub fn connect(&mut self) {
        self.begin();
        self.await_event(0, &Event::Connected { fork: FIRST });
        self.await_event(1, &Event::Connected { fork: FIRST });
    }

    pub fn await_event(&mut self, side: usize, event: &Event) {
        let host = self.host(side);
        let waits = |testbed: &Testbed| !testbed.host::<MediaHost>(host).has(event);
        self.testbed
            .run_while(waits, Duration::from_secs(30))
            .unwrap();
        assert!(self.at(side).has(event), "{:?}", self.at(side).events);
    }

    /// A later round of offer and answer on the first fork, with the transports of now; `change` is done to the offering session. A side that is
    /// asked for a restart does it before it answers.
    pub fn round(&mut self, from: usize, change: impl FnOnce(&mut Session)) {
        let mut caller = self.forks.remove(&FIRST).unwrap();
        let mut callee = core::mem::replace(
            &mut self.callees[0].session,
            Session::new(negotiation::Config::default()),
        );
        let (one, other) = if from == 0 {
            (&mut caller, &mut callee)
        } else {
            (&mut callee, &mut caller)
        };
        one.stream_mut(0).unwrap().transport = self.plan(from).transport;
        change(one);
        let offer = one.offer(&mut rng(31)).unwrap();
        let lines = offer.media(0).unwrap().ice_lines(true);
        let Verdict::Open(_) = other.handle_offer(offer) else {
            panic!("refused");
        };
        self.command(1 - from, |stream, now| {
            if stream.is_restart(&lines) {
                stream.restart(now).unwrap();
            }
        });
        other.stream_mut(0).unwrap().transport = self.plan(1 - from).transport;
        let answer = accept(other, 7);
        one.handle_answer(&answer, Stage::Final).unwrap();
        self.callees[0].session = callee;
        self.forks.insert(FIRST, caller);
        self.agree_fork(FIRST).unwrap();
        self.agree(1);
    }

    /// Sends so many packets of 20 ms from a side, in time.
    pub fn talk(&mut self, side: usize, packets: u32) {
        for number in 0..packets {
            self.say(side, number).unwrap();
            self.testbed.run_for(Duration::from_millis(20));
        }
    }

    pub fn say(&mut self, side: usize, number: u32) -> Result<(), ocs_media::Error> {
        let sound = [number as u8; 160];
        let outgoing = Outgoing {
            timestamp: number * 160,
            ..Outgoing::default()
        };
        self.command(side, |stream, now| {
            stream.send(now, &outgoing, &Fragment::whole(&sound, number == 0))
        })
    }

    /// Packets that a side has got.
    pub fn heard(&self, side: usize) -> usize {
        self.at(side).packets.len()
    }
}

pub fn accept(session: &mut Session, seed: usize) -> Sdp {
    match session.answer(&mut rng(seed as u64)).unwrap() {
        Answer::Accept(sdp) => sdp,
        Answer::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

/// What a session has agreed on, and the peer's lines of ICE.
pub fn agreed(session: &Session) -> (Negotiated, String) {
    let media = session.remote().unwrap().media(0).unwrap();
    (
        session.negotiated(0).unwrap().clone(),
        media.ice_lines(true),
    )
}

fn add_ways(testbed: &mut Testbed, host: HostId, ip: [u8; 4], ways: Ways) {
    testbed.command(host, |host: &mut MediaHost, now| {
        for (port, component) in [(20000, Component::Rtp), (20001, Component::Rtcp)] {
            let [udp, active, passive] = [0, 100, 200].map(|n| SocketAddr::from((ip, port + n)));
            let stream = &mut host.stream;
            let mut add = |transport, address| {
                stream.add_host(now, component, transport, address).unwrap();
            };
            match ways {
                Ways::Udp => add(Transport::Udp, udp),
                Ways::Tcp => {
                    add(Transport::TcpActive, active);
                    add(Transport::TcpPassive, passive);
                }
                Ways::UdpAndRelay | Ways::DeadRelay => {
                    add(Transport::Udp, udp);
                    stream
                        .add_relay(now, component, Carrier::Udp, udp, at(RELAY))
                        .unwrap();
                }
                Ways::TcpRelay => {
                    stream
                        .add_relay(now, component, Carrier::Tcp, active, at(RELAY))
                        .unwrap();
                }
            }
        }
        host.stream.gather(now).unwrap();
        host.drain();
    });
    for port in [20200, 20201] {
        testbed.listen(host, Listener::tcp(SocketAddr::from((ip, port))));
    }
}
