//! Dialogs, forks, session timers, reliable provisional responses and Replaces.

use std::time::{Duration, Instant};

use ocs_sip_core::dialog::{
    AnswerRepeater, AnswerTimers, Dialog, DialogError, DialogSet, DialogState, ForkOutcome,
    Incoming, ProvisionalEvent, ProvisionalReceiver, ProvisionalSender, Replacing, Role,
    SessionEvent, SessionPolicy, SessionTimer,
};
use ocs_sip_core::header::Replaces;
use ocs_sip_core::{HeaderName, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

fn invite() -> Message {
    Message::request(Method::Invite, "sip:bob@contoso.com")
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK1")
        .with(
            HeaderName::From,
            "\"Alice, A\" <sip:alice@contoso.com>;tag=a;epid=0a",
        )
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "call")
        .with(HeaderName::CSeq, "7 INVITE")
        .with(HeaderName::Contact, "<sip:alice@192.0.2.9;gruu>")
}

fn answer(code: u16, tag: &str) -> Message {
    let mut response = Message::response_to(&invite(), code, None)
        .with(HeaderName::Contact, &format!("<sip:bob@host-{tag}>"))
        .with(
            HeaderName::RecordRoute,
            "<sip:p2.contoso.com;lr;ms-route-sig=x/=>;tag=9, <sip:p1.contoso.com;lr>",
        );
    response.set(
        HeaderName::To,
        &format!("<sip:bob@contoso.com>;tag={tag};epid=0b"),
    );
    response
}

/// The same message from the other side's point of view cannot be told apart: in-dialog request of `dialog`'s peer.
fn from_peer(dialog: &Dialog, method: Method, cseq: u32) -> Message {
    let id = dialog.id();
    let text = format!("{cseq} {method}");
    Message::request(method, "sip:me@192.0.2.9")
        .with(
            HeaderName::From,
            &format!("<{}>;tag={}", dialog.remote_uri(), id.remote_tag),
        )
        .with(
            HeaderName::To,
            &format!("<{}>;tag={}", dialog.local_uri(), id.local_tag),
        )
        .with(HeaderName::CallId, &id.call_id)
        .with(HeaderName::CSeq, &text)
}

#[test]
fn client_side() {
    let mut dialog = Dialog::uac(&invite(), &answer(180, "b")).unwrap();
    assert_eq!(
        (dialog.state(), dialog.role()),
        (DialogState::Early, Role::Uac)
    );
    // The 2xx sets route set and target anew; later responses only the target.
    let mut ok = answer(200, "b");
    ok.set(
        HeaderName::RecordRoute,
        "<sip:p3.contoso.com;lr>, <sip:p1.contoso.com;lr>",
    );
    ok.set(HeaderName::Contact, "<sip:bob@new>");
    dialog.handle_response(&ok).unwrap();
    assert_eq!(dialog.state(), DialogState::Confirmed);
    let ack = dialog.ack_for_2xx(7);
    let text = String::from_utf8(ack.to_bytes().to_vec()).unwrap();
    assert_eq!(
        text,
        "ACK sip:bob@new SIP/2.0\r\n\
         Route: <sip:p1.contoso.com;lr>\r\n\
         Route: <sip:p3.contoso.com;lr>\r\n\
         Max-Forwards: 70\r\n\
         From: \"Alice, A\" <sip:alice@contoso.com>;tag=a;epid=0a\r\n\
         To: <sip:bob@contoso.com>;tag=b;epid=0b\r\n\
         Call-ID: call\r\n\
         CSeq: 7 ACK\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let again = dialog.request(Method::Invite);
    assert_eq!(again.header(HeaderName::CSeq), Some("8 INVITE"));
    let mut ok = Message::response_to(&again, 200, None);
    ok.push(HeaderName::Contact, "<sip:bob@newer>");
    ok.push(HeaderName::RecordRoute, "<sip:evil.example;lr>");
    dialog.handle_response(&ok).unwrap();
    assert_eq!(dialog.remote_target(), "sip:bob@newer");
    assert_eq!(
        dialog.route_set().collect::<Vec<_>>(),
        ["sip:p1.contoso.com;lr", "sip:p3.contoso.com;lr"]
    );
    assert_eq!(dialog.remote_epid(), Some("0b"));
    let message = dialog.request(Method::Message);
    let gone = Message::response_to(&message, 481, None);
    dialog.handle_response(&gone).unwrap();
    assert_eq!(dialog.state(), DialogState::Terminated);
}

#[test]
fn server_side() {
    let mut request = invite();
    request.push(
        HeaderName::RecordRoute,
        "<sip:p2.contoso.com;lr>, <sip:p1.contoso.com;lr>",
    );
    let mut dialog = Dialog::uas(&request, "b").unwrap();
    assert_eq!(dialog.state(), DialogState::Early);
    let ringing = dialog.respond(&request, 180);
    assert_eq!(ringing.to_header().unwrap().tag(), Some("b"));
    assert!(ringing.header(HeaderName::RecordRoute).is_some());
    assert_eq!(dialog.state(), DialogState::Early);
    let ok = dialog.respond(&request, 200);
    assert_eq!(dialog.state(), DialogState::Confirmed);
    // Both sides agree on the dialog.
    let client = Dialog::uac(&invite(), &ok).unwrap();
    assert_eq!(client.id().local_tag, dialog.id().remote_tag);
    assert_eq!(client.id().remote_tag, dialog.id().local_tag);

    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.request_uri(), Some("sip:alice@192.0.2.9;gruu"));
    assert_eq!(
        bye.lines(HeaderName::Route).collect::<Vec<_>>(),
        ["<sip:p2.contoso.com;lr>", "<sip:p1.contoso.com;lr>"]
    );
    assert_eq!(
        bye.header(HeaderName::To),
        Some("\"Alice, A\" <sip:alice@contoso.com>;tag=a;epid=0a")
    );
    assert_eq!(
        bye.header(HeaderName::From),
        Some("<sip:bob@contoso.com>;tag=b")
    );
    assert_eq!(bye.header(HeaderName::CSeq), Some("1 BYE"));
    assert!(client.matches(&bye));
    assert!(!dialog.matches(&bye));

    let mut refused = Dialog::uas(&request, "c").unwrap();
    refused.respond(&request, 486);
    assert_eq!(refused.state(), DialogState::Terminated);
}

#[test]
fn what_makes_no_dialog() {
    assert_eq!(
        Dialog::uac(&invite(), &answer(100, "b")),
        Err(DialogError::NoDialog)
    );
    assert_eq!(
        Dialog::uac(&invite(), &answer(486, "b")),
        Err(DialogError::NoDialog)
    );
    let untagged = Message::response_to(&invite(), 180, None);
    assert_eq!(
        Dialog::uac(&invite(), &untagged),
        Err(DialogError::NoTag(HeaderName::To))
    );
    let mut request = invite();
    request.set(HeaderName::From, "<sip:alice@contoso.com>");
    assert_eq!(
        Dialog::uas(&request, "b"),
        Err(DialogError::NoTag(HeaderName::From))
    );
    let request = Message::request(Method::Message, "sip:bob@contoso.com");
    assert_eq!(Dialog::uas(&request, "b"), Err(DialogError::NoDialog));
}

#[test]
fn strict_routing() {
    let mut response = answer(200, "b");
    response.set(
        HeaderName::RecordRoute,
        "<sip:p2.contoso.com;lr>, <sip:p1.contoso.com;method=INVITE;transport=tcp?a=b>",
    );
    let mut dialog = Dialog::uac(&invite(), &response).unwrap();
    let info = dialog.request(Method::Info);
    assert_eq!(info.request_uri(), Some("sip:p1.contoso.com;transport=tcp"));
    assert_eq!(
        info.lines(HeaderName::Route).collect::<Vec<_>>(),
        ["<sip:p2.contoso.com;lr>", "<sip:bob@host-b>"]
    );
}

#[test]
fn order_of_requests_and_target_refresh() {
    let mut dialog = Dialog::uac(&invite(), &answer(200, "b")).unwrap();
    let table = [
        (Method::Info, 10, Incoming::Accepted),
        (Method::Info, 9, Incoming::OutOfOrder),
        (Method::Info, 10, Incoming::Accepted),
        (Method::Message, 400, Incoming::Accepted),
        (Method::Benotify, 30, Incoming::Accepted),
        (Method::Ack, 1, Incoming::Accepted),
        (Method::Notify, 399, Incoming::OutOfOrder),
    ];
    for (method, cseq, expected) in table {
        let request = from_peer(&dialog, method.clone(), cseq);
        assert_eq!(
            dialog.handle_request(&request),
            Ok(expected),
            "{method} {cseq}"
        );
    }
    for (method, refreshes) in [
        (Method::Info, false),
        (Method::Message, false),
        (Method::Invite, true),
        (Method::Update, true),
        (Method::Notify, true),
        (Method::Subscribe, true),
        (Method::Refer, true),
    ] {
        let contact = format!("<sip:bob@{method}>");
        let request = from_peer(&dialog, method, 500).with(HeaderName::Contact, &contact);
        dialog.handle_request(&request).unwrap();
        assert_eq!(contact.contains(dialog.remote_target()), refreshes);
    }
    let mut other = from_peer(&dialog, Method::Info, 501);
    other.set(HeaderName::CallId, "other");
    assert_eq!(dialog.handle_request(&other), Err(DialogError::OtherDialog));
    let bye = from_peer(&dialog, Method::Bye, 501);
    dialog.handle_request(&bye).unwrap();
    assert_eq!(dialog.state(), DialogState::Terminated);
    let ok = dialog.respond(&bye, 200);
    assert_eq!(ok.to_header().unwrap().tag(), Some("a"));
}

#[test]
fn a_route_is_recovered() {
    let mut dialog = Dialog::uac(&invite(), &answer(200, "b")).unwrap();
    let update = dialog.request(Method::Update);
    let ok = Message::response_to(&update, 200, None)
        .with(HeaderName::RecordRoute, "<sip:fe2.contoso.com;lr>")
        .with(HeaderName::Contact, "<sip:bob@moved>");
    dialog.recover_route(&ok);
    assert_eq!(
        dialog.route_set().collect::<Vec<_>>(),
        ["sip:fe2.contoso.com;lr"]
    );
    assert_eq!(dialog.remote_target(), "sip:bob@moved");
}

#[test]
fn forks() {
    let now = Instant::now();
    let mut set = DialogSet::new(invite()).with_max_forks(4);
    let trying = Message::response_to(&invite(), 100, None);
    assert_eq!(set.handle_response(now, &trying), Ok(ForkOutcome::Progress));
    for tag in ["x", "y", "z", "w"] {
        let outcome = set.handle_response(now, &answer(180, tag)).unwrap();
        assert!(matches!(outcome, ForkOutcome::Early(id) if id.remote_tag == tag));
    }
    assert_eq!(
        set.handle_response(now, &answer(180, "v")),
        Ok(ForkOutcome::TooMany)
    );
    // Three 2xx.
    for (tag, expected) in [("y", true), ("x", false), ("z", false)] {
        match set.handle_response(now, &answer(200, tag)).unwrap() {
            ForkOutcome::Confirmed { id, first } => {
                assert_eq!((id.remote_tag.as_str(), first), (tag, expected));
                let ack = set.ack(&id).unwrap();
                assert_eq!(ack.to_header().unwrap().tag(), Some(tag));
                assert_eq!(ack.header(HeaderName::CSeq), Some("7 ACK"));
                if !first {
                    let mut extra = set.take(&id).unwrap();
                    assert_eq!(
                        extra.request(Method::Bye).to_header().unwrap().tag(),
                        Some(tag)
                    );
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        set.handle_response(now, &answer(200, "y")),
        Ok(ForkOutcome::Repeated(_))
    ));
    let end = set.poll_timeout().unwrap();
    assert_eq!(end - now, Duration::from_secs(32));
    set.handle_timeout(end);
    assert_eq!(set.poll_timeout(), None);
    let states: Vec<_> = set.dialogs().iter().map(Dialog::state).collect();
    assert_eq!(states, [DialogState::Confirmed, DialogState::Terminated]);

    let mut set = DialogSet::new(invite());
    set.handle_response(now, &answer(180, "x")).unwrap();
    assert_eq!(
        set.handle_response(now, &answer(486, "q")),
        Ok(ForkOutcome::Failed)
    );
    assert_eq!(set.dialogs()[0].state(), DialogState::Terminated);
}

#[test]
fn replaces() {
    let confirmed = Dialog::uac(&invite(), &answer(200, "b")).unwrap();
    let early = Dialog::uac(&invite(), &answer(180, "b")).unwrap();
    let ringing = Dialog::uas(&invite(), "b").unwrap();
    let value = |to_tag, from_tag, early_only| Replaces {
        call_id: "call",
        to_tag,
        from_tag,
        early_only,
    };
    let table = [
        (&confirmed, value("a", "b", false), Replacing::Replace),
        (&confirmed, value("a", "b", true), Replacing::Refuse(486)),
        (&confirmed, value("b", "a", false), Replacing::Other),
        (&early, value("a", "b", true), Replacing::Replace),
        (&ringing, value("b", "a", false), Replacing::Refuse(481)),
    ];
    for (dialog, replaces, expected) in table {
        assert_eq!(dialog.replaced_by(&replaces), expected);
    }
    let mut ended = confirmed.clone();
    ended.terminate();
    assert_eq!(
        ended.replaced_by(&value("a", "b", false)),
        Replacing::Refuse(603)
    );
    assert_eq!(
        early.replaces_value(),
        "call;to-tag=b;from-tag=a;early-only"
    );
}

#[test]
fn a_2xx_is_repeated_until_its_ack() {
    let start = Instant::now();
    let mut repeater =
        AnswerRepeater::new(start, answer(200, "b"), &AnswerTimers::default()).unwrap();
    let mut sent = Vec::new();
    while let Some(at) = repeater.poll_timeout() {
        repeater.handle_timeout(at);
        if repeater.poll_transmit().is_some() {
            sent.push((at - start).as_millis());
        }
    }
    assert_eq!(
        sent,
        [
            500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
        ]
    );
    assert!(repeater.has_failed());
    let mut repeater =
        AnswerRepeater::new(start, answer(200, "b"), &AnswerTimers::default()).unwrap();
    let client = Dialog::uac(&invite(), &answer(200, "b")).unwrap();
    assert!(!repeater.handle_ack(&client.ack_for_2xx(6)));
    assert!(repeater.handle_ack(&client.ack_for_2xx(7)));
    assert_eq!(repeater.poll_timeout(), None);
    assert!(!repeater.has_failed());
}

#[test]
fn reliable_provisional_responses() {
    let now = Instant::now();
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut sender = ProvisionalSender::new(&mut rng, AnswerTimers::default());
    let mut receiver = ProvisionalReceiver::default();
    sender.send(now, answer(183, "b"));
    sender.send(now, answer(180, "b"));
    let first = sender.poll_transmit().unwrap();
    assert_eq!(sender.poll_transmit(), None, "one at a time");
    // Lost; repeated.
    sender.handle_timeout(now + Duration::from_millis(500));
    assert_eq!(sender.poll_transmit(), Some(first.clone()));
    let mut dialog = Dialog::uac(&invite(), &first).unwrap();
    let mut prack = dialog.request(Method::Prack);
    prack.push(HeaderName::RAck, &receiver.handle_response(&first).unwrap());
    assert_eq!(receiver.handle_response(&first), None, "a repetition");
    assert_eq!(sender.handle_prack(now, &prack), 200);
    assert_eq!(sender.handle_prack(now, &prack), 481);
    let second = sender.poll_transmit().unwrap();
    assert_eq!(second.status(), Some(180));
    assert!(receiver.handle_response(&second).is_some());
    assert!(matches!(
        sender.poll_event(),
        Some(ProvisionalEvent::Acknowledged(_))
    ));
    // No PRACK ever.
    let mut now = now;
    while let Some(at) = sender.poll_timeout() {
        assert!(at > now);
        now = at;
        sender.handle_timeout(now);
    }
    assert_eq!(sender.poll_event(), Some(ProvisionalEvent::Failed));
    assert!(sender.is_idle());
    assert_eq!(receiver.handle_response(&answer(180, "b")), None);
    assert_eq!(
        sender.handle_prack(now, &Message::request(Method::Prack, "sip:a@b")),
        400
    );
}

#[test]
fn session_timers_between_two_sides() {
    let now = Instant::now();
    // What the client says about the extension, what the answer says, who refreshes.
    for (supported, wish, refresher) in [
        (true, "", "uac"),
        (true, ";refresher=uac", "uac"),
        (true, ";refresher=uas", "uas"),
        (false, "", "uas"),
    ] {
        let mut request = invite();
        if supported {
            request.push(HeaderName::Supported, "gruu-10, timer");
        }
        request.push(HeaderName::SessionExpires, &format!("600{wish}"));
        let mut server = SessionTimer::new(SessionPolicy::default());
        assert_eq!(server.check_request(&request), Ok(()));
        let mut ok = answer(200, "b");
        server.answer(now, &request, &mut ok);
        assert_eq!(
            ok.header(HeaderName::SessionExpires),
            Some(format!("600;refresher={refresher}").as_str())
        );
        assert_eq!(ok.lists(HeaderName::Require, "timer"), refresher == "uac");
        let mut client = SessionTimer::new(SessionPolicy::default());
        client.handle_success(now, &ok);
        assert_eq!(client.is_refresher(), Some(refresher == "uac"));
        assert_eq!(server.is_refresher(), Some(refresher == "uas"));
        let (mut active, mut passive) = if refresher == "uac" {
            (client, server)
        } else {
            (server, client)
        };
        assert_eq!(active.poll_timeout(), Some(now + Duration::from_mins(5)));
        assert_eq!(passive.poll_timeout(), Some(now + Duration::from_secs(568)));
        active.handle_timeout(now + Duration::from_mins(5));
        assert_eq!(active.poll_event(), Some(SessionEvent::Refresh));
        let mut refresh = Message::request(Method::Update, "sip:a@b");
        active.prepare_request(&mut refresh);
        assert_eq!(
            refresh.header(HeaderName::SessionExpires),
            Some("1800;refresher=uac")
        );
        passive.handle_timeout(now + Duration::from_secs(568));
        assert_eq!(passive.poll_event(), Some(SessionEvent::Expired));
        assert_eq!(passive.poll_timeout(), None);
    }
}

#[test]
fn session_intervals_that_are_too_small() {
    let now = Instant::now();
    let policy = SessionPolicy {
        interval: 100,
        ..SessionPolicy::default()
    };
    let mut client = SessionTimer::new(policy);
    let mut request = invite();
    client.prepare_request(&mut request);
    let server = SessionTimer::new(SessionPolicy {
        min_se: 300,
        ..SessionPolicy::default()
    });
    assert_eq!(server.check_request(&request), Err(300));
    let refusal = answer(422, "b").with(HeaderName::MinSe, "300");
    assert!(client.handle_422(&refusal));
    assert!(!client.handle_422(&refusal), "no loop");
    client.prepare_request(&mut request);
    assert_eq!(server.check_request(&request), Ok(()));
    assert_eq!(request.header(HeaderName::SessionExpires), Some("300"));
    assert_eq!(request.header(HeaderName::MinSe), Some("300"));
    // An answer without the header: no timer.
    client.handle_success(now, &answer(200, "b"));
    assert_eq!(client.is_refresher(), None);
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn a_suspended_session_does_not_age() {
    let now = Instant::now();
    let mut timer = SessionTimer::new(SessionPolicy::default());
    let ok = answer(200, "b").with(HeaderName::SessionExpires, "600;refresher=uas");
    timer.handle_success(now, &ok);
    timer.suspend(now + Duration::from_secs(500));
    assert_eq!(timer.poll_timeout(), None);
    timer.resume(now + Duration::from_secs(2000));
    assert_eq!(timer.poll_timeout(), Some(now + Duration::from_secs(2068)));
}
