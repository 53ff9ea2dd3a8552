//! The torture tests of RFC 4475: what becomes of each message, and what has to be read from it.

use std::path::PathBuf;

use bytes::Bytes;
use ocs_sip_core::admit::{Capabilities, Cause, Role, admit};
use ocs_sip_core::framing::{Frame, Framer, FramingFault, refuse};
use ocs_sip_core::header::{AuthHeader, HeaderValue, HttpDate, NameAddr, RetryAfter, Via};
use ocs_sip_core::mime::{MimeLimits, Multipart};
use ocs_sip_core::uri::{Host, Uri, unescape};
use ocs_sip_core::{Error, HeaderName, Limits, Message, Method, Transport};

fn octets(name: &str) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc4475");
    let mut octets = std::fs::read(path.join(format!("{name}.dat"))).unwrap();
    if name == "baddn" {
        octets.extend_from_slice(b"\r\n");
    }
    octets.into()
}

fn message(name: &str) -> Message {
    Message::parse(octets(name), &Limits::default()).unwrap()
}

fn user_agent() -> Capabilities {
    Capabilities {
        accept: ["application/sdp", "text/plain", "multipart/*"]
            .map(String::from)
            .into(),
        ..Capabilities::default()
    }
}

/// Outcome and error text as the table has them, and the refusal.
fn outcome(octets: &Bytes) -> (String, String, Option<Message>) {
    let dropped = |step: &str, text: String| (format!("drop {step}"), text, None);
    let refused = |step: &str, text: String, answer: Message| {
        (
            format!("{step} {}", answer.status().unwrap()),
            text,
            Some(answer),
        )
    };
    let message = match Message::parse(octets.clone(), &Limits::default()) {
        Ok(message) => message,
        Err(error) => {
            return match refuse(octets, &error) {
                Some(answer) => refused("parse", error.to_string(), answer),
                None => dropped("parse", error.to_string()),
            };
        }
    };
    // What parses is written out again as it came, but for what follows it in its datagram.
    if message.header(HeaderName::ContentLength).is_some() {
        assert!(octets.starts_with(&message.to_bytes()));
    }
    match admit(&message, &user_agent()) {
        Ok(()) => ("accept".into(), String::new(), None),
        Err(refusal) => {
            let step = if matches!(refusal.cause, Cause::Invalid(_)) {
                "check"
            } else {
                "admit"
            };
            match refusal.response(&message, Some("t")) {
                Some(answer) => refused(step, refusal.to_string(), answer),
                None => dropped(step, refusal.to_string()),
            }
        }
    }
}

#[test]
fn every_message_has_the_outcome_of_the_table() {
    let mut rows = 0;
    let mut wrong = Vec::new();
    for row in include_str!("data/rfc4475/table.txt").lines() {
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        let [name, _section, expected, text] = columns[..] else {
            panic!("{row}")
        };
        let (got, got_text, answer) = outcome(&octets(name));
        if (got.as_str(), got_text.as_str()) != (expected, text) {
            wrong.push(format!("{name}: {got}: {got_text}"));
        }
        if let Some(answer) = answer {
            let answer = Message::parse(answer.to_bytes(), &Limits::default()).unwrap();
            assert!(answer.header(HeaderName::Via).is_some(), "{name}");
            assert!(answer.cseq().is_ok() || text.contains("CSeq"), "{name}");
        }
        rows += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows, 49);
}

#[test]
fn baddn_as_it_stands_is_cut_off() {
    let whole = octets("baddn");
    let cut = whole.slice(..whole.len() - 2);
    assert_eq!(
        Message::parse(cut, &Limits::default()),
        Err(Error::Truncated)
    );
}

#[test]
fn wsinv() {
    let message = message("wsinv");
    let uri = message.parsed_request_uri().unwrap();
    assert!(uri.as_sip().unwrap().params().has("unknownparam"));
    let to = message.to_header().unwrap();
    assert_eq!(to.uri_text(), "sip:vivekg@chair-dnrc.example.com");
    assert_eq!(to.tag(), Some("1918181833n"));
    let from = message.from_header().unwrap();
    assert_eq!(from.display_name().unwrap(), "J Rosenberg \\\"");
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(message.number(HeaderName::MaxForwards), Ok(Some(68)));
    assert_eq!(message.call_id(), Ok("wsinv.ndaksdj@192.0.2.1"));
    assert_eq!(message.content_length(), Ok(Some(150)));
    assert_eq!(message.body().len(), 150);
    let cseq = message.cseq().unwrap();
    assert_eq!(
        (cseq.number, cseq.number_text, cseq.method()),
        (9, "0009", Method::Invite)
    );
    let vias: Vec<Via<'_>> = message
        .parse_all(HeaderName::Via)
        .map(Result::unwrap)
        .collect();
    let seen: Vec<_> = vias
        .iter()
        .map(|via| {
            (
                via.transport().unwrap(),
                via.sent_by(),
                via.branch().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Transport::Udp, "192.0.2.2", "390skdjuw"),
            (Transport::Tcp, "spindle.example.com", "z9hG4bK9ikj8"),
            (Transport::Udp, "192.168.255.111", "z9hG4bK30239"),
        ]
    );
    assert!(vias.iter().all(Via::is_version_2));
    assert_eq!(vias[0].unique_branch(), None);
    assert_eq!(message.header(HeaderName::Subject), Some(""));
    assert_eq!(
        message.header_named("newfangledheader"),
        Some("newfangled value continued newfangled value")
    );
    assert_eq!(
        message.header_named("UnknownHeaderWithUnusualValue"),
        Some(";;,,;;,;")
    );
    let route: NameAddr<'_> = message.parse_first(HeaderName::Route).unwrap();
    let Uri::Sip(route) = route.uri().unwrap() else {
        panic!()
    };
    assert!(route.is_loose_router() && route.params().has("unknown-no-value"));
    assert_eq!(route.params().get("unknownwith"), Some("value"));
    let contact = message.contact().unwrap();
    assert_eq!(contact.display_name().unwrap(), "Quoted string \"\"");
    assert_eq!(contact.params().get("newparam"), Some("newvalue"));
    assert!(contact.params().has("secondparam"));
    assert_eq!(contact.q(), Some(330));
}

#[test]
fn intmeth() {
    let message = message("intmeth");
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(message.method().unwrap().as_str(), method);
    assert_eq!(message.cseq().unwrap().method_text, method);
    let uri = message.parsed_request_uri().unwrap();
    let uri = uri.as_sip().unwrap();
    assert_eq!(
        uri.user(),
        Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
    );
    assert_eq!(
        uri.password(),
        Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
    );
    assert_eq!(uri.host(), Host::Name("example.com"));
    assert_eq!(
        message.top_via().unwrap().branch(),
        Some("z9hG4bK-.!%66*_+`'~")
    );
    let to = message.to_header().unwrap();
    assert_eq!(to.display_name().unwrap(), "BEL:\u{7} NUL:\u{0} DEL:\u{7F}");
    let from = message.from_header().unwrap();
    assert_eq!(
        from.display_name().unwrap(),
        "token1~` token2'+_ token3*%!.-"
    );
    assert_eq!(
        from.params().get_unquoted("fromParam''~+*_!.-%").unwrap(),
        "работающий"
    );
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(
        message.call_id(),
        Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{")
    );
    assert_eq!(
        message.header_named("extensionHeader-!.%*+_`'~"),
        Some("\u{FEFF}大停電")
    );
    // The answer carries the escaped NUL back unchanged.
    let answer = Message::response_to(&message, 501, None).to_bytes();
    let answer = Message::parse(answer, &Limits::default()).unwrap();
    assert_eq!(
        answer.header(HeaderName::To),
        message.header(HeaderName::To)
    );
}

#[test]
fn escapes() {
    let esc01 = message("esc01");
    let uri = esc01.parsed_request_uri().unwrap();
    assert_eq!(
        unescape(uri.as_sip().unwrap().user().unwrap()).unwrap(),
        "sips:user@example.com"
    );
    let to = esc01.to_header().unwrap().uri().unwrap();
    assert!(to.equivalent(&Uri::parse("sip:user@example.com").unwrap()));
    let from = esc01.from_header().unwrap().uri().unwrap();
    assert_eq!(
        unescape(from.as_sip().unwrap().user().unwrap()).unwrap(),
        "I have spaces"
    );
    let Uri::Sip(contact) = esc01.contact().unwrap().uri().unwrap() else {
        panic!()
    };
    assert!(contact.is_loose_router());
    assert_eq!(contact.param("name").unwrap(), "value%41"); // unescaped once only

    let escnull = message("escnull");
    let to = escnull.to_header().unwrap().uri().unwrap();
    assert_eq!(
        unescape(to.as_sip().unwrap().user().unwrap()).unwrap(),
        "null-\0-null"
    );
    let users: Vec<_> = escnull
        .parse_all::<NameAddr<'_>>(HeaderName::Contact)
        .map(|contact| {
            unescape(
                contact
                    .unwrap()
                    .uri()
                    .unwrap()
                    .as_sip()
                    .unwrap()
                    .user()
                    .unwrap(),
            )
            .unwrap()
            .into_owned()
        })
        .collect();
    assert_eq!(users, ["\0", "\0\0"]);

    let esc02 = message("esc02");
    assert_eq!(esc02.method(), Some(&Method::Other("RE%47IST%45R".into())));
    assert_eq!(esc02.to_header().unwrap().display_name().unwrap(), "%Z%45");
    assert_eq!(
        esc02.top_via().unwrap().branch(),
        Some("z9hG4bK209%fzsnel234")
    );
    assert_eq!(esc02.lines(HeaderName::Contact).count(), 2);
    assert!(esc02.header_named("C%6Fntact").is_some());
}

#[test]
fn addresses() {
    let lwsdisp = message("lwsdisp");
    let from = lwsdisp.from_header().unwrap();
    assert_eq!(from.display_name().unwrap(), "caller");
    assert_eq!(from.uri_text(), "sip:caller@example.com");

    let semiuri = message("semiuri");
    let uri = semiuri.parsed_request_uri().unwrap();
    let uri = uri.as_sip().unwrap();
    assert_eq!(
        unescape(uri.user().unwrap()).unwrap(),
        "user;par=u@example.net"
    );
    assert_eq!(uri.host(), Host::Name("example.com"));
    assert!(uri.params().is_empty());
    assert_eq!(semiuri.values(HeaderName::Accept).count(), 6);

    let longreq = message("longreq");
    assert_eq!(longreq.lines(HeaderName::Via).count(), 34);
    assert!(longreq.to_header().unwrap().tag().is_none());

    // Header parameter against URI parameter.
    let contact = message("cparam01");
    let contact = contact.contact().unwrap();
    assert!(contact.params().has("unknownparam") && !contact.uri_text().contains(';'));
    let contact = message("cparam02");
    let contact = contact.contact().unwrap();
    assert!(!contact.params().has("unknownparam"));
    assert!(
        contact
            .uri()
            .unwrap()
            .as_sip()
            .unwrap()
            .params()
            .has("unknownparam")
    );

    let regescrt = message("regescrt");
    let Uri::Sip(contact) = regescrt.contact().unwrap().uri().unwrap() else {
        panic!()
    };
    let (name, value) = contact.header_pairs().next().unwrap();
    assert_eq!(
        (name, &*unescape(value).unwrap()),
        ("Route", "<sip:sip.example.com>")
    );

    let inv2543 = message("inv2543");
    assert_eq!(inv2543.from_header().unwrap().tag(), None);
    assert_eq!(inv2543.top_via().unwrap().branch(), None);
    assert_eq!(
        inv2543.to_header().unwrap().params().get("user"),
        Some("phone")
    );
    assert_eq!(
        message("badbranch").top_via().unwrap().unique_branch(),
        None
    );
}

#[test]
fn transports() {
    let message = message("transports");
    let seen: Vec<_> = message
        .parse_all::<Via<'_>>(HeaderName::Via)
        .map(|via| via.unwrap())
        .map(|via| (via.transport_text(), via.transport()))
        .collect();
    assert_eq!(
        seen,
        [
            ("UDP", Some(Transport::Udp)),
            ("SCTP", None),
            ("TLS", Some(Transport::Tls)),
            ("UNKNOWN", None),
            ("TCP", Some(Transport::Tcp)),
        ]
    );
}

#[test]
fn mpart01() {
    let message = message("mpart01");
    let kind = message.content_type().unwrap().unwrap();
    let multipart = Multipart::parse(&kind, message.body(), &MimeLimits::default()).unwrap();
    let [text, signature] = multipart.parts() else {
        panic!()
    };
    assert!(text.content_type().unwrap().is("text/plain"));
    assert_eq!(text.body(), "Hello");
    assert!(
        signature
            .content_type()
            .unwrap()
            .is("application/octet-stream")
    );
    assert_eq!(signature.body().len(), 0x152 + 4);
    assert_eq!(&signature.body()[..4], [0x30, 0x82, 0x01, 0x52]);
}

#[test]
fn responses() {
    assert_eq!(
        message("unreason").reason(),
        Some("= 2**3 * 5**2 но сто девяносто девять - простое")
    );
    let noreason = message("noreason");
    assert_eq!(
        (noreason.status(), noreason.reason()),
        (Some(100), Some(""))
    );
    let large = message("scalarlg");
    assert!(
        large
            .parse_first::<RetryAfter<'_>>(HeaderName::RetryAfter)
            .is_err()
    );
    // A proxy would send the broadcast one on.
    let proxy = Capabilities {
        role: Role::Proxy,
        ..Capabilities::default()
    };
    assert_eq!(
        admit(&message("bcast"), &proxy).unwrap_err().cause,
        Cause::Broadcast
    );
}

#[test]
fn refusals_say_what_would_do() {
    let header = |name: &str, header: HeaderName| {
        let (_, _, answer) = outcome(&octets(name));
        answer.unwrap().header(header).map(String::from)
    };
    assert_eq!(
        header("bext01", HeaderName::Unsupported).unwrap(),
        "nothingSupportsThis, nothingSupportsThisEither"
    );
    assert_eq!(
        header("invut", HeaderName::Accept).unwrap(),
        "application/sdp, text/plain, multipart/*"
    );
    assert!(
        header("intmeth", HeaderName::Allow)
            .unwrap()
            .contains("INVITE, MESSAGE")
    );
    let proxy = Capabilities {
        role: Role::Proxy,
        ..Capabilities::default()
    };
    let refusal = admit(&message("bext01"), &proxy).unwrap_err();
    let unsupported = (
        HeaderName::Unsupported,
        "noProxiesSupportThis, norDoAnyProxiesSupportThis".to_owned(),
    );
    assert_eq!(
        (refusal.status, &refusal.headers[..]),
        (Some(420), &[unsupported][..])
    );
    assert_eq!(
        admit(&message("zeromf"), &proxy).unwrap_err().status,
        Some(483)
    );
    // Methods, content and the address of record are not a proxy's business.
    for name in ["intmeth", "esc02", "invut", "unksm2", "sdp01"] {
        assert_eq!(admit(&message(name), &proxy), Ok(()), "{name}");
    }
}

#[test]
fn other_facts() {
    let baddate = message("baddate");
    assert!(baddate.parse_first::<HttpDate>(HeaderName::Date).is_err());
    let regaut01 = message("regaut01");
    let auth: AuthHeader<'_> = regaut01
        .auth(HeaderName::Authorization)
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        (auth.scheme(), auth.scheme_text()),
        (None, "NoOneKnowsThisScheme")
    );
    assert!(Via::parse_value("SIP/7.0/UDP c.example.com").is_some_and(|via| !via.is_version_2()));
}

#[test]
fn on_a_stream() {
    let frames = |name: &str| {
        let mut framer = Framer::new(Limits::default());
        framer.push_bytes(octets(name));
        std::iter::from_fn(|| framer.poll_frame()).collect::<Vec<_>>()
    };
    // Two requests in one datagram are two on a stream; the body of the second is
    // longer than it says, and what follows it starts with a stray letter.
    let seen = frames("dblreq");
    assert!(
        matches!(&seen[..], [Ok(Frame::Message(_)), Ok(Frame::Message(invite)), Err(_)] if invite.body().len() == 150)
    );
    let fault = |name: &str| frames(name).pop().unwrap().unwrap_err();
    assert_eq!(fault("ncl").fault, FramingFault::LengthMalformed);
    assert_eq!(fault("mcl01").fault, FramingFault::LengthContradictory);
    assert_eq!(fault("inv2543").fault, FramingFault::LengthMissing);
    assert!(frames("clerr").is_empty()); // waits for the rest
    assert!(matches!(
        &frames("bigcode")[0],
        Ok(Frame::Malformed { answer: None, .. })
    ));
    assert!(matches!(
        &frames("badvers")[0],
        Ok(Frame::Malformed { error: Error::Version, answer: Some(answer) }) if answer.status() == Some(505)
    ));
}
