//! A client and a registrar, message by message.

use std::time::{Duration, Instant};

use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message, Method, Transport};
use ocs_sipre::Epid;
use ocs_siprege::notify::{Reaction, RegistrationEvent};
use ocs_siprege::presence_state::{
    ClusterState, PresenceState, PrimaryClusterType, RegisterAction,
};
use ocs_siprege::registrar::{self, Context, Registrar, Removal};
use ocs_siprege::registration::{self, Event, Registration};
use ocs_siprege::version_filter::{Rule, Verdict, Version, VersionFilter, products};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

const SECOND: Duration = Duration::from_secs(1);

fn alice() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

fn client(epid: &str) -> Registration {
    let instance = Epid::parse(epid).unwrap().instance().to_string();
    let config = registration::Config {
        aor: alice(),
        epid: epid.into(),
        instance: instance.rsplit(':').next().unwrap().into(),
        sent_by: "192.0.2.1:27221".into(),
        transport: Transport::Tls,
        ms_opaque: "29c344caf9".into(),
        user_agent: "demo/1.0".into(),
        gruu: true,
        survivable: false,
        presence: true,
    };
    Registration::new(config, &mut ChaCha12Rng::seed_from_u64(1))
}

fn server() -> Registrar {
    Registrar::new(registrar::Config::new("fe01.contoso.com"))
}

/// One request of the client to the server and back.
fn round(
    now: Instant,
    client: &mut Registration,
    server: &mut Registrar,
    connection: u64,
) -> Message {
    let request = client.poll_transmit().expect("a request");
    let context = Context {
        aor: &alice(),
        connection: ConnectionId(connection),
        tag: "77",
    };
    let response = server.handle_register(now, context, &request);
    client.handle_response(now, &response);
    response
}

fn registered(client: &mut Registration) -> registration::Registered {
    match client.poll_event() {
        Some(Event::Registered(registered)) => registered,
        event => panic!("{event:?}"),
    }
}

#[test]
fn register_refresh_unregister() {
    let mut now = Instant::now();
    let (mut client, mut server) = (client("01010101"), server());
    client.register(now);
    assert!(client.is_pending());
    round(now, &mut client, &mut server, 1);
    let first = registered(&mut client);
    assert!(!first.refresh);
    assert_eq!(first.expires, 7200);
    assert_eq!(
        first.presence_state.unwrap().register_action,
        RegisterAction::Added
    );
    assert_eq!(first.supported, ["adhoclist", "msrtc-event-categories"]);
    assert_eq!(first.allow_events.len(), 7);
    now += 7170 * SECOND;
    assert_eq!(client.poll_timeout(), Some(now));
    client.handle_timeout(now);
    round(now, &mut client, &mut server, 1);
    let second = registered(&mut client);
    assert!(second.refresh);
    assert_eq!(first.gruu, second.gruu);
    client.unregister(now);
    let response = round(now, &mut client, &mut server, 1);
    assert_eq!(response.header(HeaderName::Expires), Some("0"));
    assert_eq!(client.poll_event(), Some(Event::Unregistered));
    assert!(server.bindings().is_empty());
    assert!(!client.is_registered());
}

#[test]
fn a_binding_that_the_server_lost() {
    let mut now = Instant::now();
    let (mut client, mut server) = (client("01010101"), server());
    client.register(now);
    round(now, &mut client, &mut server, 1);
    registered(&mut client);
    // The server forgets; the client learns it from the answer to its refresh and begins anew.
    let mut forgetful = self::server();
    now += 7170 * SECOND;
    client.handle_timeout(now);
    round(now, &mut client, &mut forgetful, 1);
    assert_eq!(client.poll_event(), Some(Event::Lost));
    round(now, &mut client, &mut forgetful, 1);
    assert!(!registered(&mut client).refresh);
}

#[test]
fn each_endpoint_finds_its_own_contact() {
    let now = Instant::now();
    let mut server = server();
    let mut gruus = Vec::new();
    for (index, epid) in ["aaaa", "bbbb", "cccc"].into_iter().enumerate() {
        let mut client = client(epid);
        client.register(now);
        let response = round(now, &mut client, &mut server, index as u64);
        assert_eq!(response.lines(HeaderName::Contact).count(), index + 1);
        gruus.push(registered(&mut client).gruu.unwrap());
    }
    gruus.dedup();
    assert_eq!(gruus.len(), 3);
    assert_eq!(
        server.deregister_user(&alice(), RegistrationEvent::Deactivated),
        3
    );
    assert_eq!(std::iter::from_fn(|| server.poll_transmit()).count(), 3);
}

#[test]
fn who_is_not_answered_gives_up() {
    let now = Instant::now();
    let mut client = client("01010101");
    client.register(now);
    client.poll_transmit();
    client.handle_timeout(now + 59 * SECOND);
    assert_eq!(client.poll_event(), None);
    client.handle_timeout(now + 60 * SECOND);
    assert_eq!(client.poll_event(), Some(Event::TimedOut));
    assert_eq!(client.poll_timeout(), None);
    // An answer that comes too late means nothing.
    client.handle_response(now, &Message::response(200));
    assert_eq!(client.poll_event(), None);
}

#[test]
fn answers_that_end_the_attempt() {
    let now = Instant::now();
    let answer = |status: u16, headers: &[(HeaderName, &str)]| {
        let mut client = client("01010101");
        client.register(now);
        let request = client.poll_transmit().unwrap();
        let mut response = Message::response_to(&request, status, Some("7"));
        for (name, value) in headers {
            response.push(*name, value);
        }
        client.handle_response(now, &response);
        assert!(!client.is_registered());
        client.poll_event().unwrap()
    };
    let refusal = |event| match event {
        Event::Refused(refusal) => refusal,
        event => panic!("{event:?}"),
    };
    let told = refusal(answer(
        403,
        &[(
            HeaderName::MsDiagnosticsPublic,
            "4003;reason=\"User not enabled\"",
        )],
    ));
    assert_eq!(
        (told.status, &*told.reason, told.is_temporary),
        (403, "User not enabled", false)
    );
    let told = refusal(answer(
        404,
        &[(HeaderName::Warning, "310 lcs.microsoft.com \"Too old\"")],
    ));
    assert_eq!(told.reason, "Too old");
    let told = refusal(answer(503, &[(HeaderName::RetryAfter, "30")]));
    assert_eq!(
        (told.is_temporary, told.retry_after.as_deref()),
        (true, Some("30"))
    );
    assert_eq!(told.reason, "Service Unavailable");
    assert!(matches!(
        answer(301, &[(HeaderName::Contact, "<sip:fe02.contoso.com;transport=tls>")]),
        Event::Redirected { contact } if contact == "sip:fe02.contoso.com;transport=tls"
    ));
    assert_eq!(refusal(answer(301, &[])).status, 301);
    let mut client = client("01010101");
    client.register(now);
    let request = client.poll_transmit().unwrap();
    client.handle_response(now, &Message::response_to(&request, 401, Some("7")));
    assert!(matches!(client.poll_event(), Some(Event::Challenged(_))));
    client.authenticate(now);
    let again = client.poll_transmit().unwrap();
    assert_eq!(again.call_id(), request.call_id());
    assert_eq!(again.header(HeaderName::CSeq), Some("2 REGISTER"));
}

#[test]
fn notifies_of_others_are_not_taken() {
    let now = Instant::now();
    let (mut client, mut server) = (client("01010101"), server());
    client.register(now);
    round(now, &mut client, &mut server, 1);
    registered(&mut client);
    server.deregister_user(&alice(), RegistrationEvent::Unregistered);
    let notify = server.poll_transmit().unwrap().message;
    for (name, value) in [
        (HeaderName::CallId, "other"),
        (HeaderName::To, "<sip:alice@contoso.com>;tag=other"),
        (HeaderName::Event, "presence"),
    ] {
        let mut other = notify.clone();
        other.set(name, value);
        assert_eq!(client.handle_notify(&other), None, "{name:?}");
    }
    // A body that is not known says nothing while the subscription lives.
    let mut other = notify.clone();
    other.set_body("text/registration-event", "registered;event=bored");
    other.set(HeaderName::SubscriptionState, "active;expires=600");
    assert_eq!(client.handle_notify(&other), None);
    assert!(client.is_registered());
    assert!(client.handle_notify(&notify).is_some());
    assert!(matches!(
        client.poll_event(),
        Some(Event::Notified {
            reaction: Reaction::Stop,
            ..
        })
    ));
    assert!(!client.is_registered());
}

/// The state of the subscription tells an end from everything else, so an end for a reason that is not known is one all the same.
#[test]
fn an_end_for_an_unknown_reason() {
    let now = Instant::now();
    let (mut client, mut server) = (client("01010101"), server());
    client.register(now);
    round(now, &mut client, &mut server, 1);
    registered(&mut client);
    server.deregister_user(&alice(), RegistrationEvent::Unregistered);
    let mut notify = server.poll_transmit().unwrap().message;
    notify.set_body("text/registration-event", "deregistered;event=bored");
    assert!(client.handle_notify(&notify).is_some());
    assert!(!client.is_registered());
    assert!(matches!(
        client.poll_event(),
        Some(Event::Notified {
            reaction: Reaction::RetryLater,
            ..
        })
    ));
}

#[test]
fn an_epid_with_a_new_instance_replaces_the_old_one() {
    let now = Instant::now();
    let mut config = registrar::Config::new("fe01.contoso.com");
    config.instance_check = ocs_sipre::InstanceCheck::Any;
    let mut server = Registrar::new(config);
    for (cseq, uuid) in [
        (1, "4b1682a8-f968-5701-83fc-7c6741dc6697"),
        (2, "5ccdb10d-dca1-559e-ad2b-b514060a2da2"),
    ] {
        let request = Message::request(Method::Register, "sip:contoso.com")
            .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=aaaa")
            .with(HeaderName::To, "<sip:alice@contoso.com>")
            .with(HeaderName::CallId, "a")
            .with(HeaderName::CSeq, &format!("{cseq} REGISTER"))
            .with(
                HeaderName::Contact,
                &format!("<sip:192.0.2.1>;+sip.instance=\"<urn:uuid:{uuid}>\""),
            );
        let context = Context {
            aor: &alice(),
            connection: ConnectionId(1),
            tag: "7",
        };
        assert_eq!(
            server.handle_register(now, context, &request).status(),
            Some(200)
        );
    }
    assert_eq!(server.bindings().len(), 1);
    let causes: Vec<_> = std::iter::from_fn(|| server.poll_event())
        .filter_map(|event| match event {
            registrar::Event::Removed { cause, .. } => Some(cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, [Removal::Replaced]);
}

fn version() -> impl Strategy<Value = Version> {
    any::<[u32; 4]>().prop_map(Version)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn presence_state_round_trips(
        action in prop_oneof![Just(RegisterAction::Added), Just(RegisterAction::Refreshed), Just(RegisterAction::Fixed)],
        cluster in prop::option::of((any::<bool>(), any::<bool>())),
        user_services_unavailable in any::<bool>(),
        spaces in any::<bool>(),
    ) {
        let state = PresenceState {
            cluster: cluster.map(|(central, is_connected_to_primary)| ClusterState {
                primary_cluster_type: if central { PrimaryClusterType::Central } else { PrimaryClusterType::Remote },
                is_connected_to_primary,
            }),
            user_services_unavailable,
            ..PresenceState::new(action)
        };
        let mut text = state.to_string();
        prop_assert_eq!(PresenceState::parse(&text), Some(state));
        if spaces {
            text = text.replace(';', " ; ").replace('"', "");
        }
        prop_assert_eq!(PresenceState::parse(&text.to_uppercase().replace("REGISTER-ACTION", "register-action")), Some(state));
    }

    #[test]
    fn nothing_panics(text in ".{0,80}", octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = PresenceState::parse(&text);
        let _ = RegistrationEvent::parse(&octets);
        let _ = text.parse::<Version>();
        let _ = products(&text).count();
    }

    #[test]
    fn versions_round_trip(version in version(), name in "[A-Za-z]{1,8}", comment in "[a-z0-9/ ]{0,12}") {
        prop_assert_eq!(version.to_string().parse::<Version>().ok(), Some(version));
        let agent = format!("({comment}) {name}/{version} ({comment} (x) y)");
        prop_assert_eq!(products(&agent).collect::<Vec<_>>(), [(&*name, version)]);
    }

    #[test]
    fn a_filter_is_monotonic(minimum in version(), recommended in version(), a in version(), b in version()) {
        let filter = VersionFilter {
            rules: vec![Rule { product: "OC".into(), minimum, recommended }],
            default: Verdict::Allow,
        };
        let rank = |version: Version| match filter.judge(Some(&format!("OC/{version}"))) {
            Verdict::Refuse => 0,
            Verdict::Warn => 1,
            Verdict::Allow => 2,
        };
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(rank(low) <= rank(high));
        prop_assert_eq!(rank(minimum) > 0, true);
    }
}
