//! What a report of quality says of a stream.

mod common;

use std::time::Duration;

use common::{Call, FIRST, Ways, config};
use ocs_ice::CandidatePolicy;
use ocs_media::Event;
use ocs_qoe::document::{
    DialogInfo, Endpoint, Ice, Label, MediaLine, SchemaVersion, SessionReport, Text, Time,
    Transport, Unknown, VqReportEvent, ice_warning,
};
use ocs_sdpext::negotiation;
use ocs_testbed::Link;

fn quality(call: &Call, side: usize) -> MediaLine {
    call.at(side).stream.quality(side == 0).unwrap()
}

#[test]
fn nothing_is_said_before_anything_is_agreed_on() {
    let call = Call::new();
    assert_eq!(call.at(0).stream.quality(true), None);
}

#[test]
fn a_direct_call_with_losses() {
    let mut call = Call::new();
    call.connect();
    call.testbed.set_default_link(Link {
        loss: 0.05,
        latency: Duration::from_millis(30),
        jitter: Duration::from_millis(8),
        ..Link::default()
    });
    call.talk(0, 1000);
    call.talk(1, 300);
    call.testbed.run_for(Duration::from_secs(12));
    let line = quality(&call, 0);
    assert_eq!(line.label, Label::MainAudio);
    let description = &line.description;
    let connectivity = description.connectivity.as_ref().unwrap();
    assert_eq!(connectivity.ice, Some(Ice::Direct));
    assert_eq!(connectivity.ice_warning_flags, Some(0));
    assert!(connectivity.relay_addresses.is_empty());
    assert_eq!(description.security, Some(Text::cut("SRTP")));
    assert_eq!(description.offerer, Some(true));
    assert_eq!(description.transport, Some(Transport::Udp));
    let local = description.local_address.as_ref().unwrap();
    assert_eq!(local.ip_address.as_deref(), Some("203.0.113.100"));
    assert_eq!(local.port, Some(20_000));
    let remote = description.remote_address.as_ref().unwrap();
    assert_eq!(remote.ip_address.as_deref(), Some("203.0.113.101"));

    let outbound = line.outbound.as_ref().unwrap();
    let ssrc = call.at(0).stream.ssrc_range().first();
    assert_eq!(outbound.id, ssrc.to_string());
    let network = outbound.network.as_ref().unwrap();
    assert_eq!(network.utilization.as_ref().unwrap().packets, Some(1000));
    let round_trip = network.delay.as_ref().unwrap().round_trip.unwrap();
    assert!((55..90).contains(&round_trip), "{round_trip}");
    let loss = network.packet_loss.as_ref().unwrap();
    assert!(
        (0.01..0.12).contains(&loss.loss_rate.unwrap().0),
        "{loss:?}"
    );
    assert!(loss.loss_rate_max >= loss.loss_rate);
    let audio = outbound.payload.as_ref().unwrap().audio.as_ref().unwrap();
    assert_eq!(audio.payload_type, Some(0));
    assert_eq!(audio.payload_description, Some(Text::cut("PCMU")));
    assert_eq!(audio.sample_rate, Some(8000));

    // What one side sent is what the other got.
    let other = quality(&call, 1);
    assert_eq!(other.description.offerer, Some(false));
    let inbound = other.inbound.as_ref().unwrap();
    assert_eq!(inbound.id, outbound.id);
    let network = inbound.network.as_ref().unwrap();
    let received = network.utilization.as_ref().unwrap().packets.unwrap();
    assert_eq!(usize::try_from(received), Ok(call.heard(1)));
    let loss = network.packet_loss.as_ref().unwrap().loss_rate.unwrap().0;
    let expected = 1.0 - f64::from(received) / 1000.0;
    assert!((loss - expected).abs() < 0.005, "{loss} {expected}");
    let jitter = network.jitter.as_ref().unwrap();
    assert!(
        (1..20).contains(&jitter.inter_arrival.unwrap()),
        "{jitter:?}"
    );
    assert!(jitter.inter_arrival_max >= jitter.inter_arrival);
}

#[test]
fn through_a_relay() {
    let relayed = |role| {
        let mut config = config(role);
        config.ice.candidates = CandidatePolicy::RelayOnly;
        config
    };
    let mut call = Call::with(1, Ways::TcpRelay, negotiation::Config::default(), relayed);
    call.connect();
    call.talk(0, 3);
    let description = quality(&call, 0).description;
    let connectivity = description.connectivity.unwrap();
    assert_eq!(connectivity.ice, Some(Ice::Relay));
    let relay = &connectivity.relay_addresses[0];
    assert_eq!(relay.ip_address.as_deref(), Some("198.51.100.9"));
    assert_eq!(relay.port, None);
    assert_eq!(description.transport, Some(Transport::Tcp));
    let local = description.local_address.unwrap();
    assert_eq!(local.ip_address.as_deref(), Some("203.0.113.100"));
}

#[test]
fn failures_and_a_call_that_is_over() {
    let mut call = Call::new();
    let offer = call.offer();
    let answer = call.answer(1, &offer);
    call.take(FIRST, &answer);
    let callee = call.callees[0].host;
    call.testbed.partition(call.caller.host, callee);
    call.testbed.run_for(Duration::from_secs(40));
    let line = quality(&call, 0);
    let connectivity = line.description.connectivity.unwrap();
    assert_eq!(connectivity.ice, Some(Ice::Failed));
    let flags = connectivity.ice_warning_flags.unwrap();
    assert_ne!(flags & ice_warning::CONNECTIVITY_CHECK_FAILED, 0);
    assert!(line.description.remote_address.is_some());
    assert!(line.inbound.is_none() && line.outbound.is_none());

    let mut call = Call::new();
    call.connect();
    call.talk(0, 3);
    let before = quality(&call, 0);
    call.command(0, ocs_media::MediaStream::close);
    assert_eq!(quality(&call, 0), before);
}

#[test]
fn a_relay_that_does_not_answer_is_told() {
    let mut call = Call::with(1, Ways::DeadRelay, negotiation::Config::default(), config);
    call.testbed.run_for(Duration::from_secs(30));
    call.connect();
    let connectivity = quality(&call, 0).description.connectivity.unwrap();
    assert_eq!(connectivity.ice, Some(Ice::Direct));
    let expected = ice_warning::UDP_ALLOCATION_FAILED | ice_warning::TURN_SERVER_UNREACHABLE;
    assert_eq!(connectivity.ice_warning_flags, Some(expected));
    let failed = |event: &Event| matches!(event, Event::RelayFailed { .. });
    assert_eq!(
        call.at(0)
            .events
            .iter()
            .filter(|event| failed(event))
            .count(),
        2
    );
}

#[test]
fn the_line_stands_in_a_report() {
    let mut call = Call::new();
    call.connect();
    call.talk(0, 100);
    call.talk(1, 100);
    call.testbed.run_for(Duration::from_secs(10));
    let moment = Time::from_unix_seconds(1_800_000_000);
    for version in [SchemaVersion::V1, SchemaVersion::V2, SchemaVersion::V3] {
        let dialog = DialogInfo {
            call_id: "1".into(),
            from_tag: "2".into(),
            to_tag: "3".into(),
            start: moment,
            end: moment,
            dialog_category: None,
            correlation_id: None,
            from_uri: "sip:alice@contoso.com".into(),
            to_uri: "sip:bob@contoso.com".into(),
            caller: true,
            local_contact_uri: Some("sip:alice@contoso.com;gruu".into()),
            remote_contact_uri: Some("sip:bob@contoso.com;gruu".into()),
            local_user_agent: Some(Text::cut("a")),
            remote_user_agent: Some(Text::cut("b")),
            local_pai: None,
            remote_pai: None,
            conf_uri: None,
            call_priority: None,
            mediation_server_bypass_flag: None,
            trunking_peer: None,
            media_bypass_warning_flag: None,
            registered_inside: None,
            unknown: Unknown::default(),
        };
        let report = SessionReport {
            session_id: dialog.session_id().into(),
            endpoint: Endpoint {
                name: Text::cut("pc"),
                os: None,
                cpu_name: None,
                cpu_number_of_cores: None,
                cpu_processor_speed: None,
                virtualization_flag: None,
                unknown: Unknown::default(),
            },
            dialog,
            media_lines: vec![quality(&call, 0)],
            unknown: Unknown::default(),
        };
        let event = VqReportEvent::new(version, report);
        event.check().unwrap();
        let read = VqReportEvent::parse(event.to_xml().as_bytes()).unwrap();
        assert_eq!(read, event, "{version:?}");
    }
}
