//! Input made to hurt: every truncation, lies about lengths, sizes, octets that do not belong.

use bytes::Bytes;
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::header::{AuthHeader, NameAddr, Via};
use ocs_sip_core::{Error, HeaderName, Limits, Message};

const INVITE: &[u8] = include_bytes!("../benches/invite.sip");

fn parse(octets: impl Into<Bytes>) -> Result<Message, Error> {
    Message::parse(octets.into(), &Limits::default())
}

/// Reads all that can be read; must not panic.
fn touch(message: &Message) {
    let _ = message.check();
    let _ = (
        message.from_header(),
        message.to_header(),
        message.cseq(),
        message.event(),
        message.sensitivity(),
    );
    for name in [
        HeaderName::Via,
        HeaderName::Contact,
        HeaderName::Route,
        HeaderName::Authorization,
        HeaderName::Warning,
    ] {
        let _ = message.parse_all::<Via<'_>>(name).count();
        let _ = message.parse_all::<AuthHeader<'_>>(name).count();
        for address in message.parse_all::<NameAddr<'_>>(name).flatten() {
            let _ = (
                address.uri(),
                address.q(),
                address.instance(),
                address.display_name(),
            );
        }
    }
    let again = parse(message.to_bytes());
    assert!(again.is_ok_and(|again| again == *message));
}

#[test]
fn truncation_at_every_octet() {
    let octets = Bytes::from_static(INVITE);
    for end in 0..octets.len() {
        let error = parse(octets.slice(..end)).unwrap_err();
        assert!(
            matches!(error, Error::Truncated | Error::ShortBody { .. }),
            "{end}: {error}"
        );
        let mut framer = Framer::new(Limits::default());
        framer.push_bytes(octets.slice(..end));
        assert!(framer.poll_frame().is_none());
        assert_eq!(framer.buffered(), end);
        framer.push_bytes(octets.slice(end..));
        assert!(
            matches!(framer.poll_frame(), Some(Ok(Frame::Message(message))) if message.to_bytes() == octets)
        );
    }
}

#[test]
fn every_octet_replaced() {
    for at in 0..INVITE.len() {
        for octet in [
            0, b'\r', b'\n', b' ', b'"', b'<', b',', b';', b'\\', 0x80, 0xFF,
        ] {
            let mut octets = INVITE.to_vec();
            octets[at] = octet;
            if let Ok(message) = parse(octets.clone()) {
                let _ = message.check();
                let _ = (
                    message.top_via(),
                    message.from_header(),
                    message.to_header(),
                    message.contact(),
                );
            }
            let mut framer = Framer::new(Limits::default());
            framer.push(&octets);
            while framer.poll_frame().is_some() {}
        }
    }
}

#[test]
fn a_million_headers() {
    let head = |line: &str| format!("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n", line.repeat(1_000_000));
    assert_eq!(
        parse(head("A: b\r\n")).unwrap_err(),
        Error::HeadTooLong { limit: 65_536 }
    );
    let wide = Limits {
        head: 1 << 30,
        header_line: 1 << 30,
        ..Limits::default()
    };
    let octets = Bytes::from(head("A: b\r\n"));
    assert_eq!(
        Message::parse(octets.clone(), &wide).unwrap_err(),
        Error::TooManyHeaders { limit: 256 }
    );
    let unlimited = Limits {
        headers: usize::MAX,
        ..wide
    };
    let message = Message::parse(octets, &unlimited).unwrap();
    assert_eq!(message.headers_iter().count(), 1_000_000);
    assert_eq!(message.check(), Err(Error::Missing(HeaderName::Via)));
    // As many continuation lines, and as many values in one line.
    let folded = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nA: b{}\r\n\r\n",
        "\r\n c".repeat(1_000_000)
    );
    let message = Message::parse(folded.into(), &unlimited).unwrap();
    assert_eq!(message.header_named("A").unwrap().len(), 2_000_001);
    let listed = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: {}\r\n\r\n",
        "a,\"b\",<c>,".repeat(300_000)
    );
    let message = Message::parse(listed.into(), &unlimited).unwrap();
    assert_eq!(message.values(HeaderName::Via).count(), 900_000);
}

#[test]
fn a_line_of_ten_megabytes() {
    let text = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: {}\r\n\r\n",
        "x".repeat(10_000_000)
    );
    assert_eq!(
        parse(text.clone()).unwrap_err(),
        Error::HeadTooLong { limit: 65_536 }
    );
    let wide = Limits {
        head: 1 << 30,
        ..Limits::default()
    };
    assert!(matches!(
        Message::parse(text.clone().into(), &wide).unwrap_err(),
        Error::HeaderTooLong { offset: 25, .. }
    ));
    let mut framer = Framer::new(Limits::default());
    for piece in text.as_bytes().chunks(1000) {
        framer.push(piece);
        while framer.poll_frame().is_some() {}
        assert!(framer.buffered() <= 65_536);
    }
    assert!(framer.is_lost());
}

#[test]
fn unbalanced_values_cost_linear_time() {
    let wide = Limits {
        head: 1 << 30,
        header_line: 1 << 30,
        ..Limits::default()
    };
    for piece in [
        "\"", "<", "\\", "\"\\", ";", ";a", ";a=", ",", "(", "%", "[", "a\"<",
    ] {
        for name in [
            "Via",
            "Contact",
            "From",
            "Authorization",
            "Retry-After",
            "Subject",
        ] {
            let text = format!(
                "OPTIONS sip:a@b SIP/2.0\r\n{name}: {}\r\n\r\n",
                piece.repeat(200_000)
            );
            let message = Message::parse(text.into(), &wide).unwrap();
            touch_values(&message);
        }
    }
}

fn touch_values(message: &Message) {
    let _ = message.check();
    for name in [
        HeaderName::Via,
        HeaderName::Contact,
        HeaderName::From,
        HeaderName::Authorization,
        HeaderName::RetryAfter,
    ] {
        assert!(message.parse_all::<Via<'_>>(name).all(|via| via.is_err()));
        let _ = message.parse_all::<NameAddr<'_>>(name).count();
        let _ = message.parse_all::<AuthHeader<'_>>(name).count();
        let _ = message
            .parse_all::<ocs_sip_core::header::RetryAfter<'_>>(name)
            .count();
    }
}

#[test]
fn octets_that_do_not_belong() {
    let text = "OPTIONS sip:a@b SIP/2.0\r\nX: #\r\n\r\n";
    let with = |octets: &[u8]| {
        let at = text.find('#').unwrap();
        parse([&text.as_bytes()[..at], octets, &text.as_bytes()[at + 1..]].concat())
    };
    assert_eq!(
        with(b"\0").unwrap_err(),
        Error::ControlCharacter { offset: 28 }
    );
    assert_eq!(
        with(b"a\rb").unwrap_err(),
        Error::ControlCharacter { offset: 29 }
    );
    assert_eq!(
        with(b"a\nb").unwrap_err(),
        Error::ControlCharacter { offset: 29 }
    );
    assert_eq!(
        with(b"\xC3\x28").unwrap_err(),
        Error::NotUtf8 { offset: 28 }
    );
    assert_eq!(
        with(b"\xED\xA0\x80").unwrap_err(),
        Error::NotUtf8 { offset: 28 }
    );
    assert_eq!(
        with(b"\r\nno colon").unwrap_err(),
        Error::HeaderLine { offset: 30 }
    );
    assert_eq!(
        with(b"\r\n: x").unwrap_err(),
        Error::HeaderLine { offset: 30 }
    );
    assert!(with("\"\\\0\" é".as_bytes()).is_ok());
    for start in [
        "",
        " ",
        "OPTIONS",
        "OPTIONS sip:a",
        "OPTIONS  SIP/2.0",
        "SIP/2.0",
        "SIP/2.0 99 x",
        "SIP/2.0 +99 x",
        "SIP/2.0 700 x",
        "sip:a OPTIONS SIP/2.0",
    ] {
        assert!(
            parse(format!("{start}\r\nX: y\r\n\r\n")).is_err(),
            "{start}"
        );
    }
}

#[test]
fn lengths_that_lie() {
    let with = |length: &str| {
        parse(format!(
            "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: {length}\r\n\r\nbody"
        ))
        .map(|message| message.body().len())
    };
    assert_eq!(with("3"), Ok(3));
    assert_eq!(with("0004"), Ok(4));
    assert_eq!(
        with("5"),
        Err(Error::ShortBody {
            expected: 5,
            got: 4
        })
    );
    assert_eq!(
        with("1048577"),
        Err(Error::BodyTooLong {
            length: 1_048_577,
            limit: 1_048_576
        })
    );
    for length in [
        "-1",
        "+4",
        "4 4",
        "4,4",
        "0x4",
        "",
        "18446744073709551616",
        "٤",
        "4.0",
    ] {
        assert_eq!(
            with(length),
            Err(Error::Malformed(HeaderName::ContentLength)),
            "{length}"
        );
    }
    assert_eq!(with("4\r\nl: 4"), Ok(4));
    assert_eq!(
        with("4\r\nl: 3"),
        Err(Error::Repeated(HeaderName::ContentLength))
    );
}

#[test]
fn values_cannot_smuggle_headers() {
    let mut message = Message::response_with_reason(200, "OK\r\nX: y");
    message.push(HeaderName::Subject, "a\r\nContent-Length: 5\0");
    message.push_named("bad name", "x");
    message.push_named("X\r\nY", "x");
    let again = parse(message.to_bytes()).unwrap();
    assert_eq!(again.headers_iter().count(), 2); // Subject and the Content-Length that encoding adds
    assert_eq!(
        again.header(HeaderName::Subject),
        Some("a  Content-Length: 5")
    );
    assert_eq!(again.reason(), Some("OK  X: y"));
    let mut message = Message::response(200);
    message.push_parts(HeaderName::Subject, &["a \\", "\0\r", "\n", "b\0"]);
    message.push_parts_front(HeaderName::Subject, &["c", "", "\n\nd"]);
    let again = parse(message.to_bytes()).unwrap();
    let subjects: Vec<_> = again.lines(HeaderName::Subject).collect();
    assert_eq!(subjects, ["c  d", "a \\\0  b"]);
}

#[test]
fn the_good_one_is_good() {
    touch(&parse(INVITE).unwrap());
}
