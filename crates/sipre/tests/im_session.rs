//! Both sides of IM sessions, with the recorded messages as peer.

mod common;

use std::time::{Duration, Instant};

use common::{bytes, message, text};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipre::im::{
    Action, Config, Ended, Event, Format, ImSdp, ImSession, Meaning, RequestId, State, Text,
    TextId, TextKind, TransactionId, Typing,
};
use ocs_sipre::{Error, Refusal};

const T: TransactionId = TransactionId(1);

fn config() -> Config {
    let mut sdp = ImSdp::new([127, 0, 0, 1].into(), 5999);
    sdp.accept_types.retain(|t| t != "multipart/alternative");
    let mut config = Config::new(sdp, "sip:bob@contoso.com");
    config.spaced_typing = true;
    config
}

/// The request that the session wants sent, which must be the only action.
fn request(session: &mut ImSession, method: &Method) -> (RequestId, Message) {
    let action = session.poll_action();
    let Some(Action::Request(request)) = action else {
        panic!("{action:?}")
    };
    assert_eq!(request.method, *method);
    let mut message = Message::request(request.method.clone(), "sip:x@y");
    request.apply(&mut message);
    (request.id, message)
}

fn respond(session: &mut ImSession) -> Message {
    let action = session.poll_action();
    let Some(Action::Respond(reply)) = action else {
        panic!("{action:?}")
    };
    assert_eq!(reply.transaction, T);
    let mut message = Message::response(reply.status);
    reply.apply(&mut message);
    message
}

fn status(session: &mut ImSession) -> u16 {
    respond(session).status().unwrap()
}

fn events(session: &mut ImSession) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// An outgoing session that stands, without first text.
fn established(now: Instant) -> ImSession {
    let (mut session, _) = ImSession::outgoing(config(), None);
    let (invite, _) = request(&mut session, &Method::Invite);
    session.handle_response(now, invite, &Message::response(200));
    assert_eq!(events(&mut session), [Event::Established]);
    session
}

fn send(session: &mut ImSession, now: Instant, text: &str) -> (TextId, RequestId) {
    let id = session.send(now, Text::plain(text)).unwrap();
    (id, request(session, &Method::Message).0)
}

#[test]
fn the_caller_of_the_recorded_session() {
    let now = Instant::now();
    let recorded = message("two-clients/051-C2S-alice-INVITE.sip");
    let font = "X-MMS-IM-Format: FN=MS%20Sans%20Serif; EF=; CO=0; PF=0; RL=0";
    let first = Text::formatted("Hi Bob", Format::parse(font).unwrap());
    let mut config = config();
    config.conversation_id = Some("551746507".into());
    let (mut session, id) = ImSession::outgoing(config, Some(first));
    let id = id.unwrap();
    let (invite, sent) = request(&mut session, &Method::Invite);
    for name in [
        HeaderName::Supported,
        HeaderName::MsTextFormat,
        HeaderName::MsConversationId,
        HeaderName::ContentType,
        HeaderName::ContentLength,
    ] {
        assert_eq!(sent.header(name), recorded.header(name));
    }
    assert_eq!(sent.body(), recorded.body());

    session.handle_response(
        now,
        invite,
        &message("two-clients/052-S2C-alice-100-INVITE.sip"),
    );
    session.handle_response(
        now,
        invite,
        &message("two-clients/055-S2C-alice-200-INVITE.sip"),
    );
    assert_eq!(session.state(), State::Active);
    assert_eq!(
        session.peer().unwrap().target.as_deref(),
        Some("sip:bob@contoso.com")
    );
    // The callee did not take the first text: it goes again.
    let recorded = message("two-clients/058-C2S-alice-MESSAGE.sip");
    let (request_id, sent) = request(&mut session, &Method::Message);
    assert_eq!(
        sent.header(HeaderName::ContentType),
        recorded.header(HeaderName::ContentType)
    );
    assert_eq!(sent.body(), recorded.body());
    session.handle_response(
        now,
        request_id,
        &message("two-clients/061-S2C-alice-200-MESSAGE.sip"),
    );
    assert_eq!(
        events(&mut session),
        [Event::Established, Event::Delivered(id)]
    );

    session.handle_request(now, T, &message("two-clients/063-S2C-alice-INFO.sip"));
    assert_eq!(status(&mut session), 200);
    session.handle_request(now, T, &message("two-clients/067-S2C-alice-MESSAGE.sip"));
    assert_eq!(status(&mut session), 200);
    let got = events(&mut session);
    assert_eq!(
        got[..2],
        [Event::Typing(Typing::Type), Event::Typing(Typing::Idle)]
    );
    assert!(matches!(&got[2], Event::Text { text, .. } if text.text == "Hello"));
    session.end();
    request(&mut session, &Method::Bye);
    assert_eq!(events(&mut session), [Event::Ended(Ended::Local)]);
    assert_eq!(session.poll_timeout(), None);
    assert_eq!(session.send(now, Text::plain("x")), Err(Error::Ended));
}

#[test]
fn the_callee_of_the_recorded_session() {
    let now = Instant::now();
    let invite = message("two-clients/053-S2C-bob-INVITE.sip");
    let mut session = ImSession::incoming(now, config(), T, &invite).unwrap();
    let got = events(&mut session);
    let [
        Event::Invited {
            preview,
            conversation_id,
            ..
        },
    ] = got.as_slice()
    else {
        panic!("{got:?}")
    };
    assert_eq!(preview.as_ref().unwrap().text, "Hi Bob");
    assert_eq!(conversation_id.as_deref(), Some("551746507"));
    session.ring();
    assert_eq!(status(&mut session), 180);
    session.accept(now);
    let answer = respond(&mut session);
    assert_eq!(
        answer.body(),
        message("two-clients/054-C2S-bob-200-INVITE.sip").body()
    );
    assert!(!answer.lists(HeaderName::Supported, "ms-text-format"));
    assert_eq!(events(&mut session), [Event::Established]);
    // Nothing is sent before the ACK.
    session.send(now, Text::plain("early")).unwrap();
    assert_eq!(session.poll_action(), None);
    session.handle_request(now, T, &message("two-clients/057-S2C-bob-ACK.sip"));
    request(&mut session, &Method::Message);
    session.handle_request(now, T, &message("two-clients/059-S2C-bob-MESSAGE.sip"));
    assert_eq!(status(&mut session), 200);
    assert!(
        matches!(&events(&mut session)[..], [Event::Text { text, .. }] if text.text == "Hi Bob")
    );
    session.typing(now);
    let (_, info) = request(&mut session, &Method::Info);
    assert_eq!(
        info.body(),
        message("two-clients/062-C2S-bob-INFO.sip").body()
    );
    session.handle_request(now, T, &message("two-clients/090-S2C-bob-BYE.sip"));
    assert_eq!(status(&mut session), 200);
    let got = events(&mut session);
    assert!(matches!(
        got[0],
        Event::Failed {
            meaning: Meaning::SessionEnded,
            status: None,
            ..
        }
    ));
    assert_eq!(got[1], Event::Ended(Ended::Remote));
    session.handle_request(now, T, &message("two-clients/090-S2C-bob-BYE.sip"));
    assert_eq!(status(&mut session), 481);
}

#[test]
fn first_texts_can_be_taken_out_of_the_invite() {
    let now = Instant::now();
    let mut taking = config();
    taking.consume_first = true;
    taking.auto_accept = Some(Duration::ZERO);
    let invite = message("two-clients/053-S2C-bob-INVITE.sip");
    let mut callee = ImSession::incoming(now, taking, T, &invite).unwrap();
    assert_eq!(callee.poll_timeout(), Some(now));
    callee.handle_timeout(now);
    let answer = respond(&mut callee);
    assert!(answer.lists(HeaderName::Supported, "ms-text-format"));
    assert!(
        matches!(events(&mut callee).last(), Some(Event::Text { text, .. }) if text.text == "Hi Bob")
    );

    let (mut caller, id) = ImSession::outgoing(config(), Some(Text::plain("Hi")));
    let (invite, _) = request(&mut caller, &Method::Invite);
    caller.handle_response(now, invite, &answer);
    assert_eq!(
        events(&mut caller),
        [Event::Established, Event::Delivered(id.unwrap())]
    );
    assert_eq!(caller.poll_action(), None);
}

#[test]
fn a_refused_session_fails_its_texts() {
    for (code, warning, meaning) in [
        (480, None, Meaning::Offline),
        (480, Some("391 x \"dnd\""), Meaning::DoNotDisturb),
        (486, None, Meaning::DoNotDisturb),
        (603, None, Meaning::ServiceUnavailable),
        (606, Some("309 x \"blocked\""), Meaning::Blocked),
        (606, None, Meaning::Offline),
        (415, None, Meaning::UnsupportedType),
    ] {
        let now = Instant::now();
        let (mut session, first) = ImSession::outgoing(config(), Some(Text::plain("1")));
        let second = session.send(now, Text::plain("2")).unwrap();
        let (invite, _) = request(&mut session, &Method::Invite);
        let mut refusal = Message::response(code);
        if let Some(warning) = warning {
            refusal.push(HeaderName::Warning, warning);
        }
        session.handle_response(now, invite, &Message::response(183));
        session.handle_response(now, invite, &refusal);
        let failed = |text| Event::Failed {
            text,
            status: Some(code),
            meaning,
        };
        let ended = Event::Ended(Ended::Refused {
            status: code,
            meaning,
        });
        let expected = [
            Event::Progress(183),
            failed(first.unwrap()),
            failed(second),
            ended,
        ];
        assert_eq!(events(&mut session), expected);
        assert_eq!(session.poll_action(), None);
    }
}

#[test]
fn failed_texts_tell_why_and_dead_dialogs_end() {
    let now = Instant::now();
    let mut session = established(now);
    let (bad, request_id) = send(&mut session, now, "a");
    session.handle_response(now, request_id, &Message::response(100));
    session.handle_response(now, request_id, &Message::response(415));
    let failed = Event::Failed {
        text: bad,
        status: Some(415),
        meaning: Meaning::UnsupportedType,
    };
    assert_eq!(events(&mut session), [failed]);
    let (first, request_id) = send(&mut session, now, "b");
    let (second, _) = send(&mut session, now, "c");
    session.handle_no_response(now, request_id);
    request(&mut session, &Method::Bye);
    let got = events(&mut session);
    assert!(matches!(got[0], Event::Failed { text, status: Some(408), .. } if text == first));
    let lost = Event::Failed {
        text: second,
        status: Some(408),
        meaning: Meaning::DialogGone,
    };
    assert_eq!(
        got[1..],
        [lost, Event::Ended(Ended::DialogGone { status: 408 })]
    );
}

#[test]
fn texts_without_answer_fail_after_a_minute() {
    let now = Instant::now();
    let mut session = established(now);
    let (text, request_id) = send(&mut session, now, "a");
    let at = now + Duration::from_mins(1);
    assert_eq!(session.poll_timeout(), Some(at));
    session.handle_timeout(at);
    let failed = Event::Failed {
        text,
        status: None,
        meaning: Meaning::NoAnswer,
    };
    assert_eq!(events(&mut session), [failed]);
    session.handle_response(at, request_id, &Message::response(200));
    assert_eq!(events(&mut session), []);
    assert_eq!(session.state(), State::Active);
}

#[test]
fn accepted_texts_get_their_notice() {
    let now = Instant::now();
    let mut session = established(now);
    let (id, request_id) = send(&mut session, now, "a");
    let accepted = Message::response(202).with(HeaderName::MessageId, "2");
    session.handle_response(now, request_id, &accepted);
    assert_eq!(events(&mut session), [Event::Accepted(id)]);
    let notice = |method| {
        Message::request(method, "sip:x")
            .with_body("application/ms-imdn+xml", bytes("imdn-failure.xml"))
    };
    session.handle_request(now, T, &notice(Method::Benotify));
    assert_eq!(session.poll_action(), None);
    let got = events(&mut session);
    assert!(
        matches!(&got[..], [Event::Notice { text, recipients }] if *text == Some(id) && !recipients[0].is_delivered())
    );
    session.handle_request(now, T, &notice(Method::Notify));
    assert_eq!(status(&mut session), 200);
    assert!(matches!(
        events(&mut session)[..],
        [Event::Notice { text: None, .. }]
    ));
}

#[test]
fn typing_is_repeated_and_ends() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut session = established(now);
    session.typing(now);
    request(&mut session, &Method::Info);
    session.typing(now + second);
    assert_eq!(session.poll_action(), None);
    session.typing(now + 4 * second);
    request(&mut session, &Method::Info);
    assert_eq!(session.poll_timeout(), Some(now + 7 * second));
    session.handle_timeout(now + 7 * second);
    let (idle, sent) = request(&mut session, &Method::Info);
    assert!(sent.body().windows(4).any(|w| w == b"idle"));
    assert_eq!(session.poll_timeout(), None);
    // A text ends the state without INFO.
    session.typing(now + 8 * second);
    request(&mut session, &Method::Info);
    send(&mut session, now + 9 * second, "x");
    session.stop_typing();
    assert_eq!(session.poll_action(), None);
    // A peer that does not know INFO is not asked again.
    session.handle_response(now, idle, &Message::response(501));
    session.typing(now + 20 * second);
    assert_eq!(session.poll_action(), None);
    assert_eq!(events(&mut session), []);
}

#[test]
fn the_peers_typing_times_out() {
    let now = Instant::now();
    let mut session = established(now);
    let info = message("two-clients/063-S2C-alice-INFO.sip");
    session.handle_request(now, T, &info);
    session.handle_request(now + Duration::from_secs(5), T, &info);
    assert_eq!(events(&mut session), [Event::Typing(Typing::Type)]);
    let at = now + Duration::from_secs(15);
    assert_eq!(session.poll_timeout(), Some(at));
    session.handle_timeout(at);
    assert_eq!(events(&mut session), [Event::Typing(Typing::Idle)]);
}

#[test]
fn requests_of_the_peer_get_their_answers() {
    let now = Instant::now();
    let mut session = established(now);
    let composing = "<isComposing><state>idle</state></isComposing>";
    for (method, content, expected) in [
        (Method::Message, Some(("image/gif", "x")), 415),
        (Method::Message, Some(("text/html", "<b>x</b>")), 200),
        (
            Method::Message,
            Some(("application/im-iscomposing+xml", composing)),
            200,
        ),
        (
            Method::Message,
            Some(("application/im-iscomposing+xml", "x")),
            400,
        ),
        (Method::Message, None, 200),
        (Method::Info, Some(("application/xml", "<x/>")), 400),
        (Method::Info, Some(("application/x", "")), 415),
        (Method::Info, None, 200),
        (Method::Notify, Some(("text/plain", "")), 415),
        (Method::Invite, None, 200),
        (Method::Update, None, 200),
        (Method::Options, None, 200),
        (Method::Subscribe, None, 501),
    ] {
        let mut request = Message::request(method.clone(), "sip:x");
        if let Some((content_type, body)) = content {
            request.set_body(content_type, body);
        }
        session.handle_request(now, T, &request);
        let answer = respond(&mut session);
        assert_eq!(answer.status(), Some(expected), "{method} {content:?}");
        assert_eq!(
            answer.header(HeaderName::Accept).is_some(),
            expected == 415 && method == Method::Message
        );
        assert_eq!(session.poll_action(), None);
    }
    let huge =
        Message::request(Method::Message, "sip:x").with_body("text/plain", vec![b'x'; 70_000]);
    session.handle_request(now, T, &huge);
    assert_eq!(status(&mut session), 413);
    events(&mut session);
    let relayed = message("multipart-alternative.sip");
    let mut relayed = relayed;
    relayed.push(HeaderName::MsSender, "<sip:carol@contoso.com>");
    relayed.push(HeaderName::MessageId, "7");
    session.handle_request(now, T, &relayed);
    assert_eq!(
        respond(&mut session).header(HeaderName::MessageId),
        Some("7")
    );
    let got = events(&mut session);
    let [
        Event::Text {
            text,
            alternatives,
            sender,
        },
    ] = &got[..]
    else {
        panic!("{got:?}")
    };
    assert_eq!(
        (text.kind, alternatives[0].kind),
        (TextKind::Plain, TextKind::Html)
    );
    assert_eq!(sender.as_deref(), Some("sip:carol@contoso.com"));
}

#[test]
fn sessions_that_cannot_be_are_refused() {
    let now = Instant::now();
    let refuse = |content_type: &str, body: &str| {
        let mut invite = Message::request(Method::Invite, "sip:x");
        invite.set_body(content_type, body.to_owned());
        ImSession::incoming(now, config(), T, &invite).unwrap_err()
    };
    assert_eq!(refuse("application/ms-conf-invite+xml", "<x/>").status, 415);
    assert_eq!(
        refuse("application/sdp", "v=0\nm=audio 1 RTP/AVP 0\n").status,
        488
    );
    assert_eq!(
        refuse("application/sdp", "v=0\nm=message 0 sip null\n").status,
        488
    );
    assert_eq!(refuse("sdp", "").status, 400);
    let empty = text("INVITE sip:x SIP/2.0\n\n");
    let refusal: Refusal = ImSession::incoming(now, config(), T, &empty).unwrap_err();
    assert_eq!(refusal.to_string(), "488 (no IM media in the offer)");
}

#[test]
fn waiting_sessions_end_by_either_side() {
    let now = Instant::now();
    let invite = message("two-clients/053-S2C-bob-INVITE.sip");
    let offered = || {
        let mut session = ImSession::incoming(now, config(), T, &invite).unwrap();
        events(&mut session);
        session
    };
    let mut session = offered();
    assert_eq!(session.poll_timeout(), Some(now + Duration::from_secs(10)));
    session.handle_cancel();
    assert_eq!(status(&mut session), 487);
    assert_eq!(events(&mut session), [Event::Ended(Ended::Cancelled)]);
    let mut session = offered();
    session.decline(603);
    assert_eq!(status(&mut session), 603);
    assert_eq!(events(&mut session), [Event::Ended(Ended::Local)]);
    session.accept(now);
    session.handle_cancel();
    assert_eq!(
        (session.poll_action(), session.poll_timeout()),
        (None, None)
    );
    let mut session = offered();
    session.end();
    assert_eq!(status(&mut session), 480);
    // A user who types accepts.
    let mut session = offered();
    session.typing(now);
    assert_eq!(status(&mut session), 200);
}

#[test]
fn an_answer_without_ack_ends_the_session() {
    let now = Instant::now();
    let invite = message("two-clients/053-S2C-bob-INVITE.sip");
    let mut session = ImSession::incoming(now, config(), T, &invite).unwrap();
    events(&mut session);
    // A text is an answer too; it waits for the ACK.
    let text = session.send(now, Text::plain("Hi Alice")).unwrap();
    assert_eq!(status(&mut session), 200);
    assert_eq!(session.poll_action(), None);
    let late = now + Duration::from_secs(32);
    assert_eq!(session.poll_timeout(), Some(late));
    session.handle_timeout(late);
    request(&mut session, &Method::Bye);
    assert_eq!(
        events(&mut session),
        [
            Event::Established,
            Event::Failed {
                text,
                status: None,
                meaning: Meaning::NoAnswer
            },
            Event::Ended(Ended::Unacknowledged)
        ]
    );
    assert_eq!(session.poll_timeout(), None);
    // With the ACK it lives.
    let mut session = ImSession::incoming(now, config(), T, &invite).unwrap();
    session.accept(now);
    session.handle_request(now, T, &message("two-clients/057-S2C-bob-ACK.sip"));
    session.handle_timeout(late);
    assert_eq!(session.state(), State::Active);
}

#[test]
fn the_callers_cancel_may_cross_the_answer() {
    let now = Instant::now();
    let (mut session, _) = ImSession::outgoing(config(), None);
    let (invite, _) = request(&mut session, &Method::Invite);
    session.end();
    assert_eq!(session.poll_action(), Some(Action::Cancel(invite)));
    assert_eq!(events(&mut session), [Event::Ended(Ended::Local)]);
    session.handle_response(now, invite, &Message::response(200));
    request(&mut session, &Method::Bye);
    assert_eq!(events(&mut session), []);
}

#[test]
fn waiting_texts_are_bounded() {
    let now = Instant::now();
    let mut small = config();
    small.limits.pending = 2;
    let (mut session, _) = ImSession::outgoing(small, None);
    session.send(now, Text::plain("1")).unwrap();
    session.send(now, Text::plain("2")).unwrap();
    assert_eq!(
        session.send(now, Text::plain("3")),
        Err(Error::TooManyTexts { limit: 2 })
    );
}
