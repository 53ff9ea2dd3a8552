//! The labels of SIP messages in ladder diagrams.

mod common;

use common::{Pair, address};
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method, Transport};
use ocs_sipcomp::Encoder;
use ocs_testbed::{Chunking, Link, Output, sip_dissectors};

/// Alice, connected to bob over a link that cuts streams so.
fn connected(chunking: Chunking) -> Pair {
    let mut pair = Pair::new(1, false);
    pair.testbed.set_dissector(sip_dissectors());
    pair.testbed.set_default_link(Link {
        chunking,
        ..Link::default()
    });
    pair.alice(|alice| alice.connect(1, address(2, 5061), Transport::Tls));
    pair.testbed.run_until_idle().unwrap();
    pair
}

fn from_alice(pair: &mut Pair, bytes: impl AsRef<[u8]>) {
    pair.alice(|alice| alice.send(1, bytes.as_ref().to_vec()));
    pair.testbed.run_until_idle().unwrap();
}

fn from_bob(pair: &mut Pair, bytes: impl AsRef<[u8]>) {
    let connection = pair.bobs_connection();
    pair.bob(|bob| bob.send(connection.0, bytes.as_ref().to_vec()));
    pair.testbed.run_until_idle().unwrap();
}

/// What the arrows of the diagram say.
fn labels(pair: &Pair) -> Vec<String> {
    let messages = pair.testbed.messages().map(|message| {
        let label = message.label.clone();
        match &message.detail {
            Some(detail) => format!("{label} [{detail}]"),
            None => label,
        }
    });
    messages.collect()
}

fn request(method: Method) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:contoso.com")
        .with(
            HeaderName::Via,
            "SIP/2.0/TLS 10.0.0.1:49152;branch=z9hG4bK1",
        )
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a;epid=01")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "1")
        .with(HeaderName::CSeq, &cseq)
}

fn answer(request: &Message, status: u16) -> Message {
    Message::response_to(request, status, Some("b"))
}

const PIECES: [Chunking; 3] = [Chunking::Whole, Chunking::Random, Chunking::Bytes];

#[test]
fn sign_in() {
    let challenge =
        r#"NTLM realm="SIP Communications Service", targetname="sip.contoso.com", version=4"#;
    let token = |data: &str| {
        format!(
            r#"NTLM realm="SIP Communications Service", opaque="01", gssapi-data="{data}", version=4"#
        )
    };
    let signed = r#"NTLM qop="auth", realm="SIP Communications Service", opaque="01", crand="1f", cnum="1", response="0100""#;
    let server_signed = r#"NTLM qop="auth", realm="SIP Communications Service", opaque="01", srand="1f", snum="1", rspauth="0100""#;
    for chunking in PIECES {
        let mut pair = connected(chunking);
        let register = request(Method::Register);
        let with = |value: &str| register.clone().with(HeaderName::Authorization, value);
        let refuse = |value: &str| answer(&register, 401).with(HeaderName::WwwAuthenticate, value);
        from_alice(&mut pair, register.to_bytes());
        from_bob(&mut pair, refuse(challenge).to_bytes());
        from_alice(&mut pair, with(&token("")).to_bytes());
        from_bob(&mut pair, refuse(&token("TlRMTQ==")).to_bytes());
        let last = with(&format!(r#"{}, response="0100""#, token("TlRMTQ==")));
        from_alice(&mut pair, last.to_bytes());
        let accepted = answer(&register, 200).with(HeaderName::AuthenticationInfo, server_signed);
        from_bob(&mut pair, accepted.to_bytes());
        // Two at once.
        let subscribe = request(Method::Subscribe).with(HeaderName::ProxyAuthorization, signed);
        let both = [subscribe.to_bytes(), request(Method::Service).to_bytes()].concat();
        from_alice(&mut pair, both);
        assert_eq!(
            labels(&pair),
            [
                "REGISTER",
                "401 Unauthorized (REGISTER) [NTLM offered]",
                "REGISTER [NTLM start]",
                "401 Unauthorized (REGISTER) [NTLM token]",
                "REGISTER [NTLM token, signed]",
                "200 OK (REGISTER) [signed]",
                "SUBSCRIBE [signed]",
                "SERVICE",
            ]
        );
    }
}

#[test]
fn compression() {
    for chunking in PIECES {
        let mut pair = connected(chunking);
        let negotiate = request(Method::Negotiate).with(HeaderName::Compression, "LZ77-8K");
        from_alice(&mut pair, negotiate.to_bytes());
        let accepted = answer(&negotiate, 200).with(HeaderName::Compression, "LZ77-8K");
        let (mut client, mut server) = (Encoder::new(), Encoder::new());
        // The first compressed message comes together with the answer.
        let mut bytes = accepted.to_bytes().to_vec();
        let clear = bytes.len();
        server.encode(&request(Method::Options).to_bytes(), &mut bytes);
        let first = bytes.len() - clear;
        from_bob(&mut pair, bytes);
        let mut lengths = Vec::new();
        let register = request(Method::Register);
        for _ in 0..2 {
            let mut packet = Vec::new();
            client.encode(&register.to_bytes(), &mut packet);
            lengths.push(packet.len());
            from_alice(&mut pair, packet);
        }
        let challenge = answer(&register, 401).with(
            HeaderName::WwwAuthenticate,
            r#"Kerberos realm="SIP Communications Service", targetname="sip/sip.contoso.com", version=4"#,
        );
        // One message in two packets, then two messages in one.
        let mut packets = Vec::new();
        let text = challenge.to_bytes();
        let (front, back) = text.split_at(text.len() / 2);
        server.encode(front, &mut packets);
        server.encode(back, &mut packets);
        lengths.push(packets.len());
        from_bob(&mut pair, packets);
        let mut packets = Vec::new();
        let text = [
            request(Method::Notify).to_bytes(),
            request(Method::Info).to_bytes(),
        ];
        server.encode(&text.concat(), &mut packets);
        lengths.push(packets.len());
        from_bob(&mut pair, packets);
        assert_eq!(
            labels(&pair),
            [
                "NEGOTIATE".to_owned(),
                "200 OK (NEGOTIATE)".to_owned(),
                format!("OPTIONS [{first} bytes compressed]"),
                format!("REGISTER [{} bytes compressed]", lengths[0]),
                format!("REGISTER [{} bytes compressed]", lengths[1]),
                format!(
                    "401 Unauthorized (REGISTER) [Kerberos offered, {} bytes compressed]",
                    lengths[2]
                ),
                format!("NOTIFY [{} bytes compressed]", lengths[3]),
                "INFO [compressed]".to_owned(),
            ]
        );
        assert!(lengths[1] < lengths[0]);
        let text = pair
            .testbed
            .messages()
            .nth(3)
            .map(|message| message.text.clone());
        assert_eq!(text, Some(register.to_bytes()));
    }
}

#[test]
fn refused_compression_changes_nothing() {
    let mut pair = connected(Chunking::Whole);
    let negotiate = request(Method::Negotiate).with(HeaderName::Compression, "LZ77-64K");
    from_alice(&mut pair, negotiate.to_bytes());
    from_bob(&mut pair, answer(&negotiate, 488).to_bytes());
    from_alice(&mut pair, request(Method::Register).to_bytes());
    assert_eq!(
        labels(&pair),
        [
            "NEGOTIATE",
            "488 Not Acceptable Here (NEGOTIATE)",
            "REGISTER"
        ]
    );
}

#[test]
fn broken_compression_is_shown_as_bytes() {
    let mut pair = connected(Chunking::Whole);
    let negotiate = request(Method::Negotiate).with(HeaderName::Compression, "LZ77-8K");
    from_alice(&mut pair, negotiate.to_bytes());
    let accepted = answer(&negotiate, 200).with(HeaderName::Compression, "LZ77-8K");
    from_bob(&mut pair, accepted.to_bytes());
    from_alice(&mut pair, [0xFF; 20]);
    from_alice(&mut pair, [0xFF; 3]);
    assert_eq!(labels(&pair)[2..], ["20 bytes", "3 bytes"]);
}

#[test]
fn keep_alive() {
    for chunking in [Chunking::Whole, Chunking::Bytes] {
        let mut pair = connected(chunking);
        from_alice(&mut pair, "\r\n\r\n");
        from_alice(&mut pair, request(Method::Register).to_bytes());
        assert_eq!(labels(&pair), ["CRLF CRLF [keep-alive]", "REGISTER"]);
    }
}

#[test]
fn malformed_messages() {
    let mut pair = connected(Chunking::Whole);
    // A message whose end is known, so that the next one is found; then one without an end.
    from_alice(&mut pair, "NOT A START LINE\r\nContent-Length: 2\r\n\r\nab");
    from_alice(&mut pair, request(Method::Register).to_bytes());
    from_alice(
        &mut pair,
        "REGISTER sip:contoso.com SIP/2.0\r\nContent-Length: x\r\n\r\n",
    );
    from_alice(&mut pair, "whatever\r\n");
    let labels = labels(&pair);
    assert_eq!(labels[0], "malformed [malformed start line]");
    assert_eq!(labels[1], "REGISTER");
    assert_eq!(
        labels[2..],
        [
            "not SIP [stream framing lost: malformed content-length on a stream]",
            "whatever",
        ]
    );
}

#[test]
fn what_is_cut_off() {
    let mut pair = connected(Chunking::Segments);
    let message = request(Method::Message)
        .with_body("text/plain", "hello")
        .to_bytes();
    from_alice(&mut pair, &message[..message.len() - 1]);
    assert!(labels(&pair).is_empty());
    pair.alice(|alice| {
        let connection = ConnectionId(1);
        alice.outputs.push_back(Output::Close { connection });
    });
    pair.testbed.run_until_idle().unwrap();
    let expected = format!("incomplete [{} bytes]", message.len() - 1);
    assert_eq!(labels(&pair), [expected]);
}
