//! Subscriber and notifier against each other and against scripted peers.

mod common;

use std::time::{Duration, Instant};

use ocs_sip_core::subscription::{
    Action, Content, EndCause, Notifier, NotifierEnd, NotifierEvent, SubscriberEvent,
};
use ocs_sip_core::{HeaderName, Message, Method};

use common::*;

#[test]
fn the_standard_way() {
    let now = Instant::now();
    let (mut subscriber, request) = subscriber("", Some("600"));
    let (mut notifier, response) = accept(now, &request);
    assert_eq!(response.header(HeaderName::Expires), Some("600"));
    assert_eq!(response.header(HeaderName::MsPiggybackCseq), None);
    assert!(response.body().is_empty());
    let notify = notifier.poll_transmit().unwrap();
    assert_eq!(notify.method(), Some(&Method::Notify));
    assert_eq!(notify.header(HeaderName::CSeq), Some("1 NOTIFY"));
    assert_eq!(notify.header(HeaderName::Event), Some("presence;id=1"));
    assert_eq!(
        notify.header(HeaderName::SubscriptionState),
        Some("active;expires=600")
    );
    assert_eq!(
        notify.header(HeaderName::To),
        Some("<sip:alice@contoso.com>;tag=a;epid=0a")
    );
    // The NOTIFY overtakes the 200.
    assert!(subscriber.matches(&notify));
    let ok = subscriber.handle_notify(now, notify).unwrap();
    assert_eq!(ok.status(), Some(200));
    subscriber.handle_response(now, response);
    let got = events(&mut subscriber);
    assert_eq!(body(&got[0]), Some((&b"first"[..], false)));
    assert_eq!(
        got[1],
        SubscriberEvent::Active {
            expires: Duration::from_mins(10)
        }
    );
    // One NOTIFY at a time; newer full states replace older ones, changes queue behind.
    notifier.notify(now, state("second"));
    assert_eq!(notifier.poll_transmit(), None);
    notifier.notify(now, state("third"));
    notifier.notify_delta(now, state("delta"));
    notifier.handle_response(now, &ok);
    let third = notifier.poll_transmit().unwrap();
    assert_eq!(third.body().as_ref(), b"third");
    assert_eq!(third.header(HeaderName::CSeq), Some("2 NOTIFY"));
    assert_eq!(notifier.poll_transmit(), None);
    let ok = subscriber.handle_notify(now, third).unwrap();
    notifier.handle_response(now, &ok);
    assert_eq!(notifier.poll_transmit().unwrap().body().as_ref(), b"delta");
    events(&mut subscriber);

    // Refresh 120 s before the end, with the same headers and body.
    let at = subscriber.poll_timeout().unwrap();
    assert_eq!(at - now, Duration::from_mins(8));
    subscriber.handle_timeout(at);
    let refresh = subscriber.poll_transmit().unwrap();
    assert_eq!(refresh.header(HeaderName::CSeq), Some("2 SUBSCRIBE"));
    assert_eq!(refresh.request_uri(), Some("sip:fe01.contoso.com:5061"));
    assert_eq!(refresh.body().as_ref(), b"list");
    for name in [
        HeaderName::Event,
        HeaderName::Accept,
        HeaderName::Contact,
        HeaderName::Expires,
    ] {
        assert_eq!(refresh.header(name), request.header(name), "{name}");
    }
    assert!(notifier.matches(&refresh));
    let response = notifier.handle_subscribe(at, &refresh, state("full"));
    assert_eq!(response.status(), Some(200));
    subscriber.handle_response(at, response);
    assert_eq!(events(&mut subscriber).len(), 1);

    // The end, with a last NOTIFY.
    subscriber.unsubscribe();
    let end = subscriber.poll_transmit().unwrap();
    assert_eq!(end.header(HeaderName::Expires), Some("0"));
    assert!(end.body().is_empty());
    let response = notifier.handle_subscribe(at, &end, state("bye"));
    subscriber.handle_response(at, response);
    assert!(!subscriber.is_ended());
    let last = std::iter::from_fn(|| notifier.poll_transmit())
        .last()
        .unwrap();
    assert_eq!(
        last.header(HeaderName::SubscriptionState),
        Some("terminated;reason=timeout")
    );
    assert_eq!(
        notifier.poll_event(),
        Some(NotifierEvent::Ended(NotifierEnd::Unsubscribed))
    );
    subscriber.handle_notify(at, last.clone());
    assert_eq!(
        events(&mut subscriber).last(),
        Some(&ended(EndCause::Unsubscribed, Action::Never))
    );
    let gone = subscriber.handle_notify(at, last).unwrap();
    assert_eq!(gone.status(), Some(481));
    assert_eq!(
        notifier.handle_subscribe(at, &end, state("")).status(),
        Some(481)
    );
    assert_eq!(
        (subscriber.poll_timeout(), notifier.poll_timeout()),
        (None, None)
    );
}

#[test]
fn the_way_of_this_system() {
    let now = Instant::now();
    let (mut subscriber, request) = subscriber(MS_TAGS, None);
    let (mut notifier, response) = accept(now, &request);
    assert_eq!(response.header(HeaderName::MsPiggybackCseq), Some("1"));
    assert_eq!(response.header(HeaderName::Supported), Some(MS_TAGS));
    assert_eq!(
        response.header(HeaderName::SubscriptionState),
        Some("active;expires=3600")
    );
    assert_eq!(notifier.poll_transmit(), None);
    subscriber.handle_response(now, response);
    let got = events(&mut subscriber);
    assert_eq!(body(&got[0]), Some((&b"first"[..], true)));
    assert_eq!(got.len(), 2);
    // No timer N; notifications extend at both ends and need no answers.
    let later = now + Duration::from_mins(50);
    for (n, text) in ["one", "two"].into_iter().enumerate() {
        notifier.notify(later, state(text));
        let message = notifier.poll_transmit().unwrap();
        assert_eq!(message.method(), Some(&Method::Benotify));
        assert_eq!(
            message.header(HeaderName::CSeq),
            Some(format!("{} BENOTIFY", n + 2).as_str())
        );
        assert_eq!(
            message.header(HeaderName::SubscriptionState),
            Some("active;expires=3600")
        );
        assert_eq!(subscriber.handle_notify(later, message), None);
    }
    assert_eq!(events(&mut subscriber).len(), 2);
    assert_eq!(
        subscriber.poll_timeout(),
        Some(later + Duration::from_mins(58))
    );
    assert_eq!(
        notifier.poll_timeout(),
        Some(later + Duration::from_hours(1))
    );
    // Another list in the same dialog.
    subscriber.update("application/x-list", "more");
    let update = subscriber.poll_transmit().unwrap();
    assert_eq!(update.body().as_ref(), b"more");
    let response = notifier.handle_subscribe(later, &update, state("more"));
    assert_eq!(response.header(HeaderName::MsPiggybackCseq), Some("4"));
    subscriber.handle_response(later, response);
    assert_eq!(
        body(&events(&mut subscriber)[0]),
        Some((&b"more"[..], true))
    );
    // The end is in the 200.
    subscriber.unsubscribe();
    let end = subscriber.poll_transmit().unwrap();
    let response = notifier.handle_subscribe(later, &end, Content::default());
    assert_eq!(
        response.header(HeaderName::SubscriptionState),
        Some("terminated;expires=0")
    );
    subscriber.handle_response(later, response);
    assert!(subscriber.is_ended() && notifier.is_ended());
    assert_eq!(notifier.poll_transmit(), None);
}

#[test]
fn refusals_of_the_first_subscribe() {
    let now = Instant::now();
    // 423: again with what is wanted.
    let (mut subscriber, request) = subscriber("", Some("10"));
    let refusal = Notifier::accept(now, &request, "b", &policy(), state("")).unwrap_err();
    assert_eq!(refusal.status(), Some(423));
    subscriber.handle_response(now, *refusal);
    let again = subscriber.poll_transmit().unwrap();
    assert_eq!(again.header(HeaderName::Expires), Some("60"));
    assert_eq!(again.header(HeaderName::CSeq), Some("2 SUBSCRIBE"));
    // The same answer again is the end of it.
    let refusal = Message::response_to(&again, 423, Some("b")).with(HeaderName::MinExpires, "60");
    subscriber.handle_response(now, refusal);
    assert_eq!(
        events(&mut subscriber),
        [ended(EndCause::Refused(423), Action::Never)]
    );
    // 420: again without BENOTIFY.
    let (mut subscriber, request) = self::subscriber(MS_TAGS, None);
    subscriber.handle_response(now, Message::response_to(&request, 420, Some("b")));
    let again = subscriber.poll_transmit().unwrap();
    assert_eq!(again.header(HeaderName::ProxyRequire), None);
    assert!(!again.lists(HeaderName::Supported, "ms-benotify"));
    assert!(again.lists(HeaderName::Supported, "com.microsoft.autoextend"));
    // 489.
    let mut other = subscribe("", None);
    other.set(HeaderName::Event, "dialog");
    let refusal = Notifier::accept(now, &other, "b", &policy(), state("")).unwrap_err();
    assert_eq!(refusal.status(), Some(489));
    assert_eq!(refusal.header(HeaderName::AllowEvents), Some("presence"));
    for (code, retry_after, action) in [
        (489, None, Action::Never),
        (403, None, Action::Never),
        (480, None, Action::MayResubscribe),
        (
            503,
            Some("7 (busy)"),
            Action::ResubscribeAfter(Duration::from_secs(7)),
        ),
    ] {
        let (mut subscriber, request) = self::subscriber("", None);
        let mut refusal = Message::response_to(&request, code, Some("b"));
        if let Some(value) = retry_after {
            refusal.push(HeaderName::RetryAfter, value);
        }
        subscriber.handle_response(now, refusal);
        assert_eq!(
            events(&mut subscriber),
            [ended(EndCause::Refused(code), action)]
        );
    }
}

#[test]
fn failed_refreshes() {
    let now = Instant::now();
    for (code, expected) in [
        (481, ended(EndCause::Refused(481), Action::ResubscribeNow)),
        (500, SubscriberEvent::RefreshFailed { code: 500 }),
    ] {
        let (mut subscriber, request) = subscriber(MS_TAGS, None);
        let (_, response) = accept(now, &request);
        subscriber.handle_response(now, response);
        events(&mut subscriber);
        subscriber.refresh();
        let refresh = subscriber.poll_transmit().unwrap();
        subscriber.handle_response(now, Message::response_to(&refresh, code, None));
        assert_eq!(events(&mut subscriber), [expected]);
        if code == 500 {
            let end = subscriber.poll_timeout().unwrap();
            assert_eq!(end - now, Duration::from_hours(1));
            subscriber.handle_timeout(end);
            assert_eq!(
                events(&mut subscriber),
                [ended(EndCause::Expired, Action::ResubscribeNow)]
            );
        }
    }
    let (mut subscriber, request) = subscriber(MS_TAGS, None);
    let (_, response) = accept(now, &request);
    subscriber.handle_response(now, response);
    events(&mut subscriber);
    subscriber.refresh();
    subscriber.handle_no_response();
    assert_eq!(
        events(&mut subscriber),
        [ended(EndCause::NoResponse, Action::ResubscribeNow)]
    );
}

#[test]
fn lifetimes() {
    let now = Instant::now();
    // Expires of the request, Expires and subscription-state of the 200, what counts.
    for (asked, expires, state, seconds) in [
        (None, Some("600"), Some("active;expires=500"), 500),
        (None, Some("600"), None, 600),
        (None, None, Some("active;expires=500"), 500),
        (None, None, None, 3600),
        (Some("100"), Some("600"), None, 100),
    ] {
        let (mut subscriber, request) = subscriber("", asked);
        let mut response = Message::response_to(&request, 200, Some("b"));
        if let Some(value) = expires {
            response.push(HeaderName::Expires, value);
        }
        if let Some(value) = state {
            response.push(HeaderName::SubscriptionState, value);
        }
        subscriber.handle_response(now, response);
        let expires = Duration::from_secs(seconds);
        assert_eq!(
            events(&mut subscriber),
            [SubscriberEvent::Active { expires }]
        );
        // Nothing follows: timer N.
        let at = subscriber.poll_timeout().unwrap();
        assert_eq!(at - now, Duration::from_secs(32));
        subscriber.handle_timeout(at);
        assert_eq!(
            events(&mut subscriber),
            [ended(EndCause::NoNotify, Action::MayResubscribe)]
        );
    }
    // A granted lifetime of 0 that nobody asked for.
    let (mut subscriber, request) = subscriber("", None);
    let response = Message::response_to(&request, 200, Some("b")).with(HeaderName::Expires, "0");
    subscriber.handle_response(now, response);
    subscriber.handle_timeout(now + Duration::from_secs(32));
    assert_eq!(
        events(&mut subscriber),
        [ended(EndCause::Terminated, Action::MayResubscribe)]
    );
}

#[test]
fn foreign_notifications_are_refused() {
    let now = Instant::now();
    let (mut subscriber, request) = subscriber("", None);
    let (mut notifier, response) = accept(now, &request);
    subscriber.handle_response(now, response);
    let notify = notifier.poll_transmit().unwrap();
    events(&mut subscriber);
    let changed = |name, value: &str| {
        let mut message = notify.clone();
        message.set(name, value);
        message
    };
    for (message, code) in [
        (changed(HeaderName::CallId, "other"), 481),
        (
            changed(HeaderName::From, "<sip:bob@contoso.com>;tag=fork"),
            481,
        ),
        (changed(HeaderName::Event, "presence;id=2"), 489),
        (changed(HeaderName::Event, "dialog"), 489),
        (changed(HeaderName::SubscriptionState, ";"), 400),
    ] {
        let response = subscriber.handle_notify(now, message).unwrap();
        assert_eq!(response.status(), Some(code));
    }
    assert_eq!(events(&mut subscriber), []);
    // Without Event and without Subscription-State, as from old servers; the package in other letters.
    let mut bare = notify.clone();
    bare.remove(HeaderName::Event);
    bare.remove(HeaderName::SubscriptionState);
    for message in [bare, changed(HeaderName::Event, "Presence;id=1")] {
        let response = subscriber.handle_notify(now, message).unwrap();
        assert_eq!(response.status(), Some(200));
    }
    // Late.
    let mut jump = notify.clone();
    jump.set(HeaderName::CSeq, "9 NOTIFY");
    assert_eq!(
        subscriber.handle_notify(now, jump).unwrap().status(),
        Some(200)
    );
    assert_eq!(
        subscriber.handle_notify(now, notify).unwrap().status(),
        Some(500)
    );
}

#[test]
fn answers_to_notify() {
    let now = Instant::now();
    for (code, retry_after, expected) in [
        (481, None, Some(NotifierEnd::Refused(481))),
        (489, None, Some(NotifierEnd::Refused(489))),
        (500, Some("5"), None),
        (200, None, None),
    ] {
        let (mut notifier, _) = accept(now, &subscribe("", None));
        let notify = notifier.poll_transmit().unwrap();
        let mut response = Message::response_to(&notify, code, None);
        if let Some(value) = retry_after {
            response.push(HeaderName::RetryAfter, value);
        }
        notifier.handle_response(now, &response);
        assert_eq!(
            notifier.poll_event(),
            expected.map(NotifierEvent::Ended),
            "{code}"
        );
        if retry_after.is_some() {
            let at = notifier.poll_timeout().unwrap();
            assert_eq!(at - now, Duration::from_secs(5));
            notifier.handle_timeout(at);
            assert_eq!(notifier.poll_transmit().unwrap().body(), notify.body());
        }
    }
    let (mut notifier, _) = accept(now, &subscribe("", None));
    notifier.handle_no_response();
    assert_eq!(
        notifier.poll_event(),
        Some(NotifierEvent::Ended(NotifierEnd::NoResponse))
    );
}

#[test]
fn a_body_for_one_request_only() {
    let now = Instant::now();
    let (mut subscriber, request) = subscriber("", Some("600"));
    let (_, response) = accept(now, &request);
    // What is to be sent once waits for the answer, and one after the other.
    subscriber.send_once("text/plain", "add dave");
    subscriber.send_once("text/plain", "add eve");
    subscriber.set_body("text/plain", "all of them");
    assert_eq!(subscriber.poll_transmit(), None);
    subscriber.handle_response(now, response);
    let mut bodies = Vec::new();
    subscriber.refresh();
    while let Some(request) = subscriber.poll_transmit() {
        let expected = format!("{} SUBSCRIBE", bodies.len() + 2);
        assert_eq!(request.header(HeaderName::CSeq), Some(&*expected));
        bodies.push(String::from_utf8(request.body().to_vec()).unwrap());
        let ok = Message::response_to(&request, 200, None).with(HeaderName::Expires, "600");
        subscriber.handle_response(now, ok);
    }
    // The refresh comes last, and has what is to be repeated.
    assert_eq!(bodies, ["add dave", "add eve", "all of them"]);
    // Whoever leaves adds nobody.
    subscriber.unsubscribe();
    subscriber.send_once("text/plain", "add frank");
    let end = subscriber.poll_transmit().unwrap();
    assert_eq!(end.header(HeaderName::Expires), Some("0"));
    assert_eq!(subscriber.poll_transmit(), None);
}
