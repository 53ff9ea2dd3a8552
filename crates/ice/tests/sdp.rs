//! Attribute lines of both dialects, and hostile ones.

use core::fmt::Write;

use ocs_ice::sdp::{ice, ice2};
use ocs_ice::{
    Candidate, CandidateType, Component, Credentials, Description, Dialect, Error, Foundation,
    Limits, Password, Transport,
};
use proptest::prelude::*;

const ICE2: &str = "\
v=0\r\n\
m=audio 50002 RTP/SAVP 114\r\n\
a=ice-ufrag:q7Fz\r\n\
a=ice-pwd:aB3dE5fG7hJ9kL1mN2pQ4rS6\r\n\
a=candidate:1 1 UDP 2130706431 192.168.1.100 20000 typ host \r\n\
a=candidate:1 2 UDP 2130705918 192.168.1.100 20001 typ host \r\n\
a=candidate:2 1 TCP-PASS 6556159 192.0.2.20 50000 typ relay raddr 192.168.1.100 rport 20004\r\n\
a=candidate:2 2 TCP-PASS 6556158 192.0.2.20 50001 typ relay raddr 192.168.1.100 rport 20005\r\n\
a=candidate:3 1 udp 16648703 192.0.2.20 50002 typ relay raddr 203.0.113.7 rport 20010 x-mtu 9 y z\r\n\
a=candidate:5 1 TCP-ACT 1684798975 203.0.113.7 20004 typ srflx raddr 192.168.1.100 rport 20004\r\n\
a=x-candidate-info:network-type=WLAN\r\n\
a=rtcp:50003\r\n\
a=candidate:6 1 UDP 1 2001:db8::7 20010 typ host\r\n\
a=candidate:7 1 SCTP 1 192.0.2.1 9 typ host\r\n\
a=candidate:7 3 UDP 1 192.0.2.1 9 typ host\r\n";

fn parse(text: &str) -> Result<Description, Error> {
    Description::parse(text, &Limits::default())
}

fn ice2(text: &str) -> ice2::Description {
    match parse(text) {
        Ok(Description::Ice2(description)) => description,
        other => panic!("{other:?}"),
    }
}

#[test]
fn product_lines_of_ice2() {
    let read = ice2(ICE2);
    assert_eq!(read.credentials.ufrag(), "q7Fz");
    assert_eq!(read.candidates.len(), 7);
    let relayed = &read.candidates[4];
    assert_eq!(relayed.transport, Transport::Udp);
    assert_eq!(relayed.kind, CandidateType::Relayed);
    assert_eq!(relayed.related, Some("203.0.113.7:20010".parse().unwrap()));
    assert_eq!(read.default_candidate(Component::Rtp), Some(relayed));
    assert!(read.candidates[6].address.is_ipv6());
    // What is written is read as the same.
    assert_eq!(ice2(&read.to_string()), read);
    let line = read.candidates[3].to_string();
    let typed = "2 2 TCP-PASS 6556158 192.0.2.20 50001 typ relay raddr 192.168.1.100 rport 20005";
    assert_eq!(line, typed);
}

#[test]
fn remote_candidates() {
    let text = format!("{ICE2}a=remote-candidates:1 192.0.2.1 5000 2 2001:db8::1 5001\r\n");
    let read = ice2(&text);
    let expected = [
        (Component::Rtp, "192.0.2.1:5000".parse().unwrap()),
        (Component::Rtcp, "[2001:db8::1]:5001".parse().unwrap()),
    ];
    assert_eq!(read.remote_candidates, expected);
    let written = read.to_string();
    assert!(written.ends_with("a=remote-candidates:1 192.0.2.1 5000 2 2001:db8::1 5001\r\n"));
    for wrong in [
        "1 192.0.2.1",
        "1 192.0.2.1 5 1 192.0.2.1 6",
        "3 192.0.2.1 5",
        "",
    ] {
        assert!(
            parse(&format!("{ICE2}a=remote-candidates:{wrong}\r\n")).is_err(),
            "{wrong}"
        );
    }
}

/// The lines of the vectors, which are those of the digest.
#[test]
fn lines_of_ice() {
    let data: serde_json::Value =
        serde_json::from_str(include_str!("data/ice-checks.json")).unwrap();
    let mut text = String::new();
    for line in data["sdp_local"].as_array().unwrap() {
        write!(text, "{}\r\n", line.as_str().unwrap()).unwrap();
    }
    let Ok(Description::Ice(read)) = parse(&text) else {
        panic!()
    };
    let octets = |name: &str| hex::decode(data[name].as_str().unwrap()).unwrap();
    assert_eq!(read.candidates[0].id.as_bytes(), octets("local_id_hex"));
    assert_eq!(
        read.candidates[0].password.as_bytes(),
        octets("local_pw_hex")
    );
    assert_eq!(read.candidates[0].priority.thousandths(), 830);
    assert_eq!(
        read.candidates[1].address,
        "192.168.2.1:50025".parse().unwrap()
    );
    let chosen = read.remote_candidate.as_ref().unwrap();
    assert_eq!(chosen.as_bytes(), octets("remote_id_hex"));
    assert_eq!(read.to_string(), text);
    assert_eq!(
        read.default_candidate(Component::Rtcp),
        Some(&read.candidates[1])
    );
    // With fill.
    let filled = text
        .replace("LC0uLy8 ", "LC0uLy8= ")
        .replace("rK2urw ", "rK2urw== ");
    assert_eq!(parse(&filled), Ok(Description::Ice(read)));
}

#[test]
fn dialects_are_told_apart_and_not_mixed() {
    let ice = "a=candidate:EBES 1 oKGi UDP 0.83 192.168.2.1 50024\r\n";
    assert_eq!(parse(ice).unwrap().dialect(), Dialect::Ice);
    assert_eq!(parse(ICE2).unwrap().dialect(), Dialect::Ice2);
    assert!(parse(&format!("{ice}{ICE2}")).is_err());
    assert!(parse(&format!("{ICE2}{ice}")).is_err());
    assert_eq!(
        parse("m=audio 1 RTP/AVP 0\r\na=rtcp:2\r\n"),
        Err(Error::NoCandidate)
    );
}

#[test]
fn names_what_is_wrong() {
    let good = "1 1 UDP 2130706431 192.168.1.100 20000 typ host";
    assert!(good.parse::<Candidate>().is_ok());
    for (from, to, field) in [
        ("1 1 UDP", "1- 1 UDP", "foundation"),
        (
            "1 1 UDP",
            "123456789012345678901234567890123 1 UDP",
            "foundation",
        ),
        ("1 1 UDP", "1 x UDP", "component"),
        ("1 1 UDP", "1 1 X", "transport or type"),
        ("2130706431", "4294967296", "priority"),
        ("192.168.1.100", "192.168.1.300", "address"),
        ("20000", "65536", "port"),
        ("host", "any", "transport or type"),
        ("host", "host raddr x", "raddr"),
        ("host", "host rport -1", "rport"),
    ] {
        let text = good.replace(from, to);
        assert_eq!(
            text.parse::<Candidate>(),
            Err(Error::InvalidField { field }),
            "{text}"
        );
    }
    for (length, _) in good.match_indices(' ') {
        let error = good[..length].parse::<Candidate>().unwrap_err();
        assert!(matches!(error, Error::MissingField { .. }), "{error}");
    }
    let odd = format!("{good} raddr");
    assert!(matches!(
        odd.parse::<Candidate>(),
        Err(Error::MissingField { .. })
    ));
    let without = ICE2.replace("a=ice-pwd", "a=ice-pw");
    let missing = Error::MissingCredentials {
        attribute: "ice-pwd",
    };
    assert_eq!(parse(&without), Err(missing));
}

#[test]
fn long_lines_are_refused() {
    let long = format!("a=candidate:{}\r\n", "1 ".repeat(600));
    assert_eq!(parse(&long), Err(Error::LineTooLong { limit: 1024 }));
    assert_eq!(
        parse(&format!("{ICE2}{long}")),
        Err(Error::LineTooLong { limit: 1024 })
    );
}

#[test]
fn a_million_candidates_cost_forty_of_each_component() {
    let mut text = String::from("a=ice-ufrag:q7Fz\r\na=ice-pwd:aB3dE5fG7hJ9kL1mN2pQ4rS6\r\n");
    for index in 0..1_000_000_u32 {
        let component = 1 + index % 2;
        writeln!(
            text,
            "a=candidate:{index} {component} UDP {index} 192.0.2.1 9 typ host\r"
        )
        .unwrap();
    }
    let read = ice2(&text);
    assert_eq!(read.candidates.len(), 80);
    assert_eq!(read.candidates.capacity(), 128);
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let transport = prop::sample::select(vec![
        Transport::Udp,
        Transport::TcpActive,
        Transport::TcpPassive,
        Transport::TcpSimultaneousOpen,
    ]);
    let kind = prop::sample::select(vec![
        CandidateType::Host,
        CandidateType::ServerReflexive,
        CandidateType::PeerReflexive,
        CandidateType::Relayed,
    ]);
    let address = any::<(std::net::IpAddr, u16)>().prop_map(Into::into);
    let related = prop::option::of(any::<(std::net::IpAddr, u16)>().prop_map(Into::into));
    let component = prop::sample::select(Component::ALL.to_vec());
    let fields = (
        "[a-zA-Z0-9+/]{1,32}",
        component,
        transport,
        any::<u32>(),
        address,
        kind,
        related,
    );
    fields.prop_map(
        |(foundation, component, transport, priority, address, kind, related)| {
            let foundation: Foundation = foundation.parse().unwrap();
            Candidate {
                foundation,
                component,
                transport,
                priority,
                address,
                kind,
                related,
            }
        },
    )
}

fn line() -> impl Strategy<Value = ice::Line> {
    let octets = || prop::collection::vec(any::<u8>(), 1..70);
    let address = any::<(std::net::Ipv4Addr, u16)>().prop_map(Into::into);
    (
        octets(),
        octets(),
        0_u16..=1000,
        any::<bool>(),
        any::<bool>(),
        address,
    )
        .prop_map(|(id, password, priority, tcp, rtcp, address)| ice::Line {
            id: ice::CandidateId::new(id),
            component: if rtcp {
                Component::Rtcp
            } else {
                Component::Rtp
            },
            password: Password::from(password),
            transport: if tcp {
                ice::LineTransport::Tcp
            } else {
                ice::LineTransport::Udp
            },
            priority: ocs_ice::priority::QValue::from_thousandths(priority).unwrap(),
            address,
        })
}

proptest! {
    #[test]
    fn ice2_round_trip(candidates in prop::collection::vec(candidate(), 1..20)) {
        let credentials = Credentials::new("q7Fz", "aB3dE5fG7hJ9kL1mN2pQ4rS6").unwrap();
        let description = Description::Ice2(ice2::Description {
            credentials,
            candidates,
            remote_candidates: Vec::new(),
        });
        let text = description.to_string();
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&description));
        prop_assert_eq!(read.unwrap().to_string(), text);
    }

    #[test]
    fn ice_round_trip(candidates in prop::collection::vec(line(), 1..20)) {
        let remote_candidate = Some(candidates[0].id.clone());
        let description = Description::Ice(ice::Description { candidates, remote_candidate });
        let text = description.to_string();
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&description));
        prop_assert_eq!(read.unwrap().to_string(), text);
    }

    #[test]
    fn any_text(text in "(a=(candidate|ice-ufrag|ice-pwd|remote-candidates?):[ -~]{0,60}\r\n){0,6}") {
        let _ = parse(&text);
    }
}
