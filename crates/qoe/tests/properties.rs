//! What holds for all documents.

use ocs_qoe::document::{Float, SchemaVersion, Text, Time, VqReportEvent};
use proptest::prelude::*;

const V3: &str = include_str!("data/report-v3-midcall.xml");

fn number() -> impl Strategy<Value = Option<Float>> {
    proptest::option::of((-1e12..1e12_f64).prop_map(Float))
}

prop_compose! {
    /// The report of Lync 2013 with other values.
    fn event()(
        name in "[!-~äß]{0,256}",
        start in -62_000_000_000_i64..200_000_000_000,
        jitter in proptest::option::of(any::<i32>()),
        loss in number(),
        flags in proptest::option::of(any::<u32>()),
        mos in number(),
        channel in proptest::option::of(any::<i32>()),
        inside in proptest::option::of(any::<bool>()),
        uri in "[!-~]{0,40}",
    ) -> VqReportEvent {
        let mut event = VqReportEvent::parse(V3.as_bytes()).unwrap();
        event.schema_version = SchemaVersion::V4.name().map(Into::into);
        let report = &mut event.reports[0];
        report.endpoint.name = Text::cut(&name);
        report.dialog.start = Time::from_unix_seconds(start);
        report.dialog.to_uri = uri.into();
        report.dialog.registered_inside = inside;
        let line = &mut report.media_lines[0];
        line.local_conversational_mos = mos;
        line.description.wifi_channel = channel;
        line.description.connectivity.as_mut().unwrap().ice_warning_flags = flags;
        let inbound = line.inbound.as_mut().unwrap();
        let network = inbound.network.as_mut().unwrap();
        network.jitter.as_mut().unwrap().inter_arrival = jitter;
        network.conceal_ratio_max = loss;
        line.outbound = Some(inbound.clone());
        event
    }
}

proptest! {
    #[test]
    fn reports_round_trip(event in event()) {
        let text = event.to_xml();
        let again = VqReportEvent::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&again, &event);
        prop_assert_eq!(again.to_xml(), text);
    }

    #[test]
    fn cut_reports_hold_nothing_later(mut event in event()) {
        for (version, later) in [
            (SchemaVersion::V3, "v4"),
            (SchemaVersion::V2, "v3"),
            (SchemaVersion::V1, "v2"),
        ] {
            event.cut(version);
            let text = event.to_xml();
            // In a declaration, an element or an attribute.
            for form in [format!("xmlns:{later}"), format!("<{later}:")] {
                prop_assert!(!text.contains(&form), "{}", text);
            }
            prop_assert_eq!(&VqReportEvent::parse(text.as_bytes()).unwrap(), &event);
        }
    }
}
