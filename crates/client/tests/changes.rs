//! What is changed after the bootstrap, here and by others.

mod common;

use common::aor;
use common::script::{Ask, Reply, Script, body};
use common::steps::{SECOND, signed_in};
use ocs_client::Event;
use ocs_pres::category::Availability;
use ocs_pres::client::Status;
use ocs_sip_core::{HeaderName, Message};
use ocs_siprege::contacts::GroupSet;

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
