//! The transaction layer as its users see it: two layers over a network that loses and repeats datagrams, and one layer against
//! scripted peers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_sip_core::transaction::{
    ClientId, EndCause, Event, Flow, Layer, ServerId, Timers, TransactionError, TransactionLimits,
};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

const STREAM: Flow = Flow::Stream(ConnectionId(7));

fn datagram() -> Flow {
    Flow::Datagram(SocketAddr::from(([192, 0, 2, 1], 5060)))
}

fn request(method: Method, via: &str) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:bob@contoso.com")
        .with(HeaderName::Via, via)
        .with(HeaderName::Route, "<sip:fe.contoso.com;lr>")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a;epid=01")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "call")
        .with(HeaderName::CSeq, &cseq)
}

fn branched(method: Method, branch: &str) -> Message {
    request(
        method,
        &format!("SIP/2.0/TLS 192.0.2.9:5061;branch={branch}"),
    )
}

fn events(layer: &mut Layer) -> Vec<Event> {
    std::iter::from_fn(|| layer.poll_event()).collect()
}

/// Start lines of what the layer sends: method or status.
fn sent(layer: &mut Layer) -> Vec<String> {
    std::iter::from_fn(|| layer.poll_transmit())
        .map(|out| match out.message.method() {
            Some(method) => method.to_string(),
            None => out.message.status().unwrap().to_string(),
        })
        .collect()
}

fn server_id(layer: &mut Layer) -> (ServerId, Message) {
    match layer.poll_event() {
        Some(Event::Request { id, message, .. }) => (id, message),
        other => panic!("{other:?}"),
    }
}

fn layer() -> Layer {
    Layer::new(Timers::default())
}

#[test]
fn a_request_on_a_stream_leaves_nothing_behind() {
    let now = Instant::now();
    let (mut client, mut server) = (layer(), layer());
    let id = client
        .request(now, STREAM, branched(Method::Message, "z9hG4bKa"))
        .unwrap();
    let out = client.poll_transmit().unwrap();
    server.handle_message(now, STREAM, out.message).unwrap();
    let (server_id, message) = server_id(&mut server);
    server
        .respond(
            now,
            server_id,
            Message::response_to(&message, 200, Some("b")),
        )
        .unwrap();
    assert_eq!(
        server.respond(now, server_id, Message::response(200)),
        Err(TransactionError::Unknown)
    );
    let out = server.poll_transmit().unwrap();
    client.handle_message(now, STREAM, out.message).unwrap();
    assert!(matches!(client.poll_event(), Some(Event::Response { id: got, .. }) if got == id));
    assert!(client.is_empty() && server.is_empty());
    assert_eq!(client.poll_timeout(), None);
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn an_invite_without_answer_times_out() {
    let start = Instant::now();
    let mut layer = layer();
    let id = layer
        .request(start, datagram(), branched(Method::Invite, "z9hG4bKa"))
        .unwrap();
    while let Some(at) = layer.poll_timeout() {
        layer.handle_timeout(at);
        assert!(layer.poll_timeout().is_none_or(|next| next > at));
    }
    assert_eq!(sent(&mut layer), ["INVITE"; 7]);
    assert_eq!(events(&mut layer), [Event::Timeout { id }]);
    assert!(layer.is_empty());
}

#[test]
fn the_ack_of_a_failure_is_made_of_the_invite_and_the_response() {
    let now = Instant::now();
    for (flow, repeats) in [(STREAM, 0), (datagram(), 1)] {
        let mut layer = layer();
        let invite = branched(Method::Invite, "z9hG4bKa");
        layer.request(now, flow, invite.clone()).unwrap();
        sent(&mut layer);
        let response = Message::response_to(&invite, 486, Some("b"));
        layer.handle_message(now, flow, response.clone()).unwrap();
        let ack = layer.poll_transmit().unwrap();
        assert_eq!(ack.flow, flow);
        let ack = ack.message;
        assert_eq!(ack.method(), Some(&Method::Ack));
        assert_eq!(ack.request_uri(), invite.request_uri());
        assert_eq!(ack.header(HeaderName::CSeq), Some("1 ACK"));
        assert_eq!(
            ack.header(HeaderName::To),
            Some("<sip:bob@contoso.com>;tag=b")
        );
        for name in [
            HeaderName::Via,
            HeaderName::Route,
            HeaderName::From,
            HeaderName::CallId,
        ] {
            assert_eq!(ack.header(name), invite.header(name));
        }
        assert_eq!(events(&mut layer).len(), 1);
        // The response again: acknowledged again on datagrams, a stray on streams.
        layer.handle_message(now, flow, response).unwrap();
        assert_eq!(sent(&mut layer).len(), repeats);
        let strays = events(&mut layer);
        assert_eq!(strays.len(), 1 - repeats);
        assert!(strays.iter().all(|e| matches!(e, Event::Stray { .. })));
    }
}

#[test]
fn three_2xx_of_forks_are_all_delivered() {
    let now = Instant::now();
    let mut layer = layer();
    let invite = branched(Method::Invite, "z9hG4bKa");
    let id = layer.request(now, STREAM, invite.clone()).unwrap();
    for tag in ["x", "y", "z"] {
        let response = Message::response_to(&invite, 200, Some(tag));
        layer.handle_message(now, STREAM, response).unwrap();
    }
    let tags: Vec<_> = events(&mut layer)
        .into_iter()
        .map(|event| match event {
            Event::Response { id: got, message } if got == id => {
                message.to_header().unwrap().tag().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags, ["x", "y", "z"]);
    assert_eq!(sent(&mut layer), ["INVITE"], "the ACKs are the user's");
    layer.handle_timeout(now + Duration::from_secs(32));
    assert!(layer.is_empty());
    let late = Message::response_to(&invite, 200, Some("w"));
    layer.handle_message(now, STREAM, late).unwrap();
    assert!(matches!(layer.poll_event(), Some(Event::Stray { .. })));
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let now = Instant::now();
    let mut layer = layer();
    let invite = branched(Method::Invite, "z9hG4bKa");
    let id = layer.request(now, STREAM, invite.clone()).unwrap();
    sent(&mut layer);
    let cancel = layer.cancel(now, id).unwrap();
    assert_eq!(layer.cancel(now, id), Some(cancel), "only one CANCEL");
    assert_eq!(sent(&mut layer), [""; 0]);
    layer
        .handle_message(now, STREAM, Message::response_to(&invite, 180, Some("b")))
        .unwrap();
    let out = layer.poll_transmit().unwrap().message;
    assert_eq!(out.method(), Some(&Method::Cancel));
    assert_eq!(out.header(HeaderName::CSeq), Some("1 CANCEL"));
    for name in [
        HeaderName::Via,
        HeaderName::Route,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ] {
        assert_eq!(out.header(name), invite.header(name));
    }
    events(&mut layer);
    layer
        .handle_message(now, STREAM, Message::response_to(&out, 200, Some("b")))
        .unwrap();
    assert!(matches!(layer.poll_event(), Some(Event::Response { id, .. }) if id == cancel));
    layer
        .handle_message(now, STREAM, Message::response_to(&invite, 487, Some("b")))
        .unwrap();
    assert!(matches!(layer.poll_event(), Some(Event::Response { id: got, .. }) if got == id));
    assert_eq!(sent(&mut layer), ["ACK"]);
    assert_eq!(layer.cancel(now, id), None);
    assert!(layer.is_empty());
}

#[test]
fn cancel_races() {
    let now = Instant::now();
    // The final response comes first: no CANCEL ever.
    for code in [200, 486] {
        let mut layer = layer();
        let invite = branched(Method::Invite, "z9hG4bKa");
        let id = layer.request(now, STREAM, invite.clone()).unwrap();
        assert!(layer.cancel(now, id).is_some());
        layer
            .handle_message(now, STREAM, Message::response_to(&invite, code, Some("b")))
            .unwrap();
        assert!(!sent(&mut layer).contains(&"CANCEL".to_owned()));
        assert_eq!(layer.cancel(now, id), None);
    }
    // No final response after the CANCEL: 64 T1, both end.
    let mut layer = layer();
    let invite = branched(Method::Invite, "z9hG4bKa");
    let id = layer.request(now, STREAM, invite.clone()).unwrap();
    layer
        .handle_message(now, STREAM, Message::response_to(&invite, 100, None))
        .unwrap();
    let cancel = layer.cancel(now, id).unwrap();
    assert_eq!(sent(&mut layer), ["INVITE", "CANCEL"]);
    events(&mut layer);
    layer.handle_timeout(now + Duration::from_secs(32));
    let mut ended = events(&mut layer);
    ended.sort_by_key(|event| matches!(event, Event::Timeout { id } if *id == cancel));
    assert_eq!(
        ended,
        [Event::Timeout { id }, Event::Timeout { id: cancel }]
    );
    // Not an INVITE.
    let id = layer
        .request(now, STREAM, branched(Method::Info, "z9hG4bKb"))
        .unwrap();
    assert_eq!(layer.cancel(now, id), None);
}

#[test]
fn incoming_cancel() {
    let now = Instant::now();
    for (flow, via) in [
        (STREAM, "SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bKa"),
        (STREAM, "SIP/2.0/tcp 127.0.0.1:52064"),
        (datagram(), "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"),
    ] {
        let mut layer = layer();
        // Nothing to cancel.
        layer
            .handle_message(now, flow, request(Method::Cancel, via))
            .unwrap();
        assert_eq!(sent(&mut layer), ["481"]);
        assert_eq!(events(&mut layer), []);
        let mut layer = self::layer();
        let invite = request(Method::Invite, via);
        layer.handle_message(now, flow, invite.clone()).unwrap();
        let (id, _) = server_id(&mut layer);
        layer
            .handle_message(now, flow, request(Method::Cancel, via))
            .unwrap();
        assert_eq!(sent(&mut layer), ["200"]);
        assert!(matches!(layer.poll_event(), Some(Event::Cancel { target, .. }) if target == id));
        layer
            .respond(now, id, Message::response_to(&invite, 487, Some("b")))
            .unwrap();
        assert_eq!(sent(&mut layer), ["487"]);
        // Again: no event, the same answer.
        layer
            .handle_message(now, flow, request(Method::Cancel, via))
            .unwrap();
        assert_eq!(sent(&mut layer), ["200"]);
        assert_eq!(events(&mut layer), []);
        let mut ack = request(Method::Ack, via);
        ack.set(HeaderName::To, "<sip:bob@contoso.com>;tag=b");
        layer.handle_message(now, flow, ack).unwrap();
        assert_eq!(events(&mut layer), []);
        layer.handle_timeout(now + Duration::from_secs(33));
        assert!(layer.is_empty());
    }
}

#[test]
fn repeated_requests_get_the_same_response() {
    let now = Instant::now();
    let mut layer = layer();
    for (method, code) in [
        (Method::Invite, 486),
        (Method::Message, 200),
        (Method::Info, 183),
    ] {
        let message = branched(method, "z9hG4bKa");
        layer
            .handle_message(now, datagram(), message.clone())
            .unwrap();
        let (id, _) = server_id(&mut layer);
        let response = Message::response_to(&message, code, Some("b"));
        layer.respond(now, id, response.clone()).unwrap();
        for _ in 0..3 {
            assert_eq!(layer.poll_transmit().unwrap().message, response);
            assert_eq!(layer.poll_transmit(), None);
            layer
                .handle_message(now, datagram(), message.clone())
                .unwrap();
        }
        sent(&mut layer);
        assert_eq!(events(&mut layer), []);
    }
}

#[test]
fn the_layer_sends_100_for_a_silent_user() {
    let now = Instant::now();
    let mut layer = layer();
    let invite = branched(Method::Invite, "z9hG4bKa");
    layer.handle_message(now, STREAM, invite.clone()).unwrap();
    let (id, _) = server_id(&mut layer);
    assert_eq!(layer.poll_timeout(), Some(now + Duration::from_millis(200)));
    layer.handle_timeout(now + Duration::from_millis(200));
    let out = layer.poll_transmit().unwrap().message;
    assert_eq!(out.status(), Some(100));
    assert_eq!(out.to_header().unwrap().tag(), None);
    layer
        .respond(now, id, Message::response_to(&invite, 180, Some("b")))
        .unwrap();
    layer
        .respond(now, id, Message::response_to(&invite, 200, Some("b")))
        .unwrap();
    // The user repeats the 2xx; the ACK of another branch passes.
    layer
        .respond(now, id, Message::response_to(&invite, 200, Some("b")))
        .unwrap();
    assert_eq!(
        layer.respond(now, id, Message::response_to(&invite, 500, Some("b"))),
        Err(TransactionError::Answered)
    );
    assert_eq!(sent(&mut layer), ["180", "200", "200"]);
    layer
        .handle_message(now, STREAM, branched(Method::Ack, "z9hG4bKother"))
        .unwrap();
    assert!(matches!(layer.poll_event(), Some(Event::Ack { .. })));
}

#[test]
fn one_branch_on_two_connections_is_two_transactions() {
    let now = Instant::now();
    let mut layer = layer();
    let flows = [STREAM, Flow::Stream(ConnectionId(8))];
    let message = request(Method::Invite, "SIP/2.0/tcp 127.0.0.1:52064");
    let ids = flows.map(|flow| {
        layer.handle_message(now, flow, message.clone()).unwrap();
        server_id(&mut layer).0
    });
    assert_ne!(ids[0], ids[1]);
    for (id, flow) in ids.into_iter().zip(flows) {
        layer
            .respond(now, id, Message::response_to(&message, 486, Some("b")))
            .unwrap();
        assert_eq!(layer.poll_transmit().unwrap().flow, flow);
    }
    // As client: two requests with one branch, answered on their own flows.
    let ids = flows.map(|flow| {
        layer
            .request(now, flow, branched(Method::Service, "z9hG4bKs"))
            .unwrap()
    });
    let answer = Message::response_to(&branched(Method::Service, "z9hG4bKs"), 200, Some("b"));
    for (id, flow) in ids.into_iter().zip(flows).rev() {
        layer.handle_message(now, flow, answer.clone()).unwrap();
        assert!(matches!(layer.poll_event(), Some(Event::Response { id: got, .. }) if got == id));
    }
    assert_eq!(
        layer
            .request(now, STREAM, branched(Method::Invite, "z9hG4bKi"))
            .map(drop),
        Ok(())
    );
    assert_eq!(
        layer.request(now, STREAM, branched(Method::Invite, "z9hG4bKi")),
        Err(TransactionError::BranchInUse)
    );
}

#[test]
fn requests_without_branch_match_by_the_older_rules() {
    let now = Instant::now();
    let mut layer = layer();
    let via = "SIP/2.0/tcp 127.0.0.1:52070";
    let invite = request(Method::Invite, via);
    layer.handle_message(now, STREAM, invite.clone()).unwrap();
    let (id, _) = server_id(&mut layer);
    layer.handle_message(now, STREAM, invite.clone()).unwrap();
    assert_eq!(events(&mut layer), [], "a repetition");
    layer
        .respond(now, id, Message::response_to(&invite, 200, Some("b")))
        .unwrap();
    // The ACK goes to the Contact of the 200 and has a To tag.
    let mut ack = request(Method::Ack, via);
    ack.set_request_uri("sip:bob@contoso.com;opaque=user:epid:x;gruu");
    ack.set(HeaderName::To, "<sip:bob@contoso.com>;tag=b");
    layer.handle_message(now, STREAM, ack).unwrap();
    assert!(matches!(layer.poll_event(), Some(Event::Ack { .. })));
    // Requests of two forks of one call have one CSeq and differ in the To tag.
    for tag in ["b", "c"] {
        let mut bye = request(Method::Bye, via);
        bye.set(HeaderName::To, &format!("<sip:bob@contoso.com>;tag={tag}"));
        bye.set(HeaderName::CSeq, "2 BYE");
        layer.handle_message(now, STREAM, bye).unwrap();
        server_id(&mut layer);
    }
}

#[test]
fn a_signed_repetition_after_a_challenge_is_a_new_request() {
    let now = Instant::now();
    let mut layer = layer();
    let via = "SIP/2.0/tcp 127.0.0.1:52070";
    for method in [Method::Invite, Method::Message] {
        let message = request(method, via);
        for _ in 0..2 {
            layer.handle_message(now, STREAM, message.clone()).unwrap();
            let (id, _) = server_id(&mut layer);
            layer
                .respond(now, id, Message::response_to(&message, 401, Some("b")))
                .unwrap();
        }
    }
    // The INVITE was never acknowledged.
    layer.handle_timeout(now + Duration::from_secs(32));
    assert!(matches!(
        layer.poll_event(),
        Some(Event::Ended {
            cause: EndCause::NoAck,
            ..
        })
    ));
    assert!(layer.is_empty());
}

#[test]
fn benotify_and_ack_make_no_transaction() {
    let now = Instant::now();
    let mut layer = layer();
    layer
        .handle_message(now, STREAM, branched(Method::Benotify, "z9hG4bKa"))
        .unwrap();
    layer
        .handle_message(now, STREAM, branched(Method::Ack, "z9hG4bKa"))
        .unwrap();
    assert!(layer.is_empty());
    let got = events(&mut layer);
    assert!(matches!(
        got[..],
        [Event::Benotify { .. }, Event::Ack { .. }]
    ));
    for method in [Method::Benotify, Method::Ack, Method::Cancel] {
        assert_eq!(
            layer.request(now, STREAM, branched(method.clone(), "z9hG4bKa")),
            Err(TransactionError::Method(method))
        );
    }
    layer.send(STREAM, branched(Method::Benotify, "z9hG4bKa"));
    assert_eq!(sent(&mut layer), ["BENOTIFY"]);
    assert_eq!(
        layer.request(now, STREAM, request(Method::Info, "SIP/2.0/TLS a")),
        Err(TransactionError::NoBranch)
    );
}

#[test]
fn a_closed_flow_ends_its_transactions_only() {
    let now = Instant::now();
    let mut layer = layer();
    let other = Flow::Stream(ConnectionId(8));
    let invite = layer
        .request(now, STREAM, branched(Method::Invite, "z9hG4bK1"))
        .unwrap();
    let info = layer
        .request(now, STREAM, branched(Method::Info, "z9hG4bK2"))
        .unwrap();
    layer
        .request(now, other, branched(Method::Info, "z9hG4bK2"))
        .unwrap();
    layer
        .handle_message(now, STREAM, branched(Method::Invite, "z9hG4bK3"))
        .unwrap();
    let (ringing, _) = server_id(&mut layer);
    // Failed already: of no interest.
    let failed = branched(Method::Invite, "z9hG4bK4");
    layer.handle_message(now, STREAM, failed.clone()).unwrap();
    let (id, _) = server_id(&mut layer);
    layer
        .respond(now, id, Message::response_to(&failed, 500, Some("b")))
        .unwrap();
    layer.handle_flow_closed(STREAM);
    assert_eq!(
        events(&mut layer),
        [
            Event::FlowFailed { id: invite },
            Event::FlowFailed { id: info },
            Event::Ended {
                id: ringing,
                cause: EndCause::FlowClosed
            }
        ]
    );
    assert_eq!(layer.len(), 1);
    layer.handle_flow_closed(STREAM);
    assert_eq!(layer.len(), 1);
}

#[test]
fn floods_stop_at_the_limits() {
    let now = Instant::now();
    let limits = TransactionLimits {
        transactions: 100,
        per_flow: 60,
    };
    let mut layer = Layer::with_limits(Timers::default(), limits);
    for (connection, accepted) in [(1, 60), (2, 40), (3, 0)] {
        let flow = Flow::Stream(ConnectionId(connection));
        for n in 0..200 {
            let message = branched(Method::Invite, &format!("z9hG4bK{n}"));
            layer.handle_message(now, flow, message).unwrap();
        }
        assert_eq!(events(&mut layer).len(), accepted);
        let refused = sent(&mut layer);
        assert_eq!(refused.len(), 200 - accepted);
        assert!(refused.iter().all(|line| line == "503"));
    }
    assert_eq!(
        layer.request(now, STREAM, branched(Method::Info, "z9hG4bKx")),
        Err(TransactionError::Full { limit: 100 })
    );
    // The ACK of a 503 disturbs nobody.
    layer
        .handle_message(now, STREAM, branched(Method::Ack, "z9hG4bK199"))
        .unwrap();
    layer.handle_flow_closed(Flow::Stream(ConnectionId(1)));
    layer.handle_flow_closed(Flow::Stream(ConnectionId(2)));
    assert!(layer.is_empty());
    assert_eq!(layer.poll_timeout(), None);
}

#[test]
fn faulty_messages_change_nothing() {
    let now = Instant::now();
    let mut layer = layer();
    for name in [HeaderName::Via, HeaderName::CSeq] {
        for mut message in [
            branched(Method::Invite, "z9hG4bKa"),
            Message::response_to(&branched(Method::Invite, "z9hG4bKa"), 200, None),
        ] {
            message.remove(name);
            assert_eq!(
                layer.handle_message(now, STREAM, message.clone()),
                Err(TransactionError::Message(ocs_sip_core::Error::Missing(
                    name
                )))
            );
            assert!(layer.request(now, STREAM, message).is_err());
        }
    }
    assert!(layer.is_empty());
    assert_eq!(events(&mut layer), []);
}

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

mod captured {
    //! Requests of real clients.

    use super::*;
    use ocs_sip_core::Limits;
    use ocs_sip_core::dialog::{Dialog, DialogState, Incoming};

    macro_rules! message {
        ($name:literal) => {
            Message::parse(
                include_bytes!(concat!("data/transactions/", $name, ".sip"))[..].into(),
                &Limits::default(),
            )
            .unwrap()
        };
    }

    #[test]
    fn two_clients_with_the_same_identifiers() {
        let now = Instant::now();
        let mut layer = layer();
        let bob = message!("bob-conference-invite");
        let alice = message!("alice-conference-invite");
        assert_eq!(bob.call_id(), alice.call_id());
        layer.handle_message(now, STREAM, bob).unwrap();
        layer
            .handle_message(now, Flow::Stream(ConnectionId(8)), alice)
            .unwrap();
        assert_eq!(events(&mut layer).len(), 2);
    }

    #[test]
    fn a_call() {
        let now = Instant::now();
        let mut layer = layer();
        let invite = message!("alice-invite");
        layer.handle_message(now, STREAM, invite.clone()).unwrap();
        let (id, _) = server_id(&mut layer);
        let mut dialog = Dialog::uas(&invite, "4832928842").unwrap();
        let ok = dialog.respond(&invite, 200);
        layer.respond(now, id, ok).unwrap();
        layer
            .handle_message(now, STREAM, message!("alice-ack"))
            .unwrap();
        match layer.poll_event() {
            Some(Event::Ack { message, .. }) => assert!(dialog.matches(&message)),
            other => panic!("{other:?}"),
        }
        layer
            .handle_message(now, STREAM, message!("alice-bye"))
            .unwrap();
        let (_, bye) = server_id(&mut layer);
        assert_eq!(dialog.handle_request(&bye), Ok(Incoming::Accepted));
        assert_eq!(dialog.state(), DialogState::Terminated);
        assert!(dialog.remote_epid().is_some());
    }
}
