//! Requests from one user to others.

mod common;

use std::time::Duration;

use common::call::{idle, statuses};
use common::phone::{Phone, WHILE};
use common::{World, aor};
use ocs_server::Event;
use ocs_sip_core::{HeaderName, Method};

const BOB: &str = "sip:bob@contoso.com";

struct Call {
    world: World,
    alice: Phone,
    bob: Phone,
    desk: Phone,
}

/// alice, and bob twice.
fn three() -> Call {
    let mut world = World::new(|_| {});
    let [alice, bob, desk] = Phone::three(&mut world);
    Call {
        world,
        alice,
        bob,
        desk,
    }
}

#[test]
fn all_endpoints_ring_and_one_takes_the_call() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let invite = alice.invite(&mut world, BOB);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    assert_ne!(at_bob.request_uri(), at_desk.request_uri());
    assert_eq!(at_bob.to_header().unwrap().epid(), Some("bbbb01"));
    assert_eq!(at_desk.to_header().unwrap().epid(), Some("bbbb02"));
    for copy in [&at_bob, &at_desk] {
        assert_eq!(copy.call_id(), invite.call_id());
        assert!(
            copy.header(HeaderName::Via)
                .unwrap()
                .contains("branched=TRUE")
        );
    }
    bob.answer(&mut world, &at_bob, 180);
    desk.answer(&mut world, &at_desk, 180);
    assert_eq!(statuses(&alice.receive(&mut world)), [100, 180, 180]);
    bob.answer(&mut world, &at_bob, 200);
    let cancel = desk.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    let reason = cancel.header(HeaderName::Reason).unwrap();
    assert!(reason.starts_with("SIP;cause=200"), "{reason}");
    desk.answer(&mut world, &cancel, 200);
    desk.answer(&mut world, &at_desk, 487);
    // The server acknowledges the 487 itself.
    assert_eq!(desk.one(&mut world).method(), Some(&Method::Ack));
    let answer = alice.one(&mut world);
    assert_eq!(answer.status(), Some(200));
    let identity = answer.header(HeaderName::PAssertedIdentity).unwrap();
    assert!(identity.contains("sip:bob@contoso.com"), "{identity}");
    let ack = alice.in_dialog(Method::Ack, &invite, &answer, 1);
    alice.send(&mut world, ack);
    assert_eq!(bob.one(&mut world).method(), Some(&Method::Ack));
    assert!(desk.receive(&mut world).is_empty());
    let bye = alice.in_dialog(Method::Bye, &invite, &answer, 2);
    alice.send(&mut world, bye);
    let bye = bob.one(&mut world);
    bob.answer(&mut world, &bye, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    world.advance(WHILE);
    idle(&world);
    assert_eq!(world.dropped(), 0, "{:?}", world.events);
}

#[test]
fn both_take_the_call_at_once() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    alice.invite(&mut world, BOB);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    desk.answer(&mut world, &at_desk, 180);
    bob.answer(&mut world, &at_bob, 200);
    // The 200 of the desk phone crosses the CANCEL: the caller gets both and ends one.
    desk.answer(&mut world, &at_desk, 200);
    assert_eq!(statuses(&alice.receive(&mut world)), [100, 180, 200, 200]);
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn the_caller_gives_up() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let invite = alice.invite(&mut world, BOB);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    bob.answer(&mut world, &at_bob, 180);
    alice.receive(&mut world);
    alice.cancel(&mut world, &invite);
    assert_eq!(statuses(&alice.receive(&mut world)), [200], "of the CANCEL");
    let cancel = bob.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    assert_eq!(cancel.header(HeaderName::Reason), None);
    bob.answer(&mut world, &cancel, 200);
    bob.answer(&mut world, &at_bob, 487);
    // The other one has not said anything yet: its CANCEL waits for that.
    assert!(desk.receive(&mut world).is_empty());
    desk.answer(&mut world, &at_desk, 180);
    let cancel = desk.one(&mut world);
    desk.answer(&mut world, &cancel, 200);
    desk.answer(&mut world, &at_desk, 487);
    let refusal = alice.receive(&mut world).pop().unwrap();
    assert_eq!(refusal.status(), Some(487));
    alice.ack_refusal(&mut world, &invite, &refusal);
    world.advance(WHILE);
    idle(&world);
    // That ACK was for this server alone.
    assert!(
        bob.receive(&mut world)
            .iter()
            .all(|m| m.method() == Some(&Method::Ack))
    );
}

#[test]
fn a_stray_ack_goes_nowhere() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        ..
    } = three();
    let mut ack = alice.request(Method::Ack, BOB);
    ack.set(HeaderName::To, "<sip:bob@contoso.com>;tag=nobody");
    alice.send(&mut world, ack);
    assert!(bob.receive(&mut world).is_empty());
}

#[test]
fn nobody_answers() {
    // Not even a provisional response: 32 s. Ringing: timer C, then CANCEL.
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let invite = alice.invite(&mut world, BOB);
    world.advance(WHILE);
    let refusal = alice.receive(&mut world).pop().unwrap();
    assert_eq!(refusal.status(), Some(408));
    alice.ack_refusal(&mut world, &invite, &refusal);
    bob.receive(&mut world);
    let invite = alice.invite(&mut world, BOB);
    let ringing = bob.one(&mut world);
    bob.answer(&mut world, &ringing, 180);
    world.advance(Duration::from_secs(179));
    assert_eq!(statuses(&alice.receive(&mut world)), [100, 180]);
    world.advance(Duration::from_secs(2));
    let cancel = bob.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    bob.answer(&mut world, &cancel, 200);
    bob.answer(&mut world, &ringing, 487);
    let refusal = alice.one(&mut world);
    assert_eq!(refusal.status(), Some(480));
    alice.ack_refusal(&mut world, &invite, &refusal);
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn the_callee_disappears_while_it_rings() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let invite = alice.invite(&mut world, BOB);
    let ringing = bob.one(&mut world);
    bob.answer(&mut world, &ringing, 180);
    world.close(bob.connection);
    let refusal = alice.receive(&mut world).pop().unwrap();
    assert_eq!(refusal.status(), Some(480));
    alice.ack_refusal(&mut world, &invite, &refusal);
    // Now bob is not registered; mallory does not exist; dave's domain is elsewhere.
    for (uri, status, error_id) in [
        (BOB, 480, None),
        ("sip:mallory@contoso.com", 404, Some("1003")),
        ("sip:dave@fabrikam.com", 504, Some("1005")),
        ("tel:+14255550199", 504, Some("1005")),
        (
            "sip:alice@contoso.com;gruu;opaque=app:voicemail",
            404,
            Some("1003"),
        ),
        ("sip:fe01.contoso.com:5060", 404, None),
    ] {
        let message = alice
            .request(Method::Message, uri)
            .with_body("text/plain", "hi");
        let answer = alice.ask(&mut world, message);
        assert_eq!(answer.status(), Some(status), "{uri}");
        let diagnostics = answer.header(HeaderName::MsDiagnostics);
        let id = diagnostics.and_then(|value| value.split(';').next());
        assert_eq!(id, error_id, "{uri}");
    }
    let mut late = alice.request(Method::Message, "sip:fe01.contoso.com:5060");
    late.set(HeaderName::To, "<sip:fe01.contoso.com:5060>;tag=1");
    assert_eq!(alice.ask(&mut world, late).status(), Some(481));
    let options = alice.request(Method::Options, "sip:fe01.contoso.com");
    let response = alice.ask(&mut world, options);
    assert_eq!(response.status(), Some(200));
    assert!(response.header(HeaderName::Allow).is_some());
    idle(&world);
}

#[test]
fn the_caller_disappears_while_it_rings() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "aaaa", 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    alice.invite(&mut world, BOB);
    let ringing = bob.one(&mut world);
    bob.answer(&mut world, &ringing, 180);
    world.close(alice.connection);
    let cancel = bob.one(&mut world);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    bob.answer(&mut world, &cancel, 200);
    bob.answer(&mut world, &ringing, 487);
    world.advance(WHILE);
    idle(&world);
}

#[test]
fn a_message_outside_a_dialog_is_forked() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let message = alice
        .request(Method::Message, BOB)
        .with_body("text/plain", "hi");
    alice.send(&mut world, message);
    let at_bob = bob.one(&mut world);
    let at_desk = desk.one(&mut world);
    desk.answer(&mut world, &at_desk, 481);
    assert!(alice.receive(&mut world).is_empty());
    bob.answer(&mut world, &at_bob, 200);
    assert_eq!(alice.one(&mut world).status(), Some(200));
    idle(&world);
}

#[test]
fn clients_cannot_speak_for_servers() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let message = alice
        .request(Method::Message, BOB)
        .with(
            HeaderName::PAssertedIdentity,
            "\"The Boss\"<sip:carol@contoso.com>",
        )
        .with(HeaderName::PPreferredIdentity, "<tel:+14255550001>")
        .with(
            HeaderName::MsEdgeProxyMessageTrust,
            "ms-source-type=AuthorizedServer",
        )
        .with(HeaderName::MsUserLogonData, "RemoteUser")
        .with(HeaderName::HistoryInfo, "<sip:carol@contoso.com>;index=1")
        .with(HeaderName::MsApplicationVia, "x");
    alice.send(&mut world, message);
    let came = bob.one(&mut world);
    desk.receive(&mut world);
    for name in [
        HeaderName::MsEdgeProxyMessageTrust,
        HeaderName::MsUserLogonData,
        HeaderName::HistoryInfo,
        HeaderName::MsApplicationVia,
        HeaderName::PPreferredIdentity,
        HeaderName::Authorization,
    ] {
        assert_eq!(came.header(name), None, "{name:?}");
    }
    let lines: Vec<_> = came.lines(HeaderName::PAssertedIdentity).collect();
    assert_eq!(
        lines,
        ["\"Alice\"<sip:alice@contoso.com>,<tel:+14255550001>"]
    );
    // Nor in answers.
    let response = bob
        .make_answer(&came, 200)
        .with(HeaderName::PAssertedIdentity, "<sip:carol@contoso.com>");
    bob.send(&mut world, response);
    let answer = alice.one(&mut world);
    let identity = answer.header(HeaderName::PAssertedIdentity).unwrap();
    assert_eq!(identity, "\"Bob\"<sip:bob@contoso.com>");
}

#[test]
fn services_of_users_are_the_servers() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        ..
    } = three();
    for (method, event, status) in [
        (Method::Subscribe, "presence", 406),
        (Method::Subscribe, "vnd-microsoft-roaming-self", 403),
        (Method::Subscribe, "dialog", 489),
        (Method::Service, "presence", 415),
        (Method::Publish, "presence", 405),
    ] {
        let request = alice.request(method, BOB).with(HeaderName::Event, event);
        assert_eq!(alice.ask(&mut world, request).status(), Some(status));
    }
    assert!(bob.receive(&mut world).is_empty());
    // A GRUU names one endpoint, whatever the method.
    let gruu = bob.gruu.clone().unwrap();
    let request = alice
        .request(Method::Subscribe, &gruu)
        .with(HeaderName::Event, "dialog");
    alice.send(&mut world, request);
    assert_eq!(bob.one(&mut world).method(), Some(&Method::Subscribe));
}

#[test]
fn one_endpoint_by_gruu_or_epid() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let gruu = desk.gruu.clone().unwrap();
    alice.invite(&mut world, &gruu);
    assert_eq!(desk.receive(&mut world).len(), 1);
    assert!(bob.receive(&mut world).is_empty());
    let mut message = alice.request(Method::Message, BOB);
    message.set(HeaderName::To, "<sip:bob@contoso.com>;epid=bbbb01");
    alice.send(&mut world, message);
    assert_eq!(bob.receive(&mut world).len(), 1);
    assert!(desk.receive(&mut world).is_empty());
}

#[test]
fn a_forged_route_is_refused() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        ..
    } = three();
    let cid = format!("{:x}", bob.connection.0);
    let message = alice.request(Method::Message, "sip:x@elsewhere.example").with(
        HeaderName::Route,
        &format!("<sip:fe01.contoso.com:5060;transport=tcp;opaque=state:F:T:Ci.R200:Co.R{cid};lr;ms-route-sig=aa>"),
    );
    assert_eq!(alice.ask(&mut world, message).status(), Some(481));
    assert!(bob.receive(&mut world).is_empty());
}

#[test]
fn hops_are_counted() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        ..
    } = three();
    let mut message = alice.request(Method::Message, BOB);
    message.set(HeaderName::MaxForwards, "0");
    assert_eq!(alice.ask(&mut world, message).status(), Some(483));
    assert!(bob.receive(&mut world).is_empty());
    assert!(world.server.store_mut().user_mut(&aor("bob")).is_some());
    assert!(!world.told(|event| matches!(event, Event::Closed { .. })));
}

#[test]
fn nobody_speaks_for_others() {
    let Call {
        mut world,
        mut alice,
        mut desk,
        ..
    } = three();
    let gruu = desk.gruu.clone().unwrap();
    for (method, name, value) in [
        (
            Method::Refer,
            HeaderName::ReferredBy,
            "<sip:carol@contoso.com>",
        ),
        (
            Method::Invite,
            HeaderName::PSessionOnBehalfOf,
            "<sip:carol@contoso.com>",
        ),
        (
            Method::Invite,
            HeaderName::PAgentOnBehalfOf,
            "<sip:help@contoso.com>",
        ),
    ] {
        let request = alice.request(method, &gruu).with(name, value);
        let answer = alice.ask(&mut world, request);
        assert_eq!(answer.status(), Some(403), "{name}");
        let diagnostics = answer.header(HeaderName::MsDiagnosticsPublic).unwrap();
        assert!(diagnostics.starts_with("4004;"), "{diagnostics}");
    }
    assert!(desk.receive(&mut world).is_empty());
    // Who names himself, or nobody, goes through, and the server says who referred.
    let request = alice
        .request(Method::Refer, &gruu)
        .with(HeaderName::ReferTo, "<sip:carol@contoso.com>");
    alice.send(&mut world, request);
    let refer = desk.one(&mut world);
    assert_eq!(
        refer.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
}

#[test]
fn a_callee_cannot_lead_the_answer_astray() {
    let Call {
        mut world,
        mut alice,
        mut bob,
        mut desk,
    } = three();
    let gruu = bob.gruu.clone().unwrap();
    let request = alice.invite(&mut world, &gruu);
    let invite = bob.one(&mut world);
    let mut answer = bob.make_answer(&invite, 200);
    let own = invite.values(HeaderName::Via).next().unwrap().to_owned();
    answer.remove(HeaderName::Via);
    answer.push_front(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1:50003");
    answer.push_front(HeaderName::Via, &own);
    bob.send(&mut world, answer);
    let answers = alice.receive(&mut world);
    let arrived = answers.last().unwrap();
    assert_eq!(arrived.status(), Some(200));
    assert_eq!(
        arrived.top_via().unwrap().sent_by(),
        request.top_via().unwrap().sent_by()
    );
    assert_eq!(arrived.values(HeaderName::Via).count(), 1);
    assert!(desk.receive(&mut world).is_empty());
}
