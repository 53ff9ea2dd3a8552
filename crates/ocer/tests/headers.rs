//! The three headers: what peers send is read, what is written is read again.

use ocs_ocer::{Diagnostics, DiagnosticsWriter, Error, ErrorId, Kind, Limits, diagnostics_of};
use ocs_sip_core::{HeaderName, Message};

fn all<'a>(value: &Diagnostics<'a>) -> Vec<(&'a str, String)> {
    let params = value.params();
    params
        .map(|param| (param.name, param.value().into_owned()))
        .collect()
}

/// The values of the specification's examples and of real clients and servers.
#[test]
fn real_values() {
    for (value, id, reason, source) in [
        (
            "4141;reason=\"User disabled\"",
            4141,
            Some("User disabled"),
            None,
        ),
        (
            "24081;Component=\"RTCC/4.0.0.0_ContosoApplication\";Reason=\"Endpoint termination\";Source= applicationserver.contoso.com",
            24081,
            Some("Endpoint termination"),
            Some("applicationserver.contoso.com"),
        ),
        (
            "24083;Component=\"RTCC/4.0.0.0_ContosoApplication\";Reason=\"Message was received out of dialog.\";request=BENOTIFY;Source=applicationserver.contoso.com",
            24083,
            Some("Message was received out of dialog."),
            Some("applicationserver.contoso.com"),
        ),
        (
            "52063;reason=\"Unsupported session description\"",
            52063,
            Some("Unsupported session description"),
            None,
        ),
        (
            "2013;reason=\"x\";source=\"fe01.contoso.com\"",
            2013,
            Some("x"),
            Some("fe01.contoso.com"),
        ),
        (
            "6001;source=\"server.contoso.com\"; reason=\"Request Timeout\";component=\"ImMcu\"",
            6001,
            Some("Request Timeout"),
            Some("server.contoso.com"),
        ),
        (
            "28020;source=\"server.contoso.com\";reason=\"No valid security token.\"",
            28020,
            Some("No valid security token."),
            Some("server.contoso.com"),
        ),
        ("4141", 4141, None, None),
        ("0", 0, None, None),
        ("4294967295 ; REASON = none", u32::MAX, Some("none"), None),
    ] {
        let read = Diagnostics::parse(value).unwrap();
        assert_eq!(read.error_id, ErrorId(id), "{value}");
        assert_eq!(read.reason().as_deref(), reason, "{value}");
        assert_eq!(read.source().as_deref(), source, "{value}");
    }
}

#[test]
fn a_clients_blob_with_a_semicolon_at_the_end() {
    let value = include_str!("../benches/long.txt").trim_end();
    assert!(value.ends_with(';'));
    let read = Diagnostics::parse(value).unwrap();
    assert_eq!(read.error_id, ErrorId(22));
    assert_eq!(read.reason().unwrap(), ErrorId(22).reason().unwrap());
    let names: Vec<_> = read.params().map(|param| param.name).collect();
    assert_eq!(
        names,
        [
            "reason",
            "UserType",
            "MediaType",
            "MediaChanBlob",
            "CallerMediaDebug",
            "BlobVer",
            "QualityBlob",
            "CalleeMediaDebug",
            "Source"
        ]
    );
    assert!(read.get("mediachanblob").unwrap().ends_with(",BlobVer=1"));
}

#[test]
fn beyond_the_grammar() {
    let read = |value| all(&Diagnostics::parse(value).unwrap());
    let pair = |name, value: &str| (name, value.to_owned());
    assert_eq!(
        read("1;; a=1 ;;b;\t;c=\"\";"),
        [pair("a", "1"), pair("b", ""), pair("c", "")]
    );
    assert_eq!(
        read("1;reason=not quoted, 2 words;x=y"),
        [pair("reason", "not quoted, 2 words"), pair("x", "y")]
    );
    // Texts of others with their quotes and semicolons.
    assert_eq!(
        read(
            "10503;sip-reason=\"Q.850;cause=34;text=\"No circuit\"\";component=\"MediationServer\""
        ),
        [
            pair("sip-reason", "Q.850;cause=34;text=\"No circuit\""),
            pair("component", "MediationServer")
        ]
    );
    assert_eq!(
        read("1;reason=\"a\\\"b\\\\;c, d\""),
        [pair("reason", "a\"b\\;c, d")]
    );
    assert_eq!(
        read("1;reason=\"never closed; x=y"),
        [pair("reason", "never closed; x=y")]
    );
    assert_eq!(read("1;reason=\""), [pair("reason", "")]);
    // No names.
    assert_eq!(read("1;=x;a b=c;\"q\";ok=1"), [pair("ok", "1")]);
    // A line that continues, in a text and between parameters.
    assert_eq!(
        read("1;\r\n reason=\"two\r\n\t lines\";\r\n x=1"),
        [pair("reason", "two lines"), pair("x", "1")]
    );
    let sub = Diagnostics::parse("24081.7.1;reason=\"x\"").unwrap();
    assert_eq!((sub.error_id, sub.sub_codes), (ErrorId(24081), "7.1"));
}

#[test]
fn what_has_no_number_is_none() {
    for value in [
        "",
        ";reason=\"x\"",
        "reason=\"x\"",
        "+1",
        "-1",
        "1 2;a=b",
        "4294967296",
        "\"microsoft.exchange.data.storage\"",
        ".1",
    ] {
        assert!(
            matches!(Diagnostics::parse(value), Err(Error::ErrorId)),
            "{value}"
        );
    }
    let limits = Limits {
        diagnostics: 8,
        ..Limits::default()
    };
    assert!(Diagnostics::parse_within("1;a=3456", &limits).is_ok());
    assert!(matches!(
        Diagnostics::parse_within("1;a=34567", &limits),
        Err(Error::TooLong { limit: 8, .. })
    ));
}

#[test]
fn several_values_in_one_line_and_in_several() {
    let ids = |line| {
        let values = Diagnostics::parse_list(line).map(Result::unwrap);
        values
            .map(|value| (value.error_id.0, all(&value).len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids("1;reason=\"a, 2;b\", 2 ;reason=c ,3, 4.1;x=1,2 and 3"),
        [(1, 1), (2, 1), (3, 0), (4, 1)]
    );
    assert_eq!(ids("1,"), [(1, 0)]);

    let message = Message::response(404)
        .with(HeaderName::MsClientDiagnostics, "52085")
        .with(HeaderName::MsDiagnosticsPublic, "4004;reason=\"p\"")
        .with(HeaderName::MsDiagnostics, "no number")
        .with_named("MS-Diagnostics", "1003;reason=\"d\"");
    let read: Vec<_> = diagnostics_of(&message)
        .map(|(kind, value)| (kind, value.error_id.0))
        .collect();
    assert_eq!(
        read,
        [
            (Kind::Private, 1003),
            (Kind::Public, 4004),
            (Kind::Client, 52085)
        ]
    );
}

trait WithNamed {
    fn with_named(self, name: &str, value: &str) -> Self;
}

impl WithNamed for Message {
    fn with_named(mut self, name: &str, value: &str) -> Self {
        self.push_named(name, value);
        self
    }
}

#[test]
fn a_server_writes_what_the_table_says() {
    let private = DiagnosticsWriter::of_server(ErrorId::USER_DOES_NOT_EXIST, "fe01.contoso.com");
    assert_eq!(
        (private.kind(), private.value()),
        (
            Kind::Private,
            "1003;reason=\"User does not exist\";source=\"fe01.contoso.com\""
        )
    );
    let public = DiagnosticsWriter::of_server(ErrorId::NOT_AUTHORIZED_AS_FROM, "fe01.contoso.com");
    assert_eq!(
        (public.kind(), public.value()),
        (
            Kind::Public,
            "4004;reason=\"Credentials provided are not authorized to act as specified from URI\""
        )
    );
    // Simple readers split at semicolons.
    let odd = DiagnosticsWriter::new(Kind::Client, ErrorId(52001), "a;b\"c\\\r\nd");
    assert_eq!(odd.value(), "52001;reason=\"a,b\\\"c\\\\  d\"");
    let more = odd.clone().param("appName", "OutboundRouting").unwrap();
    assert!(more.value().ends_with(";appName=\"OutboundRouting\""));
    for name in ["Source", "reason", "a b", "", "a=b", "a\r\nb"] {
        assert_eq!(
            odd.clone().param(name, "x"),
            Err(Error::ParamName),
            "{name}"
        );
    }
}

#[test]
fn a_message_has_one() {
    let message = Message::response(404)
        .with(HeaderName::MsDiagnostics, "1")
        .with(HeaderName::MsDiagnostics, "2");
    let message = DiagnosticsWriter::of_server(ErrorId(1003), "a").on(message);
    let ids: Vec<_> = diagnostics_of(&message)
        .map(|(_, value)| value.error_id.0)
        .collect();
    assert_eq!(ids, [1003]);
}
