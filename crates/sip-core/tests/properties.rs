//! Random messages, URIs and parameters: what is written is read back; what is broken is refused without a panic.

use bytes::Bytes;
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::header::{HeaderValue, NameAddr};
use ocs_sip_core::params::Params;
use ocs_sip_core::syntax::{quote_into, split_list, unquote};
use ocs_sip_core::uri::{Aor, Uri, escape_user, unescape};
use ocs_sip_core::{HeaderName, Limits, Message, Method};
use proptest::prelude::*;

const INVITE: &[u8] = include_bytes!("../benches/invite.sip");

fn message() -> impl Strategy<Value = Message> {
    let header = ("[A-Za-z0-9.!%*_+`'~-]{1,20}", "[ -~é€\t]{0,40}");
    let start = prop_oneof![
        ("[A-Z]{1,10}", "[a-z]{1,5}:[!#-;=?-~]{1,30}")
            .prop_map(|(method, uri)| Message::request(Method::from_token(&method), &uri)),
        (100_u16..700, "[ -~é]{0,20}")
            .prop_map(|(code, reason)| Message::response_with_reason(code, &reason)),
    ];
    (
        start,
        prop::collection::vec(header, 0..20),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(mut message, headers, body)| {
            for (name, value) in headers {
                if HeaderName::from_text(&name) != HeaderName::ContentLength {
                    message.push_named(&name, value.trim());
                }
            }
            message.set_body("application/octet-stream", body);
            message
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn messages_round_trip(message in message()) {
        let octets = message.to_bytes();
        let parsed = Message::parse(octets.clone(), &Limits::default()).unwrap();
        prop_assert_eq!(parsed.to_bytes(), &octets);
        prop_assert_eq!(parsed.method(), message.method());
        prop_assert_eq!(parsed.status(), message.status());
        prop_assert_eq!(parsed.request_uri(), message.request_uri());
        prop_assert_eq!(parsed.reason(), message.reason());
        prop_assert_eq!(parsed.body(), message.body());
        prop_assert!(parsed.headers_iter().eq(message.headers_iter()));
    }

    #[test]
    fn streams_are_cut_the_same_however_they_are_split(
        messages in prop::collection::vec(message(), 1..4),
        cuts in prop::collection::vec(1_usize..400, 1..30),
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend_from_slice(b"\r\n\r\n");
            stream.extend_from_slice(&message.to_bytes());
        }
        let mut framer = Framer::new(Limits::default());
        let (mut seen, mut rest, mut turn) = (Vec::new(), &stream[..], 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            rest = after;
            if turn % 2 == 0 {
                framer.push(piece);
            } else {
                framer.push_bytes(Bytes::copy_from_slice(piece));
            }
            turn += 1;
            while let Some(frame) = framer.poll_frame() {
                match frame.unwrap() {
                    Frame::Message(message) => seen.push(message),
                    Frame::KeepAlive => {}
                    Frame::Malformed { error, .. } => panic!("{error}"),
                }
            }
        }
        prop_assert_eq!(framer.counters().keep_alives, messages.len() as u64);
        prop_assert!(framer.is_idle());
        prop_assert_eq!(seen, messages);
    }

    #[test]
    fn edits_survive(value in "[!-~][ -~]{0,30}[!-~]", via in "[a-z]{1,8}") {
        let mut message = Message::parse(Bytes::from_static(INVITE), &Limits::default()).unwrap();
        message.set(HeaderName::Subject, &value);
        message.push_front(HeaderName::Via, &format!("SIP/2.0/TLS {via};branch=z9hG4bKx"));
        message.set_request_uri("sip:carol@contoso.com");
        let removed = message.remove(HeaderName::Supported);
        let parsed = Message::parse(message.to_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(removed, 2);
        prop_assert_eq!(parsed.header(HeaderName::Subject), Some(value.as_str()));
        prop_assert_eq!(parsed.top_via().unwrap().sent_by(), via.as_str());
        prop_assert_eq!(parsed.lines(HeaderName::Via).count(), 3);
        prop_assert!(parsed.headers_iter().eq(message.headers_iter()));
        message.remove_first_value(HeaderName::Via);
        prop_assert_eq!(message.top_via().unwrap().sent_by(), "10.20.30.41:5061");
    }

    #[test]
    fn mutations_never_panic(edits in prop::collection::vec((0..INVITE.len(), any::<u8>(), 0_usize..4), 1..12)) {
        let mut octets = INVITE.to_vec();
        for (at, octet, kind) in edits {
            let at = at % octets.len();
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 => { octets.remove(at); }
                _ => octets.insert(at, b" ,;\"<>\r\n:=\\%@"[usize::from(octet) % 13]),
            }
        }
        let mut framer = Framer::new(Limits::default());
        framer.push(&octets);
        while framer.poll_frame().is_some() {}
        if let Ok(message) = Message::parse(octets.into(), &Limits::default()) {
            let _ = message.check();
            for header in message.headers_iter() {
                for value in split_list(header.value) {
                    let _ = NameAddr::parse(value).map(|address| address.uri().map(|uri| uri.equivalent(&uri)));
                }
            }
            let again = Message::parse(message.to_bytes(), &Limits::default());
            prop_assert!(again.is_ok_and(|again| again == message));
        }
    }

    #[test]
    fn users_are_escaped_and_unescaped(user in "\\PC{1,20}", host in "[a-z]{1,8}\\.[a-z]{2,4}") {
        let escaped = escape_user(&user);
        prop_assert_eq!(unescape(&escaped).unwrap(), user.as_str());
        let text = format!("sip:{escaped}@{host}");
        let uri = Uri::parse(&text).unwrap();
        let sip = uri.as_sip().unwrap();
        prop_assert_eq!(sip.user(), Some(&*escaped));
        let aor = sip.aor().unwrap();
        prop_assert_eq!(&Aor::parse(aor.as_str()).unwrap(), &aor);
        // A fully escaped user is the same user.
        let hex = user.bytes().fold(String::new(), |hex, octet| format!("{hex}%{octet:02x}"));
        let other = format!("SIP:{hex}@{}", host.to_uppercase());
        let other = Uri::parse(&other).unwrap();
        prop_assert!(uri.equivalent(&other) && other.equivalent(&uri));
        prop_assert_eq!(other.as_sip().unwrap().aor().unwrap(), aor);
    }

    #[test]
    fn params_round_trip(params in prop::collection::vec(("[A-Za-z0-9.+_-]{1,10}", prop::option::of("\\PC{0,15}")), 0..8)) {
        let mut text = String::new();
        for (name, value) in &params {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                quote_into(value, &mut text);
            }
        }
        let parsed = Params::parse(&text).unwrap();
        let read: Vec<_> = parsed.iter().map(|param| (param.name.to_owned(), param.value.map(|value| unquote(value).into_owned()))).collect();
        prop_assert_eq!(read, params);
    }

    #[test]
    fn name_addrs_round_trip(display in "\\PC{0,20}", tag in "[A-Za-z0-9.]{1,12}") {
        let mut text = String::new();
        quote_into(&display, &mut text);
        let text = format!("{text} <sip:a;x@b;lr?c=d>;tag={tag}");
        let parsed = NameAddr::parse_value(&text).unwrap();
        prop_assert_eq!(parsed.display_name().unwrap(), display.as_str());
        prop_assert_eq!(parsed.uri_text(), "sip:a;x@b;lr?c=d");
        prop_assert_eq!(parsed.tag(), Some(tag.as_str()));
        prop_assert_eq!(split_list(&text).collect::<Vec<_>>(), [text.as_str()]);
    }

    #[test]
    fn anything_is_a_uri_or_not(text in "(sip:|sips:|tel:|x:)?[a-z0-9@:;?=&%+.<\\[\\] \"-]{0,30}") {
        if let Ok(uri) = Uri::parse(&text) {
            prop_assert_eq!(uri.as_str(), text.as_str());
            prop_assert!(uri.equivalent(&uri));
            if let Some(sip) = uri.as_sip() {
                let _ = (sip.aor(), sip.transport(), sip.opaque(), sip.header_pairs().count());
            }
        }
    }
}
