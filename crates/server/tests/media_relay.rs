//! Credentials for the media relay ([MS-AVEDGEA]): where clients are told to ask, who gets some, and who does not.

mod common;

use std::time::Duration;

use common::phone::{Phone, WHILE};
use common::presence::explained;
use common::{World, aor};
use ocs_avedgea::document::{
    CredentialsResponse, Location, Minutes, ReasonPhrase, Response, Version,
};
use ocs_avedgea::server::{Config as ServiceConfig, Pool, RelayAuthentication};
use ocs_avedgea::token::{Issuer, Key, Refused, SharedKeys, Verifier};
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_server::{Config, Counters, Error, FrontEnd, MemoryStore};
use ocs_sip_core::{HeaderName, Message, Method, Transport};
use ocs_sipre::Instance;
use ocs_siprege::provisioning::ServerConfiguration;

fn keys(octet: u8) -> SharedKeys {
    let key = |octet| Key::new(&[octet; 20]).unwrap();
    SharedKeys::new(key(octet), key(octet + 1))
}

fn service(name: &str) -> RelayAuthentication {
    let pool = Pool::new(Location::Internet, "av.contoso.com");
    let config = ServiceConfig::new(name, vec![pool]);
    RelayAuthentication::new(config, Issuer::new(Key::new(&[9; 20]).unwrap(), keys(1)))
}

fn with_relay(config: &mut Config) {
    config.media_relay = Some(service("edge.contoso.com"));
}

fn over_tls(world: &mut World, name: &str, port: u16) -> Phone {
    let mut phone = Phone::new(world, name, "a1", port);
    world.close(phone.connection);
    phone.connection = world.connect_over(Transport::Tls, port);
    let instance = Instance::from_epid(&phone.epid);
    let contact = format!(
        "<sip:127.0.0.1:{port};transport=tls;ms-opaque=d3470f2e1d>;proxy=replace;+sip.instance=\"<{instance}>\""
    );
    phone.extra.push((HeaderName::Contact, contact));
    let answer = phone.sign_in(world);
    assert_eq!(answer.status(), Some(200), "{answer:?}");
    phone
}

/// Where a client is told to ask.
fn told(world: &mut World, phone: &mut Phone) -> Option<String> {
    let list = phone.server_configuration(world);
    let uri = list.server_configuration().unwrap().mras_uri.clone();
    uri.map(|uri| uri.to_string())
}

/// A request as SIPE writes it.
fn document(identity: &str, version: &str) -> String {
    format!(
        "<request requestID=\"1234567\" from=\"sip:alice@contoso.com\" version=\"{version}\" to=\"sip:mras@contoso.com\" \
         xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <credentialsRequest credentialsRequestID=\"1234567\"><identity>{identity}</identity>\
         <location>internet</location><duration>480</duration></credentialsRequest></request>"
    )
}

fn good() -> String {
    document("sip:alice@contoso.com", "1.0")
}

fn ask(world: &mut World, phone: &mut Phone, uri: &str, body: String) -> Message {
    let request = phone.request(Method::Service, uri);
    phone.exchange(world, request.with_body(CONTENT_TYPE, body))
}

fn read(answer: &Message) -> Response {
    assert_eq!(
        answer.header(HeaderName::ContentType),
        Some(CONTENT_TYPE),
        "{answer:#?}"
    );
    Response::parse(answer.body(), &Limits::default()).unwrap()
}

fn granted(answer: &Message) -> CredentialsResponse {
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    let mut document = read(answer);
    assert_eq!(document.reason_phrase, ReasonPhrase::Ok);
    assert_eq!(document.version, Some(Version::V1));
    document.credentials.remove(0)
}

/// Whether a relay with these keys lets this user in now.
fn let_in(world: &World, granted: &CredentialsResponse, keys: SharedKeys) -> Result<(), Refused> {
    let credentials = &granted.credentials;
    let filetime = world.clock.filetime(world.now);
    let verifier = Verifier::new(keys).at(Location::Internet);
    let (_, password) = verifier.verify(filetime, credentials.username.as_bytes())?;
    assert_eq!(password, credentials.password);
    Ok(())
}

#[test]
fn who_is_told_where_to_ask_gets_credentials() {
    let mut world = World::new(with_relay);
    let mut alice = over_tls(&mut world, "alice", 50_001);
    let uri = told(&mut world, &mut alice).unwrap();
    assert!(
        uri.starts_with("sip:edge.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:"),
        "{uri}"
    );
    let answer = ask(&mut world, &mut alice, &uri, good());
    let granted = granted(&answer);
    let relay = &granted.relays.relays[0];
    assert_eq!(relay.host_name.as_deref(), Some("av.contoso.com"));
    assert_eq!((relay.udp_port, relay.tcp_port), (Some(3478), Some(443)));
    assert_eq!(let_in(&world, &granted, keys(1)), Ok(()));
    world.advance(Duration::from_mins(479));
    assert_eq!(let_in(&world, &granted, keys(1)), Ok(()));
    world.advance(Duration::from_mins(1));
    assert_eq!(let_in(&world, &granted, keys(1)), Err(Refused::Expired));
}

#[test]
fn without_a_relay_nobody_is_told_or_answered() {
    let mut world = World::new(|_| {});
    let mut alice = over_tls(&mut world, "alice", 50_001);
    assert_eq!(told(&mut world, &mut alice), None);
    world.server.set_relay_keys(keys(1));
    let uri = "sip:edge.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:x";
    let answer = ask(&mut world, &mut alice, uri, good());
    assert_eq!(explained(&answer).0, 404);
}

#[test]
fn a_service_elsewhere_stays_what_clients_are_told() {
    let elsewhere = "sip:mras@fabrikam.com";
    let mut world = World::new(|config| {
        with_relay(config);
        let group = ServerConfiguration {
            mras_uri: Some(elsewhere.into()),
            ..ServerConfiguration::default()
        };
        config.provisioning.groups = vec![group.into()];
    });
    let mut alice = over_tls(&mut world, "alice", 50_001);
    assert_eq!(told(&mut world, &mut alice).as_deref(), Some(elsewhere));
}

#[test]
fn a_name_that_cannot_be_an_address() {
    let mut config = World::new(|_| {}).server.config().clone();
    config.media_relay = Some(service("no name"));
    let refused = FrontEnd::new(config, MemoryStore::new("CONTOSO"), [1; 32]);
    let name = "no name".to_owned();
    assert_eq!(refused.err(), Some(Error::MediaRelay { name }));
}

#[test]
fn what_is_refused() {
    let mut world = World::new(with_relay);
    let mut alice = over_tls(&mut world, "alice", 50_001);
    let uri = told(&mut world, &mut alice).unwrap();
    let many = {
        let one = good();
        let (begin, end) = (
            one.find("<credentialsRequest").unwrap(),
            one.find("</request").unwrap(),
        );
        format!(
            "{}{}{}",
            &one[..begin],
            one[begin..end].repeat(101),
            &one[end..]
        )
    };
    for (body, status, reason) in [
        (
            document("sip:bob@contoso.com", "1.0"),
            403,
            ReasonPhrase::Forbidden,
        ),
        (
            document("sip:alice@contoso.com", "9.0"),
            400,
            ReasonPhrase::VersionMismatch,
        ),
        (
            good().replace("internet", "intranet"),
            501,
            ReasonPhrase::NotSupported,
        ),
        (many, 413, ReasonPhrase::RequestTooLarge),
        (
            good().replace("requestID", "id"),
            400,
            ReasonPhrase::RequestMalformed,
        ),
    ] {
        let answer = ask(&mut world, &mut alice, &uri, body);
        let told = read(&answer);
        assert_eq!(
            (answer.status(), &told.reason_phrase),
            (Some(status), &reason),
            "{answer:#?}"
        );
        assert_eq!(answer.header(HeaderName::Accept), Some(CONTENT_TYPE));
        assert!(told.credentials.is_empty());
    }
    // Another type, none, other methods: no document of this protocol.
    let request = alice
        .request(Method::Service, &uri)
        .with_body("text/plain", good());
    let untyped = alice.request(Method::Service, &uri);
    for request in [request, untyped] {
        let answer = alice.exchange(&mut world, request);
        assert_eq!(answer.status(), Some(415));
        assert_eq!(answer.header(HeaderName::Accept), Some(CONTENT_TYPE));
        assert!(answer.body().is_empty());
    }
    for method in [
        Method::Message,
        Method::Info,
        Method::Subscribe,
        Method::Options,
    ] {
        let request = alice
            .request(method.clone(), &uri)
            .with_body(CONTENT_TYPE, good());
        let answer = alice.exchange(&mut world, request);
        assert_eq!(answer.status(), Some(405), "{method}");
        assert_eq!(answer.header(HeaderName::Allow), Some("SERVICE"));
        assert!(answer.body().is_empty());
    }
    // Another service than this one.
    let other = format!("{}x", &uri[..uri.len() - 1]);
    let foreign = uri.replace("edge", "edge2");
    for uri in [other, foreign] {
        assert_eq!(
            ask(&mut world, &mut alice, &uri, good()).status(),
            Some(404)
        );
    }
    // Whoever was disabled meanwhile.
    let store = world.server.store_mut();
    store.user_mut(&aor("alice")).unwrap().enabled = false;
    let answer = ask(&mut world, &mut alice, &uri, good());
    assert_eq!(answer.status(), Some(403));
    assert!(answer.body().is_empty());
}

#[test]
fn nothing_without_a_proof_or_without_tls() {
    let mut world = World::new(with_relay);
    let mut alice = over_tls(&mut world, "alice", 50_001);
    let uri = told(&mut world, &mut alice).unwrap();
    // Not signed.
    let stranger = world.connect_over(Transport::Tls, 50_009);
    let request = alice
        .request(Method::Service, &uri)
        .with_body(CONTENT_TYPE, good());
    world.send(stranger, request.to_bytes());
    let answers = world.take(stranger);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status(), Some(401));
    assert!(answers[0].body().is_empty());
    // In clear.
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    let body = document("sip:bob@contoso.com", "1.0");
    let answer = ask(&mut world, &mut bob, &uri, body);
    assert_eq!(answer.status(), Some(403));
    assert_eq!(read(&answer).reason_phrase, ReasonPhrase::Forbidden);
    assert!(read(&answer).credentials.is_empty());
}

#[test]
fn what_was_granted_outlives_a_restart_and_new_keys() {
    let mut world = World::new(with_relay);
    let mut alice = over_tls(&mut world, "alice", 50_001);
    let uri = told(&mut world, &mut alice).unwrap();
    let before = granted(&ask(&mut world, &mut alice, &uri, good()));

    let mut world = world.restarted(Duration::from_mins(10));
    let mut alice = over_tls(&mut world, "alice", 50_002);
    assert_eq!(told(&mut world, &mut alice).as_ref(), Some(&uri));
    let after = granted(&ask(&mut world, &mut alice, &uri, good()));
    for credentials in [&before, &after] {
        assert_eq!(let_in(&world, credentials, keys(1)), Ok(()));
    }
    world.server.set_relay_keys(keys(5));
    let new = granted(&ask(&mut world, &mut alice, &uri, good()));
    assert_eq!(let_in(&world, &new, keys(5)), Ok(()));
    assert_eq!(let_in(&world, &new, keys(1)), Err(Refused::Forged));
    assert_eq!(let_in(&world, &before, keys(1)), Ok(()));
}

#[test]
fn hostile_documents() {
    let mut world = World::new(with_relay);
    let mut alice = over_tls(&mut world, "alice", 50_001);
    let uri = told(&mut world, &mut alice).unwrap();
    let good = good();
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let mut hostile = vec![
        String::new(),
        format!("{bomb}{good}"),
        good.replace("sip:alice@contoso.com</identity>", &"<x>".repeat(100_000)),
        good.replace("<duration>480", "<duration>0"),
        good.replace("<duration>480", "<duration>-1"),
        good.replace("1234567", &"7".repeat(65)),
        good.replace(
            "<identity>sip:",
            &format!("<identity>sip:{}", "a".repeat(70_000)),
        ),
        good.replace("to=\"sip:mras@contoso.com\"", "to=\"http://contoso.com/\""),
        format!("{good}{good}"),
    ];
    // Cut off anywhere.
    hostile.extend((1..good.len()).step_by(7).map(|end| good[..end].to_owned()));
    for body in hostile {
        let answer = ask(&mut world, &mut alice, &uri, body.clone());
        assert_eq!(answer.status(), Some(400), "{body:.300}");
        assert_eq!(read(&answer).reason_phrase, ReasonPhrase::RequestMalformed);
    }
    // Nobody gets more than there is.
    let long = good.replace("<duration>480", "<duration>99999999999999999999");
    let granted_at_most = granted(&ask(&mut world, &mut alice, &uri, long));
    assert_eq!(granted_at_most.credentials.duration, Minutes::EIGHT_HOURS);
    // As large as a message may be.
    let large = good.replace("480<", &format!("480{}<", " ".repeat(900_000)));
    let answer = ask(&mut world, &mut alice, &uri, large);
    assert!(answer.status() < Some(500), "{answer:?}");
    let still = granted(&ask(&mut world, &mut alice, &uri, good));
    assert_eq!(let_in(&world, &still, keys(1)), Ok(()));
    world.close(alice.connection);
    world.advance(WHILE);
    assert_eq!(world.server.counters(), Counters::default());
}
