//! The subscriptions of a bootstrap over their lives.

mod common;

use common::aor;
use common::script::{Ask, Reply, Script, body};
use common::steps::{ALL, SECOND, signed_in};
use ocs_client::{Event, Step};
use ocs_pres::category::Availability;
use ocs_pres::client::Status;
use ocs_sip_core::{HeaderName, Method};

#[test]
fn notifications_in_every_form() {
    let mut script = signed_in();
    script.solo.events.clear();
    script.tell_recorded(Ask::Presence, "sign-in/state-benotify.sip");
    let changed = |script: &Script| {
        script
            .solo
            .events
            .iter()
            .filter_map(|event| match event {
                Event::PresenceChanged { of, state, .. } => {
                    Some((of.clone(), state.as_ref()?.availability?))
                }
                _ => None,
            })
            .last()
    };
    assert_eq!(changed(&script), Some((aor("alice"), Availability::BUSY)));
    assert!(script.solo.take().is_empty(), "a BENOTIFY has no answer");
    // A NOTIFY has one.
    let state = r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:carol@contoso.com"><category name="state" instance="1"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state"><availability>9500</availability></state></category></categories>"#;
    let notify = script
        .notification(Ask::Presence, Method::Notify)
        .with(HeaderName::SubscriptionState, "active;expires=3600")
        .with_body("application/msrtc-event-categories+xml", state);
    script.solo.send(notify);
    assert_eq!(script.solo.one().status(), Some(200));
    assert_eq!(
        changed(&script),
        Some((aor("carol"), Availability::DO_NOT_DISTURB))
    );
    // What belongs to no subscription changes nothing.
    let dropped = script.solo.agent.dropped();
    let mut stranger = script
        .notification(Ask::Presence, Method::Benotify)
        .with(HeaderName::SubscriptionState, "active;expires=3600")
        .with_body(
            "application/msrtc-event-categories+xml",
            state.replace("9500", "3500"),
        );
    stranger.set(HeaderName::CallId, "another");
    script.solo.send(stranger.clone());
    assert_eq!(script.solo.agent.dropped(), dropped + 1);
    let mut notify = script
        .notification(Ask::Presence, Method::Notify)
        .with(HeaderName::SubscriptionState, "active;expires=3600");
    notify.set(HeaderName::CallId, "another");
    script.solo.send(notify);
    assert_eq!(script.solo.one().status(), Some(481));
    assert_eq!(
        changed(&script),
        Some((aor("carol"), Availability::DO_NOT_DISTURB))
    );
}

#[test]
fn servers_that_do_not_put_the_first_document_into_the_200() {
    let mut script = Script::new(|_| {});
    for ask in [Ask::Contacts, Ask::Own, Ask::Provisioning, Ask::Presence] {
        script.reply(ask, Reply::Status(200));
    }
    script.sign_in();
    assert_eq!(script.answered(), [Step::LocationProfile]);
    for (ask, name) in [
        (Ask::Provisioning, "sign-in/provisioning-200.sip"),
        (Ask::Contacts, "sign-in/contacts-200.sip"),
        (Ask::Own, "sign-in/self-200.sip"),
        (Ask::Presence, "sign-in/presence-200.sip"),
    ] {
        script.tell_recorded(ask, name);
    }
    assert_eq!(
        (script.answered(), script.bootstrapped()),
        (ALL.to_vec(), 1)
    );
    let presence = script.solo.agent.presence(&aor("alice")).unwrap();
    assert!(presence.state().is_some());
}

#[test]
fn subscriptions_are_extended_in_time() {
    let mut script = signed_in();
    script.seen.clear();
    // 3600 s: 120 s before the end.
    script.advance(3479 * SECOND);
    assert!(
        script.seen.iter().all(|(ask, _)| *ask == Ask::Register),
        "{:?}",
        script.seen
    );
    script.advance(2 * SECOND);
    for ask in [Ask::Contacts, Ask::Own, Ask::Presence] {
        let refresh = script.taken(ask);
        assert_eq!(refresh.len(), 1, "{ask:?}");
        assert_eq!(refresh[0].header(HeaderName::CSeq), Some("2 SUBSCRIBE"));
        assert_eq!(
            refresh[0].request_uri(),
            Some("sip:fe01.contoso.com:5061;transport=tls")
        );
        if ask == Ask::Presence {
            assert_eq!(body(&refresh[0]).matches("<resource ").count(), 2);
        }
    }
    assert_eq!(script.taken(Ask::Provisioning).len(), 0);
}

#[test]
fn subscriptions_that_end_begin_anew() {
    for reason in ["deactivated", "timeout"] {
        let mut script = signed_in();
        script.seen.clear();
        for ask in [Ask::Contacts, Ask::Own, Ask::Presence] {
            script.terminate(ask, reason);
            let again = script.taken(ask);
            assert_eq!(again.len(), 1, "{ask:?}");
            assert_eq!(again[0].header(HeaderName::CSeq), Some("1 SUBSCRIBE"));
            assert_eq!(again[0].to_header().unwrap().tag(), None);
        }
        assert_eq!(script.bootstrapped(), 1);
        assert_eq!(
            script.solo.agent.watch_status(&aor("alice")),
            Some(Status::Subscribed)
        );
        // Once more at once: not without a pause.
        script.seen.clear();
        script.terminate(Ask::Own, reason);
        script.terminate(Ask::Own, reason);
        assert!(script.taken(Ask::Own).len() <= 1);
        script.advance(11 * SECOND);
        assert!(script.taken(Ask::Own).len() <= 2);
    }
    let mut script = signed_in();
    script.seen.clear();
    script.terminate(Ask::Presence, "rejected");
    assert_eq!(script.taken(Ask::Presence).len(), 0);
    assert_eq!(script.bootstrapped(), 1);
}

#[test]
fn a_refresh_that_the_server_has_forgotten() {
    let mut script = signed_in();
    script.seen.clear();
    script.reply(Ask::Own, Reply::Status(481));
    script.advance(3481 * SECOND);
    let asked = script.taken(Ask::Own);
    // The refresh, and a new one at once; refused too, it waits.
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].header(HeaderName::CSeq), Some("1 SUBSCRIBE"));
    script.reply(Ask::Own, Reply::Recorded("sign-in/self-200.sip"));
    script.advance(15 * SECOND);
    assert_eq!(script.taken(Ask::Own).len(), 1);
    assert!(script.solo.agent.own_presence().is_loaded());
}

#[test]
fn proxies_without_benotify_and_servers_with_a_minimum() {
    let mut script = Script::new(|_| {});
    script.reply(Ask::Own, Reply::Status(420));
    script.sign_in();
    let asked = script.taken(Ask::Own);
    assert_eq!(asked.len(), 2);
    assert!(!asked[1].lists(HeaderName::Supported, "ms-benotify"));
    assert_eq!(asked[1].header(HeaderName::ProxyRequire), None);
    assert_eq!(asked[1].header(HeaderName::CSeq), Some("2 SUBSCRIBE"));
}

#[test]
fn a_subscription_and_a_service_are_signed_again() {
    let mut script = Script::new(|_| {});
    for ask in [Ask::Own, Ask::Location] {
        script.reply_once(ask, Reply::Recorded("reauthenticate-401.sip"));
    }
    script.sign_in();
    for ask in [Ask::Own, Ask::Location] {
        let asked = script.taken(ask);
        // Once more with a new signature, under the same number.
        assert_eq!(asked.len(), 2, "{ask:?}");
        assert_eq!(asked[0].call_id(), asked[1].call_id());
        assert_eq!(
            asked[0].header(HeaderName::CSeq),
            asked[1].header(HeaderName::CSeq)
        );
        assert_ne!(
            asked[0].header(HeaderName::Authorization),
            asked[1].header(HeaderName::Authorization)
        );
    }
    assert_eq!(
        (script.answered(), script.bootstrapped()),
        (ALL.to_vec(), 1)
    );
}

#[test]
fn a_server_that_takes_no_signature_is_not_asked_without_pause() {
    let mut script = Script::new(|_| {});
    script.reply(Ask::Own, Reply::Recorded("reauthenticate-401.sip"));
    script.solo.agent.sign_in(script.solo.now);
    script.solo.drain();
    script.serve();
    // It comes back later instead of signing in again and again.
    assert!(!script.solo.agent.is_signed_in());
    let waits = |event: &Event| matches!(event, Event::Reconnecting { until: Some(_) });
    assert!(script.solo.events.iter().any(waits));
    assert!(script.taken(Ask::Own).len() < 20);
}
