//! Reports on their way from a client to the agent.

use std::time::{Duration, Instant};

use ocs_qoe::client::{Config, Event, MAX_RETRY_AFTER, Publisher, RETRY_WAIT};
use ocs_qoe::document::{CallQualityFeedbackReport, SchemaVersion, SessionReport, VqReportEvent};
use ocs_qoe::server::{Refusal, Report, answer, is_for_agent};
use ocs_qoe::{Error, FEEDBACK_TYPE, FOCUS_URI, REPORT_TYPE, is_report};
use ocs_sip_core::{HeaderName, Message, Method};
use serde_json::Value;

const AGENT: &str = "sip:pool.contoso.com@contoso.com;gruu;opaque=srvr:QoSM:l5x1";
const V2: &str = include_str!("data/report-v2.xml");
const V3: &str = include_str!("data/report-v3-midcall.xml");
const FEEDBACK: &str = include_str!("data/feedback.xml");
const FOCUS: &str = "sip:o@contoso.com;gruu;opaque=app:conf:focus:id:X";
const ALICE: &str = "<sip:alice@contoso.com>;tag=1;epid=2";
const ANONYMOUS: &str = "<sip:anonymous@anonymous.invalid>;tag=1";

fn event(text: &str) -> VqReportEvent {
    VqReportEvent::parse(text.as_bytes()).unwrap()
}

fn feedback() -> CallQualityFeedbackReport {
    CallQualityFeedbackReport::parse(FEEDBACK.as_bytes()).unwrap()
}

fn request(from: &str, content_type: &str, body: &str) -> Message {
    Message::request(Method::Service, AGENT)
        .with(HeaderName::From, from)
        .with(HeaderName::To, &format!("<{AGENT}>"))
        .with_body(content_type, body.to_owned())
}

#[test]
fn a_report_is_sent_and_taken() {
    let now = Instant::now();
    let mut config = Config::new(AGENT);
    assert_eq!(config.version, SchemaVersion::V2);
    config.version = SchemaVersion::V4;
    let mut client = Publisher::new(config);
    client.report(event(V3)).unwrap();
    client.feedback(&feedback()).unwrap();
    let first = client.poll_transmit().unwrap();
    assert_eq!(
        (first.uri.as_str(), first.content_type),
        (AGENT, REPORT_TYPE)
    );
    assert_eq!(client.poll_transmit(), None);
    let message = first.into_message(ALICE);
    assert!(is_report(&message));
    assert!(is_for_agent(&message, AGENT, "sip:pool@contoso.com"));
    let (response, report) = answer(&message, "tag");
    assert_eq!((response.status(), response.body().len()), (Some(202), 0));
    match report {
        Ok(Report::Event(found)) => assert_eq!(*found, event(V3)),
        other => panic!("{other:?}"),
    }
    client.handle_response(now, Some(&response));
    assert_eq!(client.poll_event(), Some(Event::Accepted));

    let second = client.poll_transmit().unwrap();
    assert_eq!(second.content_type, FEEDBACK_TYPE);
    let (response, report) = answer(&second.into_message(ALICE), "tag");
    assert_eq!(report, Ok(Report::Feedback(feedback())));
    client.handle_response(now, Some(&response));
    assert_eq!(
        (client.poll_event(), client.poll_event()),
        (Some(Event::Accepted), None)
    );
    assert_eq!(
        (client.poll_transmit(), client.poll_timeout()),
        (None, None)
    );
}

#[test]
fn an_anonymous_participant_names_the_conference() {
    let mut config = Config::new(AGENT);
    config.version = SchemaVersion::V2;
    let mut client = Publisher::new(config);
    let conference = V3.replace(
        "</RemotePAI>",
        &format!("</RemotePAI><ConfURI>{FOCUS}</ConfURI>"),
    );
    client.report_anonymously(event(&conference)).unwrap();
    let service = client.poll_transmit().unwrap();
    assert!(!service.body.contains("v3:"));
    let message = service.into_message(ANONYMOUS);
    assert_eq!(message.header_named(FOCUS_URI), Some(FOCUS));
    assert!(answer(&message, "tag").1.is_ok());
}

#[test]
fn a_report_is_tried_twice_and_no_more() {
    let now = Instant::now();
    let mut client = Publisher::new(Config::new(AGENT));
    for (first, wait) in [
        (None, RETRY_WAIT),
        (
            Some(Message::response(503).with(HeaderName::RetryAfter, "60")),
            Duration::from_secs(60),
        ),
        (
            Some(Message::response(503).with(HeaderName::RetryAfter, "999999")),
            MAX_RETRY_AFTER,
        ),
    ] {
        client.report(event(V2)).unwrap();
        let sent = client.poll_transmit().unwrap();
        client.handle_response(now, first.as_ref());
        assert_eq!(client.poll_timeout(), Some(now + wait));
        client.handle_timeout(now);
        assert_eq!(client.poll_transmit(), None);
        client.handle_timeout(now + wait);
        assert_eq!(client.poll_transmit(), Some(sent));
        client.handle_response(now + wait, Some(&Message::response(503)));
        assert_eq!(
            client.poll_event(),
            Some(Event::Dropped { status: Some(503) })
        );
    }
    for status in [400, 401, 413, 606] {
        client.report(event(V2)).unwrap();
        client.poll_transmit().unwrap();
        client.handle_response(now, Some(&Message::response(status)));
        assert_eq!(
            client.poll_event(),
            Some(Event::Dropped {
                status: Some(status)
            })
        );
        assert_eq!(client.poll_transmit(), None);
    }
    // An answer that nobody waits for.
    client.handle_response(now, None);
    assert_eq!(client.poll_event(), None);
}

#[test]
fn reports_without_what_the_schema_demands_are_not_sent() {
    type Change = fn(&mut SessionReport);
    let changes: [(&str, Change); 9] = [
        ("LocalContactURI", |it| it.dialog.local_contact_uri = None),
        ("RemoteContactURI", |it| it.dialog.remote_contact_uri = None),
        ("LocalUserAgent", |it| it.dialog.local_user_agent = None),
        ("RemoteUserAgent", |it| it.dialog.remote_user_agent = None),
        ("LocalAddr", |it| {
            it.media_lines[0].description.local_address = None;
        }),
        ("RemoteAddr", |it| {
            it.media_lines[0].description.remote_address = None;
        }),
        ("Network", |it| {
            it.media_lines[0].inbound.as_mut().unwrap().network = None;
        }),
        ("Payload", |it| {
            it.media_lines[0].inbound.as_mut().unwrap().payload = None;
        }),
        ("MediaLine", |it| it.media_lines.clear()),
    ];
    for (name, change) in changes {
        let mut report = event(V2);
        change(&mut report.reports[0]);
        // Who reads it does not mind.
        let read = VqReportEvent::parse(report.to_xml().as_bytes());
        assert_eq!(read.is_ok(), name != "MediaLine", "{name}");
        let mut client = Publisher::new(Config::new(AGENT));
        for result in [
            client.report_anonymously(report.clone()),
            client.report(report),
        ] {
            assert!(
                matches!(result, Err(Error::Incomplete { child, .. }) if child == name),
                "{name}: {result:?}"
            );
        }
        assert_eq!(client.poll_transmit(), None);
    }
    let mut nothing = event(V2);
    nothing.reports.clear();
    assert!(nothing.check().is_err());
}

#[test]
fn reports_that_wait_are_bounded() {
    let mut config = Config::new(AGENT);
    config.queue = 2;
    let mut client = Publisher::new(config);
    client.feedback(&feedback()).unwrap();
    client.feedback(&feedback()).unwrap();
    assert_eq!(
        client.feedback(&feedback()),
        Err(Error::TooMany { limit: 2 })
    );
    let mut long = event(V2);
    let line = long.reports[0].media_lines[0].clone();
    long.reports[0].media_lines.resize(300, line);
    let mut client = Publisher::new(Config::new(AGENT));
    assert!(matches!(client.report(long), Err(Error::TooLong { .. })));
}

/// The cases of the vector file: what the request is, and the status.
#[test]
fn the_checks_of_the_agent() {
    let cases: Value = serde_json::from_str(include_str!("data/cases.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let text = |name: &str| case[name].as_str();
        let mut body = match text("root").unwrap() {
            "VQReportEvent" => V2.to_owned(),
            "CallQualityFeedbackReport" => FEEDBACK.to_owned(),
            other => format!("<{other}/>"),
        };
        if case["localPAI"].is_null() && text("FromURI").is_some() {
            body = body.replace("<LocalPAI>sip:alice@contoso.com</LocalPAI>", "");
        }
        if let Some(conference) = text("ConfURI") {
            body = body.replace(
                "</RemotePAI>",
                &format!("</RemotePAI><ConfURI>{conference}</ConfURI>"),
            );
        }
        if case["valid"] == false {
            body = body.replace("<Caller>true</Caller>", "");
        }
        let bytes = case["bytes"].as_u64().unwrap() as usize;
        body.push_str(&" ".repeat(bytes.saturating_sub(body.len())));
        let from = match text("fromUri") {
            Some("anonymous") => ANONYMOUS.to_owned(),
            Some(uri) => format!("<{uri}>;tag=1"),
            None => ALICE.to_owned(),
        };
        let mut message = request(&from, text("contentType").unwrap(), &body);
        if let Some(focus) = text("focusUri") {
            message.push_named(FOCUS_URI, focus);
        }
        let (response, report) = answer(&message, "tag");
        let expected = case["status"].as_u64().unwrap() as u16;
        assert_eq!(response.status(), Some(expected), "{case}");
        assert_eq!(report.is_ok(), expected == 202, "{case}");
    }
}

#[test]
fn whose_report_it_is() {
    let refused = |from: &str, content_type: &str, body: &str| {
        answer(&request(from, content_type, body), "tag").1.err()
    };
    let bob = "<sip:bob@contoso.com>;tag=1";
    let called = V2
        .replace("<LocalPAI>sip:alice@contoso.com</LocalPAI>", "")
        .replace("<Caller>true", "<Caller>false");
    assert_eq!(refused(bob, REPORT_TYPE, &called), None);
    assert_eq!(refused(ALICE, REPORT_TYPE, &called), None);
    assert_eq!(
        refused("<sip:eve@contoso.com>", REPORT_TYPE, &called),
        Some(Refusal::Identity)
    );
    let bare = V2.replace("<LocalPAI>sip:", "<LocalPAI>");
    assert_eq!(refused(ALICE, REPORT_TYPE, &bare), None);
    assert_eq!(
        refused(bob, FEEDBACK_TYPE, FEEDBACK),
        Some(Refusal::Identity)
    );
    // One report of somebody else among one's own.
    let second = V2.replace("alice@", "eve@");
    let (from, to) = (
        second.find("<VQSession").unwrap(),
        second.find("</VQReportEvent>").unwrap(),
    );
    let two = V2.replace(
        "</VQReportEvent>",
        &format!("{}</VQReportEvent>", &second[from..to]),
    );
    assert_eq!(refused(ALICE, REPORT_TYPE, &two), Some(Refusal::Identity));
    assert_eq!(refused(ANONYMOUS, REPORT_TYPE, V2), Some(Refusal::Identity));
    assert_eq!(
        refused("not a uri", REPORT_TYPE, V2),
        Some(Refusal::Identity)
    );
}

#[test]
fn what_is_no_report() {
    let other = request(ALICE, "application/xml", V2);
    assert!(!is_report(&other));
    let (response, _) = answer(&other, "tag");
    let accept = response.header(HeaderName::Accept).unwrap();
    assert!(accept.contains(REPORT_TYPE) && accept.contains(FEEDBACK_TYPE));
    let message = Message::request(Method::Message, AGENT).with_body(REPORT_TYPE, V2);
    assert!(!is_report(&message));
    assert_eq!(
        answer(&message, "tag").0.header(HeaderName::Allow),
        Some("SERVICE")
    );

    let to_user = |uri: &str, to: &str| {
        let message = Message::request(Method::Service, uri).with(HeaderName::To, to);
        is_for_agent(&message, AGENT, "sip:pool@contoso.com")
    };
    assert!(to_user("sip:pool@contoso.com", "<sip:x@contoso.com>"));
    assert!(to_user("sip:bob@contoso.com", "<sip:bob@contoso.com>"));
    assert!(!to_user("sip:carol@contoso.com", "<sip:bob@contoso.com>"));
}
