//! The header, the client's refresh and the server's timers.

use std::time::{Duration, Instant};

use ocs_conmgmt::keep_alive::{ClientEvent, HeaderLimits, Mechanism, Role, ServerEvent};
use ocs_conmgmt::{
    ClientKeepAlive, ClientKeepAliveConfig, CloseReason, Error, MsKeepAlive, ServerKeepAlive,
    ServerKeepAliveConfig,
};
use proptest::prelude::*;

const SEEN_OFFER: &str = "UAC;hop-hop=yes";
const SEEN_ANSWER: &str = "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn seen_values_round_trip_exactly() {
    for value in [SEEN_OFFER, SEEN_ANSWER] {
        assert_eq!(value.parse::<MsKeepAlive>().unwrap().to_string(), value);
    }
    assert_eq!(MsKeepAlive::offer().to_string(), SEEN_OFFER);
    let answer: MsKeepAlive = SEEN_ANSWER.parse().unwrap();
    assert_eq!(answer.role, Role::Uas);
    assert!(
        answer.has(Mechanism::HopHop)
            && !answer.has(Mechanism::Tcp)
            && !answer.has(Mechanism::EndEnd)
    );
    assert_eq!(answer.timeout, Some(300));
}

#[test]
fn tolerant() {
    let value: MsKeepAlive =
        " uas ;; HOP-HOP = YES\t; Timeout =300 ; x=\"a;b\\\"\" ; flag; x=2; hop-hop=no;"
            .parse()
            .unwrap();
    assert_eq!(value.hop_hop, Some(true));
    assert_eq!(value.timeout, Some(300));
    assert_eq!(
        value.other,
        [
            ("x".into(), Some("\"a;b\\\"\"".into())),
            ("flag".into(), None)
        ]
    );
    let huge: MsKeepAlive = "UAS;hop-hop=yes;timeout=99999999999999999999"
        .parse()
        .unwrap();
    assert_eq!(huge.timeout, Some(u32::MAX));
}

#[test]
fn malformed() {
    let parse = str::parse::<MsKeepAlive>;
    for value in ["", ";", "hop-hop=yes", "UACX", "UAC hop-hop=yes", ";UAC"] {
        assert_eq!(parse(value), Err(Error::KeepAliveRole), "{value}");
    }
    for (value, position) in [
        ("UAC;hop-hop", 4),
        ("UAC; hop-hop=maybe", 5),
        ("UAC;hop-hop=", 4),
        ("UAS;timeout=", 4),
        ("UAS;timeout=-1", 4),
        ("UAS;tcp=no;timeout=3x", 11),
        ("UAS;=", 4),
        ("UAS;a b=c", 4),
        ("UAS;a=\"b", 4),
        ("UAS;a=\"b\"c", 4),
        ("UAS;a=", 4),
    ] {
        assert_eq!(
            parse(value),
            Err(Error::KeepAliveParameter { position }),
            "{value}"
        );
    }
    assert_eq!(
        parse(&format!("UAC{}", " ".repeat(1022))),
        Err(Error::KeepAliveTooLong)
    );
    assert_eq!(
        parse(&format!("UAC{}", ";a".repeat(17))),
        Err(Error::KeepAliveTooManyParameters)
    );
    let limits = HeaderLimits {
        value_len: 3,
        parameters: 0,
    };
    assert!(MsKeepAlive::parse("UAC", &limits).is_ok());
    assert_eq!(
        MsKeepAlive::parse("UAC;", &limits),
        Err(Error::KeepAliveTooLong)
    );
}

#[test]
fn truncated() {
    for end in 0..SEEN_ANSWER.len() {
        let _ = SEEN_ANSWER[..end].parse::<MsKeepAlive>();
    }
}

fn header() -> impl Strategy<Value = MsKeepAlive> {
    let other = prop::collection::btree_map(
        "x-[a-z]{1,8}",
        prop::option::of(prop_oneof!["[a-z0-9.:]{1,9}", "\"[a-z;= ]{0,9}\""]),
        0..4,
    );
    let boolean = || prop::option::of(any::<bool>());
    (
        any::<bool>(),
        boolean(),
        boolean(),
        boolean(),
        any::<Option<u32>>(),
        other,
    )
        .prop_map(|(uac, tcp, hop_hop, end_end, timeout, other)| MsKeepAlive {
            role: if uac { Role::Uac } else { Role::Uas },
            tcp,
            hop_hop,
            end_end,
            timeout,
            other: other.into_iter().collect(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn decode_of_encode(header in header()) {
        prop_assert_eq!(header.to_string().parse::<MsKeepAlive>(), Ok(header));
    }

    #[test]
    fn any_text(value in "\\PC{0,80}") {
        let _ = value.parse::<MsKeepAlive>();
    }

    #[test]
    fn near_text(value in "ua[cs][;= \"\\\\a-z0-9-]{0,60}") {
        if let Ok(header) = value.parse::<MsKeepAlive>() {
            prop_assert_eq!(header.to_string().parse::<MsKeepAlive>(), Ok(header));
        }
    }
}

#[test]
fn client_sends_after_two_thirds_of_silence() {
    let start = Instant::now();
    let mut client = ClientKeepAlive::new(start, ClientKeepAliveConfig::default());
    assert_eq!(client.offer().to_string(), SEEN_OFFER);
    assert_eq!(client.poll_timeout(), None);
    client.handle_sent(start + secs(1));
    client.handle_response(Some(SEEN_ANSWER)).unwrap();
    assert_eq!(client.interval(), Some(secs(200)));
    assert_eq!(client.poll_timeout(), Some(start + secs(201)));

    client.handle_sent(start + secs(150));
    assert_eq!(client.poll_timeout(), Some(start + secs(350)));
    client.handle_timeout(start + secs(349));
    assert_eq!(client.poll_event(), None);
    client.handle_timeout(start + secs(350));
    assert_eq!(client.poll_event(), Some(ClientEvent::SendKeepAlive));
    assert_eq!(client.poll_event(), None);
    assert_eq!(client.poll_timeout(), Some(start + secs(550)));
}

#[test]
fn client_without_agreement_has_no_duty() {
    let start = Instant::now();
    let mut client = ClientKeepAlive::new(start, ClientKeepAliveConfig::default());
    client.handle_response(None).unwrap();
    client.handle_response(Some("UAC;hop-hop=yes")).unwrap();
    client.handle_response(Some("UAS;hop-hop=no")).unwrap();
    assert_eq!((client.poll_timeout(), client.poll_event()), (None, None));
    client
        .handle_response(Some("UAS;tcp=yes;hop-hop=no;timeout=120"))
        .unwrap();
    assert_eq!(
        client.poll_event(),
        Some(ClientEvent::EnableTcpKeepAlive(secs(120)))
    );
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn client_keeps_the_agreement_until_told_otherwise() {
    let start = Instant::now();
    let mut client = ClientKeepAlive::new(start, ClientKeepAliveConfig::default());
    client.handle_response(Some("UAS;hop-hop=yes")).unwrap();
    assert_eq!(client.interval(), Some(secs(200)), "300 s unless told");
    client.handle_response(None).unwrap();
    assert!(client.handle_response(Some("UAS;hop-hop=perhaps")).is_err());
    assert_eq!(client.interval(), Some(secs(200)));
    client.handle_response(Some("UAS;hop-hop=no")).unwrap();
    assert_eq!(client.interval(), None);
}

#[test]
fn client_bounds_the_time() {
    let start = Instant::now();
    let mut client = ClientKeepAlive::new(start, ClientKeepAliveConfig::default());
    for (timeout, interval) in [
        ("0", 10),
        ("1", 10),
        ("60", 40),
        ("3600", 2400),
        ("4294967295", 2400),
    ] {
        client
            .handle_response(Some(&format!("UAS;hop-hop=yes;timeout={timeout}")))
            .unwrap();
        assert_eq!(client.interval(), Some(secs(interval)), "{timeout}");
    }
}

fn closed(server: &mut ServerKeepAlive) -> Option<CloseReason> {
    server
        .poll_event()
        .map(|ServerEvent::CloseConnection { reason }| reason)
}

#[test]
fn server_closes_after_silence_of_the_time_and_grace() {
    let start = Instant::now();
    let mut server = ServerKeepAlive::new(start, ServerKeepAliveConfig::default(), false);
    assert_eq!(server.poll_timeout(), Some(start + secs(60)));
    server.handle_received(start + secs(1));
    let answer = server.handle_request(Some(SEEN_OFFER)).unwrap().unwrap();
    assert_eq!(answer.to_string(), SEEN_ANSWER);
    server.authenticated();
    assert_eq!(server.poll_timeout(), Some(start + secs(333)));

    server.handle_received(start + secs(301));
    assert_eq!(
        server.poll_timeout(),
        Some(start + secs(633)),
        "any traffic counts"
    );
    server.handle_timeout(start + secs(632));
    assert_eq!(closed(&mut server), None);
    server.handle_timeout(start + secs(633));
    assert_eq!(closed(&mut server), Some(CloseReason::KeepAliveExpired));
    assert_eq!(server.poll_timeout(), None);
    server.handle_timeout(start + secs(9999));
    assert_eq!(closed(&mut server), None, "once");
}

#[test]
fn server_closes_what_nobody_authenticated_on() {
    let start = Instant::now();
    let mut server = ServerKeepAlive::new(start, ServerKeepAliveConfig::default(), false);
    for at in 0..60 {
        server.handle_received(start + secs(at));
        server.handle_timeout(start + secs(at));
        assert_eq!(closed(&mut server), None);
    }
    server.handle_timeout(start + secs(60));
    assert_eq!(closed(&mut server), Some(CloseReason::NotAuthenticated));
}

#[test]
fn server_closes_idle_connections() {
    let start = Instant::now();
    let mut server = ServerKeepAlive::new(start, ServerKeepAliveConfig::default(), true);
    assert_eq!(
        server.poll_timeout(),
        Some(start + secs(1200)),
        "trusted: no connection timer"
    );
    server.handle_timeout(start + secs(1200));
    assert_eq!(closed(&mut server), Some(CloseReason::Idle));
}

#[test]
fn server_accepts_only_what_is_offered() {
    let start = Instant::now();
    let mut server = ServerKeepAlive::new(start, ServerKeepAliveConfig::default(), false);
    assert_eq!(server.handle_request(None), Ok(None));
    assert_eq!(server.handle_request(Some(SEEN_ANSWER)), Ok(None));
    assert!(!server.is_agreed());
    let answer = server
        .handle_request(Some("UAC;tcp=yes;end-end=yes"))
        .unwrap()
        .unwrap();
    assert_eq!(answer.to_string(), "UAS; tcp=no; hop-hop=no; end-end=no");
    assert!(server.handle_request(Some("UAC;hop-hop=1")).is_err());
    assert!(!server.is_agreed());
}

#[test]
fn server_bounds_its_own_times() {
    let start = Instant::now();
    let config = ServerKeepAliveConfig {
        timeout: 5,
        grace: Duration::ZERO,
        ..ServerKeepAliveConfig::default()
    };
    let mut server = ServerKeepAlive::new(start, config, true);
    let answer = server.handle_request(Some(SEEN_OFFER)).unwrap().unwrap();
    assert_eq!(answer.timeout, Some(60));
    assert_eq!(server.poll_timeout(), Some(start + secs(92)));
}

/// A client that follows the machine never loses its connection, whatever else it sends.
#[test]
fn both_sides_together() {
    let start = Instant::now();
    let mut client = ClientKeepAlive::new(start, ClientKeepAliveConfig::default());
    let mut server = ServerKeepAlive::new(start, ServerKeepAliveConfig::default(), false);
    let answer = server
        .handle_request(Some(&client.offer().to_string()))
        .unwrap()
        .unwrap();
    server.authenticated();
    client.handle_response(Some(&answer.to_string())).unwrap();
    let mut now = start;
    for _ in 0..100 {
        now = client.poll_timeout().unwrap();
        client.handle_timeout(now);
        server.handle_timeout(now);
        assert_eq!(client.poll_event(), Some(ClientEvent::SendKeepAlive));
        server.handle_received(now);
    }
    assert_eq!(now, start + secs(20_000));
    assert_eq!(closed(&mut server), None);
}
