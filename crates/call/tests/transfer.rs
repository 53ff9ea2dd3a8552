//! Transfers (RFC 3515, RFC 3891).

mod common;

use std::time::{Duration, Instant};

use common::{ALICE, Net, audio, config, established, invite, rng};
use ocs_call::{Action, Call, Event, State, Transfer};
use ocs_sip_core::dialog::Replacing;
use ocs_sip_core::header::HeaderValue;
use ocs_sip_core::header::Replaces;
use ocs_sip_core::{HeaderName, Method};

fn carol(replaces: Option<&str>) -> Transfer {
    Transfer {
        target: "sip:carol@contoso.com".to_owned(),
        replaces: replaces.map(str::to_owned),
    }
}

fn refer(net: &mut Net, transfer: &Transfer) {
    let now = net.now();
    net.call(ALICE).refer(now, transfer).unwrap();
    net.run();
}

fn progress(status: u16, reason: &str) -> Event {
    let reason = reason.to_owned();
    Event::TransferProgress { status, reason }
}

fn transferred(status: u16, reason: &str) -> Event {
    let reason = reason.to_owned();
    Event::TransferEnded { status, reason }
}

#[test]
fn an_attended_transfer() {
    let mut net = established();
    let transfer = carol(Some("call-2@x;to-tag=c1;from-tag=a2"));
    refer(&mut net, &transfer);
    let sent = net.sent(ALICE, "REFER");
    assert_eq!(
        sent.header(HeaderName::ReferTo),
        Some("<sip:carol@contoso.com?Replaces=call-2%40x%3Bto-tag%3Dc1%3Bfrom-tag%3Da2>")
    );
    assert_eq!(
        sent.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
    let referred_by = Some("<sip:alice@contoso.com>".to_owned());
    let asked = Event::Referred {
        transfer,
        referred_by,
    };
    assert_eq!(net.events(1), [asked]);
    let bob = net.call(1);
    bob.accept_refer();
    bob.refer_progress(180, "Ringing");
    bob.refer_progress(200, "OK");
    // It is over.
    bob.refer_progress(200, "OK");
    net.run();
    let notifies: Vec<String> = net
        .messages
        .iter()
        .filter(|message| message.method() == Some(&Method::Notify))
        .map(|notify| {
            assert_eq!(notify.header(HeaderName::Event), Some("refer"));
            let state = notify.header(HeaderName::SubscriptionState).unwrap();
            format!("{state} {}", String::from_utf8_lossy(notify.body()).trim())
        })
        .collect();
    assert_eq!(
        notifies,
        [
            "active;expires=600 SIP/2.0 100 Trying",
            "active;expires=600 SIP/2.0 180 Ringing",
            "terminated;reason=noresource SIP/2.0 200 OK",
        ]
    );
    assert_eq!(
        net.flow()
            .iter()
            .filter(|line| *line == "0>1 200 NOTIFY")
            .count(),
        3
    );
    assert_eq!(
        net.events(ALICE),
        [
            progress(100, "Trying"),
            progress(180, "Ringing"),
            transferred(200, "OK")
        ]
    );
    let now = net.now();
    net.call(ALICE).hang_up(now, None);
    net.run();
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Ending, State::Ended)
    );
}

#[test]
fn a_transfer_that_is_declined_or_fails_leaves_the_call() {
    let mut net = established();
    refer(&mut net, &carol(None));
    // One at a time.
    let now = net.now();
    assert!(net.call(ALICE).refer(now, &carol(None)).is_err());
    net.call(1).decline_refer(603);
    net.run();
    assert_eq!(net.events(ALICE), [transferred(603, "Decline")]);

    refer(&mut net, &carol(None));
    net.call(1).accept_refer();
    net.call(1).refer_progress(486, "Busy Here");
    net.run();
    assert_eq!(
        net.events(ALICE),
        [progress(100, "Trying"), transferred(486, "Busy Here")]
    );
    net.clear();

    // The second that was accepted has an id.
    refer(&mut net, &carol(None));
    let cseq = net.sent(ALICE, "REFER").cseq().unwrap().number;
    net.call(1).accept_refer();
    net.run();
    let event = net.sent(1, "NOTIFY").header(HeaderName::Event);
    assert_eq!(event, Some(&*format!("refer;id={cseq}")));
    assert_eq!(net.events(ALICE), [progress(100, "Trying")]);
    // Nothing more comes.
    net.advance(Duration::from_secs(601));
    assert_eq!(net.events(ALICE), [transferred(408, "Request Timeout")]);
    net.call(1).refer_progress(180, "Ringing");
    net.run();
    assert!(net.flow().contains(&"0>1 481 NOTIFY".to_owned()));
    assert_eq!(
        (net.state(ALICE), net.state(1)),
        (State::Established, State::Established)
    );
}

#[test]
fn refers_that_are_refused() {
    let mut net = established();
    let cases = [
        (None, 400),
        (Some("<sip:a@x>, <sip:b@x>"), 400),
        (Some("<sip:a@x;method=BYE>"), 403),
        (Some("<sip:a@x?Replaces=nonsense>"), 400),
        (Some("<sip:a@x"), 400),
    ];
    for (number, (refer_to, status)) in (2..).zip(cases) {
        let mut refer = net
            .call(ALICE)
            .dialog()
            .unwrap()
            .clone()
            .request(Method::Refer);
        refer.set(HeaderName::CSeq, &format!("{number} REFER"));
        let via = format!("SIP/2.0/UDP end0;branch=z9hG4bKr{number}");
        refer.push_front(HeaderName::Via, &via);
        if let Some(refer_to) = refer_to {
            refer.push(HeaderName::ReferTo, refer_to);
        }
        net.inject(1, refer);
        net.run();
        assert_eq!(
            net.messages.last().unwrap().status(),
            Some(status),
            "{refer_to:?}"
        );
    }
    assert_eq!(net.events(1), []);
    let now = net.now();
    let bad = Transfer {
        target: "no uri".to_owned(),
        replaces: None,
    };
    assert!(net.call(ALICE).refer(now, &bad).is_err());
}

#[test]
fn a_refer_that_waits_when_the_call_ends() {
    let mut net = established();
    refer(&mut net, &carol(None));
    net.clear();
    let now = net.now();
    net.call(1).hang_up(now, None);
    net.run();
    assert!(net.flow().contains(&"1>0 481 REFER".to_owned()));
    net.call(1).accept_refer();
    net.call(1).decline_refer(603);
    net.call(1).refer_progress(200, "OK");
    assert_eq!(net.call(1).poll_action(), None);
}

#[test]
fn an_invite_that_replaces_the_call() {
    let mut net = established();
    // What Alice would put into a Refer-To replaces the dialog at Bob.
    let value = net.call(ALICE).dialog().unwrap().replaces_value();
    let at = |net: &mut Net, side: usize, value: &str| {
        let replaces = Replaces::parse_value(value).unwrap();
        net.call(side).matches_replaces(&replaces)
    };
    assert_eq!(at(&mut net, 1, &value), Replacing::Replace);
    let early_only = format!("{value};early-only");
    assert_eq!(at(&mut net, 1, &early_only), Replacing::Refuse(486));
    assert_eq!(at(&mut net, ALICE, &value), Replacing::Other);
    assert_eq!(at(&mut net, 1, "x;to-tag=1;from-tag=2"), Replacing::Other);
    let now = net.now();
    net.call(1).hang_up(now, None);
    assert_eq!(at(&mut net, 1, &value), Replacing::Refuse(603));
}

#[test]
fn an_early_dialog_is_replaced_at_its_caller() {
    let mut net = Net::new(1);
    common::call(&mut net);
    let now = net.now();
    net.call(1).ring(now);
    net.run();
    let value = net.call(1).dialog().unwrap().replaces_value();
    let replaces = Replaces::parse_value(&value).unwrap();
    assert_eq!(
        net.call(ALICE).matches_replaces(&replaces),
        Replacing::Replace
    );
    let fork = net.call(ALICE).forks().next().unwrap();
    let value = net.call(ALICE).dialog_of(fork).unwrap().replaces_value();
    let replaces = Replaces::parse_value(&value).unwrap();
    assert_eq!(
        net.call(1).matches_replaces(&replaces),
        Replacing::Refuse(481)
    );
}

#[test]
fn the_referred_call_keeps_its_headers() {
    let now = Instant::now();
    let invite = invite()
        .with(HeaderName::ReferredBy, "<sip:alice@contoso.com>")
        .with(HeaderName::Replaces, "call-2;to-tag=c1;from-tag=a2");
    let mut call = Call::outgoing(now, config(1), invite, vec![audio(1)], &[], rng(1)).unwrap();
    let Some(Action::Request { message, .. }) = call.poll_action() else {
        panic!("no INVITE");
    };
    assert_eq!(
        message.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
    assert!(message.header(HeaderName::Replaces).is_some());
}
