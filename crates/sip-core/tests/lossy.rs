//! Two transaction layers over a network that loses and repeats datagrams.

mod layer;

use std::time::{Duration, Instant};

use layer::{STREAM, branched, datagram, layer, request};
use ocs_sip_core::transaction::{ClientId, Event, Flow, Layer, ServerId};
use ocs_sip_core::{ConnectionId, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// Two layers and a network that loses, delays and repeats.
struct Network {
    rng: ChaCha12Rng,
    now: Instant,
    loss: u32,
    ends: [Layer; 2],
    /// Receiver, arrival, message.
    flying: Vec<(usize, Instant, Message)>,
}

impl Network {
    fn new(seed: u64, loss: u32) -> Self {
        Self {
            rng: ChaCha12Rng::seed_from_u64(seed),
            now: Instant::now(),
            loss,
            ends: [layer(), layer()],
            flying: Vec::new(),
        }
    }

    fn flush(&mut self) {
        for from in 0..2 {
            while let Some(out) = self.ends[from].poll_transmit() {
                let copies = 1 + u32::from(self.rng.next_u32().is_multiple_of(8));
                for _ in 0..copies {
                    if self.rng.next_u32() % 100 >= self.loss {
                        let delay = u64::from(self.rng.next_u32() % 300);
                        let at = self.now + Duration::from_millis(delay);
                        self.flying.push((1 - from, at, out.message.clone()));
                    }
                }
            }
        }
    }

    /// Goes on to the next arrival or timer. False when nothing is left.
    fn step(&mut self) -> bool {
        self.flush();
        let arrival = self.flying.iter().map(|(_, at, _)| *at).min();
        let timer = self.ends.iter().filter_map(Layer::poll_timeout).min();
        let Some(at) = arrival.into_iter().chain(timer).min() else {
            return false;
        };
        self.now = self.now.max(at);
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        let now = self.now;
        let mut arrived = Vec::new();
        self.flying.retain(|(to, at, message)| {
            let here = *at <= now;
            if here {
                arrived.push((*to, message.clone()));
            }
            !here
        });
        for (to, message) in arrived {
            self.ends[to]
                .handle_message(now, datagram(), message)
                .unwrap();
        }
        true
    }
}

#[test]
fn lost_and_repeated_datagrams() {
    for seed in 0..60 {
        let mut network = Network::new(seed, 40);
        let now = network.now;
        let flow = datagram();
        let invite = network.ends[0]
            .request(now, flow, branched(Method::Invite, "z9hG4bKi"))
            .unwrap();
        let info = network.ends[0]
            .request(now, flow, branched(Method::Info, "z9hG4bKn"))
            .unwrap();
        let mut finals: Vec<(ClientId, Option<u16>)> = Vec::new();
        let mut requests = 0;
        while network.step() {
            let now = network.now;
            while let Some(event) = network.ends[1].poll_event() {
                if let Event::Request { id, message, .. } = event {
                    requests += 1;
                    let code = if message.method() == Some(&Method::Invite) {
                        486
                    } else {
                        200
                    };
                    let response = Message::response_to(&message, code, Some("b"));
                    network.ends[1].respond(now, id, response).unwrap();
                }
            }
            while let Some(event) = network.ends[0].poll_event() {
                match event {
                    Event::Response { id, message } if message.status() >= Some(200) => {
                        finals.push((id, message.status()));
                    }
                    Event::Timeout { id } => finals.push((id, None)),
                    Event::Response { .. } | Event::Stray { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        finals.sort();
        assert_eq!(finals.len(), 2, "each request ends once: seed {seed}");
        assert!(requests <= 2, "no request is delivered twice: seed {seed}");
        for ((got, code), (id, expected)) in finals.into_iter().zip([(invite, 486), (info, 200)]) {
            assert_eq!(got, id);
            assert!(code.is_none_or(|code| code == expected));
        }
        assert!(network.ends.iter().all(Layer::is_empty));
    }
}

mod random {
    //! Random orders of everything a user and a peer can do.

    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Action {
        Request(u8, u8, u8),
        Incoming(u8, u8, u8),
        Response(u8, u8, u8, u16),
        Respond(u8, u16),
        Cancel(u8),
        Close(u8),
        Wait(u16),
        NextTimer,
    }

    fn action() -> impl Strategy<Value = Action> {
        let code = prop_oneof![Just(100), Just(180), Just(200), Just(401), Just(486)];
        prop_oneof![
            (0..3_u8, 0..3_u8, 0..4_u8).prop_map(|(f, m, b)| Action::Request(f, m, b)),
            (0..3_u8, 0..5_u8, 0..4_u8).prop_map(|(f, m, b)| Action::Incoming(f, m, b)),
            (0..3_u8, 0..5_u8, 0..4_u8, code.clone())
                .prop_map(|(f, m, b, c)| Action::Response(f, m, b, c)),
            (any::<u8>(), code).prop_map(|(i, c)| Action::Respond(i, c)),
            any::<u8>().prop_map(Action::Cancel),
            (0..3_u8).prop_map(Action::Close),
            (0..40_000_u16).prop_map(Action::Wait),
            Just(Action::NextTimer),
        ]
    }

    fn flow(n: u8) -> Flow {
        match n {
            0 => STREAM,
            1 => Flow::Stream(ConnectionId(8)),
            _ => datagram(),
        }
    }

    fn message(method: u8, branch: u8) -> Message {
        let method = match method {
            0 => Method::Invite,
            1 => Method::Info,
            2 => Method::Subscribe,
            3 => Method::Ack,
            _ => Method::Cancel,
        };
        if branch == 3 {
            request(method, "SIP/2.0/tcp 127.0.0.1:52064")
        } else {
            branched(method, &format!("z9hG4bK{branch}"))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn every_transaction_ends(actions in prop::collection::vec(action(), 1..60)) {
            let mut now = Instant::now();
            let mut layer = layer();
            let mut clients: Vec<ClientId> = Vec::new();
            let mut servers: Vec<(ServerId, Message)> = Vec::new();
            let mut open = std::collections::HashSet::new();
            let drain = |layer: &mut Layer,
                         open: &mut std::collections::HashSet<ClientId>,
                         servers: &mut Vec<(ServerId, Message)>| {
                while layer.poll_transmit().is_some() {}
                while let Some(event) = layer.poll_event() {
                    match event {
                        Event::Request { id, message, .. } => servers.push((id, message)),
                        Event::Response { id, message } if message.status() >= Some(200) => {
                            open.remove(&id);
                        }
                        Event::Timeout { id } | Event::FlowFailed { id } => {
                            open.remove(&id);
                        }
                        _ => {}
                    }
                }
            };
            for action in actions {
                match action {
                    Action::Request(f, m, b) => {
                        if let Ok(id) = layer.request(now, flow(f), message(m, b)) {
                            clients.push(id);
                            open.insert(id);
                        }
                    }
                    Action::Incoming(f, m, b) => {
                        layer.handle_message(now, flow(f), message(m, b)).unwrap();
                    }
                    Action::Response(f, m, b, code) => {
                        let response = Message::response_to(&message(m, b), code, Some("t"));
                        layer.handle_message(now, flow(f), response).unwrap();
                    }
                    Action::Respond(i, code) => {
                        if let Some((id, request)) = servers.get(usize::from(i) % servers.len().max(1)) {
                            let response = Message::response_to(request, code, Some("t"));
                            let _ = layer.respond(now, *id, response);
                        }
                    }
                    Action::Cancel(i) => {
                        if let Some(id) = clients.get(usize::from(i) % clients.len().max(1)) {
                            layer.cancel(now, *id);
                        }
                    }
                    Action::Close(f) => layer.handle_flow_closed(flow(f)),
                    Action::Wait(ms) => {
                        now += Duration::from_millis(u64::from(ms));
                        layer.handle_timeout(now);
                    }
                    Action::NextTimer => {
                        if let Some(at) = layer.poll_timeout() {
                            now = now.max(at);
                            layer.handle_timeout(now);
                        }
                    }
                }
                drain(&mut layer, &mut open, &mut servers);
            }
            let mut steps = 0;
            while let Some(at) = layer.poll_timeout() {
                now = now.max(at);
                layer.handle_timeout(now);
                drain(&mut layer, &mut open, &mut servers);
                prop_assert!(layer.poll_timeout().is_none_or(|next| next > now));
                steps += 1;
                prop_assert!(steps < 10_000);
            }
            prop_assert!(layer.is_empty());
            prop_assert!(open.is_empty(), "requests without an end: {open:?}");
        }
    }
}
