//! How calls end, and how they do not begin.

mod common;

use std::time::{Duration, Instant};

use common::{
    ALICE, Net, accept_streams, audio, call, call_with, config, ended, established, invite, rng,
};
use ocs_call::{Call, Cause, Config, Event, State, TransactionId};
use ocs_ocer::{DiagnosticsWriter, ErrorId, Kind};
use ocs_sdpext::negotiation;
use ocs_sip_core::{HeaderName, Message, Method};

#[test]
fn the_caller_gives_up() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    net.clear();
    net.call(ALICE).hang_up(now, None);
    net.run();
    let flow = ["0>1 CANCEL", "1>0 200 CANCEL", "1>0 487 INVITE", "0>1 ACK"];
    assert_eq!(net.flow(), flow);
    let (alice, bob) = (ended(&mut net, ALICE), ended(&mut net, 1));
    assert_eq!((alice.cause, bob.cause), (Cause::Local, Cause::Remote));
    assert!(!bob.elsewhere && !bob.was_established);
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Ended, State::Ended)
    );
}

#[test]
fn an_answer_that_crosses_the_cancel_is_ended() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    accept_streams(&mut net, 1);
    net.clear();
    net.call(ALICE).hang_up(now, None);
    net.call(1).accept(now).unwrap();
    net.run();
    let flow = net.flow();
    for line in [
        "0>1 CANCEL",
        "1>0 200 INVITE",
        "0>1 ACK",
        "0>1 BYE",
        "1>0 200 BYE",
    ] {
        assert!(flow.contains(&line.to_owned()), "{line} in {flow:?}");
    }
    assert_eq!(ended(&mut net, ALICE).cause, Cause::Local);
    assert_eq!(ended(&mut net, 1).cause, Cause::Remote);
    net.advance(Duration::from_secs(40));
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Ended, State::Ended)
    );
}

#[test]
fn nobody_answers() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    net.advance(Duration::from_secs(179));
    // It was told again and again that it rings.
    let rings = net
        .flow()
        .iter()
        .filter(|line| line.contains("180"))
        .count();
    assert_eq!(rings, 3);
    assert_eq!(net.state(ALICE), State::Ringing);
    net.advance(Duration::from_secs(2));
    assert_eq!(ended(&mut net, ALICE).cause, Cause::NoAnswer);
    assert_eq!(ended(&mut net, 1).cause, Cause::Remote);
}

#[test]
fn an_invite_expires() {
    let mut net = Net::new(1);
    let call = Call::outgoing(
        net.now(),
        config(ALICE),
        invite().with(HeaderName::Expires, "20"),
        vec![audio(ALICE)],
        &[],
        rng(1),
    );
    net.start(ALICE, call.unwrap());
    net.run();
    net.advance(Duration::from_secs(21));
    assert_eq!(ended(&mut net, 1).cause, Cause::NoAnswer);
    let refused = ended(&mut net, ALICE);
    assert_eq!((refused.cause, refused.status), (Cause::Refused, Some(487)));
}

#[test]
fn declined_with_diagnostics() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    let busy = DiagnosticsWriter::new(Kind::Client, ErrorId(51004), "Action initiated by user");
    net.call(1).decline(now, 486, Some(&busy));
    net.run();
    let refused = ended(&mut net, ALICE);
    assert_eq!((refused.cause, refused.status), (Cause::Refused, Some(486)));
    let diagnostics = refused.diagnostics.unwrap();
    assert_eq!(diagnostics.error_id, ErrorId(51004));
    assert_eq!(
        diagnostics.reason.as_deref(),
        Some("Action initiated by user")
    );
    assert_eq!(ended(&mut net, 1).cause, Cause::Local);
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Ended, State::Ended)
    );
}

#[test]
fn a_bye_with_diagnostics() {
    let mut net = established();
    let now = net.now();
    let text = "Call failed to establish due to a media connectivity failure";
    let lost = DiagnosticsWriter::new(Kind::Client, ErrorId(21), text);
    net.call(ALICE).hang_up(now, Some(&lost));
    net.run();
    let told = ended(&mut net, 1).diagnostics.unwrap();
    assert_eq!(
        (told.error_id, told.reason.as_deref()),
        (ErrorId(21), Some(text))
    );
}

#[test]
fn byes_cross() {
    let mut net = established();
    let now = net.now();
    net.call(ALICE).hang_up(now, None);
    net.call(1).hang_up(now, None);
    net.run();
    let mut flow = net.flow();
    flow.sort();
    assert_eq!(flow, ["0>1 200 BYE", "0>1 BYE", "1>0 200 BYE", "1>0 BYE"]);
    assert_eq!(ended(&mut net, ALICE).cause, Cause::Local);
    assert_eq!(ended(&mut net, 1).cause, Cause::Local);
}

#[test]
fn a_bye_waits_for_the_ack() {
    let mut net = Net::new(1);
    call(&mut net);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.clear();
    net.call(1).accept(now).unwrap();
    net.call(1).hang_up(now, None);
    net.run();
    let flow = ["1>0 200 INVITE", "0>1 ACK", "1>0 BYE", "0>1 200 BYE"];
    assert_eq!(net.flow(), flow);
    assert_eq!(ended(&mut net, ALICE).cause, Cause::Remote);
}

#[test]
fn an_answer_without_ack_ends_by_bye() {
    let mut net = Net::new(1);
    call(&mut net);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    // Alice is gone: nothing reaches her.
    let mut call = std::mem::replace(net.call(1), dummy());
    let mut answers = 0;
    let mut bye = 0;
    loop {
        while let Some(action) = call.poll_action() {
            match action {
                ocs_call::Action::Respond { message, .. } => {
                    assert_eq!(message.status(), Some(200));
                    answers += 1;
                }
                ocs_call::Action::Request { message, .. } => {
                    assert_eq!(message.method(), Some(&Method::Bye));
                    bye += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        match call.poll_timeout() {
            Some(at) => call.handle_timeout(at),
            None => break,
        }
    }
    assert_eq!((answers, bye), (11, 1));
    assert_eq!(call.state(), State::Ended);
    let mut last = None;
    while let Some(event) = call.poll_event() {
        last = Some(event);
    }
    assert!(matches!(last, Some(Event::Ended(ended)) if ended.cause == Cause::Unacknowledged));
}

fn dummy() -> common::Call {
    let now = Instant::now();
    let streams = vec![audio(9)];
    let mut call = Call::outgoing(now, config(9), invite(), streams, &[], rng(9)).unwrap();
    call.poll_action();
    call
}

#[test]
fn a_dialog_that_the_peer_does_not_know() {
    let mut net = established();
    // The peer has restarted.
    net.start(1, dummy());
    net.call(ALICE).hold();
    net.call(ALICE).offer().unwrap();
    net.run();
    assert_eq!(net.flow()[..2], ["0>1 INVITE", "1>0 481 INVITE"]);
    let gone = ended(&mut net, ALICE);
    assert_eq!((gone.cause, gone.status), (Cause::DialogGone, Some(481)));
    assert!(net.flow().contains(&"0>1 BYE".to_owned()));
}

fn refusal(invite: &Message, config: Config) -> (u16, Vec<(HeaderName, String)>) {
    let now = Instant::now();
    let call = Call::incoming(now, config, TransactionId(1), invite, "b1", rng(2));
    let refusal = call.map(|_| ()).unwrap_err();
    (refusal.status, refusal.headers)
}

fn offered() -> Message {
    let streams = vec![audio(9)];
    let now = Instant::now();
    let mut call = Call::outgoing(now, config(9), invite(), streams, &[], rng(9)).unwrap();
    match call.poll_action() {
        Some(ocs_call::Action::Request { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn invites_that_are_refused() {
    let required = offered().with(HeaderName::Require, "timer, com.microsoft.rtc-multiparty");
    let unsupported = (
        HeaderName::Unsupported,
        "com.microsoft.rtc-multiparty".to_owned(),
    );
    assert_eq!(refusal(&required, config(1)), (420, vec![unsupported]));

    let mut short = offered();
    short.set(HeaderName::SessionExpires, "89");
    let min_se = (HeaderName::MinSe, "90".to_owned());
    assert_eq!(refusal(&short, config(1)), (422, vec![min_se]));

    let text = offered().with_body("text/plain", "hello");
    let accept = (HeaderName::Accept, "application/sdp".to_owned());
    assert_eq!(refusal(&text, config(1)), (415, vec![accept]));

    let broken = offered().with_body("application/sdp", "v=0\r\nm=audio\r\n");
    let diagnostics = "52063;reason=\"Unsupported session description\"".to_owned();
    let diagnostics = vec![(HeaderName::MsClientDiagnostics, diagnostics)];
    assert_eq!(refusal(&broken, config(1)), (488, diagnostics));

    let mut none = offered();
    none.remove_body();
    assert_eq!(refusal(&none, config(1)).0, 488);

    let mut no_tag = offered();
    no_tag.set(HeaderName::From, "<sip:alice@contoso.com>");
    assert_eq!(refusal(&no_tag, config(1)).0, 400);
    let mut inside = offered();
    inside.set(HeaderName::To, "<sip:bob@contoso.com>;tag=x");
    assert_eq!(refusal(&inside, config(1)).0, 481);
    let message = Message::request(Method::Message, "sip:bob@contoso.com");
    assert_eq!(refusal(&message, config(1)).0, 400);
}

#[test]
fn no_stream_is_accepted() {
    let mut net = Net::new(1);
    call(&mut net);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    assert_eq!(net.flow(), ["0>1 INVITE", "1>0 488 INVITE", "0>1 ACK"]);
    assert_eq!(ended(&mut net, 1).cause, Cause::NotAcceptable);
    let refused = ended(&mut net, ALICE);
    assert_eq!((refused.cause, refused.status), (Cause::Refused, Some(488)));
}

#[test]
fn policies_of_encryption_that_do_not_meet() {
    let mut net = Net::new(1);
    let clear = Config {
        negotiation: negotiation::Config {
            encryption: negotiation::EncryptionPolicy::DoNotSupport,
            ..negotiation::Config::default()
        },
        ..config(ALICE)
    };
    net.config = |side| Config {
        negotiation: negotiation::Config {
            encryption: negotiation::EncryptionPolicy::Require,
            ..negotiation::Config::default()
        },
        ..config(side)
    };
    call_with(&mut net, clear, vec![audio(ALICE)]);
    accept_streams(&mut net, 1);
    let now = net.now();
    net.call(1).accept(now).unwrap();
    net.run();
    let refused = ended(&mut net, ALICE);
    let diagnostics = refused.diagnostics.unwrap();
    assert_eq!(
        (refused.status, diagnostics.error_id),
        (Some(488), ErrorId(52017))
    );
}

#[test]
fn after_415_the_call_is_made_with_one_description() {
    let mut net = Net::new(1);
    let legacy = {
        let lines = "a=candidate:jkR3ncwJXN7U1zb7qkyTO8zqHBzRpzMwJc2dkRmvLAs 1 \
             5Db6AjJ9Lzm5bG0F2Ixu1A UDP 0.830 192.0.2.1 50040\r\n\
             a=candidate:jkR3ncwJXN7U1zb7qkyTO8zqHBzRpzMwJc2dkRmvLAs 2 \
             5Db6AjJ9Lzm5bG0F2Ixu1A UDP 0.830 192.0.2.1 50041\r\n";
        let address = "192.0.2.1:50040".parse().unwrap();
        negotiation::Transport::new(address)
            .with_ice(lines)
            .unwrap()
    };
    let call = Call::outgoing(
        net.now(),
        config(ALICE),
        invite(),
        vec![audio(ALICE)],
        &[legacy],
        rng(1),
    );
    net.start(ALICE, call.unwrap());
    net.run();
    let first = net.sent(ALICE, "INVITE").clone();
    let kind = first.header(HeaderName::ContentType).unwrap();
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    // An endpoint that understands both takes the last form.
    let offered = net.call(1).current().unwrap().1.offered().unwrap();
    assert_eq!(offered.ice_version(), ocs_sdpext::IceVersion::V19);

    // One that takes no multipart refuses it.
    net.forget(1);
    let mut refused = Message::response_to(&first, 415, Some("x"));
    refused.push(HeaderName::Accept, "application/sdp");
    net.inject(ALICE, refused);
    net.run();
    let second = net.sent(ALICE, "INVITE").clone();
    assert_eq!(
        second.header(HeaderName::ContentType),
        Some("application/sdp")
    );
    assert_eq!(second.header(HeaderName::CSeq), Some("2 INVITE"));
    assert_eq!(
        second.header(HeaderName::CallId),
        first.header(HeaderName::CallId)
    );
    assert_eq!(net.state(ALICE), State::Calling);
    // Not a third time.
    let refused = Message::response_to(&second, 415, Some("x"));
    net.inject(ALICE, refused);
    net.run();
    assert_eq!(ended(&mut net, ALICE).status, Some(415));
}

#[test]
fn after_422_the_call_is_made_with_a_longer_interval() {
    let mut net = Net::new(1);
    call(&mut net);
    let first = net.sent(ALICE, "INVITE").clone();
    assert_eq!(first.header(HeaderName::SessionExpires), Some("1800"));
    let refused = Message::response_to(&first, 422, Some("x")).with(HeaderName::MinSe, "3600");
    net.inject(ALICE, refused);
    net.run();
    let second = net.sent(ALICE, "INVITE");
    assert_eq!(second.header(HeaderName::SessionExpires), Some("3600"));
    assert_eq!(second.header(HeaderName::MinSe), Some("3600"));
    assert_eq!(second.body(), first.body());
}
