//! What follows the registration, at servers that answer, refuse, are silent, fail.

mod common;

use std::time::Duration;

use common::aor;
use common::script::{Ask, Reply, Script, body};
use common::steps::{ALL, SECOND, signed_in};
use ocs_client::{Bootstrap, Error, Event, Step, UserAgent};
use ocs_pres::client::{InstanceKey, Status};
use ocs_pres::doc::ContainerId;
use ocs_sip_core::HeaderName;
use ocs_siprege::contacts::GroupSet;

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
