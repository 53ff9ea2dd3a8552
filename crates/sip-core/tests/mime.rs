//! Multipart bodies: samples of the system, boundary rules, hostile bodies, round trips.

use bytes::Bytes;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::mime::{MimeError, MimeLimits, Multipart, MultipartBuilder, PartBuilder};
use ocs_sip_core::{Error, HeaderName, Limits, Message};
use proptest::prelude::*;

fn parse(kind: &str, body: &str) -> Result<Multipart, MimeError> {
    let kind = ContentType::parse_value(kind).unwrap();
    Multipart::parse(
        &kind,
        &Bytes::copy_from_slice(body.as_bytes()),
        &MimeLimits::default(),
    )
}

fn sample(text: &str) -> Multipart {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    parse(head.strip_prefix("Content-Type: ").unwrap(), body).unwrap()
}

#[test]
fn resource_lists() {
    let standard = sample(include_str!("data/mime/rlmi-standard.txt"));
    let microsoft = sample(include_str!("data/mime/rlmi-ms.txt"));
    for (list, root, id) in [
        (&standard, "l1@contoso.com", "p1@contoso.com"),
        (&microsoft, "resourceList", "alice@contoso.com"),
    ] {
        assert_eq!(list.parts().len(), 2);
        let part = list.root().unwrap();
        assert_eq!(part.content_id(), Some(root));
        assert!(part.content_type().unwrap().is("application/rlmi+xml"));
        assert_eq!(
            part.header(HeaderName::ContentTransferEncoding),
            Some("binary")
        );
        assert!(part.body().ends_with(b"</list>"));
        assert_eq!(list.by_content_id(id), Some(&list.parts()[1]));
        assert_eq!(
            list.by_content_id(&format!("<{id}>")),
            Some(&list.parts()[1])
        );
        assert_eq!(list.by_content_id("nobody"), None);
    }
}

#[test]
fn alternatives() {
    // The sample's Content-Length is too small for its body.
    let octets = include_str!("data/mime/multipart-alternative.sip");
    let (head, body) = octets.split_once("\r\n\r\n").unwrap();
    let head = format!("{head}\r\n\r\n").replace("Content-Length: 146\r\n", "");
    let message = Message::parse(format!("{head}{body}").into(), &Limits::default()).unwrap();
    let kind = message.content_type().unwrap().unwrap();
    let multipart = Multipart::parse(&kind, message.body(), &MimeLimits::default()).unwrap();
    assert_eq!(multipart.last_of("TEXT/plain").unwrap().body(), "Hi");
    assert_eq!(
        multipart.last_of("text/html").unwrap().body(),
        "<html><body><b>Hi</b></body></html>"
    );
    assert_eq!(multipart.last_of("text/rtf"), None);
}

#[test]
fn boundary_rules() {
    let bodies = |kind: &str, body: &str| -> Result<Vec<String>, MimeError> {
        Ok(parse(kind, body)?
            .parts()
            .iter()
            .map(|part| String::from_utf8_lossy(part.body()).into_owned())
            .collect())
    };
    let mixed = "multipart/mixed;boundary=b";
    let good = [
        (
            "preamble\r\n--b\r\n\r\none\r\n--b--\r\nepilogue --b\r\n",
            vec!["one"],
        ),
        (
            "--b \t\r\n\r\none\r\n--b\r\n\r\n\r\n--b--  ",
            vec!["one", ""],
        ),
        (
            "--b\r\n\r\nx--b\r\n--bb\r\n --b\r\n--b--",
            vec!["x--b\r\n--bb\r\n --b"],
        ),
        ("--b\r\n\r\none\r\n\r\n--b--", vec!["one\r\n"]),
        ("--b\r\n--b--", vec![""]),
        ("--b\r\nA: b\r\n--b--", vec![""]),
        ("--b\r\n\r\none\r\n--b --\r\n--b--", vec!["one\r\n--b --"]),
    ];
    for (body, expected) in good {
        assert_eq!(bodies(mixed, body).unwrap(), expected, "{body:?}");
    }
    let spaced = "Multipart/Mixed; Boundary= ------=_NextPart_000_4A6D_01CAB3D6.7519F890";
    assert_eq!(bodies(spaced, "--------=_NextPart_000_4A6D_01CAB3D6.7519F890\r\n\r\nx\r\n--------=_NextPart_000_4A6D_01CAB3D6.7519F890--").unwrap(), ["x"]);
    assert_eq!(
        bodies(
            "multipart/mixed;boundary=\"a b:c\"",
            "--a b:c\r\n\r\nx\r\n--a b:c--"
        )
        .unwrap(),
        ["x"]
    );
    let bad = [
        ("text/plain;boundary=b", "--b--", MimeError::NotMultipart),
        ("multipart/mixed", "--b--", MimeError::Boundary),
        ("multipart/mixed;boundary=\"\"", "----", MimeError::Boundary),
        (
            "multipart/mixed;boundary=\"b \"",
            "--b --",
            MimeError::Boundary,
        ),
        (mixed, "", MimeError::NoPart),
        (mixed, "--b--", MimeError::NoPart),
        (mixed, "text --b\r\n\r\nx", MimeError::NoPart),
        (
            mixed,
            "--b\r\n\r\nx\r\n--b\r\n\r\ny",
            MimeError::Unterminated,
        ),
        (
            mixed,
            "--b\r\nno colon\r\n\r\nx\r\n--b--",
            MimeError::PartHead { part: 0 },
        ),
        (
            mixed,
            "--b\r\nbad name: x\r\n\r\nx\r\n--b--",
            MimeError::PartHead { part: 0 },
        ),
        (
            mixed,
            "--b\r\n\r\n\r\n--b\r\nA: x\ny\r\n\r\nx\r\n--b--",
            MimeError::PartHead { part: 1 },
        ),
        (
            mixed,
            "--b\r\nA: x\rB: y\r\n\r\nx\r\n--b--",
            MimeError::PartHead { part: 0 },
        ),
    ];
    for (kind, body, error) in bad {
        assert_eq!(bodies(kind, body), Err(error), "{body:?}");
    }
    let long = format!("multipart/mixed;boundary={}", "b".repeat(71));
    assert_eq!(bodies(&long, ""), Err(MimeError::Boundary));
}

/// Some servers end lines inside of multipart bodies by LF alone, all or some of them.
#[test]
fn lines_of_line_feeds() {
    let kind = "multipart/related;boundary=b;start=l";
    let body = "--b\r\nContent-ID: l\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\r\n<a>\r\n</a>\r\n\r\n--b\r\n\r\n\r\n--b\r\nContent-ID: m\r\n\r\nlast\r\n--b--\r\n";
    let whole = parse(kind, body).unwrap();
    let bare = parse(kind, &body.replace("\r\n", "\n")).unwrap();
    let heads_only = parse(kind, &body.replace("\r\n\r\n", "\n\n")).unwrap();
    for other in [&bare, &heads_only] {
        assert_eq!(other.parts().len(), 3);
        for (one, other) in whole.parts().iter().zip(other.parts()) {
            let headers: Vec<_> = one.headers().collect();
            assert_eq!(other.headers().collect::<Vec<_>>(), headers);
            let text = String::from_utf8(one.body().to_vec()).unwrap();
            let text = text.replace("\r\n", "\n");
            let found = String::from_utf8(other.body().to_vec()).unwrap();
            assert_eq!(found.replace("\r\n", "\n"), text);
        }
        assert_eq!(other.root().unwrap().content_id(), Some("l"));
    }
    assert_eq!(bare.parts()[0].body(), "<a>\n</a>\n");
}

#[test]
fn part_headers() {
    let multipart = parse("multipart/related;boundary=b;start=\"<2>\"", "--b\r\ncontent-type:\r\n  text/plain;\r\n\tcharset=utf-8\r\nX-Y : z\r\n\r\n1\r\n--b\r\ncontent-id: <2>\r\n\r\n2\r\n--b--").unwrap();
    let [first, second] = multipart.parts() else {
        panic!()
    };
    assert_eq!(
        first.content_type().unwrap().params.get("charset"),
        Some("utf-8")
    );
    assert_eq!(
        first.headers().collect::<Vec<_>>(),
        [("content-type", "text/plain; charset=utf-8"), ("X-Y", "z")]
    );
    assert_eq!(multipart.root(), Some(second));
    assert!(second.content_type().unwrap().is("text/plain"));
    assert_eq!(
        parse("multipart/related;boundary=b;start=x", "--b\r\n\r\n--b--")
            .unwrap()
            .root(),
        None
    );
}

#[test]
fn limits() {
    let kind = ContentType::parse_value("multipart/mixed;boundary=b").unwrap();
    let limits = MimeLimits {
        parts: 2,
        depth: 2,
        part_head: 20,
    };
    let parse =
        |body: &str| Multipart::parse(&kind, &Bytes::copy_from_slice(body.as_bytes()), &limits);
    assert_eq!(
        parse(&format!("{}--b--", "--b\r\n\r\n\r\n".repeat(3))),
        Err(MimeError::TooManyParts { limit: 2 })
    );
    let long = format!("--b\r\nA: {}\r\n\r\n\r\n--b--", "x".repeat(20));
    assert_eq!(
        parse(&long),
        Err(MimeError::PartHeadTooLong { part: 0, limit: 20 })
    );

    let mut kind = "text/plain".to_owned();
    let mut body = Bytes::from("core");
    for level in 0..3 {
        (kind, body) = MultipartBuilder::new("mixed", &format!("level{level}"))
            .unwrap()
            .part(PartBuilder::new(&kind, body))
            .finish()
            .unwrap();
    }
    let limits = MimeLimits {
        depth: 2,
        ..MimeLimits::default()
    };
    let outer =
        Multipart::parse(&ContentType::parse_value(&kind).unwrap(), &body, &limits).unwrap();
    let inner = outer.parts()[0].multipart().unwrap().unwrap();
    assert_eq!(
        inner.parts()[0].multipart(),
        Err(Error::Mime(MimeError::TooDeep))
    );
}

#[test]
fn parts_are_views_of_the_body() {
    let body = Bytes::from("--b\r\nA: b\r\n\r\none\r\n--b--");
    let kind = ContentType::parse_value("multipart/mixed;boundary=b").unwrap();
    let multipart = Multipart::parse(&kind, &body, &MimeLimits::default()).unwrap();
    assert!(
        body.as_ptr_range()
            .contains(&multipart.parts()[0].body().as_ptr())
    );
}

#[test]
fn the_boundary_must_not_occur() {
    let build = |body: &'static str| {
        MultipartBuilder::new("mixed", "b")
            .unwrap()
            .part(PartBuilder::new("text/plain", body))
            .finish()
    };
    assert_eq!(
        build("x\r\n--bx"),
        Err(MimeError::BoundaryInPart { part: 0 })
    );
    assert!(build("-b").is_ok());
    assert_eq!(
        MultipartBuilder::new("mixed", "a\"b").unwrap_err(),
        MimeError::Boundary
    );
    assert_eq!(
        MultipartBuilder::new("mi xed", "b").unwrap_err(),
        MimeError::NotMultipart
    );
    assert_eq!(
        MultipartBuilder::new("mixed", "b").unwrap().finish(),
        Err(MimeError::NoPart)
    );
}

#[test]
fn truncation_and_repetition() {
    let text = include_str!("data/mime/rlmi-standard.txt");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let kind = head.strip_prefix("Content-Type: ").unwrap();
    let closing = body.rfind("--").unwrap() + 2;
    for end in 0..body.len() {
        assert_eq!(parse(kind, &body[..end]).is_ok(), end == closing, "{end}");
    }
    // Half-matching boundaries in great number cost linear time.
    let body = "\r\n--b-\r\n--b".repeat(100_000);
    assert!(parse("multipart/mixed;boundary=b", &body).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn round_trip(
        boundary in "[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9]",
        parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..60), "[a-z@.]{0,12}", any::<bool>()), 1..6),
    ) {
        let mut builder = MultipartBuilder::new("related", &boundary).unwrap().param("type", "a/b").param("start", "q\"\\");
        for (body, id, named) in &parts {
            let part = PartBuilder::new("text/plain;charset=\"utf-8\"", body.clone());
            builder = builder.part(if *named { part.content_id(id) } else { part });
        }
        let Ok((kind, body)) = builder.finish() else { return Ok(()) };
        let kind = ContentType::parse_value(&kind).unwrap();
        prop_assert_eq!(kind.params.get_unquoted("start").unwrap(), "q\"\\");
        let parsed = Multipart::parse(&kind, &body, &MimeLimits::default()).unwrap();
        prop_assert_eq!(parsed.parts().len(), parts.len());
        for (part, (body, id, named)) in parsed.parts().iter().zip(&parts) {
            prop_assert_eq!(&part.body()[..], &body[..]);
            prop_assert_eq!(part.content_id(), named.then_some(id.as_str()));
        }
    }

    #[test]
    fn anything_is_parsed_or_refused(body in "(--b|--|\r\n|b|x| |:|\t){0,40}") {
        if let Ok(multipart) = parse("multipart/mixed;boundary=b", &body) {
            for part in multipart.parts() {
                prop_assert!(part.body().len() <= body.len());
                prop_assert!(part.headers().count() <= body.len());
            }
        }
    }
}
