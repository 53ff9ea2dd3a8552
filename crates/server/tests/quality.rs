//! Reports on the quality of calls ([MS-QoE]): where clients are told to send them, what is taken and kept, and what is not.

mod common;

use common::phone::{Phone, WHILE};
use common::presence::explained;
use common::{PASSWORD, World, aor};
use ocs_qoe::document::{CallQualityFeedbackReport, VqReportEvent};
use ocs_qoe::server::Report;
use ocs_qoe::{FEEDBACK_TYPE, MAX_BODY_LEN, REPORT_TYPE};
use ocs_server::{
    Config, Counters, Error, Event, FrontEnd, MemoryStore, QualityReport, Store as _,
};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::provisioning::{self, ServerConfiguration};

const FEEDBACK: &str = "<CallQualityFeedbackReport xmlns=\"ms-cqf\" CallId=\"c0ffee01\" FromTag=\"a1\" ToTag=\"b2\">\
    <ReportingUserURI>sip:alice@contoso.com</ReportingUserURI><Rating>4</Rating></CallQualityFeedbackReport>";

fn with_agent(config: &mut Config) {
    config.quality_agent = Some("pool.contoso.com".to_owned());
}

/// What alice's client saw of a call to bob.
fn good() -> String {
    "<VQReportEvent xmlns=\"ms-rtcp-metrics\" xmlns:v2=\"ms-rtcp-metrics.v2\" v2:SchemaVersion=\"2.0\">\
     <VQSessionReport SessionId=\"c0ffee01;from-tag=a1;to-tag=b2\"><Endpoint Name=\"PC1\"/>\
     <DialogInfo CallId=\"c0ffee01\" FromTag=\"a1\" ToTag=\"b2\" Start=\"2011-03-01T10:00:00Z\" End=\"2011-03-01T10:01:00Z\">\
     <FromURI>sip:alice@contoso.com</FromURI><ToURI>sip:bob@contoso.com</ToURI><Caller>true</Caller>\
     <LocalContactURI>sip:alice@contoso.com;opaque=user:epid:AAA;gruu</LocalContactURI>\
     <RemoteContactURI>sip:bob@contoso.com;opaque=user:epid:BBB;gruu</RemoteContactURI>\
     <LocalUserAgent>UCCAPI/4.0</LocalUserAgent><RemoteUserAgent>UCCAPI/4.0</RemoteUserAgent>\
     <LocalPAI>sip:alice@contoso.com</LocalPAI></DialogInfo>\
     <MediaLine Label=\"main-audio\"><Description><LocalAddr><IPAddr>10.0.0.5</IPAddr><Port>50010</Port></LocalAddr>\
     <RemoteAddr><IPAddr>10.0.0.9</IPAddr><Port>50020</Port></RemoteAddr></Description>\
     <InboundStream Id=\"2058862592\"><Network><Jitter><InterArrival>3</InterArrival></Jitter></Network></InboundStream>\
     </MediaLine></VQSessionReport></VQReportEvent>"
        .to_owned()
}

/// Where a client is told to report.
fn told(world: &mut World, phone: &mut Phone) -> Option<String> {
    let list = phone.server_configuration(world);
    let uri = provisioning::View::new(&list, false).qos_uri();
    uri.map(str::to_owned)
}

fn report(world: &mut World, phone: &mut Phone, uri: &str, kind: &str, body: &str) -> Message {
    let request = phone.request(Method::Service, uri);
    phone.exchange(world, request.with_body(kind, body.to_owned()))
}

fn kept(world: &World, name: &str) -> Vec<QualityReport> {
    let user = aor(name);
    world
        .server
        .store()
        .quality_reports(&user)
        .cloned()
        .collect()
}

fn reported(world: &World) -> Vec<(&str, &Report)> {
    let events = world.events.iter();
    let reports = events.filter_map(|event| match event {
        Event::QualityReported { aor, report } => Some((aor.user(), &**report)),
        _ => None,
    });
    reports.collect()
}

fn signed_in(world: &mut World) -> (Phone, String) {
    let mut alice = Phone::signed_in(world, "alice", "a1", 50_001);
    let uri = told(world, &mut alice).unwrap();
    (alice, uri)
}

#[test]
fn a_report_is_taken_and_kept() {
    let mut world = World::new(with_agent);
    let (mut alice, uri) = signed_in(&mut world);
    assert!(
        uri.starts_with("sip:pool.contoso.com@contoso.com;gruu;opaque=srvr:QoSM:"),
        "{uri}"
    );
    for (kind, body) in [(REPORT_TYPE, &*good()), (FEEDBACK_TYPE, FEEDBACK)] {
        let answer = report(&mut world, &mut alice, &uri, kind, body);
        assert_eq!((answer.status(), answer.body().len()), (Some(202), 0));
    }
    let expected = [
        Report::Event(Box::new(VqReportEvent::parse(good().as_bytes()).unwrap())),
        Report::Feedback(CallQualityFeedbackReport::parse(FEEDBACK.as_bytes()).unwrap()),
    ];
    let expected: Vec<_> = expected.iter().map(|report| ("alice", report)).collect();
    assert_eq!(reported(&world), expected);
    let of = |content_type, document: &str| QualityReport {
        aor: aor("alice"),
        received_at: world.clock.at(world.now),
        content_type,
        document: document.to_owned(),
    };
    let expected = [of(REPORT_TYPE, &good()), of(FEEDBACK_TYPE, FEEDBACK)];
    assert_eq!(kept(&world, "alice"), expected);
}

#[test]
fn the_pool_and_the_users_home_are_the_agent_too() {
    let mut world = World::new(with_agent);
    let (mut alice, uri) = signed_in(&mut world);
    let (start, opaque) = uri.split_once(";gruu;").unwrap();
    // The same address with its parameters in another order, the user himself, another user of this pool, the pool.
    let turned = format!("{start};{opaque};gruu");
    for uri in [
        &*turned,
        "sip:alice@contoso.com",
        "sip:bob@contoso.com",
        "sip:fe01.contoso.com",
    ] {
        let answer = report(&mut world, &mut alice, uri, REPORT_TYPE, &good());
        assert_eq!(answer.status(), Some(202), "{uri}");
    }
    assert_eq!(kept(&world, "alice").len(), 4);
    // An endpoint is none.
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    let gruu = bob.gruu.clone().unwrap();
    let request = alice.request(Method::Service, &gruu);
    alice.send(&mut world, request.with_body(REPORT_TYPE, good()));
    let request = bob.one(&mut world);
    assert_eq!(request.body(), good().as_bytes());
    // Nor is the agent of another pool.
    for uri in [
        "sip:pool2.contoso.com@contoso.com;gruu;opaque=srvr:QoSM:x",
        "sip:pool.contoso.com@contoso.com;gruu;opaque=srvr:QoSM:x",
    ] {
        let request = alice.request(Method::Invite, uri);
        assert_eq!(alice.ask(&mut world, request).status(), Some(404), "{uri}");
    }
    assert_eq!(kept(&world, "alice").len(), 4);
}

#[test]
fn without_an_agent_nobody_is_told_or_heard() {
    let mut world = World::new(|_| {});
    let mut alice = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    assert_eq!(told(&mut world, &mut alice), None);
    for (uri, expected) in [
        (
            "sip:pool.contoso.com@contoso.com;gruu;opaque=srvr:QoSM:x",
            403,
        ),
        ("sip:alice@contoso.com", 415),
    ] {
        let answer = report(&mut world, &mut alice, uri, REPORT_TYPE, &good());
        assert_eq!(answer.status(), Some(expected), "{uri}");
    }
    assert!(kept(&world, "alice").is_empty() && reported(&world).is_empty());
}

#[test]
fn an_agent_elsewhere_stays_what_clients_are_told() {
    let elsewhere = "sip:qos@fabrikam.com";
    let mut world = World::new(|config| {
        with_agent(config);
        let group = ServerConfiguration {
            qos_uri: Some(elsewhere.into()),
            ..ServerConfiguration::default()
        };
        config.provisioning.groups = vec![group.into()];
    });
    let (_, uri) = signed_in(&mut world);
    assert_eq!(uri, elsewhere);
}

#[test]
fn a_name_that_cannot_be_an_address() {
    let mut config = World::new(|_| {}).server.config().clone();
    let name = "no name".to_owned();
    config.quality_agent = Some(name.clone());
    let refused = FrontEnd::new(config, MemoryStore::new("CONTOSO"), [1; 32]);
    assert_eq!(refused.err(), Some(Error::QualityAgent { name }));
}

#[test]
fn only_who_has_signed_in_reports_and_only_of_himself() {
    let mut world = World::new(with_agent);
    let (_, uri) = signed_in(&mut world);
    // Not signed in: a challenge.
    let mut stranger = Phone::with_password(&mut world, "carol", "c1", 50_003, PASSWORD);
    let request = stranger
        .request(Method::Service, &uri)
        .with_body(REPORT_TYPE, good());
    world.send(stranger.connection, request.to_bytes());
    let challenge = stranger.one(&mut world);
    assert_eq!(challenge.status(), Some(401));
    assert!(challenge.header(HeaderName::WwwAuthenticate).is_some());
    // Somebody else's report: no challenge, and he stays signed in.
    let mut bob = Phone::signed_in(&mut world, "bob", "b1", 50_002);
    for (kind, body) in [(REPORT_TYPE, &*good()), (FEEDBACK_TYPE, FEEDBACK)] {
        let answer = report(&mut world, &mut bob, &uri, kind, body);
        assert_eq!(answer.status(), Some(401));
        assert_eq!(answer.header(HeaderName::WwwAuthenticate), None);
    }
    let own = good().replace("<LocalPAI>sip:alice", "<LocalPAI>sip:bob");
    let answer = report(&mut world, &mut bob, &uri, REPORT_TYPE, &own);
    assert_eq!(answer.status(), Some(202));
    assert_eq!(kept(&world, "bob").len(), 1);
    // Who may not use the system any more.
    world
        .server
        .store_mut()
        .user_mut(&aor("bob"))
        .unwrap()
        .enabled = false;
    let answer = report(&mut world, &mut bob, &uri, REPORT_TYPE, &own);
    assert_eq!(answer.status(), Some(403));
    assert_eq!((kept(&world, "bob").len(), reported(&world).len()), (1, 1));
    assert!(kept(&world, "alice").is_empty() && kept(&world, "carol").is_empty());
}

#[test]
fn what_is_refused() {
    let mut world = World::new(with_agent);
    let (mut alice, uri) = signed_in(&mut world);
    let long = good().replace("PC1", &"x".repeat(MAX_BODY_LEN));
    let name = good().replace("PC1", &"x".repeat(257));
    for (kind, body, expected) in [
        ("text/plain", &*good(), 415),
        (REPORT_TYPE, "<other/>", 606),
        (REPORT_TYPE, &*long, 413),
        (REPORT_TYPE, &*name, 400),
        (FEEDBACK_TYPE, &FEEDBACK.replace(">4<", ">6<"), 400),
    ] {
        let answer = report(&mut world, &mut alice, &uri, kind, body);
        assert_eq!(answer.status(), Some(expected), "{kind} {body:.100}");
    }
    let request = alice.request(Method::Message, &uri);
    let answer = alice.ask(&mut world, request);
    assert_eq!(answer.status(), Some(405));
    assert_eq!(answer.header(HeaderName::Allow), Some("SERVICE"));
    assert!(kept(&world, "alice").is_empty() && reported(&world).is_empty());
}

#[test]
fn hostile_documents() {
    let mut world = World::new(with_agent);
    let (mut alice, uri) = signed_in(&mut world);
    let good = good();
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let mut hostile = vec![
        String::new(),
        format!("{bomb}{good}"),
        good.replace("<Endpoint", &format!("{}<Endpoint", "<x>".repeat(50_000))),
        good.replace("3</InterArrival>", "1e99</InterArrival>"),
        good.replace("true</Caller>", "perhaps</Caller>"),
        format!("{good}{good}"),
    ];
    // Cut off anywhere.
    hostile.extend((1..good.len()).step_by(7).map(|end| good[..end].to_owned()));
    for body in hostile {
        let answer = report(&mut world, &mut alice, &uri, REPORT_TYPE, &body);
        assert_eq!(answer.status(), Some(400), "{body:.300}");
    }
    let request = alice.request(Method::Service, &uri);
    let request = request.with_body(REPORT_TYPE, b"<VQReportEvent a=\"\xFF\xFE\"/>".to_vec());
    assert_eq!(alice.exchange(&mut world, request).status(), Some(400));
    assert!(kept(&world, "alice").is_empty() && reported(&world).is_empty());

    // As many lines of media as there is room for.
    let (start, rest) = good.split_once("<MediaLine").unwrap();
    let (line, end) = rest.split_once("</MediaLine>").unwrap();
    let line = format!("<MediaLine{line}</MediaLine>");
    let lines = line.repeat((MAX_BODY_LEN - start.len() - end.len()) / line.len());
    let large = format!("{start}{lines}{end}");
    // The newest are kept, whatever a client sends.
    for _ in 0..8 {
        let answer = report(&mut world, &mut alice, &uri, REPORT_TYPE, &large);
        assert_eq!(answer.status(), Some(202));
    }
    let answer = report(&mut world, &mut alice, &uri, REPORT_TYPE, &good);
    assert_eq!(answer.status(), Some(202));
    let all = kept(&world, "alice");
    let octets: usize = all.iter().map(|report| report.document.len()).sum();
    assert!(octets <= MemoryStore::QUALITY_OCTETS, "{octets}");
    assert_eq!((all.len(), &all.last().unwrap().document), (4, &good));
    world.close(alice.connection);
    world.advance(WHILE);
    assert_eq!(world.server.counters(), Counters::default());
}

#[test]
fn a_report_that_cannot_be_kept_is_refused() {
    let mut world = World::new(with_agent);
    let (mut alice, uri) = signed_in(&mut world);
    world.server.store_mut().writes = false;
    let answer = report(&mut world, &mut alice, &uri, REPORT_TYPE, &good());
    assert_eq!(explained(&answer), (500, Some(4000)));
    let lost = Event::QualityReportLost {
        aor: aor("alice"),
        reason: "no space left".to_owned(),
    };
    assert!(world.told(|event| *event == lost));
    assert!(kept(&world, "alice").is_empty() && reported(&world).is_empty());
    world.server.store_mut().writes = true;
    let answer = report(&mut world, &mut alice, &uri, REPORT_TYPE, &good());
    assert_eq!(answer.status(), Some(202));
    assert_eq!(
        (kept(&world, "alice").len(), reported(&world).len()),
        (1, 1)
    );
    // Nobody's reports are not kept.
    let nobody = QualityReport {
        aor: aor("dave"),
        ..kept(&world, "alice").remove(0)
    };
    world.server.store_mut().put_quality_report(nobody).unwrap();
    assert!(kept(&world, "dave").is_empty());
}
