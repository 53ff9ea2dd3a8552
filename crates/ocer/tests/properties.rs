//! Properties, and what an enemy sends.

use ocs_ocer::boundary::{Peer, Policy, strip_private};
use ocs_ocer::{Diagnostics, DiagnosticsWriter, ErrorId, Kind, diagnostics_of};
use ocs_sip_core::{HeaderName, Message};
use proptest::prelude::*;

fn read_all(text: &str) -> Vec<(String, String)> {
    Diagnostics::parse_list(text)
        .filter_map(Result::ok)
        .flat_map(|value| value.params())
        .map(|param| (param.name.to_owned(), param.value().into_owned()))
        .collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id: u32,
        reason in "[^;\r\n\0]{0,40}",
        source in "[a-z0-9.]{1,20}",
        params in prop::collection::vec(("x[a-zA-Z0-9-]{0,8}", "[^;\r\n\0]{0,40}"), 0..6),
    ) {
        let mut writer = DiagnosticsWriter::new(Kind::Private, ErrorId(id), &reason).source(&source);
        for (name, value) in &params {
            writer = writer.param(name, value).unwrap();
        }
        let message = writer.on(Message::response(404));
        let wire = Message::parse(message.to_bytes(), &ocs_sip_core::Limits::default()).unwrap();
        let (kind, read) = diagnostics_of(&wire).next().unwrap();
        prop_assert_eq!((kind, read.error_id.0), (Kind::Private, id));
        prop_assert_eq!(read.reason().unwrap(), reason.as_str());
        prop_assert_eq!(read.source().unwrap(), source.as_str());
        let rest: Vec<_> = read.params().skip(2).map(|p| (p.name.to_owned(), p.value().into_owned())).collect();
        prop_assert_eq!(rest, params);
        // What was read is written as it was.
        let mut again = DiagnosticsWriter::new(Kind::Private, read.error_id, &read.reason().unwrap())
            .source(&read.source().unwrap());
        for param in read.params().skip(2) {
            again = again.param(param.name, &param.value()).unwrap();
        }
        prop_assert_eq!(again.value(), wire.header(HeaderName::MsDiagnostics).unwrap());
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[0-9,;= \"\\\\a\r\n\té.]{0,60}") {
        read_all(&text);
        read_all(&format!("1{text}"));
    }

    #[test]
    fn nothing_private_crosses(lines in prop::collection::vec((0..3usize, "[0-9,;= \"\\\\]{0,12}(secret)?[,;= \"]{0,4}((source|SOURCE)=\"?secret\"?)?"), 0..5)) {
        let mut message = Message::response(404);
        for (kind, value) in &lines {
            message.push(Kind::ALL[*kind].name(), &format!("7008{value}"));
        }
        strip_private(&mut message, Peer::External, Policy::default());
        let left: Vec<_> = diagnostics_of(&message).collect();
        prop_assert!(left.len() <= 1);
        prop_assert!(left.iter().all(|(kind, value)| *kind == Kind::Public && value.source().is_none()));
        prop_assert!(message.header(HeaderName::MsDiagnostics).is_none());
        prop_assert!(message.header(HeaderName::MsClientDiagnostics).is_none());
        // A second boundary finds nothing to do.
        let before = message.to_bytes();
        strip_private(&mut message, Peer::External, Policy::default());
        prop_assert_eq!(before, message.to_bytes());
    }
}

#[test]
fn every_truncation_is_read() {
    let value = include_str!("../benches/long.txt").trim_end();
    let whole = read_all(value);
    for end in 2..value.len() {
        let read = read_all(&value[..end]);
        assert!(read.len() <= whole.len());
        // All but the last are what they were.
        let sure = read.len().saturating_sub(1);
        assert_eq!(read[..sure], whole[..sure], "{end}");
    }
}

/// Each of these would take minutes if some step looked at the rest of the text again and again.
#[test]
fn reading_is_linear() {
    for piece in [
        "\"", ",", ",1", ", 1 ;", ";", ";a", ";a=\"", ";a=\" \"", ";a=\"\\", " ", "\" ", "=",
        ";a=,", "1", ",1.1",
    ] {
        let text = format!("1;a=\"{}", piece.repeat(60_000 / piece.len()));
        for value in Diagnostics::parse_list(&text).filter_map(Result::ok) {
            assert!(value.get("nobody").is_none());
        }
        let text = format!("1{}", piece.repeat(60_000 / piece.len()));
        assert!(Diagnostics::parse_list(&text).count() <= 60_000);
    }
}
