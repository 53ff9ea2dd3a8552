//! The way of requests and responses through a front end, with the messages of recorded sessions.

mod common;

use std::time::Instant;

use common::{flow, message, text};
use ocs_sip_core::header::NameAddr;
use ocs_sip_core::uri::Host;
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message, Transport};
use ocs_sipre::binding::Limits;
use ocs_sipre::contact::{ProxyReplace, replace_proxy};
use ocs_sipre::route::{
    RouteKey, RouteState, RouterConfig, count_hop, prepare_next_hop, set_to_epid,
};
use ocs_sipre::via::{
    OwnVia, ResponseRoute, new_branch, pop_own, response_route, sent_by, stamp_received,
};
use ocs_sipre::{
    Binding, BindingId, Bindings, Flow, Identity, InstanceCheck, Peer, Registered, Router, Target,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

fn register(table: &mut Bindings, name: &str, flow: &Flow) -> BindingId {
    let mut request = message(name);
    assert_eq!(replace_proxy(&mut request, flow), ProxyReplace::Replaced);
    let identity = Identity::of_request(&request, InstanceCheck::Derived).unwrap();
    let now = Instant::now();
    let binding = Binding::from_register(&request, identity, Some(flow.connection), now).unwrap();
    let registered = table.insert(binding);
    let Registered::Added(id) = registered else {
        panic!("{registered:?}")
    };
    assert!(table.get(id).unwrap().allows("MESSAGE"));
    id
}

fn router() -> Router {
    Router::new(
        RouterConfig::new("fe01.contoso.com", "contoso.com"),
        RouteKey::new([7; 32]),
    )
}

fn known(aor: &Aor) -> bool {
    ["alice", "bob", "carol"].contains(&aor.user())
}

#[test]
fn registration_contacts_are_rewritten_as_recorded() {
    let mut request = message("two-clients/009-C2S-new-REGISTER.sip");
    let recorded = message("two-clients/010-S2C-bob-200-REGISTER.sip");
    let from = flow(0x200, 52064, Transport::Tcp);
    stamp_received(&mut request, &from).unwrap();
    assert_eq!(
        request.header(HeaderName::Via),
        recorded.header(HeaderName::Via)
    );
    assert_eq!(replace_proxy(&mut request, &from), ProxyReplace::Replaced);
    let contact = request.contact().unwrap();
    assert_eq!(contact.uri_text(), recorded.contact().unwrap().uri_text());
    assert!(!contact.params().has("proxy") && contact.params().has("methods"));
    assert_eq!(replace_proxy(&mut request, &from), ProxyReplace::Absent);
}

#[test]
fn contacts_are_rewritten_by_every_step() {
    let far = Flow {
        remote: "[2001:db8::1]:40000".parse().unwrap(),
        ..flow(0xAB, 0, Transport::Tls)
    };
    let near = Flow {
        remote: "203.0.113.9:40000".parse().unwrap(),
        ..far
    };
    for (contact, flow, expected) in [
        (
            "<sip:192.0.2.1:27221; transport=tls; ms-opaque=29c344caf9>;proxy=replace;x=1",
            near,
            "<sip:203.0.113.9:40000;transport=tls;ms-opaque=29c344caf9;ms-received-cid=AB>;x=1",
        ),
        (
            "\"a<b\" <sip:a@10.0.0.1:1;maddr=10.0.0.1;ms-received-cid=1>;PROXY=Replace",
            near,
            "\"a<b\" <sip:a@10.0.0.1:40000;maddr=203.0.113.9;ms-received-cid=AB>",
        ),
        (
            "<sip:a@host.example>;proxy=replace",
            far,
            "<sip:a@host.example:40000;maddr=[2001:db8::1];ms-received-cid=AB>",
        ),
        (
            "sip:a@10.0.0.1;proxy=replace, <sip:b@x>",
            far,
            "<sip:a@[2001:db8::1]:40000;ms-received-cid=AB>, <sip:b@x>",
        ),
    ] {
        let mut request = text("INVITE sip:b@x SIP/2.0\nVia: SIP/2.0/TLS a\n\n");
        request.push(HeaderName::Contact, contact);
        assert_eq!(replace_proxy(&mut request, &flow), ProxyReplace::Replaced);
        assert_eq!(request.header(HeaderName::Contact), Some(expected));
    }
}

#[test]
fn contacts_that_must_not_be_rewritten_are_refused() {
    let from = flow(1, 9, Transport::Tls);
    for (via, contact) in [
        (
            "SIP/2.0/TLS a, SIP/2.0/TLS b",
            "<sip:1.2.3.4>;proxy=replace",
        ),
        ("SIP/2.0/TLS a", "<sip:1.2.3.4>;proxy=keep"),
        ("SIP/2.0/TLS a", "<sip:1.2.3.4>;proxy"),
        ("SIP/2.0/TLS a", "<sip:1.2.3.4;transport=tcp>;proxy=replace"),
        (
            "SIP/2.0/TLS a",
            "<sip:1.2.3.4;transport=sctp>;proxy=replace",
        ),
        ("SIP/2.0/TLS a", "<tel:1>;proxy=replace"),
        ("SIP/2.0/TLS a", "<sip:a>;proxy=replace, <<"),
    ] {
        let mut request = text("INVITE sip:b@x SIP/2.0\n\n");
        request.push(HeaderName::Via, via);
        request.push(HeaderName::Contact, contact);
        let outcome = replace_proxy(&mut request, &from);
        assert!(
            matches!(outcome, ProxyReplace::Refuse(r) if r.status == 400),
            "{contact}"
        );
        assert_eq!(request.header(HeaderName::Contact), Some(contact));
    }
    // A response has the Via values of all hops before: only its connection tells.
    let recorded = message("no-gruu/054-C2S-bob-200-INVITE.sip");
    let mut response = recorded.clone();
    let from = flow(0x300, 47962, Transport::Tcp);
    let server = Flow {
        peer: Peer::Server,
        ..from
    };
    assert_eq!(replace_proxy(&mut response, &server), ProxyReplace::Discard);
    assert_eq!(replace_proxy(&mut response, &from), ProxyReplace::Replaced);
    let contact = "<sip:bob@contoso.com:47962;maddr=127.0.0.1;transport=tcp;ms-received-cid=300>";
    assert_eq!(response.header(HeaderName::Contact), Some(contact));
}

#[test]
fn vias_are_stamped_and_lead_back() {
    let mut request = text(
        "INVITE sip:b@x SIP/2.0\nVia: SIP/2.0/tls 10.0.0.1:5;branch=z9hG4bK1;received=6.6.6.6;ms-received-cid=666, SIP/2.0/TLS z\n\n",
    );
    let from = Flow {
        remote: "203.0.113.9:40000".parse().unwrap(),
        ..flow(0x037A_BE00, 0, Transport::Tls)
    };
    stamp_received(&mut request, &from).unwrap();
    let stamped = "SIP/2.0/tls 10.0.0.1:5;branch=z9hG4bK1;received=203.0.113.9;ms-received-port=40000;ms-received-cid=37ABE00";
    assert_eq!(
        request.values(HeaderName::Via).collect::<Vec<_>>(),
        [stamped, "SIP/2.0/TLS z"]
    );
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let branch = new_branch(&mut rng);
    let key = RouteKey::new([1; 32]);
    let seal = key.seal_via(&branch, stamped);
    let own = OwnVia {
        transport: Transport::Tls,
        sent_by: &sent_by([127, 0, 0, 1].into(), 5061),
        branch: &branch,
        branched: true,
        internal_info: Some(&seal),
    };
    own.push(&mut request);
    let mut response = Message::response_to(&request, 200, None);
    {
        let via = response.top_via().unwrap();
        assert_eq!(
            (via.branched(), via.unique_branch()),
            (Some(true), Some(branch.as_str()))
        );
        let info = via.ms_internal_info().unwrap().trim_matches('"');
        assert!(key.is_via_seal(&branch, stamped, info));
        assert!(!key.is_via_seal(&branch, "SIP/2.0/TLS z", info));
        assert!(!key.is_via_seal(&branch, stamped, ""));
    }
    assert_eq!(pop_own(&mut response, "127.0.0.1:5062"), None);
    assert!(pop_own(&mut response, "127.0.0.1:5061").is_some());
    let route = response_route(&response);
    assert_eq!(route, ResponseRoute::Connection(ConnectionId(0x037A_BE00)));
}

#[test]
fn responses_without_connection_go_to_the_address() {
    let route = |via: &str| {
        let response = text(&format!("SIP/2.0 200 OK\nVia: {via}\n\n"));
        match response_route(&response) {
            ResponseRoute::Address {
                host: Host::Address(host),
                port,
                transport,
            } => Some(format!("{host} {port} {transport}")),
            ResponseRoute::Address {
                host: Host::Name(host),
                port,
                ..
            } => Some(format!("{host} {port}")),
            ResponseRoute::Connection(id) => Some(id.to_string()),
            ResponseRoute::None => None,
        }
    };
    assert_eq!(
        route("SIP/2.0/TLS a.example").as_deref(),
        Some("a.example 5061")
    );
    assert_eq!(
        route("SIP/2.0/TCP a;received=::1;ms-received-port=7").as_deref(),
        Some("::1 7 TCP")
    );
    assert_eq!(
        route("SIP/2.0/TLS a;ms-received-cid=37abe00").as_deref(),
        Some("37ABE00")
    );
    for bad in [
        "SIP/2.0/TLS a;ms-received-cid=xyz",
        "SIP/2.0/SCTP a",
        "SIP/2.0/TCP a;received=x",
        "-",
    ] {
        assert_eq!(route(bad), None, "{bad}");
    }
}

#[test]
fn a_recorded_session_is_routed_by_gruu() {
    let (alice, bob) = (
        flow(0x300, 52070, Transport::Tcp),
        flow(0x200, 52064, Transport::Tcp),
    );
    let mut table = Bindings::new(Limits::default());
    let b = register(&mut table, "two-clients/009-C2S-new-REGISTER.sip", &bob);
    let a = register(&mut table, "two-clients/011-C2S-new-REGISTER.sip", &alice);
    let router = router();
    for (sent, received, from, to) in [
        ("051-C2S-alice-INVITE", "053-S2C-bob-INVITE", alice, b),
        ("056-C2S-alice-ACK", "057-S2C-bob-ACK", alice, b),
        ("058-C2S-alice-MESSAGE", "059-S2C-bob-MESSAGE", alice, b),
        ("062-C2S-bob-INFO", "063-S2C-alice-INFO", bob, a),
        ("066-C2S-bob-MESSAGE", "067-S2C-alice-MESSAGE", bob, a),
        ("089-C2S-alice-BYE", "090-S2C-bob-BYE", alice, b),
    ] {
        let mut request = message(&format!("two-clients/{sent}.sip"));
        let recorded = message(&format!("two-clients/{received}.sip"));
        stamp_received(&mut request, &from).unwrap();
        let state = router.process_route(&mut request).unwrap();
        let target = router.resolve(&request, &table, state.as_ref(), &from, known);
        assert_eq!(target, Target::Endpoint(to), "{sent}");
        count_hop(&mut request).unwrap();
        let binding = table.get(to).unwrap();
        request.set_request_uri(&binding.contact);
        let via = recorded.top_via().unwrap();
        let own = OwnVia {
            transport: Transport::Tls,
            sent_by: via.sent_by(),
            branch: via.branch().unwrap(),
            branched: false,
            internal_info: None,
        };
        own.push(&mut request);
        assert_eq!(request.request_uri(), recorded.request_uri());
        for name in [
            HeaderName::Via,
            HeaderName::Route,
            HeaderName::MaxForwards,
            HeaderName::To,
        ] {
            assert!(
                request.lines(name).eq(recorded.lines(name)),
                "{sent} {name}"
            );
        }
    }
    // A user without endpoint, and one that does not exist.
    let chat = message("two-clients/031-C2S-alice-INVITE.sip");
    let target = router.resolve(&chat, &table, None, &alice, known);
    assert!(matches!(target, Target::Refuse(r) if r.status == 404));
    let target = router.resolve(&chat, &table, None, &alice, |_| true);
    assert!(matches!(target, Target::Refuse(r) if r.status == 480));
}

#[test]
fn a_recorded_session_without_gruu_is_routed_by_contact() {
    let (alice, bob) = (
        flow(0x400, 47974, Transport::Tcp),
        flow(0x300, 47962, Transport::Tcp),
    );
    let mut table = Bindings::new(Limits::default());
    let a = register(&mut table, "no-gruu/009-C2S-new-REGISTER.sip", &alice);
    let b = register(&mut table, "no-gruu/011-C2S-new-REGISTER.sip", &bob);
    let router = router();
    for (name, from, to) in [
        ("051-C2S-alice-INVITE", alice, b),
        ("056-C2S-alice-ACK", alice, b),
        ("058-C2S-alice-MESSAGE", alice, b),
        ("062-C2S-bob-MESSAGE", bob, a),
        ("069-C2S-alice-BYE", alice, b),
    ] {
        let mut request = message(&format!("no-gruu/{name}.sip"));
        let state = router.process_route(&mut request).unwrap();
        let target = router.resolve(&request, &table, state.as_ref(), &from, known);
        assert_eq!(target, Target::Endpoint(to), "{name}");
    }
}

fn request(uri: &str, extra: &str) -> Message {
    text(&format!(
        "MESSAGE {uri} SIP/2.0\nFrom: <sip:bob@contoso.com>;tag=1\nTo: <sip:alice@contoso.com>;tag=2\nCall-ID: c1\nCSeq: 1 MESSAGE\n{extra}\n"
    ))
}

#[test]
fn signed_state_leads_to_the_other_connection_only() {
    let router = router();
    let table = Bindings::new(Limits::default());
    let state = RouteState {
        from_home: true,
        to_home: true,
        caller: Some(ConnectionId(0x37)),
        callee: Some(ConnectionId(0x20)),
    };
    let mut invite = text("INVITE sip:b@contoso.com SIP/2.0\nCall-ID: c1\n\n");
    router.add_record_route(&mut invite, &state);
    let value = invite.header(HeaderName::RecordRoute).unwrap().to_owned();
    assert!(value.starts_with("<sip:fe01.contoso.com:5061;transport=tls;ms-role-rs-to;ms-role-rs-from;opaque=state:F:T:Ci.R37:Co.R20;lr;ms-route-sig="));
    let mut other = request("sip:alice@contoso.com", "");
    router.add_record_route(&mut other, &state);
    assert_eq!(other.header(HeaderName::RecordRoute), None);

    let route = format!("Route: {value}\n");
    let resolve = |cid| {
        let from = flow(cid, 1, Transport::Tls);
        let mut request = request("sip:alice@contoso.com;opaque=user:epid:x;gruu", &route);
        let state = router.process_route(&mut request).unwrap();
        assert_eq!(request.header(HeaderName::Route), None);
        match router.resolve(&request, &table, state.as_ref(), &from, known) {
            Target::Connection(id) => Ok(id.0),
            Target::Refuse(refusal) => Err(refusal.status),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        (resolve(0x20), resolve(0x37), resolve(0x99)),
        (Ok(0x37), Ok(0x20), Err(480))
    );

    // A client changes the connection, the dialog or the tag; or leaves the tag out.
    for forged in [
        route.replace("Ci.R37", "Ci.R38"),
        route.replace("ms-route-sig=", "ms-route-sig=A"),
        route.split(";lr").next().unwrap().to_owned() + ";lr>\n",
    ] {
        let mut request = request("sip:alice@contoso.com", &forged);
        assert_eq!(router.process_route(&mut request).unwrap_err().status, 403);
    }
    let mut elsewhere = request("sip:alice@contoso.com", &route);
    elsewhere.set(HeaderName::CallId, "c2");
    assert_eq!(
        router.process_route(&mut elsewhere).unwrap_err().status,
        403
    );
    let stranger = Router::new(router.config().clone(), RouteKey::new([8; 32]));
    let mut signed = request("sip:alice@contoso.com", &route);
    assert_eq!(stranger.process_route(&mut signed).unwrap_err().status, 403);
    assert_eq!(format!("{:?}", router.key()), "RouteKey(..)");
}

#[test]
fn strict_routers_are_served_in_both_directions() {
    let router = router();
    let own = router.record_route("c1", &RouteState::default());
    let own = own.trim_matches(['<', '>']);
    // They put our Record-Route into the Request-URI and the target behind the Route.
    let mut request = request(
        own,
        "Route: <sip:p2.example;lr>\nRoute: <sip:alice@contoso.com>\n",
    );
    assert_eq!(
        router.process_route(&mut request).unwrap(),
        Some(RouteState::default())
    );
    assert_eq!(request.request_uri(), Some("sip:alice@contoso.com"));
    let table = Bindings::default();
    let from = flow(1, 1, Transport::Tls);
    let target = router.resolve(&request, &table, None, &from, known);
    assert_eq!(target, Target::Route("sip:p2.example;lr"));
    assert_eq!(prepare_next_hop(&mut request).unwrap(), "sip:p2.example;lr");
    // The next hop is one of them.
    request.set(HeaderName::Route, "<sip:old.example>, <sip:p3.example;lr>");
    assert_eq!(prepare_next_hop(&mut request).unwrap(), "sip:old.example");
    assert_eq!(request.request_uri(), Some("sip:old.example"));
    let rest: Vec<_> = request
        .values(HeaderName::Route)
        .map(|r| NameAddr::parse(r).unwrap().uri_text().to_owned())
        .collect();
    assert_eq!(rest, ["sip:p3.example;lr", "sip:alice@contoso.com"]);
}

#[test]
fn every_kind_of_target_is_told_apart() {
    let mut router_config = RouterConfig::new("pool.contoso.com", "contoso.com");
    router_config.front_end = Some("fe01.contoso.com".into());
    let router = Router::new(router_config, RouteKey::new([7; 32]));
    assert!(
        router
            .record_route("c", &RouteState::default())
            .contains(";ms-fe=fe01.contoso.com;")
    );
    let mut table = Bindings::new(Limits::default());
    let bob = flow(0x200, 52064, Transport::Tcp);
    let first = register(&mut table, "two-clients/009-C2S-new-REGISTER.sip", &bob);
    let mut second = table.get(first).unwrap().clone();
    second.epid = Some(ocs_sipre::Epid::parse("3102EB8BD1").unwrap());
    second.instance = second.epid.as_ref().unwrap().instance();
    second.call_id = "other".into();
    let Registered::Added(second) = table.insert(second) else {
        panic!()
    };
    let kind = |uri: &str, to: &str| {
        let request = text(&format!("INVITE {uri} SIP/2.0\nTo: {to}\n\n"));
        match router.resolve(&request, &table, None, &bob, known) {
            Target::Endpoint(id) if id == first => "first".to_owned(),
            Target::Endpoint(id) if id == second => "second".to_owned(),
            Target::Endpoints(ids) => format!("{}", ids.len()),
            Target::Application(gruu) => gruu.opaque.to_string(),
            Target::Own => "own".to_owned(),
            Target::Foreign(uri) => format!("foreign {}", uri.scheme()),
            Target::Refuse(refusal) => refusal.status.to_string(),
            other => panic!("{other:?}"),
        }
    };
    for (uri, to, expected) in [
        ("sip:bob@contoso.com", "<sip:bob@contoso.com>", "2"),
        (
            "sip:BOB@CONTOSO.com",
            "<sip:bob@contoso.com>;epid=3102EB8BD1",
            "second",
        ),
        (
            "sip:bob@contoso.com",
            "<sip:bob@contoso.com>;epid=00",
            "480",
        ),
        (
            "sip:bob@contoso.com",
            "<sip:bob@contoso.com>;epid=12345678901234567",
            "400",
        ),
        (
            "sip:bob@contoso.com;gruu;opaque=user:epid:-gLwenLTVVqy-Ak8TJn1ZAAA",
            "<sip:bob@contoso.com>",
            "second",
        ),
        (
            "sip:alice@contoso.com;gruu;opaque=user:epid:-gLwenLTVVqy-Ak8TJn1ZAAA",
            "<sip:x>",
            "480",
        ),
        (
            "sip:nobody@contoso.com;gruu;opaque=user:epid:-gLwenLTVVqy-Ak8TJn1ZAAA",
            "<sip:x>",
            "404",
        ),
        (
            "sip:127.0.0.1:52064;transport=tcp;ms-received-cid=200",
            "<sip:bob@contoso.com>",
            "first",
        ),
        (
            "sip:127.0.0.1:52064;transport=tcp;ms-received-cid=200",
            "<sip:alice@contoso.com>",
            "480",
        ),
        (
            "sip:alice@contoso.com;gruu;opaque=app:voicemail",
            "<sip:x>",
            "app:voicemail",
        ),
        (
            "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:1",
            "<sip:x>",
            "app:conf:focus:id:1",
        ),
        (
            "sip:nobody@contoso.com;gruu;opaque=app:voicemail",
            "<sip:x>",
            "404",
        ),
        (
            "sip:mras.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:x",
            "<sip:x>",
            "srvr:MRAS:x",
        ),
        ("sip:pool.contoso.com:5061;transport=tls", "<sip:x>", "own"),
        ("sip:fe01.contoso.com:5061;transport=tls", "<sip:x>", "own"),
        ("sip:contoso.com", "<sip:x>", "own"),
        (
            "sip:+14255550100@contoso.com;user=phone",
            "<sip:x>",
            "foreign sip",
        ),
        ("sip:alice@contoso.com;user=phone", "<sip:x>", "480"),
        ("sip:fe01.contoso.com:5062", "<sip:x>", "foreign sip"),
        ("sip:a@fabrikam.com", "<sip:x>", "foreign sip"),
        ("sip:a@192.0.2.7", "<sip:x>", "foreign sip"),
        ("tel:+14255550100", "<sip:x>", "foreign tel"),
        ("im:a@b", "<sip:x>", "416"),
    ] {
        assert_eq!(kind(uri, to), expected, "{uri} {to}");
    }
}

#[test]
fn hops_are_counted_and_epids_added_once() {
    let mut request = request("sip:alice@contoso.com", "Max-Forwards: 1\n");
    count_hop(&mut request).unwrap();
    assert_eq!(count_hop(&mut request).unwrap_err().status, 483);
    request.remove(HeaderName::MaxForwards);
    count_hop(&mut request).unwrap();
    assert_eq!(request.header(HeaderName::MaxForwards), Some("70"));
    request.set(HeaderName::MaxForwards, "-1");
    assert_eq!(count_hop(&mut request).unwrap_err().status, 400);
    let epid = ocs_sipre::Epid::parse("01").unwrap();
    set_to_epid(&mut request, &epid);
    set_to_epid(&mut request, &ocs_sipre::Epid::parse("02").unwrap());
    assert_eq!(
        request.header(HeaderName::To),
        Some("<sip:alice@contoso.com>;tag=2;epid=01")
    );
}

#[test]
fn loops_of_own_routes_end() {
    let router = router();
    let extra = "Route: <sip:fe01.contoso.com;lr>\n".repeat(9);
    let mut request = request("sip:alice@contoso.com", &extra);
    assert_eq!(router.process_route(&mut request).unwrap_err().status, 482);
}
