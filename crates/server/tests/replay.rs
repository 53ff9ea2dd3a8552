//! The messages of SIPE 1.25, played to a front end. Only what hangs on the server's random numbers is made anew: signatures, and what
//! the server itself put into earlier messages (Via, Record-Route, Contact).

mod common;

use common::aor;
use common::replay::{Replay, load, recorded};
use ocs_server::Store as _;
use ocs_sip_core::header::NameAddr;
use ocs_sip_core::{HeaderName, Message};
use ocs_sipae::Version;

/// Header lines that do not depend on chance are the same as SIPE was content with.
fn same_registration(ours: &Message, theirs: &Message) {
    for name in [
        HeaderName::MsKeepAlive,
        HeaderName::Expires,
        HeaderName::PresenceState,
        HeaderName::AllowEvents,
        HeaderName::Supported,
        HeaderName::From,
        HeaderName::CallId,
        HeaderName::CSeq,
    ] {
        let lines =
            |message: &Message| -> Vec<String> { message.lines(name).map(str::to_owned).collect() };
        assert_eq!(lines(ours), lines(theirs), "{name:?}");
    }
    let contact = |message: &Message| -> Vec<String> {
        let values = message.values(HeaderName::Contact);
        let strip = |value: &str| {
            let (before, after) = value.split_once(";ms-received-cid=").unwrap();
            let (_, after) = after.split_once('>').unwrap();
            format!("{before}>{after}")
        };
        values.map(strip).collect()
    };
    assert_eq!(contact(ours), contact(theirs));
    assert!(ours.header(HeaderName::Server).unwrap().starts_with("RTC/"));
    assert!(ours.to_header().unwrap().tag().is_some());
    let via = ours.top_via().unwrap();
    let theirs = theirs.top_via().unwrap();
    assert_eq!(via.ms_received_port(), theirs.ms_received_port());
    assert!(via.ms_received_cid().is_some());
}

#[test]
fn two_clients_talk() {
    let files = load("two-clients");
    let mut replay = Replay::new(Version::V4, true);
    replay.play(&files);
    for (who, name) in [
        ("bob", "010-S2C-bob-200-REGISTER"),
        ("alice", "012-S2C-alice-200-REGISTER"),
    ] {
        let answers = &replay.registered[who];
        assert_eq!(answers.len(), 2, "{who}: sign-in and sign-out");
        same_registration(&answers[0], recorded(&files, name));
        assert_eq!(answers[1].header(HeaderName::Expires), Some("0"));
        assert_eq!(answers[1].header(HeaderName::Contact), None);
        assert_eq!(replay.count(&format!("{who} REGISTER 401")), 2);
    }
    assert_eq!(replay.count("alice INVITE 100"), 1);
    assert_eq!(replay.count("alice INVITE 200"), 1);
    assert_eq!(replay.count("alice MESSAGE 200"), 1);
    assert_eq!(replay.count("bob MESSAGE 200"), 1);
    assert_eq!(replay.count("bob INFO 200"), 1);
    assert_eq!(replay.count("alice BYE 200"), 1);
    // The group chat look-up, and the focus factory of somebody else, of whom the recorded server told.
    assert_eq!(replay.count("alice INVITE 404"), 1);
    assert_eq!(replay.count("bob SERVICE 403"), 1);
    let strange: Vec<_> = replay
        .statuses
        .iter()
        .filter(|status| {
            !(status.ends_with("200")
                || status.ends_with("100")
                || status.ends_with("REGISTER 401")
                || status.ends_with("INVITE 404")
                || *status == "bob SERVICE 403")
        })
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(replay.world.dropped(), 0, "{:?}", replay.world.events);
    assert_eq!(replay.world.server.counters().registrations, 0);
    assert_eq!(replay.world.server.counters().requests, 0);
    assert_eq!(replay.world.server.counters().subscriptions, 0);
    assert_eq!(replay.world.server.counters().users, 0);
}

#[test]
fn an_invite_is_forwarded_as_sipe_saw_it() {
    let files = load("two-clients");
    let until = files
        .iter()
        .position(|file| file.name.starts_with("054"))
        .unwrap();
    let mut replay = Replay::new(Version::V4, true);
    replay.play(&files[..until]);
    let ours = replay.waiting["bob"].last().unwrap();
    let theirs = recorded(&files, "053-S2C-bob-INVITE");
    // The registered Contact is the Request-URI.
    let registered = replay.registered["bob"][0].contact().unwrap();
    assert_eq!(ours.request_uri(), Some(registered.uri_text()));
    assert!(
        ours.request_uri()
            .unwrap()
            .contains(";ms-opaque=d3470f2e1d;")
    );
    for name in [
        HeaderName::From,
        HeaderName::CSeq,
        HeaderName::CallId,
        HeaderName::Contact,
        HeaderName::MsTextFormat,
        HeaderName::MsConversationId,
        HeaderName::MaxForwards,
        HeaderName::Supported,
        HeaderName::ContentType,
    ] {
        assert_eq!(ours.header(name), theirs.header(name), "{name:?}");
    }
    assert_eq!(ours.body(), theirs.body());
    let identity = ours.header(HeaderName::PAssertedIdentity).unwrap();
    assert_eq!(
        identity.replace(' ', ""),
        theirs.header(HeaderName::PAssertedIdentity).unwrap()
    );
    let vias: Vec<_> = ours.values(HeaderName::Via).collect();
    assert!(vias[0].contains(";branched=FALSE"), "{vias:?}");
    assert!(
        vias[1].starts_with("SIP/2.0/tcp 127.0.0.1:52070;ms-received-port=52070;ms-received-cid=")
    );
    let route = NameAddr::parse(ours.header(HeaderName::RecordRoute).unwrap()).unwrap();
    assert!(
        route
            .uri_text()
            .starts_with("sip:fe01.contoso.com:5061;transport=tcp")
    );
    assert!(route.uri_text().contains(";lr"));
    // [MS-SIPRE] 3.2.5.2: the endpoint that was chosen.
    assert_eq!(ours.to_header().unwrap().epid(), Some("6fe9f1f98282"));
    assert_eq!(ours.header(HeaderName::Authorization), None);
}

#[test]
fn without_gruu_the_contact_of_the_connection_routes() {
    let files = load("no-gruu");
    let mut replay = Replay::new(Version::V4, false);
    replay.play(&files);
    let registered = replay.registered["alice"][0].contact().unwrap();
    assert_eq!(registered.gruu(), None);
    // bob's Contact in the 200 leads to the connection now.
    let (_, answer) = replay
        .answers
        .iter()
        .next()
        .expect("the INVITE was answered");
    let contact = answer.contact().unwrap();
    assert_eq!(contact.params().get("proxy"), None);
    assert!(contact.uri_text().contains(";maddr=127.0.0.1"));
    assert!(contact.uri_text().contains(";ms-received-cid="));
    assert_eq!(
        replay.count("alice MESSAGE 200"),
        1,
        "{:?}",
        replay.statuses
    );
    assert_eq!(replay.count("bob MESSAGE 200"), 1);
    assert_eq!(replay.count("alice BYE 200"), 1);
    assert_eq!(replay.world.dropped(), 0, "{:?}", replay.world.events);
}

#[test]
fn older_versions_of_the_signature() {
    for (directory, version, name) in [
        ("v2", Version::V2, "010-S2C-alice-200-REGISTER"),
        ("v3", Version::V3, "006-S2C-alice-200-REGISTER"),
    ] {
        let files = load(directory);
        let mut replay = Replay::new(version, true);
        replay.play(&files);
        same_registration(&replay.registered["alice"][0], recorded(&files, name));
        let subscribed = replay.count("alice SUBSCRIBE 200");
        assert!(subscribed > 0, "{:?}", replay.statuses);
    }
}

#[test]
fn everything_in_one_burst_and_gone() {
    // The sign-out of SIPE: BYE, SUBSCRIBEs and REGISTER in one write, then close without reading.
    let files = load("complete");
    let (before, after) = files.split_at(
        files
            .iter()
            .position(|file| file.name.starts_with("022"))
            .unwrap(),
    );
    let mut replay = Replay::new(Version::V4, true);
    replay.play(before);
    assert_eq!(replay.world.server.registrations(), 1);
    let mut burst = Vec::new();
    for file in after.iter().filter(|file| file.name.contains("-C2S-")) {
        let mut message = replay.rebase(file);
        let phone = replay.phones.get_mut("alice").unwrap();
        phone.auth.sign(&mut message).unwrap();
        burst.extend_from_slice(&message.to_bytes());
    }
    let connection = replay.phones["alice"].connection;
    replay.world.send(connection, burst);
    replay.world.close(connection);
    assert!(replay.world.told(|event| matches!(
        event,
        ocs_server::Event::Unregistered {
            cause: ocs_siprege::registrar::Removal::Unregistered,
            ..
        }
    )));
    assert_eq!(
        replay.world.server.counters(),
        ocs_server::Counters::default()
    );
    assert!(replay.world.server.store().user(&aor("alice")).is_some());
}

#[test]
fn the_same_session_gives_the_same_octets() {
    let files = load("two-clients");
    let run = || {
        let mut replay = Replay::new(Version::V4, true);
        replay.play(&files);
        replay.world.log
    };
    let (first, second) = (run(), run());
    assert!(first.len() > 10_000);
    assert_eq!(first, second);
}
