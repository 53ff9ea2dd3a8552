//! The network of a test.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use ocs_call::{Action, Call, Config, Event, RequestId, State, TransactionId};
use ocs_sip_core::transaction::{ClientId, Event as LayerEvent, Flow, Layer, ServerId, Timers};
use ocs_sip_core::{HeaderName, Limits, Message, Method};
use rand_chacha::ChaCha12Rng;

use super::proxy::Fork;

/// The endpoint that calls; the others are called, from 1 on.
pub(crate) const ALICE: usize = 0;

pub(super) const DELAY: Duration = Duration::from_millis(10);

/// What becomes of a message on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Deliver,
    Lose,
    Twice,
    /// Behind what is sent later.
    Late,
}

pub(super) struct Packet {
    pub(super) at: Instant,
    pub(super) to: usize,
    pub(super) message: Message,
}

pub(super) struct Endpoint {
    layer: Layer,
    call: Option<Call<ChaCha12Rng>>,
    clients: HashMap<ClientId, RequestId>,
    requests: HashMap<RequestId, ClientId>,
    servers: HashMap<TransactionId, ServerId>,
    next: u64,
    events: VecDeque<Event>,
}

/// Endpoints and the proxy between them.
pub(crate) struct Net {
    pub(super) now: Instant,
    pub(super) flow: Flow,
    pub(super) ends: Vec<Endpoint>,
    pub(super) packets: Vec<Packet>,
    /// When the last message of a connection arrives.
    pub(super) last: HashMap<(usize, usize), Instant>,
    pub(super) fork: Fork,
    pub(super) fate: Box<dyn FnMut() -> Fate>,
    /// Makes the call of a called endpoint.
    pub(crate) config: fn(usize) -> Config,
    /// What the proxy changes in what it forwards.
    pub(crate) change: fn(&mut Message),
    /// What was on the wire: sender, receiver, method or status with method.
    pub(crate) wire: Vec<(usize, usize, String)>,
    /// The messages of `wire`.
    pub(crate) messages: Vec<Message>,
}

pub(super) fn summary(message: &Message) -> String {
    match message.status() {
        Some(status) => format!("{status} {}", message.cseq().unwrap().method_text),
        None => message.method().unwrap().to_string(),
    }
}

impl Net {
    /// Alice and so many others.
    pub(crate) fn new(called: usize) -> Self {
        Self::on(Flow::Stream(ocs_sip_core::ConnectionId(1)), called, || {
            Fate::Deliver
        })
    }

    /// Alice and one other, over datagrams, each of which has a fate.
    pub(crate) fn lossy(fate: impl FnMut() -> Fate + 'static) -> Self {
        let flow = Flow::Datagram("192.0.2.254:5060".parse().unwrap());
        Self::on(flow, 1, fate)
    }

    /// Alice and so many others, over connections on which messages are late.
    pub(crate) fn late(called: usize, fate: impl FnMut() -> Fate + 'static) -> Self {
        Self::on(Flow::Stream(ocs_sip_core::ConnectionId(1)), called, fate)
    }

    fn on(flow: Flow, called: usize, fate: impl FnMut() -> Fate + 'static) -> Self {
        let end = || Endpoint {
            layer: Layer::new(Timers::default()),
            call: None,
            clients: HashMap::new(),
            requests: HashMap::new(),
            servers: HashMap::new(),
            next: 0,
            events: VecDeque::new(),
        };
        Self {
            now: Instant::now(),
            flow,
            ends: (0..=called).map(|_| end()).collect(),
            packets: Vec::new(),
            last: HashMap::new(),
            fork: Fork::default(),
            fate: Box::new(fate),
            config: super::config,
            change: |_| {},
            wire: Vec::new(),
            messages: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn start(&mut self, side: usize, call: Call<ChaCha12Rng>) {
        self.ends[side].call = Some(call);
    }

    /// The endpoint has restarted.
    pub(crate) fn forget(&mut self, side: usize) {
        self.ends[side].call = None;
    }

    pub(crate) fn call(&mut self, side: usize) -> &mut Call<ChaCha12Rng> {
        self.ends[side].call.as_mut().expect("a call")
    }

    pub(crate) fn has_call(&self, side: usize) -> bool {
        self.ends[side].call.is_some()
    }

    pub(crate) fn state(&mut self, side: usize) -> State {
        self.call(side).state()
    }

    /// Forgets what was on the wire and what was told.
    pub(crate) fn clear(&mut self) {
        self.wire.clear();
        self.messages.clear();
        for end in &mut self.ends {
            end.events.clear();
        }
    }

    /// All events of an endpoint so far.
    pub(crate) fn events(&mut self, side: usize) -> Vec<Event> {
        self.ends[side].events.drain(..).collect()
    }

    /// Takes the first event that is looked for, and those before it.
    pub(crate) fn take<T>(
        &mut self,
        side: usize,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Option<T> {
        while let Some(event) = self.ends[side].events.pop_front() {
            if let Some(found) = wanted(&event) {
                return Some(found);
            }
        }
        None
    }

    /// What was on the wire, in order: `0>1 INVITE`.
    pub(crate) fn flow(&self) -> Vec<String> {
        let line = |(from, to, what): &(usize, usize, String)| format!("{from}>{to} {what}");
        self.wire.iter().map(line).collect()
    }

    /// The last message that an endpoint sent of this kind.
    pub(crate) fn sent(&self, side: usize, what: &str) -> &Message {
        let at = self
            .wire
            .iter()
            .rposition(|(from, _, other)| *from == side && other == what);
        &self.messages[at.unwrap_or_else(|| panic!("{what} in {:?}", self.flow()))]
    }

    /// Puts a message on the way to an endpoint, as if another had sent it.
    pub(crate) fn inject(&mut self, to: usize, message: Message) {
        let at = self.now + DELAY;
        self.packets.push(Packet { at, to, message });
    }

    /// Moves messages until there are none.
    pub(crate) fn run(&mut self) {
        self.flush();
        while let Some(at) = self.packets.iter().map(|packet| packet.at).min() {
            self.now = self.now.max(at);
            self.step();
        }
    }

    /// Lets time go on.
    pub(crate) fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        self.run();
        while let Some(at) = self.next_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let now = self.now;
            for end in &mut self.ends {
                end.layer.handle_timeout(now);
                if let Some(call) = &mut end.call
                    && call.poll_timeout().is_some_and(|at| at <= now)
                {
                    call.handle_timeout(now);
                }
            }
            self.flush();
            while self.packets.iter().any(|packet| packet.at <= self.now) {
                self.step();
            }
        }
        self.now = self.now.max(end);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let ends = self.ends.iter().flat_map(|end| {
            let call = end.call.as_ref().and_then(Call::poll_timeout);
            [end.layer.poll_timeout(), call]
        });
        let packets = self.packets.iter().map(|packet| Some(packet.at));
        ends.chain(packets).flatten().min()
    }

    /// Delivers the first message that is due.
    fn step(&mut self) {
        let due = (0..self.packets.len()).min_by_key(|at| self.packets[*at].at);
        let Some(at) = due else {
            return;
        };
        let packet = self.packets.remove(at);
        let bytes = packet.message.to_bytes();
        let message = Message::parse(bytes, &Limits::default()).expect("a message");
        message.check().expect("a message that SIP allows");
        let (now, flow) = (self.now, self.flow);
        // What belongs to no transaction is dropped, as it would be.
        let _ = self.ends[packet.to]
            .layer
            .handle_message(now, flow, message);
        self.flush();
    }

    fn flush(&mut self) {
        loop {
            let mut moved = false;
            for side in 0..self.ends.len() {
                moved |= self.drain(side);
            }
            if !moved {
                return;
            }
        }
    }

    fn drain(&mut self, side: usize) -> bool {
        let mut moved = false;
        while let Some(event) = self.ends[side].layer.poll_event() {
            moved = true;
            self.layer_event(side, event);
        }
        while let Some(action) = self.ends[side].call.as_mut().and_then(Call::poll_action) {
            moved = true;
            self.action(side, action);
        }
        let end = &mut self.ends[side];
        if let Some(call) = &mut end.call {
            while let Some(event) = call.poll_event() {
                end.events.push_back(event);
            }
        }
        while let Some(transmit) = self.ends[side].layer.poll_transmit() {
            moved = true;
            self.route(side, transmit.message);
        }
        moved
    }

    fn action(&mut self, side: usize, action: Action) {
        let (now, flow) = (self.now, self.flow);
        let end = &mut self.ends[side];
        let mut with_via = |mut message: Message| {
            end.next += 1;
            let via = format!("SIP/2.0/UDP end{side};branch=z9hG4bK{side}x{}", end.next);
            message.push_front(HeaderName::Via, &via);
            message
        };
        match action {
            Action::Request { id, message } => {
                let message = with_via(message);
                let client = end.layer.request(now, flow, message).expect("a request");
                end.clients.insert(client, id);
                end.requests.insert(id, client);
            }
            Action::Ack(message) => {
                let message = with_via(message);
                end.layer.send(flow, message);
            }
            Action::Cancel(id) => {
                end.layer.cancel(now, end.requests[&id]);
            }
            Action::Respond { id, message } => {
                // A response that comes too late is dropped.
                let _ = end.layer.respond(now, end.servers[&id], message);
            }
        }
    }

    fn layer_event(&mut self, side: usize, event: LayerEvent) {
        let now = self.now;
        let config = self.config;
        let end = &mut self.ends[side];
        match event {
            LayerEvent::Request { id, message, .. } => {
                end.next += 1;
                let transaction = TransactionId(end.next);
                end.servers.insert(transaction, id);
                let outside = message.to_header().unwrap().tag().is_none();
                if outside && end.call.is_none() {
                    let tag = format!("b{side}");
                    let rng = super::rng(side as u64 + 1);
                    let call = Call::incoming(now, config(side), transaction, &message, &tag, rng);
                    match call {
                        Ok(call) => end.call = Some(call),
                        Err(refusal) => {
                            let mut response =
                                Message::response_to(&message, refusal.status, Some(&tag));
                            refusal.apply(&mut response);
                            end.layer.respond(now, id, response).unwrap();
                        }
                    }
                } else if let Some(call) = end.call.as_mut().filter(|_| !outside) {
                    call.handle_request(now, transaction, &message);
                } else {
                    let response = Message::response_to(&message, 481, None);
                    end.layer.respond(now, id, response).unwrap();
                }
            }
            LayerEvent::Ack { message, .. } | LayerEvent::Benotify { message, .. } => {
                if let Some(call) = &mut end.call {
                    call.handle_request(now, TransactionId(0), &message);
                }
            }
            LayerEvent::Cancel { target, message } => {
                let call = end.call.as_mut().expect("a call");
                assert!(end.servers.values().any(|id| *id == target));
                call.handle_cancel(now, &message);
            }
            LayerEvent::Response { id, message } => {
                if let (Some(request), Some(call)) = (end.clients.get(&id), &mut end.call) {
                    call.handle_response(now, *request, &message);
                }
            }
            LayerEvent::Timeout { id } | LayerEvent::FlowFailed { id } => {
                if let (Some(request), Some(call)) = (end.clients.get(&id), &mut end.call) {
                    call.handle_no_response(now, *request);
                }
            }
            _ => {}
        }
    }
}
