//! How subscriptions end, and those that never begin: fetches, reasons, time.

mod common;

use std::time::{Duration, Instant};

use ocs_sip_core::header::{HeaderValue, SubscriptionState, Substate};
use ocs_sip_core::subscription::{
    AUTOEXTEND, Action, EndCause, NotifierEnd, NotifierEvent, Reason,
};
use ocs_sip_core::{HeaderName, Message, Method};
use serde_json::Value;

use common::*;

/// Header, what it says, and what a subscriber does then.
#[test]
fn the_vectors() {
    let vectors = include_str!("data/subscriptions/subscription-state.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let text = vector["header"].as_str().unwrap();
        // One stands with its name, as servers of this system write it.
        let value = text.strip_prefix("subscription-state: ").unwrap_or(text);
        let state = SubscriptionState::parse_value(value).unwrap();
        let substate = match vector["state"].as_str() {
            Some("active") => Substate::Active,
            Some("pending") => Substate::Pending,
            _ => Substate::Terminated,
        };
        assert_eq!(state.state, substate, "{text}");
        let number = |name: &str| vector[name].as_u64().map(|n| u32::try_from(n).unwrap());
        assert_eq!(state.expires(), number("expires"), "{text}");
        assert_eq!(state.retry_after(), number("retryAfter"), "{text}");
        assert_eq!(state.reason(), vector["reason"].as_str(), "{text}");
        let seconds = |n| Action::ResubscribeAfter(Duration::from_secs(n));
        let action = match vector["action"].as_str().unwrap() {
            "keep" => continue,
            "resubscribe-now" => Action::ResubscribeNow,
            "may-resubscribe" => Action::MayResubscribe,
            "stop" => Action::Never,
            "resubscribe-after-30" => seconds(30),
            "resubscribe-after-120" => seconds(120),
            other => panic!("{other}"),
        };
        assert_eq!(Action::of(&state), action, "{text}");
    }
}

#[test]
fn fetches() {
    let now = Instant::now();
    let ways = [
        "",
        "ms-benotify",
        "ms-piggyback-first-notify, ms-benotify",
        MS_TAGS,
    ];
    for supported in ways {
        let piggyback = supported.contains("piggyback");
        let (mut subscriber, request) = subscriber(supported, Some("0"));
        let (mut notifier, response) = accept(now, &request);
        assert!(notifier.is_ended());
        assert_eq!(response.header(HeaderName::Expires), Some("0"));
        let state = response.header(HeaderName::SubscriptionState);
        assert_eq!(state, piggyback.then_some("terminated;expires=0"));
        // There is nothing to extend.
        assert!(!response.lists(HeaderName::Supported, AUTOEXTEND));
        subscriber.handle_response(now, response);
        let notify = notifier.poll_transmit();
        assert_eq!(notify.is_none(), piggyback);
        if let Some(notify) = notify {
            subscriber.handle_notify(now, notify);
        }
        let got = events(&mut subscriber);
        assert_eq!(body(&got[0]).unwrap().0, b"first");
        assert_eq!(got[1], ended(EndCause::Unsubscribed, Action::Never));
    }
}

#[test]
fn ends_without_option_tags() {
    let now = Instant::now();
    // As SIPE 1.25 ends its subscriptions: nothing but Event and Expires.
    for supported in ["", "ms-benotify", MS_TAGS] {
        let piggyback = supported.contains("piggyback");
        let (mut subscriber, request) = subscriber(supported, None);
        let (mut notifier, response) = accept(now, &request);
        subscriber.handle_response(now, response);
        while let Some(notify) = notifier.poll_transmit() {
            if let Some(answer) = subscriber.handle_notify(now, notify) {
                notifier.handle_response(now, &answer);
            }
        }
        subscriber.unsubscribe();
        let mut end = subscriber.poll_transmit().unwrap();
        for name in [HeaderName::Supported, HeaderName::ProxyRequire] {
            end.remove(name);
        }
        let response = notifier.handle_subscribe(now, &end, state("bye"));
        assert_eq!(response.status(), Some(200));
        assert_eq!(response.header(HeaderName::Expires), Some("0"));
        let over = response.header(HeaderName::SubscriptionState);
        assert_eq!(over, piggyback.then_some("terminated;expires=0"));
        assert!(response.body().is_empty());
        // Who agreed on piggybacking has all; others wait for the last notification.
        let last = notifier.poll_transmit();
        let method = last.as_ref().and_then(|last| last.method().cloned());
        let expected = match supported {
            "" => Some(Method::Notify),
            "ms-benotify" => Some(Method::Benotify),
            _ => None,
        };
        assert_eq!(method, expected, "{supported}");
        assert!(notifier.is_ended());
        let end = NotifierEvent::Ended(NotifierEnd::Unsubscribed);
        assert_eq!(notifier.poll_event(), Some(end));
    }
}

#[test]
fn fetches_whose_200_says_that_it_is_over() {
    let now = Instant::now();
    // A server that keeps no subscription says so in its 200 already; the document comes behind it all the same.
    for (supported, method) in [("ms-benotify", Method::Benotify), ("", Method::Notify)] {
        let (mut subscriber, request) = subscriber(supported, Some("0"));
        let (mut notifier, response) = accept(now, &request);
        let over = (HeaderName::SubscriptionState, "terminated;expires=0");
        subscriber.handle_response(now, response.with(over.0, over.1));
        assert!(!subscriber.is_ended());
        assert_eq!(
            subscriber.poll_timeout(),
            Some(now + Duration::from_secs(32))
        );
        let mut notify = notifier.poll_transmit().unwrap();
        assert_eq!(notify.method(), Some(&method));
        notify.set(over.0, over.1);
        assert!(subscriber.matches(&notify));
        let answer = subscriber.handle_notify(now, notify.clone());
        let status = answer.and_then(|answer| answer.status());
        assert_eq!(status, (method == Method::Notify).then_some(200));
        let got = events(&mut subscriber);
        assert_eq!(body(&got[0]), Some((&b"first"[..], false)));
        assert_eq!(got[1], ended(EndCause::Unsubscribed, Action::Never));
        // Once: the next one is of no subscription.
        let answer = subscriber.handle_notify(now, notify);
        let status = answer.and_then(|answer| answer.status());
        assert_eq!(status, (method == Method::Notify).then_some(481));
        assert_eq!(events(&mut subscriber), []);
    }
    // Nothing comes: the fetch ends without a document. The end of a subscription does not wait, nothing more is wanted of it.
    let (mut fetch, request) = subscriber("", Some("0"));
    let (_, response) = accept(now, &request);
    let over = |response: Message| response.with(HeaderName::SubscriptionState, "terminated");
    fetch.handle_response(now, over(response));
    let at = fetch.poll_timeout().unwrap();
    fetch.handle_timeout(at);
    let end = ended(EndCause::Unsubscribed, Action::Never);
    assert_eq!(events(&mut fetch), [end]);
    let (mut kept, request) = subscriber("", None);
    let (mut notifier, response) = accept(now, &request);
    kept.handle_response(now, response);
    kept.unsubscribe();
    let end = kept.poll_transmit().unwrap();
    kept.handle_response(now, over(notifier.handle_subscribe(now, &end, state(""))));
    assert!(kept.is_ended());
}

#[test]
fn reasons_and_actions() {
    let secs = Duration::from_secs;
    let table = [
        ("terminated;reason=timeout", Action::ResubscribeNow),
        ("terminated;reason=deactivated", Action::ResubscribeNow),
        ("terminated;expires=0", Action::MayResubscribe),
        ("terminated;reason=rejected", Action::Never),
        ("terminated;reason=noresource", Action::Never),
        ("terminated;reason=invariant;retry-after=5", Action::Never),
        (
            "terminated;retry-after=30;reason=probation",
            Action::ResubscribeAfter(secs(30)),
        ),
        (
            "terminated ; reason=giveup ; retry-after=120",
            Action::ResubscribeAfter(secs(120)),
        ),
        ("terminated;reason=probation", Action::MayResubscribe),
        ("terminated;reason=other", Action::MayResubscribe),
    ];
    for (text, action) in table {
        let state = SubscriptionState::parse_value(text).unwrap();
        assert_eq!(Action::of(&state), action, "{text}");
    }
    assert_eq!(Reason::from_token("NoResource"), Some(Reason::Noresource));
}

#[test]
fn terminated_by_the_notifier() {
    let now = Instant::now();
    for (supported, answered) in [("", true), (MS_TAGS, false)] {
        let (mut subscriber, request) = subscriber(supported, None);
        let (mut notifier, response) = accept(now, &request);
        subscriber.handle_response(now, response);
        if let Some(notify) = notifier.poll_transmit() {
            subscriber.handle_notify(now, notify);
        }
        notifier.terminate(now, Reason::Probation, Some(30));
        let last = notifier.poll_transmit().unwrap();
        assert_eq!(subscriber.handle_notify(now, last).is_some(), answered);
        assert_eq!(
            events(&mut subscriber).last(),
            Some(&ended(
                EndCause::Terminated,
                Action::ResubscribeAfter(Duration::from_secs(30))
            ))
        );
        // A new dialog.
        subscriber.restart("new-call", "new-tag").unwrap();
        let again = subscriber.poll_transmit().unwrap();
        assert_eq!(again.call_id(), Ok("new-call"));
        assert_eq!(
            again.header(HeaderName::From),
            Some("<sip:alice@contoso.com>;tag=new-tag;epid=0a")
        );
        assert_eq!(again.to_header().unwrap().tag(), None);
        let (_, response) = accept(now, &again);
        subscriber.handle_response(now, response);
        assert!(subscriber.dialog().is_some() && !subscriber.is_ended());
    }
}

#[test]
fn expiry_and_overrun_at_the_notifier() {
    let now = Instant::now();
    let (mut notifier, _) = accept(now, &subscribe("", Some("100000")));
    notifier.poll_transmit();
    for _ in 0..17 {
        notifier.notify_delta(now, state("delta"));
    }
    assert_eq!(notifier.poll_event(), Some(NotifierEvent::Overrun));
    let at = notifier.poll_timeout().unwrap();
    assert_eq!(at - now, Duration::from_hours(8), "shortened to the most");
    notifier.handle_timeout(at);
    assert_eq!(
        notifier
            .poll_transmit()
            .unwrap()
            .header(HeaderName::SubscriptionState),
        Some("terminated;reason=timeout")
    );
    assert_eq!(
        notifier.poll_event(),
        Some(NotifierEvent::Ended(NotifierEnd::Expired))
    );
}

mod random {
    //! Any order of notifications, answers, commands and time.

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn every_subscription_ends(
            ms in any::<bool>(),
            steps in prop::collection::vec((0..9_u8, any::<u16>()), 0..60),
        ) {
            let mut now = Instant::now();
            let (mut subscriber, request) = subscriber(if ms { MS_TAGS } else { "" }, Some("120"));
            let (mut notifier, response) = accept(now, &request);
            let mut to_subscriber = vec![response];
            let mut to_notifier = Vec::new();
            for (step, number) in steps {
                match step {
                    0 => notifier.notify(now, state("state")),
                    1 => notifier.notify_delta(now, state("delta")),
                    2 => subscriber.refresh(),
                    3 if number % 8 == 0 => subscriber.unsubscribe(),
                    4 if number % 16 == 0 => notifier.terminate(now, Reason::Deactivated, None),
                    5 => {
                        now += Duration::from_millis(u64::from(number));
                        subscriber.handle_timeout(now);
                        notifier.handle_timeout(now);
                    }
                    // One message arrives, in any order, perhaps twice.
                    6 | 7 if !to_subscriber.is_empty() => {
                        let at = usize::from(number) % to_subscriber.len();
                        let message = if number % 5 == 0 {
                            to_subscriber[at].clone()
                        } else {
                            to_subscriber.remove(at)
                        };
                        if message.is_request() {
                            to_notifier.extend(subscriber.handle_notify(now, message));
                        } else {
                            subscriber.handle_response(now, message);
                        }
                    }
                    8 if !to_notifier.is_empty() => {
                        let message = to_notifier.remove(usize::from(number) % to_notifier.len());
                        if message.is_request() {
                            to_subscriber.push(notifier.handle_subscribe(now, &message, state("full")));
                        } else {
                            notifier.handle_response(now, &message);
                        }
                    }
                    _ => {}
                }
                to_subscriber.extend(std::iter::from_fn(|| notifier.poll_transmit()));
                to_notifier.extend(std::iter::from_fn(|| subscriber.poll_transmit()));
                while notifier.poll_event().is_some() {}
                events(&mut subscriber);
            }
            // The peer falls silent: both end by themselves.
            for _ in 0..10 {
                subscriber.handle_no_response();
                let timers = [subscriber.poll_timeout(), notifier.poll_timeout()];
                let Some(at) = timers.into_iter().flatten().min() else {
                    break;
                };
                prop_assert!(at >= now);
                now = at;
                subscriber.handle_timeout(now);
                notifier.handle_timeout(now);
                while subscriber.poll_transmit().is_some() {}
            }
            prop_assert!(subscriber.is_ended() && notifier.is_ended());
            prop_assert_eq!(subscriber.poll_timeout(), None);
            prop_assert_eq!(notifier.poll_timeout(), None);
        }
    }
}
