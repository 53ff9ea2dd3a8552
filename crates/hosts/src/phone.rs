//! A telephone on a host of the virtual network.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use ocs_client::UserAgent;
use ocs_client::phone::{Config, Event, Output, Phone, StreamId};
use ocs_media::{Action, Link, MediaPacket};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Host, Input, Output as Wire};

use crate::agent_wire::AgentWire;

/// Connections of streams have numbers from here on; those of the user agent are below.
const CONNECTIONS: u64 = 1 << 32;

/// Who uses a telephone. What he has it do is carried out after each call.
pub trait Person: 'static {
    /// The telephone tells something.
    fn handle_event(&mut self, now: Instant, phone: &mut Phone, event: &Event);

    /// A packet of media came.
    fn handle_packet(
        &mut self,
        now: Instant,
        phone: &mut Phone,
        stream: StreamId,
        packet: &MediaPacket,
    );

    /// The moment of [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Instant, phone: &mut Phone);

    /// When he wants to do something.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// Carries a [`Phone`] and who uses it.
#[derive(Debug)]
pub struct PhoneHost<P> {
    /// The machine.
    pub phone: Phone,
    /// Who uses it.
    pub person: P,
    /// Everything that it told, in order, with the time; what RTP tells excepted.
    pub events: Vec<(Instant, Event)>,
    wire: AgentWire,
    connections: HashMap<(StreamId, Link), ConnectionId>,
    next_connection: u64,
    outputs: VecDeque<Wire>,
}

impl<P: Person> PhoneHost<P> {
    /// A host for a phone on this user agent.
    #[must_use]
    pub fn new(agent: UserAgent, config: Config, seed: [u8; 32], person: P) -> Self {
        Self {
            phone: Phone::new(agent, config, seed),
            person,
            events: Vec::new(),
            wire: AgentWire::default(),
            connections: HashMap::new(),
            next_connection: CONNECTIONS,
            outputs: VecDeque::new(),
        }
    }

    /// Whether it has told something like this.
    pub fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| what(event))
    }

    /// Has the person do something.
    pub fn command<T>(&mut self, now: Instant, command: impl FnOnce(&mut Phone, &mut P) -> T) -> T {
        let result = command(&mut self.phone, &mut self.person);
        self.collect(now);
        result
    }

    /// Takes what the phone wants and tells.
    fn collect(&mut self, now: Instant) {
        loop {
            let mut idle = true;
            while let Some((stream, packet)) = self.phone.poll_packet() {
                idle = false;
                self.person
                    .handle_packet(now, &mut self.phone, stream, &packet);
            }
            while let Some(event) = self.phone.poll_event() {
                idle = false;
                self.person.handle_event(now, &mut self.phone, &event);
                let of_rtp = matches!(
                    event,
                    Event::Media {
                        event: ocs_media::Event::Rtp(_),
                        ..
                    }
                );
                if !of_rtp {
                    self.events.push((now, event));
                }
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
}

impl<P: Person> Host for PhoneHost<P> {
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
        if self.person.poll_timeout().is_some_and(|due| due <= now) {
            self.person.handle_timeout(now, &mut self.phone);
        }
        self.phone.handle_timeout(now);
        self.collect(now);
    }

    fn poll_output(&mut self) -> Option<Wire> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timers = [self.person.poll_timeout(), self.phone.poll_timeout()];
        timers.into_iter().flatten().min()
    }
}
