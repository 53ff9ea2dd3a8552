//! A telephone on a host of the virtual network.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ocs_client::UserAgent;
use ocs_client::phone::{Config, Error, Event, LineId, Output, Phone, Plan, StreamId};
use ocs_media::{Action, Link};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::StreamKind;
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Host, Input, Output as Wire};

use crate::agent_wire::AgentWire;
use crate::talk::{Talk, Talks};

/// Connections of streams have numbers from here on; those of the user agent are below.
const CONNECTIONS: u64 = 1 << 32;

/// What the person at a telephone does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Waits for orders.
    Nothing,
    /// Lets it ring, with everything made ready to talk.
    Rings,
    /// Lets it ring so long, and answers.
    Answers(Duration),
    /// Lets it ring so long, and declines with this status.
    Declines(Duration, u16),
}

/// Carries a [`Phone`], and talks: on every stream that has found its way it says what [`Talk::example`] does.
#[derive(Debug)]
pub struct PhoneHost {
    /// The machine.
    pub phone: Phone,
    /// What it does when somebody calls.
    pub manner: Manner,
    /// Everything that it told, in order, with the time; packets of RTCP excepted.
    pub events: Vec<(Instant, Event)>,
    /// What is said and heard.
    pub talks: Talks,
    address: IpAddr,
    next_port: u16,
    /// Calls that are to be answered or declined then.
    due: BTreeMap<LineId, Instant>,
    wire: AgentWire,
    connections: HashMap<(StreamId, Link), ConnectionId>,
    next_connection: u64,
    outputs: VecDeque<Wire>,
}

impl PhoneHost {
    /// A host for a phone on this user agent.
    #[must_use]
    pub fn new(agent: UserAgent, config: Config, seed: [u8; 32], address: IpAddr) -> Self {
        Self {
            phone: Phone::new(agent, config, seed),
            manner: Manner::Nothing,
            events: Vec::new(),
            talks: Talks::new(Talk::example),
            address,
            next_port: 20_000,
            due: BTreeMap::new(),
            wire: AgentWire::default(),
            connections: HashMap::new(),
            next_connection: CONNECTIONS,
            outputs: VecDeque::new(),
        }
    }

    /// A plan over two free ports.
    pub fn plan(&mut self, kind: StreamKind) -> Plan {
        let rtp = SocketAddr::new(self.address, self.next_port);
        let rtcp = SocketAddr::new(self.address, self.next_port + 1);
        self.next_port += 2;
        let codecs: &[Codec] = match kind {
            StreamKind::Video => &[Codec::H264Uc],
            _ => &[Codec::Pcmu, Codec::Pcma],
        };
        Plan::new(kind, rtp, rtcp, codecs)
    }

    /// Calls somebody, with sound, and with pictures if `video`.
    ///
    /// # Errors
    /// As [`Phone::call`].
    pub fn call(&mut self, now: Instant, to: &str, video: bool) -> Result<LineId, Error> {
        let mut plans = vec![self.plan(StreamKind::Audio)];
        if video {
            plans.push(self.plan(StreamKind::Video));
        }
        let line = self.phone.call(now, to, &plans, ocs_client::CallOptions::default());
        self.collect(now);
        line
    }

    /// Whether it has told something like this.
    pub fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| what(event))
    }

    /// Gives the phone a command.
    pub fn command<T>(&mut self, now: Instant, command: impl FnOnce(&mut Phone) -> T) -> T {
        let result = command(&mut self.phone);
        self.collect(now);
        result
    }

    /// Does what the person does, and takes what the phone wants and tells.
    fn collect(&mut self, now: Instant) {
        loop {
            let mut idle = true;
            while let Some(event) = self.phone.poll_event() {
                idle = false;
                self.talks.handle_event(now, &self.phone, &event);
                self.react(now, &event);
                if !matches!(event, Event::Media { event: ocs_media::Event::Rtp(_), .. }) {
                    self.events.push((now, event));
                }
            }
            while let Some((stream, packet)) = self.phone.poll_packet() {
                self.talks.hear(&self.phone, stream, &packet);
            }
            while let Some(output) = self.phone.poll_output() {
                idle = false;
                match output {
                    Output::Agent(output) => {
                        let wire = self.wire.output(output);
                        self.outputs.push_back(wire);
                    }
                    Output::Media { stream, action } => self.act(stream, action),
                }
            }
            if idle {
                break;
            }
        }
    }

    fn react(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Incoming { line, streams, .. } => {
                let kinds = streams.iter().filter_map(|stream| stream.kind);
                let kinds: Vec<StreamKind> = kinds.collect();
                let after = match self.manner {
                    Manner::Nothing => return,
                    Manner::Rings => None,
                    Manner::Answers(after) | Manner::Declines(after, _) => Some(after),
                };
                let plans: Vec<Plan> = kinds.into_iter().map(|kind| self.plan(kind)).collect();
                // A call whose streams are of no use here is declined by whom it rings at.
                let _ = self.phone.ring(now, *line);
                let _ = self.phone.prepare(now, *line, &plans);
                if let Some(after) = after {
                    self.due.insert(*line, now + after);
                }
            }
            Event::Offered { line, streams } => {
                let kinds: Vec<StreamKind> = streams.iter().filter_map(|s| s.kind).collect();
                let plans: Vec<Plan> = kinds.into_iter().map(|kind| self.plan(kind)).collect();
                let _ = self.phone.accept_streams(now, *line, &plans);
            }
            Event::Ended { line, .. } => {
                self.due.remove(line);
            }
            _ => {}
        }
    }

    fn act(&mut self, stream: StreamId, action: Action) {
        match action {
            Action::Datagram { base, to, data } => self.outputs.push_back(Wire::Datagram {
                local: base,
                peer: to,
                data,
            }),
            Action::Connect { link, to, .. } => {
                self.close(stream, link);
                let connection = ConnectionId(self.next_connection);
                self.next_connection += 1;
                self.connections.insert((stream, link), connection);
                self.outputs.push_back(Wire::Connect {
                    connection,
                    peer: to,
                    transport: Transport::Tcp,
                    server_name: None,
                });
            }
            Action::Stream { link, data } => {
                if let Some(&connection) = self.connections.get(&(stream, link)) {
                    self.outputs.push_back(Wire::Send { connection, data });
                }
            }
            Action::Close { link } => self.close(stream, link),
        }
    }

    fn close(&mut self, stream: StreamId, link: Link) {
        if let Some(connection) = self.connections.remove(&(stream, link)) {
            self.outputs.push_back(Wire::Close { connection });
        }
    }

    /// The connection of a stream; none for those of the user agent.
    fn link(&self, connection: ConnectionId) -> Option<(StreamId, Link)> {
        let mut all = self.connections.iter();
        all.find(|(_, other)| **other == connection)
            .map(|(name, _)| *name)
    }

    /// The person answers or declines.
    fn pick_up(&mut self, now: Instant) {
        while let Some((&line, _)) = self.due.iter().find(|(_, due)| **due <= now) {
            self.due.remove(&line);
            // The caller may have given up.
            let _ = match self.manner {
                Manner::Declines(_, status) => self.phone.decline(now, line, status),
                _ => self.phone.answer(now, line, &[]),
            };
        }
    }
}

impl Host for PhoneHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        let phone = &mut self.phone;
        match input {
            Input::Datagram { local, peer, data } => phone.handle_datagram(now, local, peer, data),
            Input::Accepted {
                connection,
                local,
                peer,
                ..
            } => match phone.handle_accepted(now, local, peer) {
                Some(name) => {
                    self.connections.insert(name, connection);
                }
                None => self.outputs.push_back(Wire::Reset { connection }),
            },
            Input::Connected { connection, .. } if connection.0 >= CONNECTIONS => {
                if let Some((stream, link)) = self.link(connection) {
                    self.phone.handle_connected(now, stream, link);
                }
            }
            Input::Data { connection, data } if connection.0 >= CONNECTIONS => {
                if let Some((stream, link)) = self.link(connection) {
                    self.phone.handle_stream(now, stream, link, data);
                }
            }
            Input::Closed { connection, .. } | Input::ConnectFailed { connection, .. }
                if connection.0 >= CONNECTIONS =>
            {
                if let Some((stream, link)) = self.link(connection) {
                    self.connections.remove(&(stream, link));
                    self.phone.handle_closed(now, stream, link);
                }
            }
            input => {
                let wire = &mut self.wire;
                phone.command(now, |agent| wire.handle_input(agent, now, input));
            }
        }
        self.collect(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.pick_up(now);
        self.talks.speak(now, &mut self.phone);
        self.phone.handle_timeout(now);
        self.collect(now);
    }

    fn poll_output(&mut self) -> Option<Wire> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timers = [self.talks.poll_timeout(), self.phone.poll_timeout()];
        let due = self.due.values().copied();
        timers.into_iter().flatten().chain(due).min()
    }
}

/// Prints what became of the streams of a telephone's calls.
pub fn print_streams(name: &str, host: &PhoneHost) {
    for (_, event) in &host.events {
        let Event::Ended { streams, .. } = event else {
            continue;
        };
        for summary in streams {
            let (sent, received) = (&summary.statistics.sent, &summary.statistics.received);
            let talk = host.talks.of(summary.stream);
            println!(
                "{name}, {}: {} packets sent, {} received, {} lost{}",
                summary.kind.media_type().as_str(),
                sent.packets,
                received.packets,
                summary.lost,
                talk.map(|talk| format!("; {talk}")).unwrap_or_default(),
            );
        }
    }
}
