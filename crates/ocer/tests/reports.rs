//! reportError: the document, and both sides of its exchange.

use std::time::{Duration, Instant};

use ocs_ocer::progress::Progress;
use ocs_ocer::report::{
    CONTENT_TYPE, Failure, Refused, ReportError, ReportedError, Reporter, is_report, not_now,
    receive, service,
};
use ocs_ocer::{Diagnostics, DiagnosticsWriter, Error, ErrorId, Kind, Limits};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("data/report-service.sip");
const FQDN: &str = "fe01.contoso.com";

fn user() -> Aor {
    "user@contoso.com".parse().unwrap()
}

fn example() -> Message {
    let wire = EXAMPLE.replace('\n', "\r\n");
    Message::parse(wire.into_bytes().into(), &ocs_sip_core::Limits::default()).unwrap()
}

/// The request of the specification's example (3.1.4.1).
#[test]
fn the_printed_request() {
    let request = example();
    assert!(is_report(&request));
    let report = receive(&request, &user(), &Limits::default()).unwrap();
    let [error] = &report.errors[..] else {
        panic!("{report:?}")
    };
    assert_eq!(error.call_id, "5ec5a21ab8bb4960b98de162f45cd204");
    assert_eq!(
        (error.response_code, error.request_type.as_str()),
        (408, "INVITE")
    );
    assert_eq!(
        error.content_type.as_deref(),
        Some("application/sdp;call-type=audiovideo")
    );
    assert_eq!(error.from_uri, None);
    let diagnostics = Diagnostics::parse(error.diag_header.as_deref().unwrap()).unwrap();
    assert_eq!(diagnostics.error_id, ErrorId(10000));
    let [progress] = error.progress() else {
        panic!("{error:?}")
    };
    let value = Diagnostics::parse(progress.diag_header.as_deref().unwrap()).unwrap();
    assert_eq!(value.error_id, ErrorId::TRYING_NEXT_HOP);
    assert_eq!(value.get("appname").unwrap(), "OutboundRouting");
    // Written and read again it is the same.
    let again = ReportError::parse(report.to_string().as_bytes(), &Limits::default()).unwrap();
    assert_eq!(again, report);
}

fn invite() -> Message {
    Message::request(Method::Invite, "sip:+14255550100@contoso.com;user=phone")
        .with(
            HeaderName::From,
            "<sip:user@contoso.com>;tag=823bb11e1a;epid=35cd761967",
        )
        .with(HeaderName::To, "<sip:+14255550100@contoso.com;user=phone>")
        .with(HeaderName::CallId, "5ec5")
        .with(HeaderName::CSeq, "1 INVITE")
        .with_body("application/sdp;call-type=audiovideo", "v=0")
}

fn failure(status: u16) -> Message {
    let response = Message::response_to(&invite(), status, Some("4F23"));
    DiagnosticsWriter::of_server(ErrorId(10000), FQDN).on(response)
}

#[test]
fn a_failed_call_is_reported_and_taken() {
    let now = Instant::now();
    let limits = Limits::default();
    let mut progress = Progress::default();
    let trying = DiagnosticsWriter::of_server(ErrorId::TRYING_NEXT_HOP, FQDN);
    progress.handle_response(
        &ocs_ocer::progress::progress_report(&invite(), &trying),
        &limits,
    );

    let mut reporter = Reporter::new(user(), limits);
    let (request, response) = (invite(), failure(408));
    let failed = Failure {
        request: &request,
        response: &response,
        progress: &progress,
    };
    let report = reporter.report(now, failed).unwrap();
    // Once for each call.
    assert_eq!(reporter.report(now, failed), None);

    let sent = service(
        &user(),
        "<sip:user@contoso.com>;tag=1;epid=35cd761967",
        &report,
    )
    .with(HeaderName::CallId, "1")
    .with(HeaderName::CSeq, "1 SERVICE");
    assert_eq!(sent.request_uri(), Some("sip:user@contoso.com"));
    let wire = Message::parse(sent.to_bytes(), &ocs_sip_core::Limits::default()).unwrap();
    assert!(is_report(&wire));
    let taken = receive(&wire, &user(), &limits).unwrap();
    assert_eq!(taken, report);
    let error = &taken.errors[0];
    assert_eq!(
        error.to_uri.as_deref(),
        Some("sip:+14255550100@contoso.com;user=phone")
    );
    assert_eq!(
        (error.from_tag.as_deref(), error.to_tag.as_deref()),
        (Some("823bb11e1a"), Some("4F23"))
    );
    assert_eq!(
        error.diag_header.as_deref(),
        Some("10000;reason=\"Gateway returned a SIP failure code\";source=\"fe01.contoso.com\"")
    );
    assert_eq!(
        error.progress()[0].diag_header.as_deref(),
        Some(trying.value())
    );
    // A report that fails is not reported.
    let response = DiagnosticsWriter::of_server(ErrorId(4001), FQDN)
        .on(Message::response_to(&wire, 400, None));
    let failed = Failure {
        request: &wire,
        response: &response,
        progress: &progress,
    };
    assert_eq!(reporter.report(now, failed), None);
}

#[test]
fn what_is_not_reported() {
    let mut reporter = Reporter::new(user(), Limits::default());
    let request = invite();
    let silent = |status| Message::response_to(&request, status, Some("1"));
    let by_client = DiagnosticsWriter::new(Kind::Client, ErrorId(52063), "x");
    for response in [
        failure(200),
        failure(302),
        failure(401),
        failure(407),
        failure(487),
        silent(603),
        by_client.on(silent(488)),
    ] {
        let failed = Failure {
            request: &request,
            response: &response,
            progress: &Progress::default(),
        };
        assert_eq!(
            reporter.report(Instant::now(), failed),
            None,
            "{response:?}"
        );
    }
}

#[test]
fn a_server_that_takes_no_reports_gets_none() {
    let now = Instant::now();
    let mut reporter = Reporter::new(user(), Limits::default());
    let mut number = 0;
    let mut due = |reporter: &mut Reporter, at: Instant| {
        number += 1;
        let mut request = invite();
        request.set(HeaderName::CallId, &format!("call {number}"));
        let response = failure(504);
        let progress = Progress::default();
        let failed = Failure {
            request: &request,
            response: &response,
            progress: &progress,
        };
        reporter.report(at, failed).is_some()
    };
    assert!(due(&mut reporter, now));
    reporter.handle_response(now, &Message::response(200));
    reporter.handle_response(now, &Message::response(401));
    assert!(due(&mut reporter, now));
    let refusal = not_now(&example(), "1", FQDN, 60);
    assert_eq!(refusal.status(), Some(503));
    let (_, diagnostics) = ocs_ocer::diagnostics_of(&refusal).next().unwrap();
    assert_eq!(diagnostics.error_id, ErrorId::REPORTS_NOT_ACCEPTED);
    reporter.handle_response(now, &refusal);
    assert!(!due(&mut reporter, now + Duration::from_secs(59)));
    assert!(due(&mut reporter, now + Duration::from_secs(60)));
    // Without an end it lasts for the sign-in.
    reporter.handle_response(now, &Message::response(404));
    assert!(!due(&mut reporter, now + Duration::from_secs(1_000_000)));
}

#[test]
fn many_failed_calls_are_forgotten_in_their_order() {
    let limits = Limits {
        reported_calls: 2,
        ..Limits::default()
    };
    let mut reporter = Reporter::new(user(), limits);
    let mut due = |call_id: &str| {
        let mut request = invite();
        request.set(HeaderName::CallId, call_id);
        let response = failure(504);
        let progress = Progress::default();
        let failed = Failure {
            request: &request,
            response: &response,
            progress: &progress,
        };
        reporter.report(Instant::now(), failed).is_some()
    };
    assert_eq!(
        ["a", "b", "b", "c", "b", "a"].map(&mut due),
        [true, true, false, true, false, true]
    );
}

#[test]
fn what_a_server_refuses() {
    let limits = Limits::default();
    let with = |content_type: &str, body: &str| {
        let mut request = example();
        request.set_body(content_type, body.to_owned());
        receive(&request, &user(), &limits).unwrap_err()
    };
    let refused = |status, id| Refused {
        status,
        error_id: ErrorId(id),
    };
    assert_eq!(
        with("application/xml", "<reportError/>"),
        refused(415, 4013)
    );
    let document = |error: &str| {
        format!(
            "<reportError xmlns=\"http://schemas.microsoft.com/2006/09/sip/error-reporting\">{error}</reportError>"
        )
    };
    let error = |more: &str, inner: &str| {
        document(&format!(
            "<error callId=\"1\" requestType=\"INVITE\" responseCode=\"408\" {more}>{inner}</error>"
        ))
    };
    let bad = refused(400, 4001);
    let large = refused(413, 4008);
    for (body, refusal) in [
        ("", bad),
        ("<reportError", bad),
        ("<other/>", bad),
        (
            &document("<error callId=\"1\" requestType=\"INVITE\"/>"),
            bad,
        ),
        (
            &document("<error callId=\"1\" requestType=\"INVITE\" responseCode=\"soon\"/>"),
            bad,
        ),
        ("<!DOCTYPE r [<!ENTITY a \"b\">]><reportError/>", bad),
        (&document(&"<a>".repeat(100)), bad),
        (
            &error("fromUri=\"sip:other@contoso.com\"", ""),
            refused(403, 4004),
        ),
        (&error("fromUri=\"tel:+1\"", ""), refused(403, 4004)),
        (
            &error(&format!("contentType=\"{}\"", "x".repeat(258)), ""),
            large,
        ),
        (
            &error(
                "",
                &format!("<diagHeader>{}</diagHeader>", "1".repeat(65_536)),
            ),
            large,
        ),
        (
            &error(
                "",
                &format!(
                    "<progressReports>{}</progressReports>",
                    "<progressReport/>".repeat(65)
                ),
            ),
            large,
        ),
        (
            &document(&"<error callId=\"1\" requestType=\"A\" responseCode=\"1\"/>".repeat(17)),
            large,
        ),
        (&" ".repeat(300_000), large),
    ] {
        assert_eq!(with(CONTENT_TYPE, body), refusal, "{body:.200}");
    }
    // The own address in another spelling is the own address.
    let mut request = example();
    request.set_body(
        CONTENT_TYPE,
        error("fromUri=\"sip:User@CONTOSO.com;x=y\"", ""),
    );
    assert!(receive(&request, &user(), &limits).is_ok());
    // To whom it may concern.
    let other = "bob@contoso.com".parse().unwrap();
    assert_eq!(receive(&request, &other, &limits), Err(refused(403, 4004)));
    let answer = refused(415, 4013).response(&example(), "1", FQDN);
    assert_eq!(
        (answer.status(), answer.header(HeaderName::Accept)),
        (Some(415), Some(CONTENT_TYPE))
    );
    assert!(
        answer
            .header(HeaderName::MsDiagnostics)
            .unwrap()
            .starts_with("4013;")
    );
}

#[test]
fn every_truncation_is_refused() {
    let body = EXAMPLE.split_once("\n\n").unwrap().1.trim_end();
    assert!(ReportError::parse(body.as_bytes(), &Limits::default()).is_ok());
    for end in 0..body.len() {
        let read = ReportError::parse(&body.as_bytes()[..end], &Limits::default());
        assert!(matches!(read, Err(Error::Xml(_))), "{end}");
    }
}

#[test]
fn what_the_schema_does_not_name_is_kept() {
    let text = "<reportError xmlns=\"http://schemas.microsoft.com/2006/09/sip/error-reporting\" v=\"2\">\
        <error callId=\"1\" responseCode=\"488\" requestType=\"INVITE\" call=\"x\"><diagHeader>1;a=\"&lt;&amp;\"</diagHeader>\
        <progressReports><progressReport/></progressReports><more>y</more></error></reportError>";
    let report = ReportError::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(report.to_string(), text);
}

prop_compose! {
    fn any_error()(
        texts in prop::collection::vec(prop::option::of("[ -~é]{1,20}"), 7),
        call_id in "[ -~]{1,40}",
        request_type in "[A-Z]{1,33}",
        response_code: u32,
        progress in prop::collection::vec(prop::option::of("[ -~]{1,30}"), 0..4),
    ) -> ReportedError {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        ReportedError {
            from_uri: next(),
            to_uri: next(),
            from_tag: next(),
            to_tag: next(),
            content_type: next(),
            diag_header: next(),
            call_id,
            request_type,
            response_code,
            progress_reports: Some(ocs_ocer::report::ProgressReports {
                reports: progress
                    .into_iter()
                    .map(|diag_header| ocs_ocer::report::ProgressReport { diag_header, extra: ocs_xml::Extra::default() })
                    .collect(),
                extra: ocs_xml::Extra::default(),
            }),
            extra: ocs_xml::Extra::default(),
        }
    }
}

proptest! {
    #[test]
    fn documents_round_trip(errors in prop::collection::vec(any_error(), 0..4)) {
        let report = ReportError { errors, extra: ocs_xml::Extra::default() };
        let text = report.to_string();
        let read = ReportError::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&read, &report);
        prop_assert_eq!(read.to_string(), text);
    }
}
