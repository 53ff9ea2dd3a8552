//! What follows the registration, at servers that answer, refuse, are silent, fail.

mod common;

use std::time::Duration;

use common::aor;
use common::script::{Ask, Reply, Script, body};
use ocs_client::{Bootstrap, Error, Event, Step, UserAgent};
use ocs_pres::category::Availability;
use ocs_pres::client::{InstanceKey, Status};
use ocs_pres::doc::ContainerId;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::contacts::GroupSet;

const SECOND: Duration = Duration::from_secs(1);

/// The steps at the server of the captures, which has no media relay.
const ALL: [Step; 7] = [
    Step::Provisioning,
    Step::Contacts,
    Step::OwnPresence,
    Step::LocationProfile,
    Step::Conferencing,
    Step::Publication,
    Step::ContactsPresence,
];

fn signed_in() -> Script {
    let mut script = Script::new(|_| {});
    script.sign_in();
    assert_eq!(script.answered(), ALL, "{:?}", script.solo.events);
    assert_eq!((script.refused(), script.bootstrapped()), (vec![], 1));
    script
}

#[test]
fn everything_as_sipe_got_it() {
    let mut script = signed_in();
    assert_eq!(script.solo.agent.dropped(), 0);
    let agent = &script.solo.agent;
    assert_eq!(
        agent.settings().unwrap().focus_factory_uri(),
        Some("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
    assert_eq!(agent.contacts().contacts.len(), 2);
    assert_eq!(agent.location_profile().unwrap().name, "Redmond");
    assert_eq!(agent.conferencing().unwrap().types.len(), 2);
    let aggregate = InstanceKey::new("state", ContainerId::COMPANY, 1);
    assert_eq!(agent.own_presence().version(&aggregate), 4);
    for (user, availability) in [("alice", Some(3500)), ("carol", None)] {
        assert_eq!(
            agent.watch_status(&aor(user)),
            Some(Status::Subscribed),
            "{user}"
        );
        let presence = agent.presence(&aor(user)).unwrap();
        let state = presence.state().and_then(|state| state.availability);
        assert_eq!(state.map(|availability| availability.0), availability);
    }
    let card = agent.presence(&aor("carol")).unwrap().contact_card();
    assert_eq!(card.display_name(1033), Some("Carol"));

    // What was sent, header by header as servers want it.
    let register = script.taken(Ask::Register).remove(0);
    let supported: Vec<&str> = register.values(HeaderName::Supported).collect();
    assert_eq!(
        supported,
        ["gruu-10", "adhoclist", "msrtc-event-categories"]
    );
    let contacts = script.taken(Ask::Contacts).remove(0);
    let own = "sip:bob@contoso.com";
    assert_eq!(contacts.request_uri(), Some(own));
    assert_eq!(contacts.to_header().unwrap().uri_text(), own);
    assert_eq!(
        contacts.header(HeaderName::Contact),
        Some("<sip:bob@contoso.com;opaque=user:epid:KFBxF2LYDV6HKY7GqP9ySgAA;gruu>")
    );
    for tag in [
        "com.microsoft.autoextend",
        "ms-benotify",
        "ms-piggyback-first-notify",
        "ms-ucs",
    ] {
        assert!(contacts.lists(HeaderName::Supported, tag), "{tag}");
    }
    assert_eq!(
        contacts.header(HeaderName::ProxyRequire),
        Some("ms-benotify")
    );
    assert_eq!(contacts.header(HeaderName::Expires), None);
    let provisioning = script.taken(Ask::Provisioning).remove(0);
    assert_eq!(provisioning.header(HeaderName::Expires), Some("0"));
    let own = script.taken(Ask::Own).remove(0);
    assert_eq!(
        own.header(HeaderName::Accept),
        Some("application/vnd-microsoft-roaming-self+xml")
    );
    assert!(body(&own).contains(
        r#"<roaming type="categories"/><roaming type="containers"/><roaming type="subscribers"/>"#
    ));
    let conferencing = script.taken(Ask::Conferencing).remove(0);
    assert_eq!(
        conferencing.to_header().unwrap().uri_text(),
        "sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory"
    );
    let presence = script.taken(Ask::Presence);
    assert_eq!(presence.len(), 1, "one subscription for both");
    let presence = &presence[0];
    assert!(presence.lists(HeaderName::Require, "adhoclist"));
    assert!(presence.lists(HeaderName::Require, "categoryList"));
    assert!(presence.lists(HeaderName::Supported, "eventlist"));
    assert!(body(presence).contains(
        r#"<resource uri="sip:alice@contoso.com"/><resource uri="sip:carol@contoso.com"/>"#
    ));
    // The first publication: this endpoint, with the instances that SIPE makes of the same epid, and nothing of the user's.
    let publish = body(&script.taken(Ask::Publish).remove(0));
    assert_eq!(publish.matches("<publication ").count(), 3);
    for key in [
        r#"categoryName="device" instance="1877602809" container="2" version="0" expireType="endpoint""#,
        r#"categoryName="state" instance="922656543" container="2" version="0" expireType="endpoint""#,
        r#"categoryName="state" instance="922656543" container="3" version="0" expireType="endpoint""#,
        r#"endpointId="17715028-d862-5e0d-8729-8ec6a8ff724a""#,
    ] {
        assert!(publish.contains(key), "no {key} in {publish}");
    }
}

#[test]
fn each_step_is_refused_on_its_own() {
    for (ask, refused, missing) in [
        (
            Ask::Provisioning,
            Step::Provisioning,
            vec![Step::Conferencing],
        ),
        (Ask::Contacts, Step::Contacts, vec![Step::ContactsPresence]),
        (Ask::Own, Step::OwnPresence, vec![Step::Publication]),
        (Ask::Location, Step::LocationProfile, vec![]),
        (Ask::Conferencing, Step::Conferencing, vec![]),
        (Ask::Publish, Step::Publication, vec![]),
        (Ask::Presence, Step::ContactsPresence, vec![]),
    ] {
        for status in [403, 404, 408, 503] {
            let mut script = Script::new(|_| {});
            let reply = if status == 408 {
                Reply::Silence
            } else {
                Reply::Status(status)
            };
            script.reply(ask, reply);
            script.sign_in();
            script.advance(40 * SECOND);
            let expected: Vec<Step> = ALL
                .into_iter()
                .filter(|step| *step != refused && !missing.contains(step))
                .collect();
            assert_eq!(script.answered(), expected, "{ask:?}");
            assert_eq!(script.refused(), [(refused, status)], "{ask:?}");
            assert_eq!(script.bootstrapped(), 1, "{ask:?}");
            assert!(script.solo.agent.is_signed_in());
        }
    }
}

#[test]
fn all_steps_refused() {
    let mut script = Script::new(|_| {});
    for ask in [Ask::Provisioning, Ask::Contacts, Ask::Own, Ask::Location] {
        script.reply(ask, Reply::Status(403));
    }
    script.sign_in();
    assert_eq!(script.answered(), []);
    assert_eq!(script.refused().len(), 4);
    assert_eq!(script.bootstrapped(), 1);
    let refused = script.command(|agent, now| agent.set_note(now, "hi"));
    assert_eq!(refused, Err(Error::NotOffered));
    let refused =
        script.command(|agent, now| agent.add_contact(now, &aor("dave"), "", GroupSet::NONE));
    assert_eq!(refused, Err(Error::NotOffered));
    // Those that were refused for good are not asked again.
    script.seen.clear();
    script.advance(Duration::from_secs(3000));
    assert!(
        script.seen.iter().all(|(ask, _)| *ask == Ask::Register),
        "{:?}",
        script.seen
    );
}

#[test]
fn answers_that_cannot_be_read() {
    for (ask, step, kind) in [
        (
            Ask::Provisioning,
            Step::Provisioning,
            "application/vnd-microsoft-roaming-provisioning-v2+xml",
        ),
        (
            Ask::Location,
            Step::LocationProfile,
            "application/ms-location-profile-definition+xml",
        ),
        (Ask::Location, Step::LocationProfile, "text/plain"),
        (
            Ask::Conferencing,
            Step::Conferencing,
            "application/cccp+xml",
        ),
    ] {
        let mut script = Script::new(|_| {});
        if ask == Ask::Provisioning {
            script.reply(ask, Reply::Recorded("sign-in/provisioning-broken-200.sip"));
        } else {
            script.reply(ask, Reply::Body(kind, "<broken".into()));
        }
        script.sign_in();
        script.advance(40 * SECOND);
        assert_eq!(script.refused(), [(step, 400)], "{ask:?}");
        assert_eq!(script.bootstrapped(), 1);
    }
}

#[test]
fn a_target_of_the_server_that_is_none() {
    // With a line end in it: it must not become a header of ours.
    let mut script = Script::new(|_| {});
    script.reply(
        Ask::Provisioning,
        Reply::Recorded("sign-in/provisioning-hostile-200.sip"),
    );
    script.sign_in();
    assert_eq!(script.refused(), [(Step::Conferencing, 400)]);
    assert_eq!(script.taken(Ask::Conferencing).len(), 0);
    assert_eq!(script.bootstrapped(), 1);
    let sent =
        script.command(|agent, now| agent.send_service(now, "sip:a@b\r\nX: y", "text/plain", "x"));
    assert_eq!(sent, Err(Error::Target));
}

#[test]
fn nothing_more_than_wanted() {
    let mut script = Script::new(|config| config.bootstrap = Bootstrap::none());
    script.sign_in();
    assert_eq!(script.seen.len(), 1);
    assert!(
        !script.seen[0]
            .1
            .lists(HeaderName::Supported, "msrtc-event-categories")
    );
    assert_eq!(script.bootstrapped(), 0);
    let mut script = Script::new(|config| config.bootstrap.presence = false);
    script.sign_in();
    assert_eq!(
        script.answered(),
        [
            Step::Provisioning,
            Step::Contacts,
            Step::LocationProfile,
            Step::Conferencing
        ]
    );
    assert_eq!(script.taken(Ask::Presence).len(), 0);
}

#[test]
fn contacts_in_exchange() {
    let mut script = Script::new(|_| {});
    script.reply(Ask::Contacts, Reply::Status(488));
    script.sign_in();
    assert_eq!(script.refused(), [(Step::Contacts, 488)]);
    assert!(script.solo.told(|event| *event == Event::ContactsElsewhere));
    assert_eq!(script.bootstrapped(), 1);
}

#[test]
fn an_empty_contact_list_needs_no_subscription() {
    let mut script = Script::new(|_| {});
    script.reply(
        Ask::Contacts,
        Reply::Recorded("sign-in/contacts-empty-200.sip"),
    );
    script.sign_in();
    let expected: Vec<Step> = ALL
        .into_iter()
        .filter(|step| *step != Step::ContactsPresence)
        .collect();
    assert_eq!((script.answered(), script.bootstrapped()), (expected, 1));
    assert_eq!(script.taken(Ask::Presence).len(), 0);
    // The first contact begins it.
    script.tell_recorded(Ask::Contacts, "sign-in/added-benotify.sip");
    assert_eq!(script.taken(Ask::Presence).len(), 1);
}

#[test]
fn a_version_conflict_in_the_first_publication() {
    let mut script = Script::new(|_| {});
    script.reply(Ask::Publish, Reply::Recorded("sign-in/publish-409.sip"));
    script.sign_in();
    assert_eq!(script.refused(), [(Step::Publication, 409)]);
    let versions: Vec<Vec<&str>> = script
        .taken(Ask::Publish)
        .iter()
        .map(|publish| {
            let text = std::str::from_utf8(publish.body()).unwrap().to_owned();
            let versions = text.split(" version=\"").skip(1);
            versions
                .map(|rest| if rest.starts_with('7') { "7" } else { "0" })
                .collect()
        })
        .collect();
    // The two that the server named are corrected, the rest is unchanged; three more times, then it is enough.
    assert_eq!(versions.len(), 4);
    assert_eq!(versions[0], ["0", "0", "0"]);
    assert!(versions[1..].iter().all(|again| *again == ["7", "7", "0"]));
}

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

#[test]
fn changes_of_the_contact_list_change_the_subscription() {
    let mut script = signed_in();
    script.seen.clear();
    let delta = |change: &str, from: u32| {
        format!(
            r#"<contactDelta deltaNum="{}" prevDeltaNum="{from}">{change}</contactDelta>"#,
            from + 1
        )
    };
    let kind = "application/vnd-microsoft-roaming-contacts+xml";
    // Another endpoint of bob's adds dave and deletes alice: this one prompts nobody.
    script.tell(
        Ask::Contacts,
        kind,
        &delta(r#"<addedContact uri="sip:dave@contoso.com" name="" groups="1" subscribed="true" externalURI=""/>"#, 4),
    );
    let asked = script.taken(Ask::Presence);
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].header(HeaderName::CSeq),
        Some("2 SUBSCRIBE"),
        "in the dialog"
    );
    assert!(
        body(&asked[0])
            .contains(r#"<adhocList><resource uri="sip:dave@contoso.com"/></adhocList>"#),
        "{}",
        body(&asked[0])
    );
    script.tell(
        Ask::Contacts,
        kind,
        &delta(r#"<deletedContact uri="sip:alice@contoso.com"/>"#, 5),
    );
    let asked = script.taken(Ask::Presence);
    assert!(body(&asked[0]).contains(r#"<action name="unsubscribe""#));
    assert_eq!(script.solo.agent.presence(&aor("alice")), None);
    // What does not fit is read anew.
    script.tell(Ask::Contacts, kind, &delta("", 17));
    let asked = script.taken(Ask::Contacts);
    assert!(
        asked
            .iter()
            .any(|request| request.header(HeaderName::CSeq) == Some("1 SUBSCRIBE"))
    );
}

#[test]
fn adding_a_contact() {
    let mut script = signed_in();
    script.seen.clear();
    let id = script
        .command(|agent, now| agent.add_contact(now, &aor("dave"), "Dave", GroupSet::NONE))
        .unwrap();
    let write = script.taken(Ask::ContactList);
    let call = r"<m:setContact><m:displayName>Dave</m:displayName><m:groups>1</m:groups><m:subscribed>true</m:subscribed><m:URI>sip:dave@contoso.com</m:URI><m:externalURI/><m:deltaNum>4</m:deltaNum></m:setContact>";
    assert!(body(&write[0]).contains(call), "{}", body(&write[0]));
    script.tell(
        Ask::Contacts,
        "application/vnd-microsoft-roaming-contacts+xml",
        r#"<contactDelta deltaNum="5" prevDeltaNum="4"><addedContact uri="sip:dave@contoso.com" name="Dave" groups="1" subscribed="true" externalURI=""/></contactDelta>"#,
    );
    assert!(
        script
            .solo
            .told(|event| matches!(event, Event::ContactsWritten { id: done, .. } if *done == id))
    );
    assert!(
        script
            .solo
            .told(|event| matches!(event, Event::ContactsChanged(_)))
    );
    // His user is prompted.
    let asked = script.taken(Ask::Presence);
    assert!(
        body(&asked[0]).contains(r#"<resource uri="sip:dave@contoso.com"><context/></resource>"#),
        "{}",
        body(&asked[0])
    );
    // A refusal is told; the next command has the right number.
    script.reply(Ask::ContactList, Reply::Status(403));
    let id = script
        .command(|agent, now| agent.remove_contact(now, &aor("dave")))
        .unwrap();
    assert!(
        script
            .solo
            .told(|event| matches!(event, Event::ContactsRefused { id: done, .. } if *done == id))
    );
    assert!(body(&script.taken(Ask::ContactList)[0]).contains("<m:deltaNum>5</m:deltaNum>"));
}

#[test]
fn choosing_a_state() {
    let mut script = signed_in();
    script.seen.clear();
    script.reply(Ask::Publish, Reply::Status(200));
    let id = script
        .command(|agent, now| agent.set_presence(now, Availability::BUSY, None))
        .unwrap();
    let publish = body(&script.taken(Ask::Publish).remove(0));
    // For a day, in the place of the state that held until it was changed.
    for part in [
        r#"instance="603979776" container="2" version="0" expireType="time" expires="86400""#,
        r#"instance="603979776" container="3" version="0" expireType="time" expires="86400""#,
        r#"instance="536870912" container="2" version="2" expireType="static" expires="0""#,
        r#"instance="536870912" container="3" version="2" expireType="static" expires="0""#,
        "<availability>6500</availability>",
    ] {
        assert!(publish.contains(part), "no {part} in {publish}");
    }
    assert!(
        script
            .solo
            .told(|event| *event == Event::PresenceWritten { id })
    );
    script.reply(Ask::Publish, Reply::Status(403));
    let id = script
        .command(|agent, now| agent.set_note(now, "Back at 3"))
        .unwrap();
    assert!(
        script
            .solo
            .told(|event| *event == Event::PresenceRefused { id, status: 403 })
    );
    assert!(body(&script.taken(Ask::Publish)[0]).contains("Back at 3"));
    let id = script
        .command(|agent, now| agent.set_machine_state(now, Availability::IDLE))
        .unwrap();
    assert!(
        script
            .solo
            .told(|event| *event == Event::PresenceRefused { id, status: 403 })
    );
}

#[test]
fn somebody_added_the_user() {
    let mut script = signed_in();
    let pending = r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><subscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="eve@fabrikam.com" displayName="Eve" acknowledged="false" type="federated"/></subscribers></roamingData>"#;
    let kind = "application/vnd-microsoft-roaming-self+xml";
    script.tell(Ask::Own, kind, pending);
    let eve: ocs_sip_core::Aor = "eve@fabrikam.com".parse().unwrap();
    assert!(
        script
            .solo
            .told(|event| matches!(event, Event::SubscriberPending { user, .. } if *user == eve))
    );
    script.seen.clear();
    script.command(|agent, now| agent.block(now, &eve)).unwrap();
    script
        .command(|agent, now| agent.acknowledge(now, &eve))
        .unwrap();
    assert!(body(&script.taken(Ask::Members)[0]).contains(r#"<container id="32000" version="0"><member action="add" type="user" value="eve@fabrikam.com"/>"#));
    assert!(body(&script.taken(Ask::Acknowledge)[0]).contains(r#"user="eve@fabrikam.com""#));
    script.command(|agent, now| agent.allow(now, &eve)).unwrap();
    assert!(
        body(&script.taken(Ask::Members)[0])
            .contains(r#"<container id="32000" version="1"><member action="remove""#)
    );
    // A program acknowledges by itself.
    let mut script = Script::new(|config| config.bootstrap.acknowledge = true);
    script.sign_in();
    script.tell_recorded(Ask::Own, "sign-in/pending-benotify.sip");
    assert_eq!(script.taken(Ask::Acknowledge).len(), 1);
}

#[test]
fn after_a_lost_connection_everything_is_there_again() {
    let mut script = signed_in();
    script.solo.events.clear();
    script.seen.clear();
    let connection = script.solo.connection.take().unwrap();
    script.solo.agent.handle_closed(script.solo.now, connection);
    script.solo.drain();
    script.advance(120 * SECOND);
    assert!(script.solo.agent.is_signed_in());
    assert_eq!(
        (script.answered(), script.bootstrapped()),
        (ALL.to_vec(), 1)
    );
    for ask in [
        Ask::Contacts,
        Ask::Own,
        Ask::Presence,
        Ask::Provisioning,
        Ask::Publish,
    ] {
        assert_eq!(script.taken(ask).len(), 1, "{ask:?}");
    }
    // Nothing is new.
    assert!(
        !script
            .solo
            .told(|event| matches!(event, Event::PresenceChanged { .. })),
        "{:?}",
        script.solo.events
    );
    assert_eq!(
        script.solo.agent.watch_status(&aor("alice")),
        Some(Status::Subscribed)
    );
}

#[test]
fn a_state_chosen_here_comes_back_after_the_server_has_lost_it() {
    let mut script = signed_in();
    script
        .command(|agent, now| agent.set_presence(now, Availability::BE_RIGHT_BACK, None))
        .unwrap();
    script.seen.clear();
    script.reply(Ask::Own, Reply::Recorded("sign-in/self-empty-200.sip"));
    let connection = script.solo.connection.take().unwrap();
    script.solo.agent.handle_closed(script.solo.now, connection);
    script.solo.drain();
    script.advance(120 * SECOND);
    let publish: Vec<String> = script.taken(Ask::Publish).iter().map(body).collect();
    assert!(
        publish
            .iter()
            .any(|publish| publish.contains("<availability>12500</availability>")),
        "{publish:?}"
    );
}

#[test]
fn at_the_end_everything_is_ended() {
    let mut script = signed_in();
    script.seen.clear();
    script.command(UserAgent::sign_out);
    // In one burst, as SIPE does.
    for ask in [Ask::Contacts, Ask::Own, Ask::Presence] {
        let ends = script.taken(ask);
        assert_eq!(ends.len(), 1, "{ask:?}");
        assert_eq!(ends[0].header(HeaderName::Expires), Some("0"));
        assert!(ends[0].body().is_empty());
    }
    let register = script.taken(Ask::Register);
    assert_eq!(register[0].header(HeaderName::Expires), Some("0"));
}

#[test]
fn services_of_the_application() {
    let mut script = signed_in();
    let id = script
        .command(|agent, now| {
            agent.send_service(now, "sip:contoso.com", "application/x", "question")
        })
        .unwrap();
    assert!(script.solo.told(
        |event| matches!(event, Event::ServiceAnswered { id: told, status: 404, .. } if *told == id)
    ));
    script.reply(Ask::Other, Reply::Silence);
    let id = script
        .command(|agent, now| {
            agent.send_service(now, "sip:contoso.com", "application/x", "question")
        })
        .unwrap();
    script.advance(40 * SECOND);
    assert!(script.solo.told(
        |event| matches!(event, Event::ServiceAnswered { id: told, status: 408, .. } if *told == id)
    ));
    script.reply(Ask::Other, Reply::Body("text/plain", "answer".into()));
    script
        .command(|agent, now| {
            agent.send_service(now, "sip:contoso.com", "application/x", "question")
        })
        .unwrap();
    assert!(script.solo.told(|event| matches!(event, Event::ServiceAnswered { status: 200, body, .. } if &body[..] == b"answer")));
}

#[test]
fn others_than_contacts_are_watched_too() {
    let mut script = signed_in();
    script.seen.clear();
    script.command(|agent, now| agent.watch(now, &aor("zoe")));
    let asked: Vec<Message> = script.taken(Ask::Presence);
    assert!(body(&asked[0]).contains("sip:zoe@contoso.com"));
    script.command(|agent, now| agent.unwatch(now, &aor("zoe")));
    assert!(body(&script.taken(Ask::Presence)[0]).contains(r#"<action name="unsubscribe""#));
    // A contact stays watched.
    script.command(|agent, now| agent.watch(now, &aor("alice")));
    script.command(|agent, now| agent.unwatch(now, &aor("alice")));
    assert_eq!(
        script.solo.agent.watch_status(&aor("alice")),
        Some(Status::Subscribed)
    );
}
