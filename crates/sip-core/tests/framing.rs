//! Stream framing: splits, keep-alives, refusals, lost streams, bounds.

use bytes::Bytes;
use ocs_sip_core::framing::{Frame, Framer, FramingError, FramingFault};
use ocs_sip_core::{Error, HeaderName, Limits, Message};

const OPTIONS: &str = "OPTIONS sip:bob@contoso.com SIP/2.0\r\n\
    Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1\r\n\
    From: <sip:alice@contoso.com>;tag=1;epid=01010101\r\n\
    To: <sip:bob@contoso.com>\r\n\
    Call-ID: a\r\n\
    CSeq: 1 OPTIONS\r\n\
    Content-Length: 4\r\n\r\nbody";

fn drain(framer: &mut Framer) -> Vec<Result<Frame, FramingError>> {
    std::iter::from_fn(|| framer.poll_frame()).collect()
}

/// The frames of `stream`: whole, as one shared buffer, octet by octet and in odd pieces; all must be the same.
fn frames(stream: &[u8], limits: Limits) -> Vec<Result<Frame, FramingError>> {
    let mut whole = Framer::new(limits);
    whole.push(stream);
    let expected = drain(&mut whole);
    let mut shared = Framer::new(limits);
    shared.push_bytes(Bytes::copy_from_slice(stream));
    assert_eq!(drain(&mut shared), expected);
    for size in [1, 2, 3, 7, 64, 501] {
        let mut framer = Framer::new(limits);
        let mut mixed = Framer::new(limits);
        let (mut got, mut got_mixed) = (Vec::new(), Vec::new());
        for (index, piece) in stream.chunks(size).enumerate() {
            framer.push(piece);
            got.extend(drain(&mut framer));
            assert!(framer.buffered() <= limits.head + limits.body);
            if index % 2 == 0 {
                mixed.push_bytes(Bytes::copy_from_slice(piece));
            } else {
                mixed.push(piece);
            }
            if index % 3 == 0 {
                got_mixed.extend(drain(&mut mixed));
            }
        }
        got_mixed.extend(drain(&mut mixed));
        assert_eq!(got, expected, "pieces of {size}");
        assert_eq!(got_mixed, expected, "mixed pieces of {size}");
        let counted = |framer: &Framer| {
            (
                framer.counters().messages,
                framer.counters().malformed,
                framer.counters().keep_alives,
            )
        };
        assert_eq!(counted(&framer), counted(&whole));
        assert_eq!(framer.is_lost(), whole.is_lost());
        assert_eq!(framer.is_idle(), whole.is_idle());
    }
    expected
}

fn bodies(frames: &[Result<Frame, FramingError>]) -> Vec<String> {
    frames
        .iter()
        .map(|frame| match frame {
            Ok(Frame::Message(message)) => String::from_utf8_lossy(message.body()).into_owned(),
            Ok(Frame::KeepAlive) => "<keep-alive>".into(),
            Ok(Frame::Malformed { error, answer }) => {
                let status = answer.as_ref().and_then(|answer| answer.status());
                format!("<{error}: {status:?}>")
            }
            Err(error) => format!("<lost: {}>", error.fault),
        })
        .collect()
}

#[test]
fn pipelined_messages_and_keep_alives() {
    let stream =
        format!("\r\n{OPTIONS}\r\n\r\n\r\n\r\n{OPTIONS}{OPTIONS}\r\n\n\r\r\n\r\n{OPTIONS}\r\n");
    let frames = frames(stream.as_bytes(), Limits::default());
    assert_eq!(
        bodies(&frames),
        [
            "body",
            "<keep-alive>",
            "<keep-alive>",
            "body",
            "body",
            "<keep-alive>",
            "body"
        ]
    );
    let Ok(Frame::Message(message)) = &frames[0] else {
        panic!()
    };
    assert_eq!(message.to_bytes(), OPTIONS);
}

#[test]
fn whole_messages_are_not_copied() {
    let stream = Bytes::from(OPTIONS.repeat(3));
    let range = stream.as_ptr_range();
    let mut framer = Framer::new(Limits::default());
    framer.push_bytes(stream);
    for _ in 0..3 {
        let Some(Ok(Frame::Message(message))) = framer.poll_frame() else {
            panic!()
        };
        assert!(range.contains(&message.body().as_ptr()));
    }
    assert!(framer.is_idle());
    assert_eq!(framer.counters().messages, 3);
}

#[test]
fn a_malformed_request_is_answered_and_skipped() {
    let bad = OPTIONS.replace(
        "OPTIONS sip:bob@contoso.com SIP/2.0",
        "OPTIONS <sip:bob@contoso.com> SIP/2.0",
    );
    let frames = frames(format!("{bad}{OPTIONS}").as_bytes(), Limits::default());
    let Ok(Frame::Malformed { error, answer }) = &frames[0] else {
        panic!()
    };
    assert_eq!(*error, Error::RequestUri);
    let answer = answer.as_ref().unwrap();
    assert_eq!(answer.status(), Some(400));
    assert_eq!(answer.top_via().unwrap().branch(), Some("z9hG4bK1"));
    assert_eq!(answer.header(HeaderName::CallId), Some("a"));
    assert_eq!(answer.cseq().unwrap().number, 1);
    assert!(answer.to_header().unwrap().tag().is_some());
    assert_eq!(answer.from_header().unwrap().tag(), Some("1"));
    assert_eq!(bodies(&frames)[1..], ["body"]);
    assert!(Message::parse(answer.to_bytes(), &Limits::default()).is_ok());
}

#[test]
fn statuses_of_refusals() {
    let cases = [
        (
            "OPTIONS sip:bob@contoso.com SIP/2.0",
            "OPTIONS sip:bob@contoso.com SIP/7.0",
            "<unsupported SIP version: Some(505)>",
        ),
        (
            "Call-ID: a",
            "Call-ID: a\u{0}",
            "<control character at offset 174: Some(400)>",
        ),
        (
            "Call-ID: a",
            "Call-ID a",
            "<malformed header line at offset 164: Some(400)>",
        ),
        (
            "Call-ID: a",
            "Call-ID: a\nX: b",
            "<control character at offset 174: Some(400)>",
        ),
        (
            "OPTIONS sip",
            "ACK sip:a b",
            "<malformed Request-URI: None>",
        ),
        (
            "OPTIONS sip:bob@contoso.com SIP/2.0",
            "SIP/2.0 2000 OK",
            "<malformed status code: None>",
        ),
        (
            "OPTIONS sip:bob@contoso.com SIP/2.0",
            "BENOTIFY <sip:bob@contoso.com> SIP/2.0",
            "<malformed Request-URI: None>",
        ),
    ];
    for (from, to, expected) in cases {
        let stream = format!("{}{OPTIONS}", OPTIONS.replacen(from, to, 1));
        let frames = frames(stream.as_bytes(), Limits::default());
        assert_eq!(bodies(&frames), [expected, "body"], "{to}");
    }
}

#[test]
fn a_head_that_is_not_utf8_is_refused_alone() {
    let mut stream = OPTIONS.replace("Call-ID: a", "Call-ID: a?").into_bytes();
    let at = stream.iter().position(|&c| c == b'?').unwrap();
    stream[at] = 0xFF;
    stream.extend_from_slice(OPTIONS.as_bytes());
    let frames = frames(&stream, Limits::default());
    assert_eq!(bodies(&frames)[1], "body");
    assert!(matches!(
        &frames[0],
        Ok(Frame::Malformed { error: Error::NotUtf8 { offset }, answer: Some(_) }) if *offset == at
    ));
}

#[test]
fn a_body_over_the_limit_is_skipped_without_being_held() {
    let limits = Limits {
        body: 100,
        ..Limits::default()
    };
    let big = OPTIONS.replace(
        "Length: 4\r\n\r\nbody",
        &format!("Length: 5000\r\n\r\n{}", "x".repeat(5000)),
    );
    let frames = frames(format!("{big}{OPTIONS}").as_bytes(), limits);
    assert_eq!(
        bodies(&frames),
        ["<body of 5000 octets exceeds 100: Some(513)>", "body"]
    );
}

#[test]
fn lost_streams() {
    let length = "Content-Length: 4";
    let cases = [
        ("X: 4", FramingFault::LengthMissing),
        ("Content-Length: -1", FramingFault::LengthMalformed),
        ("Content-Length: ", FramingFault::LengthMalformed),
        ("Content-Length: 0x4", FramingFault::LengthMalformed),
        ("Content-Length: 4, 4", FramingFault::LengthMalformed),
        (
            "Content-Length: 18446744073709551616",
            FramingFault::LengthMalformed,
        ),
        (
            "Content-Length: 4\r\nl: 5",
            FramingFault::LengthContradictory,
        ),
        (
            "Content-Length: 4\r\nbad line\r\nContent-Length: 5",
            FramingFault::LengthContradictory,
        ),
        (
            "Content-Length: 4\nContent-Length: 5",
            FramingFault::LengthMalformed,
        ),
    ];
    for (text, fault) in cases {
        let stream = format!("{}{OPTIONS}", OPTIONS.replace(length, text));
        let frames = frames(stream.as_bytes(), Limits::default());
        assert_eq!(frames.len(), 1, "{text}");
        let Err(error) = &frames[0] else {
            panic!("{text}")
        };
        assert_eq!(error.fault, fault, "{text}");
        assert_eq!(error.answer.as_ref().unwrap().status(), Some(400));
    }
    // The same length twice, in both forms and folded, is one length.
    let stream = OPTIONS.replace(length, "Content-Length:\r\n 4\r\nl: 4");
    assert_eq!(
        bodies(&frames(stream.as_bytes(), Limits::default())),
        ["body"]
    );
}

#[test]
fn a_response_without_length_gets_no_answer() {
    let frames = frames(
        b"SIP/2.0 200 OK\r\nCSeq: 1 A\r\nVia: SIP/2.0/TCP a\r\n\r\n",
        Limits::default(),
    );
    assert!(matches!(
        &frames[..],
        [Err(FramingError {
            fault: FramingFault::LengthMissing,
            answer: None
        })]
    ));
}

#[test]
fn a_head_without_end_is_fatal_at_the_limit() {
    let limits = Limits {
        head: 1000,
        ..Limits::default()
    };
    let stream = OPTIONS.replace(
        "Content-Length",
        &format!("X: {}\r\nContent-Length", "x".repeat(2000)),
    );
    let frames = frames(stream.as_bytes(), limits);
    assert_eq!(
        bodies(&frames),
        ["<lost: head has no end within 1000 octets>"]
    );
    let Err(error) = &frames[0] else { panic!() };
    assert_eq!(error.answer.as_ref().unwrap().status(), Some(513));
}

#[test]
fn nothing_is_taken_after_a_loss() {
    let mut framer = Framer::new(Limits::default());
    framer.push(b"BYE sip:a SIP/2.0\r\n\r\n");
    assert!(framer.poll_frame().unwrap().is_err());
    framer.push(OPTIONS.as_bytes());
    framer.push_bytes(OPTIONS.into());
    assert!(framer.poll_frame().is_none());
    assert!(framer.is_lost());
    assert_eq!(framer.buffered(), 0);
}

#[test]
fn octet_by_octet_costs_linear_time() {
    // 1 MB of one header line, then of a body: quadratic searching would take minutes.
    let limits = Limits {
        head: 2 << 20,
        header_line: 2 << 20,
        ..Limits::default()
    };
    let stream = OPTIONS.replace("body", "").replace(
        "Length: 4",
        &format!("Length: 1000000\r\nX: {}", "x\r".repeat(500_000)),
    );
    let mut framer = Framer::new(limits);
    let mut frames = 0;
    for octet in stream.as_bytes() {
        framer.push(std::slice::from_ref(octet));
        frames += usize::from(framer.poll_frame().is_some());
    }
    for _ in 0..1_000_000 {
        assert!(framer.poll_frame().is_none());
        framer.push(b"x");
    }
    assert_eq!(frames, 1);
    assert!(framer.is_idle() || framer.poll_frame().is_none());
}
