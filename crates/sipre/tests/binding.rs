//! The table of bindings.

mod common;

use std::time::{Duration, Instant};

use common::{flow, message, text};
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Transport};
use ocs_sipre::binding::Limits;
use ocs_sipre::contact::replace_proxy;
use ocs_sipre::{Binding, Bindings, Epid, Gruu, Identity, InstanceCheck, Registered};

fn binding(user: &str, epid: &str, connection: u64, at: Instant, cseq: u32) -> Binding {
    let epid = Epid::parse(epid).unwrap();
    Binding {
        aor: Aor::parse(user).unwrap(),
        contact: format!("sip:192.0.2.1:{};transport=tls", 1000 + connection),
        connection: Some(ConnectionId(connection)),
        instance: epid.instance(),
        epid: Some(epid),
        gruu: None,
        expires_at: at,
        q: 1000,
        user_agent: None,
        methods: Some("INVITE, MESSAGE".into()),
        supported: Vec::new(),
        call_id: "c".into(),
        cseq,
    }
}

#[test]
fn refresh_keeps_the_order_and_stale_is_refused() {
    let now = Instant::now();
    let mut table = Bindings::new(Limits::default());
    let aor = Aor::parse("a@x").unwrap();
    let Registered::Added(first) = table.insert(binding("a@x", "1", 1, now, 1)) else {
        panic!()
    };
    let Registered::Added(second) = table.insert(binding("a@x", "2", 2, now, 1)) else {
        panic!()
    };
    assert_eq!(
        table.insert(binding("a@x", "1", 1, now, 1)),
        Registered::Stale
    );
    let later = now + Duration::from_secs(9);
    let refreshed = table.insert(binding("a@x", "1", 3, later, 1));
    assert!(matches!(refreshed, Registered::Refreshed(id, _) if id == first));
    let ids: Vec<_> = table.of_user(&aor).map(|(id, _)| id).collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(table.on_connection(ConnectionId(1)).count(), 0);
    assert_eq!(table.on_connection(ConnectionId(3)).count(), 1);
    assert!(table.get(first).unwrap().allows("MESSAGE"));
    assert!(!table.get(first).unwrap().allows("REFER"));
    assert_eq!(table.next_expiry(), Some(now));
    assert_eq!(table.pop_expired(now).unwrap().epid.unwrap().as_str(), "2");
    assert_eq!(table.pop_expired(now), None);
    assert_eq!(table.next_expiry(), Some(later));
}

#[test]
fn a_dead_connection_takes_all_its_endpoints() {
    let now = Instant::now();
    let mut table = Bindings::new(Limits::default());
    table.insert(binding("a@x", "1", 1, now, 1));
    table.insert(binding("b@x", "1", 1, now, 1));
    table.insert(binding("b@x", "2", 2, now, 1));
    assert_eq!(table.remove_connection(ConnectionId(1)).len(), 2);
    assert_eq!(table.len(), 1);
    assert_eq!(table.remove_user(&Aor::parse("b@x").unwrap()).len(), 1);
    assert!(table.is_empty() && table.next_expiry().is_none());
}

#[test]
fn limits_hold() {
    let now = Instant::now();
    let mut table = Bindings::new(Limits {
        endpoints_per_user: 1,
        bindings: 2,
    });
    table.insert(binding("a@x", "1", 1, now, 1));
    assert_eq!(
        table.insert(binding("a@x", "2", 1, now, 1)),
        Registered::Full
    );
    table.insert(binding("b@x", "1", 1, now, 1));
    assert_eq!(
        table.insert(binding("c@x", "1", 1, now, 1)),
        Registered::Full
    );
    assert_eq!(table.of_user(&Aor::parse("c@x").unwrap()).count(), 0);
    assert_eq!(table.iter().count(), 2);
}

#[test]
fn endpoints_are_found_by_every_name() {
    let now = Instant::now();
    let mut table = Bindings::new(Limits::default());
    table.insert(binding("a@x", "01010101", 1, now, 1));
    table.insert(binding("a@x", "02", 0x2F, now, 1));
    let aor = Aor::parse("a@x").unwrap();
    let gruu = ocs_sipre::gruu::endpoint_gruu(&aor, Epid::parse("02").unwrap().instance());
    let (_, found) = table.by_gruu(&Gruu::parse(&gruu).unwrap()).unwrap();
    assert_eq!(found.epid.as_ref().unwrap().as_str(), "02");
    for (uri, epid) in [
        ("sip:a@x:9;ms-received-cid=2f", Some("02")),
        ("sip:a@x:1001;maddr=192.0.2.1", Some("01010101")),
        ("sip:192.0.2.1:1047", Some("02")),
        ("sip:192.0.2.1:1047;ms-received-cid=3", None),
        ("sip:192.0.2.2:1047", None),
    ] {
        let found = table.by_contact(&aor, &SipUri::parse(uri).unwrap());
        let found = found.map(|(_, b)| b.epid.as_ref().unwrap().as_str());
        assert_eq!(found, epid, "{uri}");
    }
}

#[test]
fn bindings_are_made_of_recorded_registrations() {
    let now = Instant::now();
    for (sent, answered, cid) in [
        (
            "two-clients/009-C2S-new-REGISTER.sip",
            "two-clients/010-S2C-bob-200-REGISTER.sip",
            0x200,
        ),
        (
            "two-clients/011-C2S-new-REGISTER.sip",
            "two-clients/012-S2C-alice-200-REGISTER.sip",
            0x300,
        ),
        (
            "no-gruu/009-C2S-new-REGISTER.sip",
            "no-gruu/010-S2C-alice-200-REGISTER.sip",
            0x400,
        ),
    ] {
        let mut register = message(sent);
        let port = register.top_via().unwrap().port().unwrap();
        let from = flow(cid, port, Transport::Tcp);
        replace_proxy(&mut register, &from);
        let identity = Identity::of_request(&register, InstanceCheck::Derived).unwrap();
        let end = now + Duration::from_hours(2);
        let connection = Some(from.connection);
        let mut binding = Binding::from_register(&register, identity, connection, end).unwrap();
        assert!(binding.allows("MESSAGE") && !binding.allows("SERVICE"));
        assert!(binding.supported.iter().any(|tag| tag == "adhoclist"));
        assert!(binding.gruu.is_some());
        if sent.starts_with("no-gruu") {
            binding.gruu = None;
        }
        let recorded = message(answered);
        assert_eq!(
            Some(binding.to_contact(now).as_str()),
            recorded.header(HeaderName::Contact)
        );
    }
}

#[test]
fn registrations_without_their_parts_make_no_binding() {
    let identity = Identity::resolve(Some("1"), None, InstanceCheck::Derived).unwrap();
    let parts = [
        "To: <sip:a@x>",
        "Contact: <sip:1.2.3.4>",
        "Call-ID: c",
        "CSeq: 1 REGISTER",
    ];
    for missing in 0..=parts.len() {
        let mut head = String::from("REGISTER sip:x SIP/2.0\n");
        for (at, part) in parts.iter().enumerate() {
            if at != missing {
                head.push_str(part);
                head.push('\n');
            }
        }
        let made = Binding::from_register(
            &text(&(head + "\n")),
            identity.clone(),
            None,
            Instant::now(),
        );
        match made {
            Ok(binding) => assert!(missing == parts.len() && binding.gruu.is_none()),
            Err(refusal) => assert!(missing < parts.len() && refusal.status == 400),
        }
    }
}
