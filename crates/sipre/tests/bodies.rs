//! Bodies of IM sessions: the recorded ones and the examples of the specifications.

mod common;

use common::{bytes, message};
use ocs_sip_core::HeaderName;
use ocs_sipre::Error;
use ocs_sipre::im::{
    Format, ImMedia, ImSdp, Imdn, Limits, Text, TextKind, Typing, read_is_composing,
    read_keyboard_activity, write_keyboard_activity,
};

const LIMITS: fn() -> Limits = Limits::default;

#[test]
fn recorded_descriptions_are_written_again_octet_by_octet() {
    for (name, target) in [
        ("two-clients/051-C2S-alice-INVITE.sip", None),
        (
            "two-clients/054-C2S-bob-200-INVITE.sip",
            Some("sip:bob@contoso.com"),
        ),
        ("no-gruu/051-C2S-alice-INVITE.sip", None),
    ] {
        let body = message(name).body().clone();
        let sdp = ImSdp::parse(&body, &LIMITS()).unwrap();
        assert_eq!(sdp.target.as_deref(), target);
        assert!(sdp.accepts("application/MS-imdn+xml") && !sdp.accepts("multipart/alternative"));
        assert_eq!(sdp.to_string().as_bytes(), &body[..]);
    }
}

#[test]
fn descriptions_of_others_are_read() {
    let text = "v=0\no=x 1 2 IN IP4 host\nc=IN IP6 ::1\nt=0 0\nm=audio 1 RTP/AVP 0\na=accept-types:no\n\
                m=x-ms-message 7/1 SIP null\na=accept-types:text/plain\na=accept-types:*\nm=message 8 sip null\na=accept-types:no\n";
    let sdp = ImSdp::parse(text.as_bytes(), &LIMITS()).unwrap();
    assert_eq!((sdp.media, sdp.port), (ImMedia::XMsMessage, 7));
    assert_eq!(sdp.accept_types, ["text/plain", "*"]);
    assert_eq!(sdp.address.to_string(), "::1");
    for bad in [
        "",
        "v=0\n",
        "m=message 1 sip null\n",
        "v=0\nm=message x sip\n",
        "v=0\nm=message 1 tcp\n",
        "v=0\nm=message\n",
        "v=0\nm=message 65536 sip null\n",
    ] {
        assert!(
            matches!(ImSdp::parse(bad.as_bytes(), &LIMITS()), Err(Error::Sdp(_))),
            "{bad}"
        );
    }
    let many = format!(
        "v=0\nm=message 1 sip null\na=accept-types:{}\n",
        "a/b ".repeat(1000)
    );
    assert_eq!(
        ImSdp::parse(many.as_bytes(), &LIMITS())
            .unwrap()
            .accept_types
            .len(),
        64
    );
}

#[test]
fn the_recorded_first_text_is_written_again() {
    let invite = message("two-clients/051-C2S-alice-INVITE.sip");
    let value = invite.header(HeaderName::MsTextFormat).unwrap();
    let text = Text::from_first_message(value, &LIMITS()).unwrap();
    assert_eq!(text.text, "Hi Bob");
    let format = text.format.as_ref().unwrap();
    assert_eq!(
        format.to_string(),
        "X-MMS-IM-Format: FN=MS%20Sans%20Serif; EF=; CO=0; PF=0; RL=0"
    );
    assert_eq!(text.to_first_message(), value);
    let sent = message("two-clients/058-C2S-alice-MESSAGE.sip");
    assert_eq!(
        text.content_type(),
        sent.header(HeaderName::ContentType).unwrap()
    );
    assert_eq!(text.to_body(), sent.body());
}

#[test]
fn both_encodings_of_the_font_are_read() {
    for name in ["msgr-ascii.txt", "msgr-utf16le.txt"] {
        let value = String::from_utf8(bytes(name)).unwrap();
        let format = Format::from_msgr(value.trim()).unwrap();
        assert_eq!(format.font, "MS Shell Dlg 2");
        assert_eq!(format.charset, Some(0));
        if name.contains("utf16") {
            assert_eq!(format.to_msgr(), value.trim());
        }
    }
    let text =
        "X-MMS-IM-Format: FN=Microsoft%20Sans%20Serif; EF=BI; CO=800000; CS=0; PF=22\r\n\r\n";
    let format = Format::parse(text).unwrap();
    assert!(format.effects.bold && format.effects.italic && !format.effects.underline);
    assert_eq!((format.color, format.pitch), (0x80_0000, 0x22));
    for bad in [
        "",
        "X-MMS-IM-Format",
        "X-MMS-IM-Format: CO=1000000",
        "X-MMS-IM-Format: PF=x",
    ] {
        assert_eq!(Format::parse(bad), Err(Error::Msgr), "{bad}");
    }
    assert!(Format::from_msgr("*").is_err() && Format::from_msgr("WAA").is_err());
    assert!(Format::from_msgr(&"A".repeat(5000)).is_err());
}

#[test]
fn first_texts_that_are_broken_are_named() {
    for bad in [
        "",
        "text/plain",
        "text/plain;ms-body=***",
        "image/gif;ms-body=SGk=",
        "text/plain;;",
    ] {
        assert!(
            matches!(
                Text::from_first_message(bad, &LIMITS()),
                Err(Error::TextFormat(_))
            ),
            "{bad}"
        );
    }
    let long = format!("text/plain;ms-body={}", "A".repeat(100_000));
    assert!(matches!(
        Text::from_first_message(&long, &LIMITS()),
        Err(Error::TooLong { .. })
    ));
    let unreadable_font =
        Text::from_first_message("text/plain;msgr=x;ms-body=SGk", &LIMITS()).unwrap();
    assert_eq!(
        (unreadable_font.text.as_str(), unreadable_font.format),
        ("Hi", None)
    );
}

#[test]
fn alternatives_are_found() {
    let message = message("multipart-alternative.sip");
    let texts = Text::from_body(
        &message.content_type().unwrap().unwrap(),
        message.body(),
        &LIMITS(),
    );
    let kinds: Vec<_> = texts.iter().map(|text| text.kind).collect();
    assert_eq!(kinds, [TextKind::Plain, TextKind::Html]);
    assert_eq!(texts[0].text, "Hi");
    assert_eq!(texts[1].text, "<html><body><b>Hi</b></body></html>");
    let one = Limits {
        parts: 1,
        ..LIMITS()
    };
    assert_eq!(
        Text::from_body(
            &message.content_type().unwrap().unwrap(),
            message.body(),
            &one
        ),
        [],
        "more parts than are allowed"
    );
    let texts = Text::from_body(
        &message.content_type().unwrap().unwrap(),
        &message.body().slice(..60),
        &LIMITS(),
    );
    assert_eq!(texts, [], "cut off");
}

#[test]
fn keyboard_activity_is_written_and_read() {
    let info = message("two-clients/062-C2S-bob-INFO.sip");
    assert_eq!(
        info.body().as_ref(),
        write_keyboard_activity(Typing::Type, true).as_bytes()
    );
    for state in [Typing::Type, Typing::Idle] {
        for spaced in [false, true] {
            let body = write_keyboard_activity(state, spaced);
            assert_eq!(
                read_keyboard_activity(body.as_bytes(), 1000).unwrap(),
                state
            );
        }
    }
    for bad in [
        "",
        "<a/>",
        "<KeyboardActivity/>",
        "<KeyboardActivity><status/></KeyboardActivity>",
        "<KeyboardActivity><status status='type'/>",
    ] {
        assert!(
            read_keyboard_activity(bad.as_bytes(), 1000).is_err(),
            "{bad}"
        );
    }
    let composing = "<?xml version='1.0'?><isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state><refresh>60</refresh></isComposing>";
    assert_eq!(
        read_is_composing(composing.as_bytes(), 1000).unwrap(),
        Typing::Type
    );
    assert!(read_is_composing(b"<isComposing/>", 1000).is_err());
}

#[test]
fn the_printed_delivery_notice_is_read() {
    let imdn = Imdn::parse(&bytes("imdn-failure.xml"), &LIMITS()).unwrap();
    assert_eq!(imdn.message_id.as_deref(), Some("2"));
    let [recipient] = imdn.recipients.as_slice() else {
        panic!()
    };
    assert_eq!(
        recipient.uri,
        "sip:bob@contoso.com;opaque=user:epid:d7NL6_mHNFSL3I1rbITi2gAA;gruu"
    );
    assert_eq!(recipient.status, Some(408));
    assert!(!recipient.is_delivered());
    assert_eq!(recipient.entries[0].0, "ms-diagnostics");
    assert_eq!(
        Imdn::parse(imdn.to_xml().as_bytes(), &LIMITS()).unwrap(),
        imdn
    );
    let simple = "<imdn><message-id>101</message-id><recipient uri=\" sip:c@d;x=1 \"><status>x</status></recipient><other><recipient/></other></imdn>";
    let imdn = Imdn::parse(simple.as_bytes(), &LIMITS()).unwrap();
    assert_eq!(
        (imdn.recipients[0].uri.as_str(), imdn.recipients[0].status),
        ("sip:c@d", None)
    );
    assert!(Imdn::parse(b"<imdn/>", &LIMITS()).is_err());
    assert!(Imdn::parse(&vec![b' '; 20_000], &LIMITS()).is_err());
}

#[test]
fn truncated_bodies_never_panic() {
    for name in [
        "imdn-failure.xml",
        "two-clients/051-C2S-alice-INVITE.sip",
        "multipart-alternative.sip",
    ] {
        let body = if name.ends_with("xml") {
            bytes(name).trim_ascii_end().to_vec()
        } else {
            message(name).body().to_vec()
        };
        for end in 0..body.len() {
            let _ = Imdn::parse(&body[..end], &LIMITS()).map(|_| panic!("{end}"));
            let _ = ImSdp::parse(&body[..end], &LIMITS());
            let content_type = "multipart/alternative;boundary=b1";
            let content_type =
                ocs_sip_core::header::HeaderValue::parse_value(content_type).unwrap();
            let cut = bytes::Bytes::copy_from_slice(&body[..end]);
            let _ = Text::from_body(&content_type, &cut, &LIMITS());
        }
    }
}
