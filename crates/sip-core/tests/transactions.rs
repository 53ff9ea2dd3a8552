//! One transaction layer against scripted peers: requests, responses, their ends.

mod layer;

use std::time::{Duration, Instant};

use layer::{STREAM, branched, datagram, events, layer, request, sent, server_id};
use ocs_sip_core::transaction::{
    EndCause, Event, Flow, Layer, Timers, TransactionError, TransactionLimits,
};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};

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
