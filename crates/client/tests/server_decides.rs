//! What a user agent makes of a server's answers and orders.

mod common;

use std::time::Duration;

use common::{EPID, Solo, aor, captured, rebuilt};
use ocs_client::{Event, Failure};
use ocs_ntlm::Credential;
use ocs_sip_core::{HeaderName, Message, Method, Transport};
use ocs_siprege::notify::RegistrationEvent;

const NEVER: fn(&mut Solo, Message) = |_, message| panic!("unexpected {message:?}");

/// A recorded NOTIFY for the client that sent `register`.
fn deregistration(register: &Message, body: &str) -> Message {
    let mut notify = captured("deregister-notify.sip");
    notify.remove(HeaderName::AuthenticationInfo);
    notify.set(HeaderName::CallId, register.call_id().unwrap());
    notify.set(HeaderName::To, register.header(HeaderName::From).unwrap());
    notify.set_body("text/registration-event", body.to_owned());
    notify
}

fn failure(solo: &Solo) -> Option<&Failure> {
    solo.events.iter().rev().find_map(|event| match event {
        Event::SignInFailed(failure) => Some(failure),
        _ => None,
    })
}

#[test]
fn register_has_what_servers_want() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    assert_eq!(register.request_uri(), Some("sip:contoso.com"));
    assert_eq!(register.from_header().unwrap().epid(), Some(EPID));
    assert_eq!(register.header(HeaderName::CSeq), Some("3 REGISTER"));
    assert_eq!(
        register.header(HeaderName::MsKeepAlive),
        Some("UAC;hop-hop=yes")
    );
    assert_eq!(register.header(HeaderName::Expires), None);
    let contact = register.contact().unwrap();
    assert_eq!(
        contact.instance(),
        Some("urn:uuid:5ccdb10d-dca1-559e-ad2b-b514060a2da2")
    );
    assert_eq!(contact.params().get("proxy"), Some("replace"));
    solo.accept_register(&register, 7200, "added");
    assert_eq!(
        solo.agent.gruu(),
        Some("sip:alice@contoso.com;opaque=user:epid:DbHNXKHcnlWtK7UUBgotogAA;gruu")
    );
    // Once more changes nothing.
    solo.agent.sign_in(solo.now);
    solo.drain();
    assert!(solo.take().is_empty());
    assert_eq!(solo.connects.len(), 1);
}

#[test]
fn a_redirect_is_followed() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    let response = rebuilt("redirect-301.sip", &register);
    solo.send(response);
    let (host, address, transport) = solo.connects.last().unwrap();
    assert_eq!(host, "127.0.0.1");
    assert_eq!(address.port(), 7411);
    assert_eq!(*transport, Transport::Tcp);
    assert_eq!(solo.closed.len(), 1);
    let register = solo.one();
    solo.accept_register(&register, 7200, "added");
    assert!(solo.agent.is_signed_in());
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    let response = rebuilt("forbidden-403.sip", &register);
    solo.send(response);
    assert_eq!(
        failure(&solo),
        Some(&Failure::Refused {
            status: 403,
            reason: "User not enabled".into()
        })
    );
    assert_eq!(solo.connection, None);
    assert_eq!(solo.agent.poll_timeout(), None);
    // Asked again, it tries again.
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    assert!(solo.agent.is_signed_in());
}

#[test]
fn a_wrong_password_is_told() {
    let mut solo = Solo::new(|config| config.credential = Credential::from_password("letmein"));
    solo.agent.sign_in(solo.now);
    solo.drain();
    assert!(
        matches!(failure(&solo), Some(Failure::Authentication(_))),
        "{:?}",
        solo.events
    );
    assert_eq!(solo.connection, None);
}

#[test]
fn temporary_refusals() {
    // 504: again on the same connection after 60 s. 503 with Retry-After: again then. 503 alone: there is no other server.
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.reply(&register, 504);
    solo.advance(Duration::from_secs(59), NEVER);
    let mut again = Vec::new();
    solo.advance(Duration::from_secs(2), |_, message| again.push(message));
    assert_eq!(again.len(), 1);
    assert_eq!(solo.connects.len(), 1);
    let response = solo
        .answer(&again[0], 503)
        .with(HeaderName::RetryAfter, "120");
    solo.send(response);
    assert_eq!(solo.connection, None);
    solo.advance(Duration::from_secs(119), NEVER);
    let mut again = Vec::new();
    solo.advance(Duration::from_secs(40), |_, message| again.push(message));
    assert_eq!((again.len(), solo.connects.len()), (1, 2));
    let response = solo
        .answer(&again[0], 503)
        .with(HeaderName::MsDiagnostics, "1;reason=\"Overloaded\"");
    solo.send(response);
    assert_eq!(
        failure(&solo),
        Some(&Failure::Refused {
            status: 503,
            reason: "Overloaded".into()
        })
    );
}

#[test]
fn a_server_that_never_answers() {
    let mut solo = Solo::new(|_| {});
    solo.sign_in();
    solo.advance(Duration::from_secs(120), |_, _| {});
    assert!(
        matches!(failure(&solo), Some(Failure::NoServer { tried: 1 })),
        "{:?}",
        solo.events
    );
}

#[test]
fn refreshed_in_time_and_lost() {
    let mut solo = Solo::signed_in(600, |_| {});
    solo.advance(Duration::from_secs(569), NEVER);
    let mut seen = Vec::new();
    solo.advance(Duration::from_secs(2), |solo, message| {
        solo.accept_register(&message, 600, "refreshed");
        seen.push(message);
    });
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header(HeaderName::CSeq), Some("4 REGISTER"));
    let signed_in = |solo: &Solo| {
        let told = |event: &&Event| matches!(event, Event::SignedIn { .. });
        solo.events.iter().filter(told).count()
    };
    assert_eq!(signed_in(&solo), 1);
    // A refresh that made a new binding: the old one was lost, and every dialog with it.
    let id = solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    solo.take();
    let mut count = 0;
    solo.advance(Duration::from_secs(571), |solo, message| {
        if message.method() == Some(&Method::Register) {
            count += 1;
            solo.accept_register(&message, 600, "added");
        }
    });
    assert_eq!(count, 2);
    assert_eq!(signed_in(&solo), 2);
    assert!(
        solo.told(|event| matches!(event, Event::NotDelivered { id: told, .. } if *told == id))
    );
}

#[test]
fn a_hostile_lifetime_makes_no_flood() {
    let mut solo = Solo::signed_in(0, |_| {});
    let mut count = 0;
    solo.advance(Duration::from_secs(60), |solo, message| {
        count += 1;
        solo.accept_register(&message, 0, "refreshed");
    });
    assert!((1..=12).contains(&count), "{count}");
}

#[test]
fn keep_alive_at_two_thirds() {
    let mut solo = Solo::signed_in(7200, |_| {});
    let start = solo.now;
    solo.advance(Duration::from_secs(650), NEVER);
    let at: Vec<_> = solo
        .keep_alives
        .iter()
        .map(|at| at.duration_since(start).as_secs())
        .collect();
    assert_eq!(at, [200, 400, 600]);
}

#[test]
fn the_association_is_renewed_before_its_end() {
    let mut solo = Solo::signed_in(7200, |_| {});
    let first = solo.association;
    let start = solo.now;
    let mut renewed = None;
    solo.advance(Duration::from_secs(9 * 3600), |solo, message| {
        assert_eq!(message.method(), Some(&Method::Register));
        if solo.association != first && renewed.is_none() {
            renewed = Some(solo.now.duration_since(start).as_secs());
        }
        solo.accept_register(&message, 7200, "refreshed");
    });
    assert_eq!(renewed, Some(8 * 3600 - 300));
    assert!(solo.agent.is_signed_in());
    assert_eq!(solo.connects.len(), 1);
    assert_eq!(solo.authentication.associations(), 1);
}

#[test]
fn deregistered_for_good() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    solo.send(deregistration(&register, "deregistered;event=rejected"));
    let answer = solo.one();
    assert_eq!(
        answer.status(),
        Some(200),
        "before the connection is closed"
    );
    assert_eq!(solo.connection, None);
    assert!(solo.told(|event| matches!(
        event,
        Event::Registration {
            event: RegistrationEvent::Rejected,
            reason: Some(reason),
        } if reason == "User disabled"
    )));
    assert_eq!(
        failure(&solo),
        Some(&Failure::Deregistered(RegistrationEvent::Rejected))
    );
    assert_eq!(solo.agent.poll_timeout(), None);
}

#[test]
fn deregistered_for_now() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    solo.send(deregistration(&register, "deregistered;event=deactivated"));
    solo.take();
    assert_eq!(solo.connection, None);
    solo.advance(Duration::from_secs(29), NEVER);
    let mut again = 0;
    solo.advance(Duration::from_secs(32), |solo, message| {
        again += 1;
        solo.accept_register(&message, 7200, "added");
    });
    assert_eq!(again, 1);
    assert!(solo.agent.is_signed_in());
}

#[test]
fn moved_to_another_registrar() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    let mut notify = deregistration(&register, "deregistered;event=preferred-registrar-change");
    notify.push_named(
        "P-Preferred-Registrar",
        "sip:fe02.contoso.com:5062;transport=tcp",
    );
    solo.send(notify);
    let (host, address, _) = solo.connects.last().unwrap();
    assert_eq!((host.as_str(), address.port()), ("fe02.contoso.com", 5062));
    solo.take();
    // Survivable mode changes nothing about the registration.
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    let mut notify = deregistration(&register, "registered;event=userservices-unavailable");
    notify.set(HeaderName::SubscriptionState, "active;expires=0");
    solo.send(notify);
    assert_eq!(solo.one().status(), Some(200));
    assert!(solo.agent.is_signed_in());
}

#[test]
fn what_is_not_signed_does_not_count() {
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    let notify = deregistration(&register, "deregistered;event=rejected");
    solo.deliver(notify.to_bytes());
    let invite = solo.invite();
    solo.deliver(invite.to_bytes());
    // Signed, then changed.
    let mut invite = solo.invite();
    let association = solo.association.unwrap();
    solo.authentication
        .sign(solo.now, association, &mut invite)
        .unwrap();
    invite.set(HeaderName::PAssertedIdentity, "<sip:carol@contoso.com>");
    solo.deliver(invite.to_bytes());
    assert_eq!(solo.agent.dropped(), 3);
    assert!(solo.take().is_empty());
    assert!(solo.agent.is_signed_in());
    assert!(!solo.told(|event| matches!(event, Event::Invited { .. })));
    // Signed, then said twice.
    let mut invite = solo.invite();
    solo.authentication
        .sign(solo.now, association, &mut invite)
        .unwrap();
    solo.deliver(invite.to_bytes());
    solo.deliver(invite.to_bytes());
    assert_eq!(solo.agent.dropped(), 4);
    assert_eq!(solo.one().status(), Some(200));
}

#[test]
fn a_request_is_signed_again_once() {
    let mut solo = Solo::signed_in(7200, |_| {});
    let id = solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    let challenge = rebuilt("reauthenticate-401.sip", &invite);
    solo.send(challenge);
    let mut again = solo.take();
    assert_eq!(again.remove(0).method(), Some(&Method::Ack));
    let again = again.remove(0);
    assert_eq!(
        again.header(HeaderName::CSeq),
        invite.header(HeaderName::CSeq)
    );
    assert_eq!(again.call_id(), invite.call_id());
    assert_ne!(
        again.header(HeaderName::Authorization),
        invite.header(HeaderName::Authorization)
    );
    // The second challenge is the last: the text failed, and the association is made anew.
    let challenge = rebuilt("reauthenticate-401.sip", &again);
    solo.send(challenge);
    assert!(solo.told(
        |event| matches!(event, Event::NotDelivered { id: told, status: 401, .. } if *told == id)
    ));
    let register = solo.take().pop().unwrap();
    assert_eq!(register.method(), Some(&Method::Register));
    solo.accept_register(&register, 7200, "refreshed");
    assert!(solo.agent.is_signed_in());
}

#[test]
fn what_a_refused_text_means() {
    let mut solo = Solo::signed_in(7200, |_| {});
    for (status, warning, reason) in [
        (486, None, "does not want to be disturbed"),
        (
            480,
            Some("391 lcs.microsoft.com \"x\""),
            "does not want to be disturbed",
        ),
        (415, None, "cannot show this kind of text"),
        (503, None, "the service is not available"),
        (603, None, "the service is not available"),
        (
            606,
            Some("309 lcs.microsoft.com \"x\""),
            "blocked by a policy",
        ),
        (404, None, "is not online"),
    ] {
        let id = solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
        solo.drain();
        let invite = solo.one();
        let mut response = solo.answer(&invite, status);
        if let Some(warning) = warning {
            response.push(HeaderName::Warning, warning);
        }
        solo.send(response);
        assert_eq!(solo.one().method(), Some(&Method::Ack));
        let told = Event::NotDelivered {
            to: aor("bob"),
            id,
            status,
            reason: reason.into(),
        };
        assert!(solo.events.contains(&told), "{:?}", solo.events);
        assert_eq!(solo.agent.conversations().count(), 0);
    }
    // No answer at all.
    let id = solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    solo.take();
    solo.advance(Duration::from_secs(33), |_, _| {});
    assert!(solo.told(
        |event| matches!(event, Event::NotDelivered { id: told, status: 408, .. } if *told == id)
    ));
}

#[test]
fn a_text_that_fails_in_the_conversation() {
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    solo.pick_up(&invite, "b1");
    let mut sent = solo.take();
    assert_eq!(sent.remove(0).method(), Some(&Method::Ack));
    let message = sent.remove(0);
    assert_eq!(message.method(), Some(&Method::Message));
    assert_eq!(message.body(), "hi");
    solo.reply(&message, 200);
    assert!(solo.told(|event| matches!(event, Event::Delivered { .. })));
    // 481: bob has forgotten the conversation. BYE clears the way, and the next text calls again.
    let id = solo
        .agent
        .send_text(solo.now, &aor("bob"), "there?")
        .unwrap();
    solo.drain();
    let message = solo.one();
    solo.reply(&message, 481);
    assert!(solo.told(
        |event| matches!(event, Event::NotDelivered { id: told, status: 481, .. } if *told == id)
    ));
    assert!(solo.told(|event| matches!(event, Event::ConversationEnded { .. })));
    assert_eq!(solo.one().method(), Some(&Method::Bye));
    solo.agent
        .send_text(solo.now, &aor("bob"), "again")
        .unwrap();
    solo.drain();
    assert_eq!(solo.one().method(), Some(&Method::Invite));
}

#[test]
fn two_callees_pick_up() {
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    solo.pick_up(&invite, "b1");
    solo.take();
    solo.pick_up(&invite, "b2");
    let sent: Vec<_> = solo
        .take()
        .into_iter()
        .map(|message| {
            (
                message.method().unwrap().to_string(),
                message.to_header().unwrap().tag().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [("ACK", "b2"), ("BYE", "b2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(sent, expected);
    let started = |event: &&Event| matches!(event, Event::ConversationStarted { .. });
    assert_eq!(solo.events.iter().filter(started).count(), 1);
}

#[test]
fn an_answer_that_crosses_the_cancel() {
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    solo.reply(&invite, 180);
    solo.agent.end_conversation(solo.now, &aor("bob"));
    solo.drain();
    let cancel = solo.one();
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    assert_eq!(
        cancel.top_via().unwrap().branch(),
        invite.top_via().unwrap().branch()
    );
    // A new call to the same user before the old one is over: their answers are not mixed up.
    solo.agent
        .send_text(solo.now, &aor("bob"), "once more")
        .unwrap();
    solo.drain();
    let second = solo.one();
    solo.pick_up(&invite, "b1");
    let methods: Vec<_> = solo
        .take()
        .iter()
        .map(|m| m.method().unwrap().to_string())
        .collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    solo.pick_up(&second, "b2");
    let sent = solo.take();
    assert_eq!(sent[1].body(), "once more");
}

#[test]
fn calls_are_taken_or_declined() {
    for (everywhere, status) in [(false, 480), (true, 603)] {
        let mut solo = Solo::signed_in(7200, |config| config.auto_accept = false);
        let invite = solo.invite();
        solo.send(invite);
        assert_eq!(solo.one().status(), Some(180));
        solo.advance(Duration::from_secs(60), |_, _| {});
        solo.agent.decline(solo.now, &aor("bob"), everywhere);
        solo.drain();
        assert_eq!(solo.one().status(), Some(status));
        assert_eq!(solo.agent.conversations().count(), 0);
    }
    let mut solo = Solo::signed_in(7200, |config| config.auto_accept = false);
    let invite = solo.invite();
    solo.send(invite);
    solo.take();
    solo.agent.accept(solo.now, &aor("bob"));
    solo.drain();
    let answer = solo.one();
    assert_eq!(answer.status(), Some(200));
    assert_eq!(
        answer.contact().unwrap().uri_text(),
        solo.agent.gruu().unwrap()
    );
    // Who waits may be called off, because another endpoint was faster.
    let mut solo = Solo::signed_in(7200, |config| config.accept_delay = Duration::from_secs(10));
    let invite = solo.invite();
    solo.send(invite.clone());
    assert_eq!(solo.one().status(), Some(180));
    let mut cancel = Message::request(Method::Cancel, invite.request_uri().unwrap());
    for name in [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ] {
        cancel.push(name, invite.header(name).unwrap());
    }
    cancel.push(HeaderName::CSeq, "1 CANCEL");
    cancel.push(
        HeaderName::Reason,
        "SIP;cause=200;text=\"Call completed elsewhere\"",
    );
    solo.send(cancel);
    let statuses: Vec<_> = solo.take().iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [200, 487]);
    assert!(solo.told(|event| matches!(
        event,
        Event::ConversationEnded {
            elsewhere: true,
            ..
        }
    )));
    // Or picks up by itself in the end.
    let invite = solo.invite();
    solo.send(invite);
    solo.take();
    let mut statuses = Vec::new();
    solo.advance(Duration::from_secs(11), |_, message| {
        statuses.extend(message.status());
    });
    assert_eq!(statuses, [200]);
}

#[test]
fn both_call_at_the_same_time() {
    // alice's address is the smaller one: her call stands.
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.send_text(solo.now, &aor("bob"), "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    let crossing = solo.invite();
    solo.send(crossing);
    assert_eq!(solo.one().status(), Some(491));
    solo.pick_up(&invite, "b1");
    assert_eq!(solo.take()[1].body(), "hi");
    // And bob's gives way: his text goes out in the other conversation.
    let mut solo = Solo::signed_in(7200, |_| {});
    let first = aor("aaron");
    let id = solo.agent.send_text(solo.now, &first, "hi").unwrap();
    solo.drain();
    let invite = solo.one();
    solo.reply(&invite, 180);
    let mut crossing = solo.invite();
    crossing.set(HeaderName::From, "<sip:aaron@contoso.com>;tag=a;epid=aaaa");
    crossing.set(HeaderName::PAssertedIdentity, "<sip:aaron@contoso.com>");
    solo.send(crossing.clone());
    let sent = solo.take();
    let cancel = sent.iter().any(|m| m.method() == Some(&Method::Cancel));
    assert!(cancel, "{sent:?}");
    let answer = sent
        .iter()
        .find(|m| m.status() == Some(200))
        .expect("an answer");
    let mut ack = solo.request(Method::Ack);
    ack.set(HeaderName::CallId, crossing.call_id().unwrap());
    ack.set(HeaderName::From, crossing.header(HeaderName::From).unwrap());
    ack.set(HeaderName::To, answer.header(HeaderName::To).unwrap());
    ack.set(HeaderName::CSeq, "1 ACK");
    solo.send(ack);
    let message = solo.one();
    assert_eq!(message.body(), "hi");
    solo.reply(&message, 200);
    assert!(solo.told(|event| matches!(event, Event::Delivered { id: told, .. } if *told == id)));
    assert!(!solo.told(|event| matches!(
        event,
        Event::NotDelivered { .. } | Event::ConversationEnded { .. }
    )));
}

#[test]
fn conversations_are_bounded() {
    let mut solo = Solo::signed_in(7200, |config| config.conversations = 2);
    for name in ["bob", "carol", "dave"] {
        let mut invite = solo.invite();
        invite.set(
            HeaderName::PAssertedIdentity,
            &format!("<sip:{name}@contoso.com>"),
        );
        solo.send(invite);
    }
    let statuses: Vec<_> = solo.take().iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [200, 200, 486]);
    assert!(solo.agent.send_text(solo.now, &aor("erin"), "hi").is_err());
}

#[test]
fn signing_out_and_in() {
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.sign_out(solo.now);
    solo.drain();
    let register = solo.one();
    assert_eq!(register.header(HeaderName::Expires), Some("0"));
    assert_eq!(register.header(HeaderName::CSeq), Some("4 REGISTER"));
    solo.reply(&register, 200);
    assert_eq!(solo.events.last(), Some(&Event::SignedOut));
    assert_eq!(solo.connection, None);
    assert_eq!(solo.agent.poll_timeout(), None);
    // No answer: it goes all the same, and does not come back.
    for silent in [true, false] {
        let mut solo = Solo::signed_in(7200, |_| {});
        solo.agent.sign_out(solo.now);
        solo.drain();
        if silent {
            solo.advance(Duration::from_secs(61), |_, _| {});
        } else {
            let connection = solo.connection.take().unwrap();
            solo.agent.handle_closed(solo.now, connection);
            solo.drain();
        }
        assert_eq!(solo.events.last(), Some(&Event::SignedOut));
        solo.advance(Duration::from_secs(3600), |_, _| {});
        assert_eq!(solo.connects.len(), 1);
        assert_eq!(solo.agent.poll_timeout(), None);
    }
    // The server ends the registration at the same moment.
    let mut solo = Solo::new(|_| {});
    let register = solo.sign_in();
    solo.accept_register(&register, 7200, "added");
    solo.agent.sign_out(solo.now);
    solo.drain();
    solo.send(deregistration(&register, "deregistered;event=deactivated"));
    assert_eq!(solo.events.last(), Some(&Event::SignedOut));
    assert_eq!(solo.agent.poll_timeout(), None);
    // While the sign-in is under way.
    let mut solo = Solo::new(|_| {});
    solo.agent.sign_in(solo.now);
    solo.agent.sign_out(solo.now);
    solo.drain();
    assert_eq!(solo.agent.poll_timeout(), None);
    let register = solo.sign_in();
    solo.agent.sign_out(solo.now);
    solo.drain();
    assert_eq!(solo.connection, None);
    drop(register);
    assert_eq!(solo.agent.poll_timeout(), None);
    // Signing in again while signing out.
    let mut solo = Solo::signed_in(7200, |_| {});
    solo.agent.sign_out(solo.now);
    solo.agent.sign_in(solo.now);
    solo.drain();
    let register = solo.take().pop().unwrap();
    assert_eq!(register.header(HeaderName::Expires), None);
    solo.accept_register(&register, 7200, "refreshed");
    assert!(solo.agent.is_signed_in());
}
