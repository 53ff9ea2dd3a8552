//! What a REGISTER gets for an answer, and what ends a registration.

mod common;

use std::time::Duration;

use common::phone::Phone;
use common::{World, aor};
use ocs_conmgmt::CloseReason::{KeepAliveExpired, NotAuthenticated};
use ocs_server::{CloseCause, Event, Store, User};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::notify::RegistrationEvent;
use ocs_siprege::registrar::Removal;
use ocs_siprege::version_filter::{Rule, Verdict, VersionFilter};

const EPID: &str = "c97532c1946f";

fn diagnostics(message: &Message) -> &str {
    let public = message.header(HeaderName::MsDiagnosticsPublic);
    public
        .or(message.header(HeaderName::MsDiagnostics))
        .and_then(|value| value.split(';').next())
        .unwrap_or("none")
}

/// The final answer to a REGISTER that is wrong in one thing.
fn refused(world: &mut World, name: HeaderName, value: &str) -> Message {
    let mut phone = Phone::new(world, "alice", EPID, 50_000);
    phone.extra.push((name, value.to_owned()));
    phone.sign_in(world)
}

#[test]
fn a_register_is_judged_by_its_headers() {
    let mut world = World::new(|_| {});
    for (name, value, status, id) in [
        (HeaderName::Event, "presence", 489, "4055"),
        (HeaderName::Expires, "soon", 400, "none"),
        (HeaderName::Contact, "*", 400, "none"),
        (HeaderName::To, "<sip:bob@contoso.com>", 403, "none"),
    ] {
        let response = refused(&mut world, name, value);
        assert_eq!(response.status(), Some(status), "{name:?}: {response:?}");
        assert_eq!(diagnostics(&response), id, "{name:?}");
        assert_eq!(world.server.registrations(), 0);
    }
    let mut phone = Phone::new(&mut world, "alice", EPID, 50_000);
    phone.supported = "msrtc-event-categories";
    let response = phone.sign_in(&mut world);
    assert_eq!(
        (response.status(), diagnostics(&response)),
        (Some(421), "2057")
    );
    // The plural is accepted: Microsoft's own analyzer knows it.
    let response = refused(&mut world, HeaderName::Event, "registrations");
    assert_eq!(response.status(), Some(200));
}

#[test]
fn without_any_identifier_of_the_endpoint() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::new(&mut world, "alice", EPID, 50_000);
    phone
        .extra
        .push((HeaderName::From, "<sip:alice@contoso.com>;tag=1".into()));
    phone.extra.push((
        HeaderName::Contact,
        "<sip:127.0.0.1:50000;transport=tcp>;proxy=replace".into(),
    ));
    let response = phone.sign_in(&mut world);
    assert_eq!(
        (response.status(), diagnostics(&response)),
        (Some(400), "4010")
    );
}

#[test]
fn an_instance_that_is_not_the_epids() {
    let mut world = World::new(|_| {});
    let response = refused(
        &mut world,
        HeaderName::Contact,
        "<sip:127.0.0.1:50000;transport=tcp>;proxy=replace;+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"",
    );
    assert_eq!(response.status(), Some(400), "{response:?}");
}

#[test]
fn versions_may_be_refused_or_warned() {
    let rule = |minimum: &str, recommended: &str| {
        let rule = Rule {
            product: "Sipe".into(),
            minimum: minimum.parse().unwrap(),
            recommended: recommended.parse().unwrap(),
        };
        World::new(|config| {
            config.registrar.version_filter = VersionFilter {
                rules: vec![rule],
                default: Verdict::Allow,
            };
        })
    };
    let mut world = rule("1.26", "1.26");
    let response = Phone::new(&mut world, "alice", EPID, 50_000).sign_in(&mut world);
    assert_eq!(
        (response.status(), diagnostics(&response)),
        (Some(403), "17002")
    );
    let mut world = rule("1.25", "1.26");
    let response = Phone::new(&mut world, "alice", EPID, 50_000).sign_in(&mut world);
    assert_eq!(response.status(), Some(200));
    assert!(
        response
            .header(HeaderName::Warning)
            .unwrap()
            .starts_with("310 ")
    );
}

#[test]
fn the_oldest_endpoint_gives_way() {
    let mut world = World::new(|config| config.registrar.endpoints_per_user = 2);
    let mut first = Phone::signed_in(&mut world, "alice", "aaaa01", 50_001);
    let _second = Phone::signed_in(&mut world, "alice", "aaaa02", 50_002);
    let _third = Phone::signed_in(&mut world, "alice", "aaaa03", 50_003);
    assert_eq!(world.server.registrations(), 2);
    let notify = first.one(&mut world);
    assert_eq!(notify.method(), Some(&Method::Notify));
    assert_eq!(
        RegistrationEvent::from_notify(&notify),
        Some(RegistrationEvent::Unregistered)
    );
    assert_eq!(diagnostics(&notify), "4140");
    assert!(
        notify
            .request_uri()
            .unwrap()
            .contains(";ms-opaque=d3470f2e1d;")
    );
    assert_eq!(notify.to_header().unwrap().epid(), Some("aaaa01"));
    // Its answer is taken in, and what a client sends then is answered too.
    first.answer(&mut world, &notify, 200);
    assert_eq!(world.dropped(), 0, "{:?}", world.events);
    let response = first.refresh(&mut world, &[(HeaderName::Expires, "0")]);
    assert_eq!(response.status(), Some(200));
    assert_eq!(world.server.registrations(), 2);
}

#[test]
fn refresh_and_sign_out() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::signed_in(&mut world, "alice", EPID, 50_000);
    let record = world.server.store().endpoints(&aor("alice"));
    assert_eq!(record.len(), 1);
    assert_eq!(record[0].gruu, phone.gruu);
    // CSeq numbers may be skipped.
    phone.cseq += 7;
    let response = phone.refresh(&mut world, &[]);
    assert_eq!(
        response.header(HeaderName::PresenceState),
        Some("register-action=\"refreshed\"")
    );
    // The same CSeq again is an old request (RFC 3261 10.3 item 7).
    phone.cseq -= 1;
    assert_eq!(phone.refresh(&mut world, &[]).status(), Some(500));
    phone.cseq += 1;
    let response = phone.refresh(&mut world, &[(HeaderName::Expires, "0")]);
    assert_eq!(response.status(), Some(200));
    assert_eq!(response.header(HeaderName::Contact), None);
    assert_eq!(world.server.registrations(), 0);
    assert!(world.server.store().endpoints(&aor("alice")).is_empty());
}

#[test]
fn a_star_removes_all_endpoints() {
    let mut world = World::new(|_| {});
    let _other = Phone::signed_in(&mut world, "alice", "aaaa01", 50_001);
    let _bob = Phone::signed_in(&mut world, "bob", "bbbb01", 50_003);
    let mut phone = Phone::signed_in(&mut world, "alice", "aaaa02", 50_002);
    let response = phone.refresh(
        &mut world,
        &[(HeaderName::Contact, "*"), (HeaderName::Expires, "0")],
    );
    assert_eq!(response.status(), Some(200), "{response:?}");
    assert_eq!(world.server.registrations(), 1);
}

#[test]
fn an_expired_binding_is_fixed() {
    let mut world = World::new(|config| config.registrar.expires = Duration::from_secs(300));
    let mut phone = Phone::signed_in(&mut world, "alice", EPID, 50_000);
    for _ in 0..3 {
        world.advance(Duration::from_secs(101));
        world.send(phone.connection, "\r\n\r\n");
    }
    assert_eq!(world.server.registrations(), 0);
    assert!(world.told(|event| matches!(
        event,
        Event::Unregistered {
            cause: Removal::Expired,
            ..
        }
    )));
    let response = phone.refresh(&mut world, &[]);
    assert_eq!(
        response.header(HeaderName::PresenceState),
        Some("register-action=\"fixed\"")
    );
}

#[test]
fn a_client_that_started_again_replaces_itself() {
    // The same epid, Call-ID and CSeq from a new connection, while the old one still stands.
    let mut world = World::new(|_| {});
    let old = Phone::signed_in(&mut world, "alice", EPID, 50_000);
    let new = Phone::signed_in(&mut world, "alice", EPID, 50_001);
    assert_eq!((old.cseq, &old.call_id), (new.cseq, &new.call_id));
    assert_eq!(old.gruu, new.gruu);
    assert_eq!(world.server.registrations(), 1);
    world.close(old.connection);
    assert_eq!(world.server.registrations(), 1);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    bob.invite(&mut world, "sip:alice@contoso.com");
    assert_eq!(world.take(new.connection).len(), 1);
}

#[test]
fn a_disabled_user_may_only_leave() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::signed_in(&mut world, "alice", EPID, 50_000);
    world
        .server
        .store_mut()
        .user_mut(&aor("alice"))
        .unwrap()
        .enabled = false;
    let invite = phone.request(Method::Invite, "sip:bob@contoso.com");
    phone.send(&mut world, invite);
    let response = phone.receive(&mut world).pop().unwrap();
    assert_eq!(
        (response.status(), diagnostics(&response)),
        (Some(403), "4004")
    );
    let now = world.now;
    assert_eq!(
        world
            .server
            .deregister(now, &aor("alice"), RegistrationEvent::Rejected),
        1
    );
    world.drain();
    let notify = phone.one(&mut world);
    assert_eq!(notify.body(), "deregistered;event=rejected");
    phone.answer(&mut world, &notify, 200);
    assert_eq!(phone.refresh(&mut world, &[]).status(), Some(403));
    let response = phone.refresh(&mut world, &[(HeaderName::Expires, "0")]);
    assert_eq!(response.status(), Some(200));
}

#[test]
fn an_account_owns_only_its_own_address() {
    let mut world = World::new(|_| {});
    // Right account, wrong address: another user, and the same name in a foreign domain.
    for from in ["bob@contoso.com", "alice@fabrikam.com"] {
        let mut phone = Phone::new(&mut world, "alice", EPID, 50_000);
        phone.aor = from.parse().unwrap();
        let response = phone.sign_in(&mut world);
        assert_eq!(
            (response.status(), diagnostics(&response)),
            (Some(403), "4004"),
            "{from}"
        );
        assert_eq!(world.server.counters().associations, 0);
    }
    let mut other = User::new("alice@fabrikam.com".parse().unwrap());
    other.display_name = Some("Another Alice".into());
    assert_eq!(world.server.registrations(), 0);
}

#[test]
fn from_must_be_the_own_address() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::signed_in(&mut world, "alice", EPID, 50_000);
    let mut message = phone.request(Method::Message, "sip:bob@contoso.com");
    message.set(
        HeaderName::From,
        &format!("<sip:carol@contoso.com>;tag=9;epid={EPID}"),
    );
    let response = phone.ask(&mut world, message);
    assert_eq!(
        (response.status(), diagnostics(&response)),
        (Some(403), "4004")
    );
}

#[test]
fn wrong_passwords_and_unknown_users() {
    let mut world = World::new(|_| {});
    let mut phone = Phone::with_password(&mut world, "alice", EPID, 50_000, "letmein");
    assert_eq!(phone.sign_in(&mut world).status(), Some(401));
    let mut phone = Phone::new(&mut world, "mallory", EPID, 50_001);
    assert_eq!(phone.sign_in(&mut world).status(), Some(401));
    let failures = world
        .events
        .iter()
        .filter(|event| matches!(event, Event::LogonFailure { .. }))
        .count();
    assert_eq!(failures, 2);
    assert_eq!(world.server.counters().associations, 0);
}

#[test]
fn silent_connections_are_closed() {
    let mut world = World::new(|_| {});
    let stranger = world.connect(50_000);
    world.advance(Duration::from_secs(59));
    assert!(world.closed.is_empty());
    world.advance(Duration::from_secs(2));
    assert!(world.closed.contains(&stranger));
    // T = 300 and 32 s of grace; a keep-alive begins it anew.
    let phone = Phone::signed_in(&mut world, "alice", EPID, 50_001);
    world.advance(Duration::from_secs(331));
    world.send(phone.connection, "\r\n\r\n");
    world.advance(Duration::from_secs(331));
    assert_eq!(world.server.registrations(), 1);
    world.advance(Duration::from_secs(2));
    assert!(world.closed.contains(&phone.connection));
    assert_eq!(world.server.registrations(), 0);
    assert_eq!(world.server.counters(), ocs_server::Counters::default());
    let reasons: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Closed {
                cause: CloseCause::Timer(reason),
                ..
            } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [NotAuthenticated, KeepAliveExpired]);
}

#[test]
fn drain_tells_everybody() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", EPID, 50_001);
    let mut bob = Phone::signed_in(&mut world, "bob", "bbbb", 50_002);
    let now = world.now;
    world.server.drain(now);
    world.drain();
    for phone in [&mut alice, &mut bob] {
        let notify = phone.one(&mut world);
        assert_eq!(notify.body(), "deregistered;event=deactivated");
        assert!(world.closed.contains(&phone.connection));
    }
    let late = world.connect(50_003);
    assert!(world.closed.contains(&late));
    assert_eq!(world.server.counters(), ocs_server::Counters::default());
    assert_eq!(world.server.poll_timeout(), None);
}
