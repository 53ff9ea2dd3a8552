//! CANCEL, from both sides and in every race.

mod layer;

use std::time::{Duration, Instant};

use layer::{STREAM, branched, datagram, events, layer, request, sent, server_id};
use ocs_sip_core::transaction::Event;
use ocs_sip_core::{HeaderName, Message, Method};

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
