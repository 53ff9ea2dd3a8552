//! The documents, both ways.

use ocs_qoe::document::{
    ApplicationSharing, CallQualityFeedbackReport, Float, Ice, Label, SchemaVersion, Time,
    Transport, Unknown, VqReportEvent, ice_warning,
};
use ocs_qoe::{Error, MAX_BODY_LEN};
use ocs_xml::Value as _;

const V1: &str = include_str!("data/report-v1.xml");
const V2: &str = include_str!("data/report-v2.xml");
const V3: &str = include_str!("data/report-v3-midcall.xml");
/// Every element that the tree of the schemas has, made by hand.
const EVERY_ELEMENT: &str = include_str!("data/every-element-v4.xml");
const FEEDBACK: &str = include_str!("data/feedback.xml");

/// What `MediaLine` may have from the fourth version on, and of versions that nobody here knows.
const V4_DESCRIPTION: &str = concat!(
    "<v3:MidCallReport>false</v3:MidCallReport><v3:Separator3/><v4:WifiRSSI>71</v4:WifiRSSI>",
    "<v4:SSID>66616272</v4:SSID><v4:WifiChannel>11</v4:WifiChannel><v4:Separator4/>",
    r#"<v5:Radio xmlns:v5="ms-rtcp-metrics.v5"><v5:Kind>ax</v5:Kind></v5:Radio></Description>"#
);

fn parse(text: &str) -> VqReportEvent {
    VqReportEvent::parse(text.as_bytes()).unwrap()
}

/// A document without the white space between its elements.
fn packed(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

fn v4() -> String {
    packed(V3)
        .replace("v2:SchemaVersion=\"3.0\"", "v2:SchemaVersion=\"4.0\"")
        .replace(" xmlns:v3", " xmlns:v4=\"ms-rtcp-metrics.v4\" xmlns:v3")
        .replace(
            "<v3:MidCallReport>true</v3:MidCallReport></Description>",
            V4_DESCRIPTION,
        )
}

#[test]
fn the_report_of_ocs_2007() {
    let event = parse(V1);
    assert_eq!(event.schema_version, None);
    let report = &event.reports[0];
    assert_eq!(report.session_id, report.dialog.session_id());
    assert_eq!(report.endpoint.name.as_str(), "PC1");
    assert_eq!(report.dialog.start, Time::from_unix_seconds(1_298_973_600));
    assert_eq!(
        report.dialog.end.unix_seconds() - report.dialog.start.unix_seconds(),
        60
    );
    assert!(report.dialog.caller);
    let line = &report.media_lines[0];
    assert_eq!(line.label, Label::MainAudio);
    let description = &line.description;
    let connectivity = description.connectivity.as_ref().unwrap();
    assert_eq!(
        (connectivity.ice, connectivity.ice_warning_flags),
        (Some(Ice::Direct), Some(0))
    );
    assert_eq!(description.transport, Some(Transport::Udp));
    assert_eq!(
        description.network.as_ref().unwrap().link_speed,
        Some(Float(1e9))
    );
    assert_eq!(
        description.local_address.as_ref().unwrap().port,
        Some(50010)
    );
    let inbound = line.inbound.as_ref().unwrap();
    assert_eq!(inbound.id, "2058862592");
    let network = inbound.network.as_ref().unwrap();
    assert_eq!(network.jitter.as_ref().unwrap().inter_arrival_max, Some(9));
    assert_eq!(
        network.packet_loss.as_ref().unwrap().loss_rate_max,
        Some(Float(0.01))
    );
    let audio = inbound.payload.as_ref().unwrap().audio.as_ref().unwrap();
    assert_eq!(
        audio.payload_description.as_ref().unwrap().as_str(),
        "x-msrta"
    );
    let estimates = inbound.estimates.as_ref().unwrap().audio.as_ref().unwrap();
    assert_eq!(
        estimates.network_mos.as_ref().unwrap().overall_min,
        Some(Float(4.05))
    );
    assert!(line.outbound.is_none());
}

#[test]
fn the_report_of_lync_2010() {
    let event = parse(V2);
    assert_eq!(event.schema_version.as_deref(), SchemaVersion::V2.name());
    let endpoint = &event.reports[0].endpoint;
    assert_eq!(endpoint.os.as_ref().unwrap().as_str(), "Windows 6.1");
    assert_eq!(
        (endpoint.cpu_number_of_cores, endpoint.virtualization_flag),
        (Some(4), Some(0))
    );
    assert_eq!(endpoint.unknown, Unknown::default());
}

#[test]
fn the_report_of_lync_2013_in_a_call() {
    let event = parse(V3);
    let description = &event.reports[0].media_lines[0].description;
    assert_eq!(description.mid_call_report, Some(true));
    let network = description.network.as_ref().unwrap();
    assert_eq!(
        network.bssid.as_ref().unwrap().as_str(),
        "00-11-22-33-44-55"
    );
    assert_eq!(
        network.trace_route[0].ip_address.as_deref(),
        Some("10.0.0.1")
    );
    assert!(network.unknown.is_empty());
    let reflexive = description.reflexive_local_address.as_ref().unwrap();
    assert_eq!(reflexive.ip_address.as_deref(), Some("203.0.113.7"));
}

#[test]
fn the_report_of_skype_for_business() {
    let event = parse(&v4());
    let description = &event.reports[0].media_lines[0].description;
    assert_eq!(
        (description.wifi_rssi, description.wifi_channel),
        (Some(71), Some(11))
    );
    assert_eq!(description.unknown.elements().count(), 1);
}

#[test]
fn documents_are_written_as_they_were_read() {
    // Of numbers the form may change, and the order of declarations.
    let same = |text: &str| {
        text.replace("1e+009", "1000000000")
            .replace("0.00<", "0<")
            .replace("4.10<", "4.1<")
            .replace(
                " xmlns:v4=\"ms-rtcp-metrics.v4\" xmlns:v3=\"ms-rtcp-metrics.v3\"",
                " xmlns:v3=\"ms-rtcp-metrics.v3\" xmlns:v4=\"ms-rtcp-metrics.v4\"",
            )
    };
    for text in [packed(V1), packed(V2), packed(V3), v4()] {
        assert_eq!(parse(&text).to_xml(), same(&text));
    }
    let feedback = CallQualityFeedbackReport::parse(FEEDBACK.as_bytes()).unwrap();
    assert_eq!(feedback.to_xml(), FEEDBACK.trim_end());
}

#[test]
fn every_element_has_its_place() {
    let text = EVERY_ELEMENT.trim_end();
    let event = parse(text);
    assert_eq!(event.to_xml(), text);
    // Nothing of it was kept only because it is not known.
    let mut cut = event.clone();
    cut.cut(SchemaVersion::V4);
    assert_eq!(cut, event);
    let line = &event.reports[0].media_lines[1];
    let stream = line.inbound.as_ref().unwrap();
    let video = stream.payload.as_ref().unwrap().video.as_ref().unwrap();
    assert_eq!(video.recv_frame_rate_average, Some(Float(14.5)));
    assert_eq!(
        video.resolution_distribution.as_ref().unwrap().hd_1080,
        Some(3)
    );
}

#[test]
fn prefixes_do_not_matter_and_separators_may_be_missing() {
    let other = packed(V3)
        .replace("v2:", "m:")
        .replace("xmlns:v2", "xmlns:m")
        .replace("<m:Separator/>", "");
    assert_eq!(
        parse(&other).reports[0].media_lines[0]
            .description
            .network
            .as_ref()
            .unwrap()
            .trace_route,
        parse(V3).reports[0].media_lines[0]
            .description
            .network
            .as_ref()
            .unwrap()
            .trace_route
    );
    assert!(
        parse(&other)
            .to_xml()
            .contains("<v2:Separator/><v3:NetworkConnectionDetails>")
    );
}

#[test]
fn what_is_not_known_is_kept() {
    let text = packed(V2)
        .replace("v2:OS=", "v7:MachineInfo=\"x\" v2:OS=")
        .replace(" xmlns:v2", " xmlns:v7=\"ms-rtcp-metrics.v7\" xmlns:v2")
        .replace(
            "<Utilization>",
            "<Later a=\"1\"><b>c</b></Later><Utilization>",
        );
    let event = parse(&text);
    let written = event.to_xml();
    assert!(written.contains(r#"v7:MachineInfo="x""#), "{written}");
    assert!(
        written.contains(r#"<Later a="1"><b>c</b></Later>"#),
        "{written}"
    );
    assert_eq!(parse(&written), event);
}

#[test]
fn reports_are_cut_for_older_servers() {
    let mut event = parse(&v4());
    event.cut(SchemaVersion::V4);
    assert!(event.to_xml().contains("WifiChannel") && !event.to_xml().contains("v5"));
    event.cut(SchemaVersion::V3);
    assert!(!event.to_xml().contains("v4"));
    assert!(event.to_xml().contains("v2:SchemaVersion=\"3.0\""));
    event.cut(SchemaVersion::V2);
    assert!(!event.to_xml().contains("v3") && event.to_xml().contains("BSSID"));
    event.cut(SchemaVersion::V1);
    assert_eq!(event, parse(V1));
    let report = parse(&v4()).reports.remove(0);
    assert_eq!(VqReportEvent::new(SchemaVersion::V1, report), parse(V1));
}

#[test]
fn shared_applications() {
    let sharing = concat!(
        "<Payload><v3:ApplicationSharing><v3:ApplicationShared>Viewer</v3:ApplicationShared>",
        "<v3:IncomingTileRate><v3:Average>12.5</v3:Average></v3:IncomingTileRate><v3:Separator3/>",
        "<v4:NumSharingStarted>2</v4:NumSharingStarted></v3:ApplicationSharing></Payload>"
    );
    let text = v4();
    let from = text.find("<Payload>").unwrap();
    let to = text.find("</Payload>").unwrap() + "</Payload>".len();
    let text = format!("{}{sharing}{}", &text[..from], &text[to..]);
    let event = parse(&text);
    let stream = event.reports[0].media_lines[0].inbound.as_ref().unwrap();
    let found: &ApplicationSharing = stream
        .payload
        .as_ref()
        .unwrap()
        .application_sharing
        .as_ref()
        .unwrap();
    let rate = found.incoming_tile_rate.as_ref().unwrap();
    assert_eq!(
        (rate.average, found.num_sharing_started),
        (Some(Float(12.5)), Some(2))
    );
    assert!(event.to_xml().contains(sharing));
}

#[test]
fn documents_that_are_refused() {
    let without = |name: &str| {
        let text = packed(V2);
        let from = text.find(&format!("<{name}")).unwrap();
        let close = format!("</{name}>");
        let to = match text.find(&close) {
            Some(end) => end + close.len(),
            None => from + text[from..].find("/>").unwrap() + 2,
        };
        format!("{}{}", &text[..from], &text[to..])
    };
    for name in [
        "VQSessionReport",
        "Endpoint",
        "DialogInfo",
        "MediaLine",
        "FromURI",
        "Caller",
        "Description",
    ] {
        assert!(
            VqReportEvent::parse(without(name).as_bytes()).is_err(),
            "{name}"
        );
    }
    for (good, bad) in [
        ("<Ice>DIRECT", "<Ice>SIDEWAYS"),
        ("<Transport>UDP", "<Transport>SCTP"),
        ("<Caller>true", "<Caller>maybe"),
        ("Start=\"2011", "Start=\"last year"),
        ("<LossRate>0.00", "<LossRate>none"),
        ("<Port>50010", "<Port>500100"),
        ("<Packets>2981", "<Packets>2147483648"),
        (" Name=\"PC1\"", ""),
        ("<VQReportEvent", "<!DOCTYPE a><VQReportEvent"),
        ("</VQReportEvent>", ""),
    ] {
        let text = packed(V2).replacen(good, bad, 1);
        assert_ne!(text, packed(V2), "{good}");
        assert!(VqReportEvent::parse(text.as_bytes()).is_err(), "{bad}");
    }
    let long = packed(V2).replace("UCCAPI/4.0 OC/4.0", &"x".repeat(451));
    assert!(VqReportEvent::parse(long.as_bytes()).is_err());
    let fits = packed(V2).replace("UCCAPI/4.0 OC/4.0", &"x".repeat(450));
    assert!(VqReportEvent::parse(fits.as_bytes()).is_ok());
    let huge = format!("{}{}", V2, " ".repeat(MAX_BODY_LEN));
    assert!(matches!(
        VqReportEvent::parse(huge.as_bytes()),
        Err(Error::TooLong { .. })
    ));
    for rating in ["0", "6", "", "many"] {
        let text = FEEDBACK.replace("<Rating>4", &format!("<Rating>{rating}"));
        assert!(
            CallQualityFeedbackReport::parse(text.as_bytes()).is_err(),
            "{rating}"
        );
    }
}

#[test]
fn what_is_recalled_makes_no_report_unreadable() {
    let text = EVERY_ELEMENT.trim_end();
    let replaced = |name: &str, value: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let from = text.find(&open).expect(name) + open.len();
        let to = from + text[from..].find(&close).expect(name);
        format!("{}{value}{}", &text[..from], &text[to..])
    };
    // Names and types of these are known from memory only.
    for name in [
        "GapDuration",
        "v3:ConcealRatioMax",
        "v3:BandwidthEstAvg",
        "v4:PacketReorderDepthMax",
        "v4:NetworkJitterMin",
        "v2:DeviceRenderMuteEventRatio",
        "RateMatchLevel",
        "v3:BurstDuration",
    ] {
        for value in ["unknown", "", "<v9:Part xmlns:v9=\"x\">1</v9:Part>"] {
            let text = replaced(name, value);
            let event = VqReportEvent::parse(text.as_bytes());
            let event = event.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(event.to_xml().len() < text.len());
        }
    }
    // The forms of numbers; those that say nothing are left out.
    for (name, value, written) in [
        ("InterArrival", "3.7", Some("<InterArrival>4<")),
        ("Packets", "2.981e+003", Some("<Packets>2981<")),
        ("LossRate", "NaN", None),
        ("LossRateMax", "-INF", None),
    ] {
        let event = parse(&replaced(name, value));
        let xml = event.to_xml();
        match written {
            Some(written) => assert!(xml.contains(written), "{name}"),
            None => assert_ne!(xml, text, "{name}"),
        }
        assert_eq!(parse(&xml), event, "{name}");
    }
    assert!(VqReportEvent::parse(replaced("Packets", "many").as_bytes()).is_err());
    // A router that did not answer.
    let text = packed(V3).replace("<v3:IPAddress>10.0.0.1</v3:IPAddress>", "");
    assert_ne!(text, packed(V3));
    let event = parse(&text);
    let network = event.reports[0].media_lines[0].description.network.as_ref();
    assert_eq!(network.unwrap().trace_route[0].ip_address, None);
}

#[test]
fn every_truncation_is_an_error() {
    for text in [packed(V3), FEEDBACK.trim_end().to_owned()] {
        for len in 0..text.len() {
            assert!(VqReportEvent::parse(&text.as_bytes()[..len]).is_err());
            assert!(CallQualityFeedbackReport::parse(&text.as_bytes()[..len]).is_err());
        }
    }
}

#[test]
fn warnings_are_a_sum() {
    let flags = ice_warning::UDP_NAT_FAILED | ice_warning::TURN_CREDENTIALS_REFUSED;
    let text = packed(V2).replace("Flags>0<", &format!("Flags>{flags}<"));
    let connectivity = parse(&text).reports[0].media_lines[0]
        .description
        .connectivity
        .clone();
    assert_eq!(connectivity.unwrap().ice_warning_flags, Some(0x4040));
    assert_eq!(u32::parse("16448"), Some(flags));
}
