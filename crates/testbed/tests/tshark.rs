//! Captures as Wireshark sees them: an independent decoder of Ethernet, IP, TCP, UDP, DNS and SIP.

mod common;

use std::net::SocketAddr;
use std::process::Command;

use common::{Pair, Puppet, address};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method, Transport};
use ocs_testbed::{Chunking, Link, Listener, Output, Query};

const SDP: &str = "v=0\r\no=- 0 0 IN IP4 10.0.0.1\r\ns=session\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
    m=audio 50000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// What tshark said in one frame: one row per frame, one column per field, all values of the field.
type Rows = Vec<Vec<Vec<String>>>;

/// Asks for fields of all frames that a display filter lets through; `None` where there is no tshark.
fn tshark(pcap: &[u8], filter: &str, fields: &[&str]) -> Option<Rows> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("run.pcap");
    std::fs::write(&file, pcap).unwrap();
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(&file);
    for option in [
        "ip.check_checksum:TRUE",
        "tcp.check_checksum:TRUE",
        "udp.check_checksum:TRUE",
    ] {
        command.args(["-o", option]);
    }
    command.args(["-d", "tcp.port==5061,sip", "-Y", filter]);
    command.args(["-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: tshark is not installed");
            return None;
        }
        output => output.unwrap(),
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let values = |cell: &str| {
        let values = cell.split('|').filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    };
    let rows = text
        .lines()
        .map(|row| row.split('\t').map(values).collect());
    Some(rows.collect())
}

/// Fails if tshark finds fault with anything below SIP, or with the form of anything.
fn assert_sound(pcap: &[u8]) {
    let fields = [
        "frame.number",
        "tcp.analysis.flags",
        "_ws.malformed",
        "_ws.short",
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "ip.version",
    ];
    let rows = tshark(pcap, "frame", &fields).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let [_, analysis, malformed, short, ip, tcp, udp, version] = &row[..] else {
            panic!("{row:?}");
        };
        assert!(
            analysis.is_empty() && malformed.is_empty() && short.is_empty(),
            "{row:?}"
        );
        // Only the older version has a checksum of its own.
        assert_eq!(ip.is_empty(), version == &["6"], "{row:?}");
        assert!(ip.iter().all(|status| status == "1"), "{row:?}");
        // One of them, and good.
        assert_eq!([&tcp[..], &udp[..]].concat(), ["1"], "{row:?}");
    }
}

/// The SIP messages in the order of the capture: method or status, and Call-ID.
fn sip_messages(pcap: &[u8]) -> Option<Vec<(String, String)>> {
    let fields = ["sip.Method", "sip.Status-Code", "sip.Call-ID"];
    let rows = tshark(pcap, "sip", &fields)?;
    let messages = rows.into_iter().flat_map(|row| {
        let [methods, codes, call_ids] = <[Vec<String>; 3]>::try_from(row).unwrap();
        let starts = [methods, codes].concat();
        assert_eq!(starts.len(), call_ids.len());
        starts.into_iter().zip(call_ids).collect::<Vec<_>>()
    });
    Some(messages.collect())
}

fn request(method: Method, number: u32) -> Message {
    let cseq = format!("{number} {method}");
    let (via, call_id) = (
        format!("SIP/2.0/TCP 10.0.0.1:49152;branch=z9hG4bK{number}"),
        format!("call-{number}@contoso.com"),
    );
    Message::request(method, "sip:bob@contoso.com")
        .with(HeaderName::Via, &via)
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a;epid=01")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, &call_id)
        .with(HeaderName::CSeq, &cseq)
        .with(
            HeaderName::Contact,
            "<sip:alice@10.0.0.1:49152;transport=tcp>",
        )
}

/// Requests, all in one piece, and their answers, all in one piece.
fn conversation() -> Vec<(Vec<Message>, Vec<Message>)> {
    let register = request(Method::Register, 1);
    let challenge = Message::response_to(&register, 401, Some("b")).with(
        HeaderName::WwwAuthenticate,
        r#"NTLM realm="SIP Communications Service", targetname="sip.contoso.com", version=4"#,
    );
    let invite = request(Method::Invite, 2).with_body("application/sdp", SDP);
    // Over several segments.
    let message = request(Method::Message, 3).with_body("text/plain", "long ".repeat(1000));
    let ok = |request| Message::response_to(request, 200, Some("b"));
    let answers = vec![
        Message::response_to(&invite, 180, Some("b")),
        ok(&message),
        ok(&invite).with_body("application/sdp", SDP),
    ];
    vec![
        (vec![register], vec![challenge]),
        (vec![invite, message], answers),
    ]
}

fn expected(messages: &[Message]) -> impl Iterator<Item = (String, String)> {
    messages.iter().map(|message| {
        let start = match (message.method(), message.status()) {
            (Some(method), _) => method.to_string(),
            (None, status) => status.unwrap_or_default().to_string(),
        };
        (start, message.call_id().unwrap().to_owned())
    })
}

fn stream(messages: &[Message]) -> Vec<u8> {
    let bytes = messages.iter().map(Message::to_bytes);
    bytes.collect::<Vec<_>>().concat()
}

fn converse(chunking: Chunking, transport: Transport) {
    let mut pair = Pair::new(1, false);
    pair.testbed.capture(true);
    pair.testbed.set_default_link(Link {
        chunking,
        loss: 0.1,
        ..Link::default()
    });
    let port = if transport == Transport::Tls {
        5061
    } else {
        5060
    };
    pair.alice(|alice| alice.connect(1, address(2, port), transport));
    pair.testbed.run_until_idle().unwrap();
    let accepted = pair.bobs_connection();
    let mut messages = Vec::new();
    for (requests, answers) in conversation() {
        pair.alice(|alice| alice.send(1, stream(&requests)));
        pair.testbed.run_until_idle().unwrap();
        pair.bob(|bob| bob.send(accepted.0, stream(&answers)));
        pair.testbed.run_until_idle().unwrap();
        messages.extend(expected(&requests).chain(expected(&answers)));
    }
    for (host, connection) in [(pair.alice, ConnectionId(1)), (pair.bob, accepted)] {
        pair.testbed.command(host, |puppet: &mut Puppet, _| {
            puppet.outputs.push_back(Output::Close { connection });
        });
        pair.testbed.run_until_idle().unwrap();
    }
    let pcap = pair.testbed.pcap();
    let Some(seen) = sip_messages(&pcap) else {
        return;
    };
    assert_eq!(seen, messages);
    assert_sound(&pcap);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn sip_in_pieces_as_sent() {
    converse(Chunking::Whole, Transport::Tcp);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn sip_in_segments_under_modelled_tls() {
    converse(Chunking::Segments, Transport::Tls);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn sip_in_random_pieces() {
    converse(Chunking::Random, Transport::Tcp);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn sip_byte_by_byte() {
    converse(Chunking::Bytes, Transport::Tcp);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn sip_over_ip_version_6() {
    let mut pair = Pair::new(1, false);
    pair.testbed.capture(true);
    let [a, b]: [SocketAddr; 2] =
        ["[2001:db8::1]:5060", "[2001:db8::2]:5060"].map(|text| text.parse().unwrap());
    pair.testbed.add_address(pair.alice, a.ip());
    pair.testbed.add_address(pair.bob, b.ip());
    pair.testbed.listen(pair.bob, Listener::tcp(b));
    pair.alice(|alice| alice.connect(1, b, Transport::Tcp));
    pair.testbed.run_until_idle().unwrap();
    let (register, options) = (request(Method::Register, 1), request(Method::Options, 2));
    let messages = [register, options];
    pair.alice(|alice| {
        alice.send(1, messages[0].to_bytes());
        alice.datagram(a, b, messages[1].to_bytes());
    });
    pair.testbed.run_until_idle().unwrap();
    let pcap = pair.testbed.pcap();
    let Some(seen) = sip_messages(&pcap) else {
        return;
    };
    assert_eq!(seen, expected(&messages).collect::<Vec<_>>());
    assert_sound(&pcap);
}

#[test]
#[ignore = "needs tshark; run with --ignored"]
fn datagrams_resets_and_names() {
    let mut pair = Pair::new(1, false);
    pair.testbed.capture(true);
    pair.testbed
        .zone_mut()
        .srv("_sip._tcp.contoso.com", 1, 2, 5060, "sip.contoso.com")
        .address("sip.contoso.com", address(2, 0).ip());
    pair.alice(|alice| {
        let queries = [
            Query::Srv("_sip._tcp.contoso.com".into()),
            Query::Address("sip.contoso.com".into()),
            Query::Address("nowhere.contoso.com".into()),
        ];
        for (id, query) in (1..).zip(queries) {
            alice.outputs.push_back(Output::Resolve { id, query });
        }
        // Refused, and broken.
        alice.connect(1, address(2, 9), Transport::Tcp);
        alice.connect(2, address(2, 5060), Transport::Tcp);
    });
    pair.testbed.run_until_idle().unwrap();
    pair.testbed.reset_connection(pair.alice, ConnectionId(2));
    pair.testbed.set_default_link(Link {
        duplicate: 1.0,
        ..Link::default()
    });
    let options = request(Method::Options, 1).to_bytes();
    pair.alice(|alice| alice.datagram(address(1, 5060), address(2, 5060), options));
    pair.testbed.run_until_idle().unwrap();
    let pcap = pair.testbed.pcap();
    let Some(seen) = sip_messages(&pcap) else {
        return;
    };
    let twice = ("OPTIONS".to_owned(), "call-1@contoso.com".to_owned());
    assert_eq!(seen, [twice.clone(), twice]);
    assert_sound(&pcap);
    let fields = ["dns.qry.name", "dns.flags.rcode", "dns.srv.port", "dns.a"];
    let rows = tshark(&pcap, "dns.flags.response == 1", &fields).unwrap();
    let cell = |value: &str| match value {
        "" => Vec::new(),
        value => vec![value.to_owned()],
    };
    let row = |cells: [&str; 4]| cells.map(cell);
    assert_eq!(
        rows,
        [
            row(["_sip._tcp.contoso.com", "0", "5060", ""]),
            row(["sip.contoso.com", "0", "", "10.0.0.2"]),
            row(["sip.contoso.com", "0", "", ""]),
            row(["nowhere.contoso.com", "3", "", ""]),
            row(["nowhere.contoso.com", "3", "", ""]),
        ]
    );
    let rows = tshark(&pcap, "tcp.flags.reset == 1", &["tcp.stream"]).unwrap();
    assert_eq!(rows.concat().concat(), ["0", "1", "1"]);
}
