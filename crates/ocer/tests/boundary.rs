//! What crosses the boundary, what clients may not say, and what a hop adds.

use ocs_ocer::boundary::{
    Peer, Policy, PreviousHop, note_silence, strip_from_client, strip_private,
};
use ocs_ocer::progress::{Progress, progress_report};
use ocs_ocer::{DiagnosticsWriter, ErrorId, Limits, diagnostics_of};
use ocs_sip_core::{HeaderName, Message, Method};

const PRIVATE: HeaderName = HeaderName::MsDiagnostics;
const PUBLIC: HeaderName = HeaderName::MsDiagnosticsPublic;
const CLIENT: HeaderName = HeaderName::MsClientDiagnostics;

/// The headers that are left for a federated peer.
fn outside(mut message: Message) -> Vec<String> {
    strip_private(&mut message, Peer::External, Policy::default());
    [PRIVATE, PUBLIC, CLIENT]
        .into_iter()
        .flat_map(|name| {
            let lines = message.lines(name);
            lines
                .map(move |line| format!("{}: {line}", name.as_str()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn private_diagnostics_stay_inside() {
    let message = Message::response(504)
        .with(PRIVATE, "1038;reason=\"x\";source=\"fe01.contoso.com\"")
        .with(CLIENT, "52001;reason=\"y\"")
        .with(PRIVATE, "12004;source=\"fe02.contoso.com\"");
    assert!(outside(message).is_empty());
    // What cannot be read goes as well.
    assert!(outside(Message::response(504).with(PRIVATE, "fe01.contoso.com;")).is_empty());
    assert!(outside(Message::response(504).with(PUBLIC, "fe01.contoso.com;")).is_empty());
}

#[test]
fn what_may_be_public_becomes_public() {
    // The words and other parameters may name what is inside: the table's words go out.
    let message = Message::response(488).with(
        PRIVATE,
        "7008;reason=\"at 10.0.0.1\";source=\"mcu.contoso.com\";Stack=\"x\"",
    );
    assert_eq!(
        outside(message),
        ["ms-diagnostics-public: 7008;reason=\"Error parsing SDP\""]
    );
    let message = Message::request(Method::Bye, "sip:bob@fabrikam.com").with(PRIVATE, "7003");
    assert_eq!(
        outside(message),
        [
            "ms-diagnostics-public: 7003;reason=\"The SIP INVITE request with the protocol client timed out\""
        ]
    );
}

#[test]
fn public_diagnostics_pass_as_they_are() {
    let public = "4004;reason=\"as; it is\";x=y";
    let message = Message::response(403)
        .with(PRIVATE, "7008;source=\"fe01.contoso.com\"")
        .with(PUBLIC, public);
    assert_eq!(
        outside(message),
        [format!("ms-diagnostics-public: {public}")]
    );
    // Never a source, never two.
    for lines in [
        &["4004;reason=\"r\";SOURCE=\"fe01.contoso.com\""][..],
        &["4004;reason=\"r\"", "4003;source=\"fe01.contoso.com\""],
        &["4004;reason=\"r\", 4003;source=\"fe01.contoso.com\""],
    ] {
        let message = lines.iter().fold(Message::response(403), |message, line| {
            message.with(PUBLIC, line)
        });
        assert_eq!(
            outside(message),
            ["ms-diagnostics-public: 4004;reason=\"r\""],
            "{lines:?}"
        );
    }
    // It has no meaning in other requests.
    let request =
        |method| Message::request(method, "sip:bob@fabrikam.com").with(PUBLIC, "4141;reason=\"r\"");
    assert!(outside(request(Method::Invite)).is_empty());
    assert_eq!(outside(request(Method::Notify)).len(), 1);
    assert_eq!(outside(request(Method::Cancel)).len(), 1);
}

#[test]
fn the_administrator_may_let_them_out() {
    let message = Message::response(404).with(PRIVATE, "1003;source=\"fe01.contoso.com\"");
    let external = Policy {
        send_to_external_networks: true,
        ..Policy::default()
    };
    let unauthenticated = Policy {
        send_to_outside_unauthenticated_users: true,
        ..Policy::default()
    };
    for (peer, policy, changed) in [
        (Peer::Inside, Policy::default(), false),
        (Peer::External, external, false),
        (Peer::External, unauthenticated, true),
        (Peer::Unauthenticated, unauthenticated, false),
        (Peer::Unauthenticated, external, true),
        (Peer::Unauthenticated, Policy::default(), true),
    ] {
        let mut message = message.clone();
        assert_eq!(
            strip_private(&mut message, peer, policy),
            changed,
            "{peer:?} {policy:?}"
        );
        assert_eq!(message.header(PRIVATE).is_none(), changed);
    }
    let mut plain = Message::response(200);
    assert!(!strip_private(
        &mut plain,
        Peer::External,
        Policy::default()
    ));
}

#[test]
fn clients_have_one_header_only() {
    let mut message = Message::response(488)
        .with(PRIVATE, "1003")
        .with(PUBLIC, "4004")
        .with(CLIENT, "52063;reason=\"Unsupported session description\"");
    assert_eq!(strip_from_client(&mut message), 2);
    assert_eq!(diagnostics_of(&message).count(), 1);
}

#[test]
fn silence_is_noted() {
    let mut response = Message::response(486);
    assert!(note_silence(
        &mut response,
        PreviousHop::FederatedPeer,
        "sip.contoso.com"
    ));
    assert_eq!(
        response.header(PRIVATE),
        Some(
            "1034;reason=\"Previous hop federated peer did not report diagnostic information\";source=\"sip.contoso.com\""
        )
    );
    assert!(!note_silence(
        &mut response,
        PreviousHop::Server,
        "sip.contoso.com"
    ));
    for mut other in [
        Message::response(200),
        Message::response(302),
        Message::response(488).with(CLIENT, "52063"),
        Message::request(Method::Bye, "sip:a"),
    ] {
        assert!(!note_silence(
            &mut other,
            PreviousHop::Client,
            "sip.contoso.com"
        ));
    }
    let hops = [
        (PreviousHop::Server, 1011),
        (PreviousHop::PublicIm, 1035),
        (PreviousHop::SharedAddressSpace, 1036),
        (PreviousHop::Client, 1037),
    ];
    for (hop, id) in hops {
        assert_eq!(hop.silent(), ErrorId(id));
    }
}

#[test]
fn progress_is_reported_and_remembered() {
    let invite = Message::request(Method::Invite, "sip:+14255550100@contoso.com;user=phone")
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:50000")
        .with(HeaderName::To, "<sip:+14255550100@contoso.com;user=phone>");
    let limits = Limits {
        progress_reports: 2,
        ..Limits::default()
    };
    let mut progress = Progress::default();
    for hop in 1..4 {
        let writer = DiagnosticsWriter::of_server(ErrorId::TRYING_NEXT_HOP, "fe01.contoso.com");
        let writer = writer.param("hop", &hop.to_string()).unwrap();
        let report = progress_report(&invite, &writer);
        assert_eq!(
            (report.status(), report.reason()),
            (Some(101), Some("Progress Report"))
        );
        assert!(report.to_header().unwrap().tag().is_none());
        progress.handle_response(&report, &limits);
        progress.handle_response(&Message::response(180).with(PRIVATE, "1"), &limits);
        progress.handle_response(&Message::response(101), &limits);
    }
    let value =
        |hop| format!("12006;reason=\"Trying next hop\";source=\"fe01.contoso.com\";hop=\"{hop}\"");
    assert_eq!(progress.values(), [value(1), value(2)]);
}
